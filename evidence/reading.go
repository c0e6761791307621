package evidence

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// readings remember which files were read for a judge, so that what it concludes is not said of others that took their
// place meanwhile. The zero value remembers none.
type readings struct {
	mu    sync.Mutex
	files map[string][]fs.FileInfo // by experiment, in the order of recordFiles
}

func (r *readings) note(experiment string, files []fs.FileInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files == nil {
		r.files = map[string][]fs.FileInfo{}
	}
	r.files[experiment] = files
}

// of returns what was read last of an experiment, and otherwise what there is now.
func (r *readings) of(experiment string, now []fs.FileInfo) []fs.FileInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	if files, ok := r.files[experiment]; ok {
		return files
	}
	return now
}

// standing returns the files of records that an experiment has, nil for one that it has not.
func (r *Run) standing(experiment string) []fs.FileInfo {
	var files []fs.FileInfo
	for _, name := range recordFiles() {
		info, err := os.Stat(r.path("x/" + experiment + "/" + name))
		if err != nil {
			info = nil
		}
		files = append(files, info)
	}
	return files
}

// unmoved is an error where the records of an experiment are no longer the files that they were.
func (r *Run) unmoved(experiment string, before []fs.FileInfo) error {
	for i, now := range r.standing(experiment) {
		was := before[i]
		switch {
		case was == nil && now == nil:
		case was == nil || now == nil || !os.SameFile(was, now) || was.Size() != now.Size() || !was.ModTime().Equal(now.ModTime()):
			return errors.New("x/" + experiment + "/" + recordFiles()[i] + " was changed or replaced while it was judged: judge it again")
		}
	}
	return nil
}
