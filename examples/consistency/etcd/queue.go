package etcd

import (
	"context"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/assay-dev/assay/workload/model"
)

// A Queue has a key for each number; the first is the one that was created first.
type Queue struct {
	Etcd   *clientv3.Client
	Prefix string
	// Careless deletes what it read, and does not ask whether it was still there.
	Careless bool
	// Meeting, if there is one, is where clients meet between what they read and what they delete, so that they overlap.
	Meeting *model.Meeting
}

var _ model.Queue = (*Queue)(nil)

// Close closes the connection.
func (q *Queue) Close() error { return q.Etcd.Close() }

// Enqueue adds a number.
func (q *Queue) Enqueue(ctx context.Context, value int64) error {
	_, err := q.Etcd.Put(ctx, q.Prefix+text(value), text(value))
	return err
}

// Dequeue takes the first number. It is tried again where somebody else took it.
func (q *Queue) Dequeue(ctx context.Context) (int64, bool, error) {
	for {
		first, err := q.Etcd.Get(ctx, q.Prefix, clientv3.WithFirstCreate()...)
		if err != nil {
			return 0, false, model.Refused(err)
		}
		if len(first.Kvs) == 0 {
			return 0, false, nil
		}
		kv := first.Kvs[0]
		value, err := strconv.ParseInt(string(kv.Value), 10, 64)
		if err != nil {
			return 0, false, model.Refused(err)
		}
		q.Meeting.Meet(ctx)
		taken, err := q.take(ctx, string(kv.Key), kv.ModRevision)
		if taken || err != nil {
			return value, taken, err
		}
	}
}

// take deletes a key, and says whether this client did.
func (q *Queue) take(ctx context.Context, key string, revision int64) (bool, error) {
	if q.Careless {
		_, err := q.Etcd.Delete(ctx, key)
		return err == nil, err
	}
	answer, err := q.Etcd.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", revision)).Then(clientv3.OpDelete(key)).Commit()
	if err != nil {
		return false, err
	}
	return answer.Succeeded, nil
}
