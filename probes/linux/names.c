#include "probes/linux/names.h"

#include "base/alloc.h"
#include "base/identity.h"
#include "base/text.h"
#include "probes/linux/json.h"
#include "probes/linux/lx.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWD_BYTES (1u << 20)
#define DOCKER_BYTES (1u << 20)
#define PODMAN_BYTES (8u << 20) /* of all its containers together */
#define ENTRIES_MAX 20000       /* of a folder of logs */

/* ---- pure ---- */

/* "name:x:1000:…": the field behind the second colon is the number. */
static int line_has_uid(const char *line, const char *end, int64_t uid, size_t *out_name_bytes)
{
    const char *name_end = memchr(line, ':', (size_t)(end - line));
    const char *at = name_end ? memchr(name_end + 1, ':', (size_t)(end - name_end - 1)) : NULL;
    int64_t value = 0;
    int digits = 0;

    if (!at || name_end == line)
        return 0;
    for (at++; at < end && *at >= '0' && *at <= '9' && digits <= 10; at++, digits++)
        value = value * 10 + (*at - '0');
    *out_name_bytes = (size_t)(name_end - line);
    return digits > 0 && at < end && *at == ':' && value == uid;
}

int oc_lx_passwd_parse(const char *text, size_t len_bytes, int64_t uid, char *out_name,
                       size_t out_bytes)
{
    const char *line = text, *end = text + len_bytes;
    size_t name_bytes = 0;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;

        if (line_has_uid(line, line_end, uid, &name_bytes)) {
            oc_text_copy_utf8(out_name, out_bytes, line, name_bytes);
            return OC_OK;
        }
        line = newline ? newline + 1 : end;
    }
    return OC_E_NOENT;
}

int oc_lx_docker_name_parse(const char *text, size_t len_bytes, char *out_name, size_t out_bytes)
{
    struct oc_lx_json json;

    oc_lx_json_init(&json, text, len_bytes);
    while (oc_lx_json_next(&json)) {
        if (json.depth != 1 || !oc_lx_json_is(&json, OC_LX_JSON_KEY, "Name"))
            continue;
        if (!oc_lx_json_next(&json) || json.kind != OC_LX_JSON_STRING)
            return OC_E_PARSE;
        if (json.text_bytes > 0 && json.text[0] == '/') {
            json.text++;
            json.text_bytes--;
        }
        oc_text_copy_utf8(out_name, out_bytes, json.text, json.text_bytes);
        return OC_OK;
    }
    return OC_E_NOENT;
}

/* The value of "id" or the first of "names", behind its key. */
static int first_string(struct oc_lx_json *json)
{
    return oc_lx_json_next(json) && (json->kind == OC_LX_JSON_STRING ||
                                     (json->kind == OC_LX_JSON_OPEN && oc_lx_json_next(json) &&
                                      json->kind == OC_LX_JSON_STRING));
}

int oc_lx_podman_name_parse(const char *text, size_t len_bytes, const char *id, char *out_name,
                            size_t out_bytes)
{
    struct oc_lx_json json;
    const char *name = NULL; /* of the object at hand */
    size_t name_bytes = 0;
    int is_it = 0;

    oc_lx_json_init(&json, text, len_bytes);
    while (oc_lx_json_next(&json)) {
        if (json.kind == OC_LX_JSON_OPEN && json.depth == 2) {
            is_it = 0;
            name = NULL;
        } else if (json.depth == 2 && oc_lx_json_is(&json, OC_LX_JSON_KEY, "id")) {
            is_it = first_string(&json) && oc_lx_json_is(&json, OC_LX_JSON_STRING, id);
        } else if (json.depth == 2 && oc_lx_json_is(&json, OC_LX_JSON_KEY, "names") &&
                   first_string(&json)) {
            name = json.text;
            name_bytes = json.text_bytes;
        }
        if (is_it && name) {
            oc_text_copy_utf8(out_name, out_bytes, name, name_bytes);
            return OC_OK;
        }
    }
    return OC_E_NOENT;
}

/* Three words with '_' between them, which is in none; the last goes to the end. */
static int split3(const char *text, size_t len_bytes, const char *words[3], size_t sizes[3])
{
    const char *first = memchr(text, '_', len_bytes);
    const char *second =
        first ? memchr(first + 1, '_', (size_t)(text + len_bytes - first - 1)) : NULL;

    if (!second)
        return OC_E_PARSE;
    words[0] = text;
    sizes[0] = (size_t)(first - text);
    words[1] = first + 1;
    sizes[1] = (size_t)(second - first - 1);
    words[2] = second + 1;
    sizes[2] = (size_t)(text + len_bytes - second - 1);
    return sizes[0] && sizes[1] && sizes[2] ? OC_OK : OC_E_PARSE;
}

int oc_lx_pod_folder_parse(const char *folder, const char *pod_uid, struct oc_proc_names *names)
{
    const char *words[3] = { NULL };
    size_t sizes[3] = { 0 };
    int rc = split3(folder, strlen(folder), words, sizes);

    if (rc != OC_OK)
        return rc;
    if (sizes[2] != strlen(pod_uid) || memcmp(words[2], pod_uid, sizes[2]) != 0)
        return OC_E_NOENT;
    oc_text_copy_utf8(names->pod_namespace, sizeof names->pod_namespace, words[0], sizes[0]);
    oc_text_copy_utf8(names->pod, sizeof names->pod, words[1], sizes[1]);
    return OC_OK;
}

int oc_lx_container_log_parse(const char *file, const char *id, struct oc_proc_names *names)
{
    const char *words[3] = { NULL };
    size_t sizes[3] = { 0 }, len_bytes = strlen(file), id_bytes = strlen(id);
    const size_t tail_bytes = 1 + id_bytes + 4; /* -ID.log */
    int rc = OC_OK;

    if (len_bytes <= tail_bytes || strcmp(file + len_bytes - 4, ".log") != 0 ||
        memcmp(file + len_bytes - 4 - id_bytes, id, id_bytes) != 0 ||
        file[len_bytes - tail_bytes] != '-')
        return OC_E_NOENT;
    rc = split3(file, len_bytes - tail_bytes, words, sizes);
    if (rc != OC_OK)
        return rc;
    oc_text_copy_utf8(names->pod, sizeof names->pod, words[0], sizes[0]);
    oc_text_copy_utf8(names->pod_namespace, sizeof names->pod_namespace, words[1], sizes[1]);
    oc_text_copy_utf8(names->pod_container, sizeof names->pod_container, words[2], sizes[2]);
    return OC_OK;
}

/* ---- files ---- */

/* All of a file below the root; yours to free. */
static int read_text(const struct oc_lx_roots *roots, const char *path, size_t max_bytes,
                     char **out_text, size_t *out_bytes)
{
    int fd = oc_lx_roots_open(roots, path, 0);
    char *text = NULL;
    ssize_t len_bytes = 0;
    off_t size_bytes = 0;

    if (fd < 0)
        return fd;
    size_bytes = lseek(fd, 0, SEEK_END);
    if (size_bytes > 0 && (uintmax_t)size_bytes <= max_bytes)
        text = oc_malloc((size_t)size_bytes);
    len_bytes = text ? oc_lx_read_all(fd, text, (size_t)size_bytes) : OC_E_TOOBIG;
    (void)close(fd);
    if (len_bytes < 0) {
        oc_free(text);
        return (int)len_bytes;
    }
    *out_text = text;
    *out_bytes = (size_t)len_bytes;
    return OC_OK;
}

static void find_user(const struct oc_lx_roots *roots, int64_t uid, struct oc_proc_names *names)
{
    char *text = NULL;
    size_t len_bytes = 0;

    if (uid < 0 || read_text(roots, "/etc/passwd", PASSWD_BYTES, &text, &len_bytes) != OC_OK)
        return;
    (void)oc_lx_passwd_parse(text, len_bytes, uid, names->user, sizeof names->user);
    oc_free(text);
}

static int find_docker(const struct oc_lx_roots *roots, const char *id, struct oc_proc_names *names)
{
    char path[160], *text = NULL;
    size_t len_bytes = 0;
    int rc = OC_OK;

    (void)snprintf(path, sizeof path, "/var/lib/docker/containers/%s/config.v2.json", id);
    rc = read_text(roots, path, DOCKER_BYTES, &text, &len_bytes);
    if (rc != OC_OK)
        return rc;
    rc = oc_lx_docker_name_parse(text, len_bytes, names->container, sizeof names->container);
    oc_free(text);
    return rc;
}

static void find_podman(const struct oc_lx_roots *roots, const char *id,
                        struct oc_proc_names *names)
{
    static const char *const files[] = {
        "/var/lib/containers/storage/overlay-containers/containers.json",
        "/var/lib/containers/storage/overlay-containers/volatile-containers.json", /* --rm */
    };

    for (size_t i = 0; i < sizeof files / sizeof *files && !names->container[0]; i++) {
        char *text = NULL;
        size_t len_bytes = 0;

        if (read_text(roots, files[i], PODMAN_BYTES, &text, &len_bytes) != OC_OK)
            continue;
        (void)oc_lx_podman_name_parse(text, len_bytes, id, names->container,
                                      sizeof names->container);
        oc_free(text);
    }
}

/* ---- pods ---- */

typedef int entry_fn(const char *name, void *context); /* 1: enough */

/* Calls back for the entries of a folder; the number of them, or a code. */
static int list(const struct oc_lx_roots *roots, const char *path, entry_fn *fn, void *context)
{
    int fd = oc_lx_roots_open(roots, path, O_DIRECTORY), count = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;

    if (!dir) {
        if (fd >= 0)
            (void)close(fd);
        return fd < 0 ? fd : OC_E_NOMEM;
    }
    while (count < ENTRIES_MAX && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (fn(entry->d_name, context))
            break;
    }
    (void)closedir(dir);
    return count;
}

struct search {
    const struct oc_identity *identity;
    struct oc_proc_names *names;
    char folder[512];
};

static int is_pod_folder(const char *name, void *context)
{
    struct search *search = context;

    if (oc_lx_pod_folder_parse(name, search->identity->pod_uid, search->names) != OC_OK)
        return 0;
    (void)snprintf(search->folder, sizeof search->folder, "/var/log/pods/%.300s", name);
    return 1;
}

static int is_container_log(const char *name, void *context)
{
    struct search *search = context;

    return oc_lx_container_log_parse(name, search->identity->container_id, search->names) == OC_OK;
}

static int take_container(const char *name, void *context)
{
    struct search *search = context;

    (void)oc_text_copy(search->names->pod_container, sizeof search->names->pod_container, name);
    return 0;
}

/* Docker and CRI-O call a container of Kubernetes "k8s_CONTAINER_POD_NAMESPACE_UID_N"; that of the pod itself "k8s_POD_…". */
static void container_of_long_name(struct oc_proc_names *names)
{
    const char *words[3] = { NULL };
    size_t sizes[3] = { 0 };

    if (split3(names->container, strlen(names->container), words, sizes) == OC_OK &&
        sizes[0] == 3 && memcmp(words[0], "k8s", 3) == 0 &&
        !(sizes[1] == 3 && memcmp(words[1], "POD", 3) == 0))
        oc_text_copy_utf8(names->pod_container, sizeof names->pod_container, words[1], sizes[1]);
}

/*
 * The logs of containers say which is which. Without them a pod with one container has no choice;
 * the process that holds a pod together then bears that container's name too.
 */
static void find_pod(const struct oc_lx_roots *roots, struct search *search)
{
    struct oc_proc_names *names = search->names;
    int logs = 0;

    (void)list(roots, "/var/log/pods", is_pod_folder, search);
    if (search->identity->container_id[0] == '\0')
        return;
    logs = list(roots, "/var/log/containers", is_container_log, search);
    if (names->pod_container[0] == '\0')
        container_of_long_name(names);
    if (names->pod_container[0] == '\0' && logs <= 0 && search->folder[0] != '\0' &&
        list(roots, search->folder, take_container, search) != 1)
        names->pod_container[0] = '\0';
}

void oc_lx_names(const struct oc_lx_roots *roots, int64_t uid, const char *cgroup_path,
                 struct oc_proc_names *out_names)
{
    struct oc_identity identity;
    struct search search = { &identity, out_names, "" };

    memset(out_names, 0, sizeof *out_names);
    if (!roots->has_files)
        return;
    find_user(roots, uid, out_names);
    oc_identity_of_cgroup(cgroup_path, &identity);
    if (identity.container_id[0] != '\0' &&
        find_docker(roots, identity.container_id, out_names) != OC_OK)
        find_podman(roots, identity.container_id, out_names);
    if (identity.pod_uid[0] != '\0')
        find_pod(roots, &search);
}
