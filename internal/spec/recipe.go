package spec

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/system"
)

// defaultAfter is how long a leader must be gone before another takes over, where the file does not say.
const defaultAfter = 2 * time.Second

// recipeKeys notes where the keys of x-assay are, and reports those that only a recipe gives a meaning.
func (t *topology) recipeKeys(e *extension, n *yaml.Node) {
	e.at = map[string]*yaml.Node{}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		e.at[n.Content[i].Value] = n.Content[i+1]
	}
	if _, ok := e.at["recipe"]; ok {
		return
	}
	for _, key := range []string{"version", "standby", "synchronous", "failover"} {
		if at, ok := e.at[key]; ok {
			t.src.wrong(at, "recipes: "+strings.Join(recipe.Names(), ", "), "%s needs a recipe beside it", key)
		}
	}
}

// failover reads who makes another instance lead, and after what time.
func (t *topology) failover(options *recipe.Options, name string, n *yaml.Node) {
	src, by := t.src, ""
	options.After = defaultAfter
	src.object(n, name,
		field{"by", func(name string, n *yaml.Node) {
			src.text(&by)(name, n)
			if by != "" && by != "assay" {
				src.wrong(n, "assay; without failover nobody takes over", "nobody called %q can fail over", brief(by))
			}
		}, true},
		field{"after", src.duration(&options.After, 1), false})
}

// withRecipe returns the service as the recipe runs it. What the user wrote wins over what the recipe says.
func (t *topology) withRecipe(s system.Service, c types.ServiceConfig, n *yaml.Node, e extension) system.Service {
	written := recipe.Service{Name: s.Name, Image: c.Image, Command: append(slices.Clone([]string(c.Entrypoint)), c.Command...),
		Env: s.Process.Env, Replicas: s.Replicas, Options: e.options}
	written.Binary = e.process.Binary
	if strings.Contains(written.Binary, "/") && !filepath.IsAbs(written.Binary) {
		written.Binary = filepath.Join(t.dir, written.Binary)
	}
	if len(s.Process.Command) > 0 {
		written.Command = nil // nobody runs it
	}
	var err error
	if written.Scripts, err = t.initScripts(c); err != nil {
		t.recipeError(err, n, e)
		return s
	}
	made, err := recipe.Expand(e.recipe, written, t.host)
	if err != nil {
		t.recipeError(err, n, e)
		return s
	}
	s.Recipe, s.Replicas, s.Lead = made.Recipe, made.Replicas, made.Lead
	s.Ports = append(s.Ports, made.Ports...)
	slices.Sort(s.Ports)
	s.Ports = slices.Compact(s.Ports)
	if e.ready == nil {
		s.Ready = made.Ready
	}
	s.Probes = over(made.Probes, s.Probes)
	s.Process = overProcess(made.Process, s.Process)
	return s
}

// initScripts returns the files that the compose file mounts into the folder from which an image fills a new database.
func (t *topology) initScripts(c types.ServiceConfig) ([]recipe.Script, error) {
	var all []recipe.Script
	for _, v := range c.Volumes {
		target := path.Clean(v.Target)
		if v.Type != types.VolumeTypeBind || target != recipe.InitFolder && path.Dir(target) != recipe.InitFolder {
			continue
		}
		source := v.Source
		if !filepath.IsAbs(source) {
			source = filepath.Join(t.dir, source)
		}
		files, err := filesAt(source)
		if err != nil {
			return nil, t.unmounted(c.Name, source, err)
		}
		for _, file := range files {
			script := recipe.Script{Name: filepath.Base(file), Path: file}
			if target != recipe.InitFolder {
				script.Name = path.Base(target)
			}
			if script.Sum, err = evidence.Digest(file); err != nil {
				return nil, t.unmounted(c.Name, file, errors.Unwrap(err))
			}
			if script.Runs() {
				t.keepScript(script)
			}
			all = append(all, script)
		}
	}
	return all, nil
}

// keepScript keeps a script for evidence, and of one that is too long to be kept its digest.
func (t *topology) keepScript(script recipe.Script) {
	content, err := read(script.Path)
	if err != nil {
		content = []byte(script.Sum + "\n")
	}
	t.keep(script.Path, content)
}

func (t *topology) unmounted(service, file string, err error) error {
	if rel, relErr := filepath.Rel(t.dir, file); relErr == nil {
		file = rel
	}
	return &recipe.Error{Key: "volumes", Hint: "a file or folder of this machine, with *.sql and *.sql.gz",
		Msg: fmt.Sprintf("service %s: %s is to fill the new database, and cannot be read: %v", service, file, unwrapPath(err))}
}

// filesAt returns a file, or the files of a folder.
func filesAt(source string) ([]string, error) {
	info, err := os.Stat(source)
	if err != nil || !info.IsDir() {
		return []string{source}, err
	}
	entries, err := os.ReadDir(source)
	var files []string
	for _, entry := range entries {
		file := filepath.Join(source, entry.Name())
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	return files, err
}

func overProcess(made, written system.Process) system.Process {
	p := made
	p.Build, p.Dir = written.Build, written.Dir
	if len(written.Command) > 0 {
		p.Command = written.Command
	}
	if written.Signal != "" {
		p.Signal = written.Signal
	}
	if written.Grace > 0 {
		p.Grace = written.Grace
	}
	p.Env, p.Files = over(made.Env, written.Env), over(made.Files, written.Files)
	return p
}

// over returns what a table has, with what another one has over it.
func over[V any](below, above map[string]V) map[string]V {
	all := maps.Clone(below)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, above)
	return all
}

// recipeError puts what a recipe finds wrong where it is written.
func (t *topology) recipeError(err error, n *yaml.Node, e extension) {
	var wrong *recipe.Error
	if !errors.As(err, &wrong) {
		t.src.wrong(e.at["recipe"], "", "%v", err)
		return
	}
	at := e.at[wrong.Key]
	if _, inCompose := child(n, wrong.Key); at == nil && inCompose != nil {
		at = inCompose
	}
	if _, entrypoint := child(n, "entrypoint"); wrong.Key == "command" && entrypoint != nil {
		at = entrypoint
	}
	if wrong.Key == "replicas" {
		at = t.replicasNode(n, "")
	}
	if at == nil {
		at = e.at["recipe"]
	}
	t.src.wrong(at, wrong.Hint, "%s", wrong.Msg)
}
