package slo

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/telemetry"
)

// sampleSlack is how far from an end of the window the nearest sample may be: two rounds of a sampler that looks once a second.
const sampleSlack = 2 * time.Second

// Cores returns how many processors the service, or the instance of that name, used on average in
// the window: the sum over its instances. A window that is not covered by samples is ErrNoData.
func Cores(in check.Input, service string) (float64, error) {
	seconds, length, err := CPU(in, service)
	if err != nil {
		return 0, err
	}
	return seconds / length.Seconds(), nil
}

// CPU returns the processor seconds that the service's instances used in the
// window, and the window's length.
func CPU(in check.Input, service string) (seconds float64, length time.Duration, err error) {
	all, err := seriesOf(in, telemetry.CPUSeconds, service)
	if err != nil {
		return 0, 0, err
	}
	to := in.To
	if to == 0 {
		for _, s := range all {
			to = max(to, s.Points[len(s.Points)-1].At)
		}
	}
	if to <= in.From {
		return 0, 0, fmt.Errorf("%s of %q: the window has no length: %w", telemetry.CPUSeconds, service, ErrNoData)
	}
	for _, s := range all {
		if first, last := s.Points[0].At, s.Points[len(s.Points)-1].At; first > in.From+sampleSlack || last < to-sampleSlack || first == last {
			return 0, 0, fmt.Errorf("%s of %s: sampled from %v to %v, which does not cover the window %s: %w", s.Name, s.Labels["instance"], first, last, window(in), ErrNoData)
		}
		seconds += At(s, to) - At(s, in.From)
	}
	return seconds, to - in.From, nil
}

// PeakRSS returns the most resident memory, in bytes, that any one instance of the service, or
// the instance of that name, was seen with in the window.
func PeakRSS(in check.Input, service string) (float64, error) {
	all, err := seriesOf(in, telemetry.RSSBytes, service)
	if err != nil {
		return 0, err
	}
	peak, seen := 0.0, false
	for _, s := range all {
		for _, p := range s.Points {
			if in.In(p.At) {
				peak, seen = max(peak, p.Value), true
			}
		}
	}
	if !seen {
		return 0, fmt.Errorf("no sample of %s of %q %s: %w", telemetry.RSSBytes, service, window(in), ErrNoData)
	}
	return peak, nil
}

// At returns the value of a series at t, on the line between the samples around it; before the
// first and after the last it is theirs. A series without points is 0 throughout.
func At(s telemetry.Series, t time.Duration) float64 {
	var before telemetry.Point
	for i, p := range s.Points {
		if p.At >= t {
			if i == 0 || p.At == t {
				return p.Value
			}
			share := float64(t-before.At) / float64(p.At-before.At)
			return before.Value + share*(p.Value-before.Value)
		}
		before = p
	}
	return before.Value
}

// seriesOf returns the series of that name of each instance of a service.
func seriesOf(in check.Input, name, of string) ([]telemetry.Series, error) {
	var all []telemetry.Series
	for _, s := range in.Series {
		instance := s.Labels["instance"]
		if s.Name == name && len(s.Points) > 0 && (instance == of || service(in, instance) == of) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no %s of %q was recorded: %w", name, of, ErrNoData)
	}
	return all, nil
}
