#!/bin/sh
# The hooks as oomcast-notify runs them: variables in, an exit code and a line out. Real processes, a folder of our own.
# HOOKS: the folder of the hooks.
set -u
HOOKS=${HOOKS:-$(dirname "$0")/../../packaging/hooks}
top=$(mktemp -d "${TMPDIR:-/tmp}/oomcast-hooks-XXXXXX") || exit 1
checks=0
failures=0
sleeper=
trap '[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null; rm -rf "$top"' EXIT

sleep 300 &
sleeper=$!

folder=1 # the hook takes one

# run NAME ARGUMENT…: the hook in a clean environment with the alert's variables. Its exit code and words are in $code and $said.
run() {
  hook=$1
  shift
  said=$(env -i PATH="$PATH" OOMCAST_SUBJECT="${subject-unit:shop.service}" OOMCAST_STATUS="${status-firing}" \
    OOMCAST_SEVERITY="${severity-critical}" OOMCAST_PID="${pid-$sleeper}" ${test:+OOMCAST_TEST=1} \
    "$HOOKS/oomcast-$hook" ${folder:+--folder "$top/$hook"} "$@" </dev/null 2>&1)
  code=$?
}

# expect CODE WORDS WHAT: of the last run.
expect() {
  checks=$((checks + 1))
  case $said in
    *"$2"*) [ "$code" -eq "$1" ] && return 0 ;;
  esac
  failures=$((failures + 1))
  echo "F $3: exit $code, '$said', wanted $1 and '$2'"
}

# holds WHAT CONDITION…
holds() {
  what=$1
  shift
  checks=$((checks + 1))
  "$@" || {
    failures=$((failures + 1))
    echo "F $what: $*"
  }
}

captures() { find "$top/capture" -type f -name '*_unit_shop*' 2>/dev/null | wc -l; }
count_is() { [ "$(captures)" -eq "$1" ]; }
fresh() { rm -rf "$top/capture" "$top/restart" "$top/made"; }
dump='echo dump of $1 >$2.core'

# ---- capture ----

run capture -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "captured" "a capture is taken"
holds "it has a file" count_is 1
holds "the pid was filled in" grep -rqx "dump of $sleeper" "$top/capture"
run capture -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 " s ago: " "a second one waits"
holds "it has one file still" count_is 1
run capture --each-s 0 -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "captured" "unless it need not"
subject=unit:shop.servicf run capture -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "captured" "another subject has its own time"

fresh
test=1 run capture -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "a test: would run" "a test runs nothing"
holds "and leaves nothing" count_is 0
pid=4194304000 test=1 run capture -- false
expect 0 "a test: would run" "also about a process that is none"
status=resolved run capture -- false
expect 0 "nothing to capture" "an end is not captured"
pid='' run capture -- false
expect 0 "names no process" "an alert without a process is not"
pid=4194304000 run capture -- false
expect 0 "no process 4194304000" "one that is gone is not"
pid='1; rm -rf /' run capture -- false
expect 0 "names no process" "what is no number is no process"

run capture -- false
expect 1 "ended with status 1" "a command that fails is told"
run capture -- true
expect 1 "wrote nothing" "one that writes nothing too"
run capture -- sh -c 'echo half >$1.core; exit 3' sh '{out}'
expect 1 "status 3" "half a file is none"
holds "nothing is left of them" count_is 0
holds "nor a lock" test ! -d "$top/capture/.lock"

run capture --timeout-s 1 -- sh -c 'echo x >$1.core; sleep 60 & echo $! >"$2"; wait' sh '{out}' "$top/made"
expect 1 "more than 1 s" "what takes too long is ended"
gone() { ! kill -0 "$(cat "$top/made")" 2>/dev/null || grep -q '^State:.Z' "/proc/$(cat "$top/made")/status"; }
holds "with all that it started" gone

run capture --headroom-mib 999999999 -- false
expect 1 "of memory are free" "no headroom, no capture"
run capture --keep-free-mib 999999999 -- false
expect 1 "to spare are wanted" "no room on the disk, no capture"
run capture --quota-mib 1 --size-percent 200 -- sh -c 'exit 0'
expect 1 "the quota of" "larger than the quota"

# a limit of a cgroup that is nearer than the host's
mkdir -p "$top/proc/$sleeper" "$top/cg/a/b"
cp "/proc/$sleeper/status" "$top/proc/$sleeper/status"
echo "0::/a/b" >"$top/proc/$sleeper/cgroup"
echo "MemAvailable: 99999999 kB" >"$top/proc/meminfo"
echo max >"$top/cg/a/b/memory.max"
echo 209715200 >"$top/cg/a/memory.max"
echo 199229440 >"$top/cg/a/memory.current"
printf 'anon 1\ninactive_file 0\n' >"$top/cg/a/memory.stat"
run capture --proc "$top/proc" --cgroups "$top/cg" -- false
expect 1 "10 MiB of memory are free" "a cgroup's limit above it counts"
printf 'anon 1\ninactive_file 104857600\n' >"$top/cg/a/memory.stat"
run capture --proc "$top/proc" --cgroups "$top/cg" -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "captured" "page cache is room"

# the quota holds over runs, each of them a process of its own
fresh
for n in 1 2 3; do
  subject=unit:shop$n run capture --quota-mib 50 --size-percent 1 --keep-free-mib 1 -- \
    sh -c 'dd if=/dev/zero of="$1" bs=1M count=20 2>/dev/null' sh '{out}'
done
expect 1 "larger than the quota" "the folder never grows beyond its quota"
holds "two of them are there" count_is 2
subject=unit:shop4 run capture --quota-mib 41 --size-percent 100 --keep-free-mib 1 -- \
  sh -c 'dd if=/dev/zero of="$1" bs=1M count=15 2>/dev/null' sh '{out}'
expect 1 "drop-oldest" "what is there stays, unless told"
subject=unit:shop4 run capture --quota-mib 41 --size-percent 100 --keep-free-mib 1 --drop-oldest -- \
  sh -c 'dd if=/dev/zero of="$1" bs=1M count=15 2>/dev/null' sh '{out}'
expect 0 "removed" "then the oldest goes"
holds "and there is room for it" count_is 2

# one at a time; a lock whose maker is gone is none
fresh
mkdir -p "$top/capture/.lock"
echo "$$" >"$top/capture/.lock/pid"
run capture -- sh -c "$dump" sh '{pid}' '{out}'
expect 75 "under way" "one at a time"
echo 4194304000 >"$top/capture/.lock/pid"
mkdir -p "$top/capture/.part-1"
run capture -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "captured" "a dead holder holds nothing"
holds "nor does its half file stay" test ! -d "$top/capture/.part-1"

# names from outside: no shell, no way out of the folder
fresh
subject='unit:../../$(touch /tmp/x)`id` "x' run capture -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "captured" "a hostile name is a name"
holds "within the folder" test "$(find "$top/capture" -type f | wc -l)" -eq 1
run capture --folder "$top/capture" -- sh -c 'echo "$1" >"$2"' sh '$(id) `id` {pid}x' '{out}'
holds "words of the command stay words" grep -rqxF "\$(id) \`id\` ${sleeper}x" "$top/capture"
run capture --quota-mib many -- true
expect 1 "no whole number" "options are checked"
run capture --quota-mib
expect 1 "what is its value" "with their values"
run capture
expect 1 "no command" "and a command"

# ---- restart ----

fresh
run restart -- sh -c 'echo "$1" >>"$2"' sh '{unit}' "$top/made"
expect 0 "restarted unit:shop.service" "a unit is restarted"
holds "by its name" grep -qx shop.service "$top/made"
run restart -- false
expect 0 "the cool-down is 3600 s" "then it cools down"
run restart --cool-down-s 0 --most-a-day 1 -- false
expect 1 "1 times in a day" "and not for ever"
subject=unit:other.service run restart -- true
expect 0 "restarted unit:other.service" "another one has its own"

fresh
run restart -- false
expect 1 "status 1" "a command that fails is told"
run restart -- true
expect 0 "cool-down" "and cools down as well"
fresh
severity=warning run restart -- false
expect 0 "nothing to do" "a warning restarts nothing"
severity=warning run restart --severity warning -- true
expect 0 "restarted" "unless told"
status=resolved run restart -- false
expect 0 "nothing to do" "an end restarts nothing"
subject=proc:shop run restart -- systemctl restart '{unit}'
expect 1 "only subjects" "what is no unit has none"
subject='unit:-x; reboot' run restart -- true
expect 1 "no name of a unit" "nor has what is no name"
test=1 run restart --cool-down-s 0 -- systemctl restart '{unit}'
expect 0 "would run systemctl restart shop.service" "a test runs nothing"

# a clock that was set back does not lift the cool-down, and one of two days ago does not count
fresh
run restart -- true
file=$(find "$top/restart" -type f)
echo 99999999999 >"$file"
run restart -- false
expect 0 "the cool-down" "a time in the future counts as now"
echo 1000000000 >"$file"
run restart --most-a-day 1 -- true
expect 0 "restarted" "an old one is forgotten"

# the time is kept before the command runs: who is killed meanwhile does not loop
fresh
run restart -- sh -c 'kill -9 $PPID'
run restart -- false
expect 0 "the cool-down" "a hook that was killed cools down too"

# ---- hand over ----

fresh
mkdir "$top/bin"
printf '#!/bin/sh\necho "systemctl $*"\n[ ! -e "%s/refused" ]\n' "$top" >"$top/bin/systemctl"
chmod 755 "$top/bin/systemctl"
PATH=$top/bin:$PATH
folder=
run hand-over oomcast-capture
expect 0 "start --no-block -- oomcast-capture@$sleeper-unit_shop.service-" "an alert goes to a unit"
unit=${said#*@}
unit=${unit%%.service
*}
subject='x; $(reboot)/../y' run hand-over oomcast-capture
expect 0 "oomcast-capture@$sleeper-x____reboot__.._y-" "a hostile name is letters"
status=died run hand-over oomcast-capture
expect 0 "nothing to do" "an end starts nothing"
pid=x run hand-over oomcast-capture
expect 0 "names no process" "nor does an alert without a process"
test=1 run hand-over oomcast-capture
expect 0 "would start oomcast-capture@" "nor a test"
run hand-over '../x'
expect 1 "no name of a unit" "a unit has a name"
: >"$top/refused"
run hand-over oomcast-capture
expect 1 "does polkit allow it" "a refusal is told"
folder=1
pid=1 subject=none status=x run capture --alert "$unit" -- sh -c "$dump" sh '{pid}' '{out}'
expect 0 "captured" "the unit's capture is about the alert that was handed over"
holds "with its pid" grep -rqx "dump of $sleeper" "$top/capture"

echo "100%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
