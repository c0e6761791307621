package gotest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/assay-dev/assay"
	"github.com/assay-dev/assay/verdict"
)

func TestMain(m *testing.M) { assay.Main(m) }

func TestRegisterSurvivesAKill(t *testing.T) {
	register := assay.Start(t, ".", assay.Options{Store: t.TempDir()})
	result := register.Experiment("killed")
	if len(result.Modes["write"]) != 1 || !result.Modes["write"][0].Proved {
		t.Errorf("the restart was not proved: %+v", result.Modes)
	}
}

func TestALostJournalIsFound(t *testing.T) {
	register := assay.Start(t, ".", assay.Options{Store: t.TempDir(), Defect: "no-journal"})
	if result := register.Try("killed"); result.Verdict != verdict.Fail {
		t.Errorf("without a journal: %s: %s", result.Verdict, result.Reason)
	}
}

func Example() {
	store, err := os.MkdirTemp("", "evidence")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(store)
	report, err := assay.Run(context.Background(), ".", assay.Options{Store: store})
	if err != nil {
		panic(err)
	}
	for _, result := range report.Results {
		fmt.Println(result.Name, result.Verdict)
	}
	// Output: killed pass
}
