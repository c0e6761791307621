package experiment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

// countingEnv has links whose counters are told.
type countingEnv struct {
	*fakeEnv
	stats []system.LinkStats
	err   error
}

func (e *countingEnv) SetRule(context.Context, string, []system.Link, system.Rule) error { return nil }
func (e *countingEnv) ClearRule(context.Context, string) error                           { return nil }
func (e *countingEnv) LinkStats(context.Context) ([]system.LinkStats, error)             { return e.stats, e.err }

type bending struct {
	fault.Active
	links []system.Link
}

func (b bending) Links() []system.Link { return b.links }
func (b bending) Rules() []string      { return []string{"own"} }

func TestARunNotesWhatItsFaultsHitOutside(t *testing.T) {
	t.Parallel()
	in, other := system.Link{From: "a", To: "b"}, system.Link{From: "a", To: "c"}
	cases := []struct {
		name   string
		active fault.Active
		grown  []system.LinkStats
		err    error
		want   string // of the event, "" for none
	}{
		{"nothing outside", bending{links: []system.Link{in}}, []system.LinkStats{{Link: in, Bent: 3}, {Link: other, BytesIn: 9}}, nil, `"ok":true,"text":"1 links that no fault was on show no effect"`},
		{"a leak", bending{links: []system.Link{in}}, []system.LinkStats{{Link: in, Bent: 3}, {Link: other, Bent: 1}}, nil, `"text":"links were bent by what is no fault of this experiment: a -\u003e c (1 chunks bent)"`},
		{"its own rule", bending{links: []system.Link{in}}, []system.LinkStats{{Link: in, Rules: []system.RuleStats{{ID: "own", Hit: 2}}}, {Link: other}}, nil, `"ok":true,"text":"1 links that no fault was on show no effect"`},
		{"a rule of somebody else on its own link", bending{links: []system.Link{in}}, []system.LinkStats{{Link: in, Rules: []system.RuleStats{{ID: "own", Hit: 2}, {ID: "hand", Hit: 3}}}}, nil, `"text":"links were bent by what is no fault of this experiment: a -\u003e b (3 hits of the rule hand)"`},
		{"nobody knows", bending{links: []system.Link{in}}, nil, errors.New("socket closed"), `"text":"the counters of links cannot be read: socket closed"`},
		{"no fault of links", struct{ fault.Active }{}, []system.LinkStats{{Link: other, BytesIn: 1}}, nil, ""},
		{"no fault of links, and somebody bends one by hand", struct{ fault.Active }{}, []system.LinkStats{{Link: other, Bent: 1}}, nil, `"text":"links were bent by what is no fault of this experiment: a -\u003e c (1 chunks bent)"`},
	}
	for _, c := range cases {
		dir := t.TempDir()
		rec, err := newRecords(dir, func() time.Duration { return time.Second })
		if err != nil {
			t.Fatal(err)
		}
		r := &run{env: &countingEnv{stats: c.grown, err: c.err}, rec: rec}
		r.within(c.active)
		r.outside(t.Context(), nil, nil)
		if err := rec.close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text); !strings.Contains(got, c.want) || c.want == "" && got != "" || strings.Contains(got, `"ok":true`) != strings.Contains(c.want, `"ok":true`) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
