package hold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/internal/ledger"
)

// A Report is what a recovery found and undid.
type Report struct {
	Swept []Swept // one for each environment whose holder was dead
}

// Clean says that nothing is left.
func (r Report) Clean() bool { return r.ExitCode() == 0 }

// ExitCode is 0 when nothing is left and 4 when something could not be undone.
func (r Report) ExitCode() int {
	for _, s := range r.Swept {
		if len(s.Problems) > 0 {
			return 4
		}
	}
	return 0
}

// Lines returns the report for people, one line for each thing done or left. No line means that nothing was found.
func (r Report) Lines() []string {
	var lines []string
	for _, s := range r.Swept {
		line := fmt.Sprintf("recovered %s: killed %d processes in %v", s.ID, s.Killed, s.Took.Round(time.Millisecond))
		if len(s.Problems) > 0 {
			line = fmt.Sprintf("could not recover %s: killed %d processes", s.ID, s.Killed)
		}
		lines = append(lines, line)
		for _, path := range s.Removed {
			lines = append(lines, fmt.Sprintf("  removed %s", path))
		}
		for _, problem := range s.Problems {
			lines = append(lines, "  still there: "+problem)
		}
	}
	return lines
}

// Recover undoes what is left of every environment of this user whose holder is
// dead. Environments whose holder lives are left alone: a holder without its controller ends by itself.
// What cannot be undone is in the report; the error is about the state directory itself.
func Recover(ctx context.Context) (Report, error) {
	state, err := ledger.State()
	if err != nil {
		return Report{}, err
	}
	return RecoverIn(ctx, state)
}

// RecoverIn is Recover for another state directory.
func RecoverIn(ctx context.Context, state string) (Report, error) {
	var report Report
	dirs, errs := ledger.Free(state)
	for _, dir := range dirs {
		swept, found, err := recoverDir(ctx, dir, state)
		errs = errors.Join(errs, err)
		if found {
			report.Swept = append(report.Swept, swept)
		}
	}
	return report, errs
}

// recoverDir sweeps one environment, unless someone else owns it by now or it is gone.
func recoverDir(ctx context.Context, dir, state string) (s Swept, found bool, err error) {
	log, err := ledger.Adopt(dir)
	if errors.Is(err, ledger.ErrHeld) || errors.Is(err, fs.ErrNotExist) {
		return Swept{}, false, nil
	}
	if err != nil {
		return killOnly(ctx, dir, err), true, nil
	}
	defer log.Close()
	return sweep(ctx, log, state), true, nil
}

// killOnly ends the processes of an environment whose ledger cannot be read; its
// files stay, as nobody knows which they are.
func killOnly(ctx context.Context, dir string, cause error) Swept {
	began := time.Now()
	s := Swept{ID: filepath.Base(dir), Dir: dir}
	s.kill(ctx)
	s.problem("the ledger cannot be read: %v; remove what it names, then the folder %s", cause, dir)
	s.Took = time.Since(began)
	return s
}
