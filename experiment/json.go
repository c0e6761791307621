package experiment

import (
	"encoding/json"
	"time"

	"github.com/assay-dev/assay/fault"
)

// actionJSON is an Action as a plan stores it: the fault is its text.
type actionJSON struct {
	At    time.Duration `json:"at"`
	For   time.Duration `json:"for,omitempty"`
	Fault string        `json:"fault"`
	Pos   string        `json:"pos,omitempty"`
}

// MarshalJSON writes the action with its fault in text form.
func (a Action) MarshalJSON() ([]byte, error) {
	return json.Marshal(actionJSON{a.At, a.For, a.Fault.String(), a.Pos})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Action) UnmarshalJSON(text []byte) error {
	var read actionJSON
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	f, err := fault.Parse(read.Fault)
	if err != nil {
		return err
	}
	*a = Action{read.At, read.For, f, read.Pos}
	return nil
}
