package recipe

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/assay-dev/assay/system"
)

// postgresImage is a cluster with the user, the database, and what the scripts make in it. Its name says all that it is made of.
func postgresImage(env map[string]string, f found, scripts []Script) *system.Image {
	image := &system.Image{Make: []string{"sh", "-c", postgresMake, "sh"}, Env: map[string]string{}}
	var all []string
	for _, name := range []string{"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"} {
		if env[name] != "" {
			image.Env[name] = env[name]
			all = append(all, name+"="+env[name])
		}
	}
	slices.Sort(all)
	scripts = slices.SortedFunc(slices.Values(scripts), func(a, b Script) int { return cmp.Compare(a.Name, b.Name) })
	var fill []string
	for _, script := range scripts {
		switch ext := path.Ext(strings.TrimSuffix(script.Name, ".gz")); {
		case script.Runs():
			image.Make = append(image.Make, script.Name, script.Path)
			fill = append(fill, fmt.Sprintf("%q %s", script.Name, script.Sum))
		case slices.Contains([]string{".sh", ".xz", ".zst"}, ext): // which the image would run, and nothing else
			image.Notes = append(image.Notes, fmt.Sprintf("%s/%s is skipped: only *.sql and *.sql.gz are run here; do what it does in setup", InitFolder, script.Name))
		}
	}
	if len(fill) > 0 {
		image.Sum = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(strings.Join(fill, "\n"))))
		all = append(all, fill...)
	}
	sum := sha256.Sum256([]byte(f.program + "\n" + postgresMake + strings.Join(all, "\n")))
	image.Name = fmt.Sprintf("postgres-%s-%x", f.version, sum[:6])
	return image
}

// The scripts run on a server that nobody else reaches: its socket has no file that could stay behind, whoever dies.
const postgresMake = `set -eu
password=$ASSAY_DATA/password
(umask 077; printf '%s\n' "${POSTGRES_PASSWORD:-}" >"$password")
locale=C
! locale -a 2>/dev/null | grep -qix 'c.utf-\{0,1\}8' || locale=C.UTF-8
init() {
	initdb -D "$ASSAY_DATA/pg" -U "$POSTGRES_USER" -E UTF8 --locale="$locale" --no-sync "$@" ${POSTGRES_INITDB_ARGS:-}
}
if [ -z "${POSTGRES_PASSWORD:-}" ]; then init; else init --pwfile="$password" -A scram-sha-256; fi
rm "$password"
[ "$POSTGRES_DB" = postgres ] || echo "create database \"$POSTGRES_DB\"" | postgres --single -F -c dynamic_shared_memory_type=mmap -D "$ASSAY_DATA/pg" -j postgres
[ $# -gt 0 ] || exit 0

log=$ASSAY_DATA/server.log
export PGHOST="@assay-$$" PGPORT=5432 PGUSER="$POSTGRES_USER" PGDATABASE="$POSTGRES_DB" PGPASSWORD="${POSTGRES_PASSWORD:-}"
postgres -D "$ASSAY_DATA/pg" -F -c dynamic_shared_memory_type=mmap -c listen_addresses= -c unix_socket_directories="$PGHOST" >"$log" 2>&1 &
server=$!
trap 'kill -INT $server 2>/dev/null || true; wait $server || true' EXIT
until pg_isready -q; do
	kill -0 $server 2>/dev/null || { cat "$log"; exit 1; }
	sleep 0.05
done
sql=$ASSAY_DATA/script.sql
while [ $# -gt 0 ]; do
	name=$1 file=$2
	shift 2
	case $name in
	*.gz) gzip -dc "$file" >"$sql" ;;
	*) cat "$file" >"$sql" ;;
	esac || { echo "cannot read $file"; exit 1; }
	(cd "$ASSAY_DATA" && psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -f script.sql 2>&1) || { echo "the script $file failed"; exit 1; }
done
rm "$sql"
trap - EXIT
kill -INT $server
wait $server
rm "$log"
`
