// Package world has simulations that take something from the real world, which no seed decides. None of them waits for it.
package world

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/assay-dev/assay/sim"
)

func TestChild(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		if err := exec.Command("true").Run(); err != nil {
			t.Error(err)
		}
	})
}

// The host's own goroutine does it, deep in library code.
func TestChildOnHost(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("h").Do(func() { output(t) })
	})
}

func output(t *testing.T) {
	if _, err := exec.Command("echo", "x").Output(); err != nil {
		t.Error(err)
	}
}

func TestMachine(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		if _, err := os.ReadFile("/proc/sys/kernel/random/uuid"); err != nil {
			t.Error(err)
		}
	})
}

func TestClock(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var tv syscall.Timeval
		if err := syscall.Gettimeofday(&tv); err != nil || tv.Sec == 0 {
			t.Error(err, tv)
		}
	})
}

func TestClockByNumber(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var ts syscall.Timespec
		syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 0, uintptr(unsafe.Pointer(&ts)), 0)
	})
}

func TestWait(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		ts := syscall.Timespec{Nsec: 1000}
		syscall.Nanosleep(&ts, nil)
	})
}

// Longer than half a second, in a call that is not known to wait.
func TestLongWait(t *testing.T) {
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(800 * time.Millisecond)
		syscall.Write(p[1], []byte("x"))
	}()
	sim.Run(t, func(s *sim.Sim) { reads(p[0]) })
}

func reads(fd int) { syscall.Read(fd, make([]byte, 1)) }

func TestSocket(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		syscall.Connect(fd, &syscall.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}})
	})
}

// A file that stays as it is says the same to each seed; and what the test writes below its own folder is nobody else's.
func TestStableFile(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		if _, err := os.ReadFile("world_test.go"); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(s.T().TempDir(), "x"), nil, 0o666); err != nil {
			t.Error(err)
		}
	})
}

// What is left in a real file the next seed meets: advice, like that on package variables.
func TestWrites(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		f, err := os.OpenFile("testdata/log", os.O_CREATE|os.O_WRONLY, 0o666)
		if err == nil {
			f.Close()
		}
		if _, err := os.OpenFile("no such folder/log", os.O_CREATE|os.O_WRONLY, 0o666); err == nil {
			t.Error("no error")
		}
	})
}

// A file of a mounted disk is copied to a real one, and back.
func TestCopy(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("h")
		h.Disk().Mount("/data")
		real := filepath.Join(s.T().TempDir(), "copy")
		h.Do(func() {
			if err := os.WriteFile("/data/a", []byte("what is on the disk"), 0o666); err != nil {
				t.Error(err)
			}
			copied(t, "/data/a", real)
			copied(t, real, "/data/b")
			copied(t, "/data/b", "/data/c")
			if b, err := os.ReadFile("/data/c"); string(b) != "what is on the disk" || err != nil {
				t.Errorf("%q, %v", b, err)
			}
			if err := os.CopyFS(filepath.Join(filepath.Dir(real), "all"), os.DirFS("/data")); err != nil {
				t.Error(err)
			}
			limited(t, "/data/a", real)
		})
	})
}

func copied(t *testing.T, from, to string) {
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Errorf("%s to %s: %v", from, to, err)
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
}

func limited(t *testing.T, from, to string) {
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if n, err := io.CopyN(out, in, 4); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// A check that does not hold is told with the line of its caller.
func TestWhere(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		sim.Always(false, "always") // planted
	})
}

func TestWhereUnreachable(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		sim.Unreachable("unreachable") // planted
	})
}

func TestChoose(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		defer func() {
			if recover() == nil {
				t.Error("a choice among fewer than one")
			}
		}()
		s.Choose(-1)
	})
}

// Names of ports are asked neither of C code nor of a file.
func TestPorts(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("b").Go(func() { (&http.Server{Handler: http.NotFoundHandler()}).ListenAndServe() })
		s.Host("c").Go(func() { http.ListenAndServe(":HTTP", http.NotFoundHandler()) })
		s.Host("a").Do(func() {
			time.Sleep(time.Second)
			for _, addr := range []string{"b:http", "c:www"} {
				if c, err := net.Dial("tcp", addr); err != nil {
					t.Error(err)
				} else {
					c.Close()
				}
			}
			if n, err := net.LookupPort("udp", "ntp"); n != 123 || err != nil {
				t.Errorf("ntp: %d, %v", n, err)
			}
			for _, name := range []string{"no-such-port", "http."} {
				var dns *net.DNSError
				if n, err := net.LookupPort("tcp", name); !errors.As(err, &dns) || !dns.IsNotFound {
					t.Errorf("%s: %d, %v", name, n, err)
				}
			}
		})
	})
}

// The folder for temporary files has one name in all processes, whoever made what is in it.
func TestTemp(t *testing.T) {
	before := t.TempDir()
	f, err := os.CreateTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	sim.Run(t, func(s *sim.Sim) {
		dir := s.T().TempDir()
		s.Event("%s %s %s %s %s", os.TempDir(), before, f.Name(), t.TempDir(), dir)
		if real, err := filepath.EvalSymlinks(dir); real != dir || err != nil {
			t.Errorf("%s is %s, %v", dir, real, err)
		}
		s.T().Chdir(dir)
		if err := os.Mkdir("below", 0o777); err != nil {
			t.Error(err)
		}
		if err := os.Chdir("below"); err != nil {
			t.Error(err)
		}
		if here, err := os.Getwd(); here != dir+"/below" || err != nil {
			t.Errorf("here is %s, %v; want %s/below", here, err, dir)
		}
	})
}
