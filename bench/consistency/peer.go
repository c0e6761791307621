package main

import (
	"hash/maphash"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/assay-dev/assay/history"
)

// An input is an operation as Porcupine's models here are told it: a name, a key, numbers or texts, and its times.
type input struct {
	name         string
	key          int64
	from, to     int64
	said         int8 // of a boolean output: 1 true, 0 false, -1 none
	text         string
	list         []int64
	client       string
	call, finish int64
}

// forPeer turns a history into one for Porcupine.
func forPeer(ops []history.Op) []porcupine.Operation {
	number := func(v history.Value) int64 { n, _ := v.AsInt(); return n }
	all := make([]porcupine.Operation, 0, len(ops))
	clients := map[string]int{}
	for i := range ops {
		op := &ops[i]
		in := input{name: op.Name, key: number(op.Key), said: -1, client: op.Client, call: int64(op.Call), finish: int64(op.Return), to: number(op.Input), from: number(op.Output)}
		if yes, ok := op.Output.AsBool(); ok {
			in.said = map[bool]int8{false: 0, true: 1}[yes]
		}
		if pair := op.Input.Items(); len(pair) == 2 {
			in.from, in.to = number(pair[0]), number(pair[1])
		}
		if op.Output.IsNil() {
			in.from = -1 // a silent append, an empty queue
			if op.Name == "read" {
				in.from = 0
			}
			if op.Name == "read" && op.Input.Kind() == history.KindInt {
				in.from = -1
			}
		}
		in.text, _ = op.Input.AsString()
		if op.Name == "get" {
			in.text, _ = op.Output.AsString()
		}
		if op.Output.Kind() == history.KindList {
			in.list = []int64{}
			for _, v := range op.Output.Items() {
				in.list = append(in.list, number(v))
			}
		}
		if _, ok := clients[op.Client]; !ok {
			clients[op.Client] = len(clients)
		}
		all = append(all, porcupine.Operation{ClientId: clients[op.Client], Input: in, Call: in.call, Return: in.finish})
	}
	return all
}

// model makes a Porcupine model of a step, with a hash for its memory.
func model[S any](init S, equal func(a, b S) bool, hash func(s S) uint64, step func(s S, in *input) (bool, S)) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return init },
		Step: func(state, in, _ any) (bool, any) {
			op := in.(input)
			return step(state.(S), &op)
		},
		Equal: func(a, b any) bool { return equal(a.(S), b.(S)) },
		Hash:  func(s any) uint64 { return hash(s.(S)) },
	}
}

func plain[S comparable](init S, step func(s S, in *input) (bool, S)) porcupine.Model {
	seed := maphash.MakeSeed()
	return model(init, func(a, b S) bool { return a == b }, func(s S) uint64 { return maphash.Comparable(seed, s) }, step)
}

// numbers is a model whose state is a list of numbers, which steps copy.
func numbers(step func(s []int64, in *input) (bool, []int64)) porcupine.Model {
	return model(nil, slices.Equal[[]int64], func(s []int64) uint64 {
		h := uint64(len(s))
		for _, n := range s {
			h = (h ^ uint64(n)) * 0x9E3779B97F4A7C15
		}
		return h
	}, step)
}

// by partitions a history.
func by(m porcupine.Model, key func(in *input) int64) porcupine.Model {
	m.Partition = func(ops []porcupine.Operation) [][]porcupine.Operation {
		places := map[int64]int{}
		var all [][]porcupine.Operation
		for _, op := range ops {
			in := op.Input.(input)
			at, ok := places[key(&in)]
			if !ok {
				at = len(all)
				places[key(&in)], all = at, append(all, nil)
			}
			all[at] = append(all[at], op)
		}
		return all
	}
	return m
}

func peerRegister() porcupine.Model {
	return plain(int64(0), func(s int64, in *input) (bool, int64) {
		switch {
		case in.name == "read":
			return s == in.from, s
		case in.name == "write":
			return true, in.to
		case in.said == 1:
			return s == in.from, in.to
		}
		return s != in.from, s
	})
}

func peerKV() porcupine.Model {
	return by(plain("", func(s string, in *input) (bool, string) {
		switch in.name {
		case "get":
			return s == in.text, s
		case "put":
			return true, in.text
		}
		return true, s + in.text
	}), func(in *input) int64 { return in.key })
}

func peerMutex() porcupine.Model {
	return plain(false, func(held bool, in *input) (bool, bool) {
		if in.said == 0 {
			return true, held // that it was not granted says nothing, as in ours
		}
		return held == (in.name == "release"), !held
	})
}

func peerCounter() porcupine.Model {
	return plain(int64(0), func(n int64, in *input) (bool, int64) {
		if in.name == "read" {
			return n == in.from, n
		}
		return in.from < 0 || n+in.to == in.from, n + in.to
	})
}

func peerQueue() porcupine.Model {
	return numbers(func(s []int64, in *input) (bool, []int64) {
		switch {
		case in.name == "enqueue":
			return true, append(slices.Clone(s), in.to)
		case in.from < 0:
			return len(s) == 0, s
		}
		return len(s) > 0 && s[0] == in.from, s[min(1, len(s)):]
	})
}

// peerElement is one element of a set that nobody reads as a whole, which is apart from all others.
func peerElement() porcupine.Model {
	return by(plain(false, func(there bool, in *input) (bool, bool) {
		switch in.name {
		case "contains":
			return there == (in.said == 1), there
		case "add":
			return there == (in.said == 0), true
		}
		return there == (in.said == 1), false
	}), func(in *input) int64 { return in.to })
}

func peerSet() porcupine.Model {
	return numbers(func(s []int64, in *input) (bool, []int64) {
		at, there := slices.BinarySearch(s, in.to)
		switch {
		case in.name == "read":
			return slices.Equal(s, in.list), s
		case in.name == "contains":
			return there == (in.said == 1), s
		case in.name == "add" && there:
			return in.said == 0, s
		case in.name == "add":
			return in.said == 1, slices.Insert(slices.Clone(s), at, in.to)
		case there:
			return in.said == 1, slices.Delete(slices.Clone(s), at, at+1)
		}
		return in.said == 0, s
	})
}

func peerLog() porcupine.Model {
	return numbers(func(s []int64, in *input) (bool, []int64) {
		if in.name == "append" {
			return in.from < 0 || in.from == int64(len(s)), append(slices.Clone(s), in.to)
		}
		if in.to >= int64(len(s)) {
			return in.from < 0, s
		}
		return s[in.to] == in.from, s
	})
}

// A peerLeaseState is who holds a lease and the earliest moment at which it may have run out.
type peerLeaseState struct {
	holder     string
	until, now int64
}

func peerLease() porcupine.Model {
	return plain(peerLeaseState{}, func(s peerLeaseState, in *input) (bool, peerLeaseState) {
		now := max(s.now, in.call)
		switch {
		case in.said == 0:
			return true, s
		case in.name == "release" && s.holder != in.client:
			return now <= in.finish, peerLeaseState{s.holder, s.until, now}
		case in.name == "release":
			return now <= in.finish, peerLeaseState{now: now}
		case s.holder != in.client && s.holder != "":
			now = max(now, s.until)
		}
		return now <= in.finish, peerLeaseState{in.client, now + in.to, now}
	})
}
