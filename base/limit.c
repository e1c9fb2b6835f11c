#include "base/limit.h"

#include "base/err.h"

#include <stdlib.h>

static const struct oc_limit_row rows[] = {
    { OC_LIMIT_CGROUP_MAX, OC_SCOPE_CGROUP, OC_EFFECT_DIES, 0, OC_METRIC_CGROUP_CHARGE,
      OC_UNIT_BYTES, "memory.max", "memory.max, memory.limit_in_bytes",
      "Memory that a cgroup and all below it may be charged. The kernel drops its page cache "
      "first; "
      "then its OOM killer ends "
      "a process of the cgroup." },
    { OC_LIMIT_CGROUP_HIGH, OC_SCOPE_CGROUP, OC_EFFECT_STALLS, 0, OC_METRIC_CGROUP_CHARGE,
      OC_UNIT_BYTES, "memory.high", "memory.high",
      "Above it the kernel slows the cgroup down and reclaims. Nothing is killed for it: processes "
      "stall, at worst for good." },
    { OC_LIMIT_CGROUP_SWAP, OC_SCOPE_CGROUP, OC_EFFECT_DIES, 0, OC_METRIC_CGROUP_SWAP,
      OC_UNIT_BYTES, "memory.swap.max", "memory.swap.max",
      "Swap that a cgroup may use. Once it is full memory.max is met the sooner." },
    { OC_LIMIT_CGROUP_MEMSW, OC_SCOPE_CGROUP, OC_EFFECT_DIES, 0, OC_METRIC_CGROUP_MEMSW,
      OC_UNIT_BYTES, "memory.memsw", "memory.memsw.limit_in_bytes",
      "Memory and swap together, of a version 1 cgroup." },
    { OC_LIMIT_CGROUP_TASKS, OC_SCOPE_CGROUP, OC_EFFECT_FAILS, 0, OC_METRIC_CGROUP_TASKS,
      OC_UNIT_COUNT, "pids.max", "pids.max",
      "Processes and threads in a cgroup and all below it. Beyond it a new thread is refused "
      "(EAGAIN)." },
    { OC_LIMIT_RLIMIT_AS, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 0, OC_METRIC_VIRTUAL, OC_UNIT_BYTES,
      "RLIMIT_AS", "/proc/PID/limits Max address space",
      "Address space of a process; what is reserved counts too. Allocations are refused beyond "
      "it." },
    { OC_LIMIT_RLIMIT_DATA, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 0, OC_METRIC_COMMIT, OC_UNIT_BYTES,
      "RLIMIT_DATA", "/proc/PID/limits Max data size",
      "Private writable address space of a process. commit_bytes counts its stacks too, and so is "
      "a little above what counts here." },
    { OC_LIMIT_RLIMIT_STACK, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 0, OC_METRIC_MAIN_STACK,
      OC_UNIT_BYTES, "RLIMIT_STACK", "/proc/PID/limits Max stack size",
      "Size that the main thread's stack may grow to; beyond it the process ends of SIGSEGV." },
    { OC_LIMIT_RLIMIT_NPROC, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 0, 0, OC_UNIT_COUNT, "RLIMIT_NPROC",
      "/proc/PID/limits Max processes",
      "Threads of all processes of the user. Beyond it a new thread is refused (EAGAIN); root is "
      "exempt." },
    { OC_LIMIT_RLIMIT_NOFILE, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 0, OC_METRIC_FDS, OC_UNIT_COUNT,
      "RLIMIT_NOFILE", "/proc/PID/limits Max open files",
      "Open descriptors of a process. Beyond it open, socket and accept fail (EMFILE)." },
    { OC_LIMIT_MAX_MAP_COUNT, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 0, OC_METRIC_MAPPINGS,
      OC_UNIT_COUNT, "vm.max_map_count", "/proc/sys/vm/max_map_count",
      "Mappings of a process. Beyond it mmap fails (ENOMEM) however much memory is free." },
    { OC_LIMIT_COMMIT, OC_SCOPE_HOST, OC_EFFECT_FAILS, 0, OC_METRIC_HOST_COMMIT, OC_UNIT_BYTES,
      "CommitLimit", "/proc/meminfo CommitLimit, where vm.overcommit_memory is 2",
      "What the machine may promise in all. Beyond it allocations are refused." },
    { OC_LIMIT_HOST_MEMORY, OC_SCOPE_HOST, OC_EFFECT_DIES, 0, OC_METRIC_HOST_USED, OC_UNIT_BYTES,
      "host memory", "/proc/meminfo MemTotal + SwapTotal",
      "RAM and swap of the machine. When both are full its OOM killer ends the largest process." },
    { OC_LIMIT_ADDRESS_SPACE, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 0, OC_METRIC_VIRTUAL,
      OC_UNIT_BYTES, "address space", "class of the ELF file",
      "Address space of a 32-bit process." },
    { OC_LIMIT_LARGEST_FREE, OC_SCOPE_PROCESS, OC_EFFECT_FAILS, 1, OC_METRIC_LARGEST_FREE,
      OC_UNIT_BYTES, "largest free block", "gaps between mappings",
      "The largest hole of a limited address space: a larger allocation is refused though more is "
      "free in all." },
    { OC_LIMIT_HOST_PHYSICAL, OC_SCOPE_HOST, OC_EFFECT_STALLS, 0, OC_METRIC_HOST_USED,
      OC_UNIT_BYTES, "physical memory", "MEMORYSTATUSEX.ullTotalPhys",
      "RAM of a Windows machine. Beyond it everything pages: large 64-bit processes come to a "
      "stand "
      "long before the commit limit refuses them memory." },
    { OC_LIMIT_IIS_MEMORY, OC_SCOPE_PROCESS, OC_EFFECT_RECYCLED, 0, OC_METRIC_VIRTUAL,
      OC_UNIT_BYTES, "periodicRestart memory",
      "applicationHost.config, recycling/periodicRestart memory of the pool",
      "Virtual bytes at which IIS recycles a worker: a new one takes its place, and what it kept "
      "in "
      "memory is lost." },
    { OC_LIMIT_IIS_PRIVATE_MEMORY, OC_SCOPE_PROCESS, OC_EFFECT_RECYCLED, 0, OC_METRIC_PRIVATE,
      OC_UNIT_BYTES, "periodicRestart privateMemory",
      "applicationHost.config, recycling/periodicRestart privateMemory of the pool",
      "Private bytes at which IIS recycles a worker." },
    { OC_LIMIT_DANGER_VIRTUAL, OC_SCOPE_PROCESS, OC_EFFECT_TOLD, 0, OC_METRIC_VIRTUAL,
      OC_UNIT_BYTES, "32-bit danger line, virtual", "1400 MiB; 2800 MiB with large addresses",
      "From here on a 32-bit worker is likely to meet OutOfMemoryException, by Microsoft's "
      "experience with ASP.NET. Nothing enforces it." },
    { OC_LIMIT_DANGER_PRIVATE, OC_SCOPE_PROCESS, OC_EFFECT_TOLD, 0, OC_METRIC_PRIVATE,
      OC_UNIT_BYTES, "32-bit danger line, private", "800 MiB", "The same for private bytes." },
    { OC_LIMIT_USER, OC_SCOPE_SUBJECT, OC_EFFECT_TOLD, 0, 0, OC_UNIT_BYTES, "user",
      "limits of a target in the config",
      "A ceiling that the config sets for a metric. Nothing enforces it." },
};

const struct oc_limit_row *oc_limit_row(unsigned kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].kind == kind)
            return &rows[i];
    }
    return NULL;
}

const char *oc_limit_effect_name(unsigned effect)
{
    static const char *const names[] = { "dies", "fails", "stalls", "told", "recycled" };

    return effect <= OC_EFFECT_RECYCLED ? names[effect] : "?";
}

const char *oc_limit_scope_name(unsigned scope)
{
    static const char *const names[] = { "process", "cgroup", "host", "subject" };

    return scope <= OC_SCOPE_SUBJECT ? names[scope] : "?";
}

static int is_floor(const struct oc_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    return row && row->is_floor;
}

uint64_t oc_limit_room(const struct oc_limit *limit)
{
    uint64_t high = is_floor(limit) ? limit->use : limit->value;
    uint64_t low = is_floor(limit) ? limit->value : limit->use;

    return high > low ? high - low : 0;
}

double oc_limit_ratio(const struct oc_limit *limit)
{
    if (is_floor(limit))
        return 0;
    if (limit->value == 0)
        return limit->use > 0 ? 1 : 0;
    return (double)limit->use / (double)limit->value;
}

/* The nearest first; of those without a known use the kind decides. */
static int is_before(const struct oc_limit *a, const struct oc_limit *b)
{
    double x = oc_limit_ratio(a), y = oc_limit_ratio(b);

    if (a->has_use != b->has_use)
        return a->has_use > b->has_use;
    if (a->has_use && x > y)
        return 1;
    return !(a->has_use && x < y) && a->kind < b->kind;
}

/* Insertion: there are tens of them, and it is stable. */
void oc_limits_sort(struct oc_limits *limits)
{
    for (size_t i = 1; i < limits->count; i++) {
        struct oc_limit moving = limits->items[i];
        size_t at = i;

        for (; at > 0 && is_before(&moving, &limits->items[at - 1]); at--)
            limits->items[at] = limits->items[at - 1];
        limits->items[at] = moving;
    }
}

int oc_limits_add(struct oc_limits *limits, const struct oc_limit *limit)
{
    if (limits->count == OC_LIMITS_MAX) {
        limits->is_truncated = 1;
        return OC_E_TOOBIG;
    }
    limits->items[limits->count++] = *limit;
    return OC_OK;
}
