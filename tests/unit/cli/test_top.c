/* The model and the look of `oomcast top`. */
#include "suites.h"

#include "base/text.h"
#include "cli/commands/top_view.h"
#include "cli/model/top.h"
#include "cli/show/spark.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define T0 INT64_C(1790000000000)
#define SPAN 20000 /* 1 s a bucket */

static struct oc_top top;
static struct oc_buf out;

static void begin(void)
{
    oc_top_init(&top, OC_TOP_PROCESSES, SPAN);
    oc_buf_init(&out, 1u << 20);
}

static void end(void)
{
    oc_top_clear(&top);
    oc_buf_clear(&out);
}

static void take(uint32_t source, const char *subject, int64_t t_ms, int64_t private_bytes,
                 int64_t cpu_ms)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct oc_latest_row row = { .source = source,
                                 .subject = subject,
                                 .kind = OC_SOURCE_PROCESS,
                                 .pid = 1000 + source,
                                 .name = subject + 5,
                                 .t_unix_ms = t_ms,
                                 .sample = &sample };

    oc_sample_set(&sample, OC_METRIC_PRIVATE, private_bytes);
    oc_sample_set(&sample, OC_METRIC_CPU_TIME, cpu_ms);
    ck_assert_int_eq(oc_top_take(&row, &top), 0);
}

START_TEST(sums_the_processes_of_a_subject)
{
    oc_top_begin(&top, T0);
    take(3, "proc:b", T0, 10, 0);
    take(1, "proc:a", T0, 5, 0); /* in any order */
    take(2, "proc:b", T0, 20, 0);
    ck_assert_int_eq(oc_top_end(&top), 0);
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_PRIVATE, 0, 0), 0);
    ck_assert_uint_eq(top.row_count, 2);
    ck_assert_str_eq(top.rows[0].name, "proc:b");
    ck_assert_int_eq(top.rows[0].figures[OC_TOP_PRIVATE], 30);
    ck_assert_uint_eq(top.rows[0].count, 2);
    ck_assert_uint_eq(top.rows[0].pid, 0);
    ck_assert_uint_eq(top.rows[1].pid, 1001);
    ck_assert_uint_eq(top.rows[0].known & (1u << OC_TOP_RSS), 0);
}
END_TEST

START_TEST(rows_of_processes_sort_by_name_too)
{
    oc_top_begin(&top, T0);
    take(1, "proc:b", T0, 1, 0);
    take(2, "proc:a", T0, 2, 0);
    take(3, "proc:b", T0, 3, 0);
    ck_assert_int_eq(oc_top_end(&top), 0);
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_NAME, 0, 1), 0);
    ck_assert_uint_eq(top.row_count, 3);
    ck_assert_str_eq(top.rows[0].name, "a");
    ck_assert_uint_eq(top.rows[1].pid, 1001);
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_NAME, 1, 1), 0);
    ck_assert_uint_eq(top.rows[0].pid, 1003);
}
END_TEST

START_TEST(cgroups_are_rows_of_their_own)
{
    struct oc_sample sample = { .block = OC_BLOCK_CGROUP };
    struct oc_latest_row row = { .source = 4,
                                 .subject = "cgroup:/a",
                                 .kind = OC_SOURCE_CGROUP,
                                 .name = "",
                                 .t_unix_ms = T0,
                                 .sample = &sample };
    struct oc_top_view view = { .width = 80, .now_unix_ms = T0, .span_ms = SPAN, .store = "/x" };

    oc_sample_set(&sample, OC_METRIC_CGROUP_CURRENT, 3 << 20);
    oc_top_init(&top, OC_TOP_CGROUPS, SPAN);
    oc_top_begin(&top, T0);
    take(1, "proc:b", T0, 1, 0);
    ck_assert_int_eq(oc_top_take(&row, &top), 0);
    ck_assert_int_eq(oc_top_end(&top), 0);
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_PRIVATE, 0, 0), 0);
    ck_assert_uint_eq(top.row_count, 1);
    ck_assert_int_eq(top.rows[0].figures[OC_TOP_PRIVATE], 3 << 20);
    ck_assert_int_eq(oc_top_draw(&top, &view, &out), 0);
    ck_assert_ptr_nonnull(strstr(out.data, "CURRENT"));
    ck_assert_ptr_null(strstr(out.data, "PID"));
    ck_assert_ptr_nonnull(strstr(out.data, "cgroup:/a  3.0 MiB"));
}
END_TEST

START_TEST(ended_processes_leave)
{
    oc_top_begin(&top, T0);
    for (uint32_t i = 0; i < 100; i++)
        take(i, "proc:x", T0, 1, 0);
    ck_assert_int_eq(oc_top_end(&top), 0);
    oc_top_begin(&top, T0 + 1000);
    for (uint32_t i = 1; i < 100; i += 2)
        take(i, "proc:x", T0 + 1000, 1, 0);
    ck_assert_int_eq(oc_top_end(&top), 0);
    ck_assert_uint_eq(top.count, 50);
    for (size_t i = 0; i < top.count; i++)
        ck_assert_uint_eq(top.sources[i].source, 2 * i + 1);
}
END_TEST

START_TEST(cpu_is_what_was_used_between_two_samples)
{
    for (int i = 0; i < 3; i++) {
        oc_top_begin(&top, T0 + i * 1000);
        take(1, "proc:x", T0 + (i > 1 ? 1000 : i * 1000), 1, i > 1 ? 250 : i * 250);
        ck_assert_int_eq(oc_top_end(&top), 0);
    }
    ck_assert_double_eq_tol(top.sources[0].cpu_ratio, 0.25,
                            1e-9); /* a sample seen twice changes nothing */
}
END_TEST

START_TEST(the_past_moves_on_and_widens)
{
    const int64_t *past;

    for (int i = 0; i < 12; i++) {
        oc_top_begin(&top, T0 + i * 1000);
        take(1, "proc:x", T0 + i * 1000, 100 + i, 0);
        ck_assert_int_eq(oc_top_end(&top), 0);
    }
    past = top.sources[0].past;
    ck_assert_int_eq(past[OC_TOP_BUCKETS - 1], 111);
    ck_assert_int_eq(past[OC_TOP_BUCKETS - 12], 100);
    ck_assert_int_eq(past[OC_TOP_BUCKETS - 13], OC_SPARK_NONE);
    oc_top_widen(&top);
    ck_assert_int_eq(past[OC_TOP_BUCKETS - 1], 111);
    for (int b = 1; b < 6; b++) /* each is the later of a pair: two apart */
        ck_assert_int_eq(past[OC_TOP_BUCKETS - b - 1], (111 - 2 * b) | 1);
    ck_assert_int_eq(past[0], OC_SPARK_NONE);
    oc_top_begin(&top, T0 + 100000); /* long silence: what it had stood */
    ck_assert_int_eq(past[0], 111);
}
END_TEST

START_TEST(change_is_over_what_is_known)
{
    for (int i = 0; i < 5; i++) {
        oc_top_begin(&top, T0 + i * 1000);
        take(1, "proc:x", T0 + i * 1000, 100 * i, 0);
        ck_assert_int_eq(oc_top_end(&top), 0);
    }
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_CHANGE, 0, 0), 0);
    ck_assert(top.rows[0].has_change);
    ck_assert_int_eq(top.rows[0].change_bytes, 400);
}
END_TEST

static void fill(uint32_t count)
{
    oc_top_begin(&top, T0);
    for (uint32_t i = 0; i < count; i++) {
        char subject[64];

        (void)snprintf(subject, sizeof(subject), "proc:a-rather-long-name-%u\033[2J", i);
        take(i, subject, T0, (int64_t)i << 20, 0);
        top.sources[i].backfilled = 1;
        top.sources[i].past[0] = -((int64_t)i << 20);
        oc_sample_set(&top.sources[i].sample, OC_METRIC_VIRTUAL, (int64_t)i << 30);
        oc_sample_set(&top.sources[i].sample, OC_METRIC_RSS, (int64_t)i << 21);
        oc_sample_set(&top.sources[i].sample, OC_METRIC_THREADS, 1000 + i);
    }
    ck_assert_int_eq(oc_top_end(&top), 0);
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_PRIVATE, 0, 0), 0);
}

START_TEST(the_screen_fits_any_terminal)
{
    static const int sizes[][2] = { { 110, 35 }, { 80, 24 }, { 70, 16 }, { 50, 10 }, { 200, 60 } };
    struct oc_top_view view = { .width = sizes[_i][0],
                                .height = sizes[_i][1],
                                .utf8 = 1,
                                .now_unix_ms = T0,
                                .span_ms = SPAN,
                                .store = "/x" };
    int lines = 1;

    fill(100);
    ck_assert_int_eq(oc_top_draw(&top, &view, &out), 0);
    ck_assert_ptr_null(strchr(out.data, '\033'));
    for (char *line = out.data, *newline; (newline = strchr(line, '\n')) != NULL;
         line = newline + 1) {
        *newline = '\0';
        ck_assert_uint_le(oc_text_columns(line), (size_t)view.width);
        lines++;
    }
    ck_assert_int_eq(lines, view.height);
}
END_TEST

START_TEST(json_has_every_process)
{
    cJSON *root;

    fill(10);
    oc_top_json(&top, SIZE_MAX, &out);
    root = cJSON_Parse(out.data);
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "processes")), 10);
    ck_assert(!cJSON_HasObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "processes"), 0),
                                   "pss_bytes"));
    cJSON_Delete(root);
}
END_TEST

Suite *top_suite(void)
{
    Suite *suite = suite_create("top");
    TCase *tcase = tcase_create("top");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, sums_the_processes_of_a_subject);
    tcase_add_test(tcase, rows_of_processes_sort_by_name_too);
    tcase_add_test(tcase, cgroups_are_rows_of_their_own);
    tcase_add_test(tcase, ended_processes_leave);
    tcase_add_test(tcase, cpu_is_what_was_used_between_two_samples);
    tcase_add_test(tcase, the_past_moves_on_and_widens);
    tcase_add_test(tcase, change_is_over_what_is_known);
    tcase_add_loop_test(tcase, the_screen_fits_any_terminal, 0, 5);
    tcase_add_test(tcase, json_has_every_process);
    suite_add_tcase(suite, tcase);
    return suite;
}
