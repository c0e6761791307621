package openapi_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/openapi"
)

// source makes a version of one file.
func source(name, text string) contract.Source {
	return contract.Source{Name: name, FS: fstest.MapFS{"api.yaml": {Data: []byte(text)}}, Path: "api.yaml"}
}

func diff(t testing.TB, old, new string) contract.Diff {
	t.Helper()
	d, err := openapi.Diff(t.Context(), source("old", old), source("new", new), contract.Options{Contract: "orders", Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const shop = `openapi: 3.0.3
info: {title: orders, version: "1"}
paths:
  /orders:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, maximum: 100}}
        - {name: tags, in: query, schema: {type: array, items: {type: string}}}
      responses:
        "200":
          description: all
          headers:
            X-Total: {schema: {type: integer}}
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Order'}}
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewOrder'}
      responses:
        "201": {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        "409": {description: twice}
  /orders/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        "404": {description: none}
components:
  schemas:
    NewOrder:
      type: object
      required: [sku]
      properties:
        sku: {type: string, pattern: '^[A-Z]'}
        qty: {type: integer, minimum: 1}
        note: {type: string}
    Order:
      type: object
      required: [id, state]
      properties:
        id: {type: string}
        state: {type: string, enum: [placed, paid]}
        total: {type: number}
`

func TestSame(t *testing.T) {
	d := diff(t, shop, shop)
	if len(d.Findings)+len(d.Gaps) > 0 || len(d.Proofs) != 3 || d.Verdict().String() != "pass" {
		t.Errorf("got %+v", d)
	}
}

// Comparisons under way at once do not disturb each other, and say the same each time.
func TestAtOnce(t *testing.T) {
	changed := strings.Replace(strings.Replace(shop, "paid]", "paid, sent]", 1), "maximum: 100", "maximum: 50", 1)
	want, _ := json.Marshal(diff(t, shop, changed))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got, _ := json.Marshal(diff(t, shop, changed)); string(got) != string(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	group.Wait()
}
