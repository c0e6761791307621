package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

func TestPlanHoldsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	s := newSession(t, func(p *spec.Project, _ *Options) {
		service := &p.System.Services[0]
		service.Process.Env = map[string]string{"DB_PASSWORD": secret, "PLAIN": "kept", "DATABASE_URL": "postgres://app:" + secret + "@db:5432/x"}
		service.Process.Files = map[string]string{"shop.conf": "nats: nats://u:" + secret + "@nats-1:4222,nats://u:" + secret + "@nats-2:4222"}
		service.Probes = map[string]system.Probe{"role": {SQL: &system.SQL{URL: "postgres://app:" + secret + "@{{ip}}/x", Query: "select 1"}, Value: "rows"}}
		p.Journeys[0].Data = map[string]any{"big": uint64(9007199254740993)}
		p.Journeys[0].Steps[0].Headers = map[string]string{"Authorization": "Bearer " + secret, "Idempotency-Key": "{{key}}"}
		p.Setup = []workload.Step{{SQL: "postgres://app:" + secret + "@db/x", Query: "select 1"}}
		p.Files = map[string][]byte{"compose.yaml": []byte("DATABASE_URL: postgres://app:" + secret + "@db/x"), ".env": []byte("A=" + secret)}
	})
	s.passed(t)
	s.close(t, nil)
	for _, name := range []string{"plan.json", "files/compose.yaml", "files/.env"} {
		text, err := os.ReadFile(filepath.Join(s.run.Dir(), name))
		if err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s holds the secret (%v):\n%s", name, err, text)
		}
		if name != "plan.json" {
			continue
		}
		for _, want := range []string{`"kept"`, `"{{key}}"`, `"sha256:f52fbd32b2b3…"`, "postgres://app:***@db:5432/x", "9007199254740993", "nats://u:***@nats-2:4222"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the plan lacks %s:\n%s", want, text)
			}
		}
	}
	if got := s.project.System.Services[0].Process.Env["DB_PASSWORD"]; got != secret {
		t.Errorf("the run itself goes on with %q", got)
	}
	if got := rejudged(t, s)[0]; got.Verdict != verdict.Pass {
		t.Errorf("from the redacted plan: %v %s", got.Verdict, got.Reason)
	}
}

func TestLooksSecret(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"API_KEY": true, "X-Api-Key": true, "apiKey": true, "PGPASSWORD": true, "Cookie": true, "SENTRY_DSN": true,
		"Idempotency-Key": false, "MONKEY": false, "KEYSPACE": false, "PORT": false} {
		if got := looksSecret(name); got != want {
			t.Errorf("looksSecret(%s) = %t", name, got)
		}
	}
}
