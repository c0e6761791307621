package plain

import (
	"maps"
	"os"
	"strings"
	"testing"
)

func TestParseUse(t *testing.T) {
	t.Parallel()
	rest := " S 1 50 50 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 7 0 9876 1000000 321 184467 1 1 0"
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "50 (orders)" + rest, ""},
		{"a command like fields", "50 (a) S 2 (b) R)" + rest, ""},
		{"cut", "50 (orders) S 1 50", "cannot be read"},
		{"empty", "", "cannot be read"},
		{"no number", strings.Replace("50 (orders)"+rest, "33", "x", 1), "invalid syntax"},
	} {
		got, err := parseUse(50, []byte(tt.text))
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
			}
			continue
		}
		want := procUse{pid: 50, parent: 1, own: 33, children: 77, threads: 7, start: 9876, pages: 321}
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, want)
		}
	}
}

// What an instance used is counted once, whichever of its processes used it and whatever became of them.
func TestAddCPU(t *testing.T) {
	t.Parallel()
	p := func(pid int, start uint64, own, children int64) procUse {
		return procUse{pid: pid, start: start, own: own, children: children, instance: "db-1"}
	}
	for _, tt := range []struct {
		name  string
		looks [][]procUse
		want  float64 // seconds
	}{
		{"what was used before does not count", [][]procUse{{p(1, 1, 500, 100)}}, 0},
		{"work", [][]procUse{{p(1, 1, 500, 0)}, {p(1, 1, 550, 0)}}, 0.5},
		{"a child works", [][]procUse{{p(1, 1, 0, 0)}, {p(1, 1, 0, 0), p(2, 2, 30, 0)}}, 0.3},
		{"a child that was counted is waited for", [][]procUse{{p(1, 1, 0, 0)}, {p(1, 1, 0, 0), p(2, 2, 30, 0)}, {p(1, 1, 0, 35)}}, 0.35},
		{"a child lived between two looks", [][]procUse{{p(1, 1, 0, 0)}, {p(1, 1, 0, 40)}}, 0.4},
		{"a child ends and nobody waits", [][]procUse{{p(1, 1, 0, 0)}, {p(1, 1, 0, 0), p(2, 2, 30, 0)}, {p(1, 1, 10, 0)}}, 0.4},
		{"killed and started again", [][]procUse{{p(1, 1, 100, 0)}, {p(1, 1, 120, 0)}, {}, {p(9, 9, 50, 0)}}, 0.7},
		{"the same pid, another process", [][]procUse{{p(1, 1, 100, 0)}, {p(1, 2, 50, 0)}}, 0.5},
		{"none at first", [][]procUse{{}, {p(1, 1, 50, 0)}}, 0.5},
	} {
		s := &sampler{cpu: map[string]float64{}}
		last := 0.0
		for i, look := range tt.looks {
			ours := map[int]procUse{}
			for _, use := range look {
				ours[use.pid] = use
			}
			s.addCPU(ours)
			if s.cpu["db-1"] < last {
				t.Errorf("%s: look %d: the counter falls from %v to %v", tt.name, i, last, s.cpu["db-1"])
			}
			last = s.cpu["db-1"]
		}
		if last != tt.want {
			t.Errorf("%s: got %v s, want %v s", tt.name, last, tt.want)
		}
	}
}

func TestAttribute(t *testing.T) {
	t.Parallel()
	self := os.Getpid()
	s := &sampler{env: &Env{opts: Options{Client: 900}}, last: map[int]procUse{
		30: {start: 3, instance: "db-1"}, 40: {start: 4, instance: "db-1"}}}
	all := map[int]procUse{
		self: {parent: 1, start: 1},
		30:   {parent: self, start: 3}, // its parent ended: it is ours, and known
		31:   {parent: 30, start: 5},
		40:   {parent: self, start: 99}, // another process by that pid, without a mark
		900:  {parent: 2, start: 1},
		901:  {parent: 1, start: 1},
	}
	s.attribute(all)
	got := map[int]string{}
	for pid, p := range all {
		got[pid] = p.instance
	}
	want := map[int]string{self: "", 30: "db-1", 31: "db-1", 40: "", 900: "client", 901: ""}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
