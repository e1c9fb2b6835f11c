# shellcheck shell=bash
# Real kills, and whose they are said to be. Each has a process that grows into its limit.

# ended_as PID: "oom_killed cgroup limit /a.slice", by the store, once it has ended.
ended_as() {
  local source
  until_true 15 is_watched "$1" || return
  source=$(source_of "$1")
  until_true 60 has_ended "$source" || return
  sql "SELECT ended || ' ' || coalesce(killer, '') || ' ' || coalesce(killer_scope, '') FROM lives WHERE source = $source"
}

grow=(line --base 16M --rate 24M --max 900M)

own_limit() {
  leaker hog -p MemoryMax=80M -- "${grow[@]}" --name hog
  same "hog" "oom_killed cgroup limit /system.slice/hog.service" "$(ended_as "$(pid_of hog)")"
}

slice_limit() {
  printf '[Slice]\nMemoryMax=80M\n' >/run/systemd/system/tight.slice
  systemctl daemon-reload
  leaker child --slice=tight.slice -- "${grow[@]}" --name child
  same "child" "oom_killed cgroup limit /tight.slice" "$(ended_as "$(pid_of child)")"
}

plain_signal() {
  local pid
  leaker plain -- idle --base 32M --name plain
  pid=$(pid_of plain)
  until_true 15 is_watched "$pid" || return
  kill -KILL "$pid"
  same "plain" "signaled  " "$(ended_as "$pid")"
}

# It looks at pressure, and at those alone whose pages are sought to be freed: that takes some swap.
by_oomd() {
  local pid said
  mkdir -p /run/systemd/oomd.conf.d
  printf '[OOM]\nDefaultMemoryPressureDurationSec=2s\n' >/run/systemd/oomd.conf.d/test.conf
  if ! { fallocate -l 256M /swap && chmod 600 /swap && mkswap /swap >/dev/null && swapon /swap; }; then
    echo "no swap here"
    return 77
  fi
  systemctl start systemd-oomd || { echo "systemd-oomd does not start here"; return 77; }
  printf '[Slice]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=1%%\n' >/run/systemd/system/pressed.slice
  systemctl daemon-reload
  leaker pressed --slice=pressed.slice -p MemoryHigh=40M -p MemorySwapMax=200M -- line --base 32M --rate 24M --max 200M --name pressed
  pid=$(pid_of pressed)
  said=$(ended_as "$pid")
  systemctl stop systemd-oomd.socket systemd-oomd
  systemctl stop pressed 2>/dev/null
  swapoff /swap
  journalctl -u systemd-oomd -o cat --no-pager | grep -q Killed || { echo "systemd-oomd did not kill it: $said"; return 77; }
  has "$said" "systemd-oomd /pressed.slice"
}

# With its own limits, but for the one that makes it kill outright: the leaker ends in order when it is asked to.
by_earlyoom() {
  local pid said killer available
  earlyoom -r 0 -m 10,10 --prefer '^early$' >/out/earlyoom 2>&1 &
  killer=$!
  available=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
  leaker early -p OOMScoreAdjust=900 -- line --base $((available - 150))M --rate 8M --max 950M --name early
  pid=$(pid_of early)
  said=$(ended_as "$pid")
  kill "$killer"
  systemctl stop early 2>/dev/null
  grep -q 'sending SIGKILL' /out/earlyoom || { echo "earlyoom did not kill it: $said $(tail -n 1 /out/earlyoom)"; return 77; }
  has "$said" "signaled earlyoom"
}

by_the_host() {
  local pid
  # All at once: near the edge the machine would read its programs again and again before it gives up.
  leaker glutton -p OOMScoreAdjust=1000 -- step --base 64M --rate 1G --period 4000 --max 940M --name glutton
  pid=$(pid_of glutton)
  same "glutton" "oom_killed host " "$(ended_as "$pid")"
}

test_that kill_by_own_limit_is_named own_limit
test_that kill_by_limit_of_the_slice_is_named slice_limit
test_that plain_kill_is_no_oom_kill plain_signal
test_that kill_by_systemd_oomd_is_named by_oomd
test_that kill_by_earlyoom_is_named by_earlyoom
test_that kill_by_the_host_is_named by_the_host
