package spec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/internal/spec"
)

// compose-go logs to whoever has the process. It is not parallel, as it looks at what is of the whole process.
func TestTheLibraryLogsNothing(t *testing.T) {
	var log bytes.Buffer
	was := logrus.StandardLogger().Out
	logrus.SetOutput(&log)
	defer logrus.SetOutput(was)
	const text = "version: \"3.8\"\nservices:\n  db: {image: redis, tty: yes, environment: {PASSWORD: $PW}}\n"
	path := filepath.Join(t.TempDir(), "compose.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			errs := spec.CheckTopology(recipe.Local(), path, []byte(text))
			if got, want := errs.Error(), `compose.yaml:3:56: "$PW" is a variable`; !strings.Contains(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	all.Wait()
	if log.Len() > 0 {
		t.Errorf("logged: %s", log.String())
	}
	if logrus.StandardLogger().Out != &log {
		t.Error("the log is not put back")
	}
}
