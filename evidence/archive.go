package evidence

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An archive is a gzip'd tar. Its first entry, manifestName, announces the runs;
// then come the files of each, as runs/ID/NAME. Nothing in it says when, where or
// by whom it was made, so the same runs make the same bytes.
const (
	manifestName  = "assay-evidence.json"
	archiveFormat = 1
	archivedRuns  = "runs/"
)

type manifest struct {
	Format int         `json:"format"`
	Runs   []announced `json:"runs"` // in order of id
}

// announced is a run that the archive holds, so that one that is cut off is missed by name.
type announced struct {
	ID      string `json:"id"`
	Status  Status `json:"status"`
	Content string `json:"content"` // the digest of all of it
}

// Exported is what an export came to. Each list is in order of id.
type Exported struct {
	Runs     []string  `json:"runs"`
	CutShort []string  `json:"cut_short"` // those of Runs that were cut short
	Refused  []Refused `json:"refused"`
}

// Export writes whole runs to w as one archive, which Merge reads. The same runs make the same bytes.
// A run that is being written, or that is not as it was sealed, is refused and left out.
func Export(ctx context.Context, w io.Writer, runs []*Run) (Exported, error) {
	out := Exported{Runs: []string{}, CutShort: []string{}, Refused: []Refused{}}
	var list []exporting
	for _, run := range runs {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		x, err := prepareExport(run)
		var refused *refusal
		switch {
		case errors.As(err, &refused):
			out.Refused = append(out.Refused, Refused{filepath.Dir(filepath.Dir(run.dir)), run.ID(), refused.file, refused.reason})
		case err != nil:
			return out, err
		default:
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(a, b exporting) int { return strings.Compare(a.ID, b.ID) })
	list = slices.CompactFunc(list, func(a, b exporting) bool { return a.ID == b.ID })
	for _, x := range list {
		out.Runs = append(out.Runs, x.ID)
		if x.Status != Complete {
			out.CutShort = append(out.CutShort, x.ID)
		}
	}
	if len(list) == 0 {
		return out, nil
	}
	return out, writeArchive(ctx, w, list)
}

type exporting struct {
	announced
	run   *Run
	found content
}

func prepareExport(run *Run) (exporting, error) {
	if err := checkID(run.ID()); err != nil {
		return exporting{}, refuse("", "%v", err)
	}
	status := run.Summary().Status
	if status == Running {
		return exporting{}, refuse("", "it is still being written: export it when it ended")
	}
	found, err := contentOf(run.dir, nil)
	if err != nil {
		return exporting{}, err
	}
	if _, err := checkArrival(run, run.ID(), found); err != nil {
		return exporting{}, err
	}
	return exporting{announced{run.ID(), status, found.digest()}, run, found}, nil
}

func writeArchive(ctx context.Context, w io.Writer, list []exporting) error {
	zip := gzip.NewWriter(w)
	out := tar.NewWriter(zip)
	m := manifest{Format: archiveFormat}
	for _, x := range list {
		m.Runs = append(m.Runs, x.announced)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = writeEntry(out, manifestName, int64(len(text)), bytes.NewReader(text))
	}
	for _, x := range list {
		if err == nil {
			err = packRun(ctx, out, x)
		}
	}
	if err != nil {
		return fmt.Errorf("evidence: export: %w", err)
	}
	return errors.Join(out.Close(), zip.Close())
}

func packRun(ctx context.Context, out *tar.Writer, x exporting) error {
	for _, name := range slices.Sorted(maps.Keys(x.found)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		entry := archivedRuns + x.ID + "/" + name
		if isFolder(name) {
			if err := writeEntry(out, entry, 0, nil); err != nil {
				return err
			}
			continue
		}
		file, err := os.Open(x.run.path(name))
		if err != nil {
			return err
		}
		info, err := file.Stat()
		if err == nil {
			err = writeEntry(out, entry, info.Size(), file)
		}
		file.Close()
		if err != nil {
			return fmt.Errorf("run %s: %s: %w", x.ID, name, err)
		}
	}
	return nil
}

func writeEntry(out *tar.Writer, name string, size int64, from io.Reader) error {
	header := tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	if isFolder(name) {
		header.Typeflag, header.Mode = tar.TypeDir, 0o755
	}
	if err := out.WriteHeader(&header); err != nil || from == nil {
		return err
	}
	_, err := io.Copy(out, from)
	return err
}

// IsArchive says whether the file at path is packed as Export packs: a tar, with or without gzip.
func IsArchive(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	const magicAt = 257 // of a tar header
	head, _ := bufio.NewReader(file).Peek(magicAt + 5)
	return bytes.HasPrefix(head, []byte("\x1f\x8b")) || len(head) == magicAt+5 && string(head[magicAt:]) == "ustar"
}

// holdsSomethingElse says whether the first file in the archive is that of another kind.
// One that is too damaged to tell may be evidence, and is to be refused aloud.
func holdsSomethingElse(file string) bool {
	r, err := openArchive(file, defaultLimits())
	if err != nil {
		return false
	}
	defer r.Close()
	header, err := r.tar.Next()
	return err == nil && path.Clean(header.Name) != manifestName
}
