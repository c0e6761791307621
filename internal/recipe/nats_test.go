package recipe_test

import (
	"encoding/json"
	"testing"

	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/internal/recipe"
)

// What a NATS answers to the probes, and what they make of it.
func TestNatsProbes(t *testing.T) {
	t.Parallel()
	svc, err := recipe.Expand("nats", recipe.Service{Name: "bus", Replicas: 3}, debian())
	if err != nil {
		t.Fatal(err)
	}
	const streams = `{"meta_cluster": {"leader": "bus-2"}, "account_details": [{"name": "$G"}, {"stream_detail": [
		{"name": "B", "state": {"last_seq": 30}, "consumer_detail": [
			{"delivered": {"consumer_seq": 35, "stream_seq": 30}}, {"delivered": {"consumer_seq": 31, "stream_seq": 30}}]},
		{"name": "A", "state": {"last_seq": 7}}]}]}`
	for _, c := range []struct {
		probe, body string
		want        any
	}{
		{"role", `{"meta_cluster": {"leader": "bus-1"}}`, "leader"},
		{"role", streams, "follower"},
		{"role", `{"meta_cluster": {}}`, "follower"},
		{"position", streams, "A=7 B=30"},
		{"position", `{}`, ""},
		{"redelivered", streams, int64(5)},
		{"redelivered", `{}`, int64(0)},
	} {
		program, err := expr.Compile(svc.Probes[c.probe].Value, expr.Names{Vars: []string{"instance", "status", "body"}})
		if err != nil {
			t.Fatalf("%s: %v", c.probe, err)
		}
		var body any
		if err := json.Unmarshal([]byte(c.body), &body); err != nil {
			t.Fatal(err)
		}
		got, err := program.Eval(t.Context(), map[string]any{"instance": "bus-1", "status": int64(200), "body": body})
		if err != nil || got != c.want {
			t.Errorf("%s of %s is %v, %v; want %v", c.probe, c.body, got, err, c.want)
		}
	}
}
