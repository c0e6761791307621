package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/assay-dev/assay/verdict"
)

//go:embed page/report.html
var pageHTML string

//go:embed page/matrix.html
var matrixHTML string

//go:embed page/report.css
var pageCSS string

//go:embed page/report.js
var pageJS string

// HTML writes the report as one file that opens without a network. Its policy lets run the one script that is in
// it, by its digest, and lets nothing be fetched.
func (r *Report) HTML(w io.Writer) error {
	page, err := parsePage()
	if err != nil {
		return err
	}
	return page.ExecuteTemplate(w, "report", newView(scrubbed(r)))
}

// parsePage parses the report and the matrix, which share their parts.
func parsePage() (*template.Template, error) {
	page, err := template.New("report").Funcs(pageFuncs()).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	_, err = page.New("matrix alone").Parse(matrixHTML)
	return page, err
}

func pageFuncs() template.FuncMap {
	return template.FuncMap{
		"upper":      func(v verdict.Verdict) string { return strings.ToUpper(v.String()) },
		"upperFirst": upperFirst,
		"at":         at,
		"brief":      func(s string) string { return brief(s, 300) },
		"plural":     plural[int],
		"sub":        func(a, b int) int { return a - b },
		"join":       func(list []string) string { return strings.Join(list, ", ") },
	}
}

func upperFirst(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[n:]
}

// policy allows the page's own style and script, by what is in them, and nothing else.
func policy() string {
	digest := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + digest(pageCSS) + "; script-src " + digest(pageJS) + "; base-uri 'none'; form-action 'none'"
}

// view is what the page is filled with.
type view struct {
	R         *Report
	Name      string // of what was run
	Reason    string
	Calm      string // the first words of a run without a headline
	Headlines []headlineView
	Next      []Step
	Cells     cellsView
	X         []*experimentView
	Facts     []fact
	Policy    string
	Style     template.CSS
	Script    template.JS
}

type fact struct{ Name, Value string }

type headlineView struct {
	Headline
	Index    int
	Sentence string
}

func newView(r *Report) view {
	v := view{R: r, Name: cmp.Or(r.System, r.results()), Calm: r.calm(), Facts: r.facts(), Cells: cellsView{r.Matrix, rows(r.Matrix, r.ID)}, Policy: policy(), Style: template.CSS(pageCSS), Script: template.JS(pageJS)}
	if r.Standing() == "" {
		v.Reason = r.Reason
	}
	index := map[string]int{}
	for i := range r.Experiments {
		x := newExperimentView(r, i+1)
		v.X = append(v.X, x)
		if !x.Control {
			index[x.Name] = i + 1
		}
	}
	for _, h := range r.Headlines {
		v.Headlines = append(v.Headlines, headlineView{h, index[h.Experiment], h.sentence()})
	}
	v.Next = r.Next()
	for i := range v.Next {
		if n, ok := index[v.Next[i].experiment]; ok && v.Next[i].first != 0 {
			v.Next[i].Link = operationLink(n, v.Next[i].first)
		}
	}
	return v
}

// calm is what a run without a headline comes to.
func (r *Report) calm() string {
	switch {
	case r.Verdict == verdict.Pass:
		return "Everything that was asked held"
	case !r.Whole():
		return "Nothing is proved by this run"
	case len(r.Experiments) == 0:
		return "No experiment left anything to judge"
	}
	return "The run as a whole is not proved"
}
