#!/bin/sh
# Creates the PostgreSQL role of the server and sets its password, for docker-compose.yml.
# Reads host, owner and database from the standard PG variables, and the passwords from files.
set -eu
PGPASSWORD=$(cat "$OWNER_PASSWORD_FILE")
export PGPASSWORD
exec psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction --file "$(dirname "$0")/roles.sql" --file - <<'SQL'
\set password `cat "$SERVER_PASSWORD_FILE"`
alter role guardianeye_server password :'password';
SQL
