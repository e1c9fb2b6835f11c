#include "made.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/chunk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { N = 777 };
static oc_codec *codec;
static int64_t times[OC_CHUNK_MAX_SAMPLES], values[64][OC_CHUNK_MAX_SAMPLES];
static uint8_t known[64][OC_CHUNK_MAX_SAMPLES];

static void setup(void) { ck_assert_ptr_nonnull(codec = oc_codec_new()); }
static void teardown(void) { oc_codec_free(codec); }

static void make_times(unsigned count, int64_t step)
{
    for (unsigned i = 0; i < count; i++)
        times[i] = 1000000 + (int64_t)i * step;
}

/* Opens blobs' data and holds column against want. */
static void expect_column(const struct oc_chunk *chunk, unsigned number, const int64_t *want,
                          const uint8_t *want_known)
{
    static int64_t got[OC_CHUNK_MAX_SAMPLES];
    static uint8_t got_known[OC_CHUNK_MAX_SAMPLES];
    int column = oc_chunk_find(chunk, number, OC_ROLE_VALUE);

    ck_assert_int_ge(column, 0);
    ck_assert_int_ge(oc_chunk_values(chunk, (unsigned)column, got, got_known), 0);
    for (unsigned i = 0; i < chunk->sample_count; i++) {
        ck_assert_int_eq(got_known[i], want_known ? want_known[i] : 1);
        if (got_known[i])
            ck_assert_int_eq(got[i], want[i]);
    }
}

START_TEST(any_values_come_back)
{
    uint64_t seed = (uint64_t)_i + 1;
    unsigned count = 1 + (unsigned)(made_u64(&seed) % N), columns = 1 + (unsigned)_i % 20;
    struct oc_chunk_blobs blobs;
    struct oc_chunk chunk;
    static int64_t back[OC_CHUNK_MAX_SAMPLES];

    make_times(count, 1 + (int64_t)(made_u64(&seed) % 100000));
    ck_assert_int_eq(oc_chunk_begin(codec, times, count), 0);
    for (unsigned c = 0; c < columns; c++) {
        unsigned shape = (unsigned)(made_u64(&seed) % 5);
        int64_t value = made_i64(&seed);

        for (unsigned i = 0; i < count; i++) {
            uint64_t dice = made_u64(&seed);

            if (shape == 0)
                value = made_i64(&seed);
            else if (shape == 1)
                value = (int64_t)((uint64_t)value + 4096 * (dice % 7 == 0 ? dice % 1000 : 0));
            else if (shape == 2)
                value = (int64_t)((uint64_t)value + 250);
            else if (shape == 3)
                value = dice % 2 ? INT64_MIN : INT64_MAX;
            values[c][i] = value;
            known[c][i] = c % 3 != 1 || made_u64(&seed) % 10 != 0;
        }
        ck_assert_int_eq(oc_chunk_add(codec, OC_COLUMN_ID(c + 1, OC_ROLE_VALUE), values[c],
                                      c % 3 ? known[c] : NULL),
                         0);
    }
    ck_assert_int_eq(oc_chunk_end(codec, &blobs), 0);
    ck_assert_int_eq(oc_chunk_open(codec, blobs.data, blobs.data_bytes, &chunk), 0);
    ck_assert_uint_eq(chunk.sample_count, count);
    ck_assert_int_eq(oc_chunk_times(&chunk, back), 0);
    ck_assert_mem_eq(back, times, count * sizeof *times);
    for (unsigned c = 0; c < columns; c++)
        if (oc_chunk_find(&chunk, c + 1, OC_ROLE_VALUE) >= 0)
            expect_column(&chunk, c + 1, values[c], c % 3 ? known[c] : NULL);
}
END_TEST

START_TEST(column_of_nothing_known_is_left_out)
{
    struct oc_chunk_blobs blobs;
    struct oc_chunk chunk;

    make_times(10, 1000);
    memset(known[0], 0, 10);
    ck_assert_int_eq(oc_chunk_begin(codec, times, 10), 0);
    ck_assert_int_eq(oc_chunk_add(codec, OC_COLUMN_ID(1, 0), values[0], known[0]), 0);
    ck_assert_int_eq(oc_chunk_end(codec, &blobs), 0);
    ck_assert_int_eq(oc_chunk_open(codec, blobs.data, blobs.data_bytes, &chunk), 0);
    ck_assert_uint_eq(chunk.column_count, 0);
}
END_TEST

START_TEST(idle_process_takes_next_to_nothing)
{
    struct oc_chunk_blobs blobs;

    make_times(512, 10000);
    for (unsigned i = 0; i < 512; i++)
        values[0][i] = 123 * 4096;
    ck_assert_int_eq(oc_chunk_begin(codec, times, 512), 0);
    for (unsigned c = 1; c <= 16; c++)
        ck_assert_int_eq(oc_chunk_add(codec, OC_COLUMN_ID(c, 0), values[0], NULL), 0);
    ck_assert_int_eq(oc_chunk_end(codec, &blobs), 0);
    ck_assert_uint_lt(blobs.data_bytes, 80);
}
END_TEST

static void expect_summary(const struct oc_summary *want, uint64_t sample_count)
{
    struct oc_chunk_blobs blobs;
    struct oc_summary got;

    make_times(1, 1);
    ck_assert_int_eq(oc_chunk_begin(codec, times, 1), 0);
    ck_assert_int_eq(oc_chunk_summarize(codec, want, sample_count), 0);
    ck_assert_int_eq(oc_chunk_end(codec, &blobs), 0);
    ck_assert_int_eq(oc_summary_read(blobs.summary, blobs.summary_bytes, sample_count, &got, 1), 1);
    ck_assert_uint_eq(got.number, want->number);
    ck_assert_uint_eq(got.count, want->count);
    if (!want->count)
        return;
    ck_assert_int_eq(got.min, want->min);
    ck_assert_int_eq(got.max, want->max);
    ck_assert_int_eq(got.first, want->first);
    ck_assert_int_eq(got.last, want->last);
    ck_assert_double_eq_tol(got.sum, want->sum, 1e-12 * (want->sum < 0 ? -want->sum : want->sum));
}

START_TEST(summary_of_any_values_comes_back)
{
    uint64_t seed = (uint64_t)_i * 77 + 5;
    struct oc_summary sum;
    unsigned count = 1 + (unsigned)(made_u64(&seed) % N);

    for (unsigned i = 0; i < count; i++) {
        values[0][i] = _i % 3 == 0   ? made_i64(&seed)
                       : _i % 3 == 1 ? (int64_t)(made_u64(&seed) % 100000) * 4096
                                     : -4096 * (int64_t)(made_u64(&seed) % 9);
        known[0][i] = made_u64(&seed) % 3 != 0;
    }
    oc_summary_of(3, values[0], _i % 2 ? known[0] : NULL, count, &sum);
    expect_summary(&sum, count);
}
END_TEST

START_TEST(summary_says_count_min_max_first_last_sum)
{
    struct oc_summary sum;
    int64_t some[] = { 5, 9, 1, 7 };

    oc_summary_of(9, some, NULL, 4, &sum);
    ck_assert_uint_eq(sum.count, 4);
    ck_assert_int_eq(sum.min, 1);
    ck_assert_int_eq(sum.max, 9);
    ck_assert_int_eq(sum.first, 5);
    ck_assert_int_eq(sum.last, 7);
    ck_assert_double_eq(sum.sum, 22);
}
END_TEST

START_TEST(damaged_chunks_are_refused_or_harmless)
{
    struct oc_chunk_blobs blobs;
    struct oc_chunk chunk;
    uint64_t seed = 3;
    static uint8_t copy[1 << 16];
    static int64_t out[OC_CHUNK_MAX_SAMPLES];
    static uint8_t out_known[OC_CHUNK_MAX_SAMPLES];

    make_times(100, 1000);
    ck_assert_int_eq(oc_chunk_begin(codec, times, 100), 0);
    for (unsigned c = 1; c < 6; c++) {
        for (unsigned i = 0; i < 100; i++) {
            values[c][i] = (int64_t)(made_u64(&seed) % 3 * 4096);
            known[c][i] = made_u64(&seed) % 4 != 0;
        }
        ck_assert_int_eq(oc_chunk_add(codec, OC_COLUMN_ID(c, 0), values[c], known[c]), 0);
    }
    ck_assert_int_eq(oc_chunk_end(codec, &blobs), 0);
    for (int round = 0; round < 3000; round++) {
        size_t bytes = blobs.data_bytes;

        memcpy(copy, blobs.data, bytes);
        for (int k = 0; k < 1 + round % 3; k++)
            copy[made_u64(&seed) % bytes] ^= (uint8_t)(1u << made_u64(&seed) % 8);
        if (round % 5 == 0)
            bytes = made_u64(&seed) % bytes;
        if (oc_chunk_open(codec, copy, bytes, &chunk) < 0)
            continue;
        (void)oc_chunk_times(&chunk, out);
        for (unsigned c = 0; c < chunk.column_count; c++)
            (void)oc_chunk_values(&chunk, c, out, out_known);
    }
}
END_TEST

START_TEST(newer_version_is_told_from_damage)
{
    struct oc_chunk chunk;
    struct oc_summary sum;

    ck_assert_int_eq(oc_chunk_open(codec, "\x02\x00\x01", 3, &chunk), OC_E_NEWER);
    ck_assert_int_eq(oc_summary_read("\x02\x00", 2, 1, &sum, 1), OC_E_NEWER);
    ck_assert_int_eq(oc_chunk_open(codec, "\x01", 1, &chunk), OC_E_PARSE);
}
END_TEST

static int write_one(struct oc_chunk *out_chunk)
{
    struct oc_chunk_blobs blobs;
    oc_codec *fresh = oc_codec_new();
    int rc = fresh ? OC_OK : OC_E_NOMEM;

    if (rc == OC_OK)
        rc = oc_chunk_begin(fresh, times, 200);
    for (unsigned c = 1; c < 9 && rc == OC_OK; c++)
        rc = oc_chunk_add(fresh, OC_COLUMN_ID(c, 0), values[c], known[c]);
    if (rc == OC_OK)
        rc = oc_chunk_end(fresh, &blobs);
    if (rc == OC_OK)
        rc = oc_chunk_open(fresh, blobs.data, blobs.data_bytes, out_chunk);
    oc_codec_free(fresh);
    return rc;
}

START_TEST(short_memory_is_an_error_and_leaks_nothing)
{
    uint64_t seed = 8, total;
    struct oc_chunk chunk;
    int64_t live = oc_alloc_live();

    make_times(200, 1000);
    for (unsigned c = 1; c < 9; c++)
        for (unsigned i = 0; i < 200; i++) {
            values[c][i] = (int64_t)(made_u64(&seed) % 50);
            known[c][i] = i % 7 != 0;
        }
    oc_alloc_fail_at(0, 0);
    ck_assert_int_eq(write_one(&chunk), 0);
    total = oc_alloc_count();
    ck_assert_uint_gt(total, 3);
    for (uint64_t nth = 1; nth <= total; nth++) {
        int rc;

        oc_alloc_fail_at(nth, 0);
        rc = write_one(&chunk);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == 0 || rc == OC_E_NOMEM);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chunk");
    TCase *tests = tcase_create("chunk");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, any_values_come_back, 0, 200);
    tcase_add_test(tests, column_of_nothing_known_is_left_out);
    tcase_add_test(tests, idle_process_takes_next_to_nothing);
    tcase_add_loop_test(tests, summary_of_any_values_comes_back, 0, 60);
    tcase_add_test(tests, summary_says_count_min_max_first_last_sum);
    tcase_add_test(tests, damaged_chunks_are_refused_or_harmless);
    tcase_add_test(tests, newer_version_is_told_from_damage);
    tcase_add_test(tests, short_memory_is_an_error_and_leaks_nothing);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
