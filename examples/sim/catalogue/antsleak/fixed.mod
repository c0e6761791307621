module github.com/assay-dev/assay/examples/sim/catalogue/antsleak

go 1.26.0

require github.com/panjf2000/ants/v2 v2.7.5
