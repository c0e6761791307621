package format_test

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/history/format"
)

// source writes a history while it is read, so that none of it is held in memory.
type source struct {
	ops, at int
	write   func(w *strings.Builder, i int)
	left    string
}

func (s *source) Read(p []byte) (int, error) {
	if s.left == "" {
		if s.at == s.ops {
			return 0, io.EOF
		}
		var b strings.Builder
		for end := min(s.ops, s.at+200); s.at < end; s.at++ {
			s.write(&b, s.at)
		}
		s.left = b.String()
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

func sources() map[string]func(w *strings.Builder, i int) {
	return map[string]func(w *strings.Builder, i int){
		"operations": func(w *strings.Builder, i int) {
			fmt.Fprintf(w, `{"id":%d,"kind":"model","client":"%d","name":"write","object":"x","input":%d,"outcome":"ok","scheduled":%d,"call":%d,"return":%d}`+"\n", i+1, i%20, i, i*20, i*20, i*20+10)
		},
		"edn": func(w *strings.Builder, i int) {
			fmt.Fprintf(w, "{:type :invoke, :f :write, :value %d, :process %d, :time %d, :index %d}\n{:type :ok, :f :write, :value %d, :process %d, :time %d, :index %d}\n", i, i%20, i*20, 2*i, i, i%20, i*20+10, 2*i+1)
		},
		"json": func(w *strings.Builder, i int) {
			fmt.Fprintf(w, `{"type":"invoke","f":"write","value":%d,"process":%d,"time":%d,"index":%d}`+"\n"+`{"type":"ok","f":"write","value":%d,"process":%d,"time":%d,"index":%d}`+"\n", i, i%20, i*20, 2*i, i, i%20, i*20+10, 2*i+1)
		},
		"etcd log": func(w *strings.Builder, i int) {
			fmt.Fprintf(w, "INFO  jepsen.util - %d\t:invoke\t:write\t%d\nINFO  jepsen.util - %d\t:ok\t:write\t%d\n", i%20, i%5, i%20, i%5)
		},
	}
}

// BenchmarkRead reads 200,000 operations of each format from a source that costs time, too (its own share is told), beside a
// decoder of JSON that makes structs of the same lines, by processor time. Memory is what is live at the end of each reader.
func BenchmarkRead(b *testing.B) {
	const ops = 200_000
	for name, write := range sources() {
		b.Run(name, func(b *testing.B) {
			before := processor(b)
			for range b.N {
				f, err := format.New(&source{ops: ops, write: write}, name, format.Options{})
				if err != nil {
					b.Fatal(err)
				}
				n, err := 0, error(nil)
				for ; err == nil; n++ {
					_, err = f.Next()
				}
				if err != io.EOF || n-1 != ops {
					b.Fatal(n, err)
				}
				live(b)
				runtime.KeepAlive(f)
			}
			b.ReportMetric(float64(ops)*float64(b.N)/(processor(b)-before).Seconds(), "ops/cpu-s")
		})
		b.Run(name+"/source", func(b *testing.B) {
			before := processor(b)
			for range b.N {
				if _, err := io.Copy(io.Discard, struct{ io.Reader }{&source{ops: ops, write: write}}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(ops)*float64(b.N)/(processor(b)-before).Seconds(), "ops/cpu-s")
		})
	}
	for _, name := range []string{"operations", "json"} {
		b.Run(name+"/floor", func(b *testing.B) {
			before := processor(b)
			for range b.N {
				floor(b, &source{ops: ops, write: sources()[name]})
			}
			b.ReportMetric(float64(ops)*float64(b.N)/(processor(b)-before).Seconds(), "ops/cpu-s")
		})
	}
}

// floor decodes the lines with encoding/json and does nothing with them.
func floor(b *testing.B, in io.Reader) {
	dec := json.NewDecoder(in)
	for {
		var e struct {
			ID, Call, Return, Process, Time, Index int64
			Client, Name, Outcome, Type, F         string
			Input, Value                           any
		}
		if err := dec.Decode(&e); err == io.EOF {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

func live(b *testing.B) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/1e6, "live-MB")
}

// processor is the time that the processors spent on this process.
func processor(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
