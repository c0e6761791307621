package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/assay-dev/assay/workload/model"
)

// A Client keeps lists and accounts, each under a key of its own. Its transactions read all their keys at once, compute, and write
// where none of the keys has changed since.
type Client struct {
	Etcd   *clientv3.Client
	Prefix string
	// Careless writes what was computed, whatever has changed.
	Careless bool
	// Meeting, if there is one, is where clients meet between what they read and what they write, so that they overlap.
	Meeting *model.Meeting
}

var (
	_ model.Lists = (*Client)(nil)
	_ model.Bank  = (*Client)(nil)
	_ model.Set   = Set{}
)

// errConflict says that a key has changed, and nothing was written.
var errConflict = model.Refused(errors.New("somebody else wrote what was read"))

// Close closes the connection.
func (c *Client) Close() error { return c.Etcd.Close() }

// A snapshot is what keys held at one moment, and since when. A key that is not there has the revision 0.
type snapshot struct {
	values    map[string][]int64
	revisions map[string]int64
}

// read reads keys at one moment.
func (c *Client) read(ctx context.Context, keys ...string) (snapshot, error) {
	var gets []clientv3.Op
	for _, key := range keys {
		gets = append(gets, clientv3.OpGet(c.Prefix+key))
	}
	answer, err := c.Etcd.Txn(ctx).Then(gets...).Commit()
	if err != nil {
		return snapshot{}, model.Refused(err) // nothing was written yet
	}
	s := snapshot{map[string][]int64{}, map[string]int64{}}
	for i, key := range keys {
		s.revisions[key] = 0
		for _, kv := range answer.Responses[i].GetResponseRange().Kvs {
			var numbers []int64
			if err := json.Unmarshal(kv.Value, &numbers); err != nil {
				return snapshot{}, model.Refused(fmt.Errorf("the value of %s: %w", key, err))
			}
			s.values[key], s.revisions[key] = numbers, kv.ModRevision
		}
	}
	return s, nil
}

// write writes the keys that are named, if none that was read has changed. An error of etcd says nothing about the effect.
func (c *Client) write(ctx context.Context, s snapshot, keys ...string) error {
	var same []clientv3.Cmp
	for key, revision := range s.revisions {
		if !c.Careless {
			same = append(same, clientv3.Compare(clientv3.ModRevision(c.Prefix+key), "=", revision))
		}
	}
	var puts []clientv3.Op
	for _, key := range keys {
		numbers, err := json.Marshal(s.values[key])
		if err != nil {
			return model.Refused(err)
		}
		puts = append(puts, clientv3.OpPut(c.Prefix+key, string(numbers)))
	}
	answer, err := c.Etcd.Txn(ctx).If(same...).Then(puts...).Commit()
	if err == nil && !answer.Succeeded {
		return errConflict
	}
	return err
}

// Txn appends to lists and reads them.
func (c *Client) Txn(ctx context.Context, ops []model.Micro) error {
	seen, changes := map[string]bool{}, map[string]bool{}
	for _, op := range ops {
		seen[op.Key] = true
		if op.Append {
			changes[op.Key] = true
		}
	}
	s, err := c.read(ctx, names(seen)...)
	if err != nil {
		return err
	}
	for i, op := range ops {
		if op.Append {
			s.values[op.Key] = append(s.values[op.Key], op.Value)
		} else {
			ops[i].List = append([]int64{}, s.values[op.Key]...)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	c.Meeting.Meet(ctx)
	return c.write(ctx, s, names(changes)...)
}

func names(set map[string]bool) []string {
	var all []string
	for name := range set {
		all = append(all, name)
	}
	return all
}

// Accounts gives so many accounts a balance.
func (c *Client) Accounts(ctx context.Context, count int, balance int64) error {
	s := snapshot{values: map[string][]int64{}}
	for n := range count {
		s.values[strconv.Itoa(n)] = []int64{balance}
		if err := c.write(ctx, s, strconv.Itoa(n)); err != nil {
			return err
		}
	}
	return nil
}

// Transfer moves money.
func (c *Client) Transfer(ctx context.Context, from, to int, amount int64) error {
	giver, taker := strconv.Itoa(from), strconv.Itoa(to)
	s, err := c.read(ctx, giver, taker)
	if err != nil {
		return err
	}
	if len(s.values[giver]) != 1 || len(s.values[taker]) != 1 {
		return model.Refused(fmt.Errorf("accounts %d and %d: one of them is not there", from, to))
	}
	if s.values[giver][0] < amount {
		return model.ErrFunds
	}
	s.values[giver][0] -= amount
	s.values[taker][0] += amount
	c.Meeting.Meet(ctx)
	return c.write(ctx, s, giver, taker)
}

// Balances reads three accounts at one moment.
func (c *Client) Balances(ctx context.Context) ([]int64, error) {
	s, err := c.read(ctx, "0", "1", "2")
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, account := range []string{"0", "1", "2"} {
		if len(s.values[account]) != 1 {
			return nil, fmt.Errorf("account %s is not there", account)
		}
		all = append(all, s.values[account][0])
	}
	return all, nil
}

// A Set keeps all its numbers under one key.
type Set struct{ *Client }

// Add adds a number. It is tried again where somebody else was faster.
func (s Set) Add(ctx context.Context, value int64) error {
	for {
		all, err := s.read(ctx, "members")
		if err != nil {
			return err
		}
		all.values["members"] = append(all.values["members"], value)
		s.Meeting.Meet(ctx)
		if err = s.write(ctx, all, "members"); err != errConflict {
			return err
		}
	}
}

// Read returns all numbers.
func (s Set) Read(ctx context.Context) ([]int64, error) {
	all, err := s.read(ctx, "members")
	return all.values["members"], err
}
