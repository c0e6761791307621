package model_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/workload/model"
)

func TestMeeting(t *testing.T) {
	t.Parallel()
	m := &model.Meeting{Patience: time.Minute}
	var met atomic.Int64
	var all sync.WaitGroup
	for range 100 { // all of an even number meet somebody
		all.Go(func() {
			if m.Meet(t.Context()) {
				met.Add(1)
			}
		})
	}
	all.Wait()
	if got := met.Load(); got != 100 {
		t.Errorf("%d of 100 clients met another one", got)
	}
}

func TestNobodyComes(t *testing.T) {
	t.Parallel()
	if (&model.Meeting{Patience: time.Millisecond}).Meet(t.Context()) {
		t.Error("a client that is alone met somebody")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	m := &model.Meeting{Patience: time.Hour}
	if m.Meet(ended) {
		t.Error("a client whose context ended met somebody")
	}
	if (*model.Meeting)(nil).Meet(t.Context()) {
		t.Error("there is no meeting, and somebody came")
	}
	done := make(chan bool) // whoever left is not waited for, and does not keep others from meeting
	go func() { done <- m.Meet(t.Context()) }()
	if !m.Meet(t.Context()) || !<-done {
		t.Error("two clients did not meet")
	}
}
