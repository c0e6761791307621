package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func sampleOps() []Op {
	return []Op{
		{ID: 1, Kind: Journey, Client: "c1", Journey: "checkout", Name: "checkout", Outcome: OK, Degraded: true, Scheduled: 1, Call: 2, Return: 3},
		{ID: 2, Parent: 1, Kind: Model, Client: "c1", Name: "append", Object: "orders", Key: String("k"), Input: Int(1), Outcome: Failed, Call: 2, Return: 3, Error: "línea\n2"},
		{ID: 3, Kind: Step, Client: "c\x00", Name: "POST /", Output: List(Int(1)), Call: 4, Return: 5, Trace: strings.Repeat("a", 32)},
	}
}

func written[R Record](t *testing.T, records ...R) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter[R](&out)
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func roundTrip[R Record](t *testing.T, records ...R) {
	t.Helper()
	back, err := ReadAll[R](bytes.NewReader(written(t, records...)))
	if err != nil || !reflect.DeepEqual(back, records) {
		t.Errorf("%+v came back as %+v, %v", records, back, err)
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	t.Parallel()
	roundTrip(t, sampleOps()...)
	roundTrip(t, Event{At: 5, Kind: Effect, Name: "kill(db-1)", Fault: 1, Target: "db-1", OK: true, Value: Map(Entry{String("n"), Int(2)}), Text: "gone"})
	roundTrip(t, Exchange{Src: "a-1", Dst: "b-1", Conn: 7, Protocol: "grpc", Method: "POST", Path: "/p", Start: 1, First: 2, End: 3, Status: 200, Code: "OK",
		Deadline: 9, Error: "reset", RequestBytes: 1, ResponseBytes: 2, Traceparent: "00-x", Idempotency: "h", Attempt: 2, Header: map[string]string{"k": "v"}, Faults: []string{"cut"}})
}

// Wherever the stream is cut, the records before the cut are read and the cut is told.
func TestReadCutAnywhere(t *testing.T) {
	t.Parallel()
	whole := written(t, sampleOps()...)
	for n := range whole {
		text := whole[:n]
		lines := bytes.Count(text, []byte("\n"))
		ops, err := ReadAll[Op](bytes.NewReader(text))
		if len(ops) != lines {
			t.Fatalf("cut at byte %d: %d operations, want %d", n, len(ops), lines)
		}
		var at *LineError
		atEnd := n == 0 || whole[n-1] == '\n'
		if atEnd && err != nil || !atEnd && (!errors.Is(err, ErrCut) || !errors.As(err, &at) || at.Line != lines+1) {
			t.Fatalf("cut at byte %d: %v", n, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good := `{"id":1,"outcome":"ok"}` + "\n"
	for _, tt := range []struct {
		name, text, want string
		records          int
	}{
		{"garbage", good + "garbage\n" + good, `line 2: "garbage" is no record`, 1},
		{"an empty line", good + "\n" + good, `line 2: "" is no record`, 1},
		{"null", "null\n", `line 1: "null" is no record`, 0},
		{"a list", "[]\n", `line 1: "[]" is no record`, 0},
		{"an unknown field", `{"id":1,"latency":2}` + "\n", `line 1: json: unknown field "latency"`, 0},
		{"an unknown outcome", `{"outcome":"passed"}` + "\n", `line 1: no outcome is called "passed" (allowed: [maybe ok failed])`, 0},
		{"an unknown kind", `{"kind":"probe"}` + "\n", "no operation is called", 0},
		{"a wrong type", `{"id":"1"}` + "\n", "line 1: json: cannot unmarshal string", 0},
		{"two records on a line", `{"id":1}{"id":2}` + "\n", `line 1: after the record: "{\"id\":2}"`, 0},
		{"something after a long record", `{"error":"` + strings.Repeat("x", 5000) + `"} x` + "\n", "after the record", 0},
		{"zero bytes, as after a crash", good + "\x00\x00\x00\n", "line 2: ", 1},
		{"a bad value", `{"input":{"$float":"1"}}` + "\n", "allowed are NaN", 0},
		{"half a record", `{"id":1` + "\n", "line 1: unexpected EOF", 0},
	} {
		ops, err := ReadAll[Op](strings.NewReader(tt.text))
		if len(ops) != tt.records || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d operations, %v; want %d and an error that says %q", tt.name, len(ops), err, tt.records, tt.want)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, ErrCut) {
			t.Errorf("%s: %v looks like an end", tt.name, err)
		}
	}
}

// The reader gives what is written, also a record that is there twice: who
// judges decides what that means.
func TestReadKeepsDuplicates(t *testing.T) {
	t.Parallel()
	op := sampleOps()[0]
	if ops, err := ReadAll[Op](bytes.NewReader(written(t, op, op))); err != nil || len(ops) != 2 {
		t.Errorf("%d operations, %v", len(ops), err)
	}
}

func TestReadErrorOfTheStream(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	ops, err := ReadAll[Op](io.MultiReader(bytes.NewReader(written(t, sampleOps()...)), iotest.ErrReader(broken)))
	if len(ops) != 3 || !errors.Is(err, broken) {
		t.Errorf("%d operations, %v", len(ops), err)
	}
}

func TestReadStopsWhenAsked(t *testing.T) {
	t.Parallel()
	n := 0
	for range Read[Op](bytes.NewReader(written(t, sampleOps()...))) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d records were yielded", n)
	}
}

func TestWriterFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewWriter[Op](&out)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				if err := w.Write(Op{ID: uint64(i*200 + j + 1), Name: strings.Repeat("x", j)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	for op, err := range Read[Op](&out) {
		if err != nil {
			t.Fatal(err)
		}
		seen[op.ID] = true
	}
	if len(seen) != 1600 {
		t.Errorf("%d different operations, want 1600", len(seen))
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// A full disk must be told, also to who writes after the first error.
func TestWriterKeepsItsError(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	w := NewWriter[Op](brokenWriter{full})
	big := Op{ID: 1, Name: strings.Repeat("x", 100<<10)}
	for i := range 3 {
		if err := w.Write(big); !errors.Is(err, full) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if err := w.Flush(); !errors.Is(err, full) {
		t.Errorf("flush: %v", err)
	}
	if err := w.Write(Op{Outcome: 9}); err == nil || errors.Is(err, full) {
		t.Errorf("an outcome without a name: %v", err)
	}
}

// A million records are read as a stream: memory does not grow with them.
func TestReadAMillionRecords(t *testing.T) {
	const n = manyRecords
	count, most := uint64(0), uint64(0)
	for op, err := range Read[Op](&opStream{n: n}) {
		if count++; err != nil || op.ID != count {
			t.Fatalf("record %d: %+v, %v", count, op, err)
		}
		if count%(n/10) == 0 {
			most = max(most, heapInUse())
		}
	}
	if count != n || most > 64<<20 {
		t.Errorf("%d records, with %d MB in use", count, most>>20)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return mem.HeapAlloc
}

// An opStream is a stream of n operations that nobody holds.
type opStream struct {
	n, next int
	rest    []byte
}

func (s *opStream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 && s.next == s.n {
		return 0, io.EOF
	}
	if len(s.rest) == 0 {
		s.next++
		s.rest = fmt.Appendf(nil, `{"id":%d,"client":"c","name":"j","outcome":"ok"}`+"\n", s.next)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id":1,"outcome":"ok","input":{"$bytes":"aGk="}}` + "\n"))
	f.Add([]byte(`{"id":1}` + "\n" + `{"id":`))
	f.Add([]byte("null\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ops, err := ReadAll[Op](bytes.NewReader(text))
		if err == nil && bytes.Count(text, []byte("\n")) != len(ops) {
			t.Errorf("%q: %d records and no error", text, len(ops))
		}
		back, err := ReadAll[Op](bytes.NewReader(written(t, ops...)))
		if err != nil || len(back) != len(ops) {
			t.Errorf("%q: %d records came back as %d, %v", text, len(ops), len(back), err)
		}
	})
}
