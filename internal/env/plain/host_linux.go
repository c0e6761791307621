package plain

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// signal is a signal of this system.
type signal = unix.Signal

// prepareHost makes orphaned children ours: a daemonised process of an instance
// becomes a child of this process, not of init, and so can be reaped here.
func prepareHost() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the reaper of orphaned processes: %w", err)
	}
	return nil
}

// procAttr is for a process that leads a group and dies with the thread that starts it.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// setNotRoot makes root somebody else, in a user namespace of its own: to the programs there it is an ordinary user, and
// outside its files and processes stay root's, so they can be read and killed. Others are not root anyway.
func setNotRoot(attr *syscall.SysProcAttr) {
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534 // an ordinary user that every system has a name for, which Postgres asks for
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: 0, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getegid(), Size: 1}}
}

// ordinaryPriority takes back, for this thread and what it starts, a precedence that this
// process was given: it is for links, not for services. (The system call answers 20 - nice.)
func ordinaryPriority() {
	if answer, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil && answer > 20 {
		unix.Setpriority(unix.PRIO_PROCESS, 0, 0)
	}
}

// lowPriority puts this thread behind links, driver and services. Lowering needs no permission.
func lowPriority() { unix.Setpriority(unix.PRIO_PROCESS, 0, 10) }

// signalGroup signals the group that the process leads. It does nothing once the process is gone.
func (p *process) signalGroup(sig signal) error {
	if !p.running() {
		return nil
	}
	if err := unix.Kill(-p.id.PID, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %v to the group of process %d: %w", sig, p.id.PID, err)
	}
	return nil
}

// killGroup kills the group of a process that was not waited for yet.
func killGroup(pid int) error {
	if err := unix.Kill(-pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill the group of process %d: %w", pid, err)
	}
	return nil
}

// parseSignal reads "SIGINT" or "INT"; "" is SIGTERM.
func parseSignal(name string) (signal, error) {
	if name == "" {
		return unix.SIGTERM, nil
	}
	full := strings.ToUpper(name)
	if !strings.HasPrefix(full, "SIG") {
		full = "SIG" + full
	}
	if sig := unix.SignalNum(full); sig != 0 {
		return sig, nil
	}
	return 0, fmt.Errorf("stop signal %q: no such signal (such as SIGTERM, SIGINT, SIGQUIT)", name)
}

// reapOrphans waits for dead children that nobody else waits for, until the
// environment closes. Only what became our child by the death of its parent is
// taken: stealing another's child would rob its waiter of the status.
func (e *Env) reapOrphans() {
	adopted := map[int]uint64{} // pid to start time
	for sleep(e.life, time.Second) == nil {
		e.reap(adopted)
	}
}

func (e *Env) reap(adopted map[int]uint64) {
	pids, err := allPIDs()
	if err != nil {
		return // the next round tries again; a zombie holds nothing but its pid
	}
	self := os.Getpid()
	own, err := readStat(self)
	if err != nil {
		return
	}
	for _, pid := range pids {
		s, err := readStat(pid)
		if err != nil || s.Parent != self {
			continue
		}
		switch {
		case s.State == 'Z' && (isOrphan(pid, s, own) || adopted[pid] == s.Start):
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
			delete(adopted, pid)
		case s.State != 'Z' && s.Session == pid && e.marked(pid):
			adopted[pid] = s.Start
		}
	}
}

// isOrphan says whether a child was started by another process than this one.
// What we start leads its group, and so can never leave our session; other
// code here may start children that are in our group, or lead a session.
func isOrphan(pid int, s, own stat) bool {
	return s.Group != pid && s.Group != own.Group || s.Session != own.Session && s.Session != pid
}

func (e *Env) marked(pid int) bool {
	env, _, _ := readMark(pid)
	return env == e.opts.ID
}

// A pidTable remembers to which instance a process was found to belong.
type pidTable struct {
	mu   sync.Mutex
	seen map[int]owned
}

type owned struct {
	start    uint64
	instance string
}

// instanceOf returns the instance that a process belongs to, or "". A process
// may overwrite its environment, so its parents are asked too, up to this process.
func (e *Env) instanceOf(pid int) string {
	self, mains := os.Getpid(), e.mains()
	for range 32 {
		if pid <= 1 || pid == self {
			return ""
		}
		if instance := mains[pid]; instance != "" {
			return instance
		}
		s, err := readStat(pid)
		if err != nil {
			return ""
		}
		if instance := e.pids.get(pid, s.Start); instance != "" {
			return instance
		}
		if env, instance, _ := readMark(pid); env == e.opts.ID {
			e.pids.put(pid, s.Start, instance)
			return instance
		} else if env != "" {
			return ""
		}
		pid = s.Parent
	}
	return ""
}

func (t *pidTable) get(pid int, start uint64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.seen[pid]; known.start == start {
		return known.instance
	}
	return ""
}

func (t *pidTable) put(pid int, start uint64, instance string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen = map[int]owned{}
	}
	t.seen[pid] = owned{start, instance}
}

// limitsOf returns the soft limits of a process and those of its cgroup, as far as they can be read.
func limitsOf(pid int) map[string]string {
	limits := map[string]string{}
	if file, err := os.Open(procPath(pid, "limits")); err == nil {
		defer file.Close()
		readLimits(file, limits)
	}
	text, err := os.ReadFile(procPath(pid, "cgroup"))
	if err != nil {
		return limits
	}
	for line := range strings.Lines(string(text)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for _, name := range []string{"cpu.max", "memory.max"} {
			if value, err := os.ReadFile("/sys/fs/cgroup" + group + "/" + name); err == nil {
				limits[name] = strings.TrimSpace(string(value))
			}
		}
	}
	return limits
}

// readLimits reads lines such as "Max open files            1024      4096      files".
func readLimits(file *os.File, limits map[string]string) {
	const nameWidth = 26
	lines := bufio.NewScanner(file)
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		if first || len(line) < nameWidth {
			continue
		}
		name := strings.ToLower(strings.TrimSpace(line[:nameWidth]))
		if soft := strings.Fields(line[nameWidth:]); len(soft) > 0 {
			limits[name] = soft[0]
		}
	}
}
