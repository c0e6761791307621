// Package zap holds zapcore.BufferedWriteSyncer of go.uber.org/zap to its promise: Stop returns.
//
// Until v1.27.0 Stop waited, with the lock held, for the loop that flushes; the loop, if its ticker had fired, waited for the lock.
// https://github.com/uber-go/zap/issues/1428
//
// The order it takes: the ticker fires, Stop takes the lock, the loop asks for it. Whoever waits for a mutex is not idle to
// testing/synctest: its clock stands still, so nothing within the bubble can tell. A real timer outside ends the process.
package zap

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"go.uber.org/zap/zapcore"
)

func TestZap(t *testing.T) {
	watchdog := time.AfterFunc(10*time.Second, func() { panic("Stop has not returned for 10 s") })
	defer watchdog.Stop()
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		log := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(io.Discard), FlushInterval: 10 * time.Millisecond}
		var worker sync.WaitGroup
		worker.Go(func() {
			for range 5 { // five jobs of 8 ms: the last ends as the log is flushed for the fourth time
				if _, err := log.Write([]byte("job begun\n")); err != nil {
					t.Error(err)
				}
				time.Sleep(8 * time.Millisecond)
			}
		})
		worker.Wait()
		if err := log.Stop(); err != nil {
			t.Error(err)
		}
	})
}
