package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// bindingRules says what a changed value of a binding does, by where it stands: scope.protocol.key. A key stands for all below it.
// What no row is for is a gap.
func bindingRules() map[string]contract.Severity {
	table := map[string]contract.Severity{}
	for severity, rows := range map[contract.Severity]string{
		contract.Break: `
			server.kafka.schemaRegistryUrl server.kafka.schemaRegistryVendor server.mqtt.lastWill server.pulsar.tenant server.ibmmq.groupId
			server.jms.jmsConnectionFactory
			channel.kafka.topic channel.amqp.is channel.amqp.exchange channel.amqp.queue.name channel.amqp.queue.vhost channel.amqp.queue.durable
			channel.amqp.queue.exclusive channel.amqp.queue.autoDelete channel.ws.method channel.ws.query channel.ws.headers
			channel.jms.destination channel.jms.destinationType channel.sns.name channel.sns.ordering channel.sqs.queue channel.ibmmq
			channel.googlepubsub.schemaSettings channel.pulsar.namespace channel.pulsar.persistence channel.anypointmq.destination
			operation.amqp.cc operation.amqp.bcc operation.amqp.replyTo operation.http.method operation.http.query operation.nats.queue
			operation.sns.topic operation.sns.filterPolicy operation.sqs.queues operation.solace.destinations
			message.kafka.schemaIdLocation message.kafka.schemaIdPayloadEncoding message.amqp.contentEncoding message.amqp.messageType
			message.http.headers message.http.statusCode message.mqtt.payloadFormatIndicator message.mqtt.contentType message.mqtt.correlationData
			message.ibmmq message.jms.headers message.googlepubsub.schema message.googlepubsub.orderingKey message.anypointmq.headers`,
		contract.Risk: `
			server.mqtt server.ibmmq server.solace server.jms
			channel.kafka.partitions channel.kafka.topicConfiguration channel.amqp.queue channel.sns.policy channel.sqs.deadLetterQueue
			channel.googlepubsub channel.pulsar
			operation.kafka operation.mqtt operation.amqp operation.sns operation.sqs operation.solace
			message.kafka message.mqtt message.googlepubsub`,
		contract.Change: `channel.kafka.replicas channel.googlepubsub.labels channel.sns.tags channel.sqs.tags`,
	} {
		for _, row := range strings.Fields(rows) {
			table[row] = severity
		}
	}
	return table
}

// bindingSeverity returns the row with the longest key that a place is within.
func bindingSeverity(place string) (contract.Severity, bool) {
	table := bindingRules()
	for {
		if severity, ok := table[place]; ok {
			return severity, true
		}
		i := strings.LastIndexByte(place, '.')
		if i < 0 {
			return "", false
		}
		place = place[:i]
	}
}

// bindings compares the bindings of a server, channel, operation or message.
func (c *comparison) bindings(sub subject, scope string, old, new loc) error {
	before, err := c.old.expand(old)
	if err != nil {
		return err
	}
	after, err := c.new.expand(new)
	if err != nil {
		return err
	}
	was, is := leaves(before), leaves(after)
	if scope == "message" { // Kafka's key is a schema, and compared as one
		notKey := func(name, _ string) bool { return strings.HasPrefix(name, "kafka.key") }
		maps.DeleteFunc(was, notKey)
		maps.DeleteFunc(is, notKey)
	}
	for _, key := range slices.Sorted(maps.Keys(merged(was, is))) {
		if was[key] != is[key] {
			c.binding(sub, scope, key, was[key], is[key], old.place(), new.place())
		}
	}
	return nil
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func (c *comparison) binding(sub subject, scope, key, was, is string, old, new contract.Place) {
	text := fmt.Sprintf("the binding %s was %s and is %s", key, or2(was, "not there"), or2(is, "not there"))
	if strings.HasSuffix(key, ".bindingVersion") || strings.Contains(key, ".x-") {
		c.found(sub, "asyncapi-binding-changed", contract.Change, "bindings."+key, text, "", old, new)
		return
	}
	severity, ok := bindingSeverity(scope + "." + key)
	if !ok {
		c.gap(sub, "bindings."+key, new, "%s, and no rule says what that does", text)
		return
	}
	rule := "asyncapi-binding-changed"
	if was == "" { // the old version left it open: who relied on a value relied on what was not promised
		rule = "asyncapi-binding-added"
		severity = map[contract.Severity]contract.Severity{contract.Break: contract.Risk}[severity]
		severity = contract.Severity(or2(string(severity), string(contract.Change)))
	}
	c.found(sub, rule, severity, "bindings."+key, text, "keep the value, or add a channel with the other", old, new)
}

// leaves lists all values below v that hold no others, by their path. A list is one value.
func leaves(v any) map[string]string {
	out := map[string]string{}
	var walk func(v any, at string)
	walk = func(v any, at string) {
		object, ok := v.(map[string]any)
		if !ok || len(object) == 0 {
			if at != "" && v != nil {
				data, err := json.Marshal(v)
				if err != nil {
					data = []byte(fmt.Sprint(v))
				}
				out[at] = string(data)
			}
			return
		}
		for key, inner := range object {
			walk(inner, strings.TrimPrefix(at+"."+key, "."))
		}
	}
	walk(v, "")
	return out
}
