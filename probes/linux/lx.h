/*
 * What the files of this folder share: the structs behind oc_probe, oc_proc and oc_cgroup on
 * Linux, and the few calls between them. Nobody else looks in here but the tests.
 */
#ifndef OC_PROBES_LINUX_LX_H
#define OC_PROBES_LINUX_LX_H

#include "probes/linux/parse.h"
#include "probes/linux/trees.h"
#include "probes/probe.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#define OC_LX_PROCS_MAX 65536u    /* looked at, at once */
#define OC_LX_SEEN_MAX (1u << 20) /* in /proc, at once */
#define OC_LX_CGROUPS_MAX 16384u

/*
 * Up to so many processes everything that a look reads stays open; beyond, statm alone (what a
 * pinned look reads first). 1000 targets, and some room for the daemon's own.
 */
#define OC_LX_KEEP_ALL_MAX 1010u
#define OC_LX_KEEP_AGAIN 960u /* so few again: less, so that a number that swings costs little */

#define OC_LX_TEXT_BYTES 65536u /* maps in one gulp; everything else is far shorter */

/*
 * The system calls that know processes by PID or hear of them: a table, so that tests answer for
 * kernels that are not at hand. All that is read through files comes from the roots instead.
 */
struct oc_lx_sys {
    /* CPU time of a process in ns. 0, OC_E_GONE or a code. */
    int (*cpu_clock_ns)(uint32_t pid, int64_t *out_ns);
    /* A descriptor, or a code (before 5.3: OC_E_NOTSUP). */
    int (*pidfd_open)(uint32_t pid);
    /* Of one that was reaped, as wait(2) gives it; -1: it does not say (before 6.15). */
    int (*pidfd_exit_code)(int pidfd);
    /* A socket of the proc connector, or why there is none: OC_E_DENIED, OC_E_NOTSUP … */
    int (*connector_listen)(void);
};
extern const struct oc_lx_sys oc_lx_kernel; /* the one we run on */
int oc_lx_pidfd_tells(int pidfd);           /* whether this kernel answers to PIDFD_GET_INFO */

/* ---- processes ---- */

enum oc_lx_file { OC_LX_STATM, OC_LX_STATUS, OC_LX_STAT, OC_LX_ROLLUP, OC_LX_MAPS, OC_LX_FILES };

/* What the dear files said last; they stand until those are read again. */
struct oc_lx_deep {
    uint64_t have; /* OC_METRIC_BIT of what follows */
    uint64_t shmem_bytes, swap_bytes, page_table_bytes, hwm_bytes;
    uint64_t minor_faults, major_faults;
    uint64_t peak_bytes;                   /* VmPeak: goes down only with an exec */
    uint64_t start_stack;                  /* another one after an exec; 0: not ours to see */
    uint64_t resident_bytes, shared_bytes; /* of statm at that time */
    uint32_t threads, fds;
};

#define OC_LX_KTHREAD 1u
#define OC_LX_ENDED 2u     /* its end was told */
#define OC_LX_DEEP_SEEN 4u /* `deep` holds something */
#define OC_LX_NO_MEMFDS 8u /* a walk found none */
#define OC_LX_THINNED 16u  /* it has no pidfd because there were too many processes */

struct oc_lx_memfds {
    uint32_t count;
    int fds[OC_WALK_MEMFDS_MAX]; /* numbers in the watched process */
    uint64_t inodes[OC_WALK_MEMFDS_MAX];
};

struct oc_lx_proc {
    /* what each look touches comes first: 64 bytes, and 32 more where it ran */
    struct oc_proc base; /* first */
    struct oc_lx_probe *probe;
    int64_t cpu_ns;      /* of the last look */
    int fd[OC_LX_FILES]; /* -1: not kept */
    uint32_t pid;
    uint8_t flags;
    uint8_t idle_left; /* looks until one is taken though it did not run */
    uint8_t deep_wait; /* looks until the dear files may be read */
    uint8_t deep_age;  /* looks since they were */
    uint32_t thread;   /* its figures are read from this thread, the leader has ended; else 0 */
    struct oc_lx_statm statm;
    struct oc_lx_deep deep;
    struct oc_lx_memfds *memfds; /* NULL: not known */
    uint8_t deep_count;          /* how often the dear files were read, up to 252 */
    char name[16];
    uint64_t start_ticks;
    uint64_t attached_mono_ns; /* when we began to look, by the real clock */
    uint32_t exec_count, parent_pid;
    int64_t uid;
    char *cgroup_path;        /* exactly sized; NULL: unknown */
    struct oc_lx_proc *older; /* of the same PID, still attached: ended, or attached twice */
    int pidfd;
    int end_code; /* as wait(2) gives it, from the connector; -1: none came */
};

/* ---- the probe ---- */

struct oc_lx_table { /* pid → process, open addressing */
    struct oc_lx_proc **slots;
    size_t capacity, count;
};

struct oc_lx_seen {
    uint32_t pid;
    uint32_t inode; /* of /proc/PID: another one once the PID is another's */
    uint64_t start_ticks;
    uint64_t rss_bytes;
    int64_t cpu_ns; /* its CPU clock when that was read; -1: unknown */
    uint32_t flags; /* OC_SEEN_… */
    char name[16];  /* of a kernel thread it may be cut */
};

struct oc_lx_scan {
    struct oc_lx_seen *now, *before; /* by PID */
    size_t now_capacity, before_capacity;
    size_t count;          /* in `before`: what the last scan saw */
    int done;              /* there was one */
    uint32_t refresh_from; /* PID where the next slice begins */
};

/* Low: less than a tenth of both RAM and swap is left. */
enum oc_lx_room { OC_LX_ROOM_UNKNOWN, OC_LX_ROOM_LOW, OC_LX_ROOM_ENOUGH };

struct oc_lx_host {
    int meminfo_fd, pressure_fd, vmstat_fd;
    int64_t swap_total_bytes; /* -1: unknown */
    int64_t meminfo_mono_ns;  /* when last read */
    int64_t vmstat_mono_ns;
    uint64_t oom_kills;     /* OC_LX_MAX: unknown */
    uint64_t oom_unclaimed; /* kills of late whose victim is not told yet */
    int64_t oom_mono_ns;    /* when they were seen */
    enum oc_lx_room room;   /* by the last meminfo */
    int64_t low_mono_ns;    /* when it was low last */
    int64_t boot_unix_ms;   /* when the machine started; 0: unknown */
    uint64_t root_links;    /* of the proc root without any process; 0: unknown */
};

#define OC_LX_READY_MAX 64  /* taken from epoll at once */
#define OC_LX_QUEUE_MAX 256 /* events that no descriptor stands for */

struct oc_lx_queued {
    struct oc_event event;
    const void *owner; /* of whom it tells; NULL: of nobody we look at */
    int dropped;       /* who it tells of was let go */
};

struct oc_lx_events {
    int epoll_fd, connector_fd, wake_fd, timer_fd;
    struct epoll_event ready[OC_LX_READY_MAX];
    int ready_count, ready_at;
    struct oc_lx_queued queue[OC_LX_QUEUE_MAX];
    unsigned queue_first, queue_count;
    int rescan; /* one is to be told */
    char scope[OC_LX_CGROUP_PATH_MAX]; /* of the event that was told last */
};

struct oc_lx_probe {
    struct oc_probe base; /* first */
    char proc_root[256];
    struct oc_lx_trees trees; /* the cgroup hierarchies */
    enum oc_look look;
    int proc_fd;
    int spare_fd; /* given up for a moment where no descriptor is left */
    int live;     /* PIDs below proc_root are those of our system calls */
    const struct oc_lx_sys *sys;
    int counts_fds; /* st_size of /proc/PID/fd is their number (6.2 on) */
    unsigned page_shift;
    uint64_t ticks_per_s;
    uint64_t fds_kept, fds_max;
    int64_t now_mono_ns;
    struct oc_lx_table table;
    size_t proc_count;
    struct oc_lx_scan scan;
    struct oc_lx_host host;
    struct oc_lx_events events;
    struct oc_lx_cgroup *cgroups; /* list */
    size_t cgroup_count;
    char *text;                 /* OC_LX_TEXT_BYTES, of the call that runs */
    struct oc_proc_facts facts; /* what oc_proc_facts() gave last */
};

static inline struct oc_lx_probe *oc_lx_probe_of(oc_probe *probe)
{
    return (struct oc_lx_probe *)(void *)probe;
}

static inline struct oc_lx_proc *oc_lx_proc_of(oc_proc *proc)
{
    return (struct oc_lx_proc *)(void *)proc;
}

/* As oc_probe_open(), with system calls of the test's; the PIDs below the root are taken for theirs. */
int oc_lx_open_with(const struct oc_probe_options *options, const struct oc_lx_sys *sys,
                    oc_probe **out_probe, struct oc_detail *detail);

/* ---- files.c: descriptors within their budget ---- */

/* openat() of a path below the proc root, read only. A descriptor or a code; a process that is not there is OC_E_GONE. */
int oc_lx_open(struct oc_lx_probe *probe, const char *path);
/* Whether one more may be kept, and the book of them. */
int oc_lx_may_keep(const struct oc_lx_probe *probe);
void oc_lx_kept(struct oc_lx_probe *probe);
void oc_lx_close_kept(struct oc_lx_probe *probe, int *fd);
/* Bytes read from the start of an open file, or a code. One system call. */
ssize_t oc_lx_pread(int fd, char *text, size_t max_bytes);
/* All of a file below the proc root, in as many reads as it takes, up to max_bytes. */
ssize_t oc_lx_read_path(struct oc_lx_probe *probe, const char *path, char *text, size_t max_bytes);
ssize_t oc_lx_read_all(int fd, char *text, size_t max_bytes);

/* Which file the looks cannot do without: it is kept longest. */
enum oc_lx_file oc_lx_first_file(const struct oc_lx_probe *probe);
size_t oc_lx_unkept(const oc_probe *probe);
/* "PID/name", or "PID/task/TID/name" of a process whose leader ended. */
void oc_lx_proc_path(const struct oc_lx_proc *proc, const char *name, char *out, size_t out_bytes);
/* Reads one of its files from the start: kept if there is room, else opened for this once. */
ssize_t oc_lx_proc_pread(struct oc_lx_proc *proc, enum oc_lx_file file, char *text,
                         size_t max_bytes);
void oc_lx_proc_close_file(struct oc_lx_proc *proc, enum oc_lx_file file);
/* Reads the mappings piece by piece; of a process by its kept descriptor if there is room. */
int oc_lx_maps_read(int fd, char *text, size_t max_bytes, struct oc_lx_maps *out_maps);
int oc_lx_proc_maps(struct oc_lx_proc *proc, struct oc_lx_maps *out_maps);

/* ---- table.c ---- */
struct oc_lx_proc *oc_lx_table_find(const struct oc_lx_table *table, uint32_t pid);
int oc_lx_table_add(struct oc_lx_table *table,
                    struct oc_lx_proc *proc); /* before an older one of its PID; OC_E_NOMEM */
void oc_lx_table_remove(struct oc_lx_table *table, const struct oc_lx_proc *proc);
void oc_lx_table_clear(struct oc_lx_table *table);

/* ---- proc.c ---- */
int oc_lx_attach(oc_probe *probe, uint32_t pid, oc_proc **out_proc);
void oc_lx_detach(oc_probe *probe, oc_proc *proc);
const struct oc_proc_facts *oc_lx_facts(const oc_proc *proc);
/* Gives a thinned one its pidfd again, where there is room now. Before a look; nothing for most. */
void oc_lx_proc_keep_again(struct oc_lx_proc *proc);
/* Another program took its place: counts it, reads name and user again, queues the event once. */
void oc_lx_proc_execed(struct oc_lx_proc *proc);

/* ---- look.c ---- */
int oc_lx_tick_begin(oc_probe *probe, int64_t now_mono_ns);
int oc_lx_read(oc_probe *probe, oc_proc *proc, struct oc_sample *out_sample);

/* ---- deep.c: the dear files of a look ---- */
/* Whether this look is to read them: it moved enough, or they are old. Counts the looks. */
int oc_lx_deep_due(struct oc_lx_proc *proc);
/* 0 or OC_E_GONE; a file that cannot be read costs its figures alone. */
int oc_lx_deep_read(struct oc_lx_proc *proc);
void oc_lx_memfd_set(const struct oc_lx_proc *proc, struct oc_sample *sample);
void oc_lx_adopt(oc_probe *probe, oc_proc *proc, const struct oc_walk *walk);

/* ---- thread.c: a leader that ended before its threads ---- */
/* From now on reads a thread that lives. OC_E_GONE: there is none, or the PID is another's. */
int oc_lx_find_thread(struct oc_lx_proc *proc);

/* ---- scan.c, host.c ---- */
int oc_lx_scan(oc_probe *probe, oc_seen_fn *fn, void *context);
/* Folders in the proc root that are no process's, or a code. A listing. */
int oc_lx_count_folders(struct oc_lx_probe *probe);
void oc_lx_scan_clear(struct oc_lx_scan *scan);
void oc_lx_scan_forget(struct oc_lx_scan *scan, uint32_t pid); /* read anew at the next scan */
void oc_lx_host_open(struct oc_lx_probe *probe);
void oc_lx_host_close(struct oc_lx_probe *probe);
int oc_lx_host_read(oc_probe *probe, struct oc_sample *out_sample);
void oc_lx_host_refresh(struct oc_lx_probe *probe); /* swap_total_bytes, at most every 10 s */
/*
 * Whether a killed process was the OOM killer's: its count went up in the last seconds, and not yet
 * for another one that we look at. (A kill by hand within 5 s of one elsewhere is mistaken for it.)
 */
int oc_lx_host_claim_oom_kill(struct oc_lx_probe *probe);
/* What looks at meminfo of the last 10 s saw: low if one of them did. */
enum oc_lx_room oc_lx_host_room(const struct oc_lx_probe *probe);

/* ---- cgroup.c ---- */
int oc_lx_cgroup_attach(oc_probe *probe, const char *path, oc_cgroup **out_cgroup);
void oc_lx_cgroup_detach(oc_probe *probe, oc_cgroup *cgroup);
int oc_lx_cgroup_read(oc_probe *probe, oc_cgroup *cgroup, struct oc_sample *out_sample);
/*
 * Tasks and their limit of a cgroup, into its sample. They are files of the pids controller, which of version 1 is
 * a hierarchy of its own: there the cgroup of the same path is meant; systemd and container engines make both alike.
 */
void oc_lx_tasks_read(struct oc_lx_probe *probe, const char *cgroup_path, struct oc_sample *sample);
/* Looks at the events of one that epoll found ready; queues what happened. */
void oc_lx_cgroup_on_ready(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup);

/* ---- killer.c ---- */
/*
 * Fills in who killed, as far as it can be told, when an event is handed out: of an end by a signal,
 * and of a kill in a cgroup. owner: the process or cgroup that it tells of.
 */
void oc_lx_killer_tell(struct oc_lx_probe *probe, struct oc_event *event, const void *owner);

/* ---- events.c, connector.c ---- */

int oc_lx_events_open(struct oc_lx_probe *probe, int no_connector);
void oc_lx_events_close(struct oc_lx_probe *probe);
int oc_lx_next_event(oc_probe *probe, struct oc_event *out_event);
int oc_lx_event_fd(const oc_probe *probe);
/*
 * An event that no descriptor stands for, of `owner` (NULL: nobody that we look at); beyond
 * OC_LX_QUEUE_MAX they become one OC_EVENT_RESCAN.
 */
void oc_lx_events_push(struct oc_lx_probe *probe, const struct oc_event *event, const void *owner);
void oc_lx_events_push_rescan(struct oc_lx_probe *probe);
/* Watches a kept descriptor; what becomes ready is told by `owner` (a process, or a cgroup with the low bit set). */
int oc_lx_events_watch(struct oc_lx_probe *probe, int fd, uint32_t epoll_events, void *owner,
                       int is_cgroup);
void oc_lx_events_forget(struct oc_lx_probe *probe, int fd, const void *owner, int is_cgroup);
/* What waits of a process or cgroup that is let go. */
void oc_lx_events_drop(struct oc_lx_probe *probe, const void *owner);
/* Its leader exits with this code: noted, and told as the end where no pidfd will and no thread is left. */
void oc_lx_proc_exiting(struct oc_lx_proc *proc, int code);
/* Queues its end, found by a look, once. */
void oc_lx_proc_ended(struct oc_lx_proc *proc);

int oc_lx_connector_listen(void);                    /* of struct oc_lx_sys */
int oc_lx_connector_open(struct oc_lx_probe *probe); /* 0 or why not: OC_E_DENIED, OC_E_NOTSUP … */
void oc_lx_connector_close(struct oc_lx_probe *probe);
/* Takes what waits there, queues what it says, and notes exit codes with their processes. How many it took. */
int oc_lx_connector_drain(struct oc_lx_probe *probe);

#endif
