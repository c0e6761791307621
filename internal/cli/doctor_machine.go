package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/ledger"
)

// good, poor and lackingOf make findings.
func good(name, format string, args ...any) finding {
	return finding{Group: "machine", Name: name, Status: findingOK, Detail: fmt.Sprintf(format, args...)}
}

func poor(name, detail, means, fix string) finding {
	return finding{Group: "machine", Name: name, Status: findingDegraded, Detail: detail, Means: means, Fix: fix}
}

func lackingOf(name, detail, means, fix string) finding {
	return finding{Group: "machine", Name: name, Status: findingMissing, Detail: detail, Means: means, Fix: fix}
}

// needed marks what every run needs.
func needed(f finding) finding {
	f.Needed = true
	return f
}

func machineFindings(ctx context.Context) []finding {
	all := []finding{needed(kernel()), needed(loopback()), needed(proc()), priority(), cgroups(), openFiles(),
		needed(stateFolder()), needed(disk("disk", stateOrTemp())), leftovers()}
	return append(all, futureFindings(ctx)...)
}

func kernel() finding {
	var name unix.Utsname
	release := "of an unknown version"
	if unix.Uname(&name) == nil {
		release = unix.ByteSliceToString(name.Release[:])
	}
	detail := fmt.Sprintf("%s/%s, kernel %s, %d processors", runtime.GOOS, runtime.GOARCH, release, runtime.NumCPU())
	if runtime.GOOS != "linux" {
		return lackingOf("system", detail, "systems run on Linux: elsewhere assay builds, judges and reports, and its environment is untested", "")
	}
	if runtime.NumCPU() < 2 {
		return poor("system", detail, "the load driver shares the only processor with the system: it will often be late, and verdicts unknown", "")
	}
	return good("system", "%s", detail)
}

// loopback looks for a network 127.S.0.0/16 of its own, as each environment takes one.
func loopback() finding {
	const first, last = 16, 250
	var reason error
	for slot := first; slot <= last; slot++ {
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.%d.0.1:0", slot))
		if err == nil {
			listener.Close()
			running, _ := hold.Environments()
			return good("loopback", "127.%d.0.0/16 can be used; %d environments run", slot, len(running))
		}
		reason = err
	}
	return lackingOf("loopback", reason.Error(), "each instance has an address of its own in 127.0.0.0/8", "sudo ip link set lo up")
}

func proc() finding {
	for _, path := range []string{"/proc/self/environ", "/proc/self/task", "/proc/net/tcp", "/proc/1/stat"} {
		if _, err := os.Stat(path); err != nil {
			return lackingOf("/proc", err.Error(), "effects on processes are proved there", "mount -t proc proc /proc, and without hidepid")
		}
	}
	return good("/proc", "processes and sockets can be looked at")
}

// priority asks for the precedence that a run asks for, on this thread, and gives it back.
func priority() finding {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, -5); err != nil {
		return poor("priority", "none over the services ("+err.Error()+")",
			"on a busy machine the load driver may be late, and the verdict unknown",
			`sudo setcap cap_sys_nice+ep "$(command -v assay)"   # or run on a machine with less to do`)
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 0)
	return good("priority", "the load driver can have precedence over the services")
}

func cgroups() finding {
	if text, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return good("cgroups", "version 2: %s", strings.TrimSpace(string(text)))
	}
	return poor("cgroups", "no version 2", "limits of a cgroup are not compared after a rollback; those of processes are",
		"boot with systemd.unified_cgroup_hierarchy=1")
}

func openFiles() finding {
	const enough = 4096
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return poor("open files", err.Error(), "the limit is not known", "")
	}
	// Go programs raise their soft limit to the hard one at their start.
	if limit.Max < enough {
		return poor("open files", fmt.Sprintf("at most %d", limit.Max), "systems with many connections run out of them, and that looks like their fault", "ulimit -n 65536")
	}
	return good("open files", "up to %d", limit.Max)
}

func stateOrTemp() string {
	if state, err := ledger.State(); err == nil {
		return state
	}
	return os.TempDir()
}

// stateFolder looks whether environments can keep their ledgers. It creates nothing.
func stateFolder() finding {
	state, err := ledger.State()
	if err != nil {
		return lackingOf("state folder", err.Error(), "the ledgers of environments are kept there", "export ASSAY_STATE_DIR=$HOME/.local/state/assay")
	}
	above := existing(state)
	err = unix.Access(above, unix.W_OK)
	if info, look := os.Stat(above); err == nil && look == nil && !info.IsDir() {
		err = fmt.Errorf("%s is a file", above)
	}
	if err != nil {
		return lackingOf("state folder", fmt.Sprintf("%s: %v", state, err), "the ledgers of environments are kept there", "export ASSAY_STATE_DIR=FOLDER, one that you may write to")
	}
	return good("state folder", "%s", state)
}

// existing is the deepest folder on the way to a path that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

func disk(name, path string) finding {
	const poorMiB, noneMiB = 1024, 100
	var fs unix.Statfs_t
	if err := unix.Statfs(existing(path), &fs); err != nil {
		return poor(name, err.Error(), "the free space is not known", "")
	}
	free := uint64(fs.Bavail) * uint64(fs.Bsize) >> 20
	detail := fmt.Sprintf("%d MiB free at %s", free, path)
	switch {
	case free < noneMiB:
		return lackingOf(name, detail, "records and data folders need space: a run breaks when there is none", "free some, or name another folder with --store and ASSAY_STATE_DIR")
	case free < poorMiB:
		return poor(name, detail, "a run of a few minutes with a database takes some hundred MiB", "free some, or name another folder with --store and ASSAY_STATE_DIR")
	}
	return good(name, "%s", detail)
}

// leftovers counts environments whose owner is gone.
func leftovers() finding {
	dirs, err := ledger.Dirs(stateOrTemp())
	left := 0
	for _, dir := range dirs {
		if held, err := ledger.Held(dir); err == nil && !held {
			left++
		}
	}
	switch {
	case err != nil:
		return poor("leftovers", err.Error(), "what killed runs left behind is not known", "")
	case left > 0:
		return poor("leftovers", fmt.Sprintf("%d environments of runs that were killed", left), "their folders stay until the next run, which removes them first", "assay recover")
	}
	return good("leftovers", "none")
}

func (a *app) storeFindings() []finding {
	of := func(f finding) finding { f.Group = "store"; return f }
	space := of(disk("disk", a.store))
	if _, err := os.Stat(filepath.Join(a.store, "runs")); err != nil {
		return []finding{of(good("evidence", "no runs at %s yet", a.store)), space}
	}
	store, err := evidence.OpenStore(a.store)
	var runs []evidence.Summary
	if err == nil {
		runs, err = store.List()
	}
	if err != nil {
		return []finding{of(lackingOf("evidence", err.Error(), "no run can be read or stored", "name another folder with --store")), space}
	}
	count := map[evidence.Status]int{}
	for _, r := range runs {
		count[r.Status]++
	}
	detail := fmt.Sprintf("%d runs at %s, %d cut short, %d corrupt", len(runs), a.store, count[evidence.CutShort], count[evidence.Corrupt])
	if count[evidence.Corrupt] > 0 {
		return []finding{of(poor("evidence", detail, "a corrupt run is no evidence: its files are not what its seal says", "assay evidence list, then remove the folder of that run")), space}
	}
	return []finding{of(good("evidence", "%s", detail)), space}
}
