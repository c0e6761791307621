package simrun

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

func TestHistories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test string
		want verdict.Verdict
		says string
	}{
		{"TestStaleRead", verdict.Fail, `linearizable("x") does not hold: key null: no order of its operations fits the cas-register and real time: writer:w1 reader:rnull`},
		{"TestNobodyReads", verdict.Unknown, `linearizable("x") was not decided in 20 seeds, the first: "x" recorded no operation that ended well and says what it found`},
		{"TestWriterCrashes", verdict.Pass, ""},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			res := explored(t, c.test, 20)
			told := strings.Join(res.Reasons, "\n")
			for _, f := range res.Failures {
				told += f.Output
				if len(f.History) != 2 || !f.Certified {
					t.Errorf("certified %v, history %+v", f.Certified, f.History)
				}
			}
			if res.Verdict != c.want || !strings.Contains(told, c.says) {
				t.Errorf("got %v: %s; want %v: %s", res.Verdict, told, c.want, c.says)
			}
		})
	}
}
