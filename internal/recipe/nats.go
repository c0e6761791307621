package recipe

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

func natsServer() server {
	return server{name: "nats", program: "nats-server", images: []string{"nats"},
		places: []string{"/usr/sbin/nats-server", "/usr/local/bin/nats-server"}, debian: "nats-server", plain: "nats-server"}
}

// nats runs one server with JetStream, or a cluster of them.
func nats(s Service, f found) (system.Service, error) {
	args, err := natsServer().arguments(s)
	if err != nil {
		return system.Service{}, err
	}
	if args, err = natsArguments(s, args); err != nil {
		return system.Service{}, err
	}
	config := natsConf
	if s.Replicas > 1 {
		config += natsCluster(s)
	}
	svc := system.Service{
		Replicas: max(s.Replicas, 1), Ports: []int{4222, 6222, 8222},
		Process: system.Process{
			Command: append([]string{"nats-server", "--config", "{{data}}/nats.conf"}, args...),
			Files:   map[string]string{"nats.conf": config}, Signal: "SIGTERM", Grace: 5 * time.Second,
		},
		// One node is ready by itself. Whether the cluster is, its clients find out.
		Ready: system.Ready{HTTP: "8222/healthz?js-enabled-only=true"},
		Probes: map[string]system.Probe{
			"position":    {HTTP: "8222/jsz?streams=true", Value: natsPosition},
			"redelivered": {HTTP: "8222/jsz?streams=true&consumers=true", Value: natsRedelivered},
		},
	}
	if s.Replicas > 1 {
		svc.Probes["role"] = system.Probe{HTTP: "8222/jsz", Value: natsRole}
	}
	return svc, nil
}

// natsArguments leaves the options that the config does not have. Others would point into a container or past the links.
func natsArguments(s Service, args []string) ([]string, error) {
	var keep []string
	for i := 0; i < len(args); i++ {
		switch name := "-" + strings.TrimLeft(args[i], "-"); {
		case slices.Contains([]string{"-js", "-jetstream"}, name):
		case slices.Contains([]string{"-m", "-http_port"}, name) && i+1 < len(args) && args[i+1] == "8222":
			i++
		case slices.Contains([]string{"-D", "-V", "-DV", "-debug", "-trace"}, name):
			keep = append(keep, args[i])
		default:
			return nil, wrong("command", "the config is x-assay.process.files: {nats.conf: …}; allowed here: -js, -m 8222, -D, -V, -DV",
				"service %s: recipe nats cannot take %q of the command", s.Name, args[i])
		}
	}
	return keep, nil
}

func natsCluster(s Service) string {
	var routes []string
	for i := range s.Replicas {
		routes = append(routes, fmt.Sprintf(`"nats://%s-%d:6222"`, s.Name, i+1))
	}
	return fmt.Sprintf(`cluster {
  name: "{{service}}"
  listen: "{{ip}}:6222"
  advertise: "{{advertise(6222)}}"
  ping_interval: "500ms"
  routes: [%s]
}
`, strings.Join(routes, ", "))
}

// The pings notice a link that went silent in a second or two. By default that takes minutes.
const natsConf = `# Written by assay at each start.
server_name: "{{instance}}"
listen: "{{ip}}:4222"
client_advertise: "{{advertise(4222)}}"
http: "{{ip}}:8222"
ping_interval: "1s"
ping_max: 2
write_deadline: "2s"
jetstream {
  store_dir: "{{data}}/js"
  max_memory_store: 64MB
  max_file_store: 1GB
}
`

const (
	// natsRole is that of the cluster. Who leads a stream is another matter, and an application's.
	natsRole = `has(body.meta_cluster.leader) && body.meta_cluster.leader == instance ? "leader" : "follower"`
	// natsPosition is the last message of each stream that the node has, such as "ORDERS=30 SHIPMENTS=30".
	natsPosition = `has(body.account_details) ? body.account_details.filter(a, has(a.stream_detail)).map(a, ` +
		`a.stream_detail.map(s, s.name + "=" + string(int(s.state.last_seq)))).flatten().sort().join(" ") : ""`
	// natsRedelivered is the most deliveries beyond the first that a consumer of this node has seen.
	natsRedelivered = `has(body.account_details) ? math.greatest([0] + body.account_details.filter(a, has(a.stream_detail)).map(a, ` +
		`a.stream_detail.filter(s, has(s.consumer_detail)).map(s, s.consumer_detail.map(c, ` +
		`int(c.delivered.consumer_seq) - int(c.delivered.stream_seq)))).flatten(3)) : 0`
)
