# shellcheck shell=bash
# What the tests under Wine share. $top, $build and $work are of run. Words that until_true or test_that run are looked at
# as words: shellcheck disable=SC2016,SC2034

failed=0

# test_that NAME COMMAND…: the command's last lines are the reason where it fails; 77 is a skip.
test_that() {
  local name=$1 output status begin=$SECONDS
  shift
  output=$("$@" 2>&1 </dev/null)
  status=$?
  output=$(printf '%s' "$output" | tail -n 4 | tr -d '\r' | tr '\n' ' ' | cut -c 1-600)
  case $status in
    0) printf 'ok %s, %d s%s\n' "$name" $((SECONDS - begin)) "${output:+: $output}" ;;
    77) printf 'SKIP %s: %s\n' "$name" "$output" ;;
    *)
      printf 'FAIL %s: %s\n' "$name" "$output"
      failed=$((failed + 1))
      ;;
  esac
}

fail() {
  printf '%s\n' "$*"
  return 1
}

skip() {
  printf '%s\n' "$*"
  return 77
}

# same WHAT WANTED GOT
same() {
  [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
}

# has TEXT PART…: the parts are somewhere in the text.
has() {
  local text=$1 part
  shift
  for part in "$@"; do
    case $text in *"$part"*) ;; *) fail "no '$part' in: ${text:0:400}" || return ;; esac
  done
}

# lacks TEXT PART
lacks() {
  case $1 in *"$2"*) fail "'$2' in: ${1:0:400}" ;; esac
}

# least WHAT LEAST GOT: a whole number that is at least so large; nothing is no number.
least() {
  { [[ $3 =~ ^-?[0-9]+$ ]] && [ "$3" -ge "$2" ]; } || fail "$1: wanted at least $2, got '$3'"
}

# most WHAT MOST GOT
most() {
  { [[ $3 =~ ^-?[0-9]+$ ]] && [ "$3" -le "$2" ]; } || fail "$1: wanted at most $2, got '$3'"
}

# until_true SECONDS COMMAND…
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -le "$deadline" ] || fail "not within its time: $*" || return
    sleep 0.2
  done
}

# ---- Wine ----

# The loader of the program's own bitness, and the one prefix of this run, with a time limit. What runs beside the tests is
# started as "$wine_tool" run "$prefix" … &: $! is then the program itself.
wine_within() {
  local seconds=$1
  shift
  timeout -k 5 "$seconds" "$wine_tool" run "$prefix" "$@"
}

# A file of this machine as Windows calls it; one of the prefix's drive by its own letter.
windows_path() {
  local path=$1
  case $path in
    "$prefix"/drive_c/*) path=C:${path#"$prefix"/drive_c} ;;
    /*) path=Z:$path ;;
  esac
  printf '%s\n' "${path//\//\\}"
}

oomcast() {
  wine_within 60 "$bin/oomcast.exe" "$@" </dev/null | tr -d '\r'
  return "${PIPESTATUS[0]}"
}

# ---- figures ----

# json PATH: a member of the JSON text that stands on the standard input ('$.store.samples').
json() {
  local text
  text=$(cat)
  sqlite3 :memory: "SELECT json_extract('${text//\'/\'\'}', '$1')" 2>/dev/null
}

# status_of MEMBER: 'store.samples', of the daemon that the folder $data is of.
status_of() {
  oomcast status --json --db "$db" 2>/dev/null | json "\$.daemon.$1"
}

# is_status MEMBER VALUE
is_status() {
  [ "$(status_of "$1")" = "$2" ]
}

# status_at_least MEMBER VALUE
status_at_least() {
  least "$1" "$2" "$(status_of "$1")"
}

# sql QUERY: the first row, with | between its columns.
sql() {
  local text
  text=$(oomcast sql --json --db "$db" "$1" 2>/dev/null)
  sqlite3 :memory: "SELECT group_concat(v, '|') FROM (SELECT e.value AS v FROM json_each('${text//\'/\'\'}') r, json_each(r.value) e)" 2>/dev/null
}

# is_sql QUERY VALUE
is_sql() {
  [ "$(sql "$1")" = "$2" ]
}

# sql_some QUERY: gives something that is not 0.
sql_some() {
  local got
  got=$(sql "$1")
  [ -n "$got" ] && [ "$got" != 0 ]
}

# ---- workers ----

# worker NAME POOL PROGRAM [VARIABLE=VALUE…]: starts a program with the arguments that IIS gives a worker. What it prints is
# in $work/out/NAME.
worker() {
  local name=$1 pool=$2 program=$3
  shift 3
  mkdir -p "$work/out"
  (
    for variable in "$@"; do export "${variable?}"; done
    exec "$wine_tool" run "$prefix" "$program" -ap "$pool" -v v4.0 -l webengine4.dll -a '\\.\pipe\iisipm7f3a' \
      -h "C:\\inetpub\\temp\\apppools\\$pool\\$pool.config" -w "" -m 0 -t 20 -ta 0
  ) >"$work/out/$name" 2>"$work/out/$name.err" </dev/null &
  printf '%s\n' "$!" >>"$work/unix-pids"
}

# said NAME TEXT: a worker has printed it.
said() {
  grep -q "$2" "$work/out/$1" 2>/dev/null
}

# pid_of NAME: its number inside Wine.
pid_of() {
  sed -n 's/^pid \([0-9]*\) .*/\1/p' "$work/out/$1" 2>/dev/null | tr -d '\r' | head -n 1
}

is_up() {
  [ -n "$(pid_of "$1")" ]
}

# steps_of NAME: how far it came.
steps_of() {
  sed -n 's/^stopped after \([0-9]*\) .*/\1/p' "$work/out/$1" | head -n 1
}
