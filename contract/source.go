package contract

import (
	"fmt"
	"io/fs"
)

// A Source is one version of a contract: files, wherever they are, a folder, a git revision or memory.
type Source struct {
	Name string // as the user named it, such as "main:api/orders.yaml": for messages
	FS   fs.FS  // nothing outside of it is read
	Path string // within FS: a file, or "." for all of it
}

// Options are how a comparison is made.
type Options struct {
	Contract  string // the name that findings carry
	Seed      uint64 // of documents
	Documents int    // tried for each pair of schemas; 0 takes DefaultDocuments
	// Remote returns what a reference to another host names. nil refuses such references, with an error that says so.
	Remote func(url string) ([]byte, error)
}

// DefaultDocuments is how many documents are tried for each pair of schemas.
const DefaultDocuments = 200

// Limits on what is read, so that a hostile contract costs an error and neither memory nor time.
const (
	MaxFile  = 32 << 20 // bytes of one file
	MaxNodes = 1 << 20  // values of one document, with aliases of YAML counted as often as they are used
	MaxDepth = 512      // of nesting
)

// Read returns a file of the version. It refuses what is too large.
func (s Source) Read(name string) ([]byte, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	if info.Size() > MaxFile {
		return nil, fmt.Errorf("%s: %s has %d bytes, and %d are the most that is read", s.Name, name, info.Size(), MaxFile)
	}
	data, err := fs.ReadFile(s.FS, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return data, nil
}
