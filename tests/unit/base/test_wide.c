/* Text and codes between the rooms and Windows. */
#include "base/err.h"
#include "base/windows/wide.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static wchar_t wide[OC_WIDE_PATH_UNITS];
static char text[OC_WIDE_PATH_UNITS];

START_TEST(text_comes_back)
{
    static const char *const texts[] = { "", "w3wp.exe", "\xe7\xa7\x8b\xe5\xa4\xa9",
                                         "\xf0\x9f\x98\x80" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_int_eq(oc_wide_from_utf8(wide, OC_WIDE_PATH_UNITS, texts[i]), OC_OK);
        ck_assert_int_eq(oc_wide_to_utf8(text, sizeof(text), wide), OC_OK);
        ck_assert_str_eq(text, texts[i]);
    }
}
END_TEST

START_TEST(what_is_no_text_or_too_long_is_refused)
{
    ck_assert_int_eq(oc_wide_from_utf8(wide, OC_WIDE_PATH_UNITS, "\xff"), OC_E_PARSE);
    ck_assert_int_eq(oc_wide_from_utf8(wide, 4, "four"), OC_E_TOOBIG);
    ck_assert_int_eq(oc_wide_from_utf8(wide, 5, "four"), OC_OK);
    ck_assert_int_eq(oc_wide_to_utf8(text, 4, L"four"), OC_E_TOOBIG);
}
END_TEST

static void check_path(const char *path, const wchar_t *begin)
{
    ck_assert_int_eq(oc_wide_path(wide, OC_WIDE_PATH_UNITS, path), OC_OK);
    ck_assert_msg(wcsncmp(wide, begin, wcslen(begin)) == 0, "%s", path);
}

START_TEST(only_a_long_path_from_a_drive_or_a_server_gets_the_prefix)
{
    char path[400];

    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    check_path("C:/data/f", L"C:\\data\\f");
    check_path(path, L"xxx");
    memcpy(path, "C:/", 3);
    check_path(path, L"\\\\?\\C:\\xxx");
    memcpy(path, "//s/t/", 6);
    check_path(path, L"\\\\?\\UNC\\s\\t\\x");
    memcpy(path, "\\\\?\\C:\\", 7);
    check_path(path, L"\\\\?\\C:\\xxx");
    ck_assert_int_eq(oc_wide_path(wide, 402, path), OC_OK);
    memcpy(path, "C:/xxxx", 7);
    ck_assert_int_eq(oc_wide_path(wide, 402, path), OC_E_TOOBIG);
}
END_TEST

START_TEST(errors_of_windows_have_our_codes)
{
    ck_assert_int_eq(oc_err_from_windows(0), OC_OK);
    ck_assert_int_eq(oc_err_from_windows(2), OC_E_NOENT);
    ck_assert_int_eq(oc_err_from_windows(5), OC_E_DENIED);
    ck_assert_int_eq(oc_err_from_windows(112), OC_E_NOSPC);
    ck_assert_int_eq(oc_err_from_windows(123456), OC_E_IO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wide");
    TCase *tcase = tcase_create("wide");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(tcase, text_comes_back);
    tcase_add_test(tcase, what_is_no_text_or_too_long_is_refused);
    tcase_add_test(tcase, only_a_long_path_from_a_drive_or_a_server_gets_the_prefix);
    tcase_add_test(tcase, errors_of_windows_have_our_codes);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
