package system

import (
	"reflect"
	"testing"
)

func TestStandingDiff(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after Standing
		want          []string
	}{
		{"the same", Standing{State: IsReady, Running: 1}, Standing{State: IsReady, Running: 1}, nil},
		{"one process became two", Standing{Running: 1}, Standing{Running: 2}, []string{"db-1: running processes was 1, is 2"}},
		{"a program that forks has other children", Standing{Running: 9}, Standing{Running: 7}, nil},
		{"all of them are gone", Standing{Running: 9}, Standing{}, []string{"db-1: running processes was 9, is 0"}},
		{"its limits went with it", Standing{Running: 1, Limits: map[string]string{"max open files": "9"}}, Standing{}, []string{"db-1: running processes was 1, is 0"}},
		{"one child is still stopped", Standing{Running: 9}, Standing{Running: 8, Stopped: 1}, []string{"db-1: stopped processes was 0, is 1"}},
		{"a port is left", Standing{}, Standing{Ports: []string{"127.0.0.1:1"}}, []string{"db-1: port 127.0.0.1:1 is left"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := Snapshot{Instances: map[string]Standing{"db-1": c.before}}, Snapshot{Instances: map[string]Standing{"db-1": c.after}}
			if got := before.Diff(after); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
