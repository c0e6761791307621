package simrun

import (
	"encoding/binary"
	"slices"

	"github.com/assay-dev/assay/sim"
)

// encode is the runtime's form: three words for each decision, in order. A decision with a name is found again by
// that (its kind counts from len(kinds()), and a pick says who instead of which); another by its number.
func encode(all []sim.Decision) []byte {
	entries := make([][3]uint64, len(all))
	for i, d := range all {
		kind := uint64(slices.Index(kinds(), d.Kind))
		entries[i] = [3]uint64{kind, d.Index, d.Choice}
		if d.Key == 0 {
			continue
		}
		entries[i][0] += uint64(len(kinds()))
		entries[i][1] = d.Key
		if d.Kind == "pick" {
			entries[i][2] = d.Target
		}
	}
	slices.SortStableFunc(entries, func(a, b [3]uint64) int { return slices.Compare(a[:2], b[:2]) })
	var out []byte
	for _, e := range entries {
		for _, v := range e {
			out = binary.NativeEndian.AppendUint64(out, v)
		}
	}
	return out
}

// numbered are decisions by their numbers alone.
func numbered(all []sim.Decision) []sim.Decision {
	all = slices.Clone(all)
	for i := range all {
		all[i].Key = 0
	}
	return all
}
