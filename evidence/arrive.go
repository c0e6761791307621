package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

func isFolder(name string) bool { return strings.HasSuffix(name, "/") }

// checkArrival checks a run that came from elsewhere, whose content is found, and
// returns its seal, nil where it was cut short. What is wrong with it is a *refusal.
func checkArrival(r *Run, id string, found content) (*End, error) {
	if _, ok := found["run.json"]; !ok {
		return nil, refuse("run.json", "it is missing: the writer died before there was anything to keep")
	}
	meta, err := r.Meta()
	switch {
	case err != nil:
		return nil, refuse("run.json", "%v", err)
	case meta.Format > Format:
		return nil, refuse("run.json", "it was written in format %d, and this version reads up to %d: take it over with a newer assay", meta.Format, Format)
	case meta.ID != id:
		return nil, refuse("run.json", "it says that it is of run %q", meta.ID)
	}
	var end *End
	if _, ok := found["end.json"]; ok {
		read, err := r.End()
		if err != nil {
			return nil, refuse("end.json", "%v", err)
		}
		if err := checkSeal(read.Files, found); err != nil {
			return nil, err
		}
		end = &read
	}
	return end, checkJudgements(r, id, end, found)
}

// checkSeal compares what is there with what was sealed. Judgements may have been added.
func checkSeal(sealed map[string]string, found content) error {
	for _, name := range slices.Sorted(maps.Keys(sealed)) {
		switch digest, ok := found[name]; {
		case !ok:
			return refuse(name, "it is missing, and the seal names it")
		case digest != sealed[name]:
			return refuse(name, "it was changed after the seal")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := sealed[name]; !ok && name != "end.json" && !isJudgement(name) && !isFolder(name) {
			return refuse(name, "it was added after the seal")
		}
	}
	return nil
}

// checkJudgements reads the judgements that no seal vouches for.
func checkJudgements(r *Run, id string, end *End, found content) error {
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !isJudgement(name) || end != nil && end.Files[name] != "" {
			continue
		}
		if end != nil && !hasRecords(end.Files, path.Dir(name)) {
			return refuse(name, "it judges an experiment of which the run holds no records")
		}
		if err := checkJudgement(r, id, end, name); err != nil {
			return refuse(name, "it cannot be read: %v", err)
		}
	}
	return nil
}

func checkJudgement(r *Run, id string, end *End, name string) error {
	text, err := os.ReadFile(r.path(name))
	if err != nil {
		return err
	}
	result, err := readJudgement(text, id)
	if err != nil {
		return err
	}
	var sealed map[string]string
	if end != nil {
		sealed = end.Files
	}
	return belongs(result, experimentOf(name), sealed)
}

func hasRecords(sealed map[string]string, folder string) bool {
	for name := range sealed {
		if strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	return false
}

// difference returns the first file in which two contents differ, or "". Empty folders are no difference.
func difference(a, b map[string]string) string {
	names := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(names)
	for _, name := range names {
		if a[name] != b[name] && !isFolder(name) {
			return name
		}
	}
	return ""
}

// missing returns the judgements of found whose bytes are not among have's of the
// same experiment, each once, in order of experiment and number.
func missing(found, have content) []string {
	type mark struct{ experiment, digest string }
	known := map[mark]bool{}
	for name, digest := range have {
		if isJudgement(name) {
			known[mark{path.Dir(name), digest}] = true
		}
	}
	var names []string
	for _, name := range slices.SortedFunc(maps.Keys(found), byNumber) {
		m := mark{path.Dir(name), found[name]}
		if isJudgement(name) && !known[m] {
			known[m] = true
			names = append(names, name)
		}
	}
	return names
}

func byNumber(a, b string) int {
	if path.Dir(a) == path.Dir(b) {
		if n, m := judgementNumber(path.Base(a)), judgementNumber(path.Base(b)); n != m {
			return n - m
		}
	}
	return strings.Compare(a, b)
}

// fetchJudgements copies judgements of a run into the merger's folder.
func (m *merger) fetchJudgements(run *Run, names []string) ([]judgement, error) {
	var fetched []judgement
	for _, name := range names {
		text, err := os.ReadFile(run.path(name))
		if err != nil {
			return nil, refuse(name, "it cannot be read: %v", err)
		}
		staged := m.folder()
		if err := os.WriteFile(staged, text, 0o644); err != nil {
			return nil, err
		}
		fetched = append(fetched, judgement{experimentOf(name), staged})
	}
	return fetched, nil
}

// addJudgements gives the files of judgements the next free numbers in the run.
func (r *Run) addJudgements(list []judgement) error {
	for _, j := range list {
		if err := makeDirs(r.dir, "x/"+j.experiment); err != nil {
			return fmt.Errorf("evidence: run %s: %w", r.ID(), err)
		}
		numbers, err := r.judged(j.experiment)
		if err != nil {
			return err
		}
		next := 1
		if len(numbers) > 0 {
			next = numbers[len(numbers)-1] + 1
		}
		err = claimName(j.staged, r.path("x/"+j.experiment+"/"+judgementName(next)))
		for errors.Is(err, fs.ErrExist) { // a judge is at work, too
			next++
			err = claimName(j.staged, r.path("x/"+j.experiment+"/"+judgementName(next)))
		}
		if err != nil {
			return fmt.Errorf("evidence: run %s: add a judgement of %s: %w", r.ID(), j.experiment, err)
		}
	}
	return nil
}

// experimentOf returns the experiment that a judgement of that name is of.
func experimentOf(name string) string { return path.Base(path.Dir(name)) }
