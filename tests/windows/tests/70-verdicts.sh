# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# What came of the night of 20-night.sh: ends, forecasts, alerts, and the quiet of those that only look like a leak.

# died SUBJECT: a life of it is over.
died() {
  sql_some "SELECT count(*) FROM lives WHERE subject = '$1' AND kind = 'process' AND ended <> 'running'"
}

# foretold SUBJECT: before its end it was said to leak into a limit; prints which, and how long before. What runs into the end of
# addresses is known under Wine from walks alone, ten seconds apart: some dozen points of such a life may be too few to say it.
foretold() {
  local subject=$1 end_ms said_ms limits
  end_ms=$(sql "SELECT max(end_unix_ms) FROM lives WHERE subject = '$subject' AND kind = 'process'")
  said_ms=$(sql "SELECT min(unix_ms) FROM forecasts WHERE subject = '$subject' AND name <> '' AND state = 'leaking'")
  limits=$(sql "SELECT group_concat(DISTINCT name) FROM forecasts WHERE subject = '$subject' AND name <> '' AND state = 'leaking'")
  if [ -z "$said_ms" ]; then
    has "$(sql "SELECT group_concat(DISTINCT name) FROM forecasts WHERE subject = '$subject'")" 'address space' 'largest free block' || return
    skip "too few walks in so short a life: Wine knows no address space between them"
    return
  fi
  [ "$said_ms" -lt "${end_ms:-9999999999999}" ] || fail "said $((said_ms - end_ms)) ms after the end" || return
  printf 'said %d s before the end: %s\n' $(((end_ms - said_ms) / 1000)) "$limits"
}

# alerted SUBJECT PID: the receiver heard of it, with pool and process, and the event log too.
alerted() {
  until_true 10 told '\"status\":\"firing\"' "$1" || fail "nothing told of $1: $(oomcast alerts log --db "$db" | tail -n 2)" || return
  told '\"status\":\"firing\"' "$1" "$2" || fail "no PID $2 in what was told of $1" || return
}

# ended SUBJECT NAME STATUS: its end stands in the store.
ended() {
  until_true 60 died "$1" || fail "it lives: $(tail -n 1 "$work/out/$2")" || return
  same "status" "$3" "$(sql "SELECT status FROM lives WHERE subject = '$1' AND kind = 'process' AND ended <> 'running'")"
}

# its_alert_died SUBJECT: who was told that it fires is told how it ended.
its_alert_died() {
  until_true 20 sql_some "SELECT count(*) FROM alerts WHERE subject = '$1' AND state = 'died'" ||
    fail "alerts: $(sql "SELECT group_concat(rule || ' ' || state) FROM alerts WHERE subject = '$1'")"
}

# leak_ends KIND: it ran out of memory, and that is known.
UNHANDLED_CLR_EXCEPTION=-532462766
leak_ends() {
  needs_32bit || return
  until_true 250 said "leak-$1" stopped || fail "$(tail -n 1 "$work/out/leak-$1")" || return
  has "$(tail -n 1 "$work/out/leak-$1")" 'error 8' || return
  ended "pool:Leak ${1^}" "leak-$1" $UNHANDLED_CLR_EXCEPTION
}

leak_is_foretold() {
  needs_32bit || return
  foretold "pool:Leak ${1^}"
}

leak_is_told() {
  local subject="pool:Leak ${1^}"
  needs_32bit || return
  sql_some "SELECT count(*) FROM alerts WHERE subject = '$subject' AND firing_unix_ms > 0" || { foretold "$subject"; return; }
  alerted "$subject" "$(pid_of "leak-$1")" && its_alert_died "$subject"
}

calm_is_quiet() {
  [ "$1" = clr ] || needs_32bit || return
  same "alerts of $2" 0 "$(sql "SELECT count(*) FROM alerts WHERE subject = '$2' AND firing_unix_ms > 0")" || return
  ! told '\"status\":\"firing\"' "$2" || fail "told of $2"
}

survivor_is_exhausted() {
  needs_32bit || return
  until_true 100 said survivor 'request failed' || return
  until_true 60 sql_some "SELECT count(*) FROM alerts WHERE subject = 'pool:Survivor' AND rule = 'MemoryExhausted' AND firing_unix_ms > 0" ||
    fail "alerts: $(sql "SELECT group_concat(rule || ' ' || state) FROM alerts WHERE subject = 'pool:Survivor'")" || return
  same "it lives" 1 "$(sql "SELECT count(*) FROM lives WHERE subject = 'pool:Survivor' AND kind = 'process' AND ended = 'running'")"
}

accuracy_scores() {
  needs_32bit || return
  oomcast accuracy --db "$db" >"$work/accuracy" || return
  grep -q 'pool:Leak' "$work/accuracy" || oomcast accuracy --json --db "$db" | grep -q 'pool:Leak' || fail "$(head -n 5 "$work/accuracy")"
}

old_clr_is_foretold() {
  [ -n "$has_32bit" ] && [ -n "$has_old_clr" ] || skip "${why_not_32:-}$why_no_old_clr" || return
  until_true 200 said clr-leak stopped || fail "$(tail -n 1 "$work/out/clr-leak")" || return
  has "$(tail -n 1 "$work/out/clr-leak")" System.OutOfMemoryException || return
  ended 'pool:Old Shop' clr-leak 3 || return
  foretold 'pool:Old Shop'
}

old_clr_calm() {
  [ -n "$has_32bit" ] && [ -n "$has_old_clr" ] || skip "${why_not_32:-}$why_no_old_clr" || return
  calm_is_quiet clr 'pool:Old Calm'
}

# new_clr VERSION: found, sampled, walked, its leak foretold.
new_clr() {
  local subject=net$1
  case " $net_versions " in *" $1 "*) ;; *) skip "$why_no_new_clr" || return ;; esac
  oomcast modules "$(pid_of "net$1")" --json >"$work/out/net$1.modules" || fail "modules: status $?" || return
  has "$(cat "$work/out/net$1.modules")" coreclr.dll || return
  oomcast regions "$(pid_of "net$1")" --json >"$work/out/net$1.regions" && has "$(cat "$work/out/net$1.regions")" '"Image"' || return
  until_true 100 sql_some "SELECT count(*) FROM forecasts WHERE subject = '$subject' AND state = 'leaking'" ||
    fail "forecasts: $(sql "SELECT group_concat(DISTINCT state) FROM forecasts WHERE subject = '$subject'")"
}

new_clr_calm() {
  case " $net_versions " in *" $1 "*) ;; *) skip "$why_no_new_clr" || return ;; esac
  sql_some "SELECT count(*) FROM lives WHERE subject = 'net$1-calm'" || fail "not watched" || return
  calm_is_quiet clr "net$1-calm"
}

tree_is_its_pools() {
  has "$(sql "SELECT group_concat(DISTINCT name) FROM lives WHERE subject = 'pool:Tree' AND kind = 'process'")" w3wp dotnet node || return
  until_true 60 sql_some "SELECT count(*) FROM forecasts WHERE subject = 'pool:Tree' AND state IN ('leaking', 'growing')" ||
    fail "forecasts: $(sql "SELECT group_concat(DISTINCT state) FROM forecasts WHERE subject = 'pool:Tree'")"
}

chinese_pool_is_named() {
  until_true 20 sql_some "SELECT count(*) FROM lives WHERE subject = 'pool:订单 池' AND ended = 'running'" || return
  has "$(oomcast top --db "$db")" 'pool:订单 池'
}

explain_speaks_of_pools() {
  needs_32bit || return
  oomcast explain 'pool:Leak Heap' --db "$db" >"$work/explain" || fail "status $?: $(head -n 3 "$work/explain")" || return
  has "$(cat "$work/explain")" 'Leak Heap' 'pool'
}

event_log_has_the_alert() {
  has "$(cat "$work/eventlog")" 'pool:'
}

test_that pool_and_path_in_chinese_are_named chinese_pool_is_named
test_that descendants_belong_to_their_pool tree_is_its_pools
for version in 8 9 10; do test_that "net_${version}_is_watched_and_its_leak_foretold" new_clr $version; done
test_that survivor_is_exhausted_while_it_lives survivor_is_exhausted
for kind in heap commit reserve map image; do
  test_that "leak_of_${kind}_ends_and_it_is_known" leak_ends $kind
  test_that "leak_of_${kind}_is_foretold" leak_is_foretold $kind
  test_that "leak_of_${kind}_is_told" leak_is_told $kind
  test_that "quiet_twin_of_${kind}_is_quiet" calm_is_quiet "$kind" "pool:Calm ${kind^}"
done
test_that old_clr_dies_as_foretold old_clr_is_foretold
test_that quiet_twin_of_old_clr_is_quiet old_clr_calm
for version in 8 9 10; do test_that "quiet_twin_of_net_${version}_is_quiet" new_clr_calm $version; done
test_that accuracy_scores_the_ends accuracy_scores
test_that explain_speaks_of_the_pool explain_speaks_of_pools
test_that event_log_has_the_alerts event_log_has_the_alert
