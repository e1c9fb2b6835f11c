#include "base/metric.h"

#include "base/text.h"

#include <string.h>

#define GAUGE OC_KIND_GAUGE
#define COUNTER OC_KIND_COUNTER
#define BYTES OC_UNIT_BYTES
#define COUNT OC_UNIT_COUNT

static const struct oc_metric_row rows[] = {
    /* ---- a process ---- */
    { OC_METRIC_PRIVATE, BYTES, GAUGE, OC_RUNG_TICK, "private_bytes",
      "/proc/PID/status RssAnon + VmSwap", "PROCESS_MEMORY_COUNTERS_EX.PrivateUsage",
      "Memory that is this process's alone, in RAM or swap (on Windows its commit charge). Private "
      "memfd pages are memfd_bytes. Unknown where swap is in use and VmSwap cannot be read." },
    { OC_METRIC_VIRTUAL, BYTES, GAUGE, OC_RUNG_TICK, "virtual_bytes",
      "/proc/PID/statm size (VmSize)", "SYSTEM_PROCESS_INFORMATION.VirtualSize",
      "Virtual size: address space in use or reserved." },
    { OC_METRIC_RSS, BYTES, GAUGE, OC_RUNG_TICK, "rss_bytes", "/proc/PID/statm resident (VmRSS)",
      "PROCESS_MEMORY_COUNTERS_EX.WorkingSetSize",
      "Resident set size (working set on Windows): pages now in RAM, shared ones in full. The "
      "kernel "
      "keeps it approximately: off by up to 64 pages a thread." },
    { OC_METRIC_RSS_ANON, BYTES, GAUGE, OC_RUNG_TICK, "rss_anon_bytes",
      "/proc/PID/statm resident - shared (RssAnon)", NULL,
      "Resident anonymous pages: heaps, stacks." },
    { OC_METRIC_RSS_FILE, BYTES, GAUGE, OC_RUNG_TICK, "rss_file_bytes", "/proc/PID/status RssFile",
      NULL, "Resident pages of mapped files: programs, libraries, data." },
    { OC_METRIC_RSS_SHMEM, BYTES, GAUGE, OC_RUNG_TICK, "rss_shmem_bytes",
      "/proc/PID/status RssShmem", NULL,
      "Resident pages of shared memory, tmpfs and memfd. A page mapped twice counts twice." },
    { OC_METRIC_MEMFD, BYTES, GAUGE, OC_RUNG_TICK, "memfd_bytes",
      "st_blocks * 512 of the process's memfd descriptors", NULL,
      "Memory in the memfd files that the process holds, each counted once (.NET keeps its loader "
      "heaps in memfd:doublemapper, which it maps twice). Known once a walk has looked for them." },
    { OC_METRIC_SWAP, BYTES, GAUGE, OC_RUNG_TICK, "swap_bytes", "/proc/PID/status VmSwap", NULL,
      "Its anonymous pages in swap. 0 where the host has no swap." },
    { OC_METRIC_COMMIT, BYTES, GAUGE, OC_RUNG_TICK, "commit_bytes",
      "/proc/PID/statm data (VmData + VmStk)", "PROCESS_MEMORY_COUNTERS_EX.PagefileUsage",
      "Writable private address space: what the process may touch without asking again." },
    { OC_METRIC_PAGE_TABLE, BYTES, GAUGE, OC_RUNG_TICK, "page_table_bytes",
      "/proc/PID/status VmPTE", NULL,
      "Page tables of the process: kernel memory that grows with scattered use of addresses." },
    { OC_METRIC_THREADS, COUNT, GAUGE, OC_RUNG_TICK, "thread_count", "/proc/PID/status Threads",
      "SYSTEM_PROCESS_INFORMATION.NumberOfThreads", "Threads of the process." },
    { OC_METRIC_FDS, COUNT, GAUGE, OC_RUNG_TICK, "fd_count",
      "st_size of /proc/PID/fd (Linux 6.2 and later), else entries of /proc/PID/fd at a walk",
      "SYSTEM_PROCESS_INFORMATION.HandleCount", "Open descriptors (handles on Windows)." },
    { OC_METRIC_MINOR_FAULTS, COUNT, COUNTER, OC_RUNG_TICK, "minor_fault_count",
      "/proc/PID/stat minflt", NULL, "Page faults since its start that needed no read." },
    { OC_METRIC_MAJOR_FAULTS, COUNT, COUNTER, OC_RUNG_TICK, "major_fault_count",
      "/proc/PID/stat majflt", NULL,
      "Page faults since its start that waited for a read: it thrashes when these climb." },
    { OC_METRIC_CPU_TIME, OC_UNIT_MS, COUNTER, OC_RUNG_TICK, "cpu_time_ms",
      "the process's CPU clock (clock_getcpuclockid)", "KERNEL_USER_TIMES",
      "CPU time used since its start, user and system." },
    { OC_METRIC_PSS, BYTES, GAUGE, OC_RUNG_PAGES, "pss_bytes", "/proc/PID/smaps_rollup Pss", NULL,
      "Proportional set size: in RAM, a page shared by n processes counted as 1/n. Read only where "
      "asked for: it walks the page tables and stalls the watched." },
    { OC_METRIC_USS, BYTES, GAUGE, OC_RUNG_PAGES, "uss_bytes",
      "/proc/PID/smaps_rollup Private_Clean + Private_Dirty", NULL,
      "Unique set size: in RAM and nobody else's. Read only where asked for." },
    { OC_METRIC_MAPPINGS, COUNT, GAUGE, OC_RUNG_WALK, "mapping_count", "lines of /proc/PID/maps",
      NULL, "Mappings of the address space; vm.max_map_count is their limit." },
    { OC_METRIC_MODULES, COUNT, GAUGE, OC_RUNG_WALK, "module_count",
      "executable file mappings in /proc/PID/maps", NULL, "Loaded programs and libraries." },
    { OC_METRIC_BRK_HEAP, BYTES, GAUGE, OC_RUNG_WALK, "brk_heap_bytes", "[heap] in /proc/PID/maps",
      NULL, "The heap below the program break: malloc's main arena." },
    { OC_METRIC_RSS_PEAK, BYTES, GAUGE, OC_RUNG_TICK, "rss_peak_bytes", "/proc/PID/status VmHWM",
      "PROCESS_MEMORY_COUNTERS_EX.PeakWorkingSetSize", "The most that its resident set has been." },
    { OC_METRIC_PROCESSES, COUNT, GAUGE, OC_RUNG_TICK, "process_count", "own count", "own count",
      "Processes of the subject that run now. Only of the series that sums them." },
    { OC_METRIC_LARGEST_FREE, BYTES, GAUGE, OC_RUNG_WALK, "largest_free_bytes",
      "largest gap between the mappings of /proc/PID/maps", "VirtualQueryEx",
      "The largest free block of an address space that is limited (32-bit, or RLIMIT_AS)." },
    { OC_METRIC_RESERVED, BYTES, GAUGE, OC_RUNG_WALK, "reserved_bytes",
      "/proc/PID/maps, private mappings without access", "VirtualQueryEx MEM_RESERVE",
      "Address space that is set aside and cannot be touched yet." },
    { OC_METRIC_MAIN_STACK, BYTES, GAUGE, OC_RUNG_WALK, "main_stack_bytes",
      "/proc/PID/maps [stack]", NULL, "The main thread's stack, as far as it has grown." },
    { OC_METRIC_ARENAS, COUNT, GAUGE, OC_RUNG_WALK, "arena_count",
      "/proc/PID/maps, by the shape of glibc's arenas", NULL,
      "malloc arenas beside the main one: glibc makes up to eight a CPU, and each keeps what it "
      "freed." },
    { OC_METRIC_UNUSABLE, BYTES, GAUGE, OC_RUNG_WALK, "unusable_bytes", NULL, "VirtualQueryEx",
      "Address space that is free and cannot be allocated: allocations begin at multiples of 64 "
      "KiB, "
      "so what lies between the end of one and the next multiple is lost." },
    { OC_METRIC_SECTIONS, COUNT, GAUGE, OC_RUNG_WALK, "section_count", NULL, "VirtualQueryEx",
      "Small mapped regions without a file. .NET Framework keeps an assembly that was loaded from "
      "bytes in one or two of them; no list of modules shows it." },

    /* ---- a cgroup ---- */
    { OC_METRIC_CGROUP_CURRENT, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_current_bytes",
      "memory.current; v1: memory.usage_in_bytes", NULL,
      "All memory charged to the cgroup and those below it, page cache included." },
    { OC_METRIC_CGROUP_CHARGE, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_charge_bytes",
      "memory.current - active_file - inactive_file - slab_reclaimable", NULL,
      "The charge that counts: what reclaim does not give back before it kills. Shared memory and "
      "mlocked pages are on other lists, so they stay in; pages that wait to be written are page "
      "cache as well, and reclaim writes them. The cache is read every 10 s, when the charge moved "
      "by a thirty-second of the limit, and at each tick within a tenth of the limit; "
      "between, it is taken to be what it was." },
    { OC_METRIC_CGROUP_PEAK, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_peak_bytes",
      "memory.peak (Linux 5.19 and later); v1: memory.max_usage_in_bytes", NULL,
      "The most that the cgroup's charge has been." },
    { OC_METRIC_CGROUP_SWAP, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_swap_bytes",
      "memory.swap.current; v1: memory.stat total_swap", NULL, "Swap used by the cgroup." },
    { OC_METRIC_CGROUP_ANON, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_anon_bytes",
      "memory.stat anon; v1: total_rss", NULL, "Anonymous memory." },
    { OC_METRIC_CGROUP_FILE, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_file_bytes",
      "memory.stat file; v1: total_cache", NULL, "Page cache, tmpfs and shared memory included." },
    { OC_METRIC_CGROUP_ACTIVE_FILE, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_active_file_bytes",
      "memory.stat active_file", NULL, "File pages on the active list." },
    { OC_METRIC_CGROUP_INACTIVE_FILE, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_inactive_file_bytes",
      "memory.stat inactive_file", NULL,
      "File pages on the inactive list: the first to be dropped." },
    { OC_METRIC_CGROUP_SHMEM, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_shmem_bytes", "memory.stat shmem",
      NULL, "Shared memory, tmpfs and memfd: swap is the only way out." },
    { OC_METRIC_CGROUP_SLAB_RECLAIMABLE, BYTES, GAUGE, OC_RUNG_TICK,
      "cgroup_slab_reclaimable_bytes", "memory.stat slab_reclaimable", NULL,
      "Kernel objects that can be dropped (dentries, inodes)." },
    { OC_METRIC_CGROUP_SLAB_UNRECLAIMABLE, BYTES, GAUGE, OC_RUNG_TICK,
      "cgroup_slab_unreclaimable_bytes", "memory.stat slab_unreclaimable", NULL,
      "Kernel objects that cannot be dropped." },
    { OC_METRIC_CGROUP_KERNEL_STACK, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_kernel_stack_bytes",
      "memory.stat kernel_stack", NULL, "Kernel stacks of its threads." },
    { OC_METRIC_CGROUP_PAGE_TABLES, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_page_table_bytes",
      "memory.stat pagetables", NULL, "Page tables of its processes." },
    { OC_METRIC_CGROUP_SOCK, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_sock_bytes", "memory.stat sock",
      NULL, "Socket buffers of its processes." },
    { OC_METRIC_CGROUP_FILE_DIRTY, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_file_dirty_bytes",
      "memory.stat file_dirty", NULL, "Page cache that must be written before it can be dropped." },
    { OC_METRIC_CGROUP_UNEVICTABLE, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_unevictable_bytes",
      "memory.stat unevictable", NULL, "Locked pages (mlock, ramfs): they stay." },
    { OC_METRIC_CGROUP_EVENTS_LOW, COUNT, COUNTER, OC_RUNG_TICK, "cgroup_low_event_count",
      "memory.events low", NULL, "Times it was reclaimed although below memory.low." },
    { OC_METRIC_CGROUP_EVENTS_HIGH, COUNT, COUNTER, OC_RUNG_TICK, "cgroup_high_event_count",
      "memory.events high", NULL, "Times its processes were throttled above memory.high." },
    { OC_METRIC_CGROUP_EVENTS_MAX, COUNT, COUNTER, OC_RUNG_TICK, "cgroup_max_event_count",
      "memory.events max; v1: memory.failcnt", NULL, "Times it was about to pass its limit." },
    { OC_METRIC_CGROUP_EVENTS_OOM, COUNT, COUNTER, OC_RUNG_TICK, "cgroup_oom_event_count",
      "memory.events oom", NULL, "Times an allocation was about to fail at the limit." },
    { OC_METRIC_CGROUP_EVENTS_OOM_KILL, COUNT, COUNTER, OC_RUNG_TICK, "cgroup_oom_kill_count",
      "memory.events oom_kill; v1: memory.oom_control oom_kill", NULL,
      "Processes of it that the OOM killer ended." },
    { OC_METRIC_CGROUP_PSI_SOME_US, OC_UNIT_US, COUNTER, OC_RUNG_TICK, "cgroup_psi_some_us",
      "memory.pressure some total", NULL, "Time in which at least one task waited for memory." },
    { OC_METRIC_CGROUP_PSI_FULL_US, OC_UNIT_US, COUNTER, OC_RUNG_TICK, "cgroup_psi_full_us",
      "memory.pressure full total", NULL, "Time in which all its tasks waited for memory." },
    { OC_METRIC_CGROUP_LIMIT, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_limit_bytes",
      "memory.max; v1: memory.limit_in_bytes", NULL,
      "Its hard limit. Unknown where none is set: no limit is not a number." },
    { OC_METRIC_CGROUP_HIGH, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_high_bytes", "memory.high", NULL,
      "The level above which its processes are throttled. Unknown where none is set." },
    { OC_METRIC_CGROUP_SWAP_LIMIT, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_swap_limit_bytes",
      "memory.swap.max", NULL, "Its limit of swap. Unknown where none is set." },
    { OC_METRIC_CGROUP_TASKS, COUNT, GAUGE, OC_RUNG_TICK, "cgroup_task_count", "pids.current", NULL,
      "Tasks (threads) in it; pids.max is their limit." },
    { OC_METRIC_CGROUP_TASKS_LIMIT, COUNT, GAUGE, OC_RUNG_TICK, "cgroup_task_limit_count",
      "pids.max", NULL, "Tasks that it may have. Unknown where it has no limit." },
    { OC_METRIC_CGROUP_MEMSW, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_memsw_bytes",
      "memory.memsw.usage_in_bytes less page cache (version 1)", NULL,
      "Memory and swap together of a version 1 cgroup, without what dropping cache would give "
      "back." },
    { OC_METRIC_CGROUP_MEMSW_LIMIT, BYTES, GAUGE, OC_RUNG_TICK, "cgroup_memsw_limit_bytes",
      "memory.memsw.limit_in_bytes (version 1)", NULL, "Its limit. Unknown where it has none." },

    /* ---- the host ---- */
    { OC_METRIC_HOST_TOTAL, BYTES, GAUGE, OC_RUNG_TICK, "host_total_bytes",
      "/proc/meminfo MemTotal", "MEMORYSTATUSEX.ullTotalPhys", "Memory that the kernel can use." },
    { OC_METRIC_HOST_AVAILABLE, BYTES, GAUGE, OC_RUNG_TICK, "host_available_bytes",
      "/proc/meminfo MemAvailable", "MEMORYSTATUSEX.ullAvailPhys",
      "The kernel's estimate of what can be had without swapping." },
    { OC_METRIC_HOST_FREE, BYTES, GAUGE, OC_RUNG_TICK, "host_free_bytes", "/proc/meminfo MemFree",
      NULL, "Memory in no use at all; low on a healthy machine." },
    { OC_METRIC_HOST_SWAP_TOTAL, BYTES, GAUGE, OC_RUNG_TICK, "host_swap_total_bytes",
      "/proc/meminfo SwapTotal", NULL, "Swap that the host has." },
    { OC_METRIC_HOST_SWAP_FREE, BYTES, GAUGE, OC_RUNG_TICK, "host_swap_free_bytes",
      "/proc/meminfo SwapFree", NULL, "Swap not in use." },
    { OC_METRIC_HOST_COMMIT, BYTES, GAUGE, OC_RUNG_TICK, "host_commit_bytes",
      "/proc/meminfo Committed_AS", "PERFORMANCE_INFORMATION.CommitTotal",
      "Memory promised by the machine." },
    { OC_METRIC_HOST_COMMIT_LIMIT, BYTES, GAUGE, OC_RUNG_TICK, "host_commit_limit_bytes",
      "/proc/meminfo CommitLimit", "PERFORMANCE_INFORMATION.CommitLimit",
      "Its ceiling; enforced on Linux only with vm.overcommit_memory=2." },
    { OC_METRIC_HOST_PSI_SOME_US, OC_UNIT_US, COUNTER, OC_RUNG_TICK, "host_psi_some_us",
      "/proc/pressure/memory some total", NULL,
      "Time in which at least one task waited for memory." },
    { OC_METRIC_HOST_PSI_FULL_US, OC_UNIT_US, COUNTER, OC_RUNG_TICK, "host_psi_full_us",
      "/proc/pressure/memory full total", NULL, "Time in which all tasks waited for memory." },
    { OC_METRIC_HOST_OOM_KILLS, COUNT, COUNTER, OC_RUNG_TICK, "host_oom_kill_count",
      "/proc/vmstat oom_kill", NULL,
      "Processes that the OOM killer ended since boot, cgroups included." },
    { OC_METRIC_HOST_PROCESSES, COUNT, GAUGE, OC_RUNG_TICK, "host_process_count",
      "entries of /proc at the last scan; without one, the link count of /proc", NULL,
      "Processes, kernel threads included." },
    { OC_METRIC_HOST_SHMEM, BYTES, GAUGE, OC_RUNG_TICK, "host_shmem_bytes", "/proc/meminfo Shmem",
      NULL, "Shared memory, tmpfs and memfd." },
    { OC_METRIC_HOST_SLAB_UNRECLAIMABLE, BYTES, GAUGE, OC_RUNG_TICK,
      "host_slab_unreclaimable_bytes", "/proc/meminfo SUnreclaim", NULL,
      "Kernel objects that cannot be dropped: a leak here is the kernel's." },
    { OC_METRIC_HOST_PAGE_TABLES, BYTES, GAUGE, OC_RUNG_TICK, "host_page_table_bytes",
      "/proc/meminfo PageTables", NULL, "Page tables of all processes." },
    { OC_METRIC_HOST_USED, BYTES, GAUGE, OC_RUNG_TICK, "host_used_bytes",
      "/proc/meminfo MemTotal - MemAvailable + SwapTotal - SwapFree", NULL,
      "RAM and swap that could not be given back: what runs into the machine's own limit." },
    { OC_METRIC_HOST_COMMIT_MAX, BYTES, GAUGE, OC_RUNG_TICK, "host_commit_max_bytes", NULL,
      "PERFORMANCE_INFORMATION.CommitLimit and the largest size of the page files",
      "What the commit limit may still become: the page files grow on demand up to their largest "
      "size." },

    /* ---- oomcastd itself ---- */
    { OC_METRIC_SELF_TARGETS, COUNT, GAUGE, OC_RUNG_TICK, "self_target_count", "own count",
      "own count", "Sources that are sampled now." },
    { OC_METRIC_SELF_SAMPLES, COUNT, COUNTER, OC_RUNG_TICK, "self_sample_count", "own count",
      "own count", "Samples taken since its start." },
    { OC_METRIC_SELF_LATE_TICKS, COUNT, COUNTER, OC_RUNG_TICK, "self_late_tick_count", "own count",
      "own count", "Ticks that ran late." },
    { OC_METRIC_SELF_SKIPPED_TICKS, COUNT, COUNTER, OC_RUNG_TICK, "self_skipped_tick_count",
      "own count", "own count",
      "Ticks that were left out: the one before was not done, or memory was short." },
    { OC_METRIC_SELF_LOST_SAMPLES, COUNT, COUNTER, OC_RUNG_TICK, "self_lost_sample_count",
      "own count", "own count", "Samples that never reached the store." },
    { OC_METRIC_SELF_QUEUE, BYTES, GAUGE, OC_RUNG_TICK, "self_queue_bytes", "own count",
      "own count", "Bytes that wait for the writer." },
    { OC_METRIC_SELF_COMMITS, COUNT, COUNTER, OC_RUNG_TICK, "self_commit_count", "own count",
      "own count", "Transactions written." },
    { OC_METRIC_SELF_COMMIT_WORST_US, OC_UNIT_US, GAUGE, OC_RUNG_TICK, "self_commit_worst_us",
      "own clock", "own clock", "The longest commit since the last look." },
    { OC_METRIC_SELF_TICK_WORST_US, OC_UNIT_US, GAUGE, OC_RUNG_TICK, "self_tick_worst_us",
      "own clock", "own clock", "The longest tick since the last look." },
    { OC_METRIC_SELF_STORE, BYTES, GAUGE, OC_RUNG_TICK, "self_store_bytes", "size of the files",
      "size of the files", "The store on disk, with its write-ahead log." },
    { OC_METRIC_SELF_WALKS, COUNT, COUNTER, OC_RUNG_TICK, "self_walk_count", "own count",
      "own count", "Walks done since its start." },
    { OC_METRIC_SELF_WALK_CPU_US, OC_UNIT_US, COUNTER, OC_RUNG_TICK, "self_walk_cpu_us",
      "own clock", "own clock", "CPU time that walks have cost." },
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

const struct oc_metric_row *oc_metric_by_number(unsigned number)
{
    size_t low = 0, high = ROW_COUNT;

    while (low < high) { /* rows are in ascending order: a test holds them to it */
        size_t middle = (low + high) / 2;

        if (rows[middle].number == number)
            return &rows[middle];
        if (rows[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Whether name is the row's, its unit perhaps left out ("rss" for "rss_bytes"). */
static int is_called(const struct oc_metric_row *row, const char *name)
{
    size_t len_bytes = strlen(name);
    const char *unit = strrchr(row->name, '_');

    if (strcmp(row->name, name) == 0)
        return 1;
    return unit && (size_t)(unit - row->name) == len_bytes &&
           strncmp(row->name, name, len_bytes) == 0;
}

const struct oc_metric_row *oc_metric_by_name(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (is_called(&rows[i], name))
            return &rows[i];
    return NULL;
}

const char *oc_metric_nearest(const char *name)
{
    const char *names[ROW_COUNT + 1];

    for (size_t i = 0; i < ROW_COUNT; i++)
        names[i] = rows[i].name;
    names[ROW_COUNT] = NULL;
    return oc_text_nearest(name, names);
}

const char *oc_unit_name(enum oc_unit unit)
{
    static const char *const names[] = { "bytes", "count", "ms", "us" };

    return names[unit];
}

const char *oc_block_name(enum oc_block block)
{
    static const char *const names[] = { "process", "cgroup", "host", "self" };

    return (unsigned)block < OC_BLOCK_COUNT ? names[block] : "unknown";
}
