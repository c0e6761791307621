package evidence

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func exportTo(t testing.TB, s *Store) ([]byte, Exported) {
	t.Helper()
	ids, err := s.ids()
	if err != nil {
		t.Fatal(err)
	}
	var runs []*Run
	for _, id := range ids {
		runs = append(runs, &Run{dir: filepath.Join(s.runs(), id)})
	}
	var out bytes.Buffer
	got, err := Export(context.Background(), &out, runs)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), got
}

func exportAll(t testing.TB, s *Store) string {
	t.Helper()
	text, _ := exportTo(t, s)
	return inFile(t, text)
}

func inFile(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evidence.tgz")
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExportIsDeterministic(t *testing.T) {
	t.Parallel()
	runs := []madeRun{smallRun(1), smallRun(2).cutShort(), smallRun(3).judged(2, "again")}
	one, got := exportTo(t, storeOf(t, runs...))
	slices.Reverse(runs)
	two, _ := exportTo(t, storeOf(t, runs...))
	if !bytes.Equal(one, two) {
		t.Error("the same runs made other bytes")
	}
	if len(got.Runs) != 3 || !slices.Equal(got.CutShort, []string{smallRun(2).id}) || len(got.Refused) != 0 {
		t.Errorf("exported %+v", got)
	}
}

// What comes out of an archive is what went in, also folders without a file.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	from := storeOf(t, smallRun(1), smallRun(2).cutShort(), smallRun(3).judged(7, "again"))
	must(t, os.Mkdir(filepath.Join(from.runs(), smallRun(2).id, "x/empty"), 0o777))
	to := storeOf(t)
	got, err := to.Merge(t.Context(), exportAll(t, from))
	must(t, err)
	if want := "3 added, 0 judged, 0 same, 0 refused"; brief(got) != want {
		t.Errorf("got %s, want %s", brief(got), want)
	}
	if held(t, from) != held(t, to) {
		t.Errorf("got\n%s\nwant\n%s", held(t, to), held(t, from))
	}
	whole(t, to)
	run, err := to.Open(smallRun(2).id)
	must(t, err)
	if sum := run.Summary(); sum.Status != CutShort {
		t.Errorf("the run that was cut short is %s", sum.Status)
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(1), smallRun(2))
	must(t, os.WriteFile(filepath.Join(store.runs(), smallRun(2).id, "plan.json"), nil, 0o666))
	alive := newRun(t, store)
	_, got := exportTo(t, store)
	if !slices.Equal(got.Runs, []string{smallRun(1).id}) || len(got.Refused) != 2 {
		t.Fatalf("exported %+v", got)
	}
	for _, r := range got.Refused {
		want := map[string]string{smallRun(2).id: "changed after the seal", alive.ID(): "still being written"}[r.Run]
		if want == "" || !strings.Contains(r.Reason, want) {
			t.Errorf("refused %s, want %q", r, want)
		}
	}
}

// An entry of a tar that was made by hand.
type entry struct {
	name string
	text string
	kind byte // 0 for a file
	link string
}

// entries returns what an honest archive of the runs holds.
func entries(runs ...madeRun) []entry {
	m := manifest{Format: archiveFormat}
	var list []entry
	for _, r := range runs {
		found := content{}
		for _, name := range slices.Sorted(maps.Keys(r.all())) {
			text := r.all()[name]
			found[name] = digestOf(text)
			list = append(list, entry{name: "runs/" + r.id + "/" + name, text: text})
		}
		m.Runs = append(m.Runs, announced{r.id, Complete, found.digest()})
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return append([]entry{{name: manifestName, text: string(text)}}, list...)
}

func tarOf(t testing.TB, list []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range list {
		h := tar.Header{Name: e.name, Size: int64(len(e.text)), Mode: 0o777, Typeflag: e.kind, Linkname: e.link}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func otherArchive(t testing.TB) []byte {
	return zipped(t, tarOf(t, []entry{{name: "README", text: "hello"}}))
}

func TestArchivePlainTar(t *testing.T) {
	t.Parallel()
	got, err := storeOf(t).Merge(t.Context(), inFile(t, tarOf(t, entries(smallRun(1)))))
	if want := "1 added, 0 judged, 0 same, 0 refused"; err != nil || brief(got) != want {
		t.Errorf("got %s, %v, want %s", brief(got), err, want)
	}
}

// Each trap is in the second of three runs: that one is refused, and the others come in.
func TestArchiveRefuses(t *testing.T) {
	t.Parallel()
	bad := "runs/" + smallRun(2).id + "/"
	for name, tt := range map[string]struct {
		trap         entry
		file, reason string
	}{
		"up":               {entry{name: bad + "../../evil", text: "x"}, "../../evil", "leads out of the run"},
		"up in the middle": {entry{name: bad + "x/../../../evil", text: "x"}, "x/../../../evil", "leads out of the run"},
		"absolute":         {entry{name: bad + "/etc/evil", text: "x"}, "/etc/evil", "leads out of the run"},
		"symbolic link":    {entry{name: bad + "files/l", kind: tar.TypeSymlink, link: "/etc"}, "files/l", "no regular file"},
		"hard link":        {entry{name: bad + "files/l", kind: tar.TypeLink, link: "/etc/passwd"}, "files/l", "no regular file"},
		"device":           {entry{name: bad + "files/d", kind: tar.TypeChar}, "files/d", "no regular file"},
		"pipe":             {entry{name: bad + "files/p", kind: tar.TypeFifo}, "files/p", "no regular file"},
		"twice":            {entry{name: bad + "plan.json", text: "{}"}, "plan.json", "holds it twice"},
		"case":             {entry{name: bad + "files/ASSAY.yaml", text: "{}"}, "files/ASSAY.yaml", "on some machines"},
		"file as folder":   {entry{name: bad + "plan.json/x", text: "{}"}, "plan.json/x", "a file and a folder at once"},
		"folder as file":   {entry{name: bad + "logs", text: "{}"}, "logs", "a file and a folder at once"},
		"not announced":    {entry{name: bad + "files/more", text: "{}"}, "", "something else than it announces"},
		"no name":          {entry{name: bad, kind: tar.TypeDir}, "", "do not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := entries(smallRun(1), smallRun(2), smallRun(3))
			at := slices.IndexFunc(list, func(e entry) bool { return strings.HasPrefix(e.name, "runs/"+smallRun(3).id) })
			dir := t.TempDir()
			store, err := OpenStore(filepath.Join(dir, "a/b/.assay"))
			must(t, err)
			got, err := store.Merge(t.Context(), inFile(t, zipped(t, tarOf(t, slices.Insert(list, at, tt.trap)))))
			must(t, err)
			refusedAlone(t, store, got, smallRun(2).id, tt.file, tt.reason)
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
				t.Errorf("beside the store there is %v", left)
			}
		})
	}
}

// What was changed in an archive is found by the seal, or, where there is none, by what was announced.
func TestArchiveChanged(t *testing.T) {
	t.Parallel()
	for _, bad := range []madeRun{smallRun(2), smallRun(2).cutShort()} {
		list := entries(smallRun(1), bad, smallRun(3))
		for i, e := range list {
			if strings.HasSuffix(e.name, bad.id+"/x/killed/ops.jsonl") {
				list[i].text = "{}"
			}
		}
		store := storeOf(t)
		got, err := store.Merge(t.Context(), inFile(t, zipped(t, tarOf(t, list))))
		must(t, err)
		refusedAlone(t, store, got, bad.id, "", "something else than it announces")
	}
}

// An archive that ends early, at any byte, brings in the runs before the end and misses the others by name.
func TestArchiveTruncated(t *testing.T) {
	t.Parallel()
	path := exportAll(t, storeOf(t, smallRun(1), smallRun(2).cutShort(), smallRun(3)))
	text, err := os.ReadFile(path)
	must(t, err)
	for size := 0; size < len(text)-30; size += 97 {
		file := inFile(t, text[:size])
		store := storeOf(t)
		got, err := store.unsynced().merge(t.Context(), []string{file})
		if size < 2 && err != nil {
			continue // nothing tells that this is an archive
		}
		must(t, err)
		if len(got.Refused) == 0 || len(got.Added)+len(got.Refused) != 3 && len(got.Added) > 0 {
			t.Fatalf("of %d bytes %d: %s", len(text), size, brief(got))
		}
		if last := got.Refused[len(got.Refused)-1]; len(got.Added) > 0 && (last.Run != smallRun(3).id || !strings.Contains(last.Reason, "read")) {
			t.Errorf("of %d bytes %d: refused %s", len(text), size, last)
		}
		whole(t, store)
	}
}

func TestArchiveManifest(t *testing.T) {
	t.Parallel()
	honest := entries(smallRun(1))
	with := func(text string) []entry { return append([]entry{{name: manifestName, text: text}}, honest[1:]...) }
	id := smallRun(1).id
	for name, tt := range map[string]struct {
		list   []entry
		reason string
	}{
		"none":       {honest[1:], "no archive of assay evidence export"},
		"newer":      {with(`{"format": 2}`), "packed in format 2, and this version reads up to 1"},
		"garbage":    {with(`{`), "cannot be read"},
		"path as id": {with(`{"format": 1, "runs": [{"id": "../x"}]}`), "no id of a run"},
		"capitals":   {with(`{"format": 1, "runs": [{"id": "RUN"}]}`), "no id of a run"},
		"twice":      {with(fmt.Sprintf(`{"format": 1, "runs": [{"id": %q}, {"id": %q}]}`, id, id)), "twice"},
		"stranger":   {with(`{"format": 1, "runs": []}`), "belongs to no run"},
	} {
		store := storeOf(t)
		got, err := store.Merge(t.Context(), inFile(t, zipped(t, tarOf(t, tt.list))))
		must(t, err)
		if len(got.Refused) != 1 || !strings.Contains(got.Refused[0].Reason, tt.reason) || len(got.Added) != 0 {
			t.Errorf("%s: got %s, want %q", name, brief(got), tt.reason)
		}
	}
}

func TestArchiveLimits(t *testing.T) {
	t.Parallel()
	big := smallRun(2).with("logs/big.log", strings.Repeat("0", 1<<20))
	archive := inFile(t, zipped(t, tarOf(t, entries(smallRun(1), big, smallRun(3)))))
	for name, tt := range map[string]struct {
		change func(*limits)
		reason string
		added  int
	}{
		"a file":    {func(l *limits) { l.fileBytes = 1 << 19 }, "larger than 524288 bytes", 2},
		"a run":     {func(l *limits) { l.runBytes = 1 << 19 }, "the run is larger than 524288 bytes", 2},
		"all":       {func(l *limits) { l.bytes = 1 << 19 }, "unpacks to more than 524288 bytes", 1},
		"bomb":      {func(l *limits) { l.freeBytes, l.ratio = 1<<19, 20 }, "more than 20 times its size", 1},
		"many":      {func(l *limits) { l.entries = 20 }, "more than 20 entries", 1},
		"no limits": {func(l *limits) {}, "", 3},
	} {
		l := defaultLimits()
		tt.change(&l)
		store := storeOf(t)
		got, err := store.merger(l).merge(t.Context(), []string{archive})
		must(t, err)
		if len(got.Added) != tt.added || len(got.Refused) != 3-tt.added {
			t.Errorf("%s: got %s", name, brief(got))
		}
		for _, r := range got.Refused {
			if !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("%s: %s, want %q", name, r, tt.reason)
			}
		}
		whole(t, store)
	}
}

// No archive, however broken, leaves anything in the store but whole runs, or anything beside it.
func FuzzArchive(f *testing.F) {
	honest, _ := exportTo(f, storeOf(f, smallRun(1), smallRun(2).cutShort()))
	f.Add(honest)
	f.Add(tarOf(f, entries(smallRun(1))))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := inFile(t, text)
		store := storeOf(t)
		if !IsArchive(path) {
			return
		}
		if _, err := store.unsynced().merge(context.Background(), []string{path}); err != nil {
			t.Fatal(err)
		}
		whole(t, store)
	})
}
