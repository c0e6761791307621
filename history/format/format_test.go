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
		"0:w1 0:": `f:1: shorthand "0:": want CLIENT:OPVALUE`,
	} {
		if got, err := all(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %s, %v; want an error that says %s", text, got, err, want)
		}
	}
	if _, err := format.Open(t.TempDir(), format.Options{}); err == nil || !strings.Contains(err.Error(), "this is a folder") {
		t.Error(err)
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
