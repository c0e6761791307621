package linear

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// atOnce tells of two operations of one client that were under way at the same time, "" if there are none. Such a client has no order
// of its own: a pass that put them in order of call holds all the more, and a fail may be due to that order alone.
func atOnce(ops []history.Op) string {
	places := make([]int32, 0, len(ops))
	for i := range ops {
		if ops[i].Outcome == history.OK {
			places = append(places, int32(i))
		}
	}
	slices.SortStableFunc(places, func(a, b int32) int { return cmp.Compare(ops[a].Call, ops[b].Call) })
	last := map[string]int32{} // client: its operation that returns last so far
	for _, i := range places {
		before, ok := last[ops[i].Client]
		if ok && ops[i].Call < ops[before].Return {
			return fmt.Sprintf("client %s had operations %d and %d under way at once, so their order is not known", ops[i].Client, ops[before].ID, ops[i].ID)
		}
		last[ops[i].Client] = i
	}
	return ""
}

// ordered makes a fail unknown where clients have no order of their own.
func (r Result) ordered(ops []history.Op) Result {
	if r.Verdict != verdict.Fail {
		return r
	}
	if why := atOnce(ops); why != "" {
		r.Verdict, r.Reason, r.Core = verdict.Unknown, why, nil
	}
	return r
}
