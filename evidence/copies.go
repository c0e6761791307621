package evidence

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// toExisting checks a run that the store has, and finds what is new: judgements, or that it is a later copy of the run.
func (m *merger) toExisting(id string, run *Run, found content) (arrival, error) {
	end, err := checkArrival(run, id, found)
	if err != nil {
		return arrival{}, err
	}
	here, err := m.here(id)
	if err != nil {
		return arrival{}, err
	}
	a, news := arrival{id: id}, missing(found, here.found)
	switch how, file := compare(copyOf{run, end, found}, here); how {
	case apart:
		return a, refuse(file, "%s", m.clash(end, here.end))
	case later:
		a.replaces = true
		return a, nil
	case earlier:
		a.earlier, news = true, fitting(id, run, news, here.found)
	}
	a.judgements, err = m.fetchJudgements(run, news)
	return a, err
}

// here reads the store's own copy of a run.
func (m *merger) here(id string) (copyOf, error) {
	run := m.store.at(id)
	if run.beingWritten() {
		return copyOf{}, refuse("", "the run of that id in %s is still being written: merge again when it ended", m.store.dir)
	}
	found, err := contentOf(run.dir, nil)
	var end *End
	if err == nil {
		end, err = checkArrival(run, id, found)
	}
	if err != nil {
		return copyOf{}, refuse("", "the run of that id in %s is not whole (%v): remove it and merge again to have this one", m.store.dir, err)
	}
	return copyOf{run, end, found}, nil
}

// clash says why two copies of a run cannot be united.
func (m *merger) clash(comes, here *End) string {
	text := fmt.Sprintf("it differs from that of the run of the same id in %s", m.store.dir)
	switch {
	case comes != nil && here == nil:
		text += ", which was cut short and is no earlier state of this one"
	case comes == nil && here != nil:
		text += ", of which this one, which was cut short, is no earlier state"
	case comes == nil:
		text += ", and though both were cut short neither is an earlier state of the other"
	}
	return text + ": ids are never used twice, so one of them was made or changed by hand"
}

// A copyOf is one of two runs of the same id.
type copyOf struct {
	run   *Run
	end   *End // nil where it was cut short
	found content
}

// standing says how the run that comes stands to the one that is here.
type standing int

const (
	apart   standing = iota // neither can have become the other
	equal                   // the same but for judgements
	earlier                 // what comes can be the one here at an earlier moment
	later                   // the one here can be what comes at an earlier moment
)

// compare returns how two copies stand to each other, and where they are apart the file that shows it.
//
// A run grows until it is sealed: files are added, and records and logs get longer. So a copy that was
// taken before the seal, as by a job that uploads what it has and uploads again at its end, holds the
// beginning of what the whole run holds.
func compare(comes, here copyOf) (standing, string) {
	if comes.end != nil && here.end != nil { // of sealed ones the seals tell
		if comes.found["end.json"] == here.found["end.json"] {
			return equal, ""
		}
		return apart, cmp.Or(difference(comes.end.Files, here.end.Files), "end.json")
	}
	if difference(comes.found.fixed(), here.found.fixed()) == "" {
		return equal, ""
	}
	hinders := ""
	if here.end == nil {
		if hinders = outgrown(here, comes); hinders == "" {
			return later, ""
		}
	}
	if comes.end == nil {
		other := outgrown(comes, here)
		if other == "" {
			return earlier, ""
		}
		if hinders == "" {
			hinders = other
		}
	}
	return apart, hinders
}

// outgrown returns "" where a copy without a seal can be an earlier state of the other
// one, and otherwise the first file for which that cannot be.
func outgrown(early, late copyOf) string {
	for _, name := range slices.Sorted(maps.Keys(early.found.fixed())) {
		digest, ok := late.found[name]
		switch {
		case isFolder(name) || ok && digest == early.found[name]:
		case !ok || !growing(name) || !begins(early.run.path(name), late.run.path(name)):
			return name
		}
	}
	return ""
}

// growing says whether a file of a run is written bit by bit: records and logs. All others are there whole or not at all.
func growing(name string) bool {
	return strings.HasPrefix(name, "logs/") || strings.HasPrefix(name, "x/") && strings.HasSuffix(name, ".jsonl")
}

// begins says whether the file at long begins with all that is in the one at short.
func begins(short, long string) bool {
	a, err := os.Open(short)
	if err != nil {
		return false
	}
	defer a.Close()
	b, err := os.Open(long)
	if err != nil {
		return false
	}
	defer b.Close()
	return isPrefix(a, b)
}

func isPrefix(short, long io.Reader) bool {
	const piece = 64 << 10
	a, b := make([]byte, piece), make([]byte, piece)
	for {
		n, err := io.ReadFull(short, a)
		if _, missing := io.ReadFull(long, b[:n]); missing != nil || !bytes.Equal(a[:n], b[:n]) {
			return n == 0 && errors.Is(err, io.EOF)
		}
		if err != nil {
			return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		}
	}
}
