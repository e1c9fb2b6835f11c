/* What a folder holds. */
#include "base/os.h"

#include "base/alloc.h"
#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
    rc = oc_array_grow(&items, &names->capacity, names->count + 1, sizeof(*names->items),
                       max_names);
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

static int read_names(DIR *dir, const char *suffix, size_t max_names, struct names *names)
{
    for (;;) {
        const struct dirent *entry = NULL;
        int rc = OC_OK;

        errno = 0;
        entry = readdir(dir);
        if (!entry)
            return errno ? oc_err_from_errno(errno) : OC_OK;
        if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix))
            continue;
        rc = add(names, entry->d_name, max_names);
        if (rc < 0)
            return rc;
    }
}

int oc_dir_list(const char *path, const char *suffix, size_t max_names, char **out_names)
{
    struct names names = { NULL, 0, 0 };
    char *text = NULL;
    DIR *dir = opendir(path);
    int rc = OC_OK;

    if (!dir)
        return oc_err_from_errno(errno);
    rc = read_names(dir, suffix, max_names, &names);
    if (rc == OC_OK && names.count > 0)
        qsort(names.items, names.count, sizeof(*names.items), by_name);
    if (rc == OC_OK) {
        text = joined(&names);
        rc = text ? OC_OK : OC_E_NOMEM;
    }
    for (size_t i = 0; i < names.count; i++)
        oc_free(names.items[i]);
    oc_free(names.items);
    (void)closedir(dir);
    if (rc == OC_OK)
        *out_names = text;
    return rc;
}

char oc_path_separator(void) { return '/'; }

size_t oc_path_folder_bytes(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}
