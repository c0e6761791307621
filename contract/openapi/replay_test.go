package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/assay-dev/assay/contract"
)

// spec reads a version for the validator that replays witnesses, which is not ours.
func spec(t testing.TB, text string) *openapi3.T {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// replay sends the witness of a finding to both versions: the one that allows it must accept it, and the other refuse it.
func replay(t testing.TB, old, new *openapi3.T, f contract.Finding) error {
	t.Helper()
	versions := map[string]*openapi3.T{"old": old, "new": new}
	if err := send(versions[f.Witness.Allowed], f); err != nil {
		return fmt.Errorf("%s should allow it: %w", f.Witness.Allowed, err)
	}
	if err := send(versions[f.Witness.Refused], f); err == nil {
		return fmt.Errorf("%s should refuse it, and does not", f.Witness.Refused)
	}
	return nil
}

func send(doc *openapi3.T, f contract.Finding) error {
	method, path, _ := strings.Cut(f.Subject, " ")
	item := itemOf(doc, path)
	if item == nil || item.GetOperation(method) == nil {
		return fmt.Errorf("no %s", f.Subject)
	}
	op := item.GetOperation(method)
	w := f.Witness
	in, name, _ := strings.Cut(w.At, " ")
	input := &openapi3filter.RequestValidationInput{
		Request: httptest.NewRequest(method, "/", nil), PathParams: map[string]string{}, QueryParams: url.Values{},
		Route:   &routers.Route{Spec: doc, PathItem: item, Method: method, Operation: op},
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	switch {
	case in == "security":
		return enter(input, name)
	case w.What == "response":
		return respond(input, f)
	case w.At == "" && w.Encoding == "text":
		return nil // an operation: it is there
	case w.At == "body":
		input.Request = httptest.NewRequest(method, "/", nil)
		return openapi3filter.ValidateRequestBody(context.Background(), input, op.RequestBody.Value)
	case w.At == "" || strings.HasPrefix(name, "Content-Type"):
		media := w.Media
		if _, after, ok := strings.Cut(name, "Content-Type: "); ok {
			media = after
		}
		return sendBody(input, op, media, w)
	}
	return sendParameter(input, op, in, name, w)
}

// itemOf finds a path, a webhook, or a callback.
func itemOf(doc *openapi3.T, path string) *openapi3.PathItem {
	if name, ok := strings.CutPrefix(path, "webhook:"); ok {
		return doc.Webhooks[name]
	}
	if rest, ok := strings.CutPrefix(path, "callback:"); ok {
		rest, parent, _ := strings.Cut(rest, " of ")
		name, expression, _ := strings.Cut(rest, " ")
		method, path, _ := strings.Cut(parent, " ")
		if item := itemOf(doc, path); item != nil {
			return item.GetOperation(method).Callbacks[name].Value.Value(expression)
		}
		return nil
	}
	return doc.Paths.Find(path)
}

// enter presents credentials, such as "key, oauth[write]".
func enter(input *openapi3filter.RequestValidationInput, presented string) error {
	input.Options.AuthenticationFunc = func(_ context.Context, asked *openapi3filter.AuthenticationInput) error {
		for one := range strings.SplitSeq(presented, ", ") {
			name, scopes, _ := strings.Cut(strings.TrimSuffix(one, "]"), "[")
			have := strings.Fields(scopes)
			if name == asked.SecuritySchemeName && !slices.ContainsFunc(asked.Scopes, func(s string) bool { return !slices.Contains(have, s) }) {
				return nil
			}
		}
		return errors.New("not let in")
	}
	security := input.Route.Spec.Security
	if own := input.Route.Operation.Security; own != nil {
		security = *own
	}
	return openapi3filter.ValidateSecurityRequirements(context.Background(), input, security)
}

func sendBody(input *openapi3filter.RequestValidationInput, op *openapi3.Operation, media string, w *contract.Witness) error {
	if op.RequestBody == nil {
		return nil
	}
	if w.Encoding == "text" {
		if op.RequestBody.Value.Content.Get(media) == nil {
			return fmt.Errorf("no media type %s", media)
		}
		return nil
	}
	input.Request.Body = io.NopCloser(strings.NewReader(w.Document))
	input.Request.Header.Set("Content-Type", media)
	return openapi3filter.ValidateRequestBody(context.Background(), input, op.RequestBody.Value)
}

func sendParameter(input *openapi3filter.RequestValidationInput, op *openapi3.Operation, in, name string, w *contract.Witness) error {
	ref := op.Parameters.GetByInAndName(in, name)
	if ref == nil {
		ref = input.Route.PathItem.Parameters.GetByInAndName(in, name)
	}
	if ref == nil {
		return nil
	}
	if w.Encoding == "json" {
		values := wire(w.Document)
		if len(ref.Content) > 0 {
			values = []string{w.Document}
		}
		switch in {
		case "query":
			input.QueryParams[name] = values
			if ref.Style == "deepObject" {
				input.QueryParams = deep(name, w.Document)
			}
			input.Request.URL.RawQuery = input.QueryParams.Encode()
		case "path":
			input.PathParams[name] = strings.Join(values, ",")
		case "header":
			input.Request.Header.Set(name, strings.Join(values, ","))
		case "cookie":
			input.Request.AddCookie(&http.Cookie{Name: name, Value: strings.Join(values, ",")})
		}
	}
	return openapi3filter.ValidateParameter(context.Background(), input, ref)
}

// deep writes an object as name[field]=value.
func deep(name, document string) url.Values {
	fields, all := map[string]any{}, url.Values{}
	_ = json.Unmarshal([]byte(document), &fields)
	for field, v := range fields {
		all.Set(name+"["+field+"]", fmt.Sprint(v))
	}
	return all
}

// wire returns the texts that a value is sent as.
func wire(document string) []string {
	var v any
	dec := json.NewDecoder(strings.NewReader(document))
	dec.UseNumber()
	_ = dec.Decode(&v)
	if list, ok := v.([]any); ok {
		var all []string
		for _, one := range list {
			all = append(all, fmt.Sprint(one))
		}
		return all
	}
	return []string{fmt.Sprint(v)}
}

var statusOf = regexp.MustCompile(`^response\.([0-9X]+|default)`) // of a class, its first

func respond(input *openapi3filter.RequestValidationInput, f contract.Finding) error {
	status := 200
	if m := statusOf.FindStringSubmatch(f.Path); m != nil {
		status, _ = strconv.Atoi(strings.ReplaceAll(strings.ReplaceAll(m[1], "XX", "98"), "default", "598"))
	}
	header := http.Header{"Content-Type": {f.Witness.Media}}
	response := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: status, Header: header, Options: input.Options}
	if r := input.Route.Operation.Responses.Status(status); r != nil {
		for name := range r.Value.Headers {
			header.Set(name, "1")
		}
	}
	if _, name, ok := strings.Cut(f.Witness.At, "header "); ok {
		header.Set(name, strings.Join(wire(f.Witness.Document), ","))
		response.Options = &openapi3filter.Options{ExcludeResponseBody: true, IncludeResponseStatus: true}
	} else {
		response.Body = io.NopCloser(bytes.NewReader([]byte(f.Witness.Document)))
	}
	return openapi3filter.ValidateResponse(context.Background(), response)
}

// replayAll replays each witness of a diff, and says how many there were.
func replayAll(t testing.TB, old, new string, d contract.Diff) int {
	t.Helper()
	n := 0
	before, after := spec(t, old), spec(t, new)
	for _, f := range d.Findings {
		if f.Witness == nil || strings.Contains(f.Witness.Media, "xml") {
			continue // the validator reads no XML
		}
		n++
		if err := replay(t, before, after, f); err != nil {
			t.Errorf("%s at %s %s: %s %s: %v", f.Rule, f.Subject, f.Path, f.Witness.What, f.Witness.Document, err)
		}
	}
	return n
}
