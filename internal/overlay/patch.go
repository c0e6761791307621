package overlay

import (
	"fmt"
	"regexp"
	"strings"
)

// A patch changes one place of one file of GOROOT/src.
type patch struct {
	group, file, function string // function is empty for the whole file
	optional              bool   // versions of Go that do not have the file do not need the patch: a ? follows its name
	why                   string
	line                  int // in the group's file
	forms                 []form
}

// A form is one way to make a patch: versions of Go differ in their text. The first whose anchor fits is taken.
type form struct {
	anchor, text string
	each         bool   // the anchor is a regular expression, for every place that matches
	where        string // text comes before or after the anchor, or replaces it
}

// parse reads a file of patches; see patches/runtime.patch for what it looks like.
func parse(group, text string) ([]patch, error) {
	var all []patch
	var block *string // where lines go
	for i, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "===":
			file, function, _ := strings.Cut(rest, ": ")
			file, optional := strings.CutSuffix(file, "?")
			all = append(all, patch{group: group, file: file, optional: optional, function: function, line: i + 1})
			block = &all[len(all)-1].why
			continue
		case "---", "+++":
			if len(all) == 0 {
				return nil, fmt.Errorf("%s.patch:%d: %q stands before the first ===", group, i+1, line)
			}
			var err error
			if block, err = all[len(all)-1].begin(word, rest); err != nil {
				return nil, fmt.Errorf("%s.patch:%d: %w", group, i+1, err)
			}
			continue
		}
		if block != nil {
			*block += line + "\n"
		}
	}
	for i := range all {
		all[i].trim()
		if err := all[i].whole(); err != nil {
			return nil, fmt.Errorf("%s.patch:%d: %w", group, all[i].line, err)
		}
	}
	return all, nil
}

// begin opens a block of a patch and returns where its lines go.
func (p *patch) begin(word, rest string) (*string, error) {
	switch {
	case word == "---" && (rest == "find" || rest == "each"):
		p.forms = append(p.forms, form{each: rest == "each"})
		return &p.forms[len(p.forms)-1].anchor, nil
	case word == "+++" && len(p.forms) > 0 && (rest == "before" || rest == "after" || rest == "replace"):
		f := &p.forms[len(p.forms)-1]
		f.where = rest
		return &f.text, nil
	}
	return nil, fmt.Errorf("%s %s: want --- find or --- each, then +++ before, after or replace", word, rest)
}

func (p *patch) trim() {
	p.why = strings.TrimSpace(strings.TrimPrefix(p.why, "#"))
	for i := range p.forms {
		f := &p.forms[i]
		f.anchor, f.text = strings.TrimRight(f.anchor, "\n"), strings.TrimRight(f.text, "\n")
	}
}

func (p *patch) whole() error {
	if len(p.forms) == 0 {
		return fmt.Errorf("%s: no anchor", p.file)
	}
	for _, f := range p.forms {
		if f.anchor == "" || f.text == "" || f.where == "" {
			return fmt.Errorf("%s: an anchor without a text, or a text without an anchor", p.file)
		}
	}
	return nil
}

// apply makes the change in the text of the file.
func (p *patch) apply(src string) (string, error) {
	from, to, err := p.extent(src)
	if err != nil {
		return "", err
	}
	for _, f := range p.forms {
		if changed, ok := f.apply(src[from:to]); ok {
			return src[:from] + changed + src[to:], nil
		}
	}
	return "", fmt.Errorf("%s: the anchor of %q is not there exactly once (%s.patch:%d)", p.place(), p.why, p.group, p.line)
}

func (p *patch) place() string {
	if p.function == "" {
		return p.file
	}
	return p.file + ": " + p.function
}

// extent is the part of the file that the patch is about: a whole function, or all.
func (p *patch) extent(src string) (from, to int, err error) {
	if p.function == "" {
		return 0, len(src), nil
	}
	head := `(?m)^func ` + regexp.QuoteMeta(p.function) + `[\[(]`
	if !strings.HasPrefix(p.function, "(") {
		head = `(?m)^func (?:\([^)]*\) )?` + regexp.QuoteMeta(p.function) + `[\[(]`
	}
	found := regexp.MustCompile(head).FindAllStringIndex(src, -1)
	if len(found) != 1 {
		return 0, 0, fmt.Errorf("%s: %d functions have that name, want 1 (%s.patch:%d)", p.place(), len(found), p.group, p.line)
	}
	from = found[0][0]
	end := strings.Index(src[from:], "\n}\n")
	if end < 0 {
		return 0, 0, fmt.Errorf("%s: the function has no end (%s.patch:%d)", p.place(), p.group, p.line)
	}
	return from, from + end + len("\n}\n"), nil
}

func (f *form) apply(src string) (string, bool) {
	if f.each {
		re, err := regexp.Compile("(?m)" + f.anchor)
		if err != nil || !re.MatchString(src) {
			return "", false
		}
		return re.ReplaceAllString(src, f.text), true
	}
	if strings.Count(src, f.anchor) != 1 {
		return "", false
	}
	switch f.where {
	case "before":
		return strings.Replace(src, f.anchor, f.text+"\n"+f.anchor, 1), true
	case "after":
		return strings.Replace(src, f.anchor, f.anchor+"\n"+f.text, 1), true
	}
	return strings.Replace(src, f.anchor, f.text, 1), true
}
