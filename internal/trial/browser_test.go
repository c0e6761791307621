package trial_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/trial"
	"github.com/assay-dev/assay/verdict"
)

// drive acts on the page as a reader does, and leaves what it saw as the title.
const drive = `<script>
const saw = {}, by = id => document.getElementById(id), kept = () => by("kept").textContent;
picture.fit(); saw.all = picture.span();
by("first").click(); saw.first = kept(); saw.near = picture.span();
by("in").click(); saw.zoomed = picture.span();
by("fit").click(); saw.fit = picture.span();
by("find").value = "write 17"; by("find").dispatchEvent(new Event("input")); saw.hits = by("hits").textContent;
by("next").click(); saw.next = kept();
by("fit").click(); saw.draws = [];
for (let i = 0; i < 5; i++) { const begin = performance.now(); picture.draw(); saw.draws.push(performance.now() - begin); }
document.title = "saw " + JSON.stringify(saw);
</script>`

type seen struct {
	All, Near, Zoomed, Fit float64
	First, Hits, Next      string
	Draws                  []float64 // ms
}

// TestBrowser drives the page in Chromium: a small history, and one of 100,000 operations, whose drawing is timed and not judged.
func TestBrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no Chromium is on the PATH: how the page acts in a browser was not tested")
	}
	for _, n := range []int{100, 100_000} {
		if n > 1000 && testing.Short() {
			continue
		}
		saw := driven(t, chromium, n)
		if !strings.Contains(saw.First, fmt.Sprintf("read -> %d\n", n-2)) || saw.Near >= saw.All {
			t.Errorf("%d: jump to the first error: got %q, and %v in sight of %v", n, saw.First, saw.Near, saw.All)
		}
		if saw.Zoomed >= saw.Near || saw.Fit != saw.All {
			t.Errorf("%d: zoom: got %v of %v, then all: %v, want %v", n, saw.Zoomed, saw.Near, saw.Fit, saw.All)
		}
		if !strings.HasSuffix(saw.Hits, " found") || saw.Hits == "0 found" || !strings.Contains(saw.Next, "write 17") {
			t.Errorf("%d: search: got %q, then %q", n, saw.Hits, saw.Next)
		}
		t.Logf("%d operations: drawn in %.1f ms each (bound wanted: 100 ms)", n, saw.Draws)
	}
}

// driven judges a history of n operations whose last read is stale, and drives its page.
func driven(t *testing.T, chromium string, n int) seen {
	t.Helper()
	var text strings.Builder
	for i := range n - 1 {
		fmt.Fprintf(&text, "%d:w%d ", i%20, i+1)
	}
	fmt.Fprintf(&text, "7:r%d", n-2) // and n-1 was written since
	c, rep, err := judge(t, text.String(), "register", trial.Options{}, 0)
	if err != nil || rep.Verdict != verdict.Fail {
		t.Fatalf("%+v, %v", rep, err)
	}
	var page bytes.Buffer
	if err := rep.HTML(&page, c); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	write(t, path, strings.Replace(page.String(), "</body>", drive+"</body>", 1))
	out, err := exec.Command(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+path).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	_, rest, _ := strings.Cut(string(out), "<title>saw ")
	title, _, _ := strings.Cut(rest, "</title>")
	var saw seen
	if err := json.Unmarshal([]byte(html.UnescapeString(title)), &saw); err != nil {
		t.Fatalf("the page did not act to the end: %v: %.200s", err, title)
	}
	return saw
}
