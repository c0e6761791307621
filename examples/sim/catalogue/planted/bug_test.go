package planted

import (
	"os"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// run runs one bug within a bubble. CATALOGUE_MENDED asks for the mended form, which must never fail.
func run(t *testing.T, struck func(mended bool) bool, complaint string) {
	t.Helper()
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		if struck(os.Getenv("CATALOGUE_MENDED") != "") {
			t.Error(complaint)
		}
	})
}

func TestLostUpdate(t *testing.T) { run(t, LostUpdate, "two deposits of 1, and the balance is not 2") }
func TestHiddenUpdate(t *testing.T) {
	run(t, HiddenUpdate, "two deposits of 1, and the balance is not 2")
}
func TestAtomicUpdate(t *testing.T) {
	run(t, AtomicUpdate, "two deposits of 1, and the balance is not 2")
}
func TestReopened(t *testing.T) {
	run(t, Reopened, "a user uses a session that is open and has no buffer")
}
func TestAnswerTimeout(t *testing.T) {
	run(t, AnswerTimeout, "a question got the answer to the one before")
}
func TestLateAck(t *testing.T) {
	run(t, LateAck, "a value is called written, and fewer than two of three hold it")
}
func TestSplitVote(t *testing.T) { run(t, SplitVote, "one term has two leaders") }

// TestLockOrder has a real timer: who waits for a mutex is not idle to testing/synctest, so the bubble's clock stands still.
func TestLockOrder(t *testing.T) {
	watchdog := time.AfterFunc(10*time.Second, func() { panic("the two transfers have not returned for 10 s") })
	defer watchdog.Stop()
	run(t, LockOrder, "money was made or lost")
}
