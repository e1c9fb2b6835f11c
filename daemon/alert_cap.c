/*
 * A heap cap and what else the process needs, held against the container's limit: it grows no further than
 * its cap, and is killed below it all the same.
 */
#include "daemon/alert_cap.h"

#include "daemon/alert.h"
#include "daemon/daemon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANCESTORS 64
#define MIN_LIFE_MS                                                                                \
    300000 /* before that a runtime has not yet taken what it needs besides its heap */

/* ---- the command line ---- */

/* "2g", "512M", "1073741824"; 0 where it is no size. */
static uint64_t parse_size(const char *text)
{
    char *end = NULL;
    unsigned long long value = 0;
    unsigned shift = 0;

    if (*text < '0' || *text > '9')
        return 0;
    value = strtoull(text, &end, 0);
    if (*end == 'k' || *end == 'K')
        shift = 10;
    else if (*end == 'm' || *end == 'M')
        shift = 20;
    else if (*end == 'g' || *end == 'G')
        shift = 30;
    else if (*end == 't' || *end == 'T')
        shift = 40;
    end += shift > 0;
    if ((*end != '\0' && *end != ' ') || value > UINT64_MAX >> shift)
        return 0;
    return (uint64_t)value << shift;
}

static uint64_t parse_hex(const char *text)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 16); /* .NET reads it so, with or without 0x */

    return *end == '\0' || *end == ' ' ? (uint64_t)value : 0;
}

static double parse_percent(const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);

    return (*end == '\0' || *end == ' ') && value > 0 && value <= 100 ? value : 0;
}

/* What stands behind the prefix in a word that begins with it; NULL. */
static const char *after(const char *word, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(word, prefix, len) == 0 ? word + len : NULL;
}

static void parse_word(const char *word, struct oc_heap_cap *cap)
{
    static const char *const sizes[] = { "-Xmx", "-XX:MaxHeapSize=" };
    static const char *const limits[] = { "DOTNET_GCHeapHardLimit=", "COMPlus_GCHeapHardLimit=" };
    const char *value = NULL;

    for (size_t i = 0; i < 2; i++) {
        if ((value = after(word, sizes[i])) != NULL && parse_size(value))
            cap->bytes = parse_size(value);
        if ((value = after(word, limits[i])) != NULL && parse_hex(value))
            cap->bytes = parse_hex(value);
    }
    if ((value = after(word, "-XX:MaxRAMPercentage=")) != NULL)
        cap->percent = parse_percent(value);
    if ((value = after(word, "DOTNET_GCHeapHardLimitPercent=")) != NULL && parse_hex(value) <= 100)
        cap->percent = (double)parse_hex(value);
    if ((value = after(word, "--max-old-space-size=")) != NULL && parse_size(value) < (uint64_t)1
                                                                                          << 40)
        cap->bytes = parse_size(value) << 20;
}

void oc_heap_cap_parse(const char *cmdline, struct oc_heap_cap *out_cap)
{
    *out_cap = (struct oc_heap_cap){ 0 };
    for (const char *word = cmdline; word; word = strchr(word, ' ')) {
        word += *word == ' ';
        parse_word(word, out_cap);
    }
}

uint64_t oc_heap_cap_bytes(const struct oc_heap_cap *cap, uint64_t limit_bytes)
{
    if (cap->bytes > 0) /* -Xmx is stronger than a percentage */
        return cap->bytes;
    return (uint64_t)((double)limit_bytes * cap->percent / 100);
}

/* ---- against the container ---- */

static uint64_t lowest_limit(const struct oc_source *cgroup, uint64_t lowest)
{
    for (uint32_t i = 0; cgroup->limits && i < cgroup->limits->count; i++) {
        const struct oc_kept_limit *limit = &cgroup->limits->items[i];

        if (limit->kind == OC_LIMIT_CGROUP_MAX && limit->value < lowest)
            lowest = limit->value;
    }
    return lowest;
}

uint64_t oc_alert_container_limit(const struct oc_daemon *daemon, const struct oc_source *process)
{
    uint64_t lowest = UINT64_MAX;
    uint32_t slot = process->cgroup_slot;

    for (int depth = 0; slot != OC_NO_SLOT && depth < MAX_ANCESTORS; depth++) {
        const struct oc_source *cgroup = oc_sources_at(&daemon->sources, slot);

        if (!cgroup)
            break;
        lowest = lowest_limit(cgroup, lowest);
        slot = cgroup->cgroup_slot;
    }
    return lowest;
}

/* Private memory that is not the collected heap: at least so much, since not all of a heap need be in RAM. */
static uint64_t native_bytes(const struct oc_source *process, const struct oc_census *census)
{
    uint64_t heap =
        oc_census_sum_bytes(census, OC_USAGE_MANAGED_HEAP, OC_REGION_TYPES, OC_REGION_COMMIT);
    int64_t private_bytes = 0;

    if (oc_last_value(&process->last, OC_METRIC_PRIVATE, &private_bytes) < 0 || private_bytes < 0)
        return 0;
    return (uint64_t)private_bytes > heap ? (uint64_t)private_bytes - heap : 0;
}

void oc_alert_cap_walk(struct oc_daemon *daemon, struct oc_source *source,
                       const struct oc_walk *walk)
{
    struct oc_heap_cap cap;
    struct oc_alert_event event = { .kind = OC_ALERT_EVENT_HEAP_CAP,
                                    .source = source->id,
                                    .pid = source->id_of_proc.pid,
                                    .value = (double)NAN };
    uint64_t limit = UINT64_MAX, total = 0;

    oc_heap_cap_parse(walk->cmdline ? walk->cmdline : walk->facts.cmdline, &cap);
    if ((cap.bytes == 0 && cap.percent <= 0) || !walk->census.has_regions)
        return;
    if (walk->facts.start_unix_ms > 0 &&
        oc_alerting_now_ms(daemon) - walk->facts.start_unix_ms < MIN_LIFE_MS)
        return;
    limit = oc_alert_container_limit(daemon, source);
    if (limit == UINT64_MAX)
        return;
    total = oc_heap_cap_bytes(&cap, limit) + native_bytes(source, &walk->census);
    event.bound = (double)limit;
    if (total > limit)
        event.value = (double)total;
    oc_alerts_event(daemon->alerting.rules, source->alert_subject - 1, &event,
                    oc_alerting_now_ms(daemon));
}
