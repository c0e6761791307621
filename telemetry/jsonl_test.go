package telemetry

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func of(instance string) map[string]string { return map[string]string{"instance": instance} }

func TestLinesRoundTrip(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := NewWriter(&file)
	for _, s := range []Sample{
		{time.Second, RSSBytes, of("b-1"), 2},
		{2 * time.Second, RSSBytes, of("a-1"), 4},
		{time.Second, RSSBytes, of("a-1"), 3}, // late, and put in order
		{time.Second, CPUSeconds, nil, 0},
	} {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := ReadAll(&file)
	want := []Series{
		{CPUSeconds, nil, []Point{{time.Second, 0}}},
		{RSSBytes, of("a-1"), []Point{{time.Second, 3}, {2 * time.Second, 4}}},
		{RSSBytes, of("b-1"), []Point{{time.Second, 2}}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestWriteRefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := NewWriter(&file)
	if err := w.Write(Sample{Name: "load", Value: math.NaN()}); err == nil || !strings.Contains(err.Error(), "load") {
		t.Errorf("NaN: %v", err)
	}
	if err := errors.Join(w.Write(Sample{Name: "load", Value: 1}), w.Flush()); err != nil || file.Len() == 0 {
		t.Errorf("after a value that was refused: %v, %d bytes", err, file.Len())
	}
}

func TestReadBadLines(t *testing.T) {
	t.Parallel()
	const good = `{"at":1,"name":"threads","value":3}` + "\n"
	for _, tt := range []struct{ name, text, want string }{
		{"cut", good + `{"at":2,"name":"thre`, "line 2: the last sample is cut short"},
		{"cut at its end", good + `{"at":2,"name":"threads","value":3}`, "line 2: the last sample is cut short"},
		{"no value", good + `{"at":2,"name":"threads"}` + "\n", "line 2: "},
		{"no name", good + `{"at":2,"value":1}` + "\n", "needs a name and a value"},
		{"null", good + "null\n", "is no sample"},
		{"empty line", good + "\n", "line 2: "},
		{"unknown field", good + `{"at":2,"name":"a","value":1,"x":1}` + "\n", "x"},
		{"two on a line", good + strings.TrimSpace(good) + good, "after the sample"},
	} {
		got, err := ReadAll(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		if errors.Is(err, ErrCut) != strings.HasPrefix(tt.name, "cut") {
			t.Errorf("%s: errors.Is(%v, ErrCut) is wrong", tt.name, err)
		}
		if len(got) != 1 || len(got[0].Points) != 1 {
			t.Errorf("%s: what stood before the bad line is %+v", tt.name, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"at":1,"name":"threads","labels":{"instance":"a-1"},"value":3}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		series, err := ReadAll(bytes.NewReader(text))
		if err != nil {
			return
		}
		var file bytes.Buffer
		w := NewWriter(&file)
		for _, s := range series {
			for _, p := range s.Points {
				if err := w.Write(Sample{p.At, s.Name, s.Labels, p.Value}); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.Flush()
		again, err := ReadAll(&file)
		if err != nil || !reflect.DeepEqual(again, series) {
			t.Errorf("%q came back as %+v, %v, want %+v", text, again, err, series)
		}
	})
}
