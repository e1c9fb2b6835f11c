#include "tests/support/folder.h"

#include "base/os.h"
#include "base/windows/wide.h"

#include <stdio.h>
#include <windows.h>

#define TRIES 100

static int fail_with(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s, error %lu\n", path, why, GetLastError());
    return -1;
}

/* With '/', since tests put it into JSON and shells. */
static int temporary_folder(char *out_path, size_t out_bytes)
{
    wchar_t wide[MAX_PATH + 1];
    DWORD units = GetTempPathW(MAX_PATH + 1, wide);

    if (units < 2 || units > MAX_PATH)
        return -1;
    wide[units - 1] = L'\0'; /* it ends with a separator */
    for (wchar_t *at = wide; *at; at++)
        if (*at == L'\\')
            *at = L'/';
    return oc_wide_to_utf8(out_path, out_bytes, wide);
}

int make_folder(const char *prefix, char *out_path, size_t out_bytes)
{
    char above[OC_WIDE_PATH_UNITS];

    if (temporary_folder(above, sizeof(above)) < 0)
        return fail_with("TMP", "no folder");
    for (unsigned i = 0; i < TRIES; i++) {
        wchar_t wide[OC_WIDE_PATH_UNITS];
        int len = snprintf(out_path, out_bytes, "%s/%s-%lx-%llx", above, prefix,
                           GetCurrentProcessId(), (unsigned long long)oc_clock_boot_ns() + i);

        if (len < 0 || (size_t)len >= out_bytes ||
            oc_wide_path(wide, OC_WIDE_PATH_UNITS, out_path) < 0)
            return fail_with(above, "too long");
        if (CreateDirectoryW(wide, NULL))
            return 0;
    }
    return fail_with(out_path, "could not be made");
}

static int remove_all(const char *path);

static int remove_entry(const char *folder, const WIN32_FIND_DATAW *entry)
{
    char name[3 * MAX_PATH], path[OC_WIDE_PATH_UNITS];
    int len = 0;

    if (wcscmp(entry->cFileName, L".") == 0 || wcscmp(entry->cFileName, L"..") == 0)
        return 0;
    if (oc_wide_to_utf8(name, sizeof(name), entry->cFileName) < 0)
        return -1;
    len = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof(path))
        return -1;
    if (entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
        return remove_all(path);
    return oc_file_remove(path) < 0 && oc_file_exists(path) ? fail_with(path, "stays") : 0;
}

static int remove_all(const char *path)
{
    wchar_t wide[OC_WIDE_PATH_UNITS], pattern[OC_WIDE_PATH_UNITS + 2];
    WIN32_FIND_DATAW entry;
    HANDLE find = INVALID_HANDLE_VALUE;
    int rc = 0;

    if (oc_wide_path(wide, OC_WIDE_PATH_UNITS, path) < 0)
        return -1;
    (void)wcscpy(pattern, wide);
    (void)wcscat(pattern, L"\\*");
    find = FindFirstFileW(pattern, &entry);
    if (find == INVALID_HANDLE_VALUE)
        return 0;
    do {
        if (remove_entry(path, &entry) != 0)
            rc = -1;
    } while (FindNextFileW(find, &entry));
    (void)FindClose(find);
    if (!RemoveDirectoryW(wide) && oc_file_exists(path))
        return fail_with(path, "stays");
    return rc;
}

int remove_folder(const char *path) { return remove_all(path); }
