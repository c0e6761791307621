package workload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/expr"
)

// An execCall is a compiled "exec".
type execCall struct {
	words []*expr.Template
}

func execTitle(s Step) string { return cut("exec "+strings.Join(s.Exec, " "), 120) }

func (c *compiler) execCall(s Step, names []string) caller {
	call := &execCall{}
	for i, word := range s.Exec {
		call.words = append(call.words, c.template(fmt.Sprintf("exec[%d]", i), word, names))
	}
	return call
}

// A command is an execCall with its templates filled in and its addresses rewritten.
type command []string

func (e *execCall) prepare(ctx context.Context, r *Run) (request, error) {
	var words command
	for i, t := range e.words {
		word, err := t.RenderString(ctx, r.vars)
		if err == nil {
			word, err = r.driver.rewrite(ctx, word)
		}
		if err != nil {
			return nil, fmt.Errorf("exec[%d]: %w", i, err)
		}
		words = append(words, word)
	}
	return words, nil
}

func (words command) send(ctx context.Context, r *Run) answer {
	opts := r.driver.opts
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = opts.Dir
	cmd.Env = append(append(os.Environ(), opts.Env...), "TRACEPARENT="+r.traceparent())
	stdout, stderr := &capped{limit: opts.MaxBody}, &capped{limit: opts.MaxBody}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = 500 * time.Millisecond // for who left the group and still holds the output
	if err := cmd.Start(); err != nil {
		return noAnswer(fmt.Errorf("start %s: %w", words[0], err), true)
	}
	err := cmd.Wait()
	if ctx.Err() != nil || errors.Is(err, exec.ErrWaitDelay) {
		_ = killGroup(cmd.Process) // children that outlived the command
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return noAnswer(fmt.Errorf("%s: %w%s", words[0], context.Cause(ctx), lastLine(stderr)), false)
	case stdout.over || stderr.over:
		return noAnswer(fmt.Errorf("%s: printed more than %d bytes", words[0], opts.MaxBody), false)
	case err != nil && !errors.As(err, &exit):
		return noAnswer(fmt.Errorf("%s: %w", words[0], err), false)
	}
	return answer{values: map[string]any{
		"exit": int64(cmd.ProcessState.ExitCode()), "stdout": stdout.buf.String(), "stderr": stderr.buf.String(),
	}}
}

func lastLine(c *capped) string {
	lines := strings.Split(strings.TrimSpace(c.buf.String()), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + cut(last, 200)
	}
	return ""
}

// A capped keeps the first bytes that are written to it and drops the rest, so
// that a command that prints without end is not stopped by a full pipe, and fills no memory.
type capped struct {
	buf   bytes.Buffer
	limit int64
	over  bool
}

func (c *capped) Write(b []byte) (int, error) {
	room := int(c.limit) - c.buf.Len()
	if len(b) > room {
		c.over = true
		c.buf.Write(b[:max(room, 0)])
		return len(b), nil
	}
	return c.buf.Write(b)
}
