/* Ends by plan, limits at which a new process takes over, lines of experience: workers of IIS above all. Each with its twin. */
#include "engine_rig.h"

#include <stdio.h>

#define WARN OC_SEVERITY_WARN
#define CRITICAL OC_SEVERITY_CRITICAL
#define FORECAST "MemoryLimitForecast"
#define EXHAUSTED "MemoryExhausted"

static struct rig rig;
static uint32_t pool;

static void begin(void)
{
    rig_begin(&rig, NULL, 0);
    pool = rig_subject(&rig, "pool:Shop");
}
static void end(void) { rig_end(&rig); }

/* Of a worker: what it runs into in p50_h hours. */
static struct oc_forecast_row row_of(unsigned kind, unsigned state, double p50_h)
{
    const struct oc_limit_row *row = oc_limit_row(kind);
    struct oc_forecast_row made = rig_row(&rig, state, p50_h);

    made.limit = (struct oc_limit){ .kind = (uint8_t)kind,
                                    .metric = row->metric,
                                    .value = (uint64_t)(2 * RIG_GIB) };
    made.forecast.metric = row->metric;
    return made;
}

/* All that is said of a worker, each minute for a while. */
struct said {
    struct oc_forecast_row rows[3];
    size_t count;
    uint32_t source;
    double planned_h; /* from now on, at each look; 0: none */
};
static void go_on(struct said *said, int64_t span_ms)
{
    int64_t planned_ms =
        said->planned_h > 0 ? rig.now_ms + (int64_t)(said->planned_h * RIG_HOUR) : 0;

    for (int64_t at = 0; at < span_ms; at += RIG_MINUTE) {
        struct oc_alert_outlook outlook = { .source = said->source ? said->source : 1,
                                            .pid = said->source ? said->source : 1,
                                            .planned_ms = planned_ms,
                                            .rows = said->rows,
                                            .count = said->count };

        for (size_t i = 0; i < said->count; i++)
            said->rows[i].forecast.t_ms = rig.now_ms;
        oc_alerts_forecasts(rig.alerts, pool, &outlook, rig.now_ms);
        rig_pass(&rig, RIG_MINUTE);
    }
}

static void go_on_with(unsigned kind, unsigned state, double p50_h, double planned_h)
{
    struct said said = { .rows = { row_of(kind, state, p50_h) }, 1, 1, planned_h };

    go_on(&said, RIG_HOUR);
}

static void tell_end(uint32_t source, enum oc_end how, enum oc_killer killer, const char *text)
{
    const struct oc_alert_event event = { .kind = OC_ALERT_EVENT_ENDED,
                                          .source = source,
                                          .pid = source,
                                          .end = how,
                                          .status = how == OC_END_EXITED ? 1 : 0,
                                          .killer = killer,
                                          .text = text };

    oc_alerts_event(rig.alerts, pool, &event, rig.now_ms);
}

/* ---- planned ends ---- */

START_TEST(stays_quiet_when_a_planned_end_comes_first)
{
    const struct oc_alert *alert = NULL;

    go_on_with(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3, 1);
    alert = rig_find(&rig, FORECAST, CRITICAL);
    ck_assert_ptr_nonnull(alert); /* shown */
    ck_assert_uint_eq(alert->mutes & OC_ALERT_PLANNED, OC_ALERT_PLANNED);
    ck_assert_ptr_nonnull(strstr(alert->why, "before that it is restarted by plan"));
    alert = rig_find(&rig, FORECAST, WARN);
    ck_assert_ptr_nonnull(alert);
    ck_assert_uint_ne(alert->mutes & OC_ALERT_MUTES, 0);
}
END_TEST

START_TEST(alerts_when_the_limit_comes_before_the_planned_end)
{
    go_on_with(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3, 29);
    ck_assert(rig_fires(&rig, FORECAST, CRITICAL));
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, 0);
    ck_assert_ptr_null(strstr(rig_find(&rig, FORECAST, CRITICAL)->why, "by plan"));
}
END_TEST

START_TEST(a_limit_far_behind_the_planned_end_is_no_alert)
{
    go_on_with(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 52, 6);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

/* The recycle moved to after the limit: what was shown is told. */
START_TEST(alerts_when_the_planned_end_is_put_off)
{
    struct said said = {
        .rows = { row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3) }, 1, 1, 1
    };

    go_on(&said, 30 * RIG_MINUTE);
    ck_assert_uint_ne(rig_find(&rig, FORECAST, CRITICAL)->mutes, 0);
    said.planned_h = 0;
    go_on(&said, 2 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, 0);
}
END_TEST

/* ---- recycled for its memory ---- */

START_TEST(a_recycle_for_memory_is_a_warning)
{
    const struct oc_alert *alert = NULL;

    go_on_with(OC_LIMIT_IIS_PRIVATE_MEMORY, OC_FORECAST_LEAKING, 2, 0);
    alert = rig_find(&rig, FORECAST, WARN);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_uint_eq(alert->mutes, 0);
    ck_assert_ptr_nonnull(strstr(alert->why, "will be recycled"));
    ck_assert_ptr_null(rig_find(&rig, FORECAST, CRITICAL));
}
END_TEST

START_TEST(the_wall_behind_a_recycle_is_shown_only)
{
    struct said said = { .rows = { row_of(OC_LIMIT_IIS_PRIVATE_MEMORY, OC_FORECAST_LEAKING, 1),
                                   row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3) },
                         .count = 2 };

    go_on(&said, RIG_HOUR);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->about.limit.kind,
                      OC_LIMIT_IIS_PRIVATE_MEMORY);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, OC_ALERT_PLANNED);
    ck_assert_ptr_nonnull(
        strstr(rig_find(&rig, FORECAST, CRITICAL)->why, "before that IIS recycles it"));
}
END_TEST

START_TEST(a_wall_before_the_recycle_is_critical_and_says_so)
{
    struct said said = { .rows = { row_of(OC_LIMIT_IIS_PRIVATE_MEMORY, OC_FORECAST_LEAKING, 20),
                                   row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3) },
                         .count = 2 };

    go_on(&said, RIG_HOUR);
    ck_assert(rig_fires(&rig, FORECAST, CRITICAL));
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, 0);
    ck_assert_ptr_nonnull(
        strstr(rig_find(&rig, FORECAST, CRITICAL)->why, "before IIS recycles it"));
}
END_TEST

/* ---- lines of experience ---- */

START_TEST(a_danger_line_is_never_critical)
{
    go_on_with(OC_LIMIT_DANGER_PRIVATE, OC_FORECAST_LEAKING, 2, 0);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_ptr_null(rig_find(&rig, FORECAST, CRITICAL));
}
END_TEST

START_TEST(a_worker_that_lives_beyond_the_line_is_no_alert)
{
    go_on_with(OC_LIMIT_DANGER_VIRTUAL, OC_FORECAST_EXHAUSTED, 0, 0);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(the_wall_is_told_before_the_line)
{
    struct said said = { .rows = { row_of(OC_LIMIT_DANGER_VIRTUAL, OC_FORECAST_LEAKING, 1),
                                   row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3) },
                         .count = 2 };

    go_on(&said, RIG_HOUR);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->about.limit.kind, OC_LIMIT_ADDRESS_SPACE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->about.limit.kind, OC_LIMIT_ADDRESS_SPACE);
}
END_TEST

/* ---- exhausted while alive ---- */

START_TEST(exhausted_for_a_minute_is_an_alert_of_its_own)
{
    go_on_with(OC_LIMIT_LARGEST_FREE, OC_FORECAST_EXHAUSTED, 0, 1);
    ck_assert(rig_fires(&rig, EXHAUSTED, CRITICAL));
    ck_assert_uint_eq(rig_find(&rig, EXHAUSTED, CRITICAL)->mutes, 0);
    ck_assert_ptr_null(rig_find(&rig, FORECAST, CRITICAL));
}
END_TEST

START_TEST(a_moment_without_room_is_none)
{
    struct said said = { .rows = { row_of(OC_LIMIT_LARGEST_FREE, OC_FORECAST_EXHAUSTED, 0) },
                         .count = 1 };

    for (int i = 0; i < 20; i++) {
        said.rows[0].forecast.state = OC_FORECAST_EXHAUSTED;
        oc_alerts_forecasts(rig.alerts, pool,
                            &(struct oc_alert_outlook){ 1, 1, 0, said.rows, said.count },
                            rig.now_ms);
        rig_pass(&rig, 40 * RIG_SECOND);
        said.rows[0].forecast.state = OC_FORECAST_FLAT;
        oc_alerts_forecasts(rig.alerts, pool,
                            &(struct oc_alert_outlook){ 1, 1, 0, said.rows, said.count },
                            rig.now_ms);
        rig_pass(&rig, 40 * RIG_SECOND);
    }
    ck_assert(!rig_fires(&rig, EXHAUSTED, CRITICAL));
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
}
END_TEST

/* ---- ends ---- */

START_TEST(recycled_lives_are_no_restart_loop)
{
    for (uint32_t i = 1; i <= 20; i++) {
        tell_end(i, OC_END_RECYCLED, OC_KILLER_IIS, "privateMemory");
        rig_pass(&rig, 20 * RIG_SECOND);
    }
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(crashed_lives_are_one)
{
    for (uint32_t i = 1; i <= 20; i++) {
        tell_end(i, OC_END_EXITED, OC_KILLER_UNKNOWN, NULL);
        rig_pass(&rig, 20 * RIG_SECOND);
    }
    ck_assert(rig_fires(&rig, "RestartLoop", WARN));
}
END_TEST

START_TEST(a_recycled_life_resolves_what_it_was_about)
{
    go_on_with(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3, 0);
    rig_forget(&rig);
    tell_end(1, OC_END_RECYCLED, OC_KILLER_IIS, "time");
    rig_pass(&rig, RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 0);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 2);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "recycled by IIS: time"));
}
END_TEST

START_TEST(a_crash_with_no_block_left_is_a_death)
{
    struct said said = { .rows = { row_of(OC_LIMIT_LARGEST_FREE, OC_FORECAST_LEAKING, 1) },
                         .count = 1 };

    said.rows[0].forecast.limit = 16 << 20;
    said.rows[0].forecast.value = 200 << 20;
    go_on(&said, RIG_HOUR);
    tell_end(1, OC_END_EXITED, OC_KILLER_UNKNOWN, NULL);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 0); /* there was room */
    rig_pass(&rig, RIG_HOUR);
    said.rows[0].forecast.value = 16.5 * (1 << 20);
    said.source = 2;
    go_on(&said, RIG_HOUR);
    tell_end(2, OC_END_EXITED, OC_KILLER_UNKNOWN, NULL);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 2);
}
END_TEST

/* ---- several lives at once ---- */

/* The old worker ends while the new one takes over: one alert of the pool, told once. */
START_TEST(overlapping_lives_are_one_alert)
{
    struct said old = { .rows = { row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3) },
                        .count = 1,
                        .source = 1 };
    struct said next = { .rows = { row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3.5) },
                         .count = 1,
                         .source = 2 };

    go_on(&old, RIG_HOUR);
    for (int i = 0; i < 10; i++) {
        go_on(&old, RIG_MINUTE);
        go_on(&next, RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 3); /* two, and the warning kept quiet */
    rig_forget(&rig);
    tell_end(1, OC_END_RECYCLED, OC_KILLER_IIS, "time");
    go_on(&next, RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 0);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->source, 2);
}
END_TEST

START_TEST(a_new_life_that_is_well_ends_the_old_ones_alert)
{
    struct said old = { .rows = { row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_LEAKING, 3) },
                        .count = 1,
                        .source = 1 };
    struct said next = { .rows = { row_of(OC_LIMIT_ADDRESS_SPACE, OC_FORECAST_FLAT, 0) },
                         .count = 1,
                         .source = 2 };

    go_on(&old, RIG_HOUR);
    go_on(&next, 5 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, CRITICAL)); /* it does not speak for the old one */
    tell_end(1, OC_END_RECYCLED, OC_KILLER_IIS, "time");
    go_on(&next, 10 * RIG_MINUTE);
    ck_assert(!rig_fires(&rig, FORECAST, CRITICAL));
    ck_assert(!rig_fires(&rig, FORECAST, WARN));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plan");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, stays_quiet_when_a_planned_end_comes_first);
    tcase_add_test(tests, alerts_when_the_limit_comes_before_the_planned_end);
    tcase_add_test(tests, a_limit_far_behind_the_planned_end_is_no_alert);
    tcase_add_test(tests, alerts_when_the_planned_end_is_put_off);
    tcase_add_test(tests, a_recycle_for_memory_is_a_warning);
    tcase_add_test(tests, the_wall_behind_a_recycle_is_shown_only);
    tcase_add_test(tests, a_wall_before_the_recycle_is_critical_and_says_so);
    tcase_add_test(tests, a_danger_line_is_never_critical);
    tcase_add_test(tests, a_worker_that_lives_beyond_the_line_is_no_alert);
    tcase_add_test(tests, the_wall_is_told_before_the_line);
    tcase_add_test(tests, exhausted_for_a_minute_is_an_alert_of_its_own);
    tcase_add_test(tests, a_moment_without_room_is_none);
    tcase_add_test(tests, recycled_lives_are_no_restart_loop);
    tcase_add_test(tests, crashed_lives_are_one);
    tcase_add_test(tests, a_recycled_life_resolves_what_it_was_about);
    tcase_add_test(tests, a_crash_with_no_block_left_is_a_death);
    tcase_add_test(tests, overlapping_lives_are_one_alert);
    tcase_add_test(tests, a_new_life_that_is_well_ends_the_old_ones_alert);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
