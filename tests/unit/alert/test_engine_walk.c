/* Whatever comes in whatever order: each change follows on the one before it, and nothing is left behind. */
#include "engine_rig.h"

#include "base/alloc.h"
#include "tests/support/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SUBJECTS 6
#define KNOWN 256
#define STEPS 40000

/* What was said last of each fingerprint. */
struct seen {
    uint64_t fingerprint, episode;
    uint8_t state;
};
struct walk {
    oc_alerts *alerts;
    int64_t now_ms;
    uint64_t seed, highest_episode, changes;
    uint32_t subjects[SUBJECTS];
    struct seen seen[KNOWN];
    size_t seen_count;
};
static struct walk walk;

static uint32_t chance(uint32_t of)
{
    walk.seed = walk.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(walk.seed >> 33) % of;
}

static struct seen *seen_of(uint64_t fingerprint)
{
    for (size_t i = 0; i < walk.seen_count; i++) {
        if (walk.seen[i].fingerprint == fingerprint)
            return &walk.seen[i];
    }
    ck_assert_uint_lt(walk.seen_count, KNOWN);
    walk.seen[walk.seen_count].fingerprint = fingerprint;
    return &walk.seen[walk.seen_count++];
}

static int may_follow(unsigned from, unsigned to)
{
    if (from == OC_ALERT_INACTIVE)
        return to == OC_ALERT_PENDING || to == OC_ALERT_FIRING;
    if (from == OC_ALERT_PENDING) /* acknowledged while it is pending: the same */
        return to == OC_ALERT_FIRING || to == OC_ALERT_INACTIVE || to == OC_ALERT_PENDING;
    return from == OC_ALERT_FIRING &&
           (to == OC_ALERT_FIRING || to == OC_ALERT_RESOLVED || to == OC_ALERT_DIED);
}

static void hear(const struct oc_alert_change *change, void *context)
{
    const struct oc_alert *alert = change->alert;
    struct seen *seen = seen_of(alert->fingerprint);
    int was_over = seen->state == OC_ALERT_RESOLVED || seen->state == OC_ALERT_DIED;

    (void)context;
    ck_assert_uint_eq(change->from, was_over ? OC_ALERT_INACTIVE : seen->state);
    ck_assert_msg(may_follow(change->from, alert->state), "%u to %u", change->from, alert->state);
    if (change->from == OC_ALERT_INACTIVE)
        ck_assert_uint_gt(alert->episode, walk.highest_episode);
    else
        ck_assert_uint_eq(alert->episode, seen->episode);
    ck_assert(change->is_news ||
              (alert->state != OC_ALERT_RESOLVED && alert->state != OC_ALERT_DIED));
    ck_assert_uint_gt(strlen(change->why.reason), 0);
    ck_assert_uint_eq(change->why.mutes, alert->mutes);
    if (alert->state == OC_ALERT_FIRING)
        ck_assert_int_ge(alert->firing_unix_ms, alert->pending_unix_ms);
    if (alert->episode > walk.highest_episode)
        walk.highest_episode = alert->episode;
    seen->state = alert->state;
    seen->episode = alert->episode;
    walk.changes++;
}

static void name_of(unsigned i, char out[32])
{
    static const char *const names[] = { "host", "oomcastd" };

    if (i < 2)
        (void)snprintf(out, 32, "%s", names[i]);
    else
        (void)snprintf(out, 32, "unit:job-%u.service", i);
}

static uint32_t any_subject(void)
{
    unsigned i = chance(SUBJECTS);
    char name[32];

    name_of(i, name);
    walk.subjects[i] =
        oc_alerts_subject(walk.alerts, name, i == 0 ? OC_SOURCE_HOST : OC_SOURCE_PROCESS);
    return walk.subjects[i];
}

/* ---- steps ---- */

static void step_forecast(void)
{
    static const uint8_t kinds[] = { 0,
                                     OC_LIMIT_CGROUP_MAX,
                                     OC_LIMIT_CGROUP_HIGH,
                                     OC_LIMIT_RLIMIT_AS,
                                     OC_LIMIT_HOST_MEMORY,
                                     OC_LIMIT_ADDRESS_SPACE,
                                     OC_LIMIT_IIS_PRIVATE_MEMORY,
                                     OC_LIMIT_DANGER_VIRTUAL,
                                     OC_LIMIT_USER };
    struct rig rig = { .now_ms = walk.now_ms };
    struct oc_forecast_row rows[3];
    uint32_t subject = any_subject(), source = 1 + chance(3);
    struct oc_alert_outlook outlook = { .source = source, .pid = source, .rows = rows };
    size_t count = chance(4);

    for (size_t i = 0; i < count; i++) {
        rows[i] = rig_row(&rig, chance(OC_FORECAST_STATES), (double)(1 + chance(60)));
        rows[i].limit.kind = kinds[chance(sizeof(kinds))];
    }
    outlook.planned_ms = chance(3) ? 0 : walk.now_ms + RIG_HOUR * (1 + chance(40));
    outlook.count = count;
    oc_alerts_forecasts(walk.alerts, subject, &outlook, walk.now_ms);
}

static void step_sample(void)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_RSS, chance(2000));
    oc_sample_set(&sample, OC_METRIC_THREADS, chance(2000));
    oc_alerts_sample(walk.alerts, any_subject(), 1 + chance(3), 0, &sample, walk.now_ms);
}

static void step_event(void)
{
    static const char *const texts[] = { NULL, "late", "full" };
    struct oc_alert_event event = {
        .kind = (enum oc_alert_event_kind)chance(OC_ALERT_EVENT_HEAP_CAP + 1),
        .source = chance(4),
        .pid = chance(4),
        .end = (enum oc_end)chance(OC_END_UNWATCHED + 1),
        .status = (int)chance(16),
        .killer = (enum oc_killer)(chance(4) ? 0 : chance(3)),
        .value = chance(2) ? 5e9 : (double)NAN,
        .bound = 4e9,
        .text = texts[chance(3)],
    };

    oc_alerts_event(walk.alerts, any_subject(), &event, walk.now_ms);
}

static void step_silence(void)
{
    struct oc_silence silence = { .begin_unix_ms = walk.now_ms + chance(600000),
                                  .matcher_count = 1,
                                  .matchers = { { "severity", "warning", (int)chance(2) } } };
    size_t count = 0;
    const struct oc_silence *silences = oc_alerts_silences(walk.alerts, &count);

    silence.end_unix_ms = silence.begin_unix_ms + 1 + chance(3600000);
    if (count > 4)
        (void)oc_alerts_unsilence(walk.alerts, silences[chance((uint32_t)count)].id, walk.now_ms);
    else
        ck_assert_int_eq(oc_alerts_silence(walk.alerts, &silence, walk.now_ms), OC_OK);
}

static void use_rules(void)
{
    struct oc_rule more[] = {
        { .name = "TooMuch",
          .kind = OC_RULE_THRESHOLD,
          .severity = OC_SEVERITY_WARN,
          .metric = OC_METRIC_RSS,
          .enter = 1000,
          .clear = 500,
          .for_ms = 60000 },
        { .name = "TooMuch",
          .kind = OC_RULE_THRESHOLD,
          .severity = OC_SEVERITY_CRITICAL,
          .metric = OC_METRIC_RSS,
          .enter = 1500,
          .clear = (double)NAN },
        { .name = "Grows",
          .kind = OC_RULE_GROWTH,
          .severity = OC_SEVERITY_WARN,
          .metric = OC_METRIC_THREADS,
          .enter = 100,
          .clear = 50,
          .window_ms = 600000 },
    };
    struct oc_rules rules = { 0 };
    const struct oc_rules others = { more, 3 };

    ck_assert_int_eq(oc_rules_default(&rules), OC_OK);
    if (chance(2))
        rules.items[chance((uint32_t)rules.count)].is_off = 1;
    ck_assert_int_eq(oc_alerts_set_rules(walk.alerts, chance(3) ? &rules : &others, walk.now_ms),
                     OC_OK);
    oc_rules_clear(&rules);
}

static void step_rare(void)
{
    struct oc_window window = { .begin_minute = (int32_t)chance(1440),
                                .duration_ms = 3600000,
                                .is_restart = (uint8_t)chance(2) };
    const struct oc_windows windows = { &window, 1 };
    int64_t delta_ms = (int64_t)chance(7200000) - 3600000;

    switch (chance(5)) {
    case 0:
        use_rules();
        break;
    case 1:
        ck_assert_int_eq(oc_alerts_set_windows(walk.alerts, &windows, walk.now_ms), OC_OK);
        break;
    case 2:
        oc_alerts_clock(walk.alerts, delta_ms);
        walk.now_ms += delta_ms;
        break;
    case 3:
        (void)oc_alerts_ack(walk.alerts, 0, chance(2) ? NULL : "job-2*", walk.now_ms);
        break;
    default:
        oc_alerts_forget(walk.alerts, any_subject(), walk.now_ms);
        break;
    }
}

static void step(void)
{
    unsigned which = chance(100);

    if (which < 50)
        step_forecast();
    else if (which < 75)
        step_sample();
    else if (which < 95)
        step_event();
    else if (which < 98)
        step_silence();
    else
        step_rare();
    walk.now_ms += chance(4) ? chance(60000) : chance(1800000);
    if (chance(2))
        ck_assert_int_gt(oc_alerts_tick(walk.alerts, walk.now_ms), walk.now_ms);
}

static int count_one(const struct oc_alert *alert, void *context)
{
    const struct seen *seen = seen_of(alert->fingerprint);

    ck_assert_uint_eq(seen->state, alert->state);
    ++*(unsigned *)context;
    return 0;
}

START_TEST(each_change_follows_on_the_one_before)
{
    const struct oc_alerts_options options = { .instance = "host1" };
    int64_t live = oc_alloc_live();
    unsigned count = 0;
    struct oc_alerts_stats stats;

    memset(&walk, 0, sizeof(walk));
    walk.seed = (uint64_t)_i * 77 + 1;
    walk.now_ms = RIG_BEGIN;
    ck_assert_int_eq(oc_alerts_new(&options, hear, NULL, &walk.alerts), OC_OK);
    use_rules();
    for (int i = 0; i < STEPS; i++)
        step();
    (void)oc_alerts_each(walk.alerts, count_one, &count);
    oc_alerts_stats(walk.alerts, &stats);
    ck_assert_uint_eq(count, stats.pending + stats.firing);
    ck_assert_uint_eq(stats.changes, walk.changes);
    ck_assert_uint_eq(stats.refused, 0);
    oc_alerts_free(walk.alerts);
    ck_assert_int_eq(oc_alloc_live(), live);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("walk");
    TCase *tcase = tcase_create("walk");
    SRunner *runner = NULL;
    int failed = 0;

    (void)set_local_time("Europe/Berlin");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_change_follows_on_the_one_before, 0, 6);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
