package linear

import "testing"

// A place is known if it was reached with no more used, at least as much read, and at least as much to hide before; and not else.
func TestSeen(t *testing.T) {
	t.Parallel()
	type way struct {
		used, hides int32
		read        uint64
	}
	for _, tt := range []struct {
		name        string
		first, then way
		fresh       bool
	}{
		{"the same", way{0, 3, 0b01}, way{0, 3, 0b01}, false},
		{"less to hide before", way{0, 3, 0b01}, way{0, 2, 0b01}, false},
		{"more to hide before", way{0, 3, 0b01}, way{0, 4, 0b01}, true},
		{"less read", way{0, 3, 0b11}, way{0, 3, 0b01}, false},
		{"more read", way{0, 3, 0b01}, way{0, 3, 0b11}, true},
		{"something else read", way{0, 3, 0b01}, way{0, 3, 0b10}, true},
		{"more used", way{0, 3, 0b01}, way{1, 3, 0b01}, false},
		{"less used", way{1, 3, 0b01}, way{0, 3, 0b01}, true},
		{"less used, and less read", way{1, 3, 0b01}, way{0, 3, 0b00}, true},
		{"more read, and less to hide before", way{0, 3, 0b01}, way{0, 2, 0b11}, true},
	} {
		u, s := newUses(), newSeen(1, 1)
		one := u.with(0, 0)
		visit := func(w way, state int32) bool {
			fresh, _ := s.visit(u, 0, state, []uint64{5}, node{uses: w.used * one, hides: w.hides}, []uint64{w.read})
			return fresh
		}
		if !visit(tt.first, 0) || visit(tt.then, 0) != tt.fresh {
			t.Errorf("%s: want new %v", tt.name, tt.fresh)
		}
		if visit(tt.then, 0) {
			t.Errorf("%s: new a second time", tt.name)
		}
		if !visit(tt.then, 1) {
			t.Errorf("%s: another state is not new", tt.name)
		}
	}
}
