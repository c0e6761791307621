package contracts

import (
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
	return map[contract.Kind]differ{contract.OpenAPI: openapi.Diff, contract.Proto: proto.Diff, contract.AsyncAPI: event.Diff, contract.Terms: terms.Diff}
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
