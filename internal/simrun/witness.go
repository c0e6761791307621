package simrun

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/history"
)

// witness writes the history that a failure's check does not hold of beside the saved failure, for assay history check.
func (x *explorer) witness(f *Failure) {
	if len(f.History) == 0 || f.Saved == "" {
		return
	}
	base := filepath.Base(strings.TrimSuffix(f.Saved, ".json")) + ".history.jsonl"
	if err := writeOps(filepath.Join(savedDir(x.bin), base), f.History); err != nil {
		x.res.Notes = append(x.res.Notes, fmt.Sprintf("the history of %s cannot be saved: %v", f.Test, err))
		return
	}
	f.SavedHistory = filepath.Join(filepath.Dir(f.Saved), base)
}

// writeOps writes operations as JSON lines.
func writeOps(file string, ops []history.Op) (err error) {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := history.NewWriter[history.Op](out)
	for _, op := range ops {
		if err := w.Write(op); err != nil {
			return err
		}
	}
	return w.Flush()
}
