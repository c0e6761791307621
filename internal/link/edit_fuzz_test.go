package link

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/assay-dev/assay/system"
)

// mix1 are rules of all kinds, which hit what has "hit" in its path.
func mix1() []system.Rule {
	m := &system.Match{Path: "*hit*"}
	return []system.Rule{
		{Kind: system.Abort, Status: 503, Match: m, When: system.Trigger{Nth: 2}}, {Kind: system.Delay, Delay: 5, Match: m, When: system.Trigger{Nth: 3}},
		{Kind: system.Body, Value: "new body", Match: m, When: system.Trigger{Nth: 4}}, {Kind: system.Truncate, Bytes: 1, Match: m, When: system.Trigger{Nth: 1}},
		{Kind: system.Header, Name: "X-New", Value: "v", Match: m},
	}
}

// drive gives an editor both directions in pieces, and checks that it holds little.
func drive(t *testing.T, w *workbench, there, back []byte, step int) bool {
	t.Helper()
	step = max(step, 1)
	for len(there)+len(back) > 0 {
		n, k := min(step, len(there)), min(step, len(back))
		w.now++
		if n > 0 && !w.editor.request(bytes.Clone(there[:n]), w.now) || k > 0 && !w.editor.response(bytes.Clone(back[:k]), w.now) {
			return false
		}
		there, back = there[n:], back[k:]
		w.did(true)
	}
	if e, ok := w.editor.(*fresh).inner.(*edit2); ok && len(e.there.carry)+len(e.back.carry)+len(e.there.block)+len(e.back.block) > 4<<20 {
		t.Fatal("the editor holds too much")
	}
	w.editor.requestEnded()
	w.editor.responseEnded()
	w.did(true)
	return true
}

// What no rule hits passes byte for byte, whatever it is.
func FuzzEditorHTTP1(f *testing.F) {
	for _, tt := range edits1 {
		var there, back string
		for _, say := range tt.say {
			if say[0] == '>' && len(say) > 2 {
				there += say[2:]
			} else if say[0] == '<' {
				back += say[2:]
			}
		}
		f.Add([]byte(there), []byte(back), 7)
	}
	f.Fuzz(func(t *testing.T, there, back []byte, step int) {
		if bytes.HasPrefix(there, []byte("PRI")) {
			return
		}
		w := newWorkbench(abort("/no request has this path")...)
		if !drive(t, w, there, back, step) || !bytes.Equal(w.server, there) || !bytes.Equal(w.caller, back) {
			t.Errorf("the server was sent\n%q, want\n%q;\nthe caller was sent\n%q, want\n%q", w.server, there, w.caller, back)
		}
		drive(t, newWorkbench(mix1()...), there, back, step)
		drive(t, newWorkbench(system.Rule{Kind: system.Abort, Status: 500}), there, back, step)
	})
}

// What no rule hits says the same, as another reader of HTTP/2 understands it.
func FuzzEditorHTTP2(f *testing.F) {
	there, back := h2Sample()
	f.Add(there, back, 9)
	for _, tt := range edits2 {
		c, s, w := newTalker(""), newTalker(""), newWorkbench()
		for _, act := range tt.acts {
			act(c, s, w)
		}
		f.Add([]byte(c.take()), []byte(s.take()), 7)
	}
	f.Fuzz(func(t *testing.T, there, back []byte, step int) {
		there = append(bytes.Clone(preface), there...)
		w := newWorkbench(abort("/no request has this path")...)
		if ok := drive(t, w, there, back, step); ok {
			compare(t, "server", heard(w.server), heard(there))
			compare(t, "caller", heard(w.caller), heard(back))
		}
		drive(t, newWorkbench(mix1()...), there, back, step)
		drive(t, newWorkbench(system.Rule{Kind: system.Abort, Code: "UNAVAILABLE"}), there, back, step)
	})
}

// compare leaves out what is given back, and what reaches streams that are over.
func compare(t *testing.T, who string, got, want []string) {
	t.Helper()
	var i int
	for _, line := range got {
		var n int
		if k, _ := fmt.Sscanf(line, "0 window %d", &n); k == 1 {
			continue
		}
		for i < len(want) && want[i] != line {
			i++
		}
		if i == len(want) {
			t.Fatalf("the %s heard %q, which nobody said so:\n%q, said\n%q", who, line, got, want)
		}
		i++
	}
}
