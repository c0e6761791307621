package network

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/hashicorp/raft"
)

// A journal is a node's disk, in memory: what is in it outlives a crash, its lock does not. A raft.InmemStore that is taken over a crash stays locked where
// one of the dead held its lock, and the node that is back waits for it for ever.
type journal struct {
	mu        sync.Mutex
	low, high uint64 // 0 and 0 for none
	logs      map[uint64]*raft.Log
	values    map[string][]byte
}

// reopened is the journal as a node finds it when it starts. Nobody else has it any more.
func (j *journal) reopened() *journal {
	if j == nil {
		return &journal{logs: map[uint64]*raft.Log{}, values: map[string][]byte{}}
	}
	return &journal{low: j.low, high: j.high, logs: j.logs, values: j.values}
}

// FirstIndex implements raft.LogStore, as do those that follow.
func (j *journal) FirstIndex() (uint64, error) { j.mu.Lock(); defer j.mu.Unlock(); return j.low, nil }

func (j *journal) LastIndex() (uint64, error) { j.mu.Lock(); defer j.mu.Unlock(); return j.high, nil }

func (j *journal) GetLog(index uint64, into *raft.Log) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.logs[index]
	if l == nil {
		return raft.ErrLogNotFound
	}
	*into = *l
	return nil
}

func (j *journal) StoreLog(l *raft.Log) error { return j.StoreLogs([]*raft.Log{l}) }

func (j *journal) StoreLogs(logs []*raft.Log) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range logs {
		j.logs[l.Index] = l
		j.high = max(j.high, l.Index)
		if j.low == 0 || l.Index < j.low {
			j.low = l.Index
		}
	}
	return nil
}

// DeleteRange is called for one end of the log, or for all of it.
func (j *journal) DeleteRange(from, to uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := from; i <= to; i++ {
		delete(j.logs, i)
	}
	if from <= j.low {
		j.low = to + 1
	}
	if to >= j.high {
		j.high = from - 1
	}
	if j.low > j.high {
		j.low, j.high = 0, 0
	}
	return nil
}

// Set implements raft.StableStore, as do those that follow.
func (j *journal) Set(key, value []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.values[string(key)] = value
	return nil
}

func (j *journal) Get(key []byte) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	v, ok := j.values[string(key)]
	if !ok {
		return nil, errors.New("not found") // raft knows it by this text
	}
	return v, nil
}

func (j *journal) SetUint64(key []byte, value uint64) error {
	return j.Set(key, binary.BigEndian.AppendUint64(nil, value))
}

func (j *journal) GetUint64(key []byte) (uint64, error) {
	v, err := j.Get(key)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(v), nil
}
