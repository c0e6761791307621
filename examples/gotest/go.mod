module github.com/assay-dev/assay/examples/gotest

go 1.26.0

require github.com/assay-dev/assay v0.0.0

replace github.com/assay-dev/assay => ../..
