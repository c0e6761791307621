package toxiproxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// An apiError is an error with the status that the API answers.
type apiError struct {
	Message string `json:"error"`
	Status  int    `json:"status"`
}

func (e apiError) Error() string { return e.Message }

const (
	errNoProxy   = sentinel("proxy not found")
	errProxyIs   = sentinel("proxy already exists")
	errNoToxic   = sentinel("toxic not found")
	errToxicIs   = sentinel("toxic already exists")
	errStream    = sentinel("stream was invalid, can be either upstream or downstream")
	errToxicType = sentinel("invalid toxic type")
)

// A sentinel is an error of one text.
type sentinel string

func (e sentinel) Error() string { return string(e) }

func (e sentinel) status() int {
	switch e {
	case errNoProxy, errNoToxic:
		return http.StatusNotFound
	case errProxyIs, errToxicIs:
		return http.StatusConflict
	}
	return http.StatusBadRequest
}

func badBody(why string) error {
	return apiError{"bad request body: " + why, http.StatusBadRequest}
}

func missing(field string) error {
	return apiError{"missing required field: " + field, http.StatusBadRequest}
}

// asAPI gives any error a status.
func asAPI(err error) apiError {
	var known apiError
	var plain sentinel
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &plain):
		return apiError{plain.Error(), plain.status()}
	}
	return apiError{err.Error(), http.StatusInternalServerError}
}

// decode reads the first JSON value of a body. What follows it is ignored, as are fields that nobody knows.
func decode(body []byte, into any) error {
	err := json.NewDecoder(bytes.NewReader(body)).Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Field != "":
		return badBody(fmt.Sprintf("json: cannot unmarshal %s into field %q", wrong.Value, wrong.Field))
	case errors.As(err, &wrong):
		return badBody(fmt.Sprintf("json: cannot unmarshal %s here", wrong.Value))
	}
	return badBody(err.Error())
}
