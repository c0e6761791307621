// Package serve is what the shop's processes have in common: starting, answering in JSON, and stopping.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Main listens on $LISTEN and runs until SIGTERM or SIGINT. It is the body of every main, and sets the exit code.
func Main(run func(ctx context.Context, l net.Listener) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	listener, err := net.Listen("tcp", os.Getenv("LISTEN"))
	if err == nil {
		err = run(ctx, listener)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// HTTP serves h on l until ctx is done, then lets requests end for a second.
func HTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 2 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped // what did not end in time is cut off
	return nil
}

// Health answers GET /healthz, 200 when ready and 503 before, and keeps other requests from h until then.
func Health(h http.Handler, ready func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/healthz" && ready():
			h.ServeHTTP(w, r)
		case ready():
			JSON(w, http.StatusOK, map[string]bool{"ready": true})
		default:
			Error(w, http.StatusServiceUnavailable, errors.New("no broker yet"))
		}
	})
}

// JSON answers with body.
func JSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that left does not read it
}

// Error answers with {"error": …}.
func Error(w http.ResponseWriter, status int, err error) {
	JSON(w, status, map[string]string{"error": err.Error()})
}
