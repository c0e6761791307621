package workload

// A Run is one run of a journey, as a Go function sees it.
type Run struct{}
