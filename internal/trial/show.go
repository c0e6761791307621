package trial

import (
	"fmt"
	"io"

	"github.com/assay-dev/assay/internal/table"
)

// Text lists the operations, and before them what was done to the system, up to a limit; 0 is no limit.
func (c *Case) Text(w io.Writer, s *table.Style, limit int) error {
	text := c.counts().text(string(c.Format)) + "\n"
	if len(c.Events) > 0 {
		t := table.Table{Head: []string{"AT", "EVENT", "WHAT"}, Prose: []int{2}}
		for _, e := range c.Events[:most(len(c.Events), limit)] {
			t.Row(e.At.String(), e.Name, e.Text)
		}
		text += "\n" + t.Lay(s.Width())
	}
	t := table.Table{Head: []string{"LINES", "ID", "CLIENT", "OPERATION", "FROM", "TO"}, Prose: []int{3}}
	shown := most(len(c.Ops), limit)
	for i, op := range c.Ops[:shown] {
		t.Row(span(c.Lines[i].Line, c.Lines[i].End), fmt.Sprint(op.ID), op.Client, Tell(&op), op.Call.String(), op.Return.String())
	}
	text += "\n" + t.Lay(s.Width())
	if rest := len(c.Ops) - shown; rest > 0 {
		text += fmt.Sprintf("and %d more: --limit 0 shows all\n", rest)
	}
	_, err := io.WriteString(w, text)
	return err
}

func most(n, limit int) int {
	if limit <= 0 {
		return n
	}
	return min(n, limit)
}
