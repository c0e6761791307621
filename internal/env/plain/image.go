package plain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/assay-dev/assay/system"
)

// imageDir returns the folder of an image: $ASSAY_CACHE_DIR, else assay in the user's cache folder.
func imageDir(name string) (string, error) {
	if !filepath.IsLocal(name) || filepath.Base(name) != name {
		return "", fmt.Errorf("image %q is no file name", name)
	}
	cache := os.Getenv("ASSAY_CACHE_DIR")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the cache folder (set ASSAY_CACHE_DIR to choose one): %w", err)
		}
		cache = filepath.Join(user, "assay")
	}
	return filepath.Join(cache, "images", name), nil
}

// makeImage makes the image of a service, unless this machine has it. Of two that want the same at the same time one
// makes it and the other waits. What one that died left half made is made anew.
func makeImage(ctx context.Context, spawn *spawner, service system.Service, progress func(string)) error {
	image := service.Process.Image
	if image == nil {
		return nil
	}
	for _, note := range image.Notes {
		if progress != nil {
			progress(service.Name + ": " + note)
		}
	}
	dir, err := imageDir(image.Name)
	if err != nil || isDir(dir) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	release, err := lockFile(ctx, filepath.Join(filepath.Dir(dir), "lock"))
	if err != nil || isDir(dir) {
		return errors.Join(err, release())
	}
	began := time.Now()
	err = fillImage(ctx, spawn, service, dir)
	if err == nil && progress != nil {
		progress(fmt.Sprintf("%s: made %s in %v", service.Name, image.Name, time.Since(began).Round(time.Millisecond)))
	}
	return errors.Join(err, release())
}

func fillImage(ctx context.Context, spawn *spawner, service system.Service, dir string) error {
	fresh, process := dir+".new", service.Process
	if err := removeAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	path, err := program("/", process.Programs, process.Image.Make[0])
	if err != nil {
		return err
	}
	cmd := exec.Command(path, process.Image.Make[1:]...)
	cmd.Env = append(withPrograms(os.Environ(), process.Programs), "ASSAY_DATA="+fresh)
	for _, name := range slices.Sorted(maps.Keys(process.Image.Env)) {
		cmd.Env = append(cmd.Env, name+"="+process.Image.Env[name])
	}
	cmd.Dir, cmd.SysProcAttr = fresh, procAttr()
	if process.NotRoot {
		setNotRoot(cmd.SysProcAttr)
	}
	if err := runBuild(ctx, spawn, cmd, "make "+process.Image.Name); err != nil {
		return errors.Join(err, RemoveShared(fresh), removeAll(fresh))
	}
	return os.Rename(fresh, dir)
}

// lockFile takes the lock of a file, which ends with the process, too. Release may be called in any case.
func lockFile(ctx context.Context, path string) (release func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return func() error { return nil }, err
	}
	err = poll(ctx, func() (bool, error) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return false, nil
		}
		return err == nil, err
	})
	return file.Close, err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// fillData gives an instance that has no data the content of its image.
func (n *node) fillData(ctx context.Context) error {
	image := n.svc.Process.Image
	if image == nil {
		return nil
	}
	if entries, err := os.ReadDir(n.data); err == nil && len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir, err := imageDir(image.Name)
	if err != nil {
		return err
	}
	// A copy that was cut short must not look like data.
	fresh := n.data + ".new"
	if err := errors.Join(removeAll(fresh), copyTree(ctx, dir, fresh), removeAll(n.data)); err != nil {
		return fmt.Errorf("copy %s: %w", image.Name, err)
	}
	return os.Rename(fresh, n.data)
}
