package plain

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/telemetry"
)

// sampleEvery is how often the instances' use of resources is recorded.
const sampleEvery = time.Second

// A usage is what the processes of one instance use at one moment.
type usage struct {
	CPU     float64 // seconds since the first look
	RSS     float64 // bytes
	FDs     float64
	Threads float64
}

// watchUsage writes what each instance uses, once a second, and what the load driver uses as the instance "client".
func (r *recording) watchUsage(ctx context.Context) {
	// As for leaks: the thread ends with the goroutine, and takes its low priority with it.
	runtime.LockOSThread()
	lowPriority()
	s := newSampler(r.env)
	r.every(ctx, "usage", sampleEvery, func() {
		used, err := s.look()
		if err != nil {
			r.fail(fmt.Errorf("measure what instances use: %w", err))
			return
		}
		at := r.now()
		for _, n := range r.env.nodes {
			r.usage(at, n.inst.Name, used[n.inst.Name])
		}
		if client, ok := used[system.Client]; ok {
			r.usage(at, system.Client, client)
		}
	})
}

func (r *recording) usage(at time.Duration, instance string, u usage) {
	labels := map[string]string{"instance": instance}
	r.fail(r.series.Write(telemetry.Sample{At: at, Name: telemetry.CPUSeconds, Labels: labels, Value: u.CPU}))
	r.fail(r.series.Write(telemetry.Sample{At: at, Name: telemetry.RSSBytes, Labels: labels, Value: u.RSS}))
	r.fail(r.series.Write(telemetry.Sample{At: at, Name: telemetry.OpenFDs, Labels: labels, Value: u.FDs}))
	r.fail(r.series.Write(telemetry.Sample{At: at, Name: telemetry.Threads, Labels: labels, Value: u.Threads}))
}
