package orders

import (
	"context"
	"sync"
)

// parallel calls work for what comes out of queue, n at a time, until ctx is done.
func parallel[T any](ctx context.Context, n int, work func(T), queue <-chan T) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for {
				select {
				case item := <-queue:
					work(item)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	all.Wait()
}
