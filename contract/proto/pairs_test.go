package proto

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// TestPairs makes pairs of files, mutated in a few ways, and holds what is said of one direction against messages that know nothing
// of rules: each that the reader misreads has a finding that is at least a risk, and each break has a message that shows it.
func TestPairs(t *testing.T) {
	pairs := 300
	if testing.Short() {
		pairs = 60
	}
	if conformance.Full() {
		pairs = 5000
	}
	count := map[string]int{}
	for seed := range uint64(pairs) {
		g := newGenTree(seed, 3, 1)
		old := g.print()
		for range 1 + int(seed%4) {
			g.mutate()
		}
		new := g.print()
		versions := link(t, old, new)
		for _, flow := range []contract.Flow{contract.ToUs, contract.FromUs} {
			d, err := DiffRules(t.Context(), memory("old", old), memory("new", new), contract.Options{Seed: seed, Documents: 20}, Rules{Flow: flow})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			j := judge{t: t, seed: seed, diff: d, from: "old", to: "new", versions: versions, rng: rand.New(rand.NewPCG(seed, 2)), count: count}
			if flow == contract.FromUs {
				j.from, j.to = "new", "old"
			}
			j.all()
		}
	}
	t.Log(pairs, "pairs:", count)
	for _, what := range []string{"misread", "breaks", "lost", "refused"} {
		if count[what] == 0 {
			t.Errorf("no pair shows %q", what)
		}
	}
}

// A judge reads messages as one version writes them with the other.
type judge struct {
	t        *testing.T
	seed     uint64
	diff     contract.Diff
	from, to string
	versions map[string]*protoregistry.Files
	rng      *rand.Rand
	count    map[string]int
}

func (j judge) all() {
	for _, g := range j.diff.Gaps {
		j.t.Errorf("seed %d, %s writes: a gap: %+v", j.seed, j.from, g)
	}
	for _, f := range j.diff.Findings {
		if f.Severity != contract.Break {
			continue
		}
		j.count["breaks"]++
		switch {
		case f.Witness == nil && f.Rule == "FIELD_SAME_TYPE" || f.Rule == "FIELD_SAME_CARDINALITY" && f.Witness == nil:
			j.count["breaks without a witness, "+f.Rule]++
		case f.Witness == nil && !strings.HasPrefix(f.Rule, "RPC_"):
			j.t.Errorf("seed %d, %s writes: no witness: %+v", j.seed, j.from, f)
		case f.Rule != "MESSAGE_NO_DELETE":
			replay(j.t, f, j.versions)
		}
	}
	j.versions[j.from].RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			j.message(file.Messages().Get(i))
		}
		return true
	})
}

func (j judge) message(w protoreflect.MessageDescriptor) {
	d, err := j.versions[j.to].FindDescriptorByName(w.FullName())
	if err != nil {
		if j.from == "old" {
			j.must("message "+string(w.FullName()), "it is gone", contract.Change)
		}
		return
	}
	r := d.(protoreflect.MessageDescriptor)
	for range 12 {
		j.one(w, r)
	}
	for i := range w.Messages().Len() {
		if !w.Messages().Get(i).IsMapEntry() {
			j.message(w.Messages().Get(i))
		}
	}
}

// one writes one message; what is within it is empty, for it is judged by itself.
func (j judge) one(w, r protoreflect.MessageDescriptor) {
	written := dynamicpb.NewMessage(w)
	s := sampling{comparison: &comparison{}, reader: w, writer: w, rng: j.rng}
	for i := range w.Fields().Len() {
		if f := w.Fields().Get(i); f.Cardinality() == protoreflect.Required || j.rng.IntN(2) == 0 {
			s.set(written, f)
		}
	}
	data, err := proto.MarshalOptions{AllowPartial: true}.Marshal(written)
	if err != nil {
		j.t.Fatal(err)
	}
	read := dynamicpb.NewMessage(r)
	subject := "message " + string(w.FullName())
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(data, read); err != nil {
		j.count["refused"]++
		j.must(subject, err.Error(), contract.Break)
		return
	}
	for i := range r.Fields().Len() {
		if f := r.Fields().Get(i); f.Cardinality() == protoreflect.Required && !read.Has(f) {
			j.must(fmt.Sprintf("%s field %d", subject, f.Number()), "it is required", contract.Break)
		}
	}
	for i := range w.Fields().Len() {
		f := w.Fields().Get(i)
		to := r.Fields().ByNumber(f.Number())
		at := fmt.Sprintf("%s field %d", subject, f.Number())
		switch {
		case to == nil && j.from == "old" && written.Has(f):
			j.count["lost"]++
			j.must(at, "it is lost", contract.Change)
		case to == nil || !written.Has(f) && to.IsList() != f.IsList() || f.Message() != nil && to.Message() != nil && !f.IsMap() && !to.IsMap():
		case plain(f, written.Get(f)) != plain(to, read.Get(to)) && (written.Has(f) || f.HasPresence() && !f.IsList() && f.Message() == nil && to.Message() == nil):
			j.count["misread"]++
			j.must(at, fmt.Sprintf("%s is read as %s", plain(f, written.Get(f)), plain(to, read.Get(to))), contract.Break)
		}
	}
}

// must wants a finding of a subject, or of what is within it, that is at least so severe.
func (j judge) must(subject, why string, least contract.Severity) {
	rank := map[contract.Severity]int{contract.Change: 1, contract.Risk: 2, contract.Break: 3}
	message, _, _ := strings.Cut(strings.TrimPrefix(subject, "message "), " ")
	for _, f := range j.diff.Findings {
		inMap := strings.HasPrefix(f.Subject, "message "+message+".") && strings.Contains(f.Subject, "Entry field")
		oneof := f.Rule == "FIELD_SAME_ONEOF" && strings.HasPrefix(f.Subject, "message "+message+" ")
		if (f.Subject == subject || strings.HasPrefix(f.Subject, subject+" ") || inMap || oneof) && rank[f.Severity] >= rank[least] {
			return
		}
	}
	j.t.Errorf("seed %d, %s writes: missed: %s: %s; found %s", j.seed, j.from, subject, why, said(j.diff))
}
