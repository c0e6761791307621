// Command assay proves that a distributed system survives what production does
// to it. Everything is in internal/cli.
package main

import (
	"os"

	"github.com/assay-dev/assay/internal/cli"
	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/toxiproxy"
)

func main() {
	hold.Main()
	toxiproxy.Main()
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
