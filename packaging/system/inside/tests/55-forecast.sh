# shellcheck shell=bash
# A service that leaks under the limit of its slice: it is foretold, and killed inside what was said. Beside it one
# that fills the same limit with page cache, and one that only warms up: they are left alone. 57-alerts.sh looks at who
# was told of them.

# Root's own: the receiver writes it from the other side.
rm -f /out/received && systemd-run --quiet --collect --unit=pager /job/receiver --port 9911 --out /out/received
cat >/etc/oomcast/conf.d/55-forecast.json <<'END'
{ "interval": "200ms", "group_wait": "1s",
  "rules": [ { "name": "MemoryLimitForecast", "severity": "critical", "horizon": "5m", "for": "1s",
    "subjects": [ "*drip*", "*spool*", "*warm*" ] } ],
  "receivers": [ { "name": "pager", "type": "webhook", "url": "http://127.0.0.1:9911/pager" } ] }
END
systemctl reload oomcastd
for name in drip spool warm; do
  printf '[Slice]\nMemoryMax=96M\nMemorySwapMax=0\n' >/run/systemd/system/$name.slice
done
systemctl daemon-reload
leaker drip --slice=drip.slice -- ratchet --base 16M --rate 4M --period 4000 --max 900M --name drip
leaker spool --slice=spool.slice -- cache --base 16M --rate 12M --name spool
leaker warm --slice=warm.slice -- warmup --base 16M --max 32M --period 8000 --name warm
drip=$(pid_of drip)
until_true 20 is_watched "$drip"
drip=$(source_of "$drip")

is_foretold() {
  until_true 150 is_sql "SELECT count(*) > 0 FROM forecasts WHERE subject = 'cgroup:/drip.slice' AND name = 'memory.max'
    AND state = 'leaking' AND is_now" 1 || return
  oomcast forecast cgroup:/drip.slice >/out/forecast || return
  has "$(cat /out/forecast)" memory.max && has "$(cat /out/forecast)" leaking &&
    has "$(oomcast forecast cgroup:/drip.slice --json)" p50 && systemctl is-active drip
}

# At 30, 45, 60 and 75 % of its life: how often an interval stood, and how often it held the end: "4|4".
intervals() {
  sql "WITH part(x) AS (VALUES (0.3), (0.45), (0.6), (0.75)),
    f AS (SELECT x, l.end_unix_ms AS end, f.* FROM lives l CROSS JOIN part JOIN forecasts f ON f.subject = 'cgroup:/drip.slice' AND f.name = 'memory.max'
      AND f.unix_ms <= l.begin_unix_ms + x * (l.end_unix_ms - l.begin_unix_ms) WHERE l.source = $drip)
    SELECT sum(p10_s < 9e999), sum(end BETWEEN unix_ms + p10_s * 1000 AND unix_ms + p90_s * 1000)
    FROM f WHERE unix_ms = (SELECT max(g.unix_ms) FROM f g WHERE g.x = f.x)"
}

ends_inside_what_was_said() {
  local said
  until_true 150 has_ended "$drip" || return
  same "drip" "oom_killed cgroup limit /drip.slice" "$(sql "SELECT ended || ' ' || killer || ' ' || killer_scope FROM lives WHERE source = $drip")" || return
  said=$(intervals)
  if [ "${said%|*}" -eq 0 ] || [ $((${said#*|} * 2)) -lt "${said%|*}" ]; then
    fail "of so many intervals that stood, so many held the end: $said"
  fi
}

# quiet NAME: its charge was watched against its limit, and never said to leak; of what is flat nothing need be said at all.
quiet() {
  local charge="subject LIKE 'cgroup:/$1.slice%' AND metric = 'cgroup_charge_bytes'"
  same "$1" active "$(systemctl is-active "$1")" &&
    same "samples of the charge of $1" 1 "$(sql "SELECT count(*) >= 50 FROM samples WHERE $charge")" &&
    same "limit of $1" 1 "$(sql "SELECT count(*) > 0 FROM limits WHERE name = 'memory.max' AND subject LIKE 'cgroup:/$1.slice%'")" &&
    same "$1 said to leak" 0 \
      "$(sql "SELECT count(*) FROM forecasts WHERE state = 'leaking' AND (subject LIKE 'cgroup:/$1.slice%' OR subject = 'proc:$1')")"
}

page_cache_is_left_alone() {
  local file
  file=$(sed -n 's/^file //p' /sys/fs/cgroup/spool.slice/memory.stat)
  [ "$file" -gt $((60 << 20)) ] || fail "the cache has only $file bytes" || return
  quiet spool
}

no_swap_is_no_limit() {
  same "forecasts of no swap" 0 "$(sql "SELECT count(*) FROM forecasts WHERE name = 'memory.swap.max' AND limit_value = 0")"
}

test_that leak_in_a_slice_is_foretold is_foretold
test_that leak_in_a_slice_ends_inside_what_was_said ends_inside_what_was_said
test_that no_swap_is_no_limit no_swap_is_no_limit
test_that page_cache_in_a_slice_is_left_alone page_cache_is_left_alone
test_that warm_up_in_a_slice_is_left_alone quiet warm
oomcast sql "SELECT * FROM forecasts WHERE subject LIKE 'cgroup:/drip.slice%' OR subject LIKE 'cgroup:/spool.slice%'" >/out/forecasts
systemctl stop spool warm
rm /etc/oomcast/conf.d/55-forecast.json
systemctl reload oomcastd
