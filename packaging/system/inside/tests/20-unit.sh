# shellcheck shell=bash
# The unit as shipped.

unit_verifies() {
  local said
  said=$(systemd-analyze verify oomcastd.service 2>&1)
  same "systemd-analyze verify" "" "$said"
}

unit_is_not_exposed() {
  systemd-analyze --no-pager --threshold=25 security oomcastd.service | tail -n 1
  return "${PIPESTATUS[0]}"
}

starts_when_ready() {
  systemctl restart oomcastd && oomcast status >/dev/null || fail "no answer although systemd calls it started" || return
  same Type notify "$(systemctl show --value -p Type oomcastd)" &&
    [ -n "$(systemctl show --value -p StatusText oomcastd)" ]
}

has_the_rights_it_names() {
  local pid want=0 bit
  pid=$(main_pid)
  for bit in 2 12 14 19; do want=$((want | 1 << bit)); done # DAC_READ_SEARCH NET_ADMIN IPC_LOCK SYS_PTRACE
  same "capabilities" "$(printf '%016x' $want)" "$(sed -n 's/^CapEff:\t//p' "/proc/$pid/status")" &&
    same "user" oomcast "$(stat -c %U "/proc/$pid")" &&
    same "OOM score" -900 "$(cat "/proc/$pid/oom_score_adj")" &&
    same "descriptors" 65536 "$(awk '/^Max open files/ { print $4 }' "/proc/$pid/limits")" &&
    { [ "$(awk '/^VmLck/ { print $2 }' "/proc/$pid/status")" -gt 0 ] || fail "its pages are not locked"; }
}

births_are_known_at_once() {
  awk -v pid="$(main_pid)" '$1 == "cn_proc" { found = 1 } END { exit !found }' /proc/net/connector || fail "no process events: $(cat /proc/net/connector)"
}

is_another_than() {
  local pid
  pid=$(main_pid)
  [ "$pid" != "$1" ] && [ "$pid" != 0 ] && oomcast status
}

watchdog_ends_a_stopped_daemon() {
  local pid source before
  drop_in watchdog WatchdogSec=3s RestartSec=100ms TimeoutAbortSec=5s
  restart_daemon
  leaker steady -- idle --base 32M --name steady || return
  until_true 10 is_watched "$(pid_of steady)" || return
  source=$(source_of "$(pid_of steady)")
  until_true 10 is_sql "SELECT count(*) > 2 FROM samples WHERE source = $source AND metric = 'rss_bytes'" 1 || return
  pid=$(main_pid)
  kill -STOP "$pid"
  before=$(sql "SELECT count(*) || ' ' || max(t) FROM samples WHERE source = $source AND metric = 'rss_bytes'")
  until_true 25 is_another_than "$pid" || return
  has "$(journalctl -u oomcastd -o cat --no-pager)" "Watchdog timeout" || return
  same "all samples kept" 1 "$(sql "SELECT count(*) >= ${before% *} FROM samples WHERE source = $source AND metric = 'rss_bytes' AND t <= ${before#* }")" &&
    until_true 10 is_sql "SELECT count(*) > 0 FROM samples WHERE source = $source AND metric = 'rss_bytes' AND t > ${before#* } + 3000" 1 &&
    same "source of the same life" "$source" "$(source_of "$(pid_of steady)")" &&
    oomcast db check
}

reload_takes_a_good_file() {
  local pid
  pid=$(main_pid)
  echo '{ "interval": "2s" }' >/etc/oomcast/conf.d/60-reload.json
  systemctl reload oomcastd && until_true 10 status_says config.interval_ms 2000 &&
    same "the process" "$pid" "$(main_pid)"
}

reload_keeps_the_old_for_a_bad_file() {
  local status
  printf '{\n  "intervall": "1s"\n}\n' >/etc/oomcast/conf.d/60-reload.json
  systemctl reload oomcastd || return
  until_true 10 status_says config.error_line 2 || return
  status=$(oomcast status)
  same "interval in force" 2000 "$(status_of config.interval_ms)" && same "active" active "$(systemctl is-active oomcastd)" &&
    has "$status" intervall && has "$status" interval &&
    has "$(journalctl -u oomcastd -o cat --no-pager -n 50)" intervall
}

reload_forgets_the_bad_file() {
  rm /etc/oomcast/conf.d/60-reload.json
  systemctl reload oomcastd &&
    until_true 10 status_says config.interval_ms 1000 && same "error" "" "$(status_of config.error)"
}

stays_within_its_memory() {
  local group=/sys/fs/cgroup/system.slice/oomcastd.service now
  same "memory.max as shipped" $((256 << 20)) "$(cat $group/memory.max)" || return
  now=$(($(sed -n 's/^anon //p' $group/memory.stat) >> 20))
  [ "$now" -lt 32 ] || fail "it has $now MiB of its own" || return
  systemctl set-property --runtime oomcastd MemoryMax=24M
  oomcast walk-now >/dev/null
  sleep 2
  systemctl set-property --runtime oomcastd MemoryMax=256M
  same "kills" 0 "$(sed -n 's/^oom_kill //p' $group/memory.events)" && oomcast status >/dev/null
}

test_that unit_verifies unit_verifies
test_that unit_exposure_is_low unit_is_not_exposed
test_that starts_when_ready starts_when_ready
test_that has_the_rights_it_names has_the_rights_it_names
test_that births_are_known_at_once births_are_known_at_once
test_that watchdog_ends_a_stopped_daemon watchdog_ends_a_stopped_daemon
rm -f /run/systemd/system/oomcastd.service.d/watchdog.conf
systemctl daemon-reload
test_that reload_takes_a_good_file reload_takes_a_good_file
test_that reload_keeps_the_old_for_a_bad_file reload_keeps_the_old_for_a_bad_file
test_that reload_forgets_the_bad_file reload_forgets_the_bad_file
test_that stays_within_its_memory stays_within_its_memory
