package txn

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// generate makes a strictly serializable history of n transactions by 20 processes, of 1 to 7 micro-operations, on keys that are
// given up after 32 writes.
func generate(typ DataType, n int) *History {
	const processes, active, most = 20, 10, 32
	rng := rand.New(rand.NewPCG(1, 2))
	b := NewBuilder(typ)
	var keys [active]int64
	var lists [active][]int64
	next := int64(0)
	for i := range keys {
		keys[i], next = next, next+1
	}
	for i := range n {
		// Each transaction takes effect at its call, and returns while about twenty others run.
		call := time.Duration(i) * 10
		b.Begin(history.Int(int64(i%processes)), call)
		for range 1 + rng.IntN(7) {
			k := rng.IntN(active)
			if rng.IntN(2) == 0 {
				if typ == Register && len(lists[k]) == 0 {
					b.ReadValue(history.Int(keys[k]), history.Value{})
				} else if typ == Register {
					b.ReadInt(keys[k], lists[k][len(lists[k])-1])
				} else {
					b.ReadInts(keys[k], lists[k])
				}
				continue
			}
			lists[k] = append(lists[k], int64(len(lists[k])+1))
			b.WriteInt(keys[k], int64(len(lists[k])))
			if len(lists[k]) == most {
				keys[k], next, lists[k] = next, next+1, lists[k][:0]
			}
		}
		b.End(history.OK, call+time.Duration(1+rng.IntN(199)))
	}
	h, err := b.History()
	if err != nil {
		panic(err)
	}
	return h
}

// peak returns the most memory the process ever had, in MB, or 0 where the system does not say.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kb, _ := strconv.ParseFloat(strings.Fields(after + " 0")[0], 64)
	return kb / 1024
}

// used returns the processor time of the process, of all its threads: what counts on a machine that others use too.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkCheck(b *testing.B) {
	for _, size := range []int{100_000, 1_000_000, 5_000_000} {
		for _, typ := range []DataType{ListAppend, Register} {
			b.Run(fmt.Sprintf("%v/%d", typ, size), func(b *testing.B) {
				began := used()
				h := generate(typ, size)
				built := used() - began
				runtime.GC()
				b.ResetTimer()
				cpu := used()
				for b.Loop() {
					if res := Check(b.Context(), h, StrictSerializable); res.Verdict != verdict.Pass {
						b.Fatal(res.Reason)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "txns/s")
				each := (used() - cpu) / time.Duration(b.N)
				b.ReportMetric(float64(size)/each.Seconds(), "txns/cpu-s")
				b.ReportMetric(float64(size)/(built+each).Seconds(), "made-and-checked/cpu-s")
				b.ReportMetric(peak(), "peak-MB")
				b.ReportMetric(peak()*(1<<20)/float64(size), "peak-B/txn")
			})
		}
	}
}
