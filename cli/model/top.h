/* What `oomcast top` knows: the newest sample of each running process, and a short past of it. */
#ifndef OC_CLI_MODEL_TOP_H
#define OC_CLI_MODEL_TOP_H

#include "base/sample.h"
#include "cli/model/outlook.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_TOP_BUCKETS 20
#define OC_TOP_MAX_SOURCES 65536

/* What the rows are about. */
enum oc_top_about { OC_TOP_PROCESSES, OC_TOP_CGROUPS, OC_TOP_ABOUTS };

/* Of a process; of a cgroup: current, anon, swap, limit, tasks, OOM kills. */
enum oc_top_figure {
    OC_TOP_PRIVATE,
    OC_TOP_RSS,
    OC_TOP_SWAP,
    OC_TOP_VIRTUAL,
    OC_TOP_THREADS,
    OC_TOP_FDS,
    OC_TOP_FIGURES
};

enum oc_top_sort {
    OC_TOP_BY_PRIVATE,
    OC_TOP_BY_CHANGE,
    OC_TOP_BY_RSS,
    OC_TOP_BY_SWAP,
    OC_TOP_BY_VIRTUAL,
    OC_TOP_BY_THREADS,
    OC_TOP_BY_FDS,
    OC_TOP_BY_CPU,
    OC_TOP_BY_TTL, /* time to the limit that is met first */
    OC_TOP_BY_NAME,
    OC_TOP_SORTS
};

struct oc_top_source {
    uint32_t source, pid;
    uint8_t kind;
    unsigned generation; /* of the refresh that saw it last */
    int backfilled;
    int64_t t_unix_ms;
    int64_t cpu_ms, cpu_t_ms;     /* of the last look that moved on */
    double cpu_ratio;             /* of one core; < 0: unknown */
    struct oc_sample sample;      /* of the process block */
    int64_t past[OC_TOP_BUCKETS]; /* of the first figure, the newest last; OC_SPARK_NONE: unknown */
    char subject[OC_SUBJECT_NAME_BYTES], name[64];
};

/* A row of the table: a process, or all processes of a subject. */
struct oc_top_row {
    const char *name; /* borrowed from the model until the next refresh */
    uint32_t pid;     /* 0: of several processes */
    uint32_t count;   /* processes */
    uint64_t known;   /* bits of enum oc_top_figure */
    int64_t figures[OC_TOP_FIGURES];
    double cpu_ratio;
    int64_t past[OC_TOP_BUCKETS];
    int has_change;
    int64_t change_bytes;               /* of the first figure, over what is known of the span */
    size_t first_source;                /* index into by_subject */
    const struct oc_outlook_row *ahead; /* the most urgent forecast; NULL: none */
    double key;                         /* to sort by */
};

struct oc_top_host {
    int64_t t_unix_ms;
    struct oc_sample sample; /* known 0: not seen */
};

struct oc_top {
    enum oc_top_about about;
    struct oc_top_source *sources; /* owned, by source id */
    size_t count, capacity;
    size_t *by_subject; /* indices of processes, those of a subject in a run */
    size_t by_subject_count, by_subject_capacity;
    struct oc_top_row *rows;
    size_t row_count, row_capacity;
    size_t source_count, subject_count;
    struct oc_top_host host;
    int64_t newest_unix_ms;
    const struct oc_outlook *outlook; /* borrowed; NULL: nothing is forecast */
    unsigned generation;
    size_t hint;               /* rows come in the order of source ids: where to look first */
    int64_t bucket_ms, bucket; /* width, and number of the newest since 1970 */
    int err;
};

/* span_ms: how far back the past goes. */
void oc_top_init(struct oc_top *top, enum oc_top_about about, int64_t span_ms);
void oc_top_clear(struct oc_top *top);

/* The past goes back twice as far from now on; what is known of it is kept. */
void oc_top_widen(struct oc_top *top);

/* A refresh: begin, the rows of oc_reader_latest(), end. end drops what was not seen. 0 or a code. */
void oc_top_begin(struct oc_top *top, int64_t now_unix_ms);
int oc_top_take(const struct oc_latest_row *row,
                void *context); /* an oc_latest_fn; context: the model */
int oc_top_end(struct oc_top *top);

/* Rows of processes (each: not 0) or subjects, sorted: the greatest first, names from a on; reverse turns that round. 0 or a code. */
int oc_top_make_rows(struct oc_top *top, enum oc_top_sort sort, int reverse, int each);

/* Reads the past of rows [first, first + count) that have none yet, until deadline_mono_ns. 0 or a code. */
int oc_top_backfill(struct oc_top *top, oc_reader *reader, size_t first, size_t count,
                    int64_t deadline_mono_ns);

/* The sources of a row: by_subject[row->first_source …], row->count of them. */
const struct oc_top_source *oc_top_row_source(const struct oc_top *top,
                                              const struct oc_top_row *row, size_t index);

#endif
