package simrun

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// Each flag of go test goes to whom it is for, or is refused with what to do instead.
func TestFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flags, build, list, binary, refused string }{
		{"", "-tags=assaysim", "-tags=assaysim", "", ""},
		{"-race -tags a,b -timeout=5m -short -parallel 2 --v", "-race -tags=assaysim,a,b", "-race -tags=assaysim,a,b", "-test.timeout=5m -test.short -test.parallel=2 -test.v", ""},
		{"-tags=a -tags b", "-tags=assaysim,b", "-tags=assaysim,b", "", ""}, // as go test does
		{"-tags=", "-tags=assaysim", "-tags=assaysim", "", ""},
		{"-mod vendor -modfile=x.mod -vet off", "-mod=vendor -modfile=x.mod -vet=off -tags=assaysim", "-mod=vendor -modfile=x.mod -tags=assaysim", "", ""},
		{"-ldflags -X=a.b=c -trimpath", "-ldflags=-X=a.b=c -trimpath -tags=assaysim", "-ldflags=-X=a.b=c -trimpath -tags=assaysim", "", ""},
		{"-timeout 0 -skip TestA|TestB -failfast -v=true", "-tags=assaysim", "-tags=assaysim", "-test.timeout=0 -test.skip=TestA|TestB -test.v=true", ""},
		{"-test.short -mine 3 -yours -args -run x", "-tags=assaysim", "-tags=assaysim", "-test.short -mine=3 -yours -run x", ""},
		{"-run X", "", "", "", "-run is not for simulations: assay sim has its own, before the --: --run REGEXP"},
		{"-count=1", "", "", "", "--seeds N"},
		{"-json", "", "", "", "--json"},
		{"-bench .", "", "", "", "go test -bench"},
		{"-cover", "", "", "", "go test -cover"},
		{"-coverprofile=c.out", "", "", "", "go test -coverprofile"},
		{"-cpu 1,2", "", "", "", "--workers"},
		{"-test.cpuprofile=x", "", "", "", "profile"},
		{"-overlay=x", "", "", "", "overlay of its own"},
		{"-race ./pkg", "", "", "", `"./pkg" is none: packages stand before the --`},
		{"-timeout soon", "", "", "", `-timeout: time: invalid duration "soon"`},
		{"-timeout", "", "", "", `-timeout: time: invalid duration ""`},
		{"-parallel=-1", "", "", "", "-parallel"},
	} {
		got, err := sortFlags(strings.Fields(tt.flags))
		if tt.refused != "" {
			var input *InputError
			if !errors.As(err, &input) || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("%s: got %v, want %s", tt.flags, err, tt.refused)
			}
			continue
		}
		for name, pair := range map[string][2]string{
			"build": {strings.Join(got.build, " "), tt.build}, "list": {strings.Join(got.list, " "), tt.list}, "binary": {strings.Join(got.binary, " "), tt.binary},
		} {
			if err != nil || pair[0] != pair[1] {
				t.Errorf("%s: %s: got %s, want %s, %v", tt.flags, name, pair[0], pair[1], err)
			}
		}
	}
}

// What the go command takes from GOFLAGS is not lost where the build has a flag of that name itself.
func TestDefaultFlags(t *testing.T) {
	for _, tt := range []struct{ env, flags, want, refused string }{
		{"-tags=a", "-race", "-race -tags=assaysim,a", ""},
		{"-mod=mod -tags=a,b -v -count=1", "", "-tags=assaysim,a,b", ""},
		{"-tags=a", "-tags=b", "-tags=assaysim,b", ""}, // as go test does
		{"-v '-gcflags=all=-N -l' -short", "", "-gcflags=all=-N -l -tags=assaysim", ""},
		{"-overlay=x.json", "", "", "GOFLAGS has -overlay"},
	} {
		t.Setenv("GOFLAGS", tt.env)
		b := &builder{o: &Options{}}
		b.tc.Command = "go"
		flags, err := b.withDefaults(t.Context(), strings.Fields(tt.flags))
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip(err)
		}
		if tt.refused != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("%s: got %v, want %s", tt.env, err, tt.refused)
			}
			continue
		}
		got, err2 := sortFlags(flags)
		if s := strings.Join(got.build, " "); err != nil || err2 != nil || s != tt.want {
			t.Errorf("%s: got %s, want %s, %v %v", tt.env, s, tt.want, err, err2)
		}
	}
}

// A command that is printed can be pasted.
func TestQuoted(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"-race": "-race", "-gcflags=-N -l": "'-gcflags=-N -l'", "it's": `'it'\''s'`, "": "''"} {
		if got := quoted(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

// A module that is newer or older than the command is named, where the linker says what it misses.
func TestVersions(t *testing.T) {
	t.Parallel()
	out := "x.newWatch: relocation target github.com/assay-dev/assay/sim.rtReach not defined"
	if got := versions(out); !strings.Contains(got, "different versions") {
		t.Errorf("got %q", got)
	}
	if got := versions("x_test.go:3:4: undefined: y"); got != "" {
		t.Errorf("of another error: %q", got)
	}
}
