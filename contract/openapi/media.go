package openapi

import (
	"strings"
)

// plainMedia writes media types that mean the same in one way: names have no case, and JSON is always in UTF-8.
func plainMedia(media string) string {
	name, parameters, _ := strings.Cut(strings.ToLower(media), ";")
	plain := strings.TrimSpace(name)
	for one := range strings.SplitSeq(parameters, ";") {
		if one = strings.ReplaceAll(one, " ", ""); one != "" && one != "charset=utf-8" && one != `charset="utf-8"` {
			plain += ";" + one
		}
	}
	return plain
}

// mediaRanges returns what covers a media type, the nearest first: its type with any subtype, and all.
func mediaRanges(media string) []string {
	major, minor, _ := strings.Cut(media, "/")
	bare, parameters, _ := strings.Cut(minor, ";")
	var all []string
	if parameters != "" {
		all = append(all, major+"/"+bare)
	}
	if bare != "*" {
		all = append(all, major+"/*")
	}
	if major != "*" {
		all = append(all, "*/*")
	}
	return all
}

// unsaid is the schema of a body that has none: anything, or of what is surely no structure, text.
func unsaid(media string, n *node) *node {
	made := anything(n)
	major, minor, _ := strings.Cut(plainMedia(media), "/")
	switch {
	case major == "multipart" || major == "*" || strings.ContainsAny(minor, "*+"):
	case major == "application" && (minor == "json" || minor == "xml" || minor == "x-www-form-urlencoded"), major == "text" && minor == "xml":
	default:
		made.keys, made.kids = []string{"type"}, []*node{{at: n.at, text: `"string"`}}
		if major != "text" {
			made.keys, made.kids = append(made.keys, "format"), append(made.kids, &node{at: n.at, text: `"binary"`})
		}
	}
	return made
}

// fallbackStatuses returns what speaks of a status that a version does not name, the nearest first.
func fallbackStatuses(status string) []string {
	var all []string
	if len(status) == 3 && status[1:] != "XX" {
		all = append(all, status[:1]+"XX")
	}
	if status != "default" {
		all = append(all, "default")
	}
	return all
}
