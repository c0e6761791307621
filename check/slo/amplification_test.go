package slo

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// traced gives operation i (from 0) of the input the trace i+1, and adds a request with that trace to dst, at a second.
func traced(in *check.Input, i, second int, dst string) {
	trace := fmt.Sprintf("%032x", i+1)
	if i < len(in.Ops) {
		in.Ops[i].Trace = trace
	}
	in.Exchanges = append(in.Exchanges, history.Exchange{Src: "api-1", Dst: dst, Start: time.Duration(second) * time.Second, Traceparent: "00-" + trace + "-0000000000000001-01"})
}

func TestAmplification(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, c := range []struct {
		name     string
		ops      string
		requests [][2]int // of operation, at a second
		from, to time.Duration
		want     float64 // 0: no data
	}{
		{"one request each", "kkkk", [][2]int{{0, 0}, {1, 1}, {2, 2}, {3, 3}}, 0, 4 * s, 1},
		{"retries, also of what failed", "kf", [][2]int{{0, 0}, {0, 1}, {0, 1}, {1, 1}, {1, 1}, {1, 1}}, 0, 2 * s, 3},
		{"a journey that seldom asks", "kkkk", [][2]int{{0, 0}}, 0, 4 * s, 0.25},
		{"of an operation before the window", "kk", [][2]int{{0, 1}, {1, 1}}, s, 2 * s, 2},
		{"requests after the window", "kk", [][2]int{{0, 0}, {1, 1}, {1, 5}}, 0, 2 * s, 1},
		{"of nobody's trace", "kk", [][2]int{{0, 0}, {7, 1}, {8, 1}}, 0, 2 * s, 0.5},
		{"no request", "kk", nil, 0, 2 * s, 0},
		{"no request in the window", "kk", [][2]int{{0, 0}}, s, 2 * s, 0},
		{"no operation in the window", "k", [][2]int{{0, 1}}, s, 2 * s, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := journeys(c.ops)
			in.From, in.To = c.from, c.to
			in.Service = func(instance string) string { return strings.TrimRight(instance, "-123") }
			for i, r := range c.requests {
				traced(&in, r[0], r[1], fmt.Sprintf("pay-%d", i%3+1))
				in.Exchanges = append(in.Exchanges, history.Exchange{Dst: "db-1", Start: in.Exchanges[len(in.Exchanges)-1].Start, Traceparent: in.Exchanges[len(in.Exchanges)-1].Traceparent})
			}
			got, err := Amplification(in, "j", "pay")
			if got != c.want || errors.Is(err, ErrNoData) != (c.want == 0) {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

// Requests and operations without a trace would all be of one trace, "".
func TestAmplificationWithoutTracesIsUnknown(t *testing.T) {
	t.Parallel()
	in := journeys("kk")
	in.Exchanges = []history.Exchange{{Dst: "pay"}, {Dst: "pay", Start: time.Second}}
	if got, err := Amplification(in, "j", "pay"); !errors.Is(err, ErrNoData) {
		t.Errorf("got %v, %v", got, err)
	}
}
