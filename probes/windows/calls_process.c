/* Real calls that know processes: by a list, by handles that read no memory. */
#include "probes/windows/calls.h"

#include "base/text.h"
#include "probes/windows/utf16.h"

#include <string.h>

/* Classes that the headers lack. */
enum {
    PROCESS_BASIC = 0,
    PROCESS_VM_COUNTERS = 3,
    PROCESS_SESSION = 24,
    PROCESS_WOW64 = 26,
    PROCESS_COMMAND_LINE = 60, /* 8.1 and later */
    PROCESS_PROTECTION = 61,   /* 8.1 and later */
    SYSTEM_PROCESSES = 5
};

/* VM_COUNTERS_EX of ntddk.h, 64-bit. */
struct vm_counters {
    uint64_t peak_virtual, virtual_size;
    uint32_t fault_count, unused;
    uint64_t peak_working_set, working_set;
    uint64_t pools[4];
    uint64_t pagefile, peak_pagefile;
    uint64_t private_usage;
};

struct basic {
    uint64_t exit_status, peb, affinity, priority, pid, parent;
};

static int query(struct oc_win *win, oc_win_handle process, int class, void *out, ULONG out_bytes)
{
    return oc_win_status(
        oc_win_real_of(win)->query_process(oc_win_handle_of(process), class, out, out_bytes, NULL));
}

static int real_list(struct oc_win *win, void *out, size_t max_bytes, size_t *out_bytes)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_LIST);
    ULONG wanted_bytes = 0;
    int rc = oc_win_status(oc_win_real_of(win)->query_system(
        SYSTEM_PROCESSES, out, max_bytes > UINT32_MAX ? UINT32_MAX : (ULONG)max_bytes,
        &wanted_bytes));

    oc_win_end(win, OC_WIN_CALL_LIST, begin_ns);
    if (rc == OC_OK || rc == OC_E_TOOBIG)
        *out_bytes = wanted_bytes;
    return rc;
}

static int real_open(struct oc_win *win, uint32_t pid, enum oc_win_access access,
                     oc_win_handle *out)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_OPEN);
    const DWORD rights = access == OC_WIN_READ
                             ? PROCESS_QUERY_INFORMATION | PROCESS_VM_READ | SYNCHRONIZE
                             : PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    HANDLE process = OpenProcess(rights, FALSE, pid);
    DWORD error = process ? ERROR_SUCCESS : GetLastError();

    if (access == OC_WIN_READ)
        win->counts.reads_opened++;
    oc_win_end(win, OC_WIN_CALL_OPEN, begin_ns);
    if (error == ERROR_INVALID_PARAMETER)
        return OC_E_GONE; /* no such PID */
    if (error == ERROR_SUCCESS)
        *out = (oc_win_handle)process;
    return oc_win_error(error);
}

static void real_close(struct oc_win *win, oc_win_handle handle)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_CLOSE);

    (void)CloseHandle(oc_win_handle_of(handle));
    oc_win_end(win, OC_WIN_CALL_CLOSE, begin_ns);
}

/* What GetProcessMemoryInfo() asks too, and with it the size of the address space. */
static int real_memory(struct oc_win *win, oc_win_handle process, struct oc_win_memory *out)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_MEMORY);
    struct vm_counters counters = { 0 };
    int rc = query(win, process, PROCESS_VM_COUNTERS, &counters, sizeof counters);

    oc_win_end(win, OC_WIN_CALL_MEMORY, begin_ns);
    if (rc != OC_OK)
        return rc;
    out->private_usage = counters.private_usage;
    out->pagefile_usage = counters.pagefile;
    out->working_set = counters.working_set;
    out->peak_working_set = counters.peak_working_set;
    out->fault_count = counters.fault_count;
    out->virtual_size = counters.virtual_size;
    return OC_OK;
}

static uint64_t filetime(const FILETIME *time)
{
    return (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

static int real_times(struct oc_win *win, oc_win_handle process, struct oc_win_times *out)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_TIMES);
    FILETIME created, ended, kernel, user;
    BOOL done = GetProcessTimes(oc_win_handle_of(process), &created, &ended, &kernel, &user);
    DWORD error = done ? ERROR_SUCCESS : GetLastError();

    oc_win_end(win, OC_WIN_CALL_TIMES, begin_ns);
    if (!done)
        return oc_win_error(error);
    out->created = filetime(&created);
    out->cpu_ns = (filetime(&kernel) + filetime(&user)) * 100;
    return OC_OK;
}

static int real_handles(struct oc_win *win, oc_win_handle process, uint32_t *out_count)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_HANDLES);
    DWORD count = 0;
    BOOL done = GetProcessHandleCount(oc_win_handle_of(process), &count);
    DWORD error = done ? ERROR_SUCCESS : GetLastError();

    oc_win_end(win, OC_WIN_CALL_HANDLES, begin_ns);
    if (done && count == 0)
        return OC_E_NOTSUP; /* Wine counts none */
    if (done)
        *out_count = count;
    return oc_win_error(error);
}

static int real_exited(struct oc_win *win, oc_win_handle process, uint32_t *out_code)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_EXITED);
    const DWORD state = WaitForSingleObject(oc_win_handle_of(process), 0);
    DWORD code = 0;
    int rc = OC_OK;

    /* the code alone does not tell: 259 is STILL_ACTIVE and may be a program's own */
    if (state == WAIT_OBJECT_0 && GetExitCodeProcess(oc_win_handle_of(process), &code))
        rc = 1;
    else if (state == WAIT_FAILED)
        rc = oc_win_error(GetLastError());
    oc_win_end(win, OC_WIN_CALL_EXITED, begin_ns);
    if (rc == 1)
        *out_code = code;
    return rc;
}

static int real_image(struct oc_win *win, oc_win_handle process, char *out, size_t out_bytes)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_IMAGE);
    WCHAR path[OC_WIN_PATH_UNITS];
    DWORD units = OC_WIN_PATH_UNITS;
    BOOL done = QueryFullProcessImageNameW(oc_win_handle_of(process), 0, path, &units);
    DWORD error = done ? ERROR_SUCCESS : GetLastError();

    oc_win_end(win, OC_WIN_CALL_IMAGE, begin_ns);
    return done ? oc_win_narrow(path, out, out_bytes) : oc_win_error(error);
}

static void find_job(HANDLE process, struct oc_win_basics *basics)
{
    BOOL in_job = FALSE;

    if (!IsProcessInJob(process, NULL, &in_job))
        return;
    basics->is_in_job = in_job != FALSE;
    basics->has_job = 1;
}

static void find_bitness(struct oc_win *win, oc_win_handle process, struct oc_win_basics *basics)
{
    uint64_t wow64 = 0;

    if (query(win, process, PROCESS_WOW64, &wow64, sizeof wow64) != OC_OK || wow64 == 0)
        return;
    basics->is_32bit = 1;
    if (wow64 == 1) /* Wine: its 32-bit PEB is the page behind the 64-bit one */
        wow64 = basics->peb ? basics->peb + 0x1000 : 0;
    basics->peb32 = wow64;
}

static int real_basics(struct oc_win *win, oc_win_handle process, struct oc_win_basics *out)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_BASICS);
    struct oc_win_basics basics = { 0 };
    struct basic basic = { 0 };
    unsigned char protection = 0;
    int rc = query(win, process, PROCESS_BASIC, &basic, sizeof basic);

    if (rc == OC_OK) {
        basics.peb = basic.peb;
        basics.parent_pid = (uint32_t)basic.parent;
        basics.has_session =
            query(win, process, PROCESS_SESSION, &basics.session, sizeof basics.session) == OC_OK;
        basics.has_protection =
            query(win, process, PROCESS_PROTECTION, &protection, sizeof protection) == OC_OK;
        basics.is_protected = protection != 0;
        find_bitness(win, process, &basics);
        find_job(oc_win_handle_of(process), &basics);
        *out = basics;
    }
    oc_win_end(win, OC_WIN_CALL_BASICS, begin_ns);
    return rc;
}

#define CMDLINE_BYTES                                                                              \
    (2 * 32768 + sizeof(UNICODE_STRING)) /* the longest that CreateProcess takes */

static int query_cmdline(struct oc_win *win, oc_win_handle process, char *out, size_t out_bytes)
{
    UNICODE_STRING *text = (UNICODE_STRING *)(void *)HeapAlloc(GetProcessHeap(), 0, CMDLINE_BYTES);
    int rc = OC_E_NOMEM;

    if (!text)
        return rc;
    rc = query(win, process, PROCESS_COMMAND_LINE, text, (ULONG)CMDLINE_BYTES);
    if (rc == OC_OK && !text->Buffer)
        out[0] = '\0';
    else if (rc == OC_OK)
        (void)oc_win_utf8(text->Buffer, text->Length / sizeof(WCHAR), out, out_bytes);
    (void)HeapFree(GetProcessHeap(), 0, text);
    return rc;
}

static int real_cmdline(struct oc_win *win, oc_win_handle process, char *out, size_t out_bytes)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_CMDLINE);
    int rc = query_cmdline(win, process, out, out_bytes);

    oc_win_end(win, OC_WIN_CALL_CMDLINE, begin_ns);
    return rc == OC_E_IO && win->is_wine ? OC_E_NOTSUP : rc;
}

/* ---- the user ---- */

static int name_of_sid(PSID sid, char *out, size_t out_bytes)
{
    WCHAR name[256], domain[256];
    DWORD name_units = 256, domain_units = 256;
    SID_NAME_USE use = SidTypeUnknown;
    size_t used = 0;

    if (!LookupAccountSidW(NULL, sid, name, &name_units, domain, &domain_units, &use))
        return oc_win_error(GetLastError());
    if (domain_units > 0) {
        used = oc_win_utf8(domain, domain_units, out, out_bytes - 1);
        out[used++] = '\\';
    }
    (void)oc_win_utf8(name, name_units, out + used, out_bytes - used);
    return OC_OK;
}

/* Of those seen before without asking. */
static int known_name(struct oc_win_real *real, PSID sid, char *out, size_t out_bytes)
{
    const DWORD sid_bytes = GetLengthSid(sid);
    struct oc_win_known_user *user = NULL;
    int rc = OC_OK;

    if (sid_bytes > OC_WIN_SID_BYTES)
        return OC_E_TOOBIG;
    for (unsigned i = 0; i < real->user_count; i++) {
        if (EqualSid(real->users[i].sid, sid))
            return oc_text_copy(out, out_bytes, real->users[i].name);
    }
    user = &real->users[real->user_next];
    rc = name_of_sid(sid, user->name, sizeof user->name);
    if (rc != OC_OK)
        return rc;
    memcpy(user->sid, sid, sid_bytes);
    real->user_next = (real->user_next + 1) % OC_WIN_USERS_MAX;
    if (real->user_count < OC_WIN_USERS_MAX)
        real->user_count++;
    return oc_text_copy(out, out_bytes, user->name);
}

static int query_user(struct oc_win_real *real, HANDLE process, char *out, size_t out_bytes)
{
    union {
        TOKEN_USER user;
        unsigned char bytes[sizeof(TOKEN_USER) + OC_WIN_SID_BYTES];
    } answer;
    DWORD got_bytes = 0;
    HANDLE token = NULL;
    int rc = OC_OK;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return oc_win_error(GetLastError());
    if (GetTokenInformation(token, TokenUser, &answer, sizeof answer, &got_bytes))
        rc = known_name(real, answer.user.User.Sid, out, out_bytes);
    else
        rc = oc_win_error(GetLastError());
    (void)CloseHandle(token);
    return rc;
}

static int real_user(struct oc_win *win, oc_win_handle process, char *out, size_t out_bytes)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_USER);
    int rc = query_user(oc_win_real_of(win), oc_win_handle_of(process), out, out_bytes);

    oc_win_end(win, OC_WIN_CALL_USER, begin_ns);
    return rc;
}

void oc_win_calls_process(struct oc_win *win)
{
    win->list = real_list;
    win->open = real_open;
    win->close = real_close;
    win->memory = real_memory;
    win->times = real_times;
    win->handles = real_handles;
    win->exited = real_exited;
    win->image = real_image;
    win->basics = real_basics;
    win->cmdline = real_cmdline;
    win->user = real_user;
}
