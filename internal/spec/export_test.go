package spec

import (
	"path"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/recipe"
)

// FakeHost is a machine with a Redis 7, a Postgres 15 and no NATS, whatever this one has.
func FakeHost() recipe.Host {
	programs := []string{"/usr/bin/redis-server", "/usr/bin/redis-cli", "/usr/lib/postgresql/15/bin/postgres", "/usr/lib/postgresql/15/bin/initdb",
		"/usr/lib/postgresql/15/bin/pg_basebackup", "/usr/lib/postgresql/15/bin/psql", "/usr/lib/postgresql/15/bin/pg_isready"}
	return recipe.Host{
		Look: func(pattern string) []string {
			return slices.DeleteFunc(slices.Clone(programs), func(program string) bool {
				fits, _ := path.Match(pattern, program)
				return !fits
			})
		},
		Version: func(program string) (string, error) {
			if strings.Contains(program, "redis") {
				return "Redis server v=7.0.15", nil
			}
			return "postgres (PostgreSQL) 15.18", nil
		},
	}
}
