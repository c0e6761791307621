package toxiproxy

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Handler returns the API. It takes no lock of its own, so any number of servers may share it.
func (s *Set) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Set) serve(w http.ResponseWriter, r *http.Request) {
	at := r.URL.EscapedPath()
	if clean := cleanPath(at); clean != at {
		if r.URL.RawQuery != "" {
			clean += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", clean)
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	methods, v := route(at)
	if methods == nil {
		http.NotFound(w, r)
		return
	}
	do := methods[r.Method]
	if any := methods[anyMethod]; any != nil {
		do = any
	}
	if do == nil {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("X-Toxiproxy-Request-Id", requestID())
	if strings.HasPrefix(r.UserAgent(), "Mozilla/") { // a page in a browser must not reach the API
		http.Error(w, "User agent not allowed", http.StatusForbidden)
		return
	}
	do(s, w, r, v)
}

// anyMethod stands for all methods.
const anyMethod = "*"

// route returns what there is at a path, by method, and the names in the path; nil where there is nothing.
// The segments are split before they are unescaped, so a name may hold a slash.
func route(at string) (map[string]endpoint, vars) {
	parts := strings.Split(strings.TrimPrefix(at, "/"), "/")
	names := make([]string, len(parts))
	for i, part := range parts {
		name, err := url.PathUnescape(part)
		if err != nil || name == "" {
			return nil, vars{}
		}
		names[i] = name
	}
	switch {
	case len(names) == 1:
		return topLevel(names[0]), vars{}
	case names[0] != "proxies" || len(names) > 2 && names[2] != "toxics":
	case len(names) == 2:
		return map[string]endpoint{"GET": inJSON(showProxy), "POST": inJSON(updateProxy), "PATCH": inJSON(updateProxy), "DELETE": inJSON(deleteProxy)}, vars{proxy: names[1]}
	case len(names) == 3:
		return map[string]endpoint{"GET": inJSON(listToxics), "POST": inJSON(createToxic)}, vars{proxy: names[1]}
	case len(names) == 4:
		return map[string]endpoint{"GET": inJSON(showToxic), "POST": inJSON(updateToxic), "PATCH": inJSON(updateToxic), "DELETE": inJSON(deleteToxic)},
			vars{proxy: names[1], toxic: names[3]}
	}
	return nil, vars{}
}

func topLevel(name string) map[string]endpoint {
	switch name {
	case "proxies":
		return map[string]endpoint{"GET": inJSON(listProxies), "POST": inJSON(createProxy)}
	case "populate":
		return map[string]endpoint{"POST": inJSON(populate)}
	case "reset":
		return map[string]endpoint{"POST": inJSON(reset)}
	case "version":
		return map[string]endpoint{"GET": serveVersion}
	case "metrics":
		return map[string]endpoint{anyMethod: serveMetrics}
	}
	return nil
}

// cleanPath is path.Clean that keeps a slash at the end.
func cleanPath(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}
