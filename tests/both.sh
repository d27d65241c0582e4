#!/bin/sh
# Every test, in two lines beside one another: on SQLite all but the transfers, told as they run; and on PostgreSQL what
# a database bears on, then the transfers between real clients, told when both lines are done. The second line has a
# network of its own (a namespace with nothing but loopback), so that no port is taken twice; where this machine allows
# no namespace, everything runs one after the other.
set -u
cd "$(dirname "$0")/.."
root=
[ "$(id -u)" = 0 ] || root=--map-root-user
# Many tests start programs of ours: none shall be compiled anew each time.
unset PYTHONDONTWRITEBYTECODE
# A test that waits for ever fails by itself (pytest's `timeout`); a run that does not end afterwards is ended here.
pytest="timeout --foreground --kill-after=60 75m .venv/bin/python -m pytest"
transfers=tests/torrents

first() { $pytest --ignore="$transfers"; }
second() {
    failed=0
    VTEAM_TEST_DATABASE=postgresql $pytest tests/services tests/stories || failed=$?
    printf '\nTransfers between real clients:\n'
    $pytest "$transfers" || failed=$?
    return "$failed"
}

if [ "${1:-}" = second ]; then
    ip link set lo up && second
    exit
fi
if ! unshare --net $root true 2>/dev/null; then
    failed=0
    first || failed=$?
    second || failed=$?
    exit "$failed"
fi

told=$(mktemp)
# In a session of its own, all of it can be ended at once.
setsid unshare --net $root "$0" second >"$told" 2>&1 &
beside=$!
tell() { printf '\nOn PostgreSQL:\n'; cat "$told"; rm -f "$told"; }
trap 'kill -- "-$beside" 2>/dev/null; tell' EXIT
trap 'exit 130' INT TERM
failed=0
first || failed=$?
wait "$beside" || failed=$?
exit "$failed"
