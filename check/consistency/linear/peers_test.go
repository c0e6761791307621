package linear

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// porcupineDir is where Porcupine's own test data lies.
func porcupineDir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anishathalye/porcupine").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("Porcupine's module is not at hand: %v", err)
	}
	return dir
}

// An eventReader makes operations of events in order.
type eventReader struct {
	ops   []history.Op
	open  map[string]int
	clock time.Duration
}

func (r *eventReader) call(client, name string, key, input history.Value) {
	if r.open == nil {
		r.open = map[string]int{}
	}
	r.clock++
	r.open[client] = len(r.ops)
	r.ops = append(r.ops, history.Op{ID: uint64(len(r.ops) + 1), Kind: history.Model, Object: "x", Client: client, Name: name, Key: key, Input: input, Call: r.clock, Return: r.clock})
}

func (r *eventReader) end(client string, outcome history.Outcome, output history.Value) {
	at, ok := r.open[client]
	if !ok {
		return
	}
	delete(r.open, client)
	r.clock++
	op := &r.ops[at]
	op.Return, op.Outcome, op.Output = r.clock, outcome, output
}

func etcdLog(t testing.TB, file string) []history.Op {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.*)$`)
	var r eventReader
	for text := range strings.Lines(string(data)) {
		part := line.FindStringSubmatch(strings.TrimSpace(text))
		if part == nil {
			continue
		}
		client, f, v := part[1], part[3], etcdValue(part[4])
		switch {
		case part[2] == "invoke" && f == "read":
			r.call(client, f, history.Value{}, history.Value{})
		case part[2] == "invoke":
			r.call(client, f, history.Value{}, v)
		case part[2] == "ok" && f == "read":
			r.end(client, history.OK, v)
		case part[2] == "ok":
			r.end(client, history.OK, history.Value{})
		case part[2] == "fail" && f == "cas" && part[4] != ":timed-out":
			r.end(client, history.OK, history.Bool(false))
		case part[2] == "fail" && f == "read":
			r.end(client, history.Failed, history.Value{})
		}
	}
	return r.ops
}

func etcdValue(text string) history.Value {
	number := func(s string) history.Value {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return history.Value{}
		}
		return history.Int(n)
	}
	if pair := strings.Fields(strings.Trim(text, "[]")); strings.HasPrefix(text, "[") && len(pair) == 2 {
		return history.List(number(pair[0]), number(pair[1]))
	}
	return number(text)
}

// etcdVerdicts reads the verdicts of the logs from Porcupine's own tests.
func etcdVerdicts(t testing.TB, dir string) map[int]verdict.Verdict {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(dir, "porcupine_test.go"))
	if err != nil {
		t.Skipf("no verdicts: %v", err)
	}
	want := map[int]verdict.Verdict{}
	for _, m := range regexp.MustCompile(`checkJepsen\(t, (\d+), (true|false)\)`).FindAllStringSubmatch(string(source), -1) {
		n, _ := strconv.Atoi(m[1])
		want[n] = map[string]verdict.Verdict{"true": verdict.Pass, "false": verdict.Fail}[m[2]]
	}
	return want
}

func TestEtcdLogs(t *testing.T) {
	t.Parallel()
	dir := porcupineDir(t)
	want := etcdVerdicts(t, dir)
	if len(want) != 102 {
		t.Errorf("%d verdicts, want 102", len(want))
	}
	var ours, steps, worst, core, large int64
	for n, verdict := range want {
		ops := etcdLog(t, filepath.Join(dir, "test_data", "jepsen", fmt.Sprintf("etcd_%03d.log", n)))
		start := time.Now()
		res := Check(context.Background(), CASRegister(), ops, Options{WholeCore: true})
		took := int64(time.Since(start))
		ours, steps, worst = ours+took, steps+res.Steps, max(worst, took)
		if res.Verdict != verdict {
			t.Errorf("log %d: %v, want %v: %s", n, res.Verdict, verdict, res.Reason)
		}
		res = Check(context.Background(), CASRegister(), ops, Options{})
		if err := Certify(CASRegister(), ops, res); errors.Is(err, ErrLarge) {
			large++
		} else if err != nil {
			t.Errorf("log %d: %v: %s", n, err, res.Reason)
		}
		core = max(core, int64(len(res.Core)))
	}
	t.Logf("102 logs in %v (worst %v), %d steps, largest core %d, %d too large to try every order", time.Duration(ours), time.Duration(worst), steps, core, large)
}

func kvLog(t testing.TB, file string) []history.Op {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	line := regexp.MustCompile(`^\{:process (\d+), :type :(\w+), :f :(\w+), :key "(.*)", :value (nil|"(.*)")\}$`)
	var r eventReader
	for in := bufio.NewScanner(f); in.Scan(); {
		part := line.FindStringSubmatch(in.Text())
		if part == nil {
			t.Fatalf("%s: %s", file, in.Text())
		}
		var v history.Value
		if part[5] != "nil" {
			v = history.String(part[6])
		}
		if part[2] == "invoke" {
			r.call(part[1], part[3], history.String(part[4]), v)
			continue
		}
		if part[3] != "get" {
			v = history.Value{}
		}
		r.end(part[1], history.OK, v)
	}
	return r.ops
}

// wholeKV is a key-value model of one part.
func wholeKV() Model {
	part := KV()
	return New(Spec[string]{
		Name: "unpartitioned kv", Init: history.Map().String(),
		Reads: part.reads,
		Step: func(s string, op *history.Op) []string {
			var state history.Value
			if err := state.UnmarshalJSON([]byte(s)); err != nil {
				panic(err)
			}
			entries := state.Entries()
			before := text(history.Value{})
			for _, e := range entries {
				if e.Key.Equal(op.Key) {
					before = text(e.Val)
				}
			}
			after := stepKV(before, op)
			if len(after) == 0 || after[0] == before {
				return one(len(after) > 0, s)
			}
			return []string{history.Map(append(entries, history.Entry{Key: op.Key, Val: history.String(after[0][5:])})...).String()}
		},
	})
}

func TestPorcupineKV(t *testing.T) {
	t.Parallel()
	dir := porcupineDir(t)
	for _, name := range []string{"c01-ok", "c01-bad", "c10-ok", "c10-bad", "c50-ok", "c50-bad"} {
		ops := kvLog(t, filepath.Join(dir, "test_data", "kv", name+".txt"))
		want := verdict.Pass
		if strings.HasSuffix(name, "bad") {
			want = verdict.Fail
		}
		for _, m := range []Model{KV(), wholeKV()} {
			if m.name != "kv" && (strings.HasPrefix(name, "c50") || strings.HasPrefix(name, "c10") && !full()) {
				continue
			}
			start := time.Now()
			res := Check(context.Background(), m, ops, Options{WholeCore: true})
			t.Logf("%s, %s: %d operations in %v, %d steps", name, m, len(ops), time.Since(start), res.Steps)
			if res.Verdict != want {
				t.Errorf("%s, %s: %v, want %v: %s", name, m, res.Verdict, want, res.Reason)
			}
		}
	}
}
