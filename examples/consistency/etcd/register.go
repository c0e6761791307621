// Package etcd shows how the consistency of etcd is judged: a register over its client, a cluster of which one member is cut off,
// and what linearizable and serializable reads make of it; and lists, a bank, a set and a queue, each done right and as it is often
// done wrong.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/assay-dev/assay/workload/model"
)

// A Register keeps a number for each key of etcd. It may read from another member than it writes to.
//
// Whatever error etcd's client returns for a write, the write may still take effect, so none is refused.
type Register struct {
	Prefix       string
	Writer       *clientv3.Client
	Reader       *clientv3.Client
	Serializable bool // reads are answered by the member they reach, from what it has
}

var _ model.Swapper = (*Register)(nil)

// Read returns the number of a key.
func (r *Register) Read(ctx context.Context, key string) (int64, bool, error) {
	var how []clientv3.OpOption
	if r.Serializable {
		how = append(how, clientv3.WithSerializable())
	}
	answer, err := r.Reader.Get(ctx, r.Prefix+key, how...)
	if err != nil || len(answer.Kvs) == 0 {
		return 0, false, err
	}
	value, err := strconv.ParseInt(string(answer.Kvs[0].Value), 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("the value of %s: %w", key, err)
	}
	return value, true, nil
}

// Write writes the number of a key.
func (r *Register) Write(ctx context.Context, key string, value int64) error {
	_, err := r.Writer.Put(ctx, r.Prefix+key, text(value))
	return err
}

// Swap writes to, if the key has from.
func (r *Register) Swap(ctx context.Context, key string, from, to int64) (bool, error) {
	key = r.Prefix + key
	answer, err := r.Writer.Txn(ctx).If(clientv3.Compare(clientv3.Value(key), "=", text(from))).Then(clientv3.OpPut(key, text(to))).Commit()
	if err != nil {
		return false, err
	}
	return answer.Succeeded, nil
}

// Close closes both connections.
func (r *Register) Close() error { return errors.Join(r.Writer.Close(), r.Reader.Close()) }

func text(value int64) string { return strconv.FormatInt(value, 10) }
