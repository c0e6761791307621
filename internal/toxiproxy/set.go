package toxiproxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/assay-dev/assay/internal/link"
)

// A Set is a group of proxies with their toxics, over one mesh. Its methods are safe for concurrent use.
type Set struct {
	mesh *link.Mesh
	keep func(saved) error // nil: nothing is kept

	keepToxics bool

	mu      sync.Mutex
	closed  bool
	proxies map[string]*proxy
	rules   uint64 // ids given so far
	totals  totals
	change  uint64 // counts changes

	saving sync.Mutex
	saved  uint64 // the change that keep has seen; guarded by saving
}

// NewSet returns a Set without proxies, whose random choices the seed decides. The caller closes it.
func NewSet(seed uint64) *Set {
	return &Set{mesh: link.NewMesh(link.Options{Seed: seed}), proxies: map[string]*proxy{}, totals: totals{}}
}

// Close closes all proxies and their connections. What is kept stays as it is.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, p := range s.proxies {
		if p.front != nil {
			errs = append(errs, p.front.Close())
		}
	}
	return errors.Join(append(errs, s.mesh.Close())...)
}

// do changes the set, and returns when the change is kept.
func (s *Set) do(change func() error) error { return s.doAnd(true, change) }

// doToxics is do for what touches toxics alone.
func (s *Set) doToxics(change func() error) error { return s.doAnd(s.keepToxics, change) }

func (s *Set) doAnd(keep bool, change func() error) error {
	err := s.locked(func() error {
		if s.closed {
			return errors.New("the proxies are being stopped")
		}
		if keep {
			s.change++ // also where it fails: half of it may be done
		}
		return change()
	})
	if keep {
		err = errors.Join(err, s.save())
	}
	return err
}

func (s *Set) locked(do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return do()
}

// save returns when all changes up to now are kept. Whoever comes while another saves finds it done, mostly.
func (s *Set) save() error {
	if s.keep == nil {
		return nil
	}
	s.mu.Lock()
	wanted := s.change
	s.mu.Unlock()
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.saved >= wanted {
		return nil
	}
	s.mu.Lock()
	now, at := s.snapshot(), s.change
	s.mu.Unlock()
	if err := s.keep(now); err != nil {
		return fmt.Errorf("the change was made, but is not on disk: %w", err)
	}
	s.saved = at
	return nil
}

// given is a proxy as a client describes it.
type given struct {
	Name     string `json:"name"`
	Listen   string `json:"listen"`
	Upstream string `json:"upstream"`
	Enabled  *bool  `json:"enabled"`
}

func (g given) enabled() bool { return g.Enabled == nil || *g.Enabled }

func (s *Set) create(ctx context.Context, g given) (v view, err error) {
	err = s.do(func() error {
		if s.proxies[g.Name] != nil {
			return errProxyIs
		}
		p, err := s.add(ctx, g)
		if err == nil {
			v = p.view()
		}
		return err
	})
	return v, err
}

// add makes a proxy in place of one that is closed or not there. The caller holds mu.
func (s *Set) add(ctx context.Context, g given) (*proxy, error) {
	p := &proxy{name: g.Name, listen: g.Listen, upstream: g.Upstream}
	if g.enabled() {
		if err := p.open(ctx, s.mesh); err != nil {
			return nil, err
		}
	}
	s.proxies[p.name] = p
	return p, nil
}

// populate creates what is missing and replaces what differs. It returns those that it came to.
func (s *Set) populate(ctx context.Context, all []given) (views []view, err error) {
	err = s.do(func() error {
		var done []*proxy
		defer func() {
			for _, p := range done { // as they are now: one may have been replaced by another of its name
				views = append(views, p.view())
			}
		}()
		for _, g := range all {
			p, err := s.ensure(ctx, g)
			if err != nil {
				return err
			}
			done = append(done, p)
		}
		return nil
	})
	return views, err
}

func (s *Set) ensure(ctx context.Context, g given) (*proxy, error) {
	old := s.proxies[g.Name]
	if old == nil {
		return s.add(ctx, g)
	}
	resolved, err := resolve(ctx, g.Listen)
	if err != nil {
		return nil, err
	}
	if !old.differs(resolved, g.Upstream) {
		return old, nil
	}
	if err := old.close(s.mesh, s.totals); err != nil {
		return nil, err
	}
	p, err := s.add(ctx, g)
	if err != nil {
		return nil, err
	}
	p.meter = old.meter
	for _, t := range old.toxics {
		err = errors.Join(err, s.mesh.ClearRule(t.id))
	}
	return p, err
}

func (s *Set) update(ctx context.Context, name string, body []byte) (v view, err error) {
	err = s.do(func() error {
		p := s.proxies[name]
		if p == nil {
			return errNoProxy
		}
		want := struct {
			Name     string `json:"name"` // a name stays
			Listen   string `json:"listen"`
			Upstream string `json:"upstream"`
			Enabled  bool   `json:"enabled"`
		}{"", p.listen, p.upstream, p.front != nil}
		if err := decode(body, &want); err != nil {
			return err
		}
		resolved, err := resolve(ctx, want.Listen)
		if err != nil {
			return err
		}
		if p.differs(resolved, want.Upstream) {
			err = p.close(s.mesh, s.totals)
			p.listen, p.upstream = want.Listen, want.Upstream
		}
		if want.Enabled {
			err = errors.Join(err, p.open(ctx, s.mesh))
		} else {
			err = errors.Join(err, p.close(s.mesh, s.totals))
		}
		v = p.view()
		return err
	})
	return v, err
}

func (s *Set) remove(name string) error {
	return s.do(func() error {
		p := s.proxies[name]
		if p == nil {
			return errNoProxy
		}
		delete(s.proxies, name)
		return errors.Join(p.close(s.mesh, s.totals), p.forget(s.mesh))
	})
}

// reset enables all proxies and removes all toxics. One that cannot be enabled keeps no other from it.
func (s *Set) reset(ctx context.Context) error {
	return s.do(func() error {
		var first error
		for _, name := range slices.Sorted(maps.Keys(s.proxies)) {
			p := s.proxies[name]
			if err := p.open(ctx, s.mesh); err != nil {
				first = cmp.Or(first, err)
				continue
			}
			for len(p.toxics) > 0 {
				if err := s.drop(p, 0); err != nil {
					return err
				}
			}
		}
		return first
	})
}

func (s *Set) all() map[string]view {
	s.mu.Lock()
	defer s.mu.Unlock()
	views := map[string]view{}
	for name, p := range s.proxies {
		views[name] = p.view()
	}
	return views
}

func (s *Set) show(name string) (view, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.proxies[name]; p != nil {
		return p.view(), nil
	}
	return view{}, errNoProxy
}
