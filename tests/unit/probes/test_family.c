/* Folding names: what is one kind becomes one row, what only looks alike does not. */
#include "walks.h"

#include "base/os.h"
#include "probes/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(oc_families *families, enum oc_family_kind kind, const char *name)
{
    ck_assert_int_eq(oc_families_add(families, kind, name, strlen(name), 1, 4096, 0), OC_OK);
}

static struct oc_census finish(oc_families *families)
{
    struct oc_census census = { .totals = NULL };

    ck_assert_int_eq(oc_families_finish(families, &census), OC_OK);
    oc_families_free(families);
    return census;
}

static uint64_t state;

static void random_word(char *out, size_t len, const char *digits)
{
    for (size_t i = 0; i < len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = digits[(state >> 33) % strlen(digits)];
    }
    out[len] = '\0';
}

/* Generated names of the ways that programs make them: shape, alphabet, length of the random part. */
static const struct {
    const char *before, *digits, *after, *shape;
    size_t len;
} made[] = {
    { "/app/qrt-", "abcdefghijklmnopqrstuvwxyz0123456789", ".dll", "/app/qrt-*.dll", 4 },
    { "/tmp/leaker-", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", ".so",
      "/tmp/leaker-*.so", 6 },
    { "/tmp/jna", "0123456789", ".tmp", "/tmp/jna*.tmp", 12 },
    { "/x/", "0123456789abcdef", "/lib.so", "/x/*/lib.so", 32 },
    { "/x/", "abcdefghijklmnopqrstuvwxyz", ".so", "/x/*.so", 8 },
    { "libnetty_", "0123456789", "_x86_64.so.1.2", "libnetty_*_x86_64.so.1.2", 9 },
};

START_TEST(names_of_one_shape_are_one_family)
{
    oc_families *families = oc_families_new();
    struct oc_census census;
    const int count = 1000;

    state = (uint64_t)_i + 1;
    for (int i = 0; i < count; i++) {
        char word[64], name[256];

        random_word(word, made[_i].len, made[_i].digits);
        (void)snprintf(name, sizeof name, "%s%s%s", made[_i].before, word, made[_i].after);
        add(families, OC_FAMILY_MODULE, name);
    }
    census = finish(families);
    ck_assert_uint_eq(census.family_count, 1);
    ck_assert_str_eq(oc_census_text(&census, census.families[0].name), made[_i].shape);
    ck_assert_uint_eq(census.families[0].flags, OC_FAMILY_FOLDED);
    ck_assert_uint_eq(census.families[0].count, count);
    ck_assert_uint_eq(census.families[0].bytes, (uint64_t)count * 4096);
    ck_assert_uint_ge(census.families[0].distinct, census.families[0].count - 5);
    oc_census_clear(&census);
}
END_TEST

/* As they lie in one process; what looks alike in them is no generated part. */
static const char *const ordinary[] = {
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libm.so.6",
    "/usr/lib/x86_64-linux-gnu/libdl.so.2",
    "/usr/lib/x86_64-linux-gnu/librt.so.1",
    "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13",
    "/usr/lib/x86_64-linux-gnu/libfoo-2.so",
    "/usr/lib/x86_64-linux-gnu/libbar.so.1.2.3",
    "/usr/lib/x86_64-linux-gnu/libpthread.so.0",
    "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30",
    "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    "/usr/lib/x86_64-linux-gnu/libssl.so.3",
    "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
    "/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0.7400.6",
    "/usr/lib/x86_64-linux-gnu/libgio-2.0.so.0.7400.6",
    "/usr/lib/x86_64-linux-gnu/libgobject-2.0.so.0.7400.6",
    "/usr/lib/x86_64-linux-gnu/libgmodule-2.0.so.0.7400.6",
    "/usr/lib/x86_64-linux-gnu/libicudata.so.72.1",
    "/usr/lib/x86_64-linux-gnu/libicuuc.so.72.1",
    "/usr/lib/x86_64-linux-gnu/libicui18n.so.72.1",
    "/usr/lib/x86_64-linux-gnu/libX11.so.6.4.0",
    "/usr/lib/x86_64-linux-gnu/libxcb.so.1.1.0",
    "/usr/lib/x86_64-linux-gnu/libQt5Core.so.5.15.8",
    "/usr/lib/x86_64-linux-gnu/libQt5Gui.so.5.15.8",
    "/usr/lib/x86_64-linux-gnu/libQt5Widgets.so.5.15.8",
    "/usr/lib/x86_64-linux-gnu/libboost_system.so.1.74.0",
    "/usr/lib/x86_64-linux-gnu/libboost_thread.so.1.74.0",
    "/usr/lib/x86_64-linux-gnu/libboost_filesystem.so.1.74.0",
    "/usr/lib/x86_64-linux-gnu/libnss_files-2.31.so",
    "/usr/lib/x86_64-linux-gnu/libnss_dns-2.31.so",
    "/usr/lib/x86_64-linux-gnu/libsha1.so",
    "/usr/lib/x86_64-linux-gnu/libsha256.so",
    "/usr/lib/x86_64-linux-gnu/libutf8proc.so.2",
    "/usr/lib/python3.11/lib-dynload/_asyncio.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_bz2.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_ctypes.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_curses.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_dbm.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_decimal.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_hashlib.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_lzma.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_queue.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_sqlite3.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so",
    "/usr/lib/python3.11/lib-dynload/_uuid.cpython-311-x86_64-linux-gnu.so",
    "/app/lib/spring-core-5.3.1.jar",
    "/app/lib/spring-beans-5.3.1.jar",
    "/app/lib/spring-web-5.3.1.jar",
    "/app/lib/spring-webmvc-5.3.1.jar",
    "/app/lib/jackson-core-2.15.2.jar",
    "/app/lib/jackson-databind-2.15.2.jar",
    "/app/lib/log4j-api-2.20.0.jar",
    "/app/lib/log4j-core-2.20.0.jar",
    "/app/lib/netty-all-4.1.94.Final.jar",
    "/app/lib/commons-lang3-3.12.0.jar",
    "/app/lib/commons-io-2.13.0.jar",
    "/app/System.Text.Json.dll",
    "/app/System.Net.Http.dll",
    "/app/Microsoft.Extensions.Logging.dll",
    "/app/server",
};
#define ORDINARY (sizeof ordinary / sizeof ordinary[0])

START_TEST(ordinary_names_stay_apart)
{
    oc_families *families = oc_families_new();
    struct oc_census census;

    for (size_t i = 0; i < ORDINARY; i++)
        add(families, OC_FAMILY_MODULE, ordinary[i]);
    census = finish(families);
    ck_assert_uint_ge(census.family_count, 60);
    for (size_t i = 0; i < census.family_count; i++)
        ck_assert_msg(census.families[i].flags == 0, "%s",
                      oc_census_text(&census, census.families[i].name));
    ck_assert_uint_eq(census.family_count, ORDINARY);
    oc_census_clear(&census);
}
END_TEST

START_TEST(ordinary_names_stay_apart_beside_generated_ones)
{
    oc_families *families = oc_families_new();
    const struct oc_family *family = NULL;
    struct oc_census census;

    state = 7;
    for (size_t i = 0; i < ORDINARY; i++)
        add(families, OC_FAMILY_MODULE, ordinary[i]);
    for (int i = 0; i < 500; i++) {
        char word[8], name[64];

        random_word(word, 4, "abcdefghijklmnopqrstuvwxyz0123456789");
        (void)snprintf(name, sizeof name, "/app/qrt-%s.dll", word);
        add(families, OC_FAMILY_MODULE, name);
    }
    census = finish(families);
    ck_assert_uint_eq(census.family_count, ORDINARY + 1);
    family = family_named(&census, OC_FAMILY_MODULE, "/app/qrt-*.dll");
    ck_assert_ptr_nonnull(family);
    ck_assert_uint_eq(family->count, 500);
    ck_assert_ptr_eq(family, census.families); /* the largest is the first */
    oc_census_clear(&census);
}
END_TEST

START_TEST(one_name_many_times_is_one_family)
{
    oc_families *families = oc_families_new();
    struct oc_census census;

    for (int i = 0; i < 2000; i++)
        add(families, OC_FAMILY_MODULE, "Microsoft.GeneratedCode");
    census = finish(families);
    ck_assert_uint_eq(census.family_count, 1);
    ck_assert_uint_eq(census.families[0].count, 2000);
    ck_assert_uint_eq(census.families[0].distinct, 1);
    ck_assert_uint_eq(census.families[0].flags, 0);
    oc_census_clear(&census);
}
END_TEST

START_TEST(numbered_threads_are_one_family)
{
    static const char *const names[] = { "worker-12",    "worker-3",       "GC Thread#3",
                                         "GC Thread#10", "pool-1-thread-", "main",
                                         "reaper" };
    oc_families *families = oc_families_new();
    struct oc_census census;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add(families, OC_FAMILY_THREAD, names[i]);
    census = finish(families);
    ck_assert_uint_eq(census.family_count, 5);
    ck_assert_uint_eq(family_named(&census, OC_FAMILY_THREAD, "worker-*")->count, 2);
    ck_assert_uint_eq(family_named(&census, OC_FAMILY_THREAD, "GC Thread#*")->count, 2);
    ck_assert_uint_eq(family_named(&census, OC_FAMILY_THREAD, "pool-1-thread-")->count, 1);
    ck_assert_uint_eq(census.has_families, 1u << OC_FAMILY_THREAD);
    oc_census_clear(&census);
}
END_TEST

START_TEST(parts_that_are_the_same_stay)
{
    oc_families *families = oc_families_new();
    struct oc_census census;

    for (int i = 0; i < 8; i++) {
        char name[64];

        (void)snprintf(name, sizeof name, "/srv/v2/app-1.4/seg-%02d.idx.3", i);
        add(families, OC_FAMILY_MAPPING, name);
    }
    census = finish(families);
    ck_assert_uint_eq(census.family_count, 1);
    ck_assert_str_eq(oc_census_text(&census, census.families[0].name),
                     "/srv/v2/app-1.4/seg-*.idx.3");
    ck_assert_str_eq(oc_census_text(&census, census.families[0].example),
                     "/srv/v2/app-1.4/seg-00.idx.3");
    oc_census_clear(&census);
}
END_TEST

/* "vxh-5mlu1.dll": neither word comes twice. */
START_TEST(names_of_two_generated_words_are_one_family)
{
    oc_families *families = oc_families_new();
    struct oc_census census;

    state = 11;
    for (int i = 0; i < 150; i++) {
        char name[64] = "C:\\Temp\\", word[8];
        size_t at = strlen(name);

        random_word(word, 3, "abcdefghijklmnopqrstuvwxyz");
        at += (size_t)snprintf(name + at, sizeof name - at, "%s-", word);
        random_word(word, 4, "abcdefghijklmnopqrstuvwxyz0123456789");
        (void)snprintf(name + at, sizeof name - at, "%s%x.dll", word, (unsigned)i);
        add(families, OC_FAMILY_MODULE, name);
    }
    census = finish(families);
    ck_assert_uint_eq(census.families[0].count, 150);
    ck_assert_str_eq(oc_census_text(&census, census.families[0].name), "C:\\Temp\\*-*.dll");
    oc_census_clear(&census);
}
END_TEST

/* Libraries with a version: names that people gave are of many lengths. */
START_TEST(named_libraries_with_versions_stay_apart)
{
    oc_families *families = oc_families_new();
    struct oc_census census;

    state = 12;
    for (int i = 0; i < 150; i++) {
        char name[64], word[16];

        random_word(word, 3 + (size_t)i % 9, "abcdefghijklmnopqrstuvwxyz");
        (void)snprintf(name, sizeof name, "/usr/lib/lib%s-2.36.so", word);
        add(families, OC_FAMILY_MODULE, name);
    }
    census = finish(families);
    ck_assert_uint_eq(census.families[0].count, 1);
    oc_census_clear(&census);
}
END_TEST

START_TEST(deleted_files_are_marked)
{
    oc_families *families = oc_families_new();
    struct oc_census census;

    ck_assert_int_eq(oc_families_add(families, OC_FAMILY_MODULE, "/a", 2, 3, 10, 2), OC_OK);
    ck_assert_int_eq(oc_families_add(families, OC_FAMILY_MODULE, "/b", 2, 3, 20, 1), OC_OK);
    census = finish(families);
    ck_assert_uint_eq(family_named(&census, OC_FAMILY_MODULE, "/a")->flags, OC_FAMILY_DELETED);
    ck_assert_uint_eq(family_named(&census, OC_FAMILY_MODULE, "/b")->flags, 0);
    oc_census_clear(&census);
}
END_TEST

START_TEST(too_many_become_the_rest)
{
    oc_families *families = oc_families_new();
    const struct oc_family *rest = NULL;
    struct oc_census census;
    uint64_t count = 0;

    state = 3;
    for (int i = 0; i < 40000; i++) { /* of different lengths, without digits: nothing folds */
        char name[40];

        random_word(name, 12 + (size_t)i % 17, "abcdefghijklmnopqrstuvwxyz");
        add(families, OC_FAMILY_MODULE, name);
    }
    census = finish(families);
    ck_assert_uint_le(census.family_count, OC_CENSUS_FAMILIES_MAX);
    rest = family_named(&census, OC_FAMILY_MODULE, "*");
    ck_assert_ptr_nonnull(rest);
    for (size_t i = 0; i < census.family_count; i++)
        count += census.families[i].count;
    ck_assert_uint_eq(count, 40000);
    ck_assert_uint_eq(census.is_truncated, 1);
    oc_census_clear(&census);
}
END_TEST

START_TEST(names_of_any_bytes_come_out_as_text)
{
    oc_families *families = oc_families_new();
    struct oc_census census;
    char longest[8192];

    memset(longest, '\xff', sizeof longest);
    ck_assert_int_eq(oc_families_add(families, OC_FAMILY_FD, longest, sizeof longest, 1, 0, 0),
                     OC_OK);
    ck_assert_int_eq(oc_families_add(families, OC_FAMILY_FD, "a\0b", 3, 1, 0, 0), OC_OK);
    ck_assert_int_eq(oc_families_add(families, OC_FAMILY_FD, "", 0, 1, 0, 0), OC_OK);
    census = finish(families);
    ck_assert_uint_eq(census.family_count, 3);
    oc_census_clear(&census);
}
END_TEST

/* A bound that a machine under load keeps: what is quadratic takes minutes. */
START_TEST(ten_thousand_names_take_some_milliseconds)
{
    oc_families *families = oc_families_new();
    struct oc_census census;
    int64_t begin_ns = 0;

    state = 9;
    for (int i = 0; i < 10000; i++) {
        char word[8], name[64];

        random_word(word, 6, "abcdefghijklmnopqrstuvwxyz0123456789");
        (void)snprintf(name, sizeof name, "/opt/app/generated/qrt-%s.dll", word);
        add(families, OC_FAMILY_MODULE, name);
    }
    begin_ns = oc_clock_thread_cpu_ns();
    census = finish(families);
    printf("10,000 names folded in %.1f ms\n", (double)(oc_clock_thread_cpu_ns() - begin_ns) / 1e6);
    ck_assert_int_lt(oc_clock_thread_cpu_ns() - begin_ns, INT64_C(1000000000));
    ck_assert_uint_eq(census.family_count, 1);
    oc_census_clear(&census);
}
END_TEST

Suite *family_suite(void)
{
    Suite *suite = suite_create("family");
    TCase *tcase = tcase_create("family");

    tcase_add_loop_test(tcase, names_of_one_shape_are_one_family, 0,
                        (int)(sizeof made / sizeof made[0]));
    tcase_add_test(tcase, ordinary_names_stay_apart);
    tcase_add_test(tcase, ordinary_names_stay_apart_beside_generated_ones);
    tcase_add_test(tcase, one_name_many_times_is_one_family);
    tcase_add_test(tcase, numbered_threads_are_one_family);
    tcase_add_test(tcase, parts_that_are_the_same_stay);
    tcase_add_test(tcase, names_of_two_generated_words_are_one_family);
    tcase_add_test(tcase, named_libraries_with_versions_stay_apart);
    tcase_add_test(tcase, deleted_files_are_marked);
    tcase_add_test(tcase, too_many_become_the_rest);
    tcase_add_test(tcase, names_of_any_bytes_come_out_as_text);
    tcase_add_test(tcase, ten_thousand_names_take_some_milliseconds);
    suite_add_tcase(suite, tcase);
    return suite;
}
