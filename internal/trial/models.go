package trial

import (
	"errors"
	"slices"
	"strings"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/internal/table"
)

// sequential stands before the name of an object whose operations are to be sequentially consistent.
const sequential = "sequential:"

// sessionModels are the names of the session guarantees, with those of the package that decides them.
func sessionModels() map[string]string {
	names := map[string]string{}
	for _, name := range []string{linear.MonotonicReads, linear.ReadYourWrites, linear.MonotonicWrites, linear.WritesFollowReads} {
		names[hyphens(name)] = name
	}
	return names
}

func hyphens(name string) string { return strings.ReplaceAll(name, " ", "-") }

// isolationModels are the names of the models of transactions.
func isolationModels() []string { return words(txn.Models()) }

// groups are all models by what decides them.
func groups() [][]string {
	objects := linear.Names()
	var ordered []string
	for _, name := range objects {
		ordered = append(ordered, sequential+name)
	}
	sessions := []string{hyphens(linear.MonotonicReads), hyphens(linear.ReadYourWrites), hyphens(linear.MonotonicWrites), hyphens(linear.WritesFollowReads)}
	return [][]string{objects, ordered, sessions, isolationModels(), wholeNames()}
}

// Models are the names of all models that can be asked for.
func Models() []string { return slices.Concat(groups()...) }

// ModelsText lists the models by kind, for a terminal of that width.
func ModelsText(width int) string {
	var b strings.Builder
	g := groups()
	for _, kind := range []struct{ what, names string }{
		{"linearizable objects: ", strings.Join(g[0], ", ")},
		{"sequentially consistent objects: ", "the same after " + sequential + " as in " + sequential + "kv"},
		{"session guarantees of registers: ", strings.Join(g[2], ", ")},
		{"transactions: ", strings.Join(g[3], ", ")},
		{"all operations, looked at once: ", strings.Join(g[4], ", ") + "; bank:TOTAL says what balances add up to"},
	} {
		b.WriteString(table.Wrap(kind.what+kind.names, width, "  ") + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// KnowsModel returns an error that lists the models, unless there is one of that name.
func KnowsModel(name string) error {
	if _, ok := bankOf(name, nil); ok || slices.Contains(Models(), name) {
		return nil
	}
	return errors.New("no model is called \"" + name + "\"; there are\n" + ModelsText(110))
}

// splitModel returns the object that a model is of, and whether its operations are to be sequentially consistent and not linearizable.
func splitModel(name string) (object string, isSequential bool) {
	return strings.CutPrefix(name, sequential)
}
