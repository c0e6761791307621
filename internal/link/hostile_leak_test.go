package link

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// After all that is hostile or rare no goroutine and no file descriptor is left, though the mesh lives. It counts those of the whole
// process, so it runs alone.
func TestHostileLeavesNothing(t *testing.T) {
	m := newTestMesh(t, Options{})
	l := listenTCP(t)
	front := openFront(t, m, "a-1", "b", "b-1", addrPort(l.Addr()))
	lurk(t, m)
	talk(t, l, front, hostile1[0].say, bytesOf, nil) // what is made once
	goroutines, files := settledCounts()
	t.Run("all", func(t *testing.T) {
		for _, tt := range hostile1 {
			talk(t, l, front, tt.say, bytesOf, nil)
		}
		for _, tt := range rare2 {
			talk(t, l, front, script(tt.turns), frameCount, nil)
		}
		for _, tt := range hostile2 {
			c := newTalker(string(preface))
			tt.say(c)
			talk(t, l, front, []string{"> " + c.take(), "> rst"}, nothingOf, nil)
		}
	})
	for deadline := time.Now().Add(patience); ; {
		g, f := settledCounts()
		if g <= goroutines && f <= files {
			return
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("goroutines %d -> %d, files %d -> %d\n%s", goroutines, g, files, f, buf[:runtime.Stack(buf, true)])
		}
	}
}

// nothingOf is the size of what nobody waits for.
func nothingOf(string) int { return 0 }

// Windows of flow control hold for 10 MB in both directions at once, from the beginning and armed on the way, while others are aborted.
func TestRequestsLargeBothWays(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, _ *records, c *http.Client, base string) {
		data := random(10 << 20)
		for i := range 3 {
			body := &armingReader{Reader: bytes.NewReader(data), left: i * 3 << 20, arm: func() {
				set(t, m, fmt.Sprint("large/", i), system.Rule{Kind: system.Abort, Status: 503, Text: "abort(a -> b)", Match: &system.Match{Path: "/no"}}, benchLink)
			}}
			r, err := c.Post(base+"/echo", "application/octet-stream", body)
			if err != nil {
				t.Fatal(err)
			}
			if code, _, err := load(c, base+"/no"); i > 0 && (code != 503 || err != nil) {
				t.Error(code, err)
			}
			got, err := io.ReadAll(r.Body)
			r.Body.Close()
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%d of %d bytes came back: %v", len(got), len(data), err)
			}
		}
	})
}

// An armingReader calls arm once some bytes were read.
type armingReader struct {
	io.Reader
	left int
	arm  func()
}

func (r *armingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.left -= n; r.left <= 0 && r.arm != nil {
		r.arm()
		r.arm = nil
	}
	return n, err
}
