package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/expr"
)

// An httpCall is a compiled "call".
type httpCall struct {
	method  string
	url     *expr.Template
	headers []header
	json    *filler
	body    *expr.Template
}

type header struct {
	name  string
	value *expr.Template
}

func methods() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
}

func (c *compiler) httpCall(s Step, names []string) caller {
	method, address, found := strings.Cut(s.Call, " ")
	address = strings.TrimSpace(address)
	if !found || !slices.Contains(methods(), method) {
		c.fail("call", "%q does not start with a method%s (such as \"GET http://api:8080/\")", s.Call, hint(method, methods()))
	} else if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "{{") {
		c.fail("call", "%q is no URL with http:// or https://", address)
	}
	call := &httpCall{method: method, url: c.template("call", address, names), headers: c.headers(s.Headers, names)}
	if s.JSON != nil {
		f := c.filler("json", s.JSON, names)
		call.json = &f
	}
	if s.Body != "" {
		call.body = c.template("body", s.Body, names)
	}
	return call
}

func hint(word string, among []string) string {
	if near := expr.Suggest(word, among); near != "" {
		return fmt.Sprintf(": did you mean %q?", near)
	}
	return ""
}

func (c *compiler) headers(headers map[string]string, names []string) []header {
	var compiled []header
	for name, text := range headers {
		compiled = append(compiled, header{name, c.template("headers."+name, text, names)})
	}
	slices.SortFunc(compiled, func(a, b header) int { return strings.Compare(a.name, b.name) })
	return compiled
}

func fillHeaders(ctx context.Context, headers []header, vars map[string]any) ([][2]string, error) {
	filled := make([][2]string, len(headers))
	for i, h := range headers {
		text, err := h.value.RenderString(ctx, vars)
		if err != nil {
			return nil, fmt.Errorf("headers.%s: %w", h.name, err)
		}
		filled[i] = [2]string{h.name, text}
	}
	return filled, nil
}

// An httpRequest is an httpCall with its templates filled in.
type httpRequest struct {
	method string
	url    *url.URL
	header http.Header
	host   string
	body   []byte
}

func (h *httpCall) prepare(ctx context.Context, r *Run) (request, error) {
	text, err := h.url.RenderString(ctx, r.vars)
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	req := &httpRequest{method: h.method, header: http.Header{}}
	if req.url, err = url.Parse(text); err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	if req.url.Scheme != "http" && req.url.Scheme != "https" || req.url.Hostname() == "" {
		return nil, fmt.Errorf("call: %q is no URL with http:// or https:// and a host", text)
	}
	req.header["User-Agent"] = []string{"assay"}
	switch {
	case h.json != nil:
		value, err := h.json.fill(ctx, r.vars)
		if err != nil {
			return nil, fmt.Errorf("json: %w", err)
		}
		if req.body, err = json.Marshal(value); err != nil {
			return nil, fmt.Errorf("json: %w", err)
		}
		req.header.Set("Content-Type", "application/json")
	case h.body != nil:
		text, err := h.body.RenderString(ctx, r.vars)
		if err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		req.body = []byte(text)
	}
	return req, req.setHeaders(ctx, h.headers, r.vars)
}

func (q *httpRequest) setHeaders(ctx context.Context, headers []header, vars map[string]any) error {
	filled, err := fillHeaders(ctx, headers, vars)
	for _, h := range filled {
		q.header.Set(h[0], h[1])
	}
	q.host = q.header.Get("Host")
	q.header.Del("Host")
	return err
}

// build returns the request for one try.
func (q *httpRequest) build(r *Run) *http.Request {
	req := &http.Request{Method: q.method, URL: q.url, Host: q.host, Header: q.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Close: r.driver.opts.NoKeepAlive}
	req.Header["traceparent"] = []string{r.traceparent()}
	if q.body != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(q.body)), int64(len(q.body))
	}
	return req
}

func (q *httpRequest) send(ctx context.Context, r *Run) answer {
	conn, err := r.lane.wire(ctx, q.url)
	if err != nil {
		return noAnswer(because(ctx, err), true)
	}
	resp, body, err := r.lane.roundTrip(ctx, conn, q.build(r), r.driver.opts.MaxBody)
	var timeout timeoutError
	switch {
	case err == nil:
	case resp == nil:
		return noAnswer(because(ctx, err), false)
	case errors.As(because(ctx, err), &timeout):
		return noAnswer(fmt.Errorf("the reply did not end within %v (status %d came, and %d bytes)", timeout.after, resp.StatusCode, len(body)), false)
	default:
		return noAnswer(fmt.Errorf("reply with status %d: %w", resp.StatusCode, because(ctx, err)), false)
	}
	return answer{values: map[string]any{
		"status": int64(resp.StatusCode), "headers": headerValues(resp.Header), "body": decode(resp.Header.Get("Content-Type"), body),
	}}
}

// readCapped reads to the end. More than limit bytes are an error, or cut where that is not fatal.
func readCapped(from io.Reader, limit int64, fatal bool) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && int64(len(body)) > limit {
		body = body[:limit]
		if fatal {
			err = fmt.Errorf("is larger than %d bytes", limit)
		}
	}
	return body, err
}

// headerValues returns headers by their names in lower case.
func headerValues(h http.Header) map[string]any {
	values := make(map[string]any, len(h))
	for name, list := range h {
		values[strings.ToLower(name)] = strings.Join(list, ", ")
	}
	return values
}

// decode returns a JSON body as its value, and any other as text. A body that
// does not say what it is counts as JSON when it is an object or a list.
func decode(contentType string, body []byte) any {
	trimmed := bytes.TrimSpace(body)
	if !strings.Contains(contentType, "json") && (len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[') {
		return string(body)
	}
	dec := json.NewDecoder(bytes.NewReader(trimmed))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil || dec.More() {
		return string(body)
	}
	return numbers(value)
}

// numbers turns JSON's numbers into int64 where they are integers, else float64.
func numbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if i, err := value.Int64(); err == nil {
			return i
		}
		f, err := value.Float64()
		if err != nil {
			return math.Inf(1)
		}
		return f
	case []any:
		for i := range value {
			value[i] = numbers(value[i])
		}
	case map[string]any:
		for name := range value {
			value[name] = numbers(value[name])
		}
	}
	return value
}
