package fault

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sizes in bytes, for constructors: Throttle("api", "pricing", 100*KB).
const (
	B   int64 = 1
	KB  int64 = 1000
	MB        = 1000 * KB
	GB        = 1000 * MB
	KiB int64 = 1024
	MiB       = 1024 * KiB
	GiB       = 1024 * MiB
)

// maxSize bounds sizes and rates, far above any link, so that amounts cannot overflow.
const maxSize = 1_000_000 * GB

// A sizeUnit is a unit of sizes, by its name.
type sizeUnit struct {
	name  string
	bytes int64
}

// sizeUnits are in the order in which one is chosen to print: the largest of which a size is a whole number, decimal ones first.
func sizeUnits() []sizeUnit {
	return []sizeUnit{{"GB", GB}, {"MB", MB}, {"KB", KB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", B}}
}

// size writes n bytes exactly, in the largest unit that fits: 64KB, 64KiB, 100B.
func size(n int64) string {
	for _, u := range sizeUnits() {
		if n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// parseSize reads "64KB" or "1.5MiB", whole bytes only.
func parseSize(text string) (int64, bool) {
	end := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end <= 0 {
		return 0, false
	}
	i := slices.IndexFunc(sizeUnits(), func(u sizeUnit) bool { return u.name == text[end:] })
	if i < 0 {
		return 0, false
	}
	unit := sizeUnits()[i].bytes
	whole, fraction, dot := strings.Cut(text[:end], ".")
	if dot && (fraction == "" || len(fraction) > 9) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > maxSize/unit {
		return 0, false
	}
	bytes := n * unit
	if dot {
		part, err := strconv.ParseInt(fraction, 10, 64)
		tenths := int64(math.Pow10(len(fraction)))
		if err != nil || unit*part/unit != part || unit*part%tenths != 0 {
			return 0, false
		}
		bytes += unit * part / tenths
	}
	return bytes, bytes <= maxSize
}

// duration writes d as short as time.ParseDuration reads it: 1m and not 1m0s.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func parseDuration(text string) (time.Duration, bool) {
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

// plusMinus splits "200ms±50ms". What is easier to type, "200ms+-50ms", is the same.
func plusMinus(text string) (mean, spread string, has bool) {
	for _, sign := range []string{"±", "+-"} {
		if mean, spread, has = strings.Cut(text, sign); has {
			return strings.TrimSpace(mean), strings.TrimSpace(spread), true
		}
	}
	return text, "", false
}

// percent writes a share as "5%". It moves the point in the digits, since a multiplication by 100 could round.
func percent(share float64) string {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(share, 'f', -1, 64), ".")
	for len(fraction) < 2 {
		fraction += "0"
	}
	whole = strings.TrimLeft(whole+fraction[:2], "0")
	if whole == "" {
		whole = "0"
	}
	if fraction = fraction[2:]; fraction != "" {
		whole += "." + fraction
	}
	return whole + "%"
}

// share writes a probability as "0.3".
func share(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }

// parseShare reads "0.3" or "30%", above 0 and at most 1.
func parseShare(text string) (float64, bool) {
	number, isPercent := strings.CutSuffix(text, "%")
	number = strings.TrimSpace(number)
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return 0, false
	}
	if isPercent {
		number += "e-2"
	}
	p, err := strconv.ParseFloat(number, 64)
	return p, err == nil && p > 0 && p <= 1
}

// quoted writes a text as a Go string which Parse reads back, whatever bytes it has.
func quoted(text string) string {
	return strings.ReplaceAll(strconv.Quote(text), "\uFFFD", `\ufffd`) // Parse takes no broken characters, and this one looks as if it were
}

// word writes a text bare where it is a plain word, else quoted.
func word(text string) string {
	for i := range len(text) {
		if !isNameByte(text[i]) {
			return quoted(text)
		}
	}
	if text == "" {
		return quoted(text)
	}
	return text
}

// token says that text is a name of a header, as HTTP has them.
func token(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) < 0
}

// headerValue says that text can be the value of a header.
func headerValue(text string) bool {
	return text == strings.TrimSpace(text) && strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}

// headerText writes "name: value", or the name alone.
func headerText(name, value string) string {
	if value == "" {
		return name
	}
	return name + ": " + value
}

// splitHeader reads what headerText writes.
func splitHeader(text string) (name, value string, problem string) {
	name, value, has := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	switch {
	case !token(name):
		return "", "", fmt.Sprintf("%q is no name of a header", name)
	case has && value == "":
		return "", "", fmt.Sprintf("the header %s has no value", name)
	case !headerValue(value):
		return "", "", fmt.Sprintf("%q is no value of a header", value)
	}
	return name, value, ""
}
