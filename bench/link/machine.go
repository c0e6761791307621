package main

import (
	"fmt"
	"runtime"
	"time"
)

// A machine says how busy it was during the run.
type machine struct {
	Processors int     `json:"processors"`
	Go         string  `json:"go"`
	Seconds    float64 `json:"seconds"`
	Others     float64 `json:"others"` // share of all processors that went to other programs
	Stolen     float64 `json:"stolen"` // share that the host took
	LoadBefore string  `json:"load_before"`
	LoadAfter  string  `json:"load_after"`
	Files      uint64  `json:"files"` // that a process may open
}

func (m moment) until(end moment) machine {
	all := end.busy - m.busy + end.idle - m.idle + end.stolen - m.stolen
	is := machine{
		Processors: runtime.NumCPU(), Go: runtime.Version(), Seconds: end.at.Sub(m.at).Round(time.Second).Seconds(),
		LoadBefore: m.load, LoadAfter: end.load, Files: filesLimit(),
	}
	if all > 0 {
		is.Others = max(0, end.busy-m.busy-(end.own-m.own)) / all
		is.Stolen = (end.stolen - m.stolen) / all
	}
	return is
}

func (m machine) String() string {
	return fmt.Sprintf("%d processors, %s, %.0f s. Of all processor time other programs used %.0f %%, the host stole %.1f %%. Load average %s before, %s after.",
		m.Processors, m.Go, m.Seconds, 100*m.Others, 100*m.Stolen, m.LoadBefore, m.LoadAfter)
}
