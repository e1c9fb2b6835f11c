/*
 * What the calls*.c files share. Together they are the only files of this folder that know <windows.h>.
 */
#ifndef OC_PROBES_WINDOWS_CALLS_H
#define OC_PROBES_WINDOWS_CALLS_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef PSAPI_VERSION
#define PSAPI_VERSION 2 /* of kernel32, not psapi.dll */
#endif
#include <windows.h>

#include <psapi.h>
#include <winternl.h>

#include "probes/windows/win.h"

#define OC_WIN_PATH_UNITS 1024 /* a path longer than this is no process's or library's of note */
#define OC_WIN_USERS_MAX 16    /* names of users kept: asking may ask the domain's controller */
#define OC_WIN_SID_BYTES 68    /* SECURITY_MAX_SID_SIZE */

struct oc_win_known_user {
    unsigned char sid[OC_WIN_SID_BYTES];
    char name[128];
};

/* The real table. */
struct oc_win_real {
    struct oc_win win; /* first */
    /* looked up: older Windows, or Wine, has not all of them */
    NTSTATUS(NTAPI *query_process)(HANDLE, int, void *, ULONG, ULONG *);
    NTSTATUS(NTAPI *query_thread)(HANDLE, int, void *, ULONG, ULONG *);
    NTSTATUS(NTAPI *query_system)(int, void *, ULONG, ULONG *);
    struct oc_win_known_user users[OC_WIN_USERS_MAX];
    unsigned user_count, user_next;
    uint32_t cpu_count;
    uint64_t top_address;
    uint64_t commit_growth; /* by how much the page files may still grow */
    int64_t commit_max_mono_ns;
    int has_commit_growth;
    struct oc_win_log *log; /* of calls_log.c; NULL: not opened yet */
    int log_code;           /* why there is none */
};

static inline struct oc_win_real *oc_win_real_of(struct oc_win *win)
{
    return (struct oc_win_real *)(void *)win;
}
static inline HANDLE oc_win_handle_of(oc_win_handle handle) { return (HANDLE)handle; }

/* Counts a call, and times it where that is asked for: what begin gave goes to end. */
int64_t oc_win_begin(struct oc_win *win, enum oc_win_call call);
void oc_win_end(struct oc_win *win, enum oc_win_call call, int64_t begin_ns);

/* The code of GetLastError(), of an NTSTATUS. */
int oc_win_error(DWORD error);
int oc_win_status(NTSTATUS status);

/* A path for W calls; OC_E_TOOBIG. */
int oc_win_wide(const char *text, WCHAR *out, size_t out_units);
/* What a W call gave. OC_E_TOOBIG: cut. */
int oc_win_narrow(const WCHAR *text, char *out, size_t out_bytes);

/* Into the table. */
void oc_win_calls_process(struct oc_win *win);
void oc_win_calls_memory(struct oc_win *win);
void oc_win_calls_system(struct oc_win *win);
void oc_win_calls_wait(struct oc_win *win);
void oc_win_calls_log(struct oc_win *win);
void oc_win_log_close(struct oc_win_real *real);

#endif
