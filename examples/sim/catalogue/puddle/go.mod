module github.com/assay-dev/assay/examples/sim/catalogue/puddle

go 1.26.0

require (
	github.com/assay-dev/assay v0.0.0
	github.com/jackc/puddle v1.1.1
)

replace github.com/assay-dev/assay => ../../../..
