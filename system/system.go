// Package system describes a distributed system, the environments it runs in,
// and the powers an environment may have over it.
//
// A [System] is data: services with their instances, owners and zones, and how
// one instance is started, is ready and answers questions. An [Env] is a System that runs. What can be done to
// it is asked for, never assumed: a fault that kills looks for a [Killer]
// among the nodes, and reports before the run when there is none.
//
//	killer, ok := node.(system.Killer)
//	if !ok {
//		return &system.UnsupportedError{Target: node.Instance().Name, Power: "Killer"}
//	}
package system

import (
	"fmt"
	"slices"
	"time"
)

// Client is the name of the load driver, which dials like an instance and whose links can be bent.
const Client = "client"

// A System is a topology: what runs, and who answers for it.
type System struct {
	Name     string    `json:"name"`
	Dir      string    `json:"dir"` // absolute; relative programs and build lines are relative to it
	Seed     uint64    `json:"seed"`
	Services []Service `json:"services"` // in order of name
}

// A Service is one program in one or more instances. Its name is a virtual
// address: per connection a seeded choice among the ready instances.
type Service struct {
	Name      string           `json:"name"`
	Owner     string           `json:"owner,omitempty"`
	Zones     []string         `json:"zones,omitempty"` // dealt to instances in turn
	Replicas  int              `json:"replicas"`        // at least 1
	Ports     []int            `json:"ports,omitempty"` // TCP ports an instance listens on
	DependsOn []Dependency     `json:"depends_on,omitempty"`
	Recipe    string           `json:"recipe,omitempty"` // the recipe that says how it runs
	Process   Process          `json:"process"`
	Ready     Ready            `json:"ready,omitzero"`
	Probes    map[string]Probe `json:"probes,omitempty"`
	Lead      *Lead            `json:"lead,omitempty"` // nil: its instances are alike
	TLS       *TLS             `json:"tls,omitempty"`  // nil: what TLS it speaks passes as it is
	Pos       string           `json:"pos,omitempty"`  // "file:line:column" of its declaration
}

// A TLS says on which ports the instances of a service speak TLS that is opened: whoever dials one speaks with a certificate of the
// environment's own, and the environment speaks with the instance. So requests inside are seen and can be bent.
type TLS struct {
	Open []int  `json:"open"`
	CA   string `json:"ca,omitempty"` // a file of certificates in PEM, relative to System.Dir, that the instances' certificates are verified with; "": they are not
	Name string `json:"name"`         // the name that they must be for
}

// A Lead says that one instance leads and the others follow it, and how that is
// changed. The first instance leads at first. The environment decides who does, and programs obey:
// each start and each command below has in its environment ASSAY_LEADER, the "host:port" by which the instance
// reaches the one that leads (empty: it leads itself), and for the one that leads ASSAY_FOLLOWERS,
// the names of those that follow it, with commas between.
type Lead struct {
	Port  int           `json:"port"`            // of ASSAY_LEADER
	After time.Duration `json:"after,omitempty"` // a leader gone for this long is replaced; 0: never
	// Take makes the instance lead, if it does not, with the followers that it has now. It is run again when they
	// change, and succeeds once they have all that the leader had when it was run.
	Take []string `json:"take,omitempty"`
	// Follow makes an instance that runs follow another leader.
	Follow []string `json:"follow,omitempty"`
	// Progress answers with a number: how much of the leader's data the instance has. The highest takes over.
	Progress Probe `json:"progress,omitzero"`
	// All says that each follower counts: while one does not answer, nobody takes over, because it may have what the others lack.
	All bool `json:"all,omitempty"`
}

// A Dependency is a service that must have got somewhere before another starts.
type Dependency struct {
	Service   string    `json:"service"`
	Condition Condition `json:"condition"`
}

// A Condition says how far a dependency must have got. The names are compose's.
type Condition string

const (
	Started   Condition = "service_started"
	Healthy   Condition = "service_healthy"
	Completed Condition = "service_completed_successfully"
)

// A Process says how one instance runs as a local process. Values of Command,
// Env and Files may hold {{cel}} templates and addresses of services; the
// environment fills and rewrites them.
type Process struct {
	Build   string            `json:"build,omitempty"`   // shell line, run once in System.Dir
	Command []string          `json:"command,omitempty"` // argument vector
	Dir     string            `json:"dir,omitempty"`     // working directory, absolute; default System.Dir
	Env     map[string]string `json:"env,omitempty"`
	Files   map[string]string `json:"files,omitempty"`  // path below the instance's data folder: content
	Signal  string            `json:"signal,omitempty"` // asks it to stop; default SIGTERM
	Grace   time.Duration     `json:"grace,omitempty"`  // between Signal and SIGKILL; default 5s
	Binary  string            `json:"binary,omitempty"` // the file whose digest names what ran; default Command[0]
	// Programs is a folder, absolute, that is searched for programs before PATH.
	Programs string `json:"programs,omitempty"`
	// NotRoot says that the program refuses to run as root. Root then runs it as somebody else.
	NotRoot bool   `json:"not_root,omitempty"`
	Image   *Image `json:"image,omitempty"` // what an empty data folder begins with; nil: nothing
}

// An Image is a data folder that is made once for a machine, kept, and copied for each new instance.
type Image struct {
	Name string            `json:"name"` // a file name that says all that decides the content, such as "postgres-15.13-1f2e"
	Make []string          `json:"make"` // fills the folder $ASSAY_DATA; argument vector
	Env  map[string]string `json:"env,omitempty"`
	// Sum is the digest of the user's files that Make fills it from, as evidence writes digests; "" for none.
	Sum string `json:"sum,omitempty"`
	// Notes say what the image lacks; they are told at each start.
	Notes []string `json:"notes,omitempty"`
}

// A Ready says when an instance is ready: at most one of the four is set, and
// none means as soon as it runs. After start it is asked again every Every, so
// that an instance can become unready.
type Ready struct {
	HTTP    string        `json:"http,omitempty"`    // "PORT/PATH", ready on a 2xx status
	TCP     int           `json:"tcp,omitempty"`     // ready when the port accepts
	Log     string        `json:"log,omitempty"`     // ready once a line matches this regular expression
	Exec    []string      `json:"exec,omitempty"`    // ready when it exits 0; templates and addresses as in Process
	Timeout time.Duration `json:"timeout,omitempty"` // to become ready, default 30s
	Poll    time.Duration `json:"poll,omitempty"`    // between tries while starting, default 50ms
	Every   time.Duration `json:"every,omitempty"`   // between tries when running, default 500ms
}

// A Probe is a question to one instance, such as its role. Value is CEL over
// status and body (HTTP), rows (SQL), stdout and exit (Exec), and instance.
type Probe struct {
	HTTP  string   `json:"http,omitempty"` // "PORT/PATH"
	SQL   *SQL     `json:"sql,omitempty"`
	Exec  []string `json:"exec,omitempty"`
	Value string   `json:"value"`
	Pos   string   `json:"pos,omitempty"`
}

// SQL is one query to a database reached by URL; the scheme names the database.
type SQL struct {
	URL   string `json:"url"`
	Query string `json:"query"`
}

// An Instance is one running copy of a service.
type Instance struct {
	Name    string `json:"name"` // "orders-1"
	Service string `json:"service"`
	Ordinal int    `json:"ordinal"` // from 1
	Zone    string `json:"zone,omitempty"`
	Owner   string `json:"owner,omitempty"`
}

// Instances returns the service's instances, in order.
func (s Service) Instances() []Instance {
	instances := make([]Instance, max(s.Replicas, 1))
	for i := range instances {
		instances[i] = Instance{Name: fmt.Sprintf("%s-%d", s.Name, i+1), Service: s.Name, Ordinal: i + 1, Owner: s.Owner}
		if len(s.Zones) > 0 {
			instances[i].Zone = s.Zones[i%len(s.Zones)]
		}
	}
	return instances
}

// Instances returns all instances, in order of service and ordinal.
func (s System) Instances() []Instance {
	var all []Instance
	for _, service := range s.Services {
		all = append(all, service.Instances()...)
	}
	return all
}

// Service returns the service of that name and whether there is one.
func (s System) Service(name string) (Service, bool) {
	i := slices.IndexFunc(s.Services, func(service Service) bool { return service.Name == name })
	if i < 0 {
		return Service{}, false
	}
	return s.Services[i], true
}

// Instance returns the instance of that name and whether there is one.
func (s System) Instance(name string) (Instance, bool) {
	for _, instance := range s.Instances() {
		if instance.Name == name {
			return instance, true
		}
	}
	return Instance{}, false
}

// ServiceOf returns the service of an instance, and the name itself for anything
// that is no instance, such as the client or a service.
func (s System) ServiceOf(name string) string {
	if instance, ok := s.Instance(name); ok {
		return instance.Service
	}
	return name
}

// Zones returns the zone of every instance, "" of one that has none.
func (s System) Zones() map[string]string {
	zones := map[string]string{}
	for _, i := range s.Instances() {
		zones[i.Name] = i.Zone
	}
	return zones
}
