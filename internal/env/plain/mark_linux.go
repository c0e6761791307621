package plain

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/system"
)

// scan returns the processes of the environment. Known maps pids of processes
// that this process started and still waits for to their instances: they belong even if they
// have overwritten their environment.
// Dir is the environment's state folder, or "".
func scan(id, dir string, known map[int]string) ([]Marked, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	pids, err := allPIDs()
	if err != nil {
		return nil, err
	}
	belongs := map[int]Marked{}
	others := map[int]Marked{} // without any mark
	for _, pid := range pids {
		stat, err := readStat(pid)
		if err != nil || stat.State == 'Z' || stat.State == 'X' {
			continue // it ended while we looked
		}
		p := Marked{ProcID: system.ProcID{Boot: boot, PID: pid, Start: stat.Start}, Stopped: stat.stopped(), parent: stat.Parent, Command: stat.Command}
		env, instance, probe := readMark(pid)
		if env == "" && known[pid] == "" {
			env, instance = readFolder(pid, id, dir)
		}
		switch {
		case known[pid] != "":
			p.Instance = known[pid]
			belongs[pid] = p
		case env == id:
			p.Instance, p.Probe = instance, probe
			belongs[pid] = p
		case env == "":
			others[pid] = p
		}
	}
	inherit(belongs, others)
	return sortedMarked(belongs), nil
}

// inherit moves those of others that have a parent that belongs, until no one is left that has.
func inherit(belongs, others map[int]Marked) {
	for moved := true; moved; {
		moved = false
		for pid, p := range others {
			if parent, ok := belongs[p.parent]; ok {
				p.Instance, p.Probe = parent.Instance, parent.Probe
				belongs[pid] = p
				delete(others, pid)
				moved = true
			}
		}
	}
}

// readMark returns what the environment of a process says of where it belongs.
// A process of another user cannot be read, and says nothing.
func readMark(pid int) (env, instance string, probe bool) {
	text, err := os.ReadFile(procPath(pid, "environ"))
	if err != nil {
		return "", "", false
	}
	for field := range bytes.SplitSeq(text, []byte{0}) {
		name, value, _ := strings.Cut(string(field), "=")
		switch name {
		case envVar:
			env = value
		case instanceVar:
			instance = value
		case probeVar:
			probe = value != ""
		}
	}
	return env, instance, probe
}

// readFolder says where a process belongs that has overwritten its environment, as
// the children of Postgres do: by its working folder, when that is in the environment's state folder. Whoever still
// has an environment, such as the shell of someone who looks around there, is none of ours.
func readFolder(pid int, id, dir string) (env, instance string) {
	folder, err := os.Readlink(procPath(pid, "cwd"))
	if err != nil {
		return "", ""
	}
	inside, ok := strings.CutPrefix(folder, filepath.Join(dir, "data")+"/")
	if dir == "" || !ok || hasEnvironment(pid) {
		return "", ""
	}
	instance, _, _ = strings.Cut(inside, "/")
	return id, instance
}

// hasEnvironment says whether anything in a process's environment looks like a variable.
func hasEnvironment(pid int) bool {
	text, err := os.ReadFile(procPath(pid, "environ"))
	if err != nil {
		return true // another user's, or gone
	}
	for field := range bytes.SplitSeq(text, []byte{0}) {
		name, _, ok := strings.Cut(string(field), "=")
		if ok && name != "" && !strings.ContainsAny(name, " :/") {
			return true
		}
	}
	return false
}

// A stat is what /proc/PID/stat says.
type stat struct {
	Command string
	State   byte
	Parent  int
	Group   int
	Session int
	Start   uint64
}

func (s stat) stopped() bool { return s.State == 'T' || s.State == 't' }

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return stat{}, err
	}
	// The command stands in parentheses and may itself hold any of " ()".
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return stat{}, fmt.Errorf("/proc/%d/stat cannot be read: %q", pid, text)
	}
	fields := strings.Fields(string(text[end+1:]))
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("/proc/%d/stat has %d fields after the command", pid, len(fields))
	}
	s := stat{Command: string(text[open+1 : end]), State: fields[0][0]}
	var errs [4]error
	s.Parent, errs[0] = strconv.Atoi(fields[1])
	s.Group, errs[1] = strconv.Atoi(fields[2])
	s.Session, errs[2] = strconv.Atoi(fields[3])
	s.Start, errs[3] = strconv.ParseUint(fields[19], 10, 64)
	return s, errors.Join(errs[:]...)
}

// procID names a running process.
func procID(pid int) (system.ProcID, error) {
	boot, err := bootID()
	if err != nil {
		return system.ProcID{}, err
	}
	s, err := readStat(pid)
	return system.ProcID{Boot: boot, PID: pid, Start: s.Start}, err
}

// sigKill, sigStop and sigCont are what this package sends by its own will.
const (
	sigKill = unix.SIGKILL
	sigStop = unix.SIGSTOP
	sigCont = unix.SIGCONT
)

// signalProc sends a signal to this very process: a pid that was used again in
// the meantime is left alone. A process that is gone is no error.
func signalProc(id system.ProcID, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(id.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", id.PID, err)
	}
	defer unix.Close(fd)
	now, err := readStat(id.PID)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || err == nil && now.Start != id.Start {
		return nil
	}
	if err != nil {
		return err
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %v to process %d (%s): %w", sig, id.PID, now.Command, err)
	}
	return nil
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

func allPIDs() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

func procPath(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
