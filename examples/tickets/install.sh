# Installs the packages, unless they are there, and notes for each service of which files it consists.
set -eu
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --omit=dev
mkdir -p bin
for service in gateway bookings pricing; do
	sha256sum package-lock.json lib/*.js $service/*.js >bin/$service.sums.$$
	mv bin/$service.sums.$$ bin/$service.sums # in one step: another run may be reading it
done
