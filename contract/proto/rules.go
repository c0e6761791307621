package proto

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// Categories of rules, as buf has them.
const (
	File     = "FILE"      // generated source, file by file
	Package  = "PACKAGE"   // generated source, package by package
	WireJSON = "WIRE_JSON" // bytes on the wire, and JSON
	Wire     = "WIRE"      // bytes on the wire
)

// A Rule is one kind of change that breaks.
type Rule struct {
	ID         string
	Categories []string
	Says       string // what must not happen
	Breaks     string // "wire", "json", "calls" or "source": whom it harms, at most
}

// Rules choose what breaks, by the ids of categories and rules. The zero value takes the default: WIRE_JSON,
// SERVICE_NO_DELETE and RPC_NO_DELETE.
type Rules struct {
	Use    []string
	Except []string
	// Flow asks for one direction alone, as the modes of a registry do: [contract.ToUs] has the new version read what the old
	// one wrote, [contract.FromUs] the old version what the new one writes. What no message of that direction shows is then no
	// break, if that is proven; see Directed for the rules that are chosen.
	Flow contract.Flow
	JSON bool // with Flow: messages are written in JSON, and not in bytes
}

const (
	fp     = File + " " + Package
	fpj    = fp + " " + WireJSON
	fpjw   = fpj + " " + Wire
	jw     = WireJSON + " " + Wire
	wire   = "wire"
	inJSON = "json"
	calls  = "calls"
	source = "source"
)

// Catalogue lists all rules, sorted by id.
func Catalogue() []Rule {
	var rules []Rule
	for _, row := range [][4]string{
		{"ENUM_NO_DELETE", File, source, "an enum is gone from its file"},
		{"ENUM_SAME_JSON_FORMAT", fpj, inJSON, "an enum's JSON format went from ALLOW to LEGACY_BEST_EFFORT"},
		{"ENUM_SAME_TYPE", fp, wire, "an enum went from open to closed, or back: readers of a closed enum set aside numbers that they do not know"},
		{"ENUM_VALUE_NO_DELETE", fp, source, "a value is gone from its enum"},
		{"ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", WireJSON, inJSON, "a value is gone, and its name is free to be used again"},
		{"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", jw, wire, "a value is gone, and its number is free to be used again"},
		{"ENUM_VALUE_SAME_NAME", fpj, inJSON, "a value has another name, which JSON writes"},
		{"EXTENSION_MESSAGE_NO_DELETE", fp, source, "a message gave up numbers that were for extensions"},
		{"EXTENSION_NO_DELETE", File, source, "an extension field is gone from its file"},
		{"FIELD_NO_DELETE", fp, source, "a field is gone from its message"},
		{"FIELD_NO_DELETE_UNLESS_NAME_RESERVED", WireJSON, inJSON, "a field is gone, and its name is free to be used again"},
		{"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", jw, wire, "a field is gone, and its number is free to be used again"},
		{"FIELD_SAME_CARDINALITY", fp, source, "a field became repeated, a map, required, optional with or without presence, or ceased to be"},
		{"FIELD_SAME_CPP_STRING_TYPE", fp, source, "a field's string type in C++ changed (ctype, features.(pb.cpp).string_type)"},
		{"FIELD_SAME_DEFAULT", fpjw, wire, "a field that is left out means another value"},
		{"FIELD_SAME_JAVA_UTF8_VALIDATION", fp, source, "Java checks a string's encoding where it did not, or no more"},
		{"FIELD_SAME_JSON_NAME", fpj, inJSON, "a field has another name in JSON"},
		{"FIELD_SAME_JSTYPE", fp, source, "a field's type in JavaScript changed (jstype)"},
		{"FIELD_SAME_NAME", fpj, inJSON, "a number has a field of another name"},
		{"FIELD_SAME_ONEOF", fpjw, wire, "a field moved into a oneof, out of one, or to another"},
		{"FIELD_SAME_TYPE", fp, source, "a field has another type"},
		{"FIELD_SAME_UTF8_VALIDATION", fp, wire, "readers check a string's encoding where they did not, or no more"},
		{"FIELD_WIRE_COMPATIBLE_CARDINALITY", Wire, wire, "a field's cardinality changed in a way that bytes show"},
		{"FIELD_WIRE_COMPATIBLE_TYPE", Wire, wire, "a field has a type that reads its bytes otherwise"},
		{"FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", WireJSON, wire, "a field's cardinality changed in a way that bytes or JSON show"},
		{"FIELD_WIRE_JSON_COMPATIBLE_TYPE", WireJSON, wire, "a field has a type that reads its bytes or its JSON otherwise"},
		{"FILE_NO_DELETE", File, source, "a file is gone"},
		{"FILE_SAME_CC_ENABLE_ARENAS", fp, source, "the option cc_enable_arenas changed"},
		{"FILE_SAME_CC_GENERIC_SERVICES", fp, source, "the option cc_generic_services changed"},
		{"FILE_SAME_CSHARP_NAMESPACE", fp, source, "the option csharp_namespace changed"},
		{"FILE_SAME_GO_PACKAGE", fp, source, "the option go_package changed"},
		{"FILE_SAME_JAVA_GENERIC_SERVICES", fp, source, "the option java_generic_services changed"},
		{"FILE_SAME_JAVA_MULTIPLE_FILES", fp, source, "the option java_multiple_files changed"},
		{"FILE_SAME_JAVA_OUTER_CLASSNAME", fp, source, "the option java_outer_classname changed"},
		{"FILE_SAME_JAVA_PACKAGE", fp, source, "the option java_package changed"},
		{"FILE_SAME_OBJC_CLASS_PREFIX", fp, source, "the option objc_class_prefix changed"},
		{"FILE_SAME_OPTIMIZE_FOR", fp, source, "the option optimize_for changed"},
		{"FILE_SAME_PACKAGE", fpjw, calls, "a file is of another package: all that it declares has another full name"},
		{"FILE_SAME_PHP_CLASS_PREFIX", fp, source, "the option php_class_prefix changed"},
		{"FILE_SAME_PHP_METADATA_NAMESPACE", fp, source, "the option php_metadata_namespace changed"},
		{"FILE_SAME_PHP_NAMESPACE", fp, source, "the option php_namespace changed"},
		{"FILE_SAME_PY_GENERIC_SERVICES", fp, source, "the option py_generic_services changed"},
		{"FILE_SAME_RUBY_PACKAGE", fp, source, "the option ruby_package changed"},
		{"FILE_SAME_SWIFT_PREFIX", fp, source, "the option swift_prefix changed"},
		{"FILE_SAME_SYNTAX", fp, source, "a file has another syntax: proto2, proto3, editions"},
		{"MESSAGE_NO_DELETE", File, source, "a message is gone from its file"},
		{"MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR", fp, source, "the option no_standard_descriptor_accessor was set"},
		{"MESSAGE_SAME_JSON_FORMAT", fpj, inJSON, "a message's JSON format went from ALLOW to LEGACY_BEST_EFFORT"},
		{"MESSAGE_SAME_REQUIRED_FIELDS", fpjw, wire, "a required field is new or gone: one version refuses messages without it"},
		{"ONEOF_NO_DELETE", fp, source, "a oneof is gone from its message"},
		{"PACKAGE_ENUM_NO_DELETE", Package, source, "an enum is gone from its package"},
		{"PACKAGE_EXTENSION_NO_DELETE", Package, source, "an extension field is gone from its package"},
		{"PACKAGE_MESSAGE_NO_DELETE", Package, source, "a message is gone from its package"},
		{"PACKAGE_NO_DELETE", Package, source, "a package is gone"},
		{"PACKAGE_SERVICE_NO_DELETE", Package, calls, "a service is gone from its package"},
		{"RESERVED_ENUM_NO_DELETE", fpjw, wire, "an enum gave up a reserved number or name, which may be used again"},
		{"RESERVED_MESSAGE_NO_DELETE", fpjw, wire, "a message gave up a reserved number or name, which may be used again"},
		{"RPC_NO_DELETE", fp, calls, "a method is gone from its service"},
		{"RPC_SAME_CLIENT_STREAMING", fpjw, calls, "a method takes a stream where it took one message, or no more"},
		{"RPC_SAME_IDEMPOTENCY_LEVEL", fpjw, calls, "a method's idempotency_level changed: whether a call may be repeated"},
		{"RPC_SAME_REQUEST_TYPE", fpjw, calls, "a method takes another message"},
		{"RPC_SAME_RESPONSE_TYPE", fpjw, calls, "a method returns another message"},
		{"RPC_SAME_SERVER_STREAMING", fpjw, calls, "a method returns a stream where it returned one message, or no more"},
		{"SERVICE_NO_DELETE", File, calls, "a service is gone from its file"},
	} {
		rules = append(rules, Rule{row[0], strings.Fields(row[1]), row[3], row[2]})
	}
	return rules
}

// chosen returns the rules that break.
func (r Rules) chosen() (map[string]bool, error) {
	use := r.Use
	switch {
	case len(use) > 0:
	case r.Flow != "":
		use = Directed(r.JSON)
	default:
		use = []string{WireJSON, "SERVICE_NO_DELETE", "RPC_NO_DELETE"}
	}
	chosen := map[string]bool{}
	all := Catalogue()
	for _, name := range append(slices.Clone(use), r.Except...) {
		known := slices.ContainsFunc(all, func(rule Rule) bool { return rule.ID == name || slices.Contains(rule.Categories, name) })
		if !known {
			return nil, fmt.Errorf("choose rules of Protobuf: nothing is called %q: name categories (%s, %s, %s, %s) or rules as buf has them",
				name, File, Package, WireJSON, Wire)
		}
	}
	for _, rule := range all {
		in := func(names []string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return rule.ID == name || slices.Contains(rule.Categories, name) })
		}
		if in(use) && !in(r.Except) {
			chosen[rule.ID] = true
		}
	}
	return chosen, nil
}
