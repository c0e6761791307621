package workload_test

import (
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// TestSQLCutUnderAQuery: a database that dies with a query in its hands may have done
// what it asked for. Found with a Postgres that was killed while it waited for its standby.
func TestSQLCutUnderAQuery(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go dieUnderQuery(conn)
		}
	}()
	op, rec := one(t, workload.Options{}, workload.Step{SQL: "postgres://app@" + listener.Addr().String() + "/x?sslmode=disable",
		Query: "insert into t values (1)", Expect: `sqlstate == ""`, Record: []workload.Record{{Op: "append", Object: "t", Value: "item"}}})
	if op.Outcome != history.Maybe {
		t.Errorf("the step is %v (%s), want maybe", op.Outcome, op.Error)
	}
	if model := rec.kind(history.Model); len(model) != 1 || model[0].Outcome != history.Maybe {
		t.Errorf("the append is %+v, want maybe", model)
	}
}

// dieUnderQuery is a Postgres that lets everybody in, reads one query and closes the connection.
func dieUnderQuery(conn net.Conn) {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if backend.Flush() != nil {
		return
	}
	for {
		if message, err := backend.Receive(); err != nil {
			return
		} else if query, ok := message.(*pgproto3.Query); ok && query.String != "" && query.String != "-- ping" {
			return
		}
	}
}
