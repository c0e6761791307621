package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/workload/model"
)

// A Document keeps lists and accounts under one key of a bucket, which is all that a transaction of NATS can change at once: it
// reads the key, computes, and writes if the key's revision is still the one that it read.
type Document struct {
	KV  jetstream.KeyValue
	Key string
	// Careless writes what was computed, whatever has changed.
	Careless bool
	// Meeting, if there is one, is where clients meet between what they read and what they write, so that they overlap.
	Meeting *model.Meeting
}

var (
	_ model.Lists = (*Document)(nil)
	_ model.Bank  = (*Document)(nil)
)

func (d *Document) read(ctx context.Context) (all map[string][]int64, revision uint64, err error) {
	all = map[string][]int64{}
	entry, err := d.KV.Get(ctx, d.Key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return all, 0, nil
	}
	if err == nil {
		err = json.Unmarshal(entry.Value(), &all)
	}
	if err != nil {
		return nil, 0, model.Refused(err) // nothing was written yet
	}
	return all, entry.Revision(), nil
}

// write writes all lists. Revision 0 is that of a key which is not there. Only the answer that the revision is another one says that
// nothing was written.
func (d *Document) write(ctx context.Context, all map[string][]int64, revision uint64) error {
	content, err := json.Marshal(all)
	if err != nil {
		return model.Refused(err)
	}
	if d.Careless {
		_, err = d.KV.Put(ctx, d.Key, content)
	} else {
		_, err = d.KV.Update(ctx, d.Key, content, revision)
	}
	var answer *jetstream.APIError
	if errors.As(err, &answer) && answer.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return model.Refused(fmt.Errorf("somebody else wrote what was read: %w", err))
	}
	return err
}

// Txn appends to lists and reads them.
func (d *Document) Txn(ctx context.Context, ops []model.Micro) error {
	all, revision, err := d.read(ctx)
	if err != nil {
		return err
	}
	changed := false
	for i, op := range ops {
		if op.Append {
			all[op.Key], changed = append(all[op.Key], op.Value), true
		} else {
			ops[i].List = append([]int64{}, all[op.Key]...)
		}
	}
	if !changed {
		return nil
	}
	d.Meeting.Meet(ctx)
	return d.write(ctx, all, revision)
}

// accounts is the list of balances.
const accounts = "accounts"

// Open writes the accounts' balances.
func (d *Document) Open(ctx context.Context, balances ...int64) error {
	return d.write(ctx, map[string][]int64{accounts: balances}, 0)
}

// Transfer moves money.
func (d *Document) Transfer(ctx context.Context, from, to int, amount int64) error {
	all, revision, err := d.read(ctx)
	if err != nil {
		return err
	}
	if max(from, to) >= len(all[accounts]) {
		return model.Refused(fmt.Errorf("accounts %d and %d: one of them is not there", from, to))
	}
	if all[accounts][from] < amount {
		return model.ErrFunds
	}
	all[accounts][from] -= amount
	all[accounts][to] += amount
	d.Meeting.Meet(ctx)
	return d.write(ctx, all, revision)
}

// Balances reads all accounts at one moment.
func (d *Document) Balances(ctx context.Context) ([]int64, error) {
	all, _, err := d.read(ctx)
	return all[accounts], err
}

// A Set has a key for each of its numbers. Whether it survives a restart is a property of the bucket: its storage.
type Set struct{ KV jetstream.KeyValue }

var _ model.Set = Set{}

// Add adds a number.
func (s Set) Add(ctx context.Context, value int64) error {
	_, err := s.KV.PutString(ctx, strconv.FormatInt(value, 10), "")
	return err
}

// Read returns all numbers.
func (s Set) Read(ctx context.Context) ([]int64, error) {
	keys, err := s.KV.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, nil
	}
	var all []int64
	for _, key := range keys {
		value, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, err
}
