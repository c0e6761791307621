package holdtest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/ledger"
)

// A holder is a holder's process.
type holder struct {
	pid int
	id  string // of the environment
}

// findHolders looks for the processes that were started as holders under a state directory. They are named by
// environment variables, and so are there from the first moment, before any file is.
func findHolders(state string) []holder {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var found []holder
	for _, dir := range dirs {
		vars := variables(dir)
		if id := vars["ASSAY_HOLDER"]; id != "" && vars["ASSAY_STATE_DIR"] == state {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			found = append(found, holder{pid, id})
		}
	}
	return found
}

// variables returns the environment of the process of a folder of /proc; one that has ended has none.
func variables(dir string) map[string]string {
	text, _ := os.ReadFile(filepath.Join(dir, "environ"))
	vars := map[string]string{}
	for field := range bytes.SplitSeq(text, []byte{0}) {
		name, value, _ := strings.Cut(string(field), "=")
		vars[name] = value
	}
	return vars
}

// A scene is what the environments of one state directory have held so far.
type scene struct {
	state string
	stop  chan struct{}
	done  chan struct{}

	mu        sync.Mutex
	holders   []holder
	ids       map[string]bool   // of every environment that was seen
	processes int               // most at one look
	ports     map[string]string // address by the inode of the socket that listened there
	portsMost int               // at one look
}

// watch looks until the kill, so that the kill itself need not wait for a look. A port is known
// by its socket, as another environment may soon use its number.
func watch(t testing.TB, state string) *scene {
	s := &scene{state: state, stop: make(chan struct{}), done: make(chan struct{}), ids: map[string]bool{}, ports: map[string]string{}}
	go func() {
		defer close(s.done)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			if err := s.look(); err != nil {
				t.Errorf("look at the environment: %v", err)
				return
			}
			select {
			case <-s.stop:
				return
			case <-ticker.C:
			}
		}
	}()
	return s
}

func (s *scene) unwatch() {
	close(s.stop)
	<-s.done
}

// look notes what is there now.
func (s *scene) look() error {
	listening := listeners()
	held := map[string]string{}
	processes := 0
	holders := findHolders(s.state)
	for _, h := range holders {
		marked, err := plain.Processes(h.id, filepath.Join(ledger.Dir(s.state, h.id), "data"))
		if err != nil {
			return err
		}
		processes += len(marked)
		pids := []int{h.pid}
		for _, p := range marked {
			pids = append(pids, p.PID)
		}
		for _, inode := range socketsOf(pids) {
			if addr, ok := listening[inode]; ok {
				held[inode] = addr
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders = holders
	s.processes, s.portsMost = max(s.processes, processes), max(s.portsMost, len(held))
	maps.Copy(s.ports, held)
	for _, h := range holders {
		s.ids[h.id] = true
	}
	return nil
}

// killHolders kills every holder there is, and returns how many there were.
func (s *scene) killHolders() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	holders := s.holders
	if len(holders) == 0 {
		holders = findHolders(s.state)
	}
	killed := 0
	for _, h := range holders {
		s.ids[h.id] = true
		if h.lives() && syscall.Kill(h.pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}

// lives says whether the pid is still this holder's, and no zombie.
func (h holder) lives() bool {
	return variables(fmt.Sprintf("/proc/%d", h.pid))["ASSAY_HOLDER"] == h.id
}

func socketsOf(pids []int) []string {
	var links, inodes []string
	for _, pid := range pids {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		links = append(links, fds...)
	}
	for _, link := range links {
		target, _ := os.Readlink(link)
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes = append(inodes, strings.TrimSuffix(inode, "]"))
		}
	}
	return inodes
}

// listeners returns the TCP sockets that listen, address by inode.
func listeners() map[string]string {
	const listen, addrField, stateField, inodeField = "0A", 1, 3, 9
	found := map[string]string{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > inodeField && fields[stateField] == listen {
				found[fields[inodeField]] = fields[addrField]
			}
		}
	}
	return found
}

// Leftovers returns what there is of environment id and under a state directory
// that no environment lives in: processes, the holder's own too, and files.
func Leftovers(state, id string) []string {
	var left []string
	if id != "" {
		marked, err := plain.Processes(id, filepath.Join(ledger.Dir(state, id), "data"))
		if err != nil {
			left = append(left, err.Error())
		}
		for _, p := range marked {
			left = append(left, fmt.Sprintf("process %d %s of %s", p.PID, p.Command, p.Instance))
		}
		sockets, _ := filepath.Glob(filepath.Join(os.TempDir(), "assay-"+id+"*"))
		left = append(left, sockets...)
	}
	dirs, err := ledger.Dirs(state)
	if err != nil {
		left = append(left, err.Error())
	}
	return append(left, dirs...)
}

// leftovers looks at once for everything that may have outlived the kill.
func (s *scene) leftovers() []string {
	var left []string
	for _, h := range findHolders(s.state) {
		s.ids[h.id] = true
		left = append(left, fmt.Sprintf("holder %d of %s", h.pid, h.id))
	}
	for id := range s.ids {
		left = append(left, Leftovers(s.state, id)...)
	}
	if len(s.ids) == 0 {
		left = append(left, Leftovers(s.state, "")...)
	}
	now := listeners()
	for inode, addr := range s.ports {
		if _, ok := now[inode]; ok {
			left = append(left, "port "+addr)
		}
	}
	return left
}

// waitUntilClean returns what is left when patience is over, nil as soon as nothing is.
func (s *scene) waitUntilClean() []string {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		left := s.leftovers()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}

// waitForHolders returns when no holder runs and the locks of the dead are free, or patience is over.
func (s *scene) waitForHolders() {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if len(findHolders(s.state)) == 0 && s.allFree() {
			return
		}
	}
}

func (s *scene) allFree() bool {
	for id := range s.ids {
		if held, err := ledger.Held(ledger.Dir(s.state, id)); err == nil && held {
			return false
		}
	}
	return true
}
