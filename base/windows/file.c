/* Files on Windows. */
#include "base/os.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"
#include "base/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define ONCE_BYTES (1u << 30) /* at most in one call, whose count has 32 bits */
#define RENAME_TRIES 10       /* a virus scanner holds a new file for a moment */
#define RENAME_PAUSE_MS 10

/* Opens as CreateFileW() does, shared with all. */
static int open_file(const char *path, DWORD access, DWORD how, DWORD flags, HANDLE *out_file)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    HANDLE file = INVALID_HANDLE_VALUE;
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    file = CreateFileW(wide, access, SHARE_ALL, NULL, how, flags, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return oc_err_from_windows(GetLastError());
    *out_file = file;
    return OC_OK;
}

/* Reads until the end or the maximum; the byte for the NUL tells too long from just right. */
static int read_all(HANDLE file, char *text, size_t max_bytes, size_t *out_bytes)
{
    size_t got_bytes = 0;

    while (got_bytes <= max_bytes) {
        size_t left = max_bytes + 1 - got_bytes;
        DWORD n = 0;

        if (!ReadFile(file, text + got_bytes, left < ONCE_BYTES ? (DWORD)left : ONCE_BYTES, &n,
                      NULL) &&
            GetLastError() != ERROR_BROKEN_PIPE) /* the end of a pipe */
            return oc_err_from_windows(GetLastError());
        if (n == 0) {
            *out_bytes = got_bytes;
            return OC_OK;
        }
        got_bytes += n;
    }
    return OC_E_TOOBIG;
}

int oc_file_read(const char *path, size_t max_bytes, char **out_text, size_t *out_bytes)
{
    char *text = NULL;
    size_t got_bytes = 0;
    HANDLE file = NULL;
    int rc = open_file(path, GENERIC_READ, OPEN_EXISTING, 0, &file);

    if (rc < 0)
        return rc;
    text = oc_malloc(max_bytes + 2);
    rc = text ? read_all(file, text, max_bytes, &got_bytes) : OC_E_NOMEM;
    (void)CloseHandle(file); /* read only: nothing to lose */
    if (rc) {
        oc_free(text);
        return rc;
    }
    text[got_bytes] = '\0';
    *out_text = text;
    *out_bytes = got_bytes;
    return OC_OK;
}

static int write_all(HANDLE file, const char *bytes, size_t len_bytes)
{
    while (len_bytes) {
        DWORD n = 0;

        if (!WriteFile(file, bytes, len_bytes < ONCE_BYTES ? (DWORD)len_bytes : ONCE_BYTES, &n,
                       NULL))
            return oc_err_from_windows(GetLastError());
        bytes += n;
        len_bytes -= n;
    }
    return FlushFileBuffers(file) ? OC_OK : oc_err_from_windows(GetLastError());
}

static int is_held(int rc) { return rc == OC_E_BUSY || rc == OC_E_DENIED; }

static int move(const char *from, const char *to)
{
    wchar_t wide_from[OC_WIDE_PATH_UNITS], wide_to[OC_WIDE_PATH_UNITS];
    int rc = oc_wide_path(wide_from, OC_WIDE_PATH_UNITS, from);

    if (rc == OC_OK)
        rc = oc_wide_path(wide_to, OC_WIDE_PATH_UNITS, to);
    if (rc < 0)
        return rc;
    return MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)
               ? OC_OK
               : oc_err_from_windows(GetLastError());
}

int oc_file_rename(const char *from, const char *to)
{
    int rc = move(from, to);

    for (int tries = 1; is_held(rc) && oc_file_exists(from) && tries < RENAME_TRIES; tries++) {
        Sleep(RENAME_PAUSE_MS);
        rc = move(from, to);
    }
    return rc;
}

int oc_file_write_atomic(const char *path, const void *bytes, size_t len_bytes)
{
    char beside[OC_WIDE_PATH_UNITS];
    HANDLE file = NULL;
    int rc = OC_OK;
    int len =
        snprintf(beside, sizeof(beside), "%s.new-%lu", path, (unsigned long)GetCurrentProcessId());

    if (len < 0 || (size_t)len >= sizeof(beside))
        return OC_E_TOOBIG;
    rc = open_file(beside, GENERIC_WRITE, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, &file);
    if (rc < 0)
        return rc;
    rc = write_all(file, bytes, len_bytes);
    if (!CloseHandle(file) && !rc)
        rc = oc_err_from_windows(GetLastError());
    if (!rc)
        rc = oc_file_rename(beside, path);
    if (rc)
        (void)oc_file_remove(beside);
    return rc;
}

/* "x/." is a folder; Windows alone would take a file x for it. */
static int says_folder(const char *path)
{
    size_t len = strlen(path);

    return len >= 2 && path[len - 1] == '.' && (path[len - 2] == '/' || path[len - 2] == '\\');
}

int oc_file_exists(const char *path)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    DWORD attributes = INVALID_FILE_ATTRIBUTES;

    if (oc_wide_path(wide, OC_WIDE_PATH_UNITS, path) == OC_OK)
        attributes = GetFileAttributesW(wide);
    return attributes != INVALID_FILE_ATTRIBUTES &&
           (!says_folder(path) || (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0);
}

int oc_file_size(const char *path, uint64_t *out_bytes)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    WIN32_FILE_ATTRIBUTE_DATA found;
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    if (!GetFileAttributesExW(wide, GetFileExInfoStandard, &found))
        return oc_err_from_windows(GetLastError());
    *out_bytes = ((uint64_t)found.nFileSizeHigh << 32) | found.nFileSizeLow;
    return OC_OK;
}

int oc_file_remove(const char *path)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    return DeleteFileW(wide) ? OC_OK : oc_err_from_windows(GetLastError());
}

/* Opened, since an access list says no more than that: rights come from groups, and integrity takes them. */
int oc_file_readable(const char *path)
{
    HANDLE file = NULL;
    int rc = open_file(path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, &file);

    if (rc == OC_OK)
        (void)CloseHandle(file);
    return rc;
}

int oc_os_free_bytes(const char *path, uint64_t *out_bytes)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    ULARGE_INTEGER free_bytes;
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    if (!GetDiskFreeSpaceExW(wide, &free_bytes, NULL, NULL)) /* of a file: of its folder */
        return oc_err_from_windows(GetLastError());
    *out_bytes = free_bytes.QuadPart;
    return OC_OK;
}
