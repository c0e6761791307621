package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/verdict"
)

// table prints a row for each model and size, and a column for each number of clients: ours / Porcupine, right and wrong history.
func table(w io.Writer, b bench, all []figure) {
	fmt.Fprint(w, "| model | operations |")
	for _, c := range b.clients {
		fmt.Fprintf(w, " %d clients: right | wrong |", c)
	}
	fmt.Fprintf(w, "\n|---|---|%s\n", strings.Repeat("---|---|", len(b.clients)))
	last := ""
	for i, f := range all {
		if row := fmt.Sprintf("| %s | %s |", f.Model, thousands(f.Operations)); row != last {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprint(w, row)
			last = row
		}
		fmt.Fprintf(w, " %s / %s |", cell(f.Ours, f.OursMS), cell(f.Peer, f.PeerMS))
	}
	unknown := verdict.Unknown.String()
	var both, ours, peer, neither, slower int
	for _, f := range all {
		switch {
		case f.Ours != unknown && f.Peer != unknown:
			both++
			if f.Ratio > 1 {
				slower++
			}
		case f.Ours != unknown:
			ours++
		case f.Peer != unknown:
			peer++
		default:
			neither++
		}
	}
	fmt.Fprintf(w, "\n\n%d histories: both decided %d (ours slower in %d), ours alone %d, Porcupine alone %d, neither %d.\n", len(all), both, slower, ours, peer, neither)
}

func cell(v string, ms float64) string {
	switch {
	case v == verdict.Unknown.String():
		return "–"
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	}
	return thousands(int(ms + 0.5))
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
