package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// A param is one argument of a fault of links: how it is written and read. One list of them makes String, Parse and what they say allowed.
type param struct {
	key  string // "" for the one without a name
	flag bool   // the key alone, without a value
	what string // in sentences: "a duration"
	such string // an example of its value
	need bool   // the fault is none without it
	// write returns the value, "" where the argument is not set.
	write func(link) string
	// read sets it, and says what is wrong with the text, and what to write instead.
	read  func(f *link, text string) (problem, hint string)
	goFor string // what a constructor says of it where the kind has none
}

// params are the arguments of a kind, in the order in which they are written. mode and value follow them.
func params(kind string) []param {
	list := ownParams(kind)
	if kind == profileKind {
		return list
	}
	if kind == "delay" || (system.Rule{Kind: system.RuleKind(kind)}).OfRequests() {
		list = append(list, matchParams()...)
	}
	for _, p := range triggerParams() {
		if p.key != "after" || kind != "cut" && kind != "refuse" { // those are of dials and all that follows
			list = append(list, p)
		}
	}
	return list
}

// allParams are the arguments of any kind, each once.
func allParams() []param {
	var all []param
	for _, kind := range linkKinds() {
		for _, p := range params(kind) {
			if !slices.ContainsFunc(all, func(o param) bool { return o.key == p.key }) {
				all = append(all, p)
			}
		}
	}
	return all
}

// linkKinds are the kinds of faults of links.
func linkKinds() []string {
	kinds := []string{profileKind}
	for _, k := range system.RuleKinds() {
		kinds = append(kinds, string(k))
	}
	return kinds
}

// ownParams are those that only a kind has.
func ownParams(kind string) []param {
	switch kind {
	case "delay":
		return []param{delayParam(), jitterParam(), distParam()}
	case "throttle":
		return []param{rateParam(), eachParam()}
	case "drop":
		return []param{shareParam("", "a share", func(f *link) *float64 { return &f.rule.Loss }, percent)}
	case "blackhole":
		return []param{durationParam("close", func(f *link) *time.Duration { return &f.rule.Delay })}
	case "reset":
		return []param{durationParam("wait", func(f *link) *time.Duration { return &f.rule.Delay }), dataParam()}
	case "slowclose":
		return []param{needed(durationParam("", func(f *link) *time.Duration { return &f.rule.Delay }), "slowclose(api -> pricing, 5s)")}
	case "slice":
		return []param{piecesParam(), durationParam("gap", func(f *link) *time.Duration { return &f.rule.Delay })}
	case "limit", "truncate":
		return []param{bytesParam(kind)}
	case "abort":
		return []param{answerParam()}
	case "body":
		return []param{{what: "a text", such: `body(api -> pricing, "oops")`, need: true,
			write: func(f link) string { return quoted(f.rule.Value) },
			read:  func(f *link, text string) (string, string) { f.rule.Value = text; return "", "" }}}
	case "header":
		return []param{{what: "a header", such: `header(api -> pricing, "Retry-After: 1")`, need: true,
			write: func(f link) string { return quoted(headerSetting(f)) },
			read:  func(f *link, text string) (string, string) { return setHeader(f, text), headerHint }}}
	case profileKind:
		return []param{{what: "a profile", such: "link(api -> pricing, 3g)", need: true,
			write: func(f link) string { return word(f.profile) }, read: readProfile}}
	}
	return nil
}

const headerHint = `such as "Retry-After: 1", or "-Server" to take one away`

func needed(p param, such string) param {
	p.need, p.such = true, such
	return p
}

func readProfile(f *link, text string) (string, string) {
	if !slices.Contains(profileNames(), text) {
		return fmt.Sprintf("no link is called %q", text), hint(text, profileNames())
	}
	f.profile = text
	return "", ""
}

// matchParams say which requests.
func matchParams() []param {
	return []param{
		textParam("path", func(f *link) *string { return &f.match.Path }),
		textParam("method", func(f *link) *string { return &f.match.Method }),
		{key: "header", what: "a header", write: func(f link) string {
			if f.match.Header == "" && f.match.Value == "" {
				return ""
			}
			return word(headerText(f.match.Header, f.match.Value))
		}, read: func(f *link, text string) (problem, hint string) {
			f.match.Header, f.match.Value, problem = splitHeader(text)
			return problem, `such as header="x-user: 7", or header=x-user for any value`
		}},
		textParam("key", func(f *link) *string { return &f.match.Key }),
		countParam("attempt", func(f *link, n uint64) { f.match.Attempt = int(n) }, func(f link) uint64 { return uint64(f.match.Attempt) }),
	}
}

// triggerParams say which connections or requests, and when.
func triggerParams() []param {
	return []param{
		countParam("nth", func(f *link, n uint64) { f.rule.When.Nth = n }, func(f link) uint64 { return f.rule.When.Nth }),
		countParam("first", func(f *link, n uint64) { f.rule.When.First = n }, func(f link) uint64 { return f.rule.When.First }),
		sizeParam("after", func(f *link) *int64 { return &f.rule.When.After }),
		shareParam("p", "a probability", func(f *link) *float64 { return &f.rule.When.P }, share),
		durationParam("from", func(f *link) *time.Duration { return &f.rule.When.From }),
		durationParam("for", func(f *link) *time.Duration { return &f.rule.When.For }),
	}
}

const durationHint = "such as 200ms, 3s or 1m30s"

func durationParam(key string, at func(*link) *time.Duration) param {
	return param{key: key, what: "a duration", write: func(f link) string {
		if *at(&f) == 0 {
			return ""
		}
		return duration(*at(&f))
	}, read: func(f *link, text string) (string, string) {
		d, ok := parseDuration(text)
		if !ok {
			return fmt.Sprintf("%q is no duration above zero", text), durationHint
		}
		*at(f) = d
		return "", ""
	}}
}

// delayParam is 200ms, or 200ms±50ms.
func delayParam() param {
	p := needed(durationParam("", func(f *link) *time.Duration { return &f.rule.Delay }), "delay(orders -> payments, 200ms)")
	writeMean, readMean := p.write, p.read
	p.write = func(f link) string {
		if f.rule.Jitter == 0 {
			return writeMean(f)
		}
		return writeMean(f) + "±" + duration(f.rule.Jitter)
	}
	p.read = func(f *link, text string) (string, string) {
		mean, spread, has := plusMinus(text)
		if has {
			d, ok := parseDuration(spread)
			if !ok {
				return fmt.Sprintf("%q is no duration above zero", spread), "such as 200ms±50ms"
			}
			f.rule.Jitter = d
		}
		return readMean(f, mean)
	}
	return p
}

// jitterParam is how a jitter was written before it had its sign. It is read, and never written.
func jitterParam() param {
	p := durationParam("jitter", func(f *link) *time.Duration { return &f.rule.Jitter })
	read := p.read
	p.read = func(f *link, text string) (string, string) {
		if f.rule.Jitter != 0 {
			return "the jitter is given twice", "write 200ms±50ms"
		}
		return read(f, text)
	}
	p.write = func(link) string { return "" }
	return p
}

func distParam() param {
	names := []string{string(system.Normal), string(system.Pareto), string(system.Uniform)}
	return param{key: "dist", what: "a distribution", write: func(f link) string { return string(f.rule.Dist) },
		read: func(f *link, text string) (string, string) {
			if !slices.Contains(names, text) {
				return fmt.Sprintf("no distribution is called %q", text), hint(text, names)
			}
			f.rule.Dist = system.Distribution(text)
			return "", ""
		}}
}

const sizeHint = "such as 100B, 64KB or 1MiB"

func sizeParam(key string, at func(*link) *int64) param {
	return param{key: key, what: "a size", write: func(f link) string {
		if *at(&f) == 0 {
			return ""
		}
		return size(*at(&f))
	}, read: func(f *link, text string) (string, string) {
		n, ok := parseSize(text)
		if !ok || n == 0 {
			return fmt.Sprintf("%q is no size above zero", text), sizeHint
		}
		*at(f) = n
		return "", ""
	}}
}

// bytesParam is a size that may be 0B: nothing passes then.
func bytesParam(kind string) param {
	return param{what: "a size", such: kind + "(api -> pricing, 64KB)", need: true,
		write: func(f link) string { return size(f.rule.Bytes) },
		read: func(f *link, text string) (problem, _ string) {
			n, ok := parseSize(text)
			if !ok {
				problem = fmt.Sprintf("%q is no size", text)
			}
			f.rule.Bytes = n
			return problem, sizeHint
		}}
}

// piecesParam is 100B, or 100B±50B.
func piecesParam() param {
	mean := sizeParam("", func(f *link) *int64 { return &f.rule.Bytes })
	spread := sizeParam("", func(f *link) *int64 { return &f.rule.Spread })
	return param{what: "a size", such: "slice(api -> pricing, 100B±50B)", need: true, write: func(f link) string {
		if f.rule.Spread == 0 {
			return mean.write(f)
		}
		return mean.write(f) + "±" + spread.write(f)
	}, read: func(f *link, text string) (string, string) {
		a, b, has := plusMinus(text)
		if has {
			if problem, _ := spread.read(f, b); problem != "" {
				return problem, "such as 100B±50B"
			}
		}
		return mean.read(f, a)
	}}
}

func rateParam() param {
	return param{what: "a rate", such: "throttle(api -> pricing, 100KB/s)", need: true,
		write: func(f link) string { return size(f.rule.Rate) + "/s" },
		read: func(f *link, text string) (string, string) {
			bytes, isRate := strings.CutSuffix(text, "/s")
			n, ok := parseSize(strings.TrimSpace(bytes))
			if !isRate || !ok || n == 0 {
				return fmt.Sprintf("%q is no rate above zero", text), "such as 100KB/s or 1.5MB/s, in bytes and not in bits"
			}
			f.rule.Rate = n
			return "", ""
		}}
}

// dataParam lets a reset wait until there is something to lose.
func dataParam() param {
	return param{key: "data", flag: true, goFor: "Data is for reset", write: func(f link) string {
		if f.rule.When.Data {
			return "data"
		}
		return ""
	}, read: func(f *link, _ string) (string, string) { f.rule.When.Data = true; return "", "" }}
}

func eachParam() param {
	return param{key: "each", flag: true, goFor: "Each is for throttle", write: func(f link) string {
		if f.rule.Each {
			return "each"
		}
		return ""
	}, read: func(f *link, _ string) (string, string) { f.rule.Each = true; return "", "" }}
}

func shareParam(key, what string, at func(*link) *float64, write func(float64) string) param {
	p := param{key: key, what: what, write: func(f link) string {
		if *at(&f) == 0 {
			return ""
		}
		return write(*at(&f))
	}, read: func(f *link, text string) (string, string) {
		n, ok := parseShare(text)
		if !ok {
			return fmt.Sprintf("%q is not %s above 0 and up to 1", text, what), "such as 0.3 or 30%"
		}
		*at(f) = n
		return "", ""
	}}
	if key == "" {
		p.need, p.such = true, "drop(api -> pricing, 5%)"
	}
	return p
}

func textParam(key string, at func(*link) *string) param {
	return param{key: key, what: "a text", write: func(f link) string {
		if *at(&f) == "" {
			return ""
		}
		return word(*at(&f))
	}, read: func(f *link, text string) (string, string) {
		if text == "" {
			return key + " is empty", ""
		}
		*at(f) = text
		return "", ""
	}}
}

func countParam(key string, set func(*link, uint64), count func(link) uint64) param {
	return param{key: key, what: "a number", write: func(f link) string {
		if count(f) == 0 {
			return ""
		}
		return strconv.FormatUint(count(f), 10)
	}, read: func(f *link, text string) (string, string) {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil || n == 0 || text[0] == '+' {
			return fmt.Sprintf("%s is a whole number from 1, not %q", key, text), ""
		}
		set(f, n)
		return "", ""
	}}
}

// codes are the gRPC statuses that are errors.
func codes() []string {
	return []string{"ABORTED", "ALREADY_EXISTS", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED", "FAILED_PRECONDITION", "INTERNAL",
		"INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNAVAILABLE",
		"UNIMPLEMENTED", "UNKNOWN"}
}

func answerParam() param {
	return param{what: "an answer", such: "abort(api -> pricing, 503) or abort(api -> pricing, UNAVAILABLE)", need: true,
		write: func(f link) string {
			if f.rule.Code != "" {
				return f.rule.Code
			}
			return strconv.Itoa(f.rule.Status)
		},
		read: func(f *link, text string) (string, string) {
			if problem := setAnswer(f, text); problem != "" {
				return problem, answerHint(text)
			}
			return "", ""
		}}
}

// setAnswer takes an HTTP status or the name of a gRPC one.
func setAnswer(f *link, text string) string {
	if status, err := strconv.Atoi(text); err == nil && text[0] != '+' {
		f.rule.Status = status
		if status < 200 || status > 599 {
			return fmt.Sprintf("%d is no final HTTP status", status)
		}
		return ""
	}
	f.rule.Code = text
	if !slices.Contains(codes(), text) {
		return fmt.Sprintf("no gRPC status is called %q", text)
	}
	return ""
}

func answerHint(text string) string {
	if near := nearest(strings.ToUpper(text), codes()); near != "" {
		return fmt.Sprintf("did you mean %q? an HTTP status such as 503, or a gRPC one such as UNAVAILABLE", near)
	}
	return "an HTTP status from 200 to 599, or a gRPC one such as UNAVAILABLE"
}

// headerSetting writes "Name: value", or "-Name".
func headerSetting(f link) string {
	if f.rule.Value == "" {
		return "-" + f.rule.Name
	}
	return headerText(f.rule.Name, f.rule.Value)
}

// setHeader reads what headerSetting writes.
func setHeader(f *link, text string) (problem string) {
	if name, away := strings.CutPrefix(text, "-"); away {
		f.rule.Name = name
		if !token(name) || strings.HasPrefix(name, "-") {
			return fmt.Sprintf("%q is no name of a header", name)
		}
		return ""
	}
	if f.rule.Name, f.rule.Value, problem = splitHeader(text); problem == "" && f.rule.Value == "" {
		return fmt.Sprintf("%q gives the header no value", text)
	}
	return problem
}
