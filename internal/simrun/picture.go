package simrun

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/sim"
)

//go:embed picture.html
var pictureHTML string

// Sizes of a picture, and how much of a long run is in it.
const (
	rowHeight    = 20
	laneWidth    = 150
	timeWidth    = 110
	textWidth    = 900
	mostMessages = 2000
)

// A shape is something in the picture: a point, a line (X, Y to W, H), or a box.
type shape struct {
	X, Y, W, H  int
	Text, Class string
}

type picture struct {
	F                                               *Failure
	What                                            string // what failed, with what was found
	Turns                                           bool   // the lanes are goroutines
	Took                                            time.Duration
	Left                                            int
	Width, Height, Bottom, EndY                     int
	Lanes, Times, Messages, Events, Choices, Faults []shape
	Ran                                             []shape       // turns of goroutines
	rows                                            map[int64]int // y of an instant
	hosts                                           []string
}

// An occurrence is what the test or a host said, and when.
type occurrence struct {
	at   int64
	text string
}

// draw runs a failure once more with everything recorded, and draws it as a page that opens without a network.
func (x *explorer) draw(ctx context.Context, f *Failure) error {
	var all []sim.Decision
	for _, step := range f.Shrunk {
		all = append(all, step.Decision)
	}
	if f.Shrunk == nil {
		all = f.Decisions
	}
	c, err := x.bin.traced(ctx, "p", f.subject(), all)
	if err != nil {
		return err
	}
	if c.report == nil {
		return fmt.Errorf("%s did not run to be drawn", f.Test)
	}
	if f.story == nil {
		f.story = newStory(c.log, nil)
	}
	out, err := os.Create(x.o.HTML)
	if err != nil {
		return fmt.Errorf("the picture of %s: %w", f.Test, err)
	}
	defer out.Close()
	page, err := newPage()
	if err != nil {
		return fmt.Errorf("the page is broken: %w", err)
	}
	if err := page.Execute(out, pictured(f, c.report, &story{log: c.log, roles: f.story.roles, runs: f.story.runs})); err != nil {
		return err
	}
	f.Picture = x.o.HTML
	return out.Close()
}

func newPage() (*template.Template, error) {
	return template.New("picture").Funcs(template.FuncMap{"short": short}).Parse(pictureHTML)
}

// short is a name with room for the width of a lane: its end tells more than its beginning.
func short(name string) string {
	const most = 24
	if runes := []rune(name); len(runes) > most {
		return "…" + string(runes[len(runes)-most+1:])
	}
	return name
}

// pictured has hosts as lanes, or goroutines where there is no host.
func pictured(f *Failure, r *sim.Report, s *story) *picture {
	if len(r.Hosts) == 0 {
		return newLanes(f, r, s)
	}
	var messages []sim.Decision
	for _, d := range s.log {
		if d.Kind == "message" {
			messages = append(messages, d)
		}
	}
	return newPicture(f, r, messages)
}

// withoutTime is what a decision did: the row that it stands in has the time.
func withoutTime(text string) string {
	if after, ok := strings.CutPrefix(text, "at "); ok {
		_, text, _ = strings.Cut(after, " ")
	}
	return text
}

func newPicture(f *Failure, r *sim.Report, messages []sim.Decision) *picture {
	p := &picture{F: f, What: f.said(r), Took: time.Duration(f.SimNS), rows: map[int64]int{}, hosts: append([]string{"test"}, r.Hosts...)}
	if r.SimNS > 0 {
		p.Took = time.Duration(r.SimNS)
	}
	p.Left = max(0, len(messages)-mostMessages)
	messages = messages[p.Left:]
	words := occurrences(r.Events)
	p.place(messages, words, f.Shrunk)
	for i, h := range p.hosts {
		p.Lanes = append(p.Lanes, shape{X: lane(i), Text: h})
	}
	for _, m := range messages {
		p.message(m)
	}
	p.say(words, f.Shrunk)
	p.faults(words)
	return p
}

// occurrences reads lines of a report: seconds, then text.
func occurrences(lines []string) (all []occurrence) {
	for _, line := range lines {
		at, text, _ := strings.Cut(strings.TrimSpace(line), "s ")
		if seconds, err := strconv.ParseFloat(at, 64); err == nil {
			all = append(all, occurrence{int64(seconds*1e6+0.5) * 1000, text})
		}
	}
	return all
}

func lane(i int) int { return timeWidth + laneWidth/2 + i*laneWidth }

// place gives each instant its rows: one for each text, and one where there is none.
func (p *picture) place(messages []sim.Decision, said []occurrence, steps []Step) {
	need := map[int64]int{}
	for _, m := range messages {
		need[int64(m.AtNS)] += 0
		if m.Key > 0 {
			need[int64(m.Key)] += 0
		}
	}
	for _, o := range said {
		need[o.at]++
	}
	for _, s := range steps {
		need[int64(s.AtNS)]++
	}
	var instants []int64
	for at := range need {
		instants = append(instants, at)
	}
	slices.Sort(instants)
	y := 44
	for _, at := range instants {
		p.rows[at] = y
		p.Times = append(p.Times, shape{X: timeWidth - 12, Y: y + 4, Text: time.Duration(at).String()})
		y += max(1, need[at]) * rowHeight
	}
	p.Bottom = y
	p.EndY, p.Height = y+20, y+32
	p.Width = lane(len(p.hosts)) + textWidth
}

func (p *picture) message(m sim.Decision) {
	from, to := p.host(uint32(m.Target>>32)), p.host(uint32(m.Target))
	s := shape{X: lane(from), Y: p.rows[int64(m.AtNS)], W: lane(to), Class: "message"}
	s.Text = fmt.Sprintf("%s to %s, %d bytes, sent at %v", p.hosts[from], p.hosts[to], m.N, time.Duration(m.AtNS))
	if m.Key == 0 {
		way := laneWidth * 2 / 5 // where no lane is
		if to < from {
			way = -way
		}
		s.W, s.H, s.Class = s.X+way, s.Y+rowHeight/2, "lost"
	} else {
		s.H = p.rows[int64(m.Key)]
		s.Text += fmt.Sprintf(", arrived at %v", time.Duration(m.Key))
	}
	if from == to { // to itself
		s.X, s.W = s.X-6, s.X+6
	}
	p.Messages = append(p.Messages, s)
}

// host is the lane of an address; what is none of a host is the test's.
func (p *picture) host(ip uint32) int {
	if n := int(ip>>8&0xff)*250 + int(ip&0xff) - 1; ip>>24 == 10 && n > 0 && n < len(p.hosts) {
		return n
	}
	return 0
}

// say puts texts beside the lanes, those of one instant below each other.
func (p *picture) say(said []occurrence, steps []Step) {
	right, used := lane(len(p.hosts))-laneWidth/2+20, map[int64]int{}
	row := func(at int64) int {
		y := p.rows[at] + used[at]*rowHeight
		used[at]++
		return y
	}
	for i, s := range steps {
		y := row(int64(s.AtNS))
		p.Choices = append(p.Choices, shape{X: right, H: y, Y: y + 4, W: right + 14, Class: strconv.Itoa(i + 1), Text: withoutTime(s.Text)})
	}
	for _, o := range said {
		p.Events = append(p.Events, shape{X: right, Y: row(o.at) + 4, Text: o.text})
	}
}

// faults shades what is broken: a host from its crash to its start, all lanes from a partition to the heal.
func (p *picture) faults(said []occurrence) {
	open := map[string]*shape{}
	end := func(name string, y int) {
		if s := open[name]; s != nil {
			s.H = y - s.Y
			p.Faults = append(p.Faults, *s)
			delete(open, name)
		}
	}
	for _, o := range said {
		y, text := p.rows[o.at], o.text
		if _, after, ok := strings.Cut(text, ": "); ok && !strings.HasPrefix(text, "crash of") {
			text = after
		}
		switch name, crashed := strings.CutPrefix(text, "crash of "); {
		case crashed:
			if i := slices.Index(p.hosts, name); i > 0 {
				open[name] = &shape{X: lane(i) - 30, W: 60, Y: y, Text: text}
			}
		case strings.HasPrefix(text, "start of "):
			end(strings.TrimPrefix(text, "start of "), y)
		case strings.HasPrefix(text, "partition of "):
			if open["*"] == nil {
				open["*"] = &shape{X: timeWidth, W: len(p.hosts) * laneWidth, Y: y, Text: text}
			}
		case text == "heal":
			end("*", y)
		}
	}
	for _, name := range append([]string{"*"}, p.hosts...) {
		end(name, p.Bottom)
	}
}
