/*
 * The reading side of the store: beside a running daemon, as a member of its group, or offline.
 * Every transaction is short. Times are wall clock here (…_unix_ms): the reader translates.
 */
#ifndef OC_STORAGE_READER_H
#define OC_STORAGE_READER_H

#include "base/alert.h"
#include "base/census.h"
#include "base/err.h"
#include "base/evidence.h"
#include "base/forecast.h"
#include "base/identity.h"
#include "base/limit.h"
#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;
typedef struct oc_reader oc_reader;

/* OC_E_NOENT, OC_E_DENIED (detail names the group that may read it), OC_E_FOREIGN, OC_E_NEWER,
 * OC_E_NOTSUP (an older schema: oomcastd upgrades it), OC_E_CORRUPT, OC_E_BUSY. */
int oc_reader_open(const char *path, oc_reader **out_reader, struct oc_detail *detail);
void oc_reader_close(oc_reader *reader);
const char *oc_reader_path(const oc_reader *reader);

/* The connection, with the virtual table `samples` and the views in place (where memory allowed): for
 * `oomcast sql`. Borrowed. */
struct sqlite3 *oc_reader_sqlite(oc_reader *reader);

/* ---- what there is ---- */

struct oc_subject_row {
    int64_t id;
    const char *name; /* borrowed during the callback */
    uint8_t kind;     /* enum oc_source_kind */
    uint32_t sources; /* in all */
    uint32_t running; /* not ended */
    int64_t first_unix_ms, last_unix_ms;
};
/* fn returns 0 to go on. Subjects in name order. Returns the number, or a code. */
typedef int oc_subject_fn(const struct oc_subject_row *row, void *context);
int oc_reader_subjects(oc_reader *reader, oc_subject_fn *fn, void *context);

struct oc_life_row {
    uint32_t source;
    const char *subject;
    uint8_t kind; /* enum oc_source_kind: cgroups, host and self are listed too where asked for */
    struct oc_proc_facts facts;
    int64_t begin_unix_ms, end_unix_ms; /* end: INT64_MAX while it runs */
    enum oc_end end;
    int status; /* -1: unknown */
    enum oc_killer killer;
    const char *killer_scope; /* "" none; borrowed during the callback */
    const char
        *plan; /* how it is ended by plan, in words; "" it is not, or nobody knows; borrowed */
    int64_t last_unix_ms; /* of its last sample; 0: none */
    uint64_t samples;     /* raw ones that are still kept, and those not yet sealed */
    int32_t interval_ms;
};
#define OC_SUBJECT_NAME_BYTES                                                                      \
    640 /* the longest name of a subject, "cgroup:" and a path, with its NUL */

struct oc_life_filter {
    const char *subject; /* a word as oc_subject_is_meant() takes it; NULL: all */
    uint32_t pid;        /* 0: any */
    int running_only;
    int processes_only;
    int64_t since_unix_ms, until_unix_ms; /* overlapping; 0 and INT64_MAX: all */
};
typedef int oc_life_fn(const struct oc_life_row *row, void *context);
int oc_reader_lives(oc_reader *reader, const struct oc_life_filter *filter, oc_life_fn *fn,
                    void *context);

/* ---- figures ---- */

/* The newest sample of every source that has not ended, in no order. One pass over the journal's
 * tail; a source that it does not name is looked up further back. 2 ms for 1,000 sources. */
struct oc_latest_row {
    uint32_t source;
    const char *subject;
    uint8_t kind;
    uint32_t pid;     /* 0 where it is no process */
    const char *name; /* comm; "" */
    int64_t t_unix_ms;
    const struct oc_sample
        *sample; /* borrowed during the callback; one call for each block of a source */
};
typedef int oc_latest_fn(const struct oc_latest_row *row, void *context);
int oc_reader_latest(oc_reader *reader, oc_latest_fn *fn, void *context);

/* A point: what a metric did in [t, t + step). */
struct oc_point {
    int64_t t_unix_ms; /* beginning of the step */
    uint64_t count;    /* samples behind it; 0: none, then the rest is undefined */
    int64_t min, max, first, last;
    double mean;
};

enum oc_precision {
    OC_PRECISE_AUTO, /* the coarsest tier that answers with whole points */
    OC_PRECISE_EXACT /* from raw chunks where they still are */
};

struct oc_range {
    int64_t since_unix_ms, until_unix_ms; /* [since, until); since ≥ 0 */
    int64_t step_ms; /* > 0: steps are counted from since; 0: every sample is a point */
    unsigned metric; /* number */
    enum oc_precision precision;
};

/*
 * Points of one source, in time order, empty ones left out. fn returns 0 to go on. Returns the
 * number of points, or OC_E_NOENT (no such source), OC_E_INVAL or another code.
 *
 * A tier answers steps that are a multiple of its row, or at least four rows wide; a row counts for
 * the step that holds its middle, so edges may be off by half a row where it does not divide the
 * step. What a tier has not got yet comes from the tiers below. Where raw samples are gone,
 * OC_PRECISE_EXACT and step 0 give the rows of the finest tier that is left.
 *
 * Cost: a year at 10 s in 1000 points: 0.7 ms of CPU, exactly 19 ms. Many sources in turn: ask all
 * of them about one metric before the next, since what the journal has of it is kept.
 */
typedef int oc_point_fn(const struct oc_point *point, void *context);
int oc_reader_range(oc_reader *reader, uint32_t source, const struct oc_range *range,
                    oc_point_fn *fn, void *context);

/* ---- walks and limits ---- */

/*
 * What the last walk of a source at or before a time found (INT64_MAX: the newest), put together
 * from what changed. *out_census is the caller's to clear; modules only where wanted. *out_unix_ms:
 * when that walk was. OC_E_NOENT: no walk by then.
 */
int oc_reader_census(oc_reader *reader, uint32_t source, int64_t at_unix_ms, int want_modules,
                     struct oc_census *out_census, int64_t *out_unix_ms);

/*
 * Modules that came or went in [since, until), in the order in which they came. fn returns 0 to go
 * on. Returns the number, OC_E_NOENT (no such source) or a code. [0, INT64_MAX): all that is known.
 */
struct oc_module_event {
    uint32_t source;
    const char *name; /* borrowed during the callback */
    uint64_t base, bytes;
    int64_t loaded_unix_ms;   /* of the walk that saw it first; of the first walk: not later than */
    int64_t unloaded_unix_ms; /* INT64_MAX: still there */
};
typedef int oc_module_event_fn(const struct oc_module_event *event, void *context);
int oc_reader_modules(oc_reader *reader, uint32_t source, int64_t since_unix_ms,
                      int64_t until_unix_ms, oc_module_event_fn *fn, void *context);

/*
 * A family's course: each change in [since, until), and before them what it was at since, if it was
 * there. count 0: it went. Returns the number of points, OC_E_NOENT or a code.
 */
struct oc_family_point {
    int64_t t_unix_ms;
    uint32_t count, distinct;
    uint64_t bytes;
};
typedef int oc_family_point_fn(const struct oc_family_point *point, void *context);
int oc_reader_family(oc_reader *reader, uint32_t source, enum oc_family_kind kind, const char *name,
                     int64_t since_unix_ms, int64_t until_unix_ms, oc_family_point_fn *fn,
                     void *context);

/*
 * Limits of a source in force at some time in [since, until), in order of their beginning;
 * OC_READER_ALL_SOURCES: of all, by source. Those that a source had at its end end with it. Returns
 * the number or a code. 6 ms for 10 limits of each of 1,000 sources.
 */
#define OC_READER_ALL_SOURCES UINT32_MAX
struct oc_limit_span {
    uint32_t source;
    const char *subject;                 /* borrowed during the callback, as limit */
    uint8_t source_kind;                 /* enum oc_source_kind */
    const struct oc_limit *limit;        /* has_use is clear */
    int64_t from_unix_ms, until_unix_ms; /* until: INT64_MAX while it is in force */
};
typedef int oc_limit_span_fn(const struct oc_limit_span *span, void *context);
int oc_reader_limits(oc_reader *reader, uint32_t source, int64_t since_unix_ms,
                     int64_t until_unix_ms, oc_limit_span_fn *fn, void *context);

/* ---- forecasts ---- */

/*
 * What is forecast: times in the row's forecast are unix ms. now_only: the newest of each (source, limit) of sources
 * that run; else all rows in [since, until), in time order within a (source, limit).
 */
struct oc_forecast_filter {
    uint32_t source; /* OC_READER_ALL_SOURCES: all */
    int64_t since_unix_ms, until_unix_ms;
    int now_only;
};
struct oc_forecast_span {
    uint32_t source;
    const char *subject; /* borrowed during the callback, as row */
    uint8_t source_kind;
    const struct oc_forecast_row *row;
};
typedef int oc_forecast_span_fn(const struct oc_forecast_span *span, void *context);
int oc_reader_forecasts(oc_reader *reader, const struct oc_forecast_filter *filter,
                        oc_forecast_span_fn *fn, void *context);

/* The record of the daemon's forecasts, by subject, metric and kind of limit; times of its first and last entry. */
struct oc_accuracy_row {
    const char *subject; /* borrowed during the callback */
    uint16_t metric;
    uint8_t limit_kind;
    int64_t first_unix_ms, last_unix_ms;
    struct oc_accuracy sum;
};
typedef int oc_accuracy_fn(const struct oc_accuracy_row *row, void *context);
int oc_reader_accuracy(oc_reader *reader, oc_accuracy_fn *fn, void *context);

/* The last state of the forecaster that was saved for a source's metric: oc_series_load() takes it. *out_bytes is the caller's to
 * free. OC_E_NOENT: none. */
int oc_reader_series(oc_reader *reader, uint32_t source, unsigned metric, void **out_bytes,
                     size_t *out_len_bytes);

/* What program the lives of a subject run, and since when: of a changed one a leak may have begun
 * with. OC_E_NOENT: not known; OC_E_PARSE (damaged), OC_E_NOMEM or a code: *out_program is as it was. */
int oc_reader_program(oc_reader *reader, const char *subject, struct oc_prior_program *out_program);

/* ---- alerts ---- */

struct oc_alert_filter {
    const char *subject;                  /* a word as oc_subject_is_meant(); NULL: all */
    const char *rule;                     /* a glob; NULL */
    int now_only;                         /* pending and firing */
    int64_t since_unix_ms, until_unix_ms; /* overlapping */
};
/* Newest first. fn returns 0 to go on. Returns the number or a code. */
typedef int oc_alert_row_fn(const struct oc_alert *alert, void *context);
int oc_reader_alerts(oc_reader *reader, const struct oc_alert_filter *filter, oc_alert_row_fn *fn,
                     void *context);
/* Decisions in time order; episode 0: all that the filter takes. */
typedef int oc_alert_decision_fn(const struct oc_alert_decision *decision, void *context);
int oc_reader_decisions(oc_reader *reader, const struct oc_alert_filter *filter, uint64_t episode,
                        oc_alert_decision_fn *fn, void *context);
/* The outbox, by id; state OC_OUTBOX_ANY: all. Bodies only where wanted. */
#define OC_OUTBOX_ANY 255u
typedef int oc_outbox_row_fn(const struct oc_outbox_row *row, void *context);
int oc_reader_outbox(oc_reader *reader, unsigned state, int want_bodies, oc_outbox_row_fn *fn,
                     void *context);
typedef int oc_silence_row_fn(const struct oc_silence *silence, void *context);
int oc_reader_silences(oc_reader *reader, oc_silence_row_fn *fn, void *context); /* past ones too */

/*
 * How something grew between two times, for explain/: subject is a word as oc_subject_is_meant() takes it (the first that is meant, running
 * ones before others), or NULL with a source id or a pid (its newest life). since 0: since the growth began as the forecast says,
 * else the beginning of the life. until INT64_MAX: now, of a life that ended its last sample. Of a subject of several processes the
 * figures are of the one that grew most. OC_E_NOENT: none such. Cost: some ten ranges, two censuses: 5 … 50 ms.
 */
struct oc_evidence_query {
    const char *subject; /* NULL */
    uint32_t source;     /* 0: none given */
    uint32_t pid;        /* 0: none given */
    int want_ended;      /* the newest life that is over, not one that runs */
    int64_t since_unix_ms, until_unix_ms;
};
int oc_reader_evidence(oc_reader *reader, const struct oc_evidence_query *query,
                       struct oc_evidence *out_evidence);

/* Labels of a subject, in the order of their keys. fn returns 0 to go on. */
typedef int oc_label_fn(const char *key, const char *value, void *context);
int oc_reader_labels(oc_reader *reader, const char *subject, oc_label_fn *fn, void *context);

/* Wall clock of a boot's time, by the clock table. */
int64_t oc_reader_unix_ms(oc_reader *reader, uint32_t boot, int64_t boot_ms);

/* ---- db info and check ---- */

struct oc_db_info {
    uint64_t file_bytes, wal_bytes, free_bytes_in_file;
    int64_t schema_version;
    uint64_t subjects, sources, raw_chunks, minute_chunks, hour_chunks, journal_rows;
    uint64_t raw_values, raw_bytes, journal_bytes;
    uint64_t walks, families, modules, limits; /* rows of them; modules: those that went too */
    uint64_t forecasts, accuracies;            /* rows of them */
    uint64_t memories, memory_bytes;           /* what the forecaster saved to go on from */
    uint64_t alerts, alerts_open;              /* episodes; of these pending or firing */
    uint64_t decisions;                        /* of alerts */
    uint64_t outbox, outbox_open;              /* rows; of these waiting or parked */
    uint64_t silences;                         /* past ones too */
    /* of samples; where only an upper tier knows the first one, not before its source began */
    int64_t first_unix_ms, last_unix_ms;
};
int oc_reader_info(oc_reader *reader, struct oc_db_info *out_info);

/* Every chunk decoded and held against its summary, every journal row parsed, SQLite's own integrity
 * check. fn gets one line per finding. Returns the number of findings (0: sound), or a code. */
typedef void oc_finding_fn(const char *text, void *context);
int oc_reader_check(oc_reader *reader, oc_finding_fn *fn, void (*progress)(double ratio, void *),
                    void *context);

/* Rewrites the file without its free pages. The caller holds the writer's lock: oomcastd is not
 * running. OC_E_BUSY, OC_E_NOSPC (it needs as much room again), OC_E_DENIED …; *detail says it. */
int oc_db_vacuum(const char *path, struct oc_detail *detail);

/* Registers the virtual table and the views on any connection: the loadable extension calls it too. */
int oc_vtable_register(struct sqlite3 *db);

#endif
