package toxiproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// serveVar makes this test binary serve an API, as the command does, with these options.
const serveVar = "ASSAY_TEST_PROXY_SERVE"

func TestMain(m *testing.M) {
	Main()
	if text := os.Getenv(serveVar); text != "" {
		os.Unsetenv(serveVar)
		os.Exit(serveForTest(text))
	}
	os.Exit(m.Run())
}

func serveForTest(text string) int {
	var opts Options
	if err := json.Unmarshal([]byte(text), &opts); err != nil {
		panic(err)
	}
	opts.Ready = func(api string, holder Info, attached bool) {
		fmt.Println(api, holder.PID, attached, len(holder.Problems))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Serve(ctx, opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 4
	}
	return 0
}

// A served is an API process.
type served struct {
	cmd      *exec.Cmd
	stderr   *strings.Builder
	api      *caller
	holder   int // the process id
	attached bool
	problems int
}

// serveIn starts an API process.
func serveIn(t *testing.T, place Place, more map[string]any) *served {
	t.Helper()
	opts := map[string]any{"Listen": "127.0.0.1:0", "Place": place, "Seed": 1}
	for k, v := range more {
		opts[k] = v
	}
	text, err := json.Marshal(opts)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{cmd: exec.Command(os.Args[0]), stderr: &strings.Builder{}}
	s.cmd.Env = append(os.Environ(), serveVar+"="+string(text))
	s.cmd.Stderr = s.stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		if _, err := Stop(context.Background(), place); err != nil {
			t.Error(err)
		}
	})
	var api string
	if _, err := fmt.Fscan(out, &api, &s.holder, &s.attached, &s.problems); err != nil {
		_ = s.cmd.Wait()
		t.Fatalf("no API: %v\n%s", err, s.stderr)
	}
	s.api = &caller{t, "http://" + api}
	return s
}

// kill ends the API process as kill -9 does.
func (s *served) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// newPlace returns a place of this test alone.
func newPlace(t *testing.T) Place {
	t.Helper()
	return Place{ID: "test", Dir: filepath.Join(t.TempDir(), "place")}
}
