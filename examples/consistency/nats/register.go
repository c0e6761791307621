// Package nats shows how the consistency of NATS is judged: a register in a bucket, on a cluster of which one
// server is cut off, and what reads from the stream's leader and direct gets make of it; and lists, a bank and a set in buckets and a
// queue in a stream, each done right and as it is often done wrong.
package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/workload/model"
)

// A Register keeps a number for each key of a bucket. It may read from another server than it writes to. Whether any replica
// answers reads (direct gets) or the stream's leader alone is a property of the bucket's stream, AllowDirect.
//
// A write that is not acknowledged may have been stored, whatever the error, so none is refused.
type Register struct {
	Writer, Reader jetstream.KeyValue // the same bucket, over two connections
}

var _ model.Register = Register{}

// Read returns the number of a key.
func (r Register) Read(ctx context.Context, key string) (int64, bool, error) {
	entry, err := r.Reader.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	value, err := strconv.ParseInt(string(entry.Value()), 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("the value of %s: %w", key, err)
	}
	return value, true, nil
}

// Write writes the number of a key.
func (r Register) Write(ctx context.Context, key string, value int64) error {
	_, err := r.Writer.PutString(ctx, key, strconv.FormatInt(value, 10))
	return err
}
