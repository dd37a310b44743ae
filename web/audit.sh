#!/usr/bin/env bash
# Fails when a package of the console or of a test has a high or critical advisory. Prints NOT AUDITED when the registry does not
# support audits.
set -euo pipefail
cd "$(dirname "$0")"

for folder in . ../tests/graphql_http ../tests/oracle; do
  report=$(cd "$folder" && npm audit --json --audit-level=high 2>/dev/null) && verdict=clean || verdict=refused
  if ! grep -q '"vulnerabilities"' <<<"$report"; then
    echo "web/audit.sh: $folder: NOT AUDITED, the package registry does not support audits" >&2
  elif [ "$verdict" = refused ]; then
    (cd "$folder" && npm audit --audit-level=high) || exit 1
  else
    echo "web/audit.sh: $folder: no high or critical advisory"
  fi
done
