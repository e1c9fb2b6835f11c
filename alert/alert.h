/*
 * The alert room's first half: rules over facts, a state machine for each (rule, subject), silences
 * and who inhibits whom. Pure: facts and the time come in, changes go out by a callback. dispatch.h is
 * the second half: who is told of it, when, and how often it is tried.
 *
 * One thread. now_ms is unix ms and never goes back within a process: when the wall clock jumps, the
 * caller says oc_alerts_clock(). All memory is bounded by what the options allow, and taken as subjects and
 * alerts appear, never while nothing changes.
 *
 * engine.c    its life, subjects, time                 rule_*.c   the conditions; course.c growth
 * facts.c     what is seen                             settings.c rules, windows, labels
 * state.c     inactive -> pending -> firing -> its end silence.c  silences
 * inhibit.c   what keeps an alert quiet                window.c   maintenance, planned ends
 * compile.c   which rules are in force for a subject   list.c     what there is, acks, restoring
 * lives.c     the memory of alerts                     words.c    sentences and reasons
 * within.c    P(limit within a horizon)                base/rule_default.c has the default rules
 */
#ifndef OC_ALERT_ALERT_H
#define OC_ALERT_ALERT_H

#include "base/alert.h"
#include "base/census.h"
#include "base/err.h"
#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

typedef struct oc_alerts oc_alerts;

struct oc_alerts_options {
    const char *instance;  /* the host's name: part of each fingerprint; copied */
    uint32_t max_subjects; /* 0: 65,536 */
    uint32_t max_alerts; /* pending and firing; 0: 20,000. Beyond: counted, and degraded says so */
};

/* A change of an alert. alert is as it is now, borrowed during the call. */
struct oc_alert_change {
    const struct oc_alert *alert;
    uint8_t from;                 /* enum oc_alert_state before */
    struct oc_alert_decision why; /* for the log; its strings are borrowed */
    int is_news; /* who is told of alerts may be to be told: state, mutes or severity changed */
};
typedef void oc_alert_change_fn(const struct oc_alert_change *change, void *context);

/* 0 or OC_E_NOMEM. fn is called from within the calls below, and must not call this room. */
int oc_alerts_new(const struct oc_alerts_options *options, oc_alert_change_fn *fn, void *context,
                  oc_alerts **out_alerts);
void oc_alerts_free(oc_alerts *alerts); /* NULL is allowed */

/* ---- settings ---- */

/* The rules in force (copied). Alerts whose rule is gone resolve, with the reason; the others go on: no new
 * episode. 0 or OC_E_NOMEM (then all is as it was). */
int oc_alerts_set_rules(oc_alerts *alerts, const struct oc_rules *rules, int64_t now_ms);
/* Maintenance windows and planned ends, copied. Local time comes from fn (oc_civil_from_unix_ms). */
int oc_alerts_set_windows(oc_alerts *alerts, const struct oc_windows *windows, int64_t now_ms);
/* Adds or (same id) replaces. The id is given where it is 0. 0, OC_E_INVAL (ends before it begins, no
 * matcher), OC_E_TOOBIG (1,000 of them), OC_E_NOMEM. */
int oc_alerts_silence(oc_alerts *alerts, struct oc_silence *silence, int64_t now_ms);
/* Ends it now. OC_E_NOENT. What still fires is told. */
int oc_alerts_unsilence(oc_alerts *alerts, uint64_t id, int64_t now_ms);
/* Silences that have not ended, by id. Borrowed until the next call. */
const struct oc_silence *oc_alerts_silences(const oc_alerts *alerts, size_t *out_count);
/* Someone has it: by fingerprint or (0) all of a subject (NULL: of all). Returns how many. */
int oc_alerts_ack(oc_alerts *alerts, uint64_t fingerprint, const char *subject_glob,
                  int64_t now_ms);

/* ---- facts ---- */

#define OC_ALERT_NO_SUBJECT UINT32_MAX
/*
 * The handle of a subject, made where it is new; stable until oc_alerts_forget(). Cost of a known one: a
 * hash. OC_ALERT_NO_SUBJECT: no memory, or too many. "host" is the host, "oomcastd" the daemon.
 */
uint32_t oc_alerts_subject(oc_alerts *alerts, const char *name, enum oc_source_kind kind);
/* Labels "key", "value", … ended by NULL; copied where they changed. What rules match by. */
int oc_alerts_labels(oc_alerts *alerts, uint32_t subject, const char *const *pairs, int64_t now_ms);
/* Nothing watches it any more: facts go, what fires resolves ("no longer watched"). */
void oc_alerts_forget(oc_alerts *alerts, uint32_t subject, int64_t now_ms);

/* Bits: which facts any rule wants of this subject. Cheap: the caller asks before it gathers. */
#define OC_ALERT_WANTS_FORECASTS 1u
#define OC_ALERT_WANTS_SAMPLES 2u
#define OC_ALERT_WANTS_FAMILIES 4u
unsigned oc_alerts_wants(oc_alerts *alerts, uint32_t subject);
/* OC_METRIC_BIT()s of a block that threshold rules look at. */
uint64_t oc_alerts_wanted_metrics(oc_alerts *alerts, uint32_t subject, unsigned block);

/* What is forecast of one source. */
struct oc_alert_outlook {
    uint32_t source, pid;               /* pid: 0 none */
    int64_t planned_ms;                 /* its next planned end; 0: none is known. As now_ms */
    const struct oc_forecast_row *rows; /* t_ms is of now_ms's clock; borrowed during the call */
    size_t count;
};
/* All that is forecast of one of its sources; replaces what was said of that source. */
void oc_alerts_forecasts(oc_alerts *alerts, uint32_t subject,
                         const struct oc_alert_outlook *outlook, int64_t now_ms);
/* A ceiling that is another subject's, as its cgroup's, ends it before the host's memory does. Said again with its
 * forecasts. */
void oc_alerts_limited(oc_alerts *alerts, uint32_t subject, int64_t now_ms);
/* A sample of one of its sources, or of a group the sum. */
void oc_alerts_sample(oc_alerts *alerts, uint32_t subject, uint32_t source, uint32_t pid,
                      const struct oc_sample *sample, int64_t now_ms);
/* Families that a walk found. */
void oc_alerts_families(oc_alerts *alerts, uint32_t subject, uint32_t source, uint32_t pid,
                        const struct oc_census *census, int64_t now_ms);

enum oc_alert_event_kind {
    OC_ALERT_EVENT_BEGAN, /* a life of it began */
    OC_ALERT_EVENT_ENDED, /* a life of it ended: `end`, `status`, `killer`; its facts go */
    OC_ALERT_EVENT_OOM_KILL, /* one of its processes was killed for want of memory: `text` names the scope */
    OC_ALERT_EVENT_MISSING, /* expected by the config, and not there */
    OC_ALERT_EVENT_PRESENT,
    OC_ALERT_EVENT_DEGRADED, /* of "oomcastd": `text` says what; on again while it lasts */
    OC_ALERT_EVENT_HEALTHY,  /* of "oomcastd": that `text` is over; NULL: all */
    OC_ALERT_EVENT_HEAP_CAP, /* value: heap cap and native memory; bound: the container's limit; value NAN: not so any more */
};
struct oc_alert_event {
    enum oc_alert_event_kind kind;
    uint32_t source, pid; /* 0: unknown */
    enum oc_end end;
    int status;
    enum oc_killer killer;
    double value, bound;
    const char *text; /* borrowed; NULL none */
};
void oc_alerts_event(oc_alerts *alerts, uint32_t subject, const struct oc_alert_event *event,
                     int64_t now_ms);

/* What is due by time alone: durations that are over, silences and windows that begin and end, facts that are
 * too old. Returns when it wants to be called next at the latest (≤ 60 s from now). */
int64_t oc_alerts_tick(oc_alerts *alerts, int64_t now_ms);
/* The wall clock jumped by delta_ms: all times of the living move with it. */
void oc_alerts_clock(oc_alerts *alerts, int64_t delta_ms);

/* ---- what there is ---- */

typedef int oc_alert_fn(const struct oc_alert *alert, void *context);
/* Pending and firing ones, worst first, then by subject; fn other than 0 ends it. Returns the number. */
int oc_alerts_each(const oc_alerts *alerts, oc_alert_fn *fn, void *context);
const struct oc_alert *oc_alerts_by_fingerprint(const oc_alerts *alerts, uint64_t fingerprint);
/* Labels of an alert in Alertmanager's sense: alertname, severity, instance, subject, the user's; pairs,
 * ended by NULL, borrowed until the next call. */
const char *const *oc_alerts_labels_of(const oc_alerts *alerts, const struct oc_alert *alert);

/* An alert of an earlier run (at start, after rules, windows and silences, before facts): it goes on, without a new episode, or resolves when its
 * facts say so, at the earliest 2 min after the first ones came. 0, OC_E_NOMEM, OC_E_TOOBIG. */
int oc_alerts_restore(oc_alerts *alerts, const struct oc_alert *alert, int64_t now_ms);
/* The highest episode number ever given: at start from the store. */
void oc_alerts_set_episode(oc_alerts *alerts, uint64_t highest);
/* It was told (dispatch.h decides); not durable: it could not be stored. */
void oc_alerts_note_told(oc_alerts *alerts, uint64_t fingerprint);

struct oc_alerts_stats {
    uint32_t subjects, pending, firing, muted;
    uint64_t refused; /* for want of memory or by a maximum */
    uint64_t changes;
};
void oc_alerts_stats(const oc_alerts *alerts, struct oc_alerts_stats *out_stats);

/* ---- arithmetic, for others too ---- */

/* P(limit within horizon_s from its t_ms + age_s on): chance times the distribution through p10, p50, p90. 0 … 1;
 * NAN where nothing is known. */
double oc_forecast_within(const struct oc_forecast *forecast, double age_s, double horizon_s);
uint64_t oc_alert_fingerprint(const char *rule, const char *subject, unsigned severity,
                              const char *instance);
/* Whether a rule could ever match a subject of that name and labels, for `config check`. */
int oc_rule_matches(const struct oc_rule *rule, const char *subject,
                    const char *const *label_pairs);

#endif
