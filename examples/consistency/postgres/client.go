// Package postgres shows how the consistency of Postgres is judged over pgx: transactions over lists and a bank at each isolation
// level; a register, a set and a queue, each done right and as it is often done wrong.
package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/assay-dev/assay/workload/model"
)

// Schema makes the tables that the clients use, and empties them.
const Schema = `
drop table if exists lists, accounts, registers, members, jobs;
create table lists (key text primary key, items bigint[] not null);
create table accounts (id int primary key, balance bigint not null);
create table registers (key text primary key, value bigint not null);
create table members (value bigint not null);
create table jobs (id bigserial primary key, value bigint not null)`

// A Client does transactions at one isolation level. It is a model.Lists and a model.Bank.
type Client struct {
	URL   string
	Level pgx.TxIsoLevel
	// Meeting, if there is one, is where transactions meet after their first statement, so that they overlap.
	Meeting *model.Meeting
	conn    *pgx.Conn // nil until it is needed, and closed by pgx where an answer did not come in time
}

var (
	_ model.Lists = (*Client)(nil)
	_ model.Bank  = (*Client)(nil)
)

// Close closes the connection.
func (c *Client) Close() error {
	if c.conn == nil || c.conn.IsClosed() {
		return nil
	}
	return c.conn.Close(context.Background())
}

// in does work in one transaction. An error before the commit was sent is refused: what is not committed is rolled back, whatever
// becomes of the connection. One of the commit is refused only where Postgres said that it rolled back.
func (c *Client) in(ctx context.Context, work func(tx pgx.Tx) error) error {
	if c.conn == nil || c.conn.IsClosed() {
		conn, err := pgx.Connect(ctx, c.URL)
		if err != nil {
			return model.Refused(err)
		}
		c.conn = conn
	}
	tx, err := c.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: c.Level})
	if err != nil {
		return model.Refused(err)
	}
	if err := work(tx); err != nil {
		return model.Refused(errors.Join(err, tx.Rollback(ctx)))
	}
	err = tx.Commit(ctx)
	if rolledBack(err) {
		return model.Refused(err)
	}
	return err
}

// rolledBack says whether a commit certainly came to nothing. Other codes do not say so: a server that shuts down while it waits
// for a standby reports 57P01, and has committed.
func rolledBack(err error) bool {
	var answer *pgconn.PgError
	return errors.Is(err, pgx.ErrTxCommitRollback) ||
		errors.As(err, &answer) && (answer.Code == "40001" || answer.Code == "40P01" || strings.HasPrefix(answer.Code, "23"))
}

// Txn appends to lists and reads them.
func (c *Client) Txn(ctx context.Context, ops []model.Micro) error {
	return c.in(ctx, func(tx pgx.Tx) error {
		for i, op := range ops {
			var err error
			if op.Append {
				_, err = tx.Exec(ctx, `insert into lists values ($1, array[$2::bigint]) on conflict (key) do update set items = lists.items || $2::bigint`, op.Key, op.Value)
			} else if err = tx.QueryRow(ctx, `select items from lists where key = $1`, op.Key).Scan(&ops[i].List); errors.Is(err, pgx.ErrNoRows) {
				err = nil
			}
			if err != nil {
				return err
			}
			if i == 0 {
				c.Meeting.Meet(ctx)
			}
		}
		return nil
	})
}

// Transfer reads both balances and writes what they come to, as programs do that compute in their own language.
func (c *Client) Transfer(ctx context.Context, from, to int, amount int64) error {
	return c.in(ctx, func(tx pgx.Tx) error {
		var has, gets int64
		if err := tx.QueryRow(ctx, `select balance from accounts where id = $1`, from).Scan(&has); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select balance from accounts where id = $1`, to).Scan(&gets); err != nil {
			return err
		}
		c.Meeting.Meet(ctx)
		if has < amount {
			return model.ErrFunds
		}
		if _, err := tx.Exec(ctx, `update accounts set balance = $2 where id = $1`, from, has-amount); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update accounts set balance = $2 where id = $1`, to, gets+amount)
		return err
	})
}

// Balances reads all accounts, one after the other, as a program does that adds them up itself.
func (c *Client) Balances(ctx context.Context) (all []int64, err error) {
	err = c.in(ctx, func(tx pgx.Tx) error {
		var count int
		if err := tx.QueryRow(ctx, `select count(*) from accounts`).Scan(&count); err != nil {
			return err
		}
		all = make([]int64, count)
		for id := range all {
			if err := tx.QueryRow(ctx, `select balance from accounts where id = $1`, id).Scan(&all[id]); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
