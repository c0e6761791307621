package proto

import (
	"bytes"
	"sync"

	"github.com/bufbuild/protocompile/linker"
)

// A sharing says which files of a version are, with all that they import, those of the other.
type sharing struct {
	old, new *version
	files    map[string]linker.File // of the old version
	mu       sync.Mutex
	known    map[string]bool
}

func newSharing(old, new *version) *sharing {
	s := &sharing{old: old, new: new, files: map[string]linker.File{}, known: map[string]bool{}}
	for _, file := range old.files {
		s.files[file.Path()] = file
	}
	return s
}

// file returns what the old version has for a file that is the same in the new one, or nil.
func (s *sharing) file(name string) linker.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isSame(name) {
		return s.files[name]
	}
	return nil
}

func (s *sharing) isSame(name string) bool {
	if known, ok := s.known[name]; ok {
		return known
	}
	same := s.compare(name)
	s.known[name] = same
	return same
}

func (s *sharing) compare(name string) bool {
	file := s.files[name]
	is, err := s.new.load(name)
	if file == nil { // built in, unless the new version brings its own
		return err != nil && isBuiltIn(name)
	}
	was, wasErr := s.old.load(name)
	if err != nil || wasErr != nil || !bytes.Equal(was, is) {
		return false
	}
	for i := range file.Imports().Len() {
		if !s.isSame(file.Imports().Get(i).Path()) {
			return false
		}
	}
	return true
}
