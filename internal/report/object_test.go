package report

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, want, bad string }{
		{`{}`, "", ""},
		{`{"a":1,"b":"x"}`, `a=1 b="x"`, ""},
		{` { "a" : 1 , "b" : [ 1 , {"c":"]}"} ] } `, `a=1 b=[ 1 , {"c":"]}"} ]`, ""},
		{`{"a":"\"","b":"\\","c":"\\\"}"}`, `a="\"" b="\\" c="\\\"}"`, ""},
		{`{"a":null,"b":true,"c":-1.5e3}`, "a=null b=true c=-1.5e3", ""},
		{``, "", "no record"},
		{`null`, "", "no record"},
		{`[1]`, "", "no record"},
		{`{"a":1`, "", "does not end"},
		{`{"a":"x`, "", "does not end"},
		{`{"a":"x\"}`, "", "does not end"},
		{`{"a":{"b":1}`, "a={\"b\":1}", "does not end"},
		{`{"a":1}}`, "a=1", "after the record"},
		{`{"a" 1}`, "", "no value follows"},
		{`{"a":}`, "", "no value"},
		{`{"a":nul}`, "", "no value"},
		{`{"a":1 "b":2}`, "a=1", "where , or } must"},
		{`{a:1}`, "", "string is missing"},
	}
	for _, test := range tests {
		var got []string
		err := members([]byte(test.line), func(key, value []byte) bool {
			got = append(got, string(key)+"="+string(value))
			return true
		})
		if test.bad == "" && (err != nil || strings.Join(got, " ") != test.want) {
			t.Errorf("%s: got %q and %v, want %q", test.line, got, err, test.want)
		}
		if test.bad != "" && (err == nil || !strings.Contains(err.Error(), test.bad)) {
			t.Errorf("%s: got error %v, want one with %q", test.line, err, test.bad)
		}
	}
}

// Whatever encoding/json reads as an object is read the same way here.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":"x\u003c"}`, `{"a":{"b":[1,"]"]},"c":"\\"}`, `{"a":1e3}`, `{`, `{"a":"\"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got := map[string]string{}
		err := members(line, func(key, value []byte) bool {
			got[unquote([]byte(`"`+string(key)+`"`))] = string(value)
			return true
		})
		var want map[string]json.RawMessage
		if json.Unmarshal(line, &want) != nil || want == nil {
			return
		}
		if err != nil {
			t.Fatalf("%q is an object, and gives %v", line, err)
		}
		for key, value := range want {
			if string(value) != got[key] {
				t.Fatalf("%q: %q is %q, want %q", line, key, got[key], value)
			}
		}
	})
}

func TestUnquote(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", "<script>\"'\\", "new\nline\x00", "ümläut \u202e", "🦀"} {
		text, err := json.Marshal(s)
		check0(t, err)
		if got := unquote(text); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	}
	if got := unquote([]byte("\"a\xffb\"")); got != "a\uFFFDb" {
		t.Errorf("bytes that are no text: got %q", got)
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "-7": -7, "123456789012345678": 123456789012345678, "9223372036854775807": 9223372036854775807} {
		if got, err := whole([]byte(text)); got != want || err != nil {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "1.5", "1e3", "9223372036854775808", "x", "1x"} {
		if got, err := whole([]byte(text)); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}
