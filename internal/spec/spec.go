// Package spec reads the files that a user writes: assay.yaml, the compose file
// and the experiments. It turns them into values, and reports every mistake at once, each with file, line and column.
//
//	project, err := spec.Load("examples/shop")
//	var wrong spec.Errors
//	if errors.As(err, &wrong) { … }
//
// docs/files.md describes the formats. What may stand where is written out in
// tables next to the code that reads it.
package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/workload"
)

// FileName is the name of the file that describes a project.
const FileName = "assay.yaml"

// How the state that the setup left comes back between experiments.
const (
	RestoreCopy  = "copy"  // data folders are put back from a copy; for setups that take long
	RestoreRerun = "rerun" // the system starts empty, and the setup runs again; for systems that start faster when new
)

// A Project is everything that the files of one system say.
type Project struct {
	File        string // assay.yaml, as the user wrote it or below the folder that the user wrote
	Dir         string // its folder, absolute; Pos of all values are relative to it
	Name        string
	Seed        uint64
	System      system.System
	Journeys    []workload.Journey // in the order of the file
	Setup       []workload.Step
	Restore     string // RestoreCopy or RestoreRerun
	Final       []workload.Step
	Defects     []Defect // in the order of the file
	Experiments []experiment.Experiment
	Declared    []experiment.Experiment `json:"-"` // all of them, also where only some are to run
	Contracts   []Contract              // in the order of the file
	Policy      gate.Policy             // of the gate; the default one where assay.yaml names none
	// Files holds every file that was read, by its path below Dir, for evidence.
	Files map[string][]byte
}

// A Defect is a way to run the system with one of its mechanisms taken out.
type Defect struct {
	Name    string            `json:"name"`
	Service string            `json:"service"`
	Env     map[string]string `json:"env"`
	Pos     string            `json:"pos,omitempty"`
}

// Load reads a project from its assay.yaml, or from a folder that has one. Its
// mistakes are an Errors; any other error says that a file cannot be read.
func Load(path string) (*Project, error) { return LoadOn(recipe.Local(), path) }

// LoadOn is Load for a machine with the programs of host, which services with a recipe run.
func LoadOn(host recipe.Host, path string) (*Project, error) {
	return load(&loader{host: host}, path)
}

// LoadContracts is Load for those who compare contracts alone: a project that names some, and neither a topology nor journeys, is whole to them.
func LoadContracts(path string) (*Project, error) {
	return load(&loader{host: recipe.Local(), contractsAlone: true}, path)
}

func load(l *loader, path string) (*Project, error) {
	file := path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file = filepath.Join(path, FileName)
	}
	content, err := read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Errors{{File: file, Line: 1, Col: 1, Msg: "there is no such file", Hint: "a project is a folder with an " + FileName}}
	}
	if err != nil {
		return nil, fmt.Errorf("read the project: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("read the project: %w", err)
	}
	l.project = &Project{File: file, Dir: dir, Seed: 1, Restore: RestoreCopy, Policy: gate.Default(), Files: map[string][]byte{}}
	l.load(content)
	if len(l.errs) > 0 {
		return nil, l.errs.sorted()
	}
	l.project.Declared = l.project.Experiments
	return l.project, nil
}

// WithDefect returns a copy of the project with the defect's environment set on its service.
func (p *Project) WithDefect(name string) (*Project, error) {
	i := slices.IndexFunc(p.Defects, func(d Defect) bool { return d.Name == name })
	if i < 0 {
		return nil, Errors{{File: p.File, Line: 1, Col: 1, Msg: fmt.Sprintf("no defect is called %q", name), Hint: hint(name, p.defectNames())}}
	}
	defect, planted := p.Defects[i], *p
	planted.System.Services = slices.Clone(p.System.Services)
	for j := range planted.System.Services {
		service := &planted.System.Services[j]
		if service.Name != defect.Service {
			continue
		}
		service.Process.Env = maps.Clone(service.Process.Env)
		if service.Process.Env == nil {
			service.Process.Env = map[string]string{}
		}
		maps.Copy(service.Process.Env, defect.Env)
	}
	return &planted, nil
}

func (p *Project) defectNames() []string {
	var names []string
	for _, d := range p.Defects {
		names = append(names, d.Name)
	}
	return names
}

func (p *Project) journeyNames() []string {
	var names []string
	for _, j := range p.Journeys {
		names = append(names, j.Name)
	}
	return names
}

func (p *Project) serviceNames() []string {
	var names []string
	for _, s := range p.System.Services {
		names = append(names, s.Name)
	}
	return names
}

// A loader reads the files of one project, and collects their mistakes.
type loader struct {
	project *Project
	host    recipe.Host
	errs    Errors
	parts   parts
	cel     *cel.Env // nil until needed
	// contractsAlone says that contracts are all that is asked for.
	contractsAlone bool
	// seen is told of each mapping and the keys it may have, so that a test can hold the schemas against them.
	seen func(src *source, n *yaml.Node, fields []field)
}

// open reads a file that another one names at a node, relative to dir.
func (l *loader) open(path string, dollars bool) (*source, error) {
	content, err := read(path)
	if err != nil {
		return nil, err
	}
	return l.source(path, content, dollars), nil
}

func (l *loader) source(path string, content []byte, dollars bool) *source {
	rel := l.keep(path, content)
	name := rel
	if !filepath.IsAbs(rel) {
		name = filepath.Join(filepath.Dir(l.project.File), rel)
	}
	src := parse(name, rel, content, dollars, &l.errs)
	if l.seen != nil {
		src.seen = func(n *yaml.Node, fields []field) { l.seen(src, n, fields) }
	}
	return src
}

// keep notes a file for evidence, and returns its path below the project's folder.
func (l *loader) keep(path string, content []byte) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if rel, err := filepath.Rel(l.project.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		path = rel
	}
	path = filepath.ToSlash(path)
	l.project.Files[path] = content
	return path
}

// below resolves a path that a file of the project names.
func (l *loader) below(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.project.Dir, path)
}
