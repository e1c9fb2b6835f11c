/* What people get wrong in rules, receivers and windows: each is told with its place and the mend. */
#include "config/config.h"
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

struct mistake {
    const char *section, *item;
    const char *says;
};

#define RULE "\"name\": \"A\", \"kind\": "
#define HOOKED "\"name\": \"a\", \"type\": "

static const struct mistake mistakes[] = {
    /* rules */
    { "rules", "5", "\"rules\" wants objects such as" },
    { "rules", "{}", "has no \"kind\"" },
    { "rules", "{ \"name\": \"MemoryLimitForcast\", \"horizon\": \"1h\" }",
      "its name is \"MemoryLimitForecast\"" },
    { "rules", "{ \"kind\": \"growth\", \"enter\": \"1GiB\" }", "this rule has no \"name\"" },
    { "rules", "{ " RULE "\"forcast\" }", "did you mean \"forecast\"?" },
    { "rules", "{ " RULE "5 }", "\"kind\" wants a word, not a number" },
    { "rules", "{ " RULE "\"forecast\", \"horizen\": \"1h\" }", "did you mean \"horizon\"?" },
    { "rules", "{ " RULE "\"forecast\", \"type\": \"x\" }", "did you mean \"kind\"?" },
    { "rules", "{ " RULE "\"forecast\", \"duration\": \"1h\" }", "did you mean \"for\"?" },
    { "rules", "{ " RULE "\"forecast\", \"horizon\": \"0s\" }", "a duration from 1m to 1y" },
    { "rules", "{ " RULE "\"forecast\", \"horizon\": 24 }", "such as \"10s\", not a number" },
    { "rules", "{ " RULE "\"forecast\", \"chance\": 0 }", "above 0 and at most 1" },
    { "rules", "{ " RULE "\"forecast\", \"chance\": 50 }", "above 0 and at most 1" },
    { "rules", "{ " RULE "\"forecast\", \"chance\": \"50%\" }", "a number such as 0.5" },
    { "rules", "{ " RULE "\"forecast\", \"enter\": \"1GiB\" }", "it is for threshold growth" },
    { "rules", "{ " RULE "\"forecast\", \"severity\": \"page\" }", "\"warning\" \"critical\"" },
    { "rules", "{ \"name\": \"a-b\", \"kind\": \"oom_kill\" }", "letters, digits and '_'" },
    { "rules", "{ \"name\": \"1a\", \"kind\": \"oom_kill\" }", "no digit first" },
    { "rules", "{ " RULE "\"threshold\", \"enter\": \"1GiB\" }", "wants \"metric\"" },
    { "rules", "{ " RULE "\"threshold\", \"metric\": \"rss\" }", "wants \"enter\"" },
    { "rules", "{ " RULE "\"threshold\", \"metric\": \"rss_byte\", \"enter\": 1 }",
      "did you mean \"rss_bytes\"?" },
    { "rules", "{ " RULE "\"threshold\", \"metric\": \"rss\", \"enter\": 1000 }",
      "a size such as \"2GiB\", not a number" },
    { "rules", "{ " RULE "\"threshold\", \"metric\": \"thread_count\", \"enter\": \"1GiB\" }",
      "wants a number, not a string" },
    { "rules",
      "{ " RULE "\"threshold\", \"metric\": \"rss\", \"enter\": \"1GiB\", \"clear\": \"2GiB\" }",
      "on the wrong side" },
    { "rules",
      "{ " RULE "\"threshold\", \"metric\": \"rss\", \"below\": true, \"enter\": \"2GiB\", "
      "\"clear\": \"1GiB\" }",
      "on the wrong side" },
    { "rules", "{ " RULE "\"growth\", \"enter\": \"0\" }", "growth by the hour, above 0" },
    { "rules", "{ " RULE "\"oom_kill\", \"labels\": [\"team\"] }", "wants \"key=glob\"" },
    { "rules", "{ " RULE "\"oom_kill\", \"labels\": { \"team\": \"x\" } }", "not an object" },
    { "rules", "{ " RULE "\"oom_kill\", \"subjects\": [] }", "is an empty list" },
    { "rules", "{ " RULE "\"oom_kill\", \"runbook_url\": \"wiki/x\" }", "https:// or http://" },
    { "rules", "{ " RULE "\"oom_kill\" }, { " RULE "\"oom_kill\" }", "already, at line 1" },
    { "rules", "{ \"name\": \"MemoryLimitForecast\", \"horizon\": \"1h\" }",
      "two default rules of this name" },
    /* receivers */
    { "receivers", "\"x\"", "\"receivers\" wants objects such as" },
    { "receivers", "{ \"name\": \"a\" }", "has no \"type\"" },
    { "receivers", "{ " HOOKED "\"slak\" }", "did you mean \"slack\"?" },
    { "receivers", "{ " HOOKED "\"slack\" }", "wants a \"url\"" },
    { "receivers", "{ \"type\": \"journal\" }", "this receiver has no \"name\"" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"alerts.example.org/x\" }",
      "begins with https:// or http://" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"ftp://a/x\" }", "https:// or http://" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https:///x\" }", "has no host" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https://a:99999/\" }", "1 to 65535" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https://a/x y\" }", "holds a blank" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": [\"https://a\"] }", "wants one URL" },
    { "receivers", "{ " HOOKED "\"webhook\", \"urls\": [\"https://a\"] }", "for alertmanager" },
    { "receivers",
      "{ " HOOKED "\"alertmanager\", \"url\": \"http://a\", \"urls\": [\"http://b\"] }",
      "one of them" },
    { "receivers", "{ " HOOKED "\"alertmanager\" }", "\"url\" or \"urls\"" },
    { "receivers", "{ " HOOKED "\"alertmanager\", \"url\": [\"http://a\"] }",
      "several are \"urls\"" },
    { "receivers", "{ " HOOKED "\"webhook\", \"webhook_url\": \"https://a\" }",
      "did you mean \"url\"?" },
    { "receivers",
      "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"bearer\": \"s3cr3t\", \"basic\": { "
      "\"user\": \"u\", \"password\": \"s3cr3t\" } }",
      "not several" },
    { "receivers",
      "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"basic\": { \"user\": \"u\" } }",
      "wants both \"user\" and \"password\"" },
    { "receivers",
      "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"basic\": { \"user\": \"u\", "
      "\"pasword\": \"s3cr3t\" } }",
      "did you mean \"password\"?" },
    { "receivers",
      "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"header\": { \"name\": \"Host\", "
      "\"value\": \"s3cr3t\" } }",
      "no header that can be set" },
    { "receivers",
      "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"header\": { \"name\": \"X\", "
      "\"value\": \"s3cr3t\\r\\nX-Y: z\" } }",
      "control character" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"bearer\": 5 }",
      "wants a string, not a number" },
    { "receivers",
      "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"signing_secrets\": [\"s3cr3t\"] }",
      "\"whsec_\" and 24 to 64 bytes" },
    { "receivers",
      "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"signing_secrets\": "
      "[\"whsec_s3cr3t\"] }",
      "24 to 64 bytes" },
    { "receivers", "{ " HOOKED "\"slack\", \"url\": \"https://hooks.slack.com/(hidden)\" }",
      "`config show` writes" },
    { "receivers", "{ " HOOKED "\"slack\", \"url\": \"https://a/s3cr3t\", \"bearer\": \"x\" }",
      "has no \"bearer\"; it is for webhook alertmanager heartbeat" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"ca_file\": \"ca.pem\" }",
      "a whole path" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"proxy\": \"proxy:80\" }",
      "socks5h://" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"timeout\": 10 }",
      "such as \"10s\", not a number" },
    { "receivers", "{ " HOOKED "\"webhook\", \"url\": \"https://a\", \"max_per_hour\": 1.5 }",
      "a whole number" },
    { "receivers", "{ " HOOKED "\"email\", \"url\": \"smtp://m\", \"to\": [\"a@b\"] }",
      "wants \"from\"" },
    { "receivers", "{ " HOOKED "\"email\", \"url\": \"smtp://m\", \"from\": \"a@b\" }",
      "wants \"to\"" },
    { "receivers",
      "{ " HOOKED "\"email\", \"url\": \"https://m\", \"from\": \"a@b\", \"to\": \"a@b\" }",
      "smtp:// or smtps://" },
    { "receivers",
      "{ " HOOKED "\"email\", \"url\": \"smtp://m\", \"from\": \"Ops <a@b>\", \"to\": \"a@b\" }",
      "a plain address" },
    { "receivers",
      "{ " HOOKED "\"email\", \"url\": \"smtp://m\", \"from\": \"a@b\", \"to\": \"a@b\\nBcc: c@d\" "
      "}",
      "control character" },
    { "receivers",
      "{ " HOOKED "\"email\", \"url\": \"smtp://m\", \"from\": \"a@b\", \"to\": \"a@b\", "
      "\"user\": \"u\" }",
      "without a \"password\"" },
    { "receivers", "{ " HOOKED "\"hook\" }", "wants \"argv\"" },
    { "receivers", "{ " HOOKED "\"hook\", \"argv\": [\"capture.sh\", \"x\"] }",
      "wants its whole path" },
    { "receivers", "{ " HOOKED "\"hook\", \"command\": \"/bin/x\" }", "did you mean \"argv\"?" },
    { "receivers", "{ " HOOKED "\"heartbeat\", \"url\": \"https://a\", \"interval\": \"1s\" }",
      "at least 10s" },
    { "receivers", "{ " HOOKED "\"journal\" }, { " HOOKED "\"journal\" }", "already, at line 1" },
    { "receivers", "{ " HOOKED "\"journal\", \"name\": \"x\" }", "twice" },
    { "receivers", "{ \"name\": \"a b\", \"type\": \"journal\" }", "letters, digits" },
    /* windows */
    { "maintenance", "{ \"name\": \"a\", \"from\": \"02:00\" }", "has no \"to\"" },
    { "maintenance", "{ \"name\": \"a\", \"to\": \"02:00\" }", "has no \"from\"" },
    { "maintenance", "{ \"from\": \"01:00\", \"to\": \"02:00\" }", "has no \"name\"" },
    { "maintenance", "{ \"name\": \"a\", \"from\": \"2:00\", \"to\": \"03:00\" }", "two digits" },
    { "maintenance", "{ \"name\": \"a\", \"from\": \"24:00\", \"to\": \"03:00\" }", "23:59" },
    { "maintenance", "{ \"name\": \"a\", \"from\": \"02:60\", \"to\": \"03:00\" }", "23:59" },
    { "maintenance", "{ \"name\": \"a\", \"from\": 2, \"to\": \"03:00\" }", "such as \"03:30\"" },
    { "maintenance",
      "{ \"name\": \"a\", \"from\": \"02:00\", \"to\": \"03:00\", \"days\": [\"monday\"] }",
      "\"mon\"" },
    { "maintenance", "{ \"name\": \"a\", \"begin\": \"02:00\", \"to\": \"03:00\" }",
      "did you mean \"from\"?" },
    { "restarts", "{ \"name\": \"a\", \"from\": \"02:00\" }", "did you mean \"at\"?" },
    { "restarts", "{ \"name\": \"a\" }", "has no \"at\"" },
    { "restarts", "{ \"name\": \"a\", \"at\": \"02:00\" }, { \"name\": \"a\", \"at\": \"03:00\" }",
      "already, at line 1" },
};

START_TEST(mistakes_are_named_with_their_place_and_the_mend)
{
    const struct mistake *m = &mistakes[_i];
    char text[1024];

    (void)snprintf(text, sizeof(text), "{ \"%s\": [ %s ] }", m->section, m->item);
    ck_assert_msg(parse(text) < 0, "%s", text);
    ck_assert_msg(strstr(detail.text, m->says) != NULL, "%s: %s", text, detail.text);
    ck_assert_msg(strncmp(detail.text, "t.json:1:", 9) == 0, "%s", detail.text);
    ck_assert_uint_eq(detail.line, 1);
    ck_assert_uint_gt(detail.column, 4);
    ck_assert_msg(!strstr(detail.text, "s3cr3t"), "%s", detail.text);
}
END_TEST

Suite *mistakes_suite(void)
{
    Suite *suite = suite_create("mistakes");
    TCase *tcase = tcase_create("mistakes");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, mistakes_are_named_with_their_place_and_the_mend, 0,
                        sizeof(mistakes) / sizeof(mistakes[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
