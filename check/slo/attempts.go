package slo

import (
	"fmt"

	"github.com/assay-dev/assay/check"
)

// AttemptsMax returns the most attempts that one request from service from to
// service to took, by the exchanges that started in the window.
func AttemptsMax(in check.Input, from, to string) (int, error) {
	attempts, err := attempts(in, from, to)
	most := 0
	for n := range attempts {
		most = max(most, n)
	}
	return most, err
}

// Retries returns how often a request from service from to service to was
// retried on average: second and later attempts, per first attempt.
func Retries(in check.Input, from, to string) (float64, error) {
	attempts, err := attempts(in, from, to)
	if err != nil {
		return 0, err
	}
	retries := 0
	for n, count := range attempts {
		if n > 1 {
			retries += count
		}
	}
	if attempts[1] == 0 {
		return 0, fmt.Errorf("%d retries from %s to %s %s, all of requests that began before: %w", retries, from, to, window(in), ErrNoData)
	}
	return float64(retries) / float64(attempts[1]), nil
}

// attempts returns how many exchanges in the window were an n-th attempt.
func attempts(in check.Input, from, to string) (map[int]int, error) {
	counts := map[int]int{}
	for _, x := range in.Exchanges {
		if service(in, x.Src) != from || service(in, x.Dst) != to || !in.In(x.Start) {
			continue
		}
		if x.Attempt < 1 {
			// Taken for first attempts they would hide every retry.
			return nil, fmt.Errorf("exchanges from %s to %s have no attempt numbers: %w", from, to, ErrNoData)
		}
		counts[x.Attempt]++
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("no exchange from %s to %s %s: %w", from, to, window(in), ErrNoData)
	}
	return counts, nil
}

func service(in check.Input, instance string) string {
	if in.Service == nil {
		return instance
	}
	return in.Service(instance)
}
