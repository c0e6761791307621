package fault_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
)

func TestParsePrintsAsItIsWritten(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, want string }{
		{"kill(orders)", "kill(orders)"},
		{"  kill ( orders-1 )  ", "kill(orders-1)"},
		{"kill(orders[*])", "kill(orders[*])"},
		{"kill(db[role=leader], mode=one)", "kill(db[role=leader], mode=one)"},
		{"kill(orders, mode=all)", "kill(orders)"},
		{"pause(*)", "pause(*)"},
		{"pause(*[zone=a])", "pause(*[zone=a])"},
		{"restart(*[ owner = team a ])", "restart(*[owner=team a])"},
		{"kill(orders[owner=x,zone=a])", "kill(orders[zone=a,owner=x])"},
		{"kill(orders, value=50, mode=fixed-percent)", "kill(orders, mode=fixed-percent, value=50)"},
		{"delay(orders->payments,3s)", "delay(orders -> payments, 3s)"},
		{"delay(orders -> payments, 200ms, jitter=50ms)", "delay(orders -> payments, 200ms±50ms)"},
		{"delay(client <-> orders, 90s)", "delay(client <-> orders, 1m30s)"},
		{"delay(a -> b, 3600s)", "delay(a -> b, 1h)"},
		{"cut(nats-1 <-> *)", "cut(nats-1 <-> *)"},
		{"cut(orders-1 <-> nats[*], mode=fixed, value=2)", "cut(orders-1 <-> nats[*], mode=fixed, value=2)"},
		{"refuse(orders -> payments)", "refuse(orders -> payments)"},
		{"surge(checkout, 3x)", "surge(checkout, 3x)"},
		{" surge ( order-status,1.50x ) ", "surge(order-status, 1.5x)"},
		{"surge(*, 1000x)", "surge(*, 1000x)"},
	}
	for _, c := range cases {
		f, err := fault.Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if got := f.String(); got != c.want {
			t.Errorf("Parse(%q) prints %q, want %q", c.text, got, c.want)
		}
		if again := mustParse(t, f.String()); again != f {
			t.Errorf("Parse(%q) is %#v, and its text reads as %#v", c.text, f, again)
		}
	}
}

func TestConstructorsEqualTheirText(t *testing.T) {
	t.Parallel()
	cases := []struct {
		f    fault.Fault
		text string
	}{
		{fault.Kill("orders-1"), "kill(orders-1)"},
		{fault.Kill("orders", fault.With{Mode: fault.All}), "kill(orders)"},
		{fault.Pause("db[role=leader]", fault.With{Mode: fault.One}), "pause(db[role=leader], mode=one)"},
		{fault.Restart("*", fault.With{Mode: fault.FixedPercent, Value: 30}), "restart(*, mode=fixed-percent, value=30)"},
		{fault.Delay("orders", "payments", 3*time.Second), "delay(orders -> payments, 3s)"},
		{fault.Delay("orders", "payments", time.Second, fault.With{Jitter: time.Millisecond, Both: true}), "delay(orders <-> payments, 1s, jitter=1ms)"},
		{fault.Cut("nats-1", "*", fault.With{Both: true}), "cut(nats-1 <-> *)"},
		{fault.Refuse("orders", "payments"), "refuse(orders -> payments)"},
		{fault.Surge("checkout", 3), "surge(checkout, 3x)"},
		{fault.Surge("*", 2.5), "surge(*, 2.5x)"},
	}
	for _, c := range cases {
		if want := mustParse(t, c.text); c.f != want {
			t.Errorf("constructor gives %#v, want %#v", c.f, want)
		}
	}
}

func TestConstructorsReportBadArgumentsInCheck(t *testing.T) {
	t.Parallel()
	cases := []struct {
		f    fault.Fault
		want string
	}{
		{fault.Kill("orders["), `kill(orders[): target "orders[": column 8: a key is missing before the end (allowed: role, zone, owner)`},
		{fault.Kill("orders x"), `kill(orders x): target "orders x": column 8: nothing may follow a target, and here is "x"`},
		{fault.Kill("client"), `kill(client): kill cannot hit the load driver`},
		{fault.Kill("orders", fault.With{Both: true}), `kill(orders): only Mode and Value are for instances, the rest is for links`},
		{fault.Kill("orders", fault.With{Mode: "some"}), `kill(orders, mode=some): no mode is called "some"`},
		{fault.Kill("orders", fault.With{Mode: fault.Fixed}), `kill(orders, mode=fixed): mode=fixed needs a value from 1 to 1000000`},
		{fault.Delay("orders", "payments", 0), `delay(orders -> payments): delay needs a duration above zero`},
		{fault.Cut("orders", "payments", fault.With{Jitter: 1}), `cut(orders -> payments): Jitter is for delay`},
		{fault.Surge("check out", 3), `surge(check out, 3x): "check out" is no name of a journey that a fault can write (letters, digits, '.', '_' and '-', or *)`},
		{fault.Surge("", 3), `surge(, 3x): "" is no name of a journey that a fault can write (letters, digits, '.', '_' and '-', or *)`},
		{fault.Surge("checkout", 1), `surge(checkout, 1x): a surge needs a factor above 1 and up to 1000`},
		{fault.Surge("checkout", math.NaN()), `surge(checkout, NaNx): a surge needs a factor above 1 and up to 1000`},
	}
	for _, c := range cases {
		err := c.f.Check(shop(), nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		if _, err := c.f.Inject(t.Context(), newFake(false), fault.Options{}); err == nil {
			t.Errorf("%s: injected", c.f)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	const kinds = "allowed: abort, blackhole, body, cut, delay, drop, header, kill, limit, link, pause, refuse, reset, restart, slice, slowclose, surge, throttle, truncate"
	cases := []struct {
		text      string
		col       int
		msg, hint string
	}{
		{"", 1, "a fault starts with its kind, not with the end", "such as kill(orders-1) or delay(orders -> payments, 3s)"},
		{"(orders)", 1, `a fault starts with its kind, not with "("`, "such as kill(orders-1) or delay(orders -> payments, 3s)"},
		{"dealy(a -> b, 3s)", 1, `no fault is called "dealy"`, `did you mean "delay"? ` + kinds},
		{"explode(a)", 1, `no fault is called "explode"`, kinds},
		{"kill", 5, `"(" is expected after kill, and here is the end`, ""},
		{"kill()", 6, `a target is missing before ")"`, "a service, an instance such as orders-1, or *"},
		{"kill(orders", 12, `")" is expected after the arguments of kill, and here is the end`, ""},
		{"kill(orders) now", 14, `nothing may follow the fault, and here is "n"`, "one fault is one kind(…)"},
		{"kill(client)", 6, "kill cannot hit the load driver", "the client may stand in links"},
		{"kill(a -> b)", 8, "kill takes instances, not a link", "such as kill(orders-1)"},
		{"kill(db[rôle=leader])", 9, `targets have no key "r"`, "allowed: role, zone, owner"},
		{"kill(db[rol=leader])", 9, `targets have no key "rol"`, `did you mean "role"? allowed: role, zone, owner`},
		{"kill(db[role])", 13, `"=" is expected after role, and here is "]"`, ""},
		{"kill(db[role=])", 14, "role has no value", ""},
		{"kill(db[role=a,role=b])", 16, "role is given twice", ""},
		{"kill(*[*])", 8, "* selects every instance already", "write *"},
		{"cut(client[*] -> a)", 11, "the client is one instance, and takes no brackets", "write client"},
		{"kill(a, mode=most)", 14, `no mode is called "most"`, "allowed: all, fixed, fixed-percent, one"},
		{"kill(a, mode=onee)", 14, `no mode is called "onee"`, `did you mean "one"? allowed: all, fixed, fixed-percent, one`},
		{"kill(a, mod=one)", 9, `kill has no argument "mod"`, `did you mean "mode"? allowed: mode, value`},
		{"kill(a, 3s)", 9, `kill takes no argument "3s"`, "allowed: mode=…, value=…"},
		{"kill(a, jitter=3s)", 9, `kill has no argument "jitter"`, "allowed: mode, value"},
		{"kill(a, mode=fixed)", 9, "mode=fixed needs a value from 1 to 1000000", ""},
		{"kill(a, mode=fixed, value=0)", 27, `value is a whole number from 1, not "0"`, ""},
		{"kill(a, mode=fixed-percent, value=101)", 29, "mode=fixed-percent needs a value from 1 to 100", ""},
		{"kill(a, value=2)", 9, "value needs mode=fixed or mode=fixed-percent", ""},
		{"kill(a, mode=one, mode=all)", 19, "mode is given twice, first in column 9", ""},
		{"kill(a,)", 8, `an argument is missing before ")"`, ""},
		{"delay(a, 3s)", 8, `delay needs a link, and here is ","`, "A -> B is the data from A to B, A <-> B both"},
		{"delay(a <- b, 3s)", 9, `delay needs a link, and here is "<"`, "A -> B is the data from A to B, A <-> B both"},
		{"delay(a -> b)", 13, "delay needs a duration", "such as delay(orders -> payments, 200ms)"},
		{"delay(a -> b, 5 s)", 15, `"5 s" is no duration above zero`, "such as 200ms, 3s or 1m30s"},
		{"delay(a -> b, -5s)", 15, `"-5s" is no duration above zero`, "such as 200ms, 3s or 1m30s"},
		{"delay(a -> b, 1s, 2s)", 19, "the duration is given twice, first in column 15", ""},
		{"delay(a -> b, 1s, jitter=2s)", 19, "jitter 2s is more than the delay of 1s", ""},
		{"cut(a -> b, 1s)", 13, `cut takes no argument "1s"`, "allowed: nth=…, first=…, p=…, from=…, for=…, mode=…, value=…"},
		{"surge", 6, `"(" is expected after surge, and here is the end`, ""},
		{"surge(, 3x)", 7, `a journey is missing before ","`, "the name of a journey, or * for all"},
		{"surge(*a, 3x)", 7, `a journey is missing before "*"`, "the name of a journey, or * for all"},
		{"surge(checkout)", 15, `surge needs a factor, and here is ")"`, "such as surge(checkout, 3x)"},
		{"surge(a -> b, 3x)", 9, `surge needs a factor, and here is "-"`, "such as surge(a, 3x)"},
		{"surge(checkout, )", 17, `an argument is missing before ")"`, ""},
		{"surge(checkout, 3)", 17, `"3" is no factor`, "such as 3x or 1.5x"},
		{"surge(checkout, 3e2x)", 17, `"3e2x" is no factor`, "such as 3x or 1.5x"},
		{"surge(checkout, -3x)", 17, `"-3x" is no factor`, "such as 3x or 1.5x"},
		{"surge(checkout, 1x)", 17, "a surge needs a factor above 1 and up to 1000, not 1x", ""},
		{"surge(checkout, 1001x)", 17, "a surge needs a factor above 1 and up to 1000, not 1001x", ""},
		{"surge(checkout, factor=3x)", 17, `surge has no argument "factor"`, "such as surge(checkout, 3x)"},
		{"surge(checkout, 3x, 4x)", 19, `")" is expected after the factor of surge, and here is ","`, ""},
		{"surge(checkout, 3x) now", 21, `nothing may follow the fault, and here is "n"`, "one fault is one kind(…)"},
		{"kill(a\x00)", 7, "a fault has no characters that cannot be printed", ""},
	}
	for _, c := range cases {
		f, err := fault.Parse(c.text)
		var wrong *fault.ParseError
		if !errors.As(err, &wrong) {
			t.Errorf("Parse(%q) = %v, %v, want a ParseError", c.text, f, err)
			continue
		}
		if *wrong != (fault.ParseError{Col: c.col, Msg: c.msg, Hint: c.hint}) {
			t.Errorf("Parse(%q)\n got %d %q %q\nwant %d %q %q", c.text, wrong.Col, wrong.Msg, wrong.Hint, c.col, c.msg, c.hint)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"kill(db[role=leader], mode=one)", "delay(a -> b, 200ms, jitter=50ms)", "cut(*[zone=a] <-> nats[*])",
		"refuse(client->orders, mode=fixed, value=3)", "restart(x[owner=team é])", "surge(checkout, 2.5x)", "surge(*,3x)", "kill(", "delay(a--> b,1h)",
		"delay(a -> b, 200ms±50ms, dist=pareto, p=30%, from=2s, for=5s)", "throttle(a -> b, 1.5MiB/s, each)", "drop(a <-> b, 0.7%, nth=3)",
		"blackhole(a -> b, close=1s)", "reset(a -> b, wait=1s, after=64KB)", "slowclose(a -> b, 5s)", "slice(a -> b, 100B±50B, gap=10ms)", "limit(a -> b, 0B)",
		`abort(a -> b, UNAVAILABLE, path="/p*", method=POST, header="x-user: 7", key=k, attempt=2, first=9)`, `body(a -> b, "x\n\xff\ufffd", mode=one)`,
		`header(a -> b, "-Server")`, `header(a -> b, "A: b")`, "truncate(a -> b, 1B)", "link(a -> b, 3g)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := fault.Parse(text)
		if err != nil {
			return
		}
		again, err := fault.Parse(first.String())
		if err != nil || again != first {
			t.Fatalf("%q reads as %q, and that as %v, %v", text, first, again, err)
		}
	})
}
