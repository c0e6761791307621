package spec

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/workload"
)

// An experimentLoader reads one experiment's file.
type experimentLoader struct {
	*loader
	src    *source
	made   experiment.Experiment
	loaded []string // journeys that have a load
}

// experiment reads one file. Load is read first, since expectations name its journeys.
func (l *loader) experiment(src *source, path string) {
	x := &experimentLoader{loader: l, src: src}
	e := &x.made
	e.Name, e.Pos = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), src.pos(src.root)
	if _, load := child(src.root, "load"); load != nil {
		src.entries(x.load)("load", load)
	}
	ok := src.object(src.root, "an experiment",
		field{"title", src.text(&e.Title), false},
		field{"owner", src.text(&e.Owner), false},
		field{"load", func(string, *yaml.Node) {}, true},
		field{"steady", x.expectations(steady, &e.Steady), false},
		field{"during", x.expectations(during, &e.During), false},
		field{"expect", x.expectations(expect, &e.Expect), false},
		field{"guard", x.expectations(guard, &e.Guard), false},
		field{"stop", src.list(x.stop), false},
		field{"method", src.list(x.action), true},
		field{"hold", src.duration(&e.Hold, 1), false},
		field{"settle", src.duration(&e.Settle, 1), false},
		field{"after", src.duration(&e.After, 1), false},
		field{"covers", src.entries(x.covers), false},
		field{"control", x.control, false})
	if !ok {
		return
	}
	x.checkWhole()
	slices.SortStableFunc(e.Method, func(a, b experiment.Action) int { return cmp.Compare(a.At, b.At) })
	l.project.Experiments = append(l.project.Experiments, *e)
}

// checkWhole reports what no single key shows.
func (x *experimentLoader) checkWhole() {
	root := x.src.root
	at := func(key string) *yaml.Node { k, _ := child(root, key); return k }
	if at("steady") == nil && at("during") == nil && at("expect") == nil {
		x.src.wrong(root, "one of steady, during, expect", "the experiment expects nothing")
	}
	if key, method := child(root, "method"); key != nil && method.Kind == yaml.SequenceNode && len(method.Content) == 0 {
		x.src.wrong(method, "", "the method is empty: the experiment breaks nothing")
	}
	if key, load := child(root, "load"); key != nil && load.Kind == yaml.MappingNode && len(load.Content) == 0 {
		x.src.wrong(load, "", "the load is empty: the experiment drives nothing")
	}
	for _, other := range x.project.Experiments {
		if other.Name == x.made.Name {
			x.src.wrong(root, "", "two experiments are called %s, the other is in %s", x.made.Name, other.Pos)
		}
	}
}

func (x *experimentLoader) load(key, n *yaml.Node) {
	load := workload.Load{Journey: key.Value}
	x.src.perSecond(&load.Rate)("load of "+key.Value, n)
	if !x.journeyExists(key) {
		return
	}
	x.made.Load = append(x.made.Load, load)
	x.loaded = append(x.loaded, load.Journey)
}

func (x *experimentLoader) journeyExists(key *yaml.Node) bool {
	names := x.project.journeyNames()
	if slices.Contains(names, key.Value) {
		return true
	}
	x.src.wrong(key, hint(key.Value, names), "no journey is called %q", brief(key.Value))
	return false
}

func (x *experimentLoader) expectations(at place, into *[]experiment.Expectation) reader {
	return func(name string, n *yaml.Node) {
		x.src.list(func(item string, n *yaml.Node) {
			if e, ok := x.expectation(at, item, n); ok {
				*into = append(*into, e)
			}
		})(name, n)
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			x.src.wrong(n, "", "%s is an empty list", name)
		}
	}
}

func (x *experimentLoader) stop(_ string, n *yaml.Node) {
	var condition experiment.Condition
	x.src.object(n, "a stop condition",
		field{"when", func(name string, n *yaml.Node) { condition.When, _ = x.expectation(stop, name, n) }, true},
		field{"for", x.src.duration(&condition.For, 1), true})
	x.made.Stop = append(x.made.Stop, condition)
}

func (x *experimentLoader) action(_ string, n *yaml.Node) {
	action := experiment.Action{Pos: x.src.pos(n)}
	x.src.object(n, "an action",
		field{"at", x.src.duration(&action.At, 0), true},
		field{"for", x.src.duration(&action.For, 1), false},
		field{"fault", func(name string, n *yaml.Node) { action.Fault = x.fault(name, n) }, true})
	if action.At > 24*time.Hour || action.For > 24*time.Hour {
		x.src.wrong(n, "", "an action lies or lasts more than a day")
	}
	if action.Fault != nil {
		x.made.Method = append(x.made.Method, action)
	}
}

// fault reads a fault's text and checks its target against the topology.
func (x *experimentLoader) fault(name string, n *yaml.Node) fault.Fault {
	var text string
	x.src.text(&text)(name, n)
	if text == "" {
		return nil
	}
	f, err := fault.Parse(text)
	var wrong *fault.ParseError
	if errors.As(err, &wrong) {
		x.src.wrongAt(n, wrong.Col-1, wrong.Hint, "%s", wrong.Msg)
		return nil
	}
	if err != nil {
		x.src.wrong(n, "", "%v", err)
		return nil
	}
	if len(x.project.System.Services) > 0 {
		x.checkTarget(n, f.Check(x.project.System, nil))
	}
	x.checkLoaded(n, f)
	return f
}

// checkLoaded reports a surge of a journey that does not arrive in this experiment.
func (x *experimentLoader) checkLoaded(n *yaml.Node, f fault.Fault) {
	journey, surges := fault.JourneyOf(f)
	if !surges || journey == "*" {
		return
	}
	names, msg := x.allowed(JourneyParam, journey)
	if msg != "" {
		at := strings.Index(n.Value, "(") + 1
		at += strings.Index(n.Value[at:], journey)
		x.src.wrongAt(n, utf8.RuneCountInString(n.Value[:at]), hint(journey, names), "%s", msg)
	}
}

// checkTarget points at the part of the fault's text that the system does not have.
func (x *experimentLoader) checkTarget(n *yaml.Node, err error) {
	var wrong *fault.TargetError
	switch {
	case err == nil:
	case errors.As(err, &wrong):
		at := max(strings.Index(n.Value, wrong.Part), 0)
		x.src.wrongAt(n, utf8.RuneCountInString(n.Value[:at]), wrong.Hint, "%s", wrong.Msg)
	default:
		x.src.wrong(n, "", "%v", err)
	}
}

func (x *experimentLoader) covers(key, n *yaml.Node) {
	exists := x.journeyExists(key)
	if exists && len(x.loaded) > 0 && !slices.Contains(x.loaded, key.Value) {
		x.src.wrong(key, hint(key.Value, x.loaded), "journey %s has no load in this experiment", key.Value)
	}
	var modes []string
	x.src.list(func(item string, n *yaml.Node) {
		var mode string
		x.src.text(&mode)(item, n)
		switch {
		case mode == "":
		case !slices.Contains(experiment.Modes(), mode):
			x.src.wrong(n, hint(mode, experiment.Modes()), "no failure mode is called %q", brief(mode))
		case slices.Contains(modes, mode):
			x.src.wrong(n, "", "%s is given twice", mode)
		default:
			modes = append(modes, mode)
		}
	})(fmt.Sprintf("covers of %s", key.Value), n)
	if !exists {
		return
	}
	if x.made.Covers == nil {
		x.made.Covers = map[string][]string{}
	}
	x.made.Covers[key.Value] = modes
}

// control reads the defects of a control run: one name or a list of them.
func (x *experimentLoader) control(name string, n *yaml.Node) {
	x.src.object(n, name, field{"defect", func(name string, n *yaml.Node) {
		if n.Kind == yaml.SequenceNode {
			x.src.list(x.controlDefect)(name, n)
			return
		}
		x.controlDefect(name, n)
	}, true})
}

func (x *experimentLoader) controlDefect(name string, n *yaml.Node) {
	var defect string
	x.src.text(&defect)(name, n)
	switch names := x.project.defectNames(); {
	case defect == "" || len(names) == 0 && x.parts.hasDefects: // their own mistakes are shown
	case !slices.Contains(names, defect):
		x.src.wrong(n, hint(defect, names), "no defect is called %q", brief(defect))
	default:
		x.made.ControlDefects = append(x.made.ControlDefects, defect)
	}
}
