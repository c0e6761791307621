package trial

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/history"
)

// GoTest writes a Go test of package pkg that builds the smallest failing history, checks it, and fails as the file does. It
// returns an error where the report has no such history.
func (r *Report) GoTest(w io.Writer, pkg string) error {
	if len(r.Smallest) == 0 {
		return fmt.Errorf("%s: there is no failing history to write a test of: the verdict is %v; %s", r.File, r.Verdict, cmp.Or(r.NoSmallest, "nothing fails by itself"))
	}
	var body strings.Builder
	object, isSequential := splitModel(r.Model)
	check := "check/consistency/linear"
	switch guarantee, isSession := sessionModels()[r.Model]; {
	case r.small != nil:
		check = "check/consistency/txn"
		r.txnTest(&body)
	case isSession:
		r.opsOf(&body)
		fmt.Fprintf(&body, "for _, g := range linear.Guarantees(ops) {\nif g.Name == %q && g.Verdict != verdict.Pass {\nt.Errorf(\"%%v: %%s\", g.Verdict, g.Reason)\n}\n}\n", guarantee)
	case r.wholeTest != "":
		check = "check/consistency/txn"
		r.opsOf(&body)
		fmt.Fprintf(&body, "res := %s\n%s", r.wholeTest, judged)
	default:
		r.opsOf(&body)
		fmt.Fprintf(&body, "model, err := linear.Named(%q)\nif err != nil {\nt.Fatal(err)\n}\n", object)
		if r.Init != nil {
			fmt.Fprintf(&body, "model, err = model.From(%s)\nif err != nil {\nt.Fatal(err)\n}\n", literal(*r.Init))
		}
		name := "Check"
		if isSequential {
			name = "Sequential"
		}
		fmt.Fprintf(&body, "res := linear.%s(t.Context(), model, ops, linear.Options{})\n%s", name, judged)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "package %s\n\nimport (\n", pkg)
	if strings.Contains(body.String(), "math.") {
		fmt.Fprintf(&b, "%q\n", "math")
	}
	fmt.Fprintf(&b, "%q\n", "testing")
	b.WriteString("\n")
	for _, path := range []string{check, "history", "verdict"} {
		fmt.Fprintf(&b, "%q\n", "github.com/assay-dev/assay/"+path)
	}
	name := testName(r.File, r.Model)
	fmt.Fprintf(&b, ")\n\n// %s fails for the smallest part found of %s that is not of the model %s.\n// It was written by assay history check --go-test.\nfunc %s(t *testing.T) {\n%s}\n", name, oneLine(filepath.Base(r.File)), r.Model, name, body.String())
	text, err := format.Source(b.Bytes())
	if err != nil {
		return fmt.Errorf("the test of %s is no Go: %w", r.File, err)
	}
	_, err = w.Write(text)
	return err
}

// judged is how a test ends.
const judged = "if res.Verdict != verdict.Pass {\nt.Errorf(\"%v: %s\", res.Verdict, res.Reason)\n}\n"

// opsOf writes the operations of an object.
func (r *Report) opsOf(b *strings.Builder) {
	b.WriteString("ops := []history.Op{\n")
	for i := range r.Smallest {
		op := &r.Smallest[i]
		fmt.Fprintf(b, "{ID: %d, Kind: history.Model, Client: %q, Name: %q, ", op.ID, op.Client, op.Name)
		for _, field := range []struct {
			name  string
			value history.Value
		}{{"Key", op.Key}, {"Input", op.Input}, {"Output", op.Output}} {
			if !field.value.IsNil() {
				fmt.Fprintf(b, "%s: %s, ", field.name, literal(field.value))
			}
		}
		fmt.Fprintf(b, "Outcome: %s, Call: %d, Return: %d},\n", outcomeName(op.Outcome), op.Call, op.Return)
	}
	b.WriteString("}\n")
}

// txnTest writes transactions.
func (r *Report) txnTest(b *strings.Builder) {
	typ := map[txn.DataType]string{txn.ListAppend: "txn.ListAppend", txn.Register: "txn.Register"}[r.small.Type()]
	fmt.Fprintf(b, "b := txn.NewBuilder(%s)\n", typ)
	for i := range r.small.Len() {
		call, ret := r.small.Interval(i)
		fmt.Fprintf(b, "\n// %s\nb.Begin(%s, %d)\n", r.SmallestNames[i], literal(r.small.Process(i)), call)
		for _, m := range r.small.Mops(i) {
			switch {
			case m.Write:
				fmt.Fprintf(b, "b.Write(%s, %s)\n", literal(m.Key), literal(m.Value))
			case !m.Known:
				fmt.Fprintf(b, "b.ReadUnknown(%s)\n", literal(m.Key))
			case r.small.Type() == txn.Register:
				fmt.Fprintf(b, "b.ReadValue(%s, %s)\n", literal(m.Key), literal(m.Value))
			default:
				fmt.Fprintf(b, "b.ReadList(%s, []history.Value{%s})\n", literal(m.Key), literals(m.List))
			}
		}
		fmt.Fprintf(b, "b.End(%s, %d)\n", outcomeName(r.small.Outcome(i)), ret)
	}
	fmt.Fprintf(b, "\nh, err := b.History()\nif err != nil {\nt.Fatal(err)\n}\nres := txn.Check(t.Context(), h, %q)\n%s", r.Model, judged)
}

func outcomeName(o history.Outcome) string {
	return map[history.Outcome]string{history.OK: "history.OK", history.Failed: "history.Failed", history.Maybe: "history.Maybe"}[o]
}

// literal is Go that makes a value.
func literal(v history.Value) string {
	switch v.Kind() {
	case history.KindBool:
		b, _ := v.AsBool()
		return fmt.Sprintf("history.Bool(%t)", b)
	case history.KindInt:
		i, _ := v.AsInt()
		return fmt.Sprintf("history.Int(%d)", i)
	case history.KindFloat:
		f, _ := v.AsFloat()
		if math.IsNaN(f) || math.IsInf(f, 0) || f == 0 {
			return fmt.Sprintf("history.Float(math.Float64frombits(%#x))", math.Float64bits(f))
		}
		return "history.Float(" + strconv.FormatFloat(f, 'g', -1, 64) + ")"
	case history.KindString:
		s, _ := v.AsString()
		return fmt.Sprintf("history.String(%q)", s)
	case history.KindBytes:
		b, _ := v.AsBytes()
		return fmt.Sprintf("history.Bytes([]byte(%q))", b)
	case history.KindList:
		return "history.List(" + literals(v.Items()) + ")"
	case history.KindMap:
		var entries []string
		for _, e := range v.Entries() {
			entries = append(entries, fmt.Sprintf("history.Entry{Key: %s, Val: %s}", literal(e.Key), literal(e.Val)))
		}
		return "history.Map(" + strings.Join(entries, ", ") + ")"
	}
	return "history.Value{}"
}

func literals(list []history.Value) string {
	var texts []string
	for _, v := range list {
		texts = append(texts, literal(v))
	}
	return strings.Join(texts, ", ")
}

// testName makes a name of what a test is about: TestSkewSerializable.
func testName(file, model string) string {
	name, base := "Test", strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	for _, word := range strings.FieldsFunc(base+" "+model, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		first := []rune(word)
		name += string(unicode.ToUpper(first[0])) + string(first[1:])
	}
	return name
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
