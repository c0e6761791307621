package simrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/overlay"
)

// Flags of go test, sorted by whom they are for: the build with the overlay, "go list", which takes those of a build, and the test binary.
type goFlags struct{ build, list, binary []string }

// What becomes of a flag.
type flagKind int

const (
	toBinary    flagKind = iota // with a value, as any that the go command does not know
	toBinaryBit                 // without
	toBuild
	toBuildBit
	toTest // of go test itself, and not of go list
	noFlag // there is no more to do
)

// flagKinds are the flags that are for the build, or without a value. Which these are is said in go help build and go help testflag.
func flagKinds() map[string]flagKind {
	all := map[string]flagKind{"vet": toTest, "failfast": noFlag}
	for kind, names := range map[flagKind]string{
		toBinaryBit: "short v fullpath",
		toBuild:     "p asmflags buildmode compiler gccgoflags gcflags installsuffix ldflags mod modfile pgo pkgdir tags toolexec",
		toBuildBit:  "a race msan asan x work trimpath linkshared modcacherw buildvcs",
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = kind
		}
	}
	return all
}

// refusedFlags are those that cannot hold for simulations, with what does instead.
func refusedFlags() map[string]string {
	all := map[string]string{}
	for names, instead := range map[string]string{
		"run":                            "assay sim has its own, before the --: --run REGEXP",
		"count":                          "a seed gives the same run each time: --seeds N before the -- says how many seeds, --audit runs each twice",
		"json":                           "assay sim has its own, before the --: --json",
		"cpu":                            "a simulation has one processor; --workers N before the -- says how many processes run at once",
		"shuffle":                        "the seed decides what comes first in a simulation, and tests run as they are written",
		"bench benchtime benchmem":       "a benchmark is no simulation: go test -bench runs it in real time",
		"fuzz fuzztime fuzzminimizetime": "a fuzz test is no simulation: go test -fuzz; s.Choose draws inputs from the seed",
		"list":                           "go test -list names the tests",
		"overlay":                        "the build has an overlay of its own, and Go takes one",
		"c o exec n i":                   "assay sim builds the tests and starts them itself; go test -c keeps a binary",
		"C":                              "change to the folder first",
		"cover covermode coverpkg":       "the processes of many seeds have no coverage together; go test -cover has that of one plain run",
		"coverprofile":                   "the processes of many seeds have no coverage together; go test -coverprofile has that of one plain run",
		"cpuprofile memprofile trace":    "the processes of many seeds have no profile together; go test has that of one plain run",
		"memprofilerate blockprofile":    "the processes of many seeds have no profile together; go test has that of one plain run",
		"blockprofilerate mutexprofile":  "the processes of many seeds have no profile together; go test has that of one plain run",
		"mutexprofilefraction outputdir": "the processes of many seeds have no profile together; go test has that of one plain run",
		"artifacts gocoverdir paniconexit0 testlogfile": "the go command alone gives it to a test binary",
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = instead
		}
	}
	return all
}

// CheckFlags says what is wrong with flags of go test, before anything is built.
func CheckFlags(flags []string) error {
	_, err := sortFlags(flags)
	return err
}

// sortFlags sorts go test's flags, and adds the overlay's tag. Of tags that are said twice the last ones hold, as ever.
func sortFlags(flags []string) (f goFlags, err error) {
	kinds, refused, tags := flagKinds(), refusedFlags(), ""
	for i := 0; i < len(flags); i++ {
		name, value, set := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(flags[i], "-"), "-"), "=")
		name = strings.TrimPrefix(name, "test.")
		if !strings.HasPrefix(flags[i], "-") || name == "" {
			return f, &InputError{fmt.Sprintf("after -- come flags of go test, and %q is none: packages stand before the --", flags[i])}
		}
		if name == "args" {
			f.binary = append(f.binary, flags[i+1:]...)
			break
		}
		if instead := refused[name]; instead != "" {
			return f, &InputError{fmt.Sprintf("go test's flag -%s is not for simulations: %s", name, instead)}
		}
		kind, known := kinds[name]
		if bit := kind == toBuildBit || kind == toBinaryBit || kind == noFlag; !bit && !set && i+1 < len(flags) && (known || takes(name) || !strings.HasPrefix(flags[i+1], "-")) {
			i++
			value, set = flags[i], true
		}
		if err := checkValue(name, value); err != nil {
			return f, err
		}
		flag := "-" + name
		if set {
			flag += "=" + value
		}
		switch {
		case name == "tags":
			tags = "," + strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }), ",")
		case kind == toBuild || kind == toBuildBit:
			f.build, f.list = append(f.build, flag), append(f.list, flag)
		case kind == toTest:
			f.build = append(f.build, flag)
		case kind == noFlag:
		case kind == toBinaryBit || takes(name):
			f.binary = append(f.binary, "-test."+strings.TrimPrefix(flag, "-"))
		default: // the test's own
			f.binary = append(f.binary, flag)
		}
	}
	tags = "-tags=" + overlay.Tag + strings.TrimSuffix(tags, ",")
	f.build, f.list = append(f.build, tags), append(f.list, tags)
	return f, nil
}

// takes tells flags of package testing that have a value, and that simulations obey.
func takes(name string) bool { return name == "timeout" || name == "parallel" || name == "skip" }

func checkValue(name, value string) error {
	var err error
	switch name {
	case "timeout":
		_, err = time.ParseDuration(value)
	case "parallel":
		_, err = strconv.ParseUint(value, 10, 31)
	}
	if err != nil {
		return &InputError{fmt.Sprintf("go test's flag -%s: %v", name, err)}
	}
	return nil
}

// withDefaults puts what GOFLAGS says before the user's flags, where the overlay's own would otherwise take its place: the go command
// has one -tags, one -overlay and one -gcflags for a package.
func (b *builder) withDefaults(ctx context.Context, flags []string) ([]string, error) {
	cmd := b.command(ctx, "env", "GOFLAGS")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("go env GOFLAGS: %w: %s", err, strings.TrimSpace(stderr.String())))
	}
	var first []string
	for _, flag := range regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`).FindAllString(string(out), -1) {
		flag = strings.Trim(flag, `"'`)
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		switch name {
		case "tags", "gcflags":
			first = append(first, flag)
		case "overlay":
			return nil, &InputError{"GOFLAGS has -overlay: " + refusedFlags()[name]}
		}
	}
	return slices.Concat(first, flags), nil
}
