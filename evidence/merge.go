package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Merged is what a merge came to. Each list is in order of id.
type Merged struct {
	Added      []string  `json:"added"`     // runs the store did not have
	CutShort   []string  `json:"cut_short"` // those of them that were cut short
	Judged     []string  `json:"judged"`    // runs it had, which got judgements
	Replaced   []string  `json:"replaced"`  // runs it had an earlier copy of, which gave way to what came
	Earlier    []string  `json:"earlier"`   // runs it had, of which an earlier copy came
	Same       []string  `json:"same"`      // runs it had, with all that came
	Judgements int       `json:"judgements"`
	Refused    []Refused `json:"refused"`
}

// Refused is a run that was not taken, and why.
type Refused struct {
	Source string `json:"source"`         // the store or archive it was to come from
	Run    string `json:"run,omitempty"`  // "" where all of the source is refused
	File   string `json:"file,omitempty"` // the file of the run that is wrong, "" where it is all of it
	Reason string `json:"reason"`
}

// String says which run, which file and why.
func (r Refused) String() string {
	text := r.Source
	if r.Run != "" {
		text += fmt.Sprintf(": run %q", r.Run)
	}
	if r.File != "" {
		text += fmt.Sprintf(": %q", r.File)
	}
	return text + ": " + r.Reason
}

// ErrNoEvidence reports a source that holds no evidence at all.
var ErrNoEvidence = errors.New("no evidence is there")

// Merge takes the runs of sources into the store: other stores, single runs,
// archives that Export wrote, and folders of any of these.
//
// Runs are united by id. A run that the store has is left as it is, except that
// judgements which were added to the other after its seal are added here, under
// numbers that are free. So stores can be merged in any order, and again.
// Where one copy was made before the run was sealed, and the other one goes on from it, the later one
// is kept, whichever of them is here.
// A run that is not whole, or that differs from the one here, is refused, and the others come in.
// A run is in the store whole or not at all, whenever this process dies.
// A source without evidence is an error that wraps ErrNoEvidence, and then nothing is merged.
func (s *Store) Merge(ctx context.Context, sources ...string) (Merged, error) {
	return s.merger(defaultLimits()).merge(ctx, sources)
}

func (s *Store) merger(limits limits) *merger {
	return &merger{store: s, limits: limits, sync: syncTree, exchange: exchange, waiting: map[string]bool{}}
}

func (m *merger) merge(ctx context.Context, paths []string) (Merged, error) {
	s := m.store
	var sources []source
	for _, path := range paths {
		found, err := s.sources(path)
		if err != nil {
			return m.merged(), err
		}
		sources = append(sources, found...)
	}
	err := s.exclusively(ctx, func() (err error) {
		if m.dir, err = s.passage(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(m.dir)) }()
		for _, source := range sources {
			if err := source.take(ctx, m); err != nil {
				return err
			}
		}
		return m.commit()
	})
	return m.merged(), err
}

// A merger collects runs in a folder of its own until they are let in together.
type merger struct {
	store  *Store
	dir    string
	limits limits
	sync   func(dir string) error // makes all below a folder durable
	// exchange swaps two folders in one step; errors.ErrUnsupported where that cannot be done.
	exchange func(a, b string) error

	mu      sync.Mutex
	out     Merged
	arrived []arrival
	waiting map[string]bool // ids of arrived
	folders int
}

// An arrival is a run that was checked and waits to be let in.
type arrival struct {
	id         string
	staged     string      // folder of the whole run; "" where the store has the run
	judgements []judgement // that the store's run lacks
	cutShort   bool
	replaces   bool // the store has an earlier copy, which gives way
	earlier    bool // the store has a later copy
}

type judgement struct{ experiment, staged string }

// folder returns the path of a folder or file that nobody else uses.
func (m *merger) folder() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.folders++
	return filepath.Join(m.dir, fmt.Sprint(m.folders))
}

// takeRuns takes the run folders of one source, several at a time.
func (m *merger) takeRuns(ctx context.Context, source string, dirs []string) error {
	var ids []string
	for _, dir := range dirs {
		ids = append(ids, filepath.Base(dir))
	}
	if err := m.makeWay(ids); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	for _, dir := range dirs {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return m.note(source, filepath.Base(dir), func() (arrival, error) { return m.fromFolder(dir) })
		})
	}
	return group.Wait()
}

// makeWay lets in what arrived if a run of these ids is among it. No two arrivals are of one id.
func (m *merger) makeWay(ids []string) error {
	if slices.ContainsFunc(ids, func(id string) bool { return m.waiting[id] }) {
		if err := m.commit(); err != nil {
			return err
		}
	}
	for _, id := range ids {
		m.waiting[id] = true
	}
	return nil
}

// note keeps what arrive returns, or the refusal. Other errors are the store's.
func (m *merger) note(source, id string, arrive func() (arrival, error)) error {
	a, err := arrive()
	m.mu.Lock()
	defer m.mu.Unlock()
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		m.out.Refused = append(m.out.Refused, Refused{source, id, refused.file, refused.reason})
	case err != nil:
		return fmt.Errorf("evidence: take over run %s: %w", id, err)
	default:
		m.arrived = append(m.arrived, a)
	}
	return nil
}

// fromFolder checks the run in dir, and copies what of it the store lacks.
func (m *merger) fromFolder(dir string) (arrival, error) {
	id := filepath.Base(dir)
	run := &Run{dir: dir}
	if err := checkID(id); err != nil {
		return arrival{}, refuse("", "%v", err)
	}
	if !isDir(dir) {
		return arrival{}, refuse("", "it is a link, and no folder")
	}
	if run.beingWritten() {
		return arrival{}, refuse("", "it is still being written: take it over when it ended")
	}
	if m.store.has(id) {
		found, err := contentOf(dir, nil)
		if err != nil {
			return arrival{}, err
		}
		a, err := m.toExisting(id, run, found)
		if err != nil || !a.replaces {
			return a, err
		}
		return m.copied(dir, found.digest(), m.replacing)
	}
	return m.copied(dir, "", m.asNew)
}

// copied copies the run in dir into a folder of ours, and hands that over. What must be of the given digest, unless that is "".
func (m *merger) copied(dir, digest string, take func(id, staged string, found content) (arrival, error)) (arrival, error) {
	staged := m.folder()
	found, err := copyRun(dir, staged)
	if err != nil {
		return arrival{}, err
	}
	if digest != "" && found.digest() != digest {
		return arrival{}, errors.Join(refuse("", "it changed while it was read: take it over when nobody writes to it"), os.RemoveAll(staged))
	}
	return take(filepath.Base(dir), staged, found)
}

// asNew checks a whole run in a folder of ours.
func (m *merger) asNew(id, staged string, found content) (arrival, error) {
	sealed, err := checkArrival(&Run{dir: staged}, id, found)
	if err != nil {
		return arrival{}, errors.Join(err, os.RemoveAll(staged))
	}
	return arrival{id: id, staged: staged, cutShort: sealed == nil}, nil
}

// commit makes what arrived durable, once for all of it, and lets it in.
func (m *merger) commit() error {
	m.waiting = map[string]bool{}
	if len(m.arrived) == 0 {
		return nil
	}
	if err := m.sync(m.dir); err != nil {
		return fmt.Errorf("evidence: make what was taken over durable: %w", err)
	}
	slices.SortFunc(m.arrived, func(a, b arrival) int { return cmp.Compare(a.id, b.id) })
	for _, a := range m.arrived {
		if err := m.letIn(a); err != nil {
			return err
		}
	}
	m.arrived = nil
	return m.sync(m.store.runs())
}

func (m *merger) letIn(a arrival) error {
	switch {
	case a.replaces:
		if err := m.replace(a.staged, a.id); err != nil {
			return err
		}
		if !a.cutShort {
			m.out.CutShort = slices.DeleteFunc(m.out.CutShort, func(id string) bool { return id == a.id })
		}
		if !slices.Contains(m.out.Added, a.id) { // both came now, and only the later one is news
			m.out.Replaced = append(m.out.Replaced, a.id)
		}
	case a.staged != "":
		entered, err := m.store.enter(a.staged, a.id)
		if err != nil {
			return err
		}
		if !entered {
			return fmt.Errorf("evidence: run %s appeared in %s while it was merged", a.id, m.store.dir)
		}
		m.out.Added = append(m.out.Added, a.id)
		if a.cutShort {
			m.out.CutShort = append(m.out.CutShort, a.id)
		}
	case len(a.judgements) == 0 && a.earlier:
		m.out.Earlier = append(m.out.Earlier, a.id)
	case len(a.judgements) == 0:
		m.out.Same = append(m.out.Same, a.id)
	default:
		if err := m.store.at(a.id).addJudgements(a.judgements); err != nil {
			return err
		}
		m.out.Judged = append(m.out.Judged, a.id)
		m.out.Judgements += len(a.judgements)
	}
	return nil
}

// merged returns the result in an order that is the same each time.
func (m *merger) merged() Merged {
	out := m.out
	for _, ids := range []*[]string{&out.Added, &out.CutShort, &out.Judged, &out.Replaced, &out.Earlier, &out.Same} {
		slices.Sort(*ids)
		*ids = slices.Compact(*ids)
		if *ids == nil {
			*ids = []string{}
		}
	}
	slices.SortStableFunc(out.Refused, func(a, b Refused) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Run, b.Run))
	})
	if out.Refused == nil {
		out.Refused = []Refused{}
	}
	return out
}

// at returns the run of that id, which need not be there.
func (s *Store) at(id string) *Run { return &Run{dir: filepath.Join(s.runs(), id)} }

func (s *Store) has(id string) bool {
	_, err := os.Lstat(filepath.Join(s.runs(), id))
	return err == nil
}

// copyRun copies a run and returns what it copied.
func copyRun(from, to string) (content, error) {
	if err := os.Mkdir(to, 0o777); err != nil {
		return nil, err
	}
	made := map[string]bool{to: true}
	found, err := contentOf(from, func(name string) (io.WriteCloser, error) {
		path := filepath.Join(to, filepath.FromSlash(name))
		if dir := filepath.Dir(path); !made[dir] {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return nil, err
			}
			made[dir] = true
		}
		return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	})
	for name := range found {
		if err == nil && isFolder(name) {
			err = os.MkdirAll(filepath.Join(to, filepath.FromSlash(name)), 0o777)
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(to))
	}
	return found, nil
}
