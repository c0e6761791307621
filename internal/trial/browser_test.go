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
saw.near0 = picture.span();
const press = key => by("c").dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
picture.fit(); saw.all = picture.span();
by("first").click(); saw.first = kept(); saw.near = picture.span();
by("in").click(); saw.zoomed = picture.span();
by("fit").click(); saw.fit = picture.span();
by("find").value = "write 17"; by("find").dispatchEvent(new Event("input")); saw.hits = by("hits").textContent;
by("next").click(); saw.next = kept();
by("fit").click(); saw.draws = [];
for (let i = 0; i < 5; i++) { const begin = performance.now(); picture.draw(); saw.draws.push(performance.now() - begin); }
press("f"); saw.keyFirst = kept(); press("["); saw.keyBefore = kept(); press("]"); saw.keyAfter = kept();
press("w"); saw.keyWitness = picture.span(); press("+"); saw.keyIn = picture.span(); press("0"); saw.keyAll = picture.span();
document.dispatchEvent(new KeyboardEvent("keydown", {key: "/"})); saw.keyFind = document.activeElement.id;
saw.requests = performance.getEntriesByType("resource").map(e => e.name);
saw.dark = matchMedia("(prefers-color-scheme: dark)").matches;
const lum = name => { const s = document.createElement("span"); s.style.color = "var(--" + name + ")"; document.body.append(s);
  const [r, g, b] = getComputedStyle(s).color.match(/[0-9.]+/g).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
saw.contrast = {};
for (const pair of ["ink page", "ink raised", "soft page", "soft raised", "link page", "fail page", "fail raised", "pass raised", "unknown raised", "ink ok", "ink maybe", "ink failed", "ink band", "maybeline page"]) {
  const [a, b] = pair.split(" ").map(lum).sort((x, y) => y - x); saw.contrast[pair] = (a + 0.05) / (b + 0.05); }
document.title = "saw " + JSON.stringify(saw);
</script>`

type seen struct {
	All, Near, Near0, Zoomed, Fit float64
	First, Hits, Next             string
	KeyFirst, KeyBefore, KeyAfter string
	KeyWitness, KeyIn, KeyAll     float64
	KeyFind                       string
	Requests                      []string
	Dark                          bool
	Contrast                      map[string]float64
	Draws                         []float64 // ms
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
		saw := driven(t, chromium, n, n > 1000)
		if !strings.Contains(saw.First, fmt.Sprintf("read -> %d\n", n-2)) || saw.Near >= saw.All {
			t.Errorf("%d: jump to the first error: got %q, and %v in sight of %v", n, saw.First, saw.Near, saw.All)
		}
		if saw.Zoomed >= saw.Near || saw.Fit != saw.All {
			t.Errorf("%d: zoom: got %v of %v, then all: %v, want %v", n, saw.Zoomed, saw.Near, saw.Fit, saw.All)
		}
		if !strings.HasSuffix(saw.Hits, " found") || saw.Hits == "0 found" || !strings.Contains(saw.Next, "write 17") {
			t.Errorf("%d: search: got %q, then %q", n, saw.Hits, saw.Next)
		}
		keys(t, saw)
		t.Logf("%d operations: drawn in %.1f ms each (bound wanted: 100 ms)", n, saw.Draws)
	}
}

// keys holds what the keyboard does, that nothing is fetched, and that texts stand out.
func keys(t *testing.T, saw seen) {
	t.Helper()
	if saw.KeyFirst != saw.First || saw.KeyBefore == saw.KeyFirst || saw.KeyAfter != saw.KeyFirst || saw.Near0 != saw.Near {
		t.Errorf("keys f, [ and ]: got %q, %q, %q; at first %v is in sight, after a jump %v", saw.KeyFirst, saw.KeyBefore, saw.KeyAfter, saw.Near0, saw.Near)
	}
	if saw.KeyWitness <= 0 || saw.KeyIn >= saw.KeyWitness || saw.KeyAll != saw.All || saw.KeyFind != "find" {
		t.Errorf("keys w, +, 0 and /: got %v, %v, %v of %v, and %q", saw.KeyWitness, saw.KeyIn, saw.KeyAll, saw.All, saw.KeyFind)
	}
	if len(saw.Requests) > 0 {
		t.Errorf("the page asked for %q", saw.Requests)
	}
	for pair, ratio := range saw.Contrast {
		if ratio < 4.5 {
			t.Errorf("dark %v: contrast of %s is %.1f", saw.Dark, pair, ratio)
		}
	}
	if len(saw.Contrast) < 14 {
		t.Errorf("contrasts: %v", saw.Contrast)
	}
}

// driven judges a history of n operations whose last read is stale, and drives its page.
func driven(t *testing.T, chromium string, n int, dark bool) seen {
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
	scheme := map[bool]string{false: "--blink-settings=preferredColorScheme=1", true: "--blink-settings=preferredColorScheme=0"}[dark]
	out, err := exec.Command(chromium, scheme, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+path).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	_, rest, _ := strings.Cut(string(out), "<title>saw ")
	title, _, _ := strings.Cut(rest, "</title>")
	saw := seen{}
	if err := json.Unmarshal([]byte(html.UnescapeString(title)), &saw); err != nil {
		t.Fatalf("the page did not act to the end: %v: %.200s", err, title)
	}
	if saw.Dark != dark {
		t.Errorf("the page is dark: %v, want %v", saw.Dark, dark)
	}
	return saw
}
