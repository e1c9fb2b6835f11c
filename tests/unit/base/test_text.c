#include "base/err.h"
#include "base/text.h"
#include "suites.h"

#include <string.h>

struct number_case {
    const char *text;
    int rc;
    int64_t value;
};

static const struct number_case durations[] = {
    { "250ms", 0, 250 },
    { "10s", 0, 10000 },
    { "1h30m", 0, 5400000 },
    { "7d", 0, 604800000 },
    { "1.5s", 0, 1500 },
    { "0", 0, 0 },
    { "10", OC_E_PARSE, 0 },
    { "", OC_E_PARSE, 0 },
    { "s", OC_E_PARSE, 0 },
    { "10 s", OC_E_PARSE, 0 },
    { "-5s", OC_E_PARSE, 0 },
    { "10x", OC_E_PARSE, 0 },
    { "99999999y", OC_E_TOOBIG, 0 },
    { "1111111111111111111111s", OC_E_TOOBIG, 0 },
};

static const struct number_case sizes[] = {
    { "512", 0, 512 },           { "64KiB", 0, 65536 },
    { "1.5GiB", 0, 1610612736 }, { "10MB", 0, 10000000 },
    { "64 MiB", 0, 67108864 },   { "1G", 0, 1073741824 },
    { "MiB", OC_E_PARSE, 0 },    { "1Mi", OC_E_PARSE, 0 },
    { "-1", OC_E_PARSE, 0 },     { "99999999TiB", OC_E_TOOBIG, 0 },
};

static const struct number_case integers[] = {
    { "0", 0, 0 },
    { "-1", 0, -1 },
    { "9223372036854775807", 0, INT64_MAX },
    { "-9223372036854775808", 0, INT64_MIN },
    { "9223372036854775808", OC_E_TOOBIG, 0 },
    { "99999999999999999999999", OC_E_TOOBIG, 0 },
    { "", OC_E_PARSE, 0 },
    { "-", OC_E_PARSE, 0 },
    { "+1", OC_E_PARSE, 0 },
    { "1 ", OC_E_PARSE, 0 },
};

START_TEST(duration_is_read_with_its_unit)
{
    int64_t value = -77;
    int rc = oc_text_duration_ms(durations[_i].text, &value);

    ck_assert_int_eq(rc, durations[_i].rc);
    ck_assert_int_eq(value, rc ? -77 : durations[_i].value); /* untouched on failure */
}
END_TEST

START_TEST(size_is_read_with_its_unit)
{
    uint64_t value = 0;
    int rc = oc_text_size_bytes(sizes[_i].text, &value);

    ck_assert_int_eq(rc, sizes[_i].rc);
    if (!rc)
        ck_assert_uint_eq(value, (uint64_t)sizes[_i].value);
}
END_TEST

START_TEST(integer_is_read_strictly)
{
    int64_t value = 0;
    int rc = oc_text_i64(integers[_i].text, &value);

    ck_assert_int_eq(rc, integers[_i].rc);
    if (!rc)
        ck_assert_int_eq(value, integers[_i].value);
}
END_TEST

struct words_case {
    int64_t value;
    const char *bytes, *ms;
};

static const struct words_case words[] = {
    { 0, "0 B", "0 ms" },
    { 1023, "1023 B", "1 s" },
    { 1024, "1.0 KiB", "1 s" },
    { -1536, "-1.5 KiB", "-1 s" },
    { 67108864, "64.0 MiB", "18 h 38 min" },
    { 1048575, "1.0 MiB", "17 min 28 s" },
    { INT64_MIN, "-8.0 EiB", NULL },
};

START_TEST(figures_are_said_with_units)
{
    char out[48];

    ck_assert_str_eq(oc_text_bytes(words[_i].value, out, sizeof out), words[_i].bytes);
    if (words[_i].ms)
        ck_assert_str_eq(oc_text_ms(words[_i].value, out, sizeof out), words[_i].ms);
}
END_TEST

struct glob_case {
    const char *pattern, *text;
    int matches;
};

static const struct glob_case globs[] = {
    { "*", "", 1 },
    { "*", "anything", 1 },
    { "nginx", "nginx", 1 },
    { "nginx", "nginx2", 0 },
    { "php-fpm*", "php-fpm8", 1 },
    { "*.so", "a.so.so", 1 },
    { "a?c", "abc", 1 },
    { "a?c", "ac", 0 },
    { "[a-c]x", "bx", 1 },
    { "[!a-c]x", "bx", 0 },
    { "[]]", "]", 1 },
    { "[", "[", 1 },
    { "\\*", "*", 1 },
    { "\\*", "a", 0 },
    { "", "", 1 },
    { "", "a", 0 },
    { "a*b*c", "aXbYbZc", 1 },
    { "a*b*c", "aXbYbZ", 0 },
    { "x\\", "x\\", 1 },
};

START_TEST(glob_matches_the_whole_text)
{
    ck_assert_int_eq(oc_text_glob(globs[_i].pattern, globs[_i].text), globs[_i].matches);
}
END_TEST

START_TEST(glob_takes_no_exponential_time)
{
    char text[4001];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(oc_text_glob("a*a*a*a*a*a*a*a*a*a*a*b", text), 0);
}
END_TEST

struct utf8_case {
    const char *text;
    size_t bad_at; /* SIZE_MAX: all good */
};

static const struct utf8_case utf8s[] = {
    { "plain", SIZE_MAX },
    { "\xc3\xa9", SIZE_MAX },
    { "\xf0\x9f\x98\x80", SIZE_MAX },
    { "a\x80", 1 },
    { "\xc0\xaf", 0 },
    { "\xed\xa0\x80", 0 },
    { "ab\xf4\x90\x80\x80", 2 },
    { "\xe2\x82", 0 },
    { "\xff", 0 },
};

START_TEST(utf8_is_checked_strictly)
{
    size_t bad_at = SIZE_MAX;
    int good = oc_text_is_utf8(utf8s[_i].text, strlen(utf8s[_i].text), &bad_at);

    ck_assert_int_eq(good, utf8s[_i].bad_at == SIZE_MAX);
    ck_assert_uint_eq(bad_at, utf8s[_i].bad_at);
}
END_TEST

START_TEST(utf8_copy_cuts_between_characters)
{
    char out[6];

    oc_text_copy_utf8(out, sizeof out, "abc\xe2\x82\xac", 6); /* the euro sign does not fit */
    ck_assert_str_eq(out, "abc");
    oc_text_copy_utf8(out, sizeof out, "\xff", 1);
    ck_assert_str_eq(out, "\xef\xbf\xbd");
}
END_TEST

START_TEST(columns_count_what_a_terminal_shows)
{
    ck_assert_uint_eq(oc_text_columns("abc"), 3);
    ck_assert_uint_eq(oc_text_columns("\xe4\xb8\xad\xe6\x96\x87"), 4);
    ck_assert_uint_eq(oc_text_columns("e\xcc\x81"), 1);
}
END_TEST

START_TEST(nearest_word_is_named_when_near)
{
    static const char *const list[] = { "interval", "names", "min_size", NULL };

    ck_assert_str_eq(oc_text_nearest("intervall", list), "interval");
    ck_assert_str_eq(oc_text_nearest("nmaes", list), "names");
    ck_assert_ptr_null(oc_text_nearest("zzzzzz", list));
    ck_assert_uint_eq(oc_text_distance("abcd", "acbd", 5), 1);
}
END_TEST

Suite *text_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *cases = tcase_create("text");

    tcase_add_loop_test(cases, duration_is_read_with_its_unit, 0,
                        (int)(sizeof durations / sizeof *durations));
    tcase_add_loop_test(cases, size_is_read_with_its_unit, 0, (int)(sizeof sizes / sizeof *sizes));
    tcase_add_loop_test(cases, integer_is_read_strictly, 0,
                        (int)(sizeof integers / sizeof *integers));
    tcase_add_loop_test(cases, figures_are_said_with_units, 0, (int)(sizeof words / sizeof *words));
    tcase_add_loop_test(cases, glob_matches_the_whole_text, 0, (int)(sizeof globs / sizeof *globs));
    tcase_add_loop_test(cases, utf8_is_checked_strictly, 0, (int)(sizeof utf8s / sizeof *utf8s));
    tcase_add_test(cases, glob_takes_no_exponential_time);
    tcase_add_test(cases, utf8_copy_cuts_between_characters);
    tcase_add_test(cases, columns_count_what_a_terminal_shows);
    tcase_add_test(cases, nearest_word_is_named_when_near);
    suite_add_tcase(suite, cases);
    return suite;
}
