/* What is no error and hardly meant. */
#include "config/config.h"
#include "config/section.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

static struct oc_config config;
static struct oc_detail detail;
static int has_config;

static void setup(void) { has_config = 0; }

static void teardown(void)
{
    if (has_config)
        oc_config_clear(&config);
}

static int parse(const char *text)
{
    int rc = 0;

    memset(&detail, 0, sizeof(detail));
    rc = oc_config_parse("t.json", text, strlen(text), &config, &detail);
    has_config = rc == OC_OK;
    return rc;
}

static void take(const char *text) { ck_assert_msg(parse(text) == OC_OK, "%s", detail.text); }

static char warned[4000];

static void on_warning(const struct oc_config_warning *warning, void *context)
{
    (void)context;
    ck_assert_str_eq(warning->file, "t.json");
    (void)snprintf(warned + strlen(warned), sizeof(warned) - strlen(warned), "%s\n", warning->text);
}

static int warnings(const char *text)
{
    warned[0] = '\0';
    take(text);
    return oc_config_warnings(&config, on_warning, NULL);
}

#define TARGETS                                                                                    \
    "\"labels\": { \"env\": \"prod\" }, \"targets\": [ { \"unit\": \"nginx.service\" }, { "        \
    "\"name\": \"java\", \"cmdline_regex\": \"(x)\", \"subject\": \"java:{1}-a\", \"labels\": { "  \
    "\"team\": \"shop\" } } ], \"receivers\": [ { \"name\": \"j\", \"type\": \"journal\" } ]"

static const struct {
    const char *condition;
    int is_warned;
} reaches[] = {
    { "\"subjects\": \"unit:nginx.service\"", 0 },
    { "\"subjects\": \"nginx*\"", 0 },
    { "\"subjects\": \"unit:apache.service\"", 1 },
    { "\"subjects\": \"java:kafka-a\"", 0 },
    { "\"subjects\": \"java:kafka-b\"", 1 },
    { "\"subjects\": \"java:[a-k]*\"", 0 },
    { "\"subjects\": [\"proc:x\", \"*-a\"]", 0 },
    { "\"subjects\": \"proc:*\"", 1 },
    { "\"subjects\": \"host\"", 0 },
    { "\"subjects\": \"cgroup:/system.slice/*\"", 0 },
    { "\"labels\": \"env=p*\"", 0 },
    { "\"labels\": \"env=test\"", 1 },
    { "\"labels\": \"team=shop\"", 0 },
    { "\"labels\": [\"team=shop\", \"env=prod\"]", 0 },
    { "\"labels\": \"team=shop\", \"subjects\": \"java:*\"", 0 },
    { "\"labels\": \"team=shop\", \"subjects\": \"unit:*\"", 1 },
    { "\"labels\": \"severity=critical\"", 1 }, /* of the subject, which has none such */
};

START_TEST(rule_that_can_never_match_is_told)
{
    char text[900];

    (void)snprintf(text, sizeof(text),
                   "{ " TARGETS
                   ", \"rules\": [ { \"name\": \"A\", \"kind\": \"oom_kill\", %s } ] }",
                   reaches[_i].condition);
    ck_assert_msg(warnings(text) == reaches[_i].is_warned, "%s: %s", reaches[_i].condition, warned);
    if (reaches[_i].is_warned)
        ck_assert_ptr_nonnull(strstr(warned, "the rule A can never match"));
}
END_TEST

START_TEST(rules_without_a_receiver_are_told)
{
    ck_assert_int_eq(warnings("{ \"rules\": [ { \"name\": \"A\", \"kind\": \"oom_kill\" } ] }"), 1);
    ck_assert_ptr_nonnull(strstr(warned, "no receiver"));
    oc_config_clear(&config);
    ck_assert_int_eq(warnings("{}"), 0);
}
END_TEST

START_TEST(receiver_that_nothing_reaches_is_told)
{
    ck_assert_int_eq(warnings("{ \"receivers\": [ { \"name\": \"a\", \"type\": \"journal\", "
                              "\"rules\": \"Memry*\" } ] }"),
                     1);
    ck_assert_ptr_nonnull(strstr(warned, "nothing reaches the receiver a"));
    oc_config_clear(&config);
    ck_assert_int_eq(warnings("{ \"receivers\": [ { \"name\": \"a\", \"type\": \"journal\", "
                              "\"rules\": \"NoMemory*\", \"min_severity\": \"critical\" } ] }"),
                     1);
    oc_config_clear(&config);
    ck_assert_int_eq(warnings("{ \"receivers\": [ { \"name\": \"a\", \"type\": \"journal\", "
                              "\"rules\": \"Memory*\", \"labels\": \"severity=critical\" } ] }"),
                     0);
}
END_TEST

START_TEST(secrets_in_clear_are_told_and_not_quoted)
{
    ck_assert_int_eq(warnings("{ \"receivers\": [ { \"name\": \"a\", \"type\": \"slack\", \"url\": "
                              "\"http://h/s3cr3t\" }, { \"name\": \"b\", \"type\": \"webhook\", "
                              "\"url\": \"http://h\", \"bearer\": \"s3cr3t\" } ] }"),
                     4);
    ck_assert_ptr_nonnull(strstr(warned, "stands in the config itself"));
    ck_assert_ptr_nonnull(strstr(warned, "over the network in clear"));
    ck_assert_ptr_null(strstr(warned, "s3cr3t"));
    oc_config_clear(&config);
    ck_assert_int_eq(warnings("{ \"receivers\": [ { \"name\": \"b\", \"type\": \"webhook\", "
                              "\"url\": \"http://127.0.0.1:9/x\" } ] }"),
                     0);
}
END_TEST

START_TEST(label_that_alerts_have_of_their_own_is_told)
{
    ck_assert_int_eq(warnings("{ \"labels\": { \"severity\": \"x\", \"team\": \"y\" }, "
                              "\"targets\": [ { \"unit\": \"a\" } ] }"),
                     1);
    ck_assert_ptr_nonnull(strstr(warned, "the label \"severity\""));
    oc_config_clear(&config);
    ck_assert_int_eq(warnings("{ \"targets\": [ { \"unit\": \"a\", \"labels\": { "
                              "\"subject\": \"x\" } } ] }"),
                     1);
}
END_TEST

START_TEST(globs_meet_where_some_text_matches_both)
{
    static const struct {
        const char *a, *b;
        int meet;
    } cases[] = {
        { "a*", "*b", 1 },     { "a*c", "ab*", 1 },   { "abc", "abd", 0 },
        { "a*b", "a*c", 0 },   { "*", "", 1 },        { "", "", 1 },
        { "a", "", 0 },        { "a?c", "abc", 1 },   { "a\\*c", "abc", 0 },
        { "a\\*c", "a*c", 1 }, { "[a-c]x", "y*", 1 }, { "*a*", "*b*", 1 },
        { "x*", "y*", 0 },     { "*x", "*y", 0 },     { "unit:*", "proc:*", 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(oc_config_globs_meet(cases[i].a, cases[i].b) == cases[i].meet, "%s %s",
                      cases[i].a, cases[i].b);
        ck_assert_int_eq(oc_config_globs_meet(cases[i].b, cases[i].a), cases[i].meet);
    }
}
END_TEST

Suite *warnings_suite(void)
{
    Suite *suite = suite_create("warnings");
    TCase *tcase = tcase_create("warnings");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, rule_that_can_never_match_is_told, 0,
                        sizeof(reaches) / sizeof(reaches[0]));
    tcase_add_test(tcase, rules_without_a_receiver_are_told);
    tcase_add_test(tcase, receiver_that_nothing_reaches_is_told);
    tcase_add_test(tcase, secrets_in_clear_are_told_and_not_quoted);
    tcase_add_test(tcase, label_that_alerts_have_of_their_own_is_told);
    tcase_add_test(tcase, globs_meet_where_some_text_matches_both);
    suite_add_tcase(suite, tcase);
    return suite;
}
