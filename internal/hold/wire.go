package hold

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A wire sends and receives lines of JSON. Send is safe for concurrent use, receive is not.
type wire struct {
	conn net.Conn
	in   *bufio.Scanner

	mu     sync.Mutex // one line at a time
	broken error      // of the first line that was not sent whole
}

func newWire(conn net.Conn) *wire {
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, 0, 4096), maxLine)
	return &wire{conn: conn, in: in}
}

// send writes one line. After an error nothing more is written, as half a line may have been.
// What the peer said last can still be received, unless it is one that does not read.
func (w *wire) send(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(text) >= maxLine {
		return fmt.Errorf("message of %d bytes is over the limit of %d", len(text), maxLine)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	w.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	_, w.broken = w.conn.Write(append(text, '\n'))
	if errors.Is(w.broken, os.ErrDeadlineExceeded) {
		w.conn.Close()
	}
	return w.broken
}

// receive reads one line into v. The error is io.EOF when the peer is gone, and
// a *json.SyntaxError or the like when the line is no message.
func (w *wire) receive(v any) error {
	if !w.in.Scan() {
		if err := w.in.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	return json.Unmarshal(w.in.Bytes(), v)
}
