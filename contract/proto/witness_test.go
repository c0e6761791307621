package proto

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"

	"github.com/assay-dev/assay/contract"
)

// pair returns the files of an example.
func (e example) pair() (old, new map[string]string) {
	const file, other = "shop.proto", "other.proto"
	text := func(body string) map[string]string {
		syntax, pkg := e.syntax, "package shop; "
		if rest, ok := strings.CutPrefix(body, repack); ok {
			body, pkg = rest, repack
		}
		if rest, ok := strings.CutPrefix(body, resyntax); ok {
			body, syntax = rest, p2
		}
		files := map[string]string{other: p3 + " package other;"}
		if body != gone {
			files[file] = syntax + "\n" + pkg + "\n" + strings.ReplaceAll(strings.ReplaceAll(body, "; ", ";\n"), "} ", "}\n") + "\n"
		}
		return files
	}
	return text(e.old), text(e.new)
}

// diff compares the example by its own rule alone.
func (e example) diff(t testing.TB) contract.Finding {
	t.Helper()
	old, new := e.pair()
	d, err := DiffRules(t.Context(), memory("old", old), memory("new", new), contract.Options{Contract: "shop"}, Rules{Use: []string{e.rule}})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(d.Findings, func(f contract.Finding) bool { return f.Rule == e.rule && f.Severity == contract.Break })
	if i < 0 {
		t.Fatalf("%s is not found; findings: %+v", e.rule, d.Findings)
	}
	return d.Findings[i]
}

// TestExamples: each rule of the catalogue has an example that breaks it, and whose witness can be replayed.
func TestExamples(t *testing.T) {
	var got []string
	for _, e := range examples() {
		got = append(got, e.rule)
		t.Run(e.rule, func(t *testing.T) {
			old, new := e.pair()
			f := e.diff(t)
			if f.Kind != contract.Proto || f.Subject == "" || f.Text == "" || f.Contract != "shop" || f.Old.File == "" {
				t.Errorf("incomplete: %+v", f)
			}
			replay(t, f, link(t, old, new))
			if got, want := f.Witness != nil, !slices.Contains(withoutWitness(), e.rule); got != want {
				t.Errorf("a witness: got %v, want %v", got, want)
			}
			// The other way round the same file is no break of the rule's own kind: nothing is found in what did not change.
			d, err := DiffRules(t.Context(), memory("old", old), memory("old", old), contract.Options{}, Rules{Use: everything()})
			if err != nil || len(d.Findings) > 0 || len(d.Proofs) != len(old) {
				t.Errorf("a version and itself: %v, %d findings, %d proofs", err, len(d.Findings), len(d.Proofs))
			}
		})
	}
	var want []string
	for _, rule := range Catalogue() {
		want = append(want, rule.ID)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("examples: got %v, want %v", got, want)
	}
}

// withoutWitness lists the rules that no message tells of: they are of generated source, or of what may be sent one day.
func withoutWitness() []string {
	list := []string{"ENUM_SAME_JSON_FORMAT", "ENUM_SAME_TYPE", "MESSAGE_SAME_JSON_FORMAT", "RESERVED_ENUM_NO_DELETE", "RESERVED_MESSAGE_NO_DELETE",
		"FIELD_SAME_CARDINALITY"} // of the example, which only gained presence
	for _, rule := range Catalogue() {
		witnessed := []string{"ENUM_VALUE_NO_DELETE", "FIELD_NO_DELETE", "FIELD_SAME_TYPE"}
		if rule.Breaks == source && !slices.Contains(witnessed, rule.ID) {
			list = append(list, rule.ID)
		}
	}
	return list
}

// TestGeneratedWitnesses replays what is found on generated trees.
func TestGeneratedWitnesses(t *testing.T) {
	replayed := map[string]int{}
	for seed := range uint64(10) {
		old, new := genPair(t, seed, 25)
		d, err := DiffRules(t.Context(), memory("old", old), memory("new", new), contract.Options{}, Rules{Use: everything()})
		if err != nil {
			t.Fatal(err)
		}
		again, err := DiffRules(t.Context(), memory("old", old), memory("new", new), contract.Options{}, Rules{Use: everything()})
		if err != nil || fmt.Sprintf("%+v", strip(d)) != fmt.Sprintf("%+v", strip(again)) {
			t.Errorf("seed %d: another diff the second time (%v)", seed, err)
		}
		ids, versions := map[string]contract.Finding{}, link(t, old, new)
		for _, f := range d.Findings {
			if other, ok := ids[f.ID()]; ok {
				t.Errorf("seed %d: two findings of one id:\n%+v\n%+v", seed, other, f)
			}
			ids[f.ID()] = f
			if f.Witness != nil {
				replay(t, f, versions)
				replayed[f.Rule]++
			}
		}
	}
	t.Log(replayed)
	for _, rule := range []string{"FIELD_WIRE_COMPATIBLE_TYPE", "FIELD_SAME_ONEOF", "RPC_NO_DELETE", "FIELD_SAME_NAME"} {
		if replayed[rule] == 0 {
			t.Errorf("no witness of %s", rule)
		}
	}
}

// strip returns the findings with their witnesses spelled out.
func strip(d contract.Diff) []string {
	var lines []string
	for _, f := range d.Findings {
		w := contract.Witness{}
		if f.Witness != nil {
			w = *f.Witness
		}
		f.Witness = nil
		lines = append(lines, fmt.Sprintf("%+v %+v", f, w))
	}
	return lines
}

// replay checks a witness without the code that made it: what one version reads without loss, the other refuses, or does
// not give back as it was.
func replay(t testing.TB, f contract.Finding, files map[string]*protoregistry.Files) {
	t.Helper()
	w := f.Witness
	if w == nil {
		return
	}
	if w.Encoding == "text" {
		if w.What != "call" || w.Allowed != "old" || w.Refused != "new" {
			t.Errorf("%s: %+v", f.Rule, w)
		}
		return
	}
	document := []byte(w.Document)
	if w.Encoding == "hex" {
		var err error
		if document, err = hex.DecodeString(w.Document); err != nil {
			t.Fatal(err)
		}
	}
	name := protoreflect.FullName(strings.TrimPrefix(w.At, "message "))
	allows := message(t, files[w.Allowed], name)
	if err := read(allows, document, w.Encoding); err != nil {
		t.Errorf("%s: %s refuses its own %s %q: %v", f.Rule, w.Allowed, w.At, w.Document, err)
		return
	}
	if unknown(allows) {
		t.Errorf("%s: %s does not know all of its own %s %q", f.Rule, w.Allowed, w.At, w.Document)
	}
	otherName := name
	if strings.HasPrefix(f.Rule, "RPC_SAME_RE") { // the method takes another message now
		otherName = otherMessage(t, files[w.Refused], f)
	}
	refuses := message(t, files[w.Refused], otherName)
	if read(refuses, document, w.Encoding) != nil {
		return
	}
	if same := backAndForth(t, allows, refuses); same {
		t.Errorf("%s: %s: %s reads %q as %s wrote it: %s", f.Rule, f.Text, w.Refused, w.Document, w.Allowed, w.Reason)
	}
}

func otherMessage(t testing.TB, files *protoregistry.Files, f contract.Finding) protoreflect.FullName {
	t.Helper()
	d, err := files.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(f.Subject, "/", ".")))
	if err != nil {
		t.Fatal(err)
	}
	if f.Rule == "RPC_SAME_REQUEST_TYPE" {
		return d.(protoreflect.MethodDescriptor).Input().FullName()
	}
	return d.(protoreflect.MethodDescriptor).Output().FullName()
}

// backAndForth says whether what the reader writes again, without what it does not know, is what the writer wrote, and
// means what it meant.
func backAndForth(t testing.TB, written, readAs *dynamicpb.Message) bool {
	t.Helper()
	if unknown(readAs) {
		return false
	}
	data, err := proto.MarshalOptions{AllowPartial: true}.Marshal(readAs)
	if err != nil {
		t.Fatal(err)
	}
	again := dynamicpb.NewMessage(written.Descriptor())
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(data, again); err != nil || !proto.Equal(written, again) {
		return false
	}
	fields := written.Descriptor().Fields()
	for i := range fields.Len() { // what was not written has a meaning too: each side its default
		from := fields.Get(i)
		to := readAs.Descriptor().Fields().ByNumber(from.Number())
		if to == nil || !written.Has(from) && (from.IsList() || from.IsMap() || from.Message() != nil || to.IsList() || to.IsMap() || to.Message() != nil) {
			continue
		}
		if plain(from, written.Get(from)) != plain(to, readAs.Get(to)) {
			return false
		}
		if to.Enum() != nil && !to.IsList() && to.Enum().Values().ByNumber(readAs.Get(to).Enum()) == nil {
			return false
		}
	}
	return true
}

// plain spells a value out, so that what means the same is spelled the same: true as 1, text as bytes, an enum's value as
// its number, a map as its entries, a list of one as the one.
func plain(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	var parts []string
	switch x := v.Interface().(type) {
	case protoreflect.List:
		for i := range x.Len() {
			parts = append(parts, plain(f, x.Get(i)))
		}
	case protoreflect.Map:
		x.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
			parts = append(parts, "message [1="+plain(f.MapKey(), key.Value())+" 2="+plain(f.MapValue(), value)+"]")
			return true
		})
		slices.Sort(parts)
	case protoreflect.Message:
		x.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			parts = append(parts, fmt.Sprint(field.Number(), "=", plain(field, value)))
			return true
		})
		slices.Sort(parts)
		return "message [" + strings.Join(parts, " ") + "]"
	case bool:
		if x {
			return "1"
		}
		return "0"
	case []byte:
		return string(x)
	case protoreflect.EnumNumber:
		return fmt.Sprint(int32(x))
	default:
		return fmt.Sprint(x)
	}
	return strings.Join(parts, ",")
}

func read(m *dynamicpb.Message, document []byte, encoding string) error {
	if encoding == "hex" {
		return proto.Unmarshal(document, m)
	}
	return protojson.Unmarshal(document, m)
}

// unknown says whether there is something in a message that its type does not know.
func unknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				found = found || unknown(v.List().Get(i).Message())
			}
		default:
			found = found || unknown(v.Message())
		}
		return !found
	})
	return found
}

func message(t testing.TB, files *protoregistry.Files, name protoreflect.FullName) *dynamicpb.Message {
	t.Helper()
	d, err := files.FindDescriptorByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
}

func link(t testing.TB, old, new map[string]string) map[string]*protoregistry.Files {
	t.Helper()
	return map[string]*protoregistry.Files{"old": linked(t, old), "new": linked(t, new)}
}

// linked compiles files as any user of the library would.
func linked(t testing.TB, files map[string]string) *protoregistry.Files {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(files)})}
	compiled, err := compiler.Compile(t.Context(), sortedKeys(files)...)
	if err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, file := range compiled {
		set.File = append(set.File, protoutil.ProtoFromFileDescriptor(file))
	}
	out, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// update says whether to write the table again: ASSAY_UPDATE=1 go test ./contract/proto -run TestDocs
func update() bool { return os.Getenv("ASSAY_UPDATE") != "" }

// TestDocs keeps the table of rules in docs/contracts-protobuf.md.
func TestDocs(t *testing.T) {
	const file, from, to = "../../docs/contracts-protobuf.md", "<!-- rules -->\n", "<!-- end of rules -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(data), from)
	_, tail, ok2 := strings.Cut(rest, to)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no marks for the table", file)
	}
	want := head + from + table(t) + to + tail
	if want == string(data) {
		return
	}
	if update() {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("the table in %s is not what the rules say: ASSAY_UPDATE=1 go test ./contract/proto -run TestDocs", file)
}

func table(t testing.TB) string {
	chosen, err := Rules{}.chosen()
	if err != nil {
		t.Fatal(err)
	}
	byRule := map[string]example{}
	for _, e := range examples() {
		byRule[e.rule] = e
	}
	var b strings.Builder
	b.WriteString("| rule | categories | breaks | what must not happen | example: old, then new | witness |\n|---|---|---|---|---|---|\n")
	for _, rule := range Catalogue() {
		e := byRule[rule.ID]
		name, witness := "`"+rule.ID+"`", "none"
		if chosen[rule.ID] {
			name += " ●"
		}
		if w := e.diff(t).Witness; w != nil {
			witness = fmt.Sprintf("%s %s, %s allows: `%s`; %s: %s", w.What, w.Encoding, w.Allowed, w.Document, w.Refused, w.Reason)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s<br>%s | %s |\n", name, strings.Join(rule.Categories, ", "), rule.Breaks, rule.Says,
			code(e.syntax, e.old), code(e.syntax, e.new), strings.ReplaceAll(witness, "|", "\\|"))
	}
	return b.String()
}

// code shows a side of an example, with its syntax where it matters.
func code(syntax, body string) string {
	switch {
	case body == gone:
		return "the file is gone"
	case strings.HasPrefix(body, resyntax):
		body, syntax = strings.TrimPrefix(body, resyntax), p2
	case body == "":
		return "(nothing)"
	}
	if syntax != p3 {
		body = syntax + " " + body
	}
	return "`" + body + "`"
}
