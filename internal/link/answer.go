package link

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/assay-dev/assay/system"
)

// faultHeader is in each response that a rule made, and says which one.
const faultHeader = "x-assay-fault"

// httpOfCode are the HTTP statuses that gRPC's codes stand for, in the order of grpcCodes.
var httpOfCode = [...]int{200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401}

// codeNumber returns the number of a gRPC status name.
func codeNumber(name string) (int, bool) {
	n := slices.Index(grpcCodes[:], strings.ToUpper(name))
	return n, n >= 0
}

// statusOf returns the HTTP status that an abort answers with.
func statusOf(r *ruling) int {
	if r.Status != 0 {
		return r.Status
	}
	n, _ := codeNumber(r.Code)
	return httpOfCode[max(n, 0)]
}

// plain returns a text that can stand in a header.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, strings.ReplaceAll(text, "±", "+-"))
}

// answer1 is what an aborted request is answered with over HTTP/1.1.
func answer1(r *ruling, last bool) []byte {
	var b bytes.Buffer
	status := statusOf(r)
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n")
	if status != 204 && status != 304 {
		b.WriteString("Content-Length: 0\r\n")
	}
	if last {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("X-Assay-Fault: " + plain(r.Text) + "\r\n\r\n")
	return b.Bytes()
}

// answer2 is what an aborted request is answered with over HTTP/2: one header block that ends the stream.
func answer2(r *ruling, grpc bool) []hpack.HeaderField {
	if n, ok := codeNumber(r.Code); ok && grpc {
		return []hpack.HeaderField{
			{Name: ":status", Value: "200"}, {Name: "content-type", Value: "application/grpc"},
			{Name: "grpc-status", Value: strconv.Itoa(n)}, {Name: "grpc-message", Value: grpcMessage("answered by the fault " + r.Text)},
			{Name: faultHeader, Value: plain(r.Text)},
		}
	}
	status := strconv.Itoa(statusOf(r))
	fields := []hpack.HeaderField{{Name: ":status", Value: status}}
	if status != "204" && status != "304" {
		fields = append(fields, hpack.HeaderField{Name: "content-length", Value: "0"})
	}
	return append(fields, hpack.HeaderField{Name: faultHeader, Value: plain(r.Text)})
}

// grpcMessage writes a text as grpc-message has it: what is not printable ASCII is percent-encoded.
func grpcMessage(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '%' {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// edits are the changes to a response's header, in order.
func (p *plan) edits() []system.Rule {
	var all []system.Rule
	for _, r := range p.headers {
		all = append(all, r.Rule)
	}
	return all
}

// edited2 returns the fields of a response's header as the rules want them. Of a trailer only what is there is changed.
func edited2(fields []hpack.HeaderField, edits []system.Rule, trailer bool) []hpack.HeaderField {
	for _, e := range edits {
		name := strings.ToLower(e.Name)
		is := func(f hpack.HeaderField) bool { return f.Name == name }
		had := slices.ContainsFunc(fields, is)
		fields = slices.DeleteFunc(slices.Clone(fields), is)
		if e.Value != "" && (had || !trailer) {
			fields = append(fields, hpack.HeaderField{Name: name, Value: e.Value})
		}
	}
	return fields
}

// edited1 returns the head of a response as the rules want it. What they do not name stays byte for byte.
func edited1(head []byte, edits []system.Rule) []byte {
	lines := strings.SplitAfter(string(head), "\n")
	end := len(lines) - 1
	for end > 0 && strings.TrimRight(lines[end], "\r\n") == "" {
		end--
	}
	kept, tail := slices.Clone(lines[:end+1]), lines[end+1:]
	for _, e := range edits {
		kept = slices.DeleteFunc(kept, func(line string) bool {
			name, _, has := strings.Cut(line, ":")
			return has && strings.EqualFold(name, e.Name)
		})
		if e.Value != "" {
			kept = append(kept, e.Name+": "+e.Value+"\r\n")
		}
	}
	return []byte(strings.Join(kept, "") + strings.Join(tail, ""))
}

// ofBody are the changes that a response's header needs when its body is replaced.
func ofBody(value string) []system.Rule {
	none := func(name string) system.Rule { return system.Rule{Name: name} }
	return []system.Rule{none("Transfer-Encoding"), none("Content-Encoding"), none("Trailer"), none("Content-MD5"), none("Digest"),
		none("Content-Digest"), none("Repr-Digest"), {Name: "Content-Length", Value: strconv.Itoa(len(value))}}
}
