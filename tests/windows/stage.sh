# shellcheck shell=bash
# shellcheck disable=SC2154 # of run and lib.sh
# What the tests stand on: fixtures, runtimes, the prefix with the programs in it, a receiver.

fixtures=$here/fixtures
made=$cache/windows-fixtures
C_FLAGS=(-std=c17 -D_WIN32_WINNT=0x0A00 -D__USE_MINGW_ANSI_STDIO=1 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion
  -Wshadow -Wvla -Wundef -Os -s -static)

# ---- fixtures ----

# newer FILE SOURCE…: FILE is there and no source is younger.
newer() {
  local file=$1 source
  shift
  [ -s "$file" ] || return 1
  for source in "$@"; do [ ! "$source" -nt "$file" ] || return 1; done
}

# compiled OUT SOURCE COMPILER OPTIONS…
compiled() {
  local out=$made/$1 source=$fixtures/$2 compiler=$3
  shift 3
  newer "$out" "$source" || { mkdir -p "${out%/*}" && "$compiler" "$@" -o "$out" "$source"; }
}

build_fixtures() {
  local gcc32=i686-w64-mingw32-gcc-posix gcc64=x86_64-w64-mingw32-gcc-posix
  compiled 64/w3wp.exe worker.c $gcc64 "${C_FLAGS[@]}" &&
    compiled image64.dll image.c $gcc64 -Os -s -shared -nostdlib -e DllMain &&
    compiled hold.exe hold.c $gcc64 "${C_FLAGS[@]}" -municode || return 1
  has_32bit=""
  command -v $gcc32 >/dev/null && "$wine_tool" can32 || { why_not_32="no 32-bit compiler or no 32-bit Wine here"; return 0; }
  compiled 32/w3wp.exe worker.c $gcc32 "${C_FLAGS[@]}" &&
    compiled 32large/w3wp.exe worker.c $gcc32 "${C_FLAGS[@]}" -Wl,--large-address-aware &&
    compiled image32.dll image.c $gcc32 -Os -s -shared -nostdlib -e _DllMain@12 &&
    compiled clr/w3wp.exe clr.c $gcc32 "${C_FLAGS[@]}" || return 1
  has_32bit=yes
}

# needs_32bit: for the first line of a test.
needs_32bit() {
  [ -n "$has_32bit" ] || skip "$why_not_32"
}

# A 32-bit .NET: the only whole one that a package registry has. Kept in the cache, never with the sources.
CLR_PACKAGE=dotnet-2.1-win-ia32
get_old_clr() {
  local into=$made/$CLR_PACKAGE
  has_old_clr=""
  clr=$into/package/shared/Microsoft.NETCore.App/2.1.8
  if [ ! -s "$clr/coreclr.dll" ]; then
    command -v npm >/dev/null || { why_no_old_clr="no npm to fetch $CLR_PACKAGE with"; return; }
    mkdir -p "$into" && (cd "$into" && timeout 120 npm pack --silent $CLR_PACKAGE >/dev/null 2>&1 && tar xzf ./*.tgz && rm -f ./*.tgz)
    [ -s "$clr/coreclr.dll" ] || { why_no_old_clr="$CLR_PACKAGE could not be fetched"; return; }
  fi
  command -v mcs >/dev/null || { why_no_old_clr="no mcs (mono-mcs) to compile the program"; return; }
  newer "$made/leak.dll" "$fixtures/Leak.cs" || mcs -nologo -r:System.Xml -out:"$made/leak.dll" "$fixtures/Leak.cs" ||
    { why_no_old_clr="mcs failed"; return; }
  has_old_clr=yes
}

# publish VERSION: a self-contained .NET of that version with the leaking program, in $made/netVERSION.
publish() {
  local out=$made/net$1 dir=$work/publish$1
  newer "$out/leak.exe" "$fixtures/Leak.cs" "$fixtures/leak.csproj" && return 0
  mkdir -p "$dir" && cp "$fixtures/Leak.cs" "$fixtures/leak.csproj" "$dir/" &&
    DOTNET_CLI_TELEMETRY_OPTOUT=1 timeout 300 dotnet publish "$dir/leak.csproj" -c Release -r win-x64 --self-contained \
      "-p:Net=$1" -o "$out" -v q --nologo >"$work/publish$1.log" 2>&1 </dev/null && touch "$out/leak.exe"
}

get_new_clrs() {
  local version
  net_versions=""
  command -v dotnet >/dev/null || { why_no_new_clr="no .NET SDK here"; return; }
  why_no_new_clr="the SDK could publish nothing for win-x64"
  for version in 8 9 10; do
    publish $version && net_versions+=" $version"
  done
}

# ---- the receiver ----

get_receiver() {
  receiver=${OC_RECEIVER:-}
  [ -z "$receiver" ] || return 0
  receiver=$top/build/receiver/tests/programs/receiver
  [ -f "$top/build/receiver/build.ninja" ] ||
    meson setup -Dtests=enabled "$top/build/receiver" "$top" >"$work/receiver-setup.log" 2>&1 || return 1
  ninja -C "$top/build/receiver" tests/programs/receiver >"$work/receiver-build.log" 2>&1
}

start_receiver() {
  "$receiver" --port 0 --port-file "$work/port" --out "$work/received" >"$work/receiver.log" 2>&1 </dev/null &
  receiver_pid=$!
  until_true 10 test -s "$work/port" && port=$(cat "$work/port")
}

# told TEXT…: a message came that has all of these.
told() {
  local text
  cp "$work/received" "$work/received.now" 2>/dev/null || return 1
  for text in "$@"; do
    grep -F -- "$text" "$work/received.now" >"$work/received.next" || return 1
    mv "$work/received.next" "$work/received.now"
  done
}

# ---- the prefix ----

# The server's standard error is the background services': what Wine traces of the event log stands there.
start_wine() {
  ulimit -n "$(ulimit -Hn)"
  export WINEPREFIX=$prefix
  wineserver -p </dev/null >/dev/null 2>&1
  WINEDEBUG=-all,+eventlog wine cmd /c exit </dev/null >/dev/null 2>"$work/eventlog"
}

make_prefix() {
  local base=${OC_WINE_BASE:-}
  [ -n "$base" ] || base=$("$wine_tool" base) || return 1
  "$wine_tool" clone "$base" "$prefix" || return 1
  mkdir -p "$bin" "$prefix/drive_c/workers" &&
    cp "$build/daemon/oomcastd.exe" "$build/cli/oomcast.exe" "$build/notify/oomcast-notify.exe" "$bin/"
}

stage_begin() {
  why_not_32="" why_no_old_clr="" why_no_new_clr=""
  command -v wine >/dev/null || { printf 'SKIP everything under Wine: no wine here\n'; exit 77; }
  command -v sqlite3 >/dev/null || { printf 'SKIP everything under Wine: no sqlite3 to read answers with\n'; exit 77; }
  build_fixtures || { printf 'FAIL fixtures: they do not compile\n'; return 1; }
  get_old_clr
  get_new_clrs
  get_receiver || { printf 'FAIL receiver: see %s\n' "$work"; return 1; }
  make_prefix && start_wine || { printf 'FAIL prefix: it could not be made\n'; return 1; }
  start_receiver || { printf 'FAIL receiver: it does not listen\n'; return 1; }
  printf '== ready after %d s\n' "$SECONDS"
}

# Only what is in the prefix of this run, and what this run started.
stage_end() {
  [ -z "${receiver_pid:-}" ] || kill "$receiver_pid" 2>/dev/null
  [ ! -d "$prefix" ] || "$wine_tool" stop "$prefix" >/dev/null 2>&1
  wait 2>/dev/null
  ! mountpoint -q "$prefix/drive_c/disk" 2>/dev/null || umount "$prefix/drive_c/disk"
  if [ -n "${OC_KEEP:-}" ] || [ "$failed" -ne 0 ]; then
    cp "${data:-$prefix/none}"/oomcast.db* "$work/" 2>/dev/null
    rm -rf "$prefix"
    printf '== kept: %s\n' "$work"
  else
    rm -rf "$work"
  fi
}
