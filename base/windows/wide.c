/* UTF-8 and UTF-16, and Windows' error numbers. */
#include "base/windows/wide.h"

#include "base/err.h"

#include <limits.h>
#include <string.h>
#include <windows.h>

/* From here on CreateDirectory() refuses a path: 260 less a name of the old form (8.3). */
#define LONG_FROM 248

/* Of winerror.h, which mingw-w64 10 has not in full. */
#ifndef ERROR_ELEVATION_REQUIRED
#define ERROR_ELEVATION_REQUIRED 740L
#endif
#ifndef ERROR_DISK_QUOTA_EXCEEDED
#define ERROR_DISK_QUOTA_EXCEEDED 1295L
#endif

static int last_error(void)
{
    DWORD error = GetLastError();

    if (error == ERROR_INSUFFICIENT_BUFFER)
        return OC_E_TOOBIG;
    return error == ERROR_NO_UNICODE_TRANSLATION ? OC_E_PARSE : oc_err_from_windows(error);
}

int oc_wide_from_utf8(wchar_t *out, size_t out_units, const char *text)
{
    int units = out_units > INT_MAX ? INT_MAX : (int)out_units;

    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out, units) > 0
               ? OC_OK
               : last_error();
}

int oc_wide_to_utf8(char *out, size_t out_bytes, const wchar_t *text)
{
    int bytes = out_bytes > INT_MAX ? INT_MAX : (int)out_bytes;

    return WideCharToMultiByte(CP_UTF8, 0, text, -1, out, bytes, NULL, NULL) > 0 ? OC_OK
                                                                                 : last_error();
}

/* The prefix for a long path: none where it has one, is relative or is short. */
static const wchar_t *prefix_of(const wchar_t *path, size_t units)
{
    if (units < LONG_FROM)
        return L"";
    if (path[0] == L'\\' && path[1] == L'\\')
        return path[2] == L'?' || path[2] == L'.' ? L"" : L"\\\\?\\UNC";
    return path[1] == L':' && path[2] == L'\\' ? L"\\\\?\\" : L"";
}

int oc_wide_path(wchar_t *out, size_t out_units, const char *path)
{
    const wchar_t *prefix = NULL;
    size_t units = 0, prefix_units = 0, kept_from = 0;
    int rc = oc_wide_from_utf8(out, out_units, path);

    if (rc < 0)
        return rc;
    for (wchar_t *at = out; *at; at++)
        if (*at == L'/')
            *at = L'\\';
    units = wcslen(out);
    prefix = prefix_of(out, units);
    prefix_units = wcslen(prefix);
    if (!prefix_units)
        return OC_OK;
    kept_from = out[0] == L'\\' ? 1 : 0; /* of `\\server` one stays behind `\\?\UNC` */
    if (units - kept_from + prefix_units >= out_units)
        return OC_E_TOOBIG;
    memmove(out + prefix_units, out + kept_from, (units - kept_from + 1) * sizeof(*out));
    memcpy(out, prefix, prefix_units * sizeof(*out));
    return OC_OK;
}

static const struct {
    DWORD error_number;
    int code;
} codes[] = {
    { ERROR_SUCCESS, OC_OK },
    { ERROR_FILE_NOT_FOUND, OC_E_NOENT },
    { ERROR_PATH_NOT_FOUND, OC_E_NOENT },
    { ERROR_INVALID_DRIVE, OC_E_NOENT },
    { ERROR_BAD_PATHNAME, OC_E_NOENT },
    { ERROR_INVALID_NAME, OC_E_NOENT },
    { ERROR_BAD_NETPATH, OC_E_NOENT },
    { ERROR_BAD_NET_NAME, OC_E_NOENT },
    { ERROR_MOD_NOT_FOUND, OC_E_NOENT },
    { ERROR_SERVICE_DOES_NOT_EXIST, OC_E_NOENT },
    { ERROR_NOT_FOUND, OC_E_NOENT },
    { ERROR_NONE_MAPPED, OC_E_NOENT },
    { ERROR_TOO_MANY_OPEN_FILES, OC_E_NOFILE },
    { ERROR_NO_SYSTEM_RESOURCES, OC_E_NOFILE },
    { ERROR_ACCESS_DENIED, OC_E_DENIED },
    { ERROR_WRITE_PROTECT, OC_E_DENIED },
    { ERROR_PRIVILEGE_NOT_HELD, OC_E_DENIED },
    { ERROR_ELEVATION_REQUIRED, OC_E_DENIED },
    { ERROR_NOT_ENOUGH_MEMORY, OC_E_NOMEM },
    { ERROR_OUTOFMEMORY, OC_E_NOMEM },
    { ERROR_COMMITMENT_LIMIT, OC_E_NOMEM },
    { ERROR_HANDLE_DISK_FULL, OC_E_NOSPC },
    { ERROR_DISK_FULL, OC_E_NOSPC },
    { ERROR_DISK_QUOTA_EXCEEDED, OC_E_NOSPC },
    { ERROR_SHARING_VIOLATION, OC_E_BUSY },
    { ERROR_LOCK_VIOLATION, OC_E_BUSY },
    { ERROR_BUSY, OC_E_BUSY },
    { ERROR_PIPE_BUSY, OC_E_BUSY },
    { ERROR_FILE_EXISTS, OC_E_EXISTS },
    { ERROR_ALREADY_EXISTS, OC_E_EXISTS },
    { ERROR_SERVICE_EXISTS, OC_E_EXISTS },
    { ERROR_BROKEN_PIPE, OC_E_GONE },
    { ERROR_NO_DATA, OC_E_GONE },
    { ERROR_PIPE_NOT_CONNECTED, OC_E_GONE },
    { ERROR_PROCESS_ABORTED, OC_E_GONE },
    { ERROR_INVALID_PARAMETER, OC_E_INVAL },
    { ERROR_FILENAME_EXCED_RANGE, OC_E_TOOBIG },
    { ERROR_BUFFER_OVERFLOW, OC_E_TOOBIG },
    { ERROR_MORE_DATA, OC_E_TOOBIG },
    { ERROR_INVALID_FUNCTION, OC_E_NOTSUP },
    { ERROR_CALL_NOT_IMPLEMENTED, OC_E_NOTSUP },
    { ERROR_NOT_SUPPORTED, OC_E_NOTSUP },
    { ERROR_PROC_NOT_FOUND, OC_E_NOTSUP },
    { ERROR_SEM_TIMEOUT, OC_E_TIMEOUT },
    { WAIT_TIMEOUT, OC_E_TIMEOUT },
    { ERROR_SERVICE_REQUEST_TIMEOUT, OC_E_TIMEOUT },
};

int oc_err_from_windows(unsigned long error_number)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (codes[i].error_number == error_number)
            return codes[i].code;
    return OC_E_IO;
}
