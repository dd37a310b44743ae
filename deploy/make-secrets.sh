#!/bin/sh
# Creates the secrets of docker-compose.yml as files with random passwords: deploy/make-secrets.sh [FOLDER]
# Existing files are not changed. Only the owner can enter the folder; the files in it are world-readable, because the containers
# read them as another user.
set -eu
folder=${1:-$(dirname "$0")/../secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

# Letters and digits need no quoting in a URL: 32 of them are 190 bits.
random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 32; }

write() { # NAME VALUE
  if [ ! -s "$folder/$1" ]; then
    printf '%s\n' "$2" >"$folder/$1"
    printf 'created %s\n' "$folder/$1"
  fi
  chmod 644 "$folder/$1"
}

write owner_password "$(random)"
write server_password "$(random)"
write admin_password "$(random)"
owner=$(cat "$folder/owner_password")
server=$(cat "$folder/server_password")
write owner_database_url "postgres://guardianeye:$owner@postgres:5432/guardianeye"
write server_database_url "postgres://guardianeye_server:$server@postgres:5432/guardianeye"
# For a program on this machine, through the published port.
write local_database_url "postgres://guardianeye:$owner@127.0.0.1:5432/guardianeye"
