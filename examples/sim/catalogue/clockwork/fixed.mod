module github.com/assay-dev/assay/examples/sim/catalogue/clockwork

go 1.26.0

require (
	github.com/assay-dev/assay v0.0.0
	github.com/jonboulle/clockwork v0.3.0
)

replace github.com/assay-dev/assay => ../../../..
