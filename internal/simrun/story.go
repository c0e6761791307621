package simrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A story tells a run from the record of everything in it: who ran in between, who a goroutine is, when something arrived.
type story struct {
	log   []sim.Decision
	text  *sources
	roles map[uint32]string
	runs  map[uint32][]int // places in the log at which a goroutine runs
}

func newStory(log []sim.Decision, text *sources) *story {
	s := &story{log: log, text: text, roles: map[uint32]string{}, runs: map[uint32][]int{}}
	for i, d := range log {
		if d.Kind == "run" {
			s.runs[d.Goroutine] = append(s.runs[d.Goroutine], i)
		}
	}
	for g := range s.runs {
		s.roles[g] = s.role(g)
	}
	return s
}

// role is the function that a goroutine began with; where that only calls another, like that of a WaitGroup, the outermost
// of the others. A stack ends with the go statement; that of one which has not begun has nothing else where the compiler put a function in between.
func (s *story) role(g uint32) string {
	first := s.log[s.runs[g][0]].Where
	if len(first) > 1 && !wrapper(first[0]) {
		return function(first[0])
	}
	least, role := 8, "" // longer stacks are cut off
	for _, i := range s.runs[g][1:] {
		where := s.log[i].Where
		if n := len(where) - 1; n > 0 && len(first) > 0 && where[n] == first[len(first)-1] {
			where = where[:n]
		}
		for _, w := range slices.Backward(where) {
			if !wrapper(w) {
				if len(where) < least {
					least, role = len(where), function(w)
				}
				break
			}
		}
	}
	return role
}

func wrapper(frame string) bool {
	for _, p := range []string{"runtime.", "sync.", "testing.", "testing/", "time.", "context.", "github.com/assay-dev/assay/sim."} {
		if strings.HasPrefix(frame, p) {
			return true
		}
	}
	return false
}

// function is a frame's function without the path of its package.
func function(frame string) string {
	name, _, _ := strings.Cut(frame, " ")
	return name[strings.LastIndexByte(name, '/')+1:]
}

// who names a goroutine: by number, host, and what it began with.
func (s *story) who(g uint32, host string) string {
	name := fmt.Sprintf("goroutine %d", g)
	if host != "" {
		name += " of " + host
	}
	if r := s.roles[g]; r != "" {
		name += " (" + r + ")"
	}
	return name
}

// steps are the decisions of the run, in words, with what the code says there.
func (s *story) steps() []Step {
	steps := []Step{} // none is told, too
	for i, d := range s.log {
		if !slices.Contains(kinds(), d.Kind) {
			continue
		}
		step := Step{Decision: d, Text: s.tell(i)}
		step.code(s.text, d.Where)
		if d.Kind == "pick" || d.Kind == "yield" {
			step.code(s.text, d.OtherWhere)
		}
		steps = append(steps, step)
	}
	return steps
}

func (s *story) tell(i int) string {
	d := s.log[i]
	at, who := time.Duration(d.AtNS), s.who(d.Goroutine, d.Host)
	switch d.Kind {
	case "pick":
		return fmt.Sprintf("at %v %s %s before %s, who was first in line%s", at, who, s.begins(d.Goroutine, i, d.Where), s.who(d.Other, d.OtherHost), s.stood(d.Other, i, d.OtherWhere))
	case "yield":
		what := "was preempted before"
		if d.Choice > 1 {
			what = "was held back, as long as any other could run, before"
		}
		return fmt.Sprintf("at %v %s %s %s%s", at, who, what, place(d.Where), s.meanwhile(d.Goroutine, i))
	case "env", "disk":
		if d.Note != "" {
			return explain(d)
		}
		if d.From != "" {
			return fmt.Sprintf("at %v %s: %s%s", at, who, drawn(d), s.arrival(i))
		}
		return fmt.Sprintf("at %v %s: %s", at, who, drawn(d))
	}
	return explain(d)
}

// begins says where a goroutine goes on, or that it begins.
func (s *story) begins(g uint32, i int, where []string) string {
	if s.first(g, i) {
		return "began"
	}
	return "went on at " + place(where)
}

// stood says where a goroutine waited to go on.
func (s *story) stood(g uint32, i int, where []string) string {
	if len(where) == 0 {
		return ""
	}
	if s.first(g, i) {
		return ", about to begin"
	}
	return ", at " + place(where)
}

// first reports whether a goroutine has not run before a place in the log.
func (s *story) first(g uint32, i int) bool {
	runs := s.runs[g]
	return len(runs) > 0 && runs[0] >= i
}

// meanwhile says who ran until a goroutine did again.
func (s *story) meanwhile(g uint32, i int) string {
	const most = 3
	var others []string
	seen := map[uint32]bool{}
	for j := i + 1; j < len(s.log); j++ {
		d := s.log[j]
		if d.Kind != "run" {
			continue
		}
		if d.Goroutine == g {
			return inTurn(others, most) + " before it went on"
		}
		if !seen[d.Goroutine] {
			seen[d.Goroutine] = true
			others = append(others, s.who(d.Goroutine, d.Host)+" "+s.begins(d.Goroutine, j, d.Where))
		}
	}
	return inTurn(others, most) + "; it never went on"
}

// inTurn is an enumeration of so many, and how many more there are.
func inTurn(all []string, most int) string {
	if len(all) == 0 {
		return ": nobody else ran"
	}
	text := "; " + strings.Join(all[:min(len(all), most)], ", then ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(", and %d more ran", more)
	}
	return text
}

// arrival says when the message arrived that a choice was about.
func (s *story) arrival(i int) string {
	for _, d := range s.log[i+1:] {
		if d.Kind == "run" {
			break // somebody else's turn
		}
		if d.Kind == "message" && d.Key > 0 && d.Goroutine == s.log[i].Goroutine {
			return fmt.Sprintf(", until %v", time.Duration(d.Key))
		}
	}
	return ""
}

// keepEvents writes what happened: in words, and as it was recorded.
func (f *Failure) keepEvents(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var records bytes.Buffer
	enc := json.NewEncoder(&records)
	for _, d := range f.story.log {
		if err := enc.Encode(d); err != nil {
			return err
		}
	}
	words := strings.Join(append(f.story.lines(f.Less), f.said(f.report())), "\n") + "\n"
	base := filepath.Join(dir, fmt.Sprintf("%s-seed%d", url.PathEscape(f.Test), f.Seed))
	for ext, text := range map[string][]byte{".txt": []byte(words), ".jsonl": records.Bytes()} {
		if err := os.WriteFile(base+ext, text, 0o666); err != nil {
			return err
		}
	}
	f.Files = []string{base + ".txt", base + ".jsonl"}
	return nil
}

// lines are the whole run in words: whoever runs, what was decided, sent and said, in order.
func (s *story) lines(events []string) []string {
	var all []string
	words, step := s.words(events), 0
	for i, d := range s.log {
		text := ""
		switch d.Kind {
		case "run":
			text = fmt.Sprintf("%s %s", s.who(d.Goroutine, d.Host), s.begins(d.Goroutine, i, d.Where))
		case "time":
			continue
		case "note":
			text = "* " + words[i]
		case "message":
			text = fmt.Sprintf("%s sends %d bytes to %s", orElse(d.From, "the test"), d.N, orElse(d.To, "the test"))
			if d.Key > 0 {
				text += fmt.Sprintf(", there at %v", time.Duration(d.Key))
			} else {
				text += ", which are lost, or wait behind a cut"
			}
		default:
			step++
			text = fmt.Sprintf("(%d) %s", step, withoutTime(s.tell(i)))
		}
		all = append(all, fmt.Sprintf("%12v  %s", time.Duration(d.AtNS), text))
	}
	return all
}
