# shellcheck shell=bash
# shellcheck disable=SC2154 # of run, lib.sh and stage.sh
# The packages: installed, upgraded and removed by msiexec, with a service that runs and an alert that is delivered.

drive=$prefix/drive_c
programs="$drive/Program Files/oomcast"
machine_data=$drive/ProgramData/oomcast

# package NAME [OPTION…]: builds an MSI into the prefix's drive.
package() {
  local name=$1 path
  shift
  path=$("$top/packaging/windows/msi" "$@" "$build" 2>"$work/msi.log" | tail -n 1)
  [ -f "$path" ] && cp "$path" "$drive/$name"
}

msiexec() {
  wine_within 120 msiexec "$@" /qn </dev/null >"$work/msiexec.log" 2>&1
}

installed() {
  wine_within 60 "$programs/oomcast.exe" "$@" </dev/null 2>&1 | tr -d '\r'
}

runs() {
  has "$(installed service status)" "oomcast is running"
}

has_no_service() {
  lacks "$(wine_within 30 sc query oomcast </dev/null 2>&1)" STATE
}

environment_path() {
  wine_within 30 reg query 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment' /v PATH </dev/null | tr -d '\r'
}

packages_are_built() {
  package old.msi --version 0.0.1 && package new.msi || fail "$(tail -n 3 "$work/msi.log")"
}

package_installs() {
  rm -rf "$machine_data"
  printf '{ "interval": "5s" } // mine\n' >"$drive/mine.json"
  msiexec /i 'C:\old.msi' 'CONFIG=C:\mine.json' "WEBHOOK=http://127.0.0.1:$port/package?a=1&b=%20" || fail "status $?" || return
  runs || return
  has "$(cat "$machine_data/oomcast.json")" '// mine' || return
  has "$(environment_path)" 'C:\Program Files\oomcast' || return
  until_true 20 test -s "$machine_data/oomcast.db" || return
  has "$(wine_within 60 cmd /c 'oomcast top' </dev/null 2>&1)" 'oomcast.db'
}

is_delivered() {
  installed alerts test webhook | grep -q '^sent'
}

webhook_of_the_package_is_told() {
  until_true 20 is_delivered || fail "$(installed alerts test webhook)" || return
  told '/package?a=1&b=%20'
}

upgrade_keeps_config_and_data() {
  local before
  before=$(installed db info | sed -n 's/^created *//p')
  msiexec /i 'C:\new.msi' || fail "status $?" || return
  runs || return
  has "$(cat "$machine_data/oomcast.json")" '// mine' || return
  [ -s "$machine_data/conf.d/webhook.json" ] || fail "the receiver is gone" || return
  same "the store's beginning" "$before" "$(installed db info | sed -n 's/^created *//p')"
}

removal_keeps_config_and_data() {
  msiexec /x 'C:\new.msi' || fail "status $?" || return
  [ ! -e "$programs/oomcastd.exe" ] || fail "the programs are still there" || return
  has_no_service || return
  lacks "$(environment_path)" 'Program Files\oomcast' || return
  [ -s "$machine_data/oomcast.json" ] && [ -s "$machine_data/oomcast.db" ] || fail "config or data are gone"
}

bad_config_installs_nothing() {
  printf '{ "interval": "often" }\n' >"$drive/bad.json"
  ! msiexec /i 'C:\new.msi' 'CONFIG=C:\bad.json' || fail "it was installed" || return
  [ ! -e "$programs/oomcastd.exe" ] || fail "the programs are there" || return
  has "$(cat "$machine_data/oomcast.json.old")" '// mine'
}

failed_installation_leaves_no_service() {
  has_no_service >/dev/null || skip "Wine takes the programs away before the package's way back runs; never shown on a real Windows"
}

removal_with_purge_takes_all() {
  rm -f "$machine_data/oomcast.json"
  msiexec /i 'C:\new.msi' || fail "status $?" || return
  runs || return
  msiexec /x 'C:\new.msi' PURGE=1 || fail "status $?" || return
  [ ! -e "$machine_data" ] || fail "there is still: $(ls "$machine_data")"
}

# A certificate that the test makes.
packages_are_signed() {
  command -v osslsigncode >/dev/null || skip "no osslsigncode here" || return
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=made -addext extendedKeyUsage=codeSigning \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl.log" || fail "$(cat "$work/openssl.log")" || return
  OOMCAST_SIGN_CERT=$work/cert.pem OOMCAST_SIGN_KEY=$work/key.pem package signed.msi --version 0.0.2 || fail "$(cat "$work/msi.log")" || return
  osslsigncode verify -CAfile "$work/cert.pem" -in "$drive/signed.msi" >"$work/verify.log" 2>&1 || fail "$(tail -n 3 "$work/verify.log")"
}

zip_runs_from_another_folder() {
  local zip
  command -v unzip >/dev/null || skip "no unzip here" || return
  zip=$("$top/packaging/windows/zip" "$build" 2>"$work/zip.log" | tail -n 1)
  unzip -q -o "$zip" -d "$drive/elsewhere" || fail "it cannot be unpacked" || return
  has "$(wine_within 60 "$drive"/elsewhere/oomcast-*/oomcast.exe version </dev/null 2>&1)" oomcast
}

if ! command -v wixl >/dev/null || ! command -v msibuild >/dev/null; then
  test_that packages skip "no wixl or msitools here"
elif test_that packages_are_built packages_are_built && [ -f "$drive/new.msi" ]; then
  test_that package_installs_with_config_and_webhook package_installs
  test_that webhook_of_the_package_is_told webhook_of_the_package_is_told
  test_that upgrade_keeps_config_and_data upgrade_keeps_config_and_data
  test_that removal_keeps_config_and_data removal_keeps_config_and_data
  test_that bad_config_installs_nothing bad_config_installs_nothing
  test_that failed_installation_leaves_no_service failed_installation_leaves_no_service
  test_that removal_with_purge_takes_all removal_with_purge_takes_all
  test_that packages_are_signed packages_are_signed
  test_that zip_runs_from_another_folder zip_runs_from_another_folder
fi
