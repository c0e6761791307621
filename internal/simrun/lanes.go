package simrun

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/assay-dev/assay/sim"
)

// Of a simulation without hosts the lanes are goroutines, and each turn of one is a row.
const (
	mostRows  = 1000
	mostLanes = 16
	rowsAhead = 12  // of the first decision
	rowsAfter = 400 // the last
	turnWidth = 60
)

// newLanes draws whose turn it was, around the decisions.
func newLanes(f *Failure, r *sim.Report, s *story) *picture {
	from, to := s.around()
	p := &picture{F: f, Took: time.Duration(r.SimNS), What: f.said(r), Turns: true, Left: from}
	lanes := s.lanes(p, from, to)
	words := s.words(r.Events)
	y, step, last := 44, len(onlyDecisions(s.log[:from])), uint64(1<<63)
	for i := from; i < to; i++ {
		d := s.log[i]
		x := lane(lanes[d.Goroutine])
		switch {
		case d.Kind == "run":
			text := s.begins(d.Goroutine, i, d.Where)
			p.Ran = append(p.Ran, shape{X: x - turnWidth/2, Y: y - rowHeight/2 + 2, W: turnWidth, H: rowHeight - 4, Text: s.who(d.Goroutine, "") + " " + text})
			p.Events = append(p.Events, shape{X: x + turnWidth/2 + 6, Y: y + 4, Text: text, Class: "turn"})
		case d.Kind == "note" && words[i] != "":
			p.Events = append(p.Events, shape{X: x + turnWidth/2 + 6, Y: y + 4, Text: words[i], Class: "said"})
		case slices.Contains(kinds(), d.Kind):
			step++
			p.Choices = append(p.Choices, shape{X: x, H: y, Y: y + 4, W: x + 14, Class: strconv.Itoa(step), Text: withoutTime(s.tell(i))})
		default:
			continue
		}
		if d.AtNS != last {
			last = d.AtNS
			p.Times = append(p.Times, shape{X: timeWidth - 12, Y: y + 4, Text: time.Duration(d.AtNS).String()})
		}
		y += rowHeight
	}
	p.Bottom, p.EndY, p.Height, p.Width = y, y+20, y+32, lane(len(p.Lanes))+textWidth
	return p
}

// around is the part of the log that has the decisions, or the end where there are none.
func (s *story) around() (from, to int) {
	is := func(d sim.Decision) bool { return slices.Contains(kinds(), d.Kind) }
	first := slices.IndexFunc(s.log, is)
	if first < 0 {
		return max(0, len(s.log)-rowsAfter), len(s.log)
	}
	last := first
	for i, d := range s.log {
		if is(d) {
			last = i
		}
	}
	to = min(len(s.log), last+rowsAfter)
	return max(0, first-rowsAhead, to-mostRows), to
}

// lanes gives goroutines theirs in the order in which they were made; those that come late share the last.
func (s *story) lanes(p *picture, from, to int) map[uint32]int {
	var ran []uint32
	for _, d := range s.log[from:to] {
		if d.Kind == "run" {
			ran = append(ran, d.Goroutine)
		}
	}
	slices.Sort(ran)
	lanes := map[uint32]int{}
	for n, g := range slices.Compact(ran) {
		lanes[g] = min(n, mostLanes-1)
		switch {
		case n < mostLanes:
			p.Lanes = append(p.Lanes, shape{X: lane(n), Text: fmt.Sprintf("goroutine %d", g), Class: s.roles[g]})
		default:
			p.Lanes[mostLanes-1].Text, p.Lanes[mostLanes-1].Class = "others", ""
		}
	}
	return lanes
}

// words are what the program said, by its place in the log. A report has the last of them alone.
func (s *story) words(events []string) map[int]string {
	var notes []int
	for i, d := range s.log {
		if d.Kind == "note" {
			notes = append(notes, i)
		}
	}
	said, words := occurrences(events), map[int]string{}
	for k, i := range notes {
		if j := len(said) - len(notes) + k; j >= 0 {
			words[i] = said[j].text
		}
	}
	return words
}
