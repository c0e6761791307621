package terms

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/assay-dev/assay/contract"
)

func TestMistakes(t *testing.T) {
	t.Parallel()
	operation := func(text string) string { return "service: s\noperations:\n  POST /a: {" + text + "}\n" }
	for _, c := range []struct{ text, want string }{
		{"", "terms.yaml:1:1: the file is empty"},
		{"a: [", "terms.yaml:1:1: this is no YAML"},
		{"a: 1\n\xff\n", "terms.yaml:2:1: this is no UTF-8"},
		{"service: s\noperations: {}\n---\nservice: t\n", "a second YAML document"},
		{"[]", "terms.yaml:1:1: a file of terms must be a mapping, and this is a list"},
		{"service: s", "terms.yaml:1:1: a file of terms has no operations"},
		{"operations: {}", "a file of terms has no service"},
		{"service: a b\noperations: {}", `has no blanks, and this is "a b"`},
		{"service: s\noperation: {}", `terms.yaml:2:1: a file of terms has no key "operation" (did you mean "operations"? allowed: operations, service)`},
		{"service: s\noperations:\n  PSOT /a: {}", `terms.yaml:3:3: an operation is called "PSOT /a" (such as POST /orders`},
		{operation("deadlin: 1s"), `terms.yaml:3:13: POST /a has no key "deadlin" (did you mean "deadline"?`},
		{operation("deadline: 2"), `terms.yaml:3:23: deadline: "2" is no duration (such as 500ms, 5s or 24h)`},
		{operation("deadline: -2s"), "deadline must be longer than zero"},
		{operation("deadline: 0s"), "deadline must be longer than zero"},
		{operation("deadline: 900000h"), "at most ten years"},
		{operation("deadline: [1s]"), "deadline must be a duration, and this is a list"},
		{operation("deadline: 1s, deadline: 2s"), "terms.yaml:3:27: deadline is given twice"},
		{operation("safe: sometimes"), `safe must be true or false, and this is "sometimes"`},
		{operation("safe: true, idempotent: false"), "is safe and not idempotent"},
		{operation("limit: 50"), `limit must be a rate, and this is "50" (such as 50/s`},
		{operation("limit: NaN/s"), "must be a rate"},
		{operation("limit: 0/s"), "must be from 0.001"},
		{operation("key: {header: K}"), "key has no retention"},
		{operation("key: {retention: 1h}"), "a key has either a header or a field"},
		{operation("key: {header: K, field: k, retention: 1h}"), "either a header or a field"},
		{operation("retry: {on: [UNAVALABLE]}"), `on: there is no code "UNAVALABLE" (did you mean "UNAVAILABLE"?`},
		{operation("retry: {on: [200]}"), `there is no code "200"`},
		{operation("retry: {on: [503, 503]}"), "503 is given twice"},
		{operation("retry: {on: 503}"), "on must be a list"},
		{operation("retry: {attempts: 0}"), "attempts must be a whole number from 1 to 1000"},
		{operation("retry: {retry-after: true}"), `retry has no key "retry-after"`},
		{operation("retry: {backoff: {factor: 2}}"), "backoff has no initial"},
		{operation("retry: {backoff: {initial: 1s, jitter: 2}}"), "jitter must be a number from 0 to 1"},
		{operation("retry: {backoff: {initial: 1s, factor: NaN}}"), "factor must be a number from 1 to 100"},
		{operation("retry: {backoff: {initial: 1s, max: 1ms}}"), "below its initial"},
		{operation("delivery: {guarantee: at-least-once}"), "neither sends nor receives events"},
		{"service: s\noperations: {send a: {delivery: {dedup: 1s}}}", "delivery has no guarantee"},
		{"service: s\noperations: {send a: {delivery: {guarantee: at-most-once, redeliveries: 1}}}", "is at-most-once, and delivers again"},
		{"service: s\noperations: {send a: {delivery: {guarantee: atleast-once}}}", `did you mean "at-least-once"?`},
		{operation("calls: {call: x}"), "calls must be a list"},
		{operation("calls: [{timeout: 1s}]"), "a call has no call"},
		{operation("calls: [{call: payments}]"), "call must be a service and its operation"},
		{operation("calls: [{call: p GET /x, key: same}]"), `key: there is no "same"`},
		{operation("calls: [{parallel: [], timeout: 1s}]"), `an item of calls has no key "timeout"`},
		{"service: s\noperations: &o\n  POST /a: *o\n", "contains itself"},
		{"openapi: 3.1.0\npaths: {/a: {get: {x-assay: {deadline: 1s}}}}", "no service that they are of (x-assay: {service: NAME} at the top)"},
		{"openapi: 3.1.0\nx-assay: {service: s, owner: me}\npaths: {}", `terms.yaml:2:23: x-assay has no key "owner"`},
		{"asyncapi: 3.0.0\nx-assay: {service: s}\noperations: {a: {action: send, x-assay: {work: 1s}}}", "no action with a channel"},
	} {
		_, err := Read(t.Context(), memory("v", c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.text, err, c.want)
		}
	}
}

// Few bytes may stand for many values, and may nest: both end in an error.
func TestBombs(t *testing.T) {
	t.Parallel()
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 8 {
		one := "*a" + string(rune('0'+i))
		bomb += "a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Repeat(one+", ", 9) + one + "]\n"
	}
	for _, text := range []string{bomb, "service: s\noperations: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)} {
		if _, err := Read(t.Context(), memory("v", text)); err == nil || !strings.Contains(err.Error(), "too large or too deep") && !strings.Contains(err.Error(), "depth") {
			t.Errorf("got %.200v", err)
		}
	}
}

// The same terms are the same wherever they stand.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"openapi":    "openapi: 3.1.0\nx-assay: {service: s}\npaths:\n  /a:\n    parameters: []\n    post: {x-assay: {deadline: 2s}}\n    get: {}\n",
		"json":       `{"openapi": "3.0.0", "x-assay": {"service": "s"}, "paths": {"/a": {"post": {"x-assay": {"deadline": "2s"}}}}}`,
		"terms":      "service: s\noperations: {POST /a: {deadline: 2s}}",
		"asyncapi":   "asyncapi: 3.0.0\nx-assay: {service: s}\nchannels: {paid: {address: orders.paid}}\noperations:\n  a: {action: send, channel: {$ref: '#/channels/paid'}, x-assay: {deadline: 2s}}\n",
		"asyncapi 2": "asyncapi: 2.6.0\nx-assay: {service: s}\nchannels: {orders.paid: {subscribe: {x-assay: {deadline: 2s}}}}\n",
		"anchors":    "service: s\noperations: {POST /a: {<<: &a {deadline: 2s}}}",
	} {
		all, err := Read(t.Context(), memory("v", text))
		if err != nil || len(all) != 1 || all[0].Service != "s" || len(all[0].Operations) != 1 {
			t.Errorf("%s: %+v, %v", name, all, err)
			continue
		}
		want := "POST /a"
		if strings.HasPrefix(name, "asyncapi") {
			want = "send orders.paid"
		}
		if o := all[0].Operations[0]; o.Name != want || o.Deadline != 2*time.Second || o.At.Line == 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// A folder has the terms of all its files; what has none is passed over, and an operation has them once.
func TestFolder(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"compose.yaml":   {Data: []byte("services: {a: {}}")},
		"a/terms.yaml":   {Data: []byte("service: b\noperations: {POST /a: {deadline: 2s}}")},
		"a/openapi.yaml": {Data: []byte("openapi: 3.1.0\nx-assay: {service: a}\npaths: {/a: {get: {x-assay: {deadline: 2s}}}}")},
	}
	src := contract.Source{Name: "v", FS: files, Path: "."}
	all, err := Read(t.Context(), src)
	if err != nil || len(all) != 2 || all[0].Service != "a" || all[1].Service != "b" {
		t.Errorf("%+v, %v", all, err)
	}
	files["b.json"] = &fstest.MapFile{Data: []byte(`{"service": "b", "operations": {"POST /a": {}}}`)}
	if _, err := Read(t.Context(), src); err == nil || !strings.Contains(err.Error(), "b.json:1:33: b POST /a has terms already, at a/terms.yaml:2:14") {
		t.Errorf("got %v", err)
	}
	if _, err := Read(t.Context(), contract.Source{Name: "v", FS: files, Path: "none.yaml"}); err == nil {
		t.Error("a file that is not there was read")
	}
}

// Whatever is read, nothing panics, and what is read compares with itself as the same.
func FuzzRead(f *testing.F) {
	f.Add(base)
	for _, one := range strings.Split(shop, "---\n") {
		f.Add(one)
	}
	f.Add("openapi: 3.1.0\nx-assay: {service: s}\npaths: {/a: {get: {x-assay: {deadline: 1s}}}}")
	f.Add("asyncapi: 3.0.0\nx-assay: {service: s}\noperations: {a: {action: send, channel: {$ref: '#/channels/x'}, x-assay: {work: 1s}}}")
	f.Fuzz(func(t *testing.T, text string) {
		src := memory("v", text)
		all, err := Read(t.Context(), src)
		if err != nil {
			return
		}
		d, err := Diff(t.Context(), src, src, contract.Options{})
		if err != nil || len(d.Findings) > 0 {
			t.Fatalf("not the same as itself: %+v %v", d.Findings, err)
		}
		if d, err := Diff(t.Context(), memory("base", base), src, contract.Options{}); err != nil || len(d.Findings)+len(d.Proofs)+len(d.Gaps) == 0 {
			t.Fatalf("nothing said: %v", err)
		}
		if _, err := Check(t.Context(), all, CheckOptions{}); err != nil {
			t.Fatal(err)
		}
	})
}
