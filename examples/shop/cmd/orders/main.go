// Command orders runs one instance of the orders service.
package main

import (
	"context"
	"net"
	"os"

	"github.com/assay-dev/assay/examples/shop/orders"
	"github.com/assay-dev/assay/examples/shop/serve"
)

func main() {
	serve.Main(func(ctx context.Context, l net.Listener) error {
		return orders.Run(ctx, orders.Config{Listener: l, NATS: os.Getenv("NATS_URL"),
			Payments: os.Getenv("PAYMENTS"), Defect: orders.Defect(os.Getenv("SHOP_DEFECT"))})
	})
}
