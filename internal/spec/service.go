package spec

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/system"
)

// maxReplicas bounds the instances of one service on one machine.
const maxReplicas = 100

// service puts together what compose and x-assay say of one service.
func (t *topology) service(c types.ServiceConfig, n *yaml.Node) system.Service {
	e := t.extensions[c.Name]
	s := system.Service{Name: c.Name, Owner: e.owner, Zones: e.zones, Replicas: c.GetScale(), Process: e.process, Probes: e.probes, TLS: e.tls, Pos: t.src.pos(t.serviceKey(c.Name))}
	if s.Replicas < 1 || s.Replicas > maxReplicas {
		t.src.wrong(t.replicasNode(n, c.Name), "from 1 to "+strconv.Itoa(maxReplicas), "service %s has %d replicas", c.Name, s.Replicas)
		s.Replicas = 1
	}
	before := len(t.errs)
	s.Ports = t.ports(c, n)
	portsRead := len(t.errs) == before
	s.DependsOn = dependsOn(c)
	if e.recipe == "" {
		t.command(&s.Process, c, n, e)
	}
	t.environment(&s.Process, c)
	t.stopOf(&s.Process, c, n)
	switch {
	case e.ready != nil:
		s.Ready = *e.ready
	case e.recipe == "": // what a container's check asks, the recipe asks better
		s.Ready = t.healthcheck(c, n)
	}
	if portsRead {
		t.checkTLS(s, e)
	}
	if e.recipe != "" {
		return t.withRecipe(s, c, n, e)
	}
	return s
}

func (t *topology) replicasNode(n *yaml.Node, name string) *yaml.Node {
	if _, scale := child(n, "scale"); scale != nil {
		return scale
	}
	_, deploy := child(n, "deploy")
	if _, replicas := child(deploy, "replicas"); replicas != nil {
		return replicas
	}
	return t.serviceKey(name)
}

// ports returns the TCP ports of expose and ports, sorted.
func (t *topology) ports(c types.ServiceConfig, n *yaml.Node) []int {
	var all []int
	for i, text := range c.Expose {
		ports, ok := portRange(text)
		if !ok {
			_, expose := child(n, "expose")
			at := expose
			if expose.Kind == yaml.SequenceNode && i < len(expose.Content) {
				at = expose.Content[i]
			}
			t.src.wrong(at, `such as "8080" or "8000-8010"`, "%q is no port", text)
		}
		all = append(all, ports...)
	}
	for _, p := range c.Ports {
		if p.Protocol == "" || p.Protocol == "tcp" {
			all = append(all, int(p.Target))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// portRange reads "8080", "8080/tcp" or "8000-8010". A port of UDP is none of ours.
func portRange(text string) ([]int, bool) {
	text, protocol, _ := strings.Cut(text, "/")
	low, high, isRange := strings.Cut(text, "-")
	first, err := strconv.Atoi(low)
	last := first
	if err == nil && isRange {
		last, err = strconv.Atoi(high)
	}
	if err != nil || first < 1 || last > 65535 || last < first || last-first > 1000 {
		return nil, false
	}
	if protocol != "" && protocol != "tcp" {
		return nil, true
	}
	var ports []int
	for port := first; port <= last; port++ {
		ports = append(ports, port)
	}
	return ports, true
}

func dependsOn(c types.ServiceConfig) []system.Dependency {
	var all []system.Dependency
	for _, name := range slices.Sorted(maps.Keys(c.DependsOn)) {
		condition := system.Condition(cmp.Or(c.DependsOn[name].Condition, string(system.Started)))
		all = append(all, system.Dependency{Service: name, Condition: condition})
	}
	return all
}

// command decides how one instance is started. The working directory of a
// container belongs to the container's command, not to one of ours.
func (t *topology) command(p *system.Process, c types.ServiceConfig, n *yaml.Node, e extension) {
	at := e.program
	if e.hasCommand && len(p.Command) == 0 {
		return // its own mistake is shown
	}
	if len(p.Command) == 0 {
		p.Command = append(slices.Clone([]string(c.Entrypoint)), c.Command...)
		if at, _ = child(n, "command"); len(c.Entrypoint) > 0 {
			at, _ = child(n, "entrypoint")
		}
		t.workingDir(p, c, n)
	}
	if len(p.Command) == 0 {
		t.src.wrong(t.serviceKey(c.Name), "add x-assay.process.command, such as [bin/"+c.Name+"]", "service %s has no command that can run as a local process", c.Name)
		return
	}
	t.checkProgram(p, at)
}

func (t *topology) workingDir(p *system.Process, c types.ServiceConfig, n *yaml.Node) {
	if c.WorkingDir == "" {
		return
	}
	p.Dir = c.WorkingDir
	if !filepath.IsAbs(p.Dir) {
		p.Dir = filepath.Join(t.dir, p.Dir)
	}
	if info, err := os.Stat(p.Dir); err != nil || !info.IsDir() {
		_, at := child(n, "working_dir")
		t.src.wrong(at, "add x-assay.process.command to run something else locally", "there is no folder %s for the local process", p.Dir)
	}
}

// checkProgram reports a program that is not there and that no build line makes.
// A name without a folder is looked up when it starts.
func (t *topology) checkProgram(p *system.Process, at *yaml.Node) {
	program := p.Command[0]
	if p.Build != "" || !strings.Contains(program, "/") || strings.Contains(program, "{{") || t.isBuilt(program) {
		return
	}
	path := program
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.dir, path)
	}
	if _, err := os.Stat(path); err != nil {
		t.src.wrong(at, "add x-assay.process.build, the line that makes it", "there is no program %s", program)
	}
}

// isBuilt says whether some service's build line names the program.
func (t *topology) isBuilt(program string) bool {
	for _, e := range t.extensions {
		if strings.Contains(e.process.Build, strings.TrimPrefix(program, "./")) {
			return true
		}
	}
	return false
}

// environment lays process.env over compose's environment and env_file.
func (t *topology) environment(p *system.Process, c types.ServiceConfig) {
	local := p.Env
	p.Env = map[string]string{}
	for name, value := range c.Environment {
		if value != nil {
			p.Env[name] = *value
		}
	}
	maps.Copy(p.Env, local)
}

func (t *topology) stopOf(p *system.Process, c types.ServiceConfig, n *yaml.Node) {
	if _, at := child(n, "stop_signal"); at != nil && p.Signal == "" {
		t.signal(&p.Signal)("stop_signal", undollarTree(at))
	}
	if c.StopGracePeriod != nil && p.Grace == 0 {
		p.Grace = time.Duration(*c.StopGracePeriod)
	}
}

// healthcheck translates compose's. It runs with the instance's environment, and
// what it calls localhost is the instance's own address.
func (t *topology) healthcheck(c types.ServiceConfig, n *yaml.Node) system.Ready {
	h := c.HealthCheck
	if h == nil || h.Disable || len(h.Test) == 0 || h.Test[0] == "NONE" {
		return system.Ready{}
	}
	words := h.Test[1:]
	if h.Test[0] == "CMD-SHELL" {
		words = []string{"/bin/sh", "-c", strings.Join(h.Test[1:], " ")}
	}
	if len(words) == 0 {
		at, _ := child(n, "healthcheck")
		t.src.wrong(at, "", "the healthcheck runs nothing")
		return system.Ready{}
	}
	r := system.Ready{Timeout: patience(h), Every: durationOf(h.Interval, 0)}
	r.Poll = durationOf(h.StartInterval, min(durationOf(h.Interval, time.Second), 500*time.Millisecond))
	for _, word := range words {
		r.Exec = append(r.Exec, regexp.MustCompile(`\b(localhost|127\.0\.0\.1|0\.0\.0\.0)\b`).ReplaceAllString(word, "{{ip}}"))
	}
	return r
}

// patience is how long compose would wait for a container to become healthy: the
// start period, and then every retry. It is at least our own default, as a local
// machine is often busier than where compose files are written for.
func patience(h *types.HealthCheckConfig) time.Duration {
	retries := uint64(3)
	if h.Retries != nil {
		retries = min(*h.Retries, 1000)
	}
	return max(durationOf(h.StartPeriod, 0)+time.Duration(retries)*durationOf(h.Interval, 30*time.Second), 30*time.Second)
}

func durationOf(d *types.Duration, fallback time.Duration) time.Duration {
	if d == nil {
		return fallback
	}
	return time.Duration(*d)
}
