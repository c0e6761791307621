package diff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/telemetry"
)

// A world is what synthetic runs are drawn from: what real ones do to a comparison. Latencies hang together from one
// tenth of a second to the next, stall now and then, failures come in bursts, and runs differ by themselves.
type world struct {
	before, fault, after int     // seconds
	rate                 float64 // operations a second of "checkout"; "browse" has half
	spread               float64 // standard deviation of a run's own factor on latencies, 0 for runs that do not differ
	calm                 bool    // nothing hangs together, and nothing fails
	// planted
	p95      float64 // factor on the slower tenth of latencies, 0 for none
	slower   float64 // factor on all latencies, 0 for none
	failing  float64 // share of operations that fail besides
	recovery float64 // mean seconds until well after the heal, 0 for none
	retries  float64 // share of requests that are tried again
	cpu      float64 // seconds of processor per operation, 0 for 0.002
	rss      float64 // bytes, 0 for 50 MB
}

func factor(f float64) float64 {
	if f == 0 {
		return 1
	}
	return f
}

// drawn is one run of the world.
func (w world) drawn(seed uint64) check.Input {
	random := rand.New(rand.NewPCG(seed, 77))
	s := &synthetic{w: w, random: random, own: math.Exp(w.spread * random.NormFloat64()), id: 1}
	end := time.Duration(w.before+w.fault+w.after) * time.Second
	s.noise(end)
	s.recovered = time.Duration(w.before+w.fault)*time.Second + time.Duration(w.recovery*math.Exp(0.15*random.NormFloat64())*float64(time.Second))
	s.drive("checkout", w.rate, end)
	s.drive("browse", w.rate/2, end)
	s.events(end)
	s.resources(end)
	s.in.Service = func(instance string) string { name, _, _ := strings.Cut(instance, "-"); return name }
	history.NumberAttempts(s.in.Exchanges, s.in.Service)
	return s.in
}

type synthetic struct {
	w         world
	random    *rand.Rand
	in        check.Input
	own       float64
	id        uint64
	slow      []float64 // by tenth of a second
	failing   []float64
	recovered time.Duration
}

// noise draws what hangs together in time.
func (s *synthetic) noise(end time.Duration) {
	at := 0.0
	if s.w.calm {
		s.slow, s.failing = make([]float64, end/(100*time.Millisecond)+1), make([]float64, end/(100*time.Millisecond)+1)
		return
	}
	for range int(end/(100*time.Millisecond)) + 1 {
		at = 0.8*at + 0.09*s.random.NormFloat64() // a standard deviation of 0.15, forgotten in about half a second
		s.slow, s.failing = append(s.slow, at), append(s.failing, 0.002)
		if s.w.recovery > 0 { // which is the last failure, whatever it is from
			s.failing[len(s.failing)-1] = 0
		}
	}
	for i := range s.slow {
		if s.random.Float64() < 0.005 { // a stall of 300 ms every 20 s
			for j := i; j < min(i+3, len(s.slow)); j++ {
				s.slow[j] += 1.5
			}
		}
		if s.w.recovery == 0 && s.random.Float64() < 0.003 { // a burst of failures, half a second every 33 s
			for j := i; j < min(i+5, len(s.slow)); j++ {
				s.failing[j] += 0.3
			}
		}
	}
}

func (s *synthetic) drive(journey string, rate float64, end time.Duration) {
	for at := time.Duration(0); at < end; at += time.Duration(float64(time.Second) / rate) {
		cell := int(at / (100 * time.Millisecond))
		ms := 20 * s.own * factor(s.w.slower) * math.Exp(0.4*s.random.NormFloat64()+s.slow[cell])
		if s.w.p95 != 0 && s.random.Float64() < 0.1 {
			ms = max(ms, 40*s.own) * s.w.p95
		} else if s.random.Float64() < 0.1 {
			ms = max(ms, 40*s.own)
		}
		op := history.Op{ID: s.id, Kind: history.Journey, Client: "c", Journey: journey, Name: journey, Outcome: history.OK,
			Scheduled: at, Call: at, Return: at + time.Duration(ms*float64(time.Millisecond))}
		s.id++
		during := at >= time.Duration(s.w.before)*time.Second && at < time.Duration(s.w.before+s.w.fault)*time.Second
		if s.random.Float64() < s.failing[cell]+s.w.failing || s.w.recovery > 0 && journey == "checkout" && (during || at >= time.Duration(s.w.before+s.w.fault)*time.Second && at < s.recovered) {
			op.Outcome = history.Failed
		}
		s.in.Ops = append(s.in.Ops, op)
		s.request(at, op)
	}
}

func (s *synthetic) request(at time.Duration, op history.Op) {
	for i := range 2 {
		if i == 0 || s.random.Float64() < s.w.retries {
			s.in.Exchanges = append(s.in.Exchanges, history.Exchange{Src: "orders-1", Dst: "payments-1", Conn: 1, Protocol: "grpc", Method: "M", Path: "/pay",
				Start: at + time.Duration(i)*time.Millisecond, End: op.Return, Idempotency: fmt.Sprint(op.ID)})
		}
	}
}

func (s *synthetic) events(end time.Duration) {
	second := func(n int) time.Duration { return time.Duration(n) * time.Second }
	add := func(at time.Duration, kind history.EventKind, name string) {
		s.in.Events = append(s.in.Events, history.Event{At: at, Kind: kind, Name: name, Fault: 1})
	}
	add(0, history.Phase, "before")
	add(second(s.w.before), history.Phase, "fault")
	add(second(s.w.before), history.Inject, "kill(orders)")
	add(second(s.w.before+s.w.fault), history.Heal, "kill(orders)")
	add(second(s.w.before+s.w.fault), history.Phase, "healed")
	add(second(s.w.before+s.w.fault), history.Phase, "after")
	add(end, history.Phase, "drain")
}

func (s *synthetic) resources(end time.Duration) {
	labels := map[string]string{"instance": "orders-1"}
	used := telemetry.Series{Name: telemetry.CPUSeconds, Labels: labels}
	held := telemetry.Series{Name: telemetry.RSSBytes, Labels: labels}
	each, rss, total := s.w.cpu, s.w.rss, 0.0
	if each == 0 {
		each = 0.002
	}
	if rss == 0 {
		rss = 50e6
	}
	for at := 100 * time.Millisecond; at < end; at += time.Second {
		used.Points = append(used.Points, telemetry.Point{At: at, Value: math.Floor(total*100) / 100})
		held.Points = append(held.Points, telemetry.Point{At: at, Value: rss * math.Exp(0.02*s.random.NormFloat64())})
		total += each * s.w.rate * 1.5 * math.Exp(0.1*s.random.NormFloat64())
	}
	s.in.Series = []telemetry.Series{used, held}
}

// pool are n runs of the world as they would have been read.
func (w world) pool(name string, n int, seed uint64) []*Run {
	all := make([]*Run, n)
	var work sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i := range all {
		work.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			all[i] = &Run{ID: fmt.Sprintf("%s-%d", name, i), Meta: evidence.Meta{Environment: "plain"},
				plan:    plan{Experiments: map[string]planned{"slow": {}}},
				numbers: map[string]map[Key]estimate{"slow": reduce("slow", w.drawn(seed*100000+uint64(i)), 1)}}
		})
	}
	work.Wait()
	return all
}
