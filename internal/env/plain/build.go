package plain

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// Build runs each distinct build line of sys once, one after the other, in the
// system's folder with the caller's environment, and makes the images that this machine does not have yet. A line that
// fails is an error that holds its output.
func Build(ctx context.Context, sys system.System, progress func(string)) error {
	spawn := newSpawner()
	defer spawn.close()
	done := map[string]bool{}
	for _, service := range sys.Services {
		if err := makeImage(ctx, spawn, service, progress); err != nil {
			return fmt.Errorf("make the first data folder of %s: %w", service.Name, err)
		}
		line := service.Process.Build
		if line == "" || done[line] {
			continue
		}
		done[line] = true
		began := time.Now()
		if err := buildOne(ctx, spawn, sys.Dir, line); err != nil {
			return fmt.Errorf("build %s: %w", service.Name, err)
		}
		if progress != nil {
			progress(fmt.Sprintf("%s built in %v", service.Name, time.Since(began).Round(time.Millisecond)))
		}
	}
	return nil
}

func buildOne(ctx context.Context, spawn *spawner, dir, line string) error {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.SysProcAttr = dir, procAttr()
	return runBuild(ctx, spawn, cmd, line)
}

// runBuild runs a command that is called line in errors, which show what it printed.
func runBuild(ctx context.Context, spawn *spawner, cmd *exec.Cmd, line string) error {
	var out limitedBuffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &out, time.Second
	if err := spawn.start(cmd); err != nil {
		return fmt.Errorf("%s (in %s): %w", line, cmd.Dir, err)
	}
	// The whole group is killed: a compiler would go on after its shell.
	stop := context.AfterFunc(ctx, func() { _ = killGroup(cmd.Process.Pid) })
	defer stop()
	err := cmd.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", line, context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("%s (in %s): %w\n  | %s", line, cmd.Dir, err, strings.ReplaceAll(strings.TrimSpace(out.String()), "\n", "\n  | "))
	}
	return nil
}
