#include "base/alloc.h"
#include "base/os.h"
#include "config/config.h"
#include "config/scan.h"
#include "suites.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, struct oc_config *config, struct oc_detail *detail)
{
    memset(detail, 0, sizeof(*detail));
    return oc_config_parse("test.json", text, strlen(text), config, detail);
}

/* ---- what is refused, and how it is said ---- */

struct bad_case {
    const char *text;
    int rc;
    uint32_t line, column;
    const char *says; /* part of the text */
};

static const struct bad_case bad[] = {
    { "", OC_E_PARSE, 1, 1, "a value" },
    { "// nothing but a comment", OC_E_PARSE, 1, 25, "the text ends" },
    { "{", OC_E_PARSE, 1, 2, "a key" },
    { "{\"interval\"", OC_E_PARSE, 1, 12, "a colon" },
    { "{\"interval\": \"10s", OC_E_PARSE, 1, 14, "no closing quote" },
    { "{\"interval\": \"10s\",}", OC_E_PARSE, 1, 20, "no comma before" },
    { "{\"interval\": \"10s\"} x", OC_E_PARSE, 1, 21, "behind the end" },
    { "{\n  \"intervall\": \"10s\"\n}", OC_E_INVAL, 2, 3, "did you mean \"interval\"?" },
    { "{\"zzzzzzzz\": 1}", OC_E_INVAL, 1, 2, "man oomcast.json" },
    { "{\n\"batch\": \"1s\",\n \"batch\": \"2s\"}", OC_E_PARSE, 3, 2, "twice" },
    { "{\"b\\u0061tch\": \"1s\", \"batch\": \"2s\"}", OC_E_PARSE, 1, 22, "twice" },
    { "{\"interval\": 10}", OC_E_INVAL, 1, 14, "not a number" },
    { "{\"interval\": null}", OC_E_INVAL, 1, 14, "not null" },
    { "{\"interval\": \"10\"}", OC_E_INVAL, 1, 14, "such as \"10s\"" },
    { "{\"interval\": \"99ms\"}", OC_E_INVAL, 1, 14, "from 100ms to 1h" },
    { "{\"interval\": \"2h\"}", OC_E_INVAL, 1, 14, "from 100ms to 1h" },
    { "{\"min_size\": \"much\"}", OC_E_INVAL, 1, 14, "such as \"64MiB\"" },
    { "{\"store_max\": \"1KiB\"}", OC_E_INVAL, 1, 15, "a size from" },
    { "{\"log_level\": \"loud\"}", OC_E_INVAL, 1, 15, "\"warn\"" },
    { "{\"names\": []}", OC_E_INVAL, 1, 2, "no option is called \"names\"" },
    { "[]", OC_E_INVAL, 1, 1, "one object" },
    { "{\"a\": 1e999}", OC_E_PARSE, 1, 7, "too large" },
    { "{\"a\": 9223372036854775807}", OC_E_PARSE, 1, 7, "too large" },
    { "{\"a\": 01}", OC_E_PARSE, 1, 7, "begins with no 0" },
    { "{\"a\": \"\\u0000\"}", OC_E_PARSE, 1, 8, "u0000" },
    { "{\"a\": \"\\ud800x\"}", OC_E_PARSE, 1, 8, "surrogate" },
    { "{\"a\": \"\x01\"}", OC_E_PARSE, 1, 8, "control character" },
    { "{\"a\": \"\xff\"}", OC_E_PARSE, 1, 8, "not UTF-8" },
    { "{\"\xc3\xa4\": \"\xc0\x80\"}", OC_E_PARSE, 1, 8, "not UTF-8" },
    { "{ # no\n}", OC_E_PARSE, 1, 3, "a comment begins with //" },
    { "{ /* no */ }", OC_E_PARSE, 1, 3, "a comment begins with //" },
    { "{\"a\" \"b\"}", OC_E_PARSE, 1, 6, "a colon" },
    { "{a: 1}", OC_E_PARSE, 1, 2, "in double quotes" },
    { "{\"a\": truth}", OC_E_PARSE, 1, 7, "a value" },
};

START_TEST(config_says_where_and_what_is_wrong)
{
    const struct bad_case *c = &bad[_i];
    struct oc_config config;
    struct oc_detail detail;
    int rc = parse(c->text, &config, &detail);

    ck_assert_msg(rc == c->rc, "%s: %d %s", c->text, rc, detail.text);
    ck_assert_msg(detail.line == c->line && detail.column == c->column, "%s: %u:%u %s", c->text,
                  detail.line, detail.column, detail.text);
    ck_assert_msg(strstr(detail.text, c->says) != NULL, "%s: %s", c->text, detail.text);
    ck_assert_msg(strncmp(detail.text, "test.json:", 10) == 0, "%s", detail.text);
}
END_TEST

START_TEST(config_is_refused_at_every_place_where_it_may_be_cut)
{
    static const char text[] = "{\"interval\": \"5s\", // c\n \"targets\": [{\"name\": \"b\"}]}";
    struct oc_config config;
    struct oc_detail detail;

    for (size_t len = 0; len < sizeof(text) - 1; len++)
        ck_assert_int_lt(oc_config_parse("cut", text, len, &config, &detail), 0);
    ck_assert_int_eq(oc_config_parse("whole", text, sizeof(text) - 1, &config, &detail), 0);
    oc_config_clear(&config);
}
END_TEST

START_TEST(config_bounds_size_depth_and_count)
{
    size_t len = OC_CONFIG_MAX_FILE_BYTES + 1;
    char *text = oc_malloc(len);
    struct oc_config config;
    struct oc_detail detail;

    memset(text, ' ', len);
    ck_assert_int_eq(oc_config_parse("large", text, len, &config, &detail), OC_E_TOOBIG);
    memset(text, '[', 1000);
    ck_assert_int_eq(oc_config_parse("deep", text, 1000, &config, &detail), OC_E_TOOBIG);
    ck_assert_uint_eq(detail.column, OC_SCAN_MAX_DEPTH + 1);
    text[0] = '[';
    for (size_t i = 1; i + 1 < 40000; i += 2)
        memcpy(text + i, "0,", 2);
    ck_assert_int_eq(oc_config_parse("many", text, 40000, &config, &detail), OC_E_TOOBIG);
    oc_free(text);
}
END_TEST

/* ---- what is taken ---- */

START_TEST(config_reads_every_option)
{
    static const char text[] =
        "\xEF\xBB\xBF// a file of Windows' editor\n"
        "{ \"interval\": \"250ms\", \"discovery_interval\": \"1m\",\n"
        "  \"batch\": \"2s\", \"walk_interval\": \"1h\", \"min_size\": \"0\",\n"
        "  \"labels\": { \"team\": \"shop\" }, \"walk_budget\": \"7%\",\n"
        "  \"targets\": [{ \"name\": \"n\\u00f6de\", \"interval\": \"1s\" }], // one\n"
        "  \"raw_keep\": \"1d\", \"minute_keep\": \"30d\", \"hour_keep\": "
        "\"1y\", \"store_max\": \"512MiB\",\n"
        "  \"data_dir\": \"/a//b\", \"log_level\": \"debug\", "
        "\"log_format\": \"json\" }\n";
    struct oc_config config;
    struct oc_detail detail;

    ck_assert_msg(parse(text, &config, &detail) == OC_OK, "%s", detail.text);
    ck_assert_int_eq(config.interval_ms, 250);
    ck_assert_int_eq(config.discovery_ms, 60000);
    ck_assert_int_eq(config.batch_ms, 2000);
    ck_assert_int_eq(config.walk_interval_ms, 3600000);
    ck_assert_uint_eq(config.min_size_bytes, 0);
    ck_assert_int_eq(config.walk_budget_percent, 7);
    ck_assert_uint_eq(config.targets.count, 1);
    ck_assert_str_eq(config.targets.items[0].words[OC_SELECT_NAME].items[0], "n\xc3\xb6"
                                                                             "de");
    ck_assert_int_eq(config.targets.items[0].interval_ms, 1000);
    ck_assert_uint_eq(config.labels.count, 1);
    ck_assert_int_eq(config.raw_keep_ms, 86400000);
    ck_assert_uint_eq(config.store_max_bytes, 512u << 20);
    ck_assert_str_eq(config.data_dir, "/a//b");
    ck_assert_str_eq(config.log_level, "debug");
    ck_assert_str_eq(config.log_format, "json");
    oc_config_clear(&config);
}
END_TEST

START_TEST(config_defaults_are_those_of_the_table)
{
    struct oc_config config;
    struct oc_config empty;
    struct oc_detail detail;

    oc_config_init(&config);
    ck_assert_int_eq(config.interval_ms, 10000);
    ck_assert_int_eq(config.batch_ms, 1000);
    ck_assert_int_eq(config.walk_interval_ms, 600000);
    ck_assert_uint_eq(config.min_size_bytes, 64u << 20);
    ck_assert_uint_eq(config.store_max_bytes, 1u << 30);
    ck_assert_str_eq(config.log_level, "info");
    ck_assert_int_eq(parse("{}", &empty, &detail), OC_OK);
    oc_rules_clear(&empty.rules); /* the default ones */
    ck_assert_mem_eq(&empty, &config, sizeof(config));
    oc_config_clear(&config);
    oc_config_clear(&empty);
}
END_TEST

START_TEST(config_leaves_the_target_untouched_when_refused)
{
    struct oc_config config;
    struct oc_config before;
    struct oc_detail detail;

    memset(&config, 0x5A, sizeof(config));
    before = config;
    ck_assert_int_lt(parse("{\"targets\": [{\"name\": \"a\"}], \"interval\": 1}", &config, &detail),
                     0);
    ck_assert_mem_eq(&config, &before, sizeof(config));
}
END_TEST

START_TEST(config_survives_every_allocation_failing)
{
    static const char text[] =
        "{\"targets\": [{\"name\": [\"a\", \"b\"], \"pid\": 1, \"name_regex\": \"(x)\", "
        "\"subject\": "
        "\"{1}\", \"labels\": {\"a\": \"b\"}}, {\"pidfile\": \"/x\", \"cmdline_regex\": \"y\"}], "
        "\"labels\": {\"c\": \"d\"}, \"interval\": \"1s\"}";
    int64_t live = oc_alloc_live();
    struct oc_detail detail;
    int rc = OC_E_NOMEM;

    for (uint64_t nth = 1; rc != OC_OK; nth++) {
        struct oc_config config;

        ck_assert_uint_lt(nth, 1000);
        oc_alloc_fail_at(nth, 0);
        rc = oc_config_parse("nomem", text, sizeof(text) - 1, &config, &detail);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
        if (rc == OC_OK)
            oc_config_clear(&config);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
}
END_TEST

START_TEST(config_load_names_the_file_that_is_not_there)
{
    struct oc_config config;
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(oc_config_load("/nonexistent/oomcast.json", &config, &detail), OC_E_NOENT);
    ck_assert_ptr_nonnull(strstr(detail.text, "/nonexistent/oomcast.json"));
}
END_TEST

/* ---- the table ---- */

START_TEST(option_rows_are_whole)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    for (size_t i = 0; i < count; i++) {
        struct oc_config config;
        struct oc_detail detail;
        char text[200];

        ck_assert(options[i].key && options[i].def && options[i].text);
        ck_assert_uint_lt(options[i].offset, sizeof(struct oc_config));
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(options[i].key, options[j].key);
        (void)snprintf(text, sizeof(text),
                       options[i].def[0] == '{' || options[i].def[0] == '['
                           ? "{\"%s\": %s}"
                           : "{\"%s\": \"%s\"}",
                       options[i].key, options[i].def);
        ck_assert_msg(parse(text, &config, &detail) == OC_OK, "%s: %s", text, detail.text);
        oc_config_clear(&config);
    }
}
END_TEST

START_TEST(option_rows_are_in_the_manual)
{
    size_t count = 0;
    size_t len_bytes = 0;
    char *manual = NULL;
    const struct oc_option *options = oc_option_table(&count);

    ck_assert_int_eq(
        oc_file_read(OC_TEST_DATA "/../../docs/daemon.md", 1u << 20, &manual, &len_bytes), OC_OK);
    for (size_t i = 0; i < count; i++) {
        char row[200];

        (void)snprintf(row, sizeof(row), "| `%s` | %s", options[i].key, options[i].def);
        ck_assert_msg(strstr(manual, row) != NULL, "no row: %s", row);
    }
    oc_free(manual);
}
END_TEST

static Suite *file_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *refused = tcase_create("refused");
    TCase *taken = tcase_create("taken");

    tcase_add_loop_test(refused, config_says_where_and_what_is_wrong, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(refused, config_is_refused_at_every_place_where_it_may_be_cut);
    tcase_add_test(refused, config_bounds_size_depth_and_count);
    tcase_add_test(refused, config_leaves_the_target_untouched_when_refused);
    tcase_add_test(refused, config_load_names_the_file_that_is_not_there);
    tcase_add_test(taken, config_reads_every_option);
    tcase_add_test(taken, config_defaults_are_those_of_the_table);
    tcase_add_test(taken, config_survives_every_allocation_failing);
    tcase_add_test(taken, option_rows_are_whole);
    tcase_add_test(taken, option_rows_are_in_the_manual);
    suite_add_tcase(suite, refused);
    suite_add_tcase(suite, taken);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(file_suite());
    int failed = 0;

    srunner_add_suite(runner, target_suite());
    srunner_add_suite(runner, load_target_suite());
    srunner_add_suite(runner, written_suite());
    srunner_add_suite(runner, alerts_suite());
    srunner_add_suite(runner, mistakes_suite());
    srunner_add_suite(runner, warnings_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
