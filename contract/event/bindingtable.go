package event

import (
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A bindingRule says what a changed value of a binding does, and to whom.
type bindingRule struct {
	place    string // scope.protocol.key; with ".*" at its end, all below
	severity contract.Severity
	why      string
}

// bindingRules are of the keys that the bindings' specifications have. Keys that no row is for are gaps. Keys that hold schemas are
// compared as such, see bindingSchemas.
func bindingRules() []bindingRule {
	var rules []bindingRule
	for line := range strings.Lines(brokers + queues + others) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		severity, rest, _ := strings.Cut(line, " ")
		places, why, _ := strings.Cut(rest, ": ")
		for place := range strings.FieldsSeq(places) {
			rules = append(rules, bindingRule{place, contract.Severity(severity), why})
		}
	}
	return rules
}

const brokers = `
break server.kafka.schemaRegistryUrl: the ids in messages are of the old registry
break server.kafka.schemaRegistryVendor: vendors frame messages differently
break channel.kafka.topic: neighbours use the old topic
risk channel.kafka.partitions: keys move to other partitions, and their order is lost for a while
change channel.kafka.replicas: clients do not see copies
risk channel.kafka.topicConfiguration.cleanup.policy: old events are compacted or deleted where they were not
risk channel.kafka.topicConfiguration.retention.ms channel.kafka.topicConfiguration.retention.bytes channel.kafka.topicConfiguration.delete.retention.ms: a slow reader may find events gone
risk channel.kafka.topicConfiguration.max.message.bytes: the broker refuses larger events
risk channel.kafka.topicConfiguration.confluent.*: what the broker checks of schemas is another
risk operation.kafka.groupId.*: another group begins at the end or the beginning of the topic
risk operation.kafka.clientId.*: quotas and permissions go by it
break message.kafka.schemaIdLocation message.kafka.schemaIdPayloadEncoding: readers look for the schema's id elsewhere
risk message.kafka.schemaLookupStrategy: the schema may be registered under another name

break channel.pulsar.namespace channel.pulsar.persistence: they are part of the topic's name
break server.pulsar.tenant: it is part of each topic's name
risk channel.pulsar.compaction channel.pulsar.retention.* channel.pulsar.ttl: a slow reader may find events gone
risk channel.pulsar.geo-replication: readers of a cluster that is left out get nothing
risk channel.pulsar.deduplication: an event may come twice, or no more

break server.solace.msgVpn: neighbours connect to another broker
risk server.solace.clientName: permissions may go by it
break operation.solace.destinations: events go to other queues or topics
risk operation.solace.timeToLive operation.solace.priority operation.solace.dmqEligible: events may be gone, or come in another order

risk server.mqtt.clientId server.mqtt.cleanSession server.mqtt.sessionExpiryInterval.*: the session, with what waits in it, is another
break server.mqtt.lastWill.topic server.mqtt.lastWill.message: who waits for the last will does not get it, or another
risk server.mqtt.lastWill.qos server.mqtt.lastWill.retain: the last will may be lost, or stay
risk server.mqtt.keepAlive server.mqtt.maximumPacketSize.*: connections may be cut
risk operation.mqtt.qos: an event may be lost, or come twice
risk operation.mqtt.retain: who subscribes later sees the last event, or no more
risk operation.mqtt.messageExpiryInterval.*: a slow reader may find events gone
break message.mqtt.payloadFormatIndicator message.mqtt.contentType: readers take the bytes for something else
break message.mqtt.correlationData.* message.mqtt.responseTopic.*: answers do not find their way
risk server.mqtt5.sessionExpiryInterval: the session, with what waits in it, is another

risk operation.nats.queue: another group shares the events
break server.ros2.rmwImplementation server.ros2.domainId: nodes of the two do not see each other
break operation.ros2.role: the other side plays no counterpart
change operation.ros2.node: nodes find each other by topic
break operation.ros2.qosPolicies.reliability operation.ros2.qosPolicies.durability operation.ros2.qosPolicies.deadline operation.ros2.qosPolicies.liveliness operation.ros2.qosPolicies.leaseDuration: sides whose policies do not fit are not connected
risk operation.ros2.qosPolicies.history operation.ros2.qosPolicies.lifespan: a slow reader may find events gone
`

const queues = `
break channel.amqp.is: neighbours use a queue, or an exchange
break channel.amqp.name channel.amqp.channel: events are routed elsewhere
break channel.amqp.exchange.name channel.amqp.exchange.vhost channel.amqp.queue.name channel.amqp.queue.vhost: neighbours use the old one
break channel.amqp.exchange.type channel.amqp.exchange.durable channel.amqp.exchange.autoDelete channel.amqp.queue.durable channel.amqp.queue.exclusive channel.amqp.queue.autoDelete: the broker refuses who declares it with the old value
risk operation.amqp.expiration: a slow reader may find events gone
risk operation.amqp.userId: readers may trust by it
break operation.amqp.cc operation.amqp.bcc: queues that got a copy get none
risk operation.amqp.priority: events come in another order
risk operation.amqp.deliveryMode: events may not survive the broker
risk operation.amqp.mandatory operation.amqp.ack: an event may be lost, or come twice
break operation.amqp.replyTo: answers go elsewhere
risk operation.amqp.timestamp: readers may look at it
break message.amqp.contentEncoding: readers do not decode the bytes
break message.amqp.messageType: readers tell events apart by it

break server.jms.jmsConnectionFactory: neighbours connect with another driver
risk server.jms.properties.* server.jms.clientID: connections behave otherwise
break channel.jms.destination channel.jms.destinationType: neighbours use the old destination

risk server.ibmmq.groupId server.ibmmq.cipherSpec server.ibmmq.multiEndpointServer: neighbours may connect elsewhere, or not at all
break server.ibmmq.ccdtQueueManagerName: neighbours connect to another queue manager
change server.ibmmq.heartBeatInterval: it is a recommendation
break channel.ibmmq.destinationType channel.ibmmq.queue.objectName channel.ibmmq.topic.string channel.ibmmq.topic.objectName: neighbours use the old one
break channel.ibmmq.topic.durablePermitted: durable subscriptions are refused
risk channel.ibmmq.queue.isPartitioned channel.ibmmq.queue.exclusive channel.ibmmq.topic.lastMsgRetained: order, or who gets an event, may be another
risk channel.ibmmq.maxMsgLength: larger events may not be delivered
break message.ibmmq.type message.ibmmq.headers: readers take the bytes for something else
change message.ibmmq.description: it is for people
risk message.ibmmq.expiry: a slow reader may find events gone

break channel.anypointmq.destination channel.anypointmq.destinationType: neighbours use the old destination
change message.anypointmq.messageId: an id is of one message
risk message.anypointmq.messageGroupId: order is kept within a group
`

const others = `
break channel.ws.method: the handshake is refused
break operation.http.method operation.http.type: requests are refused
break message.http.statusCode: clients take the answer for another

break channel.googlepubsub.topic: neighbours use the old topic
break channel.googlepubsub.schemaSettings.*: the topic refuses events of the old schema
risk channel.googlepubsub.messageRetentionDuration: a slow reader may find events gone
risk channel.googlepubsub.messageStoragePolicy.*: where events may be stored is promised to somebody
change channel.googlepubsub.labels.*: they are for people
risk message.googlepubsub.attributes.*: subscriptions filter by them
break message.googlepubsub.orderingKey: order is kept within a key
break message.googlepubsub.schema.*: readers take the bytes for something else

break channel.sns.name operation.sns.topic.*: neighbours use the old topic
break channel.sns.ordering.*: a topic is of one kind for good
risk channel.sns.policy.*: a neighbour may lose its permission
change channel.sns.tags.*: they are for people
break operation.sns.consumers: endpoints may get nothing, or events in another form
risk operation.sns.deliveryPolicy.*: an event may be given up earlier

break channel.sqs.queue.name channel.sqs.queue.fifoQueue: neighbours use the old queue
risk channel.sqs.queue.deduplicationScope channel.sqs.queue.fifoThroughputLimit channel.sqs.queue.visibilityTimeout: an event may come twice, or no more
risk channel.sqs.queue.deliveryDelay channel.sqs.queue.receiveMessageWaitTime channel.sqs.queue.messageRetentionPeriod: events come later, or are gone earlier
risk channel.sqs.queue.redrivePolicy.* channel.sqs.deadLetterQueue.*: events that fail go elsewhere
risk channel.sqs.queue.policy.*: a neighbour may lose its permission
change channel.sqs.queue.tags.*: they are for people
break operation.sqs.queues: neighbours use the old queue
`

// bindingFor returns the row that a place is of.
func bindingFor(place string) (bindingRule, bool) {
	for _, rule := range bindingRules() {
		all, below := strings.CutSuffix(rule.place, ".*")
		if place == rule.place || below && (place == all || strings.HasPrefix(place, all+".")) {
			return rule, true
		}
	}
	return bindingRule{}, false
}

// bindingDefault is what a key means where it is not there, as JSON; "" where that is left open. address is the channel's.
func bindingDefault(place, address string) string {
	switch place {
	case "channel.kafka.topic", "channel.jms.destination", "channel.anypointmq.destination":
		return quoted(address)
	case "channel.amqp.is":
		return `"routingKey"`
	case "channel.amqp.exchange.vhost", "channel.amqp.queue.vhost":
		return `"/"`
	case "server.pulsar.tenant":
		return `"public"`
	case "channel.jms.destinationType", "channel.anypointmq.destinationType":
		return `"queue"`
	case "channel.ibmmq.destinationType":
		return `"topic"`
	case "channel.ibmmq.topic.durablePermitted":
		return "true"
	case "message.ibmmq.type":
		return `"string"`
	}
	return ""
}

// bindingSchemas are keys that hold schemas, by scope.
func bindingSchemas(scope string) []string {
	return map[string][]string{
		"message": {"kafka.key", "http.headers", "jms.headers"}, "operation": {"http.query"}, "channel": {"ws.query", "ws.headers"},
	}[scope]
}
