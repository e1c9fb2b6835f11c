/*
 * What the files of the probe share: the structs behind oc_probe and oc_proc on Windows. Nobody else looks in here but the
 * tests.
 *
 * Up to OC_WIN_BY_HANDLE_MAX processes are asked one by one through kept handles, two or three calls each; beyond, one list
 * of all processes a tick has all figures. Handles are kept for the end of a process in both cases.
 */
#ifndef OC_PROBES_WINDOWS_PROBE_WINDOWS_H
#define OC_PROBES_WINDOWS_PROBE_WINDOWS_H

#include "probes/probe.h"
#include "probes/windows/list.h"
#include "probes/windows/records.h"
#include "probes/windows/win.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define OC_WIN_BY_HANDLE_MAX 64u
#define OC_WIN_PROCS_MAX 65536u /* looked at, at once */
#define OC_WIN_KEPT_MAX 16384u  /* handles: the ends of more are found by the list */
#define OC_WIN_ENTRIES_MAX 65536u
#define OC_WIN_LIST_BYTES_MAX ((size_t)64 << 20)

/* What a look gave. */
struct oc_win_figures {
    uint64_t private_bytes, virtual_bytes, commit_bytes;
    uint64_t working_set_bytes, peak_working_set_bytes;
    uint64_t cpu_ns;
    uint32_t handle_count, thread_count;
    uint32_t have; /* OC_WIN_HAS_… */
};
#define OC_WIN_HAS_MEMORY 1u
#define OC_WIN_HAS_VIRTUAL 2u
#define OC_WIN_HAS_CPU 4u
#define OC_WIN_HAS_HANDLES 8u
#define OC_WIN_HAS_THREADS 16u

struct oc_win_proc {
    struct oc_proc base; /* first */
    struct oc_win_probe *probe;
    struct oc_win_proc *next, **link; /* all that are looked at */
    oc_win_handle handle;             /* limited; 0: not kept */
    void *wait;                       /* NULL: its end is found at a look */
    uint64_t created;
    uint32_t pid, parent_pid;
    uint8_t idle_left; /* looks until one is taken though nothing moved */
    uint8_t has_last;
    uint8_t is_told; /* its end was taken by next_event */
    atomic_int has_ended;
    struct oc_win_proc *next_ended; /* in the probe's stack of ends; once in its life */
    struct oc_win_figures last;
    char *pool; /* of IIS, as a walk found; NULL: none or unknown */
    char name[64];
};

struct oc_win_known {
    uint32_t pid;
    uint64_t created;
};

/* The processes of the last list, by PID. */
struct oc_win_table {
    unsigned char *bytes; /* as Windows wrote it */
    size_t max_bytes;
    struct oc_win_entry *entries; /* their threads are not to be looked at */
    size_t count, capacity;
    int64_t mono_ns; /* of the tick it was read in */
    int is_there;
};

#define OC_WIN_TOLD_MAX 16 /* that wait; more are one that says so */

/* What the event log said. */
struct oc_win_told_log {
    struct oc_win_reasons reasons;
    struct oc_win_told_text {
        uint32_t pid;
        char text[OC_WIN_TOLD_BYTES];
    } queue[OC_WIN_TOLD_MAX];
    unsigned first, count;
    char scope[OC_WIN_TOLD_BYTES]; /* of the event that was told last */
    int64_t mono_ns;               /* when it was read */
};

struct oc_win_probe {
    struct oc_probe base; /* first */
    struct oc_win *win;
    void (*free_win)(struct oc_win *);
    enum oc_look look;
    size_t kept, kept_max;
    struct oc_win_proc *procs;
    size_t proc_count;
    int64_t now_mono_ns;
    struct oc_win_table table;
    struct oc_win_known *known, *known_next; /* of the last scan, by PID; the next one's room */
    size_t known_count, known_capacity, next_capacity;
    oc_win_handle signal;                /* 0: there is none */
    _Atomic(struct oc_win_proc *) ended; /* pushed by the threads that wait */
    struct oc_win_proc *ends;            /* taken from it, to be told */
    struct oc_win_told_log *log;         /* NULL: the event log is not read */
    struct oc_proc_facts facts;          /* what oc_proc_facts() gave last */
};

static inline struct oc_win_probe *oc_win_probe_of(oc_probe *probe)
{
    return (struct oc_win_probe *)(void *)probe;
}
static inline struct oc_win_proc *oc_win_proc_of(oc_proc *proc)
{
    return (struct oc_win_proc *)(void *)proc;
}

/* ---- table.c ---- */
/* One list of all processes. 0 or a code; the former one stands then. */
int oc_win_table_read(struct oc_win_probe *probe);
/* The same unless it is of this tick. */
int oc_win_table_fresh(struct oc_win_probe *probe);
/* The process of a PID in the last list, or NULL. created 0: any. */
const struct oc_win_entry *oc_win_table_find(const struct oc_win_table *table, uint32_t pid,
                                             uint64_t created);
void oc_win_table_clear(struct oc_win_table *table);

/* ---- scan.c, process.c, ends.c, host.c: calls of the contract ---- */
int oc_win_scan(oc_probe *base, oc_seen_fn *fn, void *context);
int oc_win_attach(oc_probe *base, uint32_t pid, oc_proc **out_proc);
void oc_win_detach(oc_probe *base, oc_proc *base_proc);
const struct oc_proc_facts *oc_win_facts(const oc_proc *base_proc);
int oc_win_read(oc_probe *base, oc_proc *base_proc, struct oc_sample *out_sample);
int oc_win_host_read(oc_probe *base, struct oc_sample *out_sample);
int oc_win_next_event(oc_probe *base, struct oc_event *out_event);
int oc_win_event_fd(const oc_probe *base);

/* ---- ends.c ---- */
/* From any thread: it has ended, to be told once. */
void oc_win_ended(struct oc_win_proc *proc);
/* It is let go: it leaves the queue. No wait of it runs any more. */
void oc_win_forget_end(struct oc_win_probe *probe, struct oc_win_proc *proc);

/* ---- told.c: the event log ---- */
/* Begins to follow it, where it can be read. 0 or OC_E_NOMEM. */
int oc_win_told_open(struct oc_win_probe *probe);
void oc_win_told_poll(struct oc_win_probe *probe);
void oc_win_told_tick(struct oc_win_probe *probe); /* the same every few seconds */
/* The next of what it said: 1, or 0. */
int oc_win_told_next(struct oc_win_probe *probe, struct oc_event *out_event);
/* Why IIS ended a worker; NULL: nothing was said of it. Borrowed for ever. */
const char *oc_win_told_reason(struct oc_win_probe *probe, const struct oc_win_proc *proc);

#endif
