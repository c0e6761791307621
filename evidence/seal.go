package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Digest returns "sha256:" and the hexadecimal digest of the file at path.
func Digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("evidence: digest: %w", err)
	}
	defer file.Close()
	return digest(file)
}

func digest(file *os.File) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("evidence: digest of %s: %w", file.Name(), err)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// Seal ends the run: it makes every file durable and writes end.json with the
// digest of each. A run without it counts as cut short. Seal lets go of the run,
// also when it fails, and a sealed run accepts nothing but judgements.
func (r *Run) Seal(end End) error {
	defer r.Close()
	files, err := r.digests(func(file *os.File) error { return file.Sync() })
	if err != nil {
		return fmt.Errorf("evidence: run %s: seal: %w", r.ID(), err)
	}
	end.Files = files
	return r.WriteJSON("end.json", end)
}

// digests returns the digest of every file of the run but end.json, by its path with slashes.
// Each is what it is because of its bytes: a link to elsewhere is an error.
func (r *Run) digests(also func(*os.File) error) (map[string]string, error) {
	files, _, err := r.read(also, func(string) bool { return false })
	return files, err
}

// read is digests that also returns the content of the files that keep names.
func (r *Run) read(also func(*os.File) error, keep func(name string) bool) (map[string]string, map[string][]byte, error) {
	files, kept := map[string]string{}, map[string][]byte{}
	sum, buffer := sha256.New(), make([]byte, 64<<10)
	err := filepath.WalkDir(r.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(r.dir, path)
		if err != nil || rel == "end.json" {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is not a regular file (%v)", rel, entry.Type())
		}
		name := filepath.ToSlash(rel)
		var text bytes.Buffer
		into := io.Writer(sum)
		if keep(name) {
			into = io.MultiWriter(sum, &text)
			defer func() { kept[name] = text.Bytes() }()
		}
		sum.Reset()
		if err := copyFile(into, path, buffer, also); err != nil {
			return err
		}
		files[name] = "sha256:" + hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	return files, kept, err
}

// copyFile writes a file's content, by way of a buffer that many files share.
func copyFile(into io.Writer, path string, buffer []byte, also func(*os.File) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := also(file); err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{into}, struct{ io.Reader }{file}, buffer)
	return err
}

// Verify compares the run with its seal. Its error names every file that was
// changed, is missing or was added, and wraps fs.ErrNotExist where there is no seal.
func (r *Run) Verify() error {
	end, err := r.End()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("evidence: run %s is not sealed, it was cut short: %w", r.ID(), fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	files, err := r.digests(func(*os.File) error { return nil })
	if err != nil {
		return fmt.Errorf("evidence: run %s: verify: %w", r.ID(), err)
	}
	return r.compare(end.Files, files)
}

func (r *Run) compare(sealed, found map[string]string) error {
	var errs []error
	wrong := func(name, what string) {
		errs = append(errs, fmt.Errorf("evidence: run %s: %s %s", r.ID(), name, what))
	}
	for _, name := range slices.Sorted(maps.Keys(sealed)) {
		switch digest, ok := found[name]; {
		case !ok:
			wrong(name, "is missing")
		case digest != sealed[name]:
			wrong(name, "was changed after the seal")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := sealed[name]; !ok && !isJudgement(name) {
			wrong(name, "was added after the seal")
		}
	}
	return errors.Join(errs...)
}
