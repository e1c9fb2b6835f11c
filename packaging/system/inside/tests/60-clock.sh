# shellcheck shell=bash
# The wall clock is set an hour on, and back.

now_ms() {
  date +%s%3N
}

last_is_now() {
  local now
  now=$(now_ms)
  is_sql "SELECT count(*) > 0 FROM samples WHERE subject = 'host' AND metric = 'host_available_bytes'
    AND t BETWEEN $((now - 10000)) AND $((now + 2000))" 1
}

jump() {
  local jumps
  jumps=$(status_of clock.jumps)
  date -s "$1" >/dev/null
  until_true 15 status_says clock.jumps $((jumps + 1)) && until_true 15 last_is_now
}

there_and_back() {
  local before
  before=$(now_ms)
  jump '+1 hour' && jump '-1 hour' || return
  # The axis is the clock since boot: at one look a second no more samples than seconds went by, and none of an hour that was not.
  same "none in the future" 0 "$(sql "SELECT count(*) FROM samples WHERE subject = 'host' AND metric = 'host_available_bytes' AND t > $(now_ms) + 7000000")" &&
    same "no gap" 1 "$(sql "SELECT count(*) > 0 FROM samples WHERE subject = 'host' AND metric = 'host_available_bytes' AND t BETWEEN $before - 5000 AND $(now_ms)")" &&
    oomcast history host --since 10m >/dev/null && oomcast db check
}

test_that clock_set_forward_and_back there_and_back
