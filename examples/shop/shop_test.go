// Package shop_test runs the whole shop in one process: checkout from end to end, and what each defect leaves out.
package shop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/examples/shop/broker"
	"github.com/assay-dev/assay/examples/shop/fulfilment"
	"github.com/assay-dev/assay/examples/shop/orders"
)

func TestCheckout(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.startPayments()
	one, two := s.startOrders("orders-1", ""), s.startOrders("orders-2", "")
	carrier := s.startFulfilment("")

	for _, c := range []struct {
		name, url, key, body string
		status               int
		state                orders.State
	}{
		{"paid", one, "order-1234", `{"sku":"A1","qty":2}`, http.StatusCreated, orders.Paid},
		{"the same key is the same order", one, "order-1234", `{"sku":"A1","qty":2}`, http.StatusCreated, orders.Paid},
		{"by either instance", two, "order-1234", `{"sku":"A1","qty":2}`, http.StatusCreated, orders.Paid},
		{"the key of another order", two, "order-1234", `{"sku":"B2","qty":2}`, http.StatusConflict, ""},
		{"declined", one, "order-gold", `{"sku":"GOLD","qty":1}`, http.StatusPaymentRequired, orders.Declined},
		{"no such sku", one, "order-none", `{"sku":"Z9","qty":1}`, http.StatusBadRequest, ""},
		{"not JSON", one, "order-none", `sku`, http.StatusBadRequest, ""},
	} {
		if status, o := s.place(c.url, c.key, c.body); status != c.status || o.State != c.state {
			t.Errorf("%s: got %d %q, want %d %q", c.name, status, o.State, c.status, c.state)
		}
	}
	s.eventually("two sees the order published", func() bool { return s.order(two, "order-1234").Event == orders.EventPublished })
	if got := s.shipped(carrier, 1); !slices.Equal(got, []string{"order-1234"}) {
		t.Errorf("shipped %v, want order-1234 once", got)
	}
}

func TestSilentPaymentsDegradeCheckout(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	url, carrier := s.startOrders("orders-1", ""), s.startFulfilment("")
	if status, o := s.place(url, "order-1234", `{"sku":"A1","qty":1}`); status != http.StatusAccepted || o.State != orders.Pending {
		t.Fatalf("got %d %q, want 202 pending", status, o.State)
	}
	s.startPayments()
	s.eventually("the order is settled", func() bool { return s.order(url, "order-1234").State == orders.Paid })
	if got := s.shipped(carrier, 1); !slices.Equal(got, []string{"order-1234"}) {
		t.Errorf("shipped %v, want order-1234 once", got)
	}
}

func TestNoRetryFailsCheckout(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	url := s.startOrders("orders-1", orders.NoRetry)
	if status, _ := s.place(url, "order-1234", `{"sku":"A1","qty":1}`); status != http.StatusServiceUnavailable {
		t.Errorf("without payments: got %d, want 503", status)
	}
	if o := s.order(url, "order-1234"); o.State != orders.Failed {
		t.Errorf("the order is %q, want failed", o.State)
	}
}

// What an instance leaves behind when it is killed between its write and its publish.
func TestAnotherInstancePublishesWhatIsDue(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.startPayments()
	bucket, err := s.connect().Orders(t.Context(), broker.Replicas)
	if err != nil {
		t.Fatal(err)
	}
	left := []byte(`{"id":"order-1234","sku":"A1","qty":1,"amount_cents":1200,"state":"paid","event":"due"}`)
	if _, err := bucket.Create(t.Context(), "order-1234", left); err != nil {
		t.Fatal(err)
	}
	s.startOrders("orders-2", "")
	if got := s.shipped(s.startFulfilment(""), 1); !slices.Equal(got, []string{"order-1234"}) {
		t.Errorf("shipped %v, want order-1234", got)
	}
}

func TestNoOutboxForgetsWhatItHasNotPublished(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.startPayments()
	url := s.startOrders("orders-1", orders.NoOutbox)
	if status, _ := s.place(url, "order-1234", `{"sku":"A1","qty":1}`); status != http.StatusCreated {
		t.Fatalf("got %d, want 201", status)
	}
	s.stop["orders-1"]() // within the second that events wait
	stream, err := s.connect().JS.Stream(t.Context(), broker.OrdersStream)
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n != 0 {
		t.Errorf("%d events were published, want none", n)
	}
	if o := s.order(s.startOrders("orders-2", ""), "order-1234"); o.State != orders.Paid || o.Open() {
		t.Errorf("the record is %+v, want paid and nothing due", o)
	}
}

func TestNoReplicasKeepsOneCopy(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := s.connect()
	if _, err := b.Orders(t.Context(), broker.Replicas); err != nil { // whoever was here before
		t.Fatal(err)
	}
	s.startOrders("orders-1", orders.NoReplicas)
	stream, err := b.JS.Stream(t.Context(), "KV_"+broker.OrdersBucket)
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().Config.Replicas; n != 1 {
		t.Errorf("%d replicas, want 1", n)
	}
}

func TestOneZoneKnowsOneNode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		defect  orders.Defect
		outlive bool
	}{
		{"goes to another node", "", true},
		{"one-zone stays", orders.OneZone, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.startPayments()
			url := s.startOrders("orders-1", c.defect)
			s.nodes[0].Shutdown()
			s.eventually("orders sees the node go or outlives it", func() bool {
				return c.outlive || s.get(url+"/healthz", nil) != http.StatusOK
			})
			if c.outlive {
				s.ready(url)
				s.eventually("an order is paid", func() bool {
					status, _ := s.place(url, "order-1234", `{"sku":"A1","qty":1}`)
					return status == http.StatusCreated
				})
			}
		})
	}
}

func TestPaymentsThatAreBusyDegradeCheckout(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.startPayments()
	url := s.startOrders("orders-1", "")
	var mu sync.Mutex
	answers := map[int]int{}
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			status, _ := s.place(url, fmt.Sprintf("order-%04d", i), `{"sku":"A1","qty":1}`)
			mu.Lock()
			defer mu.Unlock()
			answers[status]++
		})
	}
	all.Wait()
	if answers[http.StatusCreated] == 0 || answers[http.StatusAccepted] == 0 || answers[http.StatusCreated]+answers[http.StatusAccepted] != 60 {
		t.Fatalf("60 orders at once were answered %v, want some 201 and the rest 202", answers)
	}
	s.eventually("all are paid", func() bool {
		var list orders.Summary
		return s.get(url+"/orders", &list) == http.StatusOK && len(list.Orders) == 60 && list.Open == 0
	})
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		defect fulfilment.Defect
		want   []string
	}{
		{"shipped once", "", []string{"order-1234"}},
		{"no-idempotency ships again", fulfilment.NoIdempotency, []string{"order-1234", "order-1234"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			carrier := s.startFulfilment(c.defect)
			b := s.connect()
			for _, delivery := range []string{"first", "second"} {
				msg, err := broker.OrderPaid{ID: "order-1234", SKU: "A1", Qty: 1}.Message("")
				if err != nil {
					t.Fatal(err)
				}
				msg.Header.Set("Nats-Msg-Id", delivery) // past the broker's own memory of ids
				if err := b.Publish(t.Context(), msg); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.shipped(carrier, 1); !slices.Equal(got, c.want) {
				t.Errorf("shipped %v, want %v", got, c.want)
			}
		})
	}
}

func (s *shop) ready(url string) string {
	s.eventually(url+" is ready", func() bool { return s.get(url+"/healthz", nil) == http.StatusOK })
	return url
}

func (s *shop) place(url, key, body string) (int, orders.Order) {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, url+"/orders", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Idempotency-Key", key)
	var o orders.Order
	return s.call(request, &o), o
}

func (s *shop) order(url, id string) (o orders.Order) {
	s.get(url+"/orders/"+id, &o)
	return o
}

// shipped is the carrier's book when at least n orders are in it and nothing is pending.
func (s *shop) shipped(url string, n int) []string {
	var book fulfilment.Shipments
	s.eventually("everything is shipped", func() bool {
		return s.get(url+"/shipments", &book) == http.StatusOK && book.Pending == 0 && len(book.Orders) >= n
	})
	return book.Orders
}

func (s *shop) get(url string, into any) int {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.call(request, into)
}

func (s *shop) call(request *http.Request, into any) int {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	if into != nil {
		_ = json.NewDecoder(answer.Body).Decode(into) // the status tells
	}
	return answer.StatusCode
}

func (s *shop) eventually(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("after 30 s it does not hold that %s", what)
		}
	}
}
