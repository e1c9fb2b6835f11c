# shellcheck shell=bash
# shellcheck disable=SC2154 # $drip is of 55-forecast.sh
# What was told of the services of 55-forecast.sh, and when: the leak before the killer came, its end as such, the page cache never.

# The first message with this status that is about a text: its time. "": there is none.
told_ms() {
  local line
  while IFS= read -r line; do
    case $line in *'\"status\":\"'"$1"'\"'*"$2"*)
      printf '%s\n' "$line" | json '$.t_unix_ms'
      return
      ;;
    esac
  done </out/received
}

alert_came_before_the_killer() {
  local told ended
  until_true 30 test -s /out/received || return
  told=$(told_ms firing drip.slice)
  ended=$(sql "SELECT end_unix_ms FROM lives WHERE source = $drip")
  [ -n "$told" ] || fail "nobody was told: $(oomcast alerts log | tail -n 3)" || return
  [ "$told" -lt "$ended" ] || fail "told $((told - ended)) ms after the end"
  printf 'told %d s before the end\n' $(((ended - told) / 1000)) >/out/lead
}

alert_carries_its_reason() {
  grep -m 1 drip.slice /out/received >/out/message
  has "$(cat /out/message)" memory.max && has "$(cat /out/message)" explanation
}

is_died() {
  [ "$(sql "SELECT count(*) FROM alerts WHERE state = 'died' AND severity = 'critical' AND subject LIKE '%drip%'")" -ge 1 ]
}

is_told() {
  [ -n "$(told_ms "$@")" ]
}

alert_ends_as_died() {
  until_true 30 is_died && until_true 30 is_told resolved drip
}

post_mortem_names_the_cgroup() {
  oomcast explain --life drip >/out/post-mortem || return
  has "$(cat /out/post-mortem)" /drip.slice
}

# silent NAME: no alert of it fired, nobody was told.
silent() {
  same "alerts of $1" 0 "$(sql "SELECT count(*) FROM alerts WHERE firing_unix_ms > 0 AND rule LIKE 'MemoryLimit%'
    AND (subject LIKE 'cgroup:/$1.slice%' OR subject = 'proc:$1')")" && same "told of $1" "" "$(told_ms firing "$1.slice")"
}

test_that alert_comes_before_the_killer alert_came_before_the_killer
test_that alert_carries_its_reason alert_carries_its_reason
test_that alert_of_the_dead_ends_as_died alert_ends_as_died
test_that post_mortem_names_the_cgroup post_mortem_names_the_cgroup
test_that page_cache_alerts_nobody silent spool
test_that warm_up_alerts_nobody silent warm
oomcast alerts log >/out/alert-log
systemctl stop pager
