/*
 * oomcast-setup: what the installer cannot say in its tables. Takes over a config file, writes a receiver for a webhook,
 * and removes the data where that is asked for. Run by msiexec as the system; of no use to people.
 *
 *   oomcast-setup [--config FILE] [--webhook URL]
 *   oomcast-setup --purge
 *
 * What a word gives as "" counts as not given.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/os.h"
#include "base/windows/service.h"
#include "base/windows/wide.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define PATH_BYTES 4096
#define CONFIG_MAX_BYTES (4u << 20)
#define DEPTH_MAX 16

struct words {
    const char *config, *webhook;
    int purge;
};

static int fail(const char *what, int rc)
{
    (void)fprintf(stderr, "oomcast-setup: %s: %s\n", what, oc_err_text(rc));
    return 1;
}

/* ---- the config ---- */

static int in_folder(const char *folder, const char *name, char out[PATH_BYTES])
{
    int len = snprintf(out, PATH_BYTES, "%s\\%s", folder, name);

    return len > 0 && len < PATH_BYTES ? OC_OK : OC_E_TOOBIG;
}

/* The one that was there is kept beside it. */
static int take_config(const char *folder, const char *from)
{
    char path[PATH_BYTES], old[PATH_BYTES];
    char *text = NULL;
    size_t bytes = 0;
    int rc = oc_file_read(from, CONFIG_MAX_BYTES, &text, &bytes);

    if (rc == OC_OK)
        rc = in_folder(folder, "oomcast.json", path);
    if (rc == OC_OK)
        rc = in_folder(folder, "oomcast.json.old", old);
    if (rc == OC_OK && oc_file_exists(path))
        rc = oc_file_rename(path, old);
    if (rc == OC_OK)
        rc = oc_file_write_atomic(path, text, bytes);
    oc_free(text);
    return rc;
}

/* { "receivers": [ { "name": "webhook", "type": "webhook", "url": URL } ] }, NULL: no memory. */
static char *webhook_text(const char *url)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(root, "receivers");
    cJSON *receiver = cJSON_CreateObject();
    char *text = NULL;

    if (cJSON_AddStringToObject(receiver, "name", "webhook") &&
        cJSON_AddStringToObject(receiver, "type", "webhook") &&
        cJSON_AddStringToObject(receiver, "url", url) && cJSON_AddItemToArray(list, receiver)) {
        receiver = NULL;
        text = cJSON_Print(root);
    }
    cJSON_Delete(receiver);
    cJSON_Delete(root);
    return text;
}

static int write_webhook(const char *folder, const char *url)
{
    char conf_d[PATH_BYTES], path[PATH_BYTES];
    char *text = webhook_text(url);
    int rc = text ? in_folder(folder, "conf.d", conf_d) : OC_E_NOMEM;

    if (rc == OC_OK)
        rc = in_folder(conf_d, "webhook.json", path);
    if (rc == OC_OK)
        rc = oc_os_mkdir_all(conf_d);
    if (rc == OC_OK)
        rc = oc_file_write_atomic(path, text, strlen(text));
    oc_free(text);
    return rc;
}

/* ---- the end of all ---- */

static int is_dots(const wchar_t *name)
{
    return wcscmp(name, L".") == 0 || wcscmp(name, L"..") == 0;
}

static int join(const wchar_t *folder, const wchar_t *name, wchar_t *out)
{
    size_t folder_units = wcslen(folder), name_units = wcslen(name);

    if (folder_units + name_units + 2 > OC_WIDE_PATH_UNITS)
        return OC_E_TOOBIG;
    (void)wmemcpy(out, folder, folder_units);
    out[folder_units] = L'\\';
    (void)wmemcpy(out + folder_units + 1, name, name_units + 1);
    return OC_OK;
}

static void remove_tree(const wchar_t *folder, int depth);

/* A link to a folder is removed, not what it leads to. */
static void remove_entry(const wchar_t *folder, const WIN32_FIND_DATAW *entry, int depth)
{
    wchar_t *path = oc_malloc(OC_WIDE_PATH_UNITS * sizeof(*path));

    if (path && join(folder, entry->cFileName, path) == OC_OK) {
        if (!(entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
            (void)DeleteFileW(path);
        else if (entry->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
            (void)RemoveDirectoryW(path);
        else
            remove_tree(path, depth + 1);
    }
    oc_free(path);
}

static void remove_tree(const wchar_t *folder, int depth)
{
    wchar_t *pattern = oc_malloc(OC_WIDE_PATH_UNITS * sizeof(*pattern));
    WIN32_FIND_DATAW entry;
    HANDLE find = INVALID_HANDLE_VALUE;

    if (pattern && depth < DEPTH_MAX && join(folder, L"*", pattern) == OC_OK)
        find = FindFirstFileW(pattern, &entry);
    oc_free(pattern);
    if (find != INVALID_HANDLE_VALUE) {
        do {
            if (!is_dots(entry.cFileName))
                remove_entry(folder, &entry, depth);
        } while (FindNextFileW(find, &entry));
        (void)FindClose(find);
    }
    (void)RemoveDirectoryW(folder);
}

static int purge(const char *folder)
{
    wchar_t *path = oc_malloc(OC_WIDE_PATH_UNITS * sizeof(*path));
    int rc = path ? oc_wide_path(path, OC_WIDE_PATH_UNITS, folder) : OC_E_NOMEM;

    if (rc == OC_OK) {
        remove_tree(path, 0);
        rc = oc_file_exists(folder) ? OC_E_BUSY : OC_OK;
    }
    oc_free(path);
    return rc;
}

/* ---- all of it ---- */

static int take_words(int argc, char **argv, struct words *out)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--purge") == 0)
            out->purge = 1;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            out->config = argv[++i];
        else if (strcmp(argv[i], "--webhook") == 0 && i + 1 < argc)
            out->webhook = argv[++i];
        else
            return OC_E_INVAL;
    }
    return OC_OK;
}

static int install(const char *folder, const struct words *words)
{
    int rc = oc_os_mkdir_all(folder);

    if (rc < 0)
        return fail(folder, rc);
    rc = oc_service_secure_folder(folder); /* before a secret stands in it */
    if (rc < 0)
        return fail(folder, rc);
    if (words->config && words->config[0]) {
        rc = take_config(folder, words->config);
        if (rc < 0)
            return fail(words->config, rc);
    }
    if (words->webhook && words->webhook[0]) {
        rc = write_webhook(folder, words->webhook);
        if (rc < 0)
            return fail("the webhook", rc);
    }
    return 0;
}

int main(int argc, char **argv)
{
    cJSON_Hooks hooks = { .malloc_fn = oc_malloc, .free_fn = oc_free };
    struct words words = { .config = NULL };
    char folder[PATH_BYTES];
    int rc = OC_OK;

    oc_alloc_init();
    cJSON_InitHooks(&hooks);
    rc = oc_os_args(&argc, &argv);
    if (rc == OC_OK)
        rc = take_words(argc, argv, &words);
    if (rc == OC_OK)
        rc = oc_os_system_state_dir(folder, sizeof(folder));
    if (rc < 0)
        return fail("it cannot begin", rc);
    if (!words.purge)
        return install(folder, &words);
    rc = purge(folder);
    return rc < 0 ? fail(folder, rc) : 0;
}
