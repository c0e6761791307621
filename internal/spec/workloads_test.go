package spec_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// The journeys of docs/workloads.md, as they stand there, record what decides about a store that does what it says, and about one
// that forgets every fifth write that it acknowledged.
func TestWorkloadsAsJourneys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		journey  string
		checker  check.Checker
		forgets  verdict.Verdict
		explicit check.Checker // as the second argument says; nil: none
	}{
		{"register", consistency.Linearizable("registers"), verdict.Fail, consistency.LinearizableAs("registers", "cas-register")},
		{"kv", consistency.Linearizable("store"), verdict.Fail, consistency.LinearizableAs("store", "kv")},
		{"set", consistency.Linearizable("members"), verdict.Fail, consistency.LinearizableAs("members", "set")},
		{"set", consistency.NoLost("members"), verdict.Fail, nil},
		{"queue", consistency.Linearizable("jobs"), verdict.Fail, consistency.LinearizableAs("jobs", "queue")},
		{"queue", consistency.Once("jobs"), verdict.Fail, nil},
	} {
		for _, forgets := range []bool{false, true} {
			want := verdict.Pass
			if forgets {
				want = c.forgets
			}
			for _, checker := range []check.Checker{c.checker, c.explicit} {
				if checker == nil {
					continue
				}
				res := judged(t, c.journey, checker, forgets, 200)
				for rate := 100.0; forgets && res.Verdict != want && rate > 5; rate /= 2 { // on a busy machine all happen at once, and show little
					res = judged(t, c.journey, checker, forgets, rate)
				}
				if res.Verdict != want {
					t.Errorf("%v, forgets %v: got %s: %s; want %s", checker, forgets, res.Verdict, res.Reason, want)
				}
			}
		}
	}
}

func judged(t *testing.T, name string, checker check.Checker, forgets bool, rate float64) check.Result {
	t.Helper()
	ops := journey(t, name, &store{forgets: forgets, values: map[string]any{}}, rate)
	return checker.Check(t.Context(), check.Input{Ops: ops})
}

// journey drives one of the page's journeys thirty times, then its final steps, against a store.
func journey(t *testing.T, name string, s *store, rate float64) []history.Op {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	page, err := os.ReadFile("../../docs/workloads.md")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile("(?s)```yaml\n(system: .*?)```").FindSubmatch(page)
	if text == nil {
		t.Fatal("docs/workloads.md has no assay.yaml")
	}
	dir := t.TempDir()
	for file, content := range map[string]string{
		"assay.yaml":         string(text[1]),
		"compose.yaml":       "services: {store: {image: none, x-assay: {owner: a, ready: {tcp: 8080}, process: {command: [store]}}}}\n",
		"experiments/x.yaml": "load: {register: 1/s}\nexpect: ['linearizable(\"registers\")', 'linearizable(\"store\", \"kv\")', 'sequential(\"members\", \"set\")', 'once(\"jobs\")']\nmethod: [{at: 1s, for: 1s, fault: kill(store)}]\n",
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := spec.LoadOn(spec.FakeHost(), dir)
	if err != nil {
		t.Fatal(err)
	}
	address, _ := url.Parse(server.URL)
	var mu sync.Mutex
	var ops []history.Op
	options := workload.Options{Journeys: p.Journeys, Seed: 1, Load: []workload.Load{{Journey: name, Rate: rate}}, Duration: time.Duration(30 / rate * float64(time.Second)),
		Resolve: func(context.Context, string, int) (string, error) { return address.Host, nil },
		Record: func(op history.Op) {
			mu.Lock()
			defer mu.Unlock()
			ops = append(ops, op)
		}}
	d, err := workload.New(options)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Drive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.RunSteps(t.Context(), "final", p.Final); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return ops
}

// A store answers as the page's journeys expect it.
type store struct {
	forgets bool
	mu      sync.Mutex
	writes  int
	values  map[string]any
	members []any
	jobs    []any
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body struct{ Value, From, To any }
	_ = json.NewDecoder(r.Body).Decode(&body)
	answer := map[string]any{}
	if r.Method != http.MethodGet {
		s.writes++
	}
	lost := s.forgets && r.Method != http.MethodGet && s.writes%5 == 0
	switch what := r.Method + " " + strings.Split(r.URL.Path, "/")[1]; what {
	case "GET kv":
		answer["value"] = s.values[r.URL.Path]
	case "PUT kv":
		if !lost {
			s.values[r.URL.Path] = body.Value
		}
	case "POST kv":
		if s.values[r.URL.Path] != body.From {
			w.WriteHeader(http.StatusConflict)
			return
		}
		s.values[r.URL.Path] = body.To
	case "DELETE kv":
		if !lost {
			delete(s.values, r.URL.Path)
		}
	case "POST members":
		if !lost {
			s.members = append(s.members, body.Value)
		}
	case "GET members":
		answer["all"] = append([]any{}, s.members...)
	case "POST jobs":
		if !lost {
			s.jobs = append(s.jobs, body.Value)
		}
	case "DELETE jobs":
		answer["value"] = nil
		if len(s.jobs) > 0 {
			answer["value"] = s.jobs[0]
			s.jobs = s.jobs[1:]
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(answer)
}
