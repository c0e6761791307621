package event

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// Diff compares two versions of an AsyncAPI document of one application. What it receives was written for the old version and is
// read by the new; what it sends is written by the new and read by those who know the old.
func Diff(ctx context.Context, old, new contract.Source, opts contract.Options) (contract.Diff, error) {
	if opts.Contract == "" {
		opts.Contract = new.Path
	}
	before, err := readDocument(old, opts)
	if err != nil {
		return contract.Diff{}, err
	}
	after, err := readDocument(new, opts)
	if err != nil {
		return contract.Diff{}, err
	}
	c := &comparison{ctx: ctx, old: before, new: after, opts: opts}
	for _, step := range []func() error{c.servers, c.channels, c.rest} {
		if err := step(); err != nil {
			return contract.Diff{}, err
		}
	}
	diff := contract.Diff{Contract: opts.Contract, Kind: contract.AsyncAPI, Old: old.Name, New: new.Name, Seed: opts.Seed,
		Documents: c.documents, Findings: c.findings, Gaps: c.gaps, Proofs: c.proofs}
	diff.Sort()
	return diff, nil
}

type comparison struct {
	part
	ctx      context.Context
	old, new *document
	opts     contract.Options
}

func (c *comparison) subject(flow contract.Flow, format string, args ...any) subject {
	return subject{kind: contract.AsyncAPI, name: fmt.Sprintf(format, args...), flow: flow, opts: c.opts}
}

func (c *comparison) found(sub subject, rule string, severity contract.Severity, path, text, try string, old, new contract.Place) *contract.Finding {
	f := sub.finding(rule, severity, path, text, try)
	f.Old, f.New = old, new
	c.findings = append(c.findings, f)
	return &c.findings[len(c.findings)-1]
}

// gone is a finding that an event itself shows: the old version knows it and the new has no place for it.
func (c *comparison) gone(sub subject, rule, path, text, try, event string, old, new contract.Place) {
	f := c.found(sub, rule, contract.Break, path, text, try, old, new)
	f.Witness = &contract.Witness{What: "event", Encoding: "text", Document: event, Allowed: "old", Refused: "new", Reason: text}
}

func (c *comparison) gap(sub subject, path string, at contract.Place, format string, args ...any) {
	c.gaps = append(c.gaps, sub.gap(path, at, format, args...))
}

// harmless keys are read by people only.
func harmless(key string) bool {
	return strings.HasPrefix(key, "x-") || slices.Contains([]string{"title", "summary", "description", "tags", "externalDocs", "examples",
		"info", "id", "components", "asyncapi", "defaultContentType", "name", "operationId", "messageId"}, key)
}

// others compares the members of an object that nobody judged: what is not harmless is a gap.
func (c *comparison) others(sub subject, old, new loc, judged ...string) error {
	keys := map[string]bool{}
	var order []string
	for _, x := range []loc{old, new} {
		if x.n == nil {
			continue
		}
		for _, m := range x.n.members {
			if !keys[m.name] && !harmless(m.name) && !slices.Contains(judged, m.name) {
				keys[m.name] = true
				order = append(order, m.name)
			}
		}
	}
	for _, key := range order {
		same, err := c.same(old.key(key), new.key(key))
		if err != nil {
			return err
		}
		if !same {
			c.gap(sub, key, new.place(), "%q changed, and no rule says what that does", key)
		}
	}
	return nil
}

// same says whether two values are equal, with references followed.
func (c *comparison) same(old, new loc) (bool, error) {
	was, err := c.old.text(old)
	if err != nil {
		return false, err
	}
	is, err := c.new.text(new)
	return was == is, err
}

func (c *comparison) rest() error {
	sub := c.subject("", "document")
	if len(c.findings)+len(c.gaps) == 0 {
		c.proofs = append(c.proofs, sub.proof("rule: servers, channels, operations and messages are compared one by one; the rest is for people"))
	}
	if was, is := c.old.root.n.get("info").get("version"), c.new.root.n.get("info").get("version"); was != nil && is != nil && was.text != is.text {
		c.found(sub, "asyncapi-version-changed", contract.Change, "info.version", fmt.Sprintf("version %s became %s", was.text, is.text), "", was.at, is.at)
	}
	return c.others(sub, c.old.root, c.new.root, "servers", "channels", "operations")
}

func find(list []named, name string) (named, bool) {
	i := slices.IndexFunc(list, func(n named) bool { return n.name == name })
	if i < 0 {
		return named{}, false
	}
	return list[i], true
}

func (c *comparison) servers() error {
	for _, old := range c.old.servers {
		sub := c.subject(contract.Both, "server %s", old.name)
		new, ok := find(c.new.servers, old.name)
		if !ok {
			c.gone(sub, "asyncapi-server-removed", "", fmt.Sprintf("the server %s is gone: neighbours that connect to it find nobody", old.name),
				"keep it until nobody connects to it", "server "+old.name, old.place(), c.new.root.place())
			continue
		}
		if err := c.server(sub, old, new); err != nil {
			return err
		}
	}
	for _, new := range c.new.servers {
		if _, ok := find(c.old.servers, new.name); !ok {
			c.found(c.subject(contract.Both, "server %s", new.name), "asyncapi-server-added", contract.Change, "", "the server is new", "", c.old.root.place(), new.place())
		}
	}
	return nil
}

func (c *comparison) server(sub subject, old, new named) error {
	for _, row := range []struct {
		key, rule string
		severity  contract.Severity
	}{
		{"protocol", "asyncapi-server-protocol", contract.Break},
		{"protocolVersion", "asyncapi-server-protocol-version", contract.Risk},
		{"variables", "asyncapi-server-variables", contract.Risk},
	} {
		if err := c.value(sub, row.rule, row.severity, row.key, old.loc, new.loc, "add a server, and remove the old one when nobody connects to it"); err != nil {
			return err
		}
	}
	was, err := c.old.member(old.loc, "security")
	if err != nil {
		return err
	}
	is, err := c.new.member(new.loc, "security")
	if err != nil {
		return err
	}
	if err := c.security(sub, was, is, old.place(), new.place()); err != nil {
		return err
	}
	if was, is := address(old.loc), address(new.loc); was != is {
		c.gone(sub, "asyncapi-server-address", "host", fmt.Sprintf("the server was at %q and is at %q", was, is),
			"add a server, and remove the old one when nobody connects to it", "a connection to "+was, old.place(), new.place())
	}
	if err := c.bindings(sub, "server", "", old.loc, new.loc, nil, nil); err != nil {
		return err
	}
	return c.others(sub, old.loc, new.loc, "host", "pathname", "url", "protocol", "protocolVersion", "security", "variables", "bindings")
}

// address is where a server is, as version 3 has it; version 2 has a URL.
func address(x loc) string {
	text := or2(x.str("url"), x.str("host")+x.str("pathname"))
	if _, rest, ok := strings.Cut(text, "://"); ok {
		return rest
	}
	return text
}

// value reports a member that is another, as a whole.
func (c *comparison) value(sub subject, rule string, severity contract.Severity, key string, old, new loc, try string) error {
	return c.became(sub, rule, severity, key, within(old, key), within(new, key), try)
}

// within returns a member; where there is none, one without a value that stands where its object does.
func within(x loc, key string) loc {
	if at := x.key(key); at.n != nil {
		return at
	}
	return loc{n: &node{kind: isNull, at: x.place()}, file: x.file, ptr: x.ptr}
}

func (c *comparison) became(sub subject, rule string, severity contract.Severity, key string, old, new loc, try string) error {
	was, err := c.old.text(old)
	if err != nil {
		return err
	}
	is, err := c.new.text(new)
	if err != nil || was == is {
		return err
	}
	absent := func(s string) string {
		if s == "null" {
			return "not there"
		}
		return s
	}
	c.found(sub, rule, severity, key, fmt.Sprintf("%s was %s and is %s", key, absent(was), absent(is)), try, old.place(), new.place())
	return nil
}
