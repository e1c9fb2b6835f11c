#include "tests/unit/daemon/daemon_fixture.h"

#include "tests/support/folder.h"

#include <stdio.h>
#include <string.h>

static struct oc_daemon daemon_;
struct oc_daemon *const d = &daemon_;
static char folder[128];

void oc_daemon_stop(struct oc_daemon *daemon, const char *why)
{
    (void)why;
    daemon->stopping = 1;
}

/* ---- a daemon without its surroundings ---- */

static void on_tick(void *context, const struct oc_clock_reading *reading)
{
    (void)context;
    (void)reading;
}

static void open_store(void)
{
    struct oc_store_options options = { .path = d->store_path,
                                        .boot_id = "00000000-0000-0000-0000-000000000001",
                                        .now_boot_ms = oc_now_boot_ms(),
                                        .now_unix_ms = oc_clock_unix_ms() };
    struct oc_detail detail = { 0 };

    ck_assert_msg(oc_store_open(&options, &d->store, &d->store_report, &detail) == OC_OK, "%s",
                  detail.text);
}

void fixture_setup(void)
{
    struct oc_groups_hooks hooks = {
        .tick = on_tick,
        .gone = oc_watch_gone,
        .more = oc_self_more,
        .sampled = oc_limits_sampled,
        .fed = oc_forecast_fed,
        .context = d,
    };
    struct oc_writer_options writer = { .queue_bytes = QUEUE_BYTES,
                                        .batch_ms = 50,
                                        .ack_fd = -1,
                                        .begun = oc_watch_begun,
                                        .replayed = oc_forecast_replayed,
                                        .context = d };
    struct oc_clock_reading reading = oc_clock_read();

    memset(d, 0, sizeof(*d));
    oc_config_init(&d->config);
    d->config.interval_ms = 100;
    d->config.discovery_ms = 100;
    ck_assert_int_eq(make_folder("oomcast-unit", folder, sizeof(folder)), 0);
    (void)snprintf(d->store_path, sizeof(d->store_path), "%s/oomcast.db", folder);
    open_store();
    ck_assert_int_eq(oc_fake_open(&d->probe), OC_OK);
    ck_assert_int_eq(uv_loop_init(&d->loop), 0);
    oc_clock_start(&d->clock, &reading);
    ck_assert_int_eq(oc_forecast_load(d), OC_OK);
    ck_assert_int_eq(oc_writer_start(&d->loop, d->store, &writer, &d->writer), OC_OK);
    ck_assert_int_eq(oc_groups_init(&d->groups, &d->loop, d->probe, d->writer, &d->clock, &hooks),
                     OC_OK);
    oc_forecast_start(d);
}

/* Ends the daemon in the order of main(); the store stays for a look. */
void finish(void)
{
    if (!d->probe)
        return;
    oc_discovery_close(d);
    if (d->walker)
        oc_walks_stop(d, DEADLINE_MS);
    oc_groups_close(&d->groups);
    oc_forecast_stop(d);
    ck_assert_int_eq(oc_writer_stop(d->writer, DEADLINE_MS), OC_OK);
    while (uv_run(&d->loop, UV_RUN_DEFAULT) != 0)
        ;
    ck_assert_int_eq(uv_loop_close(&d->loop), 0);
    oc_probe_close(d->probe);
    d->probe = NULL;
    ck_assert_int_eq(oc_store_close(d->store), OC_OK);
    oc_sources_clear(&d->sources);
    oc_subjects_clear(&d->subjects);
    oc_forecast_clear(&d->forecasts);
    oc_config_clear(&d->config);
}

void fixture_teardown(void)
{
    finish();
    ck_assert_int_eq(remove_folder(folder), 0);
}

void start_walkers(oc_walk_fn *walk)
{
    d->walk = walk;
    ck_assert_int_eq(oc_walks_start(d), OC_OK);
}

void begin(void)
{
    struct oc_detail detail = { 0 };

    ck_assert_msg(oc_discovery_start(d, &detail) == OC_OK, "%s", detail.text);
}

void start_process(uint32_t pid, const char *name, int64_t rss_bytes)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = 1000 + pid }, .uid = 7 };

    (void)snprintf(facts.name, sizeof(facts.name), "%s", name);
    ck_assert_int_eq(oc_fake_start(d->probe, &facts), OC_OK);
    oc_fake_set(d->probe, pid, OC_METRIC_RSS, rss_bytes);
    oc_fake_set(d->probe, pid, OC_METRIC_PRIVATE, rss_bytes);
}

/* Runs the loop until the samples are so many. */
void run_until_samples(uint64_t samples)
{
    int64_t deadline_ms = oc_now_mono_ms() + DEADLINE_MS;

    while (d->groups.stats.samples < samples) {
        ck_assert_int_lt(oc_now_mono_ms(), deadline_ms);
        (void)uv_run(&d->loop, UV_RUN_ONCE);
        oc_watch_events(d);
    }
}

void run_until_watched(uint32_t processes)
{
    int64_t deadline_ms = oc_now_mono_ms() + DEADLINE_MS;

    while (d->sources.live[OC_SOURCE_PROCESS] != processes || d->sources.beginning > 0) {
        ck_assert_int_lt(oc_now_mono_ms(), deadline_ms);
        (void)uv_run(&d->loop, UV_RUN_ONCE);
        oc_watch_events(d);
    }
}

void run_until(int (*done)(void))
{
    int64_t deadline_ms = oc_now_mono_ms() + DEADLINE_MS;

    while (!done()) {
        ck_assert_int_lt(oc_now_mono_ms(), deadline_ms);
        (void)uv_run(&d->loop, UV_RUN_ONCE);
        oc_watch_events(d);
    }
}

/* ---- what the store says ---- */

static int on_life(const struct oc_life_row *row, void *context)
{
    struct seen *seen = context;

    if (seen->lives < 16)
        seen->ends[seen->lives] = row->end;
    seen->lives++;
    seen->running += row->end == OC_END_RUNNING;
    seen->samples += row->samples;
    seen->last = *row;
    (void)snprintf(seen->last_subject, sizeof(seen->last_subject), "%s", row->subject);
    return 0;
}

struct seen look(const char *subject)
{
    struct oc_life_filter filter = { .subject = subject, .until_unix_ms = INT64_MAX };
    struct oc_reader *reader = NULL;
    struct oc_detail detail = { 0 };
    struct seen seen = { 0 };
    int rc = oc_reader_open(d->store_path, &reader, &detail);

    ck_assert_msg(rc == OC_OK, "%s", detail.text);
    ck_assert_int_ge(oc_reader_lives(reader, &filter, on_life, &seen), 0);
    oc_reader_close(reader);
    return seen;
}
