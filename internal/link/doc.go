// Package link is the data plane of links between instances in an environment
// of local processes: TCP proxies that can be bent while they run.
//
// A [Front] is an address that diallers use in place of an instance's own. Every
// connection through a front has a dialler Src and an instance Dst that answers,
// and so two links, Src -> Dst and Dst -> Src, one for each direction of its
// bytes. A rule on a link bends that direction of every connection between the
// two, whoever dialled, live ones included:
//
//	m := link.NewMesh(link.Options{Seed: 7, ServiceOf: sys.ServiceOf})
//	defer m.Close()
//	m.Listen(ctx, link.Front{Src: "api-1", Host: "pricing", Addr: front, Pick: pick})
//	m.SetRule("slow/1", []system.Link{{From: "api-1", To: "pricing-1"}},
//		system.Rule{Kind: system.Delay, Delay: 3 * time.Second})
//	defer m.ClearRule("slow/1")
//
// # What the rules do, and what they cannot
//
// A proxy bends streams, not packets. Evidence made with it has the grade "stream".
//
//   - delay: every chunk is written Delay±Jitter after it was read, in order. A
//     close and a reset wait like data. The handshake of a new connection is not
//     delayed, its first bytes are. Up to [holdBytes] wait in each direction of a
//     connection; then the sender feels backpressure, so a connection carries at
//     most holdBytes per Delay.
//   - cut: bytes are read and held, and are written, in order, after the heal, as a
//     retransmission would. Nothing is written from the moment SetRule returns. What
//     was in the receiver's socket buffer before stays readable. Unlike behind a
//     partition the sender's kernel gets its acknowledgements: TCP_USER_TIMEOUT and
//     keep-alives do not see the cut. New dials of a front with a known Src, where
//     every instance it could reach is cut off in either direction, get no answer,
//     as the front's listen backlog is shrunk and filled (Linux); after the heal a
//     dialler that still tries gets through at its next SYN, up to some seconds
//     later. Where only some instances are cut off, or diallers share a front, TCP
//     offers no way to leave one dialler's SYN unanswered: the connection is accepted
//     and then silent, and is connected at the heal if its dialler is still there.
//   - refuse: live connections dialled From -> To are reset (a real RST, both ends),
//     and so are new ones. Once every instance that a front with a known Src could
//     reach has shown an effect (a connection reset or a dial refused), the front
//     stops listening and its dials get ECONNREFUSED (Linux). Not before, because the
//     kernel does not count the dials it refuses, and an effect that nobody saw is no
//     proof. It never gives up the port.
//
// # Rules of requests
//
// A rule with a Match, and each abort, truncate, body and header, is one of requests of HTTP/1.1, HTTP/2 and gRPC, and is set on the
// link that the request takes. The first that is set on a link gives its live connections an [editor] at their next request, which
// stays until they end. What it does not hit means the same at the other end: over HTTP/1.1 it is the same bytes; over HTTP/2 header
// blocks are encoded anew, without a table, and hints of priority and padding of headers are lost.
//
//   - abort: the request does not arrive. Over HTTP/1.1 it is answered when all of it was read and those before it have their
//     response; a caller that expects a 100 gets it, so that the connection can be used on. Over HTTP/2 it is answered at once, and what
//     is still sent of it is reset with NO_ERROR, as a server does that answers early. gRPC gets its status in a trailer alone, or
//     the HTTP status; a gRPC code is for callers of HTTP the status that it stands for. The header x-assay-fault says which rule it was.
//   - delay: the request arrives later. Over HTTP/1.1 so does what follows it; over HTTP/2 others overtake it, for which it gets
//     another number at the server. A heal lets it go at once. It goes early where more than [heldStreamBytes] of it wait, or
//     [heldStreams] requests of one connection, or when its caller half-closes an HTTP/2 connection.
//   - truncate: after so many bytes of the response's body the connection is closed, or the stream is reset with INTERNAL_ERROR. A
//     body over HTTP/1.1 that ends with its connection ends with a reset instead, which would otherwise look whole.
//   - body: the response's body is another, its length is said anew, and a coding is not said. HEAD, 204, 304 and gRPC's
//     trailers alone have none.
//   - header: a header of the response is set or taken away; of a trailer, only one that is there.
//
// n-th and first count what matches on the link since the rule was set, by Match.Key each value for itself (of at most [maxKeys]).
// A probability is drawn by seed, link and the request's key: method, path and the header that the rule counts by, or the idempotency
// key, or the trace. Of requests with the same key the n-th on the link is drawn for, so that a retry is drawn for itself; those with
// none of these have one key for each method and path. What is drawn, and what is chosen without, goes to the journal; see [Mesh.SetJournal].
//
// What cannot be read for sure passes as it is from there on and is counted: a body with two lengths, bare line feeds, an HTTP/2
// connection whose beginning the tap did not see. After a 101, or a CONNECT that succeeds, all passes. The head of an HTTP/1.1 request
// waits until it is whole, or longer than [maxHead]. A connection whose HTTP/2 makes no sense is reset, since it cannot pass as it is
// any more; so is one with a frame longer than its receiver has allowed, and with a header of more than [maxParts] frames. Frames
// that come late for a stream pass, unless it was ended here.
//
// # TLS
//
// TLS passes as it is, and nobody sees the requests in it, unless the front has a [TLS]. Then each connection that begins with TLS is
// opened at its beginning: the caller is shown a certificate by the [Authority] for the name that it asks for, or for the front's
// address; the instance is dialled with TLS again, for the same name, with those of h2 and http/1.1 that the caller offered, and its
// certificate is verified with TLS.Roots for TLS.Name. What is between is bent and recorded as if there were no TLS: rules of bytes act on the bytes
// inside, and a handshake is not delayed. The caller must trust [Authority.PEM], such as by SSL_CERT_FILE (Go, OpenSSL, curl), NODE_EXTRA_CA_CERTS,
// REQUESTS_CA_BUNDLE or a Java truststore. A certificate of the caller's does not reach the instance. Where one side does not
// accept the other's certificate the caller gets an alert, and TLS.Trouble is told why. A connection that does not begin with TLS passes as it is;
// one whose caller waits for the server's first word waits [handshakeWait] for it.
//
// Half-closed connections, resets and TLS pass through unchanged otherwise. A tap beside
// the bytes reads HTTP/1.1, HTTP/2 and gRPC without TLS and reports one
// [history.Exchange] for each request; it never changes, delays or blocks bytes,
// and gives up silently on anything else. A response that a rule made has ByFault, and Faults names the rules of requests that hit.
package link
