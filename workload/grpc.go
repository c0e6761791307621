package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/internal/expr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/dynamicpb"
)

// A grpcCall is a compiled "grpc".
type grpcCall struct {
	protoset string
	message  filler
	headers  []header
	source   *expr.Template
}

func (c *compiler) grpcCall(s Step, names []string) caller {
	call := &grpcCall{protoset: s.Protoset, headers: c.headers(s.Headers, names), source: c.template("grpc", s.GRPC, names)}
	if call.source != nil {
		if text, ok := call.source.Constant(); ok {
			if _, _, err := splitMethod(text); err != nil {
				c.failWith("grpc", err)
			}
		}
	}
	message := s.Message
	if message == nil {
		message = map[string]any{}
	}
	call.message = c.filler("message", message, names)
	return call
}

// overTLS stands before the host of a gRPC call that is made over TLS.
const overTLS = "tls://"

// splitMethod splits "host:port/package.Service/Method", or the same behind "tls://", which stays with the target.
func splitMethod(text string) (target, method string, err error) {
	rest, secure := strings.CutPrefix(text, overTLS)
	target, method, _ = strings.Cut(rest, "/")
	service, name, _ := strings.Cut(method, "/")
	_, _, portErr := net.SplitHostPort(target)
	if secure {
		target = overTLS + target
	}
	if portErr != nil || service == "" || name == "" || strings.Contains(name, "/") {
		return "", "", fmt.Errorf("%q is not of the form host:port/package.Service/Method, with tls:// before it for TLS", text)
	}
	return target, method, nil
}

// A grpcRequest is a grpcCall with its templates filled in.
type grpcRequest struct {
	target, service, method string
	protoset                string
	message                 []byte // JSON
	headers                 [][2]string
}

func (g *grpcCall) prepare(ctx context.Context, r *Run) (request, error) {
	text, err := g.source.RenderString(ctx, r.vars)
	if err != nil {
		return nil, fmt.Errorf("grpc: %w", err)
	}
	req := &grpcRequest{protoset: g.protoset}
	if req.target, req.method, err = splitMethod(text); err != nil {
		return nil, err
	}
	req.service, req.method, _ = strings.Cut(req.method, "/")
	message, err := g.message.fill(ctx, r.vars)
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	if req.message, err = json.Marshal(message); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	req.headers, err = fillHeaders(ctx, g.headers, r.vars)
	return req, err
}

func (q *grpcRequest) send(ctx context.Context, r *Run) answer {
	conn, err := r.lane.conn(ctx, q.target)
	if err != nil {
		return noAnswer(err, true)
	}
	method, err := r.driver.protos.method(ctx, r.driver.opts.Dir, conn, q)
	if err != nil {
		return noAnswer(because(ctx, err), true)
	}
	input, output := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	if err := protojson.Unmarshal(q.message, input); err != nil {
		return noAnswer(fmt.Errorf("message is no %s: %w", method.Input().FullName(), err), true)
	}
	return q.invoke(ctx, r, conn, input, output)
}

func (q *grpcRequest) invoke(ctx context.Context, r *Run, conn *grpc.ClientConn, input, output *dynamicpb.Message) answer {
	pairs := []string{"traceparent", r.traceparent()}
	for _, h := range q.headers {
		pairs = append(pairs, strings.ToLower(h[0]), h[1])
	}
	var left atomic.Bool
	ctx = context.WithValue(metadata.AppendToOutgoingContext(ctx, pairs...), leftKey{}, &left)
	var header, trailer metadata.MD
	err := conn.Invoke(ctx, "/"+q.service+"/"+q.method, input, output, grpc.Header(&header), grpc.Trailer(&trailer))
	said := status.Convert(err)
	values := map[string]any{"code": codeName(said.Code()), "message": said.Message(), "headers": metadataValues(header, trailer)}
	if err == nil {
		values["body"] = plainMessage(output)
		return answer{values: values}
	}
	if !left.Load() {
		return noAnswer(because(ctx, err), true)
	}
	switch said.Code() {
	case codes.DeadlineExceeded, codes.Canceled, codes.Unavailable, codes.Unknown, codes.Internal:
		return answer{values: values, unsure: true} // the client may have made it up
	}
	return answer{values: values}
}

// codeName returns a status code's name as the protocol spells it, such as "DEADLINE_EXCEEDED".
func codeName(c codes.Code) string {
	names := [...]string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
		"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
		"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("CODE(%d)", c)
}

func metadataValues(mds ...metadata.MD) map[string]any {
	values := map[string]any{}
	for _, md := range mds {
		for name, list := range md {
			values[name] = strings.Join(list, ", ")
		}
	}
	return values
}

// newConn returns a connection that dials through the links, redials soon after
// a failure and never retries a call by itself.
func (d *Driver) newConn(ctx context.Context, target string) (*grpc.ClientConn, error) {
	target, secure := strings.CutPrefix(target, overTLS)
	transport := insecure.NewCredentials()
	if secure {
		host, _, err := net.SplitHostPort(target)
		if err != nil {
			return nil, err
		}
		config, err := d.tlsConfig(ctx, host)
		if err != nil {
			return nil, err
		}
		transport = credentials.NewTLS(config)
	}
	soon := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 500 * time.Millisecond}
	return grpc.NewClient("passthrough:///"+target,
		grpc.WithTransportCredentials(transport),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return d.dial(ctx, "tcp", addr) }),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: 2 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(int(d.opts.MaxBody))),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(),
		grpc.WithStatsHandler(departures{}), grpc.WithUserAgent("assay"))
}

type leftKey struct{}

// departures notes when a call's header has left, which is the moment from
// which its effect is not certain any more.
type departures struct{}

func (departures) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (departures) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if left, ok := ctx.Value(leftKey{}).(*atomic.Bool); ok {
		if _, out := s.(*stats.OutHeader); out {
			left.Store(true)
		}
	}
}
func (departures) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (departures) HandleConn(context.Context, stats.ConnStats)                       {}
