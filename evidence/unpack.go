package evidence

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// limits bound what an archive may unpack to, so that a small one cannot fill a disk.
type limits struct {
	manifestBytes int64
	fileBytes     int64
	runBytes      int64
	bytes         int64 // of the whole archive
	entries       int
	ratio         int64 // of unpacked to packed, once free bytes are unpacked
	freeBytes     int64
}

func defaultLimits() limits {
	const mib, gib = 1 << 20, 1 << 30
	return limits{manifestBytes: 64 * mib, fileBytes: 4 * gib, runBytes: 16 * gib, bytes: 64 * gib, entries: 2_000_000, ratio: 400, freeBytes: 256 * mib}
}

// archiveReader reads an archive and counts what it unpacks to.
type archiveReader struct {
	file     *os.File
	packed   int64
	unpacked int64
	limits   limits
	stream   io.Reader
	tar      *tar.Reader
}

func openArchive(path string, limits limits) (*archiveReader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &archiveReader{file: file, limits: limits}
	packed := bufio.NewReader(packedReader{r})
	r.stream = packed
	if head, _ := packed.Peek(2); string(head) == "\x1f\x8b" {
		if r.stream, err = gzip.NewReader(packed); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	r.tar = tar.NewReader(r)
	return r, nil
}

type packedReader struct{ *archiveReader }

func (p packedReader) Read(to []byte) (int, error) {
	n, err := p.file.Read(to)
	p.packed += int64(n)
	return n, err
}

// Read unpacks, until a limit is met.
func (r *archiveReader) Read(to []byte) (int, error) {
	n, err := r.stream.Read(to)
	r.unpacked += int64(n)
	switch {
	case r.unpacked > r.limits.bytes:
		return n, fmt.Errorf("it unpacks to more than %d bytes", r.limits.bytes)
	case r.unpacked > r.limits.freeBytes && r.unpacked > r.limits.ratio*r.packed:
		return n, fmt.Errorf("it unpacks to more than %d times its size, as only a trap does", r.limits.ratio)
	}
	return n, err
}

func (r *archiveReader) Close() error { return r.file.Close() }

// An unpacker takes one archive apart, into one folder a run.
type unpacker struct {
	*archiveReader
	m      *merger
	path   string
	runs   map[string]*unpacked
	stream error // why the archive was not read to its end
	strays int   // entries of no run that was announced
	stray  string
}

type unpacked struct {
	announced
	staged string
	found  content
	twins  twinFinder
	bytes  int64
	wrong  error // the first reason to refuse it
}

func (m *merger) takeArchive(ctx context.Context, path string) error {
	r, err := openArchive(path, m.limits)
	if err != nil {
		m.out.Refused = append(m.out.Refused, Refused{Source: path, Reason: fmt.Sprintf("it cannot be read: %v", err)})
		return nil
	}
	defer r.Close()
	u := &unpacker{archiveReader: r, m: m, path: path, runs: map[string]*unpacked{}}
	ids, err := u.manifest()
	if err != nil {
		m.out.Refused = append(m.out.Refused, Refused{Source: path, Reason: err.Error()})
		return nil
	}
	if err := m.makeWay(ids); err != nil {
		return err
	}
	if err := u.unpack(ctx); err != nil {
		return err
	}
	if u.strays > 0 {
		m.out.Refused = append(m.out.Refused, Refused{Source: path, File: u.stray,
			Reason: fmt.Sprintf("it belongs to no run that the archive announces (%d entries do not)", u.strays)})
	}
	for _, id := range ids {
		if err := m.note(path, id, func() (arrival, error) { return u.conclude(u.runs[id]) }); err != nil {
			return err
		}
	}
	return nil
}

// manifest reads the first entry, and returns the ids it announces.
func (u *unpacker) manifest() ([]string, error) {
	header, err := u.tar.Next()
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if header.Name != manifestName || header.Typeflag != tar.TypeReg || header.Size > u.limits.manifestBytes {
		return nil, fmt.Errorf("it is no archive of assay evidence export: it begins with %q and not with %s", header.Name, manifestName)
	}
	text, err := io.ReadAll(u.tar)
	var m manifest
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", manifestName, err)
	}
	if m.Format > archiveFormat {
		return nil, fmt.Errorf("it was packed in format %d, and this version reads up to %d: use a newer assay", m.Format, archiveFormat)
	}
	var ids []string
	for _, run := range m.Runs {
		if err := checkID(run.ID); err != nil {
			return nil, fmt.Errorf("%s announces a run that cannot be: %w", manifestName, err)
		}
		if u.runs[run.ID] != nil {
			return nil, fmt.Errorf("%s announces run %s twice", manifestName, run.ID)
		}
		u.runs[run.ID] = &unpacked{announced: run, staged: u.m.folder(), found: content{}, twins: twinFinder{}}
		ids = append(ids, run.ID)
	}
	return ids, nil
}

// unpack takes out all entries. An error is the store's: those of the archive are noted with the runs.
func (u *unpacker) unpack(ctx context.Context) error {
	made := map[string]bool{}
	buffer := make([]byte, 64<<10)
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		header, err := u.tar.Next()
		if err == nil && n > u.limits.entries {
			err = fmt.Errorf("it has more than %d entries", u.limits.entries)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			u.stream = err
			return nil
		}
		run, name := u.runOf(header.Name)
		if run == nil || run.wrong != nil {
			continue
		}
		err = u.entry(run, name, header, made, buffer)
		var refused *refusal
		if err != nil && !errors.As(err, &refused) {
			return fmt.Errorf("evidence: unpack %s: %w", u.path, err)
		}
		run.wrong = err
	}
}

// runOf returns the run that an entry belongs to, and the entry's name below it; nil for a stray one.
func (u *unpacker) runOf(entry string) (*unpacked, string) {
	id, name, ok := strings.Cut(strings.TrimPrefix(entry, archivedRuns), "/")
	if strings.HasPrefix(entry, archivedRuns) && ok && u.runs[id] != nil {
		return u.runs[id], name
	}
	if u.strays++; u.strays == 1 {
		u.stray = entry
	}
	return nil, ""
}

func (u *unpacker) entry(run *unpacked, name string, header *tar.Header, made map[string]bool, buffer []byte) error {
	if err := u.admit(run, name, header); err != nil {
		return err
	}
	path := filepath.Join(run.staged, filepath.FromSlash(name))
	folder := filepath.Dir(path)
	if header.Typeflag == tar.TypeDir {
		run.found[name] = ""
		folder = path
	}
	if !made[folder] {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return refuseClash(name, err)
		}
		made[folder] = true
	}
	if header.Typeflag == tar.TypeDir {
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return refuseClash(name, err)
	}
	sum := sha256.New()
	err = copyTwice(file, sum, u.tar, name, buffer)
	run.found[name] = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return errors.Join(err, file.Close())
}

// refuseClash tells a disk that is full from a name that is a file and a folder at once.
func refuseClash(name string, err error) error {
	if errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return refuse(name, "it is a file and a folder at once")
	}
	return err
}

// admit says what is wrong with an entry before any of it is unpacked.
func (u *unpacker) admit(run *unpacked, name string, header *tar.Header) error {
	if header.Typeflag != tar.TypeReg && header.Typeflag != tar.TypeDir {
		return refuse(name, "it is no regular file (tar type %q)", header.Typeflag)
	}
	plain := strings.TrimSuffix(name, "/")
	if isFolder(name) != (header.Typeflag == tar.TypeDir) {
		return refuse(name, "its name and its type do not fit")
	}
	if err := checkFile(plain); err != nil {
		return refuse(name, "%v", err)
	}
	if twin := run.twins.add(plain); twin != "" {
		return refuse(name, "its name is the same as %q on some machines", twin)
	}
	if _, ok := run.found[name]; ok {
		return refuse(name, "the archive holds it twice")
	}
	run.bytes += header.Size
	switch {
	case header.Size > u.limits.fileBytes:
		return refuse(name, "it is larger than %d bytes", u.limits.fileBytes)
	case run.bytes > u.limits.runBytes:
		return refuse(name, "with it the run is larger than %d bytes", u.limits.runBytes)
	}
	return nil
}

// conclude says whether a run came out of the archive as it was announced, and has it let in.
func (u *unpacker) conclude(run *unpacked) (arrival, error) {
	if run.wrong == nil && run.found.digest() != run.Content {
		run.wrong = refuse("", "it is not whole: the archive holds something else than it announces")
		if u.stream != nil {
			run.wrong = refuse("", "it is not whole: the archive cannot be read to its end: %v", u.stream)
		}
	}
	if run.wrong != nil {
		return arrival{}, errors.Join(run.wrong, os.RemoveAll(run.staged))
	}
	if u.m.store.has(run.ID) {
		a, err := u.m.toExisting(run.ID, &Run{dir: run.staged}, run.found)
		if err == nil && a.replaces {
			return u.m.replacing(run.ID, run.staged, run.found)
		}
		return a, errors.Join(err, os.RemoveAll(run.staged))
	}
	return u.m.asNew(run.ID, run.staged, run.found)
}
