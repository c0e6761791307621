package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// The pair in testdata/postgres is real: two Postgres servers that replicate
// synchronously, and a script that fails over. Its role and position probes are SQL.

// TestPostgres runs beside no other test: it takes a core, and drivers of other tests would be late.
func TestPostgres(t *testing.T) {
	t.Run("pair", postgresPair)
	t.Run("leader moves before the kill", postgresLeaderMoves)
	t.Run("asynchronous loses appends", postgresAsynchronous)
}

func postgresPair(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	report := p.run()
	p.holds(report, "leader-killed", "standby-cut", "leader-killed-while-cut")
	p.says(report, "leader-killed", "append: failover", "the leader of db changed from db-1 to db-2")
	p.says(report, "standby-cut", "append: replication", `db-2 was at "0/`)
	p.says(report, "standby-cut", "append: replication", "and caught up to")
	p.says(report, "standby-cut", `converged("db")`, "all 2 instances")
	p.says(report, "leader-killed-while-cut", "append: failover", "the leader of db changed from db-1 to db-2")
}

// Between the plan and the inject the standby is promoted. The kill must hit the one that leads
// then. The role probe is a program here.
func postgresLeaderMoves(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.edit("compose.yaml", `          sql: {url: "postgres://app@{{ip}}:5432/postgres", query: select pg_is_in_recovery() as follows}
          value: 'rows[0].follows ? "follower" : "leader"'`, `          exec: [psql, -XAtq, -U, app, -h, "{{ip}}", -d, postgres, -c, select pg_is_in_recovery()]
          value: 'exit != 0 ? "gone" : stdout == "t" ? "follower" : "leader"'`)
	p.edit("assay.yaml", "journeys:\n", `  - {sql: {url: "postgres://app@db-2:5432/postgres", query: select pg_promote() as done}, timeout: 20s, expect: 'rows[0].done'}
  - {sql: {url: "postgres://app@db-1:5432/postgres", query: select pg_is_in_recovery() as follows}, eventually: 30s, expect: 'rows[0].follows'}
journeys:
`)
	report := p.run("-x", "leader-killed")
	p.holds(report, "leader-killed")
	p.says(report, "leader-killed", "kill(db[role=leader])", "it was observed on db-2")
	p.says(report, "leader-killed", "append: failover", "the leader of db changed from db-2 to db-1")
	plan, err := os.ReadFile(filepath.Join(report.Dir, "plan.json"))
	if err != nil || !strings.Contains(string(plan), `"db[role=leader]"`) {
		t.Errorf("the plan does not leave open who leads: %v\n%s", err, plan)
	}
}

// A leader that does not wait for its standby loses what it acknowledged. The same experiment finds it.
func postgresAsynchronous(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	report := p.run("-x", "leader-killed-while-cut", "--defect", "async")
	if report.Exit != 1 {
		t.Errorf("exit %d, want 1", report.Exit)
	}
	if c := p.check(report, "leader-killed-while-cut", `no_lost("entries")`); c.Verdict != verdict.Fail || len(c.Witness) == 0 {
		t.Errorf("no_lost: %s: %s, with %d witnesses; all checks: %+v", c.Verdict, c.Reason, len(c.Witness), report.Results)
	}
}

// A pair is the project in a folder of its own.
type pair struct {
	t   *testing.T
	dir string
	env []string
}

type pairReport struct {
	Dir     string                      `json:"dir"`
	Exit    int                         `json:"exit"`
	Results []evidence.ExperimentResult `json:"results"`
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, dir: t.TempDir()}
	p.env = append(os.Environ(), "PATH="+postgresPrograms(t)+":"+os.Getenv("PATH"), "ASSAY_STATE_DIR="+filepath.Join(p.dir, "state"))
	if err := os.CopyFS(filepath.Join(p.dir, "pair"), os.DirFS("testdata/postgres")); err != nil {
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

func (p *pair) edit(name, from, to string) {
	p.t.Helper()
	path := filepath.Join(p.dir, "pair", name)
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

func (p *pair) run(args ...string) pairReport {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "assay", append([]string{"run", "pair", "--json"}, args...)...)
	cmd.Dir, cmd.Env = p.dir, p.env
	var out, story bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &story
	_ = cmd.Run() // its exit code is in the report
	var report pairReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		p.t.Fatalf("%v\n%s%s", err, out.String(), story.String())
	}
	p.t.Logf("%s", story.String())
	return report
}

// holds wants every check of the experiments to pass. Only a machine that is too busy to keep the schedule is excused.
func (p *pair) holds(report pairReport, names ...string) {
	p.t.Helper()
	for _, name := range names {
		checks := p.checks(report, name)
		for _, c := range checks {
			if c.Verdict != verdict.Pass && c.Phase != "driver" {
				p.t.Errorf("%s, %s %s is %s: %s", name, c.Phase, c.Check, c.Verdict, c.Reason)
			}
		}
	}
}

func (p *pair) checks(report pairReport, experiment string) []evidence.Checked {
	p.t.Helper()
	for _, r := range report.Results {
		if r.Name == experiment && len(r.Checks) > 0 {
			return r.Checks
		}
	}
	p.t.Fatalf("%s was not judged: %+v", experiment, report)
	return nil
}

func (p *pair) check(report pairReport, experiment, check string) evidence.Checked {
	p.t.Helper()
	for _, c := range p.checks(report, experiment) {
		if c.Check == check {
			return c
		}
	}
	p.t.Fatalf("%s has no check %s", experiment, check)
	return evidence.Checked{}
}

func (p *pair) says(report pairReport, experiment, check, want string) {
	p.t.Helper()
	if c := p.check(report, experiment, check); !strings.Contains(c.Reason, want) {
		p.t.Errorf("%s, %s says %q, want %q", experiment, check, c.Reason, want)
	}
}
