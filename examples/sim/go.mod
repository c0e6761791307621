module github.com/assay-dev/assay/examples/sim

go 1.26.0
