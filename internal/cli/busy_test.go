package cli

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// busyLoad is how many programs for each processor want to run, over the last minute, on a machine that does much else besides these tests.
// They make two at most.
const busyLoad = 4

// skipBusy ends a test of a real system that did not come out as wanted, where the machine does much else: what then misses its limits is the
// machine. A wrong pass is never excused.
func skipBusy(t testing.TB, what string) {
	t.Helper()
	if load, busy := busyWith(os.ReadFile("/proc/loadavg")); busy {
		t.Skipf("%s, on a machine that is busy with other things: %.1f programs want to run on %d processors", what, load, runtime.GOMAXPROCS(0))
	}
}

// busyWith reads the load of the last minute. A machine that does not tell is not busy.
func busyWith(text []byte, err error) (load float64, busy bool) {
	if err != nil {
		return 0, false
	}
	if _, err := fmt.Sscan(string(text), &load); err != nil {
		return 0, false
	}
	return load, load >= busyLoad*float64(runtime.GOMAXPROCS(0))
}

func TestBusyWith(t *testing.T) {
	t.Parallel()
	processors := runtime.GOMAXPROCS(0)
	for _, tt := range []struct {
		text string
		err  error
		want bool
	}{
		{"0.50 9.00 9.00 1/2 3\n", nil, false},
		{fmt.Sprintf("%d.90 0.00 0.00 1/2 3\n", busyLoad*processors-1), nil, false},
		{fmt.Sprintf("%d.10 0.00 0.00 1/2 3\n", busyLoad*processors), nil, true},
		{"", nil, false},
		{"999", os.ErrNotExist, false},
	} {
		if _, got := busyWith([]byte(tt.text), tt.err); got != tt.want {
			t.Errorf("%q, %v: got %t, want %t", tt.text, tt.err, got, tt.want)
		}
	}
}
