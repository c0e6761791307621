package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Names that came from elsewhere are held to stricter rules than our own: they
// are to mean the same file on every machine that the evidence travels to.

// travelID is an id that no file system takes for another, and no shell for a flag.
var travelID = regexp.MustCompile(`^[0-9a-z][0-9a-z._-]{0,127}$`)

// ourNames are the names that assay itself gives, at the top of a run and to the files of an experiment.
var ourNames = regexp.MustCompile(`^[0-9a-z][0-9a-z._-]*$`)

func checkID(id string) error {
	if !travelID.MatchString(id) || strings.Contains(id, "..") {
		return fmt.Errorf("%q is no id of a run (small letters, digits, dots and dashes)", id)
	}
	return nil
}

// CheckName says why name cannot be the name of an experiment whose evidence travels.
func CheckName(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return checkFile("x/" + name + "/judged-1.json")
}

// checkFile says why the name of a file, relative to its run and with slashes, cannot be taken over.
func checkFile(name string) error {
	const longest, deepest = 1024, 32
	parts := strings.Split(name, "/")
	switch {
	case !utf8.ValidString(name):
		return errors.New("its name is not UTF-8")
	case !fs.ValidPath(name) || name == "." || strings.ContainsRune(name, '\\'):
		return errors.New("its name leads out of the run (it must be relative, with slashes, without ..)")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return errors.New("its name holds characters that cannot be seen")
	case len(name) > longest || len(parts) > deepest:
		return errors.New("its name is too long")
	case strings.HasPrefix(path.Base(name), unfinished):
		return errors.New("it was not finished")
	case !ourNames.MatchString(parts[0]) || len(parts) == 3 && parts[0] == "x" && !ourNames.MatchString(parts[2]):
		return errors.New("its name is none that assay gives (small letters, digits, dots and dashes)")
	}
	for _, part := range parts {
		if len(part) > 255 {
			return errors.New("its name is too long")
		}
	}
	return nil
}

// A twinFinder finds names that are one name on some file systems, which fold
// case or compose accents. It maps what is folded to what was written.
type twinFinder map[string]string

// add returns an earlier name, or part of one, that is a twin of name or of a folder of it, or "".
func (t twinFinder) add(name string) string {
	for i, c := range name {
		if c != '/' {
			continue
		}
		if twin := t.one(name[:i]); twin != "" {
			return twin
		}
	}
	return t.one(name)
}

func (t twinFinder) one(name string) string {
	key := folded(name)
	other, ok := t[key]
	if ok && other != name {
		return other
	}
	t[key] = name
	return ""
}

func folded(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf || r >= 'A' && r <= 'Z' }) {
		return name
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}
