package spec

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/workload"
)

// parts are the nodes of assay.yaml whose checks need all of the file.
type parts struct {
	src         *source
	topology    *yaml.Node
	experiments []*yaml.Node
	journeys    map[string]*yaml.Node
	setup       *yaml.Node
	final       *yaml.Node
	defects     []*yaml.Node // the service of each
	hasDefects  bool
	gate        *yaml.Node
	covered     []*yaml.Node // journeys that contracts name
	broken      []string     // Pos of steps and journeys whose shape is wrong
}

// load reads assay.yaml and all that it names.
func (l *loader) load(content []byte) {
	src := l.source(l.project.File, content, false)
	if src.root == nil {
		return
	}
	if filepath.Base(src.name) != FileName && isExperiment(src.root) {
		name := strings.TrimSuffix(filepath.Base(src.name), filepath.Ext(src.name))
		src.wrong(src.root, "a project is a folder with an "+FileName, "this is an experiment: run its project with -x %s", name)
		return
	}
	if !l.readAssay(src) {
		return
	}
	l.project.System.Name, l.project.System.Seed, l.project.System.Dir = l.project.Name, l.project.Seed, l.project.Dir
	if l.parts.topology != nil {
		l.compose(l.parts.topology)
	}
	l.checkDefects()
	l.checkSteps()
	l.checkContracts()
	for _, glob := range l.parts.experiments {
		l.experiments(glob)
	}
	if l.parts.gate != nil {
		l.policy(l.parts.gate)
	}
}

// isExperiment says whether a file that stands for a project is one of its experiments.
func isExperiment(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && !hasKey(n, "system") && (hasKey(n, "method") || hasKey(n, "load"))
}

func hasKey(n *yaml.Node, name string) bool {
	key, _ := child(n, name)
	return key != nil
}

// readAssay reads assay.yaml alone.
func (l *loader) readAssay(src *source) bool {
	l.parts = parts{src: src, journeys: map[string]*yaml.Node{}}
	driven := !l.contractsAlone || hasKey(src.root, "topology") || hasKey(src.root, "journeys") || hasKey(src.root, "experiments")
	return src.object(src.root, "assay.yaml",
		field{"system", src.text(&l.project.Name), true},
		field{"topology", l.topology, driven},
		field{"seed", l.seed, false},
		field{"setup", l.phase(&l.project.Setup, &l.parts.setup), false},
		field{"restore", l.restore, false},
		field{"journeys", src.entries(l.journey), driven},
		field{"final", l.phase(&l.project.Final, &l.parts.final), false},
		field{"defects", l.readDefects, false},
		field{"experiments", src.list(l.experimentGlob), false},
		field{"contracts", src.list(l.contract), false},
		field{"gate", l.gate, false})
}

func (l *loader) topology(name string, n *yaml.Node) {
	var path string
	l.parts.src.text(&path)(name, n)
	if path != "" {
		l.parts.topology = n
	}
}

func (l *loader) seed(name string, n *yaml.Node) {
	seed, err := strconv.ParseUint(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || err != nil {
		l.parts.src.wrong(n, "", "%s must be a whole number from 0, and this is %s", name, describe(n))
		return
	}
	l.project.Seed = seed
}

// restore reads how the state of the setup comes back between experiments.
func (l *loader) restore(name string, n *yaml.Node) {
	l.parts.src.text(&l.project.Restore)(name, n)
	if l.project.Restore != RestoreCopy && l.project.Restore != RestoreRerun {
		l.parts.src.wrong(n, hint(n.Value, []string{RestoreCopy, RestoreRerun}), "%s cannot be %s", name, describe(n))
	}
}

// phase reads the steps of setup or final.
func (l *loader) phase(into *[]workload.Step, at **yaml.Node) reader {
	return func(name string, n *yaml.Node) {
		*at = n
		l.parts.src.list(func(_ string, n *yaml.Node) { *into = append(*into, l.step(n)) })(name, n)
	}
}

func (l *loader) experimentGlob(name string, n *yaml.Node) {
	var glob string
	l.parts.src.text(&glob)(name, n)
	if glob != "" {
		l.parts.experiments = append(l.parts.experiments, n)
	}
}

func (l *loader) journey(key, n *yaml.Node) {
	src, before := l.parts.src, len(l.errs)
	j := workload.Journey{Name: key.Value, Pos: src.pos(key)}
	l.parts.journeys[j.Name] = n
	src.object(n, "journey "+j.Name,
		field{"owner", src.text(&j.Owner), false},
		field{"data", src.entries(func(key, n *yaml.Node) { l.datum(&j, key, n) }), false},
		field{"steps", src.list(func(_ string, n *yaml.Node) { j.Steps = append(j.Steps, l.step(n)) }), true})
	l.project.Journeys = append(l.project.Journeys, j)
	if len(l.errs) > before {
		l.parts.broken = append(l.parts.broken, j.Pos)
	}
}

func (l *loader) datum(j *workload.Journey, key, n *yaml.Node) {
	l.identifier("data", key)
	if j.Data == nil {
		j.Data = map[string]any{}
	}
	j.Data[key.Value] = plain(n)
}

// identifier checks a name that expressions can read.
func (l *loader) identifier(what string, n *yaml.Node) bool {
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(n.Value) {
		l.parts.src.wrong(n, "letters, digits and _", "%s: %q is no name that an expression can read", what, brief(n.Value))
		return false
	}
	return true
}

func (l *loader) readDefects(name string, n *yaml.Node) {
	l.parts.hasDefects = true
	l.parts.src.entries(l.defect)(name, n)
}

func (l *loader) defect(key, n *yaml.Node) {
	src := l.parts.src
	d := Defect{Name: key.Value, Pos: src.pos(key)}
	var service *yaml.Node
	src.object(n, "defect "+d.Name,
		field{"service", func(name string, n *yaml.Node) { service = n; src.text(&d.Service)(name, n) }, true},
		field{"env", src.table(&d.Env), true})
	if service != nil && d.Service != "" {
		l.project.Defects = append(l.project.Defects, d)
		l.parts.defects = append(l.parts.defects, service)
	}
}

func (l *loader) checkDefects() {
	if len(l.project.System.Services) == 0 {
		return // the topology's own mistakes are shown
	}
	for i, d := range l.project.Defects {
		if _, ok := l.project.System.Service(d.Service); !ok {
			l.parts.src.wrong(l.parts.defects[i], hint(d.Service, l.project.serviceNames()), "no service is called %q", brief(d.Service))
		}
	}
}

// experiments reads the files that one pattern names, in order of name.
func (l *loader) experiments(glob *yaml.Node) {
	src := l.parts.src
	paths, err := filepath.Glob(l.below(glob.Value))
	if err != nil {
		src.wrong(glob, "* any text, ? any character, [ab] one of them", "%q is no pattern of files", glob.Value)
		return
	}
	if len(paths) == 0 {
		src.wrong(glob, "paths are relative to "+filepath.Base(l.project.File), "no file matches %q", glob.Value)
	}
	slices.Sort(paths)
	for _, path := range paths {
		l.experimentFile(glob, path)
	}
}

func (l *loader) experimentFile(glob *yaml.Node, path string) {
	rel, _ := filepath.Rel(l.project.Dir, path)
	if _, read := l.project.Files[filepath.ToSlash(rel)]; read {
		return // two patterns match it
	}
	src, err := l.open(path, false)
	if err != nil {
		l.parts.src.wrong(glob, "", "%v", err)
		return
	}
	if !utf8.ValidString(path) {
		l.parts.src.wrong(glob, "", "%q is no readable name of a file", path)
		return
	}
	if src.root != nil {
		l.experiment(src, path)
	}
}
