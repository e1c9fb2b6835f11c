# shellcheck shell=bash
# Limits of a slice above a service, of another user's processes, and as they change.

limits_of() {
  oomcast limits "$1" --json
}

slice_with() {
  mkdir -p /run/systemd/system
  printf '[Slice]\n%s\n' "$2" >"/run/systemd/system/$1"
  systemctl daemon-reload
}

# slice_limit_is BYTES: in force now, by the store.
slice_limit_is() {
  is_sql "SELECT max(value) FROM limits WHERE name = 'memory.max' AND subject = 'cgroup:/shop.slice' AND end IS NULL" "$1"
}

slice_with shop.slice $'MemoryMax=200M\nTasksMax=40'
leaker api --slice=shop.slice --uid=stranger -p MemoryHigh=180M -- idle --base 48M --name api
api=$(pid_of api)
until_true 15 is_watched "$api"

limits_name_the_slice() {
  local said
  said=$(oomcast limits "$api" --json) && has "$said" memory.max && has "$said" '/shop.slice"' && has "$said" 209715200 &&
    has "$said" memory.high && has "$said" pids.max && has "$said" 188743680
}

limits_of_the_subject() {
  local said
  said=$(oomcast limits proc:api) && has "$said" shop.slice && has "$said" memory.max && has "$said" "200"
}

regions_of_another_user() {
  local said
  oomcast walk-now "$api" >/dev/null 2>&1
  until_true 15 oomcast regions proc:api || return
  said=$(runuser -u member -- oomcast regions proc:api) && has "$said" Private && has "$said" Image && has "$said" Stack
}

open_limits_of_another_user() {
  local said
  said=$(oomcast limits proc:api --json) && has "$said" max_map_count && has "$said" RLIMIT_NOFILE
}

# A limit is read every 10 s, and its row is written a second later.
change_is_recorded() {
  until_true 30 slice_limit_is $((200 << 20)) || return
  systemctl set-property --runtime shop.slice MemoryMax=300M
  until_true 30 slice_limit_is $((300 << 20)) || return
  systemctl set-property --runtime shop.slice MemoryMax=150M
  until_true 30 slice_limit_is $((150 << 20)) || return
  same "its course" "209715200 314572800 157286400" "$(sql "SELECT group_concat(value, ' ') FROM
      (SELECT value FROM limits WHERE name = 'memory.max' AND subject = 'cgroup:/shop.slice' ORDER BY begin_unix_ms)")" &&
    same "each ends as the next begins" 2 "$(sql "SELECT count(*) FROM limits a JOIN limits b
      ON a.source = b.source AND a.name = b.name AND a.end_unix_ms = b.begin_unix_ms
      WHERE a.name = 'memory.max' AND a.subject = 'cgroup:/shop.slice'")"
}

test_that limits_name_the_slice limits_name_the_slice
test_that limits_of_the_subject limits_of_the_subject
test_that regions_of_another_users_process regions_of_another_user
test_that limits_of_another_users_process open_limits_of_another_user
test_that limit_raised_and_lowered_is_recorded change_is_recorded
systemctl stop api
