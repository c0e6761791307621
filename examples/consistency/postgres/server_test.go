package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// run starts a Postgres in a folder, and ends it with its standard input: so it ends with this process, whatever ends that. A line on
// its standard input ends it too, and keeps the folder.
// Deadlocks are what the clients make on purpose, so they are looked for after 20 ms and not after a second. What is not
// written at once is written after 10 s.
const run = `postgres=$1 folder=$2
"$postgres" -D "$folder/data" -F -c listen_addresses= -c unix_socket_directories="$folder" -c max_connections=50 -c deadlock_timeout=20ms -c wal_writer_delay=10s >"$folder/log" 2>&1 &
read -r keep
kill -INT $!
wait $!
[ -n "$keep" ] || rm -rf "$folder"`

// A server is a Postgres of this test's own, on a socket in a temporary folder.
type server struct {
	bin, folder, url string
	who              *syscall.SysProcAttr
	process          *exec.Cmd
	stdin            io.WriteCloser
}

// start runs a Postgres.
func start(t *testing.T) *server {
	t.Helper()
	bin := find(t)
	folder, err := os.MkdirTemp("", "postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	s := &server{bin: bin, folder: folder, url: fmt.Sprintf("host=%s user=postgres dbname=postgres", folder), who: account(t, folder)}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(folder, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = folder, s.who
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() { s.stdin.Close(); s.process.Wait() })
	s.serve(t)
	return s
}

// serve starts the server's process, and waits until it answers. It is tried again while what is left of a process before stands in its way.
func (s *server) serve(t *testing.T) {
	t.Helper()
	var log []byte
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		s.process = exec.Command("sh", "-c", run, "sh", filepath.Join(s.bin, "postgres"), s.folder)
		s.process.Dir, s.process.SysProcAttr = s.folder, s.who
		var err error
		if s.stdin, err = s.process.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := s.process.Start(); err != nil {
			t.Fatal(err)
		}
		for refused := false; !refused && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			conn, err := pgx.Connect(t.Context(), s.url)
			if err == nil {
				conn.Close(t.Context())
				return
			}
			log, _ = os.ReadFile(filepath.Join(s.folder, "log"))
			refused = bytes.Contains(log, []byte("is still in use")) || bytes.Contains(log, []byte("lock file"))
		}
		s.end()
	}
	t.Fatalf("Postgres is not ready after 30 s\n%s", log)
}

// end ends the process, and keeps the folder.
func (s *server) end() {
	io.WriteString(s.stdin, "keep\n")
	s.stdin.Close()
	s.process.Wait()
}

// crash kills all processes of the server at once, and starts it again.
func (s *server) crash(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := conn.Query(t.Context(), `select pid from pg_stat_activity`)
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(s.folder, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(file), "\n")
	postmaster, err := strconv.Atoi(line)
	if err != nil || postmaster < 2 {
		t.Fatalf("postmaster.pid: %q: %v", line, err)
	}
	for _, pid := range append([]int{postmaster}, pids...) { // the first one would write what the others did not
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatalf("kill %d: %v", pid, err)
		}
	}
	conn.Close(t.Context())
	s.end()
	s.serve(t)
}

// find returns the newest installed Postgres' folder of programs.
func find(t *testing.T) string {
	t.Helper()
	places, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		places = append(places, path)
	}
	if len(places) == 0 {
		t.Skip("Postgres is not installed: no initdb in PATH, and none in /usr/lib/postgresql/*/bin (apt install postgresql)")
	}
	slices.Sort(places)
	return filepath.Dir(places[len(places)-1])
}

// account is who runs Postgres: whoever runs the test, but for root, whom it refuses, the user "postgres".
func account(t *testing.T, folder string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Skipf("Postgres does not run as root, and there is no user to run it as: %v", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}
