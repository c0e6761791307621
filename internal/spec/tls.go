package spec

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/system"
)

// A tlsAt is where the parts of x-assay.tls stand.
type tlsAt struct {
	ports []*yaml.Node
	all   *yaml.Node
}

// tls reads which ports speak TLS that the run opens, and what the instances' certificates are verified with.
func (t *topology) tls(e *extension, service, name string, n *yaml.Node) {
	src, made := t.src, &system.TLS{Name: service}
	e.tlsAt.all = n
	ok := src.object(n, name,
		field{"open", src.list(func(item string, n *yaml.Node) {
			var port int
			src.number(&port, 1, 65535)(item, n)
			made.Open, e.tlsAt.ports = append(made.Open, port), append(e.tlsAt.ports, n)
		}), true},
		field{"ca", func(name string, n *yaml.Node) { src.text(&made.CA)(name, n); t.authorityFile(made.CA, n) }, false},
		field{"skip", t.skip, false},
		field{"name", src.text(&made.Name), false})
	ca, _ := child(n, "ca")
	skip, _ := child(n, "skip")
	if ok && ca == nil && skip == nil {
		src.wrong(n, "exactly one of ca, the file that they are verified with, and skip: true", "%s says nothing of the certificates of service %s", name, service)
		return
	}
	if !ok || !t.oneOf(n, name, "ca", "skip") {
		return
	}
	if skip != nil {
		if key, _ := child(n, "name"); key != nil {
			src.wrong(key, "leave out name, or verify with ca", "%s verifies nothing, so no name", name)
		}
	}
	if _, open := child(n, "open"); open != nil && open.Kind == yaml.SequenceNode && len(open.Content) == 0 {
		src.wrong(open, "", "open is an empty list")
	}
	e.tls = made
}

// skip reads that nothing is verified. It is said, not left out.
func (t *topology) skip(name string, n *yaml.Node) {
	var skip bool
	t.src.boolean(&skip)(name, n)
	if n.ShortTag() == "!!bool" && !skip {
		t.src.wrong(n, "name the file with ca instead", "%s can only be true", name)
	}
}

// authorityFile checks a file of certificates. One that a build line makes may be missing yet.
func (t *topology) authorityFile(path string, n *yaml.Node) {
	if path == "" {
		return
	}
	file := path
	if !filepath.IsAbs(file) {
		file = filepath.Join(t.dir, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		if !t.isMade(path) {
			t.src.wrong(n, "paths are relative to the compose file; one that is made is named in x-assay.process.build", "%s cannot be read: %v", path, unwrapPath(err))
		}
		return
	}
	if bytes.Contains(text, []byte("PRIVATE KEY")) {
		t.src.wrong(n, "a file with certificates alone: instances are handed what is in it", "%s holds a private key", path)
		return
	}
	block, _ := pem.Decode(text)
	if block == nil || !x509.NewCertPool().AppendCertsFromPEM(text) {
		t.src.wrong(n, "a file that begins with -----BEGIN CERTIFICATE-----", "%s holds no certificate in PEM", path)
		return
	}
	t.keep(file, text)
}

// isMade says whether some service's build line names a file, in the order in which services are read or not.
func (t *topology) isMade(path string) bool {
	for _, n := range t.services {
		_, x := child(n, "x-assay")
		_, process := child(x, "process")
		if _, build := child(process, "build"); build != nil && strings.Contains(build.Value, strings.TrimPrefix(path, "./")) {
			return true
		}
	}
	return false
}

// checkTLS reports ports that nobody dials, and what speaks no TLS.
func (t *topology) checkTLS(s system.Service, e extension) {
	if e.tls == nil {
		return
	}
	if e.recipe != "" {
		t.src.wrong(e.tlsAt.all, "recipes run without TLS", "service %s has both a recipe and tls", s.Name)
		return
	}
	var ports []string
	for _, port := range s.Ports {
		ports = append(ports, strconv.Itoa(port))
	}
	for i, port := range e.tls.Open {
		if port > 0 && !slices.Contains(s.Ports, port) {
			t.src.wrong(e.tlsAt.ports[i], allowedPorts(ports), "service %s exposes no port %d", s.Name, port)
		}
	}
}

func allowedPorts(ports []string) string {
	if len(ports) == 0 {
		return "add it to expose"
	}
	return "exposed: " + strings.Join(ports, ", ")
}

// checkTrust reports {{ca}} where no TLS is opened.
func (t *topology) checkTrust() {
	for _, e := range t.extensions {
		if e.tlsAt.all != nil {
			return
		}
	}
	for _, n := range t.trusting {
		t.src.wrong(n, "x-assay: {tls: {open: [PORT], ca: FILE}} at the service that speaks TLS", "there is no {{ca}}, as no service's TLS is opened")
	}
}
