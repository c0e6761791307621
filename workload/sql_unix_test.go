//go:build unix

package workload_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// postgres starts a database and returns its address, or skips the test.
func postgres(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("no Postgres under /usr/lib/postgresql")
	}
	bin, dir := filepath.Dir(found[len(found)-1]), t.TempDir()
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 { // Postgres refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("runs as root, and there is no user postgres")
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	port := strings.TrimPrefix(closedPort(t), "127.0.0.1:")
	data := filepath.Join(dir, "data")
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir = attr, dir
		return cmd
	}
	if out, err := run("initdb", "-D", data, "-A", "trust", "-U", "app", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := run("postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", dir, "-c", "fsync=off")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		_ = server.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
			return "127.0.0.1:" + port
		}
		if time.Now().After(deadline) {
			t.Fatalf("Postgres does not listen: %v", err)
		}
	}
}

func TestSQL(t *testing.T) {
	t.Parallel()
	address := postgres(t)
	url := "postgres://app@" + address + "/postgres?sslmode=disable"
	op, rec := one(t, workload.Options{},
		workload.Step{SQL: url, Eventually: 20 * time.Second, Query: "create table t (id int primary key, name text, at float8, ok bool, doc jsonb, n numeric); insert into t values (1, '{{item}}', 1.5, true, '{\"a\": [1]}', 2.50), (2, null, null, null, null, null)"},
		workload.Step{SQL: url, Query: "select * from t order by id",
			Expect: `rows == [{"id": 1, "name": "i-1", "at": 1.5, "ok": true, "doc": {"a": [1]}, "n": "2.50"}, {"id": 2, "name": null, "at": null, "ok": null, "doc": null, "n": null}]`,
			Record: []workload.Record{{Op: "read", Object: "t", Value: "rows.map(r, r.id)"}}},
		workload.Step{SQL: url, Query: "insert into t values (1)", Expect: `sqlstate == "23505"`})
	if op.Outcome != history.OK {
		t.Fatal(op.Error)
	}
	if model := rec.kind(history.Model); len(model) != 1 || !model[0].Output.Equal(history.List(history.Int(1), history.Int(2))) {
		t.Errorf("got %+v", model)
	}
	tests := []struct {
		url, query, message string
		want                history.Outcome
		timeout             time.Duration
	}{
		{url, "select 1/0", `expected sqlstate == "", got sqlstate "22012"`, history.Failed, time.Minute},
		{url, "select pg_sleep(100)", "no answer within 1s", history.Maybe, time.Second},
		{url, "select repeat('x', 1000) from generate_series(1, 10000)", "the rows are larger than 4194304 bytes", history.Maybe, time.Minute},
		{"postgres://app@" + closedPort(t) + "/x", "select 1", "refused", history.Failed, time.Minute},
	}
	for _, test := range tests {
		op, _ := one(t, workload.Options{}, workload.Step{SQL: test.url, Query: test.query, Timeout: test.timeout, Expect: `sqlstate == ""`})
		if op.Outcome != test.want || !strings.Contains(op.Error, test.message) {
			t.Errorf("%s: got %v %s, want %v %s", test.query, op.Outcome, op.Error, test.want, test.message)
		}
	}
	resolve := func(string, int) string { return address }
	op, _ = one(t, workload.Options{Resolve: resolver(resolve)}, workload.Step{SQL: "postgres://app@db:5432/postgres?sslmode=disable", Query: "select 1 as one", Expect: "rows[0].one == 1"})
	if op.Outcome != history.OK {
		t.Error(fmt.Errorf("through Resolve: %s", op.Error))
	}
}
