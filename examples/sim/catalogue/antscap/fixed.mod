module github.com/assay-dev/assay/examples/sim/catalogue/antscap

go 1.26.0

require github.com/panjf2000/ants/v2 v2.11.4

require (
	github.com/assay-dev/assay v0.0.0
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/assay-dev/assay => ../../../..
