# What the hooks share. POSIX sh; read with '.', not run.
#
# oomcast-notify starts a hook with the alert as JSON on standard input and in OOMCAST_… variables, and with a clean PATH. Exit
# codes: 0 done, or nothing to do; 75 busy, to be tried again later; else the delivery is parked with what was said here.

say() { printf '%s: %s\n' "${0##*/}" "$*"; }

fail() {
  say "$*"
  exit 1
}

later() {
  say "$*"
  exit 75
}

# A whole number, or the end.
number() { # NAME VALUE
  case $2 in
    '' | *[!0-9]* | ????????????????*) fail "$1: '$2' is no whole number" ;;
  esac
}

# A subject as part of a file's name: "unit:shop.service" is "unit_shop.service". What was left out must not make two subjects
# one, so a sum of the whole comes behind it.
file_word() { # SUBJECT
  word_sum=$(printf '%s' "$1" | cksum)
  printf '%s-%s' "$(printf '%s' "$1" | LC_ALL=C tr -c 'A-Za-z0-9.-' '_' | cut -c1-80)" "${word_sum%% *}"
}

# Text with each NAME replaced; none of it is read by a shell.
replace() { # TEXT NAME VALUE
  replace_rest=$1
  replaced=
  while :; do
    case $replace_rest in
      *"$2"*)
        replaced=$replaced${replace_rest%%"$2"*}$3
        replace_rest=${replace_rest#*"$2"}
        ;;
      *)
        replaced=$replaced$replace_rest
        return 0
        ;;
    esac
  done
}

# One at a time: a folder is made at once or not at all. One that its maker left behind (kill -9, a reboot) is taken over.
lock() { # FOLDER
  lock_folder=$1
  if ! mkdir "$lock_folder" 2>/dev/null; then
    lock_holder=$(cat "$lock_folder/pid" 2>/dev/null) || lock_holder=
    if [ -z "$lock_holder" ]; then
      # its maker is just about to write it, or died before it did
      [ -n "$(find "$lock_folder" -prune -mmin +1 2>/dev/null)" ] || return 1
    elif kill -0 "$lock_holder" 2>/dev/null || [ -d "/proc/$lock_holder" ]; then
      return 1
    fi
    rm -f "$lock_folder/pid" && rmdir "$lock_folder" 2>/dev/null && mkdir "$lock_folder" 2>/dev/null || return 1
  fi
  echo "$$" >"$lock_folder/pid" || return 1
}

unlock() {
  [ -n "${lock_folder-}" ] || return 0
  rm -f "$lock_folder/pid"
  rmdir "$lock_folder" 2>/dev/null
  lock_folder=
}
