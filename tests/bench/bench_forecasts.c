/*
 * bench_forecasts DIR [HOURS]: what keeping forecasts costs, and how soon a forecaster can go on.
 *
 * 1,000 sources with 4 limits each. A day of forecasts said once a minute: all calm, a twentieth
 * leaking, all leaking, all jumping. The forecaster's memory: 3,000 series of 700 bytes and 150 of
 * 8 KiB, saved in turn over 5 min. Then HOURS (12) of samples at 10 s, the store closed, and what a
 * start needs: opening, the memory, and the samples of the last 5 min of each source.
 */
#include "base/alloc.h"
#include "base/os.h"
#include "storage/reader.h"
#include "storage/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOURCES = 1000, LIMITS = 4, MINUTE = 60000, HOUR = 3600000, DAY = 86400000 };
enum { SERIES = 3, SMALL_BYTES = 700, LARGE_BYTES = 8192, LARGE_EVERY = 20, TICK = 10000 };

static uint32_t ids[SOURCES];

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double wall_ms(void) { return (double)oc_clock_mono_ns() / 1e6; }

static uint64_t file_bytes(const char *path)
{
    uint64_t bytes = 0;

    (void)oc_file_size(path, &bytes);
    return bytes;
}

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "bench_forecasts: %s: %s\n", what, oc_err_text(rc));
    exit(1);
}

static oc_store *open_store(const char *path, int64_t now_boot_ms)
{
    struct oc_store_options options = { .path = path,
                                        .boot_id = "bench",
                                        .now_boot_ms = now_boot_ms,
                                        .now_unix_ms = 1700000000000 + now_boot_ms };
    struct oc_store_report report;
    struct oc_detail detail = { 0 };
    oc_store *store = NULL;

    must(oc_store_open(&options, &store, &report, &detail), detail.text);
    for (uint32_t i = 0; i < SOURCES; i++) {
        struct oc_proc_facts facts = { .id = { .pid = i + 1 }, .name = "made" };
        char subject[32];
        struct oc_source_info info = {
            .kind = OC_SOURCE_PROCESS, .subject = subject, .facts = &facts, .interval_ms = TICK
        };

        (void)snprintf(subject, sizeof subject, "proc:made%u", i);
        must(oc_store_source_begin(store, &info, &ids[i]), "begin");
    }
    must(oc_store_commit(store, OC_DURABLE_BATCH, now_boot_ms), "commit");
    return store;
}

/* ---- a day of forecasts ---- */

struct mood {
    const char *name;
    unsigned leaking_every; /* 0: none */
    int jumps;
};

static void fill_rows(const struct mood *mood, uint32_t source, int64_t t_ms,
                      struct oc_forecast_row *rows)
{
    int leaks = mood->leaking_every && source % mood->leaking_every == 0;
    double p50_s = 200000.0 + source * 37.0 - (double)t_ms / 1000.0;

    if (mood->jumps)
        p50_s *= 1.0 + (double)((t_ms / MINUTE + source) % 7);
    for (unsigned i = 0; i < LIMITS; i++)
        rows[i] = (struct oc_forecast_row){
            .limit = { .kind = (uint8_t)(i ? OC_LIMIT_CGROUP_MAX : 0), .value = 1u << 30 },
            .forecast = { .state = leaks ? OC_FORECAST_LEAKING : OC_FORECAST_FLAT,
                          .metric = OC_METRIC_PRIVATE,
                          .t_ms = t_ms,
                          .since_ms = t_ms / 2,
                          .samples = (uint64_t)(t_ms / TICK),
                          .value = 1e8 + (double)t_ms,
                          .limit = 1 << 30,
                          .growth_per_h = leaks ? 1234567.8 : 12.34,
                          .growth_error_per_h = 12345.6,
                          .chance = 0.9123,
                          .p10_s = leaks ? p50_s * 0.813 : INFINITY,
                          .p50_s = leaks ? p50_s : INFINITY,
                          .p90_s = leaks ? p50_s * 1.37 : INFINITY,
                          .saved_life_s = NAN }
        };
    for (unsigned i = 1; i < LIMITS; i++)
        (void)snprintf(rows[i].limit.where, 64, "/system.slice/made%u.service/%u", source, i);
}

static int count_row(const struct oc_forecast_span *span, void *context)
{
    (void)span;
    ++*(int *)context;
    return 0;
}

/* What all that run are said to meet, and a day of one of them. */
static void ask(oc_reader *reader)
{
    struct oc_forecast_filter now = { .source = OC_READER_ALL_SOURCES, .now_only = 1 };
    struct oc_forecast_filter one = { .source = ids[7], .until_unix_ms = INT64_MAX };
    int rows = 0, of_one = 0;
    double t0 = cpu_ms(), t1;

    must(oc_reader_forecasts(reader, &now, count_row, &rows), "now");
    t1 = cpu_ms();
    must(oc_reader_forecasts(reader, &one, count_row, &of_one), "one");
    printf("          asked: %d said now %.1f ms, %d of a source %.2f ms\n", rows, t1 - t0, of_one,
           cpu_ms() - t1);
}

static void say_a_day(const char *dir, const struct mood *mood)
{
    struct oc_forecast_row rows[LIMITS];
    char path[512];
    oc_store *store;
    double begin_ms;
    uint64_t before;
    int64_t says = 0;

    (void)snprintf(path, sizeof path, "%s/%s.db", dir, mood->name);
    store = open_store(path, 0);
    must(oc_store_close(store), "close");
    before = file_bytes(path);
    store = open_store(path, 0);
    begin_ms = cpu_ms();
    for (int64_t t_ms = MINUTE; t_ms <= DAY; t_ms += MINUTE) {
        for (uint32_t i = 0; i < SOURCES; i++, says += LIMITS) {
            fill_rows(mood, i, t_ms, rows);
            must(oc_store_forecasts(store, ids[i], rows, LIMITS), "forecasts");
        }
        must(oc_store_commit(store, OC_DURABLE_BATCH, t_ms), "commit");
    }
    must(oc_store_close(store), "close");
    {
        oc_reader *reader = NULL;
        struct oc_detail detail;
        struct oc_db_info info;
        double ms = cpu_ms() - begin_ms;
        double bytes = (double)(file_bytes(path) - before);

        must(oc_reader_open(path, &reader, &detail), "reader");
        must(oc_reader_info(reader, &info), "info");
        printf("%-9s %8.0f rows  %5.2f MB a day  %5.1f bytes a row  %5.0f ns a row said\n",
               mood->name, (double)info.forecasts, bytes / 1e6, bytes / (double)info.forecasts,
               ms * 1e6 / (double)says);
        ask(reader);
        oc_reader_close(reader);
    }
}

/* ---- memory ---- */

static int count_memory(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                        void *context)
{
    size_t *total = context;

    (void)name;
    (void)key;
    (void)bytes;
    *total += len_bytes;
    return 0;
}

/* Those of the sources whose turn it is in a second of the five minutes. */
static void save_second(oc_store *store, int second)
{
    static uint8_t blob[LARGE_BYTES];

    for (int i = second * SOURCES / 300; i < (second + 1) * SOURCES / 300; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "%u", ids[i]);
        for (int k = 0; k < SERIES; k++) {
            memset(blob, second + k, 64);
            must(oc_store_memory_put(store, OC_MEMORY_SERIES, name, (uint32_t)k, blob,
                                     i % LARGE_EVERY ? SMALL_BYTES : LARGE_BYTES),
                 "memory");
        }
    }
}

static void save_memory(oc_store *store, int64_t now_ms)
{
    double begin_ms = 0;
    struct oc_store_stats stats;

    for (int round = 0; round < 3; round++) {
        begin_ms = cpu_ms();
        for (int second = 0; second < 300; second++) {
            save_second(store, second);
            must(oc_store_commit(store, OC_DURABLE_BATCH, now_ms), "commit");
        }
    }
    begin_ms = cpu_ms() - begin_ms;
    oc_store_stats(store, &stats);
    printf("memory    %d series every 5 min: %.0f ms of CPU\n", SOURCES * SERIES, begin_ms);
}

/* ---- a start ---- */

static void append_hours(oc_store *store, int64_t until_ms)
{
    struct oc_tick tick;

    oc_tick_init(&tick);
    for (int64_t t_ms = TICK; t_ms <= until_ms; t_ms += TICK) {
        oc_tick_begin(&tick, t_ms);
        for (uint32_t i = 0; i < SOURCES; i++) {
            struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

            for (int bit = 1; bit <= 14; bit++)
                oc_sample_set(&sample, (enum oc_metric)bit,
                              (int64_t)i * 4096 + (t_ms / TICK / (bit + 1)) * 4096);
            oc_tick_put(&tick, ids[i], &sample);
        }
        must(oc_store_append(store, &tick), "append");
        must(oc_store_commit(store, OC_DURABLE_BATCH, t_ms), "commit");
        while (t_ms % HOUR == 0 &&
               oc_store_maintain(store, t_ms, 1700000000000 + t_ms, 1000000) == 1)
            ;
    }
    oc_tick_clear(&tick);
}

static int take(int64_t boot_ms, const struct oc_sample *sample, void *context)
{
    int64_t *sum = context;

    *sum += boot_ms + sample->values[OC_METRIC_PRIVATE];
    return 0;
}

static void start(const char *path, int64_t now_ms)
{
    double t0 = wall_ms(), t1, t2, t3;
    oc_store *store = open_store(path, now_ms);
    size_t memory_bytes = 0;
    int64_t sum = 0, samples = 0;

    t1 = wall_ms();
    must(oc_store_memory(store, OC_MEMORY_SERIES, count_memory, &memory_bytes), "memory");
    t2 = wall_ms();
    for (int i = 0; i < SOURCES; i++) {
        struct oc_since since = { .source = ids[i],
                                  .block = OC_BLOCK_PROCESS,
                                  .wanted = OC_METRIC_BIT(OC_METRIC_PRIVATE) |
                                            OC_METRIC_BIT(OC_METRIC_THREADS) |
                                            OC_METRIC_BIT(OC_METRIC_MAPPINGS),
                                  .boot_ms = now_ms - 5 * MINUTE };
        int rc = oc_store_samples_since(store, &since, take, &sum);

        must(rc, "since");
        samples += rc;
    }
    t3 = wall_ms();
    must(oc_store_close(store), "close");
    printf(
        "start     open %.0f ms, memory %.1f MB %.0f ms, %lld samples since %.0f ms; file %.0f MB"
        " (%lld)\n",
        t1 - t0, (double)memory_bytes / 1e6, t2 - t1, (long long)samples, t3 - t2,
        (double)file_bytes(path) / 1e6, (long long)sum % 10);
}

int main(int argc, char **argv)
{
    static const struct mood moods[] = {
        { "calm", 0, 0 }, { "twentieth", 20, 0 }, { "leaking", 1, 0 }, { "jumping", 1, 1 }
    };
    int64_t hours = argc > 2 ? strtoll(argv[2], NULL, 10) : 12;
    char path[512];
    oc_store *store;

    if (argc < 2)
        return 2;
    for (size_t i = 0; i < sizeof moods / sizeof *moods; i++)
        say_a_day(argv[1], &moods[i]);
    (void)snprintf(path, sizeof path, "%s/start.db", argv[1]);
    store = open_store(path, 0);
    append_hours(store, hours * HOUR);
    save_memory(store, hours * HOUR);
    must(oc_store_close(store), "close");
    start(path, hours * HOUR);
    return 0;
}
