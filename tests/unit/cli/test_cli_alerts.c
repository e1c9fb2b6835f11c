/* alerts, silence, check, and what status says of alerts: the figures by themselves, and on a store made up. */
#include "alerts_made.h"
#include "outlook_fixture.h"

#include "base/alloc.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands/check_line.h"
#include "cli/model/alerts.h"
#include "cli/model/silences.h"
#include "tests/support/environment.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1700000000000)
#define HOUR OUTLOOK_HOUR
#define MINUTE OUTLOOK_MINUTE
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct oc_cli cli;
static int64_t now_unix_ms;

/* ---- running ---- */

static void make_store(void)
{
    const char *folder = outlook_fixture_begin(NOW);

    alerts_made_add(folder, NOW);
    (void)set_variable("OOMCAST_DB", folder);
}

static void make_quiet_store(void) { (void)set_variable("OOMCAST_DB", outlook_fixture_begin(NOW)); }

static void drop_store(void)
{
    (void)set_variable("OOMCAST_DB", NULL);
    outlook_fixture_end();
}

static void set_now(void) { now_unix_ms = NOW; }

/* Words parted by blanks. The exit code; the answer is in cli.out. */
static int run(const char *line)
{
    static char words[512];
    char *argv[16] = { 0 };
    int argc = 0;
    struct oc_detail detail = { 0 };

    oc_buf_clear(&cli.out);
    memset(&cli, 0, sizeof(cli));
    oc_buf_init(&cli.out, 8u << 20);
    cli.now_unix_ms = now_unix_ms;
    cli.width = 100;
    (void)oc_text_copy(words, sizeof(words), line);
    for (char *word = strtok(words, " "); word && argc < 16; word = strtok(NULL, " "))
        argv[argc++] = word;
    ck_assert_int_gt(argc, 0);
    for (size_t i = 0; oc_cli_commands()[i]; i++) {
        if (strcmp(oc_cli_commands()[i]->name, argv[0]) == 0)
            cli.command = oc_cli_commands()[i];
    }
    ck_assert_ptr_nonnull(cli.command);
    ck_assert_msg(oc_cli_parse(&cli, argc - 1, argv + 1, &detail) == 0, "%s", detail.text);
    return cli.command->run(&cli);
}

static const char *said(void) { return cli.out.data ? cli.out.data : ""; }

static void holds(const char *part)
{
    ck_assert_msg(strstr(said(), part) != NULL, "no '%s' in:\n%s", part, said());
}

static void lacks(const char *part)
{
    ck_assert_msg(strstr(said(), part) == NULL, "'%s' in:\n%s", part, said());
}

static void answers(const char *line, int exit_code)
{
    int got = run(line);

    ck_assert_msg(got == exit_code, "%s: %d, wanted %d:\n%s", line, got, exit_code, said());
}

static cJSON *json(const char *line)
{
    cJSON *root;

    answers(line, OC_EXIT_OK);
    root = cJSON_Parse(said());
    ck_assert_msg(root != NULL, "no JSON: %s", said());
    return root;
}

static void before(const char *first, const char *second)
{
    const char *a = strstr(said(), first), *b = strstr(said(), second);

    ck_assert_msg(a && b && a < b, "'%s' before '%s':\n%s", first, second, said());
}

/* ---- order, counts, words ---- */

static struct oc_alert plain(unsigned state, unsigned severity, unsigned mutes)
{
    struct oc_alert alert = { .state = (uint8_t)state,
                              .severity = (uint8_t)severity,
                              .mutes = (uint8_t)mutes,
                              .subject = "proc:a" };

    return alert;
}

START_TEST(the_worst_comes_first)
{
    struct oc_alert alerts[] = {
        plain(OC_ALERT_FIRING, OC_SEVERITY_CRITICAL, 0),
        plain(OC_ALERT_FIRING, OC_SEVERITY_CRITICAL, OC_ALERT_ACKED),
        plain(OC_ALERT_FIRING, OC_SEVERITY_WARN, 0),
        plain(OC_ALERT_FIRING, OC_SEVERITY_CRITICAL, OC_ALERT_SILENCED),
        plain(OC_ALERT_PENDING, OC_SEVERITY_CRITICAL, 0),
    };

    alerts[0].about.forecast = (struct oc_forecast){ .state = OC_FORECAST_LEAKING, .p50_s = 60 };
    (void)snprintf(alerts[1].subject, sizeof(alerts[1].subject), "proc:b");
    for (int i = 0; i < COUNT(alerts); i++) {
        ck_assert(!oc_alert_is_before(&alerts[i], &alerts[i]));
        for (int j = i + 1; j < COUNT(alerts); j++) {
            ck_assert_msg(oc_alert_is_before(&alerts[i], &alerts[j]), "%d %d", i, j);
            ck_assert_msg(!oc_alert_is_before(&alerts[j], &alerts[i]), "%d %d", j, i);
        }
    }
}
END_TEST

START_TEST(muted_ones_are_counted_apart)
{
    struct oc_alert alerts[] = { plain(OC_ALERT_FIRING, OC_SEVERITY_CRITICAL, 0),
                                 plain(OC_ALERT_FIRING, OC_SEVERITY_WARN, OC_ALERT_ACKED),
                                 plain(OC_ALERT_FIRING, OC_SEVERITY_WARN, OC_ALERT_PLANNED),
                                 plain(OC_ALERT_FIRING, OC_SEVERITY_WARN, OC_ALERT_INHIBITED),
                                 plain(OC_ALERT_PENDING, OC_SEVERITY_WARN, 0),
                                 plain(OC_ALERT_RESOLVED, OC_SEVERITY_WARN, 0) };
    struct oc_alert_counts counts;
    struct oc_buf text;

    oc_alert_count(alerts, COUNT(alerts), &counts);
    oc_buf_init(&text, 200);
    oc_alert_counts_text(&counts, &text);
    ck_assert_str_eq(text.data, "1 critical, 1 warning, 2 muted, 1 pending (1 acked)");
    oc_buf_reset(&text);
    oc_alert_count(alerts, 0, &counts);
    oc_alert_counts_text(&counts, &text);
    ck_assert_str_eq(text.data, "none");
    oc_buf_clear(&text);
}
END_TEST

static const struct {
    const char *word;
    int rc;
    const char *name, *glob;
    int is_negative;
} matchers[] = {
    { "subject=unit:shop.service", OC_OK, "subject", "unit:shop.service", 0 },
    { "severity!=critical", OC_OK, "severity", "critical", 1 },
    { "team=web=shop", OC_OK, "team", "web=shop", 0 },
    { "unit:shop*", OC_OK, "subject", "unit:shop*", 0 },
    { "cgroup:/a=b", OC_OK, "subject", "cgroup:/a=b", 0 }, /* no name stands before that '=' */
    { "*", OC_OK, "subject", "*", 0 },
    { "!x", OC_OK, "subject", "!x", 0 },
    { "subject=", OC_E_INVAL, NULL, NULL, 0 },
    { "subject!=", OC_E_INVAL, NULL, NULL, 0 },
    { "", OC_E_INVAL, NULL, NULL, 0 },
};

START_TEST(a_matcher_is_read)
{
    struct oc_silence silence = { 0 };
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(oc_silence_add_matcher(&silence, matchers[_i].word, &detail), matchers[_i].rc);
    ck_assert_uint_eq(silence.matcher_count, matchers[_i].rc == OC_OK);
    if (matchers[_i].rc) {
        ck_assert(detail.text[0] != '\0');
        return;
    }
    ck_assert_str_eq(silence.matchers[0].name, matchers[_i].name);
    ck_assert_str_eq(silence.matchers[0].glob, matchers[_i].glob);
    ck_assert_int_eq(silence.matchers[0].is_negative, matchers[_i].is_negative);
}
END_TEST

START_TEST(too_many_or_long_matchers_are_refused)
{
    struct oc_silence silence = { 0 };
    struct oc_detail detail = { 0 };
    char longest[600];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_int_eq(oc_silence_add_matcher(&silence, longest, &detail), OC_E_TOOBIG);
    longest[100] = '=';
    ck_assert_int_eq(oc_silence_add_matcher(&silence, longest, &detail), OC_E_TOOBIG);
    for (int i = 0; i < OC_SILENCE_MATCHERS_MAX; i++)
        ck_assert_int_eq(oc_silence_add_matcher(&silence, "a=b", &detail), OC_OK);
    ck_assert_int_eq(oc_silence_add_matcher(&silence, "a=b", &detail), OC_E_TOOBIG);
    ck_assert_uint_eq(silence.matcher_count, OC_SILENCE_MATCHERS_MAX);
}
END_TEST

START_TEST(a_request_escapes_what_people_wrote)
{
    struct oc_silence silence = { .author = "ann \"a\"", .comment = "new\nline" };
    struct oc_detail detail = { 0 };
    struct oc_buf request;
    cJSON *root;

    ck_assert_int_eq(oc_silence_add_matcher(&silence, "subject=\"*\\", &detail), OC_OK);
    ck_assert_int_eq(oc_silence_add_matcher(&silence, "team!=web", &detail), OC_OK);
    oc_buf_init(&request, 4096);
    oc_silence_request(&silence, 2 * HOUR, &request);
    ck_assert(strchr(request.data, '\n') == NULL);
    root = cJSON_Parse(request.data);
    ck_assert_msg(root != NULL, "%s", request.data);
    ck_assert_str_eq(cJSON_GetObjectItem(root, "for")->valuestring, "7200000ms");
    ck_assert_str_eq(cJSON_GetObjectItem(root, "comment")->valuestring, "new\nline");
    ck_assert_str_eq(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "match"), 0)->valuestring,
                     "subject=\"*\\");
    ck_assert_str_eq(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "match"), 1)->valuestring,
                     "team!=web");
    cJSON_Delete(root);
    oc_buf_clear(&request);
}
END_TEST

/* ---- alerts ---- */

START_TEST(the_list_is_the_worst_first)
{
    answers("alerts", OC_EXIT_OK);
    before(ALERTS_MADE_SHOP, "pool:web");
    before("pool:web", "proc:evil");
    before("proc:evil", "proc:full"); /* muted: behind all that is told */
    before("proc:full", "proc:warm"); /* pending */
    lacks("proc:dead");
    lacks("\033");
    holds("firing, acked");
    holds("firing, silenced");
    holds("3 h "); /* aged: said ten minutes ago */
    holds("1 critical, 2 warning, 1 muted, 1 pending (1 acked)");
    lacks("STALE");
}
END_TEST

START_TEST(the_past_is_the_newest_first)
{
    answers("alerts --since 6h", OC_EXIT_OK);
    holds("ENDED");
    holds("died");
    holds("resolved");
    answers("alerts list proc:dead --all", OC_EXIT_OK);
    holds("killed: out of memory");
    lacks("pool:web");
    answers("alerts --since 6h -n 2", OC_EXIT_OK);
}
END_TEST

START_TEST(a_word_is_a_subject)
{
    answers("alerts web", OC_EXIT_OK);
    holds("pool:web");
    lacks("proc:full");
    answers("alerts proc:nobody", OC_EXIT_OK);
    holds("No alert of that subject");
    answers("alerts --alert Memory*", OC_EXIT_OK);
    lacks("NoMemoryLimit");
}
END_TEST

START_TEST(alerts_for_programs)
{
    cJSON *root = json("alerts --json");
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "alerts"), 0);
    const cJSON *time = cJSON_GetObjectItem(first, "time_to_limit_s");

    ck_assert_str_eq(cJSON_GetObjectItem(first, "subject")->valuestring, ALERTS_MADE_SHOP);
    ck_assert_str_eq(cJSON_GetObjectItem(first, "severity")->valuestring, "critical");
    ck_assert_str_eq(cJSON_GetObjectItem(first, "limit")->valuestring, "memory.max");
    ck_assert_double_eq_tol(cJSON_GetObjectItem(time, "p50")->valuedouble, 10800, 1);
    ck_assert(!cJSON_HasObjectItem(first, "ended")); /* unknown: no key */
    ck_assert_double_eq_tol(
        cJSON_GetObjectItem(cJSON_GetObjectItem(root, "counts"), "critical")->valuedouble, 1, 1e-9);
    cJSON_Delete(root);
    answers("alerts --csv --all", OC_EXIT_OK);
    ck_assert_int_eq(strncmp(said(), "fingerprint,episode,alertname,", 30), 0);
    lacks("nan");
}
END_TEST

START_TEST(the_log_gives_reasons)
{
    cJSON *root;

    answers("alerts log", OC_EXIT_OK);
    holds("pending -> firing");
    holds("P(limit in 4 h) 0.93 >= 0.5");
    holds("silence 1 of ann: deploy");
    lacks("\033");
    lacks("leaks\nand"); /* a reason is one line */
    answers("alerts log -n 1", OC_EXIT_OK);
    holds("proc:evil"); /* the newest */
    lacks("pool:web");
    answers("alerts log proc:dead", OC_EXIT_OK);
    holds("firing -> died");
    root = json("alerts log --json");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "decisions")), 7);
    cJSON_Delete(root);
    answers("alerts log --csv", OC_EXIT_OK);
    answers("alerts log proc:nobody", OC_EXIT_OK);
    holds("Nothing was decided");
}
END_TEST

START_TEST(the_outbox_is_what_waits)
{
    cJSON *root;

    answers("alerts outbox", OC_EXIT_OK);
    holds("Service Unavailable");
    holds("parked");
    lacks("sent");
    answers("alerts outbox --all", OC_EXIT_OK);
    holds("sent");
    root = json("alerts outbox --json");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "outbox")), 2);
    cJSON_Delete(root);
    answers("alerts outbox --csv", OC_EXIT_OK);
}
END_TEST

static const struct {
    const char *line;
    int exit_code;
} wrong[] = {
    { "alerts ack", OC_EXIT_USAGE },
    { "alerts test", OC_EXIT_USAGE },
    { "alerts test a b", OC_EXIT_USAGE },
    { "alerts lgo", OC_EXIT_USAGE },
    { "alerts outbox x", OC_EXIT_USAGE },
    { "alerts retry a b", OC_EXIT_USAGE },
    { "alerts web proc:x", OC_EXIT_USAGE },
    { "alerts ack web", OC_EXIT_ERROR }, /* no daemon */
    { "alerts test ops", OC_EXIT_ERROR },
    { "alerts retry", OC_EXIT_ERROR },
    { "silence add", OC_EXIT_USAGE },
    { "silence add a=b", OC_EXIT_USAGE },
    { "silence add a=b --for 2h", OC_EXIT_USAGE },
    { "silence add a= --for 2h --comment c", OC_EXIT_USAGE },
    { "silence add a=b --for 0 --comment c", OC_EXIT_USAGE },
    { "silence add a=b --for 2h --comment c", OC_EXIT_ERROR },
    { "silence ad a=b", OC_EXIT_USAGE },
    { "silence end", OC_EXIT_USAGE },
    { "silence end x", OC_EXIT_USAGE },
    { "silence end 0", OC_EXIT_USAGE },
    { "silence end 7", OC_EXIT_ERROR },
    { "silence list x", OC_EXIT_USAGE },
};

START_TEST(what_cannot_be_done_is_refused) { answers(wrong[_i].line, wrong[_i].exit_code); }
END_TEST

/* ---- silences ---- */

START_TEST(silences_are_listed)
{
    cJSON *root;

    answers("silence list", OC_EXIT_OK);
    holds("subject=proc:full severity!=warning");
    holds("ann");
    lacks("unit:*");
    answers("silence list --all", OC_EXIT_OK);
    holds("unit:*");
    root = json("silence --json");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "silences")), 1);
    cJSON_Delete(root);
}
END_TEST

/* ---- check ---- */

static void checks(const char *line, enum oc_check_state state, const char *begins)
{
    answers(line, (int)state);
    ck_assert_msg(strncmp(said(), begins, strlen(begins)) == 0, "%s: %s", line, said());
    ck_assert_ptr_eq(strchr(said(), '\n'), said() + strlen(said()) - 1); /* one line */
}

START_TEST(check_says_the_worst)
{
    checks("check", OC_CHECK_CRITICAL,
           "OOMCAST CRITICAL - " ALERTS_MADE_SHOP
           " dies at memory.max in 3 h (2 h 10 min - 4 h); 2 more, 1 muted, receiver ");
    holds("|'critical'=1;;0;0 'warning'=2;0;;0 'muted'=1;;;0 'pending'=1;;;0 'undelivered'=2;;;0");
    checks("check web", OC_CHECK_WARNING, "OOMCAST WARNING - pool:web told at ");
    checks("check proc:evil*", OC_CHECK_WARNING, "OOMCAST WARNING - proc:evil");
    lacks("\033");
    ck_assert_ptr_eq(strchr(said(), '|'), strrchr(said(), '|')); /* the reason's own is gone */
}
END_TEST

START_TEST(check_of_a_process_answers_for_its_cgroup)
{
    checks("check unit:shop.service", OC_CHECK_CRITICAL, "OOMCAST CRITICAL - " ALERTS_MADE_SHOP);
    holds("'time_to_limit'=");
    holds("'time_to_limit_p90'=");
}
END_TEST

START_TEST(check_stays_quiet_where_nothing_is_told)
{
    checks("check proc:full", OC_CHECK_OK, "OOMCAST OK - proc:full ");
    holds("1 muted");
    checks("check proc:warm", OC_CHECK_OK, "OOMCAST OK - proc:warm warming");
    checks("check proc:flat", OC_CHECK_OK, "OOMCAST OK - proc:flat flat");
    holds("'private_bytes'=52428800B;;;0;");
}
END_TEST

START_TEST(check_never_calls_the_unknown_ok)
{
    checks("check proc:nobody", OC_CHECK_UNKNOWN, "OOMCAST UNKNOWN - proc:nobody is not known");
    checks("check proc:dead", OC_CHECK_UNKNOWN, "OOMCAST UNKNOWN - proc:dead does not run: ");
    now_unix_ms = NOW + 3 * HOUR;
    checks("check", OC_CHECK_UNKNOWN, "OOMCAST UNKNOWN - stale: nothing was sampled for 3 h");
    checks("check pool:web", OC_CHECK_UNKNOWN, "OOMCAST UNKNOWN - stale");
    checks("check --db /nonexistent/x.db", OC_CHECK_UNKNOWN, "OOMCAST UNKNOWN - no store at ");
}
END_TEST

START_TEST(without_alerts_all_is_well)
{
    checks("check", OC_CHECK_OK, "OOMCAST OK - no alert: ");
    answers("alerts", OC_EXIT_OK);
    ck_assert_str_eq(said(), "No alert: nothing fires, nothing is pending.\n");
    answers("alerts outbox", OC_EXIT_OK);
    holds("Nothing waits");
    answers("silence", OC_EXIT_OK);
    holds("Nothing is silenced");
    answers("status", OC_EXIT_ERROR); /* no daemon */
    holds("firing    none");
}
END_TEST

START_TEST(check_refuses_as_plugins_do)
{
    ck_assert(oc_cmd_check.refuse != NULL);
    oc_buf_reset(&cli.out);
    ck_assert_int_eq(oc_cmd_check.refuse(&cli, "no option '--x'"), OC_CHECK_UNKNOWN);
    ck_assert_str_eq(said(), "OOMCAST UNKNOWN - no option '--x'\n");
}
END_TEST

/* ---- status ---- */

START_TEST(status_says_what_fires_and_who_is_not_reached)
{
    cJSON *root;

    answers("status", OC_EXIT_ERROR); /* no daemon; the store's part is there */
    holds("firing    1 critical, 2 warning");
    holds("critical " ALERTS_MADE_SHOP ": memory charge will meet");
    holds("receiver ops fails: 1 waiting, 0 parked");
    holds("503 Service Unavailable");
    holds("receiver mail fails: 0 waiting, 1 parked");
    lacks("\033");
    (void)run("status --json");
    root = cJSON_Parse(said());
    ck_assert_msg(root != NULL, "%s", said());
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "alerts"),
                                                            "failing_receivers")),
                     2);
    cJSON_Delete(root);
}
END_TEST

static TCase *words_case(void)
{
    TCase *tcase = tcase_create("words");

    tcase_add_test(tcase, the_worst_comes_first);
    tcase_add_test(tcase, muted_ones_are_counted_apart);
    tcase_add_loop_test(tcase, a_matcher_is_read, 0, COUNT(matchers));
    tcase_add_test(tcase, too_many_or_long_matchers_are_refused);
    tcase_add_test(tcase, a_request_escapes_what_people_wrote);
    return tcase;
}

static TCase *made_case(void)
{
    TCase *tcase = tcase_create("made");

    tcase_add_unchecked_fixture(tcase, make_store, drop_store);
    tcase_add_checked_fixture(tcase, set_now, NULL);
    tcase_add_test(tcase, the_list_is_the_worst_first);
    tcase_add_test(tcase, the_past_is_the_newest_first);
    tcase_add_test(tcase, a_word_is_a_subject);
    tcase_add_test(tcase, alerts_for_programs);
    tcase_add_test(tcase, the_log_gives_reasons);
    tcase_add_test(tcase, the_outbox_is_what_waits);
    tcase_add_loop_test(tcase, what_cannot_be_done_is_refused, 0, COUNT(wrong));
    tcase_add_test(tcase, silences_are_listed);
    tcase_add_test(tcase, check_says_the_worst);
    tcase_add_test(tcase, check_of_a_process_answers_for_its_cgroup);
    tcase_add_test(tcase, check_stays_quiet_where_nothing_is_told);
    tcase_add_test(tcase, check_never_calls_the_unknown_ok);
    tcase_add_test(tcase, check_refuses_as_plugins_do);
    tcase_add_test(tcase, status_says_what_fires_and_who_is_not_reached);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("cli alerts");
    TCase *quiet = tcase_create("quiet");
    SRunner *runner;
    int failed;

    (void)set_local_time("UTC");
    tcase_add_unchecked_fixture(quiet, make_quiet_store, drop_store);
    tcase_add_checked_fixture(quiet, set_now, NULL);
    tcase_add_test(quiet, without_alerts_all_is_well);
    suite_add_tcase(suite, words_case());
    suite_add_tcase(suite, made_case());
    suite_add_tcase(suite, quiet);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    oc_buf_clear(&cli.out);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
