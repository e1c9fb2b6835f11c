/* The real calls of Windows: opening the table, counting, errors. */
#include "probes/windows/calls.h"

#include "base/alloc.h"
#include "base/os.h"
#include "probes/windows/utf16.h"

#include <string.h>

/* ---- counts ---- */

int64_t oc_win_begin(struct oc_win *win, enum oc_win_call call)
{
    win->counts.calls[call]++;
    return win->counts.has_times ? oc_clock_mono_ns() : 0;
}

void oc_win_end(struct oc_win *win, enum oc_win_call call, int64_t begin_ns)
{
    if (win->counts.has_times)
        win->counts.ns[call] += oc_clock_mono_ns() - begin_ns;
}

/* ---- errors and text ---- */

int oc_win_error(DWORD error)
{
    switch (error) {
    case ERROR_SUCCESS:
        return OC_OK;
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
    case ERROR_SHARING_VIOLATION:
        return OC_E_DENIED;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_NOT_FOUND:
        return OC_E_NOENT;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
        return OC_E_NOMEM;
    case ERROR_NOT_SUPPORTED:
    case ERROR_CALL_NOT_IMPLEMENTED:
    case ERROR_INVALID_FUNCTION:
    case ERROR_PROC_NOT_FOUND:
        return OC_E_NOTSUP;
    case ERROR_INSUFFICIENT_BUFFER:
    case ERROR_MORE_DATA:
    case ERROR_BAD_LENGTH:
        return OC_E_TOOBIG;
    default:
        return OC_E_IO;
    }
}

/* Of ntstatus.h, which does not go with <windows.h>. */
#define STATUS_WORD(status) ((uint32_t)(status))

int oc_win_status(NTSTATUS status)
{
    if (status >= 0)
        return OC_OK;
    switch (STATUS_WORD(status)) {
    case 0xc0000022u: /* ACCESS_DENIED */
    case 0xc0000061u: /* PRIVILEGE_NOT_HELD */
        return OC_E_DENIED;
    case 0xc000010au: /* PROCESS_IS_TERMINATING */
    case 0xc000000bu: /* INVALID_CID */
        return OC_E_GONE;
    case 0xc0000002u: /* NOT_IMPLEMENTED */
    case 0xc0000003u: /* INVALID_INFO_CLASS */
    case 0xc00000bbu: /* NOT_SUPPORTED */
        return OC_E_NOTSUP;
    case 0xc0000004u: /* INFO_LENGTH_MISMATCH */
    case 0xc0000023u: /* BUFFER_TOO_SMALL */
    case 0x80000005u: /* BUFFER_OVERFLOW */
        return OC_E_TOOBIG;
    case 0xc0000017u: /* NO_MEMORY */
    case 0xc000009au: /* INSUFFICIENT_RESOURCES */
    case 0xc000012du: /* COMMITMENT_LIMIT */
        return OC_E_NOMEM;
    default:
        return OC_E_IO;
    }
}

int oc_win_wide(const char *text, WCHAR *out, size_t out_units)
{
    size_t units = oc_win_utf16(text, out, out_units);

    if (units == out_units)
        return OC_E_TOOBIG;
    out[units] = L'\0';
    return OC_OK;
}

int oc_win_narrow(const WCHAR *text, char *out, size_t out_bytes)
{
    const size_t units = wcslen(text);
    size_t used = oc_win_utf8(text, units, out, out_bytes);

    /* a unit is at most three bytes: only then may it have been cut */
    return used + 4 > out_bytes && units * 3 >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

/* ---- opening ---- */

static void look_up(HMODULE module, const char *name, void *out_function)
{
    FARPROC found = GetProcAddress(module, name);

    memcpy(out_function, &found, sizeof found);
}

static void find_calls(struct oc_win_real *real)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");

    look_up(ntdll, "NtQueryInformationProcess", &real->query_process);
    look_up(ntdll, "NtQueryInformationThread", &real->query_thread);
    look_up(ntdll, "NtQuerySystemInformation", &real->query_system);
    real->win.is_wine = GetProcAddress(ntdll, "wine_get_version") != NULL;
}

/* GetVersion() lies to programs whose manifest does not name the version. */
static uint32_t build_number(void)
{
    LONG(WINAPI * get_version)(OSVERSIONINFOW *) = NULL;
    OSVERSIONINFOW version = { .dwOSVersionInfoSize = sizeof version };

    look_up(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion", &get_version);
    return get_version && get_version(&version) >= 0 ? version.dwBuildNumber : 0;
}

static int is_elevated(HANDLE token)
{
    TOKEN_ELEVATION elevation = { 0 };
    DWORD got_bytes = 0;

    return GetTokenInformation(token, TokenElevation, &elevation, sizeof elevation, &got_bytes) &&
           elevation.TokenIsElevated != 0;
}

/* Administrators hold it, and it is off until asked for. */
static int enable_debug(HANDLE token)
{
    TOKEN_PRIVILEGES wanted = { .PrivilegeCount = 1 };

    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (!LookupPrivilegeValueW(NULL, L"SeDebugPrivilege", &wanted.Privileges[0].Luid))
        return 0;
    return AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL) &&
           GetLastError() == ERROR_SUCCESS; /* else ERROR_NOT_ALL_ASSIGNED */
}

static void find_rights(struct oc_win *win)
{
    HANDLE token = NULL;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES, &token))
        return;
    win->is_elevated = is_elevated(token);
    win->has_debug = enable_debug(token);
    (void)CloseHandle(token);
}

static void find_system(struct oc_win_real *real)
{
    WCHAR root[MAX_PATH];
    SYSTEM_INFO info;
    UINT units = GetSystemWindowsDirectoryW(root, MAX_PATH);

    GetNativeSystemInfo(&info);
    real->cpu_count = info.dwNumberOfProcessors;
    real->top_address = (uint64_t)(uintptr_t)info.lpMaximumApplicationAddress + 1;
    real->win.build = build_number();
    if (units == 0 || units >= MAX_PATH ||
        oc_win_narrow(root, real->win.system_root, sizeof real->win.system_root) != OC_OK)
        memcpy(real->win.system_root, "C:\\Windows", sizeof "C:\\Windows");
}

int oc_win_open(struct oc_win **out_win)
{
    struct oc_win_real *real = oc_calloc(1, sizeof *real);

    if (!real)
        return OC_E_NOMEM;
    find_calls(real);
    if (!real->query_process || !real->query_thread || !real->query_system) {
        oc_free(real);
        return OC_E_NOTSUP;
    }
    find_rights(&real->win);
    find_system(real);
    oc_win_calls_process(&real->win);
    oc_win_calls_memory(&real->win);
    oc_win_calls_system(&real->win);
    oc_win_calls_wait(&real->win);
    oc_win_calls_log(&real->win);
    *out_win = &real->win;
    return OC_OK;
}

void oc_win_close(struct oc_win *win)
{
    if (!win)
        return;
    oc_win_log_close(oc_win_real_of(win));
    oc_free(win);
}
