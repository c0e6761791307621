package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
)

// TestPictures draws a stored run at three widths, light and dark, to be looked at:
//
//	ASSAY_REPORT_STORE=.assay ASSAY_REPORT_RUN=latest ASSAY_REPORT_PICTURES=/tmp/pictures go test -run TestPictures ./internal/report
func TestPictures(t *testing.T) {
	dir, out := os.Getenv("ASSAY_REPORT_STORE"), os.Getenv("ASSAY_REPORT_PICTURES")
	if dir == "" || out == "" {
		t.Skip("ASSAY_REPORT_STORE and ASSAY_REPORT_PICTURES name no run to draw")
	}
	store, err := evidence.OpenStore(dir)
	check0(t, err)
	id := os.Getenv("ASSAY_REPORT_RUN")
	run, err := store.Open(id)
	check0(t, err)
	r, err := Build(run, Options{Folder: "examples/shop"})
	check0(t, err)
	path := filepath.Join(out, id+".html")
	check0(t, os.MkdirAll(out, 0o755))
	var text strings.Builder
	check0(t, r.HTML(&text))
	check0(t, os.WriteFile(path, []byte(text.String()), 0o644))
	t.Logf("%s: %d kB", path, text.Len()>>10)
	b := openBrowser(t)
	for _, width := range []int{360, 1280, 3840} {
		for _, scheme := range []string{"light", "dark"} {
			b.show(path, width, scheme)
			height := eval[int](b, "document.documentElement.scrollHeight")
			each := max(width, 1400) * 9 / 8
			for from, n := 0, 1; from < height; from, n = from+each, n+1 {
				b.picture(filepath.Join(out, fmt.Sprintf("%s-%d-%s-%d.png", id, width, scheme, n)), from, min(from+each, height), width)
			}
		}
	}
	for _, e := range b.of("Log.entryAdded", "Runtime.exceptionThrown") {
		t.Error(e)
	}
}
