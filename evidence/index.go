package evidence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An index remembers the cards of one store, in the user's own folder and not in the store, so that evidence from
// elsewhere never brings the word that it is whole. It only saves time: without it every run is read and verified again.
// Its first line names the store, and each other one is an indexed card.
func (s *Store) index() (string, bool) {
	dir := os.Getenv("ASSAY_STATE_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", false
		}
		dir = filepath.Join(cache, "assay")
	}
	return filepath.Join(dir, "cards", fmt.Sprintf("%.16x.jsonl", sha256.Sum256([]byte(s.dir)))), true
}

// cardFormat changes with the fields of Card, so that cards of another form are read anew.
const cardFormat = 4

// An indexed card is one that was verified when the run's files were as print says.
type indexed struct {
	Print string `json:"print"`
	Card  Card   `json:"card"`
}

// Cards returns a card of every run, newest first. A run is verified in full when it is first seen, and
// again whenever a file of it has another size or time of change, as git does; see Run.Card to verify it whatever those say.
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

// Remember notes which results were found to be what their records say.
func (s *Store) Remember(cards []Card) {
	known := s.readIndex()
	for _, c := range cards {
		e, ok := known[c.ID]
		if !ok {
			continue
		}
		for i := range e.Card.Results {
			r := &e.Card.Results[i]
			if j := slices.IndexFunc(c.Results, func(other CardResult) bool { return other.Name == r.Name && other.Sum == r.Sum }); j >= 0 {
				r.Derived = c.Results[j].Derived
			}
		}
	}
	s.writeIndex(slices.Collect(maps.Values(known)))
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
	var line []byte
	err := filepath.WalkDir(r.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		at := changed(info)
		if at == 0 {
			return errors.New("no time tells whether it was changed")
		}
		line = append(append(line[:0], path[len(r.dir):]...), 0)
		for _, n := range []int64{info.Size(), info.ModTime().UnixNano(), at, int64(info.Mode())} {
			line = append(strconv.AppendInt(line, n, 10), ' ')
		}
		_, err = sum.Write(append(line, '\n'))
		return err
	})
	if r.beingWritten() {
		return "", errors.New("it is being written") // its card changes without a file that does
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d.%d:%x", Format, cardFormat, sum.Sum(nil)), nil
}

// readIndex returns what was remembered. An index that cannot be read, or is of another store, is none.
func (s *Store) readIndex() map[string]indexed {
	path, ok := s.index()
	if !ok {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	lines := bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
	if string(lines[0]) != s.dir {
		return nil
	}
	entries := make([]indexed, len(lines))
	parallel(len(lines)-1, func(i int) {
		if json.Unmarshal(lines[i+1], &entries[i]) != nil {
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

// writeIndex replaces the index. Who has no folder to write to goes without.
func (s *Store) writeIndex(entries []indexed) {
	path, ok := s.index()
	if !ok || strings.ContainsRune(s.dir, '\n') || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	file, err := os.CreateTemp(filepath.Dir(path), unfinished)
	if err != nil {
		return
	}
	defer os.Remove(file.Name())
	w := bufio.NewWriterSize(file, 1<<20)
	fmt.Fprintln(w, s.dir)
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil || e.Print == "" {
			continue
		}
		w.Write(append(line, '\n'))
	}
	if w.Flush() == nil && file.Close() == nil && os.Rename(file.Name(), path) == nil {
		forget(filepath.Dir(path))
	}
}

// forget removes the indexes of stores that are gone.
func forget(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	for _, path := range paths {
		if store, err := firstLine(path); err == nil {
			if _, err := os.Stat(store); errors.Is(err, fs.ErrNotExist) {
				os.Remove(path)
			}
		}
	}
}

func firstLine(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	line, err := bufio.NewReader(file).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}
