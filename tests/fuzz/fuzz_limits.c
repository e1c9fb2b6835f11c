/* limits, rights, and the files that names come from: one text, all parsers. */
/* target: fuzz_limits.c deps: probes_dep */
#include "base/text.h"
#include "probes/linux/limits.h"
#include "probes/linux/names.h"
#include "probes/linux/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name, size_t room_bytes)
{
    assert(memchr(name, '\0', room_bytes) != NULL);
    assert(oc_text_is_utf8(name, strlen(name), NULL));
}

static void names_of_files(const char *text, size_t size)
{
    char name[24] = "";

    (void)oc_lx_passwd_parse(text, size, 0, name, sizeof name);
    check(name, sizeof name);
    (void)oc_lx_passwd_parse(text, size, 1000, name, sizeof name);
    check(name, sizeof name);
    (void)oc_lx_docker_name_parse(text, size, name, sizeof name);
    check(name, sizeof name);
    (void)oc_lx_podman_name_parse(text, size, "aa", name, sizeof name);
    check(name, sizeof name);
}

/* Names of folders: NUL-terminated, as readdir() gives them. */
static void names_of_folders(const char *text, size_t size)
{
    struct oc_proc_names names = { .user = "" };
    char *folder = malloc(size + 1);

    if (!folder)
        return;
    if (size)
        memcpy(folder, text, size);
    folder[size] = '\0';
    (void)oc_lx_pod_folder_parse(folder, "aa", &names);
    (void)oc_lx_container_log_parse(folder, "aa", &names);
    check(names.pod, sizeof names.pod);
    check(names.pod_namespace, sizeof names.pod_namespace);
    check(names.pod_container, sizeof names.pod_container);
    free(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* of the exact size, so that a byte too far is found */
    struct oc_lx_rlimits rlimits;
    uint64_t rights = 0;

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    if (oc_lx_rlimits_parse(text, size, &rlimits) == 0) {
        assert(rlimits.as_bytes == OC_LX_MAX || rlimits.as_bytes <= INT64_MAX);
        assert(rlimits.nofile_count == OC_LX_MAX || rlimits.nofile_count <= INT64_MAX);
    }
    (void)oc_lx_caps_parse(text, size, &rights);
    names_of_files(text, size);
    names_of_folders(text, size);
    free(text);
    return 0;
}
