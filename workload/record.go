package workload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/expr"
)

// A record is a Record whose expressions are compiled.
type record struct {
	Record
	key, value, from, to *expr.Program
	ops                  []micro
}

func modelOps() []string {
	return []string{"append", "read", "write", "cas", "enqueue", "dequeue", "add", "remove", "get", "put", "delete", "txn"}
}

// reads says whether the operation has no effect, so that it can be taken as
// not done when it failed. A dequeue has one: its item may be gone.
func (r Record) reads() bool {
	return r.Op == "read" || r.Op == "get" || r.Op == "txn" && !slices.ContainsFunc(r.Ops, Micro.writes)
}

// gives says whether the value is what the operation returns.
func (r Record) gives() bool {
	return slices.Contains([]string{"read", "get", "dequeue", "delete"}, r.Op)
}

func (c *compiler) record(field string, s *step, r Record, names []string) record {
	if !slices.Contains(modelOps(), r.Op) {
		hint := "allowed: " + strings.Join(modelOps(), ", ")
		if near := expr.Suggest(r.Op, modelOps()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		c.fail(field, "no operation is called %q (%s)", r.Op, hint)
	}
	if r.Object == "" {
		c.fail(field, "%s names no object", r.Op)
	}
	switch {
	case r.Op == "txn":
		return c.txn(field, s, r, names)
	case len(r.Ops) > 0:
		c.fail(field, "%s has no ops (they belong to txn)", r.Op)
	}
	if r.Op == "cas" {
		if r.From == "" || r.To == "" || r.Value != "" {
			c.fail(field, "cas needs from and to, and no value")
		}
	} else if r.Value == "" && r.Op != "delete" || r.From != "" || r.To != "" { // few who delete say what was there
		c.fail(field, "%s needs a value, and neither from nor to", r.Op)
	}
	return record{Record: r,
		key: c.optional(field+".key", r.Key, names), value: c.optional(field+".value", r.Value, names),
		from: c.optional(field+".from", r.From, names), to: c.optional(field+".to", r.To, names)}
}

// op fills in the model operation's key, input and output.
//
// Where a value cannot be computed, such as an id that only the reply would
// have told, the value stays nil, the error says why, and an acknowledged
// operation becomes maybe: nobody can look for a value that is not known.
func (r record) op(ctx context.Context, op history.Op, vars map[string]any) (history.Op, error) {
	op.Kind, op.Name, op.Object = history.Model, r.Op, r.Object
	err := r.fill(ctx, &op, vars)
	if err == nil {
		return op, nil
	}
	err = fmt.Errorf("record %s %s: %w", r.Op, r.Object, err)
	if op.Outcome == history.OK {
		op.Outcome, op.Degraded = history.Maybe, false
		if r.reads() {
			op.Outcome = history.Failed
		}
	}
	op.Error = strings.TrimPrefix(op.Error+"; "+err.Error(), "; ")
	return op, err
}

func (r record) fill(ctx context.Context, op *history.Op, vars map[string]any) error {
	var err error
	if op.Key, err = value(ctx, r.key, vars); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	switch {
	case r.Op == "txn":
		err = r.transaction(ctx, op, vars)
	case r.gives() && op.Outcome != history.OK: // nothing was given
	case r.gives():
		op.Output, err = value(ctx, r.value, vars)
	case r.Op == "cas":
		op.Input, err = r.casInput(ctx, vars)
	default:
		op.Input, err = value(ctx, r.value, vars)
	}
	return err
}

func (r record) casInput(ctx context.Context, vars map[string]any) (history.Value, error) {
	from, err := value(ctx, r.from, vars)
	if err != nil {
		return history.Value{}, fmt.Errorf("from: %w", err)
	}
	to, err := value(ctx, r.to, vars)
	if err != nil {
		return history.Value{}, fmt.Errorf("to: %w", err)
	}
	return history.List(from, to), nil
}

func value(ctx context.Context, p *expr.Program, vars map[string]any) (history.Value, error) {
	if p == nil {
		return history.Value{}, nil
	}
	x, err := p.Eval(ctx, vars)
	if err != nil {
		return history.Value{}, err
	}
	return history.Of(x)
}
