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

# limit_is KIND WHERE VALUE: in force now, by the store.
limit_is() {
  [ "$(sql "SELECT count(*) FROM limits WHERE limit_name = '$1' AND scope LIKE '%$2' AND value = $3 AND until IS NULL")" -ge 1 ]
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
  said=$(runuser -u member -- oomcast regions proc:api) && has "$said" Heap && has "$said" Image && has "$said" Stack
}

open_limits_of_another_user() {
  local said
  said=$(oomcast limits proc:api --json) && has "$said" max_map_count && has "$said" RLIMIT_NOFILE
}

change_is_recorded() {
  until_true 10 limit_is memory.max /shop.slice $((200 << 20)) || return
  systemctl set-property --runtime shop.slice MemoryMax=300M
  until_true 10 limit_is memory.max /shop.slice $((300 << 20)) || return
  systemctl set-property --runtime shop.slice MemoryMax=150M
  until_true 10 limit_is memory.max /shop.slice $((150 << 20)) || return
  same "its course" "209715200|314572800|157286400" \
    "$(sql "SELECT value FROM limits WHERE limit_name = 'memory.max' AND scope LIKE '%/shop.slice' ORDER BY from_unix_ms")" &&
    same "each ends as the next begins" 2 \
      "$(sql "SELECT count(*) FROM limits a JOIN limits b ON a.source = b.source AND a.until_unix_ms = b.from_unix_ms AND a.limit_name = b.limit_name WHERE a.limit_name = 'memory.max' AND a.scope LIKE '%/shop.slice'")"
}

test_that limits_name_the_slice limits_name_the_slice
test_that limits_of_the_subject limits_of_the_subject
test_that regions_of_another_users_process regions_of_another_user
test_that limits_of_another_users_process open_limits_of_another_user
test_that limit_raised_and_lowered_is_recorded change_is_recorded
systemctl stop api
