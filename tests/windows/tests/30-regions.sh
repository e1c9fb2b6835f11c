# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# Totals of regions are what the fixture allocated, to the megabyte: held against a worker that allocated nothing.

STEP_MIB=4
STEPS=50

# mib_of FILE TABLE NAME: of a table of `regions --json`, whole MiB.
mib_of() {
  sqlite3 :memory: "SELECT coalesce(sum(json_extract(value, '$.size_bytes')), 0) / 1048576.0
    FROM json_each(readfile('$1'), '$.$2s') WHERE json_extract(value, '$.$2') = '$3'" 2>/dev/null
}

# regions_of NAME: into $work/out/NAME.json
regions_of() {
  oomcast regions "$(pid_of "$1")" --json >"$work/out/$1.json" 2>"$work/out/$1.regions"
}

# grew WANTED_MIB TABLE NAME LEAKER IDLE
grew() {
  local more
  more=$(sqlite3 :memory: "SELECT round($(mib_of "$work/out/$4.json" "$2" "$3") - $(mib_of "$work/out/$5.json" "$2" "$3"), 2)")
  [ "$(sqlite3 :memory: "SELECT abs($more - $1) <= 1.0")" = 1 ] || fail "$3: wanted $1 MiB more, got $more"
}

# totals BITS KIND TABLE NAME
totals() {
  local bits=$1 kind=$2 wanted=$((STEP_MIB * STEPS)) name=totals-$1-$2
  [ "$bits" = 64 ] || needs_32bit || return
  worker "$name" "Totals" "$made/$bits/w3wp.exe" "LEAK=$kind" MAX=$STEPS STEP=$((STEP_MIB << 20)) \
    "IMAGE=$(windows_path "$made/image$bits.dll")"
  until_true 20 said "$name" stopped || return
  # The image has 4,000,000 bytes, a header and an export table: pages that the loader rounds up.
  [ "$kind" != image ] || wanted=$(sqlite3 :memory: "SELECT $STEPS * (977 + 4) * 4096 / 1048576.0")
  regions_of "$name" || fail "$(cat "$work/out/$name.regions")" || return
  grew "$wanted" "$3" "$4" "$name" "idle-$bits"
}

for bits in 32 64; do
  [ "$bits" = 64 ] || [ -n "$has_32bit" ] || continue
  worker idle-$bits "Idle" "$made/$bits/w3wp.exe"
  until_true 20 is_up idle-$bits && regions_of idle-$bits
done
for bits in 32 64; do
  test_that "regions_of_${bits}_bit_commit_are_the_fixtures" totals $bits commit state MEM_COMMIT
  test_that "regions_of_${bits}_bit_reserve_are_the_fixtures" totals $bits reserve state MEM_RESERVE
  test_that "regions_of_${bits}_bit_sections_are_the_fixtures" totals $bits map type MEM_MAPPED
  test_that "regions_of_${bits}_bit_images_are_the_fixtures" totals $bits image type MEM_IMAGE
done
