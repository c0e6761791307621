package plain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/system"
)

// maxBody bounds how much of an answer is read.
const maxBody = 1 << 20

// questions compiles the probes of a service, so that a mistake in one is found before anything starts.
func (r *renderer) questions(ctx context.Context, service system.Service) (map[string]question, error) {
	questions := map[string]question{}
	for _, name := range slices.Sorted(maps.Keys(service.Probes)) {
		q, err := r.question(ctx, name, service.Probes[name])
		if err != nil {
			return nil, err
		}
		questions[name] = q
	}
	return questions, nil
}

func (r *renderer) question(ctx context.Context, name string, probe system.Probe) (question, error) {
	probe, err := r.probe(ctx, name, probe)
	if err != nil {
		return question{}, err
	}
	vars := probeVars(probe)
	if vars == nil {
		return question{}, fmt.Errorf("%s: probe %s asks nothing (set one of http, sql and exec)", r.inst.Name, name)
	}
	value, err := expr.Compile(probe.Value, expr.Names{Vars: vars})
	if err != nil {
		return question{}, fmt.Errorf("%s: probe %s: value: %w", r.inst.Name, name, err)
	}
	return question{probe, value}, nil
}

// probeVars are the names that the value of a probe may use.
func probeVars(probe system.Probe) []string {
	switch {
	case probe.HTTP != "":
		return []string{"instance", "status", "body"}
	case probe.SQL != nil:
		return []string{"instance", "rows"}
	case len(probe.Exec) > 0:
		return []string{"instance", "stdout", "exit"}
	}
	return nil
}

// Probe asks the instance and returns the answer as CEL gave it. An instance
// that does not answer in time is an error, and so is an answer that lacks what Value reads.
func (n *node) Probe(ctx context.Context, name string) (any, error) {
	ctx, cancel := n.env.alive(ctx)
	defer cancel()
	q, ok := n.probes[name]
	if !ok {
		return nil, fmt.Errorf("probe %s of %s: the topology declares no such probe (declared: %s)", name, n.inst.Name, strings.Join(slices.Sorted(maps.Keys(n.probes)), ", "))
	}
	value, err := n.evaluate(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("probe %s of %s: %w", name, n.inst.Name, err)
	}
	return value, nil
}

func (n *node) evaluate(ctx context.Context, q question) (any, error) {
	answer, err := n.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	answer["instance"] = n.inst.Name
	return q.value.Eval(ctx, answer)
}

func (n *node) ask(ctx context.Context, q question) (map[string]any, error) {
	switch {
	case q.HTTP != "":
		status, body, err := n.get(ctx, q.HTTP, maxBody)
		return map[string]any{"status": int64(status), "body": decodeBody(body)}, err
	case q.SQL != nil:
		rows, err := query(ctx, *q.SQL)
		return map[string]any{"rows": rows}, err
	}
	out, code, err := n.run(ctx, q.Exec)
	return map[string]any{"stdout": strings.TrimSpace(out), "exit": int64(code)}, err
}

// decodeBody returns JSON as CEL's types, and anything else as text.
func decodeBody(body []byte) any {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil || dec.More() {
		return string(body)
	}
	return plainJSON(value)
}

// plainJSON turns numbers into int64 where they are integers, else float64, at any depth.
func plainJSON(value any) any {
	switch value := value.(type) {
	case json.Number:
		if i, err := value.Int64(); err == nil {
			return i
		}
		f, _ := value.Float64()
		return f
	case []any:
		for i := range value {
			value[i] = plainJSON(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = plainJSON(value[key])
		}
	}
	return value
}

// query asks a database. Each question connects anew, so that it is also one to the listener.
func query(ctx context.Context, sql system.SQL) ([]any, error) {
	u, err := url.Parse(sql.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		scheme, _, _ := strings.Cut(sql.URL, ":")
		return nil, fmt.Errorf("sql: databases of scheme %q cannot be asked (known: postgres)", scheme)
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, sql.URL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql.Query)
	if err != nil {
		return nil, err
	}
	maps, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(maps))
	for i, row := range maps {
		for column, value := range row {
			row[column] = plainSQL(value)
		}
		list[i] = row
	}
	return list, nil
}

// plainSQL turns what the driver returns into CEL's types; what has none becomes text.
func plainSQL(value any) any {
	switch value := value.(type) {
	case nil, bool, int64, float64, string:
		return value
	case int16:
		return int64(value)
	case int32:
		return int64(value)
	case uint32:
		return int64(value)
	case float32:
		return float64(value)
	case []byte:
		return string(value)
	case time.Time:
		return value.Format(time.RFC3339Nano)
	case []any:
		for i := range value {
			value[i] = plainSQL(value[i])
		}
		return value
	case map[string]any:
		for key := range value {
			value[key] = plainSQL(value[key])
		}
		return value
	}
	return fmt.Sprint(value)
}
