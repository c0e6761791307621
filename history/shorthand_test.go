package history

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// told is an operation as one line.
func told(op Op) string {
	return fmt.Sprintf("%d %s:%s key=%v in=%v out=%v %v %d-%d", op.ID, op.Client, op.Name, op.Key, op.Input, op.Output, op.Outcome, op.Call/time.Millisecond, op.Return/time.Millisecond)
}

func TestShorthand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"0:w1 1:r1", []string{"1 0:write key=null in=1 out=null ok 1-2", "2 1:read key=null in=null out=1 ok 3-4"}},
		{"0:w1( 1:r1 0:)", []string{"1 0:write key=null in=1 out=null ok 1-4", "2 1:read key=null in=null out=1 ok 2-3"}},
		{"0:w1?( 1:r 0:)", []string{"1 0:write key=null in=1 out=null maybe 1-4", "2 1:read key=null in=null out=null ok 2-3"}},
		{"0:wk=1? 1:c[1,2]!", []string{`1 0:write key="k" in=1 out=null maybe 1-2`, "2 1:cas key=null in=[1,2] out=null failed 3-4"}},
		{`n1:a["k",1.5] n1:e"x=y" n2:d{"a":1}`, []string{`1 n1:append key=null in=["k",1.5] out=null ok 1-2`, `2 n1:enqueue key=null in="x=y" out=null ok 3-4`, `3 n2:dequeue key=null in=null out={"a":1} ok 5-6`}},
		{"1:rk=", []string{`1 1:read key="k" in=null out=null ok 1-2`}},
		{"ax1ry12 3:rx[10,2]ry?", []string{`1 t1:txn key=null in=[["append","x",1],["r","y",null]] out=[["append","x",1],["r","y",[1,2]]] ok 1-2`,
			`2 3:txn key=null in=[["r","x",null],["r","y",null]] out=null maybe 3-4`}},
		{"ax10 ryrx_", []string{`1 t1:txn key=null in=[["append","x",10]] out=[["append","x",10]] ok 1-2`,
			`2 t2:txn key=null in=[["r","y",null],["r","x",null]] out=[["r","y",[]],["r","x",null]] ok 3-4`}},
		{"0:wx12( 1:rx12ry 0:)", []string{`1 0:txn key=null in=[["w","x",12]] out=[["w","x",12]] ok 1-4`,
			`2 1:txn key=null in=[["r","x",null],["r","y",null]] out=[["r","x",12],["r","y",null]] ok 2-3`}},
	} {
		ops, err := Shorthand(tt.text)
		var got []string
		for _, op := range ops {
			if op.Kind != Model || op.Object != "x" || op.Scheduled != op.Call {
				t.Errorf("%q: %+v", tt.text, op)
			}
			got = append(got, told(op))
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%q is\n%s, %v, want\n%s", tt.text, strings.Join(got, "\n"), err, strings.Join(tt.want, "\n"))
		}
	}
}

func TestShorthandRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"w1", `"w1": want CLIENT:OPVALUE`},
		{"0:", "want CLIENT:OPVALUE"},
		{"0:x1", `no operation is called "x" (allowed: r, w, c, a, e, d)`},
		{"0:wfoo", "value foo: "},
		{"0:w1(", "operation 1 of client 0 is opened by ( and never closed by 0:)"},
		{"0:w1( 0:r1", "client 0 is still busy with operation 1"},
		{"ax", `"ax": ax: want a number to append, such as ax1`},
		{"ax1wy1", "a history appends to lists or writes registers, not both"},
		{"0:ax1( 0:rx1", "client 0 is still busy with operation 1"},
		{"rx[1,,2]ax1", "rx[1,,2]: "},
		{"0:)", "client 0 has nothing to close"},
	} {
		if ops, err := Shorthand(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q was read as %v, %v; want an error that says %q", tt.text, ops, err, tt.want)
		}
	}
}

func FuzzShorthand(f *testing.F) {
	for _, text := range []string{"0:w1( 1:r1 0:)", `0:wk=1? 1:c[1,2]! 0:a"x"`, "0:r[1,[2]]", "ax1ry12 0:rx[1,2]?( 0:)", "wx1ry_!"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ops, err := Shorthand(text)
		if err != nil {
			return
		}
		for i, op := range ops {
			if op.ID != uint64(i)+1 || op.Return <= op.Call {
				t.Errorf("%q: %+v", text, op)
			}
		}
	})
}
