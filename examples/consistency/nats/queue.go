package nats

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/workload/model"
)

// Stream is the configuration of a stream that is a queue: what was acknowledged is gone.
func Stream(name string) jetstream.StreamConfig {
	return jetstream.StreamConfig{Name: name, Subjects: []string{name}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage}
}

// Worker is the configuration of the consumer that all clients of a queue share.
func Worker() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{Durable: "worker", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 5 * time.Second}
}

// A Queue is a stream.
type Queue struct {
	JetStream jetstream.JetStream
	Consumer  jetstream.Consumer
	Name      string
	// Careless publishes without an id, so that the server takes another try for another number.
	Careless bool
}

var _ model.Queue = (*Queue)(nil)

// Close closes the connection.
func (q *Queue) Close() error {
	q.JetStream.Conn().Close()
	return nil
}

// Enqueue publishes a number, and again where no answer came.
func (q *Queue) Enqueue(ctx context.Context, value int64) error {
	text := strconv.FormatInt(value, 10)
	var how []jetstream.PublishOpt
	if !q.Careless {
		how = append(how, jetstream.WithMsgID(text))
	}
	for {
		try, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		_, err := q.JetStream.Publish(try, q.Name, []byte(text), how...)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

var errBusy = model.Refused(errors.New("there are numbers, and none for this client"))

// Dequeue takes the next number. It is taken for good when the server has confirmed the acknowledgement.
func (q *Queue) Dequeue(ctx context.Context) (int64, bool, error) {
	msg, err := q.Consumer.Next(jetstream.FetchMaxWait(50 * time.Millisecond))
	if errors.Is(err, nats.ErrTimeout) {
		return 0, false, q.empty(ctx)
	}
	if err != nil {
		return 0, false, err
	}
	value, err := strconv.ParseInt(string(msg.Data()), 10, 64)
	if err != nil {
		return 0, false, err
	}
	return value, true, msg.DoubleAck(ctx)
}

// empty returns an error unless the queue is empty: that a fetch brought nothing in time does not say so.
func (q *Queue) empty(ctx context.Context) error {
	info, err := q.Consumer.Info(ctx)
	if err == nil && info.NumPending+uint64(info.NumAckPending) > 0 {
		err = errBusy
	}
	return model.Refused(err)
}
