package report

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// The report says of a cell what assay matrix says: one word for one thing.
func TestMatrixWords(t *testing.T) {
	t.Parallel()
	r := build(t, failing().make(t))
	for _, tt := range []struct{ journey, mode, word, class, markdown string }{
		{"checkout", "retry", "FAIL ", "fail", "❌ FAIL "},
		{"status", "timeout", "unproven", "unknown", "❔ unproven"}, // declared, and not run
		{"status", "retry", "-", "none", "-"},
		{"checkout", "timeout", "-", "none", "-"},
	} {
		c, ok := r.Matrix.Cell(tt.journey, tt.mode)
		got := viewOf(c, "team-orders", r.ID)
		if !ok || got.Word != c.Word() || got.Class != tt.class || !strings.HasPrefix(signed(c), tt.markdown) || !strings.HasPrefix(c.Word(), tt.word) {
			t.Errorf("%s: %s: got %+v and %q, the matrix says %q, want %q", tt.journey, tt.mode, got, signed(c), c.Word(), tt.word)
		}
	}
	if got := signed(matrix.Cell{Removed: true, Verdict: verdict.Pass}); got != "❌ REMOVED" {
		t.Errorf("removed: got %q", got)
	}
	all := forms(t, r)
	if !strings.Contains(all["html"], `<span class="empty">-</span>`) || !strings.Contains(all["html"], "<b>unproven</b>") || !strings.Contains(all["markdown"], "❔ unproven |") {
		t.Error("the forms have other words")
	}
}
