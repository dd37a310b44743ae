#!/usr/bin/env bash
# Runs a command with a PostgreSQL beside it, named in TEST_DATABASE_URL: tests/postgres.sh CMD [ARG...]
# It is the caller's own TEST_DATABASE_URL, else a throw-away cluster that lives as long as the command.
# It must not run the command without a PostgreSQL, touch a cluster it did not start, or leave anything behind.
set -euo pipefail

oldest=15  # the oldest major version that guardianeye supports
server=    # the directory of the newest server's programs
newest=0   # its major version
release=   # its full version
dir=       # our cluster: data, socket and log
owner=     # who runs it; empty: we do

say() { printf 'tests/postgres.sh: %s\n' "$*" >&2; }

find_server() {
  local on_path bin full major
  on_path=$(command -v postgres || true)
  for bin in "$(pg_config --bindir 2>/dev/null)" "${on_path%/*}" \
    /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql*/ /usr/local/pgsql/bin \
    {/opt/homebrew,/usr/local,/home/linuxbrew/.linuxbrew}/opt/postgresql*/bin \
    /Applications/Postgres.app/Contents/Versions/*/bin; do
    bin=${bin%/}
    if ! [ -x "$bin/initdb" ] || ! [ -x "$bin/pg_ctl" ] || ! [ -x "$bin/postgres" ]; then continue; fi
    full=$("$bin/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) //p')
    major=${full%%[!0-9]*}
    if [ "${major:-0}" -gt "$newest" ]; then newest=$major release=$full server=$bin; fi
  done
  [ "$newest" -ge "$oldest" ]
}

# Judged by what is there afterwards: Debian's package also makes a cluster of its own, which may fail and is not needed.
install_server() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "no PostgreSQL $oldest or newer here; installing one with apt-get"
  apt-get -qq update >&2 || true
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    install --no-install-recommends postgresql >&2 </dev/null || true
  find_server
}

give_up() {
  cat >&2 <<EOF
tests/postgres.sh: no PostgreSQL $oldest or newer on this machine${server:+ (only $newest, in $server)}. Do one of these and try again:
  Debian, Ubuntu   sudo apt-get install postgresql
  Fedora           sudo dnf install postgresql-server
  macOS            brew install postgresql@16
  Docker           docker compose -f docker-compose.test.yml up -d --wait
                   export TEST_DATABASE_URL=postgres://guardianeye:guardianeye@127.0.0.1:5433/guardianeye
EOF
  exit 1
}

# PostgreSQL refuses to run as root, so root lends its cluster to another user.
as_owner() (
  cd "$dir" || exit
  if [ -z "$owner" ]; then
    "$@"
  elif command -v runuser >/dev/null; then
    runuser -u "$owner" -- "$@"
  else
    su -s /bin/sh -c "$(printf '%q ' "$@")" "$owner"
  fi
)

# The directory is closed to other users, so the socket in it needs no password and no free port; only members of one group
# have to give theirs, for the tests of that. The data is worthless, so nothing waits for the disk. The odd time zone shows
# up SQL that leans on the server's.
start_cluster() {
  local locale=C
  case $(locale -a 2>/dev/null) in *C.UTF-8* | *C.utf8*) locale=C.UTF-8 ;; esac
  as_owner "$server/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale="$locale" --no-sync >"$dir/initdb.log" 2>&1 &&
    cat >>"$dir/data/postgresql.conf" <<EOF &&
listen_addresses = ''
port = 5432
unix_socket_directories = '$dir'
max_connections = 300
autovacuum = off
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'Asia/Kathmandu'
EOF
    printf '%s\n' 'local all +guardianeye_test_passwords scram-sha-256' "$(cat "$dir/data/pg_hba.conf")" >"$dir/hba" &&
    cat "$dir/hba" >"$dir/data/pg_hba.conf" &&
    as_owner "$server/pg_ctl" -D "$dir/data" -l "$dir/server.log" -s -w -t 60 start
}

stop_cluster() {
  trap '' INT TERM HUP
  [ -n "$dir" ] || return 0
  pkill -TERM -P $$ 2>/dev/null || true # the command, when a signal to this script alone ends it first
  if [ -e "$dir/data/postmaster.pid" ]; then
    as_owner "$server/pg_ctl" -D "$dir/data" -m immediate -s stop || true
  fi
  rm -rf "$dir"
}

if [ $# = 0 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
{ : <&0; } 2>/dev/null || exec </dev/null

if [ -n "${TEST_DATABASE_URL:-}" ]; then
  version='(no psql here to ask its version)'
  if command -v psql >/dev/null; then
    version=$(PGCONNECT_TIMEOUT=5 psql -wXAtc 'show server_version' "$TEST_DATABASE_URL" || echo '(it does not answer)')
  fi
  say "PostgreSQL $version of TEST_DATABASE_URL, $(printf %s "$TEST_DATABASE_URL" | sed 's/?.*//; s|//.*@|//|')"
  exec "$@"
fi

find_server || install_server || give_up
unset "${!PG@}" # PGPORT and its like would bend the way to our cluster
trap stop_cluster EXIT         # INT, TERM and HUP end here too
trap 'exit 143' INT TERM HUP   # a step of the start is first let finish
dir=$(mktemp -d /tmp/guardianeye-postgres.XXXXXX)
if [ "$(id -u)" = 0 ]; then
  owner=nobody
  if id postgres >/dev/null 2>&1; then owner=postgres; fi
  chown "$owner" "$dir"
fi
if ! start_cluster; then
  say "the PostgreSQL $newest of $server did not start:"
  tail -n 20 "$dir"/*.log >&2
  exit 1
fi
trap - INT TERM HUP
say "PostgreSQL $release of $server, a throw-away cluster"
export TEST_DATABASE_URL="postgres://postgres@${dir//\//%2F}:5432/postgres"
"$@"
