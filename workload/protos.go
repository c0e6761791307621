package workload

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/jhump/protoreflect/v2/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// protos knows the services that gRPC steps call: each is asked for once, of the
// server's reflection or of a file.
type protos struct {
	mu    sync.Mutex
	known map[[3]string]*protoEntry // by target, protoset and service
}

type protoEntry struct {
	asking  chan struct{} // holds a token while someone asks
	service protoreflect.ServiceDescriptor
}

func (p *protos) entry(q *grpcRequest) *protoEntry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[[3]string]*protoEntry{}
	}
	k := [3]string{q.target, q.protoset, q.service}
	if p.known[k] == nil {
		p.known[k] = &protoEntry{asking: make(chan struct{}, 1)}
	}
	return p.known[k]
}

func (p *protos) method(ctx context.Context, dir string, conn *grpc.ClientConn, q *grpcRequest) (protoreflect.MethodDescriptor, error) {
	service, err := p.entry(q).describe(ctx, dir, conn, q)
	if err != nil {
		return nil, err
	}
	method := service.Methods().ByName(protoreflect.Name(q.method))
	if method == nil {
		var names []string
		for i := range service.Methods().Len() {
			names = append(names, string(service.Methods().Get(i).Name()))
		}
		return nil, fmt.Errorf("service %s has no method %q%s (it has %v)", q.service, q.method, hint(q.method, names), names)
	}
	if method.IsStreamingClient() || method.IsStreamingServer() {
		return nil, fmt.Errorf("%s is a streaming method, and a step can only make unary calls", method.FullName())
	}
	return method, nil
}

// describe asks once, however many runs want to know. A failure is not kept: the next run asks again.
func (e *protoEntry) describe(ctx context.Context, dir string, conn *grpc.ClientConn, q *grpcRequest) (protoreflect.ServiceDescriptor, error) {
	select {
	case e.asking <- struct{}{}:
		defer func() { <-e.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if e.service != nil {
		return e.service, nil
	}
	var err error
	if q.protoset != "" {
		e.service, err = readProtoset(filepath.Join(dir, q.protoset), q.protoset, q.service)
	} else {
		e.service, err = reflectService(ctx, conn, q)
	}
	return e.service, err
}

func reflectService(ctx context.Context, conn *grpc.ClientConn, q *grpcRequest) (protoreflect.ServiceDescriptor, error) {
	client := grpcreflect.NewClientAuto(ctx, conn)
	defer client.Reset()
	resolver := client.AsResolver()
	found, err := resolver.FindDescriptorByName(protoreflect.FullName(q.service))
	if err == nil {
		if service, ok := found.(protoreflect.ServiceDescriptor); ok {
			return service, nil
		}
		return nil, fmt.Errorf("%s of %s is no service", q.service, q.target)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	names, listErr := client.ListServices()
	if listErr != nil {
		return nil, fmt.Errorf("ask %s by reflection what %s is: %w (a server without reflection needs protoset)", q.target, q.service, err)
	}
	var services []string
	for _, name := range names {
		services = append(services, string(name))
	}
	return nil, fmt.Errorf("%s has no service %q%s (it has %v)", q.target, q.service, hint(q.service, services), services)
}

func readProtoset(path, asWritten, service string) (protoreflect.ServiceDescriptor, error) {
	if filepath.IsAbs(asWritten) {
		path = asWritten
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("protoset: %w", err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("protoset %s is no FileDescriptorSet: %w", asWritten, err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, fmt.Errorf("protoset %s: %w", asWritten, err)
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("protoset %s has no service %q", asWritten, service)
	}
	descriptor, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("protoset %s: %s is no service", asWritten, service)
	}
	return descriptor, nil
}
