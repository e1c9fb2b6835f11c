/* What `oomcast history` shows: one line of points for each subject, or for each life. */
#ifndef OC_CLI_MODEL_HISTORY_H
#define OC_CLI_MODEL_HISTORY_H

#include "base/sample.h"
#include "cli/model/series.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_HISTORY_MAX_LINES 8 /* more subjects at a time are refused */
#define OC_HISTORY_MAX_SOURCES 4096
#define OC_HISTORY_MAX_STEPS 100000

/* A source that takes part. */
struct oc_history_source {
    uint32_t source;
    uint32_t pid;
    uint8_t kind;
    int64_t begin_unix_ms, last_unix_ms;
    size_t lane; /* of its line: lives that follow one another share one */
    char subject[OC_SUBJECT_NAME_BYTES];
};

struct oc_history_line {
    char name[OC_SUBJECT_NAME_BYTES + 12]; /* the subject; of a life with its PID */
    char subject[OC_SUBJECT_NAME_BYTES];
    uint32_t pid; /* 0 where several were summed up, or none is */
    size_t sources;
    struct oc_point *points; /* owned; in time order, empty steps left out */
    size_t count, capacity;
    struct oc_trend trend;
};

struct oc_history {
    struct oc_history_source *sources; /* owned; lives that overlap the range */
    size_t source_count, source_capacity;
    struct oc_history_line lines[OC_HISTORY_MAX_LINES];
    size_t line_count;
    unsigned metric;
    int64_t t0_unix_ms, t1_unix_ms, step_ms;
};

struct oc_history_ask {
    const char *subject; /* a subject's name or glob; NULL with a pid */
    uint32_t pid;        /* 0: by subject */
    unsigned metric;     /* 0: the first of its kind */
    int64_t since_unix_ms, until_unix_ms;
    int64_t step_ms; /* 0: so that `points` fit */
    size_t points;
    int every_sample; /* no steps: each sample is a point; implies each */
    int each;         /* a line for each life: nothing is summed up */
    enum oc_precision precision;
};

/*
 * Fills *history (zeroed). OC_E_NOENT (no such subject in that time), OC_E_TOOBIG (too many lines
 * or steps), OC_E_INVAL (the metric is not of that kind); *detail says it.
 */
int oc_history_load(struct oc_history *history, oc_reader *reader, const struct oc_history_ask *ask,
                    struct oc_detail *detail);
void oc_history_clear(struct oc_history *history);

/* What to show of a kind of source where no metric was named. */
unsigned oc_history_default_metric(uint8_t kind);

/* Whether sources of this kind have metrics of that block. */
int oc_history_kind_has(uint8_t kind, unsigned metric);

#endif
