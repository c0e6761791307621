package proto

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/assay-dev/assay/contract"
)

// Directed returns the rules that are chosen where one direction is asked for. They are those of the default, but types and
// cardinalities are held against messages of that direction, and not against buf's tables, which know none: that a new int64 reads
// what an int32 wrote is safe, and that a new int32 reads what an int64 wrote is not.
func Directed(json bool) []string {
	ids := []string{"SERVICE_NO_DELETE", "RPC_NO_DELETE", "FIELD_SAME_TYPE", "FIELD_SAME_CARDINALITY", "MESSAGE_NO_DELETE"}
	for _, rule := range Catalogue() {
		if slices.Contains(rule.Categories, WireJSON) && rule.ID != "FIELD_WIRE_JSON_COMPATIBLE_TYPE" && rule.ID != "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY" {
			ids = append(ids, rule.ID)
		}
	}
	if json { // a name that is gone is refused, whatever is reserved
		ids = append(ids, "ENUM_VALUE_NO_DELETE")
	}
	return ids
}

// A quiet is what a change comes to where no message of the direction that is asked for shows it.
type quiet struct {
	severity contract.Severity // "" is a break: that no message was found proves nothing
	why      string            // it is safe; "" where it is not
}

// writes names the version that writes, where one direction is asked for.
func (c *comparison) writes() string {
	if c.flows.only == contract.FromUs {
		return "new"
	}
	return "old"
}

// directed takes down what a rule found where one direction is asked for. A break is what a message of that direction shows, or
// what nothing proves to be safe.
func (c *comparison) directed(ch change) {
	rule := c.rules[ch.rule]
	f := contract.Finding{Rule: ch.rule, Kind: contract.Proto, Severity: contract.Break, Flow: c.flows.only, Contract: c.contract,
		Subject: ch.subject, Path: ch.path, Text: ch.text, Try: ch.try, Old: ch.old, New: ch.new, Modes: ch.modes}
	if ch.witness != nil {
		f.Witness = ch.witness(c.written(rule))
	}
	if f.Witness != nil && f.Witness.Allowed != c.writes() { // of the other direction
		f.Witness = nil
	}
	if f.Witness != nil && f.Witness.What != "call" {
		f.Witness.What = "event" // whatever methods do with the message
	}
	breaks := breaksOf(rule, f.Witness)
	switch w := f.Witness; {
	case w == nil && ch.quiet.severity != "":
		f.Severity = ch.quiet.severity
	case w != nil && w.Encoding == "json" && !c.json && w.Document != "{}" && (rule.Breaks == inJSON || ch.quiet.severity != ""):
		f.Severity = contract.Risk // bytes are read well; {} is no bytes
	}
	if !c.chosen[ch.rule] {
		if shown := f.Witness != nil && (c.json || rule.Breaks == wire); shown || rule.Breaks == wire && ch.witness == nil {
			f.Severity, f.Text = contract.Risk, f.Text+": "+harm(breaks)
		} else {
			f.Severity, f.Witness = contract.Change, nil
		}
		if ch.held != "" {
			f.Severity = ch.held
		}
		c.held = append(c.held, f)
		return
	}
	switch {
	case f.Severity != contract.Change:
		f.Text += ": " + harm(breaks)
	case ch.quiet.why != "":
		f.Text += ", which is safe: " + ch.quiet.why
		c.proofs = append(c.proofs, contract.Proof{Contract: c.contract, Subject: f.Subject, Path: f.Path, By: "rule: " + ch.quiet.why})
	}
	c.findings = append(c.findings, f)
	if f.Severity != contract.Change { // what is safe says nothing of other rules
		c.touched[f.Subject] = true
	}
}

// written returns the encodings that a witness may have: what only breaks JSON is looked for in JSON.
func (c *comparison) written(rule Rule) []string {
	if c.json || rule.Breaks == inJSON {
		return []string{"json"}
	}
	return []string{"hex", "json"}
}

// quietName is what another name comes to that no message shows.
func (c *comparison) quietName() quiet {
	if c.json {
		return quiet{contract.Risk, ""} // some writers take the name in the file, and others the one for JSON
	}
	return quiet{contract.Change, "bytes have numbers, and no names"}
}

// quiet says what a change of a field comes to that no message shows.
func (f fieldChange) quiet(rule string) quiet {
	w, r := f.old, f.new
	if f.writes() == "new" {
		w, r = f.new, f.old
	}
	switch rule {
	case "FIELD_SAME_NAME", "FIELD_SAME_JSON_NAME":
		return f.quietName()
	case "FIELD_SAME_ONEOF":
		return quiet{contract.Change, "no two fields that may be written together are in one oneof of the reader"}
	case "FIELD_SAME_TYPE":
		if holds(w, r, f.json) {
			return quiet{contract.Change, fmt.Sprintf("%s holds each value of %s, written the same", typeOf(r), typeOf(w))}
		}
	case "FIELD_SAME_CARDINALITY":
		switch many := w.IsList() || w.IsMap(); {
		case !many && !r.IsList() && !r.IsMap():
			return quiet{contract.Change, "there is one value before and after"}
		case !many && r.IsList() && !f.json:
			return quiet{contract.Change, "a list reads one value as a list of one"}
		}
	}
	return quiet{}
}

// holds says whether a reader's type holds each value of a writer's, and takes it in the form in which it is written.
func holds(w, r protoreflect.FieldDescriptor, json bool) bool {
	const (
		boolean, enum, i32, i64, u32, u64 = protoreflect.BoolKind, protoreflect.EnumKind, protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Uint32Kind, protoreflect.Uint64Kind
		s32, s64, text, bytes             = protoreflect.Sint32Kind, protoreflect.Sint64Kind, protoreflect.StringKind, protoreflect.BytesKind
		f32, f64, sf32, sf64              = protoreflect.Fixed32Kind, protoreflect.Fixed64Kind, protoreflect.Sfixed32Kind, protoreflect.Sfixed64Kind
	)
	type kinds []protoreflect.Kind
	if w.Kind() == enum && r.Kind() == enum {
		return namedIn(w.Enum(), r.Enum(), json)
	}
	signed32, signed64, unsigned32, unsigned64 := kinds{i32, s32, sf32}, kinds{i64, s64, sf64}, kinds{u32, f32}, kinds{u64, f64}
	table := map[protoreflect.Kind]kinds{boolean: {i32, i64, u32, u64}, i32: {i64}, u32: {i64, u64}, enum: {i32, i64}, s32: {s64}, text: {bytes}}
	if json {
		table = map[protoreflect.Kind]kinds{}
		for _, k := range signed32 {
			table[k] = append(slices.Clone(signed32), signed64...)
		}
		for _, k := range signed64 {
			table[k] = signed64
		}
		for _, k := range unsigned32 {
			table[k] = slices.Concat(unsigned32, unsigned64, signed64)
		}
		for _, k := range unsigned64 {
			table[k] = unsigned64
		}
	}
	return slices.Contains(table[w.Kind()], r.Kind())
}

// namedIn says whether each value of one enum has a name in another, in JSON the same one.
func namedIn(some, all protoreflect.EnumDescriptor, json bool) bool {
	if json {
		return contains(all, some)
	}
	for i := range some.Values().Len() {
		if all.Values().ByNumber(some.Values().Get(i).Number()) == nil {
			return false
		}
	}
	return true
}

// rootGone reports a message that is gone. One that no other holds is what is sent: nobody can read what was written of it. One
// that others hold is spoken of where they do.
func (c *comparison) rootGone(d protoreflect.MessageDescriptor, ch change) {
	_, elsewhere := c.new.find(d)
	switch {
	case d.IsMapEntry():
		return
	case elsewhere:
		c.note(contract.Change, "message-moved", ch)
		return
	case c.old.held()[d.FullName()]:
		c.note(contract.Change, ch.rule, ch)
		return
	}
	ch.quiet = quiet{contract.Change, "nobody writes it any more"}
	ch.try = "keep it until nothing that was written of it is read any more"
	ch.witness = func(encodings []string) *contract.Witness { return c.rootWitness(d, encodings) }
	c.directed(ch)
}

// held returns the messages that fields of other messages are of.
func (t *tree) held() map[protoreflect.FullName]bool {
	held := map[protoreflect.FullName]bool{}
	for _, m := range t.messages {
		for i := range m.Fields().Len() {
			if of := m.Fields().Get(i).Message(); of != nil && of.FullName() != m.FullName() {
				held[of.FullName()] = true
			}
		}
	}
	return held
}

// rootWitness is a message of a type that is gone.
func (c *comparison) rootWitness(d protoreflect.MessageDescriptor, encodings []string) *contract.Witness {
	t := trial{direction: direction{"old", "new"}, flow: c.flows.only, writer: c.old.native(d)}
	b := &builder{left: maxSet}
	message := dynamicpb.NewMessage(t.writer)
	b.fill(message, 0, 0)
	for _, encoding := range append(slices.Clone(encodings), "json") { // one without fields is no bytes
		if document, err := encode(message, encoding); err == nil && len(document) > 0 {
			return t.shown(message, document, encoding, fmt.Sprintf("no message is called %s", d.FullName()))
		}
	}
	return nil
}

// renumbered reports a field that has another number: bytes of either version lack it for the other. JSON has names, and no numbers.
func (c *comparison) renumbered(o, n protoreflect.FieldDescriptor) {
	old, new := c.places(o, n, nil)
	ch := change{rule: "FIELD_NO_DELETE_UNLESS_NAME_RESERVED", subject: subjectOf(o), path: "name", old: old, new: new, flow: c.flows.only,
		text: fmt.Sprintf("field %s of message %s had the number %d and has %d", o.Name(), o.ContainingMessage().FullName(), o.Number(), n.Number()),
		try:  "keep the number, and add another field beside it"}
	w, r := o, n
	if c.writes() == "new" {
		w, r = n, o
	}
	if c.json && w.IsList() == r.IsList() && w.IsMap() == r.IsMap() && w.JSONName() == r.JSONName() && (typeOf(w) == typeOf(r) || holds(w, r, true)) {
		ch.quiet = quiet{contract.Change, "JSON has names, and no numbers"}
	}
	ch.witness = func([]string) *contract.Witness {
		if c.json {
			return nil
		}
		from := direction{c.writes(), map[string]string{"old": "new", "new": "old"}[c.writes()]}
		writer, reader := c.old.native(o.ContainingMessage()), c.new.native(n.ContainingMessage())
		if from.from == "new" {
			writer, reader = reader, writer
		}
		t := trial{direction: from, flow: c.flows.only, writer: writer, reader: reader, watch: []protoreflect.FieldNumber{w.Number()}}
		return c.tryValues(t, writer.Fields().ByNumber(w.Number()), []string{"hex"})
	}
	c.directed(ch)
}

// newValue reports a value that only the writer knows. In bytes it is a number without a name, in JSON a name that is refused.
func (c *comparison) newValue(o protoreflect.EnumDescriptor, v protoreflect.EnumValueDescriptor) {
	rule, what := "enum-value-added", "get a number that they have no name for"
	if o.IsClosed() {
		rule, what = "closed-enum-value-added", "set it aside and see the default"
	}
	severity := contract.Risk
	if c.json {
		severity, what = contract.Break, "refuse its name"
	}
	c.noteIn(severity, rule, change{subject: subjectOf(v), old: c.old.at(o, nil), new: c.new.at(v, nil), flow: c.flows.only,
		text: wordsOf(v) + " is new: readers of the old version " + what, try: "write it only when all readers know it",
		witness: func(enc []string) *contract.Witness { return c.enumWitness(o, v.Number(), enc) }})
}

// newField reports a field that is new. Strict readers of JSON refuse a name that they do not know.
func (c *comparison) newField(o protoreflect.MessageDescriptor, f protoreflect.FieldDescriptor) {
	if c.flows.only != contract.FromUs || !c.json || o.Fields().ByName(f.Name()) != nil {
		c.isNew("field-added", f, c.new.at(f, nil))
		return
	}
	c.noteIn(contract.Risk, "field-added", change{subject: subjectOf(f), old: c.old.at(o, nil), new: c.new.at(f, nil), flow: c.flows.only,
		text: wordsOf(f) + " is new: readers of the old version that are strict refuse JSON with it", try: "see that readers pass over names that they do not know",
		witness: func(enc []string) *contract.Witness {
			t := trial{direction: direction{"new", "old"}, flow: c.flows.only, writer: c.new.native(f.ContainingMessage()), reader: c.old.native(o)}
			return c.tryValues(t, t.writer.Fields().ByNumber(f.Number()), enc)
		}})
}

// noteIn is note, with a witness in the encoding that is asked for.
func (c *comparison) noteIn(severity contract.Severity, rule string, ch change) {
	find := ch.witness
	ch.witness = func([]string) *contract.Witness { return find(c.written(Rule{Breaks: wire})) }
	c.note(severity, rule, ch)
}

// shown makes a witness of a message.
func (t trial) shown(message proto.Message, document []byte, encoding, reason string) *contract.Witness {
	w := &contract.Witness{What: whatOf(t.flow), Encoding: encoding, At: "message " + string(t.writer.FullName()),
		Allowed: t.from, Refused: t.to, Reason: reason, Document: string(document), Media: "application/json"}
	if encoding == "hex" {
		w.Document, w.Media = fmt.Sprintf("%x", document), "application/protobuf"
		if text, err := encode(message, "json"); err == nil {
			w.Readable = string(text)
		}
	}
	return w
}
