package proto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/ast"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
)

// Limits on a whole version, beside those on one file.
const (
	maxFiles = 50_000
	maxTree  = 4 * contract.MaxFile
)

// A version is one version of the contract, as it was read.
type version struct {
	source  contract.Source
	root    string            // that imports start from, within the source's files
	main    []string          // the files below the source's path, by the names that imports have for them, sorted
	text    map[string][]byte // of all files that were read
	aliased [2]string         // the file that was given another name, and that name
	single  bool              // the source is one file
	mu      sync.Mutex        // of text, which the compiler asks for from many goroutines
	files   []linker.File     // main files and the imports that the version has itself, sorted by name
}

// file returns the file's path within the source.
func (v *version) file(name string) string {
	if name == v.aliased[1] && name != "" {
		name = v.aliased[0]
	}
	return path.Join(v.root, name)
}

// alias gives the only file of the version another name, so that it is paired with the one of that name.
func (v *version) alias(name, as string) {
	if name == as {
		return
	}
	v.aliased = [2]string{name, as}
	v.text[as], v.main = v.text[name], []string{as}
	delete(v.text, name)
}

// open finds the files of a version, and the folder that its imports start from.
func open(src contract.Source) (*version, error) {
	v := &version{source: src, text: map[string][]byte{}}
	if src.Path == "" {
		src.Path = "."
	}
	info, err := fs.Stat(src.FS, src.Path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", src.Name, err)
	}
	v.source, v.single = src, !info.IsDir()
	found := []string{src.Path}
	if info.IsDir() {
		if found, err = protoFiles(src); err != nil {
			return nil, err
		}
	}
	if err := v.readAll(found); err != nil {
		return nil, err
	}
	v.root = v.findRoot(info.IsDir())
	v.rename(found)
	return v, nil
}

// protoFiles lists the .proto files below the source's path.
func protoFiles(src contract.Source) ([]string, error) {
	var found []string
	err := fs.WalkDir(src.FS, src.Path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != src.Path && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case !entry.IsDir() && path.Ext(name) == ".proto":
			found = append(found, name)
		}
		if len(found) > maxFiles {
			return fmt.Errorf("more than %d files, the most that is read: name a folder below", maxFiles)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", src.Name, err)
	case len(found) == 0:
		return nil, fmt.Errorf("read %s: there is no .proto file at %s: name the folder that imports start from", src.Name, src.Path)
	}
	return found, nil
}

func (v *version) readAll(found []string) error {
	size := 0
	for _, name := range found {
		data, err := v.source.Read(name)
		if err != nil {
			return err
		}
		if err := tooDeep(name, data); err != nil {
			return fmt.Errorf("%s: %w", v.source.Name, err)
		}
		if size += len(data); size > maxTree {
			return fmt.Errorf("%s: more than %d bytes of .proto files, the most that is read: name a folder below", v.source.Name, maxTree)
		}
		v.text[name] = data
	}
	return nil
}

// rename gives files the names that imports have for them.
func (v *version) rename(found []string) {
	text := make(map[string][]byte, len(found))
	for _, name := range found {
		short := name
		if v.root != "." {
			short = strings.TrimPrefix(name, v.root+"/")
		}
		v.main, text[short] = append(v.main, short), v.text[name]
	}
	slices.Sort(v.main)
	v.text = text
}

// findRoot returns the deepest folder that all imports can be found from: the path, or one above it. Without one it is
// the path, so that the compiler says what is missing.
func (v *version) findRoot(isDir bool) string {
	first := v.source.Path
	if !isDir {
		first = path.Dir(first)
	}
	var imports []string
	for _, text := range v.text {
		imports = append(imports, importsOf(text)...)
	}
	slices.Sort(imports)
	imports = slices.Compact(imports)
	for root := first; ; root = path.Dir(root) {
		if !slices.ContainsFunc(imports, func(name string) bool { return !v.has(root, name) }) {
			return root
		}
		if root == "." || root == "/" {
			return first
		}
	}
}

// has says whether an import can be found from root.
func (v *version) has(root, name string) bool {
	if isBuiltIn(name) {
		return true
	}
	full := path.Join(root, name)
	if _, ok := v.text[full]; ok {
		return true
	}
	_, err := fs.Stat(v.source.FS, full)
	return err == nil
}

// isBuiltIn says whether the name is of the files that come with every compiler.
func isBuiltIn(name string) bool {
	if !strings.HasPrefix(name, "google/protobuf/") {
		return false
	}
	resolver := protocompile.WithStandardImports(protocompile.ResolverFunc(func(string) (protocompile.SearchResult, error) {
		return protocompile.SearchResult{}, fs.ErrNotExist
	}))
	_, err := resolver.FindFileByPath(name)
	return err == nil
}

// importsOf lists what the lines of a file import. It need not be exact: it only helps to find the root.
func importsOf(text []byte) []string {
	var imports []string
	for rest := text; ; {
		i := bytes.Index(rest, []byte("import"))
		if i < 0 {
			return imports
		}
		atStart := i == 0 || strings.ContainsRune("\n;\t /", rune(rest[i-1]))
		rest = rest[i+len("import"):]
		statement, _, ok := bytes.Cut(rest[:min(len(rest), 512)], []byte(";"))
		if !ok || !atStart {
			continue
		}
		fields := bytes.Fields(statement)
		if len(fields) == 0 || len(fields) > 2 {
			continue
		}
		if name := fields[len(fields)-1]; len(name) > 2 && (name[0] == '"' || name[0] == '\'') && name[len(name)-1] == name[0] {
			imports = append(imports, string(name[1:len(name)-1]))
		}
	}
}

// compile links the version's files. same returns what another version made of a file that is the same in this one, with
// all that it imports; nil if there is none.
func (v *version) compile(ctx context.Context, same func(name string) linker.File) error {
	var found []error
	compiler := protocompile.Compiler{
		RetainASTs: true, // places are looked up in them, for findings alone
		Resolver:   protocompile.WithStandardImports(protocompile.ResolverFunc(func(name string) (protocompile.SearchResult, error) { return v.find(name, same) })),
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			if found = append(found, v.explain(err)); len(found) >= 10 {
				return reporter.ErrInvalidSource
			}
			return nil
		}, nil),
	}
	files, err := compiler.Compile(ctx, v.main...)
	switch {
	case len(found) > 0:
		slices.SortFunc(found, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return errors.Join(found...)
	case err != nil:
		return v.explain(err)
	}
	v.files = closure(files)
	return v.unique()
}

// unique refuses names that two files declare. The compiler sees to that for files that it links, but not for those that
// are shared with the other version.
func (v *version) unique() error {
	seen := map[protoreflect.FullName]linker.File{}
	for _, file := range v.files {
		for _, d := range topLevel(file) {
			if other := seen[d.FullName()]; other != nil && other != file {
				at := (&tree{version: v}).at(d, nil)
				return fmt.Errorf("%s: %s: %s is already defined in %s", v.source.Name, at, d.FullName(), v.file(other.Path()))
			}
			seen[d.FullName()] = file
		}
	}
	return nil
}

// find answers the compiler's question for a file.
func (v *version) find(name string, same func(string) linker.File) (protocompile.SearchResult, error) {
	if same != nil {
		if file := same(name); file != nil {
			return protocompile.SearchResult{Desc: file}, nil
		}
	}
	text, err := v.load(name)
	if err != nil {
		return protocompile.SearchResult{}, err
	}
	return protocompile.SearchResult{Source: bytes.NewReader(text)}, nil
}

// load returns a file, by the name that imports have for it.
func (v *version) load(name string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if text, ok := v.text[name]; ok {
		return text, nil
	}
	full := v.file(name)
	if !fs.ValidPath(full) {
		return nil, fs.ErrNotExist
	}
	data, err := v.source.Read(full)
	if err == nil {
		err = tooDeep(full, data)
	}
	if err != nil {
		return nil, err
	}
	v.text[name] = data
	return data, nil
}

// explain says where, and what to try.
func (v *version) explain(err error) error {
	at, ok := err.(reporter.ErrorWithPos)
	if !ok {
		var panicked protocompile.PanicError
		if errors.As(err, &panicked) {
			return fmt.Errorf("%s: %s: the compiler cannot read this file: %v", v.source.Name, v.file(panicked.File), panicked.Value)
		}
		return fmt.Errorf("%s: %w", v.source.Name, err)
	}
	text := at.Unwrap().Error()
	pos := at.Start()
	return fmt.Errorf("%s: %s: %s%s", v.source.Name, position(v.file(pos.Filename), pos), text, hint(text))
}

func position(file string, pos ast.SourcePos) contract.Place {
	return contract.Place{File: file, Line: pos.Line, Column: pos.Col}
}

// hint returns what to try, for messages of the compiler that do not say it.
func hint(text string) string {
	switch {
	case strings.Contains(text, "edition value"):
		return ": proto2, proto3 and edition 2023 are read; keep the file at edition 2023 to have it compared"
	case strings.Contains(text, "cycle found in imports"):
		return ": move what both files need to a third"
	case strings.Contains(text, "file does not exist"), strings.Contains(text, "could not resolve path"):
		return ": name the folder that imports start from, with the imported files in it"
	}
	return ""
}
