package contracts

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/event"
	"github.com/assay-dev/assay/contract/openapi"
	"github.com/assay-dev/assay/contract/proto"
	"github.com/assay-dev/assay/contract/terms"
)

// families says who compares which kind. A kind that is not in it cannot be decided.
func families() map[contract.Kind]differ {
	return map[contract.Kind]differ{contract.OpenAPI: openapi.Diff, contract.Proto: proto.Diff, contract.AsyncAPI: event.Diff, contract.Terms: diffTerms}
}

// formats says how a registry calls the kinds that it compares in modes.
func formats() map[contract.Kind]event.Format {
	return map[contract.Kind]event.Format{contract.Avro: event.Avro, contract.JSONSchema: event.JSON, contract.Proto: event.Protobuf}
}

// DefaultMode is that of registries: the new version reads what the last wrote.
const DefaultMode = event.Backward

// differs returns who compares this contract: its family, and where a mode is named, or there is no other, the registry.
func (p pair) differs() ([]differ, error) {
	family, hasFamily := families()[p.kind]
	format, hasFormat := formats()[p.kind]
	switch {
	case hasFormat && (p.mode != "" || !hasFamily):
		mode := DefaultMode
		if p.mode != "" {
			var err error
			if mode, err = event.ParseMode(p.mode); err != nil {
				return nil, &Error{err.Error()}
			}
		}
		return []differ{registry(format, mode, p.older)}, nil
	case p.mode != "" && hasFamily:
		return nil, &Error{fmt.Sprintf("%s is of the kind %s, which is not compared in a mode: leave out the mode %s (it is for events: Avro, JSON Schema, Protobuf)", p.new.Name, p.kind, p.mode)}
	case hasFamily && p.kind != contract.Terms && p.declaresTerms():
		return []differ{family, terms.Diff}, nil
	case hasFamily:
		return []differ{family}, nil
	}
	return nil, nil
}

// declaresTerms says whether operations of either version have terms beside them.
func (p pair) declaresTerms() bool {
	for _, v := range []version{p.old, p.new} {
		if v.folder || p.kind != contract.OpenAPI && p.kind != contract.AsyncAPI {
			continue
		}
		if text, err := v.Read(v.Path); err == nil && bytes.Contains(text, []byte("x-assay")) {
			return true
		}
	}
	return false
}

// diffTerms compares terms, and holds those that are there now against the calls that they declare of each other.
func diffTerms(ctx context.Context, old, new contract.Source, opts contract.Options) (contract.Diff, error) {
	d, err := terms.Diff(ctx, old, new, opts)
	if err != nil {
		return d, err
	}
	all, err := terms.Read(ctx, new)
	if err != nil {
		return d, err
	}
	r, err := terms.Check(ctx, all, terms.CheckOptions{Contract: opts.Contract})
	d.Findings, d.Gaps, d.Proofs = append(d.Findings, r.Findings...), append(d.Gaps, r.Gaps...), append(d.Proofs, r.Proofs...)
	return d, err
}

// modes returns the failure modes that the terms of the new version speak of.
func (p pair) modes(ctx context.Context) []string {
	if p.kind != contract.Terms && !p.declaresTerms() || p.new.gone {
		return nil
	}
	all, err := terms.Read(ctx, p.new.Source)
	if err != nil {
		return nil // the comparison has said so
	}
	spoken := map[string]bool{}
	for _, service := range all {
		for _, o := range service.Operations {
			spoken["version-skew"] = true
			spoken["timeout"] = spoken["timeout"] || o.Deadline > 0
			spoken["retry"] = spoken["retry"] || o.Retry != nil || o.Key != nil
			spoken["redelivery"] = spoken["redelivery"] || o.Delivery != nil
		}
	}
	var modes []string
	for _, mode := range sorted(spoken) {
		if spoken[mode] {
			modes = append(modes, mode)
		}
	}
	return modes
}

// registry compares two versions as a schema registry does, in a transitive mode with those before them, too.
func registry(format event.Format, mode event.Mode, older []contract.Source) differ {
	return func(ctx context.Context, old, new contract.Source, opts contract.Options) (contract.Diff, error) {
		return event.Check(ctx, format, append(slices.Clone(older), old, new), mode, opts)
	}
}

// isTerms knows a file of terms by its keys.
func isTerms(_ string, keys map[string]any) bool {
	return has(keys, "service") && has(keys, "operations")
}
