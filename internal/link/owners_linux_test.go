package link

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/system"
)

const (
	markKey  = "LINK_TEST_INSTANCE" // marks a child as an instance
	childKey = "LINK_TEST_CHILD"    // what a child does: "listen", or an address to dial
)

// TestMain is also the child of the tests that need an instance in a process of its own.
func TestMain(m *testing.M) {
	if what := os.Getenv(childKey); what != "" {
		if err := child(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child listens or dials, prints its address, and stays until its standard input ends.
func child(what string) error {
	if what == "listen" {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(c, c) }()
			}
		}()
		fmt.Println(l.Addr())
	} else {
		c, err := net.Dial("tcp", what)
		if err != nil {
			return err
		}
		if err := say(c, "hello", patience); err != nil {
			return err
		}
		fmt.Println(c.LocalAddr())
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// startChild starts a child as an instance and returns the address it prints.
func startChild(t *testing.T, mark, instance, what string) netip.AddrPort {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), markKey+"="+mark+"/"+instance, childKey+"="+what)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("child %s: %v", instance, err)
	}
	addr, err := netip.ParseAddrPort(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// instanceOf reads the mark that startChild put into a process's environment.
func instanceOf(mark string) func(pid int) string {
	return func(pid int) string {
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		for _, entry := range strings.Split(string(env), "\x00") {
			if name, ok := strings.CutPrefix(entry, markKey+"="+mark+"/"); ok {
				return name
			}
		}
		return ""
	}
}

// testMark is unique, so that tests at the same time do not see each other's children.
func testMark(t *testing.T) string { return fmt.Sprintf("%s.%d", t.Name(), os.Getpid()) }

func TestOwnerOfChild(t *testing.T) {
	t.Parallel()
	mark := testMark(t)
	owners := NewOwners(instanceOf(mark))
	m := newTestMesh(t, Options{Owner: owners.Owner})
	front := openFront(t, m, "", "b", "b-1", serveTCP(t, echo))
	for i, instance := range []string{"a-1", "a-2", "a-1"} {
		startChild(t, mark, instance, front.String())
		if s := statsOf(m, instance, "b-1"); s.Dials == 0 || s.BytesIn == 0 {
			t.Errorf("child %d: nothing is attributed to %s: %+v", i, instance, m.Stats())
		}
	}
	if s := statsOf(m, "a-1", "b-1"); s.Dials != 2 {
		t.Errorf("%d dials of a-1, want 2", s.Dials)
	}
	if err := say(dial(t, front), "not an instance", patience); err != nil {
		t.Fatal(err)
	}
	if s := statsOf(m, Unknown, "b-1"); s.Dials != 1 {
		t.Errorf("this process is no instance, and has %+v", s)
	}
}

// A program with one IPv6 socket for both families is found too.
func TestOwnerOfMappedSocket(t *testing.T) {
	t.Parallel()
	mark := testMark(t)
	owners := NewOwners(instanceOf(mark))
	m := newTestMesh(t, Options{Owner: owners.Owner})
	front := openFront(t, m, "", "b", "b-1", serveTCP(t, echo))
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 to open such a socket")
	}
	script := fmt.Sprintf("import socket;s=socket.socket(socket.AF_INET6);s.connect(('::ffff:%s',%d));s.send(b'x');s.recv(1)", front.Addr(), front.Port())
	cmd := exec.Command("python3", "-c", script)
	cmd.Env = append(os.Environ(), markKey+"="+mark+"/py-1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no mapped socket here: %v %s", err, out)
	}
	if s := statsOf(m, "py-1", "b-1"); s.Dials != 1 {
		t.Errorf("stats %+v", m.Stats())
	}
}

func TestRulesOnSharedFront(t *testing.T) {
	t.Parallel()
	mark := testMark(t)
	owners := NewOwners(instanceOf(mark))
	m := newTestMesh(t, Options{Owner: owners.Owner})
	front := openFront(t, m, "", "b-1", "b-1", serveTCP(t, echo))
	set(t, m, "cut", system.Rule{Kind: system.Cut}, ab("a-1", "b-1"))
	startChild(t, mark, "a-2", front.String()) // is served
	go func() {
		eventually(t, "the other stalls", func() bool { return statsOf(m, "a-1", "b-1").Stalled == 1 })
		clearRule(t, m, "cut")
	}()
	startChild(t, mark, "a-1", front.String()) // returns once served, after the heal
	if s := statsOf(m, "a-1", "b-1"); s.Stalled != 1 || s.Dials != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestLeaks(t *testing.T) {
	t.Parallel()
	mark := testMark(t)
	owners := NewOwners(instanceOf(mark))
	m := newTestMesh(t, Options{Owner: owners.Owner})
	private := startChild(t, mark, "b-1", "listen")
	front := openFront(t, m, "", "b-1", "b-1", private)

	startChild(t, mark, "a-1", front.String()) // through the mesh
	startChild(t, mark, "b-1", private.String())
	if found, err := owners.Leaks(); err != nil || len(found) != 0 {
		t.Fatalf("a leak before one is planted: %v %v", found, err)
	}
	from := startChild(t, mark, "a-1", private.String()) // directly
	found, err := owners.Leaks()
	if err != nil {
		t.Fatal(err)
	}
	if want := []Leak{{"a-1", "b-1", from, private}}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

func TestOwnerOfNobody(t *testing.T) {
	t.Parallel()
	owners := NewOwners(func(int) string { return "" })
	if name, ok := owners.Owner(freeAddr(t), freeAddr(t)); ok {
		t.Errorf("a socket that does not exist belongs to %q", name)
	}
}

func BenchmarkOwner(b *testing.B) {
	server := serveTCP(b, echo)
	c := dial(b, server)
	self := os.Getpid()
	owners := NewOwners(func(pid int) string {
		if pid == self {
			return "me-1"
		}
		return ""
	})
	owners.self = 0
	for b.Loop() {
		if _, ok := owners.Owner(addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())); !ok {
			b.Fatal("not found")
		}
	}
}
