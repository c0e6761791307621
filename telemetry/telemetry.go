// Package telemetry holds metrics as series of points on a run's time axis.
package telemetry

import "time"

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
