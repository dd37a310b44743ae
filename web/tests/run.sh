#!/usr/bin/env bash
# Tries the console of a built binary in Chromium: web/tests/run.sh [BINARY]; without one it builds it.
# Pictures of the pages are left in web/screenshots. It must not pass without a browser.
set -euo pipefail
cd "$(dirname "$0")/../.."

web/build.sh
if [ $# -gt 0 ]; then
  export CONSOLE_TEST_BINARY=$1
else
  cargo build --locked
  export CONSOLE_TEST_BINARY=${CARGO_TARGET_DIR:-target}/debug/guardianeye
fi
exec node --test --test-concurrency=1 --test-reporter=spec web/tests/*.test.mjs
