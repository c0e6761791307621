package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// pages are reports of every kind, by name, as files.
func pages(t *testing.T) map[string]string {
	t.Helper()
	passing, cut, hostile := failing(), failing(), failing()
	passing.verdict, passing.failing = verdict.Pass, 0
	cut.cut = true
	hostile.journey = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>` + strings.Repeat("x", 300)
	hostile.error = "</code></style><svg onload=window.hacked=1>\u202e" + strings.Repeat("W", 10000)
	dir, files := t.TempDir(), map[string]string{}
	for name, s := range map[string]shape{"failing": failing(), "passing": passing, "cut": cut, "hostile": hostile} {
		files[name] = filepath.Join(dir, name+".html")
		check0(t, os.WriteFile(files[name], []byte(page(t, build(t, s.make(t)))), 0o644))
	}
	return files
}

// On a telephone, a screen and a wall, in light and dark, nothing sticks out, nothing complains, nothing is fetched,
// every letter can be told from its ground, and no name of the records ran as a script.
func TestInBrowser(t *testing.T) {
	b := openBrowser(t)
	for name, path := range pages(t) {
		for _, width := range []int{360, 1280, 3840} {
			for _, scheme := range []string{"light", "dark"} {
				b.show(path, width, scheme)
				if closed := eval[int](b, `document.querySelectorAll('details:not([open])').length`); closed == 0 && name != "failing" {
					t.Errorf("%s: nothing is folded", name)
				}
				look(t, b, name, width, scheme)
			}
		}
	}
}

// look checks the page that is shown.
func look(t *testing.T, b *browser, name string, width int, scheme string) {
	t.Helper()
	eval[int](b, `document.querySelectorAll('details').forEach(function (e) { e.open = true; }), 0`)
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > width {
		t.Errorf("%s at %d, %s: it is %d wide: %s", name, width, scheme, wide, eval[string](b, widest))
	}
	for _, e := range b.of("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening") {
		t.Errorf("%s: %s", name, e)
	}
	if requests := b.of("Network.requestWillBeSent"); len(requests) != 1 {
		t.Errorf("%s: %d requests: %s", name, len(requests), requests)
	}
	if eval[bool](b, `'hacked' in window || document.images.length > 0`) {
		t.Errorf("%s: a name of the records acts", name)
	}
	if pale := eval[[]string](b, contrast); len(pale) > 0 {
		t.Errorf("%s at %d, %s: %d texts are too pale: %s", name, width, scheme, len(pale), pale[:min(len(pale), 5)])
	}
}

// The page of a matrix looks as the report does: on a telephone and a screen, in light and dark, with names that would act.
func TestMatrixInBrowser(t *testing.T) {
	b := openBrowser(t)
	evil := failing()
	evil.journey = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>` + strings.Repeat("x", 300)
	for name, s := range map[string]shape{"matrix": failing(), "hostile matrix": evil} {
		m := build(t, s.make(t)).Matrix
		m.Refused = append(m.Refused, matrix.Refusal{Run: "20261122-171510.180011-106904", Reason: "it was changed: " + evil.journey})
		m.Rows[0].Cells[1].Removed = true
		var text strings.Builder
		check0(t, MatrixHTML(&text, m))
		path := filepath.Join(t.TempDir(), "matrix.html")
		check0(t, os.WriteFile(path, []byte(text.String()), 0o644))
		for _, width := range []int{360, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				b.show(path, width, scheme)
				look(t, b, name, width, scheme)
				words := eval[string](b, `document.querySelector('main').innerText`)
				for _, want := range []string{"FAIL", "unproven", "REMOVED", "Not proved", "Runs that do not count"} {
					if !strings.Contains(words, want) {
						t.Errorf("%s at %d has no %q:\n%s", name, width, want, words)
					}
				}
			}
		}
	}
}

// What TestInBrowser looks for is found where it is planted.
func TestPlantedInBrowser(t *testing.T) {
	b := openBrowser(t)
	path := pages(t)["hostile"]
	b.show(path, 360, "light")
	eval[int](b, `document.querySelector('h1').style.width = '5000px', document.querySelector('p.word').style.color = '#bbb', 0`)
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide <= 360 || !strings.Contains(eval[string](b, widest), "H1") {
		t.Errorf("what sticks out is not found: %d", wide)
	}
	if pale := eval[[]string](b, contrast); len(pale) == 0 {
		t.Error("a pale text is not found")
	}
	// Even markup that got into the page could neither run nor fetch: its policy forbids both.
	eval[int](b, `document.body.insertAdjacentHTML('beforeend', '<img src="http://127.0.0.1:9/x.png" onerror="window.hacked = 1"><b onclick="window.hacked = 1">x</b>'), document.body.lastChild.click(), 0`)
	eval[int](b, `new Promise(function (r) { var s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s); setTimeout(r, 0, 0); })`)
	if eval[bool](b, `'hacked' in window`) {
		t.Error("markup that was planted ran as a script")
	}
	if got := strings.Join(b.of("Log.entryAdded"), " "); !strings.Contains(got, "Content Security Policy") {
		t.Errorf("the policy says nothing: %s", got)
	}
}

// widest names the elements that stick out.
const widest = `Array.from(document.querySelectorAll('body *')).filter(function (e) { return e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll') && !e.closest('svg'); })
	.slice(0, 5).map(function (e) { return e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right); }).join(', ')`

// contrast lists texts whose colour is less than 4.5 to 1 from what lies behind them (WCAG AA).
const contrast = `(function () {
	var parse = function (c) { return (c.match(/[0-9.]+/g) || [0, 0, 0, 0]).map(Number); };
	var light = function (c) { var l = c.slice(0, 3).map(function (v) { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
	var behind = function (e) { for (; e; e = e.parentElement) { var c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) { return c; } } return [255, 255, 255]; };
	var walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), bad = [];
	while (walk.nextNode()) {
		var e = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest('script,style,title')) { continue; }
		var style = getComputedStyle(e), a = light(parse(e.closest('svg') ? style.fill : style.color)), b = light(behind(e));
		var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) { bad.push(ratio.toFixed(2) + ' ' + e.tagName + '.' + e.getAttribute('class') + ' ' + walk.currentNode.data.trim().slice(0, 30)); }
	}
	return bad;
})()`

// All that can be used can be reached and seen with the keyboard alone.
func TestKeyboard(t *testing.T) {
	b := openBrowser(t)
	path := pages(t)["failing"]
	b.show(path, 1280, "light")
	want := eval[int](b, `window.all = Array.from(document.querySelectorAll('a[href], button, summary, [tabindex="0"]')).filter(function (e) { return e.checkVisibility() && !e.hidden; }), window.all.length`)
	if want < 20 {
		t.Fatalf("only %d things can be used", want)
	}
	eval[int](b, `window.seen = new Set(), window.bare = [], 0`)
	for range want + 3 {
		b.press("Tab", 9)
		eval[int](b, `(function () { var e = document.activeElement; seen.add(e); if (getComputedStyle(e).outlineStyle === 'none' && e !== document.body) { bare.push(e.tagName + ' ' + e.textContent.slice(0, 40)); } return 0; })()`)
	}
	if missed := eval[[]string](b, `all.filter(function (e) { return !seen.has(e); }).map(function (e) { return e.tagName + ' ' + e.textContent.slice(0, 40); })`); len(missed) > 0 {
		t.Errorf("Tab does not reach %q", missed)
	}
	if bare := eval[[]string](b, `bare`); len(bare) > 0 {
		t.Errorf("the focus cannot be seen on %q", bare)
	}

	b.show(path, 1280, "light")
	b.press("Tab", 9)
	if got := eval[string](b, `document.activeElement.textContent`); got != "Skip to the verdict" {
		t.Errorf("the first Tab is on %q", got)
	}
	b.press("j", 74)
	if got := eval[string](b, `document.activeElement.closest('.item').id`); got != "x1" {
		t.Errorf("j goes to %q", got)
	}
	b.press("j", 74)
	if got := eval[string](b, `document.activeElement.closest('.item').className`); !strings.Contains(got, "op item") {
		t.Errorf("a second j goes to %q", got)
	}
	b.press("k", 75)
	b.press("o", 79)
	if eval[bool](b, `document.getElementById('x1').open`) {
		t.Error("o does not close an experiment")
	}
	b.press("f", 70)
	if !eval[bool](b, `document.querySelector('.op:target').open && document.getElementById('x1').open`) {
		t.Error("f does not open the first failure")
	}
	eval[int](b, `document.querySelector('.axis').focus(), 0`)
	for range 10 {
		b.press("ArrowRight", 39)
	}
	if got := eval[string](b, `document.querySelector('.readout').textContent`); !strings.Contains(got, "checkout: ") || !strings.Contains(got, "p95") {
		t.Errorf("the cursor says %q", got)
	}
	ground := `getComputedStyle(document.body).backgroundColor`
	before := eval[string](b, ground)
	eval[int](b, `document.getElementById('theme').click(), 0`)
	if after := eval[string](b, ground); after == before {
		t.Errorf("the other colours are the same: %s", after)
	}
}

// Without scripts all of it can be read, and nothing offers what does not work.
func TestWithoutScripts(t *testing.T) {
	b := openBrowser(t)
	path := pages(t)["failing"]
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	b.show(path, 1280, "light")
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": false})
	for _, want := range []string{"checkout does not hold under refuse(orders -> payments)", "missed by", "Commonest errors", "attempt 1"} {
		if !eval[bool](b, `document.body.innerText.includes(`+"`"+want+"`"+`)`) {
			t.Errorf("without scripts %q cannot be read", want)
		}
	}
	if n := eval[int](b, `Array.from(document.querySelectorAll('.js, #theme')).filter(function (e) { return e.checkVisibility(); }).length`); n > 0 {
		t.Errorf("%d things are offered that need a script", n)
	}
	if eval[int](b, `document.querySelectorAll('svg.chart').length`) < 6 {
		t.Error("the charts are not there")
	}
	charts := eval[[]string](b, `Array.from(document.querySelectorAll('svg[role=img]')).filter(function (e) { return !e.getAttribute('aria-label'); }).map(function (e) { return e.outerHTML.slice(0, 80); })`)
	if len(charts) > 0 {
		t.Errorf("charts without words: %q", charts)
	}
}

// Ten minutes at 500 journeys a second are a file below 5 MB that is there within a second.
func TestOpensAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 270 MB of records")
	}
	s := failing()
	s.rate, s.length, s.exchange = longRate, 10*time.Minute, 0
	run := s.make(t)
	begin := time.Now()
	text := page(t, build(t, run))
	t.Logf("built and written in %v: %d kB", time.Since(begin).Round(time.Millisecond), len(text)>>10)
	if len(text) > 5<<20 {
		t.Errorf("the file has %d bytes", len(text))
	}
	path := filepath.Join(t.TempDir(), "long.html")
	check0(t, os.WriteFile(path, []byte(text), 0o644))
	b := openBrowser(t)
	best := 1e9
	for range 5 { // the fastest: what else the machine does is not the page's
		b.show(path, 1280, "light")
		load := eval[float64](b, `new Promise(function (r) { setTimeout(function () { r(performance.getEntriesByType('navigation')[0].loadEventEnd); }); })`)
		paint := eval[float64](b, `new Promise(function (done) {
			var look = function (n) { var p = performance.getEntriesByName('first-contentful-paint')[0]; if (p || n > 100) { done(p ? p.startTime : -1); } else { requestAnimationFrame(function () { look(n + 1); }); } };
			look(0);
		})`)
		if paint > 0 {
			best = min(best, max(load, paint))
		}
		t.Logf("loaded after %.0f ms, first paint after %.0f ms", load, paint)
	}
	if best > 1000 {
		t.Errorf("it opens in %.0f ms", best)
	}
}
