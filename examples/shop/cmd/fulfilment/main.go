// Command fulfilment runs the fulfilment service.
package main

import (
	"context"
	"net"
	"os"

	"github.com/assay-dev/assay/examples/shop/fulfilment"
	"github.com/assay-dev/assay/examples/shop/serve"
)

func main() {
	serve.Main(func(ctx context.Context, l net.Listener) error {
		return fulfilment.Run(ctx, fulfilment.Config{Listener: l, NATS: os.Getenv("NATS_URL"),
			Defect: fulfilment.Defect(os.Getenv("SHOP_DEFECT"))})
	})
}
