package plain_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/system/systemtest"
)

// defectVar makes TestBroken run the suite on an environment that breaks one promise.
const defectVar = "PLAIN_TEST_DEFECT"

// broken is an environment with one promise broken.
type broken struct {
	*plain.Env
	defect string
	first  system.Snapshot
}

// brokenNode is a node whose powers report success and do nothing.
type brokenNode struct {
	fullNode
	defect string
}

type fullNode interface {
	system.Node
	system.Killer
	system.Pauser
	system.Restarter
	system.Prober
	system.Inspector
}

func (b *broken) Nodes() []system.Node {
	nodes := b.Env.Nodes()
	for i, n := range nodes {
		nodes[i] = brokenNode{n.(fullNode), b.defect}
	}
	return nodes
}

func (n brokenNode) Kill(ctx context.Context) error {
	return unless(n.defect == "kill", ctx, n.fullNode.Kill)
}

func (n brokenNode) Pause(ctx context.Context) error {
	return unless(n.defect == "pause", ctx, n.fullNode.Pause)
}

func (n brokenNode) Restart(ctx context.Context) error {
	return unless(n.defect == "restart", ctx, n.fullNode.Restart)
}

func (n brokenNode) Probe(ctx context.Context, name string) (any, error) {
	if n.defect == "probe" {
		return "leader", nil
	}
	return n.fullNode.Probe(ctx, name)
}

func (b *broken) SetRule(ctx context.Context, id string, links []system.Link, rule system.Rule) error {
	return unless(b.defect == "rule", ctx, func(ctx context.Context) error { return b.Env.SetRule(ctx, id, links, rule) })
}

func (b *broken) LinkStats(ctx context.Context) ([]system.LinkStats, error) {
	all, err := b.Env.LinkStats(ctx)
	for i := range all {
		if b.defect == "counters" { // which tell of links alone
			all[i].Rules = nil
		}
	}
	return all, err
}

func (b *broken) ClearRule(ctx context.Context, id string) error {
	return unless(b.defect == "heal", ctx, func(ctx context.Context) error { return b.Env.ClearRule(ctx, id) })
}

func (b *broken) Restore(ctx context.Context) error {
	return unless(b.defect == "restore", ctx, b.Env.Restore)
}

func (b *broken) Record(ctx context.Context, dir string, epoch time.Duration) error {
	if b.defect == "record" {
		return os.WriteFile(filepath.Join(dir, "env.jsonl"), nil, 0o644)
	}
	return b.Env.Record(ctx, dir, epoch)
}

func (b *broken) Snapshot(ctx context.Context) (system.Snapshot, error) {
	s, err := b.Env.Snapshot(ctx)
	if b.defect != "snapshot" {
		return s, err
	}
	if b.first.Instances == nil {
		b.first = s
	}
	return b.first, nil
}

func unless(defect bool, ctx context.Context, do func(context.Context) error) error {
	if defect {
		return nil
	}
	return do(ctx)
}

// TestBroken is the suite on a broken environment. TestSuiteSeesDefects runs it.
func TestBroken(t *testing.T) {
	defect := os.Getenv(defectVar)
	if defect == "" {
		t.Skip("it is run by TestSuiteSeesDefects")
	}
	systemtest.Run(t, func(t *testing.T, sys system.System) system.Env {
		if defect == "seed" {
			sys.Seed = uint64(os.Getpid()) // whatever seed was asked for
		}
		opts := options(t)
		opts.ID += fmt.Sprint(os.Getpid()) // this test runs in several processes at once
		return &broken{Env: startWith(t, sys, opts), defect: defect}
	})
}

// An environment that only says that it kills, cuts, restores … must not pass.
func TestSuiteSeesDefects(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the suite once for each defect")
	}
	t.Parallel()
	for defect, test := range map[string]string{
		"kill": "one_environment/kill", "pause": "one_environment/pause", "restart": "one_environment/restart", "probe": "one_environment/probe",
		"rule": "one_environment/refuse", "counters": "one_environment/rules_hit/throttle", "heal": "one_environment/refuse", "record": "one_environment/record", "restore": "one_environment/restore",
		"snapshot": "one_environment/snapshot_leftovers", "seed": "seed",
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			// The suite is less patient where less time is left, and what is broken never comes.
			suite := command(t, os.Args[0], defectVar+"="+defect, "-test.run=^TestBroken$/"+test, "-test.timeout=60s")
			out, err := suite.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBroken/"+test) {
				t.Errorf("the suite passes an environment whose %s is broken: %v\n%s", defect, err, out)
			}
		})
	}
}
