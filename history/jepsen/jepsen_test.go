package jepsen_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/jepsen"
	"github.com/assay-dev/assay/history/pair"
	"github.com/assay-dev/assay/internal/conformance"
)

// all reads everything, and tells it in one line.
func all(r *jepsen.Reader) (string, error) {
	var words []string
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return strings.Join(words, "; "), nil
		}
		if err != nil {
			return strings.Join(words, "; "), err
		}
		words = append(words, tell(rec))
	}
}

func tell(rec pair.Record) string {
	if rec.Event != nil {
		return fmt.Sprintf("note %s %v @%d", rec.Event.Name, rec.Event.Value, rec.Event.At)
	}
	op := rec.Op
	text := fmt.Sprintf("%d %s:%s %v>%v %v @%d-%d", op.ID, op.Client, op.Name, op.Input, op.Output, op.Outcome, op.Call, op.Return)
	if !op.Key.IsNil() {
		text += fmt.Sprintf(" key %v", op.Key)
	}
	if op.Error != "" {
		text += " " + op.Error
	}
	return text
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		syntax jepsen.Syntax
		opts   jepsen.Options
		text   string
		want   string
	}{
		{"lines", jepsen.EDN, jepsen.Options{}, "{:type :invoke :process 0 :f :write :value 1 :time 10}\n{:type :ok, :process 0, :f :write, :value 1, :time 20}",
			"1 0:write 1>null ok @10-20"},
		{"a vector of records, and two at once", jepsen.EDN, jepsen.Options{}, "; made by hand\n[#jepsen.history.Op{:process 0 :type :invoke :f :read :value nil :index 0}\n #_{:x 1} {:process 1 :type :invoke :f :cas :value [1 2] :index 1}" +
			"{:process 1 :type :fail :f :cas :value [1 2] :index 2} {:process 0 :type :ok :f :read :value 3 :index 3}]",
			"2 1:cas [1,2]>null failed @2-3; 1 0:read null>3 ok @1-4"},
		{"info and what never completed are maybe", jepsen.EDN, jepsen.Options{}, "({:process 0 :type :invoke :f :write :value 1} {:process 0 :type :info :f :write :value :timed-out} {:process 1 :type :invoke :f :write :value 2})",
			`1 0:write 1>null maybe @1-2 timed-out; 2 1:write 2>null maybe @3-4 it never completed`},
		{"the nemesis", jepsen.EDN, jepsen.Options{}, `{:process :nemesis :type :info :f :start :value [:n1 "x"] :time 5}`, `note start ["n1","x"] @5`},
		{"transactions have one form", jepsen.EDN, jepsen.Options{}, "{:process 0 :type :invoke :f :txn :value [[:read :x nil] [:append :y 1]]}{:process 0 :type :ok :f :txn :value [[:read :x [1 2]] [:append :y 1]]}",
			`1 0:txn [["r","x",null],["append","y",1]]>[["r","x",[1,2]],["append","y",1]] ok @1-2`},
		{"without process and f", jepsen.EDN, jepsen.Options{}, "{:index 0 :type :invoke :value [[:w 1 2]]} {:index 1 :type :ok :value [[:w 1 2]]}", `1 nil:txn [["w",1,2]]>[["w",1,2]] ok @1-2`},
		{"keyed", jepsen.EDN, jepsen.Options{Keyed: true}, "{:process 0 :type :invoke :f :read :value [7 nil]} {:process 0 :type :ok :f :read :value [7 3]}", "1 0:read null>3 ok @1-2 key 7"},
		{"a key", jepsen.EDN, jepsen.Options{}, `{:process 0, :type :invoke, :f :append, :key "0", :value "x"}{:process 0, :type :ok, :f :append, :key "0", :value "x"}`, `1 0:append "x">null ok @1-2 key "0"`},
		{"times that do not increase", jepsen.EDN, jepsen.Options{}, "{:process 0 :type :invoke :f :r :time 9}{:process 1 :type :invoke :f :r :time 8}{:process 1 :type :ok :time 9}{:process 0 :type :ok :time 30}",
			"2 1:r null>null ok @10-11; 1 0:r null>null ok @9-30"},
		{"values", jepsen.EDN, jepsen.Options{}, `{:process 0 :type :invoke :f :w :value [1/3 -5 1.5 2N 123456789012345678901 1.25M a/b :c/d \x \newline \u0041 "a\"\n" true ##Inf #{3 1 2} {:k [()]} #inst "2020" ^{:m 1} [nil]]}`,
			`1 0:w ["1/3",-5,1.5,2,"123456789012345678901",1.25,"a/b","c/d","x","\n","A","a\"\n",true,{"$float":"+Inf"},[1,2,3],{"k":[[]]},"2020",[null]]>null maybe @1-2 it never completed`},
		{"JSON array", jepsen.JSON, jepsen.Options{}, `[{"type":"invoke","f":"txn","value":[["r",1,null]],"process":0,"time":5,"index":0},{"type":"ok","f":"txn","value":[["r",1,[2,3]]],"process":0,"time":6,"index":1}]`,
			`1 0:txn [["r",1,null]]>[["r",1,[2,3]]] ok @5-6`},
		{"JSON lines", jepsen.JSON, jepsen.Options{}, `{"type":":invoke","f":"w","value":"\u0041\n","process":"a","x":{"y":[1]}}` + "\n" + `{"type":"ok","process":"a"}`, `1 a:w "A\n">null ok @1-2`},
		{"nothing", jepsen.EDN, jepsen.Options{}, "; nothing\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, in := range []io.Reader{strings.NewReader(tc.text), iotest.OneByteReader(strings.NewReader(tc.text))} {
				got, err := all(jepsen.New(in, tc.syntax, tc.opts))
				if err != nil || got != tc.want {
					t.Errorf("got  %s, %v\nwant %s", got, err, tc.want)
				}
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	const invoke = "{:process 0 :type :invoke :f :w :value 1}\n"
	for _, tc := range []struct {
		name   string
		syntax jepsen.Syntax
		text   string
		want   string
	}{
		{"cut in an event", jepsen.EDN, invoke + "{:process 0 :type", "2:18: the file ends inside a value (it is cut: get it again)"},
		{"cut in a map", jepsen.EDN, invoke + "{:process 0 ", "2:13: the file ends inside what { opens at 2:1 (it is cut: get it again)"},
		{"cut in a vector", jepsen.EDN, "[" + invoke, "2:1: the file ends inside the list of events (it is cut: get it again)"},
		{"cut in a string", jepsen.EDN, `{:value "abc`, "1:9: the file ends inside a string (it is cut: get it again)"},
		{"twice", jepsen.EDN, invoke + invoke, "2:1: process 0 invokes w while its w of line 1 is not completed (a process does one thing at a time: is a completion missing, or the event there twice?)"},
		{"no invocation", jepsen.EDN, "{:process 0 :type :ok :f :w}", "1:1: process 0 completes w and has invoked nothing (is the invocation missing, or the completion there twice?)"},
		{"another operation", jepsen.EDN, invoke + " {:process 0 :type :ok :f :r}", "2:2: process 0 completes r, and what it invoked in line 1 is w"},
		{"an index twice", jepsen.EDN, "{:index 3 :process 0 :type :invoke :f :r}\n{:index 3 :process 0 :type :ok :f :r}", "2:1: index 3 comes after index 3: an event is there twice, or lines were moved (sort the events by index, and keep one of each)"},
		{"time backwards", jepsen.EDN, "{:time 9000000000 :process 0 :type :invoke :f :r}\n{:time 1 :process 0 :type :ok :f :r}", "2:1: time runs backwards by 8.999999999s, from 9s to 1ns (are two histories in one file? check them one by one)"},
		{"no type", jepsen.EDN, "{:process 0 :f :r}", "1:1: the event has no :type (an event is a map such as {:type :invoke, :process 0, :f :read})"},
		{"a wrong type", jepsen.EDN, "{:process 0 :type :done}", `1:18: :type is "done" (it is :invoke, :ok, :fail or :info)`},
		{"a field twice", jepsen.EDN, "{:process 0 :process 1}", "1:21: the event has :process twice"},
		{"no f", jepsen.EDN, "{:process 0 :type :invoke}", "1:1: process 0 invokes nothing: the event has no :f"},
		{"a wrong time", jepsen.EDN, "{:time 1.5}", "1:7: :time is 1.5 (it is an integer)"},
		{"no event", jepsen.EDN, "[1]", `1:2: an event is expected, and this begins with "1" (an event is a map such as {:type :invoke, :process 0, :f :read})`},
		{"two lists", jepsen.EDN, "[] []", `1:4: something follows the list of events: "[" (one file is one history)`},
		{"deep", jepsen.EDN, "{:value " + strings.Repeat("[", 200), "1:108: values are nested more than 100 deep"},
		{"odd map", jepsen.EDN, "{:value {:a}}", "1:13: the map that opens at 1:9 has a key without a value"},
		{"a stray bracket", jepsen.EDN, "{:value ]}", "1:9: a ] that closes nothing"},
		{"JSON, cut", jepsen.JSON, `[{"type":"invoke","f":"r","process":0}`, "1:39: the file ends inside the list of events (it is cut: get it again)"},
		{"JSON, cut at a key", jepsen.JSON, `[{"type"`, "1:9: the file ends inside an object (it is cut: get it again)"},
		{"JSON, no comma", jepsen.JSON, `[{"type":"invoke" "f":"r","process":0}]`, "1:19: no , between values"},
		{"JSON, no comma between events", jepsen.JSON, `[{"type":"invoke","f":"r","process":0} {}]`, "1:40: between two events of the array stands one comma"},
		{"JSON, a comma too many", jepsen.JSON, `[{"type":"invoke","f":"r","process":0},]`, "1:40: an event is expected, and this begins with \"]\" (an event is a map such as {:type :invoke, :process 0, :f :read})"},
		{"JSON, no value", jepsen.JSON, `{"value":01}`, `1:10: "01" is no value`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := all(jepsen.New(strings.NewReader(tc.text), tc.syntax, jepsen.Options{}))
			var placed *pair.Error
			if !errors.As(err, &placed) || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

// TestBrokenReader sees an error of the file below, and not the end of it.
func TestBrokenReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	in := io.MultiReader(strings.NewReader("{:type :invoke :process 0 :f :r}\n"), iotest.ErrReader(broken))
	if _, err := all(jepsen.New(in, jepsen.EDN, jepsen.Options{})); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestConformance reads every history that others made. The counts are held against a count by regular expressions.
func TestConformance(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join(conformance.Dir(t, "knossos"), "*", "*", "*.edn"))
	elle, _ := filepath.Glob(filepath.Join(conformance.Dir(t, "elle-histories"), "*.edn"))
	if len(files) != 122 || len(elle) != 3 {
		t.Fatalf("%d and %d files", len(files), len(elle))
	}
	comment, kind := regexp.MustCompile(`(?m);.*$`), regexp.MustCompile(`:type\s+:(invoke|ok|fail|info)`)
	nemesis := regexp.MustCompile(`:process\s+:nemesis`)
	for _, file := range append(files, elle...) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		bare := comment.ReplaceAll(content, nil)
		for _, m := range kind.FindAllSubmatch(bare, -1) {
			want[string(m[1])]++
		}
		notes := len(nemesis.FindAll(bare, -1))
		got, r := map[string]int{}, jepsen.New(bytes.NewReader(content), jepsen.EDN, jepsen.Options{})
		rec, err := r.Next()
		for ; err == nil; rec, err = r.Next() {
			count(got, rec)
		}
		stats := r.Stats()
		if strings.HasSuffix(file, "mutex/bad/etcd.edn") { // the file itself is cut, inside its last event
			var placed *pair.Error
			if !errors.As(err, &placed) || placed.Line != 1041 || got["ok"]+got["fail"] != 513 {
				t.Errorf("%s: %v: %v", file, err, got)
			}
			continue
		}
		if err != io.EOF || got["invoke"] != want["invoke"] || got["ok"] != want["ok"] || got["fail"] != want["fail"] || got["info"]+notes != want["info"] || stats.Notes != notes {
			t.Errorf("%s: %v: got %v and %d notes, want %v with %d notes among info", file, err, got, stats.Notes, want, notes)
		}
	}
}

func count(got map[string]int, rec pair.Record) {
	if rec.Event != nil {
		return
	}
	got["invoke"]++
	switch {
	case rec.Op.Outcome == history.OK:
		got["ok"]++
	case rec.Op.Outcome == history.Failed:
		got["fail"]++
	case rec.End > 0:
		got["info"]++
	}
}

// FuzzRead holds that no text breaks the reader, that it ends, and that what it reads is a history.
func FuzzRead(f *testing.F) {
	f.Add("[{:type :invoke :process 0 :f :txn :value [[:r 1 nil]]} #_x {:process 0 :type :ok}]", false, false)
	f.Add(`[{"type":"invoke","f":"r","process":0,"value":[1,"a\n"]},{"type":"ok","process":0}]`, true, true)
	f.Add(`{:a #{1 2/3 -4N} :b \newline ##NaN ^m "\u0041" #:x{:y ()} :type :info :process :nemesis}`, false, false)
	f.Fuzz(func(t *testing.T, text string, isJSON, keyed bool) {
		syntax := map[bool]jepsen.Syntax{false: jepsen.EDN, true: jepsen.JSON}[isJSON]
		r := jepsen.New(iotest.OneByteReader(strings.NewReader(text)), syntax, jepsen.Options{Keyed: keyed})
		ids := map[uint64]bool{}
		var last pair.Record
		for {
			rec, err := r.Next()
			if err != nil {
				var placed *pair.Error
				if err != io.EOF && (!errors.As(err, &placed) || placed.Line < 1 || placed.Column < 1) {
					t.Fatalf("an error without a place: %v", err)
				}
				break
			}
			op := rec.Op
			if rec.Event == nil && (ids[op.ID] || op.ID == 0 || op.Call >= op.Return || op.Return <= last.Op.Return) {
				t.Fatalf("%+v after %+v", rec, last)
			}
			if rec.Event == nil {
				ids[op.ID], last = true, rec
			}
		}
		if whole, err := all(jepsen.New(strings.NewReader(text), syntax, jepsen.Options{Keyed: keyed})); err == nil && whole == "" && len(ids) > 0 {
			t.Fatal("read in pieces it is another history")
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var edn, lines bytes.Buffer
	for i := range 200_000 {
		fmt.Fprintf(&edn, "{:type :invoke, :f :txn, :value [[:append %d %d] [:r %d nil] [:r 9 nil]], :process %d, :time %d, :index %d}\n", i%20, i, i%7, i%10, i*20, 2*i)
		fmt.Fprintf(&edn, "{:type :ok, :f :txn, :value [[:append %d %d] [:r %d [1 2 3]] [:r 9 [4 5]]], :process %d, :time %d, :index %d}\n", i%20, i, i%7, i%10, i*20+10, 2*i+1)
		fmt.Fprintf(&lines, `{"type":"invoke","f":"txn","value":[["append",%d,%d],["r",%d,null],["r",9,null]],"process":%d,"time":%d,"index":%d}`+"\n", i%20, i, i%7, i%10, i*20, 2*i)
		fmt.Fprintf(&lines, `{"type":"ok","f":"txn","value":[["append",%d,%d],["r",%d,[1,2,3]],["r",9,[4,5]]],"process":%d,"time":%d,"index":%d}`+"\n", i%20, i, i%7, i%10, i*20+10, 2*i+1)
	}
	for name, in := range map[string]struct {
		text   []byte
		syntax jepsen.Syntax
	}{"edn": {edn.Bytes(), jepsen.EDN}, "json": {lines.Bytes(), jepsen.JSON}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in.text)))
			b.ReportAllocs()
			for range b.N {
				r := jepsen.New(bytes.NewReader(in.text), in.syntax, jepsen.Options{})
				for {
					if _, err := r.Next(); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
				if r.Stats().Ops != 200_000 {
					b.Fatal(r.Stats())
				}
			}
		})
	}
}
