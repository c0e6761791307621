// Command link measures the data plane of links against Toxiproxy and against a
// plain proxy that copies through a buffer of 64 KiB, in one run:
//
//	go run ./bench/link
//	go run ./bench/link -only cpu,trips -rounds 7
//
// It builds Toxiproxy itself, at the version that the figures name. Each proxy is a process of
// its own, whose processor time the kernel counts; who sends, receives and echoes is this process. All proxies
// take turns within each round, and a ratio is the median of those of the rounds, so that a machine that is busy
// with other work slows all of them. It prints a Markdown table, or with --json everything, and how busy the machine was.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// A part is a group of figures.
type part struct {
	name    string
	what    string
	measure func(*bench) error
}

func parts() []part {
	return []part{
		{"start", "from the start of a process to the first answer through it", starts},
		{"cpu", "processor time for each GB without a fault, raw and HTTP/1.1", idleCPU},
		{"chain", "processor time for each GB through three faults", chainCPU},
		{"trips", "round trips of 256 bytes", trips},
		{"delay", "how late a delay of 5 ms is", delay},
		{"throttle", "rates that a throttle was asked for", throttle},
		{"arm", "arming and healing with 500 live connections", arm},
		{"ends", "resets, and echoes after a half-close", ends},
		{"held", "5,000 connections held", held},
		{"requests", "requests per second, HTTP/1.1 and HTTP/2", requests},
	}
}

func main() {
	as := flag.String("as", "", "be a proxy: ours or plain (for this program's own use)")
	to := flag.String("to", "", "with -as: the address behind the proxy")
	only := flag.String("only", "", "parts to measure, separated by commas (default all):\n"+list())
	rounds := flag.Int("rounds", 5, "rounds of each measurement")
	profile := flag.String("profile", "", "directory for processor profiles of our proxy")
	asJSON := flag.Bool("json", false, "print everything as JSON")
	flag.Parse()
	if *as != "" {
		exit(be(*as, *to, *profile))
	}
	b := &bench{rounds: *rounds, profile: *profile}
	chosen, err := choose(*only)
	if err != nil || *rounds < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "link:", errors.Join(err, errors.New("usage: go run ./bench/link [flags]; see -h")))
		os.Exit(2)
	}
	exit(b.run(chosen, *asJSON))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "link:", err)
		os.Exit(4)
	}
	os.Exit(0)
}

func list() string {
	var lines []string
	for _, p := range parts() {
		lines = append(lines, fmt.Sprintf("  %-9s %s", p.name, p.what))
	}
	return strings.Join(lines, "\n")
}

func choose(only string) ([]part, error) {
	if only == "" {
		return parts(), nil
	}
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(parts(), func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only: no part is called %q:\n%s", name, list())
		}
		chosen = append(chosen, parts()[i])
	}
	return chosen, nil
}

// A bench is one run of this program.
type bench struct {
	rounds    int
	profile   string
	toxiproxy string // its binary, "" where there is none
	proxies   []*proxy
	result    result
}

// run measures the parts, and prints what was measured also where a part fails or is interrupted.
func (b *bench) run(chosen []part, asJSON bool) error {
	raiseFiles()
	dir, err := os.MkdirTemp("", "assay-bench-link-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if b.toxiproxy, err = buildToxiproxy(dir); err != nil {
		b.note("Toxiproxy was not measured: %v", err)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stopped
		os.RemoveAll(dir)
		os.Exit(130) // our proxies end with their standard input, Toxiproxy with us
	}()
	before := machineNow()
	var errs []error
	for _, p := range chosen {
		fmt.Fprintf(os.Stderr, "%s: %s\n", p.name, p.what)
		if err := p.measure(b); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		b.stopAll()
	}
	b.result.Machine = before.until(machineNow())
	if asJSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return errors.Join(append(errs, out.Encode(b.result))...)
	}
	fmt.Print(b.result.markdown())
	return errors.Join(errs...)
}

func (b *bench) note(format string, args ...any) {
	b.result.Notes = append(b.result.Notes, fmt.Sprintf(format, args...))
}
