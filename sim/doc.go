// Package sim runs ordinary Go tests as simulations: every order of events is decided by a seed.
//
//	func TestTransfer(t *testing.T) {
//		sim.Run(t, func(s *sim.Sim) {
//			s.Links(sim.Link{Latency: 2 * time.Millisecond, Jitter: 8 * time.Millisecond, Loss: 0.01})
//			for _, name := range []string{"bank1", "bank2", "bank3"} {
//				s.Host(name).Boot(func() { bank.Serve(":8080") }) // unmodified: net, net/http, time, sync, …
//			}
//			s.Host("client").Go(func() { transfers(s) })
//			time.Sleep(2 * time.Second) // of simulated time: no time at all
//			s.Host("bank2").Crash()
//			time.Sleep(5 * time.Second)
//			s.Host("bank2").Restart()
//			s.Heal()
//			sim.Always(total() == 300, "no money is lost", total())
//		})
//	}
//
// "assay sim ./..." builds the tests with a changed copy of some files of Go's runtime and package net, and runs them
// over many seeds. A seed that fails is found again with
//
//	assay sim --seed 42 --seeds 1 --run '^TestTransfer$' ./bank
//
// Plain "go test" runs the same file once on testing/synctest alone: simulated time, and no say over orders. A test that
// asks for hosts is skipped there, with the reason.
//
// # What a seed decides
//
// Which runnable goroutine runs next, and where it is preempted: before operations of channels, mutexes, wait groups, atomics,
// select and go statements. Which ready case a select takes. Which of two timers of one instant fires first. The order of
// maps, hash seeds, math/rand, crypto/rand. What the simulated network delays, loses and reorders. [Sim.Choose].
//
// Such choices are decisions: numbered, recorded for a failing run, and there to be made again or left out. The choice 0 is what
// happens without a reason, so a run with fewer decisions is a plainer one.
//
// Time is quantised ([Options].Quantum, 1 ms): code takes no simulated time, and things that happen nearly
// at once would otherwise never overlap.
//
// # Limits
//
// What comes from outside is not decided: real files and pipes that block, child processes, C code, goroutines made before
// the simulation. It is noticed, told with a stack, and makes the verdict unknown. Package variables belong to the
// process: a crash of a host does not reset them, nor does the next seed (http.DefaultTransport is each host's own). Data races between operations are not interleaved:
// run with -race, too. A seed is of one Go version, one set of build flags and one state of the code.
package sim
