package recipe

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

const postgresPort = 5432

func postgresServer() server {
	return server{name: "postgres", program: "postgres", tools: []string{"initdb", "pg_basebackup", "psql", "pg_isready"},
		images: []string{"postgres", "postgresql"}, places: []string{"/usr/lib/postgresql/*/bin/postgres", "/usr/pgsql-*/bin/postgres"},
		debian: "postgresql-%s", plain: "postgresql"}
}

// postgres runs one server, or one that leads and others that stream from it.
func postgres(s Service, f found) (system.Service, error) {
	args, err := postgresServer().arguments(s)
	if err != nil {
		return system.Service{}, err
	}
	env, err := s.account()
	if err != nil {
		return system.Service{}, err
	}
	svc := system.Service{
		Replicas: 1 + s.Standby, Ports: []int{postgresPort},
		Process: system.Process{
			Command: append([]string{"sh", "{{data}}/postgres.sh", "start"}, args...),
			Env:     env,
			Files:   map[string]string{"postgres.sh": postgresScript, "postgresql.conf": postgresConf, "pg_hba.conf": postgresHBA(env)},
			Signal:  "SIGINT", // fast: it does not wait for clients to leave
			Grace:   5 * time.Second, NotRoot: true, Image: postgresImage(env, f, s.Scripts),
		},
		Ready: system.Ready{Exec: []string{"timeout", "2", "pg_isready", "-q", "-h", "{{ip}}", "-p", "5432", "-U", env["POSTGRES_USER"], "-d", env["POSTGRES_DB"]}},
	}
	ask := func(query, value string) system.Probe {
		return system.Probe{SQL: &system.SQL{URL: postgresURL(env), Query: query}, Value: value}
	}
	svc.Probes = map[string]system.Probe{
		"role":     ask("select pg_is_in_recovery() as follows", `rows[0].follows ? "follower" : "leader"`),
		"position": ask("select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end - '0/0')::bigint as position", "rows[0].position"),
	}
	if svc.Lead = s.lead(postgresPort, "postgres.sh"); svc.Lead != nil {
		// What it has received counts, not what it has replayed: a promotion replays the rest.
		svc.Lead.Progress = ask("select (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::bigint as received", "rows[0].received")
	}
	if s.Synchronous {
		svc.Process.Env["SYNCHRONOUS"] = "yes"
	}
	return svc, nil
}

// account returns user, password and database, as the official image takes them from the environment.
func (s Service) account() (map[string]string, error) {
	for _, name := range []string{"POSTGRES_USER_FILE", "POSTGRES_PASSWORD_FILE", "POSTGRES_DB_FILE", "POSTGRES_INITDB_ARGS_FILE"} {
		if s.Env[name] != "" {
			return nil, wrong("environment", "give "+strings.TrimSuffix(name, "_FILE"), "service %s: a local process has no file of %s", s.Name, name)
		}
	}
	env := map[string]string{"POSTGRES_USER": cmp.Or(s.Env["POSTGRES_USER"], "postgres")}
	env["POSTGRES_DB"] = cmp.Or(s.Env["POSTGRES_DB"], env["POSTGRES_USER"])
	for _, name := range []string{"POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS", "POSTGRES_HOST_AUTH_METHOD"} {
		if s.Env[name] != "" {
			env[name] = s.Env[name]
		}
	}
	for _, name := range []string{"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"} {
		if strings.Contains(env[name], "{{") || strings.ContainsAny(env[name], "'\"\\\n") {
			return nil, wrong("environment", "plain text without quotes and {{…}}", "service %s: %s cannot be used to make the database", s.Name, name)
		}
	}
	if env["POSTGRES_PASSWORD"] != "" {
		env["PGPASSWORD"] = env["POSTGRES_PASSWORD"]
	}
	return env, nil
}

func postgresURL(env map[string]string) string {
	user := url.User(env["POSTGRES_USER"])
	if env["POSTGRES_PASSWORD"] != "" {
		user = url.UserPassword(env["POSTGRES_USER"], env["POSTGRES_PASSWORD"])
	}
	return fmt.Sprintf("postgres://%s@{{ip}}:%d/%s?sslmode=disable", user, postgresPort, url.PathEscape(env["POSTGRES_DB"]))
}

// postgresHBA lets in who has the password. Standbys need none: nobody but this machine can dial.
func postgresHBA(env map[string]string) string {
	method := "scram-sha-256"
	if env["POSTGRES_PASSWORD"] == "" {
		method = "trust"
	}
	return "host replication all 127.0.0.0/8 trust\nhost all all 127.0.0.0/8 " + cmp.Or(env["POSTGRES_HOST_AUTH_METHOD"], method) + "\n"
}

// A program that is killed loses nothing of what it gave to the kernel, so fsync buys nothing here.
const postgresConf = `# Written by assay at each start. Options of the command line win over it.
listen_addresses = '{{ip}}'
port = 5432
unix_socket_directories = ''
hba_file = '{{data}}/pg_hba.conf'
dynamic_shared_memory_type = mmap     # files below the data folder, which go with it
shared_buffers = 32MB
fsync = off                           # nobody pulls the plug of this machine: what is killed loses nothing that the kernel has
wal_keep_size = 512MB                 # a standby that was cut off for a while catches up
wal_retrieve_retry_interval = 200ms
wal_receiver_timeout = 2s             # a link that went silent is dialled anew
wal_receiver_status_interval = 1s
hot_standby_feedback = on
include_if_exists = 'leader.conf'
include_if_exists = 'followers.conf'
`

const postgresScript = `# Runs one Postgres of a group, and changes who leads it. ASSAY_LEADER is "" for the one that leads.
set -eu
pg=$ASSAY_DATA/pg
verb=$1
shift

ask() {
	psql -XAtq -v ON_ERROR_STOP=1 -h "$ASSAY_IP" -p 5432 -U "$POSTGRES_USER" -d "$POSTGRES_DB" "$@"
}

# write replaces a file at once.
write() {
	cat >"$ASSAY_DATA/$1.new"
	mv "$ASSAY_DATA/$1.new" "$ASSAY_DATA/$1"
}

address() {
	echo "host=${ASSAY_LEADER%:*} port=${ASSAY_LEADER##*:} user=$POSTGRES_USER application_name=$ASSAY_INSTANCE connect_timeout=2"
}

followers() {
	names=$(echo "${ASSAY_FOLLOWERS:-}" | sed 's/[^,]\{1,\}/"&"/g')
	[ -z "${SYNCHRONOUS:-}" ] || [ -z "$names" ] || names="ANY 1 ($names)"
	[ -n "${SYNCHRONOUS:-}" ] || names=
	echo "synchronous_standby_names = '$names'" | write followers.conf
}

leader() {
	echo "primary_conninfo = '$(address)'" | write leader.conf
	echo "$ASSAY_LEADER" | write leader
}

# lead and obey leave a data folder that can be started. What led before, or followed another one, may have what the
# leader never had, so it begins again with a copy of the leader's.
lead() {
	rm -f "$pg/standby.signal"
	echo me | write leader
	followers
}

obey() {
	if [ -e "$ASSAY_DATA/leader" ] && [ "$(cat "$ASSAY_DATA/leader")" != "$ASSAY_LEADER" ]; then
		until rm -rf "$pg.new" && pg_basebackup -D "$pg.new" -d "$(address)" -X stream -c fast --no-sync --no-manifest; do sleep 0.1; done
		rm -rf "$pg"
		mv "$pg.new" "$pg"
	fi
	touch "$pg/standby.signal"
	leader
	echo "synchronous_standby_names = ''" | write followers.conf
}

# streaming waits a little until all followers fulfil a condition.
streaming() {
	want=$(echo "$ASSAY_FOLLOWERS" | tr , '\n' | wc -l)
	for i in $(seq 10); do
		have=$(ask -c "select count(*) from pg_stat_replication where application_name = any(string_to_array('$ASSAY_FOLLOWERS', ',')) and $1")
		[ "$have" -lt "$want" ] || return 0
		sleep 0.05
	done
	echo "not all of $ASSAY_FOLLOWERS have $1 yet" >&2
	exit 1
}

case $verb in
start)
	if [ -n "${ASSAY_LEADER:-}" ]; then obey; elif [ -n "${ASSAY_FOLLOWERS+set}" ]; then lead; fi
	exec postgres -D "$pg" -c config_file="$ASSAY_DATA/postgresql.conf" "$@"
	;;
take)
	echo me | write leader
	ask -c 'select case when pg_is_in_recovery() then pg_promote(true, 2) else true end' | grep -qvx f
	# Alone, it would wait for a standby for ever. With others, it waits for them once they stream: until then its
	# writes would stand still.
	if [ -n "${SYNCHRONOUS:-}" ] && [ -n "$ASSAY_FOLLOWERS" ]; then streaming "state = 'streaming'"; fi
	followers
	now=$(ask -c 'select pg_reload_conf()' -c 'select pg_current_wal_lsn()' | tail -n 1)
	if [ -n "${SYNCHRONOUS:-}" ] && [ -n "$ASSAY_FOLLOWERS" ]; then streaming "flush_lsn >= '$now'"; fi
	;;
follow)
	leader
	ask -c 'select pg_reload_conf()'
	;;
esac
`
