package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-dev/assay/telemetry"
)

// A Usage is what one instance used up to a moment, since the moment before.
type Usage struct {
	At    time.Duration `json:"at"`
	Cores float64       `json:"cores"`           // processors kept busy
	Bytes float64       `json:"bytes,omitempty"` // resident memory
}

// readUsage reads what was sampled of the instances, by instance. Environments that sample nothing leave no file.
func readUsage(dir, name string) (map[string][]Usage, *Damage) {
	path := filepath.Join(dir, "series.jsonl")
	if _, err := os.Lstat(path); err != nil {
		return nil, nil
	}
	samples := map[string]map[time.Duration]*Usage{}
	damage := eachLine(path, name+"/series.jsonl", []func([]byte) error{func(line []byte) error {
		var s telemetry.Sample
		if err := json.Unmarshal(line, &s); err != nil {
			return err
		}
		if s.At < 0 || s.At > farthest {
			return fmt.Errorf("%d ns is no time of a run", s.At)
		}
		instance := s.Labels["instance"]
		if instance == "" || s.Name != telemetry.CPUSeconds && s.Name != telemetry.RSSBytes {
			return nil
		}
		if samples[instance] == nil {
			samples[instance] = map[time.Duration]*Usage{}
		}
		u := samples[instance][s.At]
		if u == nil {
			u = &Usage{At: s.At}
			samples[instance][s.At] = u
		}
		if s.Name == telemetry.CPUSeconds {
			u.Cores = s.Value // the total, until rates are taken
		} else {
			u.Bytes = s.Value
		}
		return nil
	}})
	usage := map[string][]Usage{}
	for instance, at := range samples {
		usage[instance] = rates(at)
	}
	return usage, damage
}

// rates turns totals of processor time into processors kept busy, in at most mostPoints moments.
func rates(at map[time.Duration]*Usage) []Usage {
	var list []Usage
	for _, u := range at {
		list = append(list, *u)
	}
	slices.SortFunc(list, func(a, b Usage) int { return cmp.Compare(a.At, b.At) })
	for i := len(list) - 1; i >= 0; i-- {
		before := Usage{}
		if i > 0 {
			before = list[i-1]
		}
		list[i].Cores = max(list[i].Cores-before.Cores, 0) / max((list[i].At-before.At).Seconds(), 0.001)
	}
	each := (len(list) + mostPoints - 1) / mostPoints
	if each < 2 {
		return list
	}
	var folded []Usage
	for part := range slices.Chunk(list, each) {
		last := part[len(part)-1]
		for _, u := range part {
			last.Cores, last.Bytes = max(last.Cores, u.Cores), max(last.Bytes, u.Bytes)
		}
		folded = append(folded, last)
	}
	return folded
}

// use gives each lane what its instance used. An instance of which nothing else is known gets a lane.
func (e *Experiment) use(usage map[string][]Usage) {
	for _, instance := range sortedNames(usage) {
		i := slices.IndexFunc(e.Lanes, func(l Lane) bool { return l.Instance == instance })
		if i < 0 {
			e.Lanes = append(e.Lanes, Lane{Instance: instance, Still: true})
			i = len(e.Lanes) - 1
		}
		e.Lanes[i].Usage = usage[instance]
	}
}

// peak is the most that an instance used, in words.
func (l Lane) peak() string {
	var cores, bytes float64
	for _, u := range l.Usage {
		cores, bytes = max(cores, u.Cores), max(bytes, u.Bytes)
	}
	if len(l.Usage) == 0 {
		return ""
	}
	return fmt.Sprintf("at most %.2f processors, %.0f MB", cores, bytes/1e6)
}

// usageArea draws the processors an instance kept busy behind its lane. All lanes of an experiment have one scale.
func (c *chart) usageArea(usage []Usage, most float64) {
	if len(usage) == 0 || most <= 0 {
		return
	}
	var area path
	floor := c.height
	area.to(0, floor)
	before := time.Duration(0)
	for _, u := range usage {
		y := floor - u.Cores/most*(floor-2)
		area.to(c.x(before), y)
		area.to(c.x(u.At), y)
		before = u.At
	}
	area.to(c.x(before), floor)
	area.WriteString("Z")
	c.inner()
	c.tag("path", "class", "usage", "d", area.String())
	c.shut("svg")
}

// mostCores is the scale of usage in all lanes.
func (e *Experiment) mostCores() float64 {
	most := 0.0
	for _, l := range e.Lanes {
		for _, u := range l.Usage {
			most = max(most, u.Cores)
		}
	}
	return most
}

// stillStrips are the lanes of instances that never changed, where something was sampled of them.
func (v *experimentView) stillStrips(a axis) {
	for _, lane := range v.Lanes {
		if lane.Still && len(lane.Usage) > 0 {
			v.StillRows = append(v.StillRows, laneRow{Instance: lane.Instance, Peak: lane.peak(), Strip: laneStrip(a, v.Experiment, lane)})
		}
	}
}
