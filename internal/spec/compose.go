package spec

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/system"
)

// A topology is the compose file while it is read.
type topology struct {
	*loader
	src        *source
	dir        string // absolute
	services   []*yaml.Node
	names      []string // of services, in the order of the file
	extensions map[string]extension
	trusting   []*yaml.Node // texts with {{ca}}
}

// compose reads the topology that assay.yaml names at a node. The nodes are
// checked first, since they have positions, then compose-go reads the file, and what it
// finds wrong is put where its message points.
func (l *loader) compose(at *yaml.Node) {
	path := l.below(at.Value)
	src, err := l.open(path, true)
	if err != nil {
		l.parts.src.wrong(at, "", "%s cannot be read: %v", at.Value, unwrapPath(err))
		return
	}
	l.composeSource(src, path)
}

// composeSource reads the topology from a file that was parsed.
func (l *loader) composeSource(src *source, path string) {
	if src.root == nil {
		return
	}
	t := &topology{loader: l, src: src, dir: filepath.Dir(path), extensions: map[string]extension{}}
	before := len(l.errs)
	if !t.find() {
		return
	}
	src.dollarSigns(src.root)
	t.refuse()
	t.checkDependencies()
	for i, name := range t.names {
		t.extensions[name] = t.extension(name, t.services[i])
	}
	t.checkTrust()
	project, err := ReadCompose(path, t.src.content)
	if err != nil {
		if len(l.errs) == before {
			t.libraryError(err)
		}
		return
	}
	t.system(project)
}

// CheckTopology returns what is wrong with a compose file, on a machine with the programs of host, with content in
// place of what is on disk.
func CheckTopology(host recipe.Host, path string, content []byte) Errors {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Errors{{File: path, Line: 1, Col: 1, Msg: err.Error()}}
	}
	// The file is named as the user wrote it, below the folder of an assay.yaml that would be beside it.
	l := &loader{host: host, project: &Project{File: filepath.Join(filepath.Dir(path), FileName), Dir: filepath.Dir(abs), Files: map[string][]byte{}}}
	l.composeSource(l.source(abs, content, true), abs)
	return l.errs.sorted()
}

// unwrapPath drops "open PATH: ", which the message has already.
func unwrapPath(err error) error {
	if wrapped, ok := err.(*os.PathError); ok {
		return wrapped.Err
	}
	return err
}

// find notes the services' nodes.
func (t *topology) find() bool {
	src := t.src
	if !src.isMapping(filepath.Base(src.name), src.root) {
		return false
	}
	_, services := child(src.root, "services")
	if services == nil {
		src.wrong(src.root, "", "there are no services")
		return false
	}
	if !src.isMapping("services", services) {
		return false
	}
	if len(services.Content) == 0 {
		src.wrong(services, "", "there are no services")
		return false
	}
	for i := 0; i+1 < len(services.Content); i += 2 {
		key, n := services.Content[i], services.Content[i+1]
		if key.Value == system.Client {
			src.wrong(key, "choose another name", "a service cannot be called client: that is the load driver")
		}
		if src.isMapping("service "+brief(key.Value), n) {
			t.names, t.services = append(t.names, key.Value), append(t.services, n)
		}
	}
	return len(t.names) > 0
}

// refuse reports what local processes cannot do, rather than leave it out in silence.
func (t *topology) refuse() {
	const local = "assay runs services as local processes"
	refused := map[string]string{
		"privileged": local, "devices": local, "gpus": local, "ipc": local, "pid": local, "network_mode": local, "runtime": local,
		"provider": local, "pre_start": local, "post_start": local, "pre_stop": local,
		"extends": "YAML anchors and << can share parts of services",
	}
	for i, n := range t.services {
		for key, why := range refused {
			if k, value := child(n, key); k != nil && value.Value != "false" {
				t.src.wrong(k, why, "service %s: %s is not supported", t.names[i], key)
			}
		}
		t.refuseHostEnvironment(t.names[i], n)
	}
	for _, key := range []string{"include", "jobs"} {
		if k, _ := child(t.src.root, key); k != nil {
			t.src.wrong(k, "put all services under services", "%s is not supported", key)
		}
	}
}

// refuseHostEnvironment reports variables without a value, which compose would
// take from whoever starts it: a run must not depend on that.
func (t *topology) refuseHostEnvironment(service string, n *yaml.Node) {
	const why = "give it a value: nothing is passed on from the environment of assay"
	_, env := child(n, "environment")
	if env == nil {
		return
	}
	for i, item := range env.Content {
		switch {
		case env.Kind == yaml.SequenceNode && item.Kind == yaml.ScalarNode && !strings.Contains(item.Value, "="):
			t.src.wrong(item, why, "service %s: variable %s has no value", service, brief(item.Value))
		case env.Kind == yaml.MappingNode && i%2 == 0 && env.Content[i+1].ShortTag() == "!!null":
			t.src.wrong(item, why, "service %s: variable %s has no value", service, brief(item.Value))
		}
		if env.Kind == yaml.SequenceNode || i%2 == 1 {
			t.template(undollarTree(item))
		}
	}
}

// system puts the services together, in order of name.
func (t *topology) system(project *types.Project) {
	sys := &t.project.System
	sys.Dir = t.dir
	for i, name := range t.names {
		service, ok := project.Services[name]
		if !ok {
			continue // of a profile that is not on
		}
		t.keepEnvFiles(service)
		sys.Services = append(sys.Services, t.service(service, t.services[i]))
	}
	slices.SortFunc(sys.Services, func(a, b system.Service) int { return cmp.Compare(a.Name, b.Name) })
	t.checkNames()
}

// checkNames reports an instance that has the name of a service: targets and addresses could mean both.
func (t *topology) checkNames() {
	for _, instance := range t.project.System.Instances() {
		if _, ok := t.project.System.Service(instance.Name); ok {
			t.src.wrong(t.serviceKey(instance.Name), "choose another name", "service %s has the name of an instance of service %s", instance.Name, instance.Service)
		}
	}
}

func (t *topology) serviceKey(name string) *yaml.Node {
	_, services := child(t.src.root, "services")
	key, _ := child(services, name)
	return key
}

func (t *topology) keepEnvFiles(service types.ServiceConfig) {
	for _, file := range service.EnvFiles {
		if content, err := read(file.Path); err == nil {
			t.keep(file.Path, content)
		}
	}
}
