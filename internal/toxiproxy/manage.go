package toxiproxy

import (
	"context"
	"errors"
)

// List returns what runs in a place, and nil where nothing does.
func List(ctx context.Context, place Place) (*Info, error) {
	r, err := attach(place)
	if r == nil || err != nil {
		return nil, err
	}
	info, err := r.info(ctx)
	return &info, err
}

// Stop ends the holder of a place, with all connections, and says whether there was one. What is kept stays.
func Stop(ctx context.Context, place Place) (bool, error) {
	r, err := attach(place)
	if r == nil || err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, endLimit, errors.New("it takes too long"))
	defer cancel()
	return true, r.stop(ctx)
}
