package evidence

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// A Status says how far a run got.
type Status string

const (
	Complete Status = "complete"  // sealed
	Running  Status = "running"   // a process that lives is writing it
	CutShort Status = "cut short" // its writer died before the seal
	Corrupt  Status = "corrupt"   // its own account of itself cannot be read
)

// A Summary is one line of a list of runs.
type Summary struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"` // why it is not complete
	Meta   Meta   `json:"meta"`             // only ID is set where run.json cannot be read
	End    *End   `json:"end,omitempty"`    // nil unless the run is sealed; Files is left out
}

// List returns all runs, newest first. Runs that were cut short or cannot be
// read are in it with the reason: evidence is never hidden, and one bad run is
// no reason not to list the rest.
func (s *Store) List() ([]Summary, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	list := make([]Summary, len(ids))
	for i, id := range ids {
		list[i] = (&Run{dir: filepath.Join(s.runs(), id)}).Summary()
	}
	return list, nil
}

// Summary returns how the run stands.
func (r *Run) Summary() Summary {
	sum := Summary{ID: r.ID(), Status: Complete}
	meta, metaErr := r.Meta()
	end, endErr := r.End()
	sum.Meta = meta
	sum.Meta.ID = sum.ID
	switch {
	case endErr == nil && metaErr == nil:
		end.Files = nil
		sum.End = &end
	case metaErr != nil && !errors.Is(metaErr, fs.ErrNotExist):
		sum.Status, sum.Reason = Corrupt, metaErr.Error()
	case endErr != nil && !errors.Is(endErr, fs.ErrNotExist):
		sum.Status, sum.Reason = Corrupt, endErr.Error()
	case endErr == nil:
		sum.Status, sum.Reason = Corrupt, "run.json is missing, though the run was sealed"
	case r.beingWritten():
		sum.Status, sum.Reason = Running, "its writer is still at work"
	case metaErr != nil:
		sum.Status, sum.Reason = CutShort, "its writer died before run.json was written"
	default:
		sum.Status, sum.Reason = CutShort, "its writer died before the seal, end.json, was written"
	}
	return sum
}
