package openapi_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	library "github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

// thousand makes two versions of 1,000 operations, of which one in twenty changed.
func thousand() (old, new string) {
	g := generate(1, 1000)
	changed := g.clone()
	all := append(requestMutations(), otherMutations()...)
	for i := 0; i < 1000; i += 20 {
		all[(i/20)%len(all)].do(changed, i)
	}
	return g.yaml(), changed.yaml()
}

func bare(b testing.TB, old, new string, origins bool) int {
	read := func(name, text string) *load.SpecInfo {
		loader := openapi3.NewLoader()
		loader.IncludeOrigin = origins
		info, err := load.NewSpecInfoFromData(loader, []byte(text), name)
		if err != nil {
			b.Fatal(err)
		}
		return info
	}
	report, sources, err := library.GetWithOperationsSourcesMap(library.NewConfig(), read("old.yaml", old), read("new.yaml", new))
	if err != nil {
		b.Fatal(err)
	}
	return len(checker.CheckBackwardCompatibilityUntilLevel(checker.NewConfig(checker.GetAllChecks()), report, sources, checker.INFO))
}

// BenchmarkDiff compares with the library alone, without and with the places that we always give.
func BenchmarkDiff(b *testing.B) {
	old, new := thousand()
	b.Run("library", func(b *testing.B) {
		for b.Loop() {
			bare(b, old, new, false)
		}
	})
	b.Run("library with places", func(b *testing.B) {
		for b.Loop() {
			bare(b, old, new, true)
		}
	})
	b.Run("assay", func(b *testing.B) {
		for b.Loop() {
			diff(b, old, new)
		}
	})
}

// BenchmarkSmall compares versions of two operations, changed at one place each.
func BenchmarkSmall(b *testing.B) {
	all := append(requestMutations(), otherMutations()...)
	var pairs [][2]string
	for i, mutant := range all {
		g := generate(uint64(i), 2)
		if changed := g.clone(); mutant.do(changed, 0) {
			pairs = append(pairs, [2]string{g.json(), changed.json()})
		}
	}
	for name, compare := range map[string]func(old, new string){
		"library": func(old, new string) { bare(b, old, new, false) },
		"assay":   func(old, new string) { diff(b, old, new) },
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				p := pairs[i%len(pairs)]
				compare(p[0], p[1])
			}
		})
	}
}
