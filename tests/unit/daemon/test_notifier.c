/* The child that delivers: shell scripts in its place, which do what a broken one might. */
#include "daemon/notifier.h"
#include "suites.h"

#include "base/alloc.h"
#include "base/os.h"
#include "tests/support/environment.h"
#include "tests/support/folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEADLINE_MS 20000
#define READY "echo '{\"v\":1,\"is\":\"ready\",\"version\":\"0\"}'\n"
/* Answers each delivery as sent. */
#define SERVE                                                                                      \
    "while read -r line; do case $line in *'\"deliver\"'*) id=${line#*'\"id\":\"'}; "              \
    "id=${id%%'\"'*}; "                                                                            \
    "echo "                                                                                        \
    "\"{\\\"v\\\":1,\\\"is\\\":\\\"result\\\",\\\"id\\\":\\\"$id\\\",\\\"outcome\\\":"             \
    "\\\"sent\\\","                                                                                \
    "\\\"status\\\":200}\";; *'\"quit\"'*) exit 0;; esac; done\n"

static uv_loop_t loop;
static oc_notifier *notifier;
static struct oc_notifier_stats stats;
static struct oc_receivers receivers;
static struct oc_receiver receiver;
static char folder[128], program[160];
static unsigned answers, lost, ready;
static char last_id[OC_OUTBOX_ID_BYTES];

static int64_t now_ms(void) { return oc_clock_mono_ns() / 1000000; }

static void on_answered(void *context, const struct oc_wire_report *report)
{
    (void)context;
    if (report->outcome == OC_DELIVERY_LOST)
        lost++;
    else
        answers++;
    (void)snprintf(last_id, sizeof(last_id), "%s", report->id);
}

static void on_ready(void *context)
{
    (void)context;
    ready++;
}

static void write_program(const char *script)
{
    FILE *file = fopen(program, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fprintf(file, "#!/bin/sh\n%s", script), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(program, 0700), 0);
}

static void setup(void)
{
    answers = lost = ready = 0;
    (void)signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(make_folder("oomcast-unit", folder, sizeof(folder)), 0);
    (void)snprintf(program, sizeof(program), "%s/notify", folder);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    receiver = (struct oc_receiver){ .type = OC_RECEIVER_WEBHOOK, .timeout_ms = 50 };
    (void)snprintf(receiver.name, sizeof(receiver.name), "ops");
    ck_assert_int_eq(oc_strings_add(&receiver.urls, "http://127.0.0.1:1", 18), OC_OK);
    receivers = (struct oc_receivers){ .items = &receiver, .count = 1 };
}

static void teardown(void)
{
    oc_notifier_close(notifier);
    notifier = NULL;
    while (uv_run(&loop, UV_RUN_DEFAULT) != 0)
        ;
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    oc_strings_clear(&receiver.urls);
    ck_assert_int_eq(remove_folder(folder), 0);
    ck_assert_int_eq(oc_alloc_live(), 0);
}

static void start_it(const char *script)
{
    struct oc_notifier_options options = { .program = program,
                                           .answered = on_answered,
                                           .ready = on_ready,
                                           .ready_ms = 300,
                                           .slack_ms = 100 };

    if (script)
        write_program(script);
    ck_assert_int_eq(oc_notifier_new(&loop, &options, &notifier), OC_OK);
    oc_notifier_set_receivers(notifier, &receivers);
}

/* Rounds come every 20 ms here. */
static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    oc_notifier_round(notifier);
}

static void run_until(int (*done)(void))
{
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    uv_timer_t timer;

    (void)uv_timer_init(&loop, &timer);
    (void)uv_timer_start(&timer, on_timer, 20, 20);
    do {
        ck_assert_msg(now_ms() < deadline_ms, "state %d: %s", (int)stats.state, stats.why);
        (void)uv_run(&loop, UV_RUN_ONCE);
        oc_notifier_stats(notifier, &stats);
    } while (!done());
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
}

static int is_ready(void) { return stats.state == OC_NOTIFIER_READY; }
static int has_died(void) { return stats.deaths > 0; }
static int was_answered(void) { return answers > 0; }
static int is_ready_again(void) { return stats.starts > 1 && is_ready(); }
static int has_failed_thrice(void) { return stats.failing_since_mono_ms > 0 && stats.starts == 0; }
static int is_gone(void) { return stats.state == OC_NOTIFIER_NONE; }

static int deliver(const char *id)
{
    struct oc_wire_delivery delivery = { .url = 0 };

    (void)snprintf(delivery.id, sizeof(delivery.id), "%s", id);
    (void)snprintf(delivery.receiver, sizeof(delivery.receiver), "ops");
    return oc_notifier_deliver(notifier, &delivery, 50);
}

START_TEST(a_delivery_is_answered)
{
    start_it(READY SERVE);
    ck_assert_int_eq(deliver("msg_1"), OC_E_AGAIN); /* it is not ready yet */
    run_until(is_ready);
    ck_assert_uint_eq(ready, 1);
    ck_assert_int_eq(deliver("msg_1"), OC_OK);
    run_until(was_answered);
    ck_assert_str_eq(last_id, "msg_1");
    ck_assert_uint_eq(stats.under_way, 0);
}
END_TEST

START_TEST(what_is_under_way_when_it_dies_is_lost_and_it_is_started_again)
{
    start_it(READY "read -r a; read -r b; read -r c; [ -e \"$0.once\" ] && { " SERVE
                   " }; : > \"$0.once\"; exit 3\n");
    run_until(is_ready);
    ck_assert_int_eq(deliver("msg_1"), OC_OK);
    ck_assert_int_eq(deliver("msg_2"), OC_OK);
    run_until(has_died);
    ck_assert_uint_eq(lost, 2);
    ck_assert_ptr_nonnull(strstr(stats.why, "status 3"));
    run_until(is_ready_again);
    ck_assert_uint_eq(ready, 2);
}
END_TEST

/* Each of them is ended, said why, and started again. */
static const struct {
    const char *script, *why;
} broken[] = {
    { "sleep 100\n", "ready" },                      /* silent from the beginning */
    { READY "exec sleep 100\n", "does not answer" }, /* hangs with a delivery */
    { READY "echo nonsense\nsleep 100\n", "words" }, /* speaks otherwise */
    { READY "echo '{\"v\":2,\"is\":\"ready\"}'\nsleep 100\n", "words" }, /* of another version */
    { READY "tr '\\0' x < /dev/zero\n", "does not end" },           /* one line for ever */
    { READY "while :; do echo '{\"v\":1,\"is\":\"result\",\"id\":\"msg_9\",\"outcome\":\"sent\"}'; "
            "done\n",
      "floods" },
    { READY "exec 1>&-\nexec sleep 100\n", "signal" }, /* will not be heard again */
};

START_TEST(one_that_does_not_behave_is_ended)
{
    start_it(broken[_i].script);
    if (strcmp(broken[_i].why, "does not answer") == 0) {
        run_until(is_ready);
        ck_assert_int_eq(deliver("msg_1"), OC_OK);
    }
    run_until(has_died);
    ck_assert_msg(strstr(stats.why, broken[_i].why) != NULL, "%s", stats.why);
    ck_assert_uint_eq(stats.under_way, 0);
    ck_assert_int_gt(stats.failing_since_mono_ms, 0);
}
END_TEST

START_TEST(one_that_does_not_read_is_not_fed_without_end)
{
    struct oc_wire_delivery delivery = { .url = 0, .body_bytes = 200000 };
    int rc = OC_OK;
    unsigned taken = 0;

    start_it(READY "exec sleep 100\n");
    run_until(is_ready);
    delivery.body = oc_malloc(delivery.body_bytes + 1);
    memset(delivery.body, 'x', delivery.body_bytes);
    delivery.body[delivery.body_bytes] = '\0';
    (void)snprintf(delivery.receiver, sizeof(delivery.receiver), "ops");
    for (; taken < 1000 && rc == OC_OK; taken++) {
        (void)snprintf(delivery.id, sizeof(delivery.id), "msg_%u", taken);
        rc = oc_notifier_deliver(notifier, &delivery, 50);
    }
    oc_free(delivery.body);
    ck_assert_int_eq(rc, OC_E_AGAIN);
    ck_assert_uint_lt(taken, 40);
    run_until(has_died);
    ck_assert_uint_eq(lost, taken - 1);
}
END_TEST

START_TEST(one_that_is_not_there_is_said_and_tried_again)
{
    start_it(NULL);
    run_until(has_failed_thrice);
    ck_assert_ptr_nonnull(strstr(stats.why, "could not be started"));
    write_program(READY SERVE);
    run_until(is_ready);
    ck_assert_int_eq(stats.failing_since_mono_ms, 0);
}
END_TEST

START_TEST(without_receivers_it_ends_and_with_some_it_begins)
{
    static const struct oc_receivers none = { 0 };

    start_it(READY SERVE);
    run_until(is_ready);
    oc_notifier_set_receivers(notifier, &none);
    run_until(is_gone);
    ck_assert_uint_eq(stats.pid, 0);
    ck_assert_uint_eq(stats.deaths, 0);
    oc_notifier_set_receivers(notifier, &receivers);
    run_until(is_ready);
}
END_TEST

START_TEST(secrets_are_neither_in_its_arguments_nor_in_its_environment)
{
    char secret[] = "hunter2";

    receiver.secret = secret;
    (void)set_variable("NOTIFY_SOCKET", "/nowhere");
    start_it("[ $# -eq 0 ] || exit 1\n[ -z \"$NOTIFY_SOCKET\" ] || exit 2\n"
             "env | grep -q hunter2 && exit 4\n"
             "read -r forget\nread -r line\ncase $line in *hunter2*) ;; *) exit 5;; esac\n" READY
             "exec sleep 100\n");
    (void)set_variable("NOTIFY_SOCKET", NULL);
    run_until(is_ready);
    receiver.secret = NULL;
}
END_TEST

Suite *notifier_suite(void)
{
    Suite *suite = suite_create("notifier");
    TCase *tcase = tcase_create("notifier");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_delivery_is_answered);
    tcase_add_test(tcase, what_is_under_way_when_it_dies_is_lost_and_it_is_started_again);
    tcase_add_loop_test(tcase, one_that_does_not_behave_is_ended, 0,
                        sizeof(broken) / sizeof(broken[0]));
    tcase_add_test(tcase, one_that_does_not_read_is_not_fed_without_end);
    tcase_add_test(tcase, one_that_is_not_there_is_said_and_tried_again);
    tcase_add_test(tcase, without_receivers_it_ends_and_with_some_it_begins);
    tcase_add_test(tcase, secrets_are_neither_in_its_arguments_nor_in_its_environment);
    suite_add_tcase(suite, tcase);
    return suite;
}
