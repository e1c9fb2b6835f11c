/* A disk that is full, memory that is short: nothing breaks, what can be kept is kept. */
#include "held.h"
#include "made.h"

#include "base/alloc.h"
#include "storage/store.h"
#include "storage/write/store_impl.h" /* to make the file full without a full disk */
#include "tests/support/disk.h"
#include "tests/support/folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES = 30, MAX_STEPS = 4000 };

static char dir[128], path[160];
static struct oc_store_options options;
static oc_store *store;
static struct oc_tick tick;

static void setup(void)
{
    ck_assert_int_eq(make_folder("oomcast-full", dir, sizeof dir), 0);
    snprintf(path, sizeof path, "%s/oomcast.db", dir);
    options = (struct oc_store_options){
        .path = path, .boot_id = "boot", .now_unix_ms = 1700000000000, .seal_samples = 50
    };
    oc_tick_init(&tick);
}

static void teardown(void)
{
    oc_tick_clear(&tick);
    ck_assert_int_eq(remove_folder(dir), 0);
}

static int open_store(void)
{
    struct oc_store_report report;
    struct oc_detail detail;

    return oc_store_open(&options, &store, &report, &detail);
}

static int begin_sources(void)
{
    for (uint32_t i = 1; i <= SOURCES; i++) {
        struct oc_proc_facts facts = { .id = { .pid = i }, .name = "made" };
        struct oc_source_info info = {
            .kind = OC_SOURCE_PROCESS, .subject = "proc:made", .facts = &facts, .interval_ms = 1000
        };
        uint32_t source = 0;
        int rc = oc_store_source_begin(store, &info, &source);

        if (rc < 0)
            return rc;
        ck_assert_uint_eq(source, i);
    }
    return 0;
}

/* A walk whose figures a checker can make again. */
static int walk_step(uint32_t source, int64_t step)
{
    struct oc_region_total total = { .usage = OC_USAGE_HEAP,
                                     .type = OC_REGION_PRIVATE,
                                     .state = OC_REGION_COMMIT,
                                     .count = 1,
                                     .bytes = (uint64_t)step * 4096,
                                     .resident_bytes = OC_RESIDENT_UNKNOWN };
    char names[] = "worker-*\0/lib/a.so\0/tmp/new-000.so";
    struct oc_family family = {
        .kind = OC_FAMILY_THREAD, .flags = OC_FAMILY_FOLDED, .count = (uint32_t)step, .distinct = 1
    };
    struct oc_module modules[2] = { { .base = 4096, .bytes = 4096, .name = 9 },
                                    { .base = 8192, .bytes = 4096, .name = 19 } };
    struct oc_census census = { .totals = &total,
                                .total_count = 1,
                                .families = &family,
                                .family_count = 1,
                                .modules = modules,
                                .module_count = 2,
                                .text = names,
                                .text_bytes = sizeof names,
                                .has_regions = 1,
                                .has_modules = 1,
                                .has_families = 1u << OC_FAMILY_THREAD };
    struct oc_store_walk walk = { .boot_ms = step * 1000, .census = &census };

    (void)snprintf(names + 19, sizeof names - 19, "/tmp/new-%03d.so", (int)(step % 1000));
    return oc_store_walk(store, source, &walk);
}

static int limits_step(uint32_t source, int64_t step)
{
    struct oc_limit limit = { .kind = OC_LIMIT_CGROUP_MAX,
                              .metric = OC_METRIC_CGROUP_CHARGE,
                              .value = (uint64_t)step / 10,
                              .where = "/a" };
    const char *const labels[] = { "env", "prod", NULL };
    int rc = oc_store_limits(store, source, step * 1000, &limit, 1);

    return rc < 0 ? rc : oc_store_subject_labels(store, source, labels);
}

/* A row with each step, the step as memory, and a record of one. */
static int forecast_step(uint32_t source, int64_t step)
{
    struct oc_forecast_row row = { .limit = { .kind = OC_LIMIT_CGROUP_MAX, .where = "/a" },
                                   .forecast = { .state = step % 2 ? OC_FORECAST_LEAKING
                                                                   : OC_FORECAST_GROWING,
                                                 .metric = OC_METRIC_PRIVATE,
                                                 .t_ms = step * 1000,
                                                 .samples = (uint64_t)step,
                                                 .p50_s = 1e6 } };
    struct oc_accuracy more = { .judged = 1, .watched_s = 0.5 };
    char name[16];
    int rc = oc_store_forecasts(store, source, &row, 1);

    (void)snprintf(name, sizeof name, "%u", source);
    if (rc == 0)
        rc = oc_store_memory_put(store, OC_MEMORY_SERIES, name, 7, &step, sizeof step);
    if (rc == 0)
        rc = oc_store_memory_put(store, OC_MEMORY_SUBJECT, "proc:made", 7, &row, sizeof row);
    return rc < 0 ? rc : oc_store_accuracy(store, source, 7, 1, step * 1000, &more);
}

/* An episode that changes with each step, what was decided of it, a message and a silence. */
static int alert_step(int64_t step)
{
    struct oc_alert alert = { .episode = (uint64_t)step / 10 + 1,
                              .fingerprint = 5,
                              .state = step % 10 == 9 ? OC_ALERT_RESOLVED : OC_ALERT_FIRING,
                              .rule = "Rule",
                              .subject = "proc:made",
                              .firing_unix_ms = step,
                              .changed_unix_ms = step,
                              .value = (double)step };
    struct oc_alert_decision decision = { .t_unix_ms = step,
                                          .episode = alert.episode,
                                          .rule = alert.rule,
                                          .subject = alert.subject,
                                          .reason = "a reason" };
    struct oc_outbox_row row = {
        .receiver = "ops", .made_unix_ms = step, .why = "", .body = "{}", .body_bytes = 2
    };
    struct oc_silence silence = { .id = 3,
                                  .end_unix_ms = step,
                                  .matcher_count = 1,
                                  .matchers = { { .name = "subject", .glob = "*" } } };
    int rc = oc_store_alert(store, &alert);

    (void)snprintf(row.id, sizeof row.id, "msg_%08d", (int)step);
    if (rc == 0)
        rc = oc_store_alert_decision(store, &decision);
    if (rc == 0)
        rc = oc_store_outbox(store, &row);
    return rc < 0 ? rc : oc_store_silence(store, &silence);
}

static int append_step(int64_t step)
{
    struct oc_sample sample;

    oc_tick_begin(&tick, step * 1000);
    for (uint32_t s = 1; s <= SOURCES; s++) {
        made_sample(s, step, &sample);
        oc_tick_put(&tick, s, &sample);
    }
    return oc_store_append(store, &tick);
}

static uint8_t seen[SOURCES + 1][MAX_STEPS];

static int see(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
               void *context)
{
    struct oc_sample want;

    (void)same;
    (void)context;
    made_sample(source, t_ms / 1000, &want);
    ck_assert_uint_eq(sample->known, want.known);
    for (unsigned bit = 0; bit < 64; bit++)
        if (want.known >> bit & 1)
            ck_assert_int_eq(sample->values[bit], want.values[bit]);
    seen[source][t_ms / 1000] = 1;
    return 0;
}

static uint64_t count_held(int64_t until_step)
{
    uint64_t count = 0;

    memset(seen, 0, sizeof seen);
    ck_assert_int_eq(held_each(path, see, NULL), 0);
    for (uint32_t s = 1; s <= SOURCES; s++)
        for (int64_t step = 1; step < until_step; step++)
            count += seen[s][step];
    return count;
}

/* No page more than there are now; 0: as many as may be. */
static void limit_pages(int more)
{
    char sql[64];

    ck_assert_int_eq(oc_store_exec(store, "PRAGMA max_page_count=1073741823"), 0);
    if (!more)
        return;
    snprintf(sql, sizeof sql, "PRAGMA max_page_count=%lld",
             (long long)held_number(path, "PRAGMA page_count") + more - 1);
    ck_assert_int_eq(oc_store_exec(store, sql), 0);
}

START_TEST(full_file_loses_nothing_and_goes_on_when_there_is_room)
{
    struct oc_store_stats stats;
    int failed = 0;

    ck_assert_int_eq(open_store(), 0);
    ck_assert_int_eq(begin_sources(), 0);
    for (int64_t step = 1; step < 400; step++) {
        int rc;

        if (step == 120)
            limit_pages(3);
        if (step == 300)
            limit_pages(0);
        ck_assert_int_eq(append_step(step), 0);
        if (step == 200) { /* in the midst of it: an end, and a new one */
            ck_assert_int_eq(oc_store_source_end(store, 7, 200000, OC_END_EXITED, 3), 0);
            ck_assert_int_eq(oc_store_source_killer(store, 7, OC_KILLER_HOST, NULL), 0);
        }
        ck_assert_int_eq(walk_step(3, step), 0);
        ck_assert_int_eq(limits_step(3, step), 0);
        ck_assert_int_eq(forecast_step(3, step), 0);
        ck_assert_int_eq(alert_step(step), 0);
        rc = oc_store_commit(store, OC_DURABLE_BATCH, step * 1000);
        ck_assert(rc == 0 || rc == OC_E_NOSPC);
        failed += rc != 0;
    }
    ck_assert_int_gt(failed, 100);
    oc_store_stats(store, &stats);
    ck_assert_uint_eq(stats.lost_samples, 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_uint_eq(count_held(400), SOURCES * 399 - 199);
    ck_assert_int_eq(held_number(path, "SELECT status FROM source WHERE id = 7"), 3);
    ck_assert_int_eq(held_number(path, "SELECT killer FROM source WHERE id = 7"), OC_KILLER_HOST);
    ck_assert_uint_eq(stats.walks, 399);
    ck_assert_uint_eq(stats.dropped_walks, 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM walk JOIN region_total ON walk = id "
                                       "WHERE bytes * 1000 = t * 4096"),
                     399);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM family_count"), 399);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM module"), 2);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM module_gone"), 398);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM limit_value WHERE begin_ms / 10000 = "
                                       "value"),
                     40);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM forecast"), 288);
    ck_assert_int_eq(held_number(path, "SELECT max(t) FROM forecast WHERE t = samples * 1000"),
                     399000);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM forecaster WHERE length(bytes) = 8 AND"
                                       " hex(bytes) = '8F01000000000000'"),
                     1);
    ck_assert_int_eq(held_number(path, "SELECT judged FROM forecast_record"), 399);
    ck_assert_int_eq(held_number(path,
                                 "SELECT count(*) FROM alert WHERE value = firing_unix_ms AND "
                                 "(state = 3 OR value = 399)"),
                     40);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM alert_decision"), 399);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM outbox WHERE body = '{}'"), 399);
    ck_assert_int_eq(held_number(path, "SELECT end_unix_ms FROM silence"), 399);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM silence_matcher"), 1);
}
END_TEST

/* Walks that wait have no more room; alerts do, until theirs is full too: and then nothing was taken in. */
START_TEST(alerts_have_room_where_walks_have_none)
{
    static char body[100000];
    struct oc_outbox_row row = { .receiver = "ops", .why = "", .body = body };
    int rc = 0, taken = 0, step = 1;

    memset(body, 'x', sizeof body);
    row.body_bytes = sizeof body;
    ck_assert_int_eq(open_store(), 0);
    ck_assert_int_eq(begin_sources(), 0);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, 500), 0);
    limit_pages(1);
    while (store->load_bytes < OC_STORE_MAX_LOAD_BYTES - 100000) {
        (void)snprintf(row.id, sizeof row.id, "msg_a%07d", step++);
        ck_assert_int_eq(oc_store_outbox(store, &row), 0);
    }
    for (int64_t n = 1; rc == 0; n++) /* what walks have is full */
        rc = walk_step(3, n);
    ck_assert_int_eq(rc, OC_E_TOOBIG);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_NOW, 1000), OC_E_NOSPC);
    ck_assert_int_eq(alert_step(1), 0);
    ck_assert_int_eq(alert_step(2), 0); /* the same episode: it waits once */
    for (rc = 0; rc == 0; taken += rc == 0) {
        (void)snprintf(row.id, sizeof row.id, "msg_b%07d", taken);
        rc = oc_store_outbox(store, &row);
    }
    ck_assert_int_eq(rc, OC_E_TOOBIG);
    ck_assert_int_gt(taken, 50);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_NOW, 2000), OC_E_NOSPC);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM outbox"), 0); /* all or nothing */
    limit_pages(0);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_NOW, 3000), 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM outbox WHERE id GLOB 'msg_b*'"),
                     taken);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM alert WHERE value = 2"), 1);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM alert_decision"), 2);
}
END_TEST

START_TEST(full_file_and_full_memory_lose_the_oldest_and_count_them)
{
    struct oc_store_stats stats;

    options.max_open_bytes = 256 << 10;
    ck_assert_int_eq(open_store(), 0);
    ck_assert_int_eq(begin_sources(), 0);
    for (int64_t step = 1; step < 3500; step++) {
        if (step == 20)
            limit_pages(1);
        if (step == 3400)
            limit_pages(0);
        ck_assert_int_eq(append_step(step), 0);
        (void)oc_store_commit(store, OC_DURABLE_BATCH, step * 1000);
    }
    oc_store_stats(store, &stats);
    ck_assert_uint_gt(stats.lost_samples, 0);
    ck_assert_uint_le(stats.open_bytes, 20u << 20);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_uint_ge(count_held(3500), SOURCES * UINT64_C(3499) - stats.lost_samples);
    for (uint32_t s = 1; s <= SOURCES; s++)
        ck_assert_int_eq(seen[s][3399], 1); /* the newest are kept */
}
END_TEST

START_TEST(full_disk_is_told_and_left_behind)
{
    char filler[160], block[65536] = { 1 };
    FILE *file;
    int failed = 0;

    if (mount_small_disk(dir, "1500k") != 0) {
        printf("SKIP full_disk_is_told_and_left_behind: no right to mount\n");
        return;
    }
    snprintf(filler, sizeof filler, "%s/filler", dir);
    ck_assert_int_eq(open_store(), 0);
    ck_assert_int_eq(begin_sources(), 0);
    for (int64_t step = 1; step < 300; step++) {
        int rc;

        if (step == 60) {
            file = fopen(filler, "wb");
            setbuf(file, NULL);
            while (fwrite(block, 1, 4096, file) == 4096)
                ;
            fclose(file);
        }
        if (step == 200)
            ck_assert_int_eq(remove(filler), 0);
        ck_assert_int_eq(append_step(step), 0);
        rc = oc_store_commit(store, OC_DURABLE_BATCH, step * 1000);
        ck_assert_msg(rc == 0 || rc == OC_E_NOSPC, "step %d: %d", (int)step, rc);
        failed += rc != 0;
    }
    ck_assert_int_gt(failed, 50);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_uint_eq(count_held(300), SOURCES * 299);
    ck_assert_int_eq(unmount_disk(dir), 0);
}
END_TEST

/* ---- memory ---- */

/* A short life of a store. Stops at the first call that says no; closes in any case. */
static int live(void)
{
    int rc = open_store();

    if (rc < 0)
        return rc;
    rc = begin_sources();
    for (int64_t step = 1; step < 70 && rc >= 0; step++) {
        rc = append_step(step);
        if (rc >= 0 && step % 2)
            rc = walk_step(3, step);
        if (rc >= 0 && step % 5 == 0)
            rc = limits_step(4, step);
        if (rc >= 0)
            rc = forecast_step(4, step);
        if (rc >= 0 && step % 4 == 0)
            rc = alert_step(step);
        if (step % 3 == 0 && rc == 0)
            rc = oc_store_commit(store, OC_DURABLE_BATCH, step * 1000);
        if (step % 20 == 0 && rc == 0)
            rc = oc_store_maintain(store, step * 3600000, 1700000000000, 1000000);
    }
    if (rc >= 0)
        rc = oc_store_source_end(store, 5, 80000, OC_END_EXITED, 0);
    if (rc >= 0)
        rc = oc_store_commit(store, OC_DURABLE_NOW, 80000);
    if (rc >= 0)
        rc = oc_store_maintain(store, 90 * 3600000, 1700000000000, 1000000);
    {
        int closed = oc_store_close(store);

        return rc < 0 ? rc : closed;
    }
}

static void remove_files(void) { remove_database(path); }

START_TEST(each_allocation_may_fail)
{
    const char *every_text = getenv("OOMCAST_ALLOC_STEP"); /* 1: each one; long */
    uint64_t every = every_text ? strtoull(every_text, NULL, 10) : 97, total;
    int64_t alive;

    ck_assert_int_eq(live(), 0);
    remove_files();
    oc_tick_clear(&tick);
    alive = oc_alloc_live();
    oc_alloc_fail_at(0, 0);
    ck_assert_int_eq(live(), 0);
    total = oc_alloc_count();
    remove_files();
    oc_tick_clear(&tick);
    ck_assert_int_eq(oc_alloc_live(), alive);
    for (uint64_t nth = 1; nth <= total; nth += nth < 60 ? 1 : every) {
        int rc;

        oc_alloc_fail_at(nth, (int)(nth / every % 2));
        rc = live();
        oc_alloc_fail_at(0, 0);
        ck_assert_msg(rc == 0 || rc == OC_E_NOMEM, "allocation %d: %d", (int)nth, rc);
        oc_tick_clear(&tick);
        ck_assert_msg(oc_alloc_live() == alive, "allocation %d left %d blocks", (int)nth,
                      (int)(oc_alloc_live() - alive));
        remove_files();
    }
}
END_TEST

START_TEST(same_after_a_sample_that_was_lost_is_refused)
{
    struct oc_store_stats stats;

    ck_assert_int_eq(open_store(), 0);
    ck_assert_int_eq(begin_sources(), 0);
    ck_assert_int_eq(append_step(1), 0);
    for (uint32_t s = 1; s <= SOURCES; s++)
        store->sources[s - 1]->tail.last.value_cap = 0; /* so that the next sample needs memory */
    oc_alloc_fail_at(1, 1);
    ck_assert_int_eq(append_step(31), OC_E_NOMEM); /* another figure is known */
    oc_alloc_fail_at(0, 0);
    oc_tick_begin(&tick, 32000);
    oc_tick_same(&tick, 1);
    ck_assert_int_eq(oc_store_append(store, &tick), 0);
    oc_store_stats(store, &stats);
    ck_assert_uint_eq(stats.dropped_entries, SOURCES + 1);
    ck_assert_uint_eq(stats.samples, SOURCES);
    ck_assert_int_eq(append_step(33), 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_uint_eq(count_held(100), 2 * SOURCES);
}
END_TEST

START_TEST(store_found_corrupt_in_use_is_set_aside_at_the_next_open)
{
    struct oc_store_report report;
    struct oc_detail detail;

    ck_assert_int_eq(open_store(), 0);
    store->is_corrupt = 1;
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_int_eq(oc_store_open(&options, &store, &report, &detail), 0);
    ck_assert_int_ne(report.set_aside[0], 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_int_eq(oc_store_open(&options, &store, &report, &detail), 0);
    ck_assert_int_eq(report.set_aside[0], 0);
    ck_assert_int_eq(oc_store_close(store), 0);
}
END_TEST

START_TEST(short_memory_in_a_tick_loses_that_tick_at_most)
{
    ck_assert_int_eq(open_store(), 0);
    ck_assert_int_eq(begin_sources(), 0);
    for (int64_t step = 1; step < 300; step++) {
        struct oc_store_stats stats;

        if (step % 7 == 0)
            oc_alloc_fail_at((uint64_t)step % 5 + 1, step % 2 == 0);
        (void)append_step(step);
        (void)oc_store_commit(store, OC_DURABLE_BATCH, step * 1000);
        oc_alloc_fail_at(0, 0);
        oc_store_stats(store, &stats);
        ck_assert_uint_eq(stats.lost_samples, 0);
    }
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_uint_ge(count_held(300), SOURCES * (299 - 2 * 299 / 7));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("full");
    TCase *tests = tcase_create("full");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, full_file_loses_nothing_and_goes_on_when_there_is_room);
    tcase_add_test(tests, alerts_have_room_where_walks_have_none);
    tcase_add_test(tests, full_file_and_full_memory_lose_the_oldest_and_count_them);
    tcase_add_test(tests, full_disk_is_told_and_left_behind);
    tcase_add_test(tests, each_allocation_may_fail);
    tcase_add_test(tests, same_after_a_sample_that_was_lost_is_refused);
    tcase_add_test(tests, store_found_corrupt_in_use_is_set_aside_at_the_next_open);
    tcase_add_test(tests, short_memory_in_a_tick_loses_that_tick_at_most);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
