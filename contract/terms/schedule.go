package terms

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A moment is one thing that happens in a schedule.
type moment struct {
	i     int // its place in the schedule
	at    time.Duration
	what  string        // one of the words below
	call  int           // of which call or event it is, from 1
	key   string        // that a call carries as keyName, or "": none
	code  string        // of an answer
	wait  time.Duration // of an answer: its Retry-After; of a cut: what the work needs
	count int           // of a load: how many calls
	attrs string        // of an event: "order_id=o1"
	to    string        // the callee of a call, where a schedule has several
}

// What happens, as schedules word it.
const (
	calls    = "call"
	answers  = "answer"  // the server answers
	cuts     = "cut"     // the server gives up
	leaves   = "leave"   // the caller gives up
	effects  = "effect"  // what was asked for is done
	loads    = "load"    // calls at a rate
	sends    = "send"    // an event is sent
	delivers = "deliver" // and delivered
	abandons = "abandon" // and never delivered again
)

// A schedule is what happens between a caller and a server, or a sender and a receiver: one history that terms allow or refuse.
type schedule struct {
	keyName string // of the keys that calls carry
	moments []moment
}

func (s *schedule) add(m moment) *schedule {
	m.i = len(s.moments)
	s.moments = append(s.moments, m)
	return s
}

// String returns one line for each moment.
func (s *schedule) String() string {
	lines := make([]string, len(s.moments))
	for i, m := range s.moments {
		lines[i] = fmt.Sprintf("t=%s %s", short(m.at), s.line(m))
	}
	return strings.Join(lines, "\n")
}

func (s *schedule) line(m moment) string {
	switch m.what {
	case calls:
		if m.to != "" {
			return fmt.Sprintf("call %d of %s", m.call, m.to)
		}
		if m.key == "" {
			return fmt.Sprintf("call %d without a key", m.call)
		}
		return fmt.Sprintf("call %d with %s=%s", m.call, strings.ReplaceAll(s.keyName, " ", ":"), m.key)
	case answers:
		if m.wait > 0 {
			return fmt.Sprintf("answer to call %d: %s, Retry-After %s", m.call, m.code, short(m.wait))
		}
		return fmt.Sprintf("answer to call %d: %s", m.call, m.code)
	case cuts:
		return fmt.Sprintf("the server gives up call %d, which needs %s", m.call, short(m.wait))
	case leaves:
		return fmt.Sprintf("the caller gives up call %d", m.call)
	case effects:
		if s.events() {
			return fmt.Sprintf("event %d takes effect", m.call)
		}
		return fmt.Sprintf("call %d takes effect", m.call)
	case loads:
		return fmt.Sprintf("%d calls within %s", m.count, short(m.wait))
	case sends:
		return strings.TrimRight(fmt.Sprintf("event %d is sent %s", m.call, m.attrs), " ")
	case delivers:
		return fmt.Sprintf("event %d is delivered", m.call)
	}
	return fmt.Sprintf("event %d is given up", m.call)
}

// short prints a duration without the parts that are zero.
func short(d time.Duration) string {
	text := d.String()
	for _, tail := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, tail) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// A side is who is held to the terms.
type side int

const (
	server  side = iota // answers, sends or handles events
	caller              // of an operation
	calling             // the operation's own call
)

// judge returns what in the schedule the terms do not allow that side, or "".
func judge(o Operation, s *schedule, who side) string {
	at := map[string]map[int]moment{} // the last of each kind
	for _, m := range s.moments {
		var wrong string
		switch {
		case who == server:
			wrong = o.judgeServer(s, m, at)
		default:
			wrong = o.judgeCaller(s, m, at, who)
		}
		if wrong != "" {
			return fmt.Sprintf("t=%s: %s", short(m.at), wrong)
		}
		if at[m.what] == nil {
			at[m.what] = map[int]moment{}
		}
		at[m.what][m.call] = m
	}
	return ""
}

func (o Operation) judgeServer(s *schedule, m moment, at map[string]map[int]moment) string {
	took := m.at - at[calls][m.call].at
	switch {
	case m.what == answers && o.Deadline > 0 && took > o.Deadline:
		return fmt.Sprintf("call %d is answered after %s, and the deadline is %s", m.call, short(took), short(o.Deadline))
	case m.what == answers && o.RetryAfter > 0 && m.wait > o.RetryAfter:
		return fmt.Sprintf("Retry-After is %s, and at most %s may be asked for", short(m.wait), short(o.RetryAfter))
	case m.what == cuts && o.Deadline > 0 && took < o.Deadline:
		return fmt.Sprintf("call %d is given up after %s, and has %s", m.call, short(took), short(o.Deadline))
	case m.what == effects:
		return o.judgeEffect(s, m, at)
	case o.Delivery != nil:
		return o.Delivery.judge(s, m, at)
	}
	return ""
}

// judgeEffect says whether a call may have its effect, after those that other calls have had.
func (o Operation) judgeEffect(s *schedule, m moment, at map[string]map[int]moment) string {
	if isTrue(o.safe()) {
		return fmt.Sprintf("call %d has an effect, and the operation is safe", m.call)
	}
	for _, before := range s.moments[:m.i] {
		if before.what != effects {
			continue
		}
		first, now := at[calls][before.call], at[calls][m.call]
		switch {
		case isTrue(o.idempotent()):
			return fmt.Sprintf("what took effect at t=%s takes effect again, and the operation is idempotent", short(before.at))
		case o.Delivery != nil && before.call == m.call && m.at-before.at <= o.Delivery.Dedup:
			return fmt.Sprintf("event %d takes effect again after %s, and is recognised for %s", m.call, short(m.at-before.at), short(o.Delivery.Dedup))
		case o.Key != nil && o.Key.Name == s.keyName && first.key != "" && first.key == now.key && now.at-before.at <= o.Key.Retention:
			return fmt.Sprintf("call %d takes effect beside call %d, whose key is recognised for %s", m.call, before.call, short(o.Key.Retention))
		}
	}
	return ""
}

func (o Operation) judgeCaller(s *schedule, m moment, at map[string]map[int]moment, who side) string {
	switch {
	case m.what == leaves && who == calling && o.Deadline > 0 && m.at-at[calls][m.call].at < o.Deadline:
		return fmt.Sprintf("call %d is given up after %s, and the timeout is %s", m.call, short(m.at-at[calls][m.call].at), short(o.Deadline))
	case m.what == loads && o.Limit > 0 && float64(m.count) > o.Limit*m.wait.Seconds()*(1+1e-9):
		return fmt.Sprintf("%d calls within %s, and the limit is %s", m.count, short(m.wait), rate(o.Limit))
	case m.what != calls:
		return ""
	case o.Key != nil && o.Key.Required && (m.key == "" || s.keyName != o.Key.Name):
		return fmt.Sprintf("call %d carries no %s", m.call, o.Key.Name)
	case m.call == 1:
		return ""
	}
	return o.judgeRetry(m, at)
}

// judgeRetry says whether a call may be made again.
func (o Operation) judgeRetry(m moment, at map[string]map[int]moment) string {
	r := o.Retry
	end, answered := at[answers][m.call-1]
	if !answered {
		end = at[leaves][m.call-1]
	}
	waited := m.at - end.at
	switch {
	case r == nil:
		return fmt.Sprintf("call %d is a retry, and none is allowed", m.call)
	case r.Attempts > 0 && m.call > r.Attempts:
		return fmt.Sprintf("call %d is one more than the %d attempts that are allowed", m.call, r.Attempts)
	case answered && !slices.Contains(r.On, end.code):
		return fmt.Sprintf("call %d is a retry on %s, which is not retried", m.call, end.code)
	case !answered && !slices.Contains(r.On, "timeout"):
		return fmt.Sprintf("call %d is a retry on a timeout, which is not retried", m.call)
	case waited < r.Backoff.Least(m.call-1):
		return fmt.Sprintf("call %d comes %s after the end of call %d, and %s must be waited", m.call, short(waited), m.call-1, short(r.Backoff.Least(m.call-1)))
	case o.RetryAfter > 0 && waited < end.wait:
		return fmt.Sprintf("call %d comes after %s, and Retry-After is %s", m.call, short(waited), short(end.wait))
	}
	return ""
}

// rate prints calls per second as a file has them, or per minute or hour where that is the whole number.
func rate(perSecond float64) string {
	for _, unit := range []struct {
		name    string
		seconds float64
	}{{"s", 1}, {"m", 60}} {
		if n := perSecond * unit.seconds; n >= 1 {
			return fmt.Sprintf("%.6g/%s", n, unit.name)
		}
	}
	return fmt.Sprintf("%.6g/h", perSecond*3600)
}
