package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

func TestLinkFaultsPrintAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, want string }{
		{"delay(a -> b, 200ms±50ms, dist=normal, p=0.3)", ""},
		{"delay(a -> b, 200ms+-50ms)", "delay(a -> b, 200ms±50ms)"},
		{"delay(a -> b, 200ms ± 50ms)", "delay(a -> b, 200ms±50ms)"},
		{"delay(a -> b, 200ms, jitter=50ms, dist=uniform)", "delay(a -> b, 200ms±50ms)"},
		{"delay(a -> b, 1ms±20ms, dist=pareto)", ""},
		{"delay(a -> b, 200ms, path=\"/pay*\", method=POST, header=\"x-user: 7\", key=idempotency-key, attempt=1, nth=2)", ""},
		{"delay(a -> b, 200ms, header=x-user)", ""},
		{"delay(a -> b, 200ms, path=/pay)", "delay(a -> b, 200ms, path=\"/pay\")"},
		{"delay(a -> b, 200ms, p=30%)", "delay(a -> b, 200ms, p=0.3)"},
		{"delay(a -> b, 200ms, p=100%)", "delay(a -> b, 200ms)"},
		{"throttle(a -> b, 100KB/s)", ""},
		{"throttle(a -> b, each, 100000B/s)", "throttle(a -> b, 100KB/s, each)"},
		{"throttle(a -> b, 1.5MB/s, from=2s, for=5s)", "throttle(a -> b, 1500KB/s, from=2s, for=5s)"},
		{"throttle(a -> b, 1.5MiB/s)", "throttle(a -> b, 1536KiB/s)"},
		{"throttle(a -> b, 1024KB/s)", ""},
		{"throttle(a -> b, 65536B/s)", "throttle(a -> b, 64KiB/s)"},
		{"throttle(a -> b, 999999999B/s)", ""},
		{"cut(a <-> b, first=2)", ""},
		{"drop(a -> b, 5%)", ""},
		{"drop(a -> b, 0.05)", "drop(a -> b, 5%)"},
		{"drop(a -> b, 0.1%)", ""},
		{"drop(a -> b, 33.3%)", ""},
		{"drop(a -> b, 7%, nth=3)", ""},
		{"drop(a -> b, 100%)", ""},
		{"drop(a -> b, 1)", "drop(a -> b, 100%)"},
		{"blackhole(a -> b)", ""},
		{"blackhole(a -> b, close=10s, after=64KB)", ""},
		{"reset(a -> b, after=64KB, p=0.5)", ""},
		{"reset(a -> b, wait=3s)", ""},
		{"reset(a -> b, wait=3s, data, p=0.5)", ""},
		{"refuse(a -> b, nth=3)", ""},
		{"slowclose(a -> b, 5s)", ""},
		{"slice(a -> b, 100B±50B, gap=10ms)", ""},
		{"slice(a -> b, 1B)", ""},
		{"limit(a -> b, 64KB)", ""},
		{"limit(a -> b, 0B)", ""},
		{"abort(a -> b, 503)", ""},
		{"abort(a -> b, UNAVAILABLE, path=\"/shop.Pricing/*\", first=2)", ""},
		{"abort(a -> b, 503, first=2, key=idempotency-key, path=\"/pay*\", mode=one)", "abort(a -> b, 503, path=\"/pay*\", key=idempotency-key, first=2, mode=one)"},
		{"truncate(a -> b, 100B, attempt=1)", ""},
		{`body(a -> b, "a, b = (c)\n\"d\"")`, ""},
		{`body(a -> b, "")`, ""},
		{"body(a -> b, oops)", `body(a -> b, "oops")`},
		{`body(a -> b, "\ufffd\x00\xff")`, ""},
		{`header(a -> b, "Retry-After: 1")`, ""},
		{`header(a -> b, "Retry-After:1")`, `header(a -> b, "Retry-After: 1")`},
		{`header(a -> b, "-Server", p=0.25)`, ""},
		{"link(a -> b, 3g)", ""},
		{"link(a <-> b[zone=x], cross-region, mode=fixed, value=2)", ""},
	}
	for _, c := range cases {
		if c.want == "" {
			c.want = c.text
		}
		f := mustParse(t, c.text)
		if got := f.String(); got != c.want {
			t.Errorf("Parse(%s)\n prints %s\n   want %s", c.text, got, c.want)
		}
		if again := mustParse(t, f.String()); again != f {
			t.Errorf("Parse(%q) is %#v, and its text reads as %#v", c.text, f, again)
		}
	}
}

func TestLinkConstructorsEqualTheirText(t *testing.T) {
	t.Parallel()
	cases := []struct {
		f    fault.Fault
		text string
	}{
		{fault.Delay("a", "b", 200*time.Millisecond, fault.With{Jitter: 50 * time.Millisecond, Dist: system.Uniform, When: system.Trigger{P: 0.3}}), "delay(a -> b, 200ms±50ms, p=0.3)"},
		{fault.Delay("a", "b", time.Second, fault.With{Match: system.Match{Path: "*"}}), `delay(a -> b, 1s, path="*")`},
		{fault.Throttle("api", "pricing", 100*fault.KB, fault.With{Each: true}), "throttle(api -> pricing, 100KB/s, each)"},
		{fault.Drop("a", "b", 0.05), "drop(a -> b, 5%)"},
		{fault.Blackhole("a", "b", fault.With{Wait: 10 * time.Second}), "blackhole(a -> b, close=10s)"},
		{fault.Reset("a", "b", fault.With{When: system.Trigger{After: 64 * fault.KB, P: 1}}), "reset(a -> b, after=64KB)"},
		{fault.SlowClose("a", "b", 5*time.Second), "slowclose(a -> b, 5s)"},
		{fault.Slice("a", "b", 100, fault.With{Spread: 50, Wait: 10 * time.Millisecond}), "slice(a -> b, 100B±50B, gap=10ms)"},
		{fault.Limit("a", "b", fault.MiB), "limit(a -> b, 1MiB)"},
		{fault.Abort("a", "b", "503", fault.With{Match: system.Match{Path: "/pay*", Key: "idempotency-key"}, When: system.Trigger{Nth: 2}}), `abort(a -> b, 503, path="/pay*", key=idempotency-key, nth=2)`},
		{fault.Abort("a", "b", "UNAVAILABLE"), "abort(a -> b, UNAVAILABLE)"},
		{fault.Truncate("a", "b", 100), "truncate(a -> b, 100B)"},
		{fault.Body("a", "b", "oops"), `body(a -> b, "oops")`},
		{fault.Header("a", "b", "Retry-After: 1"), `header(a -> b, "Retry-After: 1")`},
		{fault.Header("a", "b", "-Server"), `header(a -> b, "-Server")`},
		{fault.LinkProfile("a", "b", "3g", fault.With{Both: true}), "link(a <-> b, 3g)"},
	}
	for _, c := range cases {
		if want := mustParse(t, c.text); c.f != want {
			t.Errorf("constructor gives %#v\n want %#v", c.f, want)
		}
	}
}

func TestLinkConstructorsReportBadArgumentsInCheck(t *testing.T) {
	t.Parallel()
	cases := []struct {
		f    fault.Fault
		want string
	}{
		{fault.Throttle("orders", "payments", 0), "throttle(orders -> payments, 0B/s): throttle needs a rate above zero"},
		{fault.Drop("orders", "payments", 1.5), "drop(orders -> payments, 150%): drop: a loss is above 0 and at most 1, not 1.5"},
		{fault.Cut("orders", "payments", fault.With{Each: true}), "cut(orders -> payments): Each is for throttle"},
		{fault.Cut("orders", "payments", fault.With{Wait: 1}), "cut(orders -> payments): Wait is for blackhole, reset and slice"},
		{fault.Delay("orders", "payments", time.Second, fault.With{Wait: 1}), "delay(orders -> payments, 1s): Wait is for blackhole, reset and slice"},
		{fault.Cut("orders", "payments", fault.With{When: system.Trigger{Data: true}}), "cut(orders -> payments): Data is for reset"},
		{fault.Cut("orders", "payments", fault.With{Spread: 1}), "cut(orders -> payments): Spread is for slice"},
		{fault.Limit("orders", "payments", -1), "limit(orders -> payments, -1B): limit: no amount can be negative"},
		{fault.Cut("orders", "payments", fault.With{Match: system.Match{Path: "/x"}}), "cut(orders -> payments): path is not for cut"},
		{fault.LinkProfile("orders", "payments", "3g", fault.With{When: system.Trigger{Nth: 1}}), "link(orders -> payments, 3g): nth is not for link"},
		{fault.LinkProfile("orders", "payments", "4g"), `link(orders -> payments, 4g): no link is called "4g" (did you mean "3g"? allowed: 3g, cross-region, dsl, flaky, satellite, wifi)`},
		{fault.Abort("orders", "payments", "99"), "abort(orders -> payments, 99): 99 is no final HTTP status"},
		{fault.Abort("orders", "payments", "BUSY"), `abort(orders -> payments, BUSY): no gRPC status is called "BUSY"`},
		{fault.Header("orders", "payments", "a b: c"), `header(orders -> payments, "-"): "a b" is no name of a header`},
		{fault.Header("orders", "payments", "A: b\r\nC: d"), `header(orders -> payments, "-"): "b\r\nC: d" is no value of a header`},
		{fault.Abort("orders", "payments", "503", fault.With{Match: system.Match{Value: "7"}}), `abort(orders -> payments, 503, header=": 7"): a header is matched by its name, and by its value besides`},
		{fault.Abort("orders", "payments", "503", fault.With{Match: system.Match{Attempt: -1}}), `abort(orders -> payments, 503, attempt=18446744073709551615): attempts count from 1`},
		{fault.Delay("orders", "payments", time.Second, fault.With{Dist: system.Normal}), "delay(orders -> payments, 1s, dist=normal): dist says how the jitter is spread, and there is none: such as 200ms±50ms"},
		{fault.Reset("orders", "payments", fault.With{When: system.Trigger{Nth: 1, First: 1}}), "reset(orders -> payments, nth=1, first=1): reset: either the n-th or the first n"},
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

func TestLinkParseErrors(t *testing.T) {
	t.Parallel()
	const rate, dur, sizes, shares = "such as 100KB/s or 1.5MB/s, in bytes and not in bits", "such as 200ms, 3s or 1m30s", "such as 100B, 64KB or 1MiB", "such as 0.3 or 30%"
	const after = "nth, first, after, p, from, for, mode, value"
	const match = "path, method, header, key, attempt, "
	cases := []struct {
		text      string
		col       int
		msg, hint string
	}{
		{"throtle(a -> b, 1KB/s)", 1, `no fault is called "throtle"`, `did you mean "throttle"? allowed: abort, blackhole, body, cut, delay, drop, header, kill, limit, link, pause, refuse, reset, restart, slice, slowclose, surge, throttle, truncate`},
		{"throttle(a, 1KB/s)", 11, `throttle needs a link, and here is ","`, "A -> B is the data from A to B, A <-> B both"},
		{"throttle(a -> b)", 16, "throttle needs a rate", "such as throttle(api -> pricing, 100KB/s)"},
		{"throttle(a -> b, each)", 22, "throttle needs a rate", "such as throttle(api -> pricing, 100KB/s)"},
		{"throttle(a -> b, 100KB)", 18, `"100KB" is no rate above zero`, rate},
		{"throttle(a -> b, 100kbit/s)", 18, `"100kbit/s" is no rate above zero`, rate},
		{"throttle(a -> b, 0B/s)", 18, `"0B/s" is no rate above zero`, rate},
		{"throttle(a -> b, 1.23456B/s)", 18, `"1.23456B/s" is no rate above zero`, rate},
		{"throttle(a -> b, 99999999999GB/s)", 18, `"99999999999GB/s" is no rate above zero`, rate},
		{"throttle(a -> b, 1KB/s, 2KB/s)", 25, "the rate is given twice, first in column 18", ""},
		{"throttle(a -> b, 1KB/s, each, each)", 31, "each is given twice, first in column 25", ""},
		{"throttle(a -> b, 1KB/s, each=yes)", 25, "each takes no value", "write each"},
		{"throttle(a -> b, 1KB/s, path=/x)", 25, `throttle has no argument "path"`, "allowed: each, " + after},
		{"delay(a -> b, ±50ms)", 15, `"" is no duration above zero`, dur},
		{"delay(a -> b, 200ms±)", 15, `"" is no duration above zero`, "such as 200ms±50ms"},
		{"delay(a -> b, 200ms±300ms)", 15, "jitter 300ms is more than the delay of 200ms", ""},
		{"delay(a -> b, 200ms±50ms, jitter=1ms)", 34, "the jitter is given twice", "write 200ms±50ms"},
		{"delay(a -> b, 200ms, dist=normal)", 22, "dist says how the jitter is spread, and there is none: such as 200ms±50ms", ""},
		{"delay(a -> b, 200ms±50ms, dist=norml)", 32, `no distribution is called "norml"`, `did you mean "normal"? allowed: normal, pareto, uniform`},
		{"delay(a -> b, 200ms, p=0)", 24, `"0" is not a probability above 0 and up to 1`, shares},
		{"delay(a -> b, 200ms, p=1.5)", 24, `"1.5" is not a probability above 0 and up to 1`, shares},
		{"delay(a -> b, 200ms, p=101%)", 24, `"101%" is not a probability above 0 and up to 1`, shares},
		{"delay(a -> b, 200ms, p=1e-3)", 24, `"1e-3" is not a probability above 0 and up to 1`, shares},
		{"delay(a -> b, 200ms, p=NaN)", 24, `"NaN" is not a probability above 0 and up to 1`, shares},
		{"delay(a -> b, 200ms, pth=0.3)", 22, `delay has no argument "pth"`, `did you mean "path"? allowed: jitter, dist, ` + match + after},
		{"delay(a -> b, 200ms, header=\"x user: 7\")", 29, `"x user" is no name of a header`, `such as header="x-user: 7", or header=x-user for any value`},
		{"delay(a -> b, 200ms, header=\"x-user:\")", 29, `the header x-user has no value`, `such as header="x-user: 7", or header=x-user for any value`},
		{"delay(a -> b, 200ms, path=\"\")", 27, "path is empty", ""},
		{"delay(a -> b, 200ms, path=\"/x)", 27, "a text starts here and has no end, or a backslash that means nothing", `such as "a \"quoted\" text"`},
		{`delay(a -> b, 200ms, path="\q")`, 27, "a text starts here and has no end, or a backslash that means nothing", `such as "a \"quoted\" text"`},
		{`delay(a -> b, 200ms, path="/x" y)`, 32, `")" is expected after the arguments of delay, and here is "y"`, ""},
		{"delay(a -> b, 200ms, path=/x(y))", 29, `")" is expected after the arguments of delay, and here is "("`, ""},
		{"delay(a -> b, 200ms, attempt=0)", 30, `attempt is a whole number from 1, not "0"`, ""},
		{"delay(a -> b, 200ms, key=\"a b\")", 22, `"a b" is no name of a header`, ""},
		{"delay(a -> b, 200ms, method=\"GET POST\")", 22, `"GET POST" is no method`, ""},
		{"cut(a -> b, after=1KB)", 13, `cut has no argument "after"`, "allowed: nth, first, p, from, for, mode, value"},
		{"cut(a -> b, nth=2, first=3)", 13, "cut: either the n-th or the first n", ""},
		{"cut(a -> b, nth=-2)", 17, `nth is a whole number from 1, not "-2"`, ""},
		{"drop(a -> b)", 12, "drop needs a share", "such as drop(api -> pricing, 5%)"},
		{"drop(a -> b, 5)", 14, `"5" is not a share above 0 and up to 1`, shares},
		{"drop(a -> b, 0%)", 14, `"0%" is not a share above 0 and up to 1`, shares},
		{"blackhole(a -> b, 10s)", 19, `blackhole takes no argument "10s"`, "allowed: close=…, nth=…, first=…, after=…, p=…, from=…, for=…, mode=…, value=…"},
		{"reset(a -> b, close=1s)", 15, `reset has no argument "close"`, "allowed: wait, data, " + after},
		{"reset(a -> b, after=64)", 21, `"64" is no size above zero`, sizes},
		{"reset(a -> b, after=0B)", 21, `"0B" is no size above zero`, sizes},
		{"reset(a -> b, from=-1s)", 20, `"-1s" is no duration above zero`, dur},
		{"slowclose(a -> b)", 17, "slowclose needs a duration", "such as slowclose(api -> pricing, 5s)"},
		{"slice(a -> b, 0B)", 15, `"0B" is no size above zero`, sizes},
		{"slice(a -> b, 100B±200B)", 15, "slice: pieces of 100±200 bytes would have none", ""},
		{"slice(a -> b, 100B±x)", 15, `"x" is no size above zero`, "such as 100B±50B"},
		{"limit(a -> b, 64K)", 15, `"64K" is no size`, sizes},
		{"abort(a -> b)", 13, "abort needs an answer", "such as abort(api -> pricing, 503) or abort(api -> pricing, UNAVAILABLE)"},
		{"abort(a -> b, 100)", 15, "100 is no final HTTP status", "an HTTP status from 200 to 599, or a gRPC one such as UNAVAILABLE"},
		{"abort(a -> b, unavailble)", 15, `no gRPC status is called "unavailble"`, `did you mean "UNAVAILABLE"? an HTTP status such as 503, or a gRPC one such as UNAVAILABLE`},
		{"abort(a -> b, OK)", 15, `no gRPC status is called "OK"`, "an HTTP status from 200 to 599, or a gRPC one such as UNAVAILABLE"},
		{"truncate(a -> b)", 16, "truncate needs a size", "such as truncate(api -> pricing, 64KB)"},
		{"body(a -> b)", 12, "body needs a text", `such as body(api -> pricing, "oops")`},
		{"header(a -> b, \"Server\")", 16, `"Server" gives the header no value`, `such as "Retry-After: 1", or "-Server" to take one away`},
		{"header(a -> b, \"-a b\")", 16, `"a b" is no name of a header`, `such as "Retry-After: 1", or "-Server" to take one away`},
		{"link(a -> b)", 12, "link needs a profile", "such as link(api -> pricing, 3g)"},
		{"link(a -> b, wify)", 14, `no link is called "wify"`, `did you mean "wifi"? allowed: 3g, cross-region, dsl, flaky, satellite, wifi`},
		{"link(a -> b, wifi, p=0.3)", 20, `link has no argument "p"`, "allowed: mode, value"},
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

// Percentages, sizes and durations print back exactly, whatever float or integer they are.
func TestAmountsPrintBackExactly(t *testing.T) {
	t.Parallel()
	for i := 1; i <= 1000; i++ {
		for _, f := range []fault.Fault{
			fault.Drop("a", "b", float64(i)/1000),
			fault.Drop("a", "b", 1/float64(i)),
			fault.Reset("a", "b", fault.With{When: system.Trigger{P: 1 / float64(i)}}),
			fault.Throttle("a", "b", int64(i)*977),
			fault.Limit("a", "b", int64(i*i*i)*1024),
			fault.SlowClose("a", "b", time.Duration(i*i)*7919),
		} {
			if again := mustParse(t, f.String()); again != f {
				t.Fatalf("%#v prints %s, which reads as %#v", f, f, again)
			}
		}
	}
}

func TestWorstOfLinks(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, want string }{
		{"delay(a -> db[role=leader], 200ms±50ms, p=0.3, mode=one)", "cut(a <-> db)"},
		{"delay(a -> b, 200ms±50ms, path=/pay, key=k, nth=2)", `delay(a -> b, 1h, path="/pay")`},
		{"throttle(a -> b, 1KB/s, each)", "cut(a <-> b)"},
		{"cut(a -> b, nth=3)", "cut(a <-> b)"},
		{"drop(a -> b, 5%)", "cut(a <-> b)"},
		{"blackhole(a -> b, close=1s, after=1KB)", "blackhole(a <-> b)"},
		{"reset(a -> b, wait=1s, p=0.1)", "reset(a <-> b)"},
		{"refuse(a -> b, first=2)", "refuse(a <-> b)"},
		{"slowclose(a -> b, 5s)", "slowclose(a <-> b, 1h)"},
		{"slice(a -> b, 100B±50B)", "slice(a <-> b, 1B, gap=1s)"},
		{"limit(a -> b, 64KB)", "limit(a <-> b, 0B)"},
		{"abort(a -> b, 503, path=/pay, method=POST, nth=2, attempt=1)", `abort(a -> b, 503, path="/pay", method=POST)`},
		{"truncate(a -> b, 100B, p=0.5)", "truncate(a -> b, 0B)"},
		{`body(a -> b, "x", first=1)`, `body(a -> b, "x")`},
		{`header(a -> b, "-Server", p=0.1)`, `header(a -> b, "-Server")`},
		{"link(a -> b, wifi)", "cut(a <-> b)"},
	}
	for _, c := range cases {
		worst := mustParse(t, c.text).Worst()
		if got := worst.String(); got != c.want {
			t.Errorf("the worst of %s is %s, want %s", c.text, got, c.want)
		}
		if again := mustParse(t, worst.String()); again != worst {
			t.Errorf("%s reads as %#v, is %#v", worst, again, worst)
		}
	}
}

func TestProfilesAreWellFormed(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	for _, p := range fault.Profiles() {
		active, err := fault.LinkProfile("orders-1", "payments-1", p.Name).Inject(t.Context(), env, fault.Options{ID: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if p.Source == "" || len(env.rules) != len(p.Faults) {
			t.Errorf("%s: source %q, and %d rules of %d", p.Name, p.Source, len(env.rules), len(p.Faults))
		}
		for i := range p.Faults {
			id := "x"
			if len(p.Faults) > 1 {
				id = fmt.Sprintf("x/%d", i+1)
			}
			if rule, ok := env.rule[id]; !ok || rule.Check() != nil || rule.Text != "link(orders-1 -> payments-1, "+p.Name+")" {
				t.Errorf("%s: rule %s is %+v", p.Name, id, rule)
			}
		}
		if err := active.Heal(t.Context()); err != nil || len(env.rules) != 0 {
			t.Errorf("%s: %v, and %d rules are left", p.Name, err, len(env.rules))
		}
	}
}
