/*
 * bench_alerts FOLDER: what keeping alerts costs, and what gathering evidence for their text does.
 *
 * Alerts: 2,000 episodes, each change with a decision and two messages of 2 KiB in a commit of its
 * own that survives a power cut; then all in one commit, and read back at a start. Evidence: 1,000
 * processes at 10 s for two hours, of which a third changes nothing, with a walk each ten minutes;
 * 200 of them are of one subject.
 */
#include "base/alloc.h"
#include "base/os.h"
#include "storage/reader.h"
#include "storage/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EPISODES = 2000, BODY_BYTES = 2048, MESSAGES = 2 };
enum { PROCESSES = 1000, SHARED = 200, TICKS = 720, TICK_MS = 10000, WALK_TICKS = 60, ROUNDS = 5 };
enum { CELLS = 10, FAMILIES = 40, FIGURES = 14 };
#define UNIX_MS INT64_C(1700000000000)

static uint64_t state = 1;

static unsigned chance(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void must(int rc, const char *what)
{
    if (rc < 0) {
        (void)fprintf(stderr, "%s: %s\n", what, oc_err_text(rc));
        exit(1);
    }
}

static oc_store *open_store(const char *path, int64_t now_boot_ms)
{
    struct oc_store_options options = { .path = path,
                                        .boot_id = "bench",
                                        .now_boot_ms = now_boot_ms,
                                        .now_unix_ms = UNIX_MS + now_boot_ms };
    oc_store *store = NULL;
    struct oc_store_report report;
    struct oc_detail detail = { 0 };

    must(oc_store_open(&options, &store, &report, &detail), "open");
    return store;
}

/* ---- alerts ---- */

static void put_change(oc_store *store, unsigned n, unsigned to)
{
    static char body[BODY_BYTES];
    struct oc_alert alert = { .episode = n + 1,
                              .fingerprint = n * UINT64_C(0x9e3779b97f4a7c15),
                              .state = (uint8_t)to,
                              .kind = OC_RULE_FORECAST,
                              .severity = OC_SEVERITY_WARN,
                              .rule = "MemoryLimitForecast",
                              .why = "private bytes will meet memory.max of /a/b in 3 h",
                              .firing_unix_ms = UNIX_MS + n,
                              .changed_unix_ms = UNIX_MS + n };
    struct oc_alert_decision decision = { .t_unix_ms = UNIX_MS + n,
                                          .episode = alert.episode,
                                          .fingerprint = alert.fingerprint,
                                          .to = (uint8_t)to,
                                          .rule = alert.rule,
                                          .subject = alert.subject,
                                          .reason = "P(limit in 24 h) 0.63 >= 0.5 for 2 min" };
    struct oc_outbox_row row = { .receiver = "ops",
                                 .made_unix_ms = UNIX_MS,
                                 .why = "",
                                 .body = body,
                                 .body_bytes = BODY_BYTES };

    memset(body, 'x', sizeof body);
    (void)snprintf(alert.subject, sizeof alert.subject, "proc:made-%u", n);
    must(oc_store_alert(store, &alert), "alert");
    must(oc_store_alert_decision(store, &decision), "decision");
    for (unsigned i = 0; i < MESSAGES; i++) {
        (void)snprintf(row.id, sizeof row.id, "msg_%010u%u%u", n, to, i);
        must(oc_store_outbox(store, &row), "outbox");
    }
}

static int count_alert(const struct oc_alert *alert, void *context)
{
    *(uint64_t *)context += alert->episode > 0;
    return 0;
}

static int count_message(const struct oc_outbox_row *row, void *context)
{
    *(uint64_t *)context += row->body_bytes > 0;
    return 0;
}

static void bench_alerts(const char *path)
{
    oc_store *store = open_store(path, 0);
    uint64_t bytes = 0, count = 0;
    double begin = cpu_ms(), middle, end;

    for (unsigned n = 0; n < EPISODES; n++) {
        put_change(store, n, OC_ALERT_PENDING);
        must(oc_store_commit(store, OC_DURABLE_NOW, n), "commit");
    }
    middle = cpu_ms();
    for (unsigned n = 0; n < EPISODES; n++)
        put_change(store, n, OC_ALERT_FIRING);
    must(oc_store_commit(store, OC_DURABLE_NOW, EPISODES), "commit");
    end = cpu_ms();
    must(oc_store_close(store), "close");
    (void)oc_file_size(path, &bytes);
    printf("a change with %d messages: %.3f ms of CPU in a commit of its own, %.3f ms with %d "
           "others; %.1f KB in the file\n",
           MESSAGES, (middle - begin) / EPISODES, (end - middle) / EPISODES, EPISODES,
           (double)bytes / 1e3 / EPISODES / 2);
    store = open_store(path, EPISODES);
    begin = cpu_ms();
    must(oc_store_alerts(store, count_alert, &count), "alerts");
    must(oc_store_outbox_open(store, count_message, &count), "outbox");
    printf("%llu rows read at the start: %.1f ms\n", (unsigned long long)count, cpu_ms() - begin);
    must(oc_store_close(store), "close");
}

/* ---- evidence ---- */

static uint32_t begin(oc_store *store, enum oc_source_kind kind, const char *subject, uint32_t pid)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = 1 },
                                   .name = "made",
                                   .cgroup = "/a/b" };
    struct oc_source_info info = {
        .kind = kind, .subject = subject, .facts = pid ? &facts : NULL, .interval_ms = TICK_MS
    };
    uint32_t source = 0;

    must(oc_store_source_begin(store, &info, &source), "begin");
    return source;
}

static void put_sample(struct oc_tick *tick, uint32_t source, enum oc_block block, int64_t n)
{
    struct oc_sample sample = { .block = (uint8_t)block };

    for (int bit = 1; bit <= FIGURES; bit++)
        oc_sample_set(&sample, (enum oc_metric)OC_METRIC_NUMBER((unsigned)block, (unsigned)bit),
                      4096 * (bit * 1000 + n + source));
    oc_tick_put(tick, source, &sample);
}

static void put_walk(oc_store *store, uint32_t source, int64_t boot_ms, unsigned n)
{
    static char text[FAMILIES * 16];
    struct oc_region_total totals[CELLS];
    struct oc_family families[FAMILIES];
    struct oc_census census = { .totals = totals,
                                .total_count = CELLS,
                                .families = families,
                                .family_count = FAMILIES,
                                .text = text,
                                .text_bytes = sizeof text,
                                .has_regions = 1,
                                .has_families = 15 };
    struct oc_store_walk walk = { .boot_ms = boot_ms, .census = &census };

    for (unsigned i = 0; i < CELLS; i++)
        totals[i] = (struct oc_region_total){ .usage = (uint8_t)(i + 1),
                                              .type = OC_REGION_PRIVATE,
                                              .state = OC_REGION_COMMIT,
                                              .count = n + i,
                                              .bytes = 4096 * (n + i),
                                              .largest_bytes = 4096,
                                              .resident_bytes = OC_RESIDENT_UNKNOWN };
    for (unsigned i = 0; i < FAMILIES; i++) {
        (void)snprintf(text + i * 16, 16, "family-%u", i);
        families[i] = (struct oc_family){ .kind = (uint8_t)(i * 4 / FAMILIES),
                                          .count = i % 3 ? i : n,
                                          .distinct = 1,
                                          .bytes = 4096,
                                          .name = i * 16,
                                          .example = i * 16 };
    }
    must(oc_store_walk(store, source, &walk), "walk");
}

static void fill(oc_store *store, uint32_t *sources)
{
    uint32_t cgroup = begin(store, OC_SOURCE_CGROUP, "cgroup:/a/b", 0);
    uint32_t host = begin(store, OC_SOURCE_HOST, "host", 0);
    struct oc_tick tick;

    oc_tick_init(&tick);
    for (int n = 0; n < TICKS; n++) {
        int64_t now_ms = (int64_t)n * TICK_MS;

        oc_tick_begin(&tick, now_ms);
        put_sample(&tick, cgroup, OC_BLOCK_CGROUP, n);
        put_sample(&tick, host, OC_BLOCK_HOST, n);
        for (int i = 0; i < PROCESSES; i++) {
            if (n && chance(3) == 0)
                oc_tick_same(&tick, sources[i]);
            else
                put_sample(&tick, sources[i], OC_BLOCK_PROCESS, n);
            if (n % WALK_TICKS == WALK_TICKS - 1)
                put_walk(store, sources[i], now_ms, (unsigned)n);
        }
        must(oc_store_append(store, &tick), "append");
        must(oc_store_commit(store, OC_DURABLE_BATCH, now_ms), "commit");
        while (oc_store_maintain(store, now_ms, UNIX_MS + now_ms, 20000) == 1)
            ;
    }
    oc_tick_clear(&tick);
}

static void bench_question(oc_reader *reader, const char *what,
                           const struct oc_evidence_query *query)
{
    struct oc_evidence *evidence = oc_calloc(1, sizeof *evidence);
    double best_ms = 1e9;

    for (int i = 0; i < ROUNDS && evidence; i++) {
        double begin_ms = cpu_ms(), took_ms;

        must(oc_reader_evidence(reader, query, evidence), "evidence");
        took_ms = cpu_ms() - begin_ms;
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    printf("evidence of %s: %.1f ms\n", what, best_ms);
    oc_free(evidence);
}

static void bench_evidence(const char *path)
{
    static uint32_t sources[PROCESSES];
    oc_store *store = open_store(path, 0);
    oc_reader *reader = NULL;
    struct oc_detail detail = { 0 };

    for (int i = 0; i < PROCESSES; i++) {
        char subject[32];

        (void)snprintf(subject, sizeof subject, "proc:made-%d", i < SHARED ? 0 : i);
        sources[i] = begin(store, OC_SOURCE_PROCESS, subject, (uint32_t)i + 100);
    }
    fill(store, sources);
    must(oc_reader_open(path, &reader, &detail), "reader");
    bench_question(reader, "a process over two hours",
                   &(struct oc_evidence_query){ .source = sources[PROCESSES / 2],
                                                .until_unix_ms = INT64_MAX });
    bench_question(
        reader, "a process over ten minutes",
        &(struct oc_evidence_query){ .subject = "made-900",
                                     .since_unix_ms = UNIX_MS + (TICKS - 60) * (int64_t)TICK_MS,
                                     .until_unix_ms = INT64_MAX });
    bench_question(reader, "a subject of 200 processes",
                   &(struct oc_evidence_query){ .subject = "made-0", .until_unix_ms = INT64_MAX });
    oc_reader_close(reader);
    must(oc_store_close(store), "close");
}

int main(int argc, char **argv)
{
    char path[512];

    if (argc != 2) {
        (void)fprintf(stderr, "usage: bench_alerts FOLDER\n");
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/alerts.db", argv[1]);
    bench_alerts(path);
    (void)snprintf(path, sizeof path, "%s/evidence.db", argv[1]);
    bench_evidence(path);
    return 0;
}
