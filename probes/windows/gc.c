#include "probes/windows/gc.h"

#define MIB (UINT64_C(1) << 20)
#define WORKSTATION_BYTES (16 * MIB)
#define NATIVE_BYTES MIB
#define FEW_CPUS 4u
#define SOME_CPUS 8u
/* Small and large objects are reserved side by side at the start of a workstation GC. */
#define FIRST_WORKSTATION_BYTES (2 * WORKSTATION_BYTES)

static uint64_t server_segment_bytes(uint32_t cpu_count)
{
    if (cpu_count > SOME_CPUS)
        return 16 * MIB;
    return cpu_count > FEW_CPUS ? 32 * MIB : 64 * MIB;
}

/* With one CPU .NET takes the workstation GC whatever is asked for. */
static int is_server(const struct oc_win_gc_facts *facts)
{
    return facts->cpu_count > 1 &&
           facts->largest_bytes >= facts->cpu_count * server_segment_bytes(facts->cpu_count);
}

void oc_win_gc_next(const struct oc_win_gc_facts *facts, struct oc_win_gc_next *out_next)
{
    if (!facts->is_dotnet)
        *out_next = (struct oc_win_gc_next){ NATIVE_BYTES, "a block of a native heap" };
    else if (is_server(facts))
        *out_next = (struct oc_win_gc_next){ server_segment_bytes(facts->cpu_count),
                                             "a segment of the server GC" };
    else if (facts->largest_bytes > FIRST_WORKSTATION_BYTES)
        *out_next = (struct oc_win_gc_next){ facts->largest_bytes,
                                             "the largest object segment that was seen" };
    else
        *out_next = (struct oc_win_gc_next){ WORKSTATION_BYTES, "a segment of the workstation GC" };
}
