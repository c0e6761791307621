package toxiproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// stateName is the file of the proxies in a state folder.
const stateName = "proxies.json"

const stateFormat = 1

// saved is what a start brings back.
type saved struct {
	Format  int          `json:"format"`
	Proxies []savedProxy `json:"proxies"`
}

type savedProxy struct {
	Name     string            `json:"name"`
	Listen   string            `json:"listen"`
	Upstream string            `json:"upstream"`
	Enabled  bool              `json:"enabled"`
	Toxics   []json.RawMessage `json:"toxics,omitempty"` // as the API shows them
}

// snapshot returns all that is to be kept. The caller holds mu.
func (s *Set) snapshot() saved {
	now := saved{Format: stateFormat, Proxies: []savedProxy{}}
	for _, name := range slices.Sorted(maps.Keys(s.proxies)) {
		p := s.proxies[name]
		one := savedProxy{Name: p.name, Listen: p.listen, Upstream: p.upstream, Enabled: p.wanted}
		if s.keepToxics {
			one.Toxics = p.toxicsAsJSON()
		}
		now.Proxies = append(now.Proxies, one)
	}
	return now
}

func (p *proxy) toxicsAsJSON() []json.RawMessage {
	var all []json.RawMessage
	for _, t := range p.toxics {
		if text, err := json.Marshal(t); err == nil { // numbers and texts
			all = append(all, text)
		}
	}
	return all
}

// A store keeps proxies in one file, which is replaced as a whole.
type store struct {
	path string
	last []byte
}

// keep returns when the proxies are on disk.
func (st *store) keep(now saved) error {
	text, err := json.MarshalIndent(now, "", " ")
	if err != nil || bytes.Equal(text, st.last) {
		return err
	}
	if err := replace(st.path, append(text, '\n')); err != nil {
		return err
	}
	st.last = text
	return nil
}

// replace writes a file so that after any death it holds either the old text or the new.
func replace(path string, text []byte) error {
	next := path + ".next"
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// load reads what is kept; a file that is not there holds nothing.
func (st *store) load() (saved, error) {
	text, err := os.ReadFile(st.path)
	if errors.Is(err, fs.ErrNotExist) {
		return saved{}, nil
	}
	if err != nil {
		return saved{}, err
	}
	var before saved
	if err := json.Unmarshal(text, &before); err != nil {
		return saved{}, fmt.Errorf("%s is no state of proxies (move it away to start without): %w", st.path, err)
	}
	if before.Format != stateFormat {
		return saved{}, fmt.Errorf("%s has the format %d, and this program knows %d (move it away to start without)", st.path, before.Format, stateFormat)
	}
	return before, nil
}

// restore brings back what was kept, and says what cannot be as it was: such a proxy is there, and disabled.
func (s *Set) restore(ctx context.Context, before saved) (problems []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kept := range before.Proxies {
		p := &proxy{name: kept.Name, listen: kept.Listen, upstream: kept.Upstream, wanted: kept.Enabled}
		s.proxies[p.name] = p
		if !s.keepToxics {
			kept.Toxics = nil // of a start that kept them
		}
		for _, text := range kept.Toxics {
			if err := s.restoreToxic(p, text); err != nil {
				problems = append(problems, fmt.Sprintf("proxy %q: a toxic does not come back: %v", p.name, err))
			}
		}
		if kept.Enabled {
			if err := p.open(ctx, s.mesh); err != nil {
				problems = append(problems, fmt.Sprintf("proxy %q does not come back, and is disabled: %v", p.name, err))
			}
		}
	}
	return problems
}

func (s *Set) restoreToxic(p *proxy, text []byte) error {
	t, err := newToxic(text)
	if err != nil {
		return err
	}
	if err := t.read(text); err != nil {
		return err
	}
	return s.append(p, t)
}
