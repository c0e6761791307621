module github.com/assay-dev/assay/examples/sim/catalogue/redigo

go 1.26.0

require (
	github.com/assay-dev/assay v0.0.0
	github.com/gomodule/redigo v1.8.3
)

replace github.com/assay-dev/assay => ../../../..
