/*
 * Groups of sources of one interval: one timer, one wake-up, one packed tick for up to 1000 of
 * them. Phases of groups are spread. A tick is worked off in slices, so that control and events
 * are never kept waiting for long; groups that are due wait their turn.
 */
#ifndef OC_DAEMON_GROUPS_H
#define OC_DAEMON_GROUPS_H

#include "daemon/clock.h"
#include "daemon/schedule.h"
#include "daemon/source.h"
#include "daemon/writer.h"

#include <stdint.h>
#include <uv.h>

#define OC_GROUP_MEMBERS 1000

/* Processes, and what they share (cgroups, host, self), tick apart: a slow file of a cgroup delays no process. */
enum oc_group_class { OC_GROUP_PROCESSES, OC_GROUP_SYSTEM };

struct oc_groups;

struct oc_group {
    struct oc_groups *owner;
    struct oc_group *next;
    struct oc_group *next_due;
    enum oc_group_class class;
    uint32_t number; /* never used again */
    uint32_t phase;  /* the index that spreads it among those of its interval */
    int32_t interval_ms;
    struct oc_schedule schedule;
    uv_timer_t timer;
    struct oc_source **members; /* by ascending id; NULL: left since the last tick */
    size_t count, capacity;
    struct oc_source *born; /* joined since the last tick */
    uint32_t live;          /* members and born */
    uint64_t epoch;
    int must_key;    /* its last tick never reached the writer */
    int unsorted;    /* its members are not in the order of their ids */
    int queued;      /* waits for its turn or has it */
    int births_only; /* this tick is for the newly born alone */
    struct oc_due due;
};

struct oc_tick_stats {
    uint64_t ticks, late, skipped;
    uint64_t failed; /* for want of memory: nothing was sampled */
    uint64_t samples;
    uint64_t worst_us; /* the longest tick, from its first read to its last */
};

struct oc_groups_hooks {
    /* Before the reads of each tick, with the time at hand. */
    void (*tick)(void *context, const struct oc_clock_reading *reading);
    /* After a tick in which reads found that processes or cgroups ended. */
    void (*gone)(void *context);
    /* Further entries of a source (self) behind its first; may be NULL. */
    void (*more)(void *context, struct oc_source *source, struct oc_tick *tick);
    /* Each sample of a tick; NULL: the last one stands. May be NULL. */
    void (*fed)(void *context, struct oc_source *source, int64_t t_ms,
                const struct oc_sample *sample);
    /* A new sample of a cgroup or the host; may be NULL. */
    void (*sampled)(void *context, struct oc_source *source, const struct oc_sample *sample);
    void *context;
};

struct oc_groups {
    uv_loop_t *loop;
    oc_probe *probe;
    oc_writer *writer;
    const struct oc_clock *clock;
    struct oc_groups_hooks hooks;
    struct oc_group *list;
    uint32_t next_number;
    uv_idle_t idle; /* runs while a tick is unfinished */
    struct oc_group *due_first, *due_last;
    /* the tick at hand */
    struct oc_group *current;
    struct oc_message *message;
    size_t at, end;
    int64_t begin_ns;
    int keyed;
    int found_gone; /* in the tick at hand */
    struct oc_tick_stats stats;
};

/* The loop, probe, writer and clock are borrowed until oc_groups_clear(). 0 or OC_E_NOMEM. */
int oc_groups_init(struct oc_groups *groups, uv_loop_t *loop, oc_probe *probe, oc_writer *writer,
                   const struct oc_clock *clock, const struct oc_groups_hooks *hooks);

/*
 * Puts a source with an id into a group of its interval; it is looked at at once, then with its
 * group. Returns 0 or OC_E_NOMEM.
 */
int oc_groups_join(struct oc_groups *groups, struct oc_source *source, enum oc_group_class class);
void oc_groups_leave(struct oc_groups *groups, struct oc_source *source);

/* Stops all timers; the loop must run once more before the memory goes. Groups are freed as their timers close. */
void oc_groups_close(struct oc_groups *groups);

#endif
