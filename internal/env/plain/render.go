package plain

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/system"
)

// A Rewrite is one text in which the environment replaced an address.
type Rewrite struct {
	Instance string `json:"instance"`
	Where    string `json:"where"` // "env PAYMENTS", "command[3]", "files nats.conf"
	From     string `json:"from"`  // for a file, the line
	To       string `json:"to"`
}

// Rewrites returns every rewrite that starting sys would do, and starts nothing.
// The network of an environment is only known once it runs: in 127.S.x.y the S stands for it.
func Rewrites(sys system.System) ([]Rewrite, error) {
	addrs, err := newAddresses(sys, "127.S")
	if err != nil {
		return nil, err
	}
	var all []Rewrite
	for _, instance := range sys.Instances() {
		service, _ := sys.Service(instance.Service)
		r := &renderer{sys: sys, addrs: addrs, inst: instance, data: filepath.Join("DATA", instance.Name), trust: trustPath(sys, "DATA"), note: func(rw Rewrite) { all = append(all, rw) }}
		if _, err := r.launch(context.Background(), service); err != nil {
			return nil, err
		}
		if err := r.probes(context.Background(), service); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// A launch is everything that starts one instance, with templates filled in and addresses rewritten.
type launch struct {
	Argv         []string
	Env          map[string]string
	Dir          string
	Files        map[string]string
	Ready        []string // Ready.Exec
	Take, Follow []string // of Lead
}

// A renderer fills in the texts of one instance.
type renderer struct {
	sys   system.System
	addrs *addresses
	inst  system.Instance
	data  string
	trust string // the file of what to trust, "": nothing ends TLS
	// open makes the address a text will name work. Nil in a dry run.
	open func(ctx context.Context, ref opening) error
	note func(Rewrite) // may be nil
}

// An opening is an address that something is about to dial.
type opening struct {
	Dialler string // "" for an advertised address
	Host    string
	Port    int
}

func (r *renderer) launch(ctx context.Context, service system.Service) (launch, error) {
	process := service.Process
	l := launch{Dir: process.Dir, Env: map[string]string{}, Files: map[string]string{}}
	if l.Dir == "" {
		l.Dir = r.sys.Dir
	}
	var err error
	if l.Argv, err = r.list(ctx, "command", process.Command); err != nil {
		return launch{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(process.Env)) {
		if l.Env[name], err = r.variable(ctx, name, process.Env[name]); err != nil {
			return launch{}, err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(process.Files)) {
		if l.Files[path], err = r.text(ctx, "files "+path, process.Files[path]); err != nil {
			return launch{}, err
		}
	}
	if l.Ready, err = r.list(ctx, "ready.exec", service.Ready.Exec); err != nil || service.Lead == nil {
		return l, err
	}
	if l.Take, err = r.list(ctx, "lead.take", service.Lead.Take); err != nil {
		return launch{}, err
	}
	l.Follow, err = r.list(ctx, "lead.follow", service.Lead.Follow)
	return l, err
}

// probes renders the texts of the probes for what it reports and opens.
func (r *renderer) probes(ctx context.Context, service system.Service) error {
	for _, name := range slices.Sorted(maps.Keys(service.Probes)) {
		if _, err := r.probe(ctx, name, service.Probes[name]); err != nil {
			return err
		}
	}
	return nil
}

func (r *renderer) probe(ctx context.Context, name string, probe system.Probe) (system.Probe, error) {
	var err error
	if probe.Exec, err = r.list(ctx, "probe "+name+" exec", probe.Exec); err != nil || probe.SQL == nil {
		return probe, err
	}
	url, err := r.text(ctx, "probe "+name+" sql.url", probe.SQL.URL)
	probe.SQL = &system.SQL{URL: url, Query: probe.SQL.Query}
	return probe, err
}

func (r *renderer) list(ctx context.Context, where string, items []string) ([]string, error) {
	out := make([]string, len(items))
	for i, item := range items {
		var err error
		if out[i], err = r.text(ctx, fmt.Sprintf("%s[%d]", where, i), item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *renderer) variable(ctx context.Context, name, value string) (string, error) {
	if saysHost(name) {
		return r.fill(ctx, "env "+name, value, rewriteHostList)
	}
	return r.text(ctx, "env "+name, value)
}

func (r *renderer) text(ctx context.Context, where, text string) (string, error) {
	return r.fill(ctx, where, text, rewriteHosts)
}

type rewriteFunc func(text string, isHost func(string) bool, to func(reference) (string, error)) (string, error)

// fill evaluates templates first, so that an address a template names is rewritten too.
func (r *renderer) fill(ctx context.Context, where, text string, rewrite rewriteFunc) (string, error) {
	filled, err := r.template(ctx, text)
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", r.inst.Name, where, err)
	}
	out, err := rewrite(filled, r.addrs.isHost, func(ref reference) (string, error) { return r.address(ctx, ref) })
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", r.inst.Name, where, err)
	}
	r.report(where, filled, out)
	return out, nil
}

// report notes each line that was rewritten: a whole file would hide the change in it.
func (r *renderer) report(where, from, to string) {
	if r.note == nil || from == to {
		return
	}
	before, after := strings.Split(from, "\n"), strings.Split(to, "\n")
	for i := range before {
		if before[i] != after[i] {
			r.note(Rewrite{r.inst.Name, where, strings.TrimSpace(before[i]), strings.TrimSpace(after[i])})
		}
	}
}

// address returns the address at which the instance reaches what a text names.
func (r *renderer) address(ctx context.Context, ref reference) (string, error) {
	ports, err := portsOf(r.sys, ref)
	if err != nil {
		return "", err
	}
	for _, port := range ports {
		if r.open == nil {
			break
		}
		if err := r.open(ctx, opening{r.inst.Name, ref.Host, port}); err != nil {
			return "", err
		}
	}
	return r.addrs.front(r.inst.Name, ref.Host), nil
}

// portsOf returns the ports that a reference may be dialled at: the one it
// names, else all that its service has and the usual one of its scheme.
func portsOf(sys system.System, ref reference) ([]int, error) {
	if ref.Port > 0 {
		return []int{ref.Port}, nil
	}
	service, _ := sys.Service(sys.ServiceOf(ref.Host))
	ports := slices.Clone(service.Ports)
	if port := schemePort(ref.Scheme); port > 0 && !slices.Contains(ports, port) {
		ports = append(ports, port)
	}
	if len(ports) == 0 {
		return nil, fmt.Errorf("%q is named without a port, and service %s exposes none (write %s:PORT, or add expose: [\"PORT\"])", ref.Host, service.Name, ref.Host)
	}
	return ports, nil
}

func (r *renderer) template(ctx context.Context, text string) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := expr.ParseTemplate(text, expr.Names{
		Vars:  []string{"instance", "service", "ordinal", "zone", "ip", "data", "ca"},
		Funcs: []expr.Func{{Name: "advertise", Call: func(args []any) (any, error) { return r.advertise(ctx, args) }}},
	})
	if err != nil {
		return "", err
	}
	return t.RenderString(ctx, map[string]any{
		"instance": r.inst.Name, "service": r.inst.Service, "ordinal": int64(r.inst.Ordinal), "zone": r.inst.Zone,
		"ip": r.addrs.own(r.inst.Name), "data": r.data, "ca": r.trust,
	})
}

func (r *renderer) advertise(ctx context.Context, args []any) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("advertise(PORT) takes one port, and got %d arguments", len(args))
	}
	port, ok := args[0].(int64)
	if !ok || port < 1 || port > 65535 {
		return nil, fmt.Errorf("advertise(%v): a port is an integer in 1..65535", args[0])
	}
	if r.open != nil {
		if err := r.open(ctx, opening{Host: r.inst.Name, Port: int(port)}); err != nil {
			return nil, err
		}
	}
	return fmt.Sprintf("%s:%d", r.addrs.advertised(r.inst.Name), port), nil
}
