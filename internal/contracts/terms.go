package contracts

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/terms"
)

// declaresTerms says whether either version has terms beside its operations: under x-assay, or in a file beside the .proto files.
func (p pair) declaresTerms() bool {
	return slices.ContainsFunc([]version{p.old, p.new}, func(v version) bool {
		switch {
		case p.kind == contract.Proto && v.folder:
			return v.hasTerms()
		case v.folder || p.kind != contract.OpenAPI && p.kind != contract.AsyncAPI:
			return false
		}
		text, err := v.Read(v.Path)
		return err == nil && bytes.Contains(text, []byte("x-assay"))
	})
}

// hasTerms says whether a folder has a file of terms.
func (v version) hasTerms() bool {
	names, err := v.files()
	return err == nil && slices.ContainsFunc(names, func(name string) bool {
		text, err := v.Read(name)
		return err == nil && Detect(name, text) == contract.Terms
	})
}

// declared returns the terms of the new version, with the names of files that the user knows.
func (p pair) declared(ctx context.Context) []terms.Terms {
	if p.new.gone || p.kind != contract.Terms && !p.declaresTerms() {
		return nil
	}
	all, err := terms.Read(ctx, p.new.Source)
	if err != nil {
		return nil // the comparison has said so
	}
	return terms.Shown(all, p.new.shown)
}

// elsewhere returns a gap for each file that a description refers to and that has terms: they are read in the file that is named alone.
func (p pair) elsewhere(read *recorder) (gaps []contract.Gap) {
	if p.kind != contract.OpenAPI && p.kind != contract.AsyncAPI {
		return nil
	}
	texts := read.version("").texts
	for _, name := range sorted(texts) {
		if at := bytes.Index(texts[name], []byte("x-assay")); at >= 0 && name != p.new.Path {
			line := bytes.Count(texts[name][:at], []byte("\n")) + 1
			gaps = append(gaps, contract.Gap{Contract: p.name, Subject: "terms", At: contract.Place{File: name, Line: line},
				Why: "terms under x-assay are read in " + p.new.Path + " alone, and not in the files that it refers to: move them there, or into a file of terms"})
		}
	}
	return gaps
}

// modesOf returns the failure modes that terms speak of.
func modesOf(all []terms.Terms) []string {
	spoken := map[string]bool{}
	for _, service := range all {
		for _, o := range service.Operations {
			spoken["version-skew"] = true
			spoken["timeout"] = spoken["timeout"] || o.Deadline > 0
			spoken["retry"] = spoken["retry"] || o.Retry != nil || o.Key != nil
			spoken["redelivery"] = spoken["redelivery"] || o.Delivery != nil
		}
	}
	return slices.DeleteFunc(sorted(spoken), func(mode string) bool { return !spoken[mode] })
}

// A holder holds the terms of all contracts that were named together against the calls that they declare of each other: caller and
// callee need not stand in the same file, nor in the same kind of contract. What it says belongs to the contract of the caller.
type holder struct {
	results []Result
	all     []terms.Terms
	of      map[string]operation // by service and operation
}

// An operation is where terms of one stand.
type operation struct {
	result int
	at     contract.Place
}

// hold adds what calls come to, to the results that declare them.
func hold(ctx context.Context, results []Result) error {
	h := &holder{results: results, of: map[string]operation{}}
	for i := range results {
		for _, service := range results[i].terms {
			h.add(i, service)
		}
	}
	if len(h.of) == 0 {
		return nil
	}
	r, err := terms.Check(ctx, h.all, terms.CheckOptions{})
	if err != nil {
		return &Error{err.Error()}
	}
	h.spread(r)
	return nil
}

// add takes the operations of a service that no other contract has. What two have is undecided, unless they name the same file.
func (h *holder) add(i int, service terms.Terms) {
	var own []terms.Operation
	for _, o := range service.Operations {
		name := service.Service + " " + o.Name
		first, twice := h.of[name]
		if !twice {
			h.of[name] = operation{i, o.At}
			own = append(own, o)
		} else if first.at != o.At {
			h.results[i].Gaps = append(h.results[i].Gaps, contract.Gap{Contract: h.results[i].Contract, Subject: name, At: o.At,
				Why: fmt.Sprintf("it has terms twice, here and at %s: nobody can tell which of them hold", first.at)})
		}
	}
	service.Operations = own
	h.all = append(h.all, service)
}

// spread gives what was found to the results whose operations it is about.
func (h *holder) spread(r terms.Result) {
	for _, f := range r.Findings {
		to := &h.results[h.of[f.Subject].result]
		f.Contract = to.Contract
		to.Findings = append(to.Findings, Found{Finding: f})
	}
	for _, g := range r.Gaps {
		to := &h.results[h.of[g.Subject].result]
		g.Contract = to.Contract
		to.Gaps = append(to.Gaps, g)
	}
	for _, p := range r.Proofs {
		to := &h.results[h.of[p.Subject].result]
		p.Contract = to.Contract
		to.Proofs = append(to.Proofs, p)
	}
	for i := range h.results {
		to := &h.results[i]
		slices.SortStableFunc(to.Findings, func(a, b Found) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.New.File, b.New.File), cmp.Compare(a.New.Line, b.New.Line))
		})
		to.identify()
		to.conclude()
	}
}
