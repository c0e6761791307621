module github.com/assay-dev/assay/examples/sim/catalogue/puddle

go 1.26.0

require github.com/jackc/puddle v1.1.3
