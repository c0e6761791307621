package toxiproxy

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/link"
	"github.com/assay-dev/assay/system"
)

// labels are what one series is of.
type labels struct{ direction, listener, proxy, upstream string }

type amounts struct{ received, sent int64 }

// totals are the bytes of proxies as they were before they were closed or got another address.
type totals map[labels]amounts

// A meter remembers what the mesh had counted when the bytes of a proxy were last added to the totals.
type meter struct{ there, back amounts }

// series returns the two series of a proxy, and the bytes since the totals were last added to.
func (p *proxy) series(mesh *link.Mesh) (up, down labels, since meter) {
	up = labels{"upstream", p.listen, p.name, p.upstream}
	down = up
	down.direction = "downstream"
	there, back := amountsOf(mesh.Count(p.there())), amountsOf(mesh.Count(p.back()))
	return up, down, meter{there.minus(p.meter.there), back.minus(p.meter.back)}
}

func amountsOf(s system.LinkStats) amounts { return amounts{s.BytesIn, s.BytesOut} }

func (a amounts) minus(b amounts) amounts { return amounts{a.received - b.received, a.sent - b.sent} }
func (a amounts) plus(b amounts) amounts  { return amounts{a.received + b.received, a.sent + b.sent} }

// add takes the bytes of a proxy that was just closed, while it still has the address that they went through.
func (t totals) add(p *proxy, mesh *link.Mesh) {
	up, down, since := p.series(mesh)
	for series, bytes := range map[labels]amounts{up: since.there, down: since.back} {
		if bytes != (amounts{}) {
			t[series] = t[series].plus(bytes)
		}
	}
	p.meter.there, p.meter.back = p.meter.there.plus(since.there), p.meter.back.plus(since.back)
}

// bytes returns all series.
func (s *Set) bytes() totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := maps.Clone(s.totals)
	for _, p := range s.proxies {
		if p.front == nil {
			continue
		}
		up, down, since := p.series(s.mesh)
		for series, bytes := range map[labels]amounts{up: since.there, down: since.back} {
			if bytes != (amounts{}) {
				now[series] = now[series].plus(bytes)
			}
		}
	}
	return now
}

// write prints the series in Prometheus' text format.
func (t totals) write(w io.Writer) {
	order := slices.SortedFunc(maps.Keys(t), func(a, b labels) int {
		return cmp.Or(cmp.Compare(a.proxy, b.proxy), cmp.Compare(a.listener, b.listener), cmp.Compare(a.upstream, b.upstream), cmp.Compare(a.direction, b.direction))
	})
	t.writeOne(w, order, "toxiproxy_proxy_received_bytes_total", "Bytes that came in, by proxy and direction.", func(a amounts) int64 { return a.received })
	t.writeOne(w, order, "toxiproxy_proxy_sent_bytes_total", "Bytes that went out, by proxy and direction.", func(a amounts) int64 { return a.sent })
}

func (t totals) writeOne(w io.Writer, order []labels, name, help string, of func(amounts) int64) {
	if len(order) == 0 {
		return
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s counter\n", name, help, name)
	for _, l := range order {
		fmt.Fprintf(w, "%s{direction=\"%s\",listener=\"%s\",proxy=\"%s\",upstream=\"%s\"} %d\n",
			name, l.direction, escape(l.listener), escape(l.proxy), escape(l.upstream), of(t[l]))
	}
}

func escape(value string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value)
}
