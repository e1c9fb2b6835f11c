# shellcheck shell=bash
# What packaging/windows/msi and zip share. Sourced after packaging/common.sh.

# stage_windows BUILD_DIR FOLDER: the files of a package, stripped, and signed where a certificate is given.
stage_windows() {
  local build=$1 folder=$2 program
  mkdir -p "$folder/hooks" || return 1
  for program in cli/oomcast daemon/oomcastd notify/oomcast-notify packaging/windows/setup/oomcast-setup; do
    x86_64-w64-mingw32-strip -o "$folder/${program##*/}.exe" "$build/$program.exe" || return 1
  done
  "$top/packaging/windows/sign" "$folder"/*.exe || return 1
  sed 's/$/\r/' "$top/LICENSE" >"$folder/LICENSE.txt"
  write_readme | sed 's/$/\r/' >"$folder/README.txt"
  cp "$top"/packaging/hooks/windows/oomcast-* "$folder/hooks/"
}

write_readme() {
  cat <<'END'
oomcast: warns before processes run out of memory. Windows Server 2016 and later, 64 bit.

Look at any process, with nothing installed:
  oomcast regions PID
  oomcast doctor

Install the service (as an administrator):
  oomcast service install
  oomcast service start
  oomcast top

Its config is %ProgramData%\oomcast\oomcast.json; without one it watches every application pool of IIS in full, and
every process over 64 MiB by counters. `oomcast config check` says what a config matches.
END
}
