package toxiproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// A remote is a running holder, as this process sees it.
type remote struct {
	place   Place
	sockets string
}

// attach finds the holder of a place. It returns nil where there is none.
func attach(place Place) (*remote, error) {
	sockets := place.sockets()
	err := own(sockets)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("unix", filepath.Join(sockets, controlSocket))
	if err != nil {
		return nil, nil // no socket, or one that a killed holder left
	}
	return &remote{place, sockets}, conn.Close()
}

func (r *remote) dial(ctx context.Context, socket string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", filepath.Join(r.sockets, socket))
}

// ask sends one request to a socket of the holder.
func (r *remote) ask(ctx context.Context, socket, method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://holder"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return r.dial(ctx, socket)
	}}
	return transport.RoundTrip(request)
}

// Info asks the holder what it is.
func (r *remote) info(ctx context.Context) (Info, error) {
	answer, err := r.ask(ctx, controlSocket, "GET", "/info", nil)
	if err != nil {
		return Info{}, err
	}
	defer answer.Body.Close()
	var info Info
	return info, json.NewDecoder(answer.Body).Decode(&info)
}

// stoppedWord is what a holder says last that was asked to end.
const stoppedWord = "stopped"

// watch returns a channel that gets one error when the holder is gone.
func (r *remote) watch(ctx context.Context, api string) (<-chan error, error) {
	answer, err := r.ask(ctx, controlSocket, "GET", "/alive?api="+url.QueryEscape(api), nil)
	if err != nil {
		return nil, err
	}
	gone := make(chan error, 1)
	go func() {
		defer answer.Body.Close()
		word, _ := io.ReadAll(answer.Body)
		if string(word) == stoppedWord {
			gone <- errStopped
		} else {
			gone <- ErrHolderGone
		}
	}()
	return gone, nil
}

// stop ends the holder, and returns when it is gone.
func (r *remote) stop(ctx context.Context) error {
	answer, asked := r.ask(ctx, controlSocket, "POST", "/stop", nil)
	if asked == nil {
		answer.Body.Close()
	}
	if err := r.awaitEnd(ctx); err != nil { // else it is gone, whatever it died of
		return errors.Join(asked, err)
	}
	return nil
}

// awaitEnd returns when the holder is gone.
func (r *remote) awaitEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, endLimit, errors.New("it takes too long"))
	defer cancel()
	for {
		running, err := r.place.Running()
		if err != nil || !running {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the holder of the proxies of %s does not answer and does not end: %w", r.place.ID, context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// startLimit is how long a holder may take to bring back its proxies.
const startLimit = 60 * time.Second

// spawn starts a holder, and attaches to it or to one that another process started meanwhile.
func spawn(ctx context.Context, args holderArgs) (*remote, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		word, err := launch(ctx, args)
		if err != nil {
			return nil, fmt.Errorf("start the holder of the proxies: %w", err)
		}
		if word.Error != "" && !word.Held {
			return nil, fmt.Errorf("start the holder of the proxies: %s", word.Error)
		}
		if r, err := attach(args.Place); r != nil || err != nil {
			return r, err
		}
		select { // the other one is not ready, or about to end
		case <-ctx.Done():
			return nil, fmt.Errorf("another process holds %s and does not answer", args.Place.Dir)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// launch starts the process and waits for its first word.
func launch(ctx context.Context, args holderArgs) (birth, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return birth{}, err
	}
	program, err := executable()
	if err != nil {
		return birth{}, err
	}
	if err := os.MkdirAll(args.Place.Dir, 0o700); err != nil {
		return birth{}, err
	}
	log, err := os.OpenFile(filepath.Join(args.Place.Dir, "holder.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return birth{}, err
	}
	defer log.Close()
	ours, theirs, err := os.Pipe()
	if err != nil {
		return birth{}, err
	}
	defer ours.Close()
	cmd := exec.Command(program, "proxy", "holder", args.Place.ID) // the arguments are for people who look at ps
	cmd.Env = append(os.Environ(), holderVar+"="+string(text))
	cmd.Dir, cmd.Stderr, cmd.ExtraFiles = "/", log, []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the terminal's signals are for the process that the user started
	err = errors.Join(cmd.Start(), theirs.Close())
	if err != nil {
		return birth{}, err
	}
	go func() { _ = cmd.Wait() }()
	word, err := firstWord(ctx, ours)
	if err != nil {
		_ = cmd.Process.Kill() // nobody would know of it
	}
	return word, err
}

func firstWord(ctx context.Context, from *os.File) (birth, error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = from.SetReadDeadline(deadline)
	}
	defer context.AfterFunc(ctx, func() { _ = from.SetReadDeadline(time.Unix(1, 0)) })()
	var word birth
	if err := json.NewDecoder(from).Decode(&word); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return birth{}, cause
		}
		return birth{}, fmt.Errorf("it ended without a word (see holder.log in its folder): %w", err)
	}
	return word, nil
}

// executable returns this program, also after its file was replaced or removed.
func executable() (string, error) {
	path, err := os.Executable()
	if err == nil {
		if _, err = os.Stat(path); err == nil {
			return path, nil
		}
	}
	if _, gone := os.Stat("/proc/self/exe"); gone == nil {
		return "/proc/self/exe", nil
	}
	return "", fmt.Errorf("find this program to start it again: %w", err)
}
