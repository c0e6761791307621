package orders

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/assay-dev/assay/examples/shop/serve"
	"github.com/assay-dev/assay/examples/shop/trace"
)

// api is what customers see.
type api struct {
	store *Store
	till  till
}

func (a *api) routes(ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", a.place)
	mux.HandleFunc("GET /orders/{id}", a.show)
	mux.HandleFunc("GET /orders", a.list)
	return serve.Health(mux, ready)
}

// place answers 201 for a paid order, 202 for one that is kept and charged later, 402 for a declined one.
func (a *api) place(w http.ResponseWriter, r *http.Request) {
	parent, _ := trace.Parse(r.Header.Get(trace.Header))
	span := parent.Child()
	wanted, err := read(r, span)
	if err != nil {
		serve.Error(w, http.StatusBadRequest, err)
		return
	}
	ctx := trace.With(r.Context(), span)
	e, err := a.store.Create(ctx, wanted)
	if err == nil && !e.Order.Same(wanted) {
		serve.Error(w, http.StatusConflict, errors.New("this Idempotency-Key belongs to another order"))
		return
	}
	if err == nil {
		e, err = a.till.settle(ctx, e)
	}
	if err != nil {
		serve.Error(w, http.StatusServiceUnavailable, err)
		return
	}
	serve.JSON(w, placed(e.Order.State), e.Order)
}

func (a *api) show(w http.ResponseWriter, r *http.Request) {
	e, err := a.store.Get(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, ErrUnknown):
		serve.Error(w, http.StatusNotFound, err)
	case err != nil:
		serve.Error(w, http.StatusServiceUnavailable, err)
	default:
		serve.JSON(w, http.StatusOK, e.Order)
	}
}

// list names every order, and how many of them have work left.
func (a *api) list(w http.ResponseWriter, r *http.Request) {
	entries, _, err := a.store.Since(r.Context(), 0)
	if err != nil {
		serve.Error(w, http.StatusServiceUnavailable, err)
		return
	}
	serve.JSON(w, http.StatusOK, summary(entries))
}

// Summary is the answer to GET /orders.
type Summary struct {
	Orders []string `json:"orders"` // ids, sorted
	Open   int      `json:"open"`   // orders to be charged or events to be published
}

// summary goes by the last entry of an order: one that is written while the list is read shows twice.
func summary(entries []Entry) Summary {
	newest := map[string]Order{}
	for _, e := range entries {
		newest[e.Order.ID] = e.Order
	}
	s := Summary{Orders: slices.AppendSeq([]string{}, maps.Keys(newest))}
	slices.Sort(s.Orders)
	for _, o := range newest {
		if o.Open() {
			s.Open++
		}
	}
	return s
}

func read(r *http.Request, span trace.Context) (Order, error) {
	var body struct {
		SKU string `json:"sku"`
		Qty int    `json:"qty"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return Order{}, err
	}
	return Place(r.Header.Get("Idempotency-Key"), body.SKU, body.Qty, span.String())
}

func placed(state State) int {
	switch state {
	case Paid:
		return http.StatusCreated
	case Pending:
		return http.StatusAccepted
	case Declined:
		return http.StatusPaymentRequired
	default:
		return http.StatusServiceUnavailable
	}
}
