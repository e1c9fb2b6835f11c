/* Tables, sparklines, figures, JSON. */
#include "suites.h"

#include "base/text.h"
#include "cli/show/json.h"
#include "cli/show/list.h"
#include "cli/show/spark.h"
#include "cli/show/table.h"
#include "cli/show/value.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

static struct oc_buf out;
static struct oc_table table;

static const struct oc_column columns[] = { { "NAME", OC_ALIGN_LEFT, 0, OC_SHRINKS },
                                            { "SIZE", OC_ALIGN_RIGHT, 0, 0 },
                                            { 0 } };

static void begin(void)
{
    oc_buf_init(&out, 1u << 20);
    oc_table_init(&table, columns);
}

static void end(void)
{
    oc_table_clear(&table);
    oc_buf_clear(&out);
}

static void print(int width, int utf8)
{
    struct oc_table_style style = { .width = width, .utf8 = utf8 };

    ck_assert_int_eq(oc_table_print(&table, &style, &out), 0);
}

START_TEST(aligns_numbers_right_and_names_left)
{
    oc_table_cell(&table, "nginx");
    oc_table_bytes(&table, 512);
    oc_table_cell(&table, "é");
    oc_table_bytes(&table, 64 << 20);
    print(0, 1);
    ck_assert_str_eq(out.data, "NAME       SIZE\n"
                               "nginx   512   B\n"
                               "é      64.0 MiB\n");
}
END_TEST

START_TEST(shows_unknown_as_a_dash)
{
    oc_table_cell(&table, "");
    oc_table_cell(&table, NULL);
    print(0, 1);
    ck_assert_str_eq(out.data, "NAME  SIZE\n"
                               "-        -\n");
}
END_TEST

START_TEST(escapes_control_characters)
{
    oc_table_cell(&table, "a\033[2J\nb\xff");
    oc_table_cell(&table, "1");
    print(0, 1);
    ck_assert_ptr_null(strchr(out.data, '\033'));
    ck_assert_ptr_nonnull(strstr(out.data, "\\e[2J\\nb\\xff"));
}
END_TEST

START_TEST(cuts_the_flexible_column_to_the_width)
{
    oc_table_cell(&table, "a-very-long-name-of-a-process");
    oc_table_cell(&table, "1.5 GiB");
    print(24, 1);
    ck_assert_str_eq(out.data, "NAME                SIZE\n"
                               "a-very-long-na…  1.5 GiB\n");
    oc_buf_reset(&out);
    print(24, 0);
    ck_assert_ptr_nonnull(strstr(out.data, "a-very-long-na~"));
}
END_TEST

START_TEST(columns_go_where_the_terminal_is_too_narrow)
{
    static const struct oc_column four[] = { { "NAME", OC_ALIGN_LEFT, 0, OC_SHRINKS },
                                             { "PID", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
                                             { "SIZE", OC_ALIGN_RIGHT, 0, 0 },
                                             { "COMMAND", OC_ALIGN_LEFT, 0, OC_GOES(2) },
                                             { 0 } };
    static const char *const heads[] = { "NAME        PID  SIZE  COMMAND\n",
                                         "NAME        PID  SIZE\n", "NAME        SIZE\n",
                                         "NAME        SIZE\n" };
    static const int widths[] = { 30, 29, 20, 5 };
    struct oc_table_style style = { widths[_i], 0, 1 };
    struct oc_table narrow;

    oc_table_init(&narrow, four);
    for (const char *const *cell = (const char *const[]){ "0123456789", "7", "1", "x", NULL };
         *cell; cell++)
        oc_table_cell(&narrow, *cell);
    ck_assert_int_eq(oc_table_print(&narrow, &style, &out), 0);
    ck_assert_msg(strncmp(out.data, heads[_i], strlen(heads[_i])) == 0, "%s", out.data);
    oc_table_clear(&narrow);
}
END_TEST

START_TEST(a_list_is_wrapped_below_its_first_item)
{
    struct oc_list list;

    oc_list_begin(&list, &out, 2, 16);
    for (int i = 0; i < 4; i++)
        oc_list_item(&list, i == 2 ? "longer than a line" : "seven");
    ck_assert_str_eq(out.data, "seven, seven,\n  longer than a line,\n  seven");
}
END_TEST

START_TEST(counts_columns_not_bytes_of_wide_names)
{
    oc_table_cell(&table, "日本語");
    oc_table_cell(&table, "1");
    oc_table_cell(&table, "abcdef");
    oc_table_cell(&table, "2");
    print(0, 1);
    ck_assert_str_eq(out.data, "NAME    SIZE\n"
                               "日本語     1\n"
                               "abcdef     2\n");
}
END_TEST

START_TEST(cuts_at_the_edge_of_a_character)
{
    for (size_t width = 0; width < 8; width++) {
        oc_buf_reset(&out);
        oc_value_cut("日本語xyz", width, 1, &out);
        ck_assert_uint_eq(out.data ? oc_text_columns(out.data) : 0, width);
        ck_assert(oc_text_is_utf8(out.data ? out.data : "", out.len_bytes, NULL));
    }
}
END_TEST

static const struct {
    int64_t value;
    enum oc_unit unit;
    const char *text;
} values[] = {
    { 0, OC_UNIT_BYTES, "0 B" },
    { 999, OC_UNIT_BYTES, "999 B" },
    { 1000, OC_UNIT_BYTES, "1.0 KiB" },
    { 1024, OC_UNIT_BYTES, "1.0 KiB" },
    { -1536, OC_UNIT_BYTES, "-1.5 KiB" },
    { 67108864, OC_UNIT_BYTES, "64.0 MiB" },
    { INT64_MAX, OC_UNIT_BYTES, "8.0 EiB" },
    { INT64_MIN, OC_UNIT_BYTES, "-8.0 EiB" },
    { 12345, OC_UNIT_COUNT, "12345" },
    { 850, OC_UNIT_MS, "850 ms" },
    { 12345, OC_UNIT_MS, "12.3 s" },
    { 245000, OC_UNIT_MS, "4 m 05 s" },
    { 7500000, OC_UNIT_MS, "2 h 05 m" },
    { 273600000, OC_UNIT_MS, "3 d 4 h" },
    { 1500, OC_UNIT_US, "1.5 ms" },
    { 2500000, OC_UNIT_US, "2.5 s" },
};

START_TEST(writes_figures_for_people)
{
    char text[40];

    ck_assert_str_eq(oc_value_text(values[_i].value, values[_i].unit, text, sizeof(text)),
                     values[_i].text);
}
END_TEST

START_TEST(spark_shows_shape_and_gaps)
{
    static const int64_t rising[] = { 0, 50, 100, OC_SPARK_NONE, 100 };

    oc_spark(rising, 5, 1, &out);
    ck_assert_str_eq(out.data, "▁▅█ █");
    oc_buf_reset(&out);
    oc_spark(rising, 5, 0, &out);
    ck_assert_str_eq(out.data, "_=# #");
}
END_TEST

START_TEST(spark_keeps_noise_flat)
{
    static const int64_t noise[] = { 1000000, 1000010, 1000000, 1000020 };
    static const int64_t none[] = { OC_SPARK_NONE, OC_SPARK_NONE };
    static const int64_t zero[] = { 0, 0 };

    oc_spark(noise, 4, 1, &out);
    ck_assert_str_eq(out.data, "▁▁▁▁");
    oc_buf_reset(&out);
    oc_spark(none, 2, 1, &out);
    oc_spark(zero, 2, 1, &out);
    ck_assert_str_eq(out.data, "  ▁▁");
}
END_TEST

START_TEST(json_is_well_formed)
{
    struct oc_json json;
    cJSON *root;

    oc_json_init(&json, &out);
    oc_json_object(&json);
    oc_json_put_str(&json, "na\"me", "a\nb\xff\033");
    oc_json_put_dbl(&json, "nan", NAN);
    oc_json_put_i64(&json, "least", INT64_MIN);
    oc_json_put_time(&json, "absent", 0);
    oc_json_key(&json, "list");
    oc_json_array(&json);
    oc_json_bool(&json, 1);
    oc_json_object(&json);
    oc_json_object_end(&json);
    oc_json_str(&json, NULL);
    oc_json_array_end(&json);
    oc_json_put_u64(&json, "most", UINT64_MAX);
    oc_json_object_end(&json);
    root = cJSON_Parse(out.data);
    ck_assert_ptr_nonnull(root);
    ck_assert_ptr_nonnull(strstr(out.data, "-9223372036854775808"));
    ck_assert_ptr_nonnull(strstr(out.data, "18446744073709551615"));
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(root, "nan")));
    ck_assert(!cJSON_HasObjectItem(root, "absent"));
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "list")), 3);
    cJSON_Delete(root);
}
END_TEST

Suite *present_suite(void)
{
    Suite *suite = suite_create("present");
    TCase *tcase = tcase_create("present");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, aligns_numbers_right_and_names_left);
    tcase_add_test(tcase, shows_unknown_as_a_dash);
    tcase_add_test(tcase, escapes_control_characters);
    tcase_add_test(tcase, cuts_the_flexible_column_to_the_width);
    tcase_add_loop_test(tcase, columns_go_where_the_terminal_is_too_narrow, 0, 4);
    tcase_add_test(tcase, a_list_is_wrapped_below_its_first_item);
    tcase_add_test(tcase, counts_columns_not_bytes_of_wide_names);
    tcase_add_test(tcase, cuts_at_the_edge_of_a_character);
    tcase_add_loop_test(tcase, writes_figures_for_people, 0, sizeof(values) / sizeof(values[0]));
    tcase_add_test(tcase, spark_shows_shape_and_gaps);
    tcase_add_test(tcase, spark_keeps_noise_flat);
    tcase_add_test(tcase, json_is_well_formed);
    suite_add_tcase(suite, tcase);
    return suite;
}
