#!/usr/bin/env bash
# Builds the console into web/dist, which the next build of the server embeds: web/build.sh [--if-possible]
# Does nothing when it is up to date. With --if-possible a machine without Node.js is told so, and that is all.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v node >/dev/null || ! command -v npm >/dev/null ||
  ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'; then
  echo "web/build.sh: the console needs Node.js 20.19 or newer with npm (https://nodejs.org); $(node --version 2>/dev/null || echo none) is here" >&2
  if [ "${1:-}" = --if-possible ] && ! [ -e dist/index.html ]; then
    echo "web/build.sh: going on without it: / will show GraphiQL from a public CDN instead" >&2
    exit 0
  fi
  [ "${1:-}" = --if-possible ]
  exit
fi

# npm writes this file last, so a broken installation is done again.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

# compress.mjs writes this file last.
done=dist/index.html.gz
sources=(src public index.html package.json package-lock.json tsconfig.json vite.config.ts compress.mjs)
if [ -e "$done" ] && [ -z "$(find "${sources[@]}" -newer "$done" -print -quit)" ]; then
  exit 0
fi
npm run --silent check
npm run --silent build
