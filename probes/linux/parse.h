/*
 * Parsers of what Linux tells of processes, cgroups and itself. Pure: bytes in, figures out; the
 * text need not end with NUL and may be hostile or cut. Pages and KiB end here: all is bytes.
 *
 * They return 0, or OC_E_PARSE and leave the output undefined, unless they say more.
 */
#ifndef OC_PROBES_LINUX_PARSE_H
#define OC_PROBES_LINUX_PARSE_H

#include <stddef.h>
#include <stdint.h>

/* ---- of a process ---- */

/* /proc/PID/statm; all 0 for a kernel thread, a zombie, or a leader that ended before its threads. */
struct oc_lx_statm {
    uint64_t size_bytes;
    uint64_t resident_bytes;
    uint64_t shared_bytes; /* of files and shmem, in RAM */
    uint64_t data_bytes;   /* VmData + VmStk */
};
int oc_lx_statm_parse(const char *text, size_t len_bytes, unsigned page_shift,
                      struct oc_lx_statm *out_statm);

/* /proc/PID/status. A line that is not there, as in a kernel thread's, leaves its bit clear. */
enum oc_lx_status_field {
    OC_LX_PPID,
    OC_LX_UID, /* the real one */
    OC_LX_VM_PEAK,
    OC_LX_VM_SIZE,
    OC_LX_VM_HWM,
    OC_LX_VM_RSS,
    OC_LX_RSS_ANON,
    OC_LX_RSS_FILE,
    OC_LX_RSS_SHMEM,
    OC_LX_VM_DATA,
    OC_LX_VM_STK,
    OC_LX_VM_PTE,
    OC_LX_VM_SWAP,
    OC_LX_THREADS, /* the last one that is looked for */
    OC_LX_STATUS_FIELDS
};
struct oc_lx_status {
    uint32_t have;                        /* 1 << enum oc_lx_status_field */
    uint64_t values[OC_LX_STATUS_FIELDS]; /* bytes; where `have` has the bit */
};
int oc_lx_status_parse(const char *text, size_t len_bytes, struct oc_lx_status *out_status);

static inline int oc_lx_status_has(const struct oc_lx_status *status, enum oc_lx_status_field field)
{
    return (int)(status->have >> field & 1u);
}

/* /proc/PID/stat. The name is raw: any bytes, a ')' or a newline among them. */
struct oc_lx_stat {
    const char *name; /* borrowed from the text */
    size_t name_bytes;
    char state; /* R S D Z X T t I … */
    uint32_t parent_pid;
    uint32_t flags; /* PF_… */
    uint64_t minor_faults, major_faults;
    uint64_t cpu_ticks; /* user and system */
    uint64_t threads;
    uint64_t start_ticks;
    uint64_t rss_pages;
    uint64_t start_stack; /* its address: another one after exec; 0 without the right to see it */
    int exit_code;        /* as wait(2) gives it; of a zombie, and where one may see it; else 0 */
};
#define OC_LX_PF_KTHREAD 0x00200000u
int oc_lx_stat_parse(const char *text, size_t len_bytes, struct oc_lx_stat *out_stat);

/* /proc/PID/maps, piece by piece: adds what the whole lines of the text hold and gives their bytes. */
struct oc_lx_maps {
    uint64_t mappings;
    uint64_t modules;    /* executable mappings of files */
    uint64_t heap_bytes; /* [heap]: what brk() gave */
};
int oc_lx_maps_parse(const char *text, size_t len_bytes, struct oc_lx_maps *maps,
                     size_t *out_used_bytes);

/* /proc/PID/smaps_rollup. */
struct oc_lx_rollup {
    uint64_t pss_bytes;
    uint64_t uss_bytes; /* Private_Clean + Private_Dirty */
};
int oc_lx_rollup_parse(const char *text, size_t len_bytes, struct oc_lx_rollup *out_rollup);

/*
 * /proc/PID/cgroup: the path in the unified hierarchy (controller NULL) or in that of a version 1
 * controller ("memory"). *out_path is borrowed from the text. OC_E_NOENT: not in that hierarchy.
 */
int oc_lx_cgroup_parse(const char *text, size_t len_bytes, const char *controller,
                       const char **out_path, size_t *out_path_bytes);

/* ---- "key value" and "Key:  value kB" lines: meminfo, vmstat, memory.stat, memory.events … ---- */

/*
 * Looks for `count` keys (≤ 64) and writes values[i] for keys[i]; quickest where the keys are in
 * the kernel's order. A value of "max" is OC_LX_MAX. Other lines, and lines without a number, are
 * passed over. Returns the mask of what was found.
 */
#define OC_LX_MAX UINT64_MAX
uint64_t oc_lx_keyed_parse(const char *text, size_t len_bytes, const char *const *keys,
                           size_t count, uint64_t *values);

/* One number and a newline, or "max" (OC_LX_MAX): memory.current, memory.max … */
int oc_lx_number_parse(const char *text, size_t len_bytes, uint64_t *out_value);

/* Pressure: the totals of both lines in µs. A kernel without "full" gives OC_LX_MAX for it. */
struct oc_lx_psi {
    uint64_t some_us, full_us;
};
int oc_lx_psi_parse(const char *text, size_t len_bytes, struct oc_lx_psi *out_psi);

/* ---- proc connector: one netlink datagram ---- */

enum oc_lx_cn_kind { OC_LX_CN_OTHER, OC_LX_CN_ACK, OC_LX_CN_FORK, OC_LX_CN_EXEC, OC_LX_CN_EXIT };
struct oc_lx_cn_event {
    enum oc_lx_cn_kind kind;
    uint32_t pid;     /* of the thread */
    uint32_t tgid;    /* of the process */
    uint32_t code;    /* of an exit, as wait(2) gives it; of an ack its errno */
    uint64_t mono_ns; /* when it happened; 0: not said */
};
/* Takes the message at *at_bytes and moves on. Returns 1, 0 at the end, or OC_E_PARSE. */
int oc_lx_cn_parse(const void *bytes, size_t len_bytes, size_t *at_bytes,
                   struct oc_lx_cn_event *out_event);

#endif
