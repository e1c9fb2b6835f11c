# shellcheck shell=bash
# shellcheck disable=SC2154 # $store is of lib.sh
# Upgrade, removal, purge. Last: nothing is left to look at.

upgrades() {
  local pid source samples
  leaker lasting -- idle --base 32M --name lasting
  until_true 15 is_watched "$(pid_of lasting)" || return
  source=$(source_of "$(pid_of lasting)")
  samples=$(sql "SELECT count(*) FROM samples WHERE metric = 'rss_bytes'")
  pid=$(main_pid)
  echo '// mine' >>/etc/oomcast/oomcast.json
  dpkg -i /job/second.deb </dev/null || return
  same "active" active "$(systemctl is-active oomcastd)" &&
    { [ "$(main_pid)" != "$pid" ] || fail "the old one still runs"; } &&
    until_true 10 oomcast status && has "$(tail -n 1 /etc/oomcast/oomcast.json)" mine &&
    same "samples kept" 1 "$(sql "SELECT count(*) >= $samples FROM samples WHERE metric = 'rss_bytes'")" &&
    same "the life goes on" "$source" "$(source_of "$(pid_of lasting)")"
}

stays_disabled() {
  systemctl disable --now oomcastd 2>/dev/null
  dpkg -i /job/second.deb </dev/null || return
  same "enabled" disabled "$(systemctl is-enabled oomcastd)"
}

removes() {
  systemctl enable --now oomcastd 2>/dev/null
  dpkg -r oomcast || return
  [ "$(systemctl is-active oomcastd)" != active ] || fail "it still runs" || return
  [ ! -e /usr/bin/oomcastd ] || fail "programs left" || return
  if [ ! -s "$store" ] || [ ! -f /etc/oomcast/oomcast.json ]; then fail "store or config went"; fi
}

installs_again() {
  dpkg -i /job/second.deb </dev/null && same "active" active "$(systemctl is-active oomcastd)"
}

purges() {
  dpkg -P oomcast || return
  if [ -e /var/lib/oomcast ] || [ -e /etc/oomcast ]; then fail "left: $(ls -d /var/lib/oomcast /etc/oomcast 2>&1)"; fi
}

never_refused_a_call() {
  ! journalctl --no-pager -u oomcastd | grep -E 'status=31/SYS|code=dumped.*SYS' || fail "killed by its filter"
}

test_that no_call_was_refused_by_the_filter never_refused_a_call
test_that package_upgrades upgrades
test_that disabled_stays_disabled stays_disabled
test_that package_removes removes
test_that package_installs_again installs_again
test_that package_purges purges
