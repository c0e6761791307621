// Command seed places the orders that the journey order-status looks up, and waits until the shop has finished with
// them: seed http://orders:8080
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: seed http://HOST:PORT")
	}
	for _, sku := range []string{"A1", "B2"} {
		for n := 1; n <= 5; n++ {
			if err := until(ctx, func() error { return place(ctx, args[0], fmt.Sprintf("seed-%s-%d", sku, n), sku) }); err != nil {
				return err
			}
		}
	}
	return until(ctx, func() error { return settled(ctx, args[0]) })
}

// until repeats step until it works or ctx is done: the order's id is in the request, so a repetition places nothing twice.
func until(ctx context.Context, step func() error) error {
	for {
		err := step()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

func place(ctx context.Context, url, id, sku string) error {
	body := strings.NewReader(fmt.Sprintf(`{"sku":%q,"qty":1}`, sku))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/orders", body)
	if err != nil {
		return err
	}
	request.Header.Set("Idempotency-Key", id)
	return call(request, http.StatusCreated, nil)
}

func settled(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/orders", nil)
	if err != nil {
		return err
	}
	var list struct{ Open int }
	if err := call(request, http.StatusOK, &list); err != nil {
		return err
	}
	if list.Open > 0 {
		return fmt.Errorf("%d orders are open", list.Open)
	}
	return nil
}

func call(request *http.Request, want int, into any) error {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != want {
		return fmt.Errorf("%s %s answered %s, want %d", request.Method, request.URL, answer.Status, want)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
