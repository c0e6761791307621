module github.com/assay-dev/assay/examples/sim/catalogue/singleflight

go 1.26.0

require golang.org/x/sync v0.0.0-20190227155943-e225da77a7e6
