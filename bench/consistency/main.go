// Command consistency measures the engines of linearizability against Porcupine, in one run:
//
//	go run ./bench/consistency
//	go run ./bench/consistency -models queue,mutex -sizes 1000,10000 -clients 5,100 -timeout 5s
//
// Clients are never idle, so that as many operations overlap, all the time, as there are clients. Each history is checked as it was
// made, which is right, and with one operation made wrong after three quarters. Ours has a budget of steps, Porcupine a time. Figures
// are processor time, so that other work on the machine matters less, and medians of the rounds, in which the two take turns; what Porcupine does not decide it is given once only. Verdicts that differ
// are an error. It prints a Markdown table, or with --json every figure.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A subject is a model as both know it, and what makes its histories.
type subject struct {
	name  string
	ours  linear.Model
	peer  porcupine.Model
	world func() world
}

func subjects() []subject {
	return []subject{
		{"register, unique values", linear.Register(), peerRegister(), func() world { return &register{} }},
		{"register, 5 values", linear.Register(), peerRegister(), func() world { return &register{values: 5} }},
		{"cas-register, 5 values", linear.CASRegister(), peerRegister(), func() world { return &register{values: 5, cas: true} }},
		{"kv, 10 keys", linear.KV(), peerKV(), func() world { return &register{keys: 10, values: 5, texts: true} }},
		{"queue", linear.Queue(), peerQueue(), func() world { return &queue{} }},
		{"set, unique elements", linear.Set(), peerElement(), func() world { return &set{} }},
		{"set, 20 elements", linear.Set(), peerElement(), func() world { return &set{elements: 20} }},
		{"set, 20 elements, read whole", linear.Set(), peerSet(), func() world { return &set{elements: 20, whole: true} }},
		{"mutex", linear.Mutex(), peerMutex(), func() world { return &mutex{} }},
		{"counter", linear.Counter(), peerCounter(), func() world { return &counter{} }},
		{"log", linear.Log(), peerLog(), func() world { return &log{} }},
		{"lease", linear.Lease(), peerLease(), func() world { return &lease{} }},
	}
}

type bench struct {
	models         []string
	sizes, clients []int
	rounds         int
	timeout        time.Duration
	budget         int64
}

func main() {
	b := bench{}
	models := flag.String("models", "", "models to measure, by the beginning of their names, separated by commas (default all)")
	sizes := flag.String("sizes", "100,1000,10000,100000,1000000", "operations in a history")
	clients := flag.String("clients", "5,20,50,100", "clients, and so operations that overlap")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds of each measurement")
	flag.DurationVar(&b.timeout, "timeout", 2*time.Second, "what Porcupine may take for a history")
	flag.Int64Var(&b.budget, "budget", 5_000_000, "steps that ours may take for a part")
	asJSON := flag.Bool("json", false, "print every figure as JSON")
	flag.Parse()
	var err error
	if b.sizes, err = integers(*sizes); err == nil {
		b.clients, err = integers(*clients)
	}
	if err != nil || b.rounds < 1 || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "consistency: %v; see --help\n", err)
		os.Exit(2)
	}
	if *models != "" {
		b.models = strings.Split(*models, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	all := b.measure(ctx)
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(all)
	} else {
		table(os.Stdout, b, all)
	}
	if slices.ContainsFunc(all, func(f figure) bool { return f.Differ }) {
		os.Exit(1)
	}
}

func integers(text string) ([]int, error) {
	var all []int
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no list of numbers", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// A figure is what came of one history.
type figure struct {
	Model               string
	Operations, Clients int
	Spoiled             bool
	Ours, Peer          string // verdicts
	OursMS, PeerMS      float64
	Ratio               float64 // ours to Porcupine's, medians; 0 where Porcupine decided nothing
	Steps               int64
	Good                int // operations known to have an order, where ours is undecided
	Differ              bool
}

func (b bench) measure(ctx context.Context) []figure {
	var all []figure
	for _, s := range subjects() {
		if b.models != nil && !slices.ContainsFunc(b.models, func(name string) bool { return strings.HasPrefix(s.name, name) }) {
			continue
		}
		for _, n := range b.sizes {
			for _, clients := range b.clients {
				ops := generate(s.world(), uint64(n+clients), n, clients)
				for _, spoiled := range []bool{false, true} {
					if spoiled {
						ops = spoil(s.ours.String(), ops)
					}
					f := b.one(ctx, s, ops)
					f.Clients, f.Spoiled = clients, spoiled
					all = append(all, f)
					fmt.Fprintf(os.Stderr, "%-30s %7d ops %3d clients spoiled %-5v ours %-7s %9.2f ms %9d steps, Porcupine %-7s %9.2f ms\n", f.Model, n, clients, spoiled, f.Ours, f.OursMS, f.Steps, f.Peer, f.PeerMS)
					if ctx.Err() != nil {
						return all
					}
				}
			}
		}
	}
	return all
}

// one measures a history.
func (b bench) one(ctx context.Context, s subject, ops []history.Op) figure {
	f := figure{Model: s.name, Operations: len(ops)}
	theirs := forPeer(ops)
	var ours, peer []float64
	for range b.rounds {
		runtime.GC()
		start := cpu()
		res := linear.Check(ctx, s.ours, ops, linear.Options{Budget: b.budget, WholeCore: true})
		ours = append(ours, ms(start))
		f.Ours, f.Steps, f.Good = res.Verdict.String(), res.Steps, res.Good
		if f.Peer == verdict.Unknown.String() {
			continue
		}
		runtime.GC()
		start = cpu()
		found := porcupine.CheckOperationsTimeout(s.peer, theirs, b.timeout)
		peer = append(peer, ms(start))
		f.Peer = map[porcupine.CheckResult]verdict.Verdict{porcupine.Ok: verdict.Pass, porcupine.Illegal: verdict.Fail}[found].String()
	}
	f.OursMS, f.PeerMS = median(ours), median(peer)
	if f.Peer != verdict.Unknown.String() {
		f.Ratio = f.OursMS / f.PeerMS
		f.Differ = f.Ours != f.Peer && f.Ours != verdict.Unknown.String()
	}
	return f
}

func ms(start time.Duration) float64 { return float64((cpu() - start).Microseconds()) / 1000 }

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
