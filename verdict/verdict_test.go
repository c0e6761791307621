package verdict

import (
	"encoding/json"
	"testing"
)

func TestMerge(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parts []Verdict
		want  Verdict
	}{
		{"nothing checked", nil, Unknown},
		{"all passed", []Verdict{Pass, Pass}, Pass},
		{"one skipped", []Verdict{Pass, Unknown}, Unknown},
		{"fail beats unknown", []Verdict{Unknown, Fail, Pass}, Fail},
		{"a verdict nobody defined is not a pass", []Verdict{Pass, Verdict(9)}, Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Merge(tt.parts...); got != tt.want {
				t.Errorf("Merge(%v) = %v, want %v", tt.parts, got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, v := range []Verdict{Unknown, Pass, Fail} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back Verdict
		if err := json.Unmarshal(text, &back); err != nil || back != v {
			t.Errorf("%s came back as %v, %v", text, back, err)
		}
	}
	var v Verdict
	if err := json.Unmarshal([]byte(`"passed"`), &v); err == nil || v != Unknown {
		t.Errorf(`"passed" was read as %v, %v`, v, err)
	}
	if _, err := json.Marshal(Verdict(9)); err == nil {
		t.Error("a verdict without a name was written")
	}
}
