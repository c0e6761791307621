package link

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// A caller that sends requests and never reads the answers that are made here does not fill the memory.
func TestRequestsFlood(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	setRule(t, m, system.Rule{Kind: system.Abort, Status: 503})
	c := dial(t, front)
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	var err error
	for n := 0; n < 1000 && err == nil; n++ {
		_, err = io.WriteString(c, strings.Repeat(get("/a"), 1000))
	}
	if err == nil {
		t.Error("a million requests were answered and never read")
	}
}
