package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/verdict"
)

// Compile compiles a condition. One that comes out the same whatever the evidence is decides nothing, and is an error.
func Compile(src string) (*expr.Program, error) {
	p, err := expr.CompileCondition(src, Names())
	if err != nil {
		return nil, err
	}
	if part := p.ConstantPart(); part != "" {
		return nil, &expr.Error{Line: 1, Col: 1, Msg: part + " reads nothing of the evidence, so it comes out the same whatever that is"}
	}
	with, itself := p.Comparisons()
	if itself != "" {
		return nil, &expr.Error{Line: 1, Col: 1, Msg: itself + " compares a thing with itself, so it decides nothing"}
	}
	for _, c := range with {
		if known := texts(c.Func); known != nil && !slices.Contains(known, c.Text) {
			return nil, &expr.Error{Line: 1, Col: 1, Msg: fmt.Sprintf("%s never is %q", c.Func, c.Text), Hint: "it is one of " + strings.Join(known, ", ")}
		}
	}
	reads, whole := p.Reads()
	if !whole {
		return nil, &expr.Error{Line: 1, Col: 1, Msg: "a condition names what it reads, in quotes, and has no loops: of an empty list it would hold without reading anything", Hint: `such as verdict("checkout", "retry") or run.commit`}
	}
	for _, r := range reads {
		if err := readable(r); err != nil {
			return nil, err
		}
	}
	return p, decides(p)
}

// texts are all that a function of conditions can give, nil where that is no text or any.
func texts(function string) []string {
	switch function {
	case "verdict", "result":
		return []string{verdict.Pass.String(), verdict.Fail.String(), verdict.Unknown.String()}
	case "grade":
		return evidence.Grades()
	case "layer":
		return evidence.Layers()
	}
	return nil
}

// readable says whether what is read can be there.
func readable(r expr.Read) error {
	wrong := func(hint, format string, args ...any) error {
		return &expr.Error{Line: 1, Col: 1, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	if r.Name == runName {
		if fields := []string{"id", "age_h", "verdict", "commit", "dirty", "seed"}; !slices.Contains(fields, r.Field) {
			return wrong("it has "+strings.Join(fields, ", "), "run has no %s", r.Field)
		}
		return nil
	}
	f := functions()[r.Name]
	args, err := names(r.Args, f.arity())
	if err == nil && r.Name == "count" {
		_, err = verdict.Parse(args[0])
	}
	if err != nil {
		return wrong("it takes "+f.takes, "%s: %v", r.Name, err)
	}
	return nil
}

// decidesCases bounds the cases that a condition is tried on. One with more is taken as it is.
const decidesCases = 4096

// decides tries each part of a condition on all that it can read, as far as it tells apart what is read. A part that
// holds in all cases cannot refuse anything, and one that holds in none lets nothing through.
func decides(p *expr.Program) error {
	for _, part := range p.Parts() {
		reads, _ := part.Reads()
		domains, cases := make([][]any, len(reads)), 1
		for i, r := range reads {
			if domains[i] = domain(r); domains[i] == nil {
				cases = decidesCases + 1
				break
			}
			cases = min(cases*len(domains[i]), decidesCases+1)
		}
		if cases > decidesCases {
			continue
		}
		held := 0
		for n := range cases {
			if holds, err := part.Holds(context.Background(), assigned(reads, domains, n)); err == nil && holds {
				held++
			}
		}
		switch held {
		case cases:
			return &expr.Error{Line: part.Line, Col: part.Col, Msg: part.String() + " holds whatever the evidence is, so it cannot refuse anything"}
		case 0:
			return &expr.Error{Line: part.Line, Col: part.Col, Msg: part.String() + " never holds, whatever the evidence is"}
		}
	}
	return nil
}

// assigned gives each read a value: the n-th of all cases.
func assigned(reads []expr.Read, domains [][]any, n int) map[string]any {
	values, fields := map[string]any{}, map[string]any{}
	for i, r := range reads {
		value := domains[i][n%len(domains[i])]
		n /= len(domains[i])
		values[r.Key()] = value
		if r.Field != "" {
			fields[r.Field] = value
		}
	}
	vars := map[string]any{runName: fields}
	for name := range functions() {
		vars[name] = func(args []any) (any, error) { return values[expr.Read{Name: name, Args: args}.Key()], nil }
	}
	return vars
}

// domain returns values of a read that stand for all that it can have, as far as what it is compared with tells them apart.
// It is nil where nobody can tell: a number in a sum, say.
func domain(r expr.Read) []any {
	name := r.Name
	if name == runName {
		name = r.Field
	}
	var all []any
	switch name {
	case "dirty":
		return []any{false, true}
	case "commit":
		all = append(slices.Clone(r.Beside), "", "\x00another")
	case "id": // a run has one
		all = append(slices.DeleteFunc(slices.Clone(r.Beside), func(v any) bool { return v == "" }), "\x00another")
	case "seed", "count", "sources":
		all = whole(name, r.Beside)
	case "age_h", "recovery_s":
		all = between(r.Beside)
	default:
		for _, text := range texts(name) {
			all = append(all, text)
		}
		return all
	}
	if r.Free {
		return nil
	}
	return all
}

// whole returns whole numbers on, below and above each limit: those that can be.
func whole(name string, limits []any) []any {
	var all []any
	add := func(n int64) {
		if (n >= 1 || n == 0 && name != "sources" || name == "seed") && !slices.Contains(all, any(n)) {
			all = append(all, n)
		}
	}
	for _, limit := range append(slices.Clone(limits), int64(0)) {
		if at, ok := number(limit); ok && at > -1e15 && at < 1e15 {
			for d := range int64(3) {
				add(int64(at) + d - 1)
			}
		}
	}
	return all
}

// between returns numbers from 0 on: each limit, one between any two, and one above them all.
func between(limits []any) []any {
	at := []float64{0}
	for _, limit := range limits {
		if n, ok := number(limit); ok && n > 0 {
			at = append(at, n)
		}
	}
	slices.Sort(at)
	var all []any
	for i, n := range at {
		all = append(all, n)
		if i+1 < len(at) {
			all = append(all, (n+at[i+1])/2)
		}
	}
	return append(all, 2*at[len(at)-1]+1)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
