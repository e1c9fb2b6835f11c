/*
 * What the series of 1,000 sources cost a tick, and hold, without anything around them: five
 * series each against four limits, 5 % growing, a quarter working, the rest asleep, once a second.
 * forecast_cost.py has the whole daemon.
 *
 * usage: bench_forecast_feed [MINUTES]
 */
#include "base/os.h"
#include "daemon/forecast_track.h"

#include <stdio.h>
#include <stdlib.h>

#define SOURCES 1000
#define TICK_MS 1000
#define MIB (INT64_C(1) << 20)
#define WARM_MINUTES 30
#define LOOKS_S 60 /* what grows is forecast so often */

static const unsigned metrics[] = { OC_METRIC_PRIVATE, OC_METRIC_COMMIT, OC_METRIC_FDS,
                                    OC_METRIC_MAPPINGS, OC_METRIC_MAIN_STACK };
static const uint64_t ceilings[] = { 0, UINT64_C(512) << 20, 1024, 65530, UINT64_C(8) << 20 };
#define METRICS (sizeof(metrics) / sizeof(metrics[0]))

static struct oc_tracks *all[SOURCES];
static oc_forecast_pool *pool;
static double looked; /* keeps the forecasts from being left out */

static int make(unsigned at)
{
    all[at] = oc_tracks_new();
    for (size_t i = 0; all[at] && i < METRICS; i++) {
        struct oc_series_options options = { .metric = (uint16_t)metrics[i] };
        oc_series *series = NULL;
        struct oc_track *track = NULL;

        if (oc_series_new(pool, &options, &series) < 0)
            return -1;
        track = oc_tracks_add(all[at], metrics[i], 0, series);
        if (!track || oc_track_make_slot(track, 0) < 0)
            return -1;
        track->limits[0].kind = ceilings[i] ? OC_LIMIT_USER : 0;
        track->limits[0].value = ceilings[i];
        oc_track_limits_changed(track);
    }
    return all[at] ? 0 : -1;
}

/* Pages that come and go, and in one of twenty more that come. */
static void fill(struct oc_sample *sample, unsigned at, int64_t t_ms)
{
    int64_t hum = (t_ms / TICK_MS * (3 + at % 5) + at) % 23 * 4096;
    int64_t bytes = (100 + at % 50) * MIB + hum + (at % 20 == 0 ? t_ms / TICK_MS * 16384 : 0);

    sample->block = OC_BLOCK_PROCESS;
    sample->known = 0;
    oc_sample_set(sample, OC_METRIC_PRIVATE, bytes);
    oc_sample_set(sample, OC_METRIC_COMMIT, bytes + 8 * MIB);
    oc_sample_set(sample, OC_METRIC_FDS, 20 + t_ms / TICK_MS % 3);
    if (t_ms % 600000 == 0) { /* a walk */
        oc_sample_set(sample, OC_METRIC_MAPPINGS, 200 + t_ms / 3600000);
        oc_sample_set(sample, OC_METRIC_MAIN_STACK, 135168);
    }
}

static void look(const struct oc_tracks *tracks)
{
    struct oc_forecast forecast;

    for (uint32_t i = 0; i < tracks->count; i++) {
        oc_series_forecast(tracks->items[i].series, 0, &forecast);
        looked += forecast.value;
    }
}

static void tick(int64_t t_ms)
{
    struct oc_sample sample;

    for (unsigned at = 0; at < SOURCES; at++) {
        int sleeps = at % 20 != 0 && at % 4 != 1 && t_ms % 600000 != 0;

        if (sleeps && all[at]->last_ms != INT64_MIN && oc_tracks_is_quiet(all[at], t_ms)) {
            all[at]->same++;
            all[at]->last_ms = t_ms;
            continue;
        }
        if (!sleeps)
            fill(&sample, at, t_ms);
        oc_tracks_feed(all[at], t_ms, sleeps ? NULL : &sample);
        all[at]->say_ms = INT64_MAX;
        if (all[at]->say_now || (all[at]->restless && t_ms / TICK_MS % LOOKS_S == at % LOOKS_S))
            look(all[at]);
        all[at]->say_now = 0;
    }
}

int main(int argc, char **argv)
{
    long minutes = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    struct oc_forecast_pool_stats stats;
    int64_t t_ms = 0, began_ns = 0, best_ns = INT64_MAX, spent_ns = 0;

    pool = oc_forecast_pool_new(64u << 20, NULL);
    for (unsigned at = 0; at < SOURCES; at++) {
        if (!pool || make(at) != 0)
            return 1;
    }
    for (long i = 0; i < WARM_MINUTES * 60; i++)
        tick(t_ms += TICK_MS);
    for (long minute = 0; minute < minutes; minute++) {
        began_ns = oc_clock_thread_cpu_ns();
        for (int i = 0; i < 60; i++)
            tick(t_ms += TICK_MS);
        began_ns = oc_clock_thread_cpu_ns() - began_ns;
        spent_ns += began_ns;
        if (began_ns < best_ns)
            best_ns = began_ns;
    }
    oc_forecast_pool_stats(pool, &stats);
    printf("a tick of %d sources: %.0f us on average, %.0f us in the best minute\n", SOURCES,
           (double)spent_ns / 6e4 / (double)minutes, (double)best_ns / 6e4);
    printf("series %u, large %u, %.1f MiB (%.0f)\n", stats.series, stats.large,
           (double)stats.used_bytes / (double)MIB, looked > 0 ? 1.0 : 0.0);
    for (unsigned at = 0; at < SOURCES; at++)
        oc_tracks_free(all[at]);
    oc_forecast_pool_free(pool);
    return 0;
}
