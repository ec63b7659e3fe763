# Runs suites and adds up their tests. Vitest and Jest count them in a line "Tests …", the conformance suite in a line for each revision.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

passed=0 failed=0
failures=$(mktemp)

# Runs the command of a suite. A suite that fails without a failed test, or counts no test, counts as one failed test.
suite() {
  local log status p f
  log=$(mktemp)
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  p=$(count passed "$log") f=$(count failed "$log")
  if [ "$f" = 0 ] && { [ "$status" != 0 ] || [ "$p" = 0 ]; }; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f))
  [ "$f" = 0 ] || { echo "$*:"; plain "$log" | grep -aE '^ *FAIL ' || tail -5 "$log"; } >>"$failures"
  rm -f "$log"
}

# Prints a log without its colours.
plain() {
  sed 's/\x1b\[[0-9;]*m//g' "$1"
}

count() {
  plain "$2" | grep -aE '^ *Tests:? |^conformance ' | grep -oE "[0-9]+ (checks )?$1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# Installs Debian packages if a command or file is missing and this user is root. Succeeds if it is there then.
have() {
  local command=$1
  shift
  if ! is_there "$command" && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >/dev/null
  fi
  is_there "$command" || { echo "Skipped: $command is missing (Debian: $*)"; return 1; }
}

is_there() {
  [ -e "$1" ] || command -v "$1" >/dev/null
}

# Prints the names of the failed tests again, and the last line. Succeeds if every test passed.
finish() {
  cat "$failures"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
