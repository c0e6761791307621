package scaffold

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A program is how an instance of a service that is built runs here.
type program struct {
	kind    string
	build   string   // shell line, run in the folder of the compose file
	argv    []string // as it is written, before addresses are replaced
	inside  bool     // it wants to be started in its own folder
	binary  string   // the file whose digest names what ran, if it is not argv[0]
	guessed string   // what of this is supposed
}

// app proposes how a service that is built runs as a local process.
func (t *topology) app(s *service) {
	s.dir = t.dir
	if s.c.Build.Context != "" {
		s.dir = s.c.Build.Context
		if !filepath.IsAbs(s.dir) {
			s.dir = filepath.Join(t.dir, s.dir)
		}
	}
	d := readDockerfile(s.dir, s.c.Build.Dockerfile, s.c.Build.DockerfileInline)
	s.source = sourceOf(s.dir)
	s.port = t.portOf(s, d)
	p, ok := t.program(s, d)
	if !ok {
		s.Kind = cmp.Or(p.kind, "built from "+s.rel(t))
		s.fillIn("how %s is built and started here: x-assay.process.build and command (known are Go, Node and Python)", s.rel(t))
		s.placeholder()
		t.health(s, d)
		return
	}
	s.Kind = p.kind
	if p.guessed != "" {
		s.guessed("%s", p.guessed)
	}
	t.process(s, d, p)
	t.health(s, d)
}

// rel is the service's folder, below that of the compose file.
func (s *service) rel(t *topology) string {
	rel, _ := relative(t.dir, s.dir)
	return rel
}

// process writes down the process: build, command in its folder, and the variables that differ from the container's.
func (t *topology) process(s *service, d dockerfile, p program) {
	rel := s.rel(t)
	argv, bound := make([]string, len(p.argv)), false
	for i, word := range p.argv {
		argv[i] = ownAddress(word, i > 0, &bound)
	}
	env := t.local(s, d, &bound)
	if p.inside && rel != "." {
		argv = []string{"sh", "-c", "cd " + rel + " && exec " + shellWords(argv)}
	}
	s.add("process:")
	if p.build != "" {
		s.add("  build: %s", plainLine(p.build))
	}
	s.add("  command: %s", words(argv))
	if len(env) > 0 {
		s.add("  env: {%s}", strings.Join(env, ", "))
	}
	if p.binary != "" {
		s.add("binary: %s", plainOrQuoted(p.binary))
	}
	if !bound && s.port > 0 {
		s.fillIn("it must listen on {{ip}}:%d, because each instance has an address of its own here; no variable was found that says so. Let it read one, and set it under x-assay.process.env: {LISTEN: \"{{ip}}:%d\"}", s.port, s.port)
	}
}

// plainLine writes a shell line for YAML.
func plainLine(line string) string {
	if strings.ContainsAny(line, `:#$"'{}[]&*!|>%@`+"`") {
		return quote(line)
	}
	return line
}

// shellWords joins words for a shell.
func shellWords(argv []string) string {
	out := make([]string, len(argv))
	for i, word := range argv {
		out[i] = word
		if strings.ContainsAny(word, " \t\"'$&|;<>()*?`\\") {
			out[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

// program finds out by which language a service is built, and how it is started.
func (t *topology) program(s *service, d dockerfile) (program, bool) {
	argv := append(slices.Clone(d.entrypoint), d.cmd...)
	if len(s.c.Entrypoint) > 0 {
		argv = append([]string(s.c.Entrypoint), s.c.Command...)
	} else if len(s.c.Command) > 0 {
		argv = append(slices.Clone(d.entrypoint), s.c.Command...)
	}
	switch {
	case s.isFile("go.mod"):
		return t.goProgram(s, d, argv)
	case s.isFile("package.json"):
		return t.nodeProgram(s, argv)
	case s.isFile("requirements.txt"), s.isFile("pyproject.toml"), len(argv) > 0 && isPython(argv[0]):
		return t.pythonProgram(s, argv)
	case len(argv) > 0 && filepath.Base(argv[0]) == "node":
		s.found("%s starts %s", cmp.Or(d.name, "compose"), strings.Join(argv, " "))
		return program{kind: "Node program", argv: slices.Concat([]string{"node"}, argv[1:]), inside: true, binary: t.scriptOf(s, argv)}, true
	}
	// A Go program of a module above, as in a repository of many.
	if up := filepath.Join(filepath.Dir(s.dir), "go.mod"); len(mains(s.dir)) > 0 && exists(up) {
		return t.goProgram(s, d, argv)
	}
	return program{}, false
}

func (s *service) isFile(name string) bool { return exists(filepath.Join(s.dir, name)) }

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// goProgram builds the main package into bin/SERVICE.
func (t *topology) goProgram(s *service, d dockerfile, argv []string) (program, bool) {
	found := mains(s.dir)
	p := program{kind: "Go program"}
	if len(found) == 0 {
		return p, false
	}
	pick := found[0]
	for _, pkg := range found {
		if strings.Contains(d.text, strings.TrimPrefix(pkg, ".")) && pkg != "." || filepath.Base(pkg) == s.Name {
			pick = pkg
		}
	}
	if len(found) > 1 {
		p.guessed = fmt.Sprintf("of the programs %s it is %s", list(found), pick)
		s.source = sourceOf(filepath.Join(s.dir, pick)) // the others' routes are none of its
	} else {
		s.found("package main in %s", filepath.ToSlash(filepath.Join(s.rel(t), pick)))
	}
	rel := s.rel(t)
	up := "bin/" + s.Name
	p.build = fmt.Sprintf("go build -o %s %s", up, pick)
	if rel != "." {
		back, _ := filepath.Rel(s.dir, filepath.Join(t.dir, up))
		p.build = fmt.Sprintf("go build -C %s -o %s %s", rel, filepath.ToSlash(back), pick)
	}
	p.argv = []string{up}
	if len(argv) > 1 && !isShell(argv[0]) && argv[0] != "go" {
		p.argv = append(p.argv, argv[1:]...)
		s.found("arguments %s", strings.Join(argv[1:], " "))
	}
	return p, true
}

func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "ash"}, filepath.Base(name))
}

// mains returns the main packages below a folder, at most three levels deep, as go build names them.
func mains(dir string) []string {
	var all []string
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is no package of ours
		}
		rel, _ := filepath.Rel(dir, path)
		if e.IsDir() {
			name := e.Name()
			if rel != "." && (strings.HasPrefix(name, ".") || slices.Contains([]string{"vendor", "node_modules", "testdata", "bin"}, name) || strings.Count(rel, "/") > 2 || exists(filepath.Join(path, "go.mod"))) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && regexp.MustCompile(`(?m)^package main\b`).Match(text) && regexp.MustCompile(`(?m)^func main\(`).Match(text) {
			pkg := "."
			if d := filepath.ToSlash(filepath.Dir(rel)); d != "." {
				pkg = "./" + d
			}
			all = append(all, pkg)
		}
		return nil
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// nodeProgram runs the start script's program, without npm between: signals reach it, and so do faults.
func (t *topology) nodeProgram(s *service, argv []string) (program, bool) {
	var pkg struct {
		Scripts      map[string]string `json:"scripts"`
		Main         string            `json:"main"`
		Dependencies map[string]string `json:"dependencies"`
	}
	text, _ := os.ReadFile(filepath.Join(s.dir, "package.json"))
	if err := json.Unmarshal(text, &pkg); err != nil {
		s.fillIn("package.json cannot be read: %v", err)
	}
	p := program{kind: "Node program", inside: true}
	if len(pkg.Dependencies) > 0 {
		install := "npm install"
		if s.isFile("package-lock.json") {
			install = "npm ci"
		}
		p.build = install + " --omit=dev --no-audit --no-fund"
		if rel := s.rel(t); rel != "." {
			p.build = strings.Replace(p.build, "npm", "npm --prefix "+rel, 1)
		}
	}
	start := pkg.Scripts["start"]
	switch {
	case len(argv) > 0 && filepath.Base(argv[0]) == "node":
		s.found("it starts with %s", strings.Join(argv, " "))
		p.argv = slices.Concat([]string{"node"}, argv[1:])
	case strings.HasPrefix(start, "node ") && !strings.ContainsAny(start, "&|;$"):
		s.found("package.json starts it with %q", start)
		p.argv = strings.Fields(start)
	case start != "":
		s.found("package.json starts it with %q", start)
		p.argv = []string{"npm", "start", "--silent"}
	default:
		for _, name := range []string{pkg.Main, "server.js", "index.js", "app.js", "main.js"} {
			if name != "" && s.isFile(name) {
				p.argv, p.guessed = []string{"node", name}, "it starts with node "+name
				break
			}
		}
	}
	p.binary = t.scriptOf(s, p.argv)
	return p, len(p.argv) > 0
}

// scriptOf is the script that an interpreter runs: its digest names what ran, and not the interpreter's.
func (t *topology) scriptOf(s *service, argv []string) string {
	for _, word := range argv[min(1, len(argv)):] {
		if !strings.HasPrefix(word, "-") && s.isFile(word) {
			return filepath.ToSlash(filepath.Join(s.rel(t), word))
		}
	}
	return ""
}

func isPython(name string) bool {
	return slices.Contains([]string{"python", "python3", "uvicorn", "gunicorn", "flask", "hypercorn", "fastapi"}, filepath.Base(name))
}

// pythonProgram runs what the Dockerfile starts, from a virtual environment in the service's folder where it has requirements.
func (t *topology) pythonProgram(s *service, argv []string) (program, bool) {
	p := program{kind: "Python program", inside: true}
	switch {
	case len(argv) > 0 && isPython(argv[0]):
		s.found("it starts with %s", strings.Join(argv, " "))
		p.argv = slices.Clone(argv)
	default:
		for _, name := range []string{"main.py", "app.py", "server.py", "manage.py"} {
			if s.isFile(name) {
				p.argv, p.guessed = []string{"python3", name}, "it starts with python3 "+name
				break
			}
		}
	}
	if len(p.argv) == 0 {
		return p, false
	}
	if p.argv[0] = filepath.Base(p.argv[0]); p.argv[0] == "python" {
		p.argv[0] = "python3"
	}
	p.binary = t.scriptOf(s, p.argv)
	if s.isFile("requirements.txt") {
		rel := s.rel(t)
		p.build = fmt.Sprintf("python3 -m venv %[1]s/.venv && %[1]s/.venv/bin/pip install -q -r %[1]s/requirements.txt", rel)
		p.argv[0] = ".venv/bin/" + p.argv[0]
	}
	return p, true
}

// portOf is the port that the service is reached at: by compose, by the Dockerfile, by its environment.
func (t *topology) portOf(s *service, d dockerfile) int {
	for _, p := range s.c.Ports {
		if p.Protocol == "" || p.Protocol == "tcp" {
			return int(p.Target)
		}
	}
	candidates := slices.Clone([]string(s.c.Expose))
	candidates = append(candidates, d.expose)
	for _, name := range []string{"PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN", "LISTEN_ADDR", "ADDR", "HTTP_ADDR"} {
		value := d.env[name]
		if v := s.c.Environment[name]; v != nil {
			value = *v
		}
		candidates = append(candidates, value[strings.LastIndex(value, ":")+1:])
	}
	for _, text := range candidates {
		text, _, _ = strings.Cut(text, "/")
		if port, err := strconv.Atoi(text); err == nil && port > 0 && port < 65536 {
			return port
		}
	}
	return 0
}
