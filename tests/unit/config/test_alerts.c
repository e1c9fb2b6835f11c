/* Rules, receivers, maintenance and restarts of the config: what is refused, taken, shown, warned of. */
#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "config/config.h"
#include "config/section.h"
#include "suites.h"
#include "tests/support/folder.h"
#include "tests/support/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct oc_config config;
static struct oc_detail detail;
static char folder[128];
static int has_config;

static void setup(void)
{
    has_config = 0;
    ck_assert_int_eq(make_folder("oomcast-config", folder, sizeof(folder)), 0);
}

static void teardown(void)
{
    if (has_config)
        oc_config_clear(&config);
    ck_assert_int_eq(remove_folder(folder), 0);
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

/* ---- what is taken ---- */

static const struct oc_rule *rule_of(const char *name, unsigned severity)
{
    for (size_t i = 0; i < config.rules.count; i++) {
        if (strcmp(config.rules.items[i].name, name) == 0 &&
            config.rules.items[i].severity == severity)
            return &config.rules.items[i];
    }
    return NULL;
}

START_TEST(default_rules_are_in_force_without_a_config)
{
    struct oc_rules defaults;

    ck_assert_int_eq(oc_rules_default(&defaults), OC_OK);
    ck_assert_int_eq(oc_config_default(&config, &detail), OC_OK);
    has_config = 1;
    ck_assert_uint_eq(config.rules.count, defaults.count);
    ck_assert(config.rules.items[0].is_builtin);
    oc_rules_clear(&defaults);
}
END_TEST

START_TEST(rule_with_the_name_of_a_default_takes_its_place)
{
    const struct oc_rule *rule = NULL;
    size_t defaults = 0;

    take("{}");
    defaults = config.rules.count;
    oc_config_clear(&config);
    take("{ \"rules\": [\n { \"name\": \"MemoryLimitForecast\", \"severity\": \"critical\", "
         "\"horizon\": \"8h\" },\n { \"name\": \"RestartLoop\", \"severity\": \"critical\" } ] }");
    ck_assert_uint_eq(config.rules.count, defaults);
    rule = rule_of("MemoryLimitForecast", OC_SEVERITY_CRITICAL);
    ck_assert_int_eq(rule->horizon_ms, 8 * 3600000);
    ck_assert(rule->chance > 0.49 && rule->chance < 0.51); /* the default's */
    ck_assert_int_eq(rule->kind, OC_RULE_FORECAST);
    ck_assert_uint_eq(rule->line, 2);
    ck_assert(!rule->is_builtin);
    rule = rule_of("MemoryLimitForecast", OC_SEVERITY_WARN);
    ck_assert(rule->is_builtin);
    ck_assert_ptr_nonnull(rule_of("RestartLoop", OC_SEVERITY_CRITICAL));
    ck_assert_ptr_null(rule_of("RestartLoop", OC_SEVERITY_WARN));
}
END_TEST

START_TEST(default_rules_can_be_switched_off)
{
    take("{ \"rules\": [ { \"name\": \"MemoryLimitForecast\", \"enabled\": false }, { \"name\": "
         "\"NoMemoryLimit\", \"enabled\": false } ] }");
    ck_assert(rule_of("MemoryLimitForecast", OC_SEVERITY_CRITICAL)->is_off);
    ck_assert(rule_of("MemoryLimitForecast", OC_SEVERITY_WARN)->is_off);
    ck_assert(rule_of("NoMemoryLimit", OC_SEVERITY_WARN)->is_off);
    ck_assert(!rule_of("MemoryExhausted", OC_SEVERITY_CRITICAL)->is_off);
}
END_TEST

START_TEST(bounds_are_in_the_unit_of_the_metric)
{
    take("{ \"rules\": [ { \"enter\": \"2GiB\", \"clear\": \"1.5GiB\", \"metric\": \"rss\", "
         "\"kind\": \"threshold\", \"name\": \"A\" },\n"
         "{ \"name\": \"B\", \"kind\": \"threshold\", \"metric\": \"fd_count\", \"enter\": 900, "
         "\"below\": true },\n"
         "{ \"name\": \"C\", \"kind\": \"family_growth\", \"enter\": 2.5, \"families\": "
         "\"qrt-*\", \"window\": \"2h\" } ] }");
    ck_assert(rule_of("A", OC_SEVERITY_WARN)->enter == 2147483648.0);
    ck_assert(rule_of("A", OC_SEVERITY_WARN)->clear == 1610612736.0);
    ck_assert_uint_eq(rule_of("A", OC_SEVERITY_WARN)->metric, OC_METRIC_RSS);
    ck_assert(rule_of("B", OC_SEVERITY_WARN)->enter == 900.0);
    ck_assert(rule_of("B", OC_SEVERITY_WARN)->clear != rule_of("B", OC_SEVERITY_WARN)->clear);
    ck_assert(rule_of("B", OC_SEVERITY_WARN)->is_below);
    ck_assert(rule_of("C", OC_SEVERITY_WARN)->enter == 2.5);
    ck_assert_uint_eq(rule_of("C", OC_SEVERITY_WARN)->families.count, 1);
    ck_assert_int_eq(rule_of("C", OC_SEVERITY_WARN)->window_ms, 7200000);
}
END_TEST

START_TEST(receivers_have_their_defaults)
{
    const struct oc_receiver *receiver = NULL;

    take("{ \"receivers\": [ { \"name\": \"j\", \"type\": \"journal\" }, { \"name\": \"m\", "
         "\"type\": \"email\", \"url\": \"smtp://m:587\", \"from\": \"a@b\", \"to\": \"c@d\" }, { "
         "\"name\": \"h\", \"type\": \"heartbeat\", \"url\": \"https://x\" } ] }");
    ck_assert_uint_eq(config.receivers.count, 3);
    receiver = config.receivers.items;
    ck_assert_uint_eq(receiver->max_per_hour, 20);
    ck_assert(receiver->send_resolved);
    ck_assert_int_eq(receiver->timeout_ms, 10000);
    ck_assert_uint_eq(receiver->min_severity, OC_SEVERITY_WARN);
    ck_assert(receiver[1].starttls);
    ck_assert_str_eq(receiver[1].to.items[0], "c@d");
    ck_assert_int_eq(receiver[2].interval_ms, 300000);
}
END_TEST

START_TEST(windows_know_days_and_midnight)
{
    take(
        "{ \"maintenance\": [ { \"name\": \"a\", \"from\": \"23:00\", \"to\": \"01:30\", \"days\": "
        "[\"sun\", \"sat\"] }, { \"name\": \"b\", \"from\": \"00:00\", \"to\": \"24:00\" } ], "
        "\"restarts\": [ { \"name\": \"a\", \"at\": \"03:30\", \"subjects\": \"java:*\" } ] }");
    ck_assert_uint_eq(config.windows.count, 3);
    ck_assert_int_eq(config.windows.items[0].begin_minute, 1380);
    ck_assert_int_eq(config.windows.items[0].duration_ms, 150 * 60000);
    ck_assert_uint_eq(config.windows.items[0].days, 0x41);
    ck_assert_int_eq(config.windows.items[1].duration_ms, 86400000);
    ck_assert(config.windows.items[2].is_restart);
    ck_assert_int_eq(config.windows.items[2].begin_minute, 210);
}
END_TEST

/* ---- files ---- */

static void write_file(const char *name, const char *text)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_int_eq(oc_file_write_atomic(path, text, strlen(text)), OC_OK);
}

static int load(const char *name)
{
    char path[300];
    int rc = 0;

    memset(&detail, 0, sizeof(detail));
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    rc = oc_config_load_all(path, &config, &detail);
    has_config = rc == OC_OK;
    return rc;
}

START_TEST(drop_in_replaces_by_name)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/conf.d", folder);
    ck_assert_int_eq(oc_os_mkdir_all(path), OC_OK);
    write_file("o.json", "{ \"receivers\": [ { \"name\": \"a\", \"type\": \"journal\" }, { "
                         "\"name\": \"b\", \"type\": \"journal\" } ], \"rules\": [ { \"name\": "
                         "\"A\", \"kind\": \"growth\", \"enter\": \"1GiB\" } ], \"restarts\": [ { "
                         "\"name\": \"n\", \"at\": \"01:00\" } ] }");
    write_file("conf.d/1.json", "{ \"receivers\": [ { \"name\": \"a\", \"type\": \"webhook\", "
                                "\"url\": \"https://x\" } ], \"rules\": [ { \"name\": \"A\", "
                                "\"kind\": \"growth\", \"enter\": \"2GiB\" } ], \"restarts\": [ { "
                                "\"name\": \"n\", \"at\": \"02:00\" } ] }");
    ck_assert_msg(load("o.json") == OC_OK, "%s", detail.text);
    ck_assert_uint_eq(config.receivers.count, 2);
    ck_assert_uint_eq(config.receivers.items[0].type, OC_RECEIVER_WEBHOOK);
    ck_assert(rule_of("A", OC_SEVERITY_WARN)->enter == 2147483648.0);
    ck_assert_uint_eq(config.windows.count, 1);
    ck_assert_int_eq(config.windows.items[0].begin_minute, 120);
}
END_TEST

/* Every secret, from files and in clear: none is shown. */
START_TEST(secrets_are_never_shown)
{
    static const char *const secrets[] = { "GEHEIM", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz" };
    struct oc_buf shown;
    char text[2600];

    write_file("url", "https://hooks.slack.com/GEHEIM\n");
    write_file("token", "GEHEIM-token");
    (void)snprintf(
        text, sizeof(text),
        "{ \"receivers\": [ { \"name\": \"a\", \"type\": \"slack\", \"url\": { "
        "\"from_file\": \"%s/url\" } },\n"
        "{ \"name\": \"b\", \"type\": \"webhook\", \"url\": \"https://u:GEHEIM@h/GEHEIM\", "
        "\"bearer\": { \"from_file\": \"%s/token\" }, \"proxy\": "
        "\"http://u:GEHEIM@p:1\" },\n"
        "{ \"name\": \"c\", \"type\": \"teams\", \"url\": \"https://t/GEHEIM?sig=GEHEIM\" },\n"
        "{ \"name\": \"d\", \"type\": \"webhook\", \"url\": \"https://x\", \"basic\": { "
        "\"user\": \"u\", \"password\": \"GEHEIM\" }, \"signing_secrets\": "
        "\"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\" },\n"
        "{ \"name\": \"e\", \"type\": \"email\", \"url\": \"smtp://u:GEHEIM@m:25\", "
        "\"from\": \"a@b\", \"to\": \"c@d\", \"user\": \"u\", \"password\": \"GEHEIM\" },\n"
        "{ \"name\": \"f\", \"type\": \"heartbeat\", \"url\": \"https://hc/GEHEIM\", "
        "\"header\": { \"name\": \"X\", \"value\": \"GEHEIM\" } } ] }",
        folder, folder);
    take(text);
    ck_assert_str_eq(config.receivers.items[0].urls.items[0], "https://hooks.slack.com/GEHEIM");
    ck_assert_str_eq(config.receivers.items[1].secret, "GEHEIM-token");
    oc_buf_init(&shown, 1u << 20);
    oc_config_write_all(&config, &shown);
    for (size_t i = 0; i < 2; i++)
        ck_assert_msg(!strstr(shown.data, secrets[i]), "%s", shown.data);
    ck_assert_ptr_nonnull(strstr(shown.data, "/token\" }"));
    ck_assert_ptr_nonnull(strstr(shown.data, "\"smtp://(hidden)@m:25\""));
    oc_buf_clear(&shown);
}
END_TEST

/* In the place of any word: what is wrong is told without it. */
START_TEST(secrets_are_in_no_error)
{
    static const char *const places[] = {
        "\"rules\": [ { \"name\": \"A\", \"kind\": %s } ]",
        "\"rules\": [ { \"name\": %s, \"kind\": \"oom_kill\" } ]",
        "\"rules\": [ { \"name\": \"A\", \"kind\": \"growth\", \"enter\": %s } ]",
        "\"rules\": [ { \"name\": \"A\", \"kind\": \"growth\", \"metric\": %s } ]",
        "\"rules\": [ { \"name\": \"A\", \"kind\": \"oom_kill\", \"for\": %s } ]",
        "\"rules\": [ { \"name\": \"A\", \"kind\": \"oom_kill\", \"severity\": %s } ]",
        "\"rules\": [ { \"name\": \"A\", \"kind\": \"oom_kill\", \"runbook_url\": %s } ]",
        "\"receivers\": [ { \"name\": \"a\", \"type\": %s } ]",
        "\"receivers\": [ { \"name\": \"a\", \"type\": \"slack\", \"url\": %s } ]",
        "\"receivers\": [ { \"name\": \"a\", \"type\": \"hook\", \"argv\": %s } ]",
        ("\"receivers\": [ { \"name\": \"a\", \"type\": \"webhook\", \"url\": \"https://x\", "
         "\"signing_secrets\": %s } ]"),
        ("\"receivers\": [ { \"name\": \"a\", \"type\": \"webhook\", \"url\": \"https://x\", "
         "\"proxy\": %s } ]"),
        "\"maintenance\": [ { \"name\": \"a\", \"from\": %s, \"to\": \"01:00\" } ]",
        "\"restarts\": [ { \"name\": \"a\", \"at\": \"01:00\", \"days\": %s } ]",
    };
    char item[500], text[900], file[300];

    write_file("secret", "s3cr3t!\n");
    (void)snprintf(file, sizeof(file), "{ \"from_file\": \"%s/secret\" }", folder);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *mark = strstr(places[i], "%s");

        (void)snprintf(item, sizeof(item), "%.*s%s%s", (int)(mark - places[i]), places[i], file,
                       mark + 2);
        (void)snprintf(text, sizeof(text), "{ %s }", item);
        ck_assert_msg(parse(text) < 0, "%s", text);
        ck_assert_msg(!strstr(detail.text, "s3cr3t"), "%s: %s", text, detail.text);
    }
}
END_TEST

START_TEST(there_are_maxima)
{
    struct oc_buf text;

    oc_buf_init(&text, 1u << 20);
    oc_buf_puts(&text, "{ \"receivers\": [ ");
    for (int i = 0; i <= OC_RECEIVERS_MAX; i++)
        oc_buf_printf(&text, "%s{ \"name\": \"r%d\", \"type\": \"journal\" }", i ? "," : "", i);
    oc_buf_puts(&text, " ] }");
    ck_assert_int_eq(parse(text.data), OC_E_TOOBIG);
    oc_buf_reset(&text);
    oc_buf_puts(&text, "{ \"rules\": [ ");
    for (int i = 0; i < OC_RULES_MAX; i++) /* the default ones come to them */
        oc_buf_printf(&text, "%s{ \"name\": \"R%d\", \"kind\": \"oom_kill\" }", i ? "," : "", i);
    oc_buf_puts(&text, " ] }");
    ck_assert_int_eq(parse(text.data), OC_E_TOOBIG);
    oc_buf_clear(&text);
}
END_TEST

START_TEST(what_is_shown_loads_the_same)
{
    static const char text[] =
        "{ \"rules\": [ { \"name\": \"A\", \"kind\": \"threshold\", \"metric\": \"rss\", "
        "\"below\": "
        "true, \"enter\": \"1GiB\", \"clear\": \"2GiB\", \"labels\": \"a=b\", \"subjects\": "
        "[\"x\", \"y\"], \"for\": \"0s\", \"renotify\": \"1h\" }, { \"name\": "
        "\"MemoryLimitForecast\", \"enabled\": false } ], \"receivers\": [ { \"name\": \"am\", "
        "\"type\": \"alertmanager\", \"urls\": [\"http://a:1/x\", \"http://b:2\"] }, { \"name\": "
        "\"h\", \"type\": \"hook\", \"argv\": [\"/bin/true\", \"\\n\" ], \"interval\": \"1m\" } ], "
        "\"maintenance\": [ { \"name\": \"w\", \"from\": \"23:00\", \"to\": \"01:00\", \"days\": "
        "\"mon\" } ], \"restarts\": [ { \"name\": \"r\", \"at\": \"00:05\" } ] }";
    struct oc_buf first, second;
    struct oc_config again;

    oc_buf_init(&first, 1u << 20);
    oc_buf_init(&second, 1u << 20);
    ck_assert_int_lt(parse(text), 0); /* a newline as an argument */
    ck_assert_ptr_nonnull(strstr(detail.text, "control character"));
    (void)oc_text_copy(detail.text, sizeof(detail.text), "");
    {
        char mended[sizeof(text)];

        memcpy(mended, text, sizeof(text));
        strstr(mended, "\\n")[0] = 'a';
        take(mended);
    }
    oc_config_write_all(&config, &first);
    ck_assert_msg(oc_config_parse("t.json", first.data, first.len_bytes, &again, &detail) == OC_OK,
                  "%s\n%s", detail.text, first.data);
    ck_assert_uint_eq(again.rules.count, config.rules.count);
    for (const struct oc_section *const *s = oc_sections(); *s; s++)
        ck_assert_ptr_nonnull(strstr(first.data, (*s)->key));
    for (size_t i = 0; i < config.receivers.count; i++) {
        oc_buf_reset(&first);
        oc_buf_reset(&second);
        oc_config_write_item(&config, oc_section_receivers(), &config.receivers.items[i], &first);
        oc_config_write_item(&again, oc_section_receivers(), &again.receivers.items[i], &second);
        ck_assert_str_eq(first.data, second.data);
    }
    oc_config_clear(&again);
    oc_buf_clear(&first);
    oc_buf_clear(&second);
}
END_TEST

/* ---- hooks ---- */

static void write_hook(void)
{
    char text[500];

    write_file("hook", "#!/bin/sh\n");
    (void)snprintf(text, sizeof(text),
                   "{ \"receivers\": [ { \"name\": \"h\", \"type\": \"hook\", \"argv\": "
                   "[\"%s/hook\"] } ] }",
                   folder);
    write_file("o.json", text);
}

static void change_mode(const char *name, const char *mode)
{
    char command[400];

    (void)snprintf(command, sizeof(command), "chmod %s %s%s", mode, folder, name);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(hook_is_refused_where_others_could_write)
{
    static const char *const open[] = { "/hook", "/o.json", "" };

    write_hook();
    change_mode("/hook", "755");
    change_mode("/o.json", "644");
    ck_assert_msg(load("o.json") == OC_OK, "%s", detail.text);
    oc_config_clear(&config);
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        change_mode(open[i], "o+w");
        ck_assert_int_eq(load("o.json"), OC_E_DENIED);
        ck_assert_ptr_nonnull(strstr(detail.text, "the hook \"h\" is refused"));
        ck_assert_ptr_nonnull(strstr(detail.text, "can be written by others"));
        change_mode(open[i], "o-w");
    }
    ck_assert_int_eq(load("o.json"), OC_OK);
}
END_TEST

/* The program is safe where it lies, but anybody could put another link there. */
START_TEST(hook_by_a_link_in_an_open_folder_is_refused)
{
    char text[700];

    write_hook();
    change_mode("/hook", "755");
    (void)snprintf(text, sizeof(text),
                   "mkdir %s/open && ln -s ../hook %s/open/link && chmod 777 %s/open", folder,
                   folder, folder);
    ck_assert_int_eq(system(text), 0);
    (void)snprintf(text, sizeof(text),
                   "{ \"receivers\": [ { \"name\": \"h\", \"type\": \"hook\", \"argv\": "
                   "[\"%s/open/link\"] } ] }",
                   folder);
    write_file("o.json", text);
    change_mode("/o.json", "644");
    ck_assert_int_eq(load("o.json"), OC_E_DENIED);
    change_mode("/open", "755");
    ck_assert_msg(load("o.json") == OC_OK, "%s", detail.text);
}
END_TEST

START_TEST(config_without_hooks_may_be_open)
{
    write_file("o.json", "{ \"receivers\": [ { \"name\": \"j\", \"type\": \"journal\" } ] }");
    change_mode("/o.json", "666");
    ck_assert_msg(load("o.json") == OC_OK, "%s", detail.text);
}
END_TEST

/* ---- memory ---- */

START_TEST(every_allocation_may_fail)
{
    static const char text[] =
        "{ \"rules\": [ { \"name\": \"A\", \"kind\": \"growth\", \"enter\": \"1GiB\", "
        "\"subjects\": "
        "[\"a\", \"b\"] }, { \"name\": \"MemoryLimitForecast\", \"enabled\": false } ], "
        "\"receivers\": [ { \"name\": \"w\", \"type\": \"webhook\", \"url\": \"https://x\", "
        "\"bearer\": \"t\", \"signing_secrets\": [\"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\"] } ], "
        "\"maintenance\": [ { \"name\": \"w\", \"from\": \"23:00\", \"to\": \"01:00\", "
        "\"subjects\": \"x\" } ] }";
    int64_t live = oc_alloc_live();
    int rc = OC_E_NOMEM;

    for (uint64_t nth = 1; rc != OC_OK; nth++) {
        oc_alloc_fail_at(nth, 0);
        rc = oc_config_parse("t", text, sizeof(text) - 1, &config, &detail);
        oc_alloc_fail_at(0, 0);
        ck_assert_msg(rc == OC_OK || rc == OC_E_NOMEM, "%d %s", rc, detail.text);
        if (rc == OC_OK)
            oc_config_clear(&config);
        ck_assert_int_eq(oc_alloc_live(), live);
        ck_assert_uint_lt(nth, 1000);
    }
}
END_TEST

Suite *alerts_suite(void)
{
    Suite *suite = suite_create("rules and receivers");
    TCase *tcase = tcase_create("all");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, default_rules_are_in_force_without_a_config);
    tcase_add_test(tcase, rule_with_the_name_of_a_default_takes_its_place);
    tcase_add_test(tcase, default_rules_can_be_switched_off);
    tcase_add_test(tcase, bounds_are_in_the_unit_of_the_metric);
    tcase_add_test(tcase, receivers_have_their_defaults);
    tcase_add_test(tcase, windows_know_days_and_midnight);
    tcase_add_test(tcase, drop_in_replaces_by_name);
    tcase_add_test(tcase, secrets_are_never_shown);
    tcase_add_test(tcase, secrets_are_in_no_error);
    tcase_add_test(tcase, there_are_maxima);
    tcase_add_test(tcase, what_is_shown_loads_the_same);
    if (has_file_modes()) {
        tcase_add_test(tcase, hook_is_refused_where_others_could_write);
        tcase_add_test(tcase, hook_by_a_link_in_an_open_folder_is_refused);
        tcase_add_test(tcase, config_without_hooks_may_be_open);
    }
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}
