package toxiproxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// readmeSteps are the examples of the README and METRICS of Toxiproxy 2.12.0, in their order, with ports that are free here and
// an echo as every upstream. $NAME is where a proxy listens. TestToxiproxyCLI goes through the examples of its command line,
// with Redis behind it, TestConfigFile takes its config file, and TestGoClient and TestNodeClient are the clients of its list.
var readmeSteps = []struct {
	example, method, path, body string
	status                      int
	has                         string // in the answer
}{
	{"upgrading: the version at /version", "GET", "/version", ``, 200, `{"version": "`},
	{"example: populate for Redis tags", "POST", "/populate", `[{"name":"toxiproxy_test_redis_tags","listen":"$FREE1","upstream":"$ECHO"}]`, 201, `"name":"toxiproxy_test_redis_tags","listen":"$FREE1"`},
	{"example: take down all Redises", "POST", "/proxies/toxiproxy_test_redis_tags", `{"enabled":false}`, 200, `"enabled":false`},
	{"example: and up again", "POST", "/proxies/toxiproxy_test_redis_tags", `{"enabled":true}`, 200, `"enabled":true`},
	{"2: populate two", "POST", "/populate", `[{"name":"shopify_test_redis_master","listen":"$FREE2","upstream":"$ECHO"},{"name":"shopify_test_mysql_master","listen":"$FREE3","upstream":"$ECHO"}]`, 201, `"proxies":[`},
	{"3: 1000 ms of latency, downstream", "POST", "/proxies/shopify_test_redis_master/toxics", `{"type":"latency","stream":"downstream","attributes":{"latency":1000}}`, 200,
		`{"attributes":{"latency":1000,"jitter":0},"name":"latency_downstream","type":"latency","stream":"downstream","toxicity":1}`},
	{"toxics: latency", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"latency","attributes":{"latency":5,"jitter":2}}`, 200, `"attributes":{"latency":5,"jitter":2},"name":"latency_downstream"`},
	{"toxics: down", "POST", "/proxies/shopify_test_mysql_master", `{"enabled":false}`, 200, `"enabled":false`},
	{"toxics: down, and up", "POST", "/proxies/shopify_test_mysql_master", `{"enabled":true}`, 200, `"enabled":true`},
	{"toxics: bandwidth", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"bandwidth","attributes":{"rate":1000}}`, 200, `"attributes":{"rate":1000},"name":"bandwidth_downstream"`},
	{"toxics: slow_close", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"slow_close","attributes":{"delay":10}}`, 200, `"attributes":{"delay":10},"name":"slow_close_downstream"`},
	{"toxics: timeout", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"timeout","toxicity":0,"attributes":{"timeout":10}}`, 200, `"attributes":{"timeout":10},"name":"timeout_downstream"`},
	{"toxics: reset_peer", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"reset_peer","toxicity":0,"attributes":{"timeout":10}}`, 200, `"attributes":{"timeout":10},"name":"reset_peer_downstream"`},
	{"toxics: slicer", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":10}}`, 200,
		`"attributes":{"average_size":64,"size_variation":32,"delay":10},"name":"slicer_downstream"`},
	{"toxics: limit_data", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"limit_data","attributes":{"bytes":1000000}}`, 200, `"attributes":{"bytes":1000000},"name":"limit_data_downstream"`},
	{"toxic fields: upstream, toxicity, name", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"name":"mine","type":"latency","stream":"upstream","toxicity":0.5,"attributes":{"latency":1}}`, 200,
		`"name":"mine","type":"latency","stream":"upstream","toxicity":0.5`},
	{"toxic fields: a stream is upstream or downstream", "POST", "/proxies/shopify_test_mysql_master/toxics", `{"type":"latency","stream":"sideways"}`, 400, `stream was invalid`},
	{"proxy fields: listen with port 0", "POST", "/proxies", `{"name":"any","listen":"127.0.0.1:0","upstream":"$ECHO"}`, 201, `"listen":"127.0.0.1:`},
	{"proxy fields: enabled is true", "GET", "/proxies/any", ``, 200, `"enabled":true`},
	{"proxy fields: a name cannot be changed", "POST", "/proxies/any", `{"name":"other"}`, 200, `"name":"any"`},
	{"endpoints: list proxies", "GET", "/proxies", ``, 200, `"shopify_test_redis_master":{`},
	{"endpoints: create a proxy", "POST", "/proxies", `{"name":"redis","listen":"$FREE4","upstream":"$ECHO"}`, 201, `"name":"redis"`},
	{"endpoints: populate", "POST", "/populate", `[{"name":"redis","listen":"$FREE4","upstream":"$ECHO"}]`, 201, `"name":"redis"`},
	{"endpoints: show a proxy with its toxics", "GET", "/proxies/shopify_test_redis_master", ``, 200, `"toxics":[{"attributes":{"latency":1000`},
	{"endpoints: update a proxy", "POST", "/proxies/any", `{"listen":"$FREE5"}`, 200, `"listen":"$FREE5"`},
	{"endpoints: delete a proxy", "DELETE", "/proxies/any", ``, 204, ``},
	{"endpoints: list toxics", "GET", "/proxies/shopify_test_mysql_master/toxics", ``, 200, `"name":"mine"`},
	{"endpoints: create a toxic", "POST", "/proxies/redis/toxics", `{"type":"latency","attributes":{"latency":1000}}`, 200, `"latency_downstream"`},
	{"endpoints: a toxic", "GET", "/proxies/redis/toxics/latency_downstream", ``, 200, `"latency":1000`},
	{"endpoints: update a toxic", "POST", "/proxies/redis/toxics/latency_downstream", `{"attributes":{"latency":10}}`, 200, `"latency":10,`},
	{"endpoints: remove a toxic", "DELETE", "/proxies/redis/toxics/latency_downstream", ``, 204, ``},
	{"endpoints: metrics", "GET", "/metrics", ``, 200, `toxiproxy_proxy_received_bytes_total{direction="upstream"`},
	{"endpoints: reset", "POST", "/reset", ``, 204, ``},
	{"endpoints: reset has removed all toxics", "GET", "/proxies/shopify_test_mysql_master/toxics", ``, 200, `[]`},
}

// Every example of Toxiproxy's documentation that is a call of its API has the answer that Toxiproxy gives.
func TestReadmeOfToxiproxy(t *testing.T) {
	t.Parallel()
	t.Run("assay", func(t *testing.T) {
		_, api := newAPI(t)
		readme(t, api, true)
	})
	t.Run("Toxiproxy", func(t *testing.T) { readme(t, &caller{t, "http://" + startOracle(t)}, false) })
}

// readme goes through the examples. Toxiproxy has metrics only with a flag, and of connections that have ended.
func readme(t *testing.T, api *caller, metrics bool) {
	pairs := []string{"$ECHO", upstream(t, echo)}
	for n := 1; n <= 5; n++ {
		l, err := net.Listen("tcp", ownHost()+":0") // where no listener of port 0 comes
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		pairs = append(pairs, fmt.Sprintf("$FREE%d", n), l.Addr().String())
	}
	fill := strings.NewReplacer(pairs...)
	for _, step := range readmeSteps {
		if step.path == "/metrics" && !metrics {
			continue
		}
		if step.path == "/metrics" { // which has a series once there was traffic
			says(t, dial(t, fill.Replace("$FREE4")), "x")
		}
		status, text := api.do(step.method, step.path, fill.Replace(step.body))
		if status != step.status || !strings.Contains(text, fill.Replace(step.has)) {
			t.Errorf("%s: %s %s: got %d %s, want %d %s", step.example, step.method, step.path, status, text, step.status, fill.Replace(step.has))
		}
	}
}

// What its README says of connections: changed fields drop them, a proxy that is populated again and the same keeps them, one that
// is down or deleted refuses them.
func TestReadmeOnConnections(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	target := upstream(t, echo)
	addr := api.proxy("redis", target)
	c := dial(t, addr)
	says(t, c, "x")
	api.must("POST", "/populate", fmt.Sprintf(`[{"name":"redis","listen":%q,"upstream":%q}]`, addr, target))
	says(t, c, "x")
	api.must("POST", "/proxies/redis", fmt.Sprintf(`{"upstream":%q}`, upstream(t, echo)))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("an upstream that is changed: %v, want EOF", err)
	}
	says(t, dial(t, addr), "x")
	for _, change := range []struct{ method, body string }{{"POST", `{"enabled":false}`}, {"DELETE", ""}} {
		api.must("POST", "/proxies/redis", `{"enabled":true}`)
		api.must(change.method, "/proxies/redis", change.body)
		if c, err := net.DialTimeout("tcp", addr, patience); err == nil {
			c.Close()
			t.Errorf("%s: a dial is accepted", change.method)
		}
	}
}
