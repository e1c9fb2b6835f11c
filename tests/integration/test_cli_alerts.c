/*
 * Alerts as people handle them: a daemon watches processes of which some are too big for a rule, its receivers are real
 * ones on the loopback, and all is asked and told by the program oomcast.
 */
#include "tests/integration/alert_stage.h"
#include "tests/integration/cli_run.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#define BIG "proc:alert-big" /* fires */
#define SMALL "proc:alert-small"

static void set_up(void)
{
    stage_begin("cli-alerts");
    stage_receiver(NULL);
    stage_config_too_big(", \"receivers\": [\n"
                         "  { \"name\": \"ops\", \"type\": \"webhook\", \"url\": "
                         "\"http://127.0.0.1:$(cat \"$D/port\")/ops\" },\n"
                         "  { \"name\": \"bad\", \"type\": \"webhook\", \"url\": "
                         "\"http://127.0.0.1:$(cat \"$D/port\")/do/400\" } ]");
    (void)stage_leaker("alert-big", "64M");
    (void)stage_leaker("alert-small", "16M");
    stage_daemon();
    eventually("\"$O\" alerts --json | grep -q '\"state\":\"firing\"'");
}

/* ---- what fires ---- */

START_TEST(one_fires_and_the_other_is_quiet)
{
    cJSON *root;

    ck_assert_int_eq(run("\"$O\" alerts"), 0);
    ck_assert_msg(holds(out, BIG) && holds(out, "TooBig") && holds(out, "critical"), "%s", out);
    ck_assert_msg(!holds(out, SMALL), "%s", out);
    ck_assert_int_eq(run("\"$O\" alerts --json"), 0);
    root = json();
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "alerts")), 1);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" alerts log " BIG), 0);
    ck_assert_msg(holds(out, "firing"), "%s", out);
}
END_TEST

START_TEST(the_receiver_got_it)
{
    eventually("grep -q '/ops' \"$D/received\" && grep -q 'alert-big' \"$D/received\"");
    ck_assert_int_ne(run("grep -q 'alert-small' \"$D/received\""), 0);
}
END_TEST

START_TEST(check_is_critical_for_one_alone)
{
    ck_assert_int_eq(run("\"$O\" check"), 2);
    ck_assert_msg(holds(out, "OOMCAST CRITICAL - " BIG " TooBig: "), "%s", out);
    ck_assert_int_eq(run("\"$O\" check " SMALL), 0);
    ck_assert_msg(holds(out, "OOMCAST OK - " SMALL), "%s", out);
    ck_assert_int_eq(run("\"$O\" check alert-nobody"), 3);
    ck_assert_int_eq(run("\"$O\" check --nonsense"), 3);
    ck_assert_msg(holds(out, "OOMCAST UNKNOWN - no option '--nonsense'"), "%s", out);
}
END_TEST

/* ---- what waits ---- */

START_TEST(a_parked_message_is_shown_and_sent_again)
{
    eventually("\"$O\" alerts outbox | grep -q 'bad *parked'");
    ck_assert_msg(holds(run("\"$O\" status") == 0 ? out : err, "receiver bad fails"), "%s", out);
    ck_assert_int_eq(run("\"$O\" alerts retry bad"), 0);
    ck_assert_msg(holds(out, "1 tried again"), "%s", out);
    eventually("test \"$(grep -c '/do/400' \"$D/received\")\" -ge 2");
    ck_assert_int_eq(run("\"$O\" alerts retry nobody"), 1);
    ck_assert_int_eq(run("\"$O\" alerts outbox --all --csv | grep -q ',ops,sent,'"), 0);
}
END_TEST

START_TEST(a_test_prints_the_answer)
{
    ck_assert_msg(run("\"$O\" alerts test ops") == 0, "%s%s", out, err);
    ck_assert_msg(holds(out, "sent: answer 200 after "), "%s", out);
    ck_assert_int_eq(run("\"$O\" alerts test bad"), 1);
    ck_assert_msg(holds(out, "answer 400"), "%s%s", out, err);
    ck_assert_int_eq(run("\"$O\" alerts test nobody"), 1);
    ck_assert_msg(holds(err, "nobody") || holds(err, "receiver"), "%s", err);
    ck_assert_int_eq(run("\"$O\" alerts test ops --json"), 0);
    cJSON_Delete(json());
}
END_TEST

/* ---- what people do ---- */

START_TEST(an_ack_is_seen)
{
    ck_assert_msg(run("\"$O\" alerts ack alert-big") == 0, "%s", err);
    ck_assert_msg(holds(out, "1 acknowledged"), "%s", out);
    eventually("\"$O\" alerts | grep -q 'firing, acked'");
    ck_assert_int_eq(run("\"$O\" alerts log | grep -q acked"), 0);
    ck_assert_int_eq(run("\"$O\" alerts ack " SMALL), 1);
    ck_assert_int_eq(run("\"$O\" alerts ack 0000000000000001"), 1);
    ck_assert_int_eq(run("\"$O\" check"), 2); /* it still fires */
}
END_TEST

START_TEST(a_silence_quiets_and_its_end_tells)
{
    ck_assert_msg(run("\"$O\" silence add subject=" BIG
                      " --for 2h --author ann --comment 'a \"deploy\"'") == 0,
                  "%s", err);
    ck_assert_msg(holds(out, "Silence 1 until "), "%s", out);
    eventually("\"$O\" alerts | grep -q silenced");
    ck_assert_int_eq(run("\"$O\" check"), 0);
    ck_assert_msg(holds(out, "1 muted"), "%s", out);
    ck_assert_int_eq(run("\"$O\" silence list"), 0);
    ck_assert_msg(holds(out, "subject=" BIG) && holds(out, "ann") && holds(out, "a \"deploy\""),
                  "%s", out);
    ck_assert_int_eq(run("\"$O\" silence end 1"), 0);
    eventually("! \"$O\" alerts | grep -q silenced");
    ck_assert_int_eq(run("\"$O\" silence end 99"), 1);
    ck_assert_int_eq(run("\"$O\" silence list | grep -q 'Nothing is silenced'"), 0);
}
END_TEST

/* ---- without the daemon ---- */

START_TEST(what_fired_stays_to_be_read)
{
    stage_daemon_stop(SIGTERM);
    ck_assert_int_eq(run("\"$O\" alerts"), 0); /* what it was */
    ck_assert_msg(holds(out, BIG), "%s", out);
    ck_assert_int_eq(run("\"$O\" alerts ack alert-big"), 1);
    ck_assert_msg(holds(err, "oomcastd --foreground"), "%s", err);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_alerts");
    TCase *tcase = tcase_create("daemon");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, set_up, stage_end);
    tcase_add_test(tcase, one_fires_and_the_other_is_quiet);
    tcase_add_test(tcase, the_receiver_got_it);
    tcase_add_test(tcase, check_is_critical_for_one_alone);
    tcase_add_test(tcase, a_parked_message_is_shown_and_sent_again);
    tcase_add_test(tcase, a_test_prints_the_answer);
    tcase_add_test(tcase, an_ack_is_seen);
    tcase_add_test(tcase, a_silence_quiets_and_its_end_tells);
    tcase_add_test(tcase, what_fired_stays_to_be_read); /* last: it stops the daemon */
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
