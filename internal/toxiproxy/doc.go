// Package toxiproxy is a stand-alone proxy that speaks Toxiproxy's HTTP API, as of its version 2.12.0,
// so that clients of Toxiproxy work unchanged. Its data plane is a [link.Mesh].
//
//	err := toxiproxy.Serve(ctx, toxiproxy.Options{Listen: "localhost:8474", Ready: ready})
//
// A [Set] is the proxies and their toxics, without any process or disk: [Set.Handler] is the API.
// A proxy is one front of the mesh, from the dialler "client" to an instance named after the proxy. A toxic is
// a rule on one of its two links: upstream on client -> proxy, downstream on proxy -> client.
//
// # Processes
//
// [Serve] answers the API in the process that calls it, and relays it to a holder: this program started again,
// in a session of its own, which owns the listeners, the connections and the toxics. So the API may die, and
// traffic flows on as it was; the next Serve finds the holder and goes on. When the holder dies, traffic is cut.
// Proxies are on disk before the API answers, and come back with the next holder; toxics only where asked for.
package toxiproxy
