#include "cli/model/replay_file.h"

#include "cli/model/trace_file.h"

#include "base/metric.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct replaying {
    struct oc_replay *replay;
    const struct oc_replay_file *file;
    oc_replay_lane *lane;
    unsigned companion_at; /* column */
    uint16_t companion_metric;
    double inc, limit;
    int64_t last_ms;
    uint64_t rows;
};

const char oc_trace_no_limit[] = "no limit: give one by --limit, or in a column named limit";

/* What says most about the growth of bytes, the best first, as it is called by people and by us. */
static const struct {
    const char *name;
    uint16_t metric;
} companions[] = {
    { "modules", OC_METRIC_MODULES },       { "module_count", OC_METRIC_MODULES },
    { "mappings", OC_METRIC_MAPPINGS },     { "mapping_count", OC_METRIC_MAPPINGS },
    { "threads", OC_METRIC_THREADS },       { "thread_count", OC_METRIC_THREADS },
    { "handles", OC_METRIC_FDS },           { "fds", OC_METRIC_FDS },
    { "fd_count", OC_METRIC_FDS },          { "private", OC_METRIC_PRIVATE },
    { "private_bytes", OC_METRIC_PRIVATE },
};

static unsigned other_companion(const struct oc_trace *trace, uint16_t *out_metric)
{
    for (unsigned i = 0; i < trace->column_count; i++) {
        const struct oc_metric_row *row;

        if (i == trace->t_at || i == trace->value_at || i == trace->inc_at || i == trace->limit_at)
            continue;
        row = oc_metric_by_name(trace->names[i]);
        *out_metric = row ? row->number : 0;
        return i;
    }
    return OC_TRACE_NONE;
}

unsigned oc_trace_companion(const struct oc_trace *trace, uint16_t *out_metric)
{
    for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
        unsigned column = oc_trace_column(trace, companions[i].name);

        if (column == OC_TRACE_NONE)
            continue;
        *out_metric = companions[i].metric;
        return column;
    }
    return other_companion(trace, out_metric);
}

static int take_head(const struct oc_trace *trace, void *context)
{
    struct replaying *replaying = context;
    struct oc_replay_lane_options options = { .subject = replaying->file->name,
                                              .metric = replaying->file->metric };

    if (trace->limit_at == OC_TRACE_NONE && oc_trace_is_unknown(replaying->file->limit))
        return OC_E_INVAL;
    replaying->companion_at = oc_trace_companion(trace, &replaying->companion_metric);
    replaying->limit = (double)NAN;
    return oc_replay_lane_new(replaying->replay, &options, &replaying->lane);
}

static void set_limit(struct replaying *replaying, double limit, int64_t t_ms)
{
    replaying->limit = limit;
    oc_replay_lane_limit(replaying->lane, 0, 0, "", limit, t_ms);
}

static void take_life(struct replaying *replaying, const struct oc_trace_row *row)
{
    if (replaying->rows++ > 0 && !oc_trace_differs(row->inc, replaying->inc))
        return;
    if (replaying->rows > 1)
        oc_replay_lane_end(replaying->lane, OC_OVER_RESTARTED, replaying->last_ms);
    replaying->replay->lives++;
    oc_replay_lane_begin(replaying->lane, 0, 0);
    replaying->inc = row->inc;
    if (replaying->rows == 1)
        set_limit(replaying, replaying->file->limit, row->t_ms);
}

static void take_row(const struct oc_trace *trace, const struct oc_trace_row *row, void *context)
{
    struct replaying *replaying = context;
    double companion;

    take_life(replaying, row);
    replaying->last_ms = row->t_ms;
    if (trace->limit_at != OC_TRACE_NONE && oc_trace_differs(row->limit, replaying->limit))
        set_limit(replaying, row->limit, row->t_ms);
    if (replaying->companion_at != OC_TRACE_NONE) {
        companion = trace->fields[replaying->companion_at];
        if (fabs(companion) <= DBL_MAX)
            oc_replay_lane_feed_companion(replaying->lane, replaying->companion_metric, row->t_ms,
                                          companion);
    }
    oc_replay_lane_feed(replaying->lane, row->t_ms, row->value);
}

static int at_pause(const struct oc_trace *trace, void *context)
{
    struct replaying *replaying = context;

    (void)trace;
    if (replaying->file->progress)
        replaying->file->progress(replaying->rows, replaying->file->context);
    return replaying->replay->err;
}

static int read_trace(struct replaying *replaying, FILE *stream, struct oc_detail *detail)
{
    static const struct oc_trace_calls calls = { take_head, take_row, at_pause };
    int rc = oc_trace_read(stream, &calls, replaying, detail);

    if (replaying->lane && replaying->rows > 0)
        oc_replay_lane_end(replaying->lane,
                           replaying->file->ends_met ? OC_OVER_MET : OC_OVER_NOT_YET,
                           replaying->last_ms);
    oc_replay_lane_free(replaying->lane);
    return rc ? rc : replaying->replay->err;
}

int oc_replay_of_file(struct oc_replay *replay, const struct oc_replay_file *file,
                      struct oc_detail *detail)
{
    struct replaying replaying = { .replay = replay, .file = file };
    FILE *stream = strcmp(file->path, "-") == 0 ? stdin : fopen(file->path, "rb");
    int rc;

    if (!stream) {
        rc = oc_err_from_errno(errno);
        return oc_detail_set(detail, rc, "cannot open it: %s", oc_err_text(rc));
    }
    rc = read_trace(&replaying, stream, detail);
    if (rc == OC_E_INVAL)
        (void)oc_detail_set(detail, rc, "%s", oc_trace_no_limit);
    if (stream != stdin)
        (void)fclose(stream); /* read only: nothing to lose */
    return rc;
}
