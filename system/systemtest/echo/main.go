// Command echo is the service that system/systemtest runs in every environment.
// It does over HTTP what the suite must see an environment notice: it answers,
// calls another service, keeps data, opens ports, leaves children behind, and ends.
//
// LISTEN is where it serves, NAME who it is, DATA the folder it may write to,
// PEER the base URL of the service it calls.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		mode(os.Args[1:])
		return
	}
	s := &server{name: os.Getenv("NAME"), data: filepath.Join(os.Getenv("DATA"), "value")}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-terminated
		os.Exit(0)
	}()
	fmt.Printf("%s serves on %s\n", s.name, os.Getenv("LISTEN"))
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Getenv("LISTEN"), s.routes()))
	os.Exit(1)
}

// mode is what a child of a server does, or a service that is not one.
func mode(args []string) {
	switch args[0] {
	case "daemon": // leave a grandchild that nobody is the parent of
		child := exec.Command(os.Args[0], "sleep")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "sleep":
		time.Sleep(time.Hour)
	case "deaf": // takes no SIGTERM
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Hour)
	case "say": // prints and ends: say STATUS LINE...
		for _, line := range args[2:] {
			fmt.Println(line)
		}
		status, _ := strconv.Atoi(args[1])
		os.Exit(status)
	case "write": // writes a file and ends: write PATH TEXT
		if err := os.WriteFile(args[1], []byte(args[2]), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintf(os.Stderr, "echo: no mode is called %q\n", args[0])
		os.Exit(2)
	}
}

type server struct {
	name string
	data string
	sick atomic.Bool

	mu   sync.Mutex
	kept []io.Closer // what /open and /dial leave open
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("POST /sick", func(http.ResponseWriter, *http.Request) { s.sick.Store(true) })
	mux.HandleFunc("POST /well", func(http.ResponseWriter, *http.Request) { s.sick.Store(false) })
	mux.HandleFunc("GET /name", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s.name) })
	mux.HandleFunc("GET /role", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"role": "leader", "name": %q, "term": 3}`, s.name)
	})
	mux.HandleFunc("GET /data", s.read)
	mux.HandleFunc("PUT /data", s.write)
	mux.HandleFunc("GET /call", s.call)
	mux.HandleFunc("POST /open", s.open)
	mux.HandleFunc("POST /dial", s.dial)
	mux.HandleFunc("POST /spawn", s.spawn)
	mux.HandleFunc("POST /limit", s.limit)
	mux.HandleFunc("POST /print", func(_ http.ResponseWriter, r *http.Request) { fmt.Println(r.FormValue("line")) })
	mux.HandleFunc("POST /exit", func(_ http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.FormValue("status"))
		os.Exit(status)
	})
	return mux
}

func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	if s.sick.Load() {
		http.Error(w, "sick", http.StatusServiceUnavailable)
	}
}

func (s *server) read(w http.ResponseWriter, _ *http.Request) {
	text, err := os.ReadFile(s.data)
	if err != nil && !os.IsNotExist(err) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write(text)
}

func (s *server) write(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = os.WriteFile(s.data, text, 0o644)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// call asks PEER for its name, and passes the answer on.
func (s *server) call(w http.ResponseWriter, r *http.Request) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, os.Getenv("PEER")+"/name", nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	io.Copy(w, response.Body)
}

// open listens on one more port.
func (s *server) open(w http.ResponseWriter, _ *http.Request) {
	host, _, _ := net.SplitHostPort(os.Getenv("LISTEN"))
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.keep(listener)
	io.WriteString(w, listener.Addr().String())
}

// dial connects to addr and keeps the connection.
func (s *server) dial(w http.ResponseWriter, r *http.Request) {
	conn, err := net.Dial("tcp", r.FormValue("addr"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	s.keep(conn)
}

func (s *server) keep(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, c)
}

// spawn leaves a daemonised process behind.
func (s *server) spawn(w http.ResponseWriter, _ *http.Request) {
	if err := exec.Command(os.Args[0], "daemon").Run(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// limit lowers how many files it may open.
func (s *server) limit(w http.ResponseWriter, _ *http.Request) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err == nil {
		limit.Cur = 200
		err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
