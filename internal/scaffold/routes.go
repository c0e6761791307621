package scaffold

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A route is a path that a source answers, and how sure it is that it goes through what is behind the service.
type route struct {
	method, path string
	asks         bool // its handler asks a database, a cache or another service
}

// operators are first parts of paths that no user asks for.
func operators() []string {
	return []string{"healthz", "health", "healthcheck", "readyz", "ready", "readiness", "livez", "live", "liveness", "status", "ping", "metrics", "docs", "favicon", "openapi", "static", "debug", "version"}
}

func (r route) forOperators() bool {
	first, _, _ := strings.Cut(strings.Trim(r.path, "/"), "/")
	first, _, _ = strings.Cut(first, ".")
	return slices.Contains(operators(), strings.ToLower(first))
}

// routes picks the path of the second journey: one that goes through what is behind the service. First comes a health
// check that asks there, since it answers 200 without data, then a path of users, then what is called ready.
func (s *service) routes() {
	s.deep, s.deepAsks, s.asks = "", false, false
	all := routesOf(s.source)
	s.asks = slices.ContainsFunc(all, func(r route) bool { return r.path == pathOf(s.path) && r.asks })
	for _, fits := range []func(route) bool{
		func(r route) bool { return r.forOperators() && r.asks },
		func(r route) bool { return !r.forOperators() && r.asks },
		func(r route) bool { return !r.forOperators() },
		func(r route) bool { return strings.HasPrefix(strings.TrimPrefix(r.path, "/"), "read") },
	} {
		i := slices.IndexFunc(all, func(r route) bool { return r.method == "GET" && fits(r) })
		if i < 0 {
			continue
		}
		if all[i].path != pathOf(s.path) {
			s.deep, s.deepAsks = all[i].path, all[i].asks
		}
		if s.deep != "" || s.asks {
			break
		}
	}
	if i := slices.IndexFunc(all, func(r route) bool { return r.method == "POST" }); i >= 0 {
		s.post = all[i].path
	}
}

// pathOf is a path without its query.
func pathOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// routesOf returns the routes of a source that are without parameters, in its order.
func routesOf(source string) []route {
	const path = `["'\x60](/[\w\-/.]*)["'\x60]`
	at := map[int]route{}
	for _, p := range []struct {
		pattern string
		alone   bool // the method is elsewhere on the line
	}{
		{`(?:HandleFunc|Handle)\(\s*"(GET|POST) (/[\w\-/.]*)(?:\{\$\})?"`, false},              // net/http
		{`["'](GET|POST) (/[\w\-/.]*)["']\s*:`, false},                                         // a table
		{`\.(Get|GET|get|Post|POST|post)\(\s*` + path, false},                                  // chi, gin, echo, Express, FastAPI
		{`(?:req\.url|pathname|\.URL\.Path|self\.path)\s*={2,3}\s*` + path + `([^\n]*)`, true}, // by hand
		{`@\w+\.route\(\s*` + path + `([^\n]*)`, true},                                         // Flask
	} {
		for _, m := range regexp.MustCompile(p.pattern).FindAllStringSubmatchIndex(source, -1) {
			if !p.alone {
				at[m[0]] = route{strings.ToUpper(source[m[2]:m[3]]), source[m[4]:m[5]], asks(source, m[1])}
				continue
			}
			line := source[strings.LastIndexByte(source[:m[0]], '\n')+1 : m[1]]
			at[m[0]] = route{methodIn(line), source[m[2]:m[3]], asks(source, m[3]+1)}
		}
	}
	var found []route
	for _, i := range slices.Sorted(maps.Keys(at)) {
		found = append(found, at[i])
	}
	return found
}

// methodIn returns the method that a line compares with or declares, GET where it names none.
func methodIn(line string) string {
	m := regexp.MustCompile(`["'](GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)["']`).FindAllStringSubmatch(line, -1)
	if len(m) == 0 || slices.ContainsFunc(m, func(one []string) bool { return one[1] == "GET" }) {
		return "GET"
	}
	return m[0][1]
}

// asks says whether the handler of a route asks something beyond the program. It is what follows the route up to the
// next one, or a function that is named there.
func asks(source string, after int) bool {
	const most = 600
	next := regexp.MustCompile(`["'\x60](?:(?:GET|POST|PUT|PATCH|DELETE) )?/[\w\-/.{}:]*["'\x60]`)
	body := func(text string) string {
		if i := next.FindStringIndex(text); i != nil {
			text = text[:i[0]]
		}
		return text[:min(len(text), most)]
	}
	text := source[after:]
	if name := regexp.MustCompile(`^\s*,\s*(?:\w+\.)*(\w+)\s*\)`).FindStringSubmatch(text); name != nil {
		defined := regexp.MustCompile(`(?m)^\s*(?:export )?(?:async )?(?:func (?:\([^)]*\) )?|function |def |const )` + name[1] + `\b`).FindStringIndex(source)
		if defined == nil {
			return false
		}
		text = source[defined[1]:]
		if end := regexp.MustCompile(`\n[}\])]|\n(?:func|def|function|const) `).FindStringIndex(text); end != nil {
			text = text[:end[0]]
		}
	}
	calls := `(?i:query\w*|execute\w*|fetch\w*|select\w*|ping\w*|\w*connect|dial\w*|cursor|findmany|findone)|Exec|ExecContext|http\.(?:Get|Post)|requests\.(?:get|post)|axios(?:\.\w+)?|Do`
	return regexp.MustCompile(`\b(?:` + calls + `)\(|(?i)\bselect 1\b`).MatchString(body(text))
}
