package spec

import (
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/workload"
)

// checkSteps compiles journeys, setup and final, and puts what is wrong where it stands.
func (l *loader) checkSteps() {
	for _, j := range l.project.Journeys {
		_, steps := child(l.parts.journeys[j.Name], "steps")
		_, err := workload.Compile(j)
		l.problems(err, l.parts.journeys[j.Name], steps)
		l.checkHosts(j.Steps, steps)
	}
	l.problems(workload.CheckSteps(l.project.Setup), nil, l.parts.setup)
	l.checkHosts(l.project.Setup, l.parts.setup)
	l.problems(workload.CheckSteps(l.project.Final), nil, l.parts.final)
	l.checkHosts(l.project.Final, l.parts.final)
}

// problems adds the mistakes that compiling found. An error that joins several is taken apart.
func (l *loader) problems(err error, journey, steps *yaml.Node) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			l.problems(one, journey, steps)
		}
		return
	}
	var problem *workload.Problem
	switch {
	case err == nil:
	case errors.As(err, &problem):
		l.problem(problem, journey, steps)
	default:
		l.parts.src.wrong(l.parts.src.root, "", "%v", err)
	}
}

func (l *loader) problem(p *workload.Problem, journey, steps *yaml.Node) {
	n := journey
	if p.Step > 0 && steps != nil && steps.Kind == yaml.SequenceNode && p.Step <= len(steps.Content) {
		n = steps.Content[p.Step-1]
	}
	if n == nil {
		n = l.parts.src.root
	}
	found, exact := follow(n, p.Field)
	var wrong *expr.Error
	switch {
	case errors.As(p.Err, &wrong) && exact && found.Kind == yaml.ScalarNode:
		l.parts.src.expression(found, "", p.Err)
	case slices.Contains(l.parts.broken, p.Pos): // a part that could not be read is missed here a second time
	case p.Step == 0 && p.Field == "":
		if at, _ := child(l.journeysNode(), p.Journey); at != nil {
			found = at
		}
		l.parts.src.wrong(found, "", "journey %s %v", p.Journey, p.Err)
	case p.Field == "":
		l.parts.src.wrong(found, "", "the step %v", p.Err)
	case strings.HasPrefix(p.Field, "record["):
		l.parts.src.wrong(found, "", "%v", p.Err)
	default:
		l.parts.src.wrong(found, "", "%s: %v", p.Field, p.Err)
	}
}

func (l *loader) journeysNode() *yaml.Node {
	_, journeys := child(l.parts.src.root, "journeys")
	return journeys
}

// follow walks a path such as "json.items[0].sku" down from a node. It returns
// the deepest node there is, and whether that is the whole path.
func follow(n *yaml.Node, path string) (*yaml.Node, bool) {
	for _, part := range regexp.MustCompile(`[^.\[\]]+|\[\d+\]`).FindAllString(path, -1) {
		next := n
		if index, err := strconv.Atoi(strings.Trim(part, "[]")); err == nil && part[0] == '[' {
			switch {
			case n.Kind == yaml.MappingNode && index == 0: // one record, written without a list
			case n.Kind == yaml.SequenceNode && index < len(n.Content):
				next = n.Content[index]
			default:
				return n, false
			}
		} else if _, next = child(n, part); next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// checkHosts reports calls to hosts that the topology does not have. Hosts with
// a dot, addresses and templates are left alone.
func (l *loader) checkHosts(steps []workload.Step, nodes *yaml.Node) {
	if nodes == nil || nodes.Kind != yaml.SequenceNode || len(l.project.System.Services) == 0 {
		return
	}
	for i, s := range steps {
		if _, call := child(nodes.Content[i], "call"); s.Call != "" {
			l.checkHost(call, s.Call, regexp.MustCompile(`^\s*\S+\s+https?://([^/:?#\s]+)`))
		}
		if _, call := child(nodes.Content[i], "grpc"); s.GRPC != "" {
			l.checkHost(call, s.GRPC, regexp.MustCompile(`^\s*(?:tls://)?([^/:\s]+)`))
		}
	}
}

func (l *loader) checkHost(n *yaml.Node, text string, pattern *regexp.Regexp) {
	at := pattern.FindStringSubmatchIndex(text)
	if at == nil {
		return
	}
	host := text[at[2]:at[3]]
	if strings.ContainsAny(host, ".{}@[") || host == "localhost" || net.ParseIP(host) != nil || l.isHost(host) {
		return
	}
	l.parts.src.wrongAt(n, len([]rune(text[:at[2]])), l.hostHint(host), "no service or instance is called %q", host)
}

func (l *loader) isHost(name string) bool {
	_, service := l.project.System.Service(name)
	_, instance := l.project.System.Instance(name)
	return service || instance
}

func (l *loader) hostHint(name string) string { return hint(name, l.project.serviceNames()) }
