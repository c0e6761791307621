module github.com/assay-dev/assay/examples/sim/catalogue/antscap

go 1.26.0

require github.com/panjf2000/ants/v2 v2.11.3

require golang.org/x/sync v0.11.0 // indirect
