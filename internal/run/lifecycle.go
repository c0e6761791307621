package run

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
)

// up starts project's system as the session's environment.
func (s *Session) up(ctx context.Context, project *spec.Project) error {
	logs, err := s.run.LogDir()
	if err != nil {
		return err
	}
	env, err := hold.Start(ctx, project.System, hold.Options{LogDir: logs, Progress: func(line string) { s.say("start", line) }})
	if err != nil {
		return err
	}
	s.env = env
	s.lap("started")
	s.used = false
	if err := s.setup(ctx); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	return nil
}

func (s *Session) setup(ctx context.Context) error {
	if err := s.setupSteps(ctx); err != nil {
		return err
	}
	if restorer, ok := s.env.(system.Restorer); ok && s.project.Restore == spec.RestoreCopy && len(s.project.Setup) > 0 {
		if err := restorer.Checkpoint(ctx); err != nil {
			return err
		}
	}
	snapshotter, ok := s.env.(system.Snapshotter)
	if !ok {
		return nil
	}
	var err error
	s.base, err = snapshotter.Snapshot(ctx)
	return err
}

func (s *Session) setupSteps(ctx context.Context) error {
	if len(s.project.Setup) == 0 {
		return nil
	}
	s.say("setup", fmt.Sprintf("%d setup steps", len(s.project.Setup)))
	return runSetup(ctx, s.env, s.project)
}

// restore brings the system back to its state after the setup, and verifies that it is.
func (s *Session) restore(ctx context.Context) error {
	restorer, ok := s.env.(system.Restorer)
	if !ok {
		return &system.UnsupportedError{Target: "the environment", Power: "Restorer"}
	}
	s.say("restore", "restoring the system")
	if err := restorer.Restore(ctx); err != nil {
		return fmt.Errorf("restore between experiments: %w", err)
	}
	if s.project.Restore == spec.RestoreRerun {
		if err := s.setupSteps(ctx); err != nil {
			return fmt.Errorf("setup after the restore: %w", err)
		}
	}
	now, err := s.env.(system.Snapshotter).Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("verify the restored system: %w", err)
	}
	if diff := s.base.Diff(now); len(diff) > 0 {
		return fmt.Errorf("the restored system differs from the fresh one: %v", diff)
	}
	return nil
}

// teardown closes the environment with a deadline of its own.
func (s *Session) teardown(ctx context.Context) error {
	if s.env == nil {
		return nil
	}
	s.say("teardown", "stopping the system")
	begin := system.Monotonic()
	err := Down(ctx, s.env)
	s.env = nil
	s.report.Timings = append(s.report.Timings, Lap{Name: "teardown", Took: system.Monotonic() - begin})
	return err
}
