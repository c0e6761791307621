package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// The servers in testdata/recipes are real: two Postgres that replicate synchronously and two Redis, run by recipes
// and failed over by the environment.

// TestRecipes runs beside no other test: which of two databases leads is a matter of time, and it takes a core.
func TestRecipes(t *testing.T) {
	t.Run("failover", recipeFailover)
	t.Run("failover while cut, and of the cache", recipeFailoverWhileCut)
	t.Run("leader moves before the kill", recipeLeaderMoves)
	t.Run("leader hangs", recipeLeaderHangs)
	t.Run("asynchronous loses appends", recipeAsynchronous)
}

func recipeFailover(t *testing.T) {
	t.Parallel()
	p := newServers(t)
	report := p.passes("leader-killed", "standby-cut")
	p.says(report, "leader-killed", "append: failover", "the leader of db changed from db-1 to db-2")
	p.says(report, "standby-cut", "append: replication", "db-2 was at ")
	p.says(report, "standby-cut", "append: replication", "and caught up to")
	p.says(report, "standby-cut", `converged("db")`, "all 2 instances")
	p.follows(report, "leader-killed", "db-1")
}

func recipeFailoverWhileCut(t *testing.T) {
	t.Parallel()
	p := newServers(t)
	report := p.passes("leader-killed-while-cut", "cache-killed")
	p.says(report, "leader-killed-while-cut", "append: failover", "the leader of db changed from db-1 to db-2")
	p.says(report, "cache-killed", "push: failover", "the leader of cache changed from cache-1 to cache-2")
	p.says(report, "cache-killed", `converged("cache")`, "all 2 instances")
	p.follows(report, "cache-killed", "cache-1")
}

// The second kill must hit the one that leads by then. The role probe is the user's own, a program, and the setup runs
// again before each experiment.
func recipeLeaderMoves(t *testing.T) {
	t.Parallel()
	p := newServers(t)
	p.edit("compose.yaml", "recipe: postgres,", `recipe: postgres, probes: {role: {exec: [psql, -XAtq, -U, app, -h, "{{ip}}", -d, shop, -c, select pg_is_in_recovery()],
      value: 'exit != 0 ? "gone" : stdout == "t" ? "follower" : "leader"'}},`)
	p.edit("assay.yaml", "topology: compose.yaml", "topology: compose.yaml\nrestore: rerun")
	report := p.passes("leaders-killed", "restarted")
	p.says(report, "leaders-killed", "append: failover", "the leader of db changed from db-1 to db-2")
	p.notes(report, "leaders-killed", "db-2 takes over from db-1", "db-2 leads, followed by db-1", "db-1 takes over from db-2", "db-1 leads, followed by db-2")
	p.follows(report, "leaders-killed", "db-2")
	p.notes(report, "restarted")
	plan, err := os.ReadFile(filepath.Join(report.Dir, "plan.json"))
	if err != nil || !strings.Contains(string(plan), `"db[role=leader]"`) {
		t.Errorf("the plan does not leave open who leads: %v\n%s", err, plan)
	}
	if strings.Contains(string(plan), "p@ss") || strings.Contains(string(plan), "/usr/") {
		t.Errorf("the plan has a password or a path of this machine:\n%s", plan)
	}
}

func recipeLeaderHangs(t *testing.T) {
	t.Parallel()
	p := newServers(t)
	report := p.passes("leaders-hang")
	p.says(report, "leaders-hang", "append: failover", "the leader of db changed from db-1 to db-2")
	p.follows(report, "leaders-hang", "db-1")
	p.follows(report, "leaders-hang", "cache-1")
}

// A leader that does not wait for its standby loses what it acknowledged. The same experiment finds it.
func recipeAsynchronous(t *testing.T) {
	t.Parallel()
	p := newServers(t)
	args := []string{"-x", "leader-killed-while-cut", "--defect", "async"}
	report := p.run(args...)
	if report.Exit == 3 { // a machine that is too busy does not get that far
		report = p.run(args...)
	}
	if report.Exit == 3 {
		skipBusy(t, "undecided")
	}
	if report.Exit != 1 {
		t.Errorf("exit %d, want 1", report.Exit)
	}
	if c := p.check(report, "leader-killed-while-cut", `no_lost("entries")`); c.Verdict != verdict.Fail || len(c.Witness) == 0 {
		t.Errorf("no_lost: %s: %s, with %d witnesses; all checks: %+v", c.Verdict, c.Reason, len(c.Witness), report.Results)
	}
}

// servers is the project in a folder of its own.
type servers struct {
	t   *testing.T
	dir string
	env []string
}

type serversReport struct {
	Dir     string                      `json:"dir"`
	Exit    int                         `json:"exit"`
	Results []evidence.ExperimentResult `json:"results"`
	again   map[string]string           // where the records are of experiments that ran again
}

func newServers(t *testing.T) *servers {
	t.Helper()
	needRedis(t)
	take(t, 2)
	p := &servers{t: t, dir: t.TempDir()}
	p.env = append(os.Environ(), "PATH="+postgresPrograms(t)+":"+os.Getenv("PATH"), "ASSAY_STATE_DIR="+filepath.Join(p.dir, "state"))
	if err := os.CopyFS(filepath.Join(p.dir, "servers"), os.DirFS("testdata/recipes")); err != nil {
		t.Fatal(err)
	}
	return p
}

// postgresPrograms returns the folder with initdb. Debian keeps it out of PATH.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("Postgres is not installed: neither initdb in PATH nor /usr/lib/postgresql/*/bin")
	}
	if out, err := exec.Command("unshare", "--user", "--map-user=1000", "true").CombinedOutput(); os.Getuid() == 0 && err != nil {
		t.Skipf("Postgres refuses to run as root, and root cannot enter a user namespace here: %v: %s", err, out)
	}
	return filepath.Dir(slices.Max(found))
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("Redis is not installed: no redis-server in PATH")
	}
}

// events returns what the environment recorded of one kind.
func (p *servers) events(report serversReport, experiment string, kind history.EventKind) []history.Event {
	p.t.Helper()
	file, err := os.Open(filepath.Join(cmp.Or(report.again[experiment], report.Dir), "x", experiment, "env.jsonl"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer file.Close()
	all, err := history.ReadAll[history.Event](file)
	if err != nil {
		p.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e history.Event) bool { return e.Kind != kind })
}

// follows wants that at the end the instance follows, and that at no time two of its service led at once.
func (p *servers) follows(report serversReport, experiment, instance string) {
	p.t.Helper()
	service, _, _ := strings.Cut(instance, "-")
	roles := map[string]string{}
	for _, e := range p.events(report, experiment, history.Probe) {
		if e.Name != "role" || !strings.HasPrefix(e.Target, service+"-") {
			continue
		}
		roles[e.Target], _ = e.Value.AsString()
		if roles[service+"-1"] == "leader" && roles[service+"-2"] == "leader" {
			p.t.Errorf("%s: two lead at %v", experiment, e.At)
		}
	}
	if roles[instance] != "follower" {
		p.t.Errorf("%s: at the end %s is %q", experiment, instance, roles[instance])
	}
}

// notes wants the failovers that the environment tells of, in this order.
func (p *servers) notes(report serversReport, experiment string, want ...string) {
	p.t.Helper()
	var got []string
	for _, e := range p.events(report, experiment, history.Note) {
		if e.Name == "failover" && !strings.Contains(e.Text, "followed by nobody") {
			got = append(got, e.Text)
		}
	}
	for i, text := range got {
		if i >= len(want) || !strings.HasPrefix(text, want[i]) {
			p.t.Fatalf("%s: the failovers are %q, want %q", experiment, got, want)
		}
	}
	if len(got) < len(want) {
		p.t.Errorf("%s: the failovers are %q, want %q", experiment, got, want)
	}
}

func (p *servers) edit(name, from, to string) {
	p.t.Helper()
	path := filepath.Join(p.dir, "servers", name)
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		p.t.Fatalf("%s does not contain %q", name, from)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *servers) run(args ...string) serversReport {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "assay", append([]string{"run", "servers", "--json"}, args...)...)
	cmd.Dir, cmd.Env = p.dir, p.env
	var out, story bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &story
	_ = cmd.Run() // its exit code is in the report
	var report serversReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		p.t.Fatalf("%v\n%s%s", err, out.String(), story.String())
	}
	p.t.Logf("%s", story.String())
	return report
}

// passes runs experiments and wants every check of them to pass. Only a machine that is too busy to keep the schedule is excused. What else
// does not hold may be its doing, too, when it cannot serve even without a fault: such an experiment has two more tries.
func (p *servers) passes(names ...string) serversReport {
	p.t.Helper()
	var args []string
	for _, name := range names {
		args = append(args, "-x", name)
	}
	report := p.run(args...)
	report.again = map[string]string{}
	for _, name := range names {
		for try := 0; try < 2 && len(p.broken(report, name)) > 0; try++ {
			p.t.Logf("%s runs again: %q", name, p.broken(report, name))
			again := p.run("-x", name)
			report.again[name] = again.Dir
			report.Results = append(slices.DeleteFunc(report.Results, func(r evidence.ExperimentResult) bool { return r.Name == name }), again.Results...)
		}
		if broken := p.broken(report, name); len(broken) > 0 {
			skipBusy(p.t, fmt.Sprintf("%s: %q", name, broken))
			p.t.Errorf("%s: %q", name, broken)
		}
	}
	return report
}

// broken returns the checks of an experiment that do not pass, but for the driver's.
func (p *servers) broken(report serversReport, name string) (all []string) {
	p.t.Helper()
	for _, c := range p.checks(report, name) {
		if c.Verdict != verdict.Pass && c.Phase != "driver" {
			all = append(all, fmt.Sprintf("%s %s is %s: %s", c.Phase, c.Check, c.Verdict, c.Reason))
		}
	}
	return all
}

func (p *servers) checks(report serversReport, experiment string) []evidence.Checked {
	p.t.Helper()
	for _, r := range report.Results {
		if r.Name == experiment && len(r.Checks) > 0 {
			return r.Checks
		}
	}
	p.t.Fatalf("%s was not judged: %+v", experiment, report)
	return nil
}

func (p *servers) check(report serversReport, experiment, check string) evidence.Checked {
	p.t.Helper()
	for _, c := range p.checks(report, experiment) {
		if c.Check == check {
			return c
		}
	}
	p.t.Fatalf("%s has no check %s", experiment, check)
	return evidence.Checked{}
}

func (p *servers) says(report serversReport, experiment, check, want string) {
	p.t.Helper()
	if c := p.check(report, experiment, check); !strings.Contains(c.Reason, want) {
		p.t.Errorf("%s, %s says %q, want %q", experiment, check, c.Reason, want)
	}
}
