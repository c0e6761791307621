package scaffold

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// health proposes when the service is ready, and finds a path that it answers with 200.
func (t *topology) health(s *service, d dockerfile) {
	text, where := d.health, "HEALTHCHECK of the Dockerfile"
	if h := s.c.HealthCheck; h != nil && !h.Disable && len(h.Test) > 1 {
		text, where = strings.Join(h.Test[1:], " "), "healthcheck"
	}
	s.path, s.deep = "/", routeOf(s.source)
	defer func() {
		if s.deep == s.path {
			s.deep = ""
		}
	}()
	switch url := regexp.MustCompile(`https?://[\w.\-\[\]]+(?::(\d+))?(/[^\s"'|;)]*)?`).FindStringSubmatch(text); {
	case url != nil:
		port, err := strconv.Atoi(url[1])
		if err != nil {
			port = 80
		}
		s.port, s.path = port, orSlash(url[2])
		s.found("%s asks for %s on port %d", where, s.path, s.port)
		s.add("ready: {http: %q}", fmt.Sprintf("%d%s", s.port, s.path))
	case strings.HasPrefix(where, "healthcheck") && text != "":
		s.found("its healthcheck runs as it is, on the instance's own address")
		s.guess()
	case s.port == 0:
		s.fillIn("no port was found: x-assay.ready says when it is ready, such as {log: started}")
	default:
		s.guess()
		if s.path != "/" {
			s.add("ready: {http: %q}", fmt.Sprintf("%d%s", s.port, s.path))
			return
		}
		s.add("ready: {tcp: \"%d\"}", s.port)
	}
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// guess looks for the path of a health check in the source.
func (s *service) guess() {
	m := regexp.MustCompile(`["'\x60 ](/(?:healthz?|readyz?|livez?|ready|status|ping))["'\x60]`).FindStringSubmatch(s.source)
	if m != nil {
		s.path = m[1]
		s.guessed("its source has %s: it is ready when that answers", s.path)
		return
	}
	if s.port > 0 {
		s.guessed("it answers GET / on port %d with 200", s.port)
	}
}

// routeOf returns the first route of a source that is read without parameters, and is not there for operators.
func routeOf(source string) string {
	operators := []string{"healthz", "health", "readyz", "ready", "livez", "live", "status", "ping", "metrics", "docs", "favicon", "openapi", "static", "debug", "version"}
	for _, pattern := range []string{
		`(?:HandleFunc|Handle)\(\s*"GET (/[\w\-/.]*)(?:\{\$\})?"`,                 // net/http
		`\.(?:Get|GET|get)\(\s*["'\x60](/[\w\-/.]*)["'\x60]`,                      // chi, gin, echo, Express, FastAPI
		`(?:req\.url|pathname|\.URL\.Path)\s*===?\s*["'\x60](/[\w\-/.]*)["'\x60]`, // by hand
		`@\w+\.route\(\s*["'](/[\w\-/.]*)["']`,                                    // Flask
	} {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(source, -1) {
			first, _, _ := strings.Cut(strings.Trim(m[1], "/"), "/")
			if first, _, _ = strings.Cut(first, "."); !slices.Contains(operators, strings.ToLower(first)) {
				return m[1]
			}
		}
	}
	return ""
}
