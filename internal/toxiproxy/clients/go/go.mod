module github.com/assay-dev/assay/internal/toxiproxy/clients/go

go 1.24

require github.com/Shopify/toxiproxy/v2 v2.12.0
