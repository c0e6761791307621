// Package recipe says how well-known servers run from the binaries of this
// machine: command, config, when they are ready, who leads and how far each instance is, and
// how another instance takes over. A recipe is data in, data out:
//
//	svc, err := recipe.Expand("postgres", recipe.Service{Name: "db", Image: "postgres:15", Standby: 1}, recipe.Local())
//
// What it returns is an ordinary [system.Service]. No environment knows a recipe:
// scripts and config are in Process.Files, and the election of a leader is described by [system.Lead].
package recipe

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// A Service is what a user wrote of one service.
type Service struct {
	Name     string
	Image    string            // "postgres:15", or ""
	Command  []string          // compose's entrypoint and command, nil for the image's own
	Env      map[string]string // compose's environment and process.env
	Replicas int               // at least 1; where there are standbys, 1
	Scripts  []Script          // of the folder from which the image fills a new database
	Options
}

// InitFolder is the folder of an image whose scripts fill a new database.
const InitFolder = "/docker-entrypoint-initdb.d"

// A Script is a file that is mounted into InitFolder.
type Script struct {
	Name string // there
	Path string // of this machine, absolute
	Sum  string // digest of its content
}

// Runs says whether the script is run. The image would run others, too.
func (s Script) Runs() bool { return path.Ext(strings.TrimSuffix(s.Name, ".gz")) == ".sql" }

// Options are the keys under x-assay that only services with a recipe have.
type Options struct {
	Standby     int           // instances that follow the first one
	Synchronous bool          // the leader acknowledges what a standby has, too
	After       time.Duration // a leader gone for this long is replaced; 0: never
	Version     string        // of the local binaries: "16", or "any"; "" is what the image's tag says
	Binary      string        // the server's program; "" is looked for
}

// An Error is a service that a recipe cannot run.
type Error struct {
	Key  string // what is wrong: "image", "command", "environment", "replicas", "standby", "synchronous", "failover", "version", "binary" or "recipe"
	Msg  string // what was found
	Hint string // what to do about it
}

// Error returns what was found, and in parentheses what to do.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Msg
	}
	return e.Msg + " (" + e.Hint + ")"
}

func wrong(key, hint, format string, args ...any) error {
	return &Error{Key: key, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// A recipe is how one kind of server runs.
type recipe struct {
	server
	leads  bool // one instance leads, so that standbys make sense
	expand func(Service, found) (system.Service, error)
}

func recipes() map[string]recipe {
	return map[string]recipe{
		"postgres": {postgresServer(), true, postgres},
		"redis":    {redisServer(), true, redis},
		"nats":     {natsServer(), false, nats},
	}
}

// Names returns the recipes that there are, sorted.
func Names() []string { return slices.Sorted(maps.Keys(recipes())) }

// Expand returns the service that the recipe makes of s, on a machine with the programs of host. Owner, zones and
// dependencies are not its business. A service that cannot run is an *Error.
func Expand(name string, s Service, host Host) (system.Service, error) {
	r, ok := recipes()[name]
	if !ok {
		return system.Service{}, wrong("recipe", "there are: "+strings.Join(Names(), ", "), "no recipe is called %q", name)
	}
	if err := r.check(name, s); err != nil {
		return system.Service{}, err
	}
	found, err := r.find(s, host)
	if err != nil {
		return system.Service{}, err
	}
	svc, err := r.expand(s, found)
	if err != nil {
		return system.Service{}, err
	}
	svc.Name, svc.Recipe = s.Name, name
	svc.Process.Binary, svc.Process.Programs = found.program, found.folder
	return svc, nil
}

// check finds what contradicts itself, whatever the machine has.
func (r recipe) check(name string, s Service) error {
	const standby = "write x-assay.standby: N for the instances that follow the first"
	switch {
	case r.leads && s.Replicas > 1:
		return wrong("replicas", standby, "service %s: %d replicas of recipe %s would know nothing of each other", s.Name, s.Replicas, name)
	case !r.leads && s.Standby > 0:
		return wrong("standby", "write deploy.replicas: N", "service %s: recipe %s has no standbys, its instances are alike", s.Name, name)
	case s.Synchronous && name != "postgres":
		return wrong("synchronous", "only recipe postgres can wait for its standby", "service %s: recipe %s does not replicate synchronously", s.Name, name)
	case s.Synchronous && s.Standby == 0:
		return wrong("synchronous", standby, "service %s: there is no standby to wait for", s.Name)
	case s.After > 0 && s.Standby == 0:
		return wrong("failover", standby, "service %s: there is no standby that could take over", s.Name)
	}
	return nil
}

// arguments returns what compose's command adds to the server's own: the words after the program, all of them options.
func (v server) arguments(s Service) ([]string, error) {
	words := s.Command
	if len(words) > 0 && slices.Contains([]string{v.program, "docker-entrypoint.sh"}, words[0]) {
		words = words[1:]
	}
	if len(words) > 0 && words[0] == v.program {
		words = words[1:]
	}
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		return nil, wrong("command", "write "+v.program+" and options for it, or x-assay.process.command to run something else",
			"service %s: recipe %s cannot run command %q", s.Name, v.name, strings.Join(s.Command, " "))
	}
	return words, nil
}

// lead returns who leads, for a server that listens on port, whose script knows the verbs take and follow.
func (s Service) lead(port int, script string) *system.Lead {
	if s.Standby == 0 {
		return nil
	}
	return &system.Lead{Port: port, After: s.After, All: s.Synchronous,
		Take: []string{"sh", "{{data}}/" + script, "take"}, Follow: []string{"sh", "{{data}}/" + script, "follow"}}
}
