#include "base/err.h"
#include "base/metric.h"
#include "base/sample.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

START_TEST(every_metric_is_named_bounded_and_documented)
{
    unsigned last = 0, found = 0;

    for (unsigned n = 0; n < OC_METRIC_MAX; n++) {
        const struct oc_metric_row *row = oc_metric_by_number(n);
        char unit_end[16];

        if (!row)
            continue;
        found++;
        ck_assert_uint_eq(row->number, n);
        ck_assert_msg(n % OC_BLOCK_METRICS != 0, "bit 0 of a block stays unused");
        ck_assert_msg(n > last || !last, "rows ascend");
        last = n;
        ck_assert_ptr_nonnull(row->name);
        ck_assert_uint_gt(strlen(row->text), 10);
        ck_assert(row->linux_source || row->windows_source);
        ck_assert(!row->linux_source || strlen(row->linux_source) > 3);
        (void)snprintf(unit_end, sizeof unit_end, "_%s", oc_unit_name(row->unit));
        ck_assert_str_eq(row->name + strlen(row->name) - strlen(unit_end), unit_end);
        ck_assert_ptr_eq(oc_metric_by_name(row->name), row); /* names are unique */
    }
    ck_assert_uint_gt(found, 60);
}
END_TEST

START_TEST(metric_is_found_without_its_unit)
{
    ck_assert_uint_eq(oc_metric_by_name("rss")->number, OC_METRIC_RSS);
    ck_assert_uint_eq(oc_metric_by_name("private_bytes")->number, OC_METRIC_PRIVATE);
    ck_assert_ptr_null(oc_metric_by_name("priv"));
    ck_assert_ptr_null(oc_metric_by_name(""));
    ck_assert_str_eq(oc_metric_nearest("privat_bytes"), "private_bytes");
    ck_assert_ptr_null(oc_metric_by_number(0));
    ck_assert_ptr_null(oc_metric_by_number(100000));
}
END_TEST

START_TEST(sample_knows_only_what_was_set)
{
    struct oc_sample sample = { .block = OC_BLOCK_CGROUP };

    oc_sample_set(&sample, OC_METRIC_CGROUP_CHARGE, 42);
    ck_assert_int_eq(oc_sample_has(&sample, OC_METRIC_CGROUP_CHARGE), 1);
    ck_assert_int_eq(oc_sample_get(&sample, OC_METRIC_CGROUP_CHARGE), 42);
    ck_assert_int_eq(oc_sample_has(&sample, OC_METRIC_CGROUP_CURRENT), 0);
    ck_assert_int_eq(oc_sample_has(&sample, OC_METRIC_VIRTUAL), 0); /* same bit, another block */
}
END_TEST

START_TEST(every_code_has_a_name)
{
    for (int code = OC_OK; code >= OC_E_NOFILE; code--) {
        ck_assert_str_ne(oc_err_name(code), "unknown");
        ck_assert_uint_gt(strlen(oc_err_text(code)), 5);
    }
    ck_assert_str_eq(oc_err_name(-1000), "unknown");
}
END_TEST

Suite *metric_suite(void)
{
    Suite *suite = suite_create("metric");
    TCase *cases = tcase_create("metric");

    tcase_add_test(cases, every_metric_is_named_bounded_and_documented);
    tcase_add_test(cases, metric_is_found_without_its_unit);
    tcase_add_test(cases, sample_knows_only_what_was_set);
    tcase_add_test(cases, every_code_has_a_name);
    suite_add_tcase(suite, cases);
    return suite;
}
