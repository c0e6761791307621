package format_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/format"
)

const (
	edn   = "{:type :invoke :process 0 :f :w :value 1}{:type :ok :process 0}"
	jsons = `{"type":"invoke","process":0,"f":"w","value":1}{"type":"ok","process":0}`
	ours  = `{"id":1,"kind":"model","client":"0","name":"w","input":1,"outcome":"ok","call":1,"return":2}` + "\n"
)

func zipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text)) // to memory
	_ = w.Close()
	return out.String()
}

// all reads everything, and tells it in one line.
func all(text string) (string, error) {
	f, err := format.New(strings.NewReader(text), "f", format.Options{})
	if err != nil {
		return "", err
	}
	defer f.Close()
	told := string(f.Format) + ":"
	for {
		rec, err := f.Next()
		switch {
		case err == io.EOF:
			return told, nil
		case err != nil:
			return told, err
		case rec.Event != nil:
			told += " " + rec.Event.Kind.String() + " " + rec.Event.Name
		default:
			told += fmt.Sprintf(" %s:%s%v %v", rec.Op.Client, rec.Op.Name, rec.Op.Input, rec.Op.Outcome)
		}
	}
}

func TestByContent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		edn:                               "Jepsen EDN: 0:w1 ok",
		"; hello\n[" + edn + "]":          "Jepsen EDN: 0:w1 ok",
		"[#jepsen.history.Op" + edn + "]": "Jepsen EDN: 0:w1 ok",
		"#jepsen.history.Op" + edn:        "Jepsen EDN: 0:w1 ok",
		"(" + edn + ")":                   "Jepsen EDN: 0:w1 ok",
		zipped(edn):                       "Jepsen EDN: 0:w1 ok",
		jsons:                             "Jepsen JSON: 0:w1 ok",
		" [ " + strings.Replace(jsons, "}{", "},{", 1) + "]": "Jepsen JSON: 0:w1 ok",
		ours:         "operations as JSON lines: 0:w1 ok",
		zipped(ours): "operations as JSON lines: 0:w1 ok",
		`{"at":1,"kind":"inject","name":"kill(a)"}` + "\n":                   "events as JSON lines: inject kill(a)",
		"INFO  jepsen.util - 0 :invoke :w 1\nINFO  jepsen.util - 0 :ok :w 1": "etcd log: 0:w1 ok",
		"# stale\n0:w1":      "shorthand: 0:write1 ok",
		"ax1":                `shorthand: t1:txn[["append","x",1]] ok`,
		"\n a-1:w1(\n a-1:)": "shorthand: a-1:write1 ok",
	} {
		if got, err := all(text); err != nil || got != want {
			t.Errorf("%.60q: got %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "f: the file is empty",
		zipped(""):               "f: the file is empty",
		zipped(edn)[:40]:         "f: cannot be unpacked: unexpected EOF",
		"hello":                  `f: it begins with "hello", which is no history; looked for operations as JSON lines`,
		`{"a":1}`:                `f: its first object has the keys ["a"], which no history has; looked for`,
		"\x1f\x8bnothing":        "f: cannot be unpacked: unexpected EOF",
		edn + edn + "{:type :ok": "f:1:137: the file ends inside what { opens at 1:127",
		ours + ours[:20]:         "f:2: the last record is cut short",
		strings.Replace(ours, `"return":2`, `"return":0`, 1): "f:1: operation 1 returns at 0s, before its call at 1ns",
	} {
		if got, err := all(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %s, %v; want an error that says %s", text, got, err, want)
		}
	}
	if _, err := format.Open(t.TempDir(), format.Options{}); err == nil || !strings.Contains(err.Error(), "this is a folder") {
		t.Error(err)
	}
}

// TestImpossible: what is cut, there twice, or cannot be, is an error with its line, in each format.
func TestImpossible(t *testing.T) {
	t.Parallel()
	const (
		etcd  = "INFO  jepsen.util - 0 :invoke :write 1\n"
		wrote = "INFO  jepsen.util - 0 :ok :write 1\n"
		begun = "{:type :invoke :process 0 :f :w :value 1}\n"
		ended = "{:type :ok :process 0 :f :w :value 1}\n"
		jsonB = `{"type":"invoke","process":0,"f":"w","value":1}` + "\n"
		jsonE = `{"type":"ok","process":0,"f":"w","value":1}` + "\n"
	)
	for _, tc := range []struct{ kind, text, want string }{
		{"operations, cut", ours + ours[:20], "f:2: the last record is cut short"},
		{"operations, no JSON", ours + "{x}\n", "f:2: "},
		{"operations, an unknown field", ours + `{"id":2,"knd":"model"}` + "\n", `f:2: json: unknown field "knd"`},
		{"operations, an unknown outcome", ours + strings.Replace(ours, `"ok"`, `"fine"`, 1), "f:2: "},
		{"operations, returned before the call", ours + strings.Replace(ours, `"return":2`, `"return":0`, 1), "f:2: operation 1 returns at 0s, before its call at 1ns"},
		{"operations, no name", ours + strings.Replace(ours, `"name":"w"`, `"name":""`, 1), "f:2: operation 1 has no name"},
		{"operations, two on a line", ours + strings.TrimSpace(ours) + ours, "f:2: after the record: "},
		{"operations, an empty line", ours + "\n" + ours, `f:2: "" is no record`},
		{"EDN, cut", begun + ended + "{:type :ok", "f:3:11: the file ends inside what { opens at 3:1 (it is cut: get it again)"},
		{"EDN, cut in a list", "[" + begun + ended, "f:3:1: the file ends inside the list of events (it is cut: get it again)"},
		{"EDN, invoked twice", begun + begun, "f:2:1: process 0 invokes w while its w of line 1 is not completed"},
		{"EDN, completed twice", begun + ended + ended, "f:3:1: process 0 completes w and has invoked nothing"},
		{"EDN, completes another", begun + strings.Replace(ended, ":w", ":r", 1), "f:2:1: process 0 completes r, and what it invoked in line 1 is w"},
		{"EDN, an unknown type", begun + strings.Replace(ended, ":ok", ":done", 1), `f:2:7: :type is "done"`},
		{"JSON, cut", jsonB + jsonE[:20], "f:2:14: the file ends inside a string (it is cut: get it again)"},
		{"JSON, invoked twice", jsonB + jsonB, "f:2:1: process 0 invokes w while its w of line 1 is not completed"},
		{"JSON, completed twice", jsonB + jsonE + jsonE, "f:3:1: process 0 completes w and has invoked nothing"},
		{"JSON, completes another", jsonB + strings.Replace(jsonE, `"w"`, `"r"`, 1), "f:2:1: process 0 completes r, and what it invoked in line 1 is w"},
		{"JSON, an unknown type", jsonB + strings.Replace(jsonE, `"ok"`, `"done"`, 1), `f:2:9: :type is "done"`},
		{"etcd log, cut", etcd + wrote[:25], `f:2:21: "0 :ok" is no event`},
		{"etcd log, invoked twice", etcd + etcd, "f:2:21: process 0 invokes write while its write of line 1 is not completed"},
		{"etcd log, completed twice", etcd + wrote + wrote, "f:3:21: process 0 completes write and has invoked nothing"},
		{"etcd log, completes another", etcd + strings.Replace(wrote, ":write 1", ":read 1", 1), "f:2:21: process 0 completes read, and what it invoked in line 1 is write"},
		{"etcd log, an unknown type", etcd + strings.Replace(wrote, ":ok", ":done", 1), `f:2:21: "0 :done :write 1" is no event`},
		{"shorthand, cut", "0:w1\n0:", `f:2: shorthand "0:": want CLIENT:OPVALUE`},
		{"shorthand, never closed", "0:w1(\n1:r1\n", "f:3: shorthand: operation 1 of client 0 is opened by ( and never closed by 0:)"},
		{"shorthand, invoked twice", "0:w1(\n1:r1\n0:w2\n0:)", `f:3: shorthand "0:w2": client 0 is still busy with operation 1`},
		{"shorthand, completed twice", "0:w1(\n0:)\n1:r1\n0:)", `f:4: shorthand "0:)": client 0 has nothing to close`},
		{"shorthand, an unknown operation", "# no\n0:w1\n0:z1", `f:3: shorthand "0:z1": no operation is called "z"`},
		{"gzip, cut", zipped(strings.Repeat(begun+ended, 9000))[:300], "f:"},
	} {
		if got, err := all(tc.text); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: got %.80s, %v; want an error that begins with %s", tc.kind, got, err, tc.want)
		}
	}
}

// TestShorthandLines: operations have the lines that they begin and end in.
func TestShorthandLines(t *testing.T) {
	t.Parallel()
	f, err := format.New(strings.NewReader("# one\n0:w1( 1:r1\n0:) ax1\n"), "f", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	for rec, err := f.Next(); err == nil; rec, err = f.Next() {
		got = append(got, fmt.Sprintf("%s %d-%d", rec.Op.Client, rec.Line, rec.End))
	}
	if want := "[1 2-2 0 2-3 t3 3-3]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// FuzzOpen holds that no text breaks what tells formats apart and reads them.
func FuzzOpen(f *testing.F) {
	for _, text := range []string{edn, jsons, ours, zipped(edn), "0:w1( 1:r 0:)", "INFO jepsen.util - 0 :invoke :w 1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := format.New(strings.NewReader(text), "f", format.Options{Keyed: len(text)%2 == 0})
		if err != nil {
			return
		}
		defer file.Close()
		for {
			rec, err := file.Next()
			if err != nil {
				return
			}
			if rec.Event == nil && (rec.Op.Kind != history.Model || rec.Op.Return < rec.Op.Call) {
				t.Fatalf("%+v", rec)
			}
		}
	})
}
