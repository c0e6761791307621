// Package caches uses what the standard library makes ready once in a process.
package caches

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	crypto "crypto/rand"
	"crypto/sha256"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"html/template"
	"io"
	"log/slog"
	"math/rand"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

type record struct {
	A int
	B map[string]int
	C []string
}

func three(t *testing.T, f func(s *sim.Sim, i int)) {
	sim.Run(t, func(s *sim.Sim) {
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { f(s, i) })
		}
		wg.Wait()
	})
}

func TestRand(t *testing.T) {
	three(t, func(s *sim.Sim, i int) { s.Event("%d %d", i, rand.Intn(100)) })
}

func TestJSON(t *testing.T) {
	three(t, func(s *sim.Sim, i int) {
		b, err := json.Marshal(record{A: i})
		var r record
		s.Event("%s %v %v", b, err, json.Unmarshal(b, &r))
	})
}

func TestXML(t *testing.T) {
	three(t, func(s *sim.Sim, i int) {
		b, err := xml.Marshal(struct{ A int }{i})
		s.Event("%s %v", b, err)
	})
}

func TestGob(t *testing.T) {
	three(t, func(s *sim.Sim, i int) {
		var b bytes.Buffer
		var r record
		s.Event("%v %v %v", gob.NewEncoder(&b).Encode(record{A: i}), gob.NewDecoder(&b).Decode(&r), r)
	})
}

func TestMime(t *testing.T) {
	three(t, func(s *sim.Sim, i int) { s.Event("%d %s", i, mime.TypeByExtension(".html")) })
}

func TestZones(t *testing.T) {
	three(t, func(s *sim.Sim, i int) {
		at, err := time.LoadLocation("Europe/Berlin")
		s.Event("%v %v %v", time.Now().Local(), at, err)
	})
}

func TestCrypto(t *testing.T) {
	three(t, func(s *sim.Sim, i int) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), crypto.Reader)
		if err != nil {
			t.Error(err)
			return
		}
		sum := sha256.Sum256([]byte("x"))
		sign, err := ecdsa.SignASN1(crypto.Reader, key, sum[:])
		s.Event("%v %v", err, ecdsa.VerifyASN1(&key.PublicKey, sum[:], sign))
	})
}

func TestText(t *testing.T) {
	three(t, func(s *sim.Sim, i int) {
		var b strings.Builder
		err := template.Must(template.New("x").Parse("<p>{{.A}}")).Execute(&b, record{A: i})
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "a", i)
		s.Event("%s %v", b.String(), err)
	})
}

func TestServe(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("server").Go(func() {
			l, err := net.Listen("tcp", ":80")
			if err != nil {
				t.Error(err)
				return
			}
			http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(record{A: 1}) }))
		})
		time.Sleep(time.Second)
		done := make(chan struct{}, 2)
		for range 2 {
			s.Host("client").Go(func() {
				defer func() { done <- struct{}{} }()
				r, err := http.Get("http://server/")
				if err != nil {
					s.Event("%v", err)
					return
				}
				b, err := io.ReadAll(r.Body)
				r.Body.Close()
				s.Event("%s %v", b, err)
			})
		}
		<-done
		<-done
	})
}

// TestRandom has the same random numbers whether hosts of other seeds were there, and left a mapping behind.
func TestRandom(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		leaves := s.Choose(2) == 1
		h := s.Host("a")
		h.Disk().Mount("/data")
		h.Do(func() {
			f, err := os.Create("/data/f")
			if err != nil {
				t.Error(err)
				return
			}
			if err := f.Truncate(4096); err != nil {
				t.Error(err)
			}
			b, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_SHARED)
			if err != nil {
				t.Error(err)
				return
			}
			if !leaves {
				syscall.Munmap(b)
			}
		})
		s.Event("%d %d", rand.Int(), rand.Int())
	})
}
