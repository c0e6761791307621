package plain

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/link"
	"github.com/assay-dev/assay/system"
)

// trustName is the file of the state folder that holds what instances have to trust.
const trustName = "ca.pem"

// opened is what ends TLS on links. The zero value ends none.
type opened struct {
	authority *link.Authority
	trusted   []byte               // certificates in PEM
	services  map[string]*link.TLS // by name

	mu   sync.Mutex
	told map[string]time.Time // when each trouble was last noted
}

// openTLS makes the run's authority, if the system wants one, and writes down what instances have to trust. The key stays in memory.
func (e *Env) openTLS() error {
	for _, service := range e.sys.Services {
		if service.TLS == nil {
			continue
		}
		if err := e.openService(service); err != nil {
			return fmt.Errorf("open TLS of service %s: %w", service.Name, err)
		}
	}
	if e.tls.services == nil {
		return nil
	}
	return os.WriteFile(trustPath(e.sys, e.opts.StateDir), e.tls.trusted, 0o644)
}

func (e *Env) openService(service system.Service) error {
	if e.tls.services == nil {
		e.tls.services = map[string]*link.TLS{}
		var err error
		if e.tls.authority, err = link.NewAuthority(time.Now()); err != nil {
			return err
		}
		e.tls.trusted = e.tls.authority.PEM()
	}
	opening := &link.TLS{Authority: e.tls.authority, Name: service.TLS.Name, Trouble: e.tlsTrouble}
	e.tls.services[service.Name] = opening
	if service.TLS.CA == "" {
		return nil
	}
	path := service.TLS.CA
	if !filepath.IsAbs(path) {
		path = filepath.Join(e.sys.Dir, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read what its certificate is verified with: %w", err)
	}
	opening.Roots = x509.NewCertPool()
	if !opening.Roots.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate in PEM", path)
	}
	if !bytes.Contains(e.tls.trusted, text) {
		e.tls.trusted = append(append(e.tls.trusted, text...), '\n')
	}
	return nil
}

// trustPath is the file of what a system's instances have to trust, "" where no TLS is opened.
func trustPath(sys system.System, state string) string {
	if !slices.ContainsFunc(sys.Services, func(s system.Service) bool { return s.TLS != nil }) {
		return ""
	}
	return filepath.Join(state, trustName)
}

// Trusted returns what a dialler of the environment has to trust.
func (e *Env) Trusted(ctx context.Context) ([]byte, error) { return slices.Clone(e.tls.trusted), nil }

// opens returns how TLS to a host's port is ended, nil where it passes.
func (e *Env) opens(host string, port int) *link.TLS {
	service, _ := e.sys.Service(e.sys.ServiceOf(host))
	if service.TLS == nil || !slices.Contains(service.TLS.Open, port) {
		return nil
	}
	return e.tls.services[service.Name]
}

// tlsTrouble notes why a connection could not be opened, at most once a second for each reason.
func (e *Env) tlsTrouble(err error) {
	text, now := err.Error(), time.Now()
	e.tls.mu.Lock()
	if e.tls.told == nil {
		e.tls.told = map[string]time.Time{}
	}
	last, again := e.tls.told[text]
	due := now.Sub(last) >= time.Second
	if due {
		e.tls.told[text] = now
	}
	e.tls.mu.Unlock()
	if !due {
		return
	}
	if !again {
		e.progress("%s", text)
	}
	e.note(history.Event{Kind: history.Note, Name: "tls", Text: text})
}

// checkTLS asks an instance that is ready for its certificates, so that one that is not accepted is an error of its start and not of
// whoever dials it. A port that does not accept yet is not asked.
func (n *node) checkTLS(ctx context.Context) error {
	if n.svc.TLS == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for _, port := range n.svc.TLS.Open {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("%s:%d", n.ip, port))
		if err != nil {
			continue
		}
		err = tls.Client(conn, n.env.tls.services[n.svc.Name].Client()).HandshakeContext(ctx)
		conn.Close()
		if ctx.Err() != nil {
			return nil // it is busy, or paused: readiness is not decided here
		}
		var other tls.RecordHeaderError
		switch {
		case errors.As(err, &other):
			return fmt.Errorf("port %d does not speak TLS, and x-assay.tls of service %s says so: %w", port, n.svc.Name, err)
		case err != nil && n.svc.TLS.CA == "":
			return fmt.Errorf("TLS of port %d: %w", port, err)
		case err != nil:
			return fmt.Errorf("TLS of port %d: %w (x-assay.tls of service %s verifies it with %s for the name %s)", port, err, n.svc.Name, n.svc.TLS.CA, n.svc.TLS.Name)
		}
	}
	return nil
}
