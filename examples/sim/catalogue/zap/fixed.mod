module github.com/assay-dev/assay/examples/sim/catalogue/zap

go 1.26.0

require go.uber.org/zap v1.27.1

require (
	github.com/assay-dev/assay v0.0.0
	go.uber.org/multierr v1.10.0 // indirect
)

replace github.com/assay-dev/assay => ../../../..
