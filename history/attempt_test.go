package history

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func trace(digit string) string {
	return "00-" + strings.Repeat(digit, 32) + "-" + strings.Repeat("b", 16) + "-01"
}

func TestNumberAttempts(t *testing.T) {
	t.Parallel()
	x := func(start int, src, dst, path, traceparent, key string) Exchange {
		return Exchange{Start: time.Duration(start), Src: src, Dst: dst, Method: "POST", Path: path, Traceparent: traceparent, Idempotency: key}
	}
	for _, tt := range []struct {
		name      string
		exchanges []Exchange
		want      string // attempts in order of start
	}{
		{"nothing", nil, "[]"},
		{"a retry of one trace", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), ""), x(2, "a-1", "b-1", "/p", trace("1"), "")}, "[1 2]"},
		{"given out of order", []Exchange{x(2, "a-1", "b-1", "/p", trace("1"), ""), x(1, "a-1", "b-1", "/p", trace("1"), "")}, "[1 2]"},
		{"a retry on another instance", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), ""), x(2, "a-1", "b-2", "/p", trace("1"), "")}, "[1 2]"},
		{"a retry that reached no instance", []Exchange{x(1, "a-1", "b", "/p", trace("1"), ""), x(2, "a-1", "b-2", "/p", trace("1"), "")}, "[1 2]"},
		{"a retry from another instance", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), ""), x(2, "a-2", "b-1", "/p", trace("1"), "")}, "[1 2]"},
		{"two traces", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), ""), x(2, "a-1", "b-1", "/p", trace("2"), "")}, "[1 1]"},
		{"two paths", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), ""), x(2, "a-1", "b-1", "/q", trace("1"), "")}, "[1 1]"},
		{"two services", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), ""), x(2, "a-1", "c-1", "/p", trace("1"), "")}, "[1 1]"},
		{"the same key in a new trace", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), "k"), x(2, "a-1", "b-1", "/p", trace("2"), "k")}, "[1 2]"},
		{"two keys in one trace", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), "k"), x(2, "a-1", "b-1", "/p", trace("1"), "l")}, "[1 1]"},
		{"neither trace nor key", []Exchange{x(1, "a-1", "b-1", "/p", "", ""), x(2, "a-1", "b-1", "/p", "", "")}, "[1 1]"},
		{"a traceparent that is none", []Exchange{x(1, "a-1", "b-1", "/p", "xyz", ""), x(2, "a-1", "b-1", "/p", "xyz", "")}, "[1 1]"},
		{"three in turn", []Exchange{x(1, "a-1", "b-1", "/p", trace("1"), ""), x(2, "a-1", "b-1", "/p", trace("2"), ""), x(3, "a-1", "b-1", "/p", trace("1"), ""), x(4, "a-1", "b-1", "/p", trace("1"), "")}, "[1 1 2 3]"},
	} {
		NumberAttempts(tt.exchanges, func(instance string) string { return strings.Split(instance, "-")[0] })
		got := []int{}
		for _, x := range tt.exchanges {
			got = append(got, x.Attempt)
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s: attempts %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestNumberAttemptsAgain(t *testing.T) {
	t.Parallel()
	exchanges := []Exchange{{Start: 1, Traceparent: trace("1")}, {Start: 2, Traceparent: trace("1")}}
	for range 2 {
		NumberAttempts(exchanges, func(name string) string { return name })
		if exchanges[0].Attempt != 1 || exchanges[1].Attempt != 2 {
			t.Errorf("attempts %d, %d", exchanges[0].Attempt, exchanges[1].Attempt)
		}
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	for parent, want := range map[string]string{trace("a"): strings.Repeat("a", 32), "": "", "00-abc": "", "00" + strings.Repeat("a", 40): ""} {
		if got := (Exchange{Traceparent: parent}).Trace(); got != want {
			t.Errorf("trace of %q is %q, want %q", parent, got, want)
		}
	}
}
