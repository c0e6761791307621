package plain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func known(name string) bool {
	return slices.Contains([]string{"db", "db-1", "db-2", "nats", "nats-1", "payments", "orders"}, name)
}

// mark shows what was found: db:5432 becomes <db:5432>:5432.
func mark(ref reference) (string, error) {
	text := ref.Host
	if ref.Port > 0 {
		text += fmt.Sprintf(":%d", ref.Port)
	}
	return "<" + strings.TrimPrefix(ref.Scheme+"!"+text, "!") + ">", nil
}

func TestRewriteHosts(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"host and port", "payments:9090", "<payments:9090>:9090"},
		{"in a flag", "--target=payments:9090 -v", "--target=<payments:9090>:9090 -v"},
		{"in JSON", `{"addr":"payments:9090"}`, `{"addr":"<payments:9090>:9090"}`},
		{"URL", "http://payments:9090/v1?x=1", "http://<http!payments:9090>:9090/v1?x=1"},
		{"URL without port", "http://payments/v1", "http://<http!payments>/v1"},
		{"URL, host only", "redis://db", "redis://<redis!db>"},
		{"URL with user", "postgres://app:pw@db-1:5432/app", "postgres://app:pw@<postgres!db-1:5432>:5432/app"},
		{"URL with user, no port", "postgres://app@db/app", "postgres://app@<postgres!db>/app"},
		{"user named like a service", "postgres://orders:orders@db:5432/orders", "postgres://orders:orders@<postgres!db:5432>:5432/orders"},
		{"password of digits", "postgres://orders:1234@db:5432/x", "postgres://orders:1234@<postgres!db:5432>:5432/x"},
		{"list in one URL", "postgres://a:b@db-1:5432,db-2:5432/app", "postgres://a:b@<postgres!db-1:5432>:5432,<postgres!db-2:5432>:5432/app"},
		{"list in one URL, no ports", "mongodb://db-1,db-2/app", "mongodb://<mongodb!db-1>,<mongodb!db-2>/app"},
		{"list of URLs", "nats://nats-1:4222,nats://db:4222", "nats://<nats!nats-1:4222>:4222,nats://<nats!db:4222>:4222"},
		{"list of addresses", "db-1:5432,db-2:5432", "<db-1:5432>:5432,<db-2:5432>:5432"},
		{"scheme named like a service", "nats://127.0.0.1:4222", "nats://127.0.0.1:4222"},
		{"user and host", "ssh app@db ls", "ssh app@<db> ls"},
		{"Go's MySQL form", "app:pw@tcp(db:3306)/app", "app:pw@tcp(<db:3306>:3306)/app"},
		{"end of a sentence", "dial db:5432.", "dial <db:5432>:5432."},
		{"in a file", "routes = [\n  nats://nats-1:6222\n]", "routes = [\n  nats://<nats!nats-1:6222>:6222\n]"},

		{"longer name before", "xpayments:9090", "xpayments:9090"},
		{"longer name after", "paymentsx:9090", "paymentsx:9090"},
		{"another instance", "db-3:5432", "db-3:5432"},
		{"in a domain", "payments.example.com:9090", "payments.example.com:9090"},
		{"end of a domain", "example.payments:9090", "example.payments:9090"},
		{"in a path", "/var/lib/payments:9090", "/var/lib/payments:9090"},
		{"in a URL's path", "http://127.0.0.1/payments:9090", "http://127.0.0.1/payments:9090"},
		{"in a URL's query", "http://127.0.0.1?db=orders", "http://127.0.0.1?db=orders"},
		{"image", "shop/orders:1", "shop/orders:1"},
		{"version", "orders:1.2.3", "orders:1.2.3"},
		{"a word", "the orders of the db", "the orders of the db"},
		{"no port", "orders:latest", "orders:latest"},
		{"port zero", "orders:0", "orders:0"},
		{"port too high", "orders:65536", "orders:65536"},
		{"port with letters", "orders:80a", "orders:80a"},
		{"longer digits", "orders:123456", "orders:123456"},
		{"another domain after @", "app@db.example.com", "app@db.example.com"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := rewriteHosts(c.text, known, mark); err != nil || got != c.want {
				t.Errorf("%q becomes\n%q, %v; want\n%q", c.text, got, err, c.want)
			}
		})
	}
}

func TestRewriteHostList(t *testing.T) {
	for text, want := range map[string]string{
		"db":             "<db>",
		"db-1,db-2":      "<db-1>,<db-2>",
		"db-1, db-2":     "<db-1>, <db-2>",
		"db-1:5432,db-2": "<db-1:5432>:5432,<db-2>",
		"http://db":      "http://<http!db>",
		"my db":          "my db",
		"0.0.0.0":        "0.0.0.0",
	} {
		if got, err := rewriteHostList(text, known, mark); err != nil || got != want {
			t.Errorf("%q becomes %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestSaysHost(t *testing.T) {
	for name, want := range map[string]bool{
		"DB_HOST": true, "PGHOST": true, "db_hostname": true, "NATS_ADDR": true, "BACKEND_ADDRESS": true, "MEMCACHED_SERVERS": true,
		"HOSTNAME": false, "SERVER_NAME": false, "SERVER_ID": false, "DB": false, "MODE": false,
	} {
		if got := saysHost(name); got != want {
			t.Errorf("saysHost(%s) = %v, want %v", name, got, want)
		}
	}
}

// Whatever the text: nothing but whole known names is replaced, and replacing a
// name by itself changes nothing.
func FuzzRewriteHosts(f *testing.F) {
	for _, text := range []string{"db:5432", "http://a:b@db,nats:1/x@db", "nats://nats://db:1", "a@db:", "db:1@", "://db"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		same, err := rewriteHosts(text, known, func(ref reference) (string, error) {
			if !known(ref.Host) || ref.Port < 0 || ref.Port > 65535 {
				t.Errorf("%q: found %+v", text, ref)
			}
			return ref.Host, nil
		})
		if err != nil || same != text {
			t.Errorf("%q becomes %q, %v", text, same, err)
		}
	})
}
