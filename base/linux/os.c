/* Clocks, folders, locks, the terminal and this process on Linux. */
#include "base/os.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t = { 0, 0 };

    (void)clock_gettime(clock, &t); /* cannot fail for the clocks used here */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t oc_clock_mono_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

int64_t oc_clock_boot_ns(void) { return clock_ns(CLOCK_BOOTTIME); }

int64_t oc_clock_unix_ms(void) { return clock_ns(CLOCK_REALTIME) / 1000000; }

int64_t oc_clock_thread_cpu_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

int oc_os_boot_id(char out_id[40])
{
    char *text = NULL;
    size_t len_bytes = 0;
    int rc = oc_file_read("/proc/sys/kernel/random/boot_id", 64, &text, &len_bytes);

    if (rc)
        return rc;
    text[strcspn(text, "\n")] = '\0';
    rc = oc_text_copy(out_id, 40, text);
    oc_free(text);
    return rc;
}

/* base/tail, or OC_E_TOOBIG. */
static int joined(char *out, size_t out_bytes, const char *base, const char *tail)
{
    int len = snprintf(out, out_bytes, "%s%s", base, tail);

    return len < 0 || (size_t)len >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

static const char *home_dir(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user = NULL;

    if (home && *home == '/')
        return home;
    user = getpwuid(geteuid());
    return user ? user->pw_dir : NULL;
}

int oc_os_system_state_dir(char *out_path, size_t out_bytes)
{
    return oc_text_copy(out_path, out_bytes, "/var/lib/oomcast");
}

int oc_os_user_state_dir(char *out_path, size_t out_bytes)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = home_dir();

    if (geteuid() == 0)
        return oc_os_system_state_dir(out_path, out_bytes);
    if (state && *state == '/')
        return joined(out_path, out_bytes, state, "/oomcast");
    if (!home)
        return OC_E_NOENT;
    return joined(out_path, out_bytes, home, "/.local/state/oomcast");
}

int oc_os_runtime_dir(char *out_path, size_t out_bytes)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0)
        return oc_text_copy(out_path, out_bytes, "/run/oomcast");
    if (runtime && *runtime == '/')
        return joined(out_path, out_bytes, runtime, "/oomcast");
    return oc_os_user_state_dir(out_path, out_bytes);
}

int oc_os_config_path(char *out_path, size_t out_bytes)
{
    static const char system_path[] = "/etc/oomcast/oomcast.json";
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = home_dir();
    int rc = OC_E_NOENT;

    if (geteuid() != 0 && config && *config == '/')
        rc = joined(out_path, out_bytes, config, "/oomcast/oomcast.json");
    else if (geteuid() != 0 && home)
        rc = joined(out_path, out_bytes, home, "/.config/oomcast/oomcast.json");
    if (rc == OC_OK && (oc_file_exists(out_path) || !oc_file_exists(system_path)))
        return OC_OK;
    return oc_text_copy(out_path, out_bytes, system_path);
}

struct oc_lock {
    int fd;
};

int oc_lock_take(const char *path, oc_lock **out_lock, uint32_t *out_holder_pid)
{
    oc_lock *lock = NULL;
    char text[32] = "";
    uint64_t pid = 0;
    int rc = OC_OK, len = 0;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

    if (fd < 0)
        return oc_err_from_errno(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK ? OC_E_BUSY : oc_err_from_errno(errno);
        if (pread(fd, text, sizeof text - 1, 0) > 0)
            text[strcspn(text, "\n")] = '\0';
        if (out_holder_pid)
            *out_holder_pid = oc_text_u64(text, &pid) == OC_OK ? (uint32_t)pid : 0;
        goto fail;
    }
    lock = oc_malloc(sizeof *lock);
    if (!lock) {
        rc = OC_E_NOMEM;
        goto fail;
    }
    lock->fd = fd;
    len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        (void)0; /* a full disk: the lock holds all the same, only its holder's PID is not told */
    *out_lock = lock;
    return OC_OK;
fail:
    (void)close(fd);
    return rc;
}

void oc_lock_release(oc_lock *lock)
{
    if (!lock)
        return;
    (void)close(lock->fd);
    oc_free(lock);
}

static int stream_fd(enum oc_stream stream)
{
    return stream == OC_STDIN ? STDIN_FILENO : stream == OC_STDOUT ? STDOUT_FILENO : STDERR_FILENO;
}

int oc_term_is_tty(enum oc_stream stream) { return isatty(stream_fd(stream)); }

int oc_term_size(enum oc_stream stream, int *out_columns, int *out_rows)
{
    struct winsize size;

    if (ioctl(stream_fd(stream), TIOCGWINSZ, &size) != 0 || !size.ws_col)
        return OC_E_NOTSUP;
    *out_columns = size.ws_col;
    *out_rows = size.ws_row;
    return OC_OK;
}

void oc_term_init(void) {}

int oc_term_write(enum oc_stream stream, const char *text, size_t len_bytes)
{
    FILE *file = stream == OC_STDOUT ? stdout : stderr;

    return fwrite(text, 1, len_bytes, file) == len_bytes ? OC_OK : OC_E_IO;
}

uint32_t oc_os_pid(void) { return (uint32_t)getpid(); }

const char *oc_os_name(void) { return "linux"; }
char oc_os_path_separator(void) { return '/'; }

int oc_os_is_admin(void) { return geteuid() == 0; }

int oc_os_hostname(char *out_name, size_t out_bytes)
{
    if (gethostname(out_name, out_bytes) != 0)
        return oc_err_from_errno(errno);
    out_name[out_bytes - 1] = '\0';
    return OC_OK;
}

int oc_os_args(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return OC_OK;
}

uint64_t oc_os_raise_nofile(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    if (limit.rlim_cur != limit.rlim_max) {
        rlim_t before = limit.rlim_cur;

        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

void oc_civil_from_unix_ms(int64_t unix_ms, struct oc_civil *out_civil)
{
    int64_t ms = unix_ms % 1000 < 0 ? unix_ms % 1000 + 1000 : unix_ms % 1000;
    time_t seconds = (time_t)((unix_ms - ms) / 1000);
    struct tm tm;

    memset(&tm, 0, sizeof tm);
    (void)localtime_r(&seconds, &tm);
    *out_civil =
        (struct oc_civil){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                           tm.tm_min,         tm.tm_sec,     (int)ms,    (int)(tm.tm_gmtoff / 60) };
}

int64_t oc_civil_to_unix_ms(const struct oc_civil *civil)
{
    struct tm tm;

    memset(&tm, 0, sizeof tm);
    tm.tm_year = civil->year - 1900;
    tm.tm_mon = civil->month - 1;
    tm.tm_mday = civil->day;
    tm.tm_hour = civil->hour;
    tm.tm_min = civil->minute;
    tm.tm_sec = civil->second;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * 1000 + civil->millisecond;
}
