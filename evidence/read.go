package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// Ops returns the operations of an experiment in order of ID. Where the
// records are cut short it returns those before the cut, and an error that
// wraps history.ErrCut.
func (r *Run) Ops(experiment string) ([]history.Op, error) {
	ops, err := readRecords[history.Op](r, experiment, "ops.jsonl")
	slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.ID, b.ID) })
	return ops, err
}

// Events returns what the controller and the environment noted, events.jsonl
// and env.jsonl, merged in order of time. Errors are joined as in Ops.
func (r *Run) Events(experiment string) ([]history.Event, error) {
	events, err := readRecords[history.Event](r, experiment, "events.jsonl")
	more, moreErr := readRecords[history.Event](r, experiment, "env.jsonl")
	events = append(events, more...)
	slices.SortStableFunc(events, func(a, b history.Event) int { return cmp.Compare(a.At, b.At) })
	return events, errors.Join(err, moreErr)
}

// Exchanges returns the exchanges of an experiment in order of start, attempts
// numbered. Without subjects.json a retry that reached another instance counts
// as another request. Errors are as in Ops.
func (r *Run) Exchanges(experiment string) ([]history.Exchange, error) {
	exchanges, err := readRecords[history.Exchange](r, experiment, "exchanges.jsonl")
	service, serviceErr := r.service()
	history.NumberAttempts(exchanges, service)
	return exchanges, errors.Join(err, serviceErr)
}

func readRecords[R history.Record](r *Run, experiment, name string) ([]R, error) {
	if err := checkName(experiment); err != nil {
		return nil, err
	}
	file, err := os.Open(r.path("x/" + experiment + "/" + name))
	if err != nil {
		return nil, fmt.Errorf("evidence: run %s: %w", r.ID(), err)
	}
	defer file.Close()
	records, err := history.ReadAll[R](file)
	if err != nil {
		return records, fmt.Errorf("evidence: run %s: %s of %s, read up to record %d: %w", r.ID(), name, experiment, len(records), err)
	}
	return records, nil
}

// service returns the function from instance to service that subjects.json holds.
func (r *Run) service() (func(string) string, error) {
	subjects, err := r.Subjects()
	of := map[string]string{}
	for _, subject := range subjects {
		for _, instance := range subject.Instances {
			of[instance] = subject.Service
		}
	}
	return func(instance string) string {
		if service, ok := of[instance]; ok {
			return service
		}
		return instance
	}, err
}

// Input returns what checkers read of an experiment, and one sentence for each
// thing that is wrong with its records. A judge concludes no pass from records
// with a problem: what is missing may be what failed.
func (r *Run) Input(experiment string) (check.Input, []string) {
	var in check.Input
	var errs [5]error
	r.seen.note(experiment, r.standing(experiment))
	in.Ops, errs[0] = r.Ops(experiment)
	in.Events, errs[1] = r.Events(experiment)
	in.Exchanges, errs[2] = r.Exchanges(experiment)
	in.Service, _ = r.service()
	in.Series, errs[3] = r.Series(experiment)
	errs[4] = checkIDs(in.Ops)
	var problems []string
	for _, err := range errs {
		if err != nil {
			problems = append(problems, err.Error())
		}
	}
	return in, problems
}

// checkIDs finds operations that were recorded twice or without an ID, which
// would count twice.
func checkIDs(ops []history.Op) error {
	for i, op := range ops {
		if op.ID == 0 {
			return errors.New("evidence: an operation has no id")
		}
		if i > 0 && ops[i-1].ID == op.ID {
			return fmt.Errorf("evidence: operation %d is recorded twice", op.ID)
		}
	}
	return nil
}
