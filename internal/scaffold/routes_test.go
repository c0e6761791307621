package scaffold

import "testing"

// The second journey is to go through what is behind the service, and to be answered with 200.
func TestRoutes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, source string // path is that of the first journey
		deep         string
		deepAsks     bool
		asks         bool
		post         string
	}{
		"nothing":                       {"/", `listen(80)`, "", false, false, ""},
		"users' path":                   {"/healthz", `mux.HandleFunc("GET /healthz", ok); mux.HandleFunc("GET /items", items)`, "/items", false, false, ""},
		"readiness that asks":           {"/healthz", "mux.HandleFunc(\"GET /items\", items)\nmux.HandleFunc(\"GET /readyz\", s.ready)\n\nfunc (s *server) ready(w http.ResponseWriter, r *http.Request) {\n\tif err := s.db.PingContext(r.Context()); err != nil {\n", "/readyz", true, false, ""},
		"readiness that does not":       {"/healthz", "mux.HandleFunc(\"GET /readyz\", s.ready)\nmux.HandleFunc(\"GET /items\", s.items)\nfunc (s *server) ready() {\n}\nfunc (s *server) items() {\n\ts.db.Query(\"select\")\n}", "/items", true, false, ""},
		"readiness by its name":         {"/healthz", `app.get("/readyz", handlers[0])`, "/readyz", false, false, ""},
		"the health check asks":         {"/health", "@app.get(\"/health\")\ndef health():\n    cursor.execute(\"select 1\")\n", "", false, true, ""},
		"the health check asks, query":  {"/health?deep=1", "@app.get(\"/health\")\ndef health():\n    cursor.execute(\"select 1\")\n", "", false, true, ""},
		"and there is a users' path":    {"/health", "@app.get(\"/health\")\ndef health():\n    db.execute(\"select 1\")\n\n@app.get(\"/items\")\ndef items():\n    return db.execute(\"select * from items\")\n", "", false, true, ""},
		"only written to, Flask":        {"/health", "@app.route(\"/notes\", methods=[\"POST\"])\ndef add(): pass\n", "", false, false, "/notes"},
		"read and written, Flask":       {"/health", "@app.route(\"/notes\", methods=[\"GET\", \"POST\"])\ndef notes(): pass\n", "/notes", false, false, ""},
		"only written to, by hand":      {"/health", `if (req.method === 'POST' && req.url === '/notes') {`, "", false, false, "/notes"},
		"a line of its own, by hand":    {"/health", "if (url.pathname === '/ready') { await pool.query('select 1'); }\nif (url.pathname === '/notes') {}", "/ready", true, false, ""},
		"another service":               {"/health", "mux.HandleFunc(\"GET /quote\", func(w http.ResponseWriter, r *http.Request) {\n\tanswer, err := http.Get(back)\n", "/quote", true, false, ""},
		"the next route's is not its":   {"/health", "app.get('/a', (req, res) => res.send())\napp.post('/b', async (req, res) => pool.query(x))", "/a", false, false, "/b"},
		"a table":                       {"/healthz", "'GET /healthz': () => ok,\n'GET /events/:event': x,\n'GET /events': async () => { await pool.query(all) },\n'POST /bookings': book", "/events", true, false, "/bookings"},
		"a handler that nobody defines": {"/health", `mux.HandleFunc("GET /a", lib.Query)`, "/a", false, false, ""},
	} {
		s := &service{path: c.path, source: c.source}
		s.routes()
		if s.deep != c.deep || s.deepAsks != c.deepAsks || s.asks != c.asks || s.post != c.post {
			t.Errorf("%s: got %q %v, asks %v, post %q; want %q %v, %v, %q", name, s.deep, s.deepAsks, s.asks, s.post, c.deep, c.deepAsks, c.asks, c.post)
		}
	}
}
