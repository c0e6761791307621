package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/assay-dev/assay/workload/model"
)

// A Register keeps a number for each key.
type Register struct {
	Client
	// Careless compares in the program what it read, and then writes, as if nobody else did.
	Careless bool
}

var _ model.Swapper = (*Register)(nil)

// Read returns the number of a key.
func (r *Register) Read(ctx context.Context, key string) (value int64, found bool, err error) {
	err = r.in(ctx, func(tx pgx.Tx) error {
		value, found, err = one(tx.QueryRow(ctx, `select value from registers where key = $1`, key))
		return err
	})
	return value, found, err
}

// Write writes the number of a key.
func (r *Register) Write(ctx context.Context, key string, value int64) error {
	return r.in(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into registers values ($1, $2) on conflict (key) do update set value = $2`, key, value)
		return err
	})
}

// Swap writes to, if the key has from.
func (r *Register) Swap(ctx context.Context, key string, from, to int64) (swapped bool, err error) {
	err = r.in(ctx, func(tx pgx.Tx) error {
		if !r.Careless {
			done, err := tx.Exec(ctx, `update registers set value = $3 where key = $1 and value = $2`, key, from, to)
			swapped = done.RowsAffected() == 1
			return err
		}
		value, found, err := one(tx.QueryRow(ctx, `select value from registers where key = $1`, key))
		if swapped = found && value == from; err != nil || !swapped {
			return err
		}
		r.Meeting.Meet(ctx)
		_, err = tx.Exec(ctx, `update registers set value = $2 where key = $1`, key, to)
		return err
	})
	return swapped && err == nil, err
}

// A Set keeps numbers. Whether what is acknowledged survives a crash of the server is said by synchronous_commit, in the URL.
type Set struct{ Client }

var _ model.Set = (*Set)(nil)

// Add adds a number.
func (s *Set) Add(ctx context.Context, value int64) error {
	return s.in(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into members values ($1)`, value)
		return err
	})
}

// Read returns all numbers.
func (s *Set) Read(ctx context.Context) (all []int64, err error) {
	err = s.in(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select value from members`)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	return all, err
}

// A Queue is a table of jobs.
type Queue struct {
	Client
	// Careless looks for the next job, and then takes it, as if nobody else did.
	Careless bool
}

var _ model.Queue = (*Queue)(nil)

// Enqueue adds a job.
func (q *Queue) Enqueue(ctx context.Context, value int64) error {
	return q.in(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into jobs (value) values ($1)`, value)
		return err
	})
}

// Dequeue takes the first job that nobody else is taking. It may say that there is none while the last ones are being taken.
func (q *Queue) Dequeue(ctx context.Context) (value int64, found bool, err error) {
	err = q.in(ctx, func(tx pgx.Tx) error {
		if !q.Careless {
			value, found, err = one(tx.QueryRow(ctx, `delete from jobs where id = (select id from jobs order by id limit 1 for update skip locked) returning value`))
			return err
		}
		if value, found, err = one(tx.QueryRow(ctx, `select value from jobs order by id limit 1`)); err != nil || !found {
			return err
		}
		q.Meeting.Meet(ctx)
		_, err = tx.Exec(ctx, `delete from jobs where value = $1`, value)
		return err
	})
	return value, found && err == nil, err
}

// one is the number of a row, and whether there was one.
func one(row pgx.Row) (value int64, found bool, err error) {
	err = row.Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return value, err == nil, err
}
