#!/bin/sh
# Creates the server's role on PostgreSQL and gives it its password, both as docker-compose.yml needs them.
# Reads the usual PG variables for the host, the owner and the database; the passwords stand in files, and in no argument.
set -eu
PGPASSWORD=$(cat "$OWNER_PASSWORD_FILE")
export PGPASSWORD
exec psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction --file "$(dirname "$0")/roles.sql" --file - <<'SQL'
\set password `cat "$SERVER_PASSWORD_FILE"`
alter role guardianeye_server password :'password';
SQL
