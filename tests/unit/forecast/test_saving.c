/* A series that is saved and loaded at any point goes on as one that never was; damage is told. */
#include "forecast/forecast.h"
#include "made_load.h"
#include "sane.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define POOL_BYTES ((size_t)1 << 20)
#define STEP_MS 10000
#define SAMPLES 3000
#define LIMIT (1000 * MADE_MIB)

struct blob {
    uint8_t bytes[OC_SERIES_BLOB_BYTES];
    size_t len;
};

static oc_forecast_pool *pool, *other;

static void begin(void)
{
    pool = oc_forecast_pool_new(POOL_BYTES, NULL);
    other = oc_forecast_pool_new(POOL_BYTES, NULL);
    ck_assert(pool && other);
}

static void end(void)
{
    oc_forecast_pool_free(pool);
    oc_forecast_pool_free(other);
}

/* ---- what is fed ---- */

static void feed_flat(oc_series *series, int i)
{
    oc_series_feed(series, (int64_t)i * STEP_MS,
                   made_pages((100 + made_noise((uint64_t)i, 1)) * MADE_MIB));
}

static void feed_leak(oc_series *series, int i)
{
    oc_series_feed(series, (int64_t)i * STEP_MS,
                   made_pages((100 + 0.25 * i + 5 * made_noise((uint64_t)i, 2)) * MADE_MIB));
}

static void feed_sawtooth(oc_series *series, int i)
{
    oc_series_feed(series, (int64_t)i * STEP_MS,
                   made_pages((100 + i % 40 * 3 + 0.1 * i) * MADE_MIB));
}

/* Restarts, pauses, a limit that moves, minutes in place of samples, a rebase, no numbers. */
static void feed_all_sorts(oc_series *series, int i)
{
    const int64_t t_ms = (int64_t)i * STEP_MS + i / 500 * INT64_C(7200000);
    const double value =
        made_pages((50 + i % 700 * 0.3 + 4 * made_noise((uint64_t)i, 3)) * MADE_MIB);

    if (i % 700 == 699)
        oc_series_restart(series, i % 1400 == 699 ? OC_LIFE_PLANNED : OC_LIFE_KILLED);
    if (i % 900 == 450)
        oc_series_limit(series, 0, (800 + i % 5 * 100) * MADE_MIB);
    if (i == 1000)
        oc_series_rebase(series, 20 * MADE_MIB);
    if (i % 97 == 0)
        oc_series_feed(series, t_ms, (double)NAN);
    if (i % 6 == 0 && i > 1500)
        oc_series_feed_range(series, t_ms, value - MADE_MIB, value + MADE_MIB, value, 6);
    else
        oc_series_feed(series, t_ms, value);
}

/* Days, so that what is kept of the same time yesterday is in it too. */
static void feed_days(oc_series *series, int i)
{
    oc_series_feed(series, (int64_t)i * 300000,
                   made_pages((100 + 200 * made_day(i / 12.0)) * MADE_MIB));
}

static void (*const shapes[])(oc_series *series, int i) = { feed_flat, feed_leak, feed_sawtooth,
                                                            feed_all_sorts, feed_days };
#define SHAPES ((int)(sizeof(shapes) / sizeof(shapes[0])))

static oc_series *new_series(oc_forecast_pool *in)
{
    oc_series *series = NULL;

    ck_assert_int_eq(oc_series_new(in, &(struct oc_series_options){ .metric = 1 }, &series), OC_OK);
    oc_series_limit(series, 0, LIMIT);
    oc_series_limit(series, 2, 3 * LIMIT);
    return series;
}

static oc_series *made(int shape, int samples)
{
    oc_series *series = new_series(pool);

    for (int i = 0; i < samples; i++)
        shapes[shape](series, i);
    return series;
}

static void save(const oc_series *series, struct blob *out_blob)
{
    memset(out_blob, 0xaa, sizeof(*out_blob));
    out_blob->len = oc_series_save(series, out_blob->bytes);
    ck_assert_uint_gt(out_blob->len, 0);
    ck_assert_uint_le(out_blob->len, sizeof(out_blob->bytes));
}

static void assert_same_bits(const oc_series *a, const oc_series *b, int i)
{
    static struct blob x, y;

    save(a, &x);
    save(b, &y);
    ck_assert_msg(x.len == y.len && memcmp(x.bytes, y.bytes, x.len) == 0, "other bits at sample %d",
                  i);
}

/* NAN is the same as NAN. */
static uint64_t bits(double value)
{
    uint64_t same = 0;

    memcpy(&same, &value, sizeof(same));
    return same;
}

static void assert_same_forecast(const oc_series *a, const oc_series *b, unsigned slot)
{
    struct oc_forecast x, y;

    oc_series_forecast(a, slot, &x);
    oc_series_forecast(b, slot, &y);
    ck_assert_uint_eq(x.state, y.state);
    ck_assert_uint_eq(x.samples, y.samples);
    ck_assert_int_eq(x.since_ms, y.since_ms);
    ck_assert_int_eq(x.t_ms, y.t_ms);
    ck_assert(bits(x.value) == bits(y.value) && bits(x.limit) == bits(y.limit));
    ck_assert(bits(x.growth_per_h) == bits(y.growth_per_h));
    ck_assert(bits(x.growth_error_per_h) == bits(y.growth_error_per_h));
    ck_assert(bits(x.chance) == bits(y.chance));
    ck_assert(bits(x.p10_s) == bits(y.p10_s) && bits(x.p50_s) == bits(y.p50_s));
    ck_assert(bits(x.p90_s) == bits(y.p90_s) && bits(x.saved_life_s) == bits(y.saved_life_s));
}

/* ---- going on ---- */

START_TEST(a_loaded_series_goes_on_with_the_same_bits)
{
    const int shape = _i % SHAPES, stop = 1 + _i / SHAPES * 173; /* at 1, 174, 347 … samples */
    static struct blob blob;
    oc_series *whole = made(shape, stop), *loaded = NULL;

    save(whole, &blob);
    ck_assert_int_eq(oc_series_load(other, blob.bytes, blob.len, &loaded), OC_OK);
    assert_same_bits(whole, loaded, stop);
    ck_assert_int_eq(oc_series_last_ms(loaded), oc_series_last_ms(whole));
    for (int i = stop; i < stop + 900; i++) {
        shapes[shape](whole, i);
        shapes[shape](loaded, i);
        if (i % 10 == 0) {
            assert_same_forecast(whole, loaded, 0);
            assert_same_forecast(whole, loaded, OC_SERIES_LIMITS);
        }
        if (i % 50 == 0)
            assert_same_bits(whole, loaded, i);
    }
    assert_same_bits(whole, loaded, stop + 900);
}
END_TEST

/* Saved and loaded at every single sample: what a daemon does that falls over again and again. */
START_TEST(loading_again_and_again_changes_nothing)
{
    static struct blob blob;
    oc_series *whole = new_series(pool), *loaded = new_series(other);

    for (int i = 0; i < SAMPLES; i++) {
        shapes[_i](whole, i);
        shapes[_i](loaded, i);
        if (i % 7 == 0) {
            save(loaded, &blob);
            oc_series_free(loaded);
            ck_assert_int_eq(oc_series_load(other, blob.bytes, blob.len, &loaded), OC_OK);
        }
    }
    assert_same_bits(whole, loaded, SAMPLES);
    assert_same_forecast(whole, loaded, 0);
}
END_TEST

START_TEST(saving_changes_nothing)
{
    static struct blob blob;
    oc_series *whole = made(_i, SAMPLES), *saved = new_series(other);

    for (int i = 0; i < SAMPLES; i++) {
        shapes[_i](saved, i);
        save(saved, &blob);
    }
    assert_same_bits(whole, saved, SAMPLES);
}
END_TEST

START_TEST(an_empty_series_is_saved_too)
{
    static struct blob blob;
    oc_series *empty = new_series(pool), *loaded = NULL;

    save(empty, &blob);
    ck_assert_int_eq(oc_series_load(other, blob.bytes, blob.len, &loaded), OC_OK);
    assert_same_bits(empty, loaded, 0);
    for (int i = 0; i < 500; i++) {
        feed_leak(empty, i);
        feed_leak(loaded, i);
    }
    assert_same_bits(empty, loaded, 500);
}
END_TEST

START_TEST(what_is_small_saves_small)
{
    static struct blob blob;

    save(made(0, SAMPLES), &blob);
    ck_assert_uint_le(blob.len, OC_SERIES_SMALL_BYTES + 64);
}
END_TEST

/* ---- damage ---- */

START_TEST(a_cut_blob_is_refused)
{
    static struct blob blob;
    oc_series *untouched = (oc_series *)&blob, *loaded = untouched;

    save(made(_i, SAMPLES), &blob);
    for (size_t len = 0; len < blob.len; len++) {
        ck_assert_int_lt(oc_series_load(other, blob.bytes, len, &loaded), 0);
        ck_assert_ptr_eq(loaded, untouched);
    }
}
END_TEST

START_TEST(a_changed_byte_is_noticed)
{
    static struct blob blob;
    oc_series *loaded = NULL;

    save(made(_i, SAMPLES), &blob);
    for (size_t at = 0; at < blob.len; at++) {
        int rc = 0;

        blob.bytes[at] ^= (uint8_t)(1u << at % 8);
        rc = oc_series_load(other, blob.bytes, blob.len, &loaded);
        ck_assert_msg(rc == OC_E_PARSE || rc == OC_E_NEWER, "byte %zu: %d", at, rc);
        blob.bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    ck_assert_ptr_null(loaded);
    ck_assert_int_eq(oc_series_load(other, blob.bytes, blob.len, &loaded), OC_OK);
}
END_TEST

START_TEST(a_full_pool_refuses_to_load)
{
    static struct blob blob;
    oc_forecast_pool *tiny = oc_forecast_pool_new(OC_SERIES_SMALL_BYTES / 2, NULL);
    oc_series *loaded = NULL;

    save(made(1, SAMPLES), &blob);
    ck_assert_int_eq(oc_series_load(tiny, blob.bytes, blob.len, &loaded), OC_E_TOOBIG);
    ck_assert_ptr_null(loaded);
    oc_forecast_pool_free(tiny);
}
END_TEST

/* ---- priors ---- */

static struct oc_prior taught(void)
{
    struct oc_prior prior = { 0 };

    oc_series_teach(made(1, SAMPLES), OC_LIFE_KILLED, &prior);
    return prior;
}

START_TEST(a_prior_is_kept_whole)
{
    const struct oc_prior prior = taught();
    struct oc_prior loaded = { 0 };
    uint8_t blob[OC_PRIOR_BLOB_BYTES], again[OC_PRIOR_BLOB_BYTES];

    ck_assert(prior.lives > 0);
    ck_assert_uint_eq(oc_prior_save(&prior, blob), sizeof(blob));
    ck_assert_int_eq(oc_prior_load(blob, sizeof(blob), &loaded), OC_OK);
    (void)oc_prior_save(&loaded, again);
    ck_assert(memcmp(blob, again, sizeof(blob)) == 0);
    ck_assert(loaded.lives >= prior.lives && loaded.leaks >= prior.leaks);
}
END_TEST

START_TEST(a_damaged_prior_is_refused)
{
    const struct oc_prior prior = taught();
    struct oc_prior loaded = { .lives = 7 };
    uint8_t blob[OC_PRIOR_BLOB_BYTES];

    (void)oc_prior_save(&prior, blob);
    for (size_t len = 0; len < sizeof(blob); len++)
        ck_assert_int_eq(oc_prior_load(blob, len, &loaded), OC_E_PARSE);
    for (size_t at = 0; at < sizeof(blob); at++) {
        blob[at] ^= (uint8_t)(1u << at % 8);
        ck_assert_msg(oc_prior_load(blob, sizeof(blob), &loaded) == OC_E_PARSE, "byte %zu", at);
        blob[at] ^= (uint8_t)(1u << at % 8);
    }
    ck_assert(loaded.lives >= 7 && loaded.lives <= 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("saving");
    TCase *tcase = tcase_create("saving");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_loaded_series_goes_on_with_the_same_bits, 0, 18 * SHAPES);
    tcase_add_loop_test(tcase, loading_again_and_again_changes_nothing, 0, SHAPES);
    tcase_add_loop_test(tcase, saving_changes_nothing, 0, SHAPES);
    tcase_add_test(tcase, an_empty_series_is_saved_too);
    tcase_add_test(tcase, what_is_small_saves_small);
    tcase_add_loop_test(tcase, a_cut_blob_is_refused, 0, SHAPES);
    tcase_add_loop_test(tcase, a_changed_byte_is_noticed, 0, SHAPES);
    tcase_add_test(tcase, a_full_pool_refuses_to_load);
    tcase_add_test(tcase, a_prior_is_kept_whole);
    tcase_add_test(tcase, a_damaged_prior_is_refused);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
