package fault

import (
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// A Profile is a kind of link as it is found in the world, written link(A -> B, NAME).
type Profile struct {
	Name   string   `json:"name"`
	Faults []string `json:"faults"`         // what it amounts to for one direction, as faults without their links: "delay 40ms±2ms"
	Source string   `json:"source"`         // of the figures
	Ours   string   `json:"ours,omitempty"` // what of them is our choice, "" for nothing
}

// Profiles are all of them, sorted by name. Published delays are of a round trip; here each direction has half.
// A published loss is one of packets, and drop loses chunks, which may hold several.
func Profiles() []Profile {
	return []Profile{
		{"3g", []string{"throttle 200KB/s", "delay 150ms±50ms, dist=normal", "drop 0.5%"},
			"WebPageTest, connectivity.ini.sample, 3G: 1.6 Mbit/s down, round trip 300 ms; Loadero wiki, network conditions, 3G: jitter 50 ms, loss 0.5 %", "that the jitter is normal, and the same both ways"},
		{"cross-region", []string{"delay 40ms±2ms, dist=normal"},
			"ITU-T G.114, Annex A: 5 µs per km of fibre. For a pair of regions of your own: AWS, Network Manager, Infrastructure Performance; Azure, network round-trip latency statistics", "8,000 km of fibre, as across the North Atlantic, which makes a round trip of 80 ms; and the jitter"},
		{"dsl", []string{"throttle 187500B/s", "delay 25ms±5ms, dist=normal"},
			"WebPageTest, connectivity.ini.sample, DSL: 1.5 Mbit/s down, round trip 50 ms", "the jitter"},
		{"flaky", []string{"throttle 125KB/s", "delay 500ms±250ms", "drop 10%"},
			"Apple, Network Link Conditioner, Very Bad Network: 1 Mbit/s, delay 500 ms, loss 10 %, each way, as commonly quoted: no page of Apple's states them", "the jitter"},
		{"satellite", []string{"throttle 3125KB/s", "delay 260ms±20ms"},
			"RFC 2488, section 2: 239.6 to 279.0 ms one way over a geostationary satellite; FCC, Broadband Progress Report 2015: 25 Mbit/s down is broadband", "that a satellite has just that rate, and that its delay is spread evenly from 240 to 280 ms"},
		{"wifi", []string{"throttle 3750KB/s", "delay 1ms±2ms, dist=pareto"},
			"Firefox, Network Monitor, Throttling, Wi-Fi: 30 Mbit/s down, 2 ms at least", "the tail, of 2 ms on average each way"},
	}
}

func profileNames() []string {
	var names []string
	for _, p := range Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// LinkProfile makes the data from one side to the other travel as over a kind of link, such as "3g"; see Profiles.
func LinkProfile(from, to, name string, with ...With) Fault {
	return newLink(profileKind, from, to, func(f *link) { f.profile = name }, with)
}

// profileKind is the kind of a fault that is a profile.
const profileKind = "link"

// rules are what the fault sets on its links: one rule, or those of its profile.
func (f link) rules() []system.Rule {
	if f.kind != profileKind {
		rule := f.rule
		if f.ofRequests() {
			match := f.match
			rule.Match = &match
		}
		return []system.Rule{rule}
	}
	var rules []system.Rule
	for _, part := range f.parts() {
		rules = append(rules, part.rules()...)
	}
	return rules
}

// parts are the faults that a profile amounts to, in its order.
func (f link) parts() []link {
	var parts []link
	for _, profile := range Profiles() {
		if profile.Name != f.profile {
			continue
		}
		for _, text := range profile.Faults {
			kind, args, _ := strings.Cut(text, " ")
			made, err := Parse(kind + "(a -> b, " + args + ")")
			if err != nil {
				panic("fault: profile " + f.profile + ": " + err.Error())
			}
			part := made.(link)
			part.from, part.to, part.both, part.pick = f.from, f.to, f.both, f.pick
			parts = append(parts, part)
		}
	}
	return parts
}

// forever is how long a fault at full strength holds up what it would only make late.
const forever = time.Hour
