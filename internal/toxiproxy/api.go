package toxiproxy

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Version is the version of Toxiproxy whose API this is, and what GET /version answers.
const Version = "2.12.0"

// maxBody is how long the body of a request may be: a thousand proxies take a hundredth of it.
const maxBody = 8 << 20

// An endpoint answers one request.
type endpoint func(s *Set, w http.ResponseWriter, r *http.Request, v vars)

// A call is what most endpoints do. What it returns is sent as JSON with the status.
type call func(s *Set, r *http.Request, v vars) (status int, answer any, err error)

// vars are the names in a path, and the body.
type vars struct {
	proxy, toxic string
	body         []byte
}

func listProxies(s *Set, _ *http.Request, _ vars) (int, any, error) {
	return http.StatusOK, s.all(), nil
}

func createProxy(s *Set, r *http.Request, v vars) (int, any, error) {
	var g given
	if err := decode(v.body, &g); err != nil {
		return 0, nil, err
	}
	if g.Name == "" {
		return 0, nil, missing("name")
	}
	if g.Upstream == "" {
		return 0, nil, missing("upstream")
	}
	p, err := s.create(r.Context(), g)
	return http.StatusCreated, p, err
}

// populated is the answer of populate: it holds the error, too, and what was done before it.
type populated struct {
	*apiError
	Proxies []view `json:"proxies"`
}

func populate(s *Set, r *http.Request, v vars) (int, any, error) {
	views, err := populateFrom(s, r, v.body)
	if err == nil {
		return http.StatusCreated, populated{nil, views}, nil
	}
	e := asAPI(err)
	return e.Status, populated{&e, views}, nil
}

func populateFrom(s *Set, r *http.Request, body []byte) ([]view, error) {
	var all []given
	if err := decode(body, &all); err != nil {
		return nil, err
	}
	for i, g := range all {
		if g.Name == "" {
			return nil, missing(fmt.Sprintf("name at proxy %d", i+1))
		}
		if g.Upstream == "" {
			return nil, missing(fmt.Sprintf("upstream at proxy %d", i+1))
		}
	}
	return s.populate(r.Context(), all)
}

func showProxy(s *Set, _ *http.Request, v vars) (int, any, error) {
	p, err := s.show(v.proxy)
	return http.StatusOK, p, err
}

func updateProxy(s *Set, r *http.Request, v vars) (int, any, error) {
	p, err := s.update(r.Context(), v.proxy, v.body)
	return http.StatusOK, p, err
}

func deleteProxy(s *Set, _ *http.Request, v vars) (int, any, error) {
	return http.StatusNoContent, nil, s.remove(v.proxy)
}

func listToxics(s *Set, _ *http.Request, v vars) (int, any, error) {
	p, err := s.show(v.proxy)
	return http.StatusOK, p.Toxics, err
}

func createToxic(s *Set, _ *http.Request, v vars) (int, any, error) {
	t, err := s.addToxic(v.proxy, v.body)
	return http.StatusOK, t, err
}

func showToxic(s *Set, _ *http.Request, v vars) (int, any, error) {
	t, err := s.toxic(v.proxy, v.toxic)
	return http.StatusOK, t, err
}

func updateToxic(s *Set, _ *http.Request, v vars) (int, any, error) {
	t, err := s.updateToxic(v.proxy, v.toxic, v.body)
	return http.StatusOK, t, err
}

func deleteToxic(s *Set, _ *http.Request, v vars) (int, any, error) {
	return http.StatusNoContent, nil, s.removeToxic(v.proxy, v.toxic)
}

func reset(s *Set, r *http.Request, _ vars) (int, any, error) {
	return http.StatusNoContent, nil, s.reset(r.Context())
}

// inJSON makes an endpoint of a call.
func inJSON(do call) endpoint {
	return func(s *Set, w http.ResponseWriter, r *http.Request, v vars) {
		var err error
		if v.body, err = readBody(w, r); err != nil {
			writeError(w, asAPI(err))
			return
		}
		status, answer, err := do(s, r, v)
		if err != nil {
			writeError(w, asAPI(err))
			return
		}
		writeAnswer(w, status, answer)
	}
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, apiError{fmt.Sprintf("bad request body: more than %d bytes", large.Limit), http.StatusRequestEntityTooLarge}
	case err != nil:
		return nil, badBody(err.Error())
	}
	return body, nil
}

func writeAnswer(w http.ResponseWriter, status int, answer any) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(answer)
	if err != nil {
		writeError(w, asAPI(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// writeError answers with an error, which Toxiproxy sends as text.
func writeError(w http.ResponseWriter, e apiError) {
	text, _ := json.Marshal(e) // a text and a number
	http.Error(w, string(text), e.Status)
}

func serveVersion(_ *Set, w http.ResponseWriter, _ *http.Request, _ vars) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	fmt.Fprintf(w, "{\"version\": %q}\n", Version)
}

func serveMetrics(s *Set, w http.ResponseWriter, _ *http.Request, _ vars) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
	s.bytes().write(w)
}

// requestID returns a new id in the form that Toxiproxy gives requests: 20 digits to the base 32.
func requestID() string {
	var b [12]byte
	rand.Read(b[:]) // never fails
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}
