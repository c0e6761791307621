package event

import (
	"fmt"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// bound is a document with one value of a binding, at scope.protocol.key.
func bound(place, value string) string {
	parts := strings.Split(place, ".")
	text := value
	if value != "" {
		for i := len(parts) - 1; i > 0; i-- {
			text = fmt.Sprintf("{%q: %s}", parts[i], text)
		}
		text = ", bindings: " + text
	}
	at := map[string]string{parts[0]: text}
	return fmt.Sprintf(`asyncapi: 3.0.0
servers: {main: {host: "b:1", protocol: p%s}}
channels: {a: {address: a%s, messages: {m: {name: m%s}}}}
operations: {o: {action: receive, channel: {$ref: '#/channels/a'}%s}}
`, at["server"], at["channel"], at["message"], at["operation"])
}

func boundDiff(t *testing.T, old, new string) contract.Diff {
	t.Helper()
	diff, err := Diff(t.Context(), memory("old", "a.yaml", old), memory("new", "a.yaml", new), contract.Options{Documents: 5})
	if err != nil {
		t.Fatal(err)
	}
	return diff
}

// TestBindingTable: each row of the table is found with its severity, and what stands beside its keys is a gap.
func TestBindingTable(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range bindingRules() {
		place := strings.Replace(row.place, ".*", ".some", 1)
		if seen[row.place] || row.why == "" {
			t.Errorf("%s: twice in the table, or without a reason", row.place)
		}
		seen[row.place] = true
		diff := boundDiff(t, bound(place, "one"), bound(place, "two"))
		if len(diff.Findings) != 1 || len(diff.Gaps) > 0 || diff.Findings[0].Severity != row.severity || diff.Findings[0].Rule != "asyncapi-binding-changed" {
			t.Errorf("%s: got %s", place, summary(diff))
		}
		gone := boundDiff(t, bound(place, "one"), bound(place, ""))
		if len(gone.Findings) != 1 || gone.Findings[0].Severity != row.severity {
			t.Errorf("%s is gone: got %s", place, summary(gone))
		}
		scope, rest, _ := strings.Cut(place, ".")
		protocol, _, _ := strings.Cut(rest, ".")
		other := fmt.Sprintf("%s.%s.colour", scope, protocol)
		if diff := boundDiff(t, bound(other, "one"), bound(other, "two")); diff.Verdict() != verdict.Unknown {
			t.Errorf("%s: got %s: %s", other, diff.Verdict(), summary(diff))
		}
	}
	for _, place := range []string{"channel.redis.key", "message.nats.key", "server.pigeon.wings"} {
		if diff := boundDiff(t, bound(place, "one"), bound(place, "two")); diff.Verdict() != verdict.Unknown {
			t.Errorf("%s: got %s", place, diff.Verdict())
		}
	}
}

// TestBindingDefaults: a value that is written where it was meant is no change, and another one is.
func TestBindingDefaults(t *testing.T) {
	for _, c := range []struct{ place, was, is, want string }{
		{"channel.kafka.topic", "", "a", "change asyncapi-binding-changed channel a bindings.kafka.topic"},
		{"channel.kafka.topic", "", "b", "break asyncapi-binding-changed channel a bindings.kafka.topic"},
		{"channel.kafka.topic", "a", "", "change asyncapi-binding-changed channel a bindings.kafka.topic"},
		{"channel.amqp.is", "", "queue", "break asyncapi-binding-changed channel a bindings.amqp.is"},
		{"channel.amqp.is", "routingKey", "", "change asyncapi-binding-changed channel a bindings.amqp.is"},
		{"channel.ibmmq.topic.durablePermitted", "", "false", "break asyncapi-binding-changed channel a bindings.ibmmq.topic.durablePermitted"},
		{"server.pulsar.tenant", "", "public", "change asyncapi-binding-changed server main bindings.pulsar.tenant"},
		{"channel.amqp.queue.name", "", "q", "risk asyncapi-binding-added channel a bindings.amqp.queue.name"},
		{"channel.kafka.bindingVersion", "0.4.0", "0.5.0", "change asyncapi-binding-changed channel a bindings.kafka.bindingVersion"},
		{"channel.kafka.x-owner", "a", "b", "change asyncapi-binding-changed channel a bindings.kafka.x-owner"},
	} {
		if got := summary(boundDiff(t, bound(c.place, c.was), bound(c.place, c.is))); got != c.want {
			t.Errorf("%s from %q to %q: got %q, want %q", c.place, c.was, c.is, got, c.want)
		}
	}
}

// TestBindingSchemas: what a binding says as a schema is compared as one, in the direction of its message.
func TestBindingSchemas(t *testing.T) {
	const loose, strict = "{type: object, properties: {n: {type: integer, minimum: 1}}}", "{type: object, properties: {n: {type: integer, minimum: 2}}}"
	for place, at := range map[string]string{
		"operation.http.query": "receive a bindings.http.query.n", "message.http.headers": "receive a m.bindings.http.headers.n",
		"message.jms.headers": "receive a m.bindings.jms.headers.n", "message.kafka.key": "receive a m.bindings.kafka.key.n",
	} {
		if got, want := summary(boundDiff(t, bound(place, loose), bound(place, strict))), "break json-minimum-raised "+at; got != want {
			t.Errorf("%s: got %q, want %q", place, got, want)
		}
		if got, want := summary(boundDiff(t, bound(place, strict), bound(place, loose))), "change json-widened "+at; got != want {
			t.Errorf("%s, widened: got %q, want %q", place, got, want)
		}
	}
	// Who connects is not said of a channel: both ways.
	for _, pair := range [][2]string{{loose, strict}, {strict, loose}} {
		if got := summary(boundDiff(t, bound("channel.ws.query", pair[0]), bound("channel.ws.query", pair[1]))); got != "break json-minimum-raised channel a bindings.ws.query.n" {
			t.Errorf("got %q", got)
		}
	}
}
