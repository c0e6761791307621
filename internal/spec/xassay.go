package spec

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/system"
)

// An extension is what stands under a service's x-assay.
type extension struct {
	owner   string
	zones   []string
	process system.Process
	program *yaml.Node // the first word of process.command, nil without one
	// hasCommand says that there is a process.command, right or wrong.
	hasCommand bool
	ready      *system.Ready
	probes     map[string]system.Probe
	recipe     string
	options    recipe.Options
	tls        *system.TLS
	tlsAt      tlsAt
	at         map[string]*yaml.Node // keys of x-assay
}

// extension reads a service's x-assay. In it $$ stands for $, as in the rest of the file.
func (t *topology) extension(name string, service *yaml.Node) extension {
	var e extension
	_, n := child(service, "x-assay")
	if n == nil {
		return e
	}
	src := t.src
	src.object(undollarTree(n), "x-assay",
		field{"owner", src.text(&e.owner), false},
		field{"zones", src.texts(&e.zones), false},
		field{"process", func(name string, n *yaml.Node) { t.process(&e, name, n) }, false},
		field{"ready", func(name string, n *yaml.Node) { e.ready = t.ready(name, n) }, false},
		field{"probes", src.entries(func(key, n *yaml.Node) { t.probe(&e, key, n) }), false},
		field{"tls", func(key string, n *yaml.Node) { t.tls(&e, name, key, n) }, false},
		field{"binary", src.text(&e.process.Binary), false},
		field{"recipe", src.text(&e.recipe), false},
		field{"version", src.scalar(&e.options.Version), false},
		field{"standby", src.number(&e.options.Standby, 0, maxReplicas-1), false},
		field{"synchronous", src.boolean(&e.options.Synchronous), false},
		field{"failover", func(name string, n *yaml.Node) { t.failover(&e.options, name, n) }, false})
	t.recipeKeys(&e, n)
	return e
}

func (t *topology) process(e *extension, name string, n *yaml.Node) {
	src, p := t.src, &e.process
	src.object(n, name,
		field{"build", src.text(&p.Build), false},
		field{"command", func(name string, n *yaml.Node) {
			e.hasCommand = true
			src.texts(&p.Command)(name, n)
			t.templates(n)
			if len(n.Content) > 0 {
				e.program = n.Content[0]
			}
		}, false},
		field{"env", t.templateTable(&p.Env), false},
		field{"files", t.files(&p.Files), false},
		field{"stop", func(name string, n *yaml.Node) {
			src.object(n, name, field{"signal", t.signal(&p.Signal), false}, field{"grace", src.duration(&p.Grace, 1), false})
		}, false})
}

// templateTable reads a table whose values may hold {{cel}}.
func (t *topology) templateTable(into *map[string]string) reader {
	return func(name string, n *yaml.Node) {
		t.src.table(into)(name, n)
		t.templates(n)
	}
}

// files reads config files, whose paths are below the instance's data folder.
func (t *topology) files(into *map[string]string) reader {
	return func(name string, n *yaml.Node) {
		t.templateTable(into)(name, n)
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			path := n.Content[i]
			if strings.HasPrefix(path.Value, "/") || slices.Contains(strings.Split(path.Value, "/"), "..") {
				t.src.wrong(path, "paths are below the instance's data folder", "%s: %q leads out of the data folder", name, brief(path.Value))
			}
		}
	}
}

// templates checks the {{cel}} of every value below a node.
func (t *topology) templates(n *yaml.Node) {
	for i, item := range n.Content {
		if n.Kind == yaml.SequenceNode || i%2 == 1 {
			t.template(item)
		}
	}
}

// template checks the {{cel}} of one value.
func (t *topology) template(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		return
	}
	if _, err := expr.ParseTemplate(n.Value, instanceNames("ca")); err != nil {
		t.src.expression(n, "", err)
		return
	}
	if _, err := expr.ParseTemplate(n.Value, instanceNames()); err != nil {
		t.trusting = append(t.trusting, n)
	}
}

// instanceNames are what {{…}} in command, environment and files may read.
func instanceNames(more ...string) expr.Names {
	return expr.Names{Vars: append([]string{"instance", "service", "ordinal", "zone", "ip", "data"}, more...), Funcs: []expr.Func{{Name: "advertise"}}}
}

func stopSignals() []string {
	return []string{"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL", "SIGWINCH"}
}

func (t *topology) signal(into *string) reader {
	return func(name string, n *yaml.Node) {
		var text string
		t.src.text(&text)(name, n)
		if text == "" {
			return
		}
		signal := strings.ToUpper(text)
		if !strings.HasPrefix(signal, "SIG") {
			signal = "SIG" + signal
		}
		if !slices.Contains(stopSignals(), signal) {
			t.src.wrong(n, hint(signal, stopSignals()), "no signal is called %q", brief(text))
			return
		}
		*into = signal
	}
}

// ready reads when an instance is ready.
func (t *topology) ready(name string, n *yaml.Node) *system.Ready {
	src, r := t.src, &system.Ready{}
	ok := src.object(n, name,
		field{"http", t.portPath(&r.HTTP), false},
		field{"tcp", t.port(&r.TCP), false},
		field{"log", t.pattern(&r.Log), false},
		field{"exec", func(name string, n *yaml.Node) { src.texts(&r.Exec)(name, n); t.templates(n) }, false},
		field{"timeout", src.duration(&r.Timeout, 1), false},
		field{"interval", src.duration(&r.Poll, time.Millisecond), false})
	if ok {
		t.oneOf(n, name, "http", "tcp", "log", "exec")
	}
	return r
}

// oneOf reports a mapping that has none of the keys, or two.
func (t *topology) oneOf(n *yaml.Node, name string, keys ...string) bool {
	var found []string
	for _, key := range keys {
		if k, _ := child(n, key); k != nil {
			found = append(found, key)
		}
	}
	allowed := "exactly one of " + strings.Join(keys, ", ")
	switch {
	case len(found) == 0:
		t.src.wrong(n, allowed, "%s asks nothing", name)
	case len(found) > 1:
		t.src.wrong(n, allowed, "%s has %s", name, strings.Join(found, " and "))
	}
	return len(found) == 1
}

func (t *topology) port(into *int) reader { return t.src.number(into, 1, 65535) }

func (t *topology) portPath(into *string) reader {
	return func(name string, n *yaml.Node) {
		var text string
		t.src.scalar(&text)(name, n)
		port, _, _ := strings.Cut(text, "/")
		if number, err := strconv.Atoi(port); text != "" && (err != nil || number < 1 || number > 65535) {
			t.src.wrong(n, `such as "8080/healthz"`, "%s must be PORT/PATH, and this is %q", name, brief(text))
			return
		}
		*into = text
	}
}

func (t *topology) pattern(into *string) reader {
	return func(name string, n *yaml.Node) {
		t.src.text(into)(name, n)
		if _, err := regexp.Compile(*into); err != nil {
			t.src.wrong(n, "", "%s is no regular expression: %s", name, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
}

// probe reads one question to an instance.
func (t *topology) probe(e *extension, key, n *yaml.Node) {
	src, p := t.src, system.Probe{Pos: t.src.pos(key)}
	var value *yaml.Node
	name := "probe " + key.Value
	ok := src.object(n, name,
		field{"http", t.portPath(&p.HTTP), false},
		field{"sql", func(name string, n *yaml.Node) {
			p.SQL = &system.SQL{}
			src.object(n, name, field{"url", src.text(&p.SQL.URL), true}, field{"query", src.text(&p.SQL.Query), true})
			t.templates(n)
		}, false},
		field{"exec", func(name string, n *yaml.Node) { src.texts(&p.Exec)(name, n); t.templates(n) }, false},
		field{"value", func(name string, n *yaml.Node) { value = n; src.code(&p.Value)(name, n) }, true})
	if !ok {
		return
	}
	if t.oneOf(n, name, "http", "sql", "exec") && p.Value != "" {
		if _, err := expr.Compile(p.Value, probeNames(p)); err != nil {
			src.expression(value, "", err)
		}
	}
	if e.probes == nil {
		e.probes = map[string]system.Probe{}
	}
	e.probes[key.Value] = p
}

// probeNames are what a probe's value may read of its answer.
func probeNames(p system.Probe) expr.Names {
	switch {
	case p.SQL != nil:
		return expr.Names{Vars: []string{"rows", "instance"}}
	case p.Exec != nil:
		return expr.Names{Vars: []string{"stdout", "exit", "instance"}}
	}
	return expr.Names{Vars: []string{"status", "body", "instance"}}
}
