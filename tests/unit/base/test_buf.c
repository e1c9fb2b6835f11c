#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/os.h"
#include "suites.h"

#include <string.h>

struct escape_case {
    const char *text, *json, *terminal, *csv;
};

static const struct escape_case escapes[] = {
    { "plain", "\"plain\"", "plain", "plain" },
    { "a\nb", "\"a\\nb\"", "a\\nb", "\"a\nb\"" },
    { "\x1b[31mred", "\"\\u001b[31mred\"", "\\e[31mred", "\x1b[31mred" },
    { "say \"hi\"", "\"say \\\"hi\\\"\"", "say \"hi\"", "\"say \"\"hi\"\"\"" },
    { "C:\\temp", "\"C:\\\\temp\"", "C:\\\\temp", "C:\\temp" },
    { "a\\b", "\"a\\\\b\"", "a\\b", "a\\b" },
    { "bad\xff", "\"bad\xef\xbf\xbd\"", "bad\\xff", "bad\xff" },
    { "\xc2\x9b", "\"\xc2\x9b\"", "\\xc2\\x9b", "\xc2\x9b" }, /* C1: CSI */
    { "\xe2\x80\xae"
      "txt",
      "\"\xe2\x80\xae"
      "txt\"",
      "\\xe2\\x80\\xaetxt",
      "\xe2\x80\xae"
      "txt" }, /* RLO */
    { "\xe2\x82\xac", "\"\xe2\x82\xac\"", "\xe2\x82\xac", "\xe2\x82\xac" },
};

START_TEST(names_are_escaped_for_their_reader)
{
    struct oc_buf buf;

    oc_buf_init(&buf, 1000);
    oc_buf_json_string(&buf, escapes[_i].text);
    ck_assert_str_eq(buf.data, escapes[_i].json);
    oc_buf_reset(&buf);
    oc_buf_escaped(&buf, escapes[_i].text);
    ck_assert_str_eq(buf.data, oc_os_path_separator() == '\\' && strchr(escapes[_i].text, '\\')
                                   ? escapes[_i].text
                                   : escapes[_i].terminal);
    oc_buf_reset(&buf);
    oc_buf_csv_field(&buf, escapes[_i].text);
    ck_assert_str_eq(buf.data, escapes[_i].csv);
    oc_buf_clear(&buf);
}
END_TEST

START_TEST(buffer_never_passes_its_maximum)
{
    struct oc_buf buf;

    oc_buf_init(&buf, 10);
    oc_buf_puts(&buf, "0123456789");
    ck_assert_int_eq(buf.err, OC_OK);
    oc_buf_putc(&buf, 'x');
    ck_assert_int_eq(buf.err, OC_E_TOOBIG);
    ck_assert_str_eq(buf.data, "0123456789");
    oc_buf_putc(&buf, 'x'); /* the first error stays */
    ck_assert_int_eq(buf.err, OC_E_TOOBIG);
    oc_buf_clear(&buf);
}
END_TEST

START_TEST(buffer_keeps_its_text_when_memory_ends)
{
    struct oc_buf buf;
    int64_t live = oc_alloc_live();

    oc_buf_init(&buf, 1 << 20);
    oc_buf_puts(&buf, "kept");
    oc_alloc_fail_at(1, 1);
    oc_buf_spaces(&buf, 100000);
    oc_alloc_fail_at(0, 0);
    ck_assert_int_eq(buf.err, OC_E_NOMEM);
    ck_assert_str_eq(buf.data, "kept");
    oc_buf_clear(&buf);
    ck_assert_int_eq(oc_alloc_live(), live);
}
END_TEST

START_TEST(log_line_has_name_and_typed_fields)
{
    const struct oc_field fields[] = { oc_i64("pid", -3),       oc_u64("n", 7),
                                       oc_str("name", "a b\n"), oc_dbl("ratio", 0.5),
                                       oc_str("none", NULL),    oc_field_end() };
    const struct oc_log_event event = { OC_LOG_WARN, "process_unreadable", fields, 1000 };
    struct oc_buf buf;

    oc_buf_init(&buf, 1000);
    oc_log_format(&event, OC_LOG_TEXT, &buf);
    ck_assert_str_eq(buf.data,
                     "warn process_unreadable pid=-3 n=7 name=\"a b\\n\" ratio=0.5 none=\"\"");
    oc_buf_reset(&buf);
    oc_log_format(&event, OC_LOG_JSON, &buf);
    ck_assert_str_eq(buf.data,
                     "{\"ts_unix_ms\":1000,\"level\":\"warn\",\"event\":\"process_unreadable\","
                     "\"pid\":-3,\"n\":7,\"name\":\"a b\\n\",\"ratio\":0.5,\"none\":\"\"}");
    oc_buf_clear(&buf);
}
END_TEST

START_TEST(array_grows_to_its_maximum_only)
{
    void *array = NULL;
    size_t capacity = 0;

    ck_assert_int_eq(oc_array_grow(&array, &capacity, 3, 8, 20), OC_OK);
    ck_assert_uint_ge(capacity, 3);
    ck_assert_int_eq(oc_array_grow(&array, &capacity, 20, 8, 20), OC_OK);
    ck_assert_uint_eq(capacity, 20);
    ck_assert_int_eq(oc_array_grow(&array, &capacity, 21, 8, 20), OC_E_TOOBIG);
    oc_free(array);
}
END_TEST

Suite *buf_suite(void)
{
    Suite *suite = suite_create("buf");
    TCase *cases = tcase_create("buf");

    tcase_add_loop_test(cases, names_are_escaped_for_their_reader, 0,
                        (int)(sizeof escapes / sizeof *escapes));
    tcase_add_test(cases, buffer_never_passes_its_maximum);
    tcase_add_test(cases, buffer_keeps_its_text_when_memory_ends);
    tcase_add_test(cases, log_line_has_name_and_typed_fields);
    tcase_add_test(cases, array_grows_to_its_maximum_only);
    suite_add_tcase(suite, cases);
    return suite;
}
