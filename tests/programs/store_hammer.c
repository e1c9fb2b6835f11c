/*
 * store_hammer FILE FIRST_STEP SOURCES: appends ticks whose values a checker can make again
 * (tests/unit/storage/made.h) as fast as it can, and after each commit prints "STEP CHURN_SOURCE"
 * on standard output. Sources 1 … SOURCES stay; one more comes and goes every 23 steps. Source 1 is
 * walked at each step: a cell of STEP pages, and a module that changes every 10 steps. A forecast of
 * it is said at each step, and the step saved as the forecaster's memory and added to the record; an
 * alert changes, with a decision and a message. Runs until it is killed, or standard output is closed.
 */
#include "base/alloc.h"
#include "storage/store.h"

#include "../unit/storage/made.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UNIX_MS INT64_C(1700000000000) /* wall clock at boot time 0 */

static uint32_t begin(oc_store *store, uint32_t pid)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = pid }, .name = "made" };
    struct oc_source_info info = { .kind = OC_SOURCE_PROCESS,
                                   .subject = "proc:made",
                                   .begin_boot_ms = 1,
                                   .facts = &facts,
                                   .interval_ms = 1000 };
    uint32_t source = 0;

    if (oc_store_source_begin(store, &info, &source) < 0)
        exit(3);
    return source;
}

/* 0, or a code. One that the file has already is passed over. */
static int put_walk(oc_store *store, int64_t step)
{
    struct oc_region_total total = { .usage = OC_USAGE_HEAP,
                                     .type = OC_REGION_PRIVATE,
                                     .state = OC_REGION_COMMIT,
                                     .count = 1,
                                     .bytes = (uint64_t)step * 4096,
                                     .resident_bytes = OC_RESIDENT_UNKNOWN };
    struct oc_module module = { .base = 4096, .bytes = 4096 };
    char name[32];
    struct oc_census census = { .totals = &total,
                                .total_count = 1,
                                .modules = &module,
                                .module_count = 1,
                                .text = name,
                                .has_regions = 1,
                                .has_modules = 1 };
    struct oc_store_walk walk = { .boot_ms = step * 1000, .census = &census };

    census.text_bytes =
        (size_t)snprintf(name, sizeof name, "module %lld", (long long)step / 10) + 1;
    return oc_store_walk(store, 1, &walk);
}

static int put_forecast(oc_store *store, int64_t step)
{
    struct oc_forecast_row row = { .forecast = { .state = step % 2 ? OC_FORECAST_LEAKING
                                                                   : OC_FORECAST_GROWING,
                                                 .metric = OC_METRIC_PRIVATE,
                                                 .t_ms = step * 1000,
                                                 .samples = (uint64_t)step } };
    struct oc_accuracy more = { .judged = 1 };
    char text[24];
    int bytes = snprintf(text, sizeof text, "%lld", (long long)step);
    int rc = oc_store_forecasts(store, 1, &row, 1);

    if (rc == 0)
        rc = oc_store_memory_put(store, OC_MEMORY_SERIES, "1", 7, text, (size_t)bytes);
    return rc < 0 ? rc : oc_store_accuracy(store, 1, 7, 0, step * 1000, &more);
}

/* An episode of five steps, and what is decided and sent at each. */
static int put_alert(oc_store *store, int64_t step)
{
    struct oc_alert alert = { .episode = (uint64_t)step / 5 + 1,
                              .fingerprint = 1,
                              .state = step % 5 == 4 ? OC_ALERT_RESOLVED : OC_ALERT_FIRING,
                              .rule = "Made",
                              .subject = "proc:made",
                              .firing_unix_ms = UNIX_MS + step / 5 * 5,
                              .changed_unix_ms = UNIX_MS + step,
                              .value = (double)step };
    struct oc_alert_decision decision = { .t_unix_ms = UNIX_MS + step,
                                          .episode = alert.episode,
                                          .rule = alert.rule,
                                          .subject = alert.subject,
                                          .reason = "made" };
    char body[24];
    struct oc_outbox_row row = { .receiver = "ops", .made_unix_ms = UNIX_MS + step, .why = "", .body = body };
    int rc = oc_store_alert(store, &alert);

    row.body_bytes = (size_t)snprintf(body, sizeof body, "%lld", (long long)step);
    (void)snprintf(row.id, sizeof row.id, "msg_%010lld", (long long)step);
    if (rc == 0)
        rc = oc_store_alert_decision(store, &decision);
    return rc < 0 ? rc : oc_store_outbox(store, &row);
}

static void put_tick(struct oc_tick *tick, uint32_t sources, uint32_t churn, int64_t step,
                     int whole)
{
    struct oc_sample now, before;

    oc_tick_begin(tick, step * 1000);
    for (uint32_t s = 1; s <= sources; s++) {
        int same;

        made_sample(s, step, &now);
        made_sample(s, step - 1, &before);
        same = now.known == before.known;
        for (int bit = 1; bit <= 15; bit++)
            same &= now.values[bit] == before.values[bit];
        if (same && !whole)
            oc_tick_same(tick, s);
        else
            oc_tick_put(tick, s, &now);
    }
    made_sample(churn, step, &now);
    oc_tick_put(tick, churn, &now);
}

int main(int argc, char **argv)
{
    struct oc_store_options options = { .boot_id = "hammer", .now_boot_ms = 1, .seal_samples = 32 };
    oc_store *store = NULL;
    struct oc_store_report report;
    struct oc_detail detail;
    struct oc_tick tick;
    uint32_t sources, churn = 0;
    int64_t first;

    if (argc != 4)
        return 2;
    options.path = argv[1];
    first = strtoll(argv[2], NULL, 10);
    options.now_boot_ms = first * 1000;
    options.now_unix_ms = UNIX_MS + options.now_boot_ms;
    sources = (uint32_t)strtoul(argv[3], NULL, 10);
    if (oc_store_open(&options, &store, &report, &detail) < 0) {
        fprintf(stderr, "store_hammer: %s\n", detail.text);
        return 3;
    }
    for (uint32_t i = 1; i <= sources; i++)
        if (begin(store, i) != i)
            return 4;
    oc_tick_init(&tick);
    for (int64_t step = first;; step++) {
        char ack[64];
        int bytes;

        if (step == first || step % 23 == 0) {
            if (churn && oc_store_source_end(store, churn, step * 1000, OC_END_EXITED, 0) < 0)
                return 5;
            churn = begin(store, 100000 + (uint32_t)step);
        }
        put_tick(&tick, sources, churn, step, step == first);
        if (oc_store_append(store, &tick) < 0 || put_walk(store, step) < 0 ||
            put_forecast(store, step) < 0 || put_alert(store, step) < 0 ||
            oc_store_commit(store, OC_DURABLE_BATCH, step * 1000) < 0)
            return 6;
        bytes = snprintf(ack, sizeof ack, "%lld %u\n", (long long)step, churn);
        if (write(STDOUT_FILENO, ack, (size_t)bytes) != bytes)
            return 0;
        if (step % 7 == 0 &&
            oc_store_maintain(store, step * 1000, options.now_unix_ms + step * 1000, 2000) < 0)
            return 7;
    }
}
