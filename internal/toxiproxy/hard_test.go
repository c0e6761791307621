package toxiproxy

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Names may hold anything that JSON can say, and are addressed by their escaped form.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	target := upstream(t, echo)
	for _, name := range []string{
		"a/b", "..", ".", "//", "%2F", "a b", "a\x00b\x1b[31m", "é漢", "client", "proxy:client", "?x=1#y", `"\`, "\n", strings.Repeat("n", 5000),
	} {
		addr := api.proxy(name, target)
		at := "/proxies/" + strings.ReplaceAll(url.PathEscape(name), ".", "%2E")
		if got := api.must("GET", at, "").Name; got != name {
			t.Errorf("%q is shown as %q", name, got)
		}
		api.must("POST", at+"/toxics", `{"name":"t/x","type":"latency","attributes":{"latency":1}}`)
		api.must("DELETE", at+"/toxics/t%2Fx", "")
		says(t, dial(t, addr), "x")
		api.must("DELETE", at, "")
	}
}

// Bodies that are huge, deep or cut are refused, and nothing is made of them.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	set, api := newAPI(t)
	api.proxy("p", "x:1")
	huge := `{"name":"` + strings.Repeat("x", maxBody) + `","upstream":"x:1"}`
	deep := strings.Repeat(`[`, 100_000)
	for _, path := range []string{"/proxies", "/populate", "/proxies/p", "/proxies/p/toxics"} {
		if status, text := api.do("POST", path, huge); status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, huge: %d %.100s", path, status, text)
		}
		for _, body := range []string{deep, `{"a":` + deep, huge[:1000], "\xff\xfe", "\x00"} {
			if status, text := api.do("POST", path, body); status != http.StatusBadRequest {
				t.Errorf("%s, %.20q: %d %.100s", path, body, status, text)
			}
		}
	}
	if n := len(set.all()); n != 1 {
		t.Errorf("%d proxies, want 1", n)
	}
}

// A thousand proxies are made, work, and go, and with them all that they took.
func TestThousandProxies(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	set := NewSet(1)
	server := httptest.NewServer(set.Handler())
	api := &caller{t, server.URL}
	target := upstream(t, echo)
	var body bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&body, `,{"name":"p%d","listen":"127.0.0.1:0","upstream":%q}`, i, target)
	}
	if status, text := api.do("POST", "/populate", "["+body.String()[1:]+"]"); status != 201 {
		t.Fatalf("%d %.300s", status, text)
	}
	for i := 0; i < 1000; i += 100 {
		says(t, dial(t, set.all()[fmt.Sprintf("p%d", i)].Listen), "x")
	}
	for i := range 1000 {
		api.toxic(fmt.Sprintf("p%d", i), slow)
		api.must("DELETE", fmt.Sprintf("/proxies/p%d", i), "")
	}
	if status, text := api.do("GET", "/proxies", ""); status != 200 || text != "{}" {
		t.Errorf("left: %d %.300s", status, text)
	}
	if lines := set.mesh.Rules(); len(lines) != 0 || len(set.mesh.Stats()) != 0 {
		t.Errorf("the mesh has %d rules and %d links still", len(lines), len(set.mesh.Stats()))
	}
	server.Close()
	if err := set.Close(); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "all goroutines are gone", func() bool { return runtime.NumGoroutine() <= goroutines+2 }) // the upstream's accept, and its last echo
}

// Many clients populate, add and remove at once; at the end all is as the last of each says, and the server lives.
func TestConcurrentPopulate(t *testing.T) {
	t.Parallel()
	set, api := newAPI(t)
	target := upstream(t, echo)
	ports := make([]string, 20)
	for i := range ports {
		ports[i] = api.proxy(fmt.Sprintf("p%d", i), target)
	}
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			for i := range 20 {
				name := fmt.Sprintf("p%d", (i+n)%20)
				api.do("POST", "/populate", fmt.Sprintf(`[{"name":%q,"listen":%q,"upstream":%q}]`, name, ports[(i+n)%20], target))
				api.do("POST", "/proxies/"+name+"/toxics", fmt.Sprintf(`{"name":"t%d","type":"latency"}`, n))
				api.do("PATCH", "/proxies/"+name, fmt.Sprintf(`{"enabled":%t}`, i%2 == 0))
				api.do("GET", "/proxies", "")
				api.do("DELETE", fmt.Sprintf("/proxies/%s/toxics/t%d", name, n), "")
			}
		})
	}
	wg.Wait()
	api.must("POST", "/reset", "")
	for i, addr := range ports {
		if v := set.all()[fmt.Sprintf("p%d", i)]; !v.Enabled || v.Listen != addr || len(v.Toxics) != 0 {
			t.Errorf("%+v", v)
		}
		says(t, dial(t, addr), "x")
	}
}

// A holder that was used a lot has no more files and threads than before.
func TestHolderLeaksNothing(t *testing.T) {
	t.Parallel()
	s := serveIn(t, newPlace(t), nil)
	target := upstream(t, echo)
	use := func(n int) {
		for i := range n {
			name := fmt.Sprintf("p%d", i)
			addr := s.api.proxy(name, target)
			c := dial(t, addr)
			says(t, c, "x")
			s.api.toxic(name, slow)
			s.api.must("PATCH", "/proxies/"+name, `{"enabled":false}`)
			s.api.must("PATCH", "/proxies/"+name, `{"enabled":true}`)
			s.api.must("DELETE", "/proxies/"+name, "")
			c.Close()
		}
	}
	use(5)
	files, _ := counts(t, s.holder)
	use(100)
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "the files are gone", func() bool {
		now, _ := counts(t, s.holder)
		return now <= files
	})
}
