# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# What the service manager asks and is told, what the event log is told, and who may do what. The service runs.

control() {
  wine_within 20 "$made/control.exe" oomcast "$1" </dev/null | tr -d '\r'
  return "${PIPESTATUS[0]}"
}

# event TEXT: the event log was told so (WINEDEBUG=+eventlog).
event() {
  grep -aF -- "$1" "$work/eventlog"
}

interrogate_is_answered() {
  has "$(control 4)" "error 0"
}

paramchange_reloads() {
  local before
  before=$(status_of config.reloads)
  has "$(control 6)" "error 0" || return
  until_true 10 is_status config.reloads $((before + 1)) || fail "reloads $(status_of config.reloads), before $before"
}

# A control that it does not take is refused and harms nothing.
pause_is_refused() {
  lacks "$(control 2)" "error 0" || return
  has "$(oomcast service status)" running
}

reload_keeps_the_old_config() {
  local file=$prefix/drive_c/ProgramData/oomcast/oomcast.json good
  good=$(cat "$file")
  printf '{ "intervall": "1s" }\n' >"$file"
  ! oomcast reload --db "$db" >"$work/reload" 2>&1
  local refused=$?
  printf '%s\n' "$good" >"$file"
  same "refused" 0 $refused || return
  until_true 5 event 'no option is called \"intervall\"' || fail "$(tail -n 3 "$work/eventlog")" || return
  oomcast reload --db "$db" >/dev/null || fail "the good one is refused"
}

event_source_is_there() {
  local keys='HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\oomcast'
  has "$(wine_within 20 reg query "$keys" </dev/null 2>/dev/null | tr -d '\r')" 'C:\oomcast\oomcastd.exe' TypesSupported
}

# The service's own failure is one for the manager, with its reason in the event log. No ImagePath needs to change: the
# folder of the store is where a file is.
failing_start_says_why() {
  local file=$prefix/drive_c/ProgramData/oomcast/oomcast.json good answer
  good=$(cat "$file")
  oomcast service stop >/dev/null || fail "it does not stop" || return
  printf '{ "targetz": [] }\n' >"$file"
  answer=$(oomcast service start 2>&1)
  local status=$?
  printf '%s\n' "$good" >"$file"
  same "status" 1 $status || return
  has "$answer" "ended with 1" "event log" || return
  has "$(oomcast service status)" "stopped" "ended     with 1" || return
  event 'targetz' >/dev/null || fail "not in the event log" || return
  oomcast service start >/dev/null || fail "it does not start again" || return
  until_true 10 status_at_least ticks.made 1
}

# Commands of the control channel reach the service under its folder's name, however that is spelt.
pipe_has_one_name() {
  has "$(oomcast status --db 'c:/programdata/OOMCAST/oomcast.db')" "oomcastd" "pid"
}

install_again_changes_nothing() {
  local before after
  before=$(sc qc oomcast)
  oomcast service install >/dev/null 2>&1 || fail "status $?" || return
  after=$(sc qc oomcast)
  same "config of the service" "$before" "$after"
}

if compiled control.exe control.c x86_64-w64-mingw32-gcc-posix "${C_FLAGS[@]}"; then
  test_that service_answers_an_interrogation interrogate_is_answered
  test_that paramchange_reads_the_config_again paramchange_reloads
  test_that a_pause_is_refused pause_is_refused
else
  test_that service_controls fail "control.c does not compile"
fi
test_that bad_config_is_in_the_event_log_and_the_old_one_stays reload_keeps_the_old_config
test_that event_source_names_the_program event_source_is_there
test_that service_that_cannot_start_says_why failing_start_says_why
test_that pipe_has_one_name_for_each_spelling pipe_has_one_name
test_that install_done_again_changes_nothing install_again_changes_nothing
