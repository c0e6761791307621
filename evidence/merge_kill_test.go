package evidence

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The environment variable that makes this test binary merge and remove until it is killed.
const mergerOf = "ASSAY_TEST_EVIDENCE_MERGER"

// mergeForever fills the store below dir from the sources there, and empties it again.
func mergeForever(dir string) {
	store, err := OpenStore(filepath.Join(dir, "to"))
	for err == nil {
		fmt.Println("begin")
		sources := []string{filepath.Join(dir, "from.tgz"), filepath.Join(dir, "from")}
		if early := filepath.Join(dir, "early"); isDir(early) {
			_, err = store.Merge(context.Background(), early)
			fmt.Println("begin")
		}
		if err == nil {
			_, err = store.Merge(context.Background(), sources...)
		}
		if err == nil {
			_, err = store.Prune(context.Background(), Retention{MaxAge: 1, Force: true})
		}
	}
	fmt.Println("error:", err)
	os.Exit(1)
}

// Whatever moment a merge or a removal is killed at, the store holds whole runs only,
// and the next merge completes it and removes what was left.
func TestKilledWhileMerging(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var runs []madeRun
	for n := range 30 {
		runs = append(runs, smallRun(n).judged(2, "first"))
	}
	left := 0
	for range 20 {
		dir := t.TempDir()
		from := storeOf(t, runs...)
		must(t, os.Rename(from.Dir(), filepath.Join(dir, "from")))
		more := storeOf(t, runs[0].judged(2, "second"), smallRun(40))
		must(t, os.Rename(exportAll(t, more), filepath.Join(dir, "from.tgz")))
		killMerger(t, dir, 1+random.IntN(3), time.Duration(random.IntN(30_000))*time.Microsecond)
		if found, _ := filepath.Glob(filepath.Join(dir, "to", passing+"*")); len(found) > 0 {
			left++
		}
		store, err := OpenStore(filepath.Join(dir, "to"))
		must(t, err)
		onlyWhole(t, store)
		got, err := store.Merge(t.Context(), filepath.Join(dir, "from"), filepath.Join(dir, "from.tgz"))
		must(t, err)
		whole(t, store)
		if ids, _ := store.ids(); len(got.Refused) > 0 || len(ids) != 31 {
			t.Fatalf("%d runs, %s", len(ids), brief(got))
		}
	}
	t.Logf("%d of 20 kills left something on the way", left)
}

func onlyWhole(t *testing.T, store *Store) {
	t.Helper()
	list, err := store.List()
	must(t, err)
	for _, sum := range list {
		if sum.Status != Complete {
			t.Errorf("run %s is %s: %s", sum.ID, sum.Status, sum.Reason)
		}
		must(t, (&Run{dir: filepath.Join(store.runs(), sum.ID)}).Verify())
	}
}

func killMerger(t *testing.T, dir string, after int, later time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), mergerOf+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := 0
	for scan := bufio.NewScanner(out); scan.Scan(); {
		if scan.Text() != "begin" {
			t.Errorf("the merger says %s", scan.Text())
		}
		if lines++; lines == after {
			time.AfterFunc(later, func() { cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the merger ended by itself: %v", err)
	}
}

// Whatever moment a merge is killed at, a run that is here as an earlier copy stays that copy or is the whole run.
func TestKilledWhileReplacing(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var runs, copies []madeRun
	for n := range 12 {
		runs = append(runs, smallRun(n))
		copies = append(copies, smallRun(n).at(1+n%3, 3))
	}
	seen := map[Status]int{}
	for range 8 {
		dir := t.TempDir()
		must(t, os.Rename(storeOf(t, runs...).Dir(), filepath.Join(dir, "from")))
		must(t, os.Rename(exportAll(t, storeOf(t, runs[:6]...)), filepath.Join(dir, "from.tgz")))
		must(t, os.Rename(storeOf(t, copies...).Dir(), filepath.Join(dir, "early")))
		killMerger(t, dir, 2+2*random.IntN(2), time.Duration(random.IntN(40_000))*time.Microsecond)
		store, err := OpenStore(filepath.Join(dir, "to"))
		must(t, err)
		early, err := OpenStore(filepath.Join(dir, "early"))
		must(t, err)
		list, err := store.List()
		must(t, err)
		for _, sum := range list {
			seen[sum.Status]++
			if sum.Status == Complete {
				must(t, store.at(sum.ID).Verify())
			} else if got, want := textOf(t, store.at(sum.ID)), textOf(t, early.at(sum.ID)); sum.Status != CutShort || got != want {
				t.Errorf("run %s is %s, and has\n%s\nwant\n%s", sum.ID, sum.Status, got, want)
			}
		}
		got, err := store.Merge(t.Context(), filepath.Join(dir, "from"))
		must(t, err)
		onlyWhole(t, store)
		if ids, _ := store.ids(); len(got.Refused) > 0 || len(ids) != 12 {
			t.Fatalf("%d runs, %s", len(ids), brief(got))
		}
	}
	t.Logf("after kills: %v", seen)
}

func textOf(t *testing.T, r *Run) string {
	t.Helper()
	found, err := contentOf(r.dir, nil)
	must(t, err)
	return found.digest()
}
