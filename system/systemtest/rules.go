package systemtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// A rules row says what a caller sees of a rule.
type rulesRow struct {
	rule system.Rule
	back bool // it is set on the way back
	sees func(b *bench, t *testing.T) error
}

// rulesRows are of all kinds but delay, cut and refuse, which have tests of their own.
func rulesRows() []rulesRow {
	return []rulesRow{
		{rule: system.Rule{Kind: system.Throttle, Rate: 400_000}, sees: uploads(200_000, 200*time.Millisecond)},
		{rule: system.Rule{Kind: system.Drop, Loss: 0.5}, sees: losesInTheEnd},
		{rule: system.Rule{Kind: system.Slice, Bytes: 1000, Delay: 5 * time.Millisecond}, sees: uploads(50_000, 150*time.Millisecond)},
		{rule: system.Rule{Kind: system.SlowClose, Delay: 300 * time.Millisecond}, back: true, sees: endsLate(300 * time.Millisecond)},
		{rule: system.Rule{Kind: system.Blackhole}, sees: fails(500*time.Millisecond, true)},
		{rule: system.Rule{Kind: system.Reset}, sees: fails(maxPatience, false)},
		{rule: system.Rule{Kind: system.Limit, Bytes: 1000}, sees: fails(maxPatience, false)},
		{rule: system.Rule{Kind: system.Abort, Status: 503}, sees: says("503 Service Unavailable")},
		{rule: system.Rule{Kind: system.Truncate, Bytes: 2}, sees: says("unexpected EOF")},
		{rule: system.Rule{Kind: system.Body, Value: "another"}, sees: says("another")},
		{rule: system.Rule{Kind: system.Header, Name: "Content-Type", Value: "x/y"}, sees: says("web-1")},
	}
}

// rulesHit: each kind of rule does what it says to a caller, its own counter says so, others go on, and it heals.
func (b *bench) rulesHit(t *testing.T) {
	b.linker(t)
	for _, row := range rulesRows() {
		t.Run(string(row.rule.Kind), func(t *testing.T) {
			link := system.Link{From: system.Client, To: "web-1"}
			if row.back {
				link = system.Link{From: "web-1", To: system.Client}
			}
			heal := b.arm(t, []system.Link{link}, row.rule)
			if err := row.sees(b, t); err != nil {
				t.Errorf("set on %s: %v", link, err)
			}
			eventually(t, "the rule's counter says that it hit", func() error {
				if s := b.stats(t, link); s.Rule(t.Name()).Hit == 0 {
					return fmt.Errorf("the rules of %s counted %+v", link, s.Rules)
				}
				return nil
			})
			if took := b.fastest(t, "web-2", "/name"); took >= 150*time.Millisecond {
				t.Errorf("a request by a link without a rule took %v", took)
			}
			heal()
			if err := b.upload(t, 50_000, patience(t)); err != nil {
				t.Errorf("after the heal: %v", err)
			}
			if rules := b.stats(t, link).Rules; len(rules) > 0 {
				t.Errorf("after the heal the link still has rules: %+v", rules)
			}
		})
	}
}

// upload sends so many bytes to web-1.
func (b *bench) upload(t *testing.T, bytes int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err := b.request(ctx, http.MethodPut, "web-1", "/data", strings.Repeat("x", bytes))
	return err
}

// uploads: it goes well, and takes at least so long.
func uploads(bytes int, least time.Duration) func(*bench, *testing.T) error {
	return func(b *bench, t *testing.T) error {
		began := time.Now()
		err := b.upload(t, bytes, patience(t))
		if took := time.Since(began); err == nil && took < least {
			err = fmt.Errorf("%d bytes took %v, want at least %v", bytes, took, least)
		}
		return err
	}
}

// losesInTheEnd: all goes well, and of some uploads one is late by what TCP takes to send again.
func losesInTheEnd(b *bench, t *testing.T) error {
	var longest time.Duration
	for range 20 {
		began := time.Now()
		if err := b.upload(t, 10_000, patience(t)); err != nil {
			return err
		}
		if longest = max(longest, time.Since(began)); longest >= 200*time.Millisecond {
			return nil
		}
	}
	return fmt.Errorf("the slowest of 20 uploads took %v", longest)
}

// fails: an upload does not go well, because its caller gives up or before.
func fails(limit time.Duration, silent bool) func(*bench, *testing.T) error {
	return func(b *bench, t *testing.T) error {
		switch err := b.upload(t, 50_000, limit); {
		case err == nil:
			return errors.New("an upload went well")
		case errors.Is(err, context.DeadlineExceeded) != silent:
			return fmt.Errorf("an upload ended with %w, silent should be %v", err, silent)
		}
		return nil
	}
}

// says: a request for the name gets that answer, or an error that says it.
func says(want string) func(*bench, *testing.T) error {
	return func(b *bench, t *testing.T) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience(t))
		defer cancel()
		text, err := b.get(ctx, "web-1", "/name")
		if got := fmt.Sprint(text, " ", err); !strings.Contains(got, want) {
			return fmt.Errorf("a request for the name got %q, want %q", got, want)
		}
		return nil
	}
}

// endsLate: the end of a connection takes at least so long.
func endsLate(least time.Duration) func(*bench, *testing.T) error {
	return func(b *bench, t *testing.T) error {
		addr, err := b.env.Addr(t.Context(), system.Client, "web-1", Port)
		if err != nil {
			return err
		}
		conn, err := net.DialTimeout("tcp", addr, patience(t))
		if err != nil {
			return err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience(t)))
		if _, err := io.WriteString(conn, "GET /name HTTP/1.0\r\n\r\n"); err != nil {
			return err
		}
		began := time.Now()
		_, err = io.ReadAll(conn)
		if took := time.Since(began); err == nil && took < least {
			err = fmt.Errorf("the end took %v", took)
		}
		return err
	}
}
