# shellcheck shell=bash
# shellcheck disable=SC2154 # $top, $oomcast, $oomcastd and $leaker are of quickstart
# The demonstration of packaging/quickstart --demo, sourced by it: a process leaks into a real limit; it is seen, forecast,
# told to a receiver with the reason, ends when it was foretold, and the post-mortem says so. Each step is waited for; one that
# does not come is said, and the exit status is not 0.

demo_name=leak-demo-$(($$ % 10000)) # of 15 bytes at most; another demonstration has its own
demo_base_mib=16 demo_limit_mib=128 # 112 s at 1 MiB/s
demo_began=0
demo_cgroup=""
demo_failed=""

# step TEXT…: "[ 12 s] TEXT".
step() {
  printf '\n[%3d s] %s\n' $((SECONDS - demo_began)) "$*"
}

indent() {
  sed 's/^/        /'
}

not_shown() {
  demo_failed=yes
  warn "not shown: $*"
}

# sql QUERY: the first field of the answer, as it is.
demo_sql() {
  "$oomcast" sql --csv --db "$store" "$1" 2>/dev/null | tr -d '\r' | tail -n +2 | sed '1s/^"//; $s/"$//; s/""/"/g'
}

# of_json TEXT PATH: a member of a JSON text.
of_json() {
  demo_sql "SELECT json_extract('${1//\'/\'\'}', '$2')"
}

# wait_for SECONDS COMMAND…: until it succeeds; 1 where it does not within that time, or the daemon is gone.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] && kill -0 "$daemon_pid" 2>/dev/null || return 1
    sleep 0.2
  done
}

# ---- the limit ----

# A cgroup of our own, of version 1 or 2, where it may be made.
make_cgroup() {
  local root=/sys/fs/cgroup dir bytes=$((demo_limit_mib << 20)) file
  [ ! -e $root/memory/memory.usage_in_bytes ] || root=$root/memory
  dir=$root/oomcast-demo-$$
  mkdir "$dir" 2>/dev/null || return 1
  demo_cgroup=$dir
  for file in memory.max memory.limit_in_bytes; do
    [ ! -w "$dir/$file" ] || { echo "$bytes" >"$dir/$file"; } 2>/dev/null || continue
    [ -w "$dir/$file" ] || continue
    { echo 0 >"$dir/memory.swap.max"; } 2>/dev/null || { echo 0 >"$dir/memory.swappiness"; } 2>/dev/null
    return 0
  done
  drop_cgroup
  return 1
}

drop_cgroup() {
  local tries
  for ((tries = 0; tries < 20; tries++)); do
    rmdir "$demo_cgroup" 2>/dev/null && break
    [ -d "$demo_cgroup" ] || break
    sleep 0.1
  done
  demo_cgroup=""
}

# In its cgroup, or below a limit of its own. The same words either way: it ends when it cannot have more.
start_leaker() {
  local words=(line --base "${demo_base_mib}M" --rate 1M --max 2G --for 170 --refused 3 --name "$demo_name")
  if [ -n "$demo_cgroup" ]; then
    # shellcheck disable=SC2016 # of the inner shell
    sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$demo_cgroup" "$leaker" "${words[@]}" >"$data/leaker.log" 2>&1 &
  else
    prlimit --data=$((demo_limit_mib << 20)) "$leaker" "${words[@]}" >"$data/leaker.log" 2>&1 &
  fi
  leaker_pid=$!
}

# ---- receiver, config, daemon ----

receiver_listens() {
  [ -s "$data/receiver.port" ]
}

start_receiver() {
  setpriv --pdeathsig TERM "$receiver" --port 0 --port-file "$data/receiver.port" --out "$data/received.jsonl" >"$data/receiver.log" 2>&1 &
  receiver_pid=$!
  until_true "$receiver_pid" receiver_listens || die "the receiver did not start: $(cat "$data/receiver.log")"
}

write_demo_config() {
  cat >"$data/demo.json" <<JSON
{
  // A look ten times a second, so that a minute tells what else takes hours.
  "interval": "100ms", "discovery_interval": "1s", "batch": "200ms",
  "targets": [ { "name": "$demo_name" } ],
  // The default rule, with times that suit a life of a minute and a half, and only where it is rather sure.
  "rules": [ { "name": "MemoryLimitForecast", "severity": "critical", "horizon": "2m", "chance": 0.85, "for": "1s" } ],
  "group_wait": "1s",
  "receivers": [ { "name": "demo", "type": "webhook", "url": "http://127.0.0.1:$(cat "$data/receiver.port")/alerts",
                   "min_severity": "critical" } ]
}
JSON
}

start_demo_daemon() {
  OOMCAST_NOTIFY=$build_dir/notify/oomcast-notify \
    setpriv --pdeathsig TERM "$oomcastd" --foreground --data "$data" --config "$data/demo.json" >"$log" 2>&1 </dev/null &
  daemon_pid=$!
  until_true "$daemon_pid" daemon_answers || {
    tail -n 20 "$log" >&2
    die "oomcastd did not start; its log: $log"
  }
}

# ---- what is waited for ----

is_seen() {
  demo_source=$(demo_sql "SELECT max(source) FROM lives WHERE pid = $leaker_pid AND kind = 'process'")
  [ -n "$demo_source" ] && [ -n "$(demo_sql "SELECT value FROM samples WHERE source = $demo_source LIMIT 1")" ]
}

# What runs into the limit: the cgroup, or the process.
watched_subject() {
  if [ -n "$demo_cgroup" ]; then
    printf 'cgroup:/%s' "${demo_cgroup##*/}"
  else
    printf 'proc:%s' "$demo_name"
  fi
}

# The row of the store that was said last by a time: a field of it. WHEN in unix ms.
said_by() {
  demo_sql "SELECT $1 FROM forecasts WHERE subject = '$(watched_subject)' AND name = '$demo_limit' AND unix_ms <= $2
            ORDER BY unix_ms DESC LIMIT 1"
}

is_leaking() {
  [ "$(demo_sql "SELECT count(*) > 0 FROM forecasts WHERE subject = '$(watched_subject)' AND name = '$demo_limit' AND state = 'leaking'")" = 1 ]
}

now_ms() {
  printf '%s' $(($(date +%s%N) / 1000000))
}

# The first message that came with this status (firing, resolved), into $message.
has_message() {
  local line
  [ -s "$data/received.jsonl" ] || return 1
  while IFS= read -r line; do
    case $line in *"\\\"status\\\":\\\"$1\\\""* | *"\"status\":\"$1\""*)
      message=$line
      return 0
      ;;
    esac
  done <"$data/received.jsonl"
  return 1
}

leaker_is_gone() {
  ! kill -0 "$leaker_pid" 2>/dev/null
}

has_end() {
  demo_end_ms=$(demo_sql "SELECT end_unix_ms FROM lives WHERE source = $demo_source AND ended <> 'running'")
  [ -n "$demo_end_ms" ]
}

clock_of() {
  date -d "@$(($1 / 1000))" +%H:%M:%S
}

# ---- the steps ----

show_setting() {
  step "A receiver of alerts listens at http://127.0.0.1:$(cat "$data/receiver.port")/alerts, as a chat or a pager would."
  step "The daemon starts with this config:"
  indent <"$data/demo.json"
  if [ -n "$demo_cgroup" ]; then
    demo_limit=memory.max
    step "A process ($demo_name, pid $leaker_pid) takes 1 MiB more each second, in a cgroup of its own with $demo_limit_mib MiB: $demo_cgroup"
  else
    demo_limit=RLIMIT_DATA
    step "A process ($demo_name, pid $leaker_pid) takes 1 MiB more each second; no cgroup can be made here, so RLIMIT_DATA ends it at $demo_limit_mib MiB."
  fi
}

show_seen() {
  wait_for 20 is_seen || { not_shown "the process was not found by the daemon"; return 1; }
  step "It is seen. Nobody told the daemon of it but the config's target."
  "$oomcast" lives --db "$store" "$demo_name" 2>&1 | indent
}

show_forecast() {
  wait_for 100 is_leaking || { not_shown "no forecast said that it leaks"; return 1; }
  step "It is forecast:"
  "$oomcast" forecast --db "$store" "$(watched_subject)" 2>&1 | head -n 12 | indent
}

# The message as the receiver got it: the sentence, the reason, what to do next.
show_alert() {
  local body path='$.alerts[0].annotations'
  wait_for 30 has_message firing || { not_shown "no alert reached the receiver"; return 1; }
  demo_told_ms=$(of_json "$message" '$.t_unix_ms')
  body=$(of_json "$message" '$.body')
  step "The receiver got this, with all of Alertmanager's webhook around it:"
  {
    printf '%s\n' "$(of_json "$body" '$.alerts[0].labels.severity'): $(of_json "$body" "$path.summary")"
    of_json "$body" "$path.explanation"
    printf 'next:\n'
    of_json "$body" "$path.next"
  } | indent
  [ -n "$(of_json "$body" "$path.explanation")" ] || not_shown "the alert came without an explanation"
  step "A monitoring plugin says the same:"
  "$oomcast" check --db "$store" "$demo_name" 2>&1 | indent
}

show_end() {
  local said from to
  step "Now nothing is left but to wait for the limit."
  wait_for 120 leaker_is_gone || { not_shown "the process did not meet its limit"; return 1; }
  { wait "$leaker_pid"; } 2>/dev/null # without the line of a shell that saw it killed
  demo_status=$?
  wait_for 20 has_end || { not_shown "the daemon did not see its end"; return 1; }
  said=$(said_by "unix_ms || ' ' || p10_s || ' ' || p90_s" "$demo_told_ms")
  read -r from to < <(printf '%s\n' "$said" | awk '{ printf "%d %d\n", $1 + $2 * 1000, $1 + $3 * 1000 }')
  step "It met its limit at $(clock_of "$demo_end_ms"), $(((demo_end_ms - demo_told_ms) / 1000)) s after the alert (wait status $demo_status)."
  printf '        foretold with the alert: %s - %s\n' "$(clock_of "$from")" "$(clock_of "$to")"
  if [ "$demo_end_ms" -ge "$from" ] && [ "$demo_end_ms" -le "$to" ]; then
    printf '        inside the interval\n'
  else
    not_shown "the end lies outside the interval that was foretold (which holds eight times of ten)"
  fi
}

show_post_mortem() {
  local text
  step "The post-mortem:"
  text=$("$oomcast" explain --life --db "$store" "$demo_name" 2>&1) || not_shown "explain --life failed"
  printf '%s\n' "$text" | indent
  case $text in *"$demo_limit"* | *"out of memory"*) ;; *) not_shown "the post-mortem does not name the limit" ;; esac
  if wait_for 20 has_message resolved; then
    step "And the receiver was told the end:"
    of_json "$(of_json "$message" '$.body')" '$.alerts[0].annotations.summary' | indent
  else
    not_shown "the receiver was not told the end"
  fi
  "$oomcast" alerts log --db "$store" 2>/dev/null | indent
}

# All of it. Returns 1 where a step did not come.
run_demo() {
  demo_began=$SECONDS
  log=$data/oomcastd.log
  rm -f "$data/received.jsonl" "$data/receiver.port"
  # What earlier lives of a subject taught would change what is said of this one.
  [ "$data" != "$top/build/demo" ] || rm -f "$data"/oomcast.db "$data"/oomcast.db-*
  start_receiver
  write_demo_config
  start_demo_daemon
  make_cgroup || true
  start_leaker
  show_setting
  show_seen && show_forecast && show_alert && show_end && show_post_mortem
  stop_all
  if [ -n "$demo_failed" ]; then
    printf '\nNot all of it was shown, after %d s. The logs: %s\n' $((SECONDS - demo_began)) "$data"
    return 1
  fi
  printf '\nAll of it in %d s. The store stays: %s\n' $((SECONDS - demo_began)) "$store"
}
