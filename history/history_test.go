package history

import (
	"encoding"
	"testing"
)

func names[T interface {
	~uint8
	encoding.TextMarshaler
}](t *testing.T, n int, read func(text []byte) (T, error)) {
	t.Helper()
	for i := range n {
		text, err := T(i).MarshalText()
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if back, err := read(text); err != nil || back != T(i) {
			t.Errorf("%s came back as %v, %v", text, back, err)
		}
	}
	if text, err := T(n).MarshalText(); err == nil {
		t.Errorf("%d is written %q", n, text)
	}
	if got, err := read([]byte("no such name")); err == nil || got != 0 {
		t.Errorf("an unknown name was read as %v, %v", got, err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	names(t, 3, func(text []byte) (o Outcome, err error) { err = o.UnmarshalText(text); return o, err })
	names(t, 3, func(text []byte) (k OpKind, err error) { err = k.UnmarshalText(text); return k, err })
	names(t, 10, func(text []byte) (k EventKind, err error) { err = k.UnmarshalText(text); return k, err })
	if Outcome(0) != Maybe || Outcome(9).String() != "9" || Inject.String() != "inject" || Model.String() != "model" {
		t.Error("the zero outcome is not maybe, or a name is wrong")
	}
}

func TestLatencyCountsFromTheSchedule(t *testing.T) {
	t.Parallel()
	if got := (Op{Scheduled: 1, Call: 5, Return: 7}).Latency(); got != 6 {
		t.Errorf("Latency = %d, want 6", got)
	}
}
