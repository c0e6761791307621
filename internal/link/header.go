package link

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

const (
	maxHeaders   = 64   // kept of one request
	maxValue     = 256  // bytes kept of one header's value
	maxPath      = 1024 // bytes kept of a path
	redactedText = "[redacted]"
)

// header notes one header of the request. A value is kept short, and a secret not at all.
func (f *flight) header(is name, value string) {
	switch is.text {
	case "traceparent":
		f.x.Traceparent = clip(value, maxValue)
	case "idempotency-key":
		f.x.Idempotency = digest(value)
		value = redactedText
	case "grpc-timeout":
		f.x.Deadline = grpcTimeout(value)
	case "content-type":
		if strings.HasPrefix(value, "application/grpc") {
			f.x.Protocol = "grpc"
		}
	}
	f.keep(is, value)
}

func (f *flight) keep(is name, value string) {
	if is.secret {
		value = redactedText
	}
	if f.x.Header == nil {
		f.x.Header = map[string]string{}
	}
	before, again := f.x.Header[is.text]
	switch {
	case again:
		value = before + ", " + value
	case len(f.x.Header) >= maxHeaders || len(is.text) > maxValue:
		return
	}
	f.x.Header[is.text] = clip(value, maxValue)
}

// isSecret says whether the value of a header or of a query's parameter must not be kept.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"authorization", "cookie", "token", "secret", "password", "passwd", "api-key", "api_key", "apikey"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// setPath notes the request's target, without secrets in its query.
func (f *flight) setPath(target string) {
	path, query, has := strings.Cut(target, "?")
	if has {
		path += "?" + redactQuery(query)
	}
	f.x.Path = clip(path, maxPath)
}

func redactQuery(query string) string {
	params := strings.Split(clip(query, maxPath), "&")
	for i, param := range params {
		if name, _, has := strings.Cut(param, "="); has && isSecret(name) {
			params[i] = name + "=" + redactedText
		}
	}
	return strings.Join(params, "&")
}

func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// digest names a value without telling it.
func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:8])
}

// grpcTimeout reads a grpc-timeout such as "250m". What is malformed is 0, as if nothing was said.
func grpcTimeout(value string) time.Duration {
	units := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': 1}
	if len(value) < 2 || len(value) > 9 {
		return 0
	}
	unit, ok := units[value[len(value)-1]]
	n, whole := digits(value[:len(value)-1], 10)
	if !ok || !whole || time.Duration(n) > (1<<63-1)/unit {
		return 0
	}
	return time.Duration(n) * unit
}

// digits reads a number without sign or spaces, as protocols want it.
func digits(s string, base int) (int64, bool) {
	for i := range len(s) {
		if c := s[i]; c == '+' || c == '-' || c == '_' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, base, 64)
	return n, err == nil
}

var grpcCodes = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// grpcCode returns the name of a grpc-status.
func grpcCode(status string) string {
	if n, ok := digits(status, 10); ok && n < int64(len(grpcCodes)) {
		return grpcCodes[n]
	}
	return clip(status, 16)
}
