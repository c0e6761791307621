package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
)

// faultFlags are the flags of "assay fault".
type faultFlags struct {
	env    string
	lasts  time.Duration
	seed   uint64
	seeded bool
}

func (a *app) faultCommand() *cobra.Command {
	var flags faultFlags
	cmd := &cobra.Command{
		Use:   "fault FAULT",
		Short: "Break a running system by hand: inject a fault, watch its effect, heal it",
		Long: `Inject a fault into an environment that runs (assay up, or a run under way), say which
targets it hits and what is observed of it, and heal it: after --for, at Ctrl-C, and when this
process dies, even by kill -9. FAULT is written as in experiments; docs/faults.md lists them.

A fault put into a run from outside is in no plan: the run's links show effects that its own
faults do not explain, and so it is unknown.

Exit code 0: the effect was observed. 3: it was not. 130: Ctrl-C before the end of --for.

` + exitCodes,
		Example: `  assay fault 'delay(api -> pricing, 200ms±50ms, p=0.3)' --for 30s
  assay fault 'abort(api -> pricing, 503, path="/pay*", nth=2)'
  assay fault 'kill(orders-1)' --env shop-1f0c22aa --for 5s
  assay fault list
  assay fault profiles`,
		Args: someFault,
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.seeded = cmd.Flags().Changed("seed")
			return a.fault(cmd.Context(), args[0], flags)
		},
	}
	cmd.Flags().DurationVar(&flags.lasts, "for", 0, "heal after so long (default: at Ctrl-C)")
	cmd.Flags().Uint64Var(&flags.seed, "seed", 1, "decides targets and every random choice (default: the system's)")
	cmd.Flags().StringVar(&flags.env, "env", "", "environment to break, by id (default: the only one that runs)")
	cmd.AddCommand(a.faultListCommand(), a.faultProfilesCommand())
	return cmd
}

// someFault wants one argument. Shells split a fault that is not quoted.
func someFault(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usageError(cmd, errors.New("what fault? Such as 'delay(api -> pricing, 200ms)'"))
	case len(args) > 1:
		return usageError(cmd, fmt.Errorf("one fault is one argument, and here are %d: put it in quotes", len(args)))
	}
	return nil
}

// running returns the environment that is meant: the one called id, or the only one.
func running(id string) (hold.Info, error) {
	all, err := hold.Environments()
	if err != nil {
		return hold.Info{}, err
	}
	var ids []string
	for _, info := range all {
		if info.ID == id || id == "" && len(all) == 1 {
			if info.Socket == "" {
				return info, &run.UsageError{Msg: fmt.Sprintf("environment %s is still starting", info.ID)}
			}
			return info, nil
		}
		ids = append(ids, info.ID)
	}
	switch {
	case len(all) == 0:
		return hold.Info{}, &run.UsageError{Msg: "no environment runs: start one with assay up"}
	case id == "":
		return hold.Info{}, &run.UsageError{Msg: "several environments run, choose one with --env: " + strings.Join(ids, ", ")}
	}
	return hold.Info{}, &run.UsageError{Msg: fmt.Sprintf("no environment %q runs (there are: %s)", id, strings.Join(ids, ", "))}
}

// attach connects to the environment that is meant.
func attach(ctx context.Context, id string) (*hold.Env, error) {
	info, err := running(id)
	if err != nil {
		return nil, err
	}
	return hold.Attach(ctx, info.Socket)
}

func (a *app) fault(ctx context.Context, text string, flags faultFlags) error {
	f, err := fault.Parse(text)
	if err != nil {
		return &run.UsageError{Msg: misread(text, err)}
	}
	if flags.lasts < 0 {
		return &run.UsageError{Msg: "--for is a duration above zero"}
	}
	env, err := attach(ctx, flags.env)
	if err != nil {
		return err
	}
	defer env.Close(context.WithoutCancel(ctx))
	if err := impossible(f.Check(env.System(), env)); err != nil {
		return err
	}
	b := &breaking{app: a, env: env, fault: f, story: newStory(a.err), seen: map[string]bool{}}
	b.opts = fault.Options{Seed: env.System().Seed, ID: "by hand/" + rand.Text()[:8]}
	if flags.seeded {
		b.opts.Seed = flags.seed
	}
	return b.run(ctx, flags.lasts)
}

// misread points at what is wrong with a fault's text.
func misread(text string, err error) string {
	var wrong *fault.ParseError
	if !errors.As(err, &wrong) {
		return err.Error()
	}
	return fmt.Sprintf("%s\n%s^ %v", text, strings.Repeat(" ", wrong.Col-1), err)
}

// impossible makes an error of usage of what a system does not have or an environment cannot do.
func impossible(err error) error {
	var target *fault.TargetError
	var power *system.UnsupportedError
	if errors.As(err, &target) || errors.As(err, &power) {
		return &run.UsageError{Msg: err.Error()}
	}
	return err
}

// breaking is one fault that is injected by hand.
type breaking struct {
	app   *app
	env   *hold.Env
	fault fault.Fault
	opts  fault.Options
	story *story
	seen  map[string]bool
}

// A broken is what became of a fault.
type broken struct {
	Env      string         `json:"env"`
	Fault    string         `json:"fault"`
	ID       string         `json:"id"`
	Seed     uint64         `json:"seed"`
	Targets  []string       `json:"targets"`
	Effects  []fault.Effect `json:"effects"`
	Observed bool           `json:"observed"`
	Lasted   float64        `json:"lasted_s"`
	Healed   bool           `json:"healed"`
	Error    string         `json:"error,omitempty"`
	Exit     int            `json:"exit"`
}

// watchEvery is how often the effect is asked for.
const watchEvery = 250 * time.Millisecond

func (b *breaking) run(ctx context.Context, lasts time.Duration) error {
	active, err := b.fault.Inject(ctx, b.env, b.opts)
	if err != nil {
		return err
	}
	begin := time.Now()
	b.story.line("fault", fmt.Sprintf("%s on %s", b.fault, strings.Join(active.Targets(), ", ")))
	interrupted := b.watch(ctx, active, lasts)
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	effects, effectErr := active.Effect(cleanup)
	result := broken{Env: b.env.Info().ID, Fault: b.fault.String(), ID: b.opts.ID, Seed: b.opts.Seed, Targets: active.Targets(), Effects: effects,
		Observed: fault.Observed(effects), Lasted: time.Since(begin).Round(time.Millisecond).Seconds()}
	healErr := active.Heal(cleanup)
	lost := b.env.Lost()
	result.Healed = healErr == nil || errors.Is(lost, hold.ErrTornDown) // a teardown heals
	if err = errors.Join(effectErr, healErr); lost != nil {
		err = lost
	}
	result.Exit = exitOfFault(result.Observed, interrupted, err)
	result.Error = errorText(err)
	b.app.printBroken(result)
	if result.Exit == run.ExitPass {
		return nil
	}
	return &exit{result.Exit}
}

func exitOfFault(observed, interrupted bool, err error) int {
	switch {
	case err != nil:
		return run.ExitBroken
	case interrupted:
		return run.ExitInterrupted
	case !observed:
		return run.ExitUnknown
	}
	return run.ExitPass
}

// watch tells of effects as they are observed, until the fault has lasted, or somebody ends it. Without a limit
// Ctrl-C is the way to end it, and no interruption.
func (b *breaking) watch(ctx context.Context, active fault.Active, lasts time.Duration) (interrupted bool) {
	var over <-chan time.Time
	if lasts > 0 {
		timer := time.NewTimer(lasts)
		defer timer.Stop()
		over = timer.C
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return false
		case <-ctx.Done():
			return lasts > 0
		case <-b.env.Done():
			return false
		case <-tick.C:
			b.look(ctx, active)
		}
	}
}

func (b *breaking) look(ctx context.Context, active fault.Active) {
	effects, err := active.Effect(ctx)
	if err != nil {
		return // the last look says it
	}
	for _, effect := range effects {
		if effect.Observed && !b.seen[effect.Target] {
			b.seen[effect.Target] = true
			b.story.line("observed", effect.Target+": "+effect.Text)
		}
	}
}

func (a *app) printBroken(b broken) {
	if a.json {
		a.printJSON(b)
		return
	}
	p := newPrinter(a.out)
	word, v, healed := "OBSERVED", verdict.Pass, "healed"
	if !b.Observed {
		word, v = "NOT OBSERVED", verdict.Unknown
	}
	if !b.Healed {
		healed = "NOT HEALED"
	}
	p.line(v, word, fmt.Sprintf("%s in %s for %.1f s, %s", b.Fault, b.Env, b.Lasted, healed), "  ")
	for _, effect := range b.Effects {
		state := "not observed"
		switch {
		case effect.Observed:
			state = "observed"
		case effect.Idle:
			state = "idle"
		}
		p.text("  ", "%s: %s: %s", effect.Target, state, effect.Text)
	}
	if b.Error != "" {
		fmt.Fprintln(a.err, b.Error)
	}
}
