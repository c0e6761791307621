package report

import (
	"fmt"
	"strings"
	"time"
)

// facts say what this run was.
func (r *Report) facts() []fact {
	m := r.Meta
	list := []fact{{"run", r.ID}, {"status", string(r.Status)}}
	add := func(name, value string) {
		if value != "" {
			list = append(list, fact{name, value})
		}
	}
	add("results of", strings.TrimPrefix(r.results(), "results of "))
	add("system", r.System)
	if !r.foreign() {
		add("seed", fmt.Sprint(m.Seed))
		add("environment", strings.TrimSpace(m.Environment+" on "+m.OS+"/"+m.Arch))
	}
	add("defect planted", m.Defect)
	if m.Control {
		add("control", "each experiment was run on a worse system, too")
	}
	add("started", stamp(m.Started))
	add("ended", stamp(r.Ended))
	commit := m.Commit
	if commit != "" && m.Dirty {
		commit += " with changes that are in no commit"
	}
	add("commit", commit)
	if r.foreign() {
		add("grade", m.Grade)
	} else {
		add("grade of links", m.Grade)
	}
	add("assay", m.Version)
	add("arguments", strings.Join(m.Args, " "))
	add("made by", m.Tool)
	for _, lap := range r.Timings {
		add("time: "+lap.Name, fmt.Sprintf("%.2f s", lap.Took.Seconds()))
	}
	add("evidence", r.Dir)
	return list
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
