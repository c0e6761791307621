package run

import (
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/system"
)

// subjects stores what ran: each service with the digest of its binary and of what fills it.
func (s *Session) subjects() error {
	var subjects []evidence.Subject
	for _, service := range s.project.System.Services {
		subject := evidence.Subject{Service: service.Name}
		for _, instance := range service.Instances() {
			subject.Instances = append(subject.Instances, instance.Name)
		}
		path, err := binary(s.project.System.Dir, service)
		if err != nil {
			return err
		}
		if subject.SHA256, err = SubjectDigest(service, path); err != nil {
			return fmt.Errorf("digest of what %s runs: %w", service.Name, err)
		}
		subject.Binary = path
		if rel, err := filepath.Rel(s.project.System.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
			subject.Binary = rel
		}
		subjects = append(subjects, subject)
	}
	return s.run.WriteJSON("subjects.json", subjects)
}

// SubjectDigest returns the digest of what a service is where it runs the file at path: that of the file, and where its data
// folders begin with what files of the user make, such as the scripts of a database, one of both.
func SubjectDigest(service system.Service, path string) (string, error) {
	digest, err := evidence.Digest(path)
	if image := service.Process.Image; err == nil && image != nil && image.Sum != "" {
		digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(digest+"\n"+image.Sum)))
	}
	return digest, err
}

// binary returns the file whose digest names what a service runs.
func binary(dir string, service system.Service) (string, error) {
	name := service.Process.Binary
	if name == "" {
		name = service.Process.Command[0]
	}
	inDir := filepath.Join(dir, name)
	switch {
	case filepath.IsAbs(name):
		return name, nil
	case strings.Contains(name, "/"):
		return inDir, nil
	case service.Process.Binary != "" && isFile(inDir):
		return inDir, nil // it names a file; a command without a slash is always looked up
	}
	return exec.LookPath(name)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// meta says what this run is. A tree without git has no commit, and that is no error.
func (s *Session) meta() evidence.Meta {
	m := evidence.Meta{Version: s.opts.Version, Args: s.opts.Args, Seed: s.project.Seed, Defect: s.opts.Defect, Control: s.opts.Control,
		OS: runtime.GOOS, Arch: runtime.GOARCH, Grade: evidence.GradeStream, Environment: "plain"}
	for _, x := range s.project.Experiments {
		m.Experiments = append(m.Experiments, x.Name)
	}
	if commit, err := git(s.project.Dir, "rev-parse", "HEAD"); err == nil {
		m.Commit = commit
		changes, err := git(s.project.Dir, "status", "--porcelain")
		m.Dirty = err != nil || changes != ""
		m.Changes = Changes(s.project.Dir)
	}
	return m
}

// Changes returns the digest of what tracked files below a folder have that is in no commit, "" for nothing.
func Changes(dir string) string {
	diff, err := git(dir, "diff", "--no-ext-diff", "--no-color", "--binary", "HEAD", "--", ".")
	switch {
	case err != nil:
		return "sha256:"
	case diff == "":
		return ""
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(diff)))
}

func git(dir string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// Version returns the version of the running binary, as its build recorded it.
func Version(path string) string {
	info, err := buildinfo.ReadFile(path)
	if err != nil || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
