package link

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/assay-dev/assay/system"
)

// inKernel returns how many pipes are in use.
func (m *Mesh) inKernel() int {
	m.pipes.mu.Lock()
	defer m.pipes.mu.Unlock()
	return m.pipes.used
}

// What a rule holds back of many bytes waits in the kernel, and leaves nothing there however it ends.
func TestBytesWaitInTheKernel(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, m *Mesh, c *net.TCPConn, data, got []byte){
		"healed": func(t *testing.T, m *Mesh, c *net.TCPConn, data, got []byte) {
			clearRule(t, m, "r")
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(data, got) {
				t.Errorf("what came back differs (%v)", err)
			}
		},
		"then in slices": func(t *testing.T, m *Mesh, c *net.TCPConn, data, got []byte) {
			set(t, m, "s", system.Rule{Kind: system.Slice, Bytes: 5000, Spread: 3000}, ab("a-1", "b-1"))
			clearRule(t, m, "r")
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(data, got) {
				t.Errorf("what came back differs (%v)", err)
			}
		},
		"caller gone": func(t *testing.T, m *Mesh, c *net.TCPConn, _, _ []byte) {
			reset(c) // which waits behind the bytes
			clearRule(t, m, "r")
		},
		"reset by rule": func(t *testing.T, m *Mesh, _ *net.TCPConn, _, _ []byte) {
			set(t, m, "s", system.Rule{Kind: system.Refuse}, ab("a-1", "b-1"))
		},
		"thrown away": func(t *testing.T, m *Mesh, _ *net.TCPConn, data, _ []byte) {
			set(t, m, "s", system.Rule{Kind: system.Blackhole}, ab("a-1", "b-1"))
			clearRule(t, m, "r")
			eventually(t, "all is discarded", func() bool { return statsOf(m, "a-1", "b-1").Discarded == int64(len(data)) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newTestMesh(t, Options{Seed: 7})
			c := dial(t, openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo)))
			if err := say(c, "\x00 is no HTTP", patience); err != nil {
				t.Fatal(err)
			}
			set(t, m, "r", system.Rule{Kind: system.Cut}, ab("a-1", "b-1"))
			data := random(3 << 20)
			go func() { _, _ = c.Write(data) }()
			eventually(t, "pipes are in use", func() bool { return m.inKernel() > 0 })
			end(t, m, c, data, make([]byte, len(data)))
			eventually(t, "no pipe is in use", func() bool { return m.inKernel() == 0 })
		})
	}
}

// A rule of requests that is armed while a long answer waits in the kernel reads it from there, and leaves it as it is.
func TestRequestsAreEditedBehindTheKernel(t *testing.T) {
	t.Parallel()
	data := random(32 << 20) // more than sockets hold
	m := newTestMesh(t, Options{Seed: 7})
	c := dial(t, openFront(t, m, "a-1", "b", "b-1", serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data)
	})))
	ask := func(path string) {
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: b\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
	}
	ask("/")
	in := bufio.NewReaderSize(c, 1024)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	set(t, m, "r", system.Rule{Kind: system.Cut}, ab("b-1", "a-1"))
	eventually(t, "pipes are in use", func() bool { return m.inKernel() > 0 })
	set(t, m, "s", system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/other"}}, ab("a-1", "b-1"))
	ask("/other")
	eventually(t, "the answer was read from the kernel", func() bool { return m.inKernel() == 0 })
	clearRule(t, m, "r")
	if got, err := io.ReadAll(answer.Body); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the answer differs (%d bytes, %v)", len(got), err)
	}
	if answer, err = http.ReadResponse(in, nil); err != nil || answer.StatusCode != 503 {
		t.Errorf("the other request: %v, %v", answer, err)
	}
}
