package proto

import (
	"strings"

	"github.com/bufbuild/protocompile/ast"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
)

// at returns where a descriptor is declared, or where its part is: pick returns the part, nil for all of it.
func (t *tree) at(d protoreflect.Descriptor, pick func(ast.Node) ast.Node) contract.Place {
	if d == nil {
		return contract.Place{}
	}
	file, ok := d.ParentFile().(linker.Result)
	if !ok {
		return contract.Place{File: d.ParentFile().Path()}
	}
	name := t.version.file(file.Path())
	tree := file.AST()
	if tree == nil {
		return contract.Place{File: name}
	}
	if _, ok := d.(protoreflect.FileDescriptor); ok {
		return filePlace(name, tree, pick)
	}
	if parent, ok := d.Parent().(protoreflect.MessageDescriptor); ok && parent.IsMapEntry() {
		d, pick = parent, nil // keys and values of maps stand nowhere by themselves: the map does
	}
	node := file.Node(protoutil.ProtoFromDescriptor(d))
	if node == nil {
		return contract.Place{File: name}
	}
	if pick != nil {
		if part := pick(node); part != nil {
			node = part
		}
	}
	return position(name, tree.NodeInfo(node).Start())
}

// filePlace returns where a part of a file stands, or its first line.
func filePlace(name string, tree *ast.FileNode, pick func(ast.Node) ast.Node) contract.Place {
	if pick != nil {
		if part := pick(tree); part != nil {
			return position(name, tree.NodeInfo(part).Start())
		}
	}
	return contract.Place{File: name, Line: 1, Column: 1}
}

func syntaxNode(n ast.Node) ast.Node {
	file := n.(*ast.FileNode)
	switch {
	case file.Syntax != nil:
		return file.Syntax
	case file.Edition != nil:
		return file.Edition
	}
	return nil
}

func packageNode(n ast.Node) ast.Node {
	for _, decl := range n.(*ast.FileNode).Decls {
		if pkg, ok := decl.(*ast.PackageNode); ok {
			return pkg
		}
	}
	return nil
}

func typeNode(n ast.Node) ast.Node {
	if field, ok := n.(ast.FieldDeclNode); ok {
		return field.FieldType()
	}
	return nil
}

func nameNode(n ast.Node) ast.Node {
	if field, ok := n.(ast.FieldDeclNode); ok {
		return field.FieldName()
	}
	return nil
}

func numberNode(n ast.Node) ast.Node {
	if value, ok := n.(ast.EnumValueDeclNode); ok {
		return value.GetNumber()
	}
	return nil
}

func inputNode(n ast.Node) ast.Node {
	if rpc, ok := n.(*ast.RPCNode); ok {
		return rpc.Input.MessageType
	}
	return nil
}

func outputNode(n ast.Node) ast.Node {
	if rpc, ok := n.(*ast.RPCNode); ok {
		return rpc.Output.MessageType
	}
	return nil
}

// optionNode returns what picks the first of the options that is there.
func optionNode(names ...string) func(ast.Node) ast.Node {
	return func(n ast.Node) ast.Node {
		with, ok := n.(ast.NodeWithOptions)
		if field, isField := n.(ast.FieldDeclNode); !ok || isField && field.GetOptions() == nil {
			return nil
		}
		for _, name := range names {
			var found ast.Node
			with.RangeOptions(func(option *ast.OptionNode) bool {
				if optionName(option.Name) == name {
					found = option
				}
				return found == nil
			})
			if found != nil {
				return found
			}
		}
		return nil
	}
}

func optionName(name *ast.OptionNameNode) string {
	parts := make([]string, len(name.Parts))
	for i, part := range name.Parts {
		parts[i] = part.Value()
	}
	return strings.Join(parts, ".")
}
