package workload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/expr"
)

// A caller is the compiled call of a step.
type caller interface {
	// prepare fills the templates in, once for all tries of the step.
	prepare(ctx context.Context, r *Run) (request, error)
}

// A request is a call that is ready to be sent, any number of times.
type request interface {
	send(ctx context.Context, r *Run) answer
}

// An answer is what one try of a call brought back.
type answer struct {
	values map[string]any // by the names that expressions read; nil when there was no answer
	err    error          // why there is none
	// unsent says that the request certainly never reached anybody: nothing was dialled.
	unsent bool
	// unsure says that the answer leaves the effect open, such as a deadline that the client itself noticed.
	unsure bool
}

func noAnswer(err error, unsent bool) answer { return answer{err: err, unsent: unsent} }

// A timeoutError is the cause of a try's end.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string { return fmt.Sprintf("no answer within %v", e.after) }

// Timeout makes a timeoutError a timeout for those who ask net.Error.
func (e timeoutError) Timeout() bool   { return true }
func (e timeoutError) Temporary() bool { return true }

var errDrained = errors.New("no answer when the load ended")

// because puts the error of a call into the words a reader looks for, and
// prefers why the context ended to what its end broke.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("connection refused: %w", err)
	case errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("connection reset: %w", err)
	case errors.As(err, &dns):
		return fmt.Errorf("no service or host is called %q: %w", dns.Name, err)
	}
	return err
}

// complain says which clause of the expectation did not hold, and what was seen.
func complain(ctx context.Context, s *step, vars map[string]any) error {
	for _, clause := range s.clauses {
		holds, err := clause.Eval(ctx, vars)
		if err == nil && holds {
			continue
		}
		text := "expected " + clause.Text
		switch {
		case err != nil:
			text += ", but " + errors.Unwrap(err).Error()
		case clause.Left != nil:
			text += ", got " + observed(ctx, clause, vars)
		default:
			text += ", which is false"
		}
		return errors.New(text + situation(clause.Text, vars))
	}
	return fmt.Errorf("expected %s", s.expect)
}

func observed(ctx context.Context, c expr.Clause, vars map[string]any) string {
	text := show(ctx, c.Left, vars)
	if !c.Right.IsLiteral() {
		text += " and " + show(ctx, c.Right, vars)
	}
	return text
}

func show(ctx context.Context, p *expr.Program, vars map[string]any) string {
	if p.IsLiteral() {
		return p.String()
	}
	x, err := p.Eval(ctx, vars)
	if err != nil {
		return err.Error()
	}
	v, err := history.Of(x)
	if err != nil {
		return p.String() + " " + err.Error()
	}
	return p.String() + " " + cut(v.String(), 200)
}

// situation adds the status to a complaint about something else: that a body
// lacks a field is clearer next to "status 503".
func situation(clause string, vars map[string]any) string {
	for _, name := range []string{"status", "code", "exit", "sqlstate"} {
		if x, ok := vars[name]; ok && x != "" && !strings.Contains(clause, name) {
			return fmt.Sprintf(" (%s %v)", name, x)
		}
	}
	return ""
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
