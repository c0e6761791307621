package recipe

import (
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

const redisPort = 6379

func redisServer() server {
	return server{name: "redis", program: "redis-server", tools: []string{"redis-cli"}, images: []string{"redis"},
		places: []string{"/usr/bin/redis-server", "/usr/local/bin/redis-server"}, debian: "redis-server", plain: "redis-server"}
}

// redis runs one server, or a master and its replicas. What the server's options say of persistence holds: without
// appendonly, a killed Redis has what its last snapshot had.
func redis(s Service, f found) (system.Service, error) {
	args, err := redisServer().arguments(s)
	if err != nil {
		return system.Service{}, err
	}
	args = unquoted(args)
	svc := system.Service{
		Replicas: 1 + s.Standby, Ports: []int{redisPort},
		Process: system.Process{
			Command: append([]string{"sh", "{{data}}/redis.sh", "start"}, args...),
			Env:     map[string]string{},
			Files:   map[string]string{"redis.sh": redisScript, "redis.conf": redisConf},
			Signal:  "SIGTERM", Grace: 5 * time.Second,
		},
	}
	if i := slices.Index(args, "--requirepass"); i >= 0 && i+1 < len(args) {
		svc.Process.Env["REDISCLI_AUTH"] = args[i+1]
	}
	ask := []string{"timeout", "2", "redis-cli", "-h", "{{ip}}", "-p", "6379"}
	// An answer such as LOADING ends with status 0, too.
	svc.Ready = system.Ready{Exec: []string{"sh", "-c", `[ "$(` + strings.Join(ask, " ") + ` ping)" = PONG ]`}}
	info := func(value string) system.Probe {
		return system.Probe{Exec: append(slices.Clone(ask), "info", "replication"), Value: value}
	}
	const offset = `int(stdout.split("master_repl_offset:")[1].split("\r")[0])`
	svc.Probes = map[string]system.Probe{
		"role":     info(`stdout.split("role:")[1].startsWith("master") ? "leader" : "follower"`),
		"position": info(offset),
	}
	if svc.Lead = s.lead(redisPort, "redis.sh"); svc.Lead != nil {
		svc.Lead.Progress = info(offset)
	}
	return svc, nil
}

// unquoted takes the quotes off that a shell would have: people write --save "" in compose's command, too.
func unquoted(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == `""` || arg == `''` {
			out[i] = ""
		}
	}
	return out
}

const redisConf = `# Written by assay at each start. Options of the command line win over it.
bind {{ip}}
port 6379
dir "{{data}}"
protected-mode no
daemonize no
replica-announce-ip {{advertise(6379).split(":")[0]}}
replica-announce-port 6379
repl-diskless-sync-delay 0
`

const redisScript = `# Runs one Redis of a group, and changes who leads it. ASSAY_LEADER is "" for the one that leads.
set -eu
verb=$1
shift
case $verb in
start)
	[ -z "${REDISCLI_AUTH:-}" ] || set -- "$@" --masterauth "$REDISCLI_AUTH"
	[ -z "${ASSAY_LEADER:-}" ] || set -- "$@" --replicaof "${ASSAY_LEADER%:*}" "${ASSAY_LEADER##*:}"
	exec redis-server "$ASSAY_DATA/redis.conf" "$@"
	;;
take)
	timeout 2 redis-cli -e -h "$ASSAY_IP" -p 6379 replicaof no one
	;;
follow)
	timeout 2 redis-cli -e -h "$ASSAY_IP" -p 6379 replicaof "${ASSAY_LEADER%:*}" "${ASSAY_LEADER##*:}"
	;;
esac
`
