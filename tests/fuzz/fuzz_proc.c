/* Everything that is read of a process: one text, all parsers. */
/* target: fuzz_proc.c deps: probes_dep */
#include "probes/linux/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_stat(const char *text, size_t len)
{
    struct oc_lx_stat stat;

    if (oc_lx_stat_parse(text, len, &stat) == 0)
        assert(stat.name >= text && stat.name + stat.name_bytes <= text + len);
}

static void parse_maps(const char *text, size_t len)
{
    struct oc_lx_maps maps = { 0, 0, 0 };
    size_t used = 0;

    if (oc_lx_maps_parse(text, len, &maps, &used) == 0)
        assert(used <= len && maps.modules <= maps.mappings && maps.mappings <= len);
}

static void parse_cgroup(const char *text, size_t len)
{
    const char *path = NULL;
    size_t bytes = 0;

    if (oc_lx_cgroup_parse(text, len, NULL, &path, &bytes) == 0)
        assert(path >= text && path + bytes <= text + len && path[0] == '/');
    if (oc_lx_cgroup_parse(text, len, "memory", &path, &bytes) == 0)
        assert(path >= text && path + bytes <= text + len && path[0] == '/');
}

static void parse_figures(const char *text, size_t len)
{
    struct oc_lx_statm statm;
    struct oc_lx_status status;
    struct oc_lx_rollup rollup;

    if (oc_lx_statm_parse(text, len, 12, &statm) == 0)
        assert((int64_t)statm.size_bytes >= 0 && (int64_t)statm.resident_bytes >= 0);
    (void)oc_lx_status_parse(text, len, &status);
    for (int i = 0; i < OC_LX_STATUS_FIELDS; i++)
        assert(!(status.have >> i & 1u) || (int64_t)status.values[i] >= 0);
    (void)oc_lx_rollup_parse(text, len, &rollup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* of the exact size, so that a byte too far is found */

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    parse_stat(text, size);
    parse_maps(text, size);
    parse_cgroup(text, size);
    parse_figures(text, size);
    free(text);
    return 0;
}
