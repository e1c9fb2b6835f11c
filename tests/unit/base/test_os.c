#include "base/alloc.h"
#include "base/err.h"
#include "base/os.h"
#include "suites.h"
#include "tests/support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[128];

static void begin(void) { ck_assert_int_eq(make_folder("oomcast-test", folder, sizeof folder), 0); }

static void end(void) { ck_assert_int_eq(remove_folder(folder), 0); }

static const char *in_folder(const char *name)
{
    static char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

START_TEST(clocks_go_forward)
{
    int64_t mono = oc_clock_mono_ns(), boot = oc_clock_boot_ns();

    ck_assert_int_gt(mono, 0);
    ck_assert_int_ge(oc_clock_boot_ns(), boot);
    ck_assert_int_ge(boot + 1000000000, mono); /* boot time includes suspend */
    ck_assert_int_gt(oc_clock_unix_ms(), INT64_C(1600000000000));
}
END_TEST

START_TEST(civil_time_comes_back)
{
    struct oc_civil civil;
    int64_t now = oc_clock_unix_ms();

    oc_civil_from_unix_ms(now, &civil);
    ck_assert_int_eq(oc_civil_to_unix_ms(&civil), now);
}
END_TEST

START_TEST(file_is_written_whole_and_read_back)
{
    char *text = NULL;
    size_t len = 0;

    ck_assert_int_eq(oc_file_write_atomic(in_folder("f"), "hello", 5), OC_OK);
    ck_assert_int_eq(oc_file_read(in_folder("f"), 5, &text, &len), OC_OK);
    ck_assert_uint_eq(len, 5);
    ck_assert_str_eq(text, "hello");
    oc_free(text);
    text = NULL;
    ck_assert_int_eq(oc_file_read(in_folder("f"), 4, &text, &len), OC_E_TOOBIG);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(oc_file_read(in_folder("none"), 4, &text, &len), OC_E_NOENT);
    ck_assert_int_eq(oc_file_remove(in_folder("f")), OC_OK);
}
END_TEST

START_TEST(second_lock_is_refused_and_names_its_holder)
{
    oc_lock *first = NULL, *second = NULL;
    uint32_t holder = 0;

    ck_assert_int_eq(oc_lock_take(in_folder("lock"), &first, &holder), OC_OK);
    ck_assert_int_eq(oc_lock_take(in_folder("lock"), &second, &holder), OC_E_BUSY);
    ck_assert_uint_eq(holder, oc_os_pid());
    oc_lock_release(first);
    ck_assert_int_eq(oc_lock_take(in_folder("lock"), &second, &holder), OC_OK);
    oc_lock_release(second);
    ck_assert_int_eq(oc_file_remove(in_folder("lock")), OC_OK);
}
END_TEST

START_TEST(folders_are_made_with_their_parents)
{
    ck_assert_int_eq(oc_os_mkdir_all(in_folder("a/b/c")), OC_OK);
    ck_assert_int_eq(oc_os_mkdir_all(in_folder("a/b/c")), OC_OK);
    ck_assert_int_eq(oc_file_exists(in_folder("a/b/c")), 1);
    (void)rmdir(in_folder("a/b/c"));
    (void)rmdir(in_folder("a/b"));
    (void)rmdir(in_folder("a"));
}
END_TEST

START_TEST(a_file_is_no_folder)
{
    ck_assert_int_eq(oc_file_write_atomic(in_folder("plain"), "x", 1), OC_OK);
    ck_assert_int_eq(oc_file_exists(in_folder("plain")), 1);
    ck_assert_int_eq(oc_file_exists(in_folder("plain/.")), 0);
    ck_assert_int_eq(oc_file_exists(in_folder(".")), 1);
    ck_assert_int_eq(oc_file_remove(in_folder("plain")), OC_OK);
}
END_TEST

START_TEST(folder_lists_names_of_a_kind_in_order)
{
    char *names = NULL;
    static const char *const files[] = { "b.json", "a.json", "c.txt", ".hidden.json", "10.json" };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        ck_assert_int_eq(oc_file_write_atomic(in_folder(files[i]), "x", 1), OC_OK);
    ck_assert_int_eq(oc_dir_list(folder, ".json", 3, &names), OC_OK);
    ck_assert_mem_eq(names, "10.json\0a.json\0b.json\0", 23);
    oc_free(names);
    names = NULL;
    ck_assert_int_eq(oc_dir_list(folder, ".json", 2, &names), OC_E_TOOBIG);
    ck_assert_int_eq(oc_dir_list(in_folder("none"), ".json", 3, &names), OC_E_NOENT);
    ck_assert_int_eq(oc_dir_list(folder, ".none", 3, &names), OC_OK);
    ck_assert_str_eq(names, "");
    oc_free(names);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        ck_assert_int_eq(oc_file_remove(in_folder(files[i])), OC_OK);
}
END_TEST

START_TEST(config_path_is_the_systems_for_root)
{
    char path[256] = "";

    ck_assert_int_eq(oc_os_config_path(path, sizeof path), OC_OK);
    for (char *at = path; *at; at++)
        if (*at == '\\')
            *at = '/';
    ck_assert_ptr_nonnull(strstr(path, "/oomcast/oomcast.json"));
    if (oc_os_is_admin())
        ck_assert_ptr_nonnull(
            strstr("/etc/oomcast/oomcast.json;C:/ProgramData/oomcast/oomcast.json", path));
}
END_TEST

START_TEST(boot_has_an_identity)
{
    char id[40];

    ck_assert_int_eq(oc_os_boot_id(id), OC_OK);
    ck_assert_uint_eq(strlen(id), 36);
}
END_TEST

Suite *os_suite(void)
{
    Suite *suite = suite_create("os");
    TCase *cases = tcase_create("os");

    tcase_add_checked_fixture(cases, begin, end);
    tcase_add_test(cases, clocks_go_forward);
    tcase_add_test(cases, civil_time_comes_back);
    tcase_add_test(cases, file_is_written_whole_and_read_back);
    tcase_add_test(cases, second_lock_is_refused_and_names_its_holder);
    tcase_add_test(cases, folders_are_made_with_their_parents);
    tcase_add_test(cases, a_file_is_no_folder);
    tcase_add_test(cases, folder_lists_names_of_a_kind_in_order);
    tcase_add_test(cases, config_path_is_the_systems_for_root);
    tcase_add_test(cases, boot_has_an_identity);
    suite_add_tcase(suite, cases);
    return suite;
}
