package hold

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A wire sends and receives lines of JSON. Send is safe for concurrent use, receive is not.
type wire struct {
	conn net.Conn
	in   *bufio.Scanner
	mu   sync.Mutex // one line at a time
}

func newWire(conn net.Conn) *wire {
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, 0, 4096), maxLine)
	return &wire{conn: conn, in: in}
}

// send writes one line. After an error the connection is closed, as half a line may have been written.
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
	w.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if _, err := w.conn.Write(append(text, '\n')); err != nil {
		w.conn.Close()
		return err
	}
	return nil
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
