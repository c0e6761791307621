package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// indexName is the file in a store that remembers cards. It only saves time: without it, or with one
// that does not fit, every run is read and verified again.
const indexName = "cards.jsonl"

// cardFormat changes with the fields of Card, so that cards of another form are read anew.
const cardFormat = 2

// An indexed card is one that was verified when the run's files were as print says.
type indexed struct {
	Print string `json:"print"`
	Card  Card   `json:"card"`
}

// Cards returns a card of every run, newest first. A run is verified in full when it is first seen, and
// again whenever a file of it has another size or time of change; see Run.Card to verify it whatever the times say.
func (s *Store) Cards() ([]Card, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	known := s.readIndex()
	entries := make([]indexed, len(ids))
	var fresh sync.Map
	parallel(len(ids), func(i int) {
		run := &Run{dir: filepath.Join(s.runs(), ids[i])}
		print, err := run.print()
		if old, ok := known[ids[i]]; ok && err == nil && old.Print == print {
			entries[i] = old
			return
		}
		entries[i] = indexed{print, run.Card()}
		fresh.Store(i, true)
	})
	changed := len(known) != len(ids)
	fresh.Range(func(any, any) bool { changed = true; return false })
	if changed {
		s.writeIndex(entries)
	}
	cards := make([]Card, len(entries))
	for i, e := range entries {
		cards[i] = e.Card
	}
	return cards, nil
}

// Verify replaces those of the cards that are wanted by what their runs say now, each file of them read.
func (s *Store) Verify(cards []Card, wanted func(Card) bool) {
	var at []int
	for i, c := range cards {
		if wanted(c) {
			at = append(at, i)
		}
	}
	parallel(len(at), func(i int) { cards[at[i]] = (&Run{dir: filepath.Join(s.runs(), cards[at[i]].ID)}).Card() })
}

// parallel calls do with every number below n, on all processors.
func parallel(n int, do func(i int)) {
	const chunk = 16
	var next sync.Mutex
	from := 0
	take := func() (int, int) {
		next.Lock()
		defer next.Unlock()
		a := from
		from = min(from+chunk, n)
		return a, from
	}
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for a, b := take(); a < b; a, b = take() {
				for i := a; i < b; i++ {
					do(i)
				}
			}
		})
	}
	work.Wait()
}

// print tells apart states of a run's files by their names, sizes and times of change, as git's index does.
func (r *Run) print() (string, error) {
	sum := fnv.New128a()
	err := filepath.WalkDir(r.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\x00%d %d %v\n", path[len(r.dir):], info.Size(), info.ModTime().UnixNano(), info.Mode())
		return nil
	})
	if r.beingWritten() {
		return "", fmt.Errorf("it is being written") // its card changes without a file that does
	}
	return fmt.Sprintf("%d.%d:%x", Format, cardFormat, sum.Sum(nil)), err
}

// readIndex returns what was remembered. An index that cannot be read is none.
func (s *Store) readIndex() map[string]indexed {
	content, err := os.ReadFile(filepath.Join(s.dir, indexName))
	if err != nil {
		return nil
	}
	lines := bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
	entries := make([]indexed, len(lines))
	parallel(len(lines), func(i int) {
		if json.Unmarshal(lines[i], &entries[i]) != nil {
			entries[i] = indexed{}
		}
	})
	known := make(map[string]indexed, len(entries))
	for _, e := range entries {
		if e.Print != "" {
			known[e.Card.ID] = e
		}
	}
	return known
}

// writeIndex replaces the index. A store that cannot be written to has none.
func (s *Store) writeIndex(entries []indexed) {
	file, err := os.CreateTemp(s.dir, unfinished)
	if err != nil {
		return
	}
	defer os.Remove(file.Name())
	w := bufio.NewWriterSize(file, 1<<20)
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil || e.Print == "" {
			continue
		}
		w.Write(append(line, '\n'))
	}
	if w.Flush() == nil && file.Close() == nil {
		os.Rename(file.Name(), filepath.Join(s.dir, indexName))
	}
}
