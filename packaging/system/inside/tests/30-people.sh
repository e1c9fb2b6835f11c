# shellcheck shell=bash
# Who may ask: a member of the group, with the daemon running and stopped; and what another user is told.

as() {
  local user=$1
  shift
  runuser -u "$user" -- env HOME=/tmp "$@"
}

member_asks() {
  local said
  as member oomcast lives --limit 5 && as member oomcast history host && said=$(as member oomcast top --once) && has "$said" host
}

member_sees_status() {
  as member oomcast status
}

member_may_not_change() {
  local said
  said=$(as member oomcast reload 2>&1) && fail "a member reloaded" || return 0
  has "$said" root
}

stranger_is_told() {
  local said status
  said=$(as stranger oomcast lives 2>&1)
  status=$?
  same "exit status" 1 $status && has "$said" "group oomcast" && has "$said" "usermod -aG oomcast"
}

# shellcheck disable=SC2016 # for the inner shell
stranger_looks_at_own() {
  as stranger sh -c 'sleep 20 & oomcast regions $! >/dev/null; code=$?; kill $!; exit $code'
}

no_daemon_is_told() {
  local said
  said=$(as member oomcast status 2>&1) && fail "a status of nobody: $said" || return 0
  has "$said" oomcastd
}

test_that member_asks_while_it_runs member_asks
test_that member_sees_status member_sees_status
test_that member_may_not_reload member_may_not_change
test_that stranger_is_told_the_group stranger_is_told
test_that stranger_looks_at_a_process_of_their_own stranger_looks_at_own
systemctl stop oomcastd
test_that member_asks_while_it_is_stopped member_asks
test_that stranger_is_told_the_group_while_it_is_stopped stranger_is_told
test_that member_is_told_that_none_runs no_daemon_is_told
systemctl start oomcastd
