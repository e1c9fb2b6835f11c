#include "probes/linux/lx.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMINFO_BYTES 8192
#define OOM_CLAIM_NS INT64_C(5000000000) /* a victim with much memory takes its time to end */
#define SLOW_NS INT64_C(10000000000) /* vmstat folds the counters of every CPU: not each second */

enum {
    MEM_TOTAL,
    MEM_FREE,
    MEM_AVAILABLE,
    MEM_SWAP_TOTAL,
    MEM_SWAP_FREE,
    MEM_SHMEM,
    MEM_SUNRECLAIM,
    MEM_PAGE_TABLES,
    MEM_COMMIT_LIMIT,
    MEM_COMMITTED,
    MEM_COUNT
};

static const char *const meminfo_keys[MEM_COUNT] = {
    "MemTotal", "MemFree",    "MemAvailable", "SwapTotal",   "SwapFree",
    "Shmem",    "SUnreclaim", "PageTables",   "CommitLimit", "Committed_AS",
};

static const enum oc_metric meminfo_metrics[MEM_COUNT] = {
    OC_METRIC_HOST_TOTAL,
    OC_METRIC_HOST_FREE,
    OC_METRIC_HOST_AVAILABLE,
    OC_METRIC_HOST_SWAP_TOTAL,
    OC_METRIC_HOST_SWAP_FREE,
    OC_METRIC_HOST_SHMEM,
    OC_METRIC_HOST_SLAB_UNRECLAIMABLE,
    OC_METRIC_HOST_PAGE_TABLES,
    OC_METRIC_HOST_COMMIT_LIMIT,
    OC_METRIC_HOST_COMMIT,
};

static int open_kept(struct oc_lx_probe *probe, const char *path)
{
    int fd = oc_lx_open(probe, path);

    if (fd >= 0)
        oc_lx_kept(probe);
    return fd < 0 ? -1 : fd;
}

/* From the clocks, to the ms; of a capture from its stat, to the second. */
static void read_boot_time(struct oc_lx_probe *probe)
{
    static const char *const keys[] = { "btime" };
    uint64_t unix_s = 0;
    ssize_t len_bytes = 0;

    if (probe->live) {
        probe->host.boot_unix_ms = oc_clock_unix_ms() - oc_clock_boot_ns() / 1000000;
        return;
    }
    len_bytes = oc_lx_read_path(probe, "stat", probe->text, OC_LX_TEXT_BYTES);
    if (len_bytes > 0 && oc_lx_keyed_parse(probe->text, (size_t)len_bytes, keys, 1, &unix_s) == 1 &&
        unix_s < UINT64_C(1) << 40)
        probe->host.boot_unix_ms = (int64_t)unix_s * 1000;
}

/* The kernel's count of OOM kills; OC_LX_MAX where it has none (before 4.13). */
static uint64_t read_oom_kills(struct oc_lx_probe *probe)
{
    static const char *const keys[] = { "oom_kill" };
    char *text = probe->text;
    uint64_t kills = OC_LX_MAX;
    ssize_t len_bytes = probe->host.vmstat_fd < 0
                            ? oc_lx_read_path(probe, "vmstat", text, OC_LX_TEXT_BYTES)
                            : oc_lx_pread(probe->host.vmstat_fd, text, OC_LX_TEXT_BYTES);

    probe->host.vmstat_mono_ns = probe->now_mono_ns;
    if (len_bytes > 0)
        (void)oc_lx_keyed_parse(text, (size_t)len_bytes, keys, 1, &kills);
    return kills;
}

/*
 * The link count of procfs' root is that of its folders (2 and one each) and the number of
 * processes of the machine (proc_root_getattr() in fs/proc/root.c): a scan is not needed for it.
 */
static uint64_t read_links(const struct oc_lx_probe *probe)
{
    struct stat info;

    return fstat(probe->proc_fd, &info) == 0 ? (uint64_t)info.st_nlink : 0;
}

static void find_root_links(struct oc_lx_probe *probe)
{
    int folders = probe->live ? oc_lx_count_folders(probe) : 0;

    if (folders > 0 && read_links(probe) > (uint64_t)folders + 2) /* we ourselves are one */
        probe->host.root_links = (uint64_t)folders + 2;
}

static void set_processes(const struct oc_lx_probe *probe, struct oc_sample *sample)
{
    uint64_t links = 0;

    if (probe->scan.done) {
        oc_sample_set(sample, OC_METRIC_HOST_PROCESSES, (int64_t)probe->scan.count);
        return;
    }
    if (probe->host.root_links > 0)
        links = read_links(probe);
    if (links > probe->host.root_links)
        oc_sample_set(sample, OC_METRIC_HOST_PROCESSES, (int64_t)(links - probe->host.root_links));
}

void oc_lx_host_open(struct oc_lx_probe *probe)
{
    struct oc_lx_host *host = &probe->host;

    host->meminfo_fd = open_kept(probe, "meminfo");
    host->pressure_fd = open_kept(probe, "pressure/memory");
    host->vmstat_fd = open_kept(probe, "vmstat");
    host->swap_total_bytes = -1;
    host->meminfo_mono_ns = INT64_MIN;
    host->low_mono_ns = INT64_MIN;
    host->oom_kills = read_oom_kills(probe);
    host->vmstat_mono_ns = INT64_MIN;
    read_boot_time(probe);
    find_root_links(probe);
    oc_lx_host_refresh(probe);
}

void oc_lx_host_close(struct oc_lx_probe *probe)
{
    oc_lx_close_kept(probe, &probe->host.meminfo_fd);
    oc_lx_close_kept(probe, &probe->host.pressure_fd);
    oc_lx_close_kept(probe, &probe->host.vmstat_fd);
}

/* Whether what was read at `then` is too old by now. */
static int is_old(int64_t then_mono_ns, int64_t now_mono_ns)
{
    return then_mono_ns == INT64_MIN || now_mono_ns < then_mono_ns ||
           now_mono_ns - then_mono_ns >= SLOW_NS;
}

/*
 * "Low" is what earlyoom waits for by default, a tenth, and somewhat more: it kills at once, and the
 * last look was before that.
 */
#define LOW_PART 8

static enum oc_lx_room room_of(uint64_t found, const uint64_t *values)
{
    const uint64_t needed = UINT64_C(1) << MEM_TOTAL | UINT64_C(1) << MEM_AVAILABLE |
                            UINT64_C(1) << MEM_SWAP_TOTAL | UINT64_C(1) << MEM_SWAP_FREE;

    if ((found & needed) != needed)
        return OC_LX_ROOM_UNKNOWN;
    return values[MEM_AVAILABLE] <= values[MEM_TOTAL] / LOW_PART &&
                   values[MEM_SWAP_FREE] <= values[MEM_SWAP_TOTAL] / 10
               ? OC_LX_ROOM_LOW
               : OC_LX_ROOM_ENOUGH;
}

/* Low for a while after it was: whoever ended a process for it has made room by that. */
enum oc_lx_room oc_lx_host_room(const struct oc_lx_probe *probe)
{
    const struct oc_lx_host *host = &probe->host;

    if (!is_old(host->low_mono_ns, probe->now_mono_ns))
        return OC_LX_ROOM_LOW;
    return is_old(host->meminfo_mono_ns, probe->now_mono_ns) ? OC_LX_ROOM_UNKNOWN : host->room;
}

/* The values of meminfo, and the mask of those found. */
static uint64_t read_meminfo(struct oc_lx_probe *probe, uint64_t *values)
{
    struct oc_lx_host *host = &probe->host;
    char text[MEMINFO_BYTES];
    uint64_t found = 0;
    ssize_t len_bytes = host->meminfo_fd < 0 ? oc_lx_read_path(probe, "meminfo", text, sizeof text)
                                             : oc_lx_pread(host->meminfo_fd, text, sizeof text);

    if (len_bytes > 0)
        found = oc_lx_keyed_parse(text, (size_t)len_bytes, meminfo_keys, MEM_COUNT, values);
    host->meminfo_mono_ns = probe->now_mono_ns;
    host->room = room_of(found, values);
    if (host->room == OC_LX_ROOM_LOW)
        host->low_mono_ns = probe->now_mono_ns;
    host->swap_total_bytes =
        found >> MEM_SWAP_TOTAL & 1 ? (int64_t)values[MEM_SWAP_TOTAL] : INT64_C(-1);
    return found;
}

void oc_lx_host_refresh(struct oc_lx_probe *probe)
{
    uint64_t values[MEM_COUNT];

    if (is_old(probe->host.meminfo_mono_ns, probe->now_mono_ns))
        (void)read_meminfo(probe, values);
}

/* Reads the count anew; what is more than before waits for its victims to be told. */
static void count_oom_kills(struct oc_lx_probe *probe)
{
    struct oc_lx_host *host = &probe->host;
    uint64_t before = host->oom_kills, now = read_oom_kills(probe);

    host->oom_kills = now;
    if (probe->now_mono_ns - host->oom_mono_ns > OOM_CLAIM_NS)
        host->oom_unclaimed = 0;
    if (before == OC_LX_MAX || now == OC_LX_MAX || now <= before)
        return;
    host->oom_unclaimed += now - before;
    host->oom_mono_ns = probe->now_mono_ns;
}

int oc_lx_host_claim_oom_kill(struct oc_lx_probe *probe)
{
    count_oom_kills(probe);
    if (probe->host.oom_unclaimed == 0)
        return 0;
    probe->host.oom_unclaimed--;
    return 1;
}

static void set_pressure(struct oc_lx_probe *probe, struct oc_sample *sample)
{
    struct oc_lx_psi psi;
    char text[512];
    ssize_t len_bytes = 0;

    if (probe->host.pressure_fd < 0)
        return;
    len_bytes = oc_lx_pread(probe->host.pressure_fd, text, sizeof text);
    if (len_bytes <= 0 || oc_lx_psi_parse(text, (size_t)len_bytes, &psi) != OC_OK)
        return; /* psi=0 on the kernel's command line: EOPNOTSUPP */
    oc_sample_set(sample, OC_METRIC_HOST_PSI_SOME_US, (int64_t)psi.some_us);
    if (psi.full_us != OC_LX_MAX)
        oc_sample_set(sample, OC_METRIC_HOST_PSI_FULL_US, (int64_t)psi.full_us);
}

static void set_oom_kills(struct oc_lx_probe *probe, struct oc_sample *sample)
{
    struct oc_lx_host *host = &probe->host;

    if (is_old(host->vmstat_mono_ns, probe->now_mono_ns))
        count_oom_kills(probe);
    if (host->oom_kills != OC_LX_MAX)
        oc_sample_set(sample, OC_METRIC_HOST_OOM_KILLS, (int64_t)host->oom_kills);
}

/* What cannot be given back; without MemAvailable (before 3.14) nobody knows. */
static void set_used(uint64_t found, const uint64_t *values, struct oc_sample *sample)
{
    static const int parts[] = { MEM_TOTAL, MEM_AVAILABLE, MEM_SWAP_TOTAL, MEM_SWAP_FREE };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!(found >> parts[i] & 1) || values[parts[i]] > INT64_MAX / 4)
            return;
    }
    oc_sample_set(sample, OC_METRIC_HOST_USED,
                  (int64_t)values[MEM_TOTAL] - (int64_t)values[MEM_AVAILABLE] +
                      (int64_t)values[MEM_SWAP_TOTAL] - (int64_t)values[MEM_SWAP_FREE]);
}

int oc_lx_host_read(oc_probe *base, struct oc_sample *out_sample)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    uint64_t values[MEM_COUNT], found = read_meminfo(probe, values);

    out_sample->block = OC_BLOCK_HOST;
    out_sample->known = 0;
    for (int i = 0; i < MEM_COUNT; i++) {
        if ((found >> i & 1) && values[i] != OC_LX_MAX)
            oc_sample_set(out_sample, meminfo_metrics[i], (int64_t)values[i]);
    }
    set_used(found, values, out_sample);
    set_pressure(probe, out_sample);
    set_oom_kills(probe, out_sample);
    set_processes(probe, out_sample);
    return OC_OK;
}
