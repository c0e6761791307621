// Command sim measures simulations:
//
//	go run ./bench/sim overhead          # what the overlay costs, in a bubble and outside
//	go run ./bench/sim identity          # two runs of one seed are one run
//	go run ./bench/sim speed             # simulated seconds a second, seeds a second, the first run and the next
//	RETRY_DEFECT=reuse go run ./bench/sim shrink -n 12 examples/sim/retry     # how few decisions are left of failures
//
// Test binaries are built with the overlay and without, and take turns in one run; ratios are medians of the rounds' ratios. Time
// is processor time of the processes themselves, so that a busy machine changes less.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/internal/overlay"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		stop()
		os.Exit(4)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("what is to be measured: overhead, identity, speed or shrink")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	b := bench{ctx: ctx, goCommand: flags.String("go", "go", "go command"), flags: flags.String("flags", "", "more flags of go test -c, as -race")}
	work, err := os.MkdirTemp("", "bench-sim-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b.work = work
	switch args[0] {
	case "overhead":
		return overhead(&b, flags, args[1:])
	case "identity":
		return identity(&b, flags, args[1:])
	case "speed":
		return speed(&b, flags, args[1:])
	case "shrink":
		return shrink(&b, flags, args[1:])
	}
	return fmt.Errorf("nothing is called %q: overhead, identity, speed or shrink", args[0])
}

// A bench builds test binaries.
type bench struct {
	ctx       context.Context
	goCommand *string
	flags     *string
	work      string
}

// build builds the tests of a package in dir, with the overlay or without.
func (b *bench) build(name, dir, pkg string, overlaid bool) (file string, err error) {
	file = filepath.Join(b.work, name)
	args := append([]string{"test", "-c", "-o", file}, strings.Fields(*b.flags)...)
	command, env := *b.goCommand, []string(nil)
	if overlaid {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(cache, "assay", "sim")
		tc, err := overlay.Find(b.ctx, command, dir, cache)
		if err != nil {
			return "", err
		}
		o, err := overlay.Make(tc, cache, overlay.Groups()...)
		if err != nil {
			return "", err
		}
		command, env = tc.Command, tc.Env
		atomics, err := tc.Atomics("")
		if err != nil {
			return "", err
		}
		args = append(append(args, "-overlay="+o.File, "-tags="+overlay.Tag), atomics...)
	}
	cmd := exec.CommandContext(b.ctx, command, append(args, pkg)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	fmt.Fprintln(os.Stderr, "building", pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", pkg, err, out)
	}
	return file, nil
}
