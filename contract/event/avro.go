package event

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/twmb/avro"

	"github.com/assay-dev/assay/contract"
)

// A subject is what findings are about, and how data flow through it.
type subject struct {
	kind contract.Kind
	name string
	path string // before the paths within a schema
	flow contract.Flow
	opts contract.Options
}

// versions returns which version writes what the subject's flow carries, and which reads it.
func (s subject) versions() (writer, reader string) {
	if s.flow == contract.FromUs {
		return "new", "old"
	}
	return "old", "new"
}

func (s subject) at(path string) string {
	switch {
	case s.path == "":
		return path
	case path == "":
		return s.path
	}
	return s.path + "." + path
}

// A part is what one comparison says; parts add up to a Diff.
type part struct {
	findings  []contract.Finding
	gaps      []contract.Gap
	proofs    []contract.Proof
	documents int
}

func (p *part) add(other part) {
	p.findings = append(p.findings, other.findings...)
	p.gaps = append(p.gaps, other.gaps...)
	p.proofs = append(p.proofs, other.proofs...)
	p.documents += other.documents
}

func (p *part) breaks() bool {
	return slices.ContainsFunc(p.findings, func(f contract.Finding) bool { return f.Severity == contract.Break })
}

func (s subject) finding(rule string, severity contract.Severity, path, text, try string) contract.Finding {
	return contract.Finding{Rule: rule, Kind: s.kind, Severity: severity, Flow: s.flow, Contract: s.opts.Contract, Subject: s.name,
		Path: s.at(path), Text: text, Try: try}
}

func (s subject) gap(path string, at contract.Place, format string, args ...any) contract.Gap {
	return contract.Gap{Contract: s.opts.Contract, Subject: s.name, Path: s.at(path), Why: fmt.Sprintf(format, args...), At: at}
}

func (s subject) proof(by string) contract.Proof {
	return contract.Proof{Contract: s.opts.Contract, Subject: s.name, Path: s.path, By: by}
}

// avroDirection holds what one version writes against what the other reads.
func avroDirection(ctx context.Context, old, new *avroSchema, sub subject) (part, error) {
	w, r := old, new
	if sub.flow == contract.FromUs {
		w, r = new, old
	}
	var p part
	structural := false
	for _, f := range compare(w.root, r.root) {
		p.findings = append(p.findings, sub.avroFinding(f, w, r))
		structural = structural || f.severity == contract.Break && f.rule != "avro-logical-type"
	}
	if err := avro.CheckCompatibility(w.lib, r.lib); err != nil && !structural {
		p.gaps = append(p.gaps, sub.gap("", r.root.at, "a second comparison refuses the pair, and no rule here says why: %v", err))
	}
	if p.breaks() {
		return p, nil
	}
	tried, err := sub.try(ctx, w, r)
	p.add(tried)
	return p, err
}

func (s subject) avroFinding(f found, w, r *avroSchema) contract.Finding {
	writer, reader := s.versions()
	out := s.finding(f.rule, f.severity, f.path, fmt.Sprintf("%s (the %s version writes, the %s reads)", f.text, writer, reader), f.try)
	out.Old, out.New = f.w, f.r
	if writer == "new" {
		out.Old, out.New = f.r, f.w
	}
	out.Witness = s.witness(f, w, r)
	return out
}

// witness writes the smallest datum that leads to what was found, and returns it if a reader does refuse or misread it.
func (s subject) witness(f found, w, r *avroSchema) *contract.Witness {
	data, ok := newGenerator(nil).through(nil, f.steps, f.target, f.forced)
	if !ok {
		return nil
	}
	reason, caught := refused(data, w, r)
	if !caught {
		return nil
	}
	writer, reader := s.versions()
	return &contract.Witness{What: "event", Encoding: "hex", Document: hex.EncodeToString(data), Readable: readable(data, w),
		Allowed: writer, Refused: reader, Reason: reason, Media: "avro/binary"}
}

// refused says whether the reader refuses or misreads a datum of the writer, and how.
func refused(data []byte, w, r *avroSchema) (string, bool) {
	d := reading{data: data, reached: map[any]bool{}}
	_, err := d.read(w.root, r.root)
	switch {
	case err != nil:
		return err.Error(), true
	case len(d.misreads) > 0:
		return "misread: " + d.misreads[0], true
	}
	return "", false
}

// readable returns a datum as JSON, or "" where the library does not decode it.
func readable(data []byte, w *avroSchema) string {
	var v any
	if rest, err := w.lib.Decode(data, &v, avro.TaggedUnions()); err != nil || len(rest) > 0 {
		return ""
	}
	text, err := w.lib.EncodeJSON(v, avro.TaggedUnions())
	if err != nil {
		return ""
	}
	return string(text)
}

// try reads seeded data of the writer as the reader, until each node and symbol of the writer's schema was reached and as many
// data were tried as the options ask for.
func (s subject) try(ctx context.Context, w, r *avroSchema) (part, error) {
	resolved, err := avro.Resolve(w.lib, r.lib)
	if err != nil {
		return part{}, nil // said by the comparison before
	}
	t := trial{sub: s, w: w, r: r, resolved: resolved}
	g := newGenerator(nil)
	ways := routes(w.root)
	all := goals(w.root)
	for _, goal := range all {
		if err := ctx.Err(); err != nil {
			return part{}, err
		}
		if !g.reached[goal] {
			t.goal(g, goal, ways)
		}
	}
	g.rng = s.rng()
	for range max(documents(s.opts)-t.part.documents, 0) {
		if err := ctx.Err(); err != nil {
			return part{}, err
		}
		draw := generator{rng: g.rng, reached: map[any]bool{}, left: mostValues}
		if data, ok := draw.value(nil, w.root, 0); ok {
			maps.Copy(g.reached, draw.reached)
			t.datum(data)
		}
	}
	return t.end(g, all), nil
}

func documents(opts contract.Options) int {
	if opts.Documents > 0 {
		return opts.Documents
	}
	return contract.DefaultDocuments
}

// rng is keyed by the subject, so that a further subject changes no data of this one.
func (s subject) rng() *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, s.name, "\x00", s.path, "\x00", s.flow)
	return rand.New(rand.NewPCG(s.opts.Seed, h.Sum64()))
}

// A trial counts the data that were read.
type trial struct {
	sub      subject
	w, r     *avroSchema
	resolved *avro.Schema
	part     part
	failed   bool
}

func (t *trial) goal(g *generator, goal any, ways map[*schema][]step) {
	target, _ := goal.(*schema)
	var forced []byte
	if sym, isSymbol := goal.(symbol); isSymbol {
		target = sym.of
		forced = binary.AppendVarint(nil, int64(sym.index))
	}
	before := newGenerator(nil)
	data, ok := before.through(nil, ways[target], target, forced)
	if !ok {
		return
	}
	maps.Copy(g.reached, before.reached)
	g.reached[goal] = true
	t.datum(data)
}

func (t *trial) datum(data []byte) {
	t.part.documents++
	if t.failed {
		return
	}
	var v any
	rest, err := t.w.lib.Decode(data, &v)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes are left over", len(rest))
	}
	if err != nil {
		t.fail(data, "the writer's own schema does not decode it: %v", err)
		return
	}
	if _, err = t.resolved.Decode(data, &v); err != nil {
		t.fail(data, "the reader refuses it: %v", err)
		return
	}
	d := reading{data: data, reached: map[any]bool{}}
	if _, err = d.read(t.w.root, t.r.root); err != nil {
		t.fail(data, "the reader refuses it: %v", err)
	}
}

// fail notes the first datum that the rules did not foresee: enough to make the verdict unknown.
func (t *trial) fail(data []byte, format string, args ...any) {
	t.failed = true
	t.part.gaps = append(t.part.gaps, t.sub.gap("", t.w.root.at, "no rule finds a break, but of the datum %x (seed %d) %s",
		data, t.sub.opts.Seed, fmt.Sprintf(format, args...)))
}

func (t *trial) end(g *generator, all []any) part {
	proof := t.sub.proof("documents")
	proof.Documents, proof.Nodes = t.part.documents, len(all)
	for _, goal := range all {
		if g.reached[goal] {
			proof.Reached++
			continue
		}
		at := t.w.root.at
		if s, ok := goal.(*schema); ok {
			at = s.at
		}
		t.part.gaps = append(t.part.gaps, t.sub.gap("", at, "no datum that ends reaches this part of the schema"))
	}
	if !t.failed && proof.Reached > 0 {
		t.part.proofs = append(t.part.proofs, proof)
	}
	return t.part
}

// avroChanges lists what is different, but for what findings speak of already.
func avroChanges(old, new *avroSchema, sub subject, findings []contract.Finding) []contract.Finding {
	var all []contract.Finding
	sub.flow = ""
	for _, c := range changed(old.root, new.root) {
		if slices.ContainsFunc(findings, func(f contract.Finding) bool { return f.Path == sub.at(c.path) }) {
			continue
		}
		f := sub.finding(c.rule, contract.Change, c.path, c.text, "")
		f.Old, f.New = c.old, c.new
		all = append(all, f)
	}
	return all
}
