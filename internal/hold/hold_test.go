package hold

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/system"
)

func TestEveryPowerCrossesTheSocket(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	sys := testSystem(t, "a", "b")
	env := mustStart(t, "fake", sys, testOptions(t))
	if !reflect.DeepEqual(env.System(), sys) {
		t.Errorf("system: got %+v, want %+v", env.System(), sys)
	}
	check := func(what string, got, want any, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v; want %v", what, got, err, want)
		}
	}
	addr, err := env.Addr(ctx, "client", "a", 80)
	check("addr", addr, "client.a:80", err)
	addr, err = env.Addr(ctx, "client", "a", 80) // from memory
	check("addr again", addr, "client.a:80", err)
	links := []system.Link{{From: "a-1", To: "b-1"}, {From: "b-1", To: "a-1"}}
	check("set rule", nil, nil, env.SetRule(ctx, "r1", links, system.Rule{Kind: system.Delay, Delay: time.Second}))
	snapshot, err := env.Snapshot(ctx)
	check("snapshot", snapshot, system.Snapshot{Rules: []string{"r1"},
		Instances: map[string]system.Standing{"a-1": {State: system.IsReady, Running: 1, Ports: []string{"127.0.0.1:1"}}}}, err)
	check("clear rule", nil, nil, env.ClearRule(ctx, "r1"))
	stats, err := env.LinkStats(ctx)
	want := system.LinkStats{Link: links[0], BytesIn: 1 << 40, Live: 3, Unedited: 2, Rules: []system.RuleStats{{ID: "slow/1", Matched: 5, Hit: 4}}}
	want.Residence[35] = 7
	check("link stats", stats, []system.LinkStats{want}, err)
	check("record", nil, nil, env.Record(ctx, "/r", 3*time.Second))
	check("stop recording", nil, nil, env.StopRecording(ctx))
	check("checkpoint", nil, nil, env.Checkpoint(ctx))
	check("restore", nil, nil, env.Restore(ctx))
	text, err := env.Rewrite(ctx, "a-1", "b:80")
	check("rewrite", text, "a-1:b:80", err)
	log, err := env.Log(ctx, "a-1", 7)
	check("log", log, []string{"a-1", "7"}, err)

	node := env.Nodes()[1].(*Node)
	check("instance", node.Instance(), system.Instance{Name: "b-1", Service: "b", Ordinal: 1, Owner: "team-b"}, nil)
	state, err := node.State(ctx)
	check("state", state, system.Unready, err)
	for _, do := range []func(context.Context) error{node.Kill, node.Start, node.Pause, node.Resume, node.Restart} {
		check("node", nil, nil, do(ctx))
	}
	wantJournal(t, sys, "addr client a 80", "set-rule r1 [a-1 -> b-1 b-1 -> a-1] delay 1s", "clear-rule r1", "record /r 3s",
		"stop-recording", "checkpoint", "restore", "kill b-1", "start b-1", "pause b-1", "resume b-1", "restart b-1")
}

func TestProbeKeepsTypes(t *testing.T) {
	t.Parallel()
	node := mustStart(t, "fake", testSystem(t, "a"), testOptions(t)).Nodes()[0].(system.Prober)
	for name, want := range answers {
		got, err := node.Probe(t.Context(), name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %T %v, %v; want %T %v", name, got, got, err, want, want)
		}
	}
	for name, want := range map[string]string{
		"nobody":  "probe nobody of a-1: no answer in 1s",
		"channel": "probe channel of a-1: no value can hold a chan int",
	} {
		if _, err := node.Probe(t.Context(), name); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	env := mustStart(t, "fake", testSystem(t, "a", "bare"), testOptions(t))
	bare := env.Nodes()[1].(*Node)
	wantUnsupported := func(err error, target, power string) {
		t.Helper()
		var u *system.UnsupportedError
		if !errors.As(err, &u) || *u != (system.UnsupportedError{Target: target, Power: power}) {
			t.Errorf("got %v, want that %s is no %s", err, target, power)
		}
	}
	wantUnsupported(bare.Kill(ctx), "bare-1", "Killer")
	wantUnsupported(bare.Pause(ctx), "bare-1", "Pauser")
	wantUnsupported(bare.Restart(ctx), "bare-1", "Restarter")
	_, err := bare.Probe(ctx, "role")
	wantUnsupported(err, "bare-1", "Prober")
	_, err = env.Nodes()[0].(*Node).Probe(ctx, "wrapped")
	wantUnsupported(err, "a-1", "Prober")
	if err.Error() != "probe wrapped: a-1 is no system.Prober in this environment" {
		t.Errorf("text: %v", err)
	}
	if _, err := env.Log(ctx, "gone-1", 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("log: got %v, want os.ErrNotExist", err)
	}

	poor := mustStart(t, "bare", testSystem(t, "a"), testOptions(t))
	wantUnsupported(poor.ClearRule(ctx, "x"), "shop", "Linker")
	wantUnsupported(poor.StopRecording(ctx), "shop", "Recorder")
	wantUnsupported(poor.Restore(ctx), "shop", "Restorer")
	_, err = poor.Snapshot(ctx)
	wantUnsupported(err, "shop", "Snapshotter")
	_, err = poor.Rewrite(ctx, "a-1", "x")
	wantUnsupported(err, "shop", "Rewriter")
	_, err = poor.Log(ctx, "a-1", 1)
	wantUnsupported(err, "shop", "Logger")
}

func TestCancelReachesTheHolder(t *testing.T) {
	t.Parallel()
	sys := testSystem(t, "a")
	node := mustStart(t, "fake", sys, testOptions(t)).Nodes()[0].(*Node)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		eventually(t, "the probe blocks", func() bool { return strings.Contains(journal(t, sys), "probe blocks") })
		cancel()
	}()
	if _, err := node.Probe(ctx, "block"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	wantJournal(t, sys, "probe blocks a-1", "probe canceled a-1")
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := node.Probe(ctx, "block"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	if err := node.Kill(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after its deadline: got %v", err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "fake", testSystem(t, "a"), testOptions(t))
	node := env.Nodes()[0].(*Node)
	ctx, cancel := context.WithCancel(t.Context())
	blocked := make(chan error)
	go func() {
		_, err := node.Probe(ctx, "block")
		blocked <- err
	}()
	errs := make(chan error)
	for range 50 {
		go func() {
			v, err := node.Probe(t.Context(), "int")
			if err == nil && v != int64(5) {
				err = errors.New("another call's answer")
			}
			errs <- err
		}()
	}
	for range 50 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	cancel()
	if err := <-blocked; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	sys := testSystem(t, "a", "child")
	opts := testOptions(t)
	var progress []string
	opts.Progress = func(line string) { progress = append(progress, line) }
	env := mustStart(t, "fake", sys, opts)
	if want := []string{fmt.Sprintf("process %d holds environment %s", env.Info().PID, env.Info().ID), "building shop", "a-1 is ready", "child-1 is ready"}; !reflect.DeepEqual(progress, want) {
		t.Errorf("progress: got %q, want %q", progress, want)
	}
	if len(leftovers(env.Info())) != 3 {
		t.Fatalf("while it runs: got %q, want a process, a folder and a socket", leftovers(env.Info()))
	}
	if err := env.SetRule(t.Context(), "r", nil, system.Rule{Kind: system.Cut}); err != nil {
		t.Fatal(err)
	}
	if err := env.Nodes()[0].(*Node).Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := env.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wantNothing(t, env.Info())
	wantJournal(t, sys, "set-rule r [] cut 0s", "pause a-1", "clear-rule r", "resume a-1", "close")
	if err := syscall.Kill(env.Info().PID, 0); err == nil {
		t.Error("the holder is still there")
	}
	if err := env.Close(t.Context()); err != nil {
		t.Errorf("second close: %v", err)
	}
	if _, err := env.Addr(t.Context(), "client", "a", 80); err == nil {
		t.Error("a call after close returned no error")
	}
}

func TestCloseReportsWhatTheEnvironmentSays(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "fake", testSystem(t, "broken-close"), testOptions(t))
	if err := env.Close(t.Context()); err == nil || err.Error() != "records could not be flushed" {
		t.Errorf("got %v", err)
	}
	wantNothing(t, env.Info())
}

func TestCloseWithEndedContext(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "fake", testSystem(t, "child"), testOptions(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := env.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	eventually(t, "the holder cleans up by itself", func() bool { return len(leftovers(env.Info())) == 0 })
}

func TestFailedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	for service, want := range map[string]string{
		"broken-build": "start environment e1: build broken-build: exit status 1",
		"broken-start": "start environment e1: broken-start-1 is not ready after 30s",
	} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			opts := testOptions(t)
			opts.ID = "e1"
			_, err := start(t.Context(), "fake", testSystem(t, "a", service, "child"), opts)
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			wantNothing(t, Info{ID: "e1", Dir: ledger.Dir(opts.StateDir, "e1")})
		})
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	t.Parallel()
	sys, opts := testSystem(t, "child", "slow-start"), testOptions(t)
	opts.ID = "cancelled-start"
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		eventually(t, "it starts", func() bool { return strings.Contains(journal(t, sys), "slow-start waits") })
		cancel()
	}()
	if _, err := start(ctx, "fake", sys, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	wantNothing(t, Info{ID: opts.ID, Dir: ledger.Dir(opts.StateDir, opts.ID)})
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"../x": `environment id "../x": want letters`,
		"a b":  `environment id "a b": want letters`,
	} {
		if _, err := Start(t.Context(), testSystem(t), Options{ID: id, StateDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := start(t.Context(), "lab", testSystem(t), testOptions(t)); err == nil || !strings.Contains(err.Error(), `there is no environment of kind "lab"`) {
		t.Errorf("got %v", err)
	}
}

func TestNewID(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"shop", "", "Über shop/€", strings.Repeat("x", 100)} {
		if id := newID(name); !idForm.MatchString(id) {
			t.Errorf("%q: %q", name, id)
		}
	}
}

func TestProgramWithoutMain(t *testing.T) {
	t.Setenv(holderVar, "x") // as in a holder whose main did not call Main
	if _, err := Start(t.Context(), testSystem(t), testOptions(t)); err == nil || !strings.Contains(err.Error(), "did not call hold.Main") {
		t.Errorf("got %v", err)
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	opts := testOptions(t)
	one := mustStart(t, "fake", testSystem(t, "child"), opts)
	two := mustStart(t, "fake", testSystem(t, "child"), opts)
	running, err := EnvironmentsIn(opts.StateDir)
	if err != nil || len(running) != 2 || running[0] != one.Info() || running[1] != two.Info() {
		t.Fatalf("environments: got %+v, %v; want both, the first first", running, err)
	}
	opts.ID = one.Info().ID
	if _, err := start(t.Context(), "fake", testSystem(t), opts); !errors.Is(err, ledger.ErrHeld) && !strings.Contains(err.Error(), ledger.ErrHeld.Error()) {
		t.Errorf("a second environment of the same id: got %v", err)
	}
	if err := one.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wantNothing(t, one.Info())
	if _, err := two.Snapshot(t.Context()); err != nil {
		t.Errorf("the other one: %v", err)
	}
	if len(leftovers(two.Info())) != 3 {
		t.Errorf("the other one has only %q", leftovers(two.Info()))
	}
}

func TestAttach(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	sys := testSystem(t, "a")
	owner := mustStart(t, "fake", sys, testOptions(t))
	guest, err := Attach(ctx, owner.Info().Socket)
	if err != nil {
		t.Fatal(err)
	}
	if guest.Info() != owner.Info() || !reflect.DeepEqual(guest.System(), sys) || len(guest.Nodes()) != 1 {
		t.Errorf("got %+v", guest.Info())
	}
	if err := guest.SetRule(ctx, "from-guest", nil, system.Rule{Kind: system.Refuse}); err != nil {
		t.Error(err)
	}
	if err := guest.client.call(ctx, "close", struct{}{}, nil); err == nil || err.Error() != "only the owner closes an environment" {
		t.Errorf("close by a guest: %v", err)
	}
	broken, err := owner.Broken(ctx)
	if err != nil || len(broken) != 1 || broken[0].ID != "from-guest" || broken[0].Fault != "refuse" || !broken[0].ByUser || broken[0].Since.IsZero() {
		t.Errorf("what is broken: %+v, %v", broken, err)
	}
	if err := guest.Close(ctx); err != nil {
		t.Error(err)
	}
	if _, err := guest.Snapshot(ctx); !errors.Is(err, errHungUp) {
		t.Errorf("after it hung up: %v", err)
	}
	eventually(t, "the guest's rule is cleared", func() bool {
		s, err := owner.Snapshot(ctx)
		broken, _ := owner.Broken(ctx)
		return err == nil && len(s.Rules) == 0 && len(broken) == 0
	})
	again, err := Attach(ctx, owner.Info().Socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Close(ctx); err != nil {
		t.Error(err)
	}
	if _, err := again.Snapshot(ctx); !errors.Is(err, ErrTornDown) || !strings.HasSuffix(err.Error(), "was torn down: it was closed by its owner") {
		t.Errorf("a guest after the owner's close: %v", err)
	}
	wantJournal(t, sys, "set-rule from-guest [] refuse 0s", "clear-rule from-guest", "close")
	if _, err := Attach(ctx, owner.Info().Socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("attach to a closed one: %v", err)
	}
}

// What a guest broke is healed when it goes, and nothing that the owner broke.
func TestWhatAGuestBrokeIsHealed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	sys := testSystem(t, "a", "b")
	owner := mustStart(t, "fake", sys, testOptions(t))
	guest, err := Attach(ctx, owner.Info().Socket)
	if err != nil {
		t.Fatal(err)
	}
	owners, guests := owner.Nodes(), guest.Nodes()
	for _, err := range []error{
		owner.SetRule(ctx, "owner's", nil, system.Rule{Kind: system.Cut}),
		owners[0].(*Node).Pause(ctx),
		guest.SetRule(ctx, "g1", nil, system.Rule{Kind: system.Cut, Text: "cut(a -> b)"}),
		guest.SetRule(ctx, "g2", nil, system.Rule{Kind: system.Cut}),
		guest.ClearRule(ctx, "g2"),
		guests[1].(*Node).Pause(ctx),
		guests[0].(*Node).Kill(ctx),
		guests[1].(*Node).Kill(ctx),
		guests[1].(*Node).Start(ctx),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	guest.client.w.conn.Close() // as the kernel does for a process that is killed
	eventually(t, "the guest's faults are healed", func() bool {
		said := journal(t, sys)
		return strings.Contains(said, "clear-rule g1") && strings.Contains(said, "resume b-1") && strings.Contains(said, "start a-1")
	})
	eventually(t, "only the owner's are left", func() bool { broken, _ := owner.Broken(ctx); return len(broken) == 2 })
	said := journal(t, sys)
	for _, wrong := range []string{"clear-rule owner's", "resume a-1"} {
		if strings.Contains(said, wrong) {
			t.Errorf("the guest's end led to %q:\n%s", wrong, said)
		}
	}
	if strings.Count(said, "clear-rule g2") != 1 || strings.Count(said, "start b-1") != 1 {
		t.Errorf("what the guest healed is healed again:\n%s", said)
	}
}

// A request that a guest left behind is cancelled when it goes.
func TestGuestThatDies(t *testing.T) {
	t.Parallel()
	sys := testSystem(t, "a")
	owner := mustStart(t, "fake", sys, testOptions(t))
	guest, err := Attach(t.Context(), owner.Info().Socket)
	if err != nil {
		t.Fatal(err)
	}
	go guest.Nodes()[0].(*Node).Probe(t.Context(), "block")
	eventually(t, "the probe blocks", func() bool { return strings.Contains(journal(t, sys), "probe blocks") })
	guest.Close(t.Context())
	eventually(t, "the probe is cancelled", func() bool { return strings.Contains(journal(t, sys), "probe canceled") })
}

func TestVersionMismatch(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "fake", testSystem(t, "a"), testOptions(t))
	conn := dialRaw(t, env.Info().Socket)
	conn.Write([]byte(`{"id":1,"verb":"hello","args":{"version":99}}` + "\n"))
	line, err := bufio.NewReader(conn).ReadString('\n')
	want := "the holder speaks version 3 of its protocol and the client version 99: use the assay that started the environment"
	if err != nil || !strings.Contains(line, want) {
		t.Errorf("got %s, %v; want %s", line, err, want)
	}
}

func TestGarbageEndsOnlyItsConnection(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "fake", testSystem(t, "a"), testOptions(t))
	hello := `{"id":1,"verb":"hello","args":{"version":3}}` + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"http":                {"GET / HTTP/1.1\r\n\r\n", "this socket speaks assay's holder protocol"},
		"nothing":             {"\n", "this socket speaks assay's holder protocol"},
		"another first verb":  {`{"id":1,"verb":"kill"}` + "\n", `the first request is \"kill\"`},
		"garbage after hello": {hello + "\x00\xff\n", "not a request: "},
		"no id":               {hello + "{}\n", "want an id above 0 and a verb"},
		"wrong types":         {hello + `{"id":"x"}` + "\n", "not a request: "},
		"unknown verb":        {hello + `{"id":2,"verb":"fly"}` + "\n", `there is no verb \"fly\"`},
		"bad arguments":       {hello + `{"id":2,"verb":"kill","args":[]}` + "\n", "arguments of kill: "},
		"no arguments":        {hello + `{"id":2,"verb":"kill"}` + "\n", `environment has no instance \"\"`},
		"start by a guest":    {hello + `{"id":2,"verb":"start","args":{}}` + "\n", "only the owner starts an environment"},
		"cancel of nothing":   {hello + `{"cancel":7}` + "\n" + `{"id":2,"verb":"fly"}` + "\n", `there is no verb \"fly\"`},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialRaw(t, env.Info().Socket)
			conn.Write([]byte(c.text))
			conn.SetReadDeadline(time.Now().Add(limit))
			in := bufio.NewScanner(conn)
			in.Buffer(nil, 1<<20)
			var said []string
			for in.Scan() {
				said = append(said, in.Text())
				if strings.Contains(in.Text(), c.want) {
					return
				}
			}
			t.Errorf("got %q, want %q", said, c.want)
		})
	}
	half := dialRaw(t, env.Info().Socket)
	half.Write([]byte(hello + `{"id":1,"verb":"ki`))
	half.Close()
	if _, err := env.Snapshot(t.Context()); err != nil {
		t.Errorf("the owner after all that: %v", err)
	}
}

func TestSignalsOfTheTerminalAreTheControllers(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "fake", testSystem(t, "a"), testOptions(t))
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(env.Info().PID, sig); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := env.Snapshot(t.Context()); err != nil {
		t.Errorf("after SIGINT and SIGHUP: %v", err)
	}
	if err := syscall.Kill(env.Info().PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-env.client.first
	_, err := env.Snapshot(t.Context())
	if !errors.Is(err, ErrTornDown) || !strings.Contains(err.Error(), "its holder was asked to end by SIGTERM") {
		t.Errorf("after SIGTERM: %v", err)
	}
	if err := env.Close(t.Context()); !errors.Is(err, ErrTornDown) {
		t.Errorf("close after SIGTERM: %v", err)
	}
	wantNothing(t, env.Info())
}

func TestLongStatePath(t *testing.T) {
	t.Parallel()
	opts := Options{StateDir: filepath.Join(t.TempDir(), strings.Repeat("long", 30))}
	env := mustStart(t, "fake", testSystem(t, "a"), opts)
	if len(env.Info().Socket) > maxSocketPath {
		t.Errorf("socket %s", env.Info().Socket)
	}
	guest, err := Attach(t.Context(), env.Info().Socket)
	if err != nil {
		t.Fatal(err)
	}
	guest.Close(t.Context())
	killHolder(t, env.Info())
	env.Close(t.Context())
	wantNothing(t, env.Info())
	if exists(filepath.Dir(env.Info().Socket)) {
		t.Errorf("%s is left", filepath.Dir(env.Info().Socket))
	}
}

// The holder runs after the program's file is gone, as with `go run`.
func TestExecutableThatIsGone(t *testing.T) {
	t.Parallel()
	copied := filepath.Join(t.TempDir(), "program")
	text, err := os.ReadFile(self())
	if err == nil {
		err = os.WriteFile(copied, text, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	sys, state := testSystem(t), t.TempDir()
	cmd := exec.Command(copied)
	cmd.Env = append(os.Environ(), roleVar+"=controller", "HOLD_TEST_DIR="+sys.Dir, "ASSAY_STATE_DIR="+state, "HOLD_TEST_REMOVE="+copied)
	out, err := cmd.Output()
	if err != nil || string(out) != "ready\nclose: <nil>\n" {
		t.Errorf("got %q, %v", out, err)
	}
}
