package proto

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
)

// Trees of .proto files, made from a seed, and changed in ways that keep them valid.

type genField struct {
	name, label, kind, oneof string
	number                   int
	options                  []string
}

type genMessage struct {
	name     string
	fields   []*genField
	nested   []*genMessage
	reserved []string
}

type genEnum struct {
	name     string
	values   map[int]string
	reserved []string
}

type genMethod struct{ name, in, out, level string }

type genFile struct {
	name, pkg, syntax string
	options           []string
	messages          []*genMessage
	enums             []*genEnum
	services          map[string][]*genMethod
}

type genTree struct {
	rng   *rand.Rand
	files []*genFile
	next  int
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

func (g *genTree) id() int { g.next++; return g.next }

func scalars() []string {
	return []string{"double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64",
		"bool", "string", "bytes", "base.Kept", "base.Other", "base.State", "base.Mode", "map<string, int32>", "map<int64, base.Kept>"}
}

func newGenTree(seed uint64, files, messages int) *genTree {
	g := &genTree{rng: rand.New(rand.NewPCG(seed, 1))}
	for i := range files {
		f := &genFile{name: fmt.Sprintf("p%d/f%d.proto", i%3, i), pkg: fmt.Sprintf("p%d", i%3), syntax: []string{"proto2", "proto3", "2023"}[i%3], services: map[string][]*genMethod{}}
		for range messages {
			f.messages = append(f.messages, g.message(2))
		}
		f.enums = append(f.enums, g.enum(), g.enum())
		name := fmt.Sprintf("Service%d", g.id())
		for range 4 {
			f.services[name] = append(f.services[name], &genMethod{fmt.Sprintf("Do%d", g.id()), "base.Kept", "base.Other", ""})
		}
		g.files = append(g.files, f)
	}
	return g
}

func (g *genTree) message(depth int) *genMessage {
	m := &genMessage{name: fmt.Sprintf("Message%d", g.id())}
	for range 6 {
		m.fields = append(m.fields, g.field(len(m.fields)+1))
	}
	m.reserved = []string{"reserved 100 to 120;", `reserved "gone_a", "gone_b";`}
	for range depth - 1 {
		m.nested = append(m.nested, g.message(depth-1))
	}
	return m
}

func (g *genTree) field(number int) *genField {
	return &genField{name: fmt.Sprintf("field_%d", g.id()), label: pick(g.rng, []string{"optional", "repeated"}), kind: pick(g.rng, scalars()), number: number,
		oneof: pick(g.rng, []string{"", "", "", "choice"})}
}

func (g *genTree) enum() *genEnum {
	n := g.id()
	return &genEnum{name: fmt.Sprintf("Enum%d", n), reserved: []string{"reserved 50 to 60;", fmt.Sprintf(`reserved "E%d_GONE";`, n)},
		values: map[int]string{0: fmt.Sprintf("E%d_ZERO", n), 1: fmt.Sprintf("E%d_ONE", n), 2: fmt.Sprintf("E%d_TWO", n), 3: fmt.Sprintf("E%d_THREE", n)}}
}

const genBase = `syntax = "proto3";
package base;
message Kept { int32 a = 1; string b = 2; }
message Other { int32 a = 1; Kept kept = 2; }
enum State { STATE_ZERO = 0; STATE_ONE = 1; }
enum Mode { MODE_ZERO = 0; MODE_ONE = 1; }
`

// print returns the files.
func (g *genTree) print() map[string]string {
	out := map[string]string{"base/base.proto": genBase}
	for _, f := range g.files {
		var b strings.Builder
		if f.syntax == "2023" {
			b.WriteString("edition = \"2023\";\n")
		} else {
			fmt.Fprintf(&b, "syntax = %q;\n", f.syntax)
		}
		fmt.Fprintf(&b, "package %s;\n", f.pkg)
		b.WriteString("import \"base/base.proto\";\n")
		for _, option := range f.options {
			fmt.Fprintf(&b, "option %s;\n", option)
		}
		for _, e := range f.enums {
			fmt.Fprintf(&b, "enum %s {\n", e.name)
			for _, n := range sortedKeys(e.values) {
				fmt.Fprintf(&b, "  %s = %d;\n", e.values[n], n)
			}
			b.WriteString(reservedLines(e.reserved, f.syntax) + "}\n")
		}
		for _, m := range f.messages {
			m.print(&b, f.syntax)
		}
		for _, name := range sortedKeys(f.services) {
			fmt.Fprintf(&b, "service %s {\n", name)
			for _, m := range f.services[name] {
				fmt.Fprintf(&b, "  rpc %s(%s) returns (%s) {%s}\n", m.name, m.in, m.out, m.level)
			}
			b.WriteString("}\n")
		}
		out[f.name] = b.String()
	}
	return out
}

// reservedLines prints reserved statements. Editions have names without quotes.
func reservedLines(lines []string, syntax string) string {
	text := ""
	for _, line := range lines {
		if syntax == "2023" {
			line = strings.ReplaceAll(line, `"`, "")
		}
		text += "  " + line + "\n"
	}
	return text
}

func (m *genMessage) print(b *strings.Builder, syntax string) {
	fmt.Fprintf(b, "message %s {\n", m.name)
	var choice []string
	for _, f := range m.fields {
		options := slices.DeleteFunc(slices.Clone(f.options), func(o string) bool { return !f.allows(o, syntax) })
		tail := ";\n"
		if len(options) > 0 {
			tail = " [" + strings.Join(options, ", ") + "];\n"
		}
		line := fmt.Sprintf("%s %s = %d%s", f.kind, f.name, f.number, tail)
		isMap := strings.HasPrefix(f.kind, "map")
		switch {
		case f.oneof != "" && !isMap:
			choice = append(choice, "    "+line)
			continue
		case isMap || f.label == "optional" && syntax == "2023" || f.label == "plain" && syntax != "proto2":
			b.WriteString("  " + line)
		case f.label == "plain":
			b.WriteString("  optional " + line)
		case f.label == "required" && syntax != "proto2":
			b.WriteString("  repeated " + line)
		default:
			b.WriteString("  " + f.label + " " + line)
		}
	}
	if len(choice) > 0 {
		b.WriteString("  oneof choice {\n" + strings.Join(choice, "") + "  }\n")
	}
	b.WriteString(reservedLines(m.reserved, syntax))
	for _, n := range m.nested {
		n.print(b, syntax)
	}
	b.WriteString("}\n")
}

// allows says whether a field may have an option.
func (f *genField) allows(option, syntax string) bool {
	name, _, _ := strings.Cut(option, " ")
	singular := f.label != "repeated" && (f.label != "required" || syntax == "proto2") && !strings.HasPrefix(f.kind, "map")
	switch name {
	case "default":
		return syntax != "proto3" && singular && (f.kind == "int32" || f.kind == "string" || f.kind == "uint64") && strings.HasSuffix(option, f.kind+"*/")
	case "jstype":
		return strings.HasSuffix(f.kind, "64")
	case "ctype":
		return f.kind == "string" || f.kind == "bytes"
	case "features.utf8_validation":
		return syntax == "2023" && f.kind == "string"
	}
	return true
}

// mutate changes one thing.
func (g *genTree) mutate() {
	f := pick(g.rng, g.files)
	if g.rng.IntN(5) == 0 {
		g.mutateFile(f)
		return
	}
	if len(f.messages) == 0 {
		return
	}
	m := pick(g.rng, f.messages)
	if len(m.nested) > 0 && g.rng.IntN(3) == 0 {
		m = m.nested[0]
	}
	if len(m.fields) == 0 {
		return
	}
	at := g.rng.IntN(len(m.fields))
	field := m.fields[at]
	switch g.rng.IntN(14) {
	case 0:
		m.fields = slices.Delete(m.fields, at, at+1)
	case 1:
		m.fields = slices.Delete(m.fields, at, at+1)
		m.reserved = append(m.reserved, fmt.Sprintf("reserved %d;", field.number))
	case 2:
		m.fields = slices.Delete(m.fields, at, at+1)
		m.reserved = append(m.reserved, fmt.Sprintf("reserved %q;", field.name))
	case 3:
		field.name = fmt.Sprintf("renamed_%d", g.id())
	case 4, 5:
		field.kind = pick(g.rng, scalars())
	case 6:
		field.label = pick(g.rng, []string{"optional", "repeated", "required", "plain"})
	case 7:
		field.number = 200 + g.id()
	case 8:
		m.fields = append(m.fields, g.field(200+g.id()))
	case 9:
		field.oneof = pick(g.rng, []string{"", "choice"})
	case 10:
		field.options = append(field.options, pick(g.rng, []string{"default = 7 /*int32*/", `default = "x" /*string*/`, "default = 9 /*uint64*/"}))
		field.options = field.options[:1]
	case 11:
		field.options = []string{pick(g.rng, []string{"jstype = JS_STRING", "ctype = CORD", "deprecated = true", "features.utf8_validation = NONE", fmt.Sprintf("json_name = \"j%d\"", g.id())})}
	case 12:
		m.reserved = []string{pick(g.rng, []string{"reserved 100 to 110;", "reserved 105 to 120;", `reserved "gone_a";`, "reserved 100, 103 to 120;"})}
	case 13:
		slices.Reverse(m.fields)
	}
}

func (g *genTree) mutateFile(f *genFile) {
	services := sortedKeys(f.services)
	switch g.rng.IntN(12) {
	case 0:
		f.options = []string{pick(g.rng, []string{`go_package = "x"`, `java_package = "y"`, "optimize_for = CODE_SIZE", "cc_enable_arenas = false", "java_multiple_files = true"})}
	case 1:
		if len(f.messages) > 0 {
			f.messages = f.messages[1:]
		}
	case 2: // to another file of the package
		for _, other := range g.files {
			if other != f && other.pkg == f.pkg && len(f.messages) > 0 {
				other.messages, f.messages = append(other.messages, f.messages[0]), f.messages[1:]
				return
			}
		}
	case 3:
		delete(f.services, services[0])
		f.services[fmt.Sprintf("Service%d", g.id())] = nil
	case 4, 5:
		if methods := f.services[services[0]]; len(methods) > 0 {
			f.services[services[0]] = methods[1:]
		}
	case 6, 7:
		if methods := f.services[services[0]]; len(methods) > 0 {
			pick(g.rng, methods).in = pick(g.rng, []string{"base.Other", "stream base.Kept", "stream base.Other"})
			pick(g.rng, methods).out = pick(g.rng, []string{"base.Kept", "stream base.Other"})
			pick(g.rng, methods).level = pick(g.rng, []string{"", " option idempotency_level = IDEMPOTENT; ", " option idempotency_level = NO_SIDE_EFFECTS; "})
		}
	case 8:
		f.messages = append(f.messages, g.message(2))
	case 9, 10:
		if len(f.enums) > 0 {
			e := pick(g.rng, f.enums)
			n := 1 + g.rng.IntN(3)
			switch name := e.values[n]; {
			case g.rng.IntN(3) == 0:
				e.reserved = e.reserved[:len(e.reserved)/2]
			case name == "": // it was taken out, and may be reserved
			case g.rng.IntN(2) == 0:
				e.values[n] = fmt.Sprintf("NEW_%d", g.id())
			default:
				delete(e.values, n)
				e.reserved = append(e.reserved, pick(g.rng, []string{fmt.Sprintf("reserved %d;", n), fmt.Sprintf("reserved %q;", name)}))
			}
		}
	case 11:
		if len(f.enums) > 1 {
			f.enums = f.enums[:1]
		}
	}
}

func memory(name string, files map[string]string) contract.Source {
	m := fstest.MapFS{}
	for file, text := range files {
		m[file] = &fstest.MapFile{Data: []byte(text)}
	}
	return contract.Source{Name: name, FS: m, Path: "."}
}

func writeTree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// genPair returns a tree and what mutations made of it. What does not compile is mutated anew.
func genPair(t testing.TB, seed uint64, mutations int) (old, new map[string]string) {
	t.Helper()
	g := newGenTree(seed, 6, 4)
	old = g.print()
	for range mutations {
		g.mutate()
	}
	return old, g.print()
}

// TestGenerated: on generated trees we find what buf finds, at the same places, and no more.
func TestGenerated(t *testing.T) {
	bin := bufBinary(t)
	total, pairs := 0, 0
	for seed := range uint64(30) {
		old, new := genPair(t, seed, 25)
		if _, err := DiffRules(t.Context(), memory("old", old), memory("new", new), contract.Options{}, Rules{}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := runBuf(t, bin, writeTree(t, old), writeTree(t, new))
		got := runOurs(t, memory("old", old), memory("new", new))
		if diff := differ(got, want); diff != "" {
			t.Errorf("seed %d: + ours only, - buf only\n%s", seed, diff)
		}
		total, pairs = total+len(want), pairs+1
	}
	t.Logf("%d findings of buf on %d generated pairs", total, pairs)
	if total < 500 {
		t.Error("too few findings to tell")
	}
}
