# shellcheck shell=bash
# What packaging/quickstart, packaging/test and .ci/run share. Sourced, after `top` is set to the checkout.

BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config libuv1-dev libsqlite3-dev libcjson-dev libzstd-dev libtre-dev libcurl4-openssl-dev libssl-dev"

say() {
  printf '\n== %s\n' "$*"
}

warn() {
  printf '!! %s\n' "$*" >&2
}

die() {
  warn "$*"
  exit 1
}

have_packages() {
  command -v dpkg-query >/dev/null 2>&1 || return 1
  [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed)" -eq $# ]
}

missing_packages() {
  local package
  for package in "$@"; do
    have_packages "$package" || printf '%s ' "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    warn "not root and no sudo: cannot run: $*"
    return 1
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

mkdir -p "$top/build"
apt_log=$top/build/apt.log

# Once a run. A list that fails to fetch says nothing about the packages wanted here: it is told, and we go on.
apt_updated=""
update_index() {
  [ -z "$apt_updated" ] || return 0
  apt_updated=yes
  if ! apt_get update >"$apt_log" 2>&1 || grep -qE '^(Err:|E:|W: Failed)' "$apt_log"; then
    warn "part of the package index could not be fetched; going on with the rest:"
    grep -E '^(Err:|E:|W: )' "$apt_log" | head -n 5 >&2
  fi
}

# install_packages NAME…: only those that are missing. Afterwards $not_installed names what could not be had; returns 1 then.
not_installed=""
install_packages() {
  local missing package
  not_installed=""
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    not_installed=$missing
    return 1
  fi
  say "installing with apt: $missing"
  update_index
  # shellcheck disable=SC2086 # a list of words
  if ! apt_get install -y --no-install-recommends $missing >"$apt_log" 2>&1; then
    # One that cannot be had must not keep the others away.
    for package in $missing; do
      apt_get install -y --no-install-recommends "$package" >"$apt_log" 2>&1 || tail -n 3 "$apt_log" >&2
    done
  fi
  not_installed=$(missing_packages "$@")
  [ -z "$not_installed" ]
}

# need_packages NAME…: as install_packages, and the end of the run where one could not be had.
need_packages() {
  install_packages "$@" || {
    command -v apt-get >/dev/null 2>&1 ||
      die "no apt-get here: install by hand what these Debian packages hold: $*"
    die "could not be had: $not_installed"
  }
}

# unpack_program PROGRAM PACKAGE: where there is no such program, the package's files come into build/programs, whose bin folder is
# put on the PATH. It is not installed: a service of it would start. Returns 1 where it could not be had.
unpack_program() {
  local programs=$top/build/programs
  case :$PATH: in *":$programs/usr/bin:"*) ;; *) export PATH=$PATH:$programs/usr/bin ;; esac
  command -v "$1" >/dev/null 2>&1 && return 0
  command -v apt-get >/dev/null 2>&1 || return 1
  update_index
  mkdir -p "$programs" && (cd "$programs" && rm -f "$2"_*.deb && apt-get -q download "$2" >"$apt_log" 2>&1 && dpkg -x "$2"_*.deb .) &&
    command -v "$1" >/dev/null 2>&1
}

# configure DIR [meson options…]: a build folder, made anew where its options changed or it is half made.
configure() {
  local dir=$1 options
  shift
  options="$*"
  if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/.oomcast-options" 2>/dev/null)" = "$options" ]; then
    return 0
  fi
  rm -rf "$dir"
  mkdir -p "$dir" || return 1
  meson setup "$@" "$dir" "$top" >"$dir/setup.log" 2>&1 || {
    tail -n 20 "$dir/setup.log" >&2
    rm -f "$dir/build.ninja"
    return 1
  }
  printf '%s\n' "$options" >"$dir/.oomcast-options"
}

# build DIR [targets…]: quiet unless it fails.
build() {
  local dir=$1
  shift
  if ! ninja -C "$dir" "$@" >"$dir/build.log" 2>&1; then
    if grep -q '^FAILED' "$dir/build.log"; then
      sed -n '/^FAILED/,$p' "$dir/build.log" | grep -vE '^\[[0-9]+/[0-9]+\] ' | cut -c 1-400 | head -n 60 >&2
    else
      tail -n 20 "$dir/build.log" >&2
    fi
    return 1
  fi
}

# ---- packages: deb and tarball ----

project_version() {
  sed -n "s/^ *version: '\(.*\)',$/\1/p" "$top/meson.build" | head -n 1
}

# The time of the commit, so that the same sources make the same package.
source_date() {
  git -C "$top" log -1 --format=%ct 2>/dev/null || stat -c %Y "$top/CHANGELOG.md"
}

# stage_release BUILD TREE [meson options…]: a stripped release for /usr in TREE, hardened as Debian's own programs are.
# $RPATH: where the loader looks first, also for what the libraries there need (hence no new dtags).
stage_release() {
  local dir=$1 tree=$2
  shift 2
  CC=gcc CFLAGS="$(dpkg-buildflags --get CFLAGS)" CPPFLAGS="$(dpkg-buildflags --get CPPFLAGS)" \
    LDFLAGS="$(dpkg-buildflags --get LDFLAGS) -Wl,-z,now ${RPATH:+-Wl,--disable-new-dtags,-rpath,$RPATH}" \
    configure "$dir" --buildtype=release --prefix=/usr --libdir=lib -Dtests=disabled -Db_pie=true "$@" && build "$dir" || return 1
  DESTDIR=$tree meson install -C "$dir" --no-rebuild --strip >"$dir/install.log" 2>&1 || {
    tail -n 5 "$dir/install.log" >&2
    return 1
  }
}

# write_config OOMCAST FILE: the commented starter file that the program itself writes.
write_config() {
  "$1" config init - >"$2" 2>/dev/null && [ -s "$2" ] && return 0
  rm -f "$2"
  warn "oomcast config init gives nothing yet: no $(basename "$2")"
}

# The count of tests of this run. Each suite adds what really ran.
passed=0
failed=0
skipped=0

add_passed() {
  passed=$((passed + ${1:-1}))
}

# add_failed "what, and where to look"
failures=()
add_failed() {
  failed=$((failed + ${2:-1}))
  failures+=("$1")
  warn "FAILED: $1"
}

skips=()
add_skipped() {
  skipped=$((skipped + ${2:-1}))
  skips+=("$1")
}

# The last line of a run, after what failed or was skipped and why. Returns 1 if anything failed.
finish_count() {
  local line
  [ ${#skips[@]} -eq 0 ] || printf '\nskipped:\n'
  for line in "${skips[@]}"; do printf '  %s\n' "$line"; done
  [ ${#failures[@]} -eq 0 ] || printf '\nfailed:\n'
  for line in "${failures[@]}"; do printf '  %s\n' "$line"; done
  printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
