// Command payments runs the payments service.
package main

import (
	"context"
	"net"
	"os"

	"github.com/assay-dev/assay/examples/shop/payments"
	"github.com/assay-dev/assay/examples/shop/serve"
)

func main() {
	serve.Main(func(ctx context.Context, l net.Listener) error {
		return payments.Run(ctx, payments.Config{Listener: l, Folder: os.Getenv("DATA"),
			Defect: payments.Defect(os.Getenv("SHOP_DEFECT"))})
	})
}
