package cli

import (
	"slices"
	"strings"
	"testing"
)

func TestGoFlags(t *testing.T) {
	for args, want := range map[string]string{
		"sim -seeds 10 -run=^TestA$ ./... -- -race -run x": "sim --seeds 10 --run=^TestA$ ./... -- -race -run x",
		"sim --seeds 10 -h -1 -unknown -":                  "sim --seeds 10 -h -1 -unknown -",
		"run -seeds 10":                                    "run -seeds 10",
		"-for 10m":                                         "-for 10m",
	} {
		got := asGoFlags((&app{}).root(), strings.Fields(args))
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
}
