// Package scaffold makes the first files of a project from a compose file: what
// assay needs to run the services as local processes goes into the compose file
// under x-assay, beside it come assay.yaml with one journey, four experiments and gate.yaml.
//
//	plan, err := scaffold.New("shop/compose.yaml", scaffold.Options{})
//	for _, f := range plan.Files { … } // nothing is written before plan.Write()
//
// What it finds in the services' folders it says as found, what it supposes as
// guessed, and what it cannot know as the user's to fill in. A placeholder stands in
// for that: it loads, shows in a dry run, and ends a run with what is to be filled in.
package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/internal/spec"
)

// Options say how to make the files.
type Options struct {
	Force bool        // replace files and x-assay keys that are there
	Host  recipe.Host // the programs that recipes run; zero: this machine's
}

// A File is one file of the plan.
type File struct {
	Path    string `json:"path"` // below the project's folder
	Action  string `json:"action"`
	Note    string `json:"note,omitempty"` // what is changed in it, or why it is kept
	Content []byte `json:"-"`
	before  []byte // nil where there was none
}

// What is done with a file.
const (
	Create  = "create"
	Change  = "change"  // lines are added
	Replace = "replace" // with --force
	Keep    = "keep"    // it is there, and stays as it is
)

// A Service is what was found out about one service.
type Service struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`              // "Go program", "postgres (recipe)", "mysql"
	Found   []string `json:"found,omitempty"`   // read from files
	Guessed []string `json:"guessed,omitempty"` // supposed
	FillIn  []string `json:"fill_in,omitempty"` // for the user to say
	Missing []string `json:"missing,omitempty"` // programs that this machine lacks, and how to get them
}

// A Plan is what is to be written, and why.
type Plan struct {
	Dir      string    `json:"dir"`     // absolute
	Compose  string    `json:"compose"` // below Dir
	Ignored  []string  `json:"ignored,omitempty"`
	Journey  string    `json:"journey,omitempty"` // the call of the first journey
	Notes    []string  `json:"notes,omitempty"`   // what the experiments cannot show yet, and why
	Services []Service `json:"services"`
	Files    []File    `json:"files"`
}

// Changes says whether there is anything to write.
func (p *Plan) Changes() bool {
	return slices.ContainsFunc(p.Files, func(f File) bool { return f.Action != Keep })
}

// Missing says whether this machine lacks a program.
func (p *Plan) Missing() bool {
	return slices.ContainsFunc(p.Services, func(s Service) bool { return len(s.Missing) > 0 })
}

// FillIn returns all that is left to the user, with the service's name in front.
func (p *Plan) FillIn() []string {
	var all []string
	for _, s := range p.Services {
		for _, text := range s.FillIn {
			all = append(all, s.Name+": "+text)
		}
	}
	return all
}

// candidates are the names of compose files, in Docker's order of preference.
func candidates() []string {
	return []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}
}

// find returns the compose file that a path means, and others beside it that are not read.
func find(path string) (file string, ignored []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, spec.Errors{{File: path, Line: 1, Col: 1, Msg: "there is no such file or folder", Hint: "name your compose file, or a folder with one"}}
	}
	if !info.IsDir() {
		return path, nil, nil
	}
	for _, name := range append(candidates(), "compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml", "docker-compose.override.yml") {
		_, err := os.Stat(filepath.Join(path, name))
		switch {
		case err != nil:
		case file == "" && slices.Contains(candidates(), name):
			file = filepath.Join(path, name)
		default:
			ignored = append(ignored, name)
		}
	}
	if file == "" {
		return "", nil, spec.Errors{{File: path, Line: 1, Col: 1, Msg: "there is no compose file here (compose.yaml, docker-compose.yml)",
			Hint: "write one with your services, their build or image and their ports: docs/tutorial.md has one of ten lines"}}
	}
	return file, ignored, nil
}

// New reads the compose file at path, or the one in the folder path, and plans. It writes nothing.
// Mistakes in the compose file are spec.Errors.
func New(path string, opts Options) (*Plan, error) {
	file, ignored, err := find(path)
	if err != nil {
		return nil, err
	}
	if opts.Host.Look == nil {
		opts.Host = recipe.Local()
	}
	t, err := read(file, opts.Host)
	if err != nil {
		return nil, err
	}
	p := &Plan{Dir: t.dir, Compose: filepath.Base(file), Ignored: ignored}
	t.detect(opts)
	if err := p.compose(t, opts); err != nil {
		return nil, err
	}
	p.project(t, opts)
	for _, s := range t.services {
		p.Services = append(p.Services, s.Service)
	}
	return p, nil
}

// compose plans the change of the compose file, and looks whether the result is one that assay can read.
func (p *Plan) compose(t *topology, opts Options) error {
	content, changed, err := t.insert(opts)
	if err != nil {
		return err
	}
	f := File{Path: p.Compose, Action: Keep, Note: "every service has x-assay", Content: content, before: t.content}
	if !bytes.Equal(content, t.content) {
		f.Action, f.Note = Change, fmt.Sprintf("x-assay of %s", list(changed))
	}
	p.Files = append(p.Files, f)
	return nil
}

// project plans assay.yaml and what belongs to it. Where there is an assay.yaml, the experiments are somebody's already.
func (p *Plan) project(t *topology, opts Options) {
	wanted := t.projectFiles(p.Compose)
	_, err := os.Stat(filepath.Join(p.Dir, spec.FileName))
	mine := errors.Is(err, fs.ErrNotExist)
	for _, f := range wanted {
		f.Action = Create
		before, err := os.ReadFile(filepath.Join(p.Dir, f.Path))
		switch there := err == nil; {
		case there && bytes.Equal(before, f.Content):
			f.Action, f.Note = Keep, "as it would be written"
		case there && opts.Force:
			f.Action, f.before = Replace, before
		case there:
			f.Action, f.Note = Keep, "it is there; --force replaces it"
		case !mine && !opts.Force:
			continue
		}
		p.Files = append(p.Files, f)
	}
	entry := t.entry()
	if entry == nil {
		return
	}
	p.Journey = entry.call(entry.path)
	if mine || opts.Force {
		p.Notes = t.notes(entry)
	}
}

// Write writes what is planned. The compose file comes last, so that an error before leaves it as it was.
func (p *Plan) Write() error {
	files := slices.Clone(p.Files)
	slices.Reverse(files)
	for _, f := range files {
		if f.Action == Keep {
			continue
		}
		if err := p.write(f); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	return nil
}

// write writes one file whole or not at all. Somebody who edited it since it was read keeps the edit.
func (p *Plan) write(f File) error {
	path := filepath.Join(p.Dir, f.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if now, err := os.ReadFile(path); err == nil && !bytes.Equal(now, f.before) {
		return errors.New("it changed while init read it: run init again")
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // gone once it is renamed
	_, err = temp.Write(f.Content)
	if err := errors.Join(err, temp.Chmod(mode), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
