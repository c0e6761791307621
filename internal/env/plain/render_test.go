package plain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/system"
)

func shop() system.System {
	return system.System{Name: "shop", Dir: "/shop", Services: []system.Service{
		{Name: "nats", Replicas: 2, Ports: []int{4222, 6222}, Process: system.Process{
			Command: []string{"nats-server", "-c", "{{data}}/nats.conf"},
			Files:   map[string]string{"nats.conf": "name: {{instance}}\nlisten: {{ip}}:4222\nclient_advertise: {{advertise(4222)}}\nroutes: [nats://nats-1:6222, nats://nats-2:6222]\n"},
		}},
		{Name: "orders", Replicas: 1, Ports: []int{8080}, Zones: []string{"a"}, Process: system.Process{
			Command: []string{"bin/orders", "--nats=nats:4222"},
			Env:     map[string]string{"NATS_HOST": "nats", "SELF": "{{instance}}/{{service}}/{{ordinal}}/{{zone}}", "OTHER": "x"},
		}, Ready: system.Ready{Exec: []string{"probe", "http://orders-1:8080"}}, Probes: map[string]system.Probe{
			"role": {SQL: &system.SQL{URL: "postgres://nats-2:5432/x", Query: "select 1"}, Value: "rows"},
		}},
	}}
}

// The dry run shows each rewrite, and the S of a network that is not taken yet.
func TestRewrites(t *testing.T) {
	got, err := Rewrites(shop())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range got {
		lines = append(lines, fmt.Sprintf("%s | %s | %s | %s", r.Instance, r.Where, r.From, r.To))
	}
	want := []string{
		"nats-1 | files nats.conf | routes: [nats://nats-1:6222, nats://nats-2:6222] | routes: [nats://127.S.1.3:6222, nats://127.S.1.4:6222]",
		"nats-2 | files nats.conf | routes: [nats://nats-1:6222, nats://nats-2:6222] | routes: [nats://127.S.2.3:6222, nats://127.S.2.4:6222]",
		"orders-1 | command[1] | --nats=nats:4222 | --nats=127.S.3.1:4222",
		"orders-1 | env NATS_HOST | nats | 127.S.3.1",
		"orders-1 | ready.exec[1] | http://orders-1:8080 | http://127.S.3.5:8080",
		"orders-1 | probe role sql.url | postgres://nats-2:5432/x | postgres://127.S.3.4:5432/x",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("the rewrites are\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestTemplates(t *testing.T) {
	sys := shop()
	addrs, err := newAddresses(sys, "127.20")
	if err != nil {
		t.Fatal(err)
	}
	var opened []opening
	r := &renderer{sys: sys, addrs: addrs, inst: sys.Services[0].Instances()[1], data: "/data/nats-2",
		open: func(_ context.Context, o opening) error { opened = append(opened, o); return nil }}
	l, err := r.launch(t.Context(), sys.Services[0])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.Files["nats.conf"], "name: nats-2\nlisten: 127.20.0.2:4222\nclient_advertise: 127.20.254.2:4222\nroutes: [nats://127.20.2.3:6222, nats://127.20.2.4:6222]\n"; got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	if got := l.Argv[2]; got != "/data/nats-2/nats.conf" {
		t.Errorf("the argument is %q", got)
	}
	if want := []opening{{"", "nats-2", 4222}, {"nats-2", "nats-1", 6222}, {"nats-2", "nats-2", 6222}}; !slices.Equal(opened, want) {
		t.Errorf("opened are %v, want %v", opened, want)
	}
	r.inst = sys.Services[1].Instances()[0]
	if l, err = r.launch(t.Context(), sys.Services[1]); err != nil || l.Env["SELF"] != "orders-1/orders/1/a" || l.Dir != "/shop" {
		t.Errorf("the launch is %+v, %v", l, err)
	}
	// A host without a port may be dialled at any of its service's.
	for _, port := range []int{4222, 6222} {
		if !slices.Contains(opened, opening{"orders-1", "nats", port}) {
			t.Errorf("nats:%d is not open for orders-1: %v", port, opened)
		}
	}
}

func TestAdvertiseErrors(t *testing.T) {
	sys := shop()
	for _, text := range []string{"{{advertise()}}", "{{advertise(1, 2)}}", `{{advertise("4222")}}`, "{{advertise(0)}}", "{{advertise(65536)}}"} {
		sys.Services[1].Process.Env = map[string]string{"X": text}
		if _, err := Rewrites(sys); err == nil || !strings.Contains(err.Error(), "orders-1: env X") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNameTwice(t *testing.T) {
	for _, names := range [][]string{{"a", "a-1"}, {"client"}} {
		var sys system.System
		for _, name := range names {
			sys.Services = append(sys.Services, system.Service{Name: name, Replicas: 1})
		}
		if _, err := newAddresses(sys, "127.S"); err == nil {
			t.Errorf("services %v have addresses", names)
		}
	}
}
