# shellcheck shell=bash
# What the tests in the machine share. Commands that until_true or test_that run are looked at as words:
# shellcheck disable=SC2016

export store=/var/lib/oomcast/oomcast.db
failed=0

# test_that NAME COMMAND…: the command's last lines are the reason where it fails; 77 is a skip.
test_that() {
  local name=$1 output status begin
  begin=$(uptime_s)
  shift
  output=$("$@" 2>&1)
  status=$?
  output=$(printf '%s' "$output" | tail -n 4 | tr '\n' ' ')
  case $status in
    0) printf 'ok %s, %d s\n' "$name" $(($(uptime_s) - begin)) ;;
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

# same WHAT WANTED GOT
same() {
  [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
}

# has TEXT PART: the part is somewhere in the text.
has() {
  case $1 in *"$2"*) ;; *) fail "no '$2' in: $1" ;; esac
}

uptime_s() {
  cut -d. -f1 /proc/uptime
}

# until_true SECONDS COMMAND…: by the clock since boot, since tests set the other one.
until_true() {
  local deadline=$(($(uptime_s) + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    [ "$(uptime_s)" -le "$deadline" ] || fail "not within its time: $*" || return
    sleep 0.2
  done
}

main_pid() {
  systemctl show --value -p MainPID oomcastd
}

# json FILTER: of standard input, by SQLite's own JSON functions ('$.config.reloads').
json() {
  local text
  text=$(cat)
  sqlite3 :memory: "SELECT json_extract('${text//\'/\'\'}', '$1')"
}

# status_of MEMBER: 'config.reloads'
status_of() {
  oomcast status --json | json "\$.daemon.$1"
}

# status_says MEMBER VALUE
status_says() {
  [ "$(status_of "$1")" = "$2" ]
}

# sql QUERY: the first figures of the first row, without heading.
sql() {
  oomcast sql --json "$1" 2>&1 | sqlite3_rows
}

sqlite3_rows() {
  local text
  text=$(cat)
  sqlite3 :memory: "SELECT group_concat(v, '|') FROM (SELECT e.value AS v FROM json_each('${text//\'/\'\'}') r, json_each(r.value) e)"
}

# is_sql QUERY VALUE: a query that gives this; for until_true.
is_sql() {
  [ "$(sql "$1")" = "$2" ]
}

# leaker UNIT [systemd-run options…] -- ARGUMENTS…: as a service of its own, without a limit of processes or swap.
leaker() {
  local unit=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  systemd-run --quiet --collect --unit="$unit" -p MemorySwapMax=0 "${options[@]}" /job/leaker "$@"
}

pid_of() {
  systemctl show --value -p MainPID "$1"
}

# source_of PID: the newest source of that process in the store.
source_of() {
  sql "SELECT max(source) FROM lives WHERE kind = 'process' AND pid = $1"
}

is_watched() {
  [ -n "$(source_of "$1")" ]
}

has_ended() {
  [ "$(sql "SELECT ended <> 'running' FROM lives WHERE source = $1")" = 1 ]
}

# drop_in NAME TEXT…: lines for the unit of the daemon, until the machine ends.
drop_in() {
  local name=$1
  shift
  mkdir -p /run/systemd/system/oomcastd.service.d
  printf '%s\n' '[Service]' "$@" >"/run/systemd/system/oomcastd.service.d/$name.conf"
  systemctl daemon-reload
}

restart_daemon() {
  systemctl reset-failed oomcastd 2>/dev/null
  systemctl restart oomcastd
}
