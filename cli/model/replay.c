#include "cli/model/replay.h"

#include "base/alloc.h"
#include "cli/model/replay_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POOL_BYTES ((size_t)(256) << 20)

const char *oc_replay_method_name(unsigned method)
{
    static const char *const names[OC_METHODS] = { "oomcast", "80 % used", "90 % used",
                                                   "line of 1 h", "line of 6 h" };

    return method < OC_METHODS ? names[method] : "?";
}

const char *oc_replay_came_name(unsigned came)
{
    static const char *const names[] = { "stands", "met", "cleared", "restarted", "limit moved" };

    return came < sizeof(names) / sizeof(names[0]) ? names[came] : "?";
}

int oc_replay_init(struct oc_replay *replay, const struct oc_forecast_settings *settings,
                   int with_rules)
{
    memset(replay, 0, sizeof(*replay));
    replay->with_rules = with_rules;
    replay->begin_ms = INT64_MAX;
    replay->end_ms = INT64_MIN;
    replay->pool = oc_forecast_pool_new(POOL_BYTES, settings);
    return replay->pool ? OC_OK : OC_E_NOMEM;
}

void oc_replay_clear(struct oc_replay *replay)
{
    for (size_t i = 0; i < replay->name_count; i++) {
        oc_free(replay->names[i].subject);
        oc_free(replay->names[i].where);
    }
    oc_free(replay->names);
    oc_free(replay->alerts);
    oc_free(replay->ends);
    oc_forecast_pool_free(replay->pool);
    memset(replay, 0, sizeof(*replay));
}

void oc_replay_fail(struct oc_replay *replay, int rc)
{
    if (!replay->err)
        replay->err = rc;
}

/* ---- what became of them ---- */

static int by_time(const void *a, const void *b)
{
    const struct oc_replay_alert *x = a, *y = b;

    if (x->raised_ms != y->raised_ms)
        return x->raised_ms < y->raised_ms ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return (int)x->method - (int)y->method;
}

static int ends_by_time(const void *a, const void *b)
{
    const struct oc_replay_end *x = a, *y = b;

    if (x->t_ms != y->t_ms)
        return x->t_ms < y->t_ms ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

void oc_replay_sort(struct oc_replay *replay)
{
    if (replay->alert_count > 1)
        qsort(replay->alerts, replay->alert_count, sizeof(*replay->alerts), by_time);
    if (replay->end_count > 1)
        qsort(replay->ends, replay->end_count, sizeof(*replay->ends), ends_by_time);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void count_alert(const struct oc_replay_alert *alert, double *leads,
                        struct oc_replay_tally *tally)
{
    tally->alerts++;
    switch (alert->came) {
    case OC_CAME_MET:
        leads[tally->met++] = (double)(alert->over_ms - alert->raised_ms) / 1000.0;
        break;
    case OC_CAME_CLEARED:
        tally->cleared++;
        break;
    case OC_CAME_RESTARTED:
        tally->restarted++;
        break;
    case OC_CAME_MOVED:
        tally->moved++;
        break;
    default:
        tally->stands++;
        break;
    }
}

int oc_replay_tally(const struct oc_replay *replay, enum oc_replay_method method,
                    struct oc_replay_tally *out_tally)
{
    double *leads = oc_malloc((replay->alert_count + 1) * sizeof(*leads));
    double weeks = (double)(replay->end_ms - replay->begin_ms) / (7 * 86400e3);

    *out_tally = (struct oc_replay_tally){ .false_per_week = (double)NAN,
                                           .lead_s = (double)NAN,
                                           .least_lead_s = (double)NAN };
    if (!leads)
        return OC_E_NOMEM;
    for (size_t i = 0; i < replay->alert_count; i++) {
        if (replay->alerts[i].method == method)
            count_alert(&replay->alerts[i], leads, out_tally);
    }
    if (replay->end_ms > replay->begin_ms)
        out_tally->false_per_week = (double)out_tally->cleared / weeks;
    if (out_tally->met > 0) {
        qsort(leads, out_tally->met, sizeof(*leads), by_size);
        out_tally->lead_s = leads[out_tally->met / 2];
        out_tally->least_lead_s = leads[out_tally->met / 10];
    }
    oc_free(leads);
    return OC_OK;
}
