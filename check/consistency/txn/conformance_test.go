package txn

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/jepsen"
	"github.com/assay-dev/assay/internal/conformance"
)

func conformanceHistory(t testing.TB, name string) *History {
	t.Helper()
	file, err := os.Open(filepath.Join(conformance.Dir(t, "elle-histories"), name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var ops []history.Op
	for r := jepsen.New(file, jepsen.EDN, jepsen.Options{}); ; {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if record.Event == nil {
			ops = append(ops, record.Op)
		}
	}
	h, err := FromOps(ops)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestConformance(t *testing.T) {
	t.Parallel()
	cases := []struct {
		file      string
		anomalies []string // those that must be there, and no others
		not       []Model
		may       []Model
	}{
		{"paper-example.edn", []string{"G-single"}, []Model{RepeatableRead, ConsistentView}, []Model{CursorStability, ReadAtomic, StrongReadCommitted}},
		{"si-without-g-single.edn", []string{"G-single-realtime", "G2-item"}, []Model{RepeatableRead, StrongConsistentView},
			[]Model{SessionSnapshotIsolation, StrongReadCommitted}},
		{"huge-scc.edn", []string{"G-nonadjacent-realtime", "G-single-realtime", "G2-item-realtime"}, []Model{StrongConsistentView},
			[]Model{SessionSerializable, StrongReadCommitted}},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			h := conformanceHistory(t, c.file)
			began := time.Now()
			res := Check(t.Context(), h, StrictSerializable)
			t.Log(h.Len(), "transactions in", time.Since(began))
			if got := slices.Sorted(maps.Keys(res.Count)); !slices.Equal(got, c.anomalies) {
				t.Errorf("got %v, want %v", got, c.anomalies)
			}
			if !slices.Equal(res.Not, c.not) || !slices.Equal(res.May, c.may) {
				t.Errorf("got not %v, may %v; want not %v, may %v", res.Not, res.May, c.not, c.may)
			}
			if err := certified(h, StrictSerializable, res); err != nil {
				t.Error(err)
			}
		})
	}
}
