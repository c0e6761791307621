package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// terminal opens a pseudo terminal that is so wide.
func terminal(t *testing.T, wide int) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(wide)}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("the other end of a pseudo terminal is not here: %v", err)
	}
	t.Cleanup(func() { slave.Close() })
	return slave
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for wide, want := range map[int]int{80: 80, 7: leastColumns, 0: 0} {
		if got := newPrinter(&harmless{w: terminal(t, wide), colours: true}).columns; got != want {
			t.Errorf("a terminal of %d: got %d, want %d", wide, got, want)
		}
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	if got := newPrinter(writer).columns; got != 0 {
		t.Errorf("a pipe: got %d", got)
	}
}

func testCards(now time.Time) []evidence.Card {
	whole := evidence.Card{System: "shop", Results: []evidence.CardResult{{Verdict: verdict.Pass}, {Verdict: verdict.Unknown}}}
	whole.Summary = evidence.Summary{ID: "20261122-193347.171281-0a5ec9", Status: evidence.Complete, End: &evidence.End{Verdict: verdict.Unknown},
		Meta: evidence.Meta{Started: now.Add(-3 * time.Hour), Seed: 7, Commit: "4ec10242a900b1", Dirty: true, Experiments: []string{"a", "b", "c"}}}
	foreign := evidence.Card{Results: []evidence.CardResult{{Verdict: verdict.Fail}}}
	foreign.Summary = evidence.Summary{ID: "20261122-211031.769203-9a7c2a46b537", Status: evidence.Complete, End: &evidence.End{Verdict: verdict.Fail},
		Meta: evidence.Meta{Kind: evidence.KindForeign, Tool: "junit", Started: now.Add(-time.Minute)}}
	forged := evidence.Card{Refused: "evidence: x/killed/judged-1.json cannot be read: it was changed: its content has another digest than it says, in 2 places",
		Results: []evidence.CardResult{{Verdict: verdict.Pass}}}
	forged.Summary = evidence.Summary{ID: "20261122-171510.180011-106904", Status: evidence.Complete, End: &evidence.End{Verdict: verdict.Pass},
		Meta: evidence.Meta{Experiments: []string{"a", "b"}}}
	return []evidence.Card{foreign, whole, forged}
}

func TestListOfRuns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 22, 0, 0, 0, time.UTC)
	var runs []listed
	for _, c := range testCards(now) {
		runs = append(runs, summed(c, now))
	}
	for columns, want := range map[int]string{
		0: `
RUN                                  AGE  STATUS    VERDICT  KIND   SYSTEM  EXPERIMENTS                      COMMIT       SEED  DEFECT  REASON
20261122-211031.769203-9a7c2a46b537  60s  complete  fail     junit  -       1: 1 fail                        -            -     -       -
20261122-193347.171281-0a5ec9        3h   complete  unknown  run    shop    3: 1 pass, 1 unknown, 1 not run  4ec10242a9+  7     -       -
20261122-171510.180011-106904        -    corrupt   unknown  run    -       -                                -            -     -       evidence: x/killed/judged-1.json cannot be read: it was changed: its content has another digest than it says, in 2 places
`,
		80: `
RUN                                  AGE  STATUS    VERDICT  KIND   SYSTEM
    EXPERIMENTS                      COMMIT       SEED  DEFECT
    REASON
20261122-211031.769203-9a7c2a46b537  60s  complete  fail     junit  -
    1: 1 fail                        -            -     -
20261122-193347.171281-0a5ec9        3h   complete  unknown  run    shop
    3: 1 pass, 1 unknown, 1 not run  4ec10242a9+  7     -
20261122-171510.180011-106904        -    corrupt   unknown  run    -
    evidence: x/killed/judged-1.json cannot be read: it was changed: its conten…
`,
	} {
		var out bytes.Buffer
		(&printer{w: &out, columns: columns}).runs(runs)
		if got, want := out.String(), strings.TrimPrefix(want, "\n"); got != want {
			t.Errorf("in %d columns, got:\n%s\nwant:\n%s", columns, got, want)
		}
	}
}

// What a run prints on a terminal breaks between words, and keeps what is to be pasted in one piece.
func TestResultsFit(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &printer{w: &out, columns: 80}
	const replay = "assay run examples/shop --experiment payments-refusing --seed 1 --defect no-retry --store elsewhere/.assay"
	p.result(evidence.ExperimentResult{Name: "payments-refusing", Verdict: verdict.Fail, Reason: strings.Repeat("a long reason ", 12),
		Checks: []evidence.Checked{{Phase: "steady before"}}, Problems: []string{strings.Repeat("a long problem ", 12)}}, replay)
	for line := range strings.Lines(out.String()) {
		if got := table.Width(strings.TrimSuffix(line, "\n")); got > 80 && !strings.Contains(line, replay) {
			t.Errorf("%q takes %d columns", line, got)
		}
	}
	if strings.Count(out.String(), "reason") != 12 || strings.Count(out.String(), "\n") != 9 || !strings.Contains(out.String(), "  replay: "+replay+"\n") {
		t.Errorf("got:\n%s", out.String())
	}
}
