# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# What a daemon has to live with, as on Linux: a kill, a full disk, a database that another holds, a config that nobody can
# read. In a console of its own, beside the service, each in a folder of its own.

# console NAME [options…]: $console_pid, $db and $folder are of it. Its log is in $work/NAME.log.
console() {
  console_name=$1
  folder=${folder:-$prefix/drive_c/$1}
  shift
  mkdir -p "$folder"
  db=$(windows_path "$folder")\\oomcast.db
  [ -e "$folder/config.json" ] ||
    printf '{ "interval": "100ms", "discovery_interval": "1s", "batch": "50ms", "targets": [ { "iis_app_pool": "Fifty*" }, { "name": "w3wp*" } ] }\n' \
      >"$folder/config.json"
  "$wine_tool" run "$prefix" "$bin/oomcastd.exe" --foreground --data "$(windows_path "$folder")" --config "$(windows_path "$folder/config.json")" \
    "$@" >>"$work/$console_name.log" 2>&1 </dev/null &
  console_pid=$!
  until_true 15 status_at_least ticks.samples 20 || fail "$(tail -n 3 "$work/$console_name.log")"
}

# In a console Ctrl+C ends it; -INT is that under Wine.
console_stop() {
  kill "-${1:-INT}" "$console_pid" 2>/dev/null
  local deadline=$((SECONDS + 10))
  while kill -0 "$console_pid" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || { kill -KILL "$console_pid"; fail "it did not end"; return; }
    sleep 0.1
  done
  wait "$console_pid" 2>/dev/null
}

store_is_sound() {
  has "$(oomcast db check --db "$db" 2>&1)" sound
}

ctrl_c_ends_it() {
  local db folder=""
  console ctrl-c && console_stop INT && store_is_sound
}

kill_loses_little() {
  local db folder="" before after
  console killed || return
  before=$(status_of store.samples)
  console_stop KILL
  after=$(sql "SELECT count(*) FROM samples WHERE metric = 'private_bytes'")
  least "samples after the kill" 1 "$after" || return
  store_is_sound || return
  folder=$prefix/drive_c/killed
  console killed || return
  least "samples since" 20 "$(status_of ticks.samples)" || return
  console_stop INT && store_is_sound && printf 'committed %s before, %s values after\n' "$before" "$after"
}

full_disk() {
  local db folder=$prefix/drive_c/disk made
  mkdir -p "$folder" && mount -t tmpfs -o size=2m,mode=0700 tmpfs "$folder" 2>/dev/null || skip "no right to mount a small disk" || return
  full_disk_survived
  made=$?
  console_stop KILL
  umount "$folder"
  return $made
}

full_disk_survived() {
  local made
  console disk || return
  cat /dev/zero >"$folder/filler" 2>/dev/null
  until_true 30 is_status store.state failing || fail "state $(status_of store.state)" || return
  same "error" no_space "$(status_of store.error)" || return
  made=$(status_of ticks.made)
  until_true 10 status_at_least ticks.made $((made + 5)) || return
  rm -f "$folder/filler"
  until_true 30 is_status store.state ok || fail "it did not recover" || return
  same "lost samples" 0 "$(status_of store.lost_samples)" || return
  console_stop INT && store_is_sound
}

# The byte that is locked is the writers' (WAL_WRITE_LOCK of SQLite's -shm): readers go on.
locked_database() {
  local db folder="" holder made
  console locked || return
  "$wine_tool" run "$prefix" "$made_hold" "$(windows_path "$prefix/drive_c/locked/oomcast.db-shm")" 120 600 >"$work/hold.out" 2>&1 </dev/null &
  holder=$!
  locked_survived
  made=$?
  kill -KILL $holder 2>/dev/null
  [ $made -ne 0 ] || locked_is_over
  made=$?
  console_stop KILL
  return $made
}

locked_survived() {
  until_true 10 grep -q held "$work/hold.out" || fail "$(cat "$work/hold.out")" || return
  until_true 40 is_status store.state failing || fail "state $(status_of store.state)" || return
  same "error" busy "$(status_of store.error)"
}

locked_is_over() {
  until_true 40 is_status store.state ok || fail "it did not recover" || return
  same "lost samples" 0 "$(status_of store.lost_samples)"
}

# A bad config at start is said with its place; at a reload the old one stays.
unreadable_config() {
  local db folder=$prefix/drive_c/config status log
  mkdir -p "$folder" && printf '{ "intervall": "1s" }\n' >"$folder/config.json"
  log=$(wine_within 20 "$bin/oomcastd.exe" --foreground --data "$(windows_path "$folder")" \
    --config "$(windows_path "$folder/config.json")" 2>&1 </dev/null)
  status=$?
  [ $status -ne 0 ] && [ $status -ne 124 ] || fail "status $status" || return
  has "$log" intervall || return
  rm -f "$folder/config.json"
  console config || return
  printf '{ "interval": 12 ' >"$folder/config.json"
  ! oomcast reload --db "$db" >"$work/reload" 2>&1 || fail "a reload of a broken file succeeded" || return
  least "reloads" 0 "$(status_of config.reloads)" || return
  same "interval" 100 "$(status_of config.interval_ms)" || return
  console_stop INT
}

made_hold=$made/hold.exe
service_db=${db:-}
test_that ctrl_c_ends_it_in_a_console ctrl_c_ends_it
test_that kill_leaves_a_sound_store kill_loses_little
test_that full_disk_is_said_and_survived full_disk
test_that locked_database_is_said_and_survived locked_database
test_that unreadable_config_is_refused_with_its_place unreadable_config
db=$service_db
