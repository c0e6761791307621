package workload

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/expr"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// An sqlCall is a compiled "sql".
type sqlCall struct {
	url, query *expr.Template
}

func sqlTitle(s Step) string {
	return cut("sql "+strings.Join(strings.Fields(s.Query), " "), 120)
}

func (c *compiler) sqlCall(s Step, names []string) caller {
	if s.Query == "" {
		c.fail("query", "a step with sql needs a query")
	}
	call := &sqlCall{c.template("sql", s.SQL, names), c.template("query", s.Query, names)}
	if call.url != nil {
		if text, ok := call.url.Constant(); ok && checkURL(text) != nil {
			c.failWith("sql", checkURL(text))
		}
	}
	return call
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil { // the parser's own text would show the password
		return errors.New("the database's URL cannot be read")
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return fmt.Errorf("no driver for databases with %q URLs (allowed: postgres)", u.Scheme)
	}
	return nil
}

// An sqlRequest is an sqlCall with its templates filled in.
type sqlRequest struct{ url, query string }

func (s *sqlCall) prepare(ctx context.Context, r *Run) (request, error) {
	address, err := s.url.RenderString(ctx, r.vars)
	if err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	if err := checkURL(address); err != nil {
		return nil, err
	}
	query, err := s.query.RenderString(ctx, r.vars)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return sqlRequest{address, query}, nil
}

func (q sqlRequest) send(ctx context.Context, r *Run) answer {
	pool, err := r.driver.pools.get(r.driver, q.url)
	if err != nil {
		return noAnswer(err, true)
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return noAnswer(because(ctx, err), true)
	}
	defer conn.Release()
	unsent := conn.Conn().IsClosed()
	rows, err := runQuery(ctx, conn.Conn(), q.query, r.driver.opts.MaxBody)
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return answer{values: map[string]any{"rows": rows, "sqlstate": said.Code}, unsure: uncertain(said.Code)}
	}
	if err != nil {
		// Not pgconn.SafeToRetry: where a connection ends under a query that is on its way, the driver says
		// that the connection was closed, and that it is safe to send it again. It is not.
		return noAnswer(because(ctx, err), unsent)
	}
	return answer{values: map[string]any{"rows": rows, "sqlstate": ""}}
}

// uncertain says whether a database's error leaves open if the statement took
// effect: it was shut down, or lost the connection, in the middle.
func uncertain(code string) bool {
	return strings.HasPrefix(code, "57") || strings.HasPrefix(code, "08") || code == "40003"
}

// runQuery runs one or more statements by the simple protocol, which leaves no
// prepared statement behind on a server that may be replaced, and returns the last one's rows.
func runQuery(ctx context.Context, conn *pgx.Conn, query string, limit int64) ([]any, error) {
	results := conn.PgConn().Exec(ctx, query)
	rows, used := []any{}, int64(0)
	for results.NextResult() {
		reader := results.ResultReader()
		rows = rows[:0:0]
		for reader.NextRow() {
			for _, raw := range reader.Values() {
				used += int64(len(raw))
			}
			if used <= limit {
				rows = append(rows, row(conn.TypeMap(), reader.FieldDescriptions(), reader.Values()))
			}
		}
	}
	if err := results.Close(); err != nil {
		return []any{}, err
	}
	if used > limit {
		return nil, fmt.Errorf("the rows are larger than %d bytes", limit)
	}
	if rows == nil {
		rows = []any{}
	}
	return rows, nil
}

func row(types *pgtype.Map, fields []pgconn.FieldDescription, raw [][]byte) map[string]any {
	values := make(map[string]any, len(fields))
	for i, f := range fields {
		values[f.Name] = column(types, f, raw[i])
	}
	return values
}

// column returns booleans, integers and floats as such, and all else as Postgres writes it.
func column(types *pgtype.Map, f pgconn.FieldDescription, raw []byte) any {
	if raw == nil {
		return nil
	}
	if t, ok := types.TypeForOID(f.DataTypeOID); ok {
		decoded, err := t.Codec.DecodeValue(types, f.DataTypeOID, f.Format, raw)
		if err == nil {
			switch x := decoded.(type) {
			case bool, int64, float64, string:
				return x
			case int16:
				return int64(x)
			case int32:
				return int64(x)
			case float32:
				return float64(x)
			}
		}
		if f.DataTypeOID == pgtype.JSONOID || f.DataTypeOID == pgtype.JSONBOID {
			return decode("application/json", raw)
		}
	}
	return string(raw)
}

// pools holds a pool of connections for each database.
type pools struct {
	mu    sync.Mutex
	known map[string]*pgxpool.Pool
}

func (p *pools) get(d *Driver, address string) (*pgxpool.Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pool := p.known[address]; pool != nil {
		return pool, nil
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New("the database's URL cannot be read")
	}
	config.MaxConns, config.MinConns = 64, 0
	config.MaxConnLifetime, config.MaxConnIdleTime = d.opts.ConnAge, time.Second
	config.ConnConfig.DialFunc = d.dial
	config.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	if p.known == nil {
		p.known = map[string]*pgxpool.Pool{}
	}
	p.known[address] = pool
	return pool, nil
}

func (p *pools) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pool := range p.known {
		go pool.Close() // which waits for queries that an abandoned run still makes
	}
	p.known = nil
}
