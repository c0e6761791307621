// Command register serves integer registers over HTTP: PUT and GET /KEY. A
// write is answered once it is in the journal, so a killed server loses none.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

type registers struct {
	mu      sync.Mutex
	values  map[string]string
	journal *os.File
}

func main() {
	r, err := open(filepath.Join(os.Getenv("DATA"), "journal"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("GET /registers/{key}", r.get)
	http.HandleFunc("PUT /registers/{key}", r.put)
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}

// open replays the journal: one "key value" a line, the last one counts.
func open(path string) (*registers, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	r := &registers{values: map[string]string{}, journal: f}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var key, value string
		if _, err := fmt.Sscan(lines.Text(), &key, &value); err == nil {
			r.values[key] = value
		}
	}
	return r, lines.Err()
}

func (r *registers) get(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	value, ok := r.values[req.PathValue("key")]
	if !ok {
		value = "null"
	}
	fmt.Fprintf(w, `{"value": %s}`, value)
}

func (r *registers) put(w http.ResponseWriter, req *http.Request) {
	var value int
	if _, err := fmt.Fscan(io.LimitReader(req.Body, 32), &value); err != nil {
		http.Error(w, "the body is no integer", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := req.PathValue("key")
	if os.Getenv("DEFECT") != "no-journal" {
		if _, err := fmt.Fprintln(r.journal, key, value); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	r.values[key] = fmt.Sprint(value)
}
