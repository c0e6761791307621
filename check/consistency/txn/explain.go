package txn

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// tell says an anomaly of single reads and writes in one sentence.
func (h *History) tell(a Anomaly) string {
	t := func(i int) string { return fmt.Sprintf("T%d", a.Txns[i]) }
	switch a.Name {
	case "G1a":
		return fmt.Sprintf("%s read %v of key %v, which %s wrote and aborted", t(0), a.Value, a.Key, t(1))
	case "G1b":
		return fmt.Sprintf("%s read %v of key %v, which %s wrote over before it ended", t(0), a.Value, a.Key, t(1))
	case "garbage-read":
		return fmt.Sprintf("%s read %v of key %v, which nobody wrote", t(0), a.Value, a.Key)
	case "dirty-update":
		return fmt.Sprintf("%s wrote key %v on top of %v, which %s wrote and aborted", t(1), a.Key, a.Value, t(0))
	case "duplicate-elements":
		return fmt.Sprintf("%s read %v of key %v twice in one list", t(0), a.Value, a.Key)
	case "incompatible-order":
		return fmt.Sprintf("%s and %s read lists of key %v of which neither begins with the other", t(0), t(1), a.Key)
	case "torn-appends":
		return fmt.Sprintf("%s read %v of key %v without what %s appended before", t(0), a.Value, a.Key, t(1))
	case "internal":
		return fmt.Sprintf("%s read of key %v something else than it had read and written itself", t(0), a.Key)
	case "future-read":
		return fmt.Sprintf("%s read %v of key %v before it wrote it", t(0), a.Value, a.Key)
	case "lost-update":
		return fmt.Sprintf("%s and %s both read %v of key %v and both wrote over it", t(0), t(1), a.Value, a.Key)
	case "cyclic-versions":
		return fmt.Sprintf("the versions of key %v have no order", a.Key)
	}
	return a.Name
}

func tellCycle(steps []Step) string {
	reasons := make([]string, len(steps))
	for i, st := range steps {
		reasons[i] = fmt.Sprintf("T%d before T%d (%s): %s", st.From, st.To, st.Kind, st.Reason)
	}
	return strings.Join(reasons, "; ")
}

// explain finds in a history why an edge is there; of registers, by what is known of the order of versions.
func (h *History) explain(from, to int32, kind uint8, later index) Step {
	st := Step{From: int(from), To: int(to)}
	switch {
	case kind == edgeProcess:
		st.Kind = "process"
		st.Reason = fmt.Sprintf("process %v ran T%d and then T%d", h.Process(st.From), from, to)
	case kind == edgeTime:
		st.Kind = "realtime"
		st.Reason = fmt.Sprintf("T%d returned at %v, before T%d was called at %v", from, time.Duration(h.ret[from]), to, time.Duration(h.call[to]))
	case h.typ == Register:
		h.explainRegister(&st, kind, later)
	default:
		h.explainList(&st, kind)
	}
	return st
}

func (h *History) explainList(st *Step, kind uint8) {
	nearest := int(^uint(0) >> 1)
	for i := h.first[st.From]; i < h.first[st.From+1]; i++ {
		for j := h.first[st.To]; j < h.first[st.To+1]; j++ {
			if h.key[i] != h.key[j] || (h.op[i] == opWrite) == (kind == edgeRW) || (h.op[j] == opWrite) == (kind == edgeWR) {
				continue
			}
			if gap, ok := h.gap(i, j, kind); ok && gap < nearest {
				nearest = gap
				h.sayList(st, i, j, kind)
			}
		}
	}
}

// gap says whether the operations i and j on one key make an edge, and over how many versions.
func (h *History) gap(i, j int32, kind uint8) (int, bool) {
	trunk := h.trunk[h.key[i]]
	place := func(e int32) int {
		if at := slices.Index(trunk, e); at >= 0 {
			return at
		}
		return len(trunk)
	}
	switch kind {
	case edgeWR:
		return 0, h.last(j) == h.arg[i]
	case edgeWW:
		a, b := place(h.arg[i]), place(h.arg[j])
		return b - a, a < b
	}
	if h.arg[i] == unknownRead {
		return 0, false
	}
	list := h.list(i)
	return place(h.arg[j]) - len(list), !slices.Contains(list, h.arg[j])
}

func (h *History) sayList(st *Step, i, j int32, kind uint8) {
	st.Key = h.names.value(h.keyName[h.key[i]])
	switch kind {
	case edgeWR:
		st.Kind, st.Value = "wr", h.elem(h.arg[i])
		st.Reason = fmt.Sprintf("T%d appended %v to key %v, which T%d saw: it read %s", st.From, st.Value, st.Key, st.To, h.show(j))
	case edgeWW:
		st.Kind, st.Value = "ww", h.elem(h.arg[j])
		st.Reason = fmt.Sprintf("T%d appended %v to key %v, and T%d appended %v after it", st.From, h.elem(h.arg[i]), st.Key, st.To, st.Value)
	default:
		st.Kind, st.Value = "rw", h.elem(h.arg[j])
		st.Reason = fmt.Sprintf("T%d appended %v to key %v, which T%d did not see: it read %s", st.To, st.Value, st.Key, st.From, h.show(i))
	}
}

// show writes a list that was read, and of a long one its end.
func (h *History) show(mop int32) string {
	const most = 8
	list := h.list(mop)
	var b strings.Builder
	b.WriteByte('[')
	if len(list) > most {
		fmt.Fprintf(&b, "… %d more, ", len(list)-most)
		list = list[len(list)-most:]
	}
	for i, e := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(h.elem(e).String())
	}
	b.WriteByte(']')
	return b.String()
}
