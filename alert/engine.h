/*
 * What the engine is made of: between the files of the room. alert.h is for all others.
 *
 * A live alert is held by the source that last met the condition; samples of other sources take it over or are passed by. So
 * nothing is kept of a source while it is well.
 */
#ifndef OC_ALERT_ENGINE_H
#define OC_ALERT_ENGINE_H

#include "alert/alert.h"

#include <stddef.h>
#include <stdint.h>

#define OC_NEVER INT64_MAX
#define OC_NO_TIME INT64_MIN
#define OC_ENGINE_BUCKETS 4096 /* of live alerts by fingerprint, and of subjects by name */
#define OC_ENGINE_SPARES 16    /* alerts that can begin when no memory is left */
#define OC_SILENCES_MAX 1000
#define OC_ENGINE_TEXT_BYTES 640
#define OC_ENDS_MAX 64           /* of lives that a restart loop counts */
#define OC_DEGRADED_TEXTS_MAX 16 /* reasons that are told apart */

#define OC_KIND_BIT(kind) (1u << (unsigned)(kind))
/* Kinds that look at forecasts. */
#define OC_KINDS_FORECAST                                                                          \
    (1u << OC_RULE_FORECAST | 1u << OC_RULE_EXHAUSTED | 1u << OC_RULE_NO_LIMIT |                   \
     1u << OC_RULE_GROWTH)
/* Kinds that are about how much memory something takes. */
#define OC_KINDS_MEMORY (OC_KINDS_FORECAST | 1u << OC_RULE_THRESHOLD | 1u << OC_RULE_FAMILY)
/* Kinds that are of something that happened: over when none came for a while. */
#define OC_KINDS_EVENT                                                                             \
    (1u << OC_RULE_OOM_KILL | 1u << OC_RULE_RESTART_LOOP | 1u << OC_RULE_MISSING |                 \
     1u << OC_RULE_DEGRADED)

/* What is said beside what is foretold. Behind a "; " in the sentence, which headlines take over. */
enum oc_note {
    OC_NOTE_NONE,
    OC_NOTE_BEFORE_RECYCLE, /* a limit at which a new process would take its place is met later */
    OC_NOTE_AFTER_RECYCLE,  /* it is met sooner */
    OC_NOTE_PLANNED         /* a planned end comes first: planned_ms */
};

/* What one look at one source says of a rule. */
enum oc_hold {
    OC_HOLD_OVER,    /* beyond the clear bound */
    OC_HOLD_BETWEEN, /* neither: what fires goes on, what is pending does not */
    OC_HOLD_YES
};
struct oc_verdict {
    uint8_t hold; /* enum oc_hold */
    uint8_t is_planned;
    uint8_t is_event; /* of the subject: whichever of its sources it was told of */
    uint8_t weight;   /* of the limit: a real one is told before a line of experience */
    uint8_t note;     /* enum oc_note */
    uint32_t source, pid;
    int64_t planned_ms;                  /* OC_NOTE_PLANNED; 0: not known when */
    uint64_t scope;                      /* OOM_KILL: of whose limit it was, hashed; 0: not known */
    double value, bound, chance;         /* NAN: none */
    double deadline_s;                   /* p50; INFINITY: none. The earliest is told */
    const struct oc_forecast_row *about; /* borrowed; NULL */
    const char *text; /* HOLD_YES: why; else what is over; NULL: made of the figures */
};

/* A pending or firing alert, or one that ended within the hour: by it flapping is known. */
struct oc_live {
    struct oc_live *next, *prev; /* of all */
    struct oc_live *next_bucket; /* of its fingerprint's; of the spares */
    struct oc_alert alert;
    uint32_t subject;
    uint16_t slot;         /* of the subject's rules */
    uint8_t is_resting;    /* it ended */
    uint8_t is_gone;       /* the life that it was about has ended */
    uint8_t is_restored;   /* of an earlier run, and no source has spoken for it yet */
    uint8_t is_event;      /* as the verdict's */
    uint8_t is_planned;    /* as the verdict's */
    uint64_t scope;        /* as the verdict's */
    int64_t over_since_ms; /* OC_NO_TIME: it holds */
    int64_t seen_ms;       /* its holder spoke; OC_NO_TIME: not yet, it was restored */
    double deadline_s;
    char over_why[128];
};

/* The rules that match a subject: compiled when rules or labels change. One block of memory. */
struct oc_rule_set {
    unsigned kinds; /* OC_KIND_BIT()s */
    uint64_t metrics[OC_BLOCK_COUNT];
    uint64_t windows; /* bit of each window that means the subject */
    uint16_t count;
    uint16_t rules[]; /* indexes, critical ones first */
};

struct oc_engine_subject {
    char *name; /* owned; NULL: the slot is free */
    uint64_t hash;
    uint32_t next; /* in its bucket, or of the free slots; OC_ALERT_NO_SUBJECT: none */
    uint8_t kind;  /* enum oc_source_kind */
    uint8_t is_host;
    uint32_t live_count;     /* pending and firing */
    int64_t limited_ms;      /* a ceiling of its own was last seen; OC_NO_TIME */
    struct oc_rule_set *set; /* owned */
    struct oc_live **lives;  /* owned; of each rule of the set, NULL: none */
    char **pairs;            /* owned, with its strings in one block; NULL ends; NULL: none */
    int64_t *ends;           /* owned: the last OC_ENDS_MAX ends of lives, a ring; NULL: none */
    uint32_t end_count;
    struct oc_course *courses; /* owned list: what a rule sees growing; course.c */
};

struct oc_alerts {
    char instance[256];
    uint32_t max_subjects, max_alerts;
    oc_alert_change_fn *fn;
    void *context;

    struct oc_rules rules;
    struct oc_windows windows;
    uint64_t active_windows;                 /* maintenance that is on */
    int64_t next_restart_ms[OC_WINDOWS_MAX]; /* OC_NEVER: no such window */
    int64_t windows_due_ms;

    struct oc_engine_subject *subjects; /* owned */
    size_t subject_count, subject_capacity;
    uint32_t free_subject, subjects_used;
    uint32_t by_name[OC_ENGINE_BUCKETS];

    struct oc_live *lives; /* list of all, the newest first */
    struct oc_live *by_fingerprint[OC_ENGINE_BUCKETS];
    struct oc_live *spares;
    uint32_t spare_count, live_count, rest_count;
    uint64_t last_episode;

    struct oc_silence *silences; /* owned; by id */
    size_t silence_count, silence_capacity;
    uint64_t last_silence;
    int64_t silences_due_ms; /* one begins or ends then */

    uint8_t host_severity; /* the worst of the host's memory that fires; 0 none */
    uint8_t has_restored;  /* alerts of an earlier run: who inhibits whom is to be looked at */
    uint8_t is_degraded;   /* oomcastd says of itself that it cannot tell */
    struct oc_degraded {
        char text[OC_ALERT_WHY_BYTES];
    } degraded[OC_DEGRADED_TEXTS_MAX]; /* what the daemon says of itself */
    size_t degraded_count;

    uint32_t course_count;    /* of all subjects */
    double host_growth_per_h; /* while the host's memory leaks; NAN: it does not */
    uint64_t refused, changes;
    const char *label_pairs[2 * (4 + OC_ALERT_LABELS_MAX) + 1];
    char reason[OC_ENGINE_TEXT_BYTES];
};

static inline const struct oc_rule *oc_engine_rule(const struct oc_alerts *alerts,
                                                   const struct oc_engine_subject *subject,
                                                   unsigned slot)
{
    return &alerts->rules.items[subject->set->rules[slot]];
}
/* The subject of a handle, or NULL. */
struct oc_engine_subject *oc_engine_subject(const struct oc_alerts *alerts, uint32_t subject);

/* That of a name, or NULL. */
struct oc_engine_subject *oc_engine_find(const struct oc_alerts *alerts, const char *name);

/* ---- compile.c ---- */

/* The rules in force for a subject of that name and labels. NULL: no memory. */
struct oc_rule_set *oc_engine_compile(const struct oc_rules *rules,
                                      const struct oc_windows *windows, const char *name,
                                      const char *const *pairs);
/* Puts a set in place of the subject's; lives[] has its count, and both are the subject's from here on. What fires and has no rule any
 * more resolves. */
void oc_engine_use(struct oc_alerts *alerts, uint32_t subject, struct oc_rule_set *take_set,
                   struct oc_live **take_lives, int64_t now_ms);
/* Where the rule of an alert stands among the subject's. 0 or OC_E_NOENT. */
int oc_engine_slot(const struct oc_alerts *alerts, const struct oc_engine_subject *subject,
                   const struct oc_alert *alert, unsigned *out_slot);
/* Of the words of rules, windows and receivers: one is meant, or there are none. */
int oc_match_subject(const struct oc_strings *globs, const char *subject);
/* Each "key=glob" has its label. */
int oc_match_labels(const struct oc_strings *globs, const char *const *pairs);

/* ---- state.c ---- */

/* What was seen of a rule: begins, goes on with, or ends its alert. */
void oc_state_judge(struct oc_alerts *alerts, uint32_t subject, unsigned slot,
                    const struct oc_verdict *verdict, int64_t now_ms);
/* Ends it now: RESOLVED (a pending one: INACTIVE) or DIED. */
void oc_state_end(struct oc_alerts *alerts, struct oc_live *live, unsigned state,
                  const char *reason, int64_t now_ms);
/* The source is gone: what it held is over unless another speaks up. */
void oc_state_source_gone(struct oc_alerts *alerts, struct oc_live *live, const char *why,
                          int64_t now_ms);
/* It is over since a time, unless it is met again. */
void oc_state_over(struct oc_alerts *alerts, struct oc_live *live, const char *why,
                   int64_t since_ms);
/* What is due by time. Returns the next time. */
int64_t oc_state_tick(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms);
/* Tells a change; the reason is copied into the log's row by the receiver. */
void oc_state_say(struct oc_alerts *alerts, const struct oc_live *live, unsigned from, int is_news,
                  const char *reason, int64_t now_ms);

/* ---- lives.c ---- */

/* One that is not in any list, zeroed. NULL: too many, or no memory and no spare. */
struct oc_live *oc_live_new(struct oc_alerts *alerts);
void oc_live_add(struct oc_alerts *alerts, struct oc_live *live);
/* Takes it out of all lists, and frees it. */
void oc_live_drop(struct oc_alerts *alerts, struct oc_live *live);
void oc_live_refill(struct oc_alerts *alerts);
struct oc_live *oc_live_find(const struct oc_alerts *alerts, uint64_t fingerprint);
/* Ends being counted as pending or firing. */
void oc_live_rest(struct oc_alerts *alerts, struct oc_live *live);
void oc_live_wake(struct oc_alerts *alerts, struct oc_live *live);

static inline int oc_live_fires(const struct oc_live *live)
{
    return live->alert.state == OC_ALERT_FIRING;
}

/* ---- inhibit.c, silence.c, window.c ---- */

/* What keeps an alert quiet now; without ACKED and FLAPPING. */
unsigned oc_mute_bits(const struct oc_alerts *alerts, const struct oc_live *live, int64_t now_ms);
/* Looks again at one that fires, and tells what changed. */
void oc_mute_look(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms);
/* At those of a subject; OC_ALERT_NO_SUBJECT: at all. */
void oc_mute_look_all(struct oc_alerts *alerts, uint32_t subject, int64_t now_ms);
/* An alert began or ended to fire: whom it keeps quiet is looked at. */
void oc_inhibit_changed(struct oc_alerts *alerts, const struct oc_live *live, int64_t now_ms);
/* The same for all, after a restart. */
void oc_inhibit_all(struct oc_alerts *alerts, int64_t now_ms);
int oc_inhibit_is(const struct oc_alerts *alerts, const struct oc_live *live);
int oc_silence_is(const struct oc_alerts *alerts, const struct oc_live *live, int64_t now_ms);
/* Past ones go; 1: one began or ended. */
int oc_silence_tick(struct oc_alerts *alerts, int64_t now_ms);
/* 1: maintenance began or ended. */
int oc_window_tick(struct oc_alerts *alerts, int64_t now_ms);
/* Whether a time lies in it, by local time. */
int oc_window_is_on(const struct oc_window *window, int64_t unix_ms);
/* When it begins next, after a time; OC_NEVER: not within 8 days. */
int64_t oc_window_next(const struct oc_window *window, int64_t unix_ms);
/* The next planned end of the subject's lives; OC_NEVER. */
int64_t oc_window_next_restart(const struct oc_alerts *alerts,
                               const struct oc_engine_subject *subject);

/* ---- rule_*.c ---- */

/* Verdict of FORECAST, EXHAUSTED, NO_LIMIT or GROWTH (of metric 0) over the rows of one source. */
void oc_rule_judge_forecast(const struct oc_alerts *alerts, const struct oc_engine_subject *subject,
                            const struct oc_rule *rule, const struct oc_alert_outlook *outlook,
                            int64_t now_ms, struct oc_verdict *verdict);
/* Nothing was seen: over, of that source. */
struct oc_verdict oc_verdict_empty(uint32_t source, uint32_t pid);
void oc_rule_judge_threshold(const struct oc_rule *rule, double value, struct oc_verdict *verdict);
/* Of those that events hold: what time alone makes of them. */
void oc_rule_tick_event(struct oc_alerts *alerts, struct oc_live *live, int64_t now_ms);

/* ---- course.c ---- */

#define OC_COURSE_ALL UINT32_MAX
/* GROWTH of a metric over the rule's window. Keeps what it needs of the verdict's source. */
void oc_rule_judge_growth(struct oc_alerts *alerts, struct oc_engine_subject *subject,
                          const struct oc_rule *rule, double value, int64_t now_ms,
                          struct oc_verdict *verdict);
/* What is kept of a source goes; OC_COURSE_ALL: of each. */
void oc_course_drop(struct oc_alerts *alerts, struct oc_engine_subject *subject, uint32_t source);
void oc_course_clock(struct oc_engine_subject *subject, int64_t delta_ms);

/* ---- words.c ---- */

/* The sentence of an alert, from its figures and what the verdict notes. */
void oc_words_why(const struct oc_rule *rule, const struct oc_verdict *verdict,
                  struct oc_alert *alert);
/* What the condition was: "P(limit in 24 h) 0.63 >= 0.5". */
void oc_words_condition(const struct oc_rule *rule, const struct oc_alert *alert, char *out,
                        size_t out_bytes);
/* Why it is over: "P(limit in 36 h) 0.20 < 0.50". */
void oc_words_over(const struct oc_rule *rule, const struct oc_verdict *verdict, char *out,
                   size_t out_bytes);
/* A figure in a metric's unit: "1.2 GiB", "12,000". */
void oc_words_value(unsigned metric, double value, char *out, size_t out_bytes);

#endif
