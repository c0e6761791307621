package spec

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/workload"
)

// recordOps are the keys that choose a model operation.
func recordOps() []string {
	return []string{"append", "read", "write", "cas", "enqueue", "dequeue", "add", "remove", "get", "put", "delete", "txn"}
}

// microOps are the keys that choose what a transaction did to a key.
func microOps() []string { return []string{"append", "read", "write"} }

// step reads one step. What its expressions say is checked later, by workload.
func (l *loader) step(n *yaml.Node) workload.Step {
	src := l.parts.src
	s, before := workload.Step{Pos: src.pos(n)}, len(l.errs)
	src.object(n, "a step",
		field{"call", src.text(&s.Call), false},
		field{"headers", src.table(&s.Headers), false},
		field{"json", src.value(&s.JSON), false},
		field{"body", src.scalar(&s.Body), false},
		field{"grpc", src.text(&s.GRPC), false},
		field{"message", src.value(&s.Message), false},
		field{"protoset", l.protoset(&s), false},
		field{"exec", src.texts(&s.Exec), false},
		field{"sql", l.sql(&s.SQL, &s.Query), false},
		field{"timeout", src.duration(&s.Timeout, 1), false},
		field{"eventually", src.duration(&s.Eventually, 1), false},
		field{"every", src.duration(&s.Every, 1), false},
		field{"expect", src.code(&s.Expect), false},
		field{"degraded", src.code(&s.Degraded), false},
		field{"failed", src.code(&s.Failed), false},
		field{"save", src.entries(func(key, n *yaml.Node) { l.save(&s, key, n) }), false},
		field{"record", l.records(&s), false})
	if len(l.errs) > before {
		l.parts.broken = append(l.parts.broken, s.Pos)
	}
	return s
}

// sql reads a database's URL and a query to it.
func (l *loader) sql(url, query *string) reader {
	src := l.parts.src
	return func(name string, n *yaml.Node) {
		src.object(n, name, field{"url", src.text(url), true}, field{"query", src.text(query), true})
	}
}

// protoset notes a file of descriptors, and makes its path absolute.
func (l *loader) protoset(s *workload.Step) reader {
	return func(name string, n *yaml.Node) {
		var path string
		l.parts.src.text(&path)(name, n)
		if path == "" {
			return
		}
		content, err := read(l.below(path))
		if err != nil {
			l.parts.src.wrong(n, "", "%s: %v", name, err)
			return
		}
		s.Protoset = l.below(path)
		l.keep(s.Protoset, content)
	}
}

func (l *loader) save(s *workload.Step, key, n *yaml.Node) {
	var code string
	l.parts.src.code(&code)("save."+key.Value, n)
	if !l.identifier("save", key) || code == "" {
		return
	}
	if s.Save == nil {
		s.Save = map[string]string{}
	}
	s.Save[key.Value] = code
}

// records reads one record or a list of them.
func (l *loader) records(s *workload.Step) reader {
	return func(name string, n *yaml.Node) {
		items := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			items = n.Content
		}
		for _, item := range items {
			s.Record = append(s.Record, l.record(item))
		}
	}
}

// record reads one record. What an operation needs is checked later, by workload.
func (l *loader) record(n *yaml.Node) workload.Record {
	src := l.parts.src
	r := workload.Record{Pos: src.pos(n)}
	fields := []field{
		{"key", src.code(&r.Key), false},
		{"value", src.code(&r.Value), false},
		{"from", src.code(&r.From), false},
		{"to", src.code(&r.To), false},
		{"ops", src.list(func(_ string, n *yaml.Node) { r.Ops = append(r.Ops, l.micro(n)) }), false}}
	l.operation(n, "record", recordOps(), &r.Op, src.text(&r.Object), fields)
	return r
}

// micro reads one micro-operation of a recorded transaction.
func (l *loader) micro(n *yaml.Node) workload.Micro {
	src := l.parts.src
	var m workload.Micro
	l.operation(n, "micro-operation", microOps(), &m.Op, src.code(&m.Key), []field{{"value", src.code(&m.Value), true}})
	return m
}

// operation reads a mapping that has, beside the given fields, exactly one of the keys in ops, whose value is its argument.
func (l *loader) operation(n *yaml.Node, what string, ops []string, op *string, argument reader, fields []field) {
	src := l.parts.src
	var found []string
	for _, key := range ops {
		fields = append(fields, field{key, func(name string, n *yaml.Node) {
			found, *op = append(found, key), key
			argument(name, n)
		}, false})
	}
	if !src.object(n, "a "+what, fields...) || len(found) == 1 {
		return
	}
	has := "no operation"
	if len(found) > 1 {
		has = strings.Join(found, " and ")
	}
	src.wrong(n, "exactly one of "+strings.Join(ops, ", "), "the %s has %s", what, has)
}

// objects are the names that records of journeys, setup and final note operations on.
func (p *Project) objects() []string {
	var names []string
	note := func(steps []workload.Step) {
		for _, s := range steps {
			for _, r := range s.Record {
				if r.Object != "" && !slices.Contains(names, r.Object) {
					names = append(names, r.Object)
				}
			}
		}
	}
	for _, j := range p.Journeys {
		note(j.Steps)
	}
	note(p.Setup)
	note(p.Final)
	slices.Sort(names)
	return names
}
