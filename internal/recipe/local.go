package recipe

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Host is a machine's programs.
type Host struct {
	// Look returns the paths that a pattern of paths matches, and for a bare name where PATH has it.
	Look func(pattern string) []string
	// Version returns what the program prints when it is asked for its version.
	Version func(program string) (string, error)
}

// Local is this machine.
func Local() Host { return Host{Look: look, Version: version} }

func look(pattern string) []string {
	if !strings.Contains(pattern, "/") {
		path, err := exec.LookPath(pattern)
		if err != nil {
			return nil
		}
		// Other programs of the same server are in its real folder. Under another name it may be another program.
		if real, err := filepath.EvalSymlinks(path); err == nil && filepath.Base(real) == filepath.Base(path) {
			path = real
		}
		return []string{path}
	}
	paths, _ := filepath.Glob(pattern)
	return slices.DeleteFunc(paths, func(path string) bool { _, err := exec.LookPath(path); return err != nil })
}

func version(program string) (string, error) {
	out, err := exec.Command(program, "--version").CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// A server is a program to look for.
type server struct {
	name    string   // of the recipe
	program string   // "postgres"
	tools   []string // programs that must be in the same folder
	images  []string // last parts of image names whose tags are versions of it
	places  []string // patterns where it may be outside of PATH
	debian  string   // package, with %s for a major version
	plain   string   // package of whatever version
}

// found is a server on this machine.
type found struct {
	program string // absolute
	folder  string
	version string // "15.13"
}

func (f found) major() int { return leading(f.version) }

func leading(version string) int {
	n, _ := strconv.Atoi(regexp.MustCompile(`^\d+`).FindString(version))
	return n
}

// find looks for a server of the version that the service wants: the newest of them.
func (v server) find(s Service, host Host) (found, error) {
	want, key, source := v.wanted(s)
	if s.Version != "" && want == 0 && s.Version != "any" {
		return found{}, wrong("version", `such as "16", or any`, "service %s: %q is no version", s.Name, s.Version)
	}
	all, err := v.candidates(s, host)
	if err != nil {
		return found{}, err
	}
	if len(all) == 0 {
		return found{}, wrong("recipe", v.install(want), "service %s: recipe %s needs the program %s, which is neither in PATH nor in %s",
			s.Name, v.name, v.program, strings.Join(v.places, ", "))
	}
	var has []string
	for _, f := range all {
		if want == 0 || f.major() == want {
			return f, nil
		}
		has = append(has, f.version+" in "+f.folder)
	}
	hint := v.install(want) + "; "
	if key == "image" {
		hint += "or change the tag; "
	}
	return found{}, wrong(key, hint+"or write x-assay.version: any to run what there is",
		"service %s: %s asks for %s %d, and this machine has %s", s.Name, source, v.program, want, strings.Join(has, ", "))
}

func (v server) install(major int) string {
	if major == 0 || !strings.Contains(v.debian, "%s") {
		return "on Debian: apt-get install " + v.plain
	}
	return "on Debian: apt-get install " + fmt.Sprintf(v.debian, strconv.Itoa(major))
}

// wanted returns the major version that the service asks for, 0 for any, and where it does.
func (v server) wanted(s Service) (major int, key, source string) {
	if s.Version != "" {
		return leading(s.Version), "version", "x-assay.version"
	}
	name, tag, _ := strings.Cut(s.Image[strings.LastIndex(s.Image, "/")+1:], ":")
	tag, _, _ = strings.Cut(tag, "@")
	if !slices.Contains(v.images, name) {
		return 0, "image", ""
	}
	return leading(tag), "image", "image " + s.Image
}

// candidates returns the servers of this machine, the newest first.
func (v server) candidates(s Service, host Host) ([]found, error) {
	patterns := append([]string{v.program}, v.places...)
	if s.Binary != "" {
		patterns = []string{s.Binary}
	}
	var all []found
	for _, pattern := range patterns {
		for _, path := range host.Look(pattern) {
			f := found{program: path, folder: filepath.Dir(path)}
			if slices.ContainsFunc(all, func(g found) bool { return g.program == path }) || !v.hasTools(f.folder, host) {
				continue
			}
			text, err := host.Version(path)
			if f.version = regexp.MustCompile(`\d+(\.\d+)*`).FindString(text); err != nil || f.version == "" {
				return nil, wrong("recipe", "", "service %s: %s --version says no version: %q, %v", s.Name, path, text, err)
			}
			all = append(all, f)
		}
	}
	if s.Binary != "" && len(all) == 0 {
		return nil, wrong("binary", "the path of "+v.program, "service %s: %s is no program%s", s.Name, s.Binary, v.beside())
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.major(), a.major()) })
	return all, nil
}

func (v server) beside() string {
	if len(v.tools) == 0 {
		return ""
	}
	return " with " + strings.Join(v.tools, ", ") + " beside it"
}

func (v server) hasTools(folder string, host Host) bool {
	for _, tool := range v.tools {
		if len(host.Look(filepath.Join(folder, tool))) == 0 {
			return false
		}
	}
	return true
}
