package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
)

// A world is an object whose operations take effect one after the other: act draws what a client does at a moment, and does it.
type world interface {
	act(r *rand.Rand, client int, at time.Duration, op *history.Op)
}

// generate returns a right history of n operations by clients that are never idle, so that as many operations overlap at any time
// as there are clients. Each takes effect at some moment between its call and its return.
func generate(w world, seed uint64, n, clients int) []history.Op {
	r := rand.New(rand.NewPCG(seed, 11))
	ops := make([]history.Op, 0, n)
	effects := make([]time.Duration, 0, n)
	for client := range clients {
		now := time.Duration(client + 1)
		for range (n - client + clients - 1) / clients {
			call := now + time.Duration(1+r.IntN(100))
			took := time.Duration(1000 + r.IntN(1000*clients))
			ops = append(ops, history.Op{Kind: history.Model, Object: "x", Client: fmt.Sprint(client), Outcome: history.OK, Call: call, Return: call + took})
			effects = append(effects, call+time.Duration(r.Int64N(int64(took))))
			now = call + took
		}
	}
	order := make([]int32, len(ops))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(effects[a], effects[b]) })
	for _, i := range order {
		var client int
		fmt.Sscan(ops[i].Client, &client)
		w.act(r, client, effects[i], &ops[i])
	}
	slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	for i := range ops {
		ops[i].ID = uint64(i + 1)
	}
	return ops
}

// register is one, or one for each key. Its values are unique if values is 0, else there are so many.
type register struct {
	keys, values int
	cas, texts   bool
	state        map[int64]history.Value
	next         int64
}

func (w *register) act(r *rand.Rand, _ int, _ time.Duration, op *history.Op) {
	key := int64(0)
	if w.keys > 1 {
		key = r.Int64N(int64(w.keys))
		op.Key = history.Int(key)
	}
	if w.state == nil {
		w.state = map[int64]history.Value{}
	}
	read, write := "read", "write"
	if w.texts {
		read, write = "get", "put"
	}
	switch draw := r.IntN(8); {
	case draw < 4:
		op.Name, op.Output = read, w.state[key]
	case draw < 6 || !w.cas && !w.texts:
		op.Name, op.Input = write, w.value(r)
		w.state[key] = op.Input
	case w.texts:
		op.Name, op.Input = "append", w.value(r)
		before, _ := w.state[key].AsString()
		more, _ := op.Input.AsString()
		w.state[key] = history.String(before + more)
	default:
		from, to := w.value(r), w.value(r)
		swapped := from.Equal(w.state[key])
		op.Name, op.Input, op.Output = "cas", history.List(from, to), history.Bool(swapped)
		if swapped {
			w.state[key] = to
		}
	}
}

func (w *register) value(r *rand.Rand) history.Value {
	v := 1 + r.Int64N(int64(max(1, w.values)))
	if w.values == 0 {
		w.next++
		v = w.next
	}
	if w.texts {
		return history.String(fmt.Sprint(v % 10))
	}
	return history.Int(v)
}

// queue holds unique values.
type queue struct {
	waiting []int64
	next    int64
}

func (w *queue) act(r *rand.Rand, _ int, _ time.Duration, op *history.Op) {
	if r.IntN(2) == 0 {
		w.next++
		op.Name, op.Input = "enqueue", history.Int(w.next)
		w.waiting = append(w.waiting, w.next)
		return
	}
	op.Name = "dequeue"
	if len(w.waiting) > 0 {
		op.Output, w.waiting = history.Int(w.waiting[0]), w.waiting[1:]
	}
}

// set has elements that come and go: unique ones, or so many. With whole it is read as a whole now and then.
type set struct {
	elements int
	whole    bool
	next     int64
	in       map[int64]bool
}

func (w *set) act(r *rand.Rand, _ int, _ time.Duration, op *history.Op) {
	if w.in == nil {
		w.in = map[int64]bool{}
	}
	element := 1 + r.Int64N(int64(max(1, w.elements)))
	draw := r.IntN(8)
	if w.elements == 0 {
		element = max(1, w.next-r.Int64N(min(50, w.next+1)))
		if draw < 4 {
			w.next++
			element, draw = w.next, 0
		} else {
			draw = 7
		}
	}
	op.Input = history.Int(element)
	switch {
	case draw < 2:
		op.Name, op.Output = "add", history.Bool(!w.in[element])
		w.in[element] = true
	case draw < 4:
		op.Name, op.Output = "remove", history.Bool(w.in[element])
		delete(w.in, element)
	case draw < 6 && w.whole:
		var all []history.Value
		for e := range int64(w.elements) {
			if w.in[e+1] {
				all = append(all, history.Int(e+1))
			}
		}
		op.Name, op.Input, op.Output = "read", history.Value{}, history.List(all...)
	default:
		op.Name, op.Output = "contains", history.Bool(w.in[element])
	}
}

// mutex is tried by all; who holds it releases it.
type mutex struct {
	held   bool
	holder int
}

func (w *mutex) act(_ *rand.Rand, client int, _ time.Duration, op *history.Op) {
	op.Name = "acquire"
	switch {
	case w.held && w.holder == client:
		op.Name, w.held = "release", false
	case w.held:
		op.Output = history.Bool(false)
	default:
		w.held, w.holder, op.Output = true, client, history.Bool(true)
	}
}

// counter is added to, which says nothing, and read.
type counter struct{ n int64 }

func (w *counter) act(r *rand.Rand, _ int, _ time.Duration, op *history.Op) {
	if op.Name, op.Output = "read", history.Int(w.n); r.IntN(2) == 0 {
		by := 1 + r.Int64N(3)
		op.Name, op.Input, op.Output = "add", history.Int(by), history.Value{}
		w.n += by
	}
}

// log is appended unique values to, half of which say where they went, and read by offset, near its end.
type log struct{ all []int64 }

func (w *log) act(r *rand.Rand, _ int, _ time.Duration, op *history.Op) {
	if r.IntN(2) == 0 {
		op.Name, op.Input = "append", history.Int(int64(1000+len(w.all)))
		if r.IntN(2) == 0 {
			op.Output = history.Int(int64(len(w.all)))
		}
		v, _ := op.Input.AsInt()
		w.all = append(w.all, v)
		return
	}
	at := max(0, len(w.all)+2-r.IntN(10))
	op.Name, op.Input = "read", history.Int(int64(at))
	if at < len(w.all) {
		op.Output = history.Int(w.all[at])
	}
}

// lease is held for some operations' time, at most.
type lease struct {
	holder int // 0: nobody; else client + 1
	until  time.Duration
}

func (w *lease) act(r *rand.Rand, client int, at time.Duration, op *history.Op) {
	ttl := time.Duration(1000 + r.IntN(5000))
	op.Name, op.Input = "acquire", history.Int(int64(ttl))
	mine := w.holder == client+1 && at < w.until
	switch {
	case mine && r.IntN(2) == 0:
		op.Name, op.Input, w.holder = "release", history.Value{}, 0
	case mine:
		op.Name, w.until = "renew", at+ttl
	case w.holder != 0 && at < w.until:
		op.Output = history.Bool(false)
	default:
		w.holder, w.until = client+1, at+ttl
	}
}

// spoil makes one operation wrong, after three quarters of the history: it returns what never was.
func spoil(model string, ops []history.Op) []history.Op {
	ops = slices.Clone(ops)
	for i := len(ops) * 3 / 4; i < len(ops); i++ {
		op := &ops[i]
		switch {
		case op.Name == "read" && op.Output.Kind() == history.KindList:
			op.Output = history.List(append(slices.Clone(op.Output.Items()), history.Int(1_000_000_007))...)
		case op.Name == "read", op.Name == "dequeue":
			op.Output = history.Int(1_000_000_007)
		case op.Name == "get":
			op.Output = history.String("never")
		case model == "set" && op.Name == "contains":
			yes, _ := op.Output.AsBool()
			op.Output = history.Bool(!yes)
		case model == "mutex" && op.Name == "acquire" && op.Output.Equal(history.Bool(true)), model == "lease" && op.Name == "acquire":
			op.Output = history.Bool(true)
			if model == "mutex" {
				op.Name, op.Output = "release", history.Value{} // twice, and so one too many
			}
		default:
			continue
		}
		return ops
	}
	return ops
}
