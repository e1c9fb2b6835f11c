#include "base/alloc.h"
#include "daemon/source.h"
#include "suites.h"

#include <string.h>

static struct oc_sources sources;

static void setup(void) { oc_sources_init(&sources); }

static void teardown(void)
{
    oc_sources_clear(&sources);
    ck_assert_int_eq(oc_alloc_live(), 0);
}

static struct oc_source *add(uint32_t pid)
{
    struct oc_source *source = NULL;

    ck_assert_int_eq(oc_sources_add(&sources, OC_SOURCE_PROCESS, &source), OC_OK);
    source->id_of_proc.pid = pid;
    ck_assert_int_eq(oc_sources_index_pid(&sources, source), OC_OK);
    return source;
}

START_TEST(sources_are_found_by_pid_through_much_coming_and_going)
{
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t pid = 1; pid <= 1000; pid++)
            (void)add(pid + round);
        ck_assert_uint_eq(sources.live[OC_SOURCE_PROCESS], 1000);
        for (uint32_t pid = 1; pid <= 1000; pid++) {
            struct oc_source *source = oc_sources_by_pid(&sources, pid + round);

            ck_assert_ptr_nonnull(source);
            ck_assert_uint_eq(source->id_of_proc.pid, pid + round);
            oc_sources_remove(&sources, source);
            ck_assert_ptr_null(oc_sources_by_pid(&sources, pid + round));
        }
    }
    ck_assert_uint_le(sources.count, 1000); /* slots are used again */
}
END_TEST

START_TEST(a_pid_may_be_taken_by_its_next_life_before_the_first_has_gone)
{
    struct oc_source *first = add(7);
    struct oc_source *second = NULL;

    oc_sources_forget_pid(&sources, first);
    second = add(7);
    ck_assert_ptr_eq(oc_sources_by_pid(&sources, 7), second);
    oc_sources_remove(&sources, first);
    ck_assert_ptr_eq(oc_sources_by_pid(&sources, 7), second);
}
END_TEST

START_TEST(the_last_sample_comes_back_as_it_was)
{
    struct oc_last last = { 0 };
    struct oc_sample in = { .block = OC_BLOCK_PROCESS };
    struct oc_sample out = { .block = OC_BLOCK_PROCESS };

    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit += 2) {
        in.values[bit] = -(int64_t)bit * 1000003;
        in.known |= OC_METRIC_BIT(bit);
        ck_assert_int_eq(oc_last_keep(&last, &in), OC_OK);
        memset(out.values, 0x55, sizeof(out.values));
        oc_last_get(&last, &out);
        ck_assert_uint_eq(out.known, in.known);
        for (unsigned i = 1; i <= bit; i += 2)
            ck_assert_int_eq(out.values[i], in.values[i]);
    }
    oc_free(last.values);
}
END_TEST

START_TEST(one_figure_of_the_last_sample_is_found)
{
    struct oc_last last = { 0 };
    struct oc_sample sample = { .known = 0x8000000000000029 };
    int64_t value = -1;

    ck_assert_int_eq(oc_last_value(&last, 0, &value), OC_E_NOENT);
    for (int bit = 0; bit < 64; bit++)
        sample.values[bit] = 100 + bit;
    ck_assert_int_eq(oc_last_keep(&last, &sample), OC_OK);
    for (unsigned bit = 0; bit < 64; bit++) {
        int known = sample.known >> bit & 1;

        ck_assert_int_eq(oc_last_value(&last, bit, &value), known ? OC_OK : OC_E_NOENT);
        if (known)
            ck_assert_int_eq(value, 100 + bit);
    }
    oc_free(last.values);
}
END_TEST

START_TEST(keeping_a_sample_allocates_once)
{
    struct oc_last last = { 0 };
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_RSS, 1);
    ck_assert_int_eq(oc_last_keep(&last, &sample), OC_OK);
    oc_alloc_fail_at(0, 0);
    for (int64_t i = 0; i < 100; i++) {
        oc_sample_set(&sample, OC_METRIC_RSS, i);
        oc_sample_set(&sample, i % 2 ? OC_METRIC_SWAP : OC_METRIC_THREADS, i);
        ck_assert_int_eq(oc_last_keep(&last, &sample), OC_OK);
    }
    ck_assert_uint_eq(oc_alloc_count(), 0);
    ck_assert_int_eq(oc_last_keep(&last, &sample), OC_LAST_SAME);
    oc_free(last.values);
}
END_TEST

Suite *source_suite(void)
{
    Suite *suite = suite_create("source");
    TCase *tcase = tcase_create("source");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sources_are_found_by_pid_through_much_coming_and_going);
    tcase_add_test(tcase, a_pid_may_be_taken_by_its_next_life_before_the_first_has_gone);
    tcase_add_test(tcase, the_last_sample_comes_back_as_it_was);
    tcase_add_test(tcase, one_figure_of_the_last_sample_is_found);
    tcase_add_test(tcase, keeping_a_sample_allocates_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
