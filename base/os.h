/*
 * What the OS gives to every room: clocks, folders, files, locks, free space, the terminal.
 * linux/ and windows/ fulfil it. Paths are UTF-8 on both.
 */
#ifndef OC_BASE_OS_H
#define OC_BASE_OS_H

#include <stddef.h>
#include <stdint.h>

struct oc_detail;

/* ---- clocks ---- */
int64_t oc_clock_mono_ns(void);       /* never jumps; stands still in suspend */
int64_t oc_clock_boot_ns(void);       /* never jumps; goes on in suspend: the axis of all series */
int64_t oc_clock_unix_ms(void);       /* wall clock; jumps */
int64_t oc_clock_thread_cpu_ns(void); /* CPU time of the calling thread */

/* A boot's identity (Linux: boot_id; 36 characters). Returns 0 or a code. */
int oc_os_boot_id(char out_id[40]);

/* ---- folders ---- */
/* Where the store of this user (root, service: of the system) lives: $OOMCAST_DB's folder is the
 * caller's business. Linux: /var/lib/oomcast for root, else $XDG_STATE_HOME/oomcast or
 * ~/.local/state/oomcast. */
int oc_os_user_state_dir(char *out_path, size_t out_bytes);
int oc_os_system_state_dir(char *out_path, size_t out_bytes);
/* For sockets. Linux: /run/oomcast for root, else $XDG_RUNTIME_DIR/oomcast, else the state folder.
 */
int oc_os_runtime_dir(char *out_path, size_t out_bytes);
/* The config file that is read with none named. Linux: /etc/oomcast/oomcast.json for root, else
 * $XDG_CONFIG_HOME/oomcast/oomcast.json or ~/.config/…, else the system's where the user has none. */
int oc_os_config_path(char *out_path, size_t out_bytes);
/* Names in a folder that end with suffix and begin with no dot, sorted, each NUL-terminated, one behind the other, ended by
 * an empty one; yours to free. OC_E_NOENT, OC_E_DENIED, OC_E_TOOBIG beyond max_names. */
int oc_dir_list(const char *path, const char *suffix, size_t max_names, char **out_names);
/* Makes a folder with its parents, mode 0750 where the OS has modes. 0 also when it is there. */
int oc_os_mkdir_all(const char *path);

/* How much of a path is its folder, with the last separator ('/'; on Windows '\' and the ':' of a drive too); 0: a bare
 * name. */
size_t oc_path_folder_bytes(const char *path);
char oc_path_separator(void); /* '/' or '\': what people see between a folder and a name */

/* ---- files ---- */
/* All of a file up to max_bytes, NUL-terminated; *out_text is yours to free. OC_E_TOOBIG beyond. */
int oc_file_read(const char *path, size_t max_bytes, char **out_text, size_t *out_bytes);
/* Writes beside it and renames over it: never half a file. */
int oc_file_write_atomic(const char *path, const void *bytes, size_t len_bytes);
int oc_file_exists(const char *path);
int oc_file_size(const char *path, uint64_t *out_bytes);
int oc_file_rename(const char *from, const char *to);
int oc_file_remove(const char *path);
/* OC_OK where the calling user may read it, OC_E_DENIED, OC_E_NOENT … */
int oc_file_readable(const char *path);
/*
 * OC_OK where nobody but root and this process's user could change the file, its folder or a folder above; links are
 * followed. OC_E_DENIED: *detail says what is open and the mend. OC_E_NOENT and others as stat().
 * What was right may change later: look again before the file is used.
 */
int oc_file_guarded(const char *path, struct oc_detail *detail);
/* Name of the file's owning user and group, for messages ("root", "oomcast"); "" where there is
 * none. */
int oc_file_owner(const char *path, char *out_user, size_t user_bytes, char *out_group,
                  size_t group_bytes);
/* Bytes that an unprivileged writer may still use on the volume of path. */
int oc_os_free_bytes(const char *path, uint64_t *out_bytes);

/* ---- one at a time ---- */
typedef struct oc_lock oc_lock;
/* Takes an exclusive lock file (its content: the holder's PID). OC_E_BUSY: *out_holder_pid has it,
 * 0 where unknown. Ends with the process. */
int oc_lock_take(const char *path, oc_lock **out_lock, uint32_t *out_holder_pid);
void oc_lock_release(oc_lock *lock);

/* ---- threads: mutex, condition, thread, all that the writer needs; libuv is for daemon/ alone
 * ---- */

/* ---- the terminal ---- */
enum oc_stream { OC_STDIN, OC_STDOUT, OC_STDERR };
int oc_term_is_tty(enum oc_stream stream);
/* Columns and rows; OC_E_NOTSUP where it is no terminal. */
int oc_term_size(enum oc_stream stream, int *out_columns, int *out_rows);
/* Makes a Windows console take UTF-8 and escape sequences; nothing on Linux. */
void oc_term_init(void);
/*
 * Writes to standard output or error: to a console of Windows as Unicode, whatever its code page; to all else the bytes. Order
 * is kept with what stdio writes; fflush() is the caller's. 0 or OC_E_IO.
 */
int oc_term_write(enum oc_stream stream, const char *text, size_t len_bytes);

/* ---- this process ---- */
/* The program's arguments as UTF-8; first in main(). Windows hands main() another code page; nothing on Linux. Kept for
 * ever. 0, OC_E_NOMEM. */
int oc_os_args(int *argc, char ***argv);
uint32_t oc_os_pid(void);
/* "linux", "windows". Borrowed for ever. */
const char *oc_os_name(void);
/* What stands between the parts of a path as this OS writes it: '/' or '\\'. */
char oc_os_path_separator(void);
int oc_os_is_admin(void); /* root, or elevated */
int oc_os_hostname(char *out_name, size_t out_bytes);
/* Raises the descriptor limit to its hard maximum; gives the limit now in force (UINT64_MAX: none).
 */
uint64_t oc_os_raise_nofile(void);
/* Local wall time to broken-down fields and back, with the offset, thread-safe. */
struct oc_civil {
    int year, month, day, hour, minute, second, millisecond;
    int offset_minutes; /* east of UTC */
};
void oc_civil_from_unix_ms(int64_t unix_ms, struct oc_civil *out_civil); /* local time zone */
int64_t
oc_civil_to_unix_ms(const struct oc_civil *civil); /* local time; offset_minutes is ignored */

#endif
