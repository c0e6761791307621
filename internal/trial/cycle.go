package trial

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"github.com/assay-dev/assay/internal/table"
)

const (
	boxWide, boxHigh = 220.0, 46.0
	mostInCycle      = 24 // more are listed and not drawn
)

// cycle draws the transactions of a cycle in a circle, with an arrow for each reason.
func (r *Report) cycle() template.HTML {
	if len(r.Edges) == 0 || len(r.Witness) > mostInCycle {
		return ""
	}
	n := len(r.Witness)
	round := 70 + 80*math.Max(2, float64(n))
	wide := 560.0
	if n > 6 {
		wide = 720
	}
	centre := func(i int) (x, y float64) {
		if n == 2 { // one above the other, so that both arrows have room
			return wide / 2, boxHigh/2 + 4 + float64(i)*170
		}
		turn := 2*math.Pi*float64(i)/float64(n) - math.Pi/2
		return wide/2 + (wide/2-boxWide/2-4)*math.Cos(turn), boxHigh/2 + 4 + (round/2)*(1+math.Sin(turn))
	}
	high := 0.0
	for i := range n {
		_, y := centre(i)
		high = math.Max(high, y+boxHigh/2+4)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %.0f %.0f" role="group" aria-label="a cycle of %d transactions">`, wide, high, n)
	for _, e := range r.Edges {
		fx, fy := centre(e.From)
		tx, ty := centre(e.To)
		arrow(&b, fx, fy, tx, ty, e.Kind, n == 2)
	}
	for i, w := range r.Witness {
		x, y := centre(i)
		fmt.Fprintf(&b, `<g data-op="%d" tabindex="0" role="link"><title>%s</title><rect class="box" rx="6" x="%.1f" y="%.1f" width="%.0f" height="%.0f"/>`, w.place, html.EscapeString(Tell(&w.Op)), x-boxWide/2, y-boxHigh/2, boxWide, boxHigh)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle" font-weight="700">%s, client %s, lines %s</text>`, x, y-5, w.Name, html.EscapeString(table.Shorten(w.Op.Client, 12)), span(w.Line, w.End))
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text></g>`, x, y+14, html.EscapeString(table.Shorten(Tell(&w.Op), 31)))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // all texts in it are escaped above
}

// arrow draws one from box to box, bent where two would lie upon each other, with its kind in the middle.
func arrow(b *strings.Builder, fx, fy, tx, ty float64, kind string, bent bool) {
	mx, my := (fx+tx)/2, (fy+ty)/2
	length := math.Hypot(tx-fx, ty-fy)
	if bent && length > 0 {
		mx, my = mx-(ty-fy)/length*170, my+(tx-fx)/length*170
	}
	sx, sy := edge(fx, fy, mx, my)
	ex, ey := edge(tx, ty, mx, my)
	fmt.Fprintf(b, `<g class="%s"><path class="arrow" d="M%.1f %.1fQ%.1f %.1f %.1f %.1f"/>`, kind, sx, sy, mx, my, ex, ey)
	dx, dy := ex-mx, ey-my
	if l := math.Hypot(dx, dy); l > 0 {
		dx, dy = dx/l, dy/l
	}
	fmt.Fprintf(b, `<path class="head" d="M%.1f %.1fL%.1f %.1fL%.1f %.1fZ"/>`, ex, ey, ex-12*dx-6*dy, ey-12*dy+6*dx, ex-12*dx+6*dy, ey-12*dy-6*dx)
	lx, ly := (sx+2*mx+ex)/4, (sy+2*my+ey)/4
	fmt.Fprintf(b, `<text class="label" text-anchor="middle" x="%.1f" y="%.1f">%s</text></g>`, lx, ly+4, html.EscapeString(kind))
}

// edge is where the line from the middle of a box towards a point leaves the box.
func edge(x, y, toX, toY float64) (float64, float64) {
	dx, dy := toX-x, toY-y
	if dx == 0 && dy == 0 {
		return x, y
	}
	scale := math.Min((boxWide/2+4)/math.Max(math.Abs(dx), 1e-9), (boxHigh/2+4)/math.Max(math.Abs(dy), 1e-9))
	return x + dx*math.Min(scale, 1), y + dy*math.Min(scale, 1)
}
