package terms

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

// Read returns the terms in a file, or in all files of a folder that have some: files of terms, OpenAPI and AsyncAPI. Services come in the order of
// their names. All mistakes are in the error, each with its file, line and column.
func Read(ctx context.Context, src contract.Source) ([]Terms, error) {
	names, single, err := files(src)
	if err != nil {
		return nil, err
	}
	var all []Terms
	var errs []error
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := src.Read(name)
		if err != nil {
			return nil, err
		}
		f := parse(name, data)
		if f.root != nil && !single && !hasTerms(f.root) {
			continue
		}
		if t := f.terms(); t != nil {
			all = append(all, *t)
		}
		errs = append(errs, f.errs...)
	}
	all, err = united(all)
	return all, errors.Join(append(errs, err)...)
}

// files returns the files to read, and whether the source is one.
func files(src contract.Source) (names []string, single bool, err error) {
	info, err := fs.Stat(src.FS, src.Path)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", src.Name, err)
	}
	if !info.IsDir() {
		return []string{src.Path}, true, nil
	}
	err = fs.WalkDir(src.FS, src.Path, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)) {
			names = append(names, name)
		}
		return err
	})
	if err == nil && len(names) > maxOperations {
		err = fmt.Errorf("%s: more than %d files", src.Name, maxOperations)
	}
	return names, false, err
}

// hasTerms says whether a file of a folder is one of those that Read is after.
func hasTerms(root *yaml.Node) bool {
	described := child(root, "openapi") != nil || child(root, "asyncapi") != nil
	return described || child(root, "service") != nil && child(root, "operations") != nil
}

// terms reads a file, of whichever kind it is. nil: it declares none, or is not what it should be.
func (f *file) terms() *Terms {
	switch {
	case f.root == nil:
		return nil
	case child(f.root, "openapi") != nil:
		return f.described(f.openapi)
	case child(f.root, "asyncapi") != nil:
		return f.described(f.asyncapi)
	}
	t := Terms{At: f.place(f.root)}
	ok := f.object(f.root, "a file of terms", "", nil, fields{
		"service": f.service(&t.Service),
		"operations": func(_ string, n *yaml.Node) {
			if n.Kind != yaml.MappingNode {
				f.wrong(n, "operations must be a mapping, and this is %s", describe(n))
			}
			pairs(n, func(key, value *yaml.Node) { t.Operations = append(t.Operations, f.operation(key.Value, key, value)) })
		},
	})
	if !ok {
		return nil
	}
	f.need(f.root, "a file of terms", "service")
	f.need(f.root, "a file of terms", "operations")
	return &t
}

func (f *file) service(into *string) reader {
	return func(name string, n *yaml.Node) {
		f.text(into)(name, n)
		if strings.ContainsAny(*into, " \t\r\n") {
			f.wrong(n, "the name of a service has no blanks, and this is %s", describe(n))
		}
	}
}

// described reads the terms in a description of an interface.
func (f *file) described(read func(add func(name string, key, owner *yaml.Node))) *Terms {
	t := Terms{At: f.place(f.root)}
	known := map[*yaml.Node]bool{}
	if block := child(f.root, "x-assay"); block != nil {
		known[block] = true
		f.object(block, "x-assay", "", nil, fields{"service": f.service(&t.Service)})
	}
	read(func(name string, key, owner *yaml.Node) {
		if block := child(owner, "x-assay"); block != nil {
			known[block] = true
			t.Operations = append(t.Operations, f.operation(name, key, block))
		}
	})
	f.strayed(f.root, known)
	switch {
	case len(t.Operations) == 0 && t.Service == "":
		return nil
	case t.Service == "":
		f.wrong(f.root, "there are terms under x-assay, and no service that they are of (x-assay: {service: NAME} at the top)")
	}
	return &t
}

// strayed adds each x-assay that stands where nobody reads it: terms that somebody wrote are not to be passed over in silence.
func (f *file) strayed(n *yaml.Node, known map[*yaml.Node]bool) {
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			f.strayed(item, known)
		}
	}
	pairs(n, func(key, value *yaml.Node) {
		switch {
		case key.Value == "example" || key.Value == "examples":
		case key.Value == "x-assay" && !known[value]:
			f.wrong(key, "x-assay is not read here (terms stand in the operations of paths, or of AsyncAPI, and the service's name at the top)")
		default:
			f.strayed(value, known)
		}
	})
}

func (f *file) openapi(add func(name string, key, owner *yaml.Node)) {
	pairs(child(f.root, "paths"), func(route, item *yaml.Node) {
		pairs(item, func(method, operation *yaml.Node) {
			if name := strings.ToUpper(method.Value); name != method.Value && slices.Contains(methods(), name) {
				add(name+" "+route.Value, method, operation)
			}
		})
	})
}

// asyncapi reads versions 3, where operations send to and receive from channels, and 2, where channels have what others may publish and subscribe to.
func (f *file) asyncapi(add func(name string, key, owner *yaml.Node)) {
	channels := child(f.root, "channels")
	pairs(child(f.root, "operations"), func(id, operation *yaml.Node) {
		action, ref := child(operation, "action"), child(child(operation, "channel"), "$ref")
		if child(operation, "x-assay") == nil {
			return
		}
		if action == nil || ref == nil || !strings.HasPrefix(ref.Value, "#/channels/") {
			f.wrong(id, "the operation %s has terms, and no action with a channel (channel: {$ref: '#/channels/NAME'})", brief(id.Value))
			return
		}
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.TrimPrefix(ref.Value, "#/channels/"))
		if address := child(child(channels, name), "address"); address != nil && address.ShortTag() == "!!str" {
			name = address.Value
		}
		add(action.Value+" "+name, id, operation)
	})
	pairs(channels, func(channel, item *yaml.Node) {
		pairs(item, func(key, operation *yaml.Node) {
			if action := map[string]string{"publish": "receive", "subscribe": "send"}[key.Value]; action != "" {
				add(action+" "+channel.Value, key, operation)
			}
		})
	})
}

// united joins the terms of a service that stand in several files.
func united(all []Terms) ([]Terms, error) {
	var services []Terms
	var errs []error
	seen := map[string]contract.Place{}
	for _, t := range all {
		i := slices.IndexFunc(services, func(s Terms) bool { return s.Service == t.Service })
		if i < 0 {
			i = len(services)
			services = append(services, Terms{Service: t.Service, At: t.At})
		}
		for _, o := range t.Operations {
			name := t.Service + " " + o.Name
			if first, ok := seen[name]; ok {
				errs = append(errs, fmt.Errorf("%s: %s has terms already, at %s", o.At, name, first))
				continue
			}
			if seen[name] = o.At; len(seen) > maxOperations {
				return services, fmt.Errorf("%s: more than %d operations", o.At, maxOperations)
			}
			services[i].Operations = append(services[i].Operations, o)
		}
	}
	slices.SortStableFunc(services, func(a, b Terms) int { return strings.Compare(a.Service, b.Service) })
	return services, errors.Join(errs...)
}
