package scaffold

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/internal/spec"
)

// A topology is a compose file that was read.
type topology struct {
	path, dir string
	content   []byte
	host      recipe.Host
	root      *yaml.Node
	services  []*service // in the order of the file
}

// A service is one of them, and what is proposed for it.
type service struct {
	Service
	c    types.ServiceConfig
	key  *yaml.Node // its name
	node *yaml.Node
	has  bool   // it has x-assay already
	kind string // recipe of a database or broker; "app" for what is built; "" for what is neither
	dir  string // of what is built, absolute
	// x is the x-assay that is proposed, one line each, without indentation.
	x      []string
	port   int    // that it answers HTTP on, 0 for none
	path   string // that it answers with 200
	stands bool   // it has a standby that takes over
	deep   string // a path that looks like one of users, and so may go through what is behind it; "" for none
	asks   bool   // its path goes through what is behind it, as its source looks
	// deepAsks says so of the path deep.
	deepAsks bool
	post     string // a path that users write to; "" for none
	needs    []*service
	source   string // what its source says, bounded
}

func (s *service) found(format string, args ...any) {
	s.Found = append(s.Found, fmt.Sprintf(format, args...))
}
func (s *service) guessed(format string, args ...any) {
	s.Guessed = append(s.Guessed, fmt.Sprintf(format, args...))
}
func (s *service) fillIn(format string, args ...any) {
	s.FillIn = append(s.FillIn, fmt.Sprintf(format, args...))
}
func (s *service) add(format string, args ...any) { s.x = append(s.x, fmt.Sprintf(format, args...)) }

// read reads a compose file. What assay cannot run, whatever is added under x-assay, is a mistake.
func read(path string, host recipe.Host) (*topology, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &topology{path: path, dir: filepath.Dir(abs), content: content, host: host}
	if errs := mendable(spec.CheckTopology(host, path, content)); len(errs) > 0 {
		return nil, errs
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, err // CheckTopology has read it
	}
	t.root = document.Content[0]
	project, err := spec.ReadCompose(abs, content)
	if err != nil {
		return nil, err
	}
	services := value(t.root, "services")
	for i := 0; i+1 < len(services.Content); i += 2 {
		key, node := services.Content[i], services.Content[i+1]
		if c, ok := project.Services[key.Value]; ok { // else of a profile that is not on
			t.services = append(t.services, &service{Service: Service{Name: key.Value}, c: c, key: key, node: node, has: c.Extensions["x-assay"] != nil})
		}
	}
	if len(t.services) == 0 {
		return nil, spec.Errors{{File: path, Line: services.Line, Col: services.Column, Msg: "every service has a profile, and none is on", Hint: "assay runs the services without profiles"}}
	}
	return t, nil
}

// mendable drops what x-assay is going to mend: that a service has nothing that runs here.
func mendable(errs spec.Errors) spec.Errors {
	return slices.DeleteFunc(errs, func(e *spec.Error) bool {
		return strings.Contains(e.Hint, "x-assay.process") || strings.Contains(e.Hint, "x-assay.recipe") || lacksProgram(e)
	})
}

// lacksProgram says whether it is the machine that something is wrong with.
func lacksProgram(e *spec.Error) bool { return strings.Contains(e.Hint, "apt-get install") }

// value returns the value of a key, through an alias.
func value(n *yaml.Node, key string) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// detect finds out what each service is, and proposes its x-assay.
func (t *topology) detect(opts Options) {
	for _, s := range t.services {
		t.know(s)
		if s.has && !opts.Force {
			s.x, s.FillIn, s.Guessed = nil, nil, nil
			s.Found = []string{"it has x-assay, which stays as it is"}
			s.declared()
		}
	}
	for _, s := range t.services {
		s.needs = t.needsOf(s)
	}
	if entry := t.entry(); entry != nil && entry.deep != "" && (!entry.has || opts.Force) {
		text := "its source has the route GET %s: it is the second journey"
		if entry.deepAsks {
			text = "its source has the route GET %s, which asks what is behind it: it is the second journey"
		}
		entry.guessed(text, entry.deep)
	}
}

// declared takes port and path from a readiness that the user wrote, and whether there is a standby.
func (s *service) declared() {
	x := value(s.node, "x-assay")
	s.stands = value(x, "standby") != nil && value(x, "failover") != nil
	if http := value(value(x, "ready"), "http"); http != nil {
		port, path, _ := strings.Cut(http.Value, "/")
		if n, err := strconv.Atoi(port); err == nil {
			s.port, s.path = n, "/"+path
			s.routes()
		}
	}
}

// know says what a service is.
func (t *topology) know(s *service) {
	switch name := imageName(s.c.Image); {
	case s.c.Build != nil:
		s.kind = "app"
		t.app(s)
	case recipeOf(name) != "":
		t.recipe(s, recipeOf(name))
	default:
		t.unknown(s, name)
	}
}

// needsOf returns the services that one depends on, by its depends_on and by what its environment names.
func (t *topology) needsOf(s *service) []*service {
	var needs []*service
	for _, other := range t.services {
		_, declared := s.c.DependsOn[other.Name]
		if other != s && (declared || s.names(other.Name)) {
			needs = append(needs, other)
		}
	}
	return needs
}

// names says whether a variable of the environment names a host.
func (s *service) names(host string) bool {
	for _, text := range s.c.Environment {
		if text == nil {
			continue
		}
		for _, part := range strings.FieldsFunc(*text, func(r rune) bool { return strings.ContainsRune(":/@,; ?", r) }) {
			if part == host {
				return true
			}
		}
	}
	return false
}

// entry is the service that the first journey calls: one that answers HTTP, that the host publishes, and that few others need.
func (t *topology) entry() *service {
	var best *service
	score := -1
	for _, s := range t.services {
		if s.port == 0 || s.kind != "app" && !s.has {
			continue
		}
		points := 1
		if len(s.c.Ports) > 0 {
			points += 4
		}
		if len(s.needs) > 0 {
			points += 2
		}
		if slices.ContainsFunc(t.services, func(other *service) bool { return slices.Contains(other.needs, s) }) {
			points -= 1
		}
		if points > score {
			best, score = s, points
		}
	}
	return best
}

func (s *service) call(path string) string {
	return fmt.Sprintf("GET http://%s:%d%s", s.Name, s.port, path)
}

// list joins names for a sentence.
func list(names []string) string { return strings.Join(names, ", ") }

// relative returns a path below dir with slashes, as files name it.
func relative(dir, path string) (string, error) {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(rel), errors.New("outside")
	}
	return filepath.ToSlash(rel), nil
}
