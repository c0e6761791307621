package fault

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// A sight is what can be seen of a fault on one link.
type sight struct {
	fault      link
	link       system.Link
	before     system.LinkStats // all up to the inject
	sinceArmed system.LinkStats // grown since the rule was set: nothing older is in flight any more
	rule       system.RuleStats // what the fault's own rule did since it was set: others may be set on the link, too
	elapsed    time.Duration    // at least as long as sinceArmed grew
	conns      int64            // connections that the link had since, whoever dialled
	dials      int64            // of them, those that were new
	ends       int64            // what the rule hit on the link and on its way back: a connection ends for both
}

// strict says that the fault must let nothing pass, or not more than so much, and so can be refuted at any time.
func (f link) strict() bool {
	switch f.kind {
	case "cut", "blackhole", "throttle":
		return !f.triggered()
	}
	return false
}

func (s sight) look() Effect {
	effect := Effect{Target: s.link.String()}
	if s.fault.ofRequests() {
		s.requests(&effect)
		return effect
	}
	looks := map[string]func(*Effect){
		"delay": s.delay, "throttle": s.throttle, "cut": s.cut, "drop": s.drop, "blackhole": s.blackhole, "reset": s.reset,
		"refuse": s.refuse, "slowclose": s.slowClose, "slice": s.slice, "limit": s.limit,
	}
	looks[s.fault.kind](&effect)
	return effect
}

// spared says that a fault with a trigger may have left everything alone by its own choice: who was to be hit did not come,
// or chance would have it so. Less than one chance in a thousand is no excuse.
func (s sight) spared() bool {
	when, drawn, dialled := s.fault.rule.When, s.conns, s.dials
	if s.fault.ofRequests() {
		drawn, dialled = s.rule.Matched, s.rule.Matched
	}
	switch {
	case !s.fault.triggered():
		return false
	case s.fault.match.Key != "": // nobody knows how many came of each
		return true
	case when == system.Trigger{P: when.P}:
		return unlikely(when.P, drawn) >= 0.001
	case when == system.Trigger{Nth: when.Nth}:
		return dialled <= int64(when.Nth) // the last of them may have said nothing yet
	case when == system.Trigger{First: when.First}:
		return dialled <= 1
	}
	return true
}

// unlikely is how likely it is that none of n is hit with the probability p.
func unlikely(p float64, n int64) float64 { return math.Pow(1-p, float64(n)) }

func (s sight) cut(effect *Effect) {
	grown := s.sinceArmed
	effect.Measured = amounts("bytes_in", grown.BytesIn, "bytes_out", grown.BytesOut, "dials", grown.Dials, "stalled", grown.Stalled)
	switch {
	case s.fault.triggered() && s.rule.Hit > 0:
		effect.Observed = true
		effect.Text = fmt.Sprintf("%d chunks and dials were held back where it was triggered", s.rule.Hit)
	case s.spared():
		effect.Idle, effect.Text = true, fmt.Sprintf("none of the %d connections of %s triggered it", s.conns, effect.Target)
	case grown.BytesOut > 0:
		effect.Text = fmt.Sprintf("%d bytes passed on %s since the inject", grown.BytesOut, effect.Target)
	case grown.BytesIn == 0 && grown.Stalled == 0:
		// A dial alone proves nothing: it is counted where it is answered too.
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes and no unanswered dial on %s since the inject", effect.Target)
	case s.rule.Hit == 0:
		effect.Text = fmt.Sprintf("%d bytes were offered to %s since the inject, none passed, and none was held back by this fault", grown.BytesIn, effect.Target)
	default:
		effect.Observed = true
		effect.Text = fmt.Sprintf("%d bytes were offered and %d dials left unanswered, none passed", grown.BytesIn, grown.Stalled)
	}
}

func (s sight) refuse(effect *Effect) {
	grown := s.sinceArmed
	effect.Measured = amounts("hit", s.rule.Hit, "bytes_out", grown.BytesOut)
	switch {
	case s.rule.Hit > 0:
		effect.Observed = true
		effect.Text = fmt.Sprintf("%d dials and connections were reset", s.rule.Hit)
	case grown.BytesOut > 0:
		effect.Idle = s.spared()
		effect.Text = fmt.Sprintf("nothing was refused or reset, and %d bytes passed on %s since the inject", grown.BytesOut, effect.Target)
	case grown.Dials > 0:
		effect.Idle = s.spared()
		effect.Text = fmt.Sprintf("%d dials were made on %s since the inject, and none refused", grown.Dials, effect.Target)
	default:
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes passed and no dial was made on %s since the inject", effect.Target)
	}
}

// burst is what may pass a throttle at once, besides its rate.
const burst = 64 << 10

// throttle is seen where bytes had to wait for the rate, and no more came out than it allows. The second is
// measured at the receiver's end and by another clock than the rule's.
func (s sight) throttle(effect *Effect) {
	grown, rule := s.sinceArmed, s.fault.rule
	rate := float64(rule.Rate)
	if rule.Each {
		rate *= float64(max(1, s.conns))
	}
	allowed := 1.1*rate*s.elapsed.Seconds() + burst
	effect.Measured = amounts("bytes_in", grown.BytesIn, "bytes_out", grown.BytesOut, "throttled_ms", grown.Throttled.Milliseconds(), "elapsed_ms", s.elapsed.Milliseconds())
	passed := fmt.Sprintf("%s passed on %s in %s", size(grown.BytesOut), effect.Target, s.elapsed.Round(time.Millisecond))
	switch {
	case !s.fault.triggered() && float64(grown.BytesOut) > allowed:
		effect.Text = fmt.Sprintf("%s, more than %s/s allows", passed, size(rule.Rate))
	case grown.Throttled > 0 && s.rule.Hit > 0:
		effect.Observed = true
		effect.Text = fmt.Sprintf("bytes waited %s for the rate, and %s", grown.Throttled.Round(time.Millisecond), passed)
	case grown.BytesIn == 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes passed on %s since the inject", effect.Target)
	default:
		effect.Idle, effect.Text = true, passed+", and none had to wait for this rate"
	}
}

// lateDrop is later than a chunk is on a busy machine, and earlier than TCP sends again (200 ms).
const lateDrop = 80 * time.Millisecond

// drop is seen where chunks were lost by the rule, and some came late by the ends' clocks, or are still missing.
func (s sight) drop(effect *Effect) {
	grown := s.sinceArmed
	chunks, late := countFrom(grown.Residence, bucket(lateDrop))
	missing := grown.BytesIn - grown.BytesOut
	effect.Measured = amounts("chunks", chunks, "lost", s.rule.Hit, "late", late, "missing", max(missing, 0))
	switch {
	case s.rule.Hit > 0 && (late > 0 || missing > 0):
		effect.Observed = true
		effect.Text = fmt.Sprintf("%d of %d chunks were lost on %s, %d came %s or later", s.rule.Hit, chunks, effect.Target, late, bucketFloor(bucket(lateDrop)))
	case s.rule.Hit > 0:
		effect.Text = fmt.Sprintf("%d chunks are said to be lost on %s, and none came late", s.rule.Hit, effect.Target)
	case chunks == 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes passed on %s since the inject", effect.Target)
	default:
		few := unlikely(s.fault.rule.Loss, chunks) >= 0.001
		effect.Idle = few || s.spared()
		effect.Text = fmt.Sprintf("%d chunks passed on %s, and none was lost", chunks, effect.Target)
	}
}

func (s sight) blackhole(effect *Effect) {
	grown := s.sinceArmed
	effect.Measured = amounts("bytes_in", grown.BytesIn, "bytes_out", grown.BytesOut, "discarded", grown.Discarded, "closed", grown.Closed)
	switch {
	case !s.fault.triggered() && grown.BytesOut > 0:
		effect.Text = fmt.Sprintf("%d bytes passed on %s since the inject", grown.BytesOut, effect.Target)
	case grown.Discarded > 0 && s.rule.Hit > 0:
		effect.Observed = true
		effect.Text = fmt.Sprintf("%d of %d bytes were thrown away, %d connections closed", grown.Discarded, grown.BytesIn, grown.Closed)
	case grown.BytesIn == 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes were offered to %s since the inject", effect.Target)
	default:
		effect.Idle = s.spared()
		effect.Text = fmt.Sprintf("%d bytes were offered to %s since the inject, and none thrown away by this fault", grown.BytesIn, effect.Target)
	}
}

func (s sight) reset(effect *Effect) {
	grown := s.sinceArmed
	effect.Measured = amounts("reset", s.ends, "connections", s.conns, "bytes_out", grown.BytesOut)
	switch {
	case s.ends > 0:
		effect.Observed, effect.Text = true, fmt.Sprintf("%d connections of %s were reset", s.ends, effect.Target)
	case s.conns == 0 && grown.BytesOut == 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("%s had no connection since the inject", effect.Target)
	default:
		// A connection that has yet to wait is not reset yet.
		effect.Idle = s.spared() || s.elapsed < s.fault.rule.Delay
		effect.Text = fmt.Sprintf("%d connections of %s since the inject, %d bytes passed, and none was reset", s.conns, effect.Target, grown.BytesOut)
	}
}

// slowClose is judged by the time between the end of a stream and its being passed on.
func (s sight) slowClose(effect *Effect) {
	grown := s.sinceArmed
	effect.Measured = amounts("ends", grown.Ends, "end_wait_ms", grown.EndWait.Milliseconds())
	want := s.fault.rule.Delay * 4 / 5
	late := grown.EndWait >= want*time.Duration(max(grown.Ends, 1))
	if s.fault.triggered() {
		late = grown.EndWait >= want
	}
	switch {
	case grown.Ends == 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("no end of a stream passed on %s since the inject", effect.Target)
	case late && s.rule.Hit > 0:
		effect.Observed, effect.Text = true, fmt.Sprintf("%d streams ended on %s, %s late together", grown.Ends, effect.Target, grown.EndWait.Round(time.Millisecond))
	default:
		effect.Idle = s.spared()
		effect.Text = fmt.Sprintf("%d streams ended on %s, %s late together, %d of them by this fault", grown.Ends, effect.Target, grown.EndWait.Round(time.Millisecond), s.rule.Hit)
	}
}

// slice is seen where more pieces were written than chunks were read.
func (s sight) slice(effect *Effect) {
	grown := s.sinceArmed
	chunks, _ := countFrom(grown.Residence, 0)
	effect.Measured = amounts("chunks", grown.Bent, "pieces", chunks, "bytes_out", grown.BytesOut)
	switch {
	case s.rule.Hit > 0 && chunks > grown.Bent:
		effect.Observed, effect.Text = true, fmt.Sprintf("%d chunks came out of %s in %d pieces", grown.Bent, effect.Target, chunks)
	case chunks == 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes passed on %s since the inject", effect.Target)
	default:
		rule := s.fault.rule
		effect.Idle = grown.BytesOut <= chunks*(rule.Bytes-rule.Spread) || s.spared()
		effect.Text = fmt.Sprintf("%d bytes passed on %s in %d chunks, and none was cut into pieces", grown.BytesOut, effect.Target, chunks)
	}
}

func (s sight) limit(effect *Effect) {
	grown := s.sinceArmed
	effect.Measured = amounts("closed", s.rule.Hit, "connections", s.conns, "bytes_out", grown.BytesOut, "discarded", grown.Discarded)
	passed := fmt.Sprintf("%d bytes passed on %d connections of %s", grown.BytesOut, s.conns, effect.Target)
	switch {
	case s.rule.Hit > 0:
		effect.Observed, effect.Text = true, fmt.Sprintf("%d connections were closed at the limit", s.rule.Hit)
	case grown.BytesOut > s.fault.rule.Bytes*max(s.conns, 1):
		effect.Idle, effect.Text = s.spared(), passed+", more than the limit, and none was closed"
	default:
		effect.Idle, effect.Text = true, passed+", and none reached the limit"
	}
}

// requests is for all that answers, delays or changes requests.
func (s sight) requests(effect *Effect) {
	grown, rule := s.sinceArmed, s.rule
	effect.Measured = amounts("requests", grown.Requests, "matched", rule.Matched, "hit", rule.Hit, "unedited", grown.Unedited, "bytes_in", grown.BytesIn)
	switch {
	case rule.Hit > 0:
		effect.Observed, effect.Text = true, fmt.Sprintf("%d of %d requests on %s were hit, %d matched", rule.Hit, grown.Requests, effect.Target, rule.Matched)
	case rule.Matched > 0:
		// Nothing is said of an attempt that did not come.
		effect.Idle = s.fault.match.Attempt > 1 || s.spared()
		effect.Text = fmt.Sprintf("%d requests on %s matched, and none was hit", rule.Matched, effect.Target)
	case grown.Requests > 0:
		// Whether a request would have matched that nobody could read is not known.
		effect.Idle = grown.Unedited == 0
		effect.Text = fmt.Sprintf("%d requests passed on %s, and none matches", grown.Requests, effect.Target)
	case grown.BytesIn > 0:
		effect.Text = fmt.Sprintf("%d bytes passed on %s, and no request was recognised in them", grown.BytesIn, effect.Target)
		if sealed := s.before.Sealed + grown.Sealed; sealed > 0 {
			effect.Text += fmt.Sprintf(": %d connections carry TLS, which nobody opens (x-assay.tls of %s would)", sealed, s.link.To)
		}
	default:
		effect.Idle, effect.Text = true, fmt.Sprintf("no request was made on %s since the inject", effect.Target)
	}
	if grown.Unedited > 0 {
		effect.Text += fmt.Sprintf("; %d connections passed as they were: TLS, no HTTP, or what can be read in two ways", grown.Unedited)
	}
}

// whole joins what was seen of the parts of a profile on one link.
func whole(target string, parts []Effect) Effect {
	effect := Effect{Target: target, Observed: Observed(parts), Idle: true, Measured: parts[0].Measured}
	var texts []string
	for _, part := range parts {
		effect.Idle = effect.Idle && part.Idle
		texts = append(texts, part.Text)
		if part.Observed {
			effect.Measured = part.Measured
		}
	}
	effect.Text = strings.Join(texts, "; ")
	return effect
}
