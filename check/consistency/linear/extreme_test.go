package linear

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

func extreme(name string, in, out history.Value, call, ret int64, client string) history.Op {
	return history.Op{ID: 1, Kind: history.Model, Object: "x", Client: client, Name: name, Input: in, Output: out, Outcome: history.OK, Call: time.Duration(call), Return: time.Duration(ret)}
}

// Values, times and outputs at the edge of what there is: none of them passes, or fails, by accident, and what is no operation of
// the model is unknown.
func TestExtremes(t *testing.T) {
	nilv := history.Value{}
	huge := strings.Repeat("a", 17<<20)
	for _, c := range []struct {
		name string
		m    Model
		ops  []history.Op
		want verdict.Verdict
	}{
		{"lease huge", Lease(), []history.Op{extreme("acquire", history.Int(math.MaxInt64), nilv, 1, 2, "a"), extreme("acquire", history.Int(5), nilv, 3, 4, "b")}, verdict.Fail},
		{"return forever", Register(), []history.Op{extreme("write", history.Int(1), nilv, 1, 2, "a"), extreme("read", nilv, history.Int(9), 3, math.MaxInt64, "b")}, verdict.Unknown},
		{"return forever q", Queue(), []history.Op{extreme("dequeue", nilv, history.Int(9), 3, math.MaxInt64, "b")}, verdict.Unknown},
		{"dup read", Set(), []history.Op{extreme("add", history.Int(1), nilv, 1, 2, "a"), extreme("read", nilv, history.List(history.Int(1), history.Int(1)), 3, 4, "b")}, verdict.Fail},
		{"huge elements", Set(), []history.Op{extreme("add", history.String(huge), nilv, 1, 2, "a"), extreme("add", history.String("b"), nilv, 1, 2, "a"), extreme("read", nilv, history.List(history.String("b"), history.String(huge)), 3, 4, "b")}, verdict.Pass},
		{"nan", Register(), []history.Op{extreme("write", history.Float(math.NaN()), nilv, 1, 2, "a"), extreme("read", nilv, history.Float(math.Float64frombits(0x7ff8000000000002)), 3, 4, "b")}, verdict.Pass},
		{"1 and 1.0", Register(), []history.Op{extreme("write", history.Int(1), nilv, 1, 2, "a"), extreme("read", nilv, history.Float(1), 3, 4, "b")}, verdict.Fail},
		{"1 and '1'", Register(), []history.Op{extreme("write", history.Int(1), nilv, 1, 2, "a"), extreme("read", nilv, history.String("1"), 3, 4, "b")}, verdict.Fail},
		{"min int", Register(), []history.Op{extreme("write", history.Int(math.MinInt64), nilv, 1, 2, "a"), extreme("write", history.Int(-1), nilv, 1, 2, "a"), extreme("read", nilv, history.Int(math.MinInt64), 3, 4, "b"), extreme("read", nilv, history.Int(math.MaxInt64), 3, 4, "b")}, verdict.Fail},
		{"counter wrap", Counter(), []history.Op{extreme("add", history.Int(math.MaxInt64), nilv, 1, 2, "a"), extreme("add", history.Int(1), nilv, 1, 2, "a"), extreme("read", nilv, history.Int(math.MinInt64), 3, 4, "b")}, verdict.Unknown},
		{"log big offset", Log(), []history.Op{extreme("append", history.Int(7), nilv, 1, 2, "a"), extreme("read", history.Int(math.MaxInt64), nilv, 3, 4, "b")}, verdict.Pass},
		{"negative ids", Log(), []history.Op{extreme("append", history.Int(7), history.Int(-1), 1, 2, "a")}, verdict.Fail},
		{"append output word", Log(), []history.Op{extreme("append", history.Int(7), history.String("0"), 1, 2, "a")}, verdict.Fail},
		{"append output true", Counter(), []history.Op{extreme("add", history.Int(7), history.String("7"), 1, 2, "a")}, verdict.Fail},
		{"set add word", Set(), []history.Op{extreme("add", history.Int(1), history.String("false"), 1, 2, "a"), extreme("add", history.Int(1), history.Int(1), 1, 2, "a")}, verdict.Unknown},
		{"delete int", KV(), []history.Op{extreme("delete", nilv, history.Int(1), 1, 2, "a")}, verdict.Unknown},
		{"log list not list", Log(), []history.Op{extreme("read", nilv, history.Int(3), 1, 2, "a")}, verdict.Unknown},
		{"log read nil", Log(), []history.Op{extreme("read", nilv, nilv, 1, 2, "a")}, verdict.Pass},
		{"neg times", Register(), []history.Op{extreme("write", history.Int(1), nilv, math.MinInt64, math.MinInt64+1, "a"), extreme("read", nilv, nilv, 3, 4, "b")}, verdict.Unknown},
		{"min read", Register(), []history.Op{extreme("read", nilv, nilv, math.MinInt64, math.MinInt64, "b")}, verdict.Unknown},
		{"max-1", Queue(), []history.Op{extreme("enqueue", history.Int(1), nilv, 1, 2, "a"), extreme("dequeue", nilv, history.Int(1), 3, math.MaxInt64-1, "b"), extreme("dequeue", nilv, history.Int(1), 3, math.MaxInt64-1, "b")}, verdict.Unknown},
		{"multi short out", MultiRegister(history.Value{}), []history.Op{extreme("txn", history.List(history.List(history.String("w"), history.Int(1), history.Int(1))), history.List(nilv), 1, 2, "a")}, verdict.Pass},
		{"multi swapped out", MultiRegister(history.Value{}), []history.Op{extreme("txn", history.List(history.List(history.String("r"), history.Int(1), nilv)), history.List(history.List(history.String("r"), history.Int(2), nilv)), 1, 2, "a")}, verdict.Unknown},
		{"multi not list", MultiRegister(history.Value{}), []history.Op{extreme("txn", history.Int(3), nilv, 1, 2, "a")}, verdict.Unknown},
	} {
		for _, o := range []Options{{}, {Search: true}} {
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Errorf("%s: panic %v", c.name, r)
					}
				}()
				res := Check(t.Context(), c.m, c.ops, o)
				if res.Verdict != c.want {
					t.Errorf("%s search=%v: %v, want %v: %.200s [%s]", c.name, o.Search, res.Verdict, c.want, res.Reason, res.Engine)
				}
				if err := Certify(c.m, c.ops, res); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}()
		}
	}
}
