/* Weeks in a second: loads that leak and their twins that do not, as a store would have them. */
#include "forecast/forecast.h"
#include "made_load.h"
#include "sane.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define POOL_BYTES ((size_t)1 << 20)
#define HOUR_MS INT64_C(3600000)
#define EVERY_MS INT64_C(10000)
#define LIMIT (1024 * MADE_MIB)
#define TOP (1200 * MADE_MIB) /* of what falls: as much as there is */

/* MiB at a time; < 0: a restart. */
typedef double load_fn(double hours, uint64_t i);

static double noise(uint64_t i) { return 3 * made_noise(i, 11); }

static double daily(double hours, uint64_t i) { return 250 + 350 * made_day(hours) + noise(i); }

/* What is taken by day is given back at night, all but a little. */
static double daily_leak(double hours, uint64_t i) { return daily(hours, i) / 2 + hours * 5.5; }

static double warm_up(double hours, uint64_t i)
{
    return 120 + 500 * -expm1(-hours / 1.5) + noise(i);
}

static double late_leak(double hours, uint64_t i)
{
    return warm_up(hours, i) + (hours > 48 ? (hours - 48) * 6 : 0);
}

/* A collected heap: as soon as it is full three quarters are found to be garbage. */
static double sawtooth(double hours, uint64_t i)
{
    return 200 + 500 * fmod(hours * 7, 1) + noise(i);
}

static double rising_sawtooth(double hours, uint64_t i)
{
    return 200 + 200 * fmod(hours * 7, 1) + 5 * hours + noise(i);
}

static double big_step(double hours, uint64_t i) { return (hours < 30 ? 200 : 700) + noise(i); }

static double staircase(double hours, uint64_t i) { return 150 + 40 * floor(hours / 6) + noise(i); }

/* A pool that fills by and by as more is used at once than ever before, up to its size. */
static double pool_fills(double hours, uint64_t i)
{
    const double filled = 40 * floor(10 * sqrt(hours / 100));

    return 150 + (filled > 320 ? 320 : filled) + noise(i);
}

static double restarts(double hours, uint64_t i)
{
    const double life = fmod(hours, 24);

    return life < 0.01 ? -1 : 120 + 300 * -expm1(-life / 0.5) + noise(i);
}

static double flat(double hours, uint64_t i)
{
    (void)hours;
    return 300 + noise(i);
}

/* By a timer, and nothing else happens: not the least noise. */
static double plain_leak(double hours, uint64_t i)
{
    (void)i;
    return 100 + 8 * hours;
}

/* One after the other, of a few hundred: threads, descriptors. */
static double leak_by_the_piece(double hours, uint64_t i)
{
    (void)i;
    return 100 + 4 * floor(2 * hours);
}

static double slow_leak(double hours, uint64_t i) { return 100 + hours * 6 + noise(i); }

static const struct {
    const char *name;
    load_fn *load;
    int leaks;
} cases[] = {
    { "daily load", daily, 0 },
    { "small leak in a daily load", daily_leak, 1 },
    { "warm-up", warm_up, 0 },
    { "leak after two days", late_leak, 1 },
    { "sawtooth", sawtooth, 0 },
    { "sawtooth that rises", rising_sawtooth, 1 },
    { "one big step", big_step, 0 },
    { "staircase", staircase, 1 },
    { "pool that fills", pool_fills, 0 },
    { "restarts", restarts, 0 },
    { "flat", flat, 0 },
    { "slow leak", slow_leak, 1 },
    { "plain leak", plain_leak, 1 },
    { "leak by the piece", leak_by_the_piece, 1 },
};
#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

struct outcome {
    double end_h;     /* the limit was met; INFINITY: not within a week */
    double leaking_h; /* LEAKING stands since; NAN: it does not */
    double first_h;   /* LEAKING was said first */
    unsigned raised;
    unsigned intervals, inside;
};

/* The interval that is said at a time; it is judged once the end is known. */
struct said {
    double hours, low_h, high_h;
};

static void note(const oc_series *series, double hours, struct said *out_said)
{
    struct oc_forecast forecast;

    oc_series_forecast(series, 0, &forecast);
    assert_sane(&forecast);
    *out_said = (struct said){ hours, forecast.p10_s / 3600, forecast.p90_s / 3600 };
}

static void judge(const struct said *said, size_t count, struct outcome *outcome)
{
    for (size_t i = 0; i < count; i++) {
        const double left_h = outcome->end_h - said[i].hours;

        if (said[i].hours < outcome->end_h / 4 || said[i].hours > outcome->end_h * 3 / 4 ||
            !isfinite(said[i].low_h))
            continue;
        outcome->intervals++;
        outcome->inside += left_h >= said[i].low_h && left_h <= said[i].high_h;
    }
}

/* What falls is the same, taken from TOP: memory that is left. */
static struct outcome run(load_fn *load, int falls)
{
    const struct oc_series_options options = { .falls = falls, .scale = falls ? TOP : 0 };
    static struct said said[1000];
    oc_forecast_pool *pool = oc_forecast_pool_new(POOL_BYTES, NULL);
    struct outcome outcome = { .end_h = (double)INFINITY, .leaking_h = (double)NAN };
    oc_series *series = NULL;
    size_t count = 0;

    ck_assert_int_eq(oc_series_new(pool, &options, &series), OC_OK);
    oc_series_limit(series, 0, falls ? TOP - LIMIT : LIMIT);
    for (uint64_t i = 0; i < 7 * 24 * 360; i++) {
        const double hours = (double)i / 360, value = load(hours, i) * MADE_MIB;
        const int is_leaking = oc_series_state(series, 0) == OC_FORECAST_LEAKING;

        if (value >= LIMIT) {
            outcome.end_h = hours;
            break;
        }
        if (value < 0) {
            oc_series_restart(series, OC_LIFE_PLANNED);
            continue;
        }
        oc_series_feed(series, (int64_t)i * EVERY_MS, made_pages(falls ? TOP - value : value));
        if (is_leaking != (oc_series_state(series, 0) == OC_FORECAST_LEAKING)) {
            if (!is_leaking && outcome.raised++ == 0)
                outcome.first_h = hours;
            outcome.leaking_h = is_leaking ? (double)NAN : hours;
        }
        if (i % 360 == 0 && count < 1000)
            note(series, hours, &said[count++]);
    }
    judge(said, count, &outcome);
    oc_forecast_pool_free(pool);
    return outcome;
}

START_TEST(a_week_of_it_is_told_right)
{
    const int falls = _i >= CASES;
    const struct outcome outcome = run(cases[_i % CASES].load, falls);

    if (!cases[_i % CASES].leaks) {
        ck_assert_msg(isinf(outcome.end_h), "%s: it meets its limit", cases[_i % CASES].name);
        ck_assert_msg(outcome.raised == 0, "%s: leaking was said %u times, first at %.1f h",
                      cases[_i % CASES].name, outcome.raised, outcome.first_h);
        return;
    }
    ck_assert_msg(isfinite(outcome.end_h), "%s: it does not meet its limit",
                  cases[_i % CASES].name);
    ck_assert_msg(outcome.leaking_h < outcome.end_h * 0.95,
                  "%s: ends after %.1f h, leaking was said at %.1f h", cases[_i % CASES].name,
                  outcome.end_h, outcome.leaking_h);
    printf("%s%s: ends after %.1f h, said at %.1f h, %u of %u intervals held it\n",
           cases[_i % CASES].name, falls ? ", falling" : "", outcome.end_h, outcome.leaking_h,
           outcome.inside, outcome.intervals);
}
END_TEST

/* 80 % are meant to; of so few shapes, a little less is chance. */
START_TEST(ends_come_inside_what_was_said)
{
    unsigned intervals = 0, inside = 0;

    for (int i = 0; i < CASES; i++) {
        if (cases[i].leaks) {
            const struct outcome outcome = run(cases[i].load, 0);

            intervals += outcome.intervals;
            inside += outcome.inside;
        }
    }
    ck_assert_uint_gt(intervals, 100);
    ck_assert_msg(inside * 100 >= intervals * 65, "%u of %u", inside, intervals);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shapes");
    TCase *tcase = tcase_create("shapes");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tcase, a_week_of_it_is_told_right, 0, 2 * CASES);
    tcase_add_test(tcase, ends_come_inside_what_was_said);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
