package proto

// examples are pairs of files, each of which breaks a rule. The table in docs/contracts-protobuf.md is made of them.
func examples() []example {
	return []example{
		{"ENUM_NO_DELETE", p3, `enum State { NEW = 0; }`, ``},
		{"ENUM_SAME_JSON_FORMAT", e23, `enum State { NEW = 0; }`, `enum State { option features.json_format = LEGACY_BEST_EFFORT; NEW = 0; }`},
		{"ENUM_SAME_TYPE", e23, `enum State { NEW = 0; }`, `enum State { option features.enum_type = CLOSED; NEW = 0; }`},
		{"ENUM_VALUE_NO_DELETE", p3, `enum State { NEW = 0; PAID = 1; } message Order { State state = 1; }`, `enum State { NEW = 0; reserved 1; reserved "PAID"; } message Order { State state = 1; }`},
		{"ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", p3, `enum State { NEW = 0; PAID = 1; } message Order { State state = 1; }`, `enum State { NEW = 0; reserved 1; } message Order { State state = 1; }`},
		{"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", p3, `enum State { NEW = 0; PAID = 1; } message Order { State state = 1; }`, `enum State { NEW = 0; reserved "PAID"; } message Order { State state = 1; }`},
		{"ENUM_VALUE_SAME_NAME", p3, `enum State { NEW = 0; PAID = 1; } message Order { State state = 1; }`, `enum State { NEW = 0; SETTLED = 1; } message Order { State state = 1; }`},
		{"EXTENSION_MESSAGE_NO_DELETE", p2, `message Order { extensions 100 to 199; }`, `message Order { extensions 100 to 150; }`},
		{"EXTENSION_NO_DELETE", p2, `message Order { extensions 100; } extend Order { optional string note = 100; }`, `message Order { extensions 100; }`},
		{"FIELD_NO_DELETE", p3, `message Order { int32 qty = 1; }`, `message Order { reserved 1; reserved "qty"; }`},
		{"FIELD_NO_DELETE_UNLESS_NAME_RESERVED", p3, `message Order { int32 qty = 1; }`, `message Order { reserved 1; }`},
		{"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", p3, `message Order { int32 qty = 1; }`, `message Order { reserved "qty"; }`},
		{"FIELD_SAME_CARDINALITY", p3, `message Order { string item = 1; }`, `message Order { optional string item = 1; }`},
		{"FIELD_SAME_CPP_STRING_TYPE", p2, `message Order { optional string item = 1; }`, `message Order { optional string item = 1 [ctype = CORD]; }`},
		{"FIELD_SAME_DEFAULT", p2, `message Order { optional int32 qty = 1 [default = 1]; }`, `message Order { optional int32 qty = 1 [default = 2]; }`},
		{"FIELD_SAME_JAVA_UTF8_VALIDATION", p2, `message Order { optional string item = 1; }`, `option java_string_check_utf8 = true; message Order { optional string item = 1; }`},
		{"FIELD_SAME_JSON_NAME", p3, `message Order { int32 qty = 1 [json_name = "quantity"]; }`, `message Order { int32 qty = 1; }`},
		{"FIELD_SAME_JSTYPE", p3, `message Order { int64 qty = 1; }`, `message Order { int64 qty = 1 [jstype = JS_NUMBER]; }`},
		{"FIELD_SAME_NAME", p3, `message Order { int32 qty = 1; }`, `message Order { int32 quantity = 1; }`},
		{"FIELD_SAME_ONEOF", p3, `message Order { string card = 1; string invoice = 2; }`, `message Order { oneof payment { string card = 1; string invoice = 2; } }`},
		{"FIELD_SAME_TYPE", p3, `message Order { int32 qty = 1; }`, `message Order { string qty = 1; }`},
		{"FIELD_SAME_UTF8_VALIDATION", e23, `message Order { string item = 1 [features.utf8_validation = NONE]; }`, `message Order { string item = 1; }`},
		{"FIELD_WIRE_COMPATIBLE_CARDINALITY", p3, `message Order { repeated string item = 1; }`, `message Order { string item = 1; }`},
		{"FIELD_WIRE_COMPATIBLE_TYPE", p3, `message Order { int32 qty = 1; }`, `message Order { sint32 qty = 1; }`},
		{"FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", p3, `message Order { repeated string item = 1; }`, `message Order { string item = 1; }`},
		{"FIELD_WIRE_JSON_COMPATIBLE_TYPE", p3, `message Order { int64 qty = 1; }`, `message Order { int32 qty = 1; }`},
		{"FILE_NO_DELETE", p3, `message Order {}`, gone},
		{"FILE_SAME_CC_ENABLE_ARENAS", p3, ``, `option cc_enable_arenas = false;`},
		{"FILE_SAME_CC_GENERIC_SERVICES", p3, ``, `option cc_generic_services = true;`},
		{"FILE_SAME_CSHARP_NAMESPACE", p3, ``, `option csharp_namespace = "Shop";`},
		{"FILE_SAME_GO_PACKAGE", p3, `option go_package = "example.com/shop";`, `option go_package = "example.com/shop/v1";`},
		{"FILE_SAME_JAVA_GENERIC_SERVICES", p3, ``, `option java_generic_services = true;`},
		{"FILE_SAME_JAVA_MULTIPLE_FILES", p3, ``, `option java_multiple_files = true;`},
		{"FILE_SAME_JAVA_OUTER_CLASSNAME", p3, ``, `option java_outer_classname = "Shop";`},
		{"FILE_SAME_JAVA_PACKAGE", p3, ``, `option java_package = "com.example.shop";`},
		{"FILE_SAME_OBJC_CLASS_PREFIX", p3, ``, `option objc_class_prefix = "SHP";`},
		{"FILE_SAME_OPTIMIZE_FOR", p3, ``, `option optimize_for = CODE_SIZE;`},
		{"FILE_SAME_PACKAGE", p3, `message Order {} service Orders { rpc Place(Order) returns (Order); }`, repack + `message Order {} service Orders { rpc Place(Order) returns (Order); }`},
		{"FILE_SAME_PHP_CLASS_PREFIX", p3, ``, `option php_class_prefix = "Shop";`},
		{"FILE_SAME_PHP_METADATA_NAMESPACE", p3, ``, `option php_metadata_namespace = "Shop";`},
		{"FILE_SAME_PHP_NAMESPACE", p3, ``, `option php_namespace = "Shop";`},
		{"FILE_SAME_PY_GENERIC_SERVICES", p3, ``, `option py_generic_services = true;`},
		{"FILE_SAME_RUBY_PACKAGE", p3, ``, `option ruby_package = "Shop";`},
		{"FILE_SAME_SWIFT_PREFIX", p3, ``, `option swift_prefix = "Shop";`},
		{"FILE_SAME_SYNTAX", p3, `message Order {}`, resyntax + `message Order {}`},
		{"MESSAGE_NO_DELETE", p3, `message Order {}`, ``},
		{"MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR", p3, `message Order {}`, `message Order { option no_standard_descriptor_accessor = true; }`},
		{"MESSAGE_SAME_JSON_FORMAT", e23, `message Order {}`, `message Order { option features.json_format = LEGACY_BEST_EFFORT; }`},
		{"MESSAGE_SAME_REQUIRED_FIELDS", p2, `message Order { optional int32 qty = 1; }`, `message Order { optional int32 qty = 1; required string item = 2; }`},
		{"ONEOF_NO_DELETE", p3, `message Order { oneof payment { string card = 1; } }`, `message Order { string card = 1; }`},
		{"PACKAGE_ENUM_NO_DELETE", p3, `enum State { NEW = 0; }`, ``},
		{"PACKAGE_EXTENSION_NO_DELETE", p2, `message Order { extensions 100; } extend Order { optional string note = 100; }`, `message Order { extensions 100; }`},
		{"PACKAGE_MESSAGE_NO_DELETE", p3, `message Order {}`, ``},
		{"PACKAGE_NO_DELETE", p3, `message Order {}`, repack + `message Order {}`},
		{"PACKAGE_SERVICE_NO_DELETE", p3, service + `service Orders { rpc Place(Order) returns (Order); }`, service},
		{"RESERVED_ENUM_NO_DELETE", p3, `enum State { NEW = 0; reserved 2; }`, `enum State { NEW = 0; }`},
		{"RESERVED_MESSAGE_NO_DELETE", p3, `message Order { reserved "qty"; }`, `message Order {}`},
		{"RPC_NO_DELETE", p3, service + `service Orders { rpc Place(Order) returns (Order); rpc Cancel(Order) returns (Order); }`, service + `service Orders { rpc Place(Order) returns (Order); }`},
		{"RPC_SAME_CLIENT_STREAMING", p3, service + `service Orders { rpc Place(Order) returns (Order); }`, service + `service Orders { rpc Place(stream Order) returns (Order); }`},
		{"RPC_SAME_IDEMPOTENCY_LEVEL", p3, service + `service Orders { rpc Place(Order) returns (Order) { option idempotency_level = IDEMPOTENT; } }`, service + `service Orders { rpc Place(Order) returns (Order); }`},
		{"RPC_SAME_REQUEST_TYPE", p3, service + `service Orders { rpc Place(Order) returns (Order); }`, service + `service Orders { rpc Place(Basket) returns (Order); }`},
		{"RPC_SAME_RESPONSE_TYPE", p3, service + `service Orders { rpc Place(Order) returns (Order); }`, service + `service Orders { rpc Place(Order) returns (Basket); }`},
		{"RPC_SAME_SERVER_STREAMING", p3, service + `service Orders { rpc Place(Order) returns (Order); }`, service + `service Orders { rpc Place(Order) returns (stream Order); }`},
		{"SERVICE_NO_DELETE", p3, service + `service Orders { rpc Place(Order) returns (Order); }`, service},
	}
}

const (
	p2, p3, e23 = `syntax = "proto2";`, `syntax = "proto3";`, `edition = "2023";`
	gone        = "(gone)"
	repack      = "package shop.v2; "
	resyntax    = "(proto2) "
	service     = `message Order { int32 qty = 1; } message Basket { string name = 1; } `
)

type example struct{ rule, syntax, old, new string }
