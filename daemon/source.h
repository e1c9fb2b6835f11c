/*
 * What is watched: processes, cgroups, the host, oomcastd itself. A table of bounded size; a
 * source keeps its slot (the probe's tag) as long as it is in it.
 */
#ifndef OC_DAEMON_SOURCE_H
#define OC_DAEMON_SOURCE_H

#include "base/plan.h"
#include "base/sample.h"
#include "config/target.h"
#include "daemon/limits.h"
#include "daemon/subject.h"
#include "probes/probe.h"

#include <stddef.h>
#include <stdint.h>

#define OC_MAX_SOURCES 65536
#define OC_NO_SLOT UINT32_MAX

struct oc_group;
struct oc_tracks;

enum oc_source_state {
    OC_SOURCE_BEGINNING, /* the store was asked for its id */
    OC_SOURCE_TICKING    /* it has an id and a group */
};

/* The last sample of one block: values of the known bits only, in the order of the bits. */
struct oc_last {
    uint64_t known;
    int64_t *values; /* owned */
    uint8_t capacity;
};

/* Of a process that its service manager ends by plan. */
struct oc_planned {
    struct oc_plan plan;
    int64_t start_unix_ms; /* 0: unknown */
};

struct oc_source {
    /* what a tick touches, in one cache line */
    oc_proc *proc;            /* process, self */
    struct oc_tracks *tracks; /* owned: what is forecast; NULL: nothing */
    struct oc_last last;
    uint32_t id;          /* in the store, once ticking */
    uint8_t kind;         /* enum oc_source_kind */
    uint8_t has_last;     /* the store was given a whole sample */
    uint8_t must_put;     /* the store's last sample is not ours: no "same" now */
    uint8_t has_walk;     /* walk waits to go into the next sample */
    uint8_t moved;        /* it ran since its last walk was asked for */
    uint8_t grew;         /* its space moved far since then (oc_walker_note_growth()) */
    uint8_t gone;         /* reads that found it ended; its event will say how */
    uint8_t state;        /* enum oc_source_state */
    uint8_t ended;        /* while beginning: to be ended once it has an id */
    uint8_t alert_wants;  /* OC_ALERT_WANTS_…: what the rules look at */
    uint8_t walk_pending; /* a walker has it */
    uint8_t has_facts;    /* a walk gave the store all facts */

    uint8_t ran;            /* since its limits were asked for */
    uint8_t limits_pending; /* a walker looks at its limits */
    uint8_t told_limits;    /* the store has some of it */
    uint8_t asked;          /* a walker was asked for its facts: whether it fits the config */
    uint8_t folded;         /* no target matched it: it belongs to an ancestor's subject */
    uint8_t killer;         /* enum oc_killer; with its scope below */
    uint8_t is_shared;      /* cgroup: processes of several subjects are in it */

    uint32_t alert_subject; /* the rules' handle and 1; 0: they know nothing of it */
    oc_cgroup *cgroup;
    uint32_t slot;
    int32_t interval_ms;
    struct oc_group *group;      /* NULL: none */
    struct oc_source *next_born; /* waits for its group's next tick */
    struct oc_sample *walk;      /* owned: figures of the last walk */
    int64_t last_walk_mono_ms;   /* when it ended; 0: none yet */
    int64_t next_walk_mono_ms;
    int64_t walk_pause_ms;        /* the cost of its last walk asks for so much between two */
    int64_t walked_virtual_bytes; /* when its last walk was asked for; 0: not known */
    int64_t walked_commit_bytes;
    int64_t next_limits_mono_ms;
    struct oc_kept_limits *limits; /* owned: the system's, as the store was told last */
    struct oc_planned *plan;       /* owned: how the system will end it; NULL: not known */
    struct oc_subject *subject;    /* process, group; NULL: the others */
    struct oc_source *next_member, *previous_member; /* of the subject */
    char *killer_scope;                              /* owned; NULL: none */
    char *held_as; /* owned; cgroup: the subject of the target that asks for it; NULL: none does */
    char *
        tenant; /* owned; cgroup: the subject of all watched that are right in it; NULL: none, or several */
    struct oc_proc_id id_of_proc; /* process */
    uint32_t parent_pid;          /* process; 0: unknown */
    uint32_t target;              /* the config's that chose it; OC_TARGET_NONE: none */
    uint32_t cgroup_slot; /* process: its cgroup's source; cgroup: its parent's; OC_NO_SLOT */
    uint32_t users;       /* cgroup: sources that name it in cgroup_slot */
    enum oc_end end;
    int end_status;
    int64_t end_boot_ms;
    char name[64]; /* process: comm when its life began */
};

struct oc_sources {
    struct oc_source **slots; /* NULL: free */
    size_t count;             /* slots in use up to here */
    size_t capacity;
    uint32_t free_hint;
    uint32_t live[OC_SOURCE_KINDS];
    uint32_t beginning; /* begins that the store has not answered */
    uint32_t *pids;     /* open addressing: slot + 1 of a process, 0 empty, UINT32_MAX deleted */
    size_t pid_capacity, pid_used;
};

/* It was ended as its service manager meant to, or let go idle: neither a kill nor a crash. */
static inline int oc_source_ended_by_plan(const struct oc_source *source)
{
    return source->end == OC_END_RECYCLED || source->killer == OC_KILLER_IIS;
}

void oc_sources_init(struct oc_sources *sources);
void oc_sources_clear(struct oc_sources *sources); /* does not detach from the probe */

/* A new one in a free slot; owned by the table. 0, OC_E_NOMEM or OC_E_TOOBIG. */
int oc_sources_add(struct oc_sources *sources, enum oc_source_kind kind,
                   struct oc_source **out_source);
void oc_sources_remove(struct oc_sources *sources, struct oc_source *source);

/* NULL where the slot is free or there is none. */
struct oc_source *oc_sources_at(const struct oc_sources *sources, uint64_t slot);

/* The watched process of a PID, or NULL. O(1). */
struct oc_source *oc_sources_by_pid(const struct oc_sources *sources, uint32_t pid);
/* Puts a process with proc set into the index. 0 or OC_E_NOMEM. */
int oc_sources_index_pid(struct oc_sources *sources, struct oc_source *source);
/* Takes it out again, so that the PID's next life can go in; the source stays. */
void oc_sources_forget_pid(struct oc_sources *sources, const struct oc_source *source);

/*
 * Keeps a sample. OC_LAST_SAME (it is the one that was kept), 0, or OC_E_NOMEM (nothing is kept
 * then). No allocation unless it knows more than before.
 */
#define OC_LAST_SAME 1
int oc_last_keep(struct oc_last *last, const struct oc_sample *sample);
void oc_last_get(const struct oc_last *last, struct oc_sample *out_sample);
/* One figure of it, by its bit. 0, or OC_E_NOENT: not known. */
int oc_last_value(const struct oc_last *last, unsigned bit, int64_t *out_value);

#endif
