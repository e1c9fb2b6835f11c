# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# The service, through the service manager: installed, started, answering.

data=$prefix/drive_c/ProgramData/oomcast
db='C:\ProgramData\oomcast\oomcast.db'

# 64-bit .NET gets a ceiling of its own: no other is near.
net_targets() {
  local name
  for name in net8 net9 net10 net8-calm net9-calm net10-calm; do
    printf '    { "exe": "*workers?%s?leak.exe", "subject": "%s", "interval": "200ms", "limits": { "private_bytes": "600MiB" } },\n' $name $name
  done
}

write_service_config() {
  mkdir -p "$data"
  cat >"$data/oomcast.json" <<JSON
{
  "interval": "1s", "discovery_interval": "1s", "batch": "250ms",
  "walk_interval": "10s", "walk_budget": "100%", "walk_target_budget": "100%",
  "group_wait": "1s", "group_interval": "5s",
  "targets": [
$(net_targets)
    { "iis_app_pool": ["Leak *", "Old *", "Survivor", "Tree"], "interval": "200ms" },
    { "iis_app_pool": "*" }
  ],
  "rules": [ { "name": "MemoryLimitForecast", "severity": "critical", "horizon": "3m", "chance": 0.5, "for": "1s" },
             { "name": "MemoryExhausted", "for": "10s" } ],
  "receivers": [ { "name": "ops", "type": "webhook", "url": "http://127.0.0.1:$port/alerts" } ]
}
JSON
}

sc() {
  wine_within 30 sc "$@" </dev/null 2>/dev/null | tr -d '\r'
}

service_is() {
  has "$(sc query oomcast)" "$1"
}

service_installs() {
  oomcast service install >"$work/install" || fail "status $?" || return
  has "$(wine_within 20 reg query 'HKLM\System\CurrentControlSet\Services\oomcast' /v ImagePath)" '"C:\oomcast\oomcastd.exe"'
}

# The service manager's own answer; the loader's time is not the service's.
service_starts() {
  local begin_ms took_ms
  begin_ms=$(date +%s%3N)
  sc start oomcast >"$work/sc-start"
  until_true 10 service_is RUNNING || fail "$(cat "$work/sc-start")" || return
  took_ms=$(($(date +%s%3N) - begin_ms))
  printf 'RUNNING was seen after %d ms\n' $took_ms
}

service_answers() {
  until_true 10 status_at_least ticks.made 0 || fail "$(oomcast status 2>&1)" || return
  has "$(oomcast service status)" running
}

write_service_config
test_that service_installs_with_its_path_in_quotes service_installs
test_that service_starts service_starts
test_that service_answers_on_its_pipe service_answers
test_that service_is_in_the_event_log until_true 10 grep -q 'interval_ms: 1000' "$work/eventlog"
