/* Limits in force of a source and of those it lives in, and what is forecast of them. */
#include "storage/read/evidence.h"

#include "base/ahead.h"

#include <math.h>
#include <string.h>

#define OC_SAID_MAX 128
#define OC_SAID_END_MS 10000 /* of a life: its cgroup is seen emptied before its end is known */
#define OC_SAID_BACK_MS INT64_C(172800000) /* what is said is written again after 6 h at most */

/* The newest of each limit by a time. */
struct said {
    struct oc_forecast_row rows[OC_SAID_MAX];
    size_t of[OC_SAID_MAX]; /* place in the kin */
    size_t count, kin;      /* kin: whose rows come now */
    int64_t by_unix_ms;
    int is_end; /* by then it had ended */
};

static int is_same(const struct oc_forecast_row *a, const struct oc_forecast_row *b)
{
    return a->limit.kind == b->limit.kind && a->forecast.metric == b->forecast.metric &&
           strcmp(a->limit.where, b->limit.where) == 0;
}

/* What is said of the end itself, met or over, is no forecast of it. */
static int is_of_the_end(const struct said *said, const struct oc_forecast *before,
                         const struct oc_forecast *row)
{
    if (!said->is_end || !oc_ahead_is_known(before->p50_s) ||
        before->state == OC_FORECAST_EXHAUSTED)
        return 0;
    return row->state == OC_FORECAST_EXHAUSTED ||
           (!oc_ahead_is_known(row->p50_s) && row->t_ms > said->by_unix_ms - OC_SAID_END_MS);
}

static int take_row(const struct oc_forecast_span *span, void *context)
{
    struct said *said = context;
    size_t i = 0;

    if (span->row->forecast.t_ms > said->by_unix_ms)
        return 0;
    while (i < said->count && (said->of[i] != said->kin || !is_same(&said->rows[i], span->row)))
        i++;
    if (i == OC_SAID_MAX ||
        (i < said->count && is_of_the_end(said, &said->rows[i].forecast, &span->row->forecast)))
        return 0;
    said->rows[i] = *span->row;
    said->of[i] = said->kin;
    said->count += i == said->count;
    return 0;
}

static int load(oc_reader *reader, const struct oc_evidence_kin *kin, struct said *said)
{
    int is_now = said->by_unix_ms == INT64_MAX;
    int rc = OC_OK;

    for (size_t i = 0; i < kin->count && rc >= 0; i++) {
        struct oc_forecast_filter filter = { .source = kin->items[i].id,
                                             .since_unix_ms = 0,
                                             .until_unix_ms = INT64_MAX,
                                             .now_only = is_now };

        if (!is_now) {
            filter.since_unix_ms = said->by_unix_ms - OC_SAID_BACK_MS;
            filter.until_unix_ms = said->by_unix_ms + 1;
        }
        said->kin = i;
        rc = oc_reader_forecasts(reader, &filter, take_row, said);
    }
    return rc < 0 ? rc : OC_OK;
}

/* ---- which binds ---- */

static int is_moving(unsigned state)
{
    return state == OC_FORECAST_WARMING || state == OC_FORECAST_GROWING ||
           state == OC_FORECAST_LEAKING || state == OC_FORECAST_SAVED ||
           state == OC_FORECAST_EXHAUSTED;
}

/* 0: met, 1: will be, 2: may be, 3: restarts come first, 4: no limit is in sight. */
static int urgency(const struct oc_forecast_row *row)
{
    int in_sight = row->limit.kind && oc_ahead_is_known(row->forecast.p50_s);

    if (!row->limit.kind)
        return 4;
    switch (row->forecast.state) {
    case OC_FORECAST_EXHAUSTED:
        return 0;
    case OC_FORECAST_LEAKING:
        return in_sight ? 1 : 4;
    case OC_FORECAST_GROWING:
        return in_sight ? 2 : 4;
    case OC_FORECAST_SAVED:
        return 3;
    default:
        return 4;
    }
}

static double end_unix_s(const struct oc_forecast_row *row)
{
    return oc_ahead_is_known(row->forecast.p50_s)
               ? (double)row->forecast.t_ms / 1000.0 + row->forecast.p50_s
               : INFINITY;
}

static int is_before(const struct oc_forecast_row *a, const struct oc_forecast_row *b)
{
    int x = urgency(a), y = urgency(b);

    return x != y ? x < y : end_unix_s(a) < end_unix_s(b);
}

/* How fast its private bytes, or those of all of its subject, grow an hour; 0: not. */
static double own_growth(const struct oc_evidence_kin *kin, const struct said *said)
{
    double most = 0;

    for (size_t i = 0; i < said->count; i++) {
        const struct oc_forecast *forecast = &said->rows[i].forecast;

        if ((said->of[i] == 0 || kin->items[said->of[i]].kind == OC_SOURCE_GROUP) &&
            forecast->metric == OC_METRIC_PRIVATE && forecast->growth_per_h > most)
            most = forecast->growth_per_h;
    }
    return most;
}

/*
 * Its own rows and those of its subject's sum; those of its cgroups only where it grows itself; those of
 * the host, which everything shares, only where it is the greater part of that growth.
 */
static int is_asked(const struct oc_evidence_kin *kin, const struct said *said, size_t row,
                    int moves)
{
    unsigned kind = kin->items[said->of[row]].kind;

    if (said->of[row] == 0 || kind == OC_SOURCE_GROUP)
        return 1;
    if (!moves || kind != OC_SOURCE_HOST)
        return moves;
    return own_growth(kin, said) > fabs(said->rows[row].forecast.growth_per_h) / 2;
}

static const struct oc_forecast_row *find_binding(const struct oc_evidence_kin *kin,
                                                  const struct said *said)
{
    const struct oc_forecast_row *best = NULL;
    int moves = 0;

    for (size_t i = 0; i < said->count; i++)
        moves |= said->of[i] == 0 && is_moving(said->rows[i].forecast.state);
    for (size_t i = 0; i < said->count; i++) {
        const struct oc_forecast_row *row = &said->rows[i];

        if (urgency(row) < 4 && is_asked(kin, said, i, moves) && (!best || is_before(row, best)))
            best = row;
    }
    return best;
}

/* What is said of its own private bytes: of growth alone first. */
static const struct oc_forecast_row *find_private(const struct said *said)
{
    const struct oc_forecast_row *best = NULL;

    for (size_t i = 0; i < said->count; i++) {
        const struct oc_forecast_row *row = &said->rows[i];

        if (said->of[i] != 0)
            continue;
        if (row->forecast.metric == OC_METRIC_PRIVATE &&
            (!best || !row->limit.kind || best->forecast.metric != OC_METRIC_PRIVATE))
            best = row;
        else if (!best)
            best = row;
    }
    return best;
}

/* The limit that ended it. */
static int is_met(const struct oc_evidence *evidence, const struct oc_forecast_row *row)
{
    switch (evidence->killer) {
    case OC_KILLER_CGROUP:
    case OC_KILLER_OOMD:
    case OC_KILLER_KUBELET:
        return row->limit.kind >= OC_LIMIT_CGROUP_MAX && row->limit.kind <= OC_LIMIT_CGROUP_MEMSW &&
               strcmp(row->limit.where, evidence->killer_scope) == 0;
    case OC_KILLER_HOST:
    case OC_KILLER_EARLYOOM:
        return row->limit.kind == OC_LIMIT_HOST_MEMORY;
    case OC_KILLER_IIS: /* by plan */
    case OC_KILLER_UNKNOWN:
        break;
    }
    return 0;
}

static void put_last(const struct said *said, const struct oc_forecast_row *binding,
                     struct oc_evidence *evidence)
{
    const struct oc_forecast_row *last = NULL;

    for (size_t i = 0; i < said->count; i++)
        if (is_met(evidence, &said->rows[i]) && (!last || is_before(&said->rows[i], last)))
            last = &said->rows[i];
    if (!last)
        last = binding;
    if (!last)
        return;
    evidence->last_forecast = *last;
    evidence->has_last_forecast = 1;
}

int oc_evidence_forecasts(oc_reader *reader, const struct oc_evidence_kin *kin, int64_t by_unix_ms,
                          struct oc_evidence *evidence, int64_t *out_since_unix_ms)
{
    static const struct said none;
    struct said said = none;
    const struct oc_forecast_row *binding, *own, *grows;
    int rc;

    said.by_unix_ms = by_unix_ms;
    said.is_end = evidence->has_end;
    rc = load(reader, kin, &said);
    if (rc < 0)
        return rc;
    binding = find_binding(kin, &said);
    own = find_private(&said);
    grows = own && is_moving(own->forecast.state) ? own : binding;
    if (grows)
        *out_since_unix_ms = grows->forecast.since_ms;
    if (evidence->has_end)
        put_last(&said, binding, evidence);
    if (!binding)
        binding = own;
    if (binding) {
        evidence->forecast = *binding;
        evidence->has_forecast = 1;
    }
    return OC_OK;
}

/* ---- limits ---- */

struct limits {
    struct oc_evidence *evidence;
    int has_figures; /* of this one of the kin */
};

static int take_limit(const struct oc_limit_span *span, void *context)
{
    const struct limits *limits = context;
    struct oc_evidence *evidence = limits->evidence;
    struct oc_limit *limit = &evidence->limits[evidence->limit_count];
    const struct oc_moved *use;

    for (size_t i = 0; i < evidence->limit_count; i++)
        if (evidence->limits[i].kind == span->limit->kind &&
            evidence->limits[i].metric == span->limit->metric &&
            strcmp(evidence->limits[i].where, span->limit->where) == 0)
            return 0; /* of the nearer one */
    if (evidence->limit_count == OC_EVIDENCE_LIMITS)
        return 1;
    *limit = *span->limit;
    evidence->limit_count++;
    if (!limits->has_figures || limit->metric >= OC_METRIC_MAX)
        return 0;
    use = &evidence->metrics[limit->metric];
    if (limit->metric && use->has_now && use->now >= 0) {
        limit->has_use = 1;
        limit->use = (uint64_t)use->now;
    }
    return 0;
}

int oc_evidence_limits(oc_reader *reader, const struct oc_evidence_kin *kin, int64_t at_unix_ms,
                       struct oc_evidence *evidence)
{
    int rc = OC_OK;

    for (size_t i = 0; i < kin->count && rc >= 0; i++) {
        struct limits limits = { .evidence = evidence,
                                 .has_figures =
                                     i == 0 || (i == kin->cgroup && i) || (i == kin->host && i) };

        rc = oc_reader_limits(reader, kin->items[i].id, at_unix_ms, at_unix_ms + 1, take_limit,
                              &limits);
    }
    return rc < 0 ? rc : OC_OK;
}
