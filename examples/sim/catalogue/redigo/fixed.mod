module github.com/assay-dev/assay/examples/sim/catalogue/redigo

go 1.26.0

require github.com/gomodule/redigo v1.8.3
