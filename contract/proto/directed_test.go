package proto

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// A directedCase is one change, and what it comes to where the new version reads what the old one wrote, the other way round, and
// both again in JSON.
type directedCase struct {
	name, old, new                           string
	backward, forward, jsonBack, jsonForward string
}

func directedCases() []directedCase {
	const (
		m    = `syntax = "proto3"; package s; message M { string id = 1; `
		enum = `syntax = "proto3"; package s; message M { E e = 1; } enum E { ZERO = 0; `
	)
	return []directedCase{
		{"nothing", m + "}", m + "}", "", "", "", ""},
		{"wider integer", m + "int32 a = 2; }", m + "int64 a = 2; }", "", "break FIELD_SAME_TYPE", "", "break FIELD_SAME_TYPE"},
		{"sign taken away", m + "int32 a = 2; }", m + "uint32 a = 2; }", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE"},
		{"text to bytes", m + "string a = 2; }", m + "bytes a = 2; }", "risk FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE"},
		{"integer to text", m + "int32 a = 2; }", m + "string a = 2; }", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE"},
		{"zigzag", m + "int32 a = 2; }", m + "sint32 a = 2; }", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "", ""},
		{"flag to number", m + "bool a = 2; }", m + "int32 a = 2; }", "risk FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE", "break FIELD_SAME_TYPE"},
		{"one to many", m + "int32 a = 2; }", m + "repeated int32 a = 2; }", "risk FIELD_SAME_CARDINALITY", "break FIELD_SAME_CARDINALITY", "break FIELD_SAME_CARDINALITY", "break FIELD_SAME_CARDINALITY"},
		{"presence", m + "int32 a = 2; }", m + "optional int32 a = 2; }", "", "", "", ""},
		{"field added", m + "}", m + "int32 a = 2; }", "", "", "", "risk field-added"},
		{"field removed", m + "int32 a = 2; }", m + "}", "break FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED; risk FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
			"risk FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", "break FIELD_NO_DELETE_UNLESS_NAME_RESERVED; break FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", "risk FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED"},
		{"field removed and reserved", m + "int32 a = 2; }", m + `reserved 2; reserved "a"; }`, "", "", "risk FIELD_NO_DELETE", ""},
		{"field renumbered", m + "int32 a = 2; }", m + "reserved 2; int32 a = 3; }", "break FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "break FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "", ""},
		{"field renumbered, and of another type", m + "int32 a = 2; }", m + "reserved 2; bytes a = 3; }", "break FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "break FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
			"break FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "break FIELD_NO_DELETE_UNLESS_NAME_RESERVED"},
		{"field renamed", m + "int32 a = 2; }", m + "int32 b = 2; }", "risk FIELD_SAME_JSON_NAME; risk FIELD_SAME_NAME", "risk FIELD_SAME_JSON_NAME; risk FIELD_SAME_NAME",
			"break FIELD_SAME_JSON_NAME; break FIELD_SAME_NAME", "break FIELD_SAME_JSON_NAME; break FIELD_SAME_NAME"},
		{"into a oneof", m + "int32 a = 2; int32 b = 3; }", m + "oneof o { int32 a = 2; int32 b = 3; } }", "break FIELD_SAME_ONEOF; break FIELD_SAME_ONEOF", "", "break FIELD_SAME_ONEOF; break FIELD_SAME_ONEOF", ""},
		{"into a oneof of its own", m + "int32 a = 2; }", m + "oneof o { int32 a = 2; } }", "", "", "", ""},
		{"value added", enum + "}", enum + "ONE = 1; }", "", "risk enum-value-added", "", "break enum-value-added"},
		{"value removed", enum + "ONE = 1; }", enum + "}", "break ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED; risk ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
			"risk ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
			"break ENUM_VALUE_NO_DELETE; break ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED; break ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", "risk ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED"},
		{"value removed and reserved", enum + "ONE = 1; }", enum + `reserved 1; reserved "ONE"; }`, "", "", "break ENUM_VALUE_NO_DELETE", ""},
		{"zero renamed", enum + "}", strings.Replace(enum, "ZERO", "NULL", 1) + "}", "risk ENUM_VALUE_SAME_NAME", "risk ENUM_VALUE_SAME_NAME", "break ENUM_VALUE_SAME_NAME", "break ENUM_VALUE_SAME_NAME"},
		{"alias gone", enum + "option allow_alias = true; A = 1; B = 1; }", enum + "A = 1; }", "risk ENUM_VALUE_SAME_NAME", "", "break ENUM_VALUE_SAME_NAME", "risk ENUM_VALUE_SAME_NAME"},
		{"extension gone", p2 + "package s; message M { extensions 9; } extend M { optional int32 x = 9; }", p2 + "package s; message M { extensions 9; }", "risk EXTENSION_NO_DELETE", "", "risk EXTENSION_NO_DELETE", ""},
		{"map to messages that hold less", m + "map<int64, string> a = 2; }", m + "repeated N a = 2; } message N { int32 k = 1; string v = 2; }",
			"break FIELD_SAME_CARDINALITY; break FIELD_SAME_TYPE", "break FIELD_SAME_CARDINALITY; break FIELD_SAME_TYPE",
			"break FIELD_SAME_CARDINALITY; break FIELD_SAME_TYPE", "break FIELD_SAME_CARDINALITY; break FIELD_SAME_TYPE"},
		{"value renamed", enum + "ONE = 1; }", enum + "EINS = 1; }", "risk ENUM_VALUE_SAME_NAME", "risk ENUM_VALUE_SAME_NAME", "break ENUM_VALUE_SAME_NAME", "break ENUM_VALUE_SAME_NAME"},
		{"root gone", m + "} message N { int32 a = 1; }", m + "}", "break MESSAGE_NO_DELETE", "", "break MESSAGE_NO_DELETE", ""},
		{"root renamed", m + "}", strings.Replace(m, "message M", "message N", 1) + "}", "break MESSAGE_NO_DELETE", "", "break MESSAGE_NO_DELETE", ""},
		{"package", m + "}", strings.Replace(m, "package s", "package t", 1) + "}", "break FILE_SAME_PACKAGE", "break FILE_SAME_PACKAGE", "break FILE_SAME_PACKAGE", "break FILE_SAME_PACKAGE"},
		{"reserved no more", m + "reserved 5; }", m + "}", "risk RESERVED_MESSAGE_NO_DELETE", "risk RESERVED_MESSAGE_NO_DELETE", "risk RESERVED_MESSAGE_NO_DELETE", "risk RESERVED_MESSAGE_NO_DELETE"},
		{"required now", p2 + "package s; message M { optional int32 a = 1; }", p2 + "package s; message M { required int32 a = 1; }", "break MESSAGE_SAME_REQUIRED_FIELDS", "", "break MESSAGE_SAME_REQUIRED_FIELDS", ""},
		{"required and new", p2 + "package s; message M { }", p2 + "package s; message M { required int32 a = 1; }", "break MESSAGE_SAME_REQUIRED_FIELDS", "", "break MESSAGE_SAME_REQUIRED_FIELDS", "risk field-added"},
		{"required and gone", p2 + "package s; message M { required int32 a = 1; }", p2 + `package s; message M { reserved 1; reserved "a"; }`, "", "break MESSAGE_SAME_REQUIRED_FIELDS", "risk FIELD_NO_DELETE", "break MESSAGE_SAME_REQUIRED_FIELDS"},
		{"default", p2 + "package s; message M { optional int32 a = 1; }", p2 + "package s; message M { optional int32 a = 1 [default = 7]; }", "break FIELD_SAME_DEFAULT", "break FIELD_SAME_DEFAULT", "break FIELD_SAME_DEFAULT", "break FIELD_SAME_DEFAULT"},
		{"a call less", `syntax = "proto3"; package s; message M {} service S { rpc A(M) returns (M); }`, `syntax = "proto3"; package s; message M {} service S {}`, "break RPC_NO_DELETE", "", "break RPC_NO_DELETE", ""},
	}
}

// said lists what breaks and what is a risk, sorted, without what merely changed.
func said(d contract.Diff) string {
	var all []string
	for _, f := range d.Findings {
		if f.Severity != contract.Change {
			all = append(all, string(f.Severity)+" "+f.Rule)
		}
	}
	for _, g := range d.Gaps {
		all = append(all, "gap "+g.Why)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func TestDirected(t *testing.T) {
	silent := map[string]bool{"FILE_SAME_PACKAGE": true, // names of types are in no message
		"FIELD_NO_DELETE_UNLESS_NAME_RESERVED": true} // in JSON, of a number and a type that changed at once
	for _, c := range directedCases() {
		old, new := map[string]string{"a.proto": c.old}, map[string]string{"a.proto": c.new}
		for i, want := range []string{c.backward, c.forward, c.jsonBack, c.jsonForward} {
			rules := Rules{Flow: []contract.Flow{contract.ToUs, contract.FromUs}[i%2], JSON: i > 1}
			t.Run(fmt.Sprintf("%s, %s, json=%v", c.name, rules.Flow, rules.JSON), func(t *testing.T) {
				d, err := DiffRules(t.Context(), memory("old", old), memory("new", new), contract.Options{Seed: 7}, rules)
				if err != nil {
					t.Fatal(err)
				}
				if got := said(d); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				writes := map[contract.Flow]string{contract.ToUs: "old", contract.FromUs: "new"}[rules.Flow]
				for _, f := range d.Findings {
					if f.Severity == contract.Break && f.Witness == nil && !silent[f.Rule] {
						t.Errorf("%s: a break without a witness", f.Rule)
					}
					if f.Witness == nil {
						continue
					}
					if f.Witness.Allowed != writes || f.Flow != rules.Flow || f.Severity == contract.Change {
						t.Errorf("%s: the witness is of the other direction: %+v", f.Rule, f.Witness)
					}
					if f.Rule != "MESSAGE_NO_DELETE" { // there is nobody to read it
						replay(t, f, link(t, old, new))
					}
				}
			})
		}
	}
}

// TestHolds holds the table of types against all pairs: what it calls safe is read as it was written, whatever the value, and
// what it does not has a value that tells, but for a few pairs that stay breaks without one.
func TestHolds(t *testing.T) {
	kinds := []string{"bool", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "string", "bytes", "E", "F", "M"}
	const types = p3 + " package s; enum E { E0 = 0; E1 = 1; E2 = 2; } enum F { E0F = 0; E1F = 1; E2F = 2; E3F = 3; } message M { int32 x = 1; } "
	bare := map[string]int{}
	labels := []string{"", "optional ", "repeated "}
	if testing.Short() {
		labels = labels[2:]
	}
	for _, label := range labels {
		for _, from := range kinds {
			for _, to := range kinds {
				if from == to {
					continue
				}
				text := func(kind string) map[string]string {
					return map[string]string{"a.proto": types + "message R { " + label + kind + " a = 1; }"}
				}
				old, new := text(from), text(to)
				for _, json := range []bool{false, true} {
					d, err := DiffRules(t.Context(), memory("old", old), memory("new", new), contract.Options{Documents: 300}, Rules{Flow: contract.ToUs, JSON: json})
					if err != nil {
						t.Fatal(err)
					}
					if len(d.Gaps) > 0 {
						t.Errorf("%s%s to %s, json=%v: said to be safe, and %s", label, from, to, json, d.Gaps[0].Why)
					}
					says := func(files map[string]string) protoreflect.FieldDescriptor {
						return message(t, linked(t, files), "s.R").Descriptor().Fields().Get(0)
					}
					safe := holds(says(old), says(new), json)
					for _, f := range d.Findings {
						if safe && f.Witness != nil && (f.Witness.Encoding == "json") == json {
							t.Errorf("%s%s to %s, json=%v: safe by the table, and not by %+v", label, from, to, json, f.Witness)
						}
						if f.Severity == contract.Break && f.Witness == nil {
							bare[fmt.Sprintf("%s to %s, json=%v", from, to, json)]++
						}
					}
				}
			}
		}
	}
	for pair, n := range bare {
		if t.Log(pair, n); !strings.Contains(pair, " to E,") && !strings.Contains(pair, " to F,") && pair != "float to double, json=true" {
			t.Errorf("%s: a break that no message shows", pair)
		}
	}
}

// TestSample: what the rules that are chosen overlook is seen by the messages that are tried, and is no pass.
func TestSample(t *testing.T) {
	const head = `syntax = "proto3"; package s; message M { string id = 1; `
	for name, c := range map[string][2]string{
		"type":        {head + "int32 a = 2; }", head + "bytes a = 2; }"},
		"sign":        {head + "int32 a = 2; }", head + "uint32 a = 2; }"},
		"cardinality": {head + "repeated int32 a = 2; }", head + "int32 a = 2; }"},
		"oneof":       {head + "int32 a = 2; int32 b = 3; }", head + "oneof o { int32 a = 2; int32 b = 3; } }"},
		"map":         {head + "map<int32, string> a = 2; }", head + "map<int32, int32> a = 2; }"},
		"required":    {p2 + " message M { optional int32 a = 1; }", p2 + " message M { required int32 a = 1; }"},
	} {
		rules := Rules{Use: []string{"FILE_NO_DELETE"}, Flow: contract.ToUs}
		d, err := DiffRules(t.Context(), memory("old", map[string]string{"a.proto": c[0]}), memory("new", map[string]string{"a.proto": c[1]}), contract.Options{}, rules)
		if err != nil || d.Verdict() != verdict.Unknown || len(d.Gaps) != 1 || !strings.Contains(d.Gaps[0].Why, "no rule finds a break") {
			t.Errorf("%s: got %s: %+v %v", name, d.Verdict(), d.Gaps, err)
		}
	}
}
