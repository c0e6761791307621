package spec

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/gate"
)

// A Contract is one that assay.yaml names, to be compared with its baseline.
type Contract struct {
	Name     string `json:"name"`
	Path     string `json:"path"`               // a file or folder, relative to assay.yaml
	Kind     string `json:"kind,omitempty"`     // "" is told by content
	Mode     string `json:"mode,omitempty"`     // of a registry, for events
	Baseline string `json:"baseline,omitempty"` // a git revision; "" is the gate's base
	Owner    string `json:"owner,omitempty"`
	// Covers are the failure modes, by journey, that its terms declare.
	Covers     map[string][]string `json:"covers,omitempty"`
	Severities map[string]string   `json:"severities,omitempty"` // by rule
	Waivers    []ContractWaiver    `json:"waivers,omitempty"`
	Pos        string              `json:"pos,omitempty"`
}

// A ContractWaiver lets one finding through for a time. Somebody answers for it.
type ContractWaiver struct {
	Finding string `json:"finding"` // its id
	gate.Waiver
}

// ContractModes are the failure modes that terms speak of.
func ContractModes() []string { return []string{"retry", "timeout", "version-skew", "redelivery"} }

// EventModes are the modes of a registry that events are compared in.
func EventModes() []string {
	return []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}
}

// ContractKinds are all kinds of contracts, as they are written.
func ContractKinds() []string {
	var all []string
	for _, k := range []contract.Kind{contract.OpenAPI, contract.Proto, contract.Avro, contract.JSONSchema, contract.AsyncAPI, contract.Terms} {
		all = append(all, string(k))
	}
	return all
}

// severities are all that a finding can be given, the worst first.
func severities() []string {
	return []string{string(contract.Break), string(contract.Risk), string(contract.Change)}
}

// contract reads one contract of assay.yaml.
func (l *loader) contract(_ string, n *yaml.Node) {
	src := l.parts.src
	p := &policyLoader{loader: l, src: src}
	c := Contract{Pos: src.pos(n)}
	src.object(n, "a contract",
		field{"name", src.text(&c.Name), true},
		field{"path", src.text(&c.Path), true},
		field{"kind", p.choice(&c.Kind, ContractKinds()), false},
		field{"mode", l.eventMode(&c.Mode), false},
		field{"baseline", src.text(&c.Baseline), false},
		field{"owner", src.text(&c.Owner), false},
		field{"covers", src.entries(func(key, n *yaml.Node) { l.contractCover(p, &c, key, n) }), false},
		field{"severities", src.entries(func(key, n *yaml.Node) { severity(p, &c, key, n) }), false},
		field{"waivers", src.list(func(_ string, n *yaml.Node) { contractWaiver(p, &c, n) }), false})
	_, name := child(n, "name")
	switch {
	case name == nil || c.Name == "":
	case slices.ContainsFunc(l.project.Contracts, func(other Contract) bool { return other.Name == c.Name }):
		src.wrong(name, "", "two contracts are called %q", brief(c.Name))
	case !contractName(c.Name):
		src.wrong(name, "small and capital letters, digits, - . and _", "%q cannot name a contract", brief(c.Name))
	}
	l.project.Contracts = append(l.project.Contracts, c)
}

// contractName says whether a name can be part of an experiment's.
func contractName(name string) bool {
	return !strings.HasPrefix(name, ".") && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._", r))
	})
}

// eventMode reads a mode of a registry, in small letters or in capitals.
func (l *loader) eventMode(into *string) reader {
	return func(name string, n *yaml.Node) {
		l.parts.src.text(into)(name, n)
		if *into = strings.ToUpper(*into); *into != "" && !slices.Contains(EventModes(), *into) {
			l.parts.src.wrong(n, hint(*into, EventModes()), "%s cannot be %s", name, describe(n))
		}
	}
}

// contractCover reads the modes of one journey. Journeys are checked when all are known.
func (l *loader) contractCover(p *policyLoader, c *Contract, key, n *yaml.Node) {
	if c.Covers == nil {
		c.Covers = map[string][]string{}
	}
	var modes []string
	p.names(&modes, "failure mode that terms speak of", ContractModes(), false)(key.Value, n)
	c.Covers[key.Value] = modes
	l.parts.covered = append(l.parts.covered, key)
}

// checkContracts looks at what needs all of the file.
func (l *loader) checkContracts() {
	for _, key := range l.parts.covered {
		if known := l.project.journeyNames(); !slices.Contains(known, key.Value) {
			l.parts.src.wrong(key, hint(key.Value, known), "no journey is called %q", brief(key.Value))
		}
	}
}

func severity(p *policyLoader, c *Contract, key, n *yaml.Node) {
	var one string
	p.choice(&one, severities())(key.Value, n)
	if c.Severities == nil {
		c.Severities = map[string]string{}
	}
	c.Severities[key.Value] = one
}

func contractWaiver(p *policyLoader, c *Contract, n *yaml.Node) {
	w := ContractWaiver{}
	w.Pos, w.Allow = p.src.pos(n), gate.AllowFail
	p.src.object(n, "a waiver of a contract",
		field{"finding", p.src.text(&w.Finding), true},
		field{"owner", p.src.text(&w.Owner), true},
		field{"reason", p.src.text(&w.Reason), true},
		field{"ticket", p.src.text(&w.Ticket), false},
		field{"expires", p.day(&w.Expires), true})
	if slices.ContainsFunc(c.Waivers, func(other ContractWaiver) bool { return other.Finding == w.Finding }) {
		p.src.wrong(n, "", "the finding %s is waived twice", brief(w.Finding))
	}
	c.Waivers = append(c.Waivers, w)
}

// ContractsOf reads the contracts that the content of an assay.yaml names, and its system, and nothing else of it: for one of
// another time, whose other files are not here.
func ContractsOf(name string, content []byte) (system string, contracts []Contract, err error) {
	l := &loader{project: &Project{File: name, Files: map[string][]byte{}}}
	src := parse(name, name, content, false, &l.errs)
	if src.root != nil {
		l.parts = parts{src: src}
		if _, n := child(src.root, "system"); n != nil {
			src.text(&l.project.Name)("system", n)
		}
		if _, n := child(src.root, "contracts"); n != nil {
			src.list(l.contract)("contracts", n)
		}
	}
	if len(l.errs) > 0 {
		return "", nil, l.errs.sorted()
	}
	return l.project.Name, l.project.Contracts, nil
}

// Journeys returns the journeys that a contract covers, in order of name.
func (c Contract) Journeys() []string { return slices.Sorted(maps.Keys(c.Covers)) }

// WaiversMax is how far ahead a waiver of the project may expire.
func (p *Project) WaiversMax() time.Duration { return gate.Reach(p.Policy.WaiversMax) }

// NoContracts is the error of a project that names no contracts, with what to write.
func (p *Project) NoContracts() error {
	return Errors{{File: p.File, Line: 1, Col: 1, Msg: "assay.yaml names no contracts", Hint: "such as contracts: [{name: orders, path: contracts/orders.openapi.yaml}]"}}
}
