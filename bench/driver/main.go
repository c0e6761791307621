// Command driver measures the load driver against a server of its own, in
// another process, and wrk against the same server, in one run:
//
//	go run ./bench/driver
//
// It prints how late the driver is at 5,000 requests per second, what a server
// that stalls looks like, and the highest rate that the driver keeps as a ratio of what wrk reaches.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

func main() {
	server := flag.Bool("server", false, "be the server")
	length := flag.Duration("for", 5*time.Second, "length of each measurement")
	flag.Parse()
	run := func() error { return measure(*length) }
	if *server {
		run = serve
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(4)
	}
}

// serve answers at once, or after a stall that /stall starts, until its standard input ends.
func serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var until atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/stall", func(http.ResponseWriter, *http.Request) { until.Store(time.Now().Add(2 * time.Second).UnixNano()) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		if left := until.Load() - time.Now().UnixNano(); left > 0 {
			time.Sleep(time.Duration(left)) // the stall itself
		}
		fmt.Fprint(w, "ok")
	})
	fmt.Println(l.Addr())
	go func() { _ = http.Serve(l, mux) }()
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	return nil
}

func measure(length time.Duration) error {
	addr, stop, err := startServer()
	if err != nil {
		return err
	}
	defer stop()
	url := "http://" + addr + "/"
	before := cpu()
	steady, err := drive(url, 5000, length)
	if err != nil {
		return err
	}
	fmt.Printf("5000/s for %v: %s, %v of CPU a run\n", length, line(steady), (cpu()-before)/time.Duration(max(steady.Runs, 1)))
	if err := stall(url); err != nil {
		return err
	}
	best, err := highest(url, length)
	if err != nil {
		return err
	}
	fmt.Printf("highest rate kept: %.0f/s\n", best)
	wrk, err := wrk(url, length)
	if errors.Is(err, exec.ErrNotFound) {
		fmt.Println("wrk: not installed, ratio not measured (apt-get install wrk)")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Printf("wrk (2 threads, 64 connections): %.0f/s\nratio: %.2f\n", wrk, best/wrk)
	return nil
}

// cpu returns the processor time that this process used so far.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func startServer() (addr string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, "-server")
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	stop = func() {
		in.Close()
		_ = cmd.Wait()
	}
	return addr[:max(len(addr)-1, 0)], stop, err
}

func drive(url string, rate float64, length time.Duration) (workload.Stats, error) {
	return workload.Drive(context.Background(), options(url, rate, length, nil))
}

func options(url string, rate float64, length time.Duration, record func(history.Op)) workload.Options {
	return workload.Options{Seed: 1, Record: record, Duration: length, Load: []workload.Load{{Journey: "get", Rate: rate}},
		Journeys: []workload.Journey{{Name: "get", Steps: []workload.Step{{Call: "GET " + url, Expect: "status == 200"}}}}}
}

func line(s workload.Stats) string {
	return fmt.Sprintf("%d runs, %d not ok, lateness p50 %v p99 %v p99.9 %v max %v, at most %d in flight",
		s.Runs, s.Failed+s.Maybe, s.Lateness.P50, s.Lateness.P99, s.Lateness.P999, s.Lateness.Max, s.InFlight)
}

// stall shows that a stall of 2 s at 1,000/s is seen by all who arrived in it.
func stall(url string) error {
	var late, slowest atomic.Int64
	timer := time.AfterFunc(time.Second, func() { _, _ = http.Get(url + "stall") })
	defer timer.Stop()
	stats, err := workload.Drive(context.Background(), options(url, 1000, 4*time.Second, func(op history.Op) {
		if op.Kind != history.Journey {
			return
		}
		if op.Latency() > 10*time.Millisecond {
			late.Add(1)
		}
		for was := slowest.Load(); int64(op.Latency()) > was && !slowest.CompareAndSwap(was, int64(op.Latency())); was = slowest.Load() {
		}
	}))
	fmt.Printf("1000/s with a stall of 2s: %d late operations, slowest %v; %s\n", late.Load(), time.Duration(slowest.Load()), line(stats))
	return err
}

// highest returns the highest rate at which every run ends ok and the driver is
// not late (p99 at most 10 ms), found by halving the interval.
func highest(url string, length time.Duration) (float64, error) {
	low, high := 5000.0, 100000.0
	for high-low > 1000 {
		rate := (low + high) / 2
		stats, err := drive(url, rate, min(length, 3*time.Second))
		if err != nil {
			return 0, err
		}
		if stats.OK == stats.Runs && stats.Lateness.P99 <= 10*time.Millisecond {
			low = rate
		} else {
			high = rate
		}
	}
	return low, nil
}

func wrk(url string, length time.Duration) (float64, error) {
	out, err := exec.Command("wrk", "-t2", "-c64", "-d"+strconv.Itoa(int(length.Seconds()))+"s", url).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	found := regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("wrk printed no rate: %s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
