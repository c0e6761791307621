package sim

import (
	"strconv"
	"strings"
)

// Env is the environment variable by which "assay sim" tells a test binary what to run. Its value is
// settings "key=value" with ; in between. It must be there from the start of the process.
const Env = "ASSAY_SIM"

// settings of a process.
type settings struct {
	seed, step uint64 // the nth iteration of a test takes seed + n*step
	mode       string // "" for the seed's own
	report     string // file that reports are appended to, as JSON lines
	record     string // file that decisions are written to
	trace      bool   // and all that the trace is a hash of
	replay     string // file of decisions to make
	overrides  int    // how many are in it
	steps      uint64 // give up after so many goroutines were picked, where that is fewer than the test allows
	limit      uint64 // and after so much simulated time, ns
	vars       string // file of package variables to watch
	run        int    // which simulation of a test is recorded, and replayed, from 0: others go by the seed
}

func parseSettings(text string) settings {
	s := settings{step: 1}
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, ";")
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "seed":
			s.seed, _ = strconv.ParseUint(value, 10, 64)
		case "step":
			s.step, _ = strconv.ParseUint(value, 10, 64)
		case "mode":
			s.mode = value
		case "report":
			s.report = value
		case "record":
			s.record = value
		case "trace":
			s.trace = value == "1"
		case "replay":
			s.replay = value
		case "overrides":
			s.overrides, _ = strconv.Atoi(value)
		case "steps":
			s.steps, _ = strconv.ParseUint(value, 10, 64)
		case "limit":
			s.limit, _ = strconv.ParseUint(value, 10, 64)
		case "vars":
			s.vars = value
		case "run":
			s.run, _ = strconv.Atoi(value)
		}
	}
	return s
}
