package linear

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

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
		if name == "c50-ok" && !full() {
			continue // two million steps, of one kind with c10-ok
		}
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

// peerKV is a store for Porcupine: by key, or as a whole.
func peerKV(ops []history.Op, whole bool) (porcupine.Model, []porcupine.Operation) {
	seed := maphash.MakeSeed()
	type input struct{ name, key, value string }
	var all []porcupine.Operation
	for _, op := range ops {
		in := input{name: op.Name}
		in.key, _ = op.Key.AsString()
		if in.value, _ = op.Input.AsString(); op.Name == "get" {
			in.value, _ = op.Output.AsString()
		}
		all = append(all, porcupine.Operation{Input: in, Call: int64(op.Call), Return: int64(op.Return)})
	}
	step := func(s string, in input) (bool, string) {
		switch in.name {
		case "get":
			return s == in.value, s
		case "put":
			return true, in.value
		}
		return true, s + in.value
	}
	if whole {
		return porcupine.Model{
			Init: func() any { return map[string]string{} },
			Step: func(state, in, _ any) (bool, any) {
				before, op := state.(map[string]string), in.(input)
				fits, after := step(before[op.key], op)
				if after == before[op.key] {
					return fits, before
				}
				next := maps.Clone(before)
				next[op.key] = after
				return fits, next
			},
			Equal: func(a, b any) bool { return maps.Equal(a.(map[string]string), b.(map[string]string)) },
			Hash: func(s any) uint64 {
				var h uint64
				for k, v := range s.(map[string]string) {
					h += maphash.String(seed, k+"\x00"+v)
				}
				return h
			},
		}, all
	}
	return porcupine.Model{
		Partition: func(ops []porcupine.Operation) [][]porcupine.Operation {
			keys := map[string][]porcupine.Operation{}
			for _, op := range ops {
				key := op.Input.(input).key
				keys[key] = append(keys[key], op)
			}
			return slices.Collect(maps.Values(keys))
		},
		Init: func() any { return "" },
		Step: func(state, in, _ any) (bool, any) { fits, s := step(state.(string), in.(input)); return fits, s },
		Hash: func(s any) uint64 { return maphash.String(seed, s.(string)) },
	}, all
}

// Porcupine's own data, ours and theirs in turn: the etcd logs, all together, and the stores, by key and as a whole.
func BenchmarkPorcupinesData(b *testing.B) {
	dir := porcupineDir(b)
	var logs [][]history.Op
	for n := range etcdVerdicts(b, dir) {
		logs = append(logs, etcdLog(b, filepath.Join(dir, "test_data", "jepsen", fmt.Sprintf("etcd_%03d.log", n))))
	}
	both := func(name string, ours Model, all [][]history.Op, peer func(ops []history.Op) (porcupine.Model, []porcupine.Operation)) {
		b.Run(name+"/ours", func(b *testing.B) {
			for b.Loop() {
				for _, ops := range all {
					Check(b.Context(), ours, ops, Options{WholeCore: true})
				}
			}
		})
		var models []porcupine.Model
		var theirs [][]porcupine.Operation
		for _, ops := range all {
			m, t := peer(ops)
			models, theirs = append(models, m), append(theirs, t)
		}
		b.Run(name+"/porcupine", func(b *testing.B) {
			for b.Loop() {
				for i := range all {
					porcupine.CheckOperationsTimeout(models[i], theirs[i], 30*time.Second)
				}
			}
		})
	}
	both("etcd-102", CASRegister(), logs, forPorcupine)
	for _, name := range []string{"c01-ok", "c01-bad", "c10-ok", "c10-bad", "c50-ok", "c50-bad"} {
		ops := [][]history.Op{kvLog(b, filepath.Join(dir, "test_data", "kv", name+".txt"))}
		both("kv-"+name, KV(), ops, func(ops []history.Op) (porcupine.Model, []porcupine.Operation) { return peerKV(ops, false) })
		if !strings.HasPrefix(name, "c50") {
			both("kv-whole-"+name, wholeKV(), ops, func(ops []history.Op) (porcupine.Model, []porcupine.Operation) { return peerKV(ops, true) })
		}
	}
}
