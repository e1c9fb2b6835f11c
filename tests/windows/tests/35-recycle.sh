# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# The opt-in recipe that recycles a pool, by Windows' script host, with a stand-in for appcmd that notes how it was called.

recycle_folder=$prefix/drive_c/recycle

recycle_begins() {
  mkdir -p "$recycle_folder"
  cp "$top/packaging/hooks/windows/oomcast-recycle.js" "$recycle_folder/"
  printf '@echo %%*>>C:\\recycle\\called\r\n@exit /b %%APPCMD_STATUS%%\r\n' >"$recycle_folder/appcmd.cmd"
}

# recycle [OPTION VALUE]…: its words and its status.
recycle() {
  local said status
  said=$(APPCMD_STATUS=${appcmd_status:-0} wine_within 60 cscript.exe //nologo 'C:\recycle\oomcast-recycle.js' \
    --folder 'C:\recycle\times\kept' --appcmd 'C:\recycle\appcmd.cmd' "$@" </dev/null 2>/dev/null)
  status=$?
  printf '%s, status %d\n' "$(tr -d '\r' <<<"$said")" $status
}

called() {
  touch "$recycle_folder/called"
  grep -c . "$recycle_folder/called" || true
}

recycles_once_within_the_cool_down() {
  rm -rf "$recycle_folder/times" "$recycle_folder/called"
  has "$(recycle --subject 'pool:My Shop')" 'recycled My Shop, status 0' || return
  has "$(cat "$recycle_folder/called")" 'recycle apppool' '/apppool.name:My Shop' || return
  has "$(recycle --subject 'pool:my shop')" 'the cool-down is 3600 s, status 0' || return
  same calls 1 "$(called)"
  has "$(recycle --subject 'pool:Other')" 'recycled Other' || return
  same calls 2 "$(called)"
}

recycles_so_often_a_day() {
  rm -rf "$recycle_folder/times" "$recycle_folder/called"
  recycle --cool-down-s 0 --most-a-day 2 --subject pool:A >/dev/null
  recycle --cool-down-s 0 --most-a-day 2 --subject pool:A >/dev/null
  has "$(recycle --cool-down-s 0 --most-a-day 2 --subject pool:A)" '2 times in a day' 'status 1' || return
  same calls 2 "$(called)"
}

failure_is_told_and_waits_too() {
  rm -rf "$recycle_folder/times" "$recycle_folder/called"
  has "$(appcmd_status=5 recycle --subject pool:A)" 'status 5' 'status 1' || return
  has "$(recycle --subject pool:A)" 'the cool-down is' || return
  same locks 0 "$(find "$recycle_folder/times" -name '*.lock' | grep -c .)"
}

# Whoever writes to the event log chooses these words.
recycles_nothing_by_hostile_names() {
  local name
  rm -rf "$recycle_folder/times" "$recycle_folder/called"
  for name in 'pool:' 'pool:%PATH%' 'pool:a\..\b' 'pool:-x' 'pool:a|b' 'pool:a"b' 'pool:..'; do
    has "$(recycle --subject "$name")" 'status 1' || return
  done
  has "$(recycle --subject pool:A --appcmd 'C:\other.exe')" '--subject comes last' 'status 1' || return
  has "$(recycle --subject proc:nginx)" 'nothing to do' 'status 0' || return
  same calls 0 "$(called)"
}

hook_recycles_critical_alerts_that_fire() {
  rm -rf "$recycle_folder/times" "$recycle_folder/called"
  has "$(OOMCAST_SUBJECT=pool:A OOMCAST_STATUS=resolved OOMCAST_SEVERITY=critical recycle)" 'nothing to do' || return
  has "$(OOMCAST_SUBJECT=pool:A OOMCAST_STATUS=firing OOMCAST_SEVERITY=warning recycle)" 'nothing to do' || return
  has "$(OOMCAST_TEST=1 OOMCAST_SUBJECT=pool:A OOMCAST_STATUS=firing OOMCAST_SEVERITY=critical recycle)" 'would recycle A' || return
  same calls 0 "$(called)" || return
  has "$(OOMCAST_SUBJECT=pool:A OOMCAST_STATUS=firing OOMCAST_SEVERITY=critical recycle)" 'recycled A' || return
  same calls 1 "$(called)"
}

recycle_begins
test_that recycle_has_a_cool_down recycles_once_within_the_cool_down
test_that recycle_has_a_most_a_day recycles_so_often_a_day
test_that recycle_tells_a_failure failure_is_told_and_waits_too
test_that recycle_refuses_hostile_names recycles_nothing_by_hostile_names
test_that recycle_is_a_hook_as_well hook_recycles_critical_alerts_that_fire
