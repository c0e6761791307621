package plain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/system"
)

// Each service notes in a file that it started; a dependency's line must come first.
func TestStartsInOrder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "order")
	note := func(s system.Service) system.Service {
		s.Process.Command = []string{"sh", "-c", fmt.Sprintf("echo {{instance}} >> %s; exec %s", file, strings.Join(s.Process.Command, " "))}
		return s
	}
	seed := note(after(say("seed", "0"), system.Healthy, "db"))
	api := note(after(serve("api", 2), system.Completed, "seed"))
	edge := note(after(serve("edge", 1), system.Started, "api"))
	env := start(t, of(api, note(serve("db", 1)), edge, seed))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int { return strings.Index(string(text), name+"\n") }
	for _, pair := range [][2]string{{"db-1", "seed-1"}, {"seed-1", "api-1"}, {"seed-1", "api-2"}} {
		if at(pair[0]) < 0 || at(pair[1]) < at(pair[0]) {
			t.Errorf("%s must start before %s:\n%s", pair[0], pair[1], text)
		}
	}
	if state, _ := node(t, env, "seed-1").State(t.Context()); state != system.Exited {
		t.Errorf("the one-shot is %s, want exited", state)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	never := serve("api", 1)
	never.Process.Command = []string{"sh", "-c", "for i in $(seq 30); do echo line $i; done; exec " + echo() + " sleep"}
	never.Ready.Timeout = 3 * time.Second
	dies := serve("api", 1)
	dies.Process.Command = []string{echo(), "say", "7", "no disk", "giving up"}
	deaf := serve("api", 1)
	deaf.Ready = system.Ready{Exec: []string{echo(), "say", "3", "not yet"}, Timeout: 3 * time.Second}
	silent := serve("api", 1)
	silent.Ready = system.Ready{Log: "accepting connections$", Timeout: 3 * time.Second}
	missing := serve("api", 1)
	missing.Process.Command = []string{"bin/missing"}
	noProgram := serve("api", 1)
	noProgram.Process.Command = []string{"no-such-program-anywhere"}
	wild := serve("api", 1)
	free := freePort(t)
	wild.Process.Env["LISTEN"] = fmt.Sprintf("0.0.0.0:%d", free)
	wild.Ports, wild.Ready = []int{free}, system.Ready{TCP: free}
	clash := after(serve("api", 1), system.Healthy, "db")
	clash.Process.Env["LISTEN"] = ":7070"
	clash.Process.Env["DB"] = "http://db:7070"
	outside := serve("api", 1)
	outside.Process.Files = map[string]string{"../x": "y"}
	template := serve("api", 1)
	template.Process.Env["X"] = "{{ipp}}"
	portless := serve("api", 1)
	portless.Ports, portless.Process.Env["API_HOST"] = nil, "api"

	for name, c := range map[string]struct {
		sys   system.System
		wants []string
	}{
		"never ready":     {of(never), []string{"api-1: not ready within 3s", "7070/healthz", "connection refused", "line 11\n", "line 30"}},
		"dies":            {of(dies), []string{"api-1: ended before it was ready: exit status 7", "no disk", "giving up"}},
		"exec says no":    {of(deaf), []string{"not ready within 3s", "exit status 3: not yet"}},
		"line is missing": {of(silent), []string{`no line of its output matches "accepting connections$"`, "api-1 serves on"}},
		"missing file":    {of(missing), []string{"api-1", filepath.Join(filepath.Dir(echo()), "bin/missing"), "no such file"}},
		"not in PATH":     {of(noProgram), []string{"api-1", "no-such-program-anywhere", "PATH"}},
		"wildcard":        {of(wild), []string{"api-1 listens on", fmt.Sprintf("bind {{ip}}:%d", free)}},
		"address in use":  {of(serve("db", 1), clash), []string{"api-1: ended before", "address already in use", "hint: bind {{ip}}"}},
		"one-shot fails":  {of(after(serve("api", 1), system.Completed, "seed"), say("seed", "3", "no table")), []string{"seed-1: did not complete: exit status 3", "no table"}},
		"circle":          {of(after(serve("a", 1), system.Started, "b"), after(serve("b", 1), system.Started, "a")), []string{"a -> b -> a"}},
		"no dependency":   {of(after(serve("a", 1), system.Started, "b")), []string{"a depends on b"}},
		"file outside":    {of(outside), []string{"files ../x", "below {{data}}"}},
		"template":        {of(template), []string{"api-1: env X", "ipp"}},
		"host, no port":   {of(portless), []string{"api-1: env API_HOST", "exposes none"}},
		"too many":        {of(serve("a", 300)), []string{"300 instances", "252"}},
		"no command":      {of(system.Service{Name: "a", Replicas: 1}), []string{"a-1: there is no command"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustSay(t, startFails(t, c.sys), c.wants...)
		})
	}
}

// freePort returns a port that nobody listens on, at any address. It is below
// those that the kernel gives to others in the meantime.
func freePort(t *testing.T) int {
	t.Helper()
	for i := range 10_000 {
		port := 20_000 + (os.Getpid()+i)%10_000
		if l, err := net.Listen("tcp", fmt.Sprintf(":%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port in 20000..30000 is free")
	return 0
}

// Without a readiness check a program counts as ready as soon as it runs, so
// that it died at once must be noticed otherwise.
func TestDiesWhileOthersStart(t *testing.T) {
	t.Parallel()
	pid := filepath.Join(t.TempDir(), "pid")
	dead := say("dead", "2")
	dead.Process.Command = []string{"sh", "-c", "echo $$ > " + pid + "; echo no config; exit 2"}
	slow := serve("slow", 1) // is ready only after the other is gone
	slow.Process.Command = []string{"sh", "-c", fmt.Sprintf("until test -s %s && ! test -e /proc/$(cat %s); do sleep 0.02; done; exec %s", pid, pid, echo())}
	mustSay(t, startFails(t, of(dead, slow)), "dead-1", "exit status 2", "no config")
}

// What ends the start ends all that was started.
func TestStartIsCancelled(t *testing.T) {
	t.Parallel()
	never := serve("never", 1)
	never.Process.Command = []string{echo(), "sleep"}
	opts := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	opts.Progress = func(line string) {
		if strings.HasPrefix(line, "api-1 is ready") {
			cancel()
		}
	}
	began := time.Now()
	_, err := plain.Start(ctx, of(serve("api", 1), never), opts)
	if err == nil || ctx.Err() == nil {
		t.Fatalf("it started: %v", err)
	}
	mustSay(t, err.Error(), "context canceled")
	if took := time.Since(began); took > patience {
		t.Errorf("it took %v", took)
	}
	mustBeGone(t, opts.ID)
}

func TestTwoEnvironments(t *testing.T) {
	t.Parallel()
	var envs [2]*plain.Env
	var group sync.WaitGroup
	for i := range envs {
		opts := options(t)
		opts.ID += fmt.Sprint(i)
		group.Go(func() { envs[i] = startWith(t, of(serve("api", 1)), opts) })
	}
	group.Wait()
	kill := node(t, envs[0], "api-1").(system.Killer).Kill
	if err := kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := must(t, envs[1], "GET", "api", "/name"); got != "api-1" {
		t.Errorf("the other environment answers %q", got)
	}
}

// A program that takes no SIGTERM is killed when its grace is over, and not much later.
func TestCloseEndsTheDeaf(t *testing.T) {
	t.Parallel()
	deaf := system.Service{Name: "deaf", Replicas: 3, Process: system.Process{Command: []string{echo(), "deaf"}, Grace: 300 * time.Millisecond}}
	env := start(t, of(deaf, after(serve("api", 1), system.Started, "deaf")))
	began := time.Now()
	if err := env.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 300*time.Millisecond || took > patience {
		t.Errorf("close took %v, with a grace of 300ms", took)
	}
}

func TestLedgerKnowsEachStart(t *testing.T) {
	t.Parallel()
	log, err := ledger.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	opts := options(t)
	opts.Ledger = log
	env := startWith(t, of(serve("api", 2)), opts)
	if err := node(t, env, "api-1").(system.Restarter).Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	pending := log.Pending()
	if len(pending) != 2 || pending[0].Verb != "start" || !strings.Contains(string(pending[0].Args), `"env":"`+t.Name()) {
		t.Errorf("pending are %+v, want one start of each instance", pending)
	}
	if err := env.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pending := log.Pending(); len(pending) > 0 {
		t.Errorf("after close, pending are %+v", pending)
	}
}

// The kernel kills the instances when their holder is killed; the daemonised
// ones are found by their mark.
func TestHolderIsKilled(t *testing.T) {
	t.Parallel()
	opts := options(t)
	sys := of(serve("api", 2))
	sys.Services[0].Process.Command = []string{"sh", "-c", echo() + " daemon; exec " + echo()}
	job, err := json.Marshal(map[string]any{"Sys": sys, "Opts": map[string]string{"ID": opts.ID, "StateDir": opts.StateDir, "LogDir": opts.LogDir}})
	if err != nil {
		t.Fatal(err)
	}
	holder := command(t, os.Args[0], holderVar+"="+string(job))
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	marked(t, opts.ID, 4)
	_ = holder.Process.Kill()
	_ = holder.Wait()
	for _, p := range marked(t, opts.ID, 2) {
		if p.Instance == "" || p.Stopped {
			t.Errorf("left is %+v, want the daemonised child of an instance", p)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if killed, err := plain.KillMarked(ctx, opts.ID, opts.StateDir); killed != 2 || err != nil {
		t.Errorf("killed %d, %v; want 2", killed, err)
	}
	mustBeGone(t, opts.ID)
}

// marked waits until the environment has that many processes, and returns them.
func marked(t *testing.T, id string, want int) (found []plain.Marked) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s has %d processes", id, want), func() bool {
		var err error
		if found, err = plain.Processes(id, ""); err != nil {
			t.Fatal(err)
		}
		return len(found) == want
	})
	return found
}

// A stopped, daemonised process whose environment was cleared after it was started is still ours.
func TestKillMarked(t *testing.T) {
	t.Parallel()
	id := t.Name()
	cmd := command(t, "sh", plain.Mark(id), "-c", "env -i sh -c 'kill -STOP $$; :' & "+echo()+" daemon; wait")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }()
	eventually(t, "one is stopped", func() bool {
		found := marked(t, id, 3)
		return found[0].Stopped || found[1].Stopped || found[2].Stopped
	})
	if others, err := plain.Processes(id+"2", ""); err != nil || len(others) > 0 {
		t.Errorf("another environment has %v, %v", others, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if killed, err := plain.KillMarked(ctx, id, ""); killed < 3 || err != nil { // more, where one was seen between fork and end
		t.Errorf("killed %d, %v; want 3", killed, err)
	}
	mustBeGone(t, id)
}

// After Close there is no goroutine and no open file more than before Start. Not
// parallel: it counts those of the whole process.
func TestCloseLeavesNothingHere(t *testing.T) {
	life := func() {
		env := start(t, of(serve("api", 2)))
		record(t, env)
		must(t, env, "GET", "api", "/name")
		if err := env.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return runtime.NumGoroutine() + len(files)
	}
	life() // what the runtime opens once
	before := count()
	life()
	eventually(t, "goroutines and files are as before", func() bool { return count() <= before })
}

// The network of an environment is free again after Close, and addresses refuse.
func TestCloseFreesAddresses(t *testing.T) {
	t.Parallel()
	env := start(t, of(serve("api", 1)))
	addr, err := env.Addr(t.Context(), system.Client, "api", 7070)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("%s is not free: %v", addr, err)
	}
	l.Close()
	if addr, err := env.Addr(t.Context(), system.Client, "api", 7071); err == nil {
		t.Errorf("a closed environment gives the address %s", addr)
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	sys := of(say("a", "0"), say("b", "0"), say("c", "0"))
	sys.Dir = t.TempDir()
	sys.Services[0].Process.Build = "echo once >> built"
	sys.Services[1].Process.Build = "echo once >> built"
	if err := plain.Build(t.Context(), sys, nil); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(sys.Dir, "built")); err != nil || string(text) != "once\n" {
		t.Errorf("built holds %q, %v", text, err)
	}
	sys.Services[2].Process.Build = "echo undefined: x >&2; exit 3"
	err := plain.Build(t.Context(), sys, nil)
	if err == nil {
		t.Fatal("a build that fails is no error")
	}
	mustSay(t, err.Error(), "build c", "exit status 3", "undefined: x")
}

func TestBuildIsCancelled(t *testing.T) {
	t.Parallel()
	sys := of(say("a", "0"))
	sys.Dir = t.TempDir()
	sys.Services[0].Process.Build = "touch began; sleep 3600 & wait"
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(sys.Dir, "began")); err == nil || t.Context().Err() != nil {
				cancel()
				return
			}
			<-time.After(time.Millisecond)
		}
	}()
	if err := plain.Build(ctx, sys, nil); err == nil {
		t.Error("a build that was cancelled is no error")
	}
}
