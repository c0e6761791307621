package txn

import (
	"fmt"
	"slices"
	"strings"
)

// A Model names an isolation or consistency model, such as "serializable".
type Model string

const (
	ReadUncommitted   Model = "read-uncommitted"
	ReadCommitted     Model = "read-committed"
	CursorStability   Model = "cursor-stability"
	ReadAtomic        Model = "read-atomic"
	RepeatableRead    Model = "repeatable-read"
	ConsistentView    Model = "consistent-view"
	SnapshotIsolation Model = "snapshot-isolation"
	Serializable      Model = "serializable"
	// The same, and each process sees its own transactions in order.
	SessionReadUncommitted   Model = "strong-session-read-uncommitted"
	SessionReadCommitted     Model = "strong-session-read-committed"
	SessionConsistentView    Model = "strong-session-consistent-view"
	SessionSnapshotIsolation Model = "strong-session-snapshot-isolation"
	SessionSerializable      Model = "strong-session-serializable"
	// The same, in the order of real time.
	StrongReadUncommitted   Model = "strong-read-uncommitted"
	StrongReadCommitted     Model = "strong-read-committed"
	StrongConsistentView    Model = "strong-consistent-view"
	StrongSnapshotIsolation Model = "strong-snapshot-isolation"
	StrictSerializable      Model = "strict-serializable"
)

// A row of the table of models: what each implies, and which anomalies it forbids that those do not.
type modelRow struct {
	model   Model
	implies string
	forbids string
}

// modelTable lists the models from weak to strong: each comes after those it implies.
func modelTable() []modelRow {
	return []modelRow{
		{ReadUncommitted, "", "G0 duplicate-elements cyclic-versions garbage-read"},
		{ReadCommitted, "read-uncommitted", "G1a G1b G1c dirty-update incompatible-order torn-appends future-read"},
		{CursorStability, "read-committed", "lost-update"},
		{ReadAtomic, "read-committed", "internal"},
		{RepeatableRead, "cursor-stability", "G2-item"},
		{ConsistentView, "cursor-stability", "G-single"},
		{SnapshotIsolation, "consistent-view read-atomic", "G-nonadjacent no-snapshot-order"},
		{Serializable, "snapshot-isolation repeatable-read", "G2-item no-serial-order"},

		{SessionReadUncommitted, "read-uncommitted", "G0-process"},
		{SessionReadCommitted, "read-committed strong-session-read-uncommitted", "G1c-process"},
		{SessionConsistentView, "consistent-view strong-session-read-committed", "G-single-process"},
		{SessionSnapshotIsolation, "snapshot-isolation strong-session-consistent-view", "G-nonadjacent-process no-snapshot-order-process"},
		{SessionSerializable, "serializable strong-session-snapshot-isolation", "G2-item-process no-serial-order-process"},

		{StrongReadUncommitted, "strong-session-read-uncommitted", "G0-realtime"},
		{StrongReadCommitted, "strong-session-read-committed strong-read-uncommitted", "G1c-realtime"},
		{StrongConsistentView, "strong-session-consistent-view strong-read-committed", "G-single-realtime"},
		{StrongSnapshotIsolation, "strong-session-snapshot-isolation strong-consistent-view", "G-nonadjacent-realtime no-snapshot-order-realtime"},
		{StrictSerializable, "strong-session-serializable strong-snapshot-isolation", "G2-item-realtime no-serial-order-realtime"},
	}
}

// impliedAnomalies says which anomalies are there whenever another is: who forbids the implied ones is violated too.
func impliedAnomalies() map[string]string {
	table := map[string]string{"lost-update": "G-single"}
	for c := classG0; c < classG2; c++ {
		for l, suffix := range levelNames {
			implied := classNames[c+1] + suffix
			if l < int(byTime) {
				implied += " " + classNames[c] + levelNames[l+1]
			}
			table[classNames[c]+suffix] = implied
		}
	}
	for _, suffix := range levelNames { // whatever the order of versions, it has a cycle of the class
		table["no-snapshot-order"+suffix], table["no-serial-order"+suffix] = "G-nonadjacent"+suffix, "G2-item"+suffix
	}
	table["G2-item"], table["G2-item-process"] = "G2-item-process", "G2-item-realtime"
	return table
}

// Models lists all models from weak to strong.
func Models() []Model {
	var models []Model
	for _, row := range modelTable() {
		models = append(models, row.model)
	}
	return models
}

// ParseModel reads a model's name. "strong-serializable" is another name of strict-serializable, "session-…" of strong-session-….
func ParseModel(name string) (Model, error) {
	switch {
	case name == "strong-serializable":
		return StrictSerializable, nil
	case strings.HasPrefix(name, "session-"):
		name = "strong-" + name
	}
	if m := Model(name); slices.Contains(Models(), m) {
		return m, nil
	}
	return "", fmt.Errorf("no isolation model is called %q (allowed: %v)", name, Models())
}

// weaker returns the models that each model implies, itself included.
func weaker() map[Model][]Model {
	all := map[Model][]Model{}
	for _, row := range modelTable() {
		models := []Model{row.model}
		for _, name := range strings.Fields(row.implies) {
			for _, m := range all[Model(name)] {
				if !slices.Contains(models, m) {
					models = append(models, m)
				}
			}
		}
		all[row.model] = models
	}
	return all
}

// expand adds what the anomalies imply.
func expand(anomalies []string) map[string]bool {
	table := impliedAnomalies()
	have := map[string]bool{}
	var add func(string)
	add = func(name string) {
		if have[name] {
			return
		}
		have[name] = true
		for _, implied := range strings.Fields(table[name]) {
			add(implied)
		}
	}
	for _, name := range anomalies {
		add(name)
	}
	return have
}

// judge sorts the models by what was found: the weakest that are ruled out, and the others that are.
func judge(anomalies []string) (not, alsoNot []Model) {
	have := expand(anomalies)
	implied := weaker()
	out := map[Model]bool{}
	for _, row := range modelTable() {
		for _, name := range strings.Fields(row.forbids) {
			out[row.model] = out[row.model] || have[name]
		}
		for _, m := range implied[row.model][1:] {
			if out[m] {
				out[row.model] = true
			}
		}
	}
	for _, row := range modelTable() {
		m := row.model
		switch {
		case out[m] && slices.ContainsFunc(implied[m][1:], func(w Model) bool { return out[w] }):
			alsoNot = append(alsoNot, m)
		case out[m]:
			not = append(not, m)
		}
	}
	return not, alsoNot
}

// need returns the order that a model asks for besides that of the data.
func (m Model) need() level {
	switch {
	case strings.HasPrefix(string(m), "strong-session-"):
		return byProcess
	case strings.HasPrefix(string(m), "strong-"), m == StrictSerializable:
		return byTime
	}
	return byData
}

// A proof is what shows that a history is of a model.
type proof uint8

const (
	byNothing   proof = iota // what the model forbids is seen where it is
	bySnapshots              // an order of starts and commits
	byOrder                  // a serial order
)

func (m Model) proof() proof {
	implied := weaker()[m]
	switch {
	case slices.Contains(implied, RepeatableRead):
		return byOrder
	case slices.Contains(implied, ConsistentView), m.inPart():
		return bySnapshots
	}
	return byNothing
}

// inPart says whether a model forbids some cycles with anti-dependencies and allows others: on one key (cursor stability), or of two
// transactions of which one sees the other in part (read atomic). Which, is not looked for.
func (m Model) inPart() bool { return m == CursorStability || m == ReadAtomic }
