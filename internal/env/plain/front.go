package plain

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"sync"

	"github.com/assay-dev/assay/internal/link"
	"github.com/assay-dev/assay/system"
)

// fronts are the addresses that were opened. They stay until the environment
// closes: a program may dial at any time what it was once told.
type fronts struct {
	mu   sync.Mutex
	open map[opening]bool
}

// Addr returns the address at which from reaches port of host. For a service it
// leads, connection by connection, to a ready instance that the seed decides.
func (e *Env) Addr(ctx context.Context, from, host string, port int) (string, error) {
	if e.addrs.dialler[from] == 0 {
		return "", fmt.Errorf("address of %s for %s: %q is no instance and not %q", host, from, from, system.Client)
	}
	if !e.addrs.isHost(host) {
		return "", fmt.Errorf("address of %s for %s: no service and no instance is called %q", host, from, host)
	}
	if err := e.openFront(ctx, opening{from, host, port}); err != nil {
		return "", fmt.Errorf("address of %s:%d for %s: %w", host, port, from, err)
	}
	return fmt.Sprintf("%s:%d", e.addrs.front(from, host), port), nil
}

// Rewrite replaces the addresses in text by those that from must dial.
func (e *Env) Rewrite(ctx context.Context, from, text string) (string, error) {
	if e.addrs.dialler[from] == 0 {
		return "", fmt.Errorf("rewrite for %s: %q is no instance and not %q", from, from, system.Client)
	}
	r := &renderer{sys: e.sys, addrs: e.addrs, inst: system.Instance{Name: from}, open: e.openFront}
	out, err := rewriteHosts(text, e.addrs.isHost, func(ref reference) (string, error) { return r.address(ctx, ref) })
	if err != nil {
		return "", fmt.Errorf("rewrite %q for %s: %w", text, from, err)
	}
	return out, nil
}

func (e *Env) openFront(ctx context.Context, o opening) error {
	if e.life.Err() != nil {
		return errClosed
	}
	ip := e.addrs.advertised(o.Host)
	if o.Dialler != "" {
		ip = e.addrs.front(o.Dialler, o.Host)
	}
	addr, err := addrPort(ip, o.Port)
	if err != nil {
		return err
	}
	e.fronts.mu.Lock()
	defer e.fronts.mu.Unlock()
	if e.fronts.open[o] {
		return nil
	}
	if err := e.mesh.Listen(ctx, link.Front{Src: o.Dialler, Host: o.Host, Addr: addr, Pick: e.picker(o.Host, o.Port), TLS: e.opens(o.Host, o.Port)}); err != nil {
		return fmt.Errorf("open %s for %s: %w", addr, o.Host, err)
	}
	if e.fronts.open == nil {
		e.fronts.open = map[opening]bool{}
	}
	e.fronts.open[o] = true
	return nil
}

// picker says where the n-th connection of a dialler to host goes. An instance
// is always itself, whatever its state: who dials it by name wants no other.
func (e *Env) picker(host string, port int) func(src string, n uint64) (string, netip.AddrPort, bool) {
	return func(src string, n uint64) (string, netip.AddrPort, bool) {
		picked := e.byName[host]
		if picked == nil {
			picked = e.pick(src, host, n)
		}
		if picked == nil {
			return "", netip.AddrPort{}, false
		}
		return picked.inst.Name, netip.AddrPortFrom(picked.ip, uint16(port)), true
	}
}

// pick chooses the ready instance with the highest hash, so that an instance that
// comes or goes moves only the connections that it gets or had.
func (e *Env) pick(src, service string, n uint64) *node {
	var best *node
	var highest uint64
	for _, candidate := range e.nodes {
		if candidate.inst.Service != service || !candidate.pickable() {
			continue
		}
		if weight := weigh(e.sys.Seed, src, candidate.inst.Name, n); best == nil || weight > highest {
			best, highest = candidate, weight
		}
	}
	return best
}

// weigh hashes one choice. FNV alone leaves the high bits of short keys alike, so they are mixed.
func weigh(seed uint64, src, instance string, n uint64) uint64 {
	h := fnv.New64a()
	var number [16]byte
	binary.LittleEndian.PutUint64(number[:], seed)
	binary.LittleEndian.PutUint64(number[8:], n)
	h.Write(number[:])
	h.Write([]byte(src + "\x00" + instance))
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// rules are the ids of the rules that are set.
type rules struct {
	mu  sync.Mutex
	set []string
}

// SetRule arms rule on links under id. A link's end that does not exist is an error.
func (e *Env) SetRule(ctx context.Context, id string, links []system.Link, rule system.Rule) error {
	for _, l := range links {
		for _, end := range []string{l.From, l.To} {
			if e.addrs.dialler[end] == 0 {
				return fmt.Errorf("set rule %s on %s: %q is no instance and not %q", id, l, end, system.Client)
			}
		}
	}
	if e.life.Err() != nil {
		return fmt.Errorf("set rule %s: %w", id, errClosed)
	}
	e.rules.add(id) // first: a rule that is set and not known here would outlive a restore
	return e.mesh.SetRule(id, links, rule)
}

func (r *rules) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.set, id) {
		r.set = append(r.set, id)
	}
}

// ClearRule removes the rule. An id that is not set is no error.
func (e *Env) ClearRule(ctx context.Context, id string) error {
	if err := e.mesh.ClearRule(id); err != nil {
		return err
	}
	e.rules.mu.Lock()
	defer e.rules.mu.Unlock()
	e.rules.set = slices.DeleteFunc(e.rules.set, func(set string) bool { return set == id })
	return nil
}

// LinkStats returns the counters of every link that was used.
func (e *Env) LinkStats(ctx context.Context) ([]system.LinkStats, error) {
	return e.mesh.Stats(), nil
}

func (e *Env) clearRules() error {
	e.rules.mu.Lock()
	set := slices.Clone(e.rules.set)
	e.rules.mu.Unlock()
	var errs error
	for _, id := range set {
		errs = errors.Join(errs, e.ClearRule(context.Background(), id))
	}
	return errs
}
