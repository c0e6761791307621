module github.com/assay-dev/assay/examples/sim/catalogue/semaphore

go 1.26.0

require (
	github.com/assay-dev/assay v0.0.0
	golang.org/x/sync v0.24.0
)

replace golang.org/x/sync => golang.org/x/sync v0.0.0-20200317015054-43a5402ce75a

replace github.com/assay-dev/assay => ../../../..
