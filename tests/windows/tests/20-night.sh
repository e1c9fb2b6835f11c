# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# The night: all that leaks, each kind with its quiet twin, goes on while the other tests run; 70-verdicts.sh says what came of
# it. A gigabyte is reserved at first, so that the end of 2 GB comes within two minutes and a half.

GIB=1073741824
kinds=()

# leaks KIND DELAY CALM_STEPS [VARIABLE=VALUE…]: one that leaks until the end, and one that takes CALM_STEPS at once and stays.
leaks() {
  local kind=$1 delay=$2 calm=$3
  shift 3
  kinds+=("$kind")
  worker "leak-$kind" "Leak ${kind^}" "$made/32/w3wp.exe" "LEAK=$kind" BASE=$GIB "DELAY=$delay" "$@"
  worker "calm-$kind" "Calm ${kind^}" "$made/32/w3wp.exe" "LEAK=$kind" BASE=$GIB DELAY=2 "MAX=$calm" "$@"
}

start_32bit() {
  leaks heap 160 300
  leaks commit 160 300 TOUCH=1
  leaks reserve 160 300
  leaks map 160 300
  leaks image 620 60 "IMAGE=$(windows_path "$made/image32.dll")"
  worker survivor "Survivor" "$made/32/w3wp.exe" LEAK=heap BASE=$GIB DELAY=100 END=live
  # In process, as .NET is in w3wp.
  [ -z "$has_old_clr" ] || {
    worker clr-leak "Old Shop" "$made/clr/w3wp.exe" "CLR=$(windows_path "$clr")" "APP=$(windows_path "$made/leak.dll")" \
      LEAK=heap COUNT=12 DELAY=100
    worker clr-calm "Old Calm" "$made/clr/w3wp.exe" "CLR=$(windows_path "$clr")" "APP=$(windows_path "$made/leak.dll")" \
      LEAK=heap COUNT=12 DELAY=1 MAX=300
  }
}

# linked FROM TO: a folder that shares its files with another, where both are on one disk; but not the program: Wine has one
# name for a file, whatever link it is started by.
linked() {
  cp -al "$1" "$2" 2>/dev/null || cp -a "$1" "$2"
  cp "$1/leak.exe" "$2/leak.exe.own" && mv -f "$2/leak.exe.own" "$2/leak.exe"
}

start_64bit() {
  local version folder
  worker fifty-0 "Fifty 0" "$made/64/w3wp.exe"
  # A pool and path that no code page holds together.
  folder=$prefix/drive_c/workers/网站
  mkdir -p "$folder" && cp "$made/64/w3wp.exe" "$folder/"
  worker chinese "订单 池" "$folder/w3wp.exe"
  # w3wp, below it dotnet, below that node, which leaks.
  folder=$prefix/drive_c/workers/tree
  mkdir -p "$folder"
  for name in w3wp dotnet node; do cp "$made/64/w3wp.exe" "$folder/$name.exe"; done
  worker tree "Tree" "$folder/w3wp.exe" 'CHILD=dotnet.exe|node.exe' LEAK=commit TOUCH=1 DELAY=300
  for version in $net_versions; do
    linked "$made/net$version" "$prefix/drive_c/workers/net$version"
    linked "$made/net$version" "$prefix/drive_c/workers/net$version-calm"
    worker "net$version" none "$prefix/drive_c/workers/net$version/leak.exe" LEAK=small COUNT=3000 DELAY=500
    worker "net$version-calm" none "$prefix/drive_c/workers/net$version-calm/leak.exe" LEAK=cached COUNT=5 DELAY=500
  done
}

all_started() {
  local name
  for name in "$@"; do
    until_true 20 is_up "$name" || fail "$(cat "$work/out/$name.err")" || return
  done
}

[ -z "$has_32bit" ] || start_32bit
start_64bit
night_began=$SECONDS
