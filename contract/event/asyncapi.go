package event

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A document is an AsyncAPI document, in the shape of version 3.
type document struct {
	*loader
	root        loc
	version     string
	contentType string // where a message has none
	servers     []named
	channels    []*channel
	operations  []*operation
}

type channel struct {
	named
	address  string
	messages []*message
}

type operation struct {
	named
	traits   []loc
	action   string // send or receive: what this application does
	channel  *channel
	messages []*message
}

type message struct {
	named
	traits []loc
}

// has returns a member of the message with its traits, by the one that wins.
func (m *message) has(d *document, name string) (loc, error) {
	return winner(d.inherited(m.loc, m.traits, name))
}

// inherited returns a member of an object and of its traits, the one that wins first. A later trait wins over an earlier one. In version
// 3 the object's own wins over all, in version 2 it is the first to be overwritten.
func (d *document) inherited(x loc, traits []loc, name string) ([]loc, error) {
	from := []loc{x}
	for _, t := range traits {
		if strings.HasPrefix(d.version, "2") {
			from = append([]loc{t}, from...)
		} else {
			from = slices.Insert(from, 1, t)
		}
	}
	var all []loc
	for _, x := range from {
		v, err := d.member(x, name)
		if err != nil {
			return nil, err
		}
		if v.n != nil {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		all = []loc{{file: x.file, ptr: x.ptr}} // nothing, and no place
	}
	return all, nil
}

// merged returns the value of a member as it is with all traits: objects are merged, and of the rest one wins.
func (d *document) merged(x loc, traits []loc, name string) (any, loc, error) {
	all, err := d.inherited(x, traits, name)
	if err != nil {
		return nil, loc{}, err
	}
	var out any
	for _, from := range slices.Backward(all) {
		v, err := d.expand(from)
		if err != nil {
			return nil, loc{}, err
		}
		out = over(out, v)
	}
	return out, all[0], nil
}

// over returns a value with another laid over it.
func over(below, above any) any {
	was, isObject := below.(map[string]any)
	is, ok := above.(map[string]any)
	if !isObject || !ok {
		return above
	}
	out := maps.Clone(was)
	for key, v := range is {
		out[key] = over(out[key], v)
	}
	return out
}

// readDocument reads a version.
func readDocument(src contract.Source, opts contract.Options) (*document, error) {
	if _, err := readTree(src); err != nil { // a folder, or no file
		return nil, err
	}
	l := &loader{src: src, opts: opts, files: map[string]*node{}}
	name := path.Clean(src.Path)
	n, err := l.file(name)
	if err != nil {
		return nil, err
	}
	d := &document{loader: l, root: loc{n: n, file: name}}
	d.version, d.contentType = d.root.str("asyncapi"), d.root.str("defaultContentType")
	if d.servers, err = d.each(d.root.key("servers")); err != nil {
		return nil, err
	}
	switch major, _, _ := strings.Cut(d.version, "."); major {
	case "3":
		err = d.read3()
	case "2":
		err = d.read2()
	case "":
		err = fmt.Errorf(`%s: no key "asyncapi" with a version: this is no AsyncAPI document`, n.at)
	default:
		err = fmt.Errorf("%s: AsyncAPI %s is not read: versions 2 and 3 are", n.get("asyncapi").at, d.version)
	}
	return d, err
}

func (d *document) read3() error {
	channels, err := d.each(d.root.key("channels"))
	if err != nil {
		return err
	}
	for _, at := range channels {
		c := &channel{named: at, address: at.str("address")}
		if c.messages, err = d.messages(at.key("messages")); err != nil {
			return err
		}
		d.channels = append(d.channels, c)
	}
	operations, err := d.each(d.root.key("operations"))
	if err != nil {
		return err
	}
	for _, at := range operations {
		op, err := d.operation(at)
		if err != nil {
			return err
		}
		d.operations = append(d.operations, op)
	}
	return nil
}

func (d *document) operation(at named) (*operation, error) {
	op := &operation{named: at, action: at.str("action")}
	if op.action != "send" && op.action != "receive" {
		return nil, fmt.Errorf("%s: the operation %q has the action %q: send and receive are those there are", at.place(), at.name, op.action)
	}
	var err error
	if op.traits, err = d.traits(at.loc); err != nil {
		return nil, err
	}
	where, err := d.member(at.loc, "channel")
	if err != nil {
		return nil, err
	}
	if op.channel = d.channelAt(where); op.channel == nil {
		return nil, fmt.Errorf("%s: the operation %q names no channel of this document", at.place(), at.name)
	}
	op.messages, err = d.chosen(at.key("messages"), op.channel)
	return op, err
}

func (d *document) channelAt(x loc) *channel {
	for _, c := range d.channels {
		if x.n != nil && c.n == x.n {
			return c
		}
	}
	return nil
}

// chosen returns the messages that a list names, by the names that channels have for them. Without a list, all of the channel.
func (d *document) chosen(x loc, c *channel) ([]*message, error) {
	if x.n == nil && c != nil {
		return c.messages, nil
	}
	all, err := d.messages(x)
	for i, m := range all {
		for _, of := range append(slices.Clone(d.channels), c) {
			if of == nil {
				continue
			}
			if j := slices.IndexFunc(of.messages, func(known *message) bool { return known.n == m.n }); j >= 0 {
				all[i] = of.messages[j] // the last is the channel itself, whose name for it wins
			}
		}
	}
	return all, err
}

func (d *document) messages(x loc) ([]*message, error) {
	list, err := d.each(x)
	if err != nil {
		return nil, err
	}
	var all []*message
	for _, at := range list {
		m, err := d.message(at)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// message names a message by its key, or where it has none, as in a list, by its name.
func (d *document) message(at named) (*message, error) {
	m := &message{named: at}
	if at.n == nil || at.n.kind != isObject {
		return nil, fmt.Errorf("%s: a message must be an object", at.place())
	}
	if own := or2(at.str("name"), at.str("messageId")); own != "" && strings.Trim(at.name, "0123456789") == "" {
		m.name = own
	}
	var err error
	m.traits, err = d.traits(at.loc)
	return m, err
}

func (d *document) traits(x loc) ([]loc, error) {
	list, err := d.each(x.key("traits"))
	var all []loc
	for _, t := range list {
		all = append(all, t.loc)
	}
	return all, err
}

func winner(all []loc, err error) (loc, error) {
	if err != nil {
		return loc{}, err
	}
	return all[0], nil
}
