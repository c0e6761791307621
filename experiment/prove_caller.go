package experiment

import (
	"fmt"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"slices"
)

// A retry is a request of the journey that was made again after an attempt had failed under an observed fault.
// The driver's own requests are none: where a step polls, it repeats what went well, too.
func proveRetry(s scene) proof {
	failures := map[[6]string]history.Exchange{} // by request, the first to end
	for _, x := range s.in.Exchanges {
		had, ok := failures[s.request(x)]
		if x.Src != system.Client && failed(x) && s.underAny(x) && (!ok || x.End < had.End) {
			failures[s.request(x)] = x
		}
	}
	requests := 0
	var first, last history.Exchange
	for _, x := range s.in.Exchanges {
		// A request beside the one that failed is no second attempt.
		was, ok := failures[s.request(x)]
		if !ok || x.Attempt < 2 || x.Start < was.End || !s.traces[x.Trace()] {
			continue
		}
		requests++
		if x.Attempt > last.Attempt {
			first, last = was, x
		}
	}
	if requests == 0 {
		return missing("no request of %s was made again after an attempt that failed under the fault", s.journey)
	}
	return proven("%d retries were seen, up to attempt %d of %s %s from %s to %s, after one that ended with %s",
		requests, last.Attempt, last.Method, last.Path, last.Src, last.Dst, ending(first))
}

// request names what history.NumberAttempts counts attempts of.
func (s scene) request(x history.Exchange) [6]string {
	request := [6]string{s.in.Service(x.Src), s.in.Service(x.Dst), x.Method, x.Path, x.Trace(), x.Idempotency}
	if x.Idempotency != "" {
		request[4] = ""
	}
	return request
}

// failed says whether a caller has reason to try again: no whole answer, or one that says so.
func failed(x history.Exchange) bool {
	grpc := x.Protocol == "grpc" || x.Code != ""
	silent := x.Status == 0 && x.Code == ""
	return x.Error != "" || silent || x.Status >= 500 || x.Status == 429 || grpc && x.Code != "OK"
}

func ending(x history.Exchange) string {
	switch {
	case x.Error != "":
		return x.Error
	case x.Code != "":
		return x.Code
	case x.Status != 0:
		return fmt.Sprintf("status %d", x.Status)
	}
	return "no answer"
}

// A timeout is an exchange of the journey that lasted to its caller's deadline
// without an answer, on a link or an instance that a fault made slow.
func proveTimeout(s scene) proof {
	for _, x := range s.in.Exchanges {
		if !s.traces[x.Trace()] {
			continue
		}
		unanswered := x.First == 0 || x.First-x.Start > x.Deadline
		expired := x.Deadline > 0 && unanswered && x.End-x.Start >= x.Deadline*9/10
		gaveUp := x.Deadline == 0 && x.First == 0 && x.Error == "caller gave up"
		if (expired || gaveUp) && s.slowed(x) {
			return proven("%s -> %s %s waited %s for an answer, deadline %s", x.Src, x.Dst, x.Path, ms(x.End-x.Start), deadlineText(x))
		}
	}
	return missing("no caller in %s was seen to reach its deadline while a fault held its answer back", s.journey)
}

func deadlineText(x history.Exchange) string {
	if x.Deadline == 0 {
		return "its own: it gave up"
	}
	return ms(x.Deadline)
}

// slowed says whether an observed fault could have held this exchange back: it
// began under the fault, or spent most of its wait there.
func (s scene) slowed(x history.Exchange) bool {
	for _, sp := range s.spans {
		if !slices.Contains([]string{"delay", "cut", "pause", "throttle", "drop", "blackhole", "slice", "link"}, sp.kind) || !s.under(x, sp) {
			continue
		}
		shared := min(x.End, s.healed(sp)) - max(x.Start, sp.inject)
		if x.Start < sp.inject && shared < (x.End-x.Start)/2 {
			continue // it was late before
		}
		// Who asks and is paused itself was not held up by an answer.
		if slices.ContainsFunc(sp.observedOn(), func(target string) bool { return target != x.Src && passes(x, target) }) {
			return true
		}
	}
	return false
}

// Latency is a delay that requests of the journey passed: one that began under it was answered, and before its caller's
// deadline. What its caller gave up on is a timeout.
func proveLatency(s scene) proof {
	return s.met("delay", func(x history.Exchange, sp span, _ string) (bool, string) {
		took := x.End - x.Start
		inTime := x.Deadline == 0 || took < x.Deadline
		return x.Start >= sp.inject && answered(x) && inTime, "answered after " + ms(took)
	}, "no request of %s that began under it was answered in time")
}

// Loss is a drop that lost a chunk of a request's connection while the request was under way: the request itself says so, since most
// that pass a drop lose nothing.
func proveLoss(s scene) proof {
	return s.met("drop", func(x history.Exchange, sp span, _ string) (bool, string) {
		return slices.Contains(x.Lost, sp.fault), fmt.Sprintf("under way for %s and lost a chunk", ms(x.End-x.Start))
	}, "no request of %s that was under way lost a chunk")
}

// answered says whether the caller got a whole answer, whatever it says.
func answered(x history.Exchange) bool {
	return x.Error == "" && (x.Status != 0 || x.Code != "") && x.Code != "DEADLINE_EXCEEDED" && x.Code != "CANCELLED"
}
