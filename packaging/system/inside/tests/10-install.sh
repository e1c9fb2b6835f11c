# shellcheck shell=bash
# shellcheck disable=SC2154 # $store is of lib.sh
# The package: what is there once it is installed.

rm -f /var/lib/man-db/auto-update # an index of pages takes longer here than all of the package
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/quick

installs_and_starts() {
  dpkg -i /job/first.deb || return
  same "enabled" enabled "$(systemctl is-enabled oomcastd)" &&
    same "active" active "$(systemctl is-active oomcastd)" &&
    until_true 10 oomcast status
}

store_is_for_its_group() {
  same "folder" "750 oomcast oomcast" "$(stat -c '%a %U %G' /var/lib/oomcast)" &&
    same "store" "640 oomcast oomcast" "$(stat -c '%a %U %G' "$store")" &&
    same "socket" "660 oomcast oomcast" "$(stat -c '%a %U %G' /var/lib/oomcast/oomcastd.sock)"
}

pages() {
  dpkg -L oomcast | grep '/man/man.*gz$'
}

manual_pages_are_clean() {
  local page said
  [ "$(pages | wc -l)" -ge 15 ] || fail "only these pages: $(pages)" || return
  pages | grep -q 'man8/oomcastd.8' || fail "no oomcastd(8)" || return
  pages | grep -q 'man5/oomcast.json.5' || fail "no oomcast.json(5)" || return
  for page in $(pages); do
    said=$(MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
    [ -z "$said" ] || fail "$page: $said" || return
  done
}

completion_loads() {
  bash -c '. /usr/share/bash-completion/bash_completion; . /usr/share/bash-completion/completions/oomcast.bash; complete -p oomcast'
}

config_is_a_conffile_and_loads() {
  has "$(dpkg-query -W -f '${Conffiles}' oomcast)" /etc/oomcast/oomcast.json &&
    oomcast config check /etc/oomcast/oomcast.json
}

extension_loads_in_sqlite3() {
  [ "$(sqlite3 -readonly "$store" -cmd '.load /usr/lib/oomcast/oomcast_samples' 'SELECT count(*) > 0 FROM samples')" = 1 ]
}

test_that package_installs_and_starts installs_and_starts
test_that store_is_for_its_group store_is_for_its_group
test_that manual_pages_are_clean manual_pages_are_clean
test_that completion_loads completion_loads
test_that config_is_a_conffile_and_loads config_is_a_conffile_and_loads
test_that extension_loads_in_sqlite3 extension_loads_in_sqlite3

useradd member && usermod -aG oomcast member && useradd stranger

# From here on: a look each second, at small processes too, and death for a system call that the filter refuses.
mkdir -p /etc/oomcast/conf.d
cat >/etc/oomcast/conf.d/50-test.json <<'END'
{ "interval": "1s", "discovery_interval": "1s", "min_size": "8MiB", "walk_interval": "10s" }
END
drop_in filter SystemCallErrorNumber=kill
restart_daemon
