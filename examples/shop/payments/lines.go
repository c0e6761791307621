package payments

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The acquirer is the bank behind payments. It has a few lines, each good for one charge at a time, which makes 66 charges
// a second. The room is for those who wait for a line: 120 ms at the most, which leaves a caller time to hear the answer.
const (
	acquirerTime = 60 * time.Millisecond
	acquirerRoom = 8
	acquirer     = 4 // lines
)

// errBusy turns a caller away. It is no Unavailable: to come back at once is what would make things worse.
var errBusy = status.Error(codes.ResourceExhausted, "every line to the acquirer is taken, and so is the waiting room")

// lines keeps those apart who may talk to the acquirer from those who wait, and both from those who are turned away.
type lines interface {
	// talk returns when the acquirer has heard the caller, or why it did not.
	talk(ctx context.Context) error
}

// limited serves who comes while there is room, and tells the rest at once: an answer that comes too late serves nobody,
// and the wait for it makes the next one late, too. Who leaves the room leaves his place to others.
type limited struct{ taken, room chan struct{} }

func newLimited() limited {
	return limited{make(chan struct{}, acquirer), make(chan struct{}, acquirer+acquirerRoom)}
}

func (l limited) talk(ctx context.Context) error {
	select {
	case l.room <- struct{}{}:
		defer func() { <-l.room }()
	default:
		return errBusy
	}
	select {
	case l.taken <- struct{}{}:
		defer func() { <-l.taken }()
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
	select {
	case <-time.After(acquirerTime):
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// endless is what the defect no-limit has instead: everyone may wait, and is served in turn, also who has left long ago.
type endless struct{ taken chan struct{} }

func newEndless() endless { return endless{make(chan struct{}, acquirer)} }

func (e endless) talk(ctx context.Context) error {
	e.taken <- struct{}{}
	defer func() { <-e.taken }()
	time.Sleep(acquirerTime)
	if ctx.Err() != nil { // nobody is there to be charged
		return status.FromContextError(ctx.Err()).Err()
	}
	return nil
}
