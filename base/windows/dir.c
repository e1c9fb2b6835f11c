/* What a folder holds, and making one. */
#include "base/os.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/windows/wide.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define NAME_BYTES (3 * MAX_PATH + 1) /* a unit of UTF-16 is at most three bytes of UTF-8 */

struct names {
    char **items;
    size_t count, capacity;
};

static int ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), tail = strlen(suffix);

    return len >= tail && strcmp(name + len - tail, suffix) == 0;
}

static int add(struct names *names, const char *name, size_t max_names)
{
    void *items = names->items;
    int rc = OC_OK;

    if (names->count >= max_names)
        return OC_E_TOOBIG;
    rc =
        oc_array_grow(&items, &names->capacity, names->count + 1, sizeof(*names->items), max_names);
    names->items = items;
    if (rc < 0)
        return rc;
    names->items[names->count] = oc_strdup(name);
    return names->items[names->count++] ? OC_OK : OC_E_NOMEM;
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

/* One behind the other, ended by an empty one. */
static char *joined(const struct names *names)
{
    size_t bytes = 1;
    char *text = NULL, *at = NULL;

    for (size_t i = 0; i < names->count; i++)
        bytes += strlen(names->items[i]) + 1;
    text = oc_malloc(bytes);
    at = text;
    for (size_t i = 0; text && i < names->count; i++) {
        size_t len = strlen(names->items[i]) + 1;

        memcpy(at, names->items[i], len);
        at += len;
    }
    if (text)
        *at = '\0';
    return text;
}

static int take(struct names *names, const WIN32_FIND_DATAW *entry, const char *suffix,
                size_t max_names)
{
    char name[NAME_BYTES];
    int rc = oc_wide_to_utf8(name, sizeof(name), entry->cFileName);

    if (rc < 0 || name[0] == '.' || !ends_with(name, suffix))
        return rc;
    return add(names, name, max_names);
}

static int read_names(HANDLE find, WIN32_FIND_DATAW *entry, const char *suffix, size_t max_names,
                      struct names *names)
{
    for (;;) {
        int rc = take(names, entry, suffix, max_names);

        if (rc < 0)
            return rc;
        if (!FindNextFileW(find, entry))
            return GetLastError() == ERROR_NO_MORE_FILES ? OC_OK
                                                         : oc_err_from_windows(GetLastError());
    }
}

/* The pattern that finds all of a folder. */
static int pattern_of(wchar_t *out, size_t out_units, const char *path)
{
    int rc = oc_wide_path(out, out_units - 2, path);

    if (rc < 0)
        return rc;
    wcscat(out, L"\\*");
    return OC_OK;
}

static int read_folder(const char *path, const char *suffix, size_t max_names, struct names *names)
{
    wchar_t pattern[OC_WIDE_PATH_UNITS];
    WIN32_FIND_DATAW entry;
    HANDLE find = INVALID_HANDLE_VALUE;
    int rc = pattern_of(pattern, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    find = FindFirstFileExW(pattern, FindExInfoBasic, &entry, FindExSearchNameMatch, NULL, 0);
    if (find == INVALID_HANDLE_VALUE) /* the root of an empty volume has not even "." */
        return GetLastError() == ERROR_FILE_NOT_FOUND ? OC_OK : oc_err_from_windows(GetLastError());
    rc = read_names(find, &entry, suffix, max_names, names);
    (void)FindClose(find);
    return rc;
}

int oc_dir_list(const char *path, const char *suffix, size_t max_names, char **out_names)
{
    struct names names = { NULL, 0, 0 };
    char *text = NULL;
    int rc = read_folder(path, suffix, max_names, &names);

    if (rc == OC_OK && names.count > 0)
        qsort(names.items, names.count, sizeof(*names.items), by_name);
    if (rc == OC_OK) {
        text = joined(&names);
        rc = text ? OC_OK : OC_E_NOMEM;
    }
    for (size_t i = 0; i < names.count; i++)
        oc_free(names.items[i]);
    oc_free(names.items);
    if (rc == OC_OK)
        *out_names = text;
    return rc;
}

static int is_folder(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

/* Folders above are made as well as they can be: drives and shares are none, and the last says what is wrong. */
int oc_os_mkdir_all(const char *path)
{
    wchar_t part[OC_WIDE_PATH_UNITS];
    int rc = oc_wide_path(part, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    for (wchar_t *at = part + wcsspn(part, L"\\"); *at; at++) {
        if (*at != L'\\')
            continue;
        *at = L'\0';
        (void)CreateDirectoryW(part, NULL);
        *at = L'\\';
    }
    if (CreateDirectoryW(part, NULL))
        return OC_OK;
    rc = oc_err_from_windows(GetLastError());
    return is_folder(part) ? OC_OK : rc;
}

char oc_path_separator(void) { return '\\'; }

size_t oc_path_folder_bytes(const char *path)
{
    size_t len = strlen(path);

    while (len > 0 && !strchr("\\/:", path[len - 1]))
        len--;
    return len;
}
