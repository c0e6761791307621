package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// run starts a Postgres in a folder, and ends it with its standard input: so it ends with this process, whatever ends that.
// Deadlocks are what the clients make on purpose, so they are looked for after 20 ms and not after a second.
const run = `postgres=$1 folder=$2
"$postgres" -D "$folder/data" -F -c listen_addresses= -c unix_socket_directories="$folder" -c max_connections=50 -c deadlock_timeout=20ms >"$folder/log" 2>&1 &
cat >/dev/null
kill -INT $!
wait $!
rm -rf "$folder"`

// start runs a Postgres of this test's own, on a socket in a temporary folder, and returns its URL.
func start(t *testing.T) string {
	t.Helper()
	bin := find(t)
	folder, err := os.MkdirTemp("", "postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	who := account(t, folder)
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(folder, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = folder, who
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := exec.Command("sh", "-c", run, "sh", filepath.Join(bin, "postgres"), folder)
	server.Dir, server.SysProcAttr = folder, who
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); server.Wait() })
	url := fmt.Sprintf("host=%s user=postgres dbname=postgres", folder)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(t.Context(), url)
		if err == nil {
			conn.Close(t.Context())
			return url
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(folder, "log"))
			t.Fatalf("Postgres is not ready after 30 s: %v\n%s", err, log)
		}
	}
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
