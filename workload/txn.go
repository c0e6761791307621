package workload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/expr"
)

// A micro is a Micro whose expressions are compiled.
type micro struct {
	Micro
	key, value *expr.Program
}

func microOps() []string { return []string{"append", "read", "write"} }

func (m Micro) writes() bool { return m.Op != "read" }

// name is the micro-operation's name in histories.
func (m Micro) name() history.Value {
	return history.String(map[string]string{"append": "append", "read": "r", "write": "w"}[m.Op])
}

// txn compiles a transaction.
//
// Which keys it touches and what it writes must be known before the answer: a transaction without one may have taken effect, and a
// value of it that somebody reads would look as if nobody had written it. And it is tried once: an earlier try may have
// written what a later one reads, and what the history says is one transaction would have been two.
func (c *compiler) txn(field string, s *step, r Record, names []string) record {
	done := record{Record: r}
	has := func(op string) bool { return slices.ContainsFunc(r.Ops, func(m Micro) bool { return m.Op == op }) }
	switch {
	case r.Key+r.Value+r.From+r.To != "":
		c.fail(field, "txn needs ops, and neither key, value, from nor to")
	case len(r.Ops) == 0:
		c.fail(field, "txn needs ops, such as [{append: KEY, value: VALUE}, {read: KEY, value: body.items}]")
	case has("append") && has("write"):
		c.fail(field, "txn both appends and writes: an object is of lists (append) or of registers (write)")
	case s.Eventually > 0 && !r.reads():
		c.fail(field, "txn writes, and eventually would try it again, which may do it twice (record reads only, or take eventually away)")
	}
	for i, m := range r.Ops {
		done.ops = append(done.ops, c.micro(fmt.Sprintf("%s.ops[%d]", field, i), s, m, names))
	}
	return done
}

func (c *compiler) micro(field string, s *step, m Micro, names []string) micro {
	if !slices.Contains(microOps(), m.Op) {
		c.fail(field, "no micro-operation is called %q (allowed: %s)", m.Op, strings.Join(microOps(), ", "))
		return micro{Micro: m}
	}
	if m.Value == "" {
		c.fail(field, "%s of a transaction needs a value", m.Op)
	}
	done := micro{m, c.early(field+"."+m.Op, s, m.Key, names), nil}
	if m.writes() {
		done.value = c.early(field+".value", s, m.Value, names)
	} else {
		done.value = c.optional(field+".value", m.Value, names)
	}
	return done
}

// early compiles an expression that is known before the answer.
func (c *compiler) early(field string, s *step, src string, names []string) *expr.Program {
	p := c.optional(field, src, names)
	if p == nil {
		return nil
	}
	for _, name := range p.Vars() {
		if _, saved := s.Save[name]; saved || slices.Contains(s.answers, name) {
			c.failWith(field, &expr.Error{Line: 1, Col: 1, Msg: fmt.Sprintf("%s reads %q, which only the answer tells", p.String(), name),
				Hint: "a transaction without an answer may have taken effect, so its keys and what it writes must be known before"})
		}
	}
	return p
}

// transaction fills in what was asked for, and of a transaction that is ok what its reads returned.
func (r record) transaction(ctx context.Context, op *history.Op, vars map[string]any) error {
	var asked, told []history.Value
	for i, m := range r.ops {
		ask, err := m.ask(ctx, vars)
		if err != nil {
			return fmt.Errorf("ops[%d]: %w", i, err)
		}
		asked = append(asked, ask)
	}
	op.Input = history.List(asked...)
	if op.Outcome != history.OK {
		return nil
	}
	for i, m := range r.ops {
		if m.writes() {
			told = append(told, asked[i])
			continue
		}
		seen, err := value(ctx, m.value, vars)
		if err != nil {
			return fmt.Errorf("ops[%d]: value: %w", i, err)
		}
		told = append(told, history.List(m.name(), asked[i].Items()[1], seen))
	}
	op.Output = history.List(told...)
	return nil
}

// ask is the micro-operation before its transaction is done.
func (m micro) ask(ctx context.Context, vars map[string]any) (history.Value, error) {
	key, err := value(ctx, m.key, vars)
	if err != nil {
		return history.Value{}, fmt.Errorf("%s: %w", m.Op, err)
	}
	if !m.writes() {
		return history.List(m.name(), key, history.Value{}), nil
	}
	written, err := value(ctx, m.value, vars)
	if err != nil {
		return history.Value{}, fmt.Errorf("value: %w", err)
	}
	return history.List(m.name(), key, written), nil
}
