package toxiproxy

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// Amounts that clients may send are any numbers; more than these means the same.
const (
	longest = 100 * 365 * 24 * time.Hour
	fastest = 1 << 50 // bytes per second
)

// A toxic is one toxic of a proxy, in the API's own form.
type toxic struct {
	Attributes attributes `json:"attributes"`
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Stream     string     `json:"stream"`
	Toxicity   float32    `json:"toxicity"`

	up bool   // of the direction client -> upstream
	id string // of its rule
}

// attributes are what a type of toxic can be told. A pointer, so that JSON is read into it.
type attributes interface {
	// rule returns what the mesh is to do, and whether that is anything at all.
	rule() (rule system.Rule, bends bool)
}

// newAttributes returns the attributes of a type, all zero, or nil for a type that does not exist.
func newAttributes(kind string) attributes {
	switch kind {
	case "noop":
		return &noop{}
	case "latency":
		return &latency{}
	case "bandwidth":
		return &bandwidth{}
	case "slow_close":
		return &slowClose{}
	case "timeout":
		return &timeout{}
	case "reset_peer":
		return &resetPeer{}
	case "slicer":
		return &slicer{}
	case "limit_data":
		return &limitData{}
	}
	return nil
}

type noop struct{}

func (*noop) rule() (system.Rule, bool) { return system.Rule{}, false }

type latency struct {
	Latency int64 `json:"latency"` // ms
	Jitter  int64 `json:"jitter"`  // ms
}

func (a *latency) rule() (system.Rule, bool) {
	return system.Rule{Kind: system.Delay, Delay: millis(a.Latency), Jitter: millis(a.Jitter)}, a.Latency > 0 || a.Jitter > 0
}

type bandwidth struct {
	Rate int64 `json:"rate"` // 1000 bytes per second
}

// A rate of 0 lets nothing pass until the toxic goes, and loses nothing: a delay that does not end.
func (a *bandwidth) rule() (system.Rule, bool) {
	if a.Rate <= 0 {
		return system.Rule{Kind: system.Delay, Delay: longest}, true
	}
	return system.Rule{Kind: system.Throttle, Rate: min(a.Rate, fastest/1000) * 1000, Each: true}, true
}

type slowClose struct {
	Delay int64 `json:"delay"` // ms
}

func (a *slowClose) rule() (system.Rule, bool) {
	return system.Rule{Kind: system.SlowClose, Delay: millis(a.Delay)}, a.Delay > 0
}

type timeout struct {
	Timeout int64 `json:"timeout"` // ms
}

func (a *timeout) rule() (system.Rule, bool) {
	return system.Rule{Kind: system.Blackhole, Delay: millis(a.Timeout)}, true
}

type resetPeer struct {
	Timeout int64 `json:"timeout"` // ms
}

func (a *resetPeer) rule() (system.Rule, bool) {
	return system.Rule{Kind: system.Reset, Delay: millis(a.Timeout), When: system.Trigger{Data: true}}, true
}

type slicer struct {
	AverageSize   int64 `json:"average_size"`
	SizeVariation int64 `json:"size_variation"`
	Delay         int64 `json:"delay"` // µs
}

func (a *slicer) rule() (system.Rule, bool) {
	return system.Rule{
		Kind: system.Slice, Bytes: a.AverageSize, Spread: min(max(a.SizeVariation, 0), a.AverageSize), Delay: span(a.Delay, time.Microsecond),
	}, a.AverageSize > 0
}

type limitData struct {
	Bytes int64 `json:"bytes"`
}

func (a *limitData) rule() (system.Rule, bool) {
	return system.Rule{Kind: system.Limit, Bytes: max(a.Bytes, 0)}, true
}

func millis(n int64) time.Duration { return span(n, time.Millisecond) }

func span(n int64, unit time.Duration) time.Duration {
	if n > int64(longest/unit) {
		return longest
	}
	return time.Duration(max(n, 0)) * unit
}

// bend returns the toxic as a rule, and whether there is anything to do: nothing ever happens at a toxicity of 0.
func (t *toxic) bend(proxy string) (system.Rule, bool) {
	rule, bends := t.Attributes.rule()
	if t.Toxicity < 1 {
		rule.When.P = max(float64(t.Toxicity), 0)
	}
	rule.Text = fmt.Sprintf("%s %s of %s", t.Name, strings.ToLower(t.Stream), proxy)
	return rule, bends && t.Toxicity > 0
}

// newToxic reads what all types of toxics have in common; read takes the rest of the body.
func newToxic(body []byte) (*toxic, error) {
	head := struct {
		Attributes *struct{} `json:"attributes"`
		Name       string    `json:"name"`
		Type       string    `json:"type"`
		Stream     string    `json:"stream"`
		Toxicity   float32   `json:"toxicity"`
	}{Stream: "downstream", Toxicity: 1}
	if err := decode(body, &head); err != nil {
		return nil, err
	}
	t := &toxic{Name: head.Name, Type: head.Type, Stream: head.Stream, Toxicity: head.Toxicity}
	switch strings.ToLower(t.Stream) {
	case "upstream":
		t.up = true
	case "downstream":
	default:
		return nil, errStream
	}
	if t.Name == "" {
		t.Name = t.Type + "_" + t.Stream
	}
	if t.Attributes = newAttributes(t.Type); t.Attributes == nil {
		return nil, errToxicType
	}
	return t, nil
}

// read takes what the body says of attributes and leaves the others as they are.
func (t *toxic) read(body []byte) error {
	tail := struct {
		Attributes any     `json:"attributes"`
		Toxicity   float32 `json:"toxicity"`
	}{t.Attributes, t.Toxicity}
	if err := decode(body, &tail); err != nil {
		return err
	}
	t.Toxicity = tail.Toxicity
	return nil
}

// changed returns a copy with what the body says, and leaves the toxic itself alone.
func (t *toxic) changed(body []byte) (*toxic, error) {
	next := *t
	next.Attributes = newAttributes(t.Type)
	text, err := json.Marshal(t.Attributes)
	if err == nil {
		err = json.Unmarshal(text, next.Attributes)
	}
	if err != nil {
		return nil, err
	}
	return &next, next.read(body)
}
