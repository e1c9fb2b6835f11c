/*
 * bench_forecast [FOLDER]: what the forecaster costs a sample, and a backtest beside reading.
 *
 * First it is fed traces made here, each of a way to live: a state is asked for after each sample, a
 * forecast after each tenth. Goals: 1 us a sample over all of them, 5 us on the dearest. Then a store
 * is filled with days of such lives, read sample by sample, and replayed: goal 3 million samples
 * a second beside the reading. CPU time of this thread; run it on a release build.
 *
 * bench_forecast count: the traces once, for counting instructions (tests/bench/count), which
 * callgrind collects inside measured() alone.
 */
#include "base/os.h"
#include "cli/model/replay_store.h"
#include "forecast/forecast.h"
#include "storage/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE = 5000, TICK_MS = 10000, EVERY = 10, LIVES = 11, SAMPLES = 120000, BATCH = 360 };
#define UNIX_MS INT64_C(1700000000000)
#define MIB 1048576.0
#define PAGE 4096.0

static void must(int rc, const char *what)
{
    if (rc < 0) {
        (void)fprintf(stderr, "bench_forecast: %s: %s\n", what, oc_err_text(rc));
        exit(1);
    }
}

/* 0 … 1, the same in each run. */
static double dice(uint64_t n)
{
    n = (n + 1) * 0x9e3779b97f4a7c15u;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
    return (double)((n ^ (n >> 31)) >> 11) / 9007199254740992.0;
}

/* ---- ways to live; at: samples since the start ---- */

static double flat(int at)
{
    (void)at;
    return 200 * MIB;
}
static double busy(int at) { return 200 * MIB + floor(dice((uint64_t)at) * 256) * PAGE; }
static double sawtooth(int at) { return 150 * MIB + at % 180 * 0.5 * MIB; }
static double daily(int at) { return 200 * MIB + 80 * MIB * sin(at * 6.2831853 / 8640); }
static double warm(int at) { return 400 * MIB * (1 - exp(-at / 1500.0)) + busy(at) * 0.1; }
static double leak(int at) { return 100 * MIB + at * 0.02 * MIB; }
static double noisy_leak(int at) { return leak(at) + floor(dice((uint64_t)at) * 4096) * PAGE; }
static double stairs(int at) { return 100 * MIB + floor(at / 400.0) * 8 * MIB; }
static double rising_floor(int at) { return sawtooth(at) + at * 0.015 * MIB; }
static double wave_leak(int at) { return daily(at) + at * 0.015 * MIB; }
static double walk(int at)
{
    double sum = 0;

    for (int i = 0; i < 12; i++) /* of random waves: no floor, no top */
        sum += (dice((uint64_t)i * 1000 + ((uint64_t)at >> i)) - 0.5) * (1 << i) * 0.05;
    return (300 + sum) * MIB;
}

static const struct way {
    const char *name;
    double (*value)(int at);
} ways[LIVES] = { { "flat", flat },
                  { "busy", busy },
                  { "sawtooth", sawtooth },
                  { "daily", daily },
                  { "warm-up", warm },
                  { "leak", leak },
                  { "noisy leak", noisy_leak },
                  { "stairs", stairs },
                  { "rising floor", rising_floor },
                  { "wave and leak", wave_leak },
                  { "random walk", walk } };

/* ---- the forecaster alone ---- */

struct made {
    int64_t t_ms;
    double value;
};

/* As it is sampled: some pages more or less, some ms later. */
static struct made make(const struct way *way, int at)
{
    struct made made = { .t_ms = (int64_t)at * TICK_MS, .value = way->value(at) };

    if (way->value == flat)
        return made;
    made.t_ms += (int64_t)(dice((uint64_t)at + 7777777) * 500);
    made.value += floor(dice((uint64_t)at + 3333333) * 64) * PAGE;
    return made;
}

/* What callgrind collects. Not inlined: it is found by its name. */
__attribute__((noinline)) static unsigned measured(oc_series *series, const struct made *made)
{
    struct oc_forecast forecast;
    unsigned states = 0;

    for (int at = 0; at < TRACE; at++) {
        oc_series_feed(series, made[at].t_ms, made[at].value);
        states += oc_series_state(series, 0);
        if (at % EVERY == EVERY - 1)
            oc_series_forecast(series, 0, &forecast);
    }
    return states;
}

/* ns a sample. */
static double feed(oc_series *series, const struct made *made)
{
    int64_t begin_ns = oc_clock_thread_cpu_ns();

    if (measured(series, made) == UINT32_MAX)
        (void)puts(""); /* it is used */
    return (double)(oc_clock_thread_cpu_ns() - begin_ns) / TRACE;
}

static double feed_way(oc_forecast_pool *pool, const struct way *way, int rounds)
{
    static struct made made[TRACE];
    const struct oc_series_options options = { 0 };
    oc_series *series = NULL;
    double least_ns = INFINITY;

    for (int at = 0; at < TRACE; at++)
        made[at] = make(way, at);
    for (int round = 0; round < rounds; round++) {
        must(oc_series_new(pool, &options, &series), "series");
        oc_series_limit(series, 0, 1024 * MIB);
        least_ns = fmin(least_ns, feed(series, made));
        oc_series_free(series);
    }
    return least_ns;
}

static int measure_ways(void)
{
    oc_forecast_pool *pool = oc_forecast_pool_new(1 << 20, NULL);
    double sum_ns = 0, worst_ns = 0;

    must(pool ? 0 : OC_E_NOMEM, "pool");
    for (int i = 0; i < LIVES; i++) {
        double ns = feed_way(pool, &ways[i], 9);

        (void)printf("%-16s %8.0f ns a sample\n", ways[i].name, ns);
        sum_ns += ns;
        worst_ns = fmax(worst_ns, ns);
    }
    oc_forecast_pool_free(pool);
    (void)printf("%-16s %8.0f ns (goal 1000), dearest %.0f ns (goal 5000)\n", "all", sum_ns / LIVES,
                 worst_ns);
    return sum_ns / LIVES > 1000 || worst_ns > 5000;
}

static int count_ways(void)
{
    oc_forecast_pool *pool = oc_forecast_pool_new(1 << 20, NULL);

    must(pool ? 0 : OC_E_NOMEM, "pool");
    for (int i = 0; i < LIVES; i++)
        (void)feed_way(pool, &ways[i], 1);
    oc_forecast_pool_free(pool);
    (void)printf("samples %d\n", LIVES * TRACE);
    return 0;
}

/* ---- a store of them ---- */

static void begin_life(oc_store *store, int life, uint32_t *out_source)
{
    const struct oc_limit limit = { .kind = OC_LIMIT_USER,
                                    .metric = OC_METRIC_PRIVATE,
                                    .value = (uint64_t)(4096 * MIB) };
    struct oc_proc_facts facts = { .id = { .pid = (uint32_t)life + 1, .start_ticks = 1 },
                                   .name = "life" };
    char subject[32];

    (void)snprintf(subject, sizeof subject, "proc:life%d", life);
    must(oc_store_source_begin(store,
                               &(struct oc_source_info){ .kind = OC_SOURCE_PROCESS,
                                                         .subject = subject,
                                                         .facts = &facts,
                                                         .interval_ms = TICK_MS },
                               out_source),
         "begin");
    must(oc_store_limits(store, *out_source, 0, &limit, 1), "limits");
}

static void append(oc_store *store, struct oc_tick *tick, const uint32_t sources[LIVES], int at)
{
    oc_tick_begin(tick, (int64_t)at * TICK_MS);
    for (int life = 0; life < LIVES; life++) {
        struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
        double value = ways[life].value(at);

        for (int bit = 1; bit <= 12; bit++)
            oc_sample_set(&sample, (enum oc_metric)bit, (int64_t)value / bit);
        oc_tick_put(tick, sources[life], &sample);
    }
    must(oc_store_append(store, tick), "append");
}

static void fill(const char *path)
{
    const struct oc_store_options options = { .path = path,
                                              .boot_id = "bench",
                                              .now_unix_ms = UNIX_MS,
                                              .max_file_bytes = UINT64_C(8) << 30,
                                              .raw_keep_ms = INT64_C(100) * 86400000 };
    struct oc_store_report report;
    struct oc_tick tick;
    uint32_t sources[LIVES];
    oc_store *store = NULL;

    must(oc_store_open(&options, &store, &report, NULL), "open");
    for (int life = 0; life < LIVES; life++)
        begin_life(store, life, &sources[life]);
    oc_tick_init(&tick);
    for (int at = 0; at < SAMPLES; at++) {
        append(store, &tick, sources, at);
        if (at % BATCH == BATCH - 1)
            must(oc_store_commit(store, OC_DURABLE_BATCH, (int64_t)at * TICK_MS), "commit");
    }
    oc_tick_clear(&tick);
    must(oc_store_close(store), "close");
}

static int take_point(const struct oc_point *point, void *context)
{
    uint64_t *sum = context;

    *sum += point->count;
    return 0;
}

static int take_life(const struct oc_life_row *row, void *context)
{
    uint32_t *sources = context;

    if (row->source <= LIVES)
        sources[row->source - 1] = row->source;
    return 0;
}

/* CPU seconds that reading all takes, as a replay reads: the figure, and the one beside it. */
static double read_all(oc_reader *reader)
{
    uint32_t sources[LIVES] = { 0 };
    const struct oc_life_filter filter = { .processes_only = 1, .until_unix_ms = INT64_MAX };
    struct oc_range range = { .until_unix_ms = UNIX_MS + (int64_t)SAMPLES * TICK_MS + 1,
                              .since_unix_ms = UNIX_MS,
                              .metric = OC_METRIC_PRIVATE,
                              .precision = OC_PRECISE_EXACT };
    uint64_t samples = 0;
    int64_t begin_ns;

    must(oc_reader_lives(reader, &filter, take_life, sources), "lives");
    begin_ns = oc_clock_thread_cpu_ns();
    for (int life = 0; life < LIVES; life++)
        must(oc_reader_range(reader, sources[life], &range, take_point, &samples), "range");
    return (double)(oc_clock_thread_cpu_ns() - begin_ns) / 1e9;
}

static double replay_all(oc_reader *reader, int with_rules, uint64_t *out_samples)
{
    const struct oc_replay_query query = { .until_unix_ms =
                                               UNIX_MS + (int64_t)SAMPLES * TICK_MS + 1,
                                           .since_unix_ms = UNIX_MS,
                                           .limit = NAN };
    struct oc_replay replay;
    int64_t begin_ns = oc_clock_thread_cpu_ns();

    must(oc_replay_init(&replay, NULL, with_rules), "replay");
    must(oc_replay_of_store(&replay, reader, &query, NULL), "replay");
    *out_samples = replay.samples;
    oc_replay_clear(&replay);
    return (double)(oc_clock_thread_cpu_ns() - begin_ns) / 1e9;
}

static int measure_store(const char *path)
{
    oc_reader *reader = NULL;
    uint64_t samples = 0;
    double reading_s, replaying_s, comparing_s, beside_s;

    must(oc_reader_open(path, &reader, NULL), "reader");
    (void)read_all(reader); /* the file is in the cache */
    reading_s = read_all(reader);
    replaying_s = replay_all(reader, 0, &samples);
    comparing_s = replay_all(reader, 1, &samples);
    oc_reader_close(reader);
    beside_s = fmax(replaying_s - reading_s, 1e-9);
    (void)printf("%llu samples: reading %.2f s, backtest %.2f s, with rules beside it %.2f s\n",
                 (unsigned long long)samples, reading_s, replaying_s, comparing_s);
    (void)printf(
        "backtest: %.1f million samples a second beside the reading (goal 3), %.1f with it\n",
        (double)samples / beside_s / 1e6, (double)samples / replaying_s / 1e6);
    return (double)samples / beside_s < 3e6;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "/tmp";
    char path[512];
    int missed;

    if (argc > 1 && strcmp(argv[1], "count") == 0)
        return count_ways();
    missed = measure_ways();
    (void)snprintf(path, sizeof path, "%s/oomcast-bench-forecast.db", folder);
    (void)remove(path);
    fill(path);
    missed |= measure_store(path);
    (void)remove(path);
    return missed;
}
