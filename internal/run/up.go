package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/workload"
)

// Up starts the system of a project and runs its setup, without an experiment and without evidence. The caller
// closes the environment. On an error nothing is left.
func Up(ctx context.Context, project *spec.Project, progress func(Progress)) (*hold.Env, error) {
	opts := Options{Progress: progress}
	env, err := hold.Start(ctx, project.System, hold.Options{Progress: func(line string) { opts.progress(Progress{Stage: "start", Text: line}) }})
	if err != nil {
		return nil, err
	}
	if len(project.Setup) > 0 {
		opts.progress(Progress{Stage: "setup", Text: fmt.Sprintf("%d setup steps", len(project.Setup))})
	}
	if err := runSetup(ctx, env, project); err != nil {
		return nil, errors.Join(fmt.Errorf("setup: %w", err), Down(ctx, env))
	}
	return env, nil
}

// Down closes an environment with a deadline of its own, whatever became of ctx.
func Down(ctx context.Context, env system.Env) error {
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return env.Close(cleanup)
}

// runSetup runs the setup steps of a project, if it has any.
func runSetup(ctx context.Context, env system.Env, project *spec.Project) error {
	if len(project.Setup) == 0 {
		return nil
	}
	driver, err := workload.New(experiment.ClientOptions(env, project.Seed))
	if err != nil {
		return err
	}
	return errors.Join(driver.RunSteps(ctx, "setup", project.Setup), driver.Close())
}
