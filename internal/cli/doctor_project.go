package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
)

// A tool is a program that builds, recipes or our own tests use.
type tool struct {
	name    string
	args    []string
	places  string // a pattern of where else it lies
	means   string
	debian  string // package, "" for none
	fix     string // instead of a package
	passive bool   // its absence is no loss for runs: it is ok without
}

func tools() []tool {
	version := []string{"--version"}
	return []tool{
		{name: "go", args: []string{"version"}, means: "services written in Go cannot be built", fix: "https://go.dev/dl, or apt-get install golang"},
		{name: "git", args: version, means: "runs do not know of which commit the code was", debian: "git"},
		{name: "node", args: version, means: "services for Node cannot be started", debian: "nodejs"},
		{name: "npm", args: version, means: "packages of services for Node cannot be installed", debian: "npm"},
		{name: "python3", args: version, means: "services in Python cannot be started", debian: "python3"},
		{name: "postgres", args: version, places: "/usr/lib/postgresql/*/bin/postgres", means: "recipe postgres cannot run", debian: "postgresql"},
		{name: "redis-server", args: version, means: "recipe redis cannot run", debian: "redis-server"},
		{name: "nats-server", args: version, places: "/usr/sbin/nats-server", means: "recipe nats cannot run", fix: "go install github.com/nats-io/nats-server/v2@latest   # and $(go env GOPATH)/bin in PATH"},
		{name: "docker", args: version, passive: true, means: "nothing: services run as local processes"},
		{name: "chromium", args: version, passive: true, means: "nothing: only tests of reports take pictures"},
	}
}

func programFindings(ctx context.Context) []finding {
	var all []finding
	for _, t := range tools() {
		f := finding{Group: "programs", Name: t.name}
		path, ok := t.path()
		switch {
		case ok:
			f.Status, f.Detail = findingOK, versionOf(ctx, path, t.args)
		case t.passive:
			f.Status, f.Detail = findingOK, "not there, and not needed"
		default:
			f.Status, f.Detail, f.Means, f.Fix = findingMissing, "not in PATH", t.means, t.get()
		}
		all = append(all, f)
	}
	return all
}

func (t tool) path() (string, bool) {
	if path, err := exec.LookPath(t.name); err == nil {
		return path, true
	}
	found, _ := filepath.Glob(t.places)
	slices.Sort(found)
	if len(found) == 0 {
		return "", false
	}
	return found[len(found)-1], true
}

// get is the command that installs a tool, by the package manager that is there.
func (t tool) get() string {
	if t.fix != "" {
		return t.fix
	}
	for manager, command := range map[string]string{"apt-get": "sudo apt-get install -y ", "dnf": "sudo dnf install -y ", "apk": "sudo apk add ", "brew": "brew install "} {
		if _, err := exec.LookPath(manager); err == nil {
			return command + t.debian
		}
	}
	return "install " + t.debian
}

// versionOf asks a program for its version, and does not wait for long.
func versionOf(ctx context.Context, path string, args []string) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return fmt.Sprintf("%s, which does not tell its version: %v", path, err)
	}
	return firstLine(string(out))
}

// projectFindings are about the files of a project and the programs that they name.
func projectFindings(folder string) []finding {
	of := func(f finding) finding { f.Group, f.Needed = "project", true; return f }
	project, err := spec.Load(folder)
	if err != nil {
		detail, count := firstLine(err.Error()), 1
		var wrong spec.Errors
		if errors.As(err, &wrong) {
			count = len(wrong)
		}
		fix := "assay run " + folder + " --dry-run   # shows them all"
		if _, get, ok := strings.Cut(detail, "on Debian: "); ok && count == 1 {
			fix = strings.TrimSuffix(strings.Split(get, ";")[0], ")")
		}
		return []finding{of(lackingOf("files", fmt.Sprintf("%d mistakes; the first: %s", count, detail), "the project cannot be read", fix))}
	}
	all := []finding{of(good("files", "%s: %d services, %d journeys, %d experiments", project.Name, len(project.System.Services), len(project.Journeys), len(project.Experiments)))}
	for _, s := range project.System.Services {
		all = append(all, of(serviceFinding(project, s)))
	}
	return all
}

// serviceFinding says whether what starts and builds a service is there.
func serviceFinding(project *spec.Project, s system.Service) finding {
	if strings.Contains(strings.Join(s.Process.Command, " "), "fill in x-assay.process.command") {
		return lackingOf(s.Name, "a placeholder", "nobody has said yet what starts it here", "fill in x-assay.process.command of "+s.Name)
	}
	if s.Recipe != "" {
		return good(s.Name, "recipe %s: %s", s.Recipe, s.Process.Binary) // it was looked for when the files were read
	}
	for _, program := range programsOf(s) {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		f := lackingOf(s.Name, program+" is not in PATH", "it cannot be built or started", "install "+program)
		for _, t := range tools() {
			if t.name != program {
				continue
			}
			if path, ok := t.path(); ok {
				return good(s.Name, "%s", path)
			}
			f.Fix = t.get()
		}
		return f
	}
	if program := s.Process.Command[0]; strings.Contains(program, "/") && s.Process.Build == "" && !strings.Contains(program, "{{") {
		path := program
		if !filepath.IsAbs(path) {
			path = filepath.Join(project.System.Dir, path)
		}
		if _, err := os.Stat(path); err == nil {
			return good(s.Name, "%s is there", program)
		}
		return good(s.Name, "%s is built before anything starts", program)
	}
	return good(s.Name, "%s", list(programsOf(s)))
}

func list(names []string) string { return strings.Join(names, ", ") + " is there" }

// programsOf are the programs that a service's build line and command look for in PATH.
func programsOf(s system.Service) []string {
	var all []string
	note := func(word string) {
		if word != "" && !strings.ContainsAny(word, "/{$") && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	for _, line := range regexp.MustCompile(`&&|\|\||;|\n`).Split(s.Process.Build, -1) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "cd" && !strings.Contains(words[0], "=") {
			note(words[0])
		}
	}
	note(s.Process.Command[0])
	if m := regexp.MustCompile(`\bexec ([\w.\-]+)`).FindStringSubmatch(strings.Join(s.Process.Command, " ")); m != nil && strings.HasSuffix(s.Process.Command[0], "sh") {
		note(m[1])
	}
	return all
}
