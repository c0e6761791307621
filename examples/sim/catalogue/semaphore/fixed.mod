module github.com/assay-dev/assay/examples/sim/catalogue/semaphore

go 1.26.0

require golang.org/x/sync v0.0.0-20200317015054-43a5402ce75a
