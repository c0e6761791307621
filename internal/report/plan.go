package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
)

// plan is what a report reads of plan.json. It is a part of it on purpose: what an older or newer
// assay planned can be shown as well, and a fault that this version does not know stays a text.
type plan struct {
	System   planSystem `json:"system"`
	Journeys []struct {
		Name  string `json:"name"`
		Steps []struct {
			Record []struct {
				Object string `json:"object"`
			} `json:"record"`
		} `json:"steps"`
	} `json:"journeys"`
	Experiments []planned `json:"experiments"`
}

type planSystem struct {
	Name     string `json:"name"`
	Services []struct {
		Name string `json:"name"`
	} `json:"services"`
}

type planned struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Owner  string `json:"owner"`
	Load   []struct{ Journey string }
	Steady []expectation `json:"steady"`
	During []expectation `json:"during"`
	Expect []expectation `json:"expect"`
	Guard  []expectation `json:"guard"`
	Method []struct {
		At    time.Duration `json:"at"`
		Fault string        `json:"fault"`
		Pos   string        `json:"pos"`
	} `json:"method"`
	Covers map[string][]string `json:"covers"`
	Pos    string              `json:"pos"`
}

type expectation struct {
	Text string `json:"text"`
	Pos  string `json:"pos"`
}

func readFile[T any](run *evidence.Run, name string) (T, error) {
	var v T
	text, err := os.ReadFile(filepath.Join(run.Dir(), name))
	if err != nil {
		return v, fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	return v, nil
}

// ordered is an experiment to report: planned ones first, in the plan's order, then what else left records.
type ordered struct {
	name, folder string
	control      bool
}

func (p plan) order(folders []string) []ordered {
	var list []ordered
	for _, x := range p.Experiments {
		o := ordered{name: x.Name}
		if slices.Contains(folders, x.Name) {
			o.folder = x.Name
		}
		list = append(list, o)
	}
	for _, folder := range folders {
		if slices.ContainsFunc(list, func(o ordered) bool { return o.folder == folder }) {
			continue
		}
		name, _, control := strings.Cut(folder, "@") // a control's folder is EXPERIMENT@WHAT
		list = append(list, ordered{name: name, folder: folder, control: control})
	}
	return list
}

func (p plan) experiment(name string) planned {
	for _, x := range p.Experiments {
		if x.Name == name {
			return x
		}
	}
	return planned{}
}

// serviceOf returns the service of an instance, and other names as they are.
func (s planSystem) serviceOf(instance string) string {
	for _, service := range s.Services {
		rest, ok := strings.CutPrefix(instance, service.Name+"-")
		if ok && rest != "" && strings.Trim(rest, "0123456789") == "" {
			return service.Name
		}
	}
	return instance
}

// faults lists the faults in one line, each once and with how often it comes.
func (x planned) faults() string {
	var texts []string
	times := map[string]int{}
	for _, action := range x.Method {
		if times[action.Fault]++; times[action.Fault] == 1 {
			texts = append(texts, action.Fault)
		}
	}
	for i, text := range texts {
		if n := times[text]; n > 1 {
			texts[i] = fmt.Sprintf("%s, %d times", text, n)
		}
	}
	return strings.Join(texts, ", ")
}

// positions returns where each expectation stands, by its phase and text as a check carries them. Parts of an
// expectation that are judged apart have the position of the whole.
func (x planned) positions() map[string]string {
	found := map[string]string{}
	add := func(phase string, list []expectation) {
		for _, e := range list {
			found[phase+": "+e.Text] = e.Pos
		}
	}
	add("steady before", x.Steady)
	add("steady after", x.Steady)
	add("during", x.During)
	add("expect", x.Expect)
	add("guard", x.Guard)
	return found
}
