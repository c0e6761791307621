package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPictures draws a page at three widths, light and dark, to be looked at:
//
//	ASSAY_REPORT_PAGE=.assay/reports/RUN.html ASSAY_REPORT_PICTURES=pictures go test -run TestPictures ./internal/report
//
// ASSAY_REPORT_WIDTHS names other widths, as in "360 1280".
func TestPictures(t *testing.T) {
	page, out := os.Getenv("ASSAY_REPORT_PAGE"), os.Getenv("ASSAY_REPORT_PICTURES")
	if page == "" || out == "" {
		t.Skip("ASSAY_REPORT_PAGE and ASSAY_REPORT_PICTURES name no page to draw")
	}
	widths := os.Getenv("ASSAY_REPORT_WIDTHS")
	if widths == "" {
		widths = "360 1280 3840"
	}
	path, err := filepath.Abs(page)
	check0(t, err)
	b := openBrowser(t)
	name := strings.TrimSuffix(filepath.Base(page), ".html")
	for _, word := range strings.Fields(widths) {
		var width int
		_, err := fmt.Sscan(word, &width)
		check0(t, err)
		for _, scheme := range []string{"light", "dark"} {
			b.show(path, width, scheme)
			height := eval[int](b, "document.documentElement.scrollHeight")
			each := max(width, 1400) * 9 / 8
			for from, n := 0, 1; from < height; from, n = from+each, n+1 {
				b.picture(filepath.Join(out, fmt.Sprintf("%s-%d-%s-%d.png", name, width, scheme, n)), from, min(from+each, height), width)
			}
		}
	}
}
