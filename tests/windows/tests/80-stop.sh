# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# The service is stopped while all of them are watched: what it had sampled is in the store.

stop_loses_nothing() {
  local sampled stored
  sampled=$(status_of ticks.samples)
  least sampled 1000 "$sampled" || return
  sc stop oomcast >/dev/null
  until_true 20 service_is STOPPED || fail "$(sc query oomcast)" || return
  stored=$(sql "SELECT count(*) FROM samples WHERE metric = 'private_bytes'")
  least "samples in the store, of $sampled" $((sampled * 9 / 10)) "$stored" || return
  has "$(oomcast db check --db "$db" 2>&1)" sound
}

service_starts_again() {
  oomcast service start >/dev/null || fail "status $?" || return
  until_true 20 status_at_least ticks.made 1
}

service_uninstalls() {
  oomcast service stop >/dev/null
  oomcast service uninstall >/dev/null || fail "status $?" || return
  lacks "$(sc query oomcast)" STATE || return
  [ -s "$data/oomcast.db" ] || fail "the store is gone"
}

test_that stop_under_load_loses_nothing stop_loses_nothing
test_that service_starts_again_after_a_stop service_starts_again
test_that uninstall_keeps_the_data service_uninstalls
