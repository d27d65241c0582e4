#!/bin/sh
# Every test, on both databases at once: SQLite's are told as they run, PostgreSQL's when those are done.
# PostgreSQL's run in a network of their own (a namespace with nothing but loopback), so that no port is taken twice;
# where this machine allows no namespace they run afterwards.
set -u
cd "$(dirname "$0")/.."
root=
[ "$(id -u)" = 0 ] || root=--map-root-user
# A test that waits for ever fails by itself (pytest's `timeout`); a run that does not end afterwards is ended here.
pytest="timeout --foreground --kill-after=60 45m .venv/bin/python -m pytest"
# Both take the place of the shell they are called in.
apart() { exec unshare --net $root sh -c 'ip link set lo up && exec "$@"' apart "$@"; }
on_postgresql() { "$@" env VTEAM_TEST_DATABASE=postgresql $pytest tests/services tests/stories; }

if ! (apart true) 2>/dev/null; then
    failed=0
    $pytest || failed=$?
    (on_postgresql exec) || failed=$?
    exit "$failed"
fi

told=$(mktemp)
tell() { printf '\nThe same on PostgreSQL:\n'; cat "$told"; rm -f "$told"; }
(on_postgresql apart) >"$told" 2>&1 &
postgresql=$!
trap 'kill "$postgresql" 2>/dev/null; tell' EXIT
trap 'exit 130' INT TERM
failed=0
$pytest || failed=$?
wait "$postgresql" || failed=$?
exit "$failed"
