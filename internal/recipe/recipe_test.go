package recipe_test

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/system"
)

// machine is a host with programs, by path, and what they say of their version. A name after "@" is in PATH.
func machine(programs map[string]string) recipe.Host {
	return recipe.Host{
		Look: func(pattern string) []string {
			var found []string
			for name := range programs {
				file := strings.TrimPrefix(name, "@")
				fits, _ := path.Match(pattern, file)
				if fits || name == "@"+file && path.Base(file) == pattern {
					found = append(found, file)
				}
			}
			slices.Sort(found)
			return found
		},
		Version: func(program string) (string, error) {
			if text, ok := programs["@"+program]; ok {
				return text, nil
			}
			return programs[program], nil
		},
	}
}

// postgresIn adds a Postgres of a version to a machine, with what it needs beside it.
func postgresIn(programs map[string]string, version string) {
	major, _, _ := strings.Cut(version, ".")
	for _, tool := range []string{"initdb", "pg_basebackup", "psql", "pg_isready"} {
		programs["/usr/lib/postgresql/"+major+"/bin/"+tool] = ""
	}
	programs["/usr/lib/postgresql/"+major+"/bin/postgres"] = "postgres (PostgreSQL) " + version + " (Debian " + version + "-0+deb12u1)"
}

func debian() recipe.Host {
	programs := map[string]string{
		"@/usr/bin/redis-server":  "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=11a40b3c",
		"/usr/bin/redis-cli":      "",
		"@/usr/sbin/nats-server":  "nats-server: v2.9.10",
		"/opt/nats/nats-server":   "nats-server: v2.12.0",
		"/opt/broken/nats-server": "no version at all",
		"/opt/lonely/postgres":    "postgres (PostgreSQL) 17.1",
	}
	postgresIn(programs, "13.11")
	postgresIn(programs, "15.18")
	return machine(programs)
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, recipe, image, version, binary string
		want                                 string // the program, or the error
	}{
		{"the tag's major", "postgres", "postgres:13", "", "", "/usr/lib/postgresql/13/bin/postgres"},
		{"a minor is not compared", "postgres", "postgres:15.2-bookworm", "", "", "/usr/lib/postgresql/15/bin/postgres"},
		{"registry with a port", "postgres", "localhost:5000/x/postgres:13-alpine", "", "", "/usr/lib/postgresql/13/bin/postgres"},
		{"digest", "postgres", "postgres:13@sha256:15ab", "", "", "/usr/lib/postgresql/13/bin/postgres"},
		{"no tag is the newest", "postgres", "postgres", "", "", "/usr/lib/postgresql/15/bin/postgres"},
		{"latest is the newest", "postgres", "postgres:latest", "", "", "/usr/lib/postgresql/15/bin/postgres"},
		{"a tag of another image says nothing", "postgres", "postgis/postgis:99-3.4", "", "", "/usr/lib/postgresql/15/bin/postgres"},
		{"no image", "postgres", "", "", "", "/usr/lib/postgresql/15/bin/postgres"},
		{"version over the tag", "postgres", "postgres:17", "13", "", "/usr/lib/postgresql/13/bin/postgres"},
		{"any", "postgres", "postgres:17", "any", "", "/usr/lib/postgresql/15/bin/postgres"},
		{"in PATH", "redis", "redis:7-alpine", "", "", "/usr/bin/redis-server"},
		{"binary", "nats", "nats:2.12", "", "/opt/nats/nats-server", "/opt/nats/nats-server"},

		{"mismatch", "postgres", "postgres:17", "", "", "image: service s: image postgres:17 asks for postgres 17, and this machine has 15.18 in /usr/lib/postgresql/15/bin, 13.11 in /usr/lib/postgresql/13/bin (on Debian: apt-get install postgresql-17; or change the tag; or write x-assay.version: any to run what there is)"},
		{"mismatch of version", "redis", "redis:7", "6", "", "version: service s: x-assay.version asks for redis-server 6, and this machine has 7.0.15 in /usr/bin (on Debian: apt-get install redis-server; or write x-assay.version: any to run what there is)"},
		{"no version", "redis", "redis:7", "newest", "", `version: service s: "newest" is no version (such as "16", or any)`},
		{"binary that is not there", "nats", "nats:2", "", "/opt/none", "binary: service s: /opt/none is no program (the path of nats-server)"},
		{"binary without its tools", "postgres", "postgres:17", "", "/opt/lonely/postgres", "binary: service s: /opt/lonely/postgres is no program with initdb, pg_basebackup, psql, pg_isready beside it (the path of postgres)"},
		{"binary that says nothing", "nats", "nats:2", "", "/opt/broken/nats-server", `recipe: service s: /opt/broken/nats-server --version says no version: "no version at all", <nil>`},
		{"unknown recipe", "mysql", "", "", "", `recipe: no recipe is called "mysql" (there are: nats, postgres, redis)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := recipe.Service{Name: "s", Image: c.image, Replicas: 1, Options: recipe.Options{Version: c.version, Binary: c.binary}}
			svc, err := recipe.Expand(c.recipe, s, debian())
			if got := outcome(svc.Process.Binary, err); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func outcome(ok string, err error) string {
	var wrong *recipe.Error
	if errors.As(err, &wrong) {
		return wrong.Key + ": " + err.Error()
	}
	if err != nil {
		return err.Error()
	}
	return ok
}

func TestNothingInstalled(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"postgres": "recipe: service s: recipe postgres needs the program postgres, which is neither in PATH nor in /usr/lib/postgresql/*/bin/postgres, /usr/pgsql-*/bin/postgres (on Debian: apt-get install postgresql-16)",
		"redis":    "recipe: service s: recipe redis needs the program redis-server, which is neither in PATH nor in /usr/bin/redis-server, /usr/local/bin/redis-server (on Debian: apt-get install redis-server)",
		"nats":     "recipe: service s: recipe nats needs the program nats-server, which is neither in PATH nor in /usr/sbin/nats-server, /usr/local/bin/nats-server (on Debian: apt-get install nats-server)",
	} {
		_, err := recipe.Expand(name, recipe.Service{Name: "s", Image: name + ":16", Replicas: 1}, machine(nil))
		if got := outcome("", err); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

// What a service cannot be is said of the key that asks for it.
func TestMisuse(t *testing.T) {
	t.Parallel()
	one := func(o recipe.Options) recipe.Service { return recipe.Service{Name: "s", Replicas: 1, Options: o} }
	with := func(env ...string) recipe.Service {
		s := one(recipe.Options{})
		s.Env = map[string]string{env[0]: env[1]}
		return s
	}
	runs := func(words ...string) recipe.Service { s := one(recipe.Options{}); s.Command = words; return s }
	for _, c := range []struct {
		name, recipe string
		s            recipe.Service
		want         string
	}{
		{"replicas", "postgres", recipe.Service{Name: "s", Replicas: 2}, "replicas: service s: 2 replicas of recipe postgres would know nothing of each other (write x-assay.standby: N for the instances that follow the first)"},
		{"standby of nats", "nats", one(recipe.Options{Standby: 1}), "standby: service s: recipe nats has no standbys, its instances are alike (write deploy.replicas: N)"},
		{"synchronous redis", "redis", one(recipe.Options{Standby: 1, Synchronous: true}), "synchronous: service s: recipe redis does not replicate synchronously (only recipe postgres can wait for its standby)"},
		{"synchronous alone", "postgres", one(recipe.Options{Synchronous: true}), "synchronous: service s: there is no standby to wait for (write x-assay.standby: N for the instances that follow the first)"},
		{"failover alone", "redis", one(recipe.Options{After: time.Second}), "failover: service s: there is no standby that could take over (write x-assay.standby: N for the instances that follow the first)"},
		{"another command", "postgres", runs("sh", "-c", "x"), `command: service s: recipe postgres cannot run command "sh -c x" (write postgres and options for it, or x-assay.process.command to run something else)`},
		{"config in a container", "nats", runs("-c", "/etc/nats.conf"), `command: service s: recipe nats cannot take "-c" of the command (the config is x-assay.process.files: {nats.conf: …}; allowed here: -js, -m 8222, -D, -V, -DV)`},
		{"password in a file", "postgres", with("POSTGRES_PASSWORD_FILE", "/run/secrets/x"), "environment: service s: a local process has no file of POSTGRES_PASSWORD_FILE (give POSTGRES_PASSWORD)"},
		{"quoted name", "postgres", with("POSTGRES_DB", `a"b`), "environment: service s: POSTGRES_DB cannot be used to make the database (plain text without quotes and {{…}})"},
		{"template", "postgres", with("POSTGRES_USER", "{{service}}"), "environment: service s: POSTGRES_USER cannot be used to make the database (plain text without quotes and {{…}})"},
	} {
		_, err := recipe.Expand(c.recipe, c.s, debian())
		if got := outcome("", err); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		recipe string
		words  []string
		want   string
	}{
		{"postgres", nil, "sh {{data}}/postgres.sh start"},
		{"postgres", []string{"postgres", "-c", "max_connections=200"}, "sh {{data}}/postgres.sh start -c max_connections=200"},
		{"postgres", []string{"docker-entrypoint.sh", "postgres", "-c", "a=b"}, "sh {{data}}/postgres.sh start -c a=b"},
		{"postgres", []string{"-c", "a=b"}, "sh {{data}}/postgres.sh start -c a=b"},
		{"redis", []string{"redis-server", "--appendonly", "yes"}, "sh {{data}}/redis.sh start --appendonly yes"},
		{"redis", []string{"redis-server", "--save", `""`}, "sh {{data}}/redis.sh start --save "},
		{"nats", []string{"-js", "-m", "8222", "-DV"}, "nats-server --config {{data}}/nats.conf -DV"},
		{"nats", []string{"nats-server", "--jetstream"}, "nats-server --config {{data}}/nats.conf"},
	} {
		svc, err := recipe.Expand(c.recipe, recipe.Service{Name: "s", Replicas: 1, Command: c.words}, debian())
		if got := outcome(strings.Join(svc.Process.Command, " "), err); got != c.want {
			t.Errorf("%s %q\n got %s\nwant %s", c.recipe, c.words, got, c.want)
		}
	}
}

func TestPostgresAccount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		env  map[string]string
		url  string
		hba  string
	}{
		{"nothing", nil, "postgres://postgres@{{ip}}:5432/postgres?sslmode=disable", "trust"},
		{"user only", map[string]string{"POSTGRES_USER": "app"}, "postgres://app@{{ip}}:5432/app?sslmode=disable", "trust"},
		{"all", map[string]string{"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "p@ss/w", "POSTGRES_DB": "shop"}, "postgres://app:p%40ss%2Fw@{{ip}}:5432/shop?sslmode=disable", "scram-sha-256"},
		{"trust", map[string]string{"POSTGRES_PASSWORD": "x", "POSTGRES_HOST_AUTH_METHOD": "trust"}, "postgres://postgres:x@{{ip}}:5432/postgres?sslmode=disable", "trust"},
	} {
		svc, err := recipe.Expand("postgres", recipe.Service{Name: "db", Replicas: 1, Env: c.env}, debian())
		if err != nil {
			t.Fatal(err)
		}
		if got := svc.Probes["role"].SQL.URL; got != c.url {
			t.Errorf("%s: the probe asks %s, want %s", c.name, got, c.url)
		}
		if got := svc.Process.Files["pg_hba.conf"]; !strings.HasSuffix(got, "host all all 127.0.0.0/8 "+c.hba+"\n") {
			t.Errorf("%s: pg_hba.conf is %q, want %s", c.name, got, c.hba)
		}
	}
}

// An image is shared by what it is made of, and by nothing else.
func TestPostgresImage(t *testing.T) {
	t.Parallel()
	name := func(version, password string, standby int) string {
		svc, err := recipe.Expand("postgres", recipe.Service{Name: "db", Replicas: 1, Env: map[string]string{"POSTGRES_PASSWORD": password},
			Options: recipe.Options{Version: version, Standby: standby}}, debian())
		if err != nil {
			t.Fatal(err)
		}
		return svc.Process.Image.Name
	}
	base := name("15", "a", 0)
	if other := name("15", "a", 2); other != base {
		t.Errorf("a standby needs another image: %s and %s", base, other)
	}
	for what, other := range map[string]string{"version": name("13", "a", 0), "password": name("15", "b", 0)} {
		if other == base {
			t.Errorf("another %s has the same image %s", what, base)
		}
	}
}

// Scripts are part of what an image is made of: their names, which say in what order they run, and their content.
func TestPostgresScripts(t *testing.T) {
	t.Parallel()
	image := func(scripts ...recipe.Script) *system.Image {
		svc, err := recipe.Expand("postgres", recipe.Service{Name: "db", Image: "postgres:15", Replicas: 1, Scripts: scripts}, debian())
		if err != nil {
			t.Fatal(err)
		}
		return svc.Process.Image
	}
	one, two := recipe.Script{Name: "1.sql", Path: "/x/1.sql", Sum: "a"}, recipe.Script{Name: "2.sql.gz", Path: "/x/2.sql.gz", Sum: "b"}
	shell, text := recipe.Script{Name: "3.sh", Path: "/x/3.sh", Sum: "c"}, recipe.Script{Name: "README.md", Path: "/x/README.md", Sum: "d"}
	base := image(two, one, shell, text)
	if got, want := base.Make[3:], []string{"sh", "1.sql", "/x/1.sql", "2.sql.gz", "/x/2.sql.gz"}; !slices.Equal(got, want) {
		t.Errorf("runs %q, want %q", got, want)
	}
	if len(base.Notes) != 1 || !strings.Contains(base.Notes[0], "/docker-entrypoint-initdb.d/3.sh is skipped") {
		t.Errorf("notes: %q", base.Notes)
	}
	if other := image(one, two); other.Name != base.Name || other.Sum != base.Sum {
		t.Errorf("what is skipped makes another image: %s and %s", other.Name, base.Name)
	}
	changed, renamed := one, one
	changed.Sum, renamed.Name = "z", "9.sql"
	for what, other := range map[string]*system.Image{"no script": image(), "one less": image(one), "other content": image(changed, two), "another order": image(renamed, two)} {
		if other.Name == base.Name || other.Sum == base.Sum {
			t.Errorf("%s has the same image %s, %s", what, base.Name, base.Sum)
		}
	}
	if got := image(shell).Sum; got != "" {
		t.Errorf("nothing fills it, and its sum is %s", got)
	}
}

func TestLead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "redis"} {
		alone, err := recipe.Expand(name, recipe.Service{Name: "s", Replicas: 1}, debian())
		if err != nil || alone.Lead != nil || alone.Replicas != 1 {
			t.Errorf("%s alone: %+v, %v", name, alone.Lead, err)
		}
		pair, err := recipe.Expand(name, recipe.Service{Name: "s", Replicas: 1, Options: recipe.Options{Standby: 2, After: time.Second}}, debian())
		if err != nil || pair.Lead == nil || pair.Replicas != 3 || pair.Lead.After != time.Second || pair.Lead.Progress.Value == "" || pair.Recipe != name {
			t.Errorf("%s with two standbys: %+v, %v", name, pair, err)
		}
	}
}

func TestNatsCluster(t *testing.T) {
	t.Parallel()
	one, err := recipe.Expand("nats", recipe.Service{Name: "bus", Replicas: 1}, debian())
	if conf := one.Process.Files["nats.conf"]; err != nil || strings.Contains(conf, "cluster") || one.Probes["role"].Value != "" {
		t.Errorf("one node has a cluster: %v\n%s", err, conf)
	}
	three, err := recipe.Expand("nats", recipe.Service{Name: "bus", Replicas: 3}, debian())
	if conf := three.Process.Files["nats.conf"]; err != nil || !strings.Contains(conf, `routes: ["nats://bus-1:6222", "nats://bus-2:6222", "nats://bus-3:6222"]`) || three.Replicas != 3 {
		t.Errorf("three nodes: %v\n%s", err, conf)
	}
}
