package load

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A program does something n times.
type program struct {
	name string
	n    int // of a measurement that takes some 20 ms
	do   func(n int)
	in   bool // only in a bubble, where to sleep takes no time
}

func programs() []program {
	return []program{
		{name: "channel", n: 100_000, do: channel},
		{name: "buffered channel", n: 200_000, do: buffered},
		{name: "select", n: 60_000, do: selects},
		{name: "spawn", n: 60_000, do: spawn},
		{name: "sleep", n: 40_000, do: sleep, in: true},
		{name: "map", n: 400, do: maps},
		{name: "CPU (sort)", n: 100, do: sorts},
		{name: "mutex", n: 1_000_000, do: mutex},
		{name: "contended mutex", n: 400_000, do: contended},
		{name: "RWMutex", n: 500_000, do: readers},
		{name: "atomic", n: 5_000_000, do: atomics},
		{name: "condition", n: 40_000, do: condition},
		{name: "allocation", n: 400_000, do: allocate},
		{name: "allocation, 32 MB live", n: 400_000, do: allocateMore},
	}
}

// asked skips what bench/sim did not start.
func asked(t *testing.T) {
	if os.Getenv("LOAD_SCALE") == "" {
		t.Skip("measured by: go run ./bench/sim overhead")
	}
}

// TestInside measures in a simulation.
func TestInside(t *testing.T) {
	asked(t)
	for _, p := range programs() {
		sim.RunWith(t, sim.Options{Quantum: -1, Steps: 1 << 60, Stall: -1}, func(*sim.Sim) { measure("in", p) })
	}
}

// TestOutside measures the same without.
func TestOutside(t *testing.T) {
	asked(t)
	for _, p := range programs() {
		if !p.in {
			measure("out", p)
		}
	}
}

// measure prints ns of processor time of one operation: time itself is the simulation's.
func measure(where string, p program) {
	if only := os.Getenv("LOAD_ONLY"); only != "" && only != p.name {
		return
	}
	scale, _ := strconv.Atoi(os.Getenv("LOAD_SCALE"))
	n := max(p.n/max(scale, 1), 1)
	p.do(n/10 + 1)
	before := used()
	p.do(n)
	fmt.Printf("%s\t%s\t%d\n", where, p.name, (used()-before).Nanoseconds()*1000/int64(n))
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func channel(n int) { passes(n, 0) }

func buffered(n int) { passes(n, 16) }

func passes(n, size int) {
	c := make(chan int, size)
	go func() {
		for i := range n {
			c <- i
		}
		close(c)
	}()
	for range c {
	}
}

func selects(n int) {
	a, b, done := make(chan int), make(chan int), make(chan bool)
	for _, c := range []chan int{a, b} {
		go func() {
			for range n / 2 {
				c <- 1
			}
			done <- true
		}()
	}
	for ended := 0; ended < 2; {
		select {
		case <-a:
		case <-b:
		case <-done:
			ended++
		}
	}
}

func spawn(n int) {
	var wg sync.WaitGroup
	for range n {
		wg.Add(1)
		go wg.Done()
		if n%16 == 0 {
			wg.Wait()
		}
	}
	wg.Wait()
}

func sleep(n int) {
	for range n {
		time.Sleep(time.Millisecond)
	}
}

func maps(n int) {
	sum := 0
	for range n {
		m := map[int]int{}
		for i := range 500 {
			m[i*7919] = i
		}
		for k, v := range m {
			sum += k + v
		}
	}
	sink.Store(int64(sum))
}

func sorts(n int) {
	numbers := make([]uint32, 4000)
	for range n {
		x := uint32(1)
		for i := range numbers {
			x = x*1664525 + 1013904223
			numbers[i] = x
		}
		slices.Sort(numbers)
	}
}

func mutex(n int) {
	var mu sync.Mutex
	count := 0
	for range n {
		mu.Lock()
		count++
		mu.Unlock()
	}
}

func contended(n int) {
	var mu sync.Mutex
	count := 0
	several(4, func() {
		for range n / 4 {
			mu.Lock()
			count++
			mu.Unlock()
		}
	})
}

func readers(n int) {
	var mu sync.RWMutex
	count := 0
	several(4, func() {
		for i := range n / 4 {
			if i%8 == 0 {
				mu.Lock()
				count++
				mu.Unlock()
				continue
			}
			mu.RLock()
			_ = count
			mu.RUnlock()
		}
	})
}

func atomics(n int) {
	several(4, func() {
		for range n / 4 {
			sink.Add(1)
		}
	})
}

func condition(n int) {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	turn := 0
	side := func(me int) {
		mu.Lock()
		defer mu.Unlock()
		for range n / 2 {
			for turn != me {
				cond.Wait()
			}
			turn = 1 - me
			cond.Signal()
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { side(0) })
	wg.Go(func() { side(1) })
	wg.Wait()
}

func allocate(n int) {
	kept := make([][]byte, 1024)
	for i := range n {
		kept[i%len(kept)] = make([]byte, 64+i%64)
	}
	sink.Store(int64(len(kept)))
}

func allocateMore(n int) {
	live := make([]*[4]*byte, 1<<20)
	for i := range live {
		live[i] = new([4]*byte)
	}
	allocate(n)
	sink.Store(int64(len(live)))
}

func several(k int, f func()) {
	var wg sync.WaitGroup
	for range k {
		wg.Go(f)
	}
	wg.Wait()
}

var sink atomic.Int64
