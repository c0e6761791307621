package link

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	maxNames = 1024 // names of headers that are remembered
	maxName  = 64   // bytes of one
)

// A name is what is known of a header's name.
type name struct {
	text   string // in lower case
	secret bool   // the value must not be kept
}

// names remembers the names of headers, so that the few that a system uses are put in lower case and judged once. The zero
// names is ready. All methods are safe for concurrent use, also of nil, which remembers nothing.
type names struct {
	known  atomic.Pointer[map[string]name]
	adding sync.Mutex
}

// of returns what is known of the name as it was sent.
func (n *names) of(sent string) name {
	if n == nil {
		return nameOf(sent)
	}
	known := n.known.Load()
	if known != nil {
		if is, ok := (*known)[sent]; ok {
			return is
		}
	}
	is := nameOf(sent)
	if len(sent) <= maxName && (known == nil || len(*known) < maxNames) {
		n.add(sent, is)
	}
	return is
}

func (n *names) add(sent string, is name) {
	n.adding.Lock()
	defer n.adding.Unlock()
	next := map[string]name{}
	if known := n.known.Load(); known != nil {
		maps.Copy(next, *known)
	}
	is.text = strings.Clone(is.text)
	next[strings.Clone(sent)] = is
	n.known.Store(&next)
}

func nameOf(sent string) name {
	return name{strings.ToLower(sent), isSecret(sent)}
}
