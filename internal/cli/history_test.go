package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// historyFiles are histories in a folder of their own.
func historyFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/history")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dir_test.go"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"good.txt": "0:w1 1:r1\n", "hard.txt": "0:w1( 1:w1( 2:w2( 3:w2( 0:) 1:) 2:) 3:) 0:r1 0:r2\n", "empty.txt": "", "text.txt": "hello\n",
		"two.jsonl": `{"id":1,"kind":"model","client":"a","name":"write","object":"p","input":1,"outcome":"ok","call":1,"return":2}` + "\n" +
			`{"id":2,"kind":"model","client":"a","name":"read","object":"q","outcome":"ok","call":3,"return":4}` + "\n",
		"events.jsonl": `{"at":1,"kind":"inject","name":"kill(a)"}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestHistoryExits: each kind of use has its exit code, and a message that says what to do.
func TestHistoryExits(t *testing.T) {
	t.Parallel()
	dir := historyFiles(t)
	for _, tc := range []struct {
		args string
		want int
		says string // on stdout for a verdict, on stderr otherwise
	}{
		{"check --model register good.txt", 0, "PASS  good.txt: register: 2 operations have an order"},
		{"check --model register stale.txt", 1, "FAIL  stale.txt: register: no order"},
		{"check --model register --budget 1 hard.txt", 3, "UNKNOWN  hard.txt: register: no order was found nor ruled out: the budget of steps was used up"},
		{"check --model register --cut cut.edn", 3, "UNKNOWN  cut.edn: register: the file is cut"},
		{"check --model register good.txt stale.txt cut.edn", 1, "cut.edn:5:9: the file ends inside a value"},
		{"check --model register good.txt cut.edn", 2, "cut.edn:5:9: the file ends inside a value"},
		{"check --model register --budget 1 hard.txt cut.edn", 2, "cut.edn:5:9: the file ends inside a value"},
		{"check --model register", 2, "name the histories: assay history check --model MODEL FILE..."},
		{"check good.txt", 2, "say with --model what the history is of; there are"},
		{"check --model registr good.txt", 2, `--model: no model is called "registr"; there are`},
		{"check --model bank:x good.txt", 2, `--model: no model is called "bank:x"; there are`},
		{"check --model register --budget -1 good.txt", 2, "--budget -1: want a number of steps"},
		{"check --model register --budget many good.txt", 2, `invalid argument "many" for "--budget" flag`},
		{"check --model register --init x good.txt", 2, `--init x: want a value as JSON, such as 0 or '"a"'`},
		{"check --model mutex --init 1 stale.txt", 2, "mutex"},
		{"check --model serializable --init 1 skew.edn", 2, "only objects start from given values, and serializable is none"},
		{"check --model register --html a.html good.txt stale.txt", 2, "--html draws one history, and there are several"},
		{"check --model register --go-test a_test.go good.txt stale.txt", 2, "--go-test writes a test of one history, and there are several"},
		{"check --model register --go-test a.go stale.txt", 2, "--go-test a.go: Go finds tests in files that end in _test.go"},
		{"check --model register --colour good.txt", 2, "unknown flag: --colour"},
		{"check --model register none.txt", 2, "the history cannot be read: open"},
		{"check --model register .", 2, "this is a folder, and a history is a file"},
		{"check --model register empty.txt", 2, "empty.txt: the file is empty, which is no history"},
		{"check --model register text.txt", 2, `it begins with "hello\n", which is no history; looked for`},
		{"check --model register events.jsonl", 2, "these are events as JSON lines, and no operations"},
		{"check --model register two.jsonl", 2, "operations are on several objects; choose one with --object: p (1 operations), q (1 operations)"},
		{"check --model register --object r two.jsonl", 2, `none of its 2 operations is on object "r" (try assay history show)`},
		{"check --model register --key 7 good.txt", 2, `none of its 2 operations is on key "7"`},
		{"check --model register skew.edn", 2, "skew.edn:1: operation 1 is a txn, and its object has only read and write: is the history of another model?"},
		{"check --model serializable good.txt", 2, "it holds no transactions, which serializable is about"},
		{"check --model monotonic-reads skew.edn", 2, "session guarantees are of reads and writes"},
		{"check --model register --events cut.edn --html a.html good.txt", 2, "cut.edn:5:9: the file ends inside a value"},
		{"check --model register --html . good.txt", 4, "is a folder: name a file in it to write"},
		{"check --model register --go-test dir_test.go stale.txt", 4, "is a folder: name a file in it to write"},
		{"show good.txt stale.txt", 2, "accepts 1 arg(s), received 2"},
		{"show cut.edn", 2, "cut.edn:5:9: the file ends inside a value"},
		{"show good.txt", 0, "shorthand: 2 operations (2 ok, 0 failed, 0 maybe) of 2 clients"},
		{"convert", 2, "accepts 1 arg(s), received 0"},
		{"convert twice.edn", 2, "twice.edn:2:1: process 0 invokes write while its write of line 1 is not completed"},
		{"convert good.txt", 0, `{"id":1,"kind":"model","client":"0","name":"write"`},
		{"judge good.txt", 2, `"judge"`},
	} {
		args := []string{"history"}
		for _, word := range strings.Fields(tc.args) {
			if strings.Contains(word, ".") {
				word = filepath.Join(dir, word)
			}
			args = append(args, word)
		}
		var out, story bytes.Buffer
		got := Main(args, &out, &story)
		printed := strings.ReplaceAll(out.String()+story.String(), dir+string(filepath.Separator), "")
		if got != tc.want || !strings.Contains(printed, tc.says) {
			t.Errorf("assay history %s: exit %d, want %d with %q:\n%s", tc.args, got, tc.want, tc.says, printed)
		}
		if got != 0 && got != 1 && got != 3 && out.Len() > 0 && !strings.Contains(tc.args, "hard.txt") && !strings.Contains(tc.args, "good.txt cut") {
			t.Errorf("assay history %s: an error is no result, and stdout has %q", tc.args, out.String())
		}
	}
}

// TestHistoryJSON: --json tells what the text does, errors too, and nothing else is on stdout.
func TestHistoryJSON(t *testing.T) {
	t.Parallel()
	dir := historyFiles(t)
	for _, tc := range []struct {
		model, file string
		want        int
		has         []string // keys of the report
	}{
		{"register", "good.txt", 0, []string{"file", "format", "model", "verdict", "reason", "engine", "counts", "order"}},
		{"register", "stale.txt", 1, []string{"witness", "prefix", "smallest", "good"}},
		{"serializable", "skew.edn", 1, []string{"witness", "cycle", "anomalies", "not", "also_not", "may", "smallest", "smallest_names"}},
		{"snapshot-isolation", "skew.edn", 0, []string{"snapshots"}},
		{"monotonic-writes", "back.txt", 1, []string{"other_guarantees", "smallest"}},
		{"register", "cut.edn", 2, nil},
	} {
		var out, story bytes.Buffer
		code := Main([]string{"history", "check", "--json", "--model", tc.model, filepath.Join(dir, tc.file)}, &out, &story)
		var got struct {
			Histories []map[string]any `json:"histories"`
			Error     string           `json:"error"`
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || code != tc.want || story.Len() > 0 {
			t.Errorf("%s of %s: exit %d, %v, stderr %q\n%s", tc.model, tc.file, code, err, story.String(), out.String())
			continue
		}
		if tc.has == nil {
			if len(got.Histories) != 0 || !strings.Contains(got.Error, "cut.edn:5:9:") {
				t.Errorf("%s: got %+v", tc.file, got)
			}
			continue
		}
		for _, key := range tc.has {
			if _, ok := got.Histories[0][key]; !ok {
				t.Errorf("%s of %s: --json lacks %q: %s", tc.model, tc.file, key, out.String())
			}
		}
	}
}

// TestHistoryExamples runs the examples of each --help.
func TestHistoryExamples(t *testing.T) {
	t.Parallel()
	dir := historyFiles(t)
	write := func(name, from string) {
		text, err := os.ReadFile(filepath.Join(dir, from))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("history.edn", "fine.edn")
	ran := 0
	for _, command := range []string{"", "check ", "show ", "convert "} {
		var out, story bytes.Buffer
		if code := Main(strings.Fields("history "+command+"--help"), &out, &story); code != 0 {
			t.Fatalf("%s--help: exit %d: %s", command, code, story.String())
		}
		_, examples, _ := strings.Cut(out.String(), "Examples:\n")
		for line := range strings.Lines(examples) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "assay ") {
				break
			}
			of := "fine.edn"
			if strings.Contains(line, "serializable") {
				of = "skew.edn"
			}
			write("history.edn", of)
			if err := os.WriteFile(filepath.Join(dir, "ops.jsonl"), []byte(`{"id":1,"kind":"model","client":"a","name":"read","object":"stock","outcome":"ok","call":3,"return":4}`+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			write("history.edn.gz", "skew.edn")
			if err := os.WriteFile(filepath.Join(dir, "kv.txt"), []byte(`{"id":1,"kind":"model","client":"a","name":"get","key":"5","outcome":"ok","call":3,"return":4}`+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(line, "show --key") {
				write("history.edn", "kv.txt")
			}
			bin, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			if printed, code := shell(t, dir, bin, line); code != 0 && code != 1 {
				t.Errorf("%s: exit %d\n%s", line, code, printed)
			}
			ran++
		}
	}
	if ran < 9 {
		t.Errorf("%d examples were run", ran)
	}
}
