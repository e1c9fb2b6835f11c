# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# Fifty workers at once, each a pool of its own, and what the watching of them costs in calls.

start_fifty() {
  local i
  for ((i = 1; i < 50; i++)); do worker "fifty-$i" "Fifty $i" "$made/64/w3wp.exe"; done
  for ((i = 0; i < 50; i++)); do until_true 40 is_up "fifty-$i" || return; done
}

fifty_are_watched() {
  until_true 40 is_sql "SELECT count(DISTINCT subject) FROM lives WHERE subject LIKE 'pool:Fifty %' AND ended = 'running'" 50 ||
    fail "$(sql "SELECT count(DISTINCT subject), min(subject) FROM lives WHERE subject LIKE 'pool:%'")"
}

fifty_have_samples() {
  local now_ms
  now_ms=$(date +%s%3N)
  until_true 20 is_sql "SELECT count(DISTINCT subject) FROM samples WHERE subject LIKE 'pool:Fifty %' AND metric = 'private_bytes'
    AND t > $now_ms" 50
}

start_fifty || printf '!! not all of the fifty came up\n' >&2
test_that fifty_workers_are_found_by_their_pools fifty_are_watched
test_that fifty_workers_are_sampled fifty_have_samples
