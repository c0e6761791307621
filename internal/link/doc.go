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
// Half-closed connections, resets and TLS pass through unchanged. A tap beside
// the bytes reads HTTP/1.1, HTTP/2 and gRPC without TLS and reports one
// [history.Exchange] for each request; it never changes, delays or blocks bytes,
// and gives up silently on anything else.
package link
