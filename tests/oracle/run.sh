#!/usr/bin/env bash
# Compares a GraphQL endpoint with graphql-js: tests/oracle/run.sh URL [DOCUMENTS] [SEED]
# Compares its introspection with schema.graphql: tests/oracle/run.sh schema.mjs URL
# Fetches the pinned npm packages first when they are not here yet. It must not pass without having compared.
set -euo pipefail
cd "$(dirname "$0")"

for tool in node npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "tests/oracle/run.sh: no $tool here; install Node.js 18 or newer (Debian: apt-get install nodejs npm)" >&2
    exit 1
  fi
done
# npm writes this file last, so a broken installation is done again.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi
case "${1-}" in
  *.mjs) exec node "$@" ;;
  *) exec node oracle.mjs "$@" ;;
esac
