package simrun

import (
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/sim"
)

// look leaves what a reader sees as the page's title.
const look = `<script>
const saw = {}, all = s => [...document.querySelectorAll(s)];
saw.lanes = all(".head text[font-weight]").map(t => t.textContent); saw.steps = all("ol li").length; saw.arrows = all("line.message").length;
saw.lost = all("line.lost").length; saw.faults = all("rect.fault").length; saw.turns = all("rect.ran").length; saw.numbers = all("text.number").length;
saw.end = all("text.end").map(t => t.textContent).join(); saw.requests = performance.getEntriesByType("resource").map(e => e.name);
const stage = document.querySelector(".stage"); stage.scrollTop = stage.scrollHeight;
saw.bottom = stage.scrollTop > 0; saw.head = document.querySelector(".head").getBoundingClientRect().top >= stage.getBoundingClientRect().top - 1;
saw.dark = matchMedia("(prefers-color-scheme: dark)").matches;
const lum = name => { const s = document.createElement("span"); s.style.color = "var(--" + name + ")"; document.body.append(s);
  const [r, g, b] = getComputedStyle(s).color.match(/[0-9.]+/g).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
saw.contrast = {};
for (const pair of ["ink page", "ink raised", "soft page", "soft raised", "fail page", "fail raised", "choice page", "link page"]) {
  const [a, b] = pair.split(" ").map(lum).sort((x, y) => y - x); saw.contrast[pair] = (a + 0.05) / (b + 0.05); }
document.title = "saw " + JSON.stringify(saw);
</script>`

type seen struct {
	Lanes, Requests                             []string
	Steps, Arrows, Lost, Faults, Turns, Numbers int
	End                                         string
	Bottom, Head, Dark                          bool
	Contrast                                    map[string]float64
}

// TestPictureInBrowser looks at pictures in Chromium, in light and dark: one of hosts with 10,000 messages, and one of goroutines.
func TestPictureInBrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no Chromium is on the PATH: how the picture looks in a browser was not tested")
	}
	const ms = 1_000_000
	yield := sim.Decision{Kind: "yield", Choice: 1, AtNS: 2 * ms, Goroutine: 3}
	f := &Failure{Test: "TestX", Seed: 7, Shrunk: []Step{{Decision: yield, Text: "at 2ms goroutine 3 was preempted", Code: []string{"x.go:1  f()"}}}}
	r := &sim.Report{SimNS: 9 * ms, Points: []sim.Point{{Kind: "always", Name: "sound", Hits: 1, Broken: "it is <not>"}}, Events: []string{"    0.001000s crash of two", "    0.002000s start of two"}}

	turns := newStory([]sim.Decision{{Kind: "run", Goroutine: 3}, yield, {Kind: "run", Goroutine: 4, AtNS: 2 * ms}, {Kind: "run", Goroutine: 3, AtNS: 2 * ms}}, nil)
	saw := browsed(t, chromium, pictured(f, r, turns), false)
	if got := fmt.Sprint(saw.Lanes, saw.Turns, saw.Numbers, saw.Steps); got != "[goroutine 3 goroutine 4] 3 1 1" {
		t.Errorf("of goroutines: %s", got)
	}
	standsOut(t, saw)

	var log []sim.Decision
	for i := range uint64(10_000) {
		log = append(log, sim.Decision{Kind: "message", AtNS: i * ms / 1000, Key: i % 10 * (i + 5) * ms / 1000, N: 7, Target: (10<<24|2)<<32 | 10<<24 | 3})
	}
	r.Hosts = []string{"one", "two"}
	saw = browsed(t, chromium, pictured(f, r, newStory(log, nil)), true)
	if got := fmt.Sprint(saw.Lanes, saw.Arrows+saw.Lost, saw.Faults, saw.Bottom, saw.Head); got != fmt.Sprintf("[test one two] %d 1 true true", mostMessages) || saw.Lost == 0 {
		t.Errorf("of hosts: %s, %d lost", got, saw.Lost)
	}
	standsOut(t, saw)
}

func standsOut(t *testing.T, saw seen) {
	t.Helper()
	if len(saw.Requests) > 0 {
		t.Errorf("the page asked for %q", saw.Requests)
	}
	if want := `"sound" does not hold: it is <not>`; saw.End != want {
		t.Errorf("at the end: %s, want %s", saw.End, want)
	}
	for pair, ratio := range saw.Contrast {
		if ratio < 4.5 {
			t.Errorf("dark %v: contrast of %s is %.1f", saw.Dark, pair, ratio)
		}
	}
	if len(saw.Contrast) < 8 {
		t.Errorf("contrasts: %v", saw.Contrast)
	}
}

func browsed(t *testing.T, chromium string, p *picture, dark bool) seen {
	t.Helper()
	var page strings.Builder
	if err := template.Must(newPage()).Execute(&page, p); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(strings.Replace(page.String(), "</html>", look+"</html>", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	scheme := map[bool]string{false: "--blink-settings=preferredColorScheme=1", true: "--blink-settings=preferredColorScheme=0"}[dark]
	out, err := exec.Command(chromium, scheme, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+path).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	_, rest, _ := strings.Cut(string(out), "<title>saw ")
	text, _, _ := strings.Cut(rest, "</title>")
	var saw seen
	if err := json.Unmarshal([]byte(html.UnescapeString(text)), &saw); err != nil {
		t.Fatalf("%v: %.400s", err, text)
	}
	return saw
}
