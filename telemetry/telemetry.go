// Package telemetry holds metrics as series of points on a run's time axis.
//
// Series are written as JSON lines, a line a sample, so that whoever samples
// need not know when it ends, and one who dies loses the last line at most:
//
//	w := telemetry.NewWriter(file)
//	w.Write(telemetry.Sample{At: time.Second, Name: telemetry.RSSBytes, Labels: labels, Value: 1 << 20})
//	...
//	series, err := telemetry.ReadAll(file)
package telemetry

import "time"

// Names of the series that environments record of each instance, which the label "instance" names.
// An instance is all its processes; one that does not run uses nothing, and its samples say 0.
const (
	CPUSeconds = "cpu_seconds" // processor time used since the recording began; never falls, not by a restart either
	RSSBytes   = "rss_bytes"   // resident memory; pages that processes of one instance share count for each
	OpenFDs    = "open_fds"
	Threads    = "threads"
)

// A Point is one value at one time since the start of the run.
type Point struct {
	At    time.Duration `json:"at"`
	Value float64       `json:"value"`
}

// A Series is one metric of one labelled thing over one run, points in order of time.
type Series struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
	Points []Point           `json:"points"`
}

// A Sample is one point of one series: a line of a file.
type Sample struct {
	At     time.Duration     `json:"at"`
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
	Value  float64           `json:"value"`
}
