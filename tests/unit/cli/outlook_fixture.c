#include "outlook_fixture.h"

#include "base/limit.h"
#include "storage/store.h"
#include "tests/support/folder.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE OUTLOOK_MINUTE
#define HOUR OUTLOOK_HOUR
#define MIB OUTLOOK_MIB
#define NOW (6 * HOUR) /* since the boot */
#define SAID (NOW - OUTLOOK_SAID_AGO)

static char folder[128], path[160];
static oc_store *store;
static int64_t began_unix_ms; /* boot */
static uint32_t shop, shop_group, shop_cgroup, sidecar;

/* ---- what a store is made with ---- */

static void open_store(int64_t now_unix_ms)
{
    struct oc_store_options options = { .path = path, .boot_id = "boot" };
    struct oc_store_report report;
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(make_folder("oomcast-outlook", folder, sizeof(folder)), 0);
    (void)snprintf(path, sizeof(path), "%s/oomcast.db", folder);
    options.now_boot_ms = MINUTE;
    began_unix_ms = now_unix_ms - NOW;
    options.now_unix_ms = began_unix_ms + MINUTE;
    ck_assert_msg(oc_store_open(&options, &store, &report, &detail) == 0, "%s", detail.text);
}

static void close_store(void)
{
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, NOW), 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    store = NULL;
}

static uint32_t begin(enum oc_source_kind kind, const char *subject, uint32_t pid, int64_t begin_ms,
                      const char *cgroup, const char *exe)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = pid }, .name = "made" };
    struct oc_source_info info = { .kind = kind,
                                   .subject = subject,
                                   .begin_boot_ms = begin_ms,
                                   .facts = pid ? &facts : NULL,
                                   .cgroup_inode = kind == OC_SOURCE_CGROUP ? 77 : 0,
                                   .interval_ms = 10000 };
    uint32_t source = 0;

    (void)snprintf(facts.cgroup, sizeof(facts.cgroup), "%s", cgroup);
    (void)snprintf(facts.exe, sizeof(facts.exe), "%s", exe);
    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
    return source;
}

static void put_sample(uint32_t source, int64_t t_ms, enum oc_metric metric, int64_t value)
{
    struct oc_sample sample = { .block = (uint8_t)OC_METRIC_BLOCK(metric) };
    struct oc_tick tick;

    oc_sample_set(&sample, metric, value);
    oc_tick_init(&tick);
    oc_tick_begin(&tick, t_ms);
    oc_tick_put(&tick, source, &sample);
    tick.keyed = 1;
    ck_assert_int_eq(oc_store_append(store, &tick), 0);
    oc_tick_clear(&tick);
}

/* A line from `from` to `to`, a sample each minute. */
static void put_line(uint32_t source, int64_t t0, int64_t t1, enum oc_metric metric, int64_t from,
                     int64_t to)
{
    for (int64_t t = t0; t <= t1; t += MINUTE)
        put_sample(source, t, metric, from + (to - from) * (t - t0) / (t1 - t0));
}

static struct oc_forecast_row said(unsigned state, enum oc_metric metric)
{
    struct oc_forecast_row row = { .limit = { .metric = (uint16_t)metric },
                                   .forecast = { .state = (uint8_t)state,
                                                 .metric = (uint16_t)metric,
                                                 .t_ms = SAID,
                                                 .since_ms = SAID,
                                                 .samples = 300,
                                                 .value = (double)(50 * MIB),
                                                 .limit = NAN,
                                                 .growth_per_h = 0,
                                                 .growth_error_per_h = 0,
                                                 .chance = NAN,
                                                 .p10_s = NAN,
                                                 .p50_s = NAN,
                                                 .p90_s = NAN,
                                                 .saved_life_s = NAN } };

    return row;
}

static struct oc_forecast_row grows(unsigned state, enum oc_metric metric, int64_t value,
                                    int64_t per_h)
{
    struct oc_forecast_row row = said(state, metric);

    row.forecast.since_ms = HOUR;
    row.forecast.value = (double)value;
    row.forecast.growth_per_h = (double)per_h;
    row.forecast.growth_error_per_h = (double)per_h / 50;
    row.forecast.chance = 0.97;
    return row;
}

/* Minutes from when it was said. */
static void towards(struct oc_forecast_row *row, enum oc_limit_kind kind, const char *where,
                    double limit, double p10, double p50, double p90)
{
    row->limit.kind = (uint8_t)kind;
    row->limit.value = (uint64_t)limit;
    (void)snprintf(row->limit.where, sizeof(row->limit.where), "%s", where);
    row->forecast.limit = limit;
    row->forecast.p10_s = p10 * 60;
    row->forecast.p50_s = p50 * 60;
    row->forecast.p90_s = p90 * 60;
}

static void say(uint32_t source, const struct oc_forecast_row *rows, size_t count)
{
    ck_assert_int_eq(oc_store_forecasts(store, source, rows, count), 0);
}

static void put_limit(uint32_t source, enum oc_limit_kind kind, int64_t value, const char *where)
{
    struct oc_limit limit = { .kind = (uint8_t)kind,
                              .metric = oc_limit_row(kind)->metric,
                              .value = (uint64_t)value };

    (void)snprintf(limit.where, sizeof(limit.where), "%s", where);
    ck_assert_int_eq(oc_store_limits(store, source, HOUR, &limit, 1), 0);
}

/* ---- who is in it ---- */

/* Its service's cgroup fills up: memory.max in 180 min (140 … 250) of when it was said, 700 MiB of 1 GiB; its program is new. */
static void put_shop(void)
{
    struct oc_forecast_row rows[3];
    uint32_t before = begin(OC_SOURCE_PROCESS, "unit:shop.service", 4000, 2 * MINUTE, OUTLOOK_SHOP,
                            "/opt/shop-1.2/shop");

    put_line(before, 2 * MINUTE, HOUR - 2 * MINUTE, OC_METRIC_PRIVATE, 90 * MIB, 100 * MIB);
    ck_assert_int_eq(oc_store_source_end(store, before, HOUR - MINUTE, OC_END_EXITED, 0), 0);
    shop = begin(OC_SOURCE_PROCESS, "unit:shop.service", 4711, HOUR, OUTLOOK_SHOP,
                 "/opt/shop-1.3/shop");
    shop_cgroup = begin(OC_SOURCE_CGROUP, "cgroup:" OUTLOOK_SHOP, 0, 2 * MINUTE, "", "");
    sidecar = begin(OC_SOURCE_PROCESS, "proc:sidecar", 4712, HOUR, OUTLOOK_SHOP, "/bin/sidecar");
    put_line(shop, HOUR, NOW, OC_METRIC_PRIVATE, 100 * MIB, 600 * MIB);
    put_line(sidecar, HOUR, NOW, OC_METRIC_PRIVATE, 20 * MIB, 45 * MIB);
    put_line(shop_cgroup, 2 * MINUTE, NOW, OC_METRIC_CGROUP_CHARGE, 120 * MIB, 700 * MIB);
    rows[0] = grows(OC_FORECAST_LEAKING, OC_METRIC_PRIVATE, 583 * MIB, 100 * MIB);
    rows[1] = said(OC_FORECAST_FLAT, OC_METRIC_FDS);
    towards(&rows[1], OC_LIMIT_RLIMIT_NOFILE, "", 1024, NAN, INFINITY, INFINITY);
    rows[1].forecast.value = 12;
    say(shop, rows, 2);
    rows[0] = grows(OC_FORECAST_LEAKING, OC_METRIC_CGROUP_CHARGE, 685 * MIB, 110 * MIB);
    towards(&rows[0], OC_LIMIT_CGROUP_MAX, OUTLOOK_SHOP, 1024.0 * MIB, 140, 190, 250);
    rows[1] = grows(OC_FORECAST_GROWING, OC_METRIC_CGROUP_CHARGE, 685 * MIB, 110 * MIB);
    towards(&rows[1], OC_LIMIT_CGROUP_HIGH, OUTLOOK_SHOP, 2048.0 * MIB, 400, 700, INFINITY);
    rows[2] = said(OC_FORECAST_FLAT, OC_METRIC_CGROUP_TASKS);
    say(shop_cgroup, rows, 3);
    rows[0] = said(OC_FORECAST_FLAT, OC_METRIC_PRIVATE);
    say(sidecar, rows, 1);
    put_limit(shop_cgroup, OC_LIMIT_CGROUP_MAX, 1024 * MIB, OUTLOOK_SHOP);
    put_limit(shop, OC_LIMIT_RLIMIT_NOFILE, 1024, "");
}

/* The user's limit for all processes of a subject: in 30 … 60 … 120 min. */
static void put_group(void)
{
    struct oc_forecast_row row;
    uint32_t one = begin(OC_SOURCE_PROCESS, "pool:web", 5001, HOUR, "/web", "");
    uint32_t two = begin(OC_SOURCE_PROCESS, "pool:web", 5002, HOUR, "/web", "");

    shop_group = begin(OC_SOURCE_GROUP, "pool:web", 0, HOUR, "", "");
    put_line(one, HOUR, NOW, OC_METRIC_PRIVATE, 100 * MIB, 110 * MIB);
    put_line(two, HOUR, NOW, OC_METRIC_PRIVATE, 100 * MIB, 110 * MIB);
    put_line(shop_group, HOUR, NOW, OC_METRIC_PRIVATE, 200 * MIB, 220 * MIB);
    row = said(OC_FORECAST_FLAT, OC_METRIC_PRIVATE);
    say(one, &row, 1);
    say(two, &row, 1);
    row = grows(OC_FORECAST_GROWING, OC_METRIC_PRIVATE, 219 * MIB, 4 * MIB);
    towards(&row, OC_LIMIT_USER, "", 224.0 * MIB, 40, 70, 130);
    say(shop_group, &row, 1);
}

/* One process in one state and no more. */
static void put_one(const char *subject, uint32_t pid, const struct oc_forecast_row *row)
{
    uint32_t source = begin(OC_SOURCE_PROCESS, subject, pid, HOUR, "/other", "");

    put_line(source, HOUR, NOW, OC_METRIC_PRIVATE, 50 * MIB, 50 * MIB);
    say(source, row, 1);
}

static void put_states(void)
{
    static const struct {
        const char *subject;
        unsigned state;
    } calm[] = { { "proc:flat", OC_FORECAST_FLAT },
                 { "proc:cyclic", OC_FORECAST_CYCLIC },
                 { "proc:warm", OC_FORECAST_WARMING },
                 { "proc:young", OC_FORECAST_LEARNING },
                 { OUTLOOK_EVIL, OC_FORECAST_FLAT } };
    struct oc_forecast_row row;

    for (size_t i = 0; i < sizeof(calm) / sizeof(calm[0]); i++) {
        row = said(calm[i].state, OC_METRIC_PRIVATE);
        put_one(calm[i].subject, 6000 + (uint32_t)i, &row);
    }
    row = grows(OC_FORECAST_SAVED, OC_METRIC_PRIVATE, 50 * MIB, MIB);
    row.forecast.saved_life_s = 4.25 * 86400;
    put_one("proc:saved", 6100, &row);
    row = grows(OC_FORECAST_EXHAUSTED, OC_METRIC_FDS, 1024, 20);
    towards(&row, OC_LIMIT_RLIMIT_NOFILE, "", 1024, 0, 0, 0);
    put_one("proc:full", 6101, &row);
    row = grows(OC_FORECAST_GROWING, OC_METRIC_PRIVATE, 50 * MIB, 2 * MIB);
    put_one("proc:aimless", 6102, &row);
}

/* Grows since its program's file changed 2 h before the end; the life before did not. */
static void put_rebuilt(void)
{
    struct oc_prior_program program = { .stamp = 7 };
    struct oc_forecast_row row = grows(OC_FORECAST_GROWING, OC_METRIC_PRIVATE, 60 * MIB, MIB);
    uint32_t source =
        begin(OC_SOURCE_PROCESS, "proc:rebuilt", 6200, 2 * MINUTE, "/other", "/bin/rebuilt");

    put_line(source, 2 * MINUTE, 3 * HOUR, OC_METRIC_PRIVATE, 50 * MIB, 50 * MIB);
    ck_assert_int_eq(oc_store_source_end(store, source, 4 * HOUR - MINUTE, OC_END_EXITED, 0), 0);
    source = begin(OC_SOURCE_PROCESS, "proc:rebuilt", 6201, 4 * HOUR, "/other", "/bin/rebuilt");
    put_line(source, 4 * HOUR, NOW, OC_METRIC_PRIVATE, 50 * MIB, 60 * MIB);
    say(source, &row, 1);
    program.since_unix_ms = began_unix_ms + 4 * HOUR;
    ck_assert_int_eq(oc_store_memory_put(store, OC_MEMORY_SUBJECT, "proc:rebuilt", OC_PRIOR_PROGRAM,
                                         &program, sizeof(program)),
                     0);
}

static void put_host(void)
{
    struct oc_forecast_row row = said(OC_FORECAST_FLAT, OC_METRIC_HOST_USED);
    uint32_t host = begin(OC_SOURCE_HOST, "host", 0, 2 * MINUTE, "", "");

    put_line(host, 2 * MINUTE, NOW, OC_METRIC_HOST_USED, 2000 * MIB, 2000 * MIB);
    towards(&row, OC_LIMIT_HOST_MEMORY, "", 16384.0 * MIB, NAN, INFINITY, INFINITY);
    say(host, &row, 1);
}

/* Ended an hour ago; foretold 20 min before. */
static void put_dead(void)
{
    struct oc_forecast_row row =
        grows(OC_FORECAST_LEAKING, OC_METRIC_VIRTUAL, 900 * MIB, 300 * MIB);
    uint32_t dead = begin(OC_SOURCE_PROCESS, "proc:dead", 7000, 2 * HOUR, "/other", "");

    put_line(dead, 2 * HOUR, 5 * HOUR, OC_METRIC_PRIVATE, 0, 900 * MIB);
    towards(&row, OC_LIMIT_RLIMIT_AS, "", 1024.0 * MIB, 20, 25, 32);
    row.forecast.t_ms = 5 * HOUR - 20 * MINUTE;
    row.forecast.since_ms = 2 * HOUR;
    say(dead, &row, 1);
    ck_assert_int_eq(oc_store_source_end(store, dead, 5 * HOUR, OC_END_SIGNALED, 6), 0);
}

static void put_record(void)
{
    struct oc_accuracy good = { .judged = 40,
                                .inside = 33,
                                .early = 3,
                                .late = 4,
                                .censored = 6,
                                .ends = 5,
                                .foretold = 4,
                                .alarms = 6,
                                .false_alarms = 1,
                                .error_sum = 40 * log(1.2),
                                .errors = 40,
                                .lead_s_sum = 4 * 7200,
                                .watched_s = 30 * 86400 };
    struct oc_accuracy few = { .judged = 2, .inside = 1, .late = 1, .watched_s = 86400 };

    ck_assert_int_eq(oc_store_accuracy(store, shop_cgroup, OC_METRIC_CGROUP_CHARGE,
                                       OC_LIMIT_CGROUP_MAX, NOW, &good),
                     0);
    ck_assert_int_eq(
        oc_store_accuracy(store, shop, OC_METRIC_FDS, OC_LIMIT_RLIMIT_NOFILE, NOW, &few), 0);
    ck_assert_int_eq(
        oc_store_accuracy(store, shop, OC_METRIC_VIRTUAL, OC_LIMIT_RLIMIT_AS, NOW, &few), 0);
}

const char *outlook_fixture_begin(int64_t now_unix_ms)
{
    open_store(now_unix_ms);
    put_shop();
    put_group();
    put_states();
    put_rebuilt();
    put_host();
    put_dead();
    put_record();
    close_store();
    return folder;
}

const char *outlook_fixture_empty(int64_t now_unix_ms)
{
    uint32_t source;

    open_store(now_unix_ms);
    source = begin(OC_SOURCE_PROCESS, "proc:new", 100, HOUR, "/", "");
    put_line(source, HOUR, NOW, OC_METRIC_PRIVATE, MIB, 2 * MIB);
    close_store();
    return folder;
}

void outlook_fixture_end(void) { ck_assert_int_eq(remove_folder(folder), 0); }
