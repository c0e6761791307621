package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain is also the process that owns a ledger and is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LEDGER_TEST_OWNER"); dir != "" {
		log, err := Open(dir)
		if err == nil {
			_, err = log.Intend("dir", map[string]string{"path": "/x"})
		}
		if err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Stdout.WriteString("held\n")
		select {}
	}
	os.Exit(m.Run())
}

func mustOpen(t *testing.T, dir string) *Log {
	t.Helper()
	log, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func intend(t *testing.T, log *Log, verb string) int {
	t.Helper()
	seq, err := log.Intend(verb, map[string]string{"path": "/tmp/" + verb})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func verbs(entries []Entry) string {
	var names []string
	for _, e := range entries {
		names = append(names, e.Verb)
	}
	return strings.Join(names, " ")
}

func TestPendingSurvivesReopen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "envs", "e1")
	log := mustOpen(t, dir)
	intend(t, log, "a")
	b := intend(t, log, "b")
	if _, err := log.Append(Entry{Verb: "c", Before: json.RawMessage(`{"was":1}`), Verify: json.RawMessage(`"gone"`)}); err != nil {
		t.Fatal(err)
	}
	if err := log.Done(b); err != nil {
		t.Fatal(err)
	}
	if got := verbs(log.Pending()); got != "a c" {
		t.Fatalf("pending: got %q, want a c", got)
	}
	log.Close()
	again := mustOpen(t, dir)
	pending := again.Pending()
	if verbs(pending) != "a c" || string(pending[1].Before) != `{"was":1}` || string(pending[1].Verify) != `"gone"` {
		t.Fatalf("after reopening: got %+v", pending)
	}
	if seq := intend(t, again, "d"); seq != 4 {
		t.Fatalf("seq after reopening: got %d, want 4", seq)
	}
}

func TestIntendIsOnDiskBeforeItReturns(t *testing.T) {
	t.Parallel()
	log := mustOpen(t, t.TempDir())
	intend(t, log, "a")
	entries, err := Read(log.Dir())
	if err != nil || verbs(entries) != "a" || string(entries[0].Args) != `{"path":"/tmp/a"}` || entries[0].At.IsZero() {
		t.Fatalf("got %+v, %v", entries, err)
	}
}

func TestCutLastLine(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "whole")
	log := mustOpen(t, whole)
	intend(t, log, "a")
	intend(t, log, "b")
	log.Close()
	text, err := os.ReadFile(filepath.Join(whole, FileName))
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(text, '\n') + 1
	for cut := range text {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, FileName), text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := ""
		if cut >= first {
			want = "a "
		}
		log := mustOpen(t, dir)
		intend(t, log, "z")
		log.Close()
		entries, err := Read(dir)
		if err != nil || verbs(entries) != want+"z" {
			t.Fatalf("cut at byte %d: got %q, %v; want %q", cut, verbs(entries), err, want+"z")
		}
	}
}

func TestBadLines(t *testing.T) {
	t.Parallel()
	good := `{"seq":1,"verb":"a","at":"2026-01-01T00:00:00Z"}` + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"zeros at the end, as after power loss", good + "\x00\x00\x00", ""},
		{"a whole bad last line", good + "garbage\n", ""},
		{"damage in the middle", "garbage\n" + good, "ledger.jsonl:1: "},
		{"a seq left out", good + `{"seq":3,"verb":"b"}` + "\n" + good, "ledger.jsonl:2: entry 3 (undone 0) does not follow entry 1"},
		{"done of nothing", `{"undone":1}` + "\n" + good, "ledger.jsonl:1: entry 0 (undone 1) does not follow entry 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries, _, err := read(strings.NewReader(c.text))
			if c.want == "" && (err != nil || verbs(entries) != "a") {
				t.Fatalf("got %v, %v; want the first entry", entries, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestDoneOfNoEntry(t *testing.T) {
	t.Parallel()
	if err := mustOpen(t, t.TempDir()).Done(1); err == nil || err.Error() != "ledger: done 1: no such entry" {
		t.Fatalf("got %v", err)
	}
}

func TestIntendAfterClose(t *testing.T) {
	t.Parallel()
	log := mustOpen(t, t.TempDir())
	log.Close()
	if _, err := log.Intend("a", nil); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("got %v, want os.ErrClosed", err)
	}
}

func TestIntendOnFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no /dev/full here:", err)
	}
	log := mustOpen(t, t.TempDir())
	log.file.Close()
	log.file = full
	if _, err := log.Intend("a", nil); err == nil {
		t.Fatal("an intent that is not on disk was accepted")
	}
	if len(log.Pending()) != 0 {
		t.Fatalf("got %v, want nothing pending", log.Pending())
	}
}

func TestLockOfOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := mustOpen(t, dir)
	if _, err := Open(dir); !errors.Is(err, ErrHeld) {
		t.Fatalf("second open: got %v, want ErrHeld", err)
	}
	log.Close()
	mustOpen(t, dir)
}

func TestFreeAfterKill(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	dead, alive := Dir(state, "dead"), Dir(state, "alive")
	mustOpen(t, alive)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), "LEDGER_TEST_OWNER="+dead)
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); said != "held\n" {
		t.Fatalf("owner: %q, %v", said, err)
	}
	if free, err := Free(state); err != nil || len(free) != 0 {
		t.Fatalf("while both live: got %v, %v; want none", free, err)
	}
	owner.Process.Kill()
	owner.Wait()
	if free, err := Free(state); err != nil || !slices.Equal(free, []string{dead}) {
		t.Fatalf("after the kill: got %v, %v; want %s", free, err, dead)
	}
	log, err := Adopt(dead)
	if err != nil || verbs(log.Pending()) != "dir" {
		t.Fatalf("adopt: %v, %v", log, err)
	}
	if err := log.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := Adopt(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("adopt after remove: got %v, want fs.ErrNotExist", err)
	}
}

// A recovery may take a folder that is being made for a dead one and remove it: Open makes it again.
func TestOpenWhileOthersRecover(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			free, _ := Free(state)
			for _, dir := range free {
				if log, err := Adopt(dir); err == nil {
					log.Remove()
					log.Close()
				}
			}
		}
	}()
	for round := range 100 {
		log, err := Open(Dir(state, "e"))
		if errors.Is(err, ErrHeld) {
			continue // the recovery was looking at it
		}
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if _, err := log.Intend("a", nil); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if entries, err := Read(log.Dir()); err != nil || len(entries) != 1 {
			t.Fatalf("round %d: a held log was touched: %v, %v", round, entries, err)
		}
		if err := log.Remove(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	close(stop)
	<-stopped
}

func TestStateDirectory(t *testing.T) {
	t.Setenv("HOME", "/home/x")
	for _, c := range []struct{ assay, xdg, want string }{
		{"/a", "/x", "/a"},
		{"", "/x", "/x/assay"},
		{"", "relative", "/home/x/.local/state/assay"},
		{"", "", "/home/x/.local/state/assay"},
	} {
		t.Setenv("ASSAY_STATE_DIR", c.assay)
		t.Setenv("XDG_STATE_HOME", c.xdg)
		if got, err := State(); err != nil || got != c.want {
			t.Errorf("%+v: got %s, %v", c, got, err)
		}
	}
}

func TestNoStateDirectoryMeansNone(t *testing.T) {
	t.Parallel()
	if free, err := Free(filepath.Join(t.TempDir(), "none")); err != nil || free != nil {
		t.Fatalf("got %v, %v", free, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"seq":1,"verb":"a","args":{"p":1},"at":"2026-01-01T00:00:00Z"}` + "\n" + `{"undone":1}` + "\n"))
	f.Add([]byte(`{"seq":1,"verb":"a"}` + "\n" + `{"seq":2`))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, size, err := read(bytes.NewReader(text))
		if size > int64(len(text)) {
			t.Fatalf("%d bytes of %d", size, len(text))
		}
		// What was kept reads the same again.
		again, size2, err2 := read(bytes.NewReader(text[:size]))
		if err == nil && (err2 != nil || size2 != size || len(again) != len(entries)) {
			t.Fatalf("kept %d entries in %d bytes, then %d in %d, %v", len(entries), size, len(again), size2, err2)
		}
	})
}
