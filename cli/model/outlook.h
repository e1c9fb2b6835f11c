/*
 * What is forecast of all that runs, as a person asks for it: out of the store, moved on by its age, the
 * most urgent of a source, a subject, a limit.
 */
#ifndef OC_CLI_MODEL_OUTLOOK_H
#define OC_CLI_MODEL_OUTLOOK_H

#include "base/forecast.h"
#include "cli/model/party.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_OUTLOOK_MAX_SOURCES 65536u
#define OC_OUTLOOK_MAX_ROWS 262144u
#define OC_OUTLOOK_NONE SIZE_MAX

struct oc_outlook_source {
    uint32_t source, pid;
    uint8_t kind; /* enum oc_source_kind */
    int32_t interval_ms;
    int64_t begin_unix_ms;
    int64_t last_unix_ms; /* of its last sample; 0: none */
    size_t first_row, row_count;
    size_t
        best; /* row that is the most urgent for it, a cgroup's above it included; OC_OUTLOOK_NONE */
    char subject[OC_SUBJECT_NAME_BYTES], cgroup[512];
};

struct oc_outlook_row {
    size_t source;               /* index */
    struct oc_forecast_row said; /* as it was said; times are unix ms */
    double p10_s, p50_s, p90_s; /* from now on: what was said less its age, ≥ 0 where it is known */
};

struct oc_outlook {
    struct oc_outlook_source *sources; /* owned; by source id */
    size_t count, capacity;
    struct oc_outlook_row *rows; /* owned; those of a source in a run */
    size_t row_count, row_capacity;
    int64_t now_unix_ms;
    int64_t newest_unix_ms; /* of the samples; 0: none */
    int is_stale;           /* nothing was sampled for a while: oomcastd does not run */
};

/*
 * All that runs, as it was forecast last. Fills *outlook (zeroed). 0 or a code. Cost: a row for each life that runs and each forecast.
 */
int oc_outlook_load(struct oc_outlook *outlook, oc_reader *reader, int64_t now_unix_ms);
/* The last that was said of one that ended; times count from when it was said. OC_E_NOENT: nothing was. */
int oc_outlook_load_member(struct oc_outlook *outlook, oc_reader *reader,
                           const struct oc_party_member *member);
void oc_outlook_clear(struct oc_outlook *outlook);

/* Moves all times on to another now. */
void oc_outlook_age(struct oc_outlook *outlook, int64_t now_unix_ms);

/* How urgent a row is: what is met first, then what will be, what may be, what only grows, and the rest. */
enum oc_urgency {
    OC_URGENCY_MET,
    OC_URGENCY_SURE, /* it leaks towards the limit */
    OC_URGENCY_MAYBE,
    OC_URGENCY_SAVED, /* restarts come first */
    OC_URGENCY_GROWS, /* towards nothing that is known */
    OC_URGENCY_NONE
};
enum oc_urgency oc_outlook_urgency(const struct oc_outlook_row *row);
/* Whether a is to be said before b. Of equals neither. */
int oc_outlook_is_before(const struct oc_outlook_row *a, const struct oc_outlook_row *b);

/* Seconds until a limit is met, to sort by: 0 where it is, INFINITY where that is not in sight. */
double oc_outlook_time_s(const struct oc_outlook_row *row);

const struct oc_outlook_source *oc_outlook_source(const struct oc_outlook *outlook,
                                                  uint32_t source);
/* The most urgent row of a source (OC_OUTLOOK_NONE of it: NULL), and the row of one limit of it. */
const struct oc_outlook_row *oc_outlook_best(const struct oc_outlook *outlook, uint32_t source);
const struct oc_outlook_row *oc_outlook_of_limit(const struct oc_outlook *outlook, uint32_t source,
                                                 const struct oc_limit *limit);

/* Whether a path lies in a cgroup's source, whose limits hold for all below it. */
int oc_outlook_is_above(const struct oc_outlook_source *cgroup, const char *path);

/* A subject and its most urgent row. */
struct oc_outlook_subject {
    const char *name; /* borrowed from the outlook */
    uint8_t kind;     /* of its sources; OC_SOURCE_PROCESS where a group is among them */
    uint32_t processes;
    const struct oc_outlook_row *row;
};
/*
 * Of each subject that something is forecast of; the soonest first, then by name. *out_all is yours to
 * oc_free(), and borrows from the outlook. *out_unsaid: subjects of processes of which nothing is said
 * yet. 0 or a code.
 */
int oc_outlook_subjects(const struct oc_outlook *outlook, struct oc_outlook_subject **out_all,
                        size_t *out_count, size_t *out_unsaid);

/* Whether a subject's row belongs to the table: it grows, or met a limit. */
int oc_outlook_is_moving(const struct oc_outlook_row *row);

/* What concerns a word (a subject, a glob, a PID). */
struct oc_outlook_choice {
    const struct oc_outlook_row *
        *rows; /* owned; the most urgent first. Of a limit that several have, the first */
    size_t count, capacity;
    const struct oc_outlook_row *own; /* the most urgent of what is named itself; NULL: none */
    const char *subject; /* of its sources; borrowed. NULL: the word names none that runs */
    uint8_t kind;
    uint32_t pid, processes; /* pid 0: of several */
    size_t subjects;         /* named by the word */
    int64_t begin_unix_ms;   /* of the youngest of its sources */
};
/* Fills *choice (zeroed). 0 or a code; choice->subject NULL where nothing of that name runs. */
int oc_outlook_choose(struct oc_outlook_choice *choice, const struct oc_outlook *outlook,
                      const char *word);
void oc_outlook_choice_clear(struct oc_outlook_choice *choice);

/* The binding limit of a choice: OC_OUTLOOK_NONE where none is forecast to be met. */
size_t oc_outlook_binding(const struct oc_outlook_choice *choice);

#endif
