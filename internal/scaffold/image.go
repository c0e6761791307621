package scaffold

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// imageName returns the last part of an image's name, without tag and digest.
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := path.Base(image)
	name, _, _ = strings.Cut(name, ":")
	return name
}

// recipeOf returns the recipe for images of a name, or "".
func recipeOf(name string) string {
	for recipe, names := range map[string][]string{
		"postgres": {"postgres", "postgresql", "postgis", "timescaledb", "pgvector"},
		"redis":    {"redis", "valkey"},
		"nats":     {"nats"},
	} {
		if slices.Contains(names, name) {
			return recipe
		}
	}
	return ""
}

// servers are images that are known and have no recipe, with how they are usually started and the port they listen on.
func servers() map[string]string {
	return map[string]string{
		"mysql":         "mysqld --datadir={{data}}/mysql --bind-address={{ip}}",
		"mariadb":       "mariadbd --datadir={{data}}/mysql --bind-address={{ip}}",
		"mongo":         "mongod --dbpath {{data}} --bind_ip {{ip}}",
		"rabbitmq":      "rabbitmq-server",
		"kafka":         "kafka-server-start.sh {{data}}/server.properties",
		"zookeeper":     "zkServer.sh start-foreground",
		"etcd":          "etcd --data-dir {{data}} --listen-client-urls http://{{ip}}:2379 --advertise-client-urls http://{{advertise(2379)}}",
		"memcached":     "memcached -l {{ip}}",
		"elasticsearch": "elasticsearch", "opensearch": "opensearch",
		"minio": "minio server {{data}} --address {{ip}}:9000",
		"nginx": "nginx -g 'daemon off;'", "traefik": "traefik", "haproxy": "haproxy -f {{data}}/haproxy.cfg", "envoy": "envoy -c {{data}}/envoy.yaml",
	}
}

// recipe proposes a recipe.
func (t *topology) recipe(s *service, name string) {
	s.kind, s.Kind = name, name+" (recipe)"
	s.found("image %s: recipe %s runs it from the binaries of this machine", s.c.Image, name)
	s.add("recipe: %s", name)
	if name != "nats" {
		s.add("# standby: 1                          # another instance, which follows the first")
		s.add("# failover: {by: assay, after: 2s}    # and takes over when that is gone")
	}
}

// unknown proposes a placeholder for what no recipe and no build says how to run.
func (t *topology) unknown(s *service, name string) {
	s.Kind = name
	if len(s.c.Entrypoint) == 0 && len(s.c.Command) > 0 && s.c.Image == "" {
		return
	}
	usual, known := servers()[name]
	if known {
		s.fillIn("there is no recipe for %s (there are postgres, redis, nats): x-assay.process.command, usually [%s], and ready", name, strings.ReplaceAll(usual, " ", ", "))
	} else {
		s.Kind = "image " + s.c.Image
		s.fillIn("an image cannot be run as a local process: x-assay.process.command, what starts this program here, and ready")
	}
	s.placeholder()
}

// placeholder proposes a command that says what is missing, and ends.
func (s *service) placeholder() {
	s.add("process:")
	s.add("  # TODO: the command that starts it here, as a list of words; {{ip}} is the address to listen on, {{data}} its folder")
	s.add("  command: [sh, -c, %s]", quote(fmt.Sprintf("echo '%s: fill in x-assay.process.command' >&2; exit 1", s.Name)))
}

// quote writes a text for YAML, and for compose, where $$ is a dollar sign.
func quote(text string) string {
	text = strings.ReplaceAll(text, "$", "$$")
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}

// words writes an argument vector for YAML.
func words(argv []string) string {
	out := make([]string, len(argv))
	for i, word := range argv {
		out[i] = plainOrQuoted(word)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// plainOrQuoted leaves words without quotes that YAML reads as themselves.
func plainOrQuoted(word string) string {
	simple := word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-=", r))
	})
	switch {
	case !simple, word[0] == '-' && len(word) == 1, slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}, strings.ToLower(word)),
		word[0] >= '0' && word[0] <= '9', word[0] == '=', word[0] == '.' && len(word) == 1:
		return quote(word)
	}
	return word
}
