package proto

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/assay-dev/assay/contract"
)

// sample holds the claim that a message breaks nobody, where one direction is asked for, against seeded messages of it: one
// version writes them and the other reads them. What no rule foresaw is a gap.
func (c *comparison) sample(ctx context.Context, opts contract.Options) {
	if c.flows.only == "" {
		return
	}
	broken := map[string]bool{}
	for _, f := range c.findings {
		if name, ok := strings.CutPrefix(f.Subject, "message "); ok && f.Severity == contract.Break {
			name, _, _ = strings.Cut(name, " ")
			broken[name] = true
			if m := c.old.messages[protoreflect.FullName(name)]; m != nil && m.IsMapEntry() { // a map is a field of what it stands in
				broken[string(m.Parent().FullName())] = true
			}
		}
	}
	for _, n := range sorted(c.new.messages) {
		o := c.old.messages[n.FullName()]
		if o == nil || o == n || n.IsMapEntry() || broken[string(n.FullName())] || ctx.Err() != nil {
			continue
		}
		s := sampling{comparison: c, writer: c.old.native(o), reader: c.new.native(n)}
		if c.writes() == "new" {
			s.writer, s.reader = s.reader, s.writer
		}
		h := fnv.New64a()
		fmt.Fprint(h, n.FullName(), "\x00", c.flows.only)
		s.rng = rand.New(rand.NewPCG(opts.Seed, h.Sum64()))
		s.run(opts, c.new.at(n, nil))
	}
}

// A sampling writes messages of one type. Only fields that both versions have are written, and messages within are empty: they are
// sampled by themselves.
type sampling struct {
	*comparison
	writer, reader protoreflect.MessageDescriptor
	rng            *rand.Rand
}

func (s sampling) run(opts contract.Options, at contract.Place) {
	var shared []protoreflect.FieldDescriptor
	for i := range s.writer.Fields().Len() {
		if f := s.writer.Fields().Get(i); s.reader.Fields().ByNumber(f.Number()) != nil {
			shared = append(shared, f)
		}
	}
	many := opts.Documents
	if many == 0 {
		many = contract.DefaultDocuments
	}
	subject := subjectOf(s.writer)
	reached := map[protoreflect.FieldNumber]bool{}
	for i := range max(many, len(shared)) {
		message := dynamicpb.NewMessage(s.writer)
		for _, f := range shared {
			if f.Cardinality() == protoreflect.Required || s.rng.IntN(2) == 0 {
				s.set(message, f)
			}
		}
		if i < len(shared) {
			s.set(message, shared[i]) // a oneof keeps the last
		}
		for _, f := range shared {
			reached[f.Number()] = reached[f.Number()] || message.Has(f) || !f.HasPresence()
		}
		s.documents++
		if reason := s.differs(message, shared); reason != "" {
			document, _ := proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(message)
			s.gaps = append(s.gaps, contract.Gap{Contract: s.contract, Subject: subject, At: at,
				Why: fmt.Sprintf("no rule finds a break, but of the message %x (seed %d) %s", document, opts.Seed, reason)})
			return
		}
	}
	p := contract.Proof{Contract: s.contract, Subject: subject, By: "documents", Documents: max(many, len(shared)), Nodes: len(shared) + 1, Reached: 1}
	for _, f := range shared {
		if reached[f.Number()] {
			p.Reached++
			continue
		}
		s.gaps = append(s.gaps, contract.Gap{Contract: s.contract, Subject: subject, Path: string(f.Name()), At: at, Why: "no message that was tried sets this field"})
	}
	s.proofs = append(s.proofs, p)
}

// set gives a field a value that both versions have.
func (s sampling) set(m protoreflect.Message, f protoreflect.FieldDescriptor) {
	switch {
	case f.IsMap():
		entries := m.Mutable(f).Map()
		for range 1 + s.rng.IntN(2) {
			value := entries.NewValue()
			if f.MapValue().Message() == nil {
				value = s.value(f.MapValue(), s.reader.Fields().ByNumber(f.Number()))
			}
			entries.Set(s.value(f.MapKey(), nil).MapKey(), value)
		}
	case f.IsList():
		items := m.Mutable(f).List()
		for range 1 + s.rng.IntN(3) {
			item := items.NewElement()
			if f.Message() == nil {
				item = s.value(f, s.reader.Fields().ByNumber(f.Number()))
			}
			items.Append(item)
		}
	case f.Message() != nil:
		m.Mutable(f)
	default:
		m.Set(f, s.value(f, s.reader.Fields().ByNumber(f.Number())))
	}
}

// value draws a value of a kind. Of enums it draws what the reader has a name for: what it has none for is the enum's finding.
func (s sampling) value(f, reads protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(s.rng.Uint32()) >> s.rng.IntN(31))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(s.rng.Uint32() >> s.rng.IntN(31))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(s.rng.Uint64()) >> s.rng.IntN(63))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(s.rng.Uint64() >> s.rng.IntN(63))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(s.rng.IntN(2) == 0)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(s.rng.NormFloat64()))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(s.rng.NormFloat64())
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.Repeat("é", s.rng.IntN(3)) + fmt.Sprint(s.rng.IntN(1000)))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(fmt.Append([]byte{0xff}, s.rng.IntN(1000)))
	}
	values := f.Enum().Values()
	if reads != nil && reads.IsMap() {
		reads = reads.MapValue()
	}
	start := s.rng.IntN(values.Len())
	for i := range values.Len() {
		v := values.Get((start + i) % values.Len())
		if reads == nil || reads.Enum() == nil {
			return protoreflect.ValueOfEnum(v.Number())
		}
		if known := reads.Enum().Values().ByNumber(v.Number()); known != nil && (!s.json || reads.Enum().Values().ByName(v.Name()) != nil) {
			return protoreflect.ValueOfEnum(v.Number())
		}
	}
	return protoreflect.ValueOfEnum(values.Get(0).Number())
}

// differs returns how the reader's message differs from what was written, "" if it does not.
func (s sampling) differs(written *dynamicpb.Message, shared []protoreflect.FieldDescriptor) string {
	read := dynamicpb.NewMessage(s.reader)
	var document []byte
	var err error
	if s.json {
		if document, err = (protojson.MarshalOptions{AllowPartial: true}).Marshal(written); err == nil {
			err = protojson.UnmarshalOptions{AllowPartial: true}.Unmarshal(document, read)
		}
	} else if document, err = (proto.MarshalOptions{AllowPartial: true}).Marshal(written); err == nil {
		err = proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(document, read)
	}
	if err != nil {
		return fmt.Sprintf("the reader says: %v", err)
	}
	for i := range s.reader.RequiredNumbers().Len() {
		if number := s.reader.RequiredNumbers().Get(i); !read.Has(s.reader.Fields().ByNumber(number)) {
			return fmt.Sprintf("the reader requires field %d", number)
		}
	}
	for _, f := range shared {
		if !written.Has(f) && f.IsList() != s.reader.Fields().ByNumber(f.Number()).IsList() {
			continue // nothing was written, and a list of none says so
		}
		if reason := lost(written, read, f.Number()); reason != "" {
			return reason
		}
	}
	return ""
}
