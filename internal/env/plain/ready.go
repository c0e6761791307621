package plain

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

const (
	checkTimeout    = time.Second     // of one question whether it is ready
	execTimeout     = 5 * time.Second // of one that starts a program
	oneShotTimeout  = 5 * time.Minute // for a service that others wait to complete
	failuresUnready = 2               // one lost answer is no outage
)

// waitReady waits until the instance is ready, and for a one-shot until it has
// ended well. When it ends before, or is not ready in time, the error shows its last log lines.
func (n *node) waitReady(ctx context.Context, p *process) error {
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, n.readyTimeout())
	defer cancel()
	var err error
	if n.oneShot {
		err = n.waitCompleted(limit, p)
	} else {
		err = n.waitCheck(ctx, limit, p)
	}
	switch {
	case err == nil:
		n.env.progress("%s is ready after %v", n.inst.Name, time.Since(began).Round(time.Millisecond))
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return n.withLog(p, err)
}

func (n *node) waitCompleted(limit context.Context, p *process) error {
	if p.wait(limit) != nil {
		return fmt.Errorf("did not complete within %v", n.readyTimeout())
	}
	if !p.succeeded() {
		return fmt.Errorf("did not complete: %s", p.status())
	}
	return nil
}

// waitCheck asks until the answer is yes or limit ends. The question that is
// under way then may end, within its own limit: what it sees is what the error shows.
func (n *node) waitCheck(ctx, limit context.Context, p *process) error {
	check := n.checker(p)
	for {
		err := check(ctx)
		if err == nil {
			if err := n.checkTLS(ctx); err != nil {
				return err
			}
		}
		if err == nil && n.becomeWhile(p, system.IsReady, true, "") {
			return nil
		}
		goOn := err == nil || n.pauseBetween(limit, p)
		if !p.running() {
			return fmt.Errorf("ended before it was ready: %s", p.status())
		}
		if !goOn {
			return fmt.Errorf("not ready within %v: %w", n.readyTimeout(), err)
		}
	}
}

// pauseBetween waits for the next try, and returns false early when ctx or the process ends.
func (n *node) pauseBetween(ctx context.Context, p *process) bool {
	timer := time.NewTimer(orDefault(n.svc.Ready.Poll, 50*time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.gone:
	case <-ctx.Done():
	}
	return false
}

func (n *node) readyTimeout() time.Duration {
	if n.oneShot {
		return orDefault(n.svc.Ready.Timeout, oneShotTimeout)
	}
	return orDefault(n.svc.Ready.Timeout, 30*time.Second)
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// watchReady asks again and again whether the instance is still ready, for as long as the environment lives.
func (n *node) watchReady() {
	if !n.asksAgain() {
		return
	}
	failures := 0
	var last *process
	for sleep(n.env.life, orDefault(n.svc.Ready.Every, 500*time.Millisecond)) == nil {
		p := n.running()
		if p == nil || n.isStarting() {
			continue
		}
		if p != last {
			last, failures = p, 0
		}
		err := n.checker(p)(n.env.life)
		if err == nil {
			failures = 0
		} else {
			failures++
		}
		n.noteCheck(p, err, failures)
	}
}

// asksAgain says whether the check can change its mind: a line that was printed stays printed.
func (n *node) asksAgain() bool {
	ready := n.svc.Ready
	return !n.oneShot && (ready.HTTP != "" || ready.TCP != 0 || len(ready.Exec) > 0)
}

func (n *node) isStarting() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state == system.Starting
}

// noteCheck draws the conclusion of a check. A paused instance stays paused, whatever it answers.
func (n *node) noteCheck(p *process, err error, failures int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proc != p || !p.running() || n.env.life.Err() != nil || n.state == system.Starting {
		return
	}
	switch {
	case err == nil && n.state != system.Paused:
		n.becomeLocked(system.IsReady, true, "")
	case err != nil && failures >= failuresUnready && n.state == system.Paused:
		n.up = false
	case err != nil && failures >= failuresUnready:
		n.becomeLocked(system.Unready, false, err.Error())
	}
}

// A checker returns nil when the instance answers as ready, else what it saw.
type checker func(ctx context.Context) error

func (n *node) checker(p *process) checker {
	ready := n.svc.Ready
	switch {
	case ready.HTTP != "":
		return n.checkHTTP
	case ready.TCP != 0:
		return n.checkTCP
	case ready.Log != "":
		return n.checkLog(p)
	case len(ready.Exec) > 0:
		return n.checkExec
	}
	return func(context.Context) error { return nil }
}

func (n *node) checkHTTP(ctx context.Context) error {
	status, _, err := n.get(ctx, n.svc.Ready.HTTP, 0)
	if err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return fmt.Errorf("GET %s answers with status %d", n.svc.Ready.HTTP, status)
	}
	return nil
}

// get asks the instance itself, not by a front: a bent link makes no instance unready.
// Target is "PORT/PATH". At most limit bytes of the body are returned.
func (n *node) get(ctx context.Context, target string, limit int64) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	port, path, _ := strings.Cut(target, "/")
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0, nil, fmt.Errorf("%q is not PORT/PATH", target)
	}
	// Each question dials anew, so that it also asks whether the instance still accepts.
	transport, scheme := &http.Transport{DisableKeepAlives: true}, "http"
	if n.env.opens(n.inst.Name, int(number)) != nil { // whose certificate it has is asked by checkTLS
		transport.TLSClientConfig, scheme = &tls.Config{InsecureSkipVerify: true}, "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s://%s:%s/%s", scheme, n.ip, port, path), nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, nil, fmt.Errorf("GET %s: %w", request.URL, err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, limit))
	if err != nil {
		return 0, nil, fmt.Errorf("GET %s: %w", request.URL, err)
	}
	return response.StatusCode, body, nil
}

func (n *node) checkTCP(ctx context.Context) error {
	dialer := net.Dialer{Timeout: checkTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("%s:%d", n.ip, n.svc.Ready.TCP))
	if err != nil {
		return err
	}
	return conn.Close()
}

// checkLog looks for a line among those that the process printed. It reads on where it last stopped.
func (n *node) checkLog(p *process) checker {
	want, compileErr := regexp.Compile(n.svc.Ready.Log)
	at, rest, seen := p.logFrom, []byte(nil), false
	return func(context.Context) error {
		if compileErr != nil {
			return compileErr
		}
		text, err := readFrom(n.log, at)
		if err != nil {
			return err
		}
		at += int64(len(text))
		rest = append(rest, text...)
		for line := range bytes.Lines(rest) {
			seen = seen || want.Match(bytes.TrimRight(line, "\r\n"))
		}
		rest = rest[bytes.LastIndexByte(rest, '\n')+1:]
		if !seen {
			return fmt.Errorf("no line of its output matches %q", n.svc.Ready.Log)
		}
		return nil
	}
}

func readFrom(path string, at int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(file)
}

func (n *node) checkExec(ctx context.Context) error {
	out, code, err := n.run(ctx, n.launch.Ready)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("%s: exit status %d: %s", strings.Join(n.launch.Ready, " "), code, lastLine(out))
	}
	return nil
}

// run runs a program as a question to the instance, in its environment and
// folder, and returns what it printed and its exit status.
func (n *node) run(ctx context.Context, argv []string, variables ...string) (out string, code int, err error) {
	cmd, err := n.command(argv, n.environment(append(variables, probeVar+"=1")...))
	if err != nil {
		return "", 0, err
	}
	var text limitedBuffer
	cmd.Stdout, cmd.Stderr = &text, &text
	cmd.WaitDelay = 100 * time.Millisecond // its children may keep the pipe open for ever
	if err := n.env.spawn.start(cmd); err != nil {
		return "", 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timer := time.NewTimer(execTimeout)
	defer timer.Stop()
	select {
	case err = <-ended:
	case <-timer.C:
		err = errors.Join(fmt.Errorf("%s: no end within %v", argv[0], execTimeout), killGroup(cmd.Process.Pid))
		<-ended
		return text.String(), 0, err
	case <-ctx.Done():
		err = errors.Join(context.Cause(ctx), killGroup(cmd.Process.Pid))
		<-ended
		return text.String(), 0, err
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return text.String(), code, nil
	}
	return text.String(), 0, err
}
