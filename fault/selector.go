package fault

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/system"
)

// roleProbe is the name of the probe that answers with an instance's role.
const roleProbe = "role"

// A selector names instances, as a fault's target or one side of a link.
type selector struct {
	name              string // a service, an instance, system.Client, or "*" for every instance
	all               bool   // written with [*]
	role, zone, owner string // "" selects any
}

// selectorKeys are what may stand in a selector's brackets, in the order they are written.
func selectorKeys() []string { return []string{"role", "zone", "owner"} }

// key returns where the value of a key is kept.
func (s *selector) key(name string) *string {
	switch name {
	case "role":
		return &s.role
	case "zone":
		return &s.zone
	case "owner":
		return &s.owner
	}
	return nil
}

// String returns the selector as Parse reads it.
func (s selector) String() string {
	if s.all {
		return s.name + "[*]"
	}
	var keys []string
	for _, name := range selectorKeys() {
		if value := *s.key(name); value != "" {
			keys = append(keys, name+"="+value)
		}
	}
	if len(keys) == 0 {
		return s.name
	}
	return s.name + "[" + strings.Join(keys, ",") + "]"
}

// bare says that it is "*" without keys.
func (s selector) bare() bool { return s == selector{name: "*"} }

// A TargetError reports that a system does not have what a fault names.
type TargetError struct {
	Fault string // in its text form
	Part  string // the word of the text that is wrong, "" if it is the fault as a whole
	Msg   string
	Hint  string // what to try, or ""
}

// Error returns "kill(ordrs): no service or instance is called "ordrs" (did you mean "orders"? …)".
func (e *TargetError) Error() string {
	if e.Hint == "" {
		return e.Fault + ": " + e.Msg
	}
	return e.Fault + ": " + e.Msg + " (" + e.Hint + ")"
}

// match returns the instances that s names, those of any role if it names one.
func (s selector) match(sys system.System) ([]system.Instance, *TargetError) {
	found, wrong := s.named(sys)
	if wrong != nil {
		return nil, wrong
	}
	found, wrong = s.keep(found, "zone", s.zone, func(i system.Instance) string { return i.Zone })
	if wrong != nil {
		return nil, wrong
	}
	found, wrong = s.keep(found, "owner", s.owner, func(i system.Instance) string { return i.Owner })
	if wrong != nil || s.role == "" {
		return found, wrong
	}
	return s.withRole(sys, found)
}

// named returns the instances that the selector's name stands for.
func (s selector) named(sys system.System) ([]system.Instance, *TargetError) {
	if s.name == "*" {
		return sys.Instances(), nil
	}
	if s.name == system.Client {
		return []system.Instance{{Name: system.Client, Service: system.Client, Ordinal: 1}}, nil
	}
	if service, ok := sys.Service(s.name); ok {
		return service.Instances(), nil
	}
	instance, ok := sys.Instance(s.name)
	if !ok {
		return nil, &TargetError{Part: s.name, Msg: fmt.Sprintf("no service or instance is called %q", s.name), Hint: nameHint(sys, s.name)}
	}
	if (s != selector{name: s.name}) {
		return nil, &TargetError{Part: s.String(), Msg: fmt.Sprintf("%s is one instance, and takes no brackets", s.name), Hint: "write " + s.name}
	}
	return []system.Instance{instance}, nil
}

// nameHint suggests among services and instances but lists the services only: a
// long list hides what it should show.
func nameHint(sys system.System, name string) string {
	var services, all []string
	for _, service := range sys.Services {
		services, all = append(services, service.Name), append(all, service.Name)
	}
	for _, instance := range sys.Instances() {
		all = append(all, instance.Name)
	}
	list := strings.TrimPrefix(hint("", services), "allowed: ")
	if near := nearest(name, all); near != "" {
		return fmt.Sprintf("did you mean %q? services: %s", near, list)
	}
	return "services: " + list
}

// keep returns those of found whose attribute is want, or all if want is "".
func (s selector) keep(found []system.Instance, key, want string, of func(system.Instance) string) ([]system.Instance, *TargetError) {
	if want == "" {
		return found, nil
	}
	var kept []system.Instance
	var values []string
	for _, instance := range found {
		if of(instance) == want {
			kept = append(kept, instance)
		}
		if value := of(instance); value != "" && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	if len(kept) > 0 {
		return kept, nil
	}
	slices.Sort(values)
	return nil, &TargetError{Part: want, Msg: fmt.Sprintf("no instance of %s has the %s %q", s.noun(), key, want), Hint: hint(want, values)}
}

// withRole returns those of found that can be asked for their role.
func (s selector) withRole(sys system.System, found []system.Instance) ([]system.Instance, *TargetError) {
	var asked []system.Instance
	for _, instance := range found {
		service, _ := sys.Service(instance.Service)
		if _, ok := service.Probes[roleProbe]; ok {
			asked = append(asked, instance)
		}
	}
	if len(asked) > 0 {
		return asked, nil
	}
	return nil, &TargetError{Part: "role", Msg: fmt.Sprintf("%s declares no probe \"role\"", s.noun()), Hint: "add x-assay.probes.role to the service"}
}

// noun returns what the selector's name stands for, in a sentence.
func (s selector) noun() string {
	if s.name == "*" {
		return "any service"
	}
	return s.name
}
