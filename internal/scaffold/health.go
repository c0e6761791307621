package scaffold

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// health proposes when the service is ready, and finds a path that it answers with 200.
func (t *topology) health(s *service, d dockerfile) {
	text, where := d.health, "HEALTHCHECK of the Dockerfile"
	if h := s.c.HealthCheck; h != nil && !h.Disable && len(h.Test) > 1 {
		text, where = strings.Join(h.Test[1:], " "), "healthcheck"
	}
	s.path = "/"
	defer s.routes()
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
