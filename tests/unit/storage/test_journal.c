#include "made.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/chunk_codec.h"
#include "storage/format/journal.h"
#include "storage/tick.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES = 40, TICKS = 50 };

/* ---- deltas ---- */

static void random_sample(uint64_t *seed, struct oc_sample *sample)
{
    uint64_t dice = made_u64(seed);

    if (dice % 4 == 0)
        sample->known = made_u64(seed) & (dice % 8 ? 0xffff : UINT64_MAX);
    for (unsigned bit = 0; bit < 64; bit++) {
        if (made_u64(seed) % 3 == 0)
            sample->values[bit] = made_i64(seed) / 1024 * (made_u64(seed) % 2 ? 1024 : 1);
        if (made_u64(seed) % 20 == 0)
            sample->values[bit] = dice % 2 ? INT64_MIN : INT64_MAX;
    }
}

START_TEST(any_sample_comes_back_from_its_delta)
{
    uint64_t seed = (uint64_t)_i + 1;
    struct oc_packed writer = { 0 }, reader = { 0 };
    struct oc_sample sample = { .known = 0xfffe }, got = { 0 };
    uint8_t body[OC_DELTA_MAX_BYTES];
    const uint8_t *after;

    for (int i = 0; i < 60; i++) {
        enum oc_delta_kind kind;
        size_t bytes;

        random_sample(&seed, &sample);
        bytes = oc_delta_put(&writer, &sample, i % 17 == 0, body, &kind);
        ck_assert_uint_le(bytes, sizeof body);
        ck_assert_int_eq(oc_packed_set(&writer, &sample), 0);
        ck_assert_ptr_eq(oc_delta_skip(kind, body, body + bytes), body + bytes);
        ck_assert_int_eq(oc_delta_get(&reader, kind, body, body + bytes, &after), 0);
        ck_assert_ptr_eq(after, body + bytes);
        ck_assert(oc_packed_equals(&reader, &sample));
        oc_packed_get(&reader, &got);
        ck_assert_uint_eq(got.known, sample.known);
    }
    oc_packed_clear(&writer);
    oc_packed_clear(&reader);
}
END_TEST

START_TEST(a_page_more_takes_two_bytes)
{
    struct oc_packed before = { 0 };
    struct oc_sample sample = { .known = 0x7e };
    uint8_t body[OC_DELTA_MAX_BYTES];
    enum oc_delta_kind kind;

    ck_assert_int_eq(oc_packed_set(&before, &sample), 0);
    sample.values[3] += 4096;
    ck_assert_uint_eq(oc_delta_put(&before, &sample, 0, body, &kind), 2);
    sample.values[4] -= 40 * 4096;
    ck_assert_uint_eq(oc_delta_put(&before, &sample, 0, body, &kind), 4);
    ck_assert_int_eq(kind, OC_DELTA_SAME_KNOWN);
    oc_packed_clear(&before);
}
END_TEST

/* ---- rows ---- */

struct seen {
    uint64_t samples, sames;
    int64_t last_t_ms[SOURCES];
};

static int see(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
               void *context)
{
    struct seen *seen = context;
    struct oc_sample want;

    ck_assert_uint_lt(source, SOURCES);
    ck_assert_int_gt(t_ms, seen->last_t_ms[source]);
    made_sample(source, t_ms / 1000, &want);
    ck_assert_uint_eq(sample->known, want.known);
    for (unsigned bit = 0; bit < 64; bit++)
        if (want.known >> bit & 1)
            ck_assert_int_eq(sample->values[bit], want.values[bit]);
    seen->last_t_ms[source] = t_ms;
    seen->samples++;
    seen->sames += same != 0;
    return 0;
}

/* Ticks [from, to) of all sources into a row. */
static void write_row(struct oc_journal_writer *writer, struct oc_packed *packed, int from, int to,
                      int keyed)
{
    uint8_t body[OC_DELTA_MAX_BYTES];
    struct oc_sample sample;

    oc_journal_writer_reset(writer);
    for (int t = from; t < to; t++) {
        oc_journal_tick_begin(writer, t * 1000);
        for (uint32_t s = 0; s < SOURCES; s++) {
            int reset = keyed && t == from;
            enum oc_delta_kind kind;
            size_t bytes;

            made_sample(s, t, &sample);
            if (!reset && oc_packed_equals(&packed[s], &sample)) {
                oc_journal_same(writer, s);
                continue;
            }
            bytes = oc_delta_put(&packed[s], &sample, reset, body, &kind);
            oc_journal_sample(writer, s, 0, kind, body, bytes);
            ck_assert_int_eq(oc_packed_set(&packed[s], &sample), 0);
        }
        oc_journal_tick_end(writer);
    }
    ck_assert_int_eq(writer->body.err, 0);
}

START_TEST(rows_come_back_sample_by_sample)
{
    struct oc_journal_writer writer;
    struct oc_packed packed[SOURCES] = { 0 };
    struct seen seen = { 0 };
    struct oc_buf blob;
    oc_codec *codec = oc_codec_new();
    oc_replay *replay = oc_replay_new(UINT32_MAX);

    oc_buf_init(&blob, 1 << 20);
    oc_journal_writer_init(&writer, 1 << 20);
    for (int t = 1; t < TICKS; t += 5) {
        write_row(&writer, packed, t, t + 5, t == 1);
        ck_assert_int_eq(oc_codec_pack(codec, &writer.body, 1, &blob), 0);
        ck_assert_int_eq(oc_replay_row(replay, t == 1, blob.data, blob.len_bytes, see, &seen), 0);
    }
    ck_assert_uint_eq(seen.samples, SOURCES * (TICKS / 5 * 5));
    ck_assert_uint_gt(seen.sames, 0);
    ck_assert_uint_eq(oc_replay_skipped(replay), 0);
    for (int s = 0; s < SOURCES; s++)
        oc_packed_clear(&packed[s]);
    oc_replay_free(replay);
    oc_codec_free(codec);
    oc_journal_writer_clear(&writer);
    oc_buf_clear(&blob);
}
END_TEST

START_TEST(row_that_is_not_keyed_gives_nothing_by_itself)
{
    struct oc_journal_writer writer;
    struct oc_packed packed[SOURCES] = { 0 };
    struct seen seen = { 0 };
    struct oc_buf blob;
    oc_codec *codec = oc_codec_new();
    oc_replay *replay = oc_replay_new(UINT32_MAX);

    oc_buf_init(&blob, 1 << 20);
    oc_journal_writer_init(&writer, 1 << 20);
    write_row(&writer, packed, 1, 2, 1);
    write_row(&writer, packed, 2, 5, 0);
    ck_assert_int_eq(oc_codec_pack(codec, &writer.body, 1, &blob), 0);
    ck_assert_int_eq(oc_replay_row(replay, 0, blob.data, blob.len_bytes, see, &seen), 0);
    ck_assert_uint_eq(seen.samples, 0);
    ck_assert_uint_eq(oc_replay_skipped(replay), 3 * SOURCES);
    for (int s = 0; s < SOURCES; s++)
        oc_packed_clear(&packed[s]);
    oc_replay_free(replay);
    oc_codec_free(codec);
    oc_journal_writer_clear(&writer);
    oc_buf_clear(&blob);
}
END_TEST

static int ignore(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
                  void *context)
{
    (void)source;
    (void)t_ms;
    (void)sample;
    (void)same;
    (void)context;
    return 0;
}

START_TEST(damaged_rows_are_refused_or_harmless)
{
    struct oc_journal_writer writer;
    struct oc_packed packed[SOURCES] = { 0 };
    uint64_t seed = 5;
    static uint8_t copy[1 << 16];

    oc_journal_writer_init(&writer, 1 << 20);
    write_row(&writer, packed, 1, 6, 1);
    for (int round = 0; round < 1000; round++) {
        oc_replay *replay = oc_replay_new(round % 2 ? UINT32_MAX : 3);
        size_t bytes = writer.body.len_bytes + 2;

        copy[0] = 1;
        copy[1] = 0;
        memcpy(copy + 2, writer.body.data, writer.body.len_bytes);
        copy[2 + made_u64(&seed) % (bytes - 2)] ^= (uint8_t)(1u << made_u64(&seed) % 8);
        if (round % 5 == 0)
            bytes = made_u64(&seed) % bytes;
        (void)oc_replay_row(replay, 1, copy, bytes, ignore, NULL);
        oc_replay_free(replay);
    }
    for (int s = 0; s < SOURCES; s++)
        oc_packed_clear(&packed[s]);
    oc_journal_writer_clear(&writer);
}
END_TEST

/* ---- ticks ---- */

START_TEST(tick_comes_back_entry_by_entry)
{
    struct oc_tick tick;
    struct oc_tick_cursor cursor;
    struct oc_tick_entry entry;
    struct oc_sample sample;
    uint32_t want = 0;

    oc_tick_init(&tick);
    for (int round = 1; round < 4; round++) {
        oc_tick_begin(&tick, round * 1000);
        for (uint32_t s = 0; s < 100; s++) {
            made_sample(s, round, &sample);
            if (s % (uint32_t)(round + 1))
                oc_tick_same(&tick, s * 2 / 2);
            else
                oc_tick_put(&tick, s, &sample);
        }
        ck_assert_int_eq(tick.bytes.err, 0);
        ck_assert_uint_eq(tick.source_count, 100);
        ck_assert_int_eq(tick.keyed, 0);
        oc_tick_cursor_init(&cursor, tick.bytes.data, tick.bytes.len_bytes);
        for (want = 0; oc_tick_next(&cursor, &entry) == 1; want++) {
            ck_assert_uint_eq(entry.source, want);
            ck_assert_int_eq(entry.same, want % (uint32_t)(round + 1) != 0);
            if (entry.same)
                continue;
            made_sample(want, round, &sample);
            ck_assert_uint_eq(entry.sample.known, sample.known);
            ck_assert_int_eq(entry.sample.values[3], sample.values[3]);
        }
        ck_assert_uint_eq(want, 100);
    }
    oc_tick_clear(&tick);
}
END_TEST

START_TEST(cut_tick_is_refused)
{
    struct oc_tick tick;
    struct oc_sample sample;
    struct oc_tick_cursor cursor;
    struct oc_tick_entry entry;
    int rc;

    oc_tick_init(&tick);
    oc_tick_begin(&tick, 1);
    made_sample(1, 1, &sample);
    oc_tick_put(&tick, 1, &sample);
    oc_tick_cursor_init(&cursor, tick.bytes.data, tick.bytes.len_bytes - 1);
    while ((rc = oc_tick_next(&cursor, &entry)) == 1)
        ;
    ck_assert_int_eq(rc, OC_E_PARSE);
    oc_tick_clear(&tick);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tests, any_sample_comes_back_from_its_delta, 0, 100);
    tcase_add_test(tests, a_page_more_takes_two_bytes);
    tcase_add_test(tests, rows_come_back_sample_by_sample);
    tcase_add_test(tests, row_that_is_not_keyed_gives_nothing_by_itself);
    tcase_add_test(tests, damaged_rows_are_refused_or_harmless);
    tcase_add_test(tests, tick_comes_back_entry_by_entry);
    tcase_add_test(tests, cut_tick_is_refused);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
