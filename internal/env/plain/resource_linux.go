package plain

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/system"
)

// ticksPerSecond is the unit of times in /proc: USER_HZ, which is 100 wherever Go runs on Linux.
const ticksPerSecond = 100

// A sampler adds up what processes use by instance. It is not safe for concurrent use.
type sampler struct {
	env  *Env
	buf  []byte
	page float64
	last map[int]procUse
	cpu  map[string]float64 // seconds since the first look, by instance
}

// A procUse is what one process used, by its /proc/PID/stat.
type procUse struct {
	pid, parent   int
	start         uint64
	own, children int64 // ticks; children that ended and were waited for
	threads       int64
	pages         int64
	zombie        bool
	instance      string
}

func newSampler(e *Env) *sampler {
	return &sampler{env: e, buf: make([]byte, 4096), page: float64(os.Getpagesize()), cpu: map[string]float64{}}
}

// look returns what each instance uses. It reads one file of each process of the machine, and for those of the
// environment one directory's size besides.
func (s *sampler) look() (map[string]usage, error) {
	pids, err := allPIDs()
	if err != nil {
		return nil, err
	}
	all := make(map[int]procUse, len(pids))
	for _, pid := range pids {
		if p, err := s.read(pid); err == nil { // else it ended while we looked
			all[pid] = p
		}
	}
	s.attribute(all)
	used := map[string]usage{}
	ours := map[int]procUse{}
	for pid, p := range all {
		if p.instance == "" {
			continue
		}
		ours[pid] = p
		u := used[p.instance]
		u.RSS += float64(p.pages) * s.page
		u.Threads += float64(p.threads)
		u.FDs += float64(openFDs(pid))
		used[p.instance] = u
	}
	s.addCPU(ours)
	for instance, seconds := range s.cpu {
		u := used[instance]
		u.CPU = seconds
		used[instance] = u
	}
	return used, nil
}

// attribute says of each process to which instance it belongs: by the processes that instances were started
// as, by its ancestors, and, where the nearest that is left of those is this process, which adopts orphans, by its mark.
func (s *sampler) attribute(all map[int]procUse) {
	self, mains := os.Getpid(), s.env.mains()
	var of func(pid, depth int) string
	of = func(pid, depth int) string {
		p, ok := all[pid]
		switch {
		case !ok || pid <= 1 || depth > 64:
			return ""
		case mains[pid] != "":
			return mains[pid]
		case s.last[pid].start == p.start && s.last[pid].instance != "":
			return s.last[pid].instance
		case pid == self:
			return ""
		case p.parent == self:
			return s.marked(pid)
		}
		return of(p.parent, depth+1)
	}
	for pid, p := range all {
		p.instance = of(pid, 0)
		if pid == s.env.opts.Client {
			p.instance = system.Client
		}
		all[pid] = p
	}
}

// marked returns the instance that an adopted process names. Probes are ours and not the system's.
func (s *sampler) marked(pid int) string {
	env, instance, probe := readMark(pid)
	if env != s.env.opts.ID || probe {
		return ""
	}
	return instance
}

// addCPU adds what was used since the last look. A process that is new has all its time to add. One that
// ended was waited for by its parent, whose time of children grew by all it had ever used,
// so what was counted of it before is taken off that. What it used since and nobody waited for is lost.
func (s *sampler) addCPU(ours map[int]procUse) {
	own, children, counted := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for pid, p := range ours {
		before, known := s.last[pid]
		if !known || before.start != p.start {
			before = procUse{}
		}
		own[p.instance] += p.own - before.own
		if p.instance != system.Client { // whose children are the holder and other tools, not the driver
			children[p.instance] += p.children - before.children
		}
	}
	for pid, p := range s.last {
		if now, ok := ours[pid]; !ok || now.start != p.start {
			counted[p.instance] += p.own + p.children
		}
	}
	for instance := range own {
		if s.last == nil {
			s.cpu[instance] = 0 // what was used before the recording is not of it
			continue
		}
		ticks := max(0, own[instance]) + max(0, children[instance]-counted[instance])
		s.cpu[instance] += float64(ticks) / ticksPerSecond
	}
	s.last = ours
}

// read reads /proc/PID/stat.
func (s *sampler) read(pid int) (procUse, error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return procUse{}, err
	}
	n, err := unix.Read(fd, s.buf)
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return procUse{}, err
	}
	return parseUse(pid, s.buf[:n])
}

// parseUse reads the line of a stat file; proc(5) counts its fields from 1, and the command, which may itself
// hold blanks and parentheses, is the second.
func parseUse(pid int, text []byte) (procUse, error) {
	end := bytes.LastIndexByte(text, ')')
	fields := bytes.Fields(text[end+1:])
	if end < 0 || len(fields) < 22 {
		return procUse{}, fmt.Errorf("/proc/%d/stat cannot be read: %q", pid, text)
	}
	var errs [8]error
	number := func(i, field int) int64 {
		n, err := strconv.ParseInt(string(fields[field-3]), 10, 64)
		errs[i] = err
		return n
	}
	p := procUse{pid: pid, zombie: fields[0][0] == 'Z', parent: int(number(0, 4)), own: number(1, 14) + number(2, 15),
		children: number(3, 16) + number(4, 17), threads: number(5, 20), start: uint64(number(6, 22)), pages: number(7, 24)}
	if p.zombie {
		p.threads = 0
	}
	return p, errors.Join(errs[:]...)
}

// openFDs returns how many files a process has open, 0 where it may not be known. Since Linux 6.2 that is
// the size of the directory; before, it is counted.
func openFDs(pid int) int64 {
	path := procPath(pid, "fd")
	var info unix.Stat_t
	if err := unix.Stat(path, &info); err == nil && info.Size > 0 {
		return info.Size
	}
	dir, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return int64(len(names))
}
