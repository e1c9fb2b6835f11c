/* One figure of one subject over its lives: what replay_store.c is made of. */
#ifndef OC_CLI_MODEL_REPLAY_COURSE_H
#define OC_CLI_MODEL_REPLAY_COURSE_H

#include "cli/model/replay_store.h"

/* A limit that was in force for a while. */
struct oc_replay_span {
    uint16_t metric;
    uint8_t kind;
    char *where; /* owned */
    double value;
    int64_t from_unix_ms, until_unix_ms;
};

struct oc_replay_life {
    char *subject, *exe; /* owned */
    uint32_t source, pid;
    uint8_t kind; /* enum oc_source_kind */
    enum oc_end end;
    int status;
    enum oc_killer killer;
    int64_t begin_unix_ms, end_unix_ms;
    struct oc_replay_span *spans; /* owned */
    size_t span_count, span_capacity;
};

struct oc_replay_course {
    struct oc_replay *replay;
    oc_reader *reader;
    const struct oc_replay_query *query;
    const struct oc_replay_life *lives; /* of one subject, in the order in which they began */
    size_t count;
    unsigned metric;
    size_t lives_done, lives_in_all; /* for the progress */
};

/* Whether a metric runs down to its limits. */
int oc_replay_falls(unsigned metric);

/* 0 or a code. */
int oc_replay_course_run(const struct oc_replay_course *course);

#endif
