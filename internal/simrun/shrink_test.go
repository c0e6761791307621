package simrun

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// decided makes n decisions of all kinds.
func decided(n int) []sim.Decision {
	var all []sim.Decision
	for i := range n {
		all = append(all, sim.Decision{Kind: kinds()[i%len(kinds())], Index: uint64(i + 1), Choice: 1, N: 2, Key: uint64(i + 1)})
	}
	return all
}

func shrinking(fails func([]sim.Decision) string) *shrinker {
	return &shrinker{
		test: "TestX", sign: "wrong", workers: 3, until: time.Now().Add(time.Minute), tell: func(int, int) {},
		attempt: func(_ context.Context, _ string, d []sim.Decision, _ limits) (candidate, error) {
			return candidate{sign: fails(d), decisions: d}, nil
		},
	}
}

func indexes(all []sim.Decision) (got []uint64) {
	for _, d := range all {
		got = append(got, d.Index)
	}
	return got
}

// Whatever decisions a failure needs, just those are left.
func TestShrinkFindsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		var need []uint64
		for range rnd.IntN(6) {
			need = append(need, uint64(rnd.IntN(1500)+1))
		}
		slices.Sort(need)
		need = slices.Compact(need)
		s := shrinking(func(d []sim.Decision) string {
			have := indexes(d)
			for _, n := range need {
				if !slices.Contains(have, n) {
					return ""
				}
			}
			return "wrong"
		})
		if ok, err := s.shrink(t.Context(), decided(1500)); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if got := indexes(s.best.decisions); !slices.Equal(got, need) {
			t.Errorf("left are %v, want %v", got, need)
		}
		if s.runs > 400 {
			t.Errorf("%d runs for %v", s.runs, need)
		}
	}
}

// A decision and the one that undoes it go together.
func TestShrinkTriesPairs(t *testing.T) {
	t.Parallel()
	s := shrinking(func(d []sim.Decision) string {
		have := indexes(d)
		if !slices.Contains(have, 7) || slices.Contains(have, 3) != slices.Contains(have, 11) {
			return ""
		}
		return "wrong"
	})
	all := slices.DeleteFunc(decided(12), func(d sim.Decision) bool { return d.Index != 3 && d.Index != 7 && d.Index != 11 })
	if ok, err := s.shrink(t.Context(), all); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got, want := indexes(s.best.decisions), []uint64{7}; !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
}

// Another failure is not a smaller form of this one.
func TestShrinkKeepsTheFailure(t *testing.T) {
	t.Parallel()
	s := shrinking(func(d []sim.Decision) string {
		if len(d) < 10 {
			return "wrong in another way"
		}
		return "wrong"
	})
	if ok, err := s.shrink(t.Context(), decided(100)); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got := len(s.best.decisions); got < 10 {
		t.Errorf("%d decisions are left: those fail in another way", got)
	}
}

// What does not fail by names may by numbers; what fails by neither is said.
func TestShrinkByNumbers(t *testing.T) {
	t.Parallel()
	s := shrinking(func(d []sim.Decision) string {
		if slices.ContainsFunc(d, func(d sim.Decision) bool { return d.Index == 5 && d.Key == 0 }) {
			return "wrong"
		}
		return ""
	})
	if ok, err := s.shrink(t.Context(), decided(10)); err != nil || !ok || len(s.best.decisions) != 1 {
		t.Errorf("%v, %v, %+v", ok, err, s.best.decisions)
	}
	never := shrinking(func([]sim.Decision) string { return "" })
	if ok, err := never.shrink(t.Context(), decided(10)); err != nil || ok {
		t.Errorf("%v, %v: what never fails was shrunk", ok, err)
	}
}

func TestShrinkStopsInTime(t *testing.T) {
	t.Parallel()
	s := shrinking(func([]sim.Decision) string { return "wrong" })
	s.until = time.Now()
	if _, err := s.shrink(t.Context(), decided(10)); err != nil || s.runs > 1 {
		t.Errorf("%v, %d runs after its time", err, s.runs)
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	got := place([]string{
		"net/http.(*persistConn).roundTrip http/transport.go:1",
		"example.com/shop/pay.(*Client).Pay pay/client.go:71",
	})
	if want := "pay/client.go:71 (pay.(*Client).Pay)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := place([]string{"net/http.roundTrip http/transport.go:1"}), "http/transport.go:1 (http.roundTrip)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What the simulated world drew is told by what it was for, and at the line of the test.
func TestDrawn(t *testing.T) {
	t.Parallel()
	const of, user = "github.com/assay-dev/assay/sim", "example.com/shop.TestShop shop/shop_test.go:7"
	for _, tt := range []struct {
		d     sim.Decision
		where []string
		want  string
	}{
		{sim.Decision{Kind: "env", Choice: 2, N: 9}, []string{user}, "2 was drawn, of 0 to 8, at shop/shop_test.go:7 (shop.TestShop)"},
		{sim.Decision{Kind: "env", Choice: 5, N: 6}, []string{of + ".(*swarm).draw sim/swarm.go:1", of + ".(*Sim).Swarm sim/swarm.go:1", user}, "the swarm has one kind of fault, which strikes often"},
		{sim.Decision{Kind: "env", Choice: 1, N: 4}, []string{of + ".(*swarm).lasts sim/swarm.go:1", of + ".(*swarm).strike sim/swarm.go:1"}, "the swarm's fault lasts longer (1 of 3)"},
		{sim.Decision{Kind: "env", Choice: 1, N: 4}, []string{of + ".kindsOfFaults.func1 sim/strike.go:1", of + ".(*swarm).strike sim/swarm.go:1"}, "the swarm's fault strikes another than the first, or another way (1 of 3)"},
		{sim.Decision{Kind: "disk", Choice: 3, N: 4}, []string{of + "/disk.(*Disk).enter disk/strike.go:66", user}, "its disk took longer (3 of 3), at shop/shop_test.go:7 (shop.TestShop)"},
		{sim.Decision{Kind: "disk", Choice: 2, N: 3}, []string{of + "/disk.(*Injected).strikes disk/strike.go:9", of + "/disk.(*Disk).enter disk/strike.go:64", user}, "its disk's fault struck, at shop/shop_test.go:7 (shop.TestShop)"},
	} {
		tt.d.Where = tt.where
		if got := drawn(tt.d); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// found searches a test of testdata/bugs in a folder of its own, shrinks, and saves.
func found(t *testing.T, dir, test string, seeds int) *Result {
	t.Helper()
	bin := *built(t, "bugs")
	bin.work, bin.dir = t.TempDir(), dir
	o := options()
	o.Tests, o.Seeds, o.Workers, o.Dir = "^"+test+"$", seeds, 2, dir
	res := &Result{Go: "go"}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	res.judge(&o)
	return res
}

// A failure is made small, explained, saved, and tried first the next time; what no longer fails is said.
func TestShrunkSavedAndTriedFirst(t *testing.T) {
	dir := t.TempDir()
	res := found(t, dir, "TestLostUpdate", 200)
	if len(res.Failures) != 1 {
		t.Fatalf("%+v", res)
	}
	f := res.Failures[0]
	if len(f.Shrunk) == 0 || len(f.Shrunk) > 2 || !strings.Contains(f.Shrunk[0].Text, "bugs_test.go") {
		t.Errorf("shrunk to %+v (%s)", f.Shrunk, f.Unshrunk)
	}
	file := filepath.Join(dir, "testdata", "assay-sim", "TestLostUpdate.json")
	s, err := readSaved(file)
	if err != nil {
		t.Fatal(err)
	}
	res = found(t, dir, "TestLostUpdate", 2)
	if len(res.Failures) != 1 || !res.Failures[0].Certified || !res.Failures[0].again || len(res.Notes) > 0 {
		t.Errorf("the saved failure: %+v, notes %q", res.Failures, res.Notes)
	}
	was := s.Failure
	s.Failure = `"another" does not hold`
	if _, err := s.write(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	res = found(t, dir, "TestLostUpdate", 2)
	if want := fmt.Sprintf("was saved with the failure %s, and fails now with %s", s.Failure, was); len(res.Failures) != 1 || len(res.Notes) != 1 || !strings.Contains(res.Notes[0], want) {
		t.Errorf("a saved failure that is another: %+v, notes %q, want %s", res.Failures, res.Notes, want)
	}
	s.Decisions, s.Seed, s.Mode = nil, 1, "fifo" // as if what it found were mended
	if _, err := s.write(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	res = found(t, dir, "TestFine|TestLostUpdate", 2)
	if len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "this seed no longer replays what it found") {
		t.Errorf("notes %q", res.Notes)
	}
	if err := os.WriteFile(file, []byte(`{"format": "assay-sim/2"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readSaved(file); err == nil || !strings.Contains(err.Error(), `"assay-sim/2"`) {
		t.Errorf("a saved failure of another format: %v", err)
	}
}

// What ends the process is made small, too.
func TestShrinkWhatDies(t *testing.T) {
	for _, test := range []string{"TestPanicInHost", "TestDeadlock"} {
		res := found(t, t.TempDir(), test, 1)
		if len(res.Failures) != 1 || res.Failures[0].Unshrunk != "" || res.Failures[0].Shrunk == nil || len(res.Failures[0].Shrunk) > 0 {
			t.Errorf("%s: %+v, want a failure that needs no decision", test, *res.Failures[0])
		}
	}
}

// What leaves no record is not made small with that of another test.
func TestNoRecord(t *testing.T) {
	bin := *built(t, "bugs")
	bin.work = t.TempDir()
	for _, test := range []string{"TestNeverEnds", "TestLivelock"} {
		f := &Failure{Test: test, Seed: 1}
		o := options()
		if again, err := (&explorer{o: &o, bin: &bin}).certify(t.Context(), f, sim.Report{}); err != nil || !again {
			t.Fatal(again, err)
		}
		if none := test == "TestLivelock"; !f.Certified || (len(f.Decisions) == 0) != none {
			t.Errorf("%s: %d decisions (%s)", test, len(f.Decisions), f.Doubt)
		}
	}
}

// Two runs of a seed that differ are told, with the first event in which they do.
func TestAudit(t *testing.T) {
	audited := func(test string) *Result {
		bin := *built(t, "bugs")
		bin.work = t.TempDir()
		o := options()
		o.Tests, o.Seeds, o.Workers, o.Audit, o.Events = "^"+test+"$", 4, 2, true, t.TempDir()
		res := &Result{}
		x := &explorer{o: &o, bin: &bin, res: res}
		if err := x.explore(t.Context()); err != nil {
			t.Fatal(err)
		}
		res.judge(&o)
		return res
	}
	if res := audited("TestFine"); len(res.Differences) > 0 || res.Verdict.String() != "pass" {
		t.Errorf("%v: %+v", res.Verdict, res.Differences)
	}
	for test, line := range map[string]string{
		"TestCounts": `s.Event("run %d", counted)`, "TestMapOfPackage": `s.Event("an even run")`, "TestRealClock": `s.Event("it is %d", clock.Load())`,
	} {
		res := audited(test)
		if len(res.Differences) != 1 {
			t.Errorf("%s: %+v", test, res)
			continue
		}
		d := res.Differences[0]
		if where := lineIn(t, "testdata/bugs/audit_test.go", line); d.Event == 0 || len(d.Files) != 2 || !strings.Contains(d.First+d.Second, where) || res.Verdict.String() != "unknown" {
			t.Errorf("%s: %v, want %s: %+v", test, res.Verdict, where, d)
		}
	}
	if res := audited("TestSeeded"); len(res.Differences) > 0 || res.Verdict.String() != "pass" {
		t.Errorf("%v: %+v", res.Verdict, res.Differences)
	}
}

// A test that ends its process does not hide those after it, and with --fresh nobody has been in a process before.
func TestAuditOfAll(t *testing.T) {
	all := func(o *Options) { o.Audit, o.All = true, true }
	res := searched(t, "host", "Fatal|Deadlock|Nil|LockLeft", 3, all)
	var told []string
	for _, test := range res.Tests {
		told = append(told, fmt.Sprintf("%s %d/%d", test.Name, test.Failed, test.Seeds))
	}
	slices.Sort(told)
	if want := []string{"TestDeadlock 3/3", "TestDoDeadlock 3/3", "TestFatal 3/3", "TestLockLeft 3/3", "TestNil 3/3"}; !slices.Equal(told, want) || len(res.Differences) > 0 || len(res.Failures) != 5 {
		t.Errorf("%q, want %q; %d failures, %+v", told, want, len(res.Failures), res.Differences)
	}

	if res := searched(t, "bugs", "^TestCounts$", 4, all); len(res.Differences) != 1 {
		t.Errorf("%+v, want a difference after other seeds", res.Differences)
	}
	res = searched(t, "bugs", "^TestCounts$", 4, func(o *Options) { all(o); o.Fresh = true })
	if len(res.Differences) != 0 || res.Verdict != verdict.Pass || res.Tests[0].Seeds != 4 {
		t.Errorf("%v: %+v, want none in processes of their own", res.Verdict, res.Differences)
	}
}

// lineIn is where a file has a text: file:line.
func lineIn(t *testing.T, file, text string) string {
	t.Helper()
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(all), text)
	if !ok {
		t.Fatalf("%s does not have %s", file, text)
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), 1+strings.Count(before, "\n"))
}
