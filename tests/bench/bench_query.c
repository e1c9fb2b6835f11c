/*
 * bench_query [FOLDER]: a year of one process at 10 s (3,153,600 samples of 15 figures), asked for
 * min, max and mean of one figure in 1000 points: from the upper tiers (goal: 5 ms of CPU) and
 * exactly from the chunks (goal: 60 ms). The store is filled through its own interface with a
 * made clock, which takes some seconds. Then a writer commits fifty times a second, alone and
 * beside such questions: none may delay it by more than 50 ms.
 */
#include "base/os.h"
#include "storage/reader.h"
#include "storage/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 10000, SAMPLES = 3153600, BATCH = 360, POINTS = 1000, ROUNDS = 9, COMMITS = 200 };
#define UNIX_MS INT64_C(1700000000000)
#define YEAR_MS ((int64_t)SAMPLES * TICK_MS)

static void must(int rc, const char *what)
{
    if (rc < 0) {
        (void)fprintf(stderr, "%s: %s\n", what, oc_err_text(rc));
        exit(1);
    }
}

static uint64_t dice(uint64_t n)
{
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
    return n ^ (n >> 31);
}

/* A server that breathes: a slow leak, a daily wave, noise in the pages. */
static void make_sample(int64_t i, struct oc_sample *out_sample)
{
    int64_t noise = (int64_t)(dice((uint64_t)i) % 64);
    int64_t day = i % 8640, wave = day < 4320 ? day : 8640 - day;

    out_sample->block = OC_BLOCK_PROCESS;
    out_sample->known = 0;
    for (int bit = 1; bit <= 15; bit++) {
        int64_t pages = bit * 10000 + i / 2000;

        if (bit <= 5)
            pages += wave + noise;
        oc_sample_set(out_sample, (enum oc_metric)bit, pages * 4096);
    }
}

static int64_t value_at(int64_t i)
{
    struct oc_sample sample;

    make_sample(i, &sample);
    return oc_sample_get(&sample, OC_METRIC_RSS);
}

static uint32_t begin_source(oc_store *store)
{
    struct oc_proc_facts facts = { .id = { .pid = 42, .start_ticks = 1 }, .name = "year" };
    uint32_t source = 0;

    must(oc_store_source_begin(store,
                               &(struct oc_source_info){ .kind = OC_SOURCE_PROCESS,
                                                         .subject = "proc:year",
                                                         .facts = &facts,
                                                         .interval_ms = TICK_MS },
                               &source),
         "begin");
    return source;
}

static void maintain(oc_store *store, int64_t now_ms)
{
    for (int i = 0; i < 1000; i++) {
        int more = oc_store_maintain(store, now_ms, UNIX_MS + now_ms, 1000000);

        must(more, "maintain");
        if (!more)
            return;
    }
}

static oc_store *open_store(const char *path)
{
    struct oc_store_options options = { .path = path,
                                        .boot_id = "bench",
                                        .now_unix_ms = UNIX_MS,
                                        .max_file_bytes = UINT64_C(8) << 30,
                                        .raw_keep_ms = 2 * YEAR_MS,
                                        .minute_keep_ms = 2 * YEAR_MS,
                                        .hour_keep_ms = 2 * YEAR_MS };
    struct oc_store_report report;
    struct oc_detail detail = { 0 };
    oc_store *store = NULL;

    must(oc_store_open(&options, &store, &report, &detail), "open");
    return store;
}

static void append(oc_store *store, struct oc_tick *tick, uint32_t source, int64_t i)
{
    struct oc_sample sample;

    make_sample(i, &sample);
    oc_tick_begin(tick, i * TICK_MS);
    oc_tick_put(tick, source, &sample);
    must(oc_store_append(store, tick), "append");
}

static uint32_t fill(const char *path)
{
    oc_store *store = open_store(path);
    struct oc_tick tick;
    uint32_t source;

    source = begin_source(store);
    oc_tick_init(&tick);
    for (int64_t i = 0; i < SAMPLES; i++) {
        append(store, &tick, source, i);
        if ((i + 1) % BATCH == 0) {
            must(oc_store_commit(store, OC_DURABLE_BATCH, i * TICK_MS), "commit");
            maintain(store, i * TICK_MS);
        }
    }
    oc_tick_clear(&tick);
    must(oc_store_close(store), "close");
    return source;
}

/* ---- asking ---- */

struct answer {
    int64_t points, first_step_ms;
    uint64_t samples;
    int wrong;
};

static int take_point(const struct oc_point *point, void *context)
{
    struct answer *answer = context;

    answer->points++;
    answer->samples += point->count;
    return 0;
}

/* A few points of the exact answer against the values themselves. */
static int check_point(const struct oc_point *point, void *context)
{
    struct answer *answer = context;
    int64_t step_ms = YEAR_MS / POINTS, min = INT64_MAX, max = INT64_MIN;
    int64_t at = (point->t_unix_ms - UNIX_MS + TICK_MS - 1) / TICK_MS;

    if (answer->points++ % 100 != 7)
        return 0;
    for (; at * TICK_MS < point->t_unix_ms - UNIX_MS + step_ms; at++) {
        int64_t value = value_at(at);

        min = value < min ? value : min;
        max = value > max ? value : max;
    }
    answer->wrong += point->min != min || point->max != max;
    return 0;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double ask(oc_reader *reader, uint32_t source, enum oc_precision precision, oc_point_fn *fn,
                  struct answer *answer)
{
    const struct oc_range range = { .since_unix_ms = UNIX_MS,
                                    .until_unix_ms = UNIX_MS + YEAR_MS,
                                    .step_ms = YEAR_MS / POINTS,
                                    .metric = OC_METRIC_RSS,
                                    .precision = precision };
    int64_t begin_ns = oc_clock_thread_cpu_ns();

    *answer = (struct answer){ 0 };
    must(oc_reader_range(reader, source, &range, fn, answer), "range");
    return (double)(oc_clock_thread_cpu_ns() - begin_ns) / 1e6;
}

static double measure(oc_reader *reader, uint32_t source, enum oc_precision precision,
                      const char *name, double goal_ms)
{
    double ms[ROUNDS], first_ms;
    struct answer answer;

    first_ms = ask(reader, source, precision, take_point, &answer);
    for (int i = 0; i < ROUNDS; i++)
        ms[i] = ask(reader, source, precision, take_point, &answer);
    qsort(ms, ROUNDS, sizeof *ms, by_size);
    (void)printf(
        "%-24s median %7.2f ms of CPU (first %7.2f, goal %3.0f)  %lld points, %llu samples\n", name,
        ms[ROUNDS / 2], first_ms, goal_ms, (long long)answer.points,
        (unsigned long long)answer.samples);
    return ms[ROUNDS / 2];
}

/* ---- a writer beside the questions ---- */

struct asking {
    const char *path;
    uint32_t source;
    atomic_int stop;
    int questions;
};

static void *keep_asking(void *context)
{
    struct asking *asking = context;
    oc_reader *reader = NULL;
    struct answer answer;

    must(oc_reader_open(asking->path, &reader, NULL), "open beside the writer");
    while (!atomic_load(&asking->stop)) {
        (void)ask(reader, asking->source, OC_PRECISE_EXACT, take_point, &answer);
        asking->questions++;
    }
    oc_reader_close(reader);
    return NULL;
}

/* The longest of so many commits, some time apart, in ms. */
static double worst_commit(oc_store *store, uint32_t source, int64_t first)
{
    const struct timespec pause = { .tv_nsec = 20000000 };
    int64_t worst_ns = 0;
    struct oc_tick tick;

    oc_tick_init(&tick);
    for (int64_t i = first; i < first + COMMITS; i++) {
        int64_t begin_ns;

        (void)nanosleep(&pause, NULL);
        begin_ns = oc_clock_mono_ns();
        append(store, &tick, source, i);
        must(oc_store_commit(store, OC_DURABLE_BATCH, first * TICK_MS), "commit");
        if (oc_clock_mono_ns() - begin_ns > worst_ns)
            worst_ns = oc_clock_mono_ns() - begin_ns;
    }
    oc_tick_clear(&tick);
    return (double)worst_ns / 1e6;
}

static void measure_writer(const char *path)
{
    oc_store *store = open_store(path);
    uint32_t source = begin_source(store);
    struct asking asking = { .path = path, .source = source };
    pthread_t thread;
    double alone_ms = worst_commit(store, source, SAMPLES), beside_ms;

    must(pthread_create(&thread, NULL, keep_asking, &asking) ? OC_E_NOMEM : 0, "thread");
    beside_ms = worst_commit(store, source, SAMPLES + COMMITS);
    atomic_store(&asking.stop, 1);
    (void)pthread_join(thread, NULL);
    (void)printf(
        "longest of %d commits: %.2f ms alone, %.2f ms beside %d exact questions (goal: at "
        "most 50 more)\n",
        COMMITS, alone_ms, beside_ms, asking.questions);
    must(oc_store_close(store), "close");
}

static void print_store(oc_reader *reader)
{
    struct oc_db_info info;

    must(oc_reader_info(reader, &info), "info");
    (void)printf(
        "store: %.1f MB, %llu raw, %llu minute, %llu hour chunks, %.3f bytes a raw value\n",
        (double)info.file_bytes / 1e6, (unsigned long long)info.raw_chunks,
        (unsigned long long)info.minute_chunks, (unsigned long long)info.hour_chunks,
        (double)info.raw_bytes / (double)(info.raw_values ? info.raw_values : 1));
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "/tmp";
    char path[512];
    struct oc_detail detail = { 0 };
    struct answer answer;
    oc_reader *reader = NULL;
    uint32_t source;
    double tiers_ms, exact_ms;

    (void)snprintf(path, sizeof path, "%s/oomcast-bench-query.db", folder);
    (void)remove(path);
    source = fill(path);
    must(oc_reader_open(path, &reader, &detail), detail.text);
    print_store(reader);
    tiers_ms = measure(reader, source, OC_PRECISE_AUTO, "upper tiers", 5);
    exact_ms = measure(reader, source, OC_PRECISE_EXACT, "exact from chunks", 60);
    (void)ask(reader, source, OC_PRECISE_EXACT, check_point, &answer);
    (void)printf("exact points checked against the values: %s\n", answer.wrong ? "WRONG" : "right");
    oc_reader_close(reader);
    measure_writer(path);
    (void)remove(path);
    return answer.wrong || tiers_ms > 5 || exact_ms > 60;
}
