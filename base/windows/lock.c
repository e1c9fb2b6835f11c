/* One at a time, by a locked range of a file. */
#include "base/os.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"
#include "base/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

/* A lock on Windows hides what it covers: it lies behind the text, which others shall read. */
#define LOCKED_AT 0x40000000u

struct oc_lock {
    HANDLE file;
};

static int take_range(HANDLE file)
{
    OVERLAPPED at = { .Offset = LOCKED_AT };

    return LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
               ? OC_OK
               : oc_err_from_windows(GetLastError());
}

static uint32_t holder_of(HANDLE file)
{
    char text[32] = "";
    DWORD n = 0;
    uint64_t pid = 0;

    if (!ReadFile(file, text, sizeof(text) - 1, &n, NULL))
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return oc_text_u64(text, &pid) == OC_OK ? (uint32_t)pid : 0;
}

/* A full disk takes nothing: the lock holds all the same, only its holder's PID is not told. */
static void write_holder(HANDLE file)
{
    char text[32];
    DWORD n = 0;
    int len = snprintf(text, sizeof(text), "%lu\n", (unsigned long)GetCurrentProcessId());

    if (SetEndOfFile(file) && len > 0)
        (void)WriteFile(file, text, (DWORD)len, &n, NULL);
}

int oc_lock_take(const char *path, oc_lock **out_lock, uint32_t *out_holder_pid)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    HANDLE file = INVALID_HANDLE_VALUE;
    oc_lock *lock = NULL;
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS,
                       FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return oc_err_from_windows(GetLastError());
    rc = take_range(file);
    if (rc < 0) {
        if (out_holder_pid)
            *out_holder_pid = holder_of(file);
        goto fail;
    }
    lock = oc_malloc(sizeof(*lock));
    if (!lock) {
        rc = OC_E_NOMEM;
        goto fail;
    }
    lock->file = file;
    write_holder(file);
    *out_lock = lock;
    return OC_OK;
fail:
    (void)CloseHandle(file);
    return rc;
}

void oc_lock_release(oc_lock *lock)
{
    if (!lock)
        return;
    (void)CloseHandle(lock->file);
    oc_free(lock);
}
