package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/assay-dev/assay/system"
)

// serveStreams answers any method: /kind/unary, /kind/client, /kind/server, /kind/both.
func serveStreams(_ any, s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	sum := 0
	for {
		var in wrapperspb.StringValue
		if err := s.RecvMsg(&in); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		sum += len(in.Value)
		if strings.HasSuffix(method, "both") {
			if err := s.SendMsg(&in); err != nil {
				return err
			}
		}
	}
	s.SetTrailer(metadata.Pairs("x-sum", fmt.Sprint(sum)))
	out := wrapperspb.String(fmt.Sprint(sum))
	switch {
	case strings.HasSuffix(method, "server"):
		for range 10 {
			if err := s.SendMsg(out); err != nil {
				return err
			}
		}
		return nil
	case strings.HasSuffix(method, "both"):
		return nil
	}
	return s.SendMsg(out)
}

// streamOnce makes a call, sends n messages of 5000 bytes, and returns how many came back and how the call ended.
func streamOnce(ctx context.Context, c *grpc.ClientConn, kind string, n int) (got int, trailer string, err error) {
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/kind/"+kind)
	if err != nil {
		return 0, "", err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range n {
			if s.SendMsg(wrapperspb.String(strings.Repeat("x", 5000))) != nil {
				return // RecvMsg says why
			}
		}
		_ = s.CloseSend()
	})
	defer wg.Wait()
	for {
		var in wrapperspb.StringValue
		if err = s.RecvMsg(&in); err != nil {
			break
		}
		got++
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return got, strings.Join(s.Trailer()["x-sum"], ","), err
}

// All kinds of streams, many at a time on one connection, with rules for some of them.
func TestRequestsGRPCStreams(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(serveStreams))
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", addrPort(l.Addr()))
	c, err := grpc.NewClient(front.String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	want := map[string]int{"unary": 1, "client": 1, "server": 10, "both": 40}
	all := func() {
		t.Helper()
		var wg sync.WaitGroup
		for kind, n := range want {
			for range 5 {
				wg.Go(func() {
					if got, sum, err := streamOnce(t.Context(), c, kind, 40); err != nil || got != n || sum != "200000" {
						t.Errorf("%s: %d messages, trailer %q, %v", kind, got, sum, err)
					}
				})
			}
		}
		wg.Wait()
	}
	all()
	setRule(t, m, system.Rule{Kind: system.Abort, Code: "ABORTED", Match: &system.Match{Path: "/no/*"}})
	all()
	setRule(t, m, system.Rule{Kind: system.Delay, Delay: 20 * time.Millisecond, Jitter: 20 * time.Millisecond, Match: &system.Match{Path: "/kind/*"}, When: system.Trigger{P: 0.5}})
	all()
	for kind := range want {
		setRule(t, m, system.Rule{Kind: system.Abort, Code: "DATA_LOSS", Match: &system.Match{Path: "/kind/" + kind}})
		if got, _, err := streamOnce(t.Context(), c, kind, 40); status.Code(err) != codes.DataLoss || got != 0 {
			t.Error(kind, got, err)
		}
		setRule(t, m, system.Rule{Kind: system.Header, Name: "x-sum", Value: "7", Match: &system.Match{Path: "/kind/" + kind}})
		if got, sum, err := streamOnce(t.Context(), c, kind, 40); err != nil || got != want[kind] || sum != "7" {
			t.Error(kind, got, sum, err)
		}
		setRule(t, m, system.Rule{Kind: system.Truncate, Bytes: 3, Match: &system.Match{Path: "/kind/" + kind}})
		if got, _, err := streamOnce(t.Context(), c, kind, 40); status.Code(err) != codes.Internal || got != 0 {
			t.Error(kind, got, err)
		}
	}
	setRule(t, m, system.Rule{Kind: system.Delay, Delay: time.Hour, Match: &system.Match{}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := streamOnce(ctx, c, "both", 5); status.Code(err) != codes.DeadlineExceeded {
		t.Error(err)
	}
	setRule(t, m, system.Rule{Kind: system.Abort, Code: "ABORTED", Match: &system.Match{Path: "/no/*"}})
	all()
	if s := laneOf(m); s.Dials != 1 {
		t.Errorf("%d dials", s.Dials)
	}
}
