#include "walks.h"

#include <stdio.h>
#include <string.h>

const struct oc_family *family_named(const struct oc_census *census, enum oc_family_kind kind,
                                     const char *name)
{
    for (size_t i = 0; i < census->family_count; i++) {
        const struct oc_family *family = &census->families[i];

        if (family->kind == kind && strcmp(oc_census_text(census, family->name), name) == 0)
            return family;
    }
    return NULL;
}

static void sum_up(const struct oc_region *region, void *context)
{
    struct walk_sums *sums = context;

    sums->gaps += sums->end != 0 && region->start != sums->end;
    sums->end = region->start + region->bytes;
    if (region->usage == OC_USAGE_FREE)
        return;
    sums->bytes += region->bytes;
    if ((region->protect & (OC_PROTECT_WRITE | OC_PROTECT_SHARED)) == OC_PROTECT_WRITE)
        sums->private_writable += region->bytes;
    sums->heaps += strcmp(region->name, "[heap]") == 0;
    if (strncmp(region->name, "/tmp/shapes-", 12) == 0)
        sums->lied += region->usage != OC_USAGE_MAPPED_FILE && region->usage != OC_USAGE_IMAGE;
}

struct oc_walk walk_whole(pid_t pid, unsigned want, struct walk_sums *sums)
{
    const struct oc_walk_request request = {
        .pid = (uint32_t)pid, .want = want, .on_region = sums ? sum_up : NULL, .context = sums
    };
    struct oc_walk walk;

    ck_assert_int_eq(oc_probe_walk(NULL, &request, &walk), OC_OK);
    return walk;
}

int walk_try(pid_t pid, unsigned want)
{
    const struct oc_walk_request request = { .pid = (uint32_t)pid, .want = want };
    struct oc_walk walk;
    int rc = oc_probe_walk(NULL, &request, &walk);

    if (rc == OC_OK)
        oc_walk_clear(&walk);
    return rc;
}

uint64_t status_bytes(pid_t pid, const char *key)
{
    char path[64], line[256];
    unsigned long long kib = 0;
    FILE *file = NULL;

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            (void)sscanf(line + strlen(key) + 1, "%llu", &kib);
    }
    fclose(file);
    return kib << 10;
}

uint64_t usage_bytes(const struct oc_walk *walk, unsigned usage, unsigned state)
{
    return oc_census_sum_bytes(&walk->census, usage, ANY_TYPE, state);
}

uint32_t usage_count(const struct oc_walk *walk, unsigned usage)
{
    uint32_t count = 0;

    for (size_t i = 0; i < walk->census.total_count; i++) {
        if (walk->census.totals[i].usage == usage)
            count += walk->census.totals[i].count;
    }
    return count;
}

struct fixture shapes_start(const char *const *orders)
{
    const char *args[24] = { SHAPES };

    for (size_t i = 0; orders[i] && i < 22; i++)
        args[i + 1] = orders[i];
    return fixture_run(args);
}
