package table

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

const run = "20261122-175922.622923-dabd1a"

func runs() Table {
	t := Table{Head: []string{"RUN", "VERDICT", "OWNER", "REASON"}, Prose: []int{3}}
	t.Row(run, "fail", "team-a", "payments-refusing: success was 0.5894, limit >= 0.95")
	t.Row(run, "pass", "-", "-")
	return t
}

func TestLay(t *testing.T) {
	t.Parallel()
	folded := Table{Head: []string{"JOURNEY", "replication", "failover", "retry"}, Fold: true}
	folded.Row("checkout", "pass 3h", "FAIL 3h", "unproven")
	whole := Table{Prose: []int{1}, Whole: true, Indent: "  "}
	whole.Row("pass", "it was observed on orders-1")
	for _, c := range []struct {
		name    string
		table   Table
		columns int
		want    string
	}{
		{"in a pipe nothing is shortened", runs(), 0, `
RUN                            VERDICT  OWNER   REASON
20261122-175922.622923-dabd1a  fail     team-a  payments-refusing: success was 0.5894, limit >= 0.95
20261122-175922.622923-dabd1a  pass     -       -
`},
		{"prose yields", runs(), 80, `
RUN                            VERDICT  OWNER   REASON
20261122-175922.622923-dabd1a  fail     team-a  payments-refusing: success was…
20261122-175922.622923-dabd1a  pass     -       -
`},
		{"what does not fit goes below, where there is any", runs(), 50, `
RUN                            VERDICT  OWNER
    REASON
20261122-175922.622923-dabd1a  fail     team-a
    payments-refusing: success was 0.5894, limit…
20261122-175922.622923-dabd1a  pass     -
`},
		{"names are whole however narrow it is", runs(), 10, `
RUN
    VERDICT
    OWNER
    REASON
20261122-175922.622923-dabd1a
    fail
    team-a
    payme…
20261122-175922.622923-dabd1a
    pass
`},
		{"folded", folded, 32, `
JOURNEY   replication  failover
checkout  pass 3h      FAIL 3h

JOURNEY   retry
checkout  unproven
`},
		{"nothing", Table{Prose: []int{1}}, 80, ""},
		{"prose in whole", whole, 34, `
  pass  it was observed on
        orders-1
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, want := c.table.Lay(c.columns), strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// At no width is a line too long but for a name that is, and a run's id is always whole.
func TestFits(t *testing.T) {
	t.Parallel()
	for columns := 40; columns < 120; columns++ {
		table := runs()
		text := table.Lay(columns)
		for line := range strings.Lines(text) {
			if got := Width(strings.TrimSuffix(line, "\n")); got > columns {
				t.Errorf("%d columns: %q takes %d", columns, line, got)
			}
		}
		if strings.Count(text, run) != 2 || strings.Count(text, "fail") != 1 {
			t.Errorf("%d columns:\n%s", columns, text)
		}
	}
}

func TestPaint(t *testing.T) {
	t.Parallel()
	table := runs()
	plain := table.Lay(80)
	table.Paint = func(row, column int, text string) string {
		if row == 0 && column == 1 {
			return "<" + text + ">"
		}
		return text
	}
	if got := table.Lay(80); !strings.Contains(got, "  <fail>     team-a") || strings.NewReplacer("<", "", ">", "").Replace(got) != plain {
		t.Errorf("%s", got)
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"short", 5, "short"},
		{"a reason", 5, "a re…"},
		{"a reason", 3, "a…"},
		{"東京都", 5, "東京…"},
		{"東京都", 6, "東京都"},
		{"e\u0301te\u0301", 3, "e\u0301te\u0301"},
		{"\x1b[1m", 6, "\x1b[…"},
		{"a\u202eb", 7, "a…"},
		{"a\u202eb", 8, "a\u202eb"},
		{"a\xffb", 5, "a…"},
	} {
		if got := Shorten(c.text, c.most); got != c.want || Width(got) > c.most {
			t.Errorf("%q to %d: got %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{
		{"the newest run is of commit 4ec1", 0, "the newest run is of commit 4ec1"},
		{"the newest run is of commit 4ec1", 32, "the newest run is of commit 4ec1"},
		{"the newest run is of commit 4ec1", 28, "the newest run is of commit\n    4ec1"},
		{"  fail  the newest run is of another commit", 30, "  fail  the newest run is of\n    another commit"},
		{"a https://example.com/a/long/address/is/whole", 30, "a\n    https://example.com/a/long/address/is/whole"},
	} {
		if got := Wrap(c.text, c.columns, "    "); got != c.want {
			t.Errorf("%q in %d: got %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

func TestStyle(t *testing.T) {
	t.Parallel()
	var none *Style
	if got := none.Word(verdict.Fail, "fail"); got != "fail" || none.Width() != 0 {
		t.Errorf("got %q, %d", got, none.Width())
	}
}
