package txn

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/conformance"
)

// edn reads as much of the format as the three files need: maps, vectors, keywords, integers and nil.
type edn struct{ text string }

func (e *edn) skip() { e.text = strings.TrimLeft(e.text, " ,\t\r\n") }

func (e *edn) value(t testing.TB) any {
	e.skip()
	switch c := e.text[0]; c {
	case '[', '{':
		e.text = e.text[1:]
		var items []any
		for e.skip(); e.text[0] != ']' && e.text[0] != '}'; e.skip() {
			items = append(items, e.value(t))
		}
		e.text = e.text[1:]
		return items
	}
	end := strings.IndexAny(e.text, " ,\t\r\n]}")
	word := e.text[:end]
	e.text = e.text[end:]
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n
	}
	if word == "nil" {
		return nil
	}
	return strings.TrimPrefix(word, ":")
}

// conformanceHistory pairs the events of a file; the number of an event is its time.
func conformanceHistory(t testing.TB, name string) *History {
	t.Helper()
	file, err := os.Open(filepath.Join(conformance.Dir(t, "elle-histories"), name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var ops []history.Op
	open := map[any]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for at := time.Duration(1); lines.Scan(); at++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == ';' {
			continue
		}
		e := edn{line}
		event := e.value(t).([]any)
		get := func(key string) any {
			i := slices.Index(event, any(key))
			if i < 0 {
				return nil
			}
			return event[i+1]
		}
		if get("process") == any("nemesis") {
			continue
		}
		mops, err := history.Of(get("value"))
		if err != nil {
			t.Fatal(err)
		}
		process, _ := history.Of(get("process"))
		i, isOpen := open[get("process")]
		switch kind := get("type"); {
		case kind == "invoke":
			open[get("process")] = len(ops)
			ops = append(ops, history.Op{ID: uint64(len(ops) + 1), Name: "txn", Client: process.String(), Input: mops, Call: at, Return: 1 << 40})
		case !isOpen:
			t.Fatalf("%s: %s", name, line)
		default:
			ops[i].Outcome = map[any]history.Outcome{"ok": history.OK, "fail": history.Failed, "info": history.Maybe}[kind]
			ops[i].Output, ops[i].Return = mops, at
			delete(open, get("process"))
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
			if err := Certify(h, StrictSerializable, res); err != nil {
				t.Error(err)
			}
		})
	}
}
