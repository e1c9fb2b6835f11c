/* Real calls that look into another process's memory: OC_WIN_READ handles alone. */
#include "probes/windows/calls.h"

#include <string.h>

#define THREAD_BASIC 0

struct thread_basic {
    int32_t exit_status;
    uint32_t unused;
    uint64_t teb, pid, tid, affinity;
    int32_t priority, base_priority;
};

static int has_ended(HANDLE process) { return WaitForSingleObject(process, 0) == WAIT_OBJECT_0; }

static int why_not(HANDLE process, DWORD error)
{
    if (has_ended(process))
        return OC_E_GONE;
    return error == ERROR_INVALID_PARAMETER ? OC_E_NOENT : oc_win_error(error);
}

static int real_query(struct oc_win *win, oc_win_handle process, uint64_t address,
                      struct oc_win_region *out)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_QUERY);
    MEMORY_BASIC_INFORMATION info;
    SIZE_T got = VirtualQueryEx(oc_win_handle_of(process), (const void *)(uintptr_t)address, &info,
                                sizeof info);
    DWORD error = got == sizeof info ? ERROR_SUCCESS : GetLastError();

    oc_win_end(win, OC_WIN_CALL_QUERY, begin_ns);
    if (got != sizeof info)
        return why_not(oc_win_handle_of(process), error);
    out->base = (uint64_t)(uintptr_t)info.BaseAddress;
    out->size = info.RegionSize;
    out->allocation_base = (uint64_t)(uintptr_t)info.AllocationBase;
    out->allocation_protect = info.AllocationProtect;
    out->state = info.State;
    out->protect = info.Protect;
    out->type = info.Type;
    return OC_OK;
}

static int real_mapped_name(struct oc_win *win, oc_win_handle process, uint64_t address, char *out,
                            size_t out_bytes)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_MAPPED_NAME);
    WCHAR name[OC_WIN_PATH_UNITS];
    DWORD units = GetMappedFileNameW(oc_win_handle_of(process), (void *)(uintptr_t)address, name,
                                     OC_WIN_PATH_UNITS);
    DWORD error = units ? ERROR_SUCCESS : GetLastError();
    int rc = OC_OK;

    oc_win_end(win, OC_WIN_CALL_MAPPED_NAME, begin_ns);
    if (units == 0) {
        rc = why_not(oc_win_handle_of(process), error);
        return rc == OC_E_IO ? OC_E_NOENT : rc; /* ERROR_UNEXP_NET_ERR and others: no file */
    }
    name[units < OC_WIN_PATH_UNITS ? units : OC_WIN_PATH_UNITS - 1] = L'\0';
    return oc_win_narrow(name, out, out_bytes);
}

static int real_read(struct oc_win *win, oc_win_handle process, uint64_t address, void *out,
                     size_t bytes)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_READ);
    SIZE_T got_bytes = 0;
    BOOL done = ReadProcessMemory(oc_win_handle_of(process), (const void *)(uintptr_t)address, out,
                                  bytes, &got_bytes);
    DWORD error = done ? ERROR_SUCCESS : GetLastError();

    oc_win_end(win, OC_WIN_CALL_READ, begin_ns);
    if (done && got_bytes == bytes)
        return OC_OK;
    if (has_ended(oc_win_handle_of(process)))
        return OC_E_GONE;
    return error == ERROR_ACCESS_DENIED ? OC_E_DENIED : OC_E_IO;
}

static int query_teb(struct oc_win_real *real, HANDLE thread, uint64_t *out_address)
{
    struct thread_basic basic;
    int rc = OC_OK;

    memset(&basic, 0, sizeof basic);
    rc = oc_win_status(real->query_thread(thread, THREAD_BASIC, &basic, sizeof basic, NULL));
    if (rc == OC_OK && basic.teb == 0)
        return OC_E_NOENT;
    if (rc == OC_OK)
        *out_address = basic.teb;
    return rc;
}

static int real_thread_teb(struct oc_win *win, uint32_t tid, uint64_t *out_address)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_THREAD_TEB);
    HANDLE thread = OpenThread(THREAD_QUERY_INFORMATION, FALSE, tid);
    int rc = OC_OK;

    if (!thread)
        thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, tid);
    if (thread) {
        rc = query_teb(oc_win_real_of(win), thread, out_address);
        (void)CloseHandle(thread);
    } else {
        DWORD error = GetLastError();

        rc = error == ERROR_INVALID_PARAMETER ? OC_E_GONE : oc_win_error(error);
    }
    oc_win_end(win, OC_WIN_CALL_THREAD_TEB, begin_ns);
    return rc;
}

void oc_win_calls_memory(struct oc_win *win)
{
    win->query = real_query;
    win->mapped_name = real_mapped_name;
    win->read = real_read;
    win->thread_teb = real_thread_teb;
}
