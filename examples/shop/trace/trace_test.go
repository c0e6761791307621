package trace_test

import (
	"testing"

	"github.com/assay-dev/assay/examples/shop/trace"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestChildStaysInTheTrace(t *testing.T) {
	t.Parallel()
	c, ok := trace.Parse(parent)
	if !ok || c.String() != parent {
		t.Fatalf("Parse(%q) = %q, %v", parent, c, ok)
	}
	child := c.Child()
	if child.TraceID != c.TraceID || child.SpanID == c.SpanID {
		t.Errorf("child of %v is %v, want the same trace and another span", c, child)
	}
	if again, ok := trace.Parse(child.String()); !ok || again != child {
		t.Errorf("%v reads as %v, %v", child, again, ok)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":    "",
		"words":      "not a trace context",
		"short":      "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
		"capitals":   "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"zero trace": "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"zero span":  "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
	} {
		if c, ok := trace.Parse(text); ok {
			t.Errorf("%s: Parse(%q) = %v, want none", name, text, c)
		}
	}
}

func TestZeroContextStartsATrace(t *testing.T) {
	t.Parallel()
	if c := (trace.Context{}); c.String() != "" || c.Child().TraceID == "" || len(c.Child().TraceID) != 32 {
		t.Errorf("zero context prints %q and has child %v", c, c.Child())
	}
}
