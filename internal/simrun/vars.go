package simrun

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Package variables are the process's: a crash of a host does not reset them, and what one seed leaves there the next one meets.
// So they are looked at, in one more process which finds nothing else: in those that explore, the heap is not to move.

// variables says for each test which package variables its first seed changes.
func (x *explorer) variables(ctx context.Context) error {
	if len(x.tests) == 0 || x.o.Replay != "" || ctx.Err() != nil {
		return nil
	}
	file := filepath.Join(x.bin.work, "vars")
	if n, err := writeVariables(x.bin.file, file); err != nil || n == 0 {
		return err
	}
	p, err := x.bin.run(ctx, start{name: "v", tests: x.o.Tests, seed: x.o.Seed, mode: x.o.Mode, vars: file})
	if err != nil {
		return err
	}
	for _, r := range p.all() {
		t := x.tests[r.Test]
		if t == nil {
			continue
		}
		for _, symbol := range r.Vars {
			pkg, last := cutSymbol(symbol)
			name := pkg + "." + last
			switch _, err := os.Stat(filepath.Join(x.bin.goroot, "src", pkg)); {
			case err != nil:
				t.Vars = append(t.Vars, name)
			case !strings.HasPrefix(last, "sim"): // else the overlay's own
				t.StdVars = append(t.StdVars, name)
			}
		}
	}
	return nil
}

// writeVariables writes down where the package variables of a program are. It finds none in one that is no ELF file, or that is moved
// when it is loaded.
func writeVariables(program, file string) (n int, err error) {
	f, err := elf.Open(program)
	if err != nil {
		return 0, nil
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil || f.Type != elf.ET_EXEC {
		return 0, nil // without symbols there is nothing to name
	}
	symbols = slices.DeleteFunc(symbols, func(s elf.Symbol) bool { return !writable(f, s) })
	slices.SortFunc(symbols, func(a, b elf.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	var b bytes.Buffer
	for i, s := range symbols {
		if pkg, name := cutSymbol(s.Name); !machinery(pkg) && !strings.ContainsAny(name, ".[]:·") {
			fmt.Fprintf(&b, "%x %x .%s\n", s.Value, s.Size, s.Name)
			n++
		}
		// Initial values that the compiler laid out have no symbols. The linker sorts what is in a section by size.
		if end := s.Value + s.Size; i+1 < len(symbols) && symbols[i+1].Section == s.Section && symbols[i+1].Value >= end+8 {
			fmt.Fprintf(&b, "%x %x %x\n", end, symbols[i+1].Value, s.Size)
		}
	}
	return n, os.WriteFile(file, b.Bytes(), 0o666)
}

// writable says whether a symbol is memory that a program writes to.
func writable(f *elf.File, s elf.Symbol) bool {
	if elf.ST_TYPE(s.Info) != elf.STT_OBJECT || s.Size == 0 || int(s.Section) >= len(f.Sections) || strings.Contains(s.Name, " ") {
		return false
	}
	return slices.Contains([]string{".data", ".bss", ".noptrdata", ".noptrbss"}, f.Sections[s.Section].Name)
}

// machinery says whether a package is of what runs a simulation.
func machinery(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return pkg == "" || pkg == simPath ||
		slices.Contains([]string{"runtime", "internal", "testing", "sync", "syscall", "reflect", "vendor", "main", "go:", "type:"}, first)
}

// cutSymbol cuts a symbol into the import path, whose last part has its dots escaped in there, and the name.
func cutSymbol(symbol string) (pkg, name string) {
	slash := strings.LastIndexByte(symbol, '/') + 1
	last, name, found := strings.Cut(symbol[slash:], ".")
	if !found {
		return "", symbol
	}
	return strings.ReplaceAll(symbol[:slash]+last, "%2e", "."), name
}

// varsText tells of package variables, the first few by name.
func (t *Test) varsText(b *strings.Builder) {
	if names := someNames(t.Vars); names != "" {
		fmt.Fprintf(b, "  package variables that changed (neither a crash nor the next seed resets them): %s\n", names)
	}
	if names := someNames(t.StdVars); names != "" && (t.Carried > 0 || t.Differs != "") {
		fmt.Fprintf(b, "  and of the standard library: %s\n", names)
	}
}

// someNames are the first few variables with the last part of their package's path.
func someNames(all []string) string {
	const most = 8
	var short []string
	for _, name := range all[:min(len(all), most)] {
		short = append(short, name[strings.LastIndexByte(name, '/')+1:])
	}
	text := strings.Join(short, ", ")
	if n := len(all) - most; n > 0 {
		text += fmt.Sprintf(" and %d more (--json)", n)
	}
	return text
}
