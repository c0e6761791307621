package link

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

func random(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{7})
	_, _ = r.Read(data)
	return data
}

// exchangeAll sends data, half-closes, and returns what comes back until the end.
func exchangeAll(c *net.TCPConn, data []byte) ([]byte, error) {
	errs := make(chan error, 1)
	go func() {
		_, err := c.Write(data)
		if err == nil {
			err = c.CloseWrite()
		}
		errs <- err
	}()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(c)
	if err == nil {
		err = <-errs
	}
	return got, err
}

func TestHalfClose(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	data := random(200 << 10)
	for i := range 50 {
		got, err := exchangeAll(dial(t, front), data)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("try %d: %d of %d bytes came back: %v", i, len(got), len(data), err)
		}
	}
	eventually(t, "all connections are over", func() bool { return statsOf(m, "a-1", "b-1").Live == 0 })
	there, back := statsOf(m, "a-1", "b-1"), statsOf(m, "b-1", "a-1")
	for _, n := range []int64{there.BytesIn, there.BytesOut, back.BytesIn, back.BytesOut} {
		if n != 50*200<<10 {
			t.Errorf("counted %d bytes, want %d", n, 50*200<<10)
		}
	}
	if there.Dials != 50 || back.Dials != 0 {
		t.Errorf("dials %d and %d, want 50 and 0", there.Dials, back.Dials)
	}
	if sum(there.Residence[:]) == 0 || there.Reset+there.Refused+there.Stalled != 0 {
		t.Errorf("stats %+v", there)
	}
}

func sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// A response that is sent before a reset arrives, and then the reset.
func TestResetPropagates(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	server := serveTCP(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("bye"))
		_, _ = c.Read(make([]byte, 1))
		reset(c)
	})
	front := openFront(t, m, "a-1", "b", "b-1", server)
	for i := range 50 {
		c := dial(t, front)
		got := make([]byte, 3)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "bye" {
			t.Fatalf("try %d: %q %v", i, got, err)
		}
		_, _ = c.Write([]byte("x"))
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(got); !isReset(err) {
			t.Fatalf("try %d: the instance reset, the dialler got %v", i, err)
		}
	}
	if got := statsOf(m, "a-1", "b-1").Reset; got != 0 {
		t.Errorf("%d resets are counted as a rule's", got)
	}
}

// A dialler that resets after it has half-closed must reset the instance.
func TestResetAfterHalfClose(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	result := make(chan error, 1)
	server := serveTCP(t, func(c *net.TCPConn) {
		_, _ = io.ReadAll(c)
		_, _ = c.Write([]byte("half"))
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				result <- err
				return
			}
			<-time.After(time.Millisecond)
		}
	})
	front := openFront(t, m, "a-1", "b", "b-1", server)
	for range 20 {
		c := dial(t, front)
		_ = c.CloseWrite()
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		reset(c)
		select {
		case <-result:
		case <-time.After(patience):
			t.Fatal("the instance still writes to a dialler that reset")
		}
	}
}

func TestEndOfDataIsNoReset(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("bye"))
		_ = c.Close()
	}))
	for i := range 50 {
		if got, err := io.ReadAll(dial(t, front)); err != nil || string(got) != "bye" {
			t.Fatalf("try %d: %q %v", i, got, err)
		}
	}
}

func TestDeadTargetIsReset(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", freeAddr(t))
	c, err := tryDial(front, patience)
	if err == nil { // else it was reset so fast that the dial saw it
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, err = c.Read(make([]byte, 1))
	}
	if !isReset(err) {
		t.Errorf("got %v, want a reset", err)
	}
	if s := statsOf(m, "a-1", "b-1"); s.Dials != 1 || s.Refused != 1 {
		t.Errorf("stats %+v, want one dial, refused", s)
	}
}

// 8 MB keep their order and sum through delay and jitter, and through cuts and heals.
func TestOrderUnderRules(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{Seed: 7})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	data := random(8 << 20)
	c := dial(t, front)
	done := make(chan struct{})
	var got []byte
	var err error
	go func() {
		defer close(done)
		got, err = exchangeAll(c, data)
	}()
	both := []system.Link{ab("a-1", "b-1"), ab("b-1", "a-1")}
	slow := system.Rule{Kind: system.Delay, Delay: 20 * time.Millisecond, Jitter: 15 * time.Millisecond}
	for i := 0; ; i++ {
		set(t, m, "slow", slow, both...)
		set(t, m, "cut", system.Rule{Kind: system.Cut}, both[i%2])
		<-time.After(5 * time.Millisecond)
		clearRule(t, m, "cut")
		<-time.After(20 * time.Millisecond)
		if i%3 == 2 {
			clearRule(t, m, "slow")
		}
		select {
		case <-done:
		default:
			continue
		}
		break
	}
	if err != nil || sha256.Sum256(got) != sha256.Sum256(data) {
		t.Fatalf("%d of %d bytes came back, or another order: %v", len(got), len(data), err)
	}
}
