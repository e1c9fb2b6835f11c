/*
 * What each parser of the probe costs, in ns a call, over recorded text: to see where a tick's user
 * time goes. Instruction counts of whole ticks are ticks.c's.
 *
 * usage: bench_parsers; TEXT_DIR is compiled in.
 */
#include "base/alloc.h"
#include "base/os.h"
#include "probes/linux/parse.h"

#include <stdio.h>
#include <string.h>

#define MAX_TEXT_BYTES 65536u
#define ROUNDS 20000

static int parse_statm(const char *text, size_t len)
{
    struct oc_lx_statm statm;

    return oc_lx_statm_parse(text, len, 12, &statm);
}

static int parse_status(const char *text, size_t len)
{
    struct oc_lx_status status;

    return oc_lx_status_parse(text, len, &status);
}

static int parse_stat(const char *text, size_t len)
{
    struct oc_lx_stat stat;

    return oc_lx_stat_parse(text, len, &stat);
}

static int parse_rollup(const char *text, size_t len)
{
    struct oc_lx_rollup rollup;

    return oc_lx_rollup_parse(text, len, &rollup);
}

static int parse_maps(const char *text, size_t len)
{
    struct oc_lx_maps maps = { 0, 0, 0 };
    size_t used = 0;

    return oc_lx_maps_parse(text, len, &maps, &used);
}

static int parse_meminfo(const char *text, size_t len)
{
    static const char *const keys[] = { "MemTotal",  "MemFree", "MemAvailable",
                                        "SwapTotal", "Shmem",   "Committed_AS" };
    uint64_t values[6];

    return oc_lx_keyed_parse(text, len, keys, 6, values) == 63 ? 0 : -1;
}

static const struct parser {
    const char *file;
    int (*parse)(const char *text, size_t len);
} parsers[] = {
    { "proc/1054/statm", parse_statm }, { "proc/1054/status", parse_status },
    { "proc/1054/stat", parse_stat },   { "proc/1054/smaps_rollup", parse_rollup },
    { "proc/1054/maps", parse_maps },   { "proc/meminfo", parse_meminfo },
};

static int measure(const struct parser *parser)
{
    char path[512], *text = NULL;
    size_t len = 0;
    int64_t begin_ns = 0;
    int failed = 0;

    (void)snprintf(path, sizeof path, "%s/%s", TEXT_DIR, parser->file);
    if (oc_file_read(path, MAX_TEXT_BYTES, &text, &len) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        return -1;
    }
    begin_ns = oc_clock_thread_cpu_ns();
    for (int i = 0; i < ROUNDS; i++)
        failed |= parser->parse(text, len);
    printf("%-24s %6zu bytes %8.1f ns%s\n", parser->file, len,
           (double)(oc_clock_thread_cpu_ns() - begin_ns) / ROUNDS, failed ? " REFUSED" : "");
    oc_free(text);
    return failed ? -1 : 0;
}

int main(void)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof parsers / sizeof parsers[0]; i++)
        rc |= measure(&parsers[i]);
    return rc ? 1 : 0;
}
