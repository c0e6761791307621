package contracts

import (
	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/openapi"
)

// families says who compares which kind. A kind that is not in it cannot be decided.
func families() map[contract.Kind]differ {
	return map[contract.Kind]differ{contract.OpenAPI: openapi.Diff}
}

// differs returns who compares this contract: its family, and where its operations declare terms, those.
func (p pair) differs() ([]differ, error) {
	var all []differ
	if compare := families()[p.kind]; compare != nil {
		all = append(all, compare)
	}
	return all, nil
}

// isTerms knows a file of terms by its keys.
func isTerms(_ string, keys map[string]any) bool {
	return has(keys, "service") && has(keys, "operations")
}
