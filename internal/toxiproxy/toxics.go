package toxiproxy

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/system"
)

// addToxic adds the toxic that a body describes.
func (s *Set) addToxic(name string, body []byte) (added *toxic, err error) {
	err = s.doToxics(func() error {
		p := s.proxies[name]
		if p == nil {
			return errNoProxy
		}
		t, err := newToxic(body)
		if err != nil {
			return err
		}
		if _, old := p.toxic(t.Name); old != nil {
			return errToxicIs
		}
		if err := t.read(body); err != nil {
			return err
		}
		added = t
		return s.append(p, t)
	})
	return added, err
}

// append gives a toxic the next place. The mesh applies rules in the order of their ids. The caller holds mu.
func (s *Set) append(p *proxy, t *toxic) error {
	s.rules++
	t.id = fmt.Sprintf("toxic/%012d", s.rules)
	if err := s.bend(p, t); err != nil {
		return err
	}
	p.toxics = append(p.toxics, t)
	return nil
}

// bend brings a toxic to the mesh.
func (s *Set) bend(p *proxy, t *toxic) error {
	rule, bends := t.bend(p.name)
	if !bends {
		return s.mesh.ClearRule(t.id)
	}
	return s.mesh.SetRule(t.id, []system.Link{p.link(t.up)}, rule)
}

func (s *Set) updateToxic(name, toxicName string, body []byte) (next *toxic, err error) {
	err = s.doToxics(func() error {
		p := s.proxies[name]
		if p == nil {
			return errNoProxy
		}
		i, old := p.toxic(toxicName)
		if old == nil {
			return errNoToxic
		}
		changed, err := old.changed(body)
		if err != nil {
			return err
		}
		if err := s.bend(p, changed); err != nil {
			return err
		}
		p.toxics[i], next = changed, changed // a toxic never changes, since views hold it
		return nil
	})
	return next, err
}

func (s *Set) removeToxic(name, toxicName string) error {
	return s.doToxics(func() error {
		p := s.proxies[name]
		if p == nil {
			return errNoProxy
		}
		i, _ := p.toxic(toxicName)
		if i < 0 {
			return errNoToxic
		}
		return s.drop(p, i)
	})
}

// drop removes one toxic. The caller holds mu.
func (s *Set) drop(p *proxy, i int) error {
	if err := s.mesh.ClearRule(p.toxics[i].id); err != nil {
		return err
	}
	p.toxics = slices.Delete(p.toxics, i, i+1)
	return nil
}

func (s *Set) toxic(name, toxicName string) (*toxic, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.proxies[name]
	if p == nil {
		return nil, errNoProxy
	}
	if _, t := p.toxic(toxicName); t != nil {
		return t, nil
	}
	return nil, errNoToxic
}
