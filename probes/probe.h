/*
 * The whole contract of the probes: figures from the OS. linux/, windows/ and fake/ fulfil it
 * through a table of calls, so that all of them live in one test binary.
 *
 * A probe belongs to one thread. A walk (struct oc_walk_request) has descriptors of its own and may
 * run on another thread, since it may block.
 *
 * The watcher never harms the watched: a tick reads O(1) whatever the size of the process.
 */
#ifndef OC_PROBES_PROBE_H
#define OC_PROBES_PROBE_H

#include "base/census.h"
#include "base/err.h"
#include "base/limit.h"
#include "base/plan.h"
#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

struct oc_buf;

typedef struct oc_probe oc_probe;
typedef struct oc_proc oc_proc;     /* a process that is looked at; its descriptors are kept */
typedef struct oc_cgroup oc_cgroup; /* a cgroup that is looked at */

/*
 * What a look reads each tick. The ladder is the default: the CPU clock gates, then statm, then
 * status where resident moved or now and then. The others are pinned: each tick, no gate.
 */
enum oc_look {
    OC_LOOK_LADDER,
    OC_LOOK_LEAST,   /* statm */
    OC_LOOK_BASIC,   /* status */
    OC_LOOK_PSS,     /* statm and smaps_rollup */
    OC_LOOK_REGIONS, /* statm, smaps_rollup and maps */
    OC_LOOK_COUNT
};

struct oc_probe_options {
    const char *root;      /* of the system that is looked at, "/host" in a container; NULL: "/" */
    const char *proc_root; /* NULL: ROOT/proc */
    const char *cgroup_root; /* NULL: ROOT/sys/fs/cgroup */
    enum oc_look look;
    uint64_t max_descriptors; /* kept in all; 0: half of the descriptor limit */
    int no_connector;         /* do not try proc connector events */
};

/* Opens the probe of this OS. Returns 0, OC_E_NOMEM, OC_E_NOENT (no such root), OC_E_DENIED. */
int oc_probe_open(const struct oc_probe_options *options, oc_probe **out_probe,
                  struct oc_detail *detail);
void oc_probe_close(oc_probe *probe);

/* ---- discovery ---- */

struct oc_seen {
    uint32_t pid;
    uint64_t start_ticks;
    uint64_t rss_bytes; /* 0 for a kernel thread or a zombie */
    uint32_t flags;     /* OC_SEEN_… */
    char name[64];      /* comm, valid UTF-8, control characters kept */
};
#define OC_SEEN_KERNEL_THREAD 1u
#define OC_SEEN_ZOMBIE 2u
#define OC_SEEN_NEW 4u    /* not in the scan before, or another start time, or exec in place */
#define OC_SEEN_DENIED 8u /* there, but its figures are another user's to see */

/*
 * Goes through all processes once. `known` ones cost ≤ 1 µs each amortised: only new ones, and a
 * slice of the others each time so that their rss and name stay fresh, are read again.
 * Calls back once for each process there is. The callback must not call the probe.
 * Returns the number of processes, or a code.
 */
typedef void oc_seen_fn(const struct oc_seen *seen, void *context);
int oc_probe_scan(oc_probe *probe, oc_seen_fn *fn, void *context);

/* ---- processes ---- */

/*
 * Starts to look at a process: opens and keeps descriptors while there is room, else they are
 * opened at each look. Returns 0, OC_E_GONE, OC_E_NOMEM, OC_E_NOFILE, OC_E_DENIED (it is there, but
 * /proc is mounted so that it hides it: hidepid). That some figures are
 * another user's to see is no failure: their bits stay clear.
 */
int oc_probe_attach(oc_probe *probe, uint32_t pid, oc_proc **out_proc);
void oc_probe_detach(oc_probe *probe, oc_proc *proc);

/*
 * Facts, read at attach without blocking (cmdline and exe may wait for the watched's lock: they
 * come with the walk and are "" here). Borrowed until the next call for a process of the same
 * probe: 2 KiB for each process would be most of what it costs, so copy what must stay.
 */
const struct oc_proc_facts *oc_proc_facts(const oc_proc *proc);

/* A figure of the caller's own to find its things by; the probe hands it back in events. */
void oc_proc_set_tag(oc_proc *proc, uint64_t tag);
uint64_t oc_proc_tag(const oc_proc *proc);

/* Once before the reads of a tick: memory figures of the host are read here once for all that needs them. */
int oc_probe_tick_begin(oc_probe *probe, int64_t now_mono_ns);

#define OC_READ_SAME                                                                               \
    1 /* has not run since the last look: *out_sample untouched, the last one stands */

/*
 * Reads one process. Returns 0 (a whole new sample, every figure that could be had),
 * OC_READ_SAME, OC_E_GONE, OC_E_NOMEM, OC_E_IO. Bits of figures that could not be read are clear.
 * After OC_E_GONE its OC_EVENT_PROC_END, with the exit status where it can be had, comes from
 * oc_probe_next_event(); who detaches before that forgoes the status.
 * PSS, USS, mappings, modules, brk heap, and fds where the kernel does not count them, are there
 * only with a look that reads them; the others come from walks.
 */
int oc_probe_read(oc_probe *probe, oc_proc *proc, struct oc_sample *out_sample);

/*
 * How many of those that are looked at have no kept descriptor, for want of room: they are opened
 * at each look. 0 at once where there is room; else some ns for each process.
 */
size_t oc_probe_unkept(const oc_probe *probe);

/* ---- cgroups and the host ---- */

/* The cgroup of a path ("/system.slice/x.service") with kept descriptors. 0, OC_E_NOENT, OC_E_NOMEM, OC_E_NOFILE, OC_E_NOTSUP (no memory controller). */
int oc_probe_cgroup_attach(oc_probe *probe, const char *path, oc_cgroup **out_cgroup);
void oc_probe_cgroup_detach(oc_probe *probe, oc_cgroup *cgroup);
const char *oc_cgroup_path(const oc_cgroup *cgroup);
uint64_t
oc_cgroup_inode(const oc_cgroup *cgroup); /* path + inode identify a cgroup in a boot; 0: unknown */
void oc_cgroup_set_tag(oc_cgroup *cgroup, uint64_t tag);
uint64_t oc_cgroup_tag(const oc_cgroup *cgroup);

/* The parent's path of a cgroup path into out ("/a/b" → "/a" → "/"). 0, or OC_E_NOENT at the root. */
int oc_cgroup_parent_path(const char *path, char *out, size_t out_bytes);

/* Reads current, peak, swap, limits, events, PSI; memory.stat at most every 10 s or near a limit. 0 or OC_E_GONE. */
int oc_probe_cgroup_read(oc_probe *probe, oc_cgroup *cgroup, struct oc_sample *out_sample);

int oc_probe_host_read(oc_probe *probe, struct oc_sample *out_sample);

/* ---- events: ends, births, execs, OOM kills ---- */

enum oc_event_kind {
    OC_EVENT_PROC_END,   /* of an attached process: tag, end, status */
    OC_EVENT_PROC_EXEC,  /* of an attached process, in place: tag */
    OC_EVENT_PROC_START, /* a pid appeared, or is another program now (connector only); tag 0 */
    OC_EVENT_RESCAN,     /* events were lost or cannot be had: scan soon */
    OC_EVENT_CGROUP_OOM_KILL, /* tag of the cgroup */
    OC_EVENT_CGROUP_GONE,     /* tag of the cgroup */
    OC_EVENT_TOLD /* the OS's own log says something of memory or of a pool: killer_scope, with pid and tag where it names one */
};

struct oc_event {
    enum oc_event_kind kind;
    uint32_t pid;
    uint64_t tag;
    enum oc_end end; /* OC_END_UNKNOWN where nobody could say */
    int status;      /* exit code or signal; -1 unknown */
    enum oc_killer killer;
    const char *
        killer_scope; /* path of the cgroup, or the reason in the killer's words; NULL: none. Borrowed until the
                                 next call */
};

/* OC_EVENT_TOLD: killer_scope is "WAS 5002" and what it says; one line, at most 300 bytes. */
/* Takes the next event, if there is one. Returns 1, 0 (none now) or a code. Never blocks. */
int oc_probe_next_event(oc_probe *probe, struct oc_event *out_event);

/* Linux: one descriptor that is readable while events wait (an epoll of pidfds, the connector and
 * memory.events); Windows: the number of an event handle that is set while events wait; -1 where there is none, then only oc_probe_read() finds an end. */
int oc_probe_event_fd(const oc_probe *probe);

/* ---- walks: may block, on any thread ---- */

/* What a walk is to look at; more is dearer. */
#define OC_WALK_FACTS 1u   /* name, user, cgroup, exe, cmdline: five small files */
#define OC_WALK_COUNTS 2u  /* mappings, modules, heap, fds, memfds: maps read, nothing kept of it */
#define OC_WALK_REGIONS 4u /* totals by usage, type and state; largest free block; arenas */
#define OC_WALK_MODULES 8u /* the list of modules */
#define OC_WALK_FAMILIES 16u /* of modules, mappings, threads and descriptors */
#define OC_WALK_PAGES                                                                              \
    32u /* PSS and USS: the kernel walks the page tables, and stalls the watched */
#define OC_WALK_RESIDENT                                                                           \
    64u                     /* RAM in each cell: smaps in place of maps; as dear as OC_WALK_PAGES */
#define OC_WALK_LIMITS 128u /* the process's own: rlimits, vm.max_map_count, 32-bit address space */
/* What the daemon asks for when a walk is due. */
#define OC_WALK_USUAL                                                                              \
    (OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_REGIONS | OC_WALK_MODULES | OC_WALK_FAMILIES |       \
     OC_WALK_LIMITS)

/* Each region in ascending order of its address, where the caller wants a list; free ones too. */
typedef void oc_region_fn(const struct oc_region *region, void *context);

struct oc_walk_request {
    uint32_t pid;
    uint64_t start_ticks;    /* the walk fails with OC_E_GONE if the PID is another's now; 0: any */
    unsigned want;           /* OC_WALK_… */
    oc_region_fn *on_region; /* NULL: no list; needs OC_WALK_REGIONS */
    void *context;
};

#define OC_WALK_MEMFDS_MAX 16
#define OC_WALK_CMDLINE_MAX (64u << 10)
#define OC_WALK_LIMITS_MAX 10

struct oc_walk {
    struct oc_sample sample;    /* mappings, modules, brk heap, fds, and PSS, USS where asked for */
    struct oc_proc_facts facts; /* all of them; cmdline is redacted */
    char *cmdline; /* owned: all of it as the process has it, arguments joined by blanks, for
                         selectors alone: never to be stored or shown. NULL: unknown */
    uint64_t
        program_stamp; /* of the program's file, by inode, size and time of change: the same path
                               with another one is another build. 0: unknown */
    struct oc_proc_names names; /* what the facts' numbers and ids are called on this system */
    struct oc_plan plan; /* how the system will end it by plan; zeroed: nothing is known of that */
    struct oc_census census; /* owned */
    uint32_t limit_count;
    struct oc_limit limits
        [OC_WALK_LIMITS_MAX]; /* the process's own; use is filled in where the walk knows it */
    int64_t cpu_ns;           /* what it cost the watcher */
    int64_t wall_ns;
    int64_t stall_ns; /* the longest single read of a file that holds the watched's memory lock: the
                         most that the watched may have waited at once */
    uint32_t memfd_count; /* for ticks, by oc_probe_adopt(); more than the maximum: too many */
    struct oc_walk_memfd {
        int fd; /* its number in the watched process */
        uint64_t inode;
    } memfds[OC_WALK_MEMFDS_MAX];
};

/* Frees what a walk owns; a zeroed one may be cleared. */
void oc_walk_clear(struct oc_walk *walk);

/*
 * Stateless; safe on any thread. Roots as in the options. On success *out_walk is the caller's to
 * clear; untouched on failure. What could not be read (another user's maps) is absent, its has_…
 * bits clear, and no failure. 0, OC_E_GONE, OC_E_DENIED, OC_E_NOMEM.
 */
int oc_probe_walk(const struct oc_probe_options *options, const struct oc_walk_request *request,
                  struct oc_walk *out_walk);

/*
 * Every limit that a process can meet, with its use now: its own, of all cgroups above it, of the
 * host. For a question of a person: some 50 files. Safe on any thread. 0, OC_E_GONE, OC_E_DENIED.
 */
int oc_probe_limits(const struct oc_probe_options *options, uint32_t pid,
                    struct oc_limits *out_limits);

/*
 * The limits of a cgroup or the host that its sample tells of, with their use; pure. The host's
 * need its overcommit mode: oc_probe_host_read() leaves host_commit_limit_bytes there, and mode 2 is
 * asked for by oc_probe_commit_is_enforced() (0, 1 or a code; one small file).
 */
void oc_limits_of_cgroup(const struct oc_sample *sample, const char *path,
                         struct oc_limits *out_limits);
void oc_limits_of_host(const struct oc_sample *sample, int commit_is_enforced,
                       struct oc_limits *out_limits);
int oc_probe_commit_is_enforced(const struct oc_probe_options *options);
/* Fills in `use` of a process's limits from its sample, where the row's metric is known. Pure. */
void oc_limits_use(struct oc_limit *limits, size_t count, const struct oc_sample *sample);

/*
 * On the probe's thread, when a walk of this process is done: from now on its ticks read
 * memfd_bytes of the memfds that the walk found (none found: 0 is known). Without it, and with more
 * than OC_WALK_MEMFDS_MAX of them, memfd_bytes comes from walks alone. A system call each and look.
 */
void oc_probe_adopt(oc_probe *probe, oc_proc *proc, const struct oc_walk *walk);

/* ---- application pools ---- */

struct oc_app_pool {
    const char *name,
        *clr;     /* clr: "v4.0", "v2.0", "" (no managed code). Borrowed during the call */
    int is_32bit; /* enable32BitAppOnWin64 */
    uint64_t memory_bytes, private_memory_bytes; /* periodicRestart; 0: not set */
    struct oc_plan plan;
};
typedef void oc_app_pool_fn(const struct oc_app_pool *pool, void *context);
/* The pools of IIS, from its configuration, read at each call: some ms. Returns how many, OC_E_NOTSUP (no IIS here),
 * OC_E_DENIED, OC_E_PARSE (detail says where), OC_E_NOMEM. */
int oc_probe_app_pools(const struct oc_probe_options *options, oc_app_pool_fn *fn, void *context,
                       struct oc_detail *detail);

/* ---- doctor: what can be read here ---- */

struct oc_ability {
    const char *figure; /* metric name, or a facility ("proc connector", "pidfd exit status") */
    int rc;             /* 0: can be read; else why not */
    char why[160];      /* which right or kernel feature is missing; "" where rc is 0 */
    char mend[200];     /* how to grant it; "" where rc is 0 or nothing helps */
};

/* Tries every figure once, of a process (pid 0: our own) or the system. Calls back for each. 0,
 * OC_E_GONE, OC_E_DENIED (hidden, as with attach) or a code. */
typedef void oc_ability_fn(const struct oc_ability *ability, void *context);
int oc_probe_doctor(const struct oc_probe_options *options, uint32_t pid, oc_ability_fn *fn,
                    void *context);

/*
 * Appends a recording to *out: all that the probe asks of the machine and of a process (0: of the IIS workers, else our
 * own), with the answers and the time of each call, secrets taken out. Tests replay it. 0, OC_E_GONE, OC_E_DENIED,
 * OC_E_NOMEM, OC_E_TOOBIG, OC_E_NOTSUP (this system has its figures in files, which can be copied).
 */
int oc_probe_record(const struct oc_probe_options *options, uint32_t pid, struct oc_buf *out,
                    struct oc_detail *detail);

/* ---- the seam ---- */

struct oc_probe_ops {
    void (*close)(oc_probe *);
    int (*scan)(oc_probe *, oc_seen_fn *, void *);
    int (*attach)(oc_probe *, uint32_t, oc_proc **);
    void (*detach)(oc_probe *, oc_proc *);
    const struct oc_proc_facts *(*facts)(const oc_proc *);
    int (*tick_begin)(oc_probe *, int64_t);
    int (*read)(oc_probe *, oc_proc *, struct oc_sample *);
    void (*adopt)(oc_probe *, oc_proc *, const struct oc_walk *);
    size_t (*unkept)(const oc_probe *);
    int (*cgroup_attach)(oc_probe *, const char *, oc_cgroup **);
    void (*cgroup_detach)(oc_probe *, oc_cgroup *);
    int (*cgroup_read)(oc_probe *, oc_cgroup *, struct oc_sample *);
    int (*host_read)(oc_probe *, struct oc_sample *);
    int (*next_event)(oc_probe *, struct oc_event *);
    int (*event_fd)(const oc_probe *);
};

/* First members of every implementation's structs (probe.c, the fulfilling folders and tests look into them). */
struct oc_probe {
    const struct oc_probe_ops *ops;
};
struct oc_proc {
    const struct oc_probe_ops *ops;
    uint64_t tag;
};
struct oc_cgroup {
    uint64_t tag;
    uint64_t inode;
    const char *path;
};

#endif
