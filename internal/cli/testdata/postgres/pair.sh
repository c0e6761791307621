#!/bin/sh
# Runs one of two Postgres servers and keeps watch: a follower whose leader's address refuses takes over, and a leader
# that sees another one, of a later time line, follows it. A leader that is only silent may be well, so nobody takes over.
set -eu

# Postgres refuses to run as root. Root becomes somebody else in a user namespace, where its files stay its own.
[ "$(id -u)" != 0 ] || exec unshare --user --map-user=1000 --map-group=1000 sh "$0"

peer=${PEER%:*}
ask() { timeout 1 psql -X -At -U app -d "host=$1 dbname=postgres" -c "$2" 2>&1; }
peer_leads() { [ "$(ask "$peer" 'select pg_is_in_recovery()')" = f ]; }

create() {
	initdb -U app -A trust -E UTF8 --locale=C --no-sync >/dev/null
	echo 'host replication all 127.0.0.0/8 trust' >>"$PGDATA/pg_hba.conf"
	cat >>"$PGDATA/postgresql.conf" <<-END
		unix_socket_directories = ''
		synchronous_standby_names = '$STANDBYS'
		shared_buffers = 16MB
		wal_receiver_timeout = 600ms   # what is on its way over a link that was cut is not waited for
		wal_retrieve_retry_interval = 200ms
		fsync = off   # a process that is killed loses nothing of what it gave to the kernel
	END
}

follow() {
	rm -rf "$PGDATA"
	pg_basebackup -D "$PGDATA" -d "host=$peer user=app application_name=standby connect_timeout=2" -R -X stream -c fast --no-sync
	echo "hot_standby_feedback = on" >>"$PGDATA/postgresql.conf"
}

timeline() { ask "$1" 'select timeline_id from pg_control_checkpoint()'; }

# prepare leaves a data folder that can be started.
prepare() {
	if [ -z "$FIRST" ] && [ ! -e "$PGDATA" ]; then
		until peer_leads; do sleep 0.1; done
		follow
	elif [ ! -e "$PGDATA" ]; then
		create
	elif [ ! -e "$PGDATA/standby.signal" ] && peer_leads; then
		follow
	fi
}

promote() {
	pg_ctl promote -w >/dev/null
	# Alone, it would wait for its standby for ever.
	ask "$IP" "alter system set synchronous_standby_names = ''" && ask "$IP" 'select pg_reload_conf()'
}

stop() {
	kill -"$1" "$server" 2>/dev/null || true
	wait "$server" || true
}

prepare
postgres -c listen_addresses="$IP" &
server=$!
trap 'stop INT; exit 0' INT TERM
refused=0 met=
while sleep 0.3 && kill -0 "$server" 2>/dev/null; do
	answer=$(ask "$peer" 'select pg_is_in_recovery()' || true)
	if [ -e "$PGDATA/standby.signal" ]; then
		case $answer in
		f) met=yes refused=0 ;;
		*refused* | *reset* | *closed*) refused=$((refused + 1)) ;;
		*) refused=0 ;;
		esac
		if [ "$met" ] && [ "$refused" -ge 2 ]; then promote && met=; fi
	elif [ "$answer" = f ] && [ "$(timeline "$peer")" -gt "$(timeline "$IP")" ]; then
		stop QUIT
		follow
		postgres -c listen_addresses="$IP" &
		server=$!
	fi
done
wait "$server"
