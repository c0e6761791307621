package release

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/run/runtest"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

const digest = "sha256:0101010101010101010101010101010101010101010101010101010101010101"

// shop is a project of n journeys, each with an experiment that is to prove restart and dependency.
func shop(tb testing.TB, n int) *spec.Project {
	tb.Helper()
	p := &spec.Project{Name: "shop", Dir: tb.TempDir(), File: "assay.yaml", System: system.System{Services: []system.Service{{Name: "orders", Replicas: 1}}}}
	for i := range n {
		journey := fmt.Sprint("journey-", i)
		p.Journeys = append(p.Journeys, workload.Journey{Name: journey, Owner: "team-a"})
		p.Declared = append(p.Declared, experiment.Experiment{Name: fmt.Sprint("x", i), Owner: "team-a", Covers: map[string][]string{journey: {"restart", "dependency"}},
			Load: []workload.Load{{Journey: journey, Rate: 20}}, Steady: []experiment.Expectation{{Text: `success("` + journey + `") >= 0.99`}},
			During: []experiment.Expectation{{Text: `success("` + journey + `") >= 0.9`}},
			Method: []experiment.Action{{At: 3 * time.Second, For: 3 * time.Second, Fault: fault.Kill("orders"), Pos: "x.yaml:4:10"}}})
	}
	p.Policy = gate.Policy{File: "gate.yaml", Require: []gate.Require{{Journeys: []string{"*"}, Modes: []string{"restart", "dependency"}, Same: gate.SameDigests, MaxAge: 24 * time.Hour}}}
	return p
}

// ran stores a whole run in which experiments proved all they claim.
func ran(tb testing.TB, store *evidence.Store, p *spec.Project, experiments []experiment.Experiment) *evidence.Run {
	tb.Helper()
	return stored(tb, store, p, experiments, true)
}

// stored stores a whole run whose records are good, or are not.
func stored(tb testing.TB, store *evidence.Store, p *spec.Project, experiments []experiment.Experiment, ok bool) *evidence.Run {
	tb.Helper()
	started := time.Now().Add(-time.Hour)
	r, err := store.Create(evidence.Meta{Version: "1", Seed: 1, Grade: evidence.GradeStream, Started: started})
	plan := run.Plan{System: p.System, Seed: 1, Journeys: p.Journeys}
	for _, x := range experiments {
		plan.Experiments = append(plan.Experiments, run.Planned{Experiment: x})
	}
	errs := []error{err, r.WriteJSON("declaration.json", run.Declare(p)), r.WriteJSON("plan.json", plan),
		r.WriteJSON("subjects.json", []evidence.Subject{{Service: "orders", Instances: []string{"orders-1"}, SHA256: digest}})}
	for _, x := range experiments {
		dir, err := r.Experiment(x.Name)
		errs = append(errs, err, runtest.Write(dir, x.Load[0].Journey, "orders", ok))
		in, problems := r.Input(x.Name)
		in.Service, in.Zones = p.System.ServiceOf, p.System.Zones()
		result := experiment.Judge(tb.Context(), x, in, problems)
		if ok != (result.Verdict == verdict.Pass) {
			tb.Fatalf("the records of these tests must pass if they are good: %v %s", result.Verdict, result.Reason)
		}
		result.Definition, result.Judged = run.Definition(p, x), started
		errs = append(errs, r.AddJudgement(x.Name, result))
	}
	errs = append(errs, r.Seal(evidence.End{Ended: started.Add(time.Minute), Verdict: verdict.Pass}))
	if err := errors.Join(errs...); err != nil {
		tb.Fatal(err)
	}
	return r
}

func newStore(tb testing.TB) *evidence.Store {
	tb.Helper()
	store, err := evidence.OpenStore(filepath.Join(tb.TempDir(), ".assay"))
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

func options() Options {
	return Options{Base: NoBase, Path: ".", Command: func(words ...string) string { return strings.Join(words, " ") }}
}

func decide(t *testing.T, p *spec.Project, store *evidence.Store, opts Options) gate.Decision {
	t.Helper()
	f, err := Gather(t.Context(), p, store, opts)
	if err != nil {
		t.Fatal(err)
	}
	return gate.Decide(t.Context(), f)
}

// The gate leaves pass whatever is done to what it rests on: the kill rate is 100 %.
func TestMutations(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 2), newStore(t)
	ran(t, store, p, p.Declared) // which proves it all once more
	ran(t, store, p, p.Declared[:1])
	ran(t, store, p, p.Declared[1:])
	m, err := Mutate(t.Context(), p, store, options())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range m.All {
		if !one.Killed() {
			t.Errorf("not noticed: %s of %s: %s", one.Kind, one.On, one.Target)
		}
	}
	for _, kind := range []string{"drop", "stale", "swap digest", "empty", "NaN", "truncate", "duplicate", "skip", "swap"} {
		if !slices.ContainsFunc(m.All, func(one Mutation) bool { return one.Kind == kind && one.On == OnContent }) {
			t.Errorf("nothing that a run says was subjected to %s", kind)
		}
	}
	if m.Verdict() != verdict.Pass || len(m.All) < 150 {
		t.Errorf("%v, %d mutations", m.Verdict(), len(m.All))
	}
	t.Logf("kill rate: %d of %d", m.Killed(), len(m.All))
	cards, err := store.Cards()
	if err != nil || len(cards) != 3 || cards[0].Refused+cards[1].Refused != "" {
		t.Errorf("the store itself was touched: %+v, %v", cards, err)
	}
}

// A judgement that is added after the seal does not turn unknown into pass: its records would have to say the same.
func TestJudgedAfterTheSeal(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	lie, err := ran(t, newStore(t), p, p.Declared).Result("x0")
	if err != nil {
		t.Fatal(err)
	}
	lie.Judged = time.Now()
	r := stored(t, store, p, p.Declared, false)
	if err := r.AddJudgement("x0", lie); err != nil {
		t.Fatal(err)
	}
	if d := decide(t, p, store, options()); d.Verdict != verdict.Unknown || !strings.Contains(d.Reason, "judged after its run was sealed, and its records say fail: ") {
		t.Errorf("%v %s", d.Verdict, d.Reason)
	}
}

// A result that is not what its records say does not count, also where it was sealed so. What was found is remembered for a program, and not once the run is another.
func TestResultsAreDerived(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	r := ran(t, store, p, p.Declared)
	opts := options()
	opts.Program = "v1"
	for range 2 {
		if d := decide(t, p, store, opts); d.Verdict != verdict.Pass {
			t.Fatalf("%v %s", d.Verdict, d.Reason)
		}
	}
	if cards, err := store.Cards(); err != nil || cards[0].Results[0].Derived != "v1" {
		t.Errorf("it is not remembered: %+v, %v", cards, err)
	}
	forge := resealed(func(r *evidence.Run, _ *evidence.End) error {
		return errors.Join(runtest.Write(filepath.Join(r.Dir(), "x", "x0"), "journey-0", "orders", false), rejudge(r, "x0", func(*evidence.ExperimentResult) {}))
	})
	again, err := store.Open(r.ID()) // by who never read the records
	if err != nil {
		t.Fatal(err)
	}
	if err := forge(again); err != nil {
		t.Fatal(err)
	}
	if d := decide(t, p, store, opts); d.Verdict != verdict.Unknown || !strings.Contains(d.Reason, "judged once more for this decision, and its records say fail: ") {
		t.Errorf("%v %s", d.Verdict, d.Reason)
	}
}

// Whoever asks less of records that failed, and judges them again, has evidence of another experiment; and a plan that is
// of a broken system is of another run.
func TestPlanThatWasChanged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*run.Plan)
		want   string
	}{
		"asks less": {func(p *run.Plan) {
			x := &p.Experiments[0].Experiment
			x.Steady[0].Text, x.During[0].Text = `success("journey-0") >= 0.0`, `success("journey-0") >= 0.0`
		}, "x0 was changed since"},
		"of another system": {func(p *run.Plan) { p.Defect = "slow" }, "is of another run"},
		"as it was":         {func(*run.Plan) {}, "success"},
	} {
		p, store := shop(t, 1), newStore(t)
		r := stored(t, store, p, p.Declared, false)
		change := resealed(func(r *evidence.Run, _ *evidence.End) error { return rewriteJSON(r, "plan.json", tt.change) })
		if err := change(r); err != nil {
			t.Fatal(err)
		}
		if _, err := run.Rejudge(t.Context(), r, "1"); err != nil {
			t.Fatal(err)
		}
		if d := decide(t, p, store, options()); d.Verdict == verdict.Pass || !strings.Contains(d.Reason, tt.want) {
			t.Errorf("%s: %v %s", name, d.Verdict, d.Reason)
		}
	}
}

// A run's verdict is no better than its experiments', whatever its end says.
func TestEndThatLies(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	p.Policy.Conditions = []gate.Condition{{Name: "the run", Expect: `run.verdict == "pass"`}}
	p.Policy.Require = nil
	stored(t, store, p, p.Declared, false) // which seals it as a pass
	if d := decide(t, p, store, options()); d.Verdict == verdict.Pass || !strings.Contains(d.Reason, "says that it passed, and its experiment x0 came to fail") {
		t.Errorf("%v %s", d.Verdict, d.Reason)
	}
}

// Evidence of an experiment that was made laxer, or stricter, since is evidence of another one.
func TestExperimentThatWasChanged(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	ran(t, store, p, p.Declared)
	p.Declared[0].Settle = time.Minute
	if d := decide(t, p, store, options()); d.Verdict != verdict.Unknown || !strings.Contains(d.Reason, "x0 was changed since") {
		t.Errorf("%v %s", d.Verdict, d.Reason)
	}
}

// A policy that does not care is found out.
func TestMutationsOfAWeakPolicy(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	p.Policy.Require[0].MaxAge, p.Policy.Require[0].Same = 0, ""
	ran(t, store, p, p.Declared)
	m, err := Mutate(t.Context(), p, store, options())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"stale", "swap digest"} {
		if !slices.ContainsFunc(m.All, func(one Mutation) bool { return one.Kind == kind && !one.Killed() }) {
			t.Errorf("%s is said to be noticed by a policy that does not ask", kind)
		}
	}
	if m.Verdict() != verdict.Fail {
		t.Error(m.Verdict())
	}
}

func TestMutateWhatDoesNotPass(t *testing.T) {
	t.Parallel()
	var usage *run.UsageError
	if _, err := Mutate(t.Context(), shop(t, 1), newStore(t), options()); !errors.As(err, &usage) {
		t.Error(err)
	}
}

func TestCandidate(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	if d := decide(t, p, store, options()); d.Verdict != verdict.Unknown || !strings.Contains(d.Reason, "no whole run of shop") {
		t.Errorf("%v %s", d.Verdict, d.Reason)
	}
	ran(t, store, p, p.Declared)
	binary := filepath.Join(t.TempDir(), "orders")
	if err := os.WriteFile(binary, []byte("new"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		subjects []string
		want     verdict.Verdict
		wrong    string
	}{
		{nil, verdict.Pass, ""},
		{[]string{"orders=" + digest}, verdict.Pass, ""},
		{[]string{"orders=" + binary}, verdict.Unknown, ""},
		{[]string{"orders"}, 0, "SERVICE=FILE"},
		{[]string{"payments=" + digest}, 0, `no service is called "payments"`},
		{[]string{"orders=" + binary + "x"}, 0, "no such file"},
	} {
		opts := options()
		opts.Subjects = tt.subjects
		f, err := Gather(t.Context(), p, store, opts)
		if tt.wrong != "" {
			var usage *run.UsageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%q: %v", tt.subjects, err)
			}
			continue
		}
		if d := gate.Decide(t.Context(), f); err != nil || d.Verdict != tt.want {
			t.Errorf("%q: %v %s, %v", tt.subjects, d.Verdict, d.Reason, err)
		}
	}
}

// Evidence that was forged so that even times of change are as they were is found by the gate, which reads what it rests on.
func TestForgedBehindTheIndex(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	r := ran(t, store, p, p.Declared)
	if _, err := store.Cards(); err != nil { // remembered as whole
		t.Fatal(err)
	}
	path := filepath.Join(r.Dir(), "x", "x0", "ops.jsonl")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	forged := errors.Join(os.WriteFile(path, []byte("{\"at\": 9}\n{\"at\": 2}\n"), 0o644), os.Chtimes(path, info.ModTime(), info.ModTime()))
	if forged != nil {
		t.Fatal(forged)
	}
	for _, verify := range []bool{false, true} {
		opts := options()
		opts.Verify = verify
		if d := decide(t, p, store, opts); d.Verdict != verdict.Unknown || !strings.Contains(d.Reason, "ops.jsonl was changed") {
			t.Errorf("verify %t: %v %s", verify, d.Verdict, d.Reason)
		}
	}
}

func gitTree(t *testing.T) (dir string, git func(args ...string)) {
	t.Helper()
	dir = t.TempDir()
	git = func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v %s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	return dir, git
}

const files = `-- compose.yaml
services: {orders: {image: x, x-assay: {process: {command: [sleep, "9"]}}}}
-- assay.yaml
system: shop
topology: compose.yaml
gate: gate.yaml
journeys:
  checkout: {owner: team-a, steps: [{call: GET http://orders:80/, expect: status == 200}]}
  refund: {owner: team-b, steps: [{call: GET http://orders:80/, expect: status == 200}]}
-- gate.yaml
require: [{journeys: ["*"], modes: [retry], same: commit, max-age: 7d}]
`

func write(t *testing.T, dir, files string) {
	t.Helper()
	for _, part := range strings.Split(files, "-- ")[1:] {
		name, content, _ := strings.Cut(part, "\n")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The base is where the branch left main, the last commit while there are changes on main, and else the commit before.
func TestBaseFromGit(t *testing.T) {
	for _, name := range []string{"GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CHANGE_TARGET", "CI_COMMIT_BEFORE_SHA", "GITHUB_EVENT_PATH"} {
		t.Setenv(name, "")
	}
	dir, git := gitTree(t)
	project := func() *spec.Project {
		p, err := spec.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	check := func(when string, journeys, required int, name string) {
		t.Helper()
		b := FindBase(t.Context(), project(), "", nil)
		if b.Err != "" || !strings.Contains(b.Name, name) || (b.Declaration == nil) != (journeys < 0) {
			t.Fatalf("%s: %+v", when, b)
		}
		if b.Declaration != nil && (len(b.Declaration.Journeys) != journeys || len(b.Declaration.Required) != required) {
			t.Errorf("%s: %+v", when, b.Declaration)
		}
	}
	write(t, dir, files)
	check("before the first commit", -1, 0, "no commit yet")
	git("add", ".")
	git("commit", "-qm", "one")
	check("on the first commit", -1, 0, "first commit")
	write(t, dir, strings.Replace(files, "  refund:", "  #", 1))
	check("with changes", 2, 2, "the last commit")
	git("commit", "-qam", "two")
	check("after they are committed", 2, 2, "the commit before")
	write(t, dir, "-- junk\nx\n")
	check("with a file that git does not know", 2, 2, "the commit before")
	write(t, dir, strings.Replace(files, "  refund:", "  # more\n  #", 1))
	check("with more changes after they are committed", 2, 2, "and the last commit")
	git("checkout", "-q", ".")
	git("checkout", "-qb", "topic", "main~1")
	write(t, dir, strings.Replace(files, `["*"], modes: [retry]`, `[checkout], modes: [retry]`, 1))
	check("on a branch", 2, 2, "the last commit")
	git("commit", "-qam", "three")
	check("on a branch with a commit", 2, 2, "main (")
	for ref, want := range map[string]string{"nowhere": `no revision is called "nowhere"`, "none": ""} {
		if b := FindBase(t.Context(), project(), ref, nil); !strings.Contains(b.Err, want) || b.Declaration != nil {
			t.Errorf("%s: %+v", ref, b)
		}
	}
	if b := FindBase(t.Context(), project(), "HEAD", nil); b.Err != "" || len(b.Declaration.Journeys) != 2 {
		t.Errorf("before it was moved: %+v", b)
	}
	write(t, dir, "-- .gitattributes\ngate.yaml export-ignore\n")
	if b := FindBase(t.Context(), project(), "HEAD", nil); b.Err != "" || len(b.Declaration.Required) != 1 {
		t.Errorf("with attributes of archives: %+v", b)
	}
	git("rm", "-q", "--cached", "gate.yaml")
	git("commit", "-qm", "broken")
	if b := FindBase(t.Context(), project(), "HEAD", nil); !strings.Contains(b.Err, "HEAD:assay.yaml:3:7") {
		t.Errorf("a base that does not load: %+v", b)
	}
}

// Where the base should be and is not, as in a shallow clone of a CI system, nobody can see what was deleted.
func TestBaseThatIsNotHere(t *testing.T) {
	dir, git := gitTree(t)
	write(t, dir, files)
	git("add", ".")
	git("commit", "-qm", "one")
	git("commit", "-qm", "two", "--allow-empty")
	git("checkout", "-qb", "topic")
	git("commit", "-qm", "three", "--allow-empty")
	clone := func(branch string) *spec.Project {
		to := t.TempDir()
		if out, err := exec.Command("git", "clone", "-q", "--depth", "1", "--branch", branch, "file://"+dir, to).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		p, err := spec.Load(to)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct{ branch, target string }{{"topic", "main"}, {"topic", ""}, {"main", ""}} {
		t.Setenv("GITHUB_BASE_REF", tt.target)
		if b := FindBase(t.Context(), clone(tt.branch), "", nil); b.Declaration != nil || !strings.Contains(b.Err, "shallow") {
			t.Errorf("%+v: %+v", tt, b)
		}
	}
	t.Setenv("GITHUB_BASE_REF", "release-9")
	p, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b := FindBase(t.Context(), p, "", nil); !strings.Contains(b.Err, "origin/release-9") {
		t.Errorf("a branch that is nowhere: %+v", b)
	}
}

// A project that was moved or renamed is found where it was.
func TestBaseOfAMovedProject(t *testing.T) {
	t.Parallel()
	dir, git := gitTree(t)
	old := filepath.Join(dir, "old")
	if err := os.Mkdir(old, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, old, files)
	git("add", ".")
	git("commit", "-qm", "one")
	git("mv", "old", "new")
	git("mv", "new/assay.yaml", "new/shop.yaml")
	git("commit", "-qm", "two")
	p, err := spec.Load(filepath.Join(dir, "new", "shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if b := FindBase(t.Context(), p, "main~1", nil); b.Err != "" || b.Declaration == nil || len(b.Declaration.Journeys) != 2 {
		t.Errorf("%+v", b)
	}
	p.Name = "bank"
	if b := FindBase(t.Context(), p, "main~1", nil); b.Err != "" || b.Declaration == nil || len(b.Declaration.Journeys) != 0 {
		t.Errorf("a system that was not there: %+v", b)
	}
}

func TestCommitOfTheCandidate(t *testing.T) {
	t.Parallel()
	dir, git := gitTree(t)
	write(t, dir, files)
	git("add", ".")
	git("commit", "-qm", "one")
	p, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"main": "", "nope": "no commit of", "4ec10242a900": "no commit of", strings.Repeat("a", 40): "", "--all": "no commit of"} {
		opts := options()
		opts.Commit = name
		f, err := Gather(t.Context(), p, newStore(t), opts)
		if want == "" && (err != nil || len(f.Candidate.Commit) != 40) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("--commit %s: %+v, %v", name, f.Candidate, err)
		}
	}
}

func TestBaseWithoutGit(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 2), newStore(t)
	ran(t, store, p, p.Declared)
	if d := decide(t, p, store, Options{Command: options().Command}); d.Verdict != verdict.Pass || !strings.HasPrefix(d.Base, "run ") {
		t.Fatalf("%v %s %s", d.Verdict, d.Reason, d.Base)
	}
	p.Journeys, p.Declared = p.Journeys[:1], p.Declared[:1]
	if d := decide(t, p, store, Options{Command: options().Command}); d.Verdict != verdict.Fail || !strings.Contains(d.Reason, "journey-1") {
		t.Errorf("a journey was deleted, and the gate says %v %s", d.Verdict, d.Reason)
	}
}

// BenchmarkGate1000OnDisk decides over 1,000 cells proved by 20 runs of 25 experiments, verified and judged before, or read and judged again.
func BenchmarkGate1000OnDisk(b *testing.B) {
	for _, reread := range []bool{false, true} {
		b.Run(fmt.Sprintf("reread=%t", reread), func(b *testing.B) { gateOnDisk(b, reread) })
	}
}

func gateOnDisk(b *testing.B, reread bool) {
	p, store := shop(b, 500), newStore(b)
	for i := range 20 {
		ran(b, store, p, p.Declared[25*i:25*i+25])
	}
	opts := options()
	opts.Verify, opts.Program = reread, "v1"
	gate1000 := func() {
		f, err := Gather(b.Context(), p, store, opts)
		if d := gate.Decide(b.Context(), f); err != nil || d.Verdict != verdict.Pass || len(d.Clauses) != 1003 {
			b.Fatal(err, d.Verdict, d.Reason)
		}
	}
	begun := time.Now()
	gate1000()
	first := time.Since(begun)
	for b.Loop() {
		gate1000()
	}
	b.ReportMetric(float64(first.Milliseconds()), "first-ms")
}
