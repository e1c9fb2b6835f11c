#include "daemon/pidfile.h"

#include "base/windows/wide.h"
#include "daemon/os.h"

#include <windows.h>

/* Its start, of a file on a disk: a pipe or a device may hang or never end. */
static int read_start(const wchar_t *path, char out[OC_PIDFILE_MAX_BYTES], size_t *out_bytes)
{
    HANDLE file =
        CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    DWORD got_bytes = 0;
    int rc = OC_OK;

    if (file == INVALID_HANDLE_VALUE)
        return oc_err_from_windows(GetLastError());
    if (GetFileType(file) != FILE_TYPE_DISK)
        rc = OC_E_INVAL;
    else if (!ReadFile(file, out, OC_PIDFILE_MAX_BYTES, &got_bytes, NULL))
        rc = oc_err_from_windows(GetLastError());
    (void)CloseHandle(file);
    if (rc == OC_OK)
        *out_bytes = got_bytes;
    return rc;
}

int oc_pidfile_read(const char *path, uint32_t *out_pid)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    char text[OC_PIDFILE_MAX_BYTES];
    size_t len_bytes = 0;
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc == OC_OK)
        rc = read_start(wide, text, &len_bytes);
    return rc < 0 ? rc : oc_pidfile_parse(text, len_bytes, out_pid);
}
