package proto

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// TestRefused: what cannot be read is an error that says where, and never a pass.
func TestRefused(t *testing.T) {
	const head = "syntax = \"proto3\";\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"nothing there":          {map[string]string{"readme.md": ""}, []string{"new: ", "no .proto file"}},
		"syntax error":           {map[string]string{"a.proto": head + "message {\n"}, []string{"new: a.proto:2:9: syntax error"}},
		"no such type":           {map[string]string{"a.proto": head + "message M { N n = 1; }\n"}, []string{"a.proto:2:13: ", "unknown type N"}},
		"edition 2024":           {map[string]string{"a.proto": "edition = \"2024\";\n"}, []string{"a.proto:1:11: ", "2024", "edition 2023 are read"}},
		"missing import":         {map[string]string{"a.proto": head + "import \"b.proto\";\n"}, []string{"a.proto:2:8: ", "name the folder that imports start from"}},
		"import outside":         {map[string]string{"a.proto": head + "import \"../b.proto\";\n"}, []string{"a.proto:2:8: "}},
		"cycle":                  {map[string]string{"a.proto": head + "import \"b.proto\";\n", "b.proto": head + "import \"a.proto\";\n"}, []string{".proto:2:8: ", "cycle found in imports", "a third"}},
		"number used twice":      {map[string]string{"a.proto": head + "message M { int32 a = 1; int32 b = 1; }\n"}, []string{"a.proto:2:"}},
		"name used twice":        {map[string]string{"a.proto": head + "message M {}\n", "b.proto": head + "message M {}\n"}, []string{"already defined at"}},
		"bytes that are no text": {map[string]string{"a.proto": head + "// \xff\nmessage M\xff {}\n"}, []string{"a.proto:"}},
		"nested too deep":        {map[string]string{"a.proto": head + strings.Repeat("message M {", 100_000)}, []string{"a.proto:2:", "512 levels"}},
		"too large":              {map[string]string{"a.proto": head + strings.Repeat(" ", contract.MaxFile)}, []string{"a.proto has", "the most that is read"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Diff(t.Context(), memory("old", map[string]string{"a.proto": head}), memory("new", c.files), contract.Options{})
			if err == nil {
				t.Fatalf("no error; the verdict is %s", d.Verdict())
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
		})
	}
}

// TestTwice: a name that a new file takes from one that did not change is refused too.
func TestTwice(t *testing.T) {
	const m = p3 + " message M {}"
	_, err := Diff(t.Context(), memory("old", map[string]string{"a.proto": m}), memory("new", map[string]string{"a.proto": m, "b.proto": m}), contract.Options{})
	if err == nil || !strings.Contains(err.Error(), "new: b.proto:1:20: M is already defined in a.proto") {
		t.Error(err)
	}
}

// TestFileGone: a service that is gone with its file breaks callers, whatever buf's WIRE_JSON says; one that moved does not.
func TestFileGone(t *testing.T) {
	const file = p3 + " package s; message M {} service S { rpc A(M) returns (M); }"
	old := map[string]string{"a.proto": file, "b.proto": p3}
	for name, c := range map[string]struct {
		new  map[string]string
		want verdict.Verdict
	}{
		"gone":  {map[string]string{"b.proto": p3}, verdict.Fail},
		"moved": {map[string]string{"b.proto": file}, verdict.Fail}, // its package changed
		"named": {map[string]string{"c.proto": file, "b.proto": p3}, verdict.Pass},
	} {
		d, err := Diff(t.Context(), memory("old", old), memory("new", c.new), contract.Options{})
		if err != nil || d.Verdict() != c.want {
			t.Errorf("%s: got %s, want %s (%v): %+v", name, d.Verdict(), c.want, err, d.Findings)
		}
	}
}

// TestHostile: what is made to cost much costs little.
func TestHostile(t *testing.T) {
	var wide, many strings.Builder
	wide.WriteString(p2 + " message M { optional int32 a = 500; ")
	many.WriteString(p3 + " enum E { E0 = 0; ")
	for i := range 200 {
		fmt.Fprintf(&wide, "required M m%d = %d; ", i, i+1)
	}
	for i := range 3000 {
		fmt.Fprintf(&many, "E%d = %d; ", i+1, i+1)
	}
	many.WriteString("} message M { ")
	for i := range 3000 {
		fmt.Fprintf(&many, "E e%d = %d; ", i, i+1)
	}
	few := p3 + " enum E { E0 = 0; } message M { E e0 = 1; }"
	for name, c := range map[string][2]string{
		"a message that requires itself": {wide.String() + "}", strings.Replace(wide.String(), "int32 a", "string a", 1) + "}"},
		"many values, many users":        {many.String() + "}", few},
	} {
		start := time.Now()
		if _, err := DiffRules(t.Context(), memory("old", map[string]string{"a.proto": c[0]}), memory("new", map[string]string{"a.proto": c[1]}), contract.Options{}, Rules{Use: everything()}); err != nil {
			t.Error(name, err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s took %s", name, took)
		} else {
			t.Log(name, took)
		}
	}
}

func TestUnknownRule(t *testing.T) {
	one := memory("one", map[string]string{"a.proto": p3})
	if _, err := DiffRules(t.Context(), one, one, contract.Options{}, Rules{Use: []string{"WIRED"}}); err == nil || !strings.Contains(err.Error(), `"WIRED"`) {
		t.Error(err)
	}
	d, err := DiffRules(t.Context(), one, one, contract.Options{}, Rules{Use: []string{File}, Except: []string{"FIELD_SAME_NAME"}})
	if err != nil || d.Verdict() != verdict.Pass {
		t.Error(d, err)
	}
}

// TestRoots: imports are found from the path and from the folders above it, and single files are compared by what they hold.
func TestRoots(t *testing.T) {
	files := fstest.MapFS{
		"api/proto/shop/v1/order.proto": {Data: []byte(p3 + `package shop.v1; import "shop/v1/item.proto"; import "google/protobuf/timestamp.proto"; message Order { Item item = 1; google.protobuf.Timestamp at = 2; }`)},
		"api/proto/shop/v1/item.proto":  {Data: []byte(p3 + `package shop.v1; message Item { int32 qty = 1; }`)},
		"other/order_v2.proto":          {Data: []byte(p3 + `package shop.v1; message Item { string qty = 1; }`)},
	}
	for _, path := range []string{".", "api", "api/proto", "api/proto/shop/v1", "api/proto/shop/v1/order.proto"} {
		src := contract.Source{Name: path, FS: files, Path: path}
		if path == "." || path == "api" { // imports start from neither
			if _, err := Diff(t.Context(), src, src, contract.Options{}); err == nil {
				t.Errorf("%s: no error", path)
			}
			continue
		}
		if d, err := Diff(t.Context(), src, src, contract.Options{}); err != nil || d.Verdict() != verdict.Pass {
			t.Errorf("%s: %v, %s", path, err, d.Verdict())
		}
	}
	old := contract.Source{Name: "old", FS: files, Path: "api/proto/shop/v1/item.proto"}
	new := contract.Source{Name: "new", FS: files, Path: "other/order_v2.proto"}
	d, err := Diff(t.Context(), old, new, contract.Options{})
	if err != nil || len(d.Findings) != 1 || d.Findings[0].Rule != "FIELD_WIRE_JSON_COMPATIBLE_TYPE" ||
		d.Findings[0].Old.File != "api/proto/shop/v1/item.proto" || d.Findings[0].New.File != "other/order_v2.proto" || d.Findings[0].Witness == nil {
		t.Errorf("%v: %+v", err, d.Findings)
	}
}

// TestDefault: what the default says beside what breaks.
func TestDefault(t *testing.T) {
	const head = p3 + " package s; message In { State state = 1; } message Out { State state = 1; } enum State { NEW = 0; } "
	for name, c := range map[string]struct{ old, new, want string }{
		"a field more":             {head, head + "message More { int32 a = 1; }", "message-added change message s.More"},
		"source alone":             {head, `option go_package = "x";` + head, "FILE_SAME_GO_PACKAGE change file a.proto"},
		"deprecated":               {head, strings.Replace(head, "state = 1;", "state = 1 [deprecated = true];", 1), "field-options-changed change message s.In field 1"},
		"an extension gone":        {p2 + "package s; message M { extensions 9; } extend M { optional int32 x = 9; }", p2 + "package s; message M { extensions 9; }", "EXTENSION_NO_DELETE risk extension s.x"},
		"an unused message gone":   {head + "message Event { int32 a = 1; }", head, "MESSAGE_NO_DELETE risk message s.Event"},
		"a value more":             {head, strings.Replace(head, "NEW = 0;", "NEW = 0; PAID = 1;", 1), "enum-value-added change enum s.State value 1"},
		"a method gone":            {head + "service S { rpc A(In) returns (Out); rpc B(In) returns (Out); }", head + "service S { rpc A(In) returns (Out); }", "RPC_NO_DELETE break s.S/B"},
		"a value more, closed":     {p2 + "package s; enum E { A = 1; } message M { optional E e = 1; }", p2 + "package s; enum E { A = 1; B = 2; } message M { optional E e = 1; }", "closed-enum-value-added risk enum s.E value 2"},
		"a value more, requests":   {p2 + "package s; enum E { A = 1; } message M { optional E e = 1; } message N {} service S { rpc A(M) returns (N); }", p2 + "package s; enum E { A = 1; B = 2; } message M { optional E e = 1; } message N {} service S { rpc A(M) returns (N); }", "enum-value-added change enum s.E value 2"},
		"wire compatible, renamed": {p3 + "package s; message M { int32 a = 1; }", p3 + "package s; message M { uint32 a = 1; }", "FIELD_SAME_TYPE change message s.M field 1"},
	} {
		t.Run(name, func(t *testing.T) {
			old, new := strings.Replace(c.old, `option go_package = "x";`, "", 1), c.new
			if rest, ok := strings.CutPrefix(new, `option go_package = "x";`); ok {
				new = strings.Replace(rest, "package s;", `package s; option go_package = "x";`, 1)
			}
			d, err := Diff(t.Context(), memory("old", map[string]string{"a.proto": old}), memory("new", map[string]string{"a.proto": new}), contract.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range d.Findings {
				got = append(got, f.Rule+" "+string(f.Severity)+" "+f.Subject)
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFlow: witnesses go the way that messages go.
func TestFlow(t *testing.T) {
	const head = p3 + " package s; service S { rpc A(In) returns (Out); } message In { int32 a = 1; Shared s = 2; } message Out { int32 a = 1; Shared s = 2; } message Shared { int32 a = 1; } message Event { int32 a = 1; }"
	changed := strings.ReplaceAll(head, "int32 a = 1;", "string a = 1;")
	d, err := Diff(t.Context(), memory("old", map[string]string{"a.proto": head}), memory("new", map[string]string{"a.proto": changed}), contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][3]string{
		"message s.In field 1": {string(contract.ToUs), "request", "old"}, "message s.Out field 1": {string(contract.FromUs), "response", "new"},
		"message s.Shared field 1": {string(contract.Both), "event", "old"}, "message s.Event field 1": {string(contract.Both), "event", "old"},
	}
	for _, f := range d.Findings {
		if got := [3]string{string(f.Flow), f.Witness.What, f.Witness.Allowed}; got != want[f.Subject] {
			t.Errorf("%s: got %v, want %v", f.Subject, got, want[f.Subject])
		}
		delete(want, f.Subject)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
}

// FuzzDiff: whatever the files say, there is an error or a diff, the same each time, and nothing panics.
func FuzzDiff(f *testing.F) {
	for _, e := range examples() {
		old, new := e.pair()
		f.Add(old["shop.proto"], new["shop.proto"])
	}
	f.Fuzz(func(t *testing.T, old, new string) {
		var first []string
		for i := range 2 {
			d, err := DiffRules(t.Context(), memory("old", map[string]string{"a.proto": old}), memory("new", map[string]string{"a.proto": new}), contract.Options{}, Rules{Use: everything()})
			if err != nil {
				return
			}
			if d.Verdict() == verdict.Unknown {
				t.Fatal("neither a finding nor a proof")
			}
			if old == new && len(d.Findings) > 0 {
				t.Fatalf("a file differs from itself: %+v", d.Findings)
			}
			if i == 1 { // one direction, in either encoding
				for _, rules := range []Rules{{Flow: contract.ToUs}, {Flow: contract.FromUs}, {Flow: contract.ToUs, JSON: true}, {Flow: contract.FromUs, JSON: true}} {
					d, err := DiffRules(t.Context(), memory("old", map[string]string{"a.proto": old}), memory("new", map[string]string{"a.proto": new}), contract.Options{Documents: 5}, rules)
					if err != nil || old == new && (len(d.Findings) > 0 || len(d.Gaps) > 0) {
						t.Fatalf("%s: %v: a file differs from itself: %+v %+v", rules.Flow, err, d.Findings, d.Gaps)
					}
					for _, g := range d.Gaps {
						t.Fatalf("%s: %+v", rules.Flow, g)
					}
				}
			}
			if lines := strip(d); i == 0 {
				first = lines
			} else if strings.Join(first, "\n") != strings.Join(lines, "\n") {
				t.Fatal("another diff the second time")
			}
		}
	})
}
