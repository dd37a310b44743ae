#!/usr/bin/env bash
# Fails when a package of the console, or of a test, has a known hole that is high or critical. A registry that
# answers no audits is told apart from a clean answer.
set -euo pipefail
cd "$(dirname "$0")"

for folder in . ../tests/graphql_http ../tests/oracle; do
  report=$(cd "$folder" && npm audit --json --audit-level=high 2>/dev/null) && verdict=clean || verdict=refused
  if ! grep -q '"vulnerabilities"' <<<"$report"; then
    echo "web/audit.sh: $folder: NOT AUDITED, the package registry answers no audits here" >&2
  elif [ "$verdict" = refused ]; then
    (cd "$folder" && npm audit --audit-level=high) || exit 1
  else
    echo "web/audit.sh: $folder: no known hole that is high or critical"
  fi
done
