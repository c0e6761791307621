package evidence

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// The environment variable that makes this test binary a writer to kill.
const writerOf = "ASSAY_TEST_EVIDENCE_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerOf); dir != "" {
		writeForever(dir)
	}
	if dir := os.Getenv(mergerOf); dir != "" {
		mergeForever(dir)
	}
	if dir := os.Getenv(constrained); dir != "" {
		fmt.Println(fillDisk(dir))
		os.Exit(0)
	}
	state, err := os.MkdirTemp("", "assay-evidence-")
	if err != nil {
		panic(err)
	}
	os.Setenv("ASSAY_STATE_DIR", state) // indexes of stores
	code := m.Run()
	os.RemoveAll(state)
	os.Exit(code)
}

// writeForever makes one run after another, and says what is stored for good.
func writeForever(dir string) {
	store, err := OpenStore(dir)
	for err == nil {
		err = writeRun(store)
	}
	fmt.Println("error:", err)
	os.Exit(1)
}

func writeRun(store *Store) error {
	run, err := store.Create(Meta{Seed: 7})
	if err != nil {
		return err
	}
	fmt.Println("created", run.ID())
	for i := range 3 {
		name := fmt.Sprintf("files/%d.txt", i)
		if err := run.WriteFile(name, []byte(strings.Repeat(name, 1000))); err != nil {
			return err
		}
		fmt.Println("stored", run.ID(), name)
	}
	if err := writeOps(run); err != nil {
		return err
	}
	if err := run.Seal(End{Verdict: verdict.Pass}); err != nil {
		return err
	}
	fmt.Println("sealed", run.ID())
	return nil
}

func writeOps(run *Run) error {
	file, err := run.CreateFile("x/slow/ops.jsonl")
	if err != nil {
		return err
	}
	defer file.Close()
	w := history.NewWriter[history.Op](file)
	for id := range 2000 {
		if err := w.Write(history.Op{ID: uint64(id) + 1, Name: "checkout"}); err != nil {
			return err
		}
	}
	return w.Flush()
}

// Whatever moment the writer is killed at, what it said was stored is there
// whole, sealed runs verify, and the last run is listed as cut short.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 8 {
		dir := filepath.Join(t.TempDir(), ".assay")
		told := killWriter(t, dir, 1+random.IntN(40), time.Duration(random.IntN(2000))*time.Microsecond)
		store, err := OpenStore(dir)
		must(t, err)
		checkStore(t, store, told)
		again := newRun(t, store)
		must(t, again.Seal(End{}))
	}
}

// killWriter starts a writer, kills it some microseconds after it has said so
// many lines, and returns the lines.
func killWriter(t *testing.T, dir string, after int, later time.Duration) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerOf+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var told []string
	scan := bufio.NewScanner(out)
	for scan.Scan() {
		if strings.HasPrefix(scan.Text(), "error:") {
			t.Errorf("the writer says %s", scan.Text())
		}
		if told = append(told, scan.Text()); len(told) == after {
			time.AfterFunc(later, func() { cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return told
}

func checkStore(t *testing.T, store *Store, told []string) {
	t.Helper()
	list, err := store.List()
	must(t, err)
	status := map[string]Status{}
	for i, sum := range list {
		status[sum.ID] = sum.Status
		if sum.Status == Corrupt || sum.Status == Running || sum.Status == CutShort && i > 0 {
			t.Errorf("run %d of %d is %s: %s", i, len(list), sum.Status, sum.Reason)
		}
		checkRun(t, store, sum)
	}
	for _, line := range told {
		word := strings.Fields(line)
		if word[0] == "created" && status[word[1]] == "" || word[0] == "sealed" && status[word[1]] != Complete {
			t.Errorf("the writer said %q, and the run is %q", line, status[word[1]])
		}
		if word[0] == "stored" {
			text, err := os.ReadFile(filepath.Join(store.runs(), word[1], word[2]))
			if err != nil || string(text) != strings.Repeat(word[2], 1000) {
				t.Errorf("the writer said %q, and there are %d bytes, %v", line, len(text), err)
			}
		}
	}
}

func checkRun(t *testing.T, store *Store, sum Summary) {
	t.Helper()
	run, err := store.Open(sum.ID)
	must(t, err)
	if err := run.Verify(); (err == nil) != (sum.Status == Complete) {
		t.Errorf("run %s is %s and verifies as %v", sum.ID, sum.Status, err)
	}
	ops, err := run.Ops("slow")
	if sum.Status == Complete && (err != nil || len(ops) != 2000) {
		t.Errorf("run %s has %d operations, %v", sum.ID, len(ops), err)
	}
	for i, op := range ops {
		if op.ID != uint64(i)+1 {
			t.Errorf("run %s: operation %d has id %d", sum.ID, i+1, op.ID)
		}
	}
}
