package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// toxiproxyVersion is the one that the figures are about. Asked for the latest, Go's module proxy serves one that is older.
const toxiproxyVersion = "v2.12.0"

// buildToxiproxy builds its server in dir.
func buildToxiproxy(dir string) (string, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return "", err
	}
	fmt.Fprintln(os.Stderr, "building Toxiproxy", toxiproxyVersion)
	cmd := exec.Command("go", "install", "github.com/Shopify/toxiproxy/v2/cmd/server@"+toxiproxyVersion)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install of %s: %w: %s", toxiproxyVersion, err, bytes.TrimSpace(out))
	}
	return filepath.Join(dir, "server"), nil
}

// A toxicAPI is the HTTP API of one Toxiproxy.
type toxicAPI struct {
	base   string
	client http.Client
}

// startToxiproxy starts it with one proxy.
func startToxiproxy(binary, server string) (*proxy, error) {
	at, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-host", at.Addr().String(), "-port", fmt.Sprint(at.Port()))
	cmd.Env = append(os.Environ(), "LOG_LEVEL=fatal") // a line for each connection is not what is measured
	dieWithUs(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	api := &toxicAPI{base: "http://" + at.String()}
	if err := api.awaitReady(); err != nil {
		stop()
		return nil, err
	}
	var made struct{ Listen string }
	if err := api.do("POST", "/proxies", map[string]any{"name": "p", "listen": "127.0.0.1:0", "upstream": server, "enabled": true}, &made); err != nil {
		stop()
		return nil, err
	}
	p := &proxy{name: toxiproxy, addr: made.Listen, pid: cmd.Process.Pid, stop: stop}
	api.control(p)
	return p, nil
}

func (a *toxicAPI) awaitReady() error {
	for limit := time.Now().Add(20 * time.Second); ; {
		err := a.do("GET", "/version", nil, nil)
		if err == nil || time.Now().After(limit) {
			return err
		}
		time.Sleep(time.Millisecond) // between looks
	}
}

// control lets the proxy be told what to do.
func (a *toxicAPI) control(p *proxy) {
	var set []string
	p.arm = func(faults ...fault) error {
		for i, f := range faults {
			name, stream := fmt.Sprint("f", i), "downstream"
			if f.up {
				stream = "upstream"
			}
			toxic := map[string]any{"name": name, "type": f.kind, "stream": stream, "attributes": f.attributes}
			if err := a.do("POST", "/proxies/p/toxics", toxic, nil); err != nil {
				return err
			}
			set = append(set, name)
		}
		return nil
	}
	p.heal = func() error {
		for _, name := range set {
			if err := a.do("DELETE", "/proxies/p/toxics/"+name, nil, nil); err != nil {
				return err
			}
		}
		set = nil
		return nil
	}
}

func (a *toxicAPI) do(method, path string, body, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, a.base+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, got)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(got, into)
}
