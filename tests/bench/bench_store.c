/*
 * bench_store TRACE DIR SOURCES TICKS [INTERVAL_MS]: what keeping samples costs.
 *
 * TRACE: lines "t_ms name pid v1 … v18" (KiB and counts) of recorded processes; "-" makes figures
 * up. Each source replays one recorded series, to and fro, from a place of its own, 16 figures of
 * it. Prints bytes per value at rest and written, fsyncs per tick, CPU per process-sample.
 * With TRACE "-" and few ticks it is what tests/bench/count runs under callgrind.
 */
#include "base/os.h"
#include "storage/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FIGURES = 16, MAX_SERIES = 512, MAX_LENGTH = 4096, MIN_LENGTH = 300 };

static const struct {
    enum oc_metric metric;
    int64_t unit;
} columns[FIGURES] = {
    { OC_METRIC_VIRTUAL, 1024 },   { OC_METRIC_RSS, 1024 },      { OC_METRIC_PSS, 1024 },
    { OC_METRIC_USS, 1024 },       { OC_METRIC_RSS_ANON, 1024 }, { OC_METRIC_RSS_FILE, 1024 },
    { OC_METRIC_RSS_SHMEM, 1024 }, { OC_METRIC_SWAP, 1024 },     { OC_METRIC_RSS_PEAK, 1024 },
    { OC_METRIC_COMMIT, 1024 },    { OC_METRIC_PRIVATE, 1024 },  { OC_METRIC_PAGE_TABLE, 1024 },
    { OC_METRIC_THREADS, 1 },      { OC_METRIC_MAPPINGS, 1 },    { OC_METRIC_MODULES, 1 },
    { OC_METRIC_BRK_HEAP, 1024 },
};

static struct series {
    int pid, length;
    int64_t (*rows)[FIGURES];
} series[MAX_SERIES];
static int series_count, longest;

/* These stand before the C library's, for SQLite too. */
static long sync_count;
int fsync(int fd)
{
    sync_count++;
    return (int)syscall(SYS_fsync, fd);
}
int fdatasync(int fd)
{
    sync_count++;
    return (int)syscall(SYS_fdatasync, fd);
}

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static long long written_bytes(void)
{
    char line[128];
    long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");

    while (file && fgets(line, sizeof line, file))
        (void)sscanf(line, "wchar: %lld", &bytes);
    if (file)
        fclose(file);
    return bytes;
}

/* Resident anonymous memory now, KiB. */
static long anon_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        (void)sscanf(line, "RssAnon: %ld", &kib);
    if (file)
        fclose(file);
    return kib;
}

static struct series *series_of(int pid)
{
    for (int i = 0; i < series_count; i++)
        if (series[i].pid == pid)
            return &series[i];
    if (series_count == MAX_SERIES)
        return NULL;
    series[series_count].pid = pid;
    series[series_count].rows = calloc(MAX_LENGTH, sizeof *series->rows);
    return &series[series_count++];
}

static void load(const char *path)
{
    char line[1024], name[64];
    FILE *file = fopen(path, "r");
    long long t;
    int pid, at;

    while (file && fgets(line, sizeof line, file)) {
        struct series *s;
        char *text;

        if (sscanf(line, "%lld %63s %d%n", &t, name, &pid, &at) != 3)
            continue;
        s = series_of(pid);
        if (!s || s->length == MAX_LENGTH)
            continue;
        text = line + at;
        for (int i = 0; i < FIGURES; i++)
            s->rows[s->length][i] = strtoll(text, &text, 10) * columns[i].unit;
        s->length++;
        longest = s->length > longest ? s->length : longest;
    }
    if (file)
        fclose(file);
}

/* Figures that move as those of real processes do, for runs without a trace. */
static void make_up(void)
{
    uint64_t state = 1;

    for (int n = 0; n < 12; n++) {
        struct series *s = series_of(n + 1);

        s->length = longest = 1800;
        for (int t = 0; t < s->length; t++)
            for (int i = 0; i < FIGURES; i++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                s->rows[t][i] = t ? s->rows[t - 1][i] : columns[i].unit * (1000 + 64 * i * n);
                if (n >= 6 && (state >> 33) % 16 == 0)
                    s->rows[t][i] += columns[i].unit * 4 * (int64_t)((state >> 40) % 50);
            }
    }
}

/* Leaves the short-lived out. */
static void choose(void)
{
    int kept = 0;

    for (int i = 0; i < series_count; i++)
        if (series[i].length > MIN_LENGTH && series[i].length > longest * 4 / 5)
            series[kept++] = series[i];
    series_count = kept;
}

static const int64_t *row_of(int source, long tick)
{
    const struct series *s = &series[source % series_count];
    long period = 2 * s->length - 2, at = (tick + (long)source * 37) % period;

    return s->rows[at < s->length ? at : period - at];
}

static void put(struct oc_tick *tick, int source, uint32_t id, long t)
{
    const int64_t *now = row_of(source, t), *before = row_of(source, t - 1);
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    if (t > 1 && memcmp(now, before, FIGURES * sizeof *now) == 0) {
        oc_tick_same(tick, id);
        return;
    }
    for (int i = 0; i < FIGURES; i++)
        oc_sample_set(&sample, columns[i].metric, now[i]);
    oc_tick_put(tick, id, &sample);
}

static uint32_t begin(oc_store *store, int source)
{
    struct oc_proc_facts facts = { .id = { .pid = (uint32_t)source + 1 }, .name = "replayed" };
    struct oc_source_info info = {
        .kind = OC_SOURCE_PROCESS, .subject = "proc:replayed", .facts = &facts, .interval_ms = 1000
    };
    uint32_t id = 0;

    if (oc_store_source_begin(store, &info, &id) < 0)
        exit(1);
    return id;
}

static double number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    double value = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void print_file(const char *path, double values, uint64_t file_bytes)
{
    sqlite3 *db = NULL;
    double sealed, tiers;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return;
    sealed = number(db, "SELECT sum(n) FROM raw") * FIGURES;
    tiers = number(db, "SELECT ifnull(sum(length(data) + length(summary)), 0) FROM minute") +
            number(db, "SELECT ifnull(sum(length(data) + length(summary)), 0) FROM hour");
    printf(
        "at rest: chunks %.4f B/value (data %.4f, summaries %.4f), their pages %.4f; tiers %.4f; "
        "journal %.4f B per value in it, %.0f rows; file %.4f B/value (%.0f free pages)\n",
        number(db, "SELECT sum(length(data) + length(summary)) FROM raw") / sealed,
        number(db, "SELECT sum(length(data)) FROM raw") / sealed,
        number(db, "SELECT sum(length(summary)) FROM raw") / sealed,
        number(db, "SELECT sum(pgsize) FROM dbstat WHERE name = 'raw'") / sealed, tiers / values,
        number(db, "SELECT sum(length(data)) FROM journal") / (values - sealed + 1),
        number(db, "SELECT count(*) FROM journal"), (double)file_bytes / values,
        number(db, "PRAGMA freelist_count"));
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    struct oc_store_options options = { .boot_id = "bench", .now_unix_ms = 1700000000000 };
    struct oc_store_report report;
    struct oc_store_stats stats;
    struct oc_detail detail;
    struct oc_tick tick;
    oc_store *store = NULL;
    char path[1024];
    int sources;
    long ticks, interval_ms, syncs;
    double append_us = 0, commit_us = 0, maintain_us = 0, worst_us = 0, before;
    long long wrote;
    long rss_kib;

    if (argc < 5) {
        fprintf(stderr, "usage: bench_store TRACE|- DIR SOURCES TICKS [INTERVAL_MS]\n");
        return 2;
    }
    if (strcmp(argv[1], "-") == 0)
        make_up();
    else
        load(argv[1]);
    choose();
    sources = atoi(argv[3]);
    ticks = atol(argv[4]);
    interval_ms = argc > 5 ? atol(argv[5]) : 1000;
    snprintf(path, sizeof path, "%s/bench.db", argv[2]);
    options.path = path;
    rss_kib = anon_kib();
    if (series_count == 0 || sources < 1 || oc_file_exists(path) ||
        oc_store_open(&options, &store, &report, &detail) < 0)
        return 1;
    for (int s = 0; s < sources; s++)
        (void)begin(store, s); /* ids ascend from 1 */
    (void)oc_store_commit(store, OC_DURABLE_BATCH, 0);
    oc_tick_init(&tick);
    wrote = written_bytes();
    sync_count = 0;
    for (long t = 1; t <= ticks; t++) {
        double at[4];

        oc_tick_begin(&tick, t * interval_ms);
        for (int s = 0; s < sources; s++)
            put(&tick, s, (uint32_t)s + 1, t);
        at[0] = cpu_us();
        if (oc_store_append(store, &tick) < 0)
            return 1;
        at[1] = cpu_us();
        if (oc_store_commit(store, OC_DURABLE_BATCH, t * interval_ms) < 0)
            return 1;
        at[2] = cpu_us();
        if (oc_store_maintain(store, t * interval_ms, options.now_unix_ms + t * interval_ms, 2000) <
            0)
            return 1;
        at[3] = cpu_us();
        append_us += at[1] - at[0];
        commit_us += at[2] - at[1];
        maintain_us += at[3] - at[2];
        worst_us = at[3] - at[0] > worst_us ? at[3] - at[0] : worst_us;
    }
    syncs = sync_count;
    oc_store_stats(store, &stats);
    rss_kib = anon_kib() - rss_kib;
    before = cpu_us();
    if (oc_store_close(store) < 0)
        return 1;
    commit_us += cpu_us() - before;
    wrote = written_bytes() - wrote;
    printf(
        "%d series, %d sources, %ld ticks: %.3f us/process-sample (append %.3f, commit %.3f, "
        "maintain "
        "%.3f), worst tick %.1f ms; written %.2f B/value; %.3f fsyncs/tick; open %.0f KiB, memory %ld "
        "KiB\n",
        series_count, sources, ticks, (append_us + commit_us + maintain_us) / (double)stats.samples,
        append_us / (double)stats.samples, commit_us / (double)stats.samples,
        maintain_us / (double)stats.samples, worst_us / 1e3, (double)wrote / (double)stats.values,
        (double)syncs / (double)ticks, (double)stats.open_bytes / 1024, rss_kib);
    {
        uint64_t file_bytes = 0;

        (void)oc_file_size(path, &file_bytes);
        print_file(path, (double)stats.values, file_bytes);
    }
    oc_tick_clear(&tick);
    for (int i = 0; i < series_count; i++)
        free(series[i].rows);
    return 0;
}
