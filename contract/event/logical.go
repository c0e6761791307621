package event

import (
	"fmt"
	"math/big"
	"time"
)

// meaning says what a raw value is to somebody who knows the logical type.
func meaning(s *schema, raw any) string {
	n, isInt := raw.(int64)
	b, isBytes := raw.([]byte)
	switch {
	case isInt:
		if text := moment(s.logical, n); text != "" {
			return text
		}
	case isBytes && s.logical == "decimal":
		return decimal(b, s.scale)
	case isBytes:
		return fmt.Sprintf("the bytes %x", b)
	}
	if s.logical == "" {
		return fmt.Sprintf("%v, a %s", raw, s.kind)
	}
	return fmt.Sprintf("%v, a %s", raw, s.logical)
}

func moment(logical string, n int64) string {
	const local = "2006-01-02T15:04:05.999999999"
	switch logical {
	case "date":
		return time.Unix(0, 0).UTC().AddDate(0, 0, int(n)).Format("2006-01-02")
	case "time-millis":
		return "the time of day " + (time.Duration(n) * time.Millisecond).String()
	case "time-micros":
		return "the time of day " + (time.Duration(n) * time.Microsecond).String()
	case "timestamp-millis":
		return time.UnixMilli(n).UTC().Format(time.RFC3339Nano)
	case "timestamp-micros":
		return time.UnixMicro(n).UTC().Format(time.RFC3339Nano)
	case "timestamp-nanos":
		return time.Unix(0, n).UTC().Format(time.RFC3339Nano)
	case "local-timestamp-millis":
		return time.UnixMilli(n).UTC().Format(local) + " in any zone"
	case "local-timestamp-micros":
		return time.UnixMicro(n).UTC().Format(local) + " in any zone"
	case "local-timestamp-nanos":
		return time.Unix(0, n).UTC().Format(local) + " in any zone"
	}
	return ""
}

// decimal returns the number that two's-complement bytes stand for at a scale.
func decimal(b []byte, scale int) string {
	unscaled := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if scale > 1000 {
		return fmt.Sprintf("%s·10^-%d", unscaled, scale)
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	return new(big.Rat).SetFrac(unscaled, power).FloatString(scale)
}

// known are the logical types of the specification. Others are ignored by readers that do not know them.
func known(logical string) bool {
	switch logical {
	case "decimal", "uuid", "date", "time-millis", "time-micros", "timestamp-millis", "timestamp-micros", "timestamp-nanos",
		"local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos", "duration":
		return true
	}
	return false
}

// describe names a schema for people.
func describe(s *schema) string {
	switch {
	case s.logical == "decimal":
		return fmt.Sprintf("%s decimal(%d,%d)", s.kind, s.precision, s.scale)
	case s.logical != "":
		return s.kind + " " + s.logical
	case s.kind == "union":
		text := "["
		for i, b := range s.branches {
			if i > 0 {
				text += ", "
			}
			text += describe(b)
		}
		return text + "]"
	case s.kind == "fixed":
		return fmt.Sprintf("fixed %s of %d bytes", s.name, s.size)
	case s.name != "":
		return s.kind + " " + s.name
	}
	return s.kind
}
