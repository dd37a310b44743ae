#!/usr/bin/env bash
# Tries the console of a built binary in Chromium: web/tests/run.sh [BINARY]; without one it builds it.
# Pictures of the pages are left in web/screenshots. It must not pass without a browser.
set -euo pipefail
binary=${1:+$(realpath "$1")}
cd "$(dirname "$0")/../.."

web/build.sh
if [ -z "$binary" ]; then
  cargo build --locked
  binary=$(realpath "${CARGO_TARGET_DIR:-target}/debug/guardianeye")
fi
export CONSOLE_TEST_BINARY=$binary
exec node --test --test-force-exit --test-concurrency=1 --test-reporter=spec web/tests/*.test.mjs
