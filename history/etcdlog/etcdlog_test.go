package etcdlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history/etcdlog"
	"github.com/assay-dev/assay/history/pair"
)

func all(r io.Reader) (string, pair.Stats, error) {
	var words []string
	in := etcdlog.New(r)
	for {
		rec, err := in.Next()
		if err == io.EOF {
			return strings.Join(words, "; "), in.Stats(), nil
		}
		if err != nil {
			return strings.Join(words, "; "), in.Stats(), err
		}
		if rec.Event != nil {
			words = append(words, "note "+rec.Event.Name)
			continue
		}
		op := rec.Op
		words = append(words, strings.TrimSpace(fmt.Sprintf("%s:%s %v>%v %v %d-%d %s", op.Client, op.Name, op.Input, op.Output, op.Outcome, rec.Line, rec.End, op.Error)))
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	log := `INFO  jepsen.core - started
INFO  jepsen.util - 0	:invoke	:read	nil
INFO  jepsen.util - 1   :invoke :cas    [1 2]
INFO  jepsen.util - :nemesis	:info	:start	nil
INFO  jepsen.util - 1	:fail	:cas	[1 2]
INFO  jepsen.util - 0	:ok	:read	3
INFO  jepsen.util - 0	:invoke	:cas	[3 4]
INFO  jepsen.util - 2	:invoke	:write	5
INFO  jepsen.util - 0	:ok	:cas	[3 4]
INFO  jepsen.util - 2	:info	:write	:timed-out
INFO  jepsen.util - 3	:invoke	:read	nil
INFO  jepsen.util - 3	:fail	:read	:timed-out
INFO  jepsen.util - 4	:invoke	:write	6
`
	want := "note start; 1:cas [1,2]>false ok 3-5; 0:read null>3 ok 2-6; 0:cas [3,4]>true ok 7-9; 2:write 5>null maybe 8-10 timed-out; " +
		"3:read null>null failed 11-12 timed-out; 4:write 6>null maybe 13-0 it never completed"
	got, stats, err := all(strings.NewReader(log))
	if err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if want := (pair.Stats{Events: 12, Ops: 6, Notes: 1, Open: 1, Skipped: 1}); stats != want {
		t.Errorf("got %+v, want %+v", stats, want)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"INFO  jepsen.util - 0 :inv":                                                       `1:21: "0 :inv" is no event (an event is PROCESS :TYPE :NAME VALUE, such as 0 :invoke :write 1; is the line cut?)`,
		"INFO  jepsen.util - 0 :invoke :cas [1":                                            `1:21: the value of the event: 1:4: the file ends inside what [ opens at 1:2 (it is cut: get it again) (an event is PROCESS :TYPE :NAME VALUE, such as 0 :invoke :write 1; is the line cut?)`,
		"\nINFO  jepsen.util - 0 :ok :read 1":                                              "2:21: process 0 completes read and has invoked nothing (is the invocation missing, or the completion there twice?)",
		"INFO jepsen.util - 0 :invoke :read nil\nINFO jepsen.util - 0 :invoke :read nil\n": "2:20: process 0 invokes read while its read of line 1 is not completed (a process does one thing at a time: is a completion missing, or the event there twice?)",
		strings.Repeat("x", 2<<20):                                                         "1:1: a line of more than 1048576 bytes",
	} {
		_, _, err := all(strings.NewReader(text))
		var placed *pair.Error
		if !errors.As(err, &placed) || err.Error() != want {
			t.Errorf("%.60q: got  %v\nwant %s", text, err, want)
		}
	}
}

// TestPorcupine reads the logs that come with Porcupine's module. The counts are held against a count of lines.
func TestPorcupine(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anishathalye/porcupine").Output()
	if err != nil {
		t.Skipf("no module: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "test_data", "jepsen", "*.log"))
	if len(files) != 103 {
		t.Fatalf("%d files", len(files))
	}
	ops := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, stats, err := all(bytes.NewReader(content))
		invoked, lines := bytes.Count(content, []byte(":invoke")), bytes.Count(content, []byte("\n"))
		if err != nil || stats.Ops != invoked || stats.Events != lines || stats.Skipped != 0 {
			t.Errorf("%s: %v: %+v, want %d operations of %d lines", file, err, stats, invoked, lines)
		}
		ops += stats.Ops
	}
	t.Logf("%d operations", ops)
}

// FuzzRead holds that no text breaks the reader, that it ends, and that errors have a place.
func FuzzRead(f *testing.F) {
	f.Add("INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:fail\t:cas\t[1 2]\n")
	f.Add("INFO  jepsen.util - :nemesis\t:info\t:start\tnil\nx\n")
	f.Fuzz(func(t *testing.T, text string) {
		in := etcdlog.New(strings.NewReader(text))
		for last := -1; ; {
			rec, err := in.Next()
			var placed *pair.Error
			if err != nil && err != io.EOF && (!errors.As(err, &placed) || placed.Line < 1) {
				t.Fatalf("an error without a place: %v", err)
			}
			if err != nil {
				return
			}
			if rec.Event == nil && (int(rec.Op.Return) <= last || rec.Op.Call >= rec.Op.Return) {
				t.Fatalf("%+v after %d", rec, last)
			}
			if rec.Event == nil {
				last = int(rec.Op.Return)
			}
		}
	})
}
