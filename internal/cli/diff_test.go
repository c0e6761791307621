package cli

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/telemetry"
	"github.com/assay-dev/assay/verdict"
)

// drawn says what a synthetic run is like.
type drawn struct {
	seed     uint64
	seconds  int     // of each of the three phases
	rate     int     // operations a second
	ms       float64 // median latency
	fail     float64 // share of operations that fail
	rss      float64 // bytes
	load     int     // rate that the plan says, 0 for rate
	commit   string
	build    string // digest of the one service
	defect   string
	state    string // "" for a whole run, or "cut", "torn", "late"
	exchange bool   // exchanges, too
}

// stored is a command of scripts: stored NAME KEY=VALUE… draws a run into .assay and puts its id into $NAME.
func stored(ts *testscript.TestScript, neg bool, args []string) {
	d := drawn{seed: 1, seconds: 20, rate: 50, ms: 20, rss: 50e6, commit: "aaaa", build: "b1"}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		number, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "seed":
			d.seed = uint64(number)
		case "seconds":
			d.seconds = int(number)
		case "ms":
			d.ms = number
		case "fail":
			d.fail = number
		case "rss":
			d.rss = number * 1e6
		case "load":
			d.load = int(number)
		case "commit":
			d.commit = value
		case "build":
			d.build = value
		case "defect":
			d.defect = value
		case "state":
			d.state = value
		default:
			ts.Fatalf("stored: no %q", name)
		}
	}
	id, err := d.store(ts.MkAbs(".assay"))
	ts.Check(err)
	ts.Setenv(args[0], id)
}

// store writes the run and returns its id.
func (d drawn) store(dir string) (string, error) {
	store, err := evidence.OpenStore(dir)
	if err != nil {
		return "", err
	}
	run, err := store.Create(evidence.Meta{Seed: d.seed, Commit: d.commit, Defect: d.defect, OS: "linux", Arch: "amd64", Grade: "stream", Environment: "plain"})
	if err != nil {
		return "", err
	}
	load := d.load
	if load == 0 {
		load = d.rate
	}
	plan := fmt.Sprintf(`{"journeys": [{"name": "checkout", "steps": [{"call": "GET http://a/", "pos": "assay.yaml:%d:1"}]}],
		"experiments": [{"name": "slow", "load": [{"journey": "checkout", "rate": %d}], "method": [{"at": 3, "fault": "kill(a)", "pos": "x.yaml:%d:1"}]}]}`, d.seed, load, d.seed)
	err = errors.Join(run.WriteFile("plan.json", []byte(plan)), run.WriteJSON("subjects.json", []evidence.Subject{{Service: "orders", Instances: []string{"orders-1"}, SHA256: d.build}}),
		d.records(run))
	if err == nil && d.state == "cut" {
		return run.ID(), run.Close()
	}
	err = errors.Join(err, run.Seal(evidence.End{Verdict: verdict.Pass}))
	if d.state == "torn" {
		err = errors.Join(err, os.WriteFile(run.Dir()+"/x/slow/events.jsonl", nil, 0o644))
	}
	return run.ID(), err
}

// records writes the experiment's files and its judgement.
func (d drawn) records(run *evidence.Run) error {
	random := rand.New(rand.NewPCG(d.seed, 1))
	end := time.Duration(3*d.seconds) * time.Second
	errs := []error{written(run, "events.jsonl", d.events(end)), written[history.Event](run, "env.jsonl", nil)}
	var ops []history.Op
	var exchanges []history.Exchange
	for at := time.Duration(0); at < end; at += time.Second / time.Duration(d.rate) {
		took := time.Duration(d.ms * math.Exp(0.2*random.NormFloat64()) * float64(time.Millisecond))
		op := history.Op{ID: uint64(len(ops) + 1), Kind: history.Journey, Client: "c1", Journey: "checkout", Name: "checkout", Outcome: history.OK, Scheduled: at, Call: at, Return: at + took}
		if random.Float64() < d.fail {
			op.Outcome = history.Failed
		}
		ops = append(ops, op)
		if d.exchange {
			exchanges = append(exchanges, history.Exchange{Src: "client", Dst: "orders-1", Protocol: "http/1.1", Method: "GET", Path: "/", Start: at, End: op.Return, Status: 200,
				Traceparent: fmt.Sprintf("00-%032x-%016x-01", op.ID, op.ID), Header: map[string]string{"user-agent": "assay"}})
		}
	}
	errs = append(errs, written(run, "ops.jsonl", ops), written(run, "exchanges.jsonl", exchanges), d.series(run, random, end))
	driver := evidence.Checked{Phase: "driver", Result: check.Result{Check: "driver kept its schedule", Verdict: verdict.Pass}}
	if d.state == "late" {
		driver.Verdict, driver.Reason = verdict.Unknown, "operations started 40.0 ms late at p99"
	}
	return errors.Join(errors.Join(errs...), run.AddJudgement("slow", evidence.ExperimentResult{Name: "slow", Verdict: verdict.Pass, Checks: []evidence.Checked{driver}}))
}

func (d drawn) events(end time.Duration) []history.Event {
	third := time.Duration(d.seconds) * time.Second
	return []history.Event{{Kind: history.Phase, Name: "before"}, {At: third, Kind: history.Phase, Name: "fault"}, {At: third, Kind: history.Inject, Name: "kill(a)", Fault: 1},
		{At: 2 * third, Kind: history.Heal, Name: "kill(a)", Fault: 1}, {At: 2 * third, Kind: history.Phase, Name: "healed"}, {At: 2 * third, Kind: history.Phase, Name: "after"},
		{At: end, Kind: history.Phase, Name: "drain"}, {At: end, Kind: history.Phase, Name: "end"}}
}

func (d drawn) series(run *evidence.Run, random *rand.Rand, end time.Duration) error {
	file, err := run.CreateFile("x/slow/series.jsonl")
	if err != nil {
		return err
	}
	w := telemetry.NewWriter(file)
	for at := time.Duration(0); at < end; at += time.Second {
		err = errors.Join(err, w.Write(telemetry.Sample{At: at, Name: telemetry.RSSBytes, Labels: map[string]string{"instance": "orders-1"}, Value: d.rss * (1 + 0.01*random.Float64())}))
	}
	return errors.Join(err, w.Flush(), file.Close())
}

func written[R history.Record](run *evidence.Run, name string, records []R) error {
	file, err := run.CreateFile("x/slow/" + name)
	if err != nil {
		return err
	}
	w := history.NewWriter[R](file)
	for _, r := range records {
		err = errors.Join(err, w.Write(r))
	}
	return errors.Join(err, w.Flush(), file.Close())
}

// What a diff of two runs of 100,000 operations each costs, from their files to the text.
func BenchmarkDiff(b *testing.B) {
	dir := b.TempDir()
	one := drawn{seed: 1, seconds: 400, rate: 84, ms: 20, rss: 50e6, exchange: true}
	two := one
	two.seed = 2
	a, errA := one.store(dir)
	c, errC := two.store(dir)
	if err := errors.Join(errA, errC); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if code := Main([]string{"diff", a, c, "--store", dir}, new(strings.Builder), os.Stderr); code != 0 {
			b.Fatalf("exit %d", code)
		}
	}
}

// With --last, a run that is not whole is unknown on either side, and never bad usage: it is told what is wrong with it.
func TestDiffLastDamaged(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, base, candidate string
		code                  int
		want                  string
	}{
		{"whole", "", "", 0, "candidate: run"},
		{"a torn candidate", "", "torn", 3, "it is not whole: "},
		{"a torn base", "torn", "", 3, "it is not whole: "},
		{"a base cut short", "cut", "", 3, "it is cut short: "},
		{"a late base, which is whole", "late", "", 2, "can be compared"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for i, state := range []string{tt.base, tt.candidate} {
				d := drawn{seed: uint64(i + 1), seconds: 20, rate: 50, ms: 20, rss: 50e6, build: "b1", state: state}
				if _, err := d.store(dir); err != nil {
					t.Fatal(err)
				}
			}
			code, out, errs := command("diff", "--last", "1", "--store", dir)
			if code != tt.code || !strings.Contains(out+errs, tt.want) || code == 3 && strings.Contains(errs, "no run before") {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, tt.code, tt.want, out, errs)
			}
			if code == 3 && (strings.Count(out, tt.want) != 1 || strings.Count(out, "passed over") != 0) {
				t.Errorf("what is wrong is not told once:\n%s", out)
			}
		})
	}
}
