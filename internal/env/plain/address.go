package plain

import (
	"fmt"
	"net/netip"

	"github.com/assay-dev/assay/system"
)

// What the third byte of an address means: 0 is an instance's own address, 1 to
// maxDiallers a front of that dialler, then the advertised addresses and the guard.
const (
	ownOctet       = 0
	maxDiallers    = 253
	advertiseOctet = 254
	guardOctet     = 255
	maxHosts       = 254
)

// addresses says which address everything has. It opens no sockets, so a dry
// run can ask it as well. All of it follows from the topology and the prefix.
type addresses struct {
	prefix   string         // "127.19"; "127.S" where no slot is taken
	instance map[string]int // from 1, in order of System.Instances
	dialler  map[string]int // from 1: the instances, then the client
	host     map[string]int // from 1: the services, then the instances
}

func newAddresses(sys system.System, prefix string) (*addresses, error) {
	a := &addresses{prefix: prefix, instance: map[string]int{}, dialler: map[string]int{}, host: map[string]int{}}
	for _, service := range sys.Services {
		if err := a.addHost(service.Name); err != nil {
			return nil, err
		}
	}
	for _, instance := range sys.Instances() {
		if err := a.addHost(instance.Name); err != nil {
			return nil, err
		}
		a.instance[instance.Name] = len(a.instance) + 1
		a.dialler[instance.Name] = len(a.dialler) + 1
	}
	a.dialler[system.Client] = len(a.dialler) + 1
	if len(a.dialler) > maxDiallers || len(a.host) > maxHosts {
		return nil, fmt.Errorf("system %s has %d instances and %d names: plain has addresses for %d instances and %d names, because each is one byte of 127.x.y.z",
			sys.Name, len(a.instance), len(a.host), maxDiallers-1, maxHosts)
	}
	return a, nil
}

func (a *addresses) addHost(name string) error {
	if _, taken := a.host[name]; taken || name == system.Client {
		return fmt.Errorf("the name %q is taken twice (by services, their instances NAME-1, NAME-2, …, or the load driver %q)", name, system.Client)
	}
	a.host[name] = len(a.host) + 1
	return nil
}

func (a *addresses) isHost(name string) bool { return a.host[name] > 0 }

// own is where the instance itself listens.
func (a *addresses) own(instance string) string { return a.at(ownOctet, a.instance[instance]) }

// front is where dialler reaches host.
func (a *addresses) front(dialler, host string) string {
	return a.at(a.dialler[dialler], a.host[host])
}

// advertised is where every peer reaches the instance.
func (a *addresses) advertised(instance string) string {
	return a.at(advertiseOctet, a.instance[instance])
}

func (a *addresses) at(third, fourth int) string {
	return fmt.Sprintf("%s.%d.%d", a.prefix, third, fourth)
}

func addrPort(ip string, port int) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if port < 1 || port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("port %d is not in 1..65535", port)
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}
