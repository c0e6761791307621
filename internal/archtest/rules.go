// Package archtest holds the import rules of this module, as a table and the
// tests that keep it. The table is the architecture: to change it, change it
// first, in a commit of its own, and say why.
package archtest

import (
	"maps"
	"slices"
	"strings"
)

// leaves are plain data and small interfaces, and import nothing of ours.
const leaves = "verdict history telemetry system"

// concepts are what an experiment is made of. They know no file format and no environment.
const concepts = leaves + " fault workload check check/consistency check/slo evidence experiment"

// rules says what each package may import from this module. A name that ends in
// /… stands for all packages below it; the longest name that fits decides.
func rules() map[string]string {
	table := contractRules()
	maps.Copy(table, historyRules())
	maps.Copy(table, workloadRules())
	maps.Copy(table, simRules())
	maps.Copy(table, map[string]string{
		"verdict":         "",
		"telemetry":       "",
		"system":          "",
		"internal/expr":   "",
		"internal/schema": "",        // JSON Schemas as data: a test of internal/spec holds them against the parser
		"internal/table":  "verdict", // columns for people, the same for all that is shown; a word is coloured by its verdict
		"internal/ledger": "",        // entries are data: whoever writes them says what they mean

		// One concept each, which knows no other on its row.
		"system/systemtest":      "system history",
		"system/systemtest/echo": "", // a service under test: any program could stand in for it
		"internal/link":          "system history",
		"internal/recipe":        "system",
		"fault":                  "system history",
		"check":                  "verdict history telemetry",
		"check/consistency":      "check check/consistency/linear check/consistency/txn verdict history telemetry", // the families are blind to each other
		"check/slo":              "check verdict history telemetry",
		"evidence":               "check verdict history telemetry",

		// Environments, and the process that holds one.
		// They write the records they see: events and exchanges, and what instances use.
		"internal/env/…": "system history telemetry internal/link internal/recipe internal/expr internal/ledger",
		"internal/hold":  "system history internal/env/… internal/ledger",
		// The harness that kills holders says what is left, by the environment's own marks and ledgers.
		"internal/hold/holdtest": "system history internal/env/… internal/hold internal/ledger",

		// The stand-alone proxy: the data plane with another tool's API, and a holder of its own, since it holds no environment.
		"internal/toxiproxy": "system internal/link internal/ledger",

		"internal/conformance": "", // for tests: where data that others made lies

		// Results of other tools become evidence. It knows no mode: whoever asks says which cells they are of.
		"internal/foreign": "verdict evidence",

		// Compares runs by their records, and by nothing that ran them.
		"internal/diff": leaves + " check check/slo evidence internal/table",
		// Where concepts meet. No environment is among them: a plan runs in any.
		"experiment": leaves + " fault workload check check/consistency check/slo evidence internal/expr",
		// A recipe is part of what a compose file means, and the policy is a file like the others.
		// Contracts are named in it by their kinds and severities, which are words and nothing more.
		"internal/spec": concepts + " internal/expr internal/recipe internal/gate contract",

		// A whole run, from files to sealed evidence, shared by the command and the Go facade.
		"internal/run": concepts + " internal/spec internal/hold internal/expr internal/gate internal/matrix",
		// Records that nobody made, for tests of what judges and decides.
		"internal/run/runtest": "history system",
		"":                     concepts + " internal/spec internal/hold internal/run",

		// The first files of a project. What it writes is checked by the parser that will read it.
		"internal/scaffold": "internal/spec internal/schema internal/recipe",
		// What is decided and shown from evidence alone. It can be computed again from disk.
		"internal/matrix": "evidence internal/table " + leaves,
		"internal/gate":   "evidence internal/matrix internal/table internal/expr " + leaves,

		// Gathers what the gate decides from: files, git, evidence.
		"internal/release": "evidence experiment internal/run internal/spec internal/gate internal/matrix " + leaves,

		// What is shown can be recomputed from disk: the report reads evidence, and no plan's types, so that a fault this
		// version does not know is a text and no error.
		"internal/report": leaves + " check evidence internal/matrix internal/table",

		// The command. It is also the holder's binary.
		"internal/cli": concepts + " internal/… contract contract/…",
		"cmd/assay":    "internal/cli internal/hold internal/toxiproxy",

		// Benchmarks drive what they measure, and nothing imports them.
		"bench/driver": "history workload", "bench/consistency": "verdict history check/consistency/linear",
		"bench/link": "system history internal/link",
		"bench/sim":  "sim internal/overlay internal/simrun", "bench/sim/load": "sim",

		"internal/archtest": "",
	})
	return table
}

func historyRules() map[string]string {
	return map[string]string{
		// A history in a file, the engine that judges it, and what is shown of both.
		"internal/trial": "verdict history history/pair history/format check/consistency/linear check/consistency/txn internal/table",
		"history":        "",
		// Histories that others wrote: events that become operations, each format by itself, and all of them by content.
		"history/pair":    "history",
		"history/jepsen":  "history history/pair",
		"history/etcdlog": "history history/pair history/jepsen", // values in its lines are EDN
		"history/format":  "history history/pair history/jepsen history/etcdlog",
		// What decides orders of operations, for whoever has a history: no run and no checker is needed.
		"check/consistency/linear": "verdict history",
		"check/consistency/txn":    "verdict history",
	}
}

func workloadRules() map[string]string {
	return map[string]string{
		"workload":       "system history internal/expr", // steps are expressions
		"workload/model": "history",                      // over a client that the user writes: any checker judges what it records
	}
}

func simRules() map[string]string {
	return map[string]string{
		// Users' tests import it, and everything it imports becomes a part of their simulations: so little, and nothing that starts anything.
		// A history of a simulation is judged by any checker; of those it knows the interface alone.
		"sim":      "sim/disk system history verdict check",
		"sim/disk": "", // files that a crash takes from: for tests of any code, inside a simulation or not
		// Faults and plans as on real systems. Package sim itself knows no fault, so that who needs none compiles none.
		"sim/simsystem": "sim system fault",
		"sim/simtest":   "sim", // simulations of all that could differ between two runs of a seed
		// Changes Go's own sources for a build. It knows nothing of what is built.
		"internal/overlay": "",
		// Builds users' tests with the overlay and runs them over seeds; what it hands back is plain.
		"internal/simrun": "sim internal/overlay verdict history",
		// What simulations prove of a project's cells, as evidence. It runs none.
		"internal/simcover": concepts + " internal/simrun internal/spec internal/run internal/expr",
	}
}

func contractRules() map[string]string {
	return map[string]string{
		// Contracts are pure: they read what they are given, compare it, and drive nothing. Each family is blind to the others,
		// but for schemas and messages that more than one has.
		"contract":            "verdict",
		"contract/jsonschema": "contract verdict",
		"contract/openapi":    "contract contract/jsonschema verdict",
		"contract/proto":      "contract verdict",
		"contract/event":      "contract contract/jsonschema contract/proto verdict",
		"contract/terms":      "contract verdict",
		// Gathers what contracts are compared by: files, git, configuration, waivers; and shows what they say.
		// The base of a change is the gate's, so internal/release finds it.
		"internal/contracts": concepts + " contract contract/… internal/spec internal/table internal/gate internal/matrix internal/release internal/run",
	}
}

// ruleOf returns the rule for a package, and whether there is one.
func ruleOf(pkg string) (allowed []string, ok bool) {
	table := rules()
	if rule, ok := table[pkg]; ok {
		return strings.Fields(rule), true
	}
	longest := ""
	for name := range table {
		if covers(name, pkg) && len(name) > len(longest) {
			longest = name
		}
	}
	return strings.Fields(table[longest]), longest != ""
}

// covers says whether the name, which may end in /…, stands for pkg.
func covers(name, pkg string) bool {
	if prefix, ok := strings.CutSuffix(name, "…"); ok {
		return strings.HasPrefix(pkg, prefix)
	}
	return name == pkg
}

// allows says whether one of the allowed names stands for the imported package.
func allows(allowed []string, imported string) bool {
	return slices.ContainsFunc(allowed, func(name string) bool { return covers(name, imported) })
}
