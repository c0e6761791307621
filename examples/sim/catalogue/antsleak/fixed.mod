module github.com/assay-dev/assay/examples/sim/catalogue/antsleak

go 1.26.0

require (
	github.com/assay-dev/assay v0.0.0
	github.com/panjf2000/ants/v2 v2.7.5
)

replace github.com/assay-dev/assay => ../../../..
