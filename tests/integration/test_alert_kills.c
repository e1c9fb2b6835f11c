/*
 * The daemon or the notifier is killed at random moments while alerts begin to fire and are sent. Nothing is lost, nothing
 * ends that did not end, and what is sent twice has the same id and the same words.
 *
 * OC_KILLS says how often (20).
 */
#include "tests/integration/alert_stage.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KILLS 20
#define MAX_KILLS 1000
#define CROWD "3" /* new subjects before each kill */
#define CROWD_COUNT 3
#define MAX_DELAY_US 1800000 /* group_wait and a send lie within */
#define SETTLE_MS 90000
#define MAX_LINE_BYTES (4u << 20)

static pid_t crowds[MAX_KILLS];
static unsigned kills;
static uint64_t seed;

/* ---- killing ---- */

static void start_crowd(unsigned number)
{
    char name[16];
    char *argv[] = { getenv("OC_CROWD"), (char *)(uintptr_t)CROWD, name, NULL };

    (void)snprintf(name, sizeof(name), "al%u", number);
    crowds[number] = start_ready(argv);
    ck_assert_int_gt(crowds[number], 0);
}

static void kill_notifier(void)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "pkill -KILL -P %ld", (long)stage_daemon_pid());
    (void)run(line); /* of the daemon's children: it has one */
}

/* The same moments for the same seed. */
static useconds_t random_delay_us(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (useconds_t)((seed >> 33) % MAX_DELAY_US);
}

static void kill_at_random(unsigned number)
{
    start_crowd(number);
    (void)usleep(random_delay_us());
    if (number % 2) {
        kill_notifier();
    } else {
        stage_daemon_stop(SIGKILL);
        stage_daemon();
    }
}

static void set_up(void)
{
    kills = (unsigned)from_environment("OC_KILLS", KILLS);
    if (kills > MAX_KILLS)
        kills = MAX_KILLS;
    seed = from_environment("OC_SEED", 1);
    stage_begin("alert-kills");
    stage_receiver(NULL);
    stage_config(
        "{ \"interval\": \"200ms\", \"discovery_interval\": \"1s\", \"batch\": \"100ms\", "
        "\"group_wait\": \"1s\", \"group_interval\": \"1s\",\n"
        "  \"targets\": [ { \"name\": \"al[0-9]*-0*\" } ],\n"
        "  \"rules\": [ { \"name\": \"Alive\", \"kind\": \"threshold\", \"subjects\": "
        "[\"proc:al*\"], \"metric\": "
        "\"thread_count\", \"enter\": 1, \"for\": \"0s\", \"keep\": \"0s\" } ],\n"
        "  \"receivers\": [ { \"name\": \"ops\", \"type\": \"webhook\", \"max_per_hour\": 0, "
        "\"url\": \"http://127.0.0.1:$(cat \"$D/port\")/ops\" } ] }");
    stage_daemon();
    for (unsigned i = 0; i < kills; i++)
        kill_at_random(i);
}

static void tear_down(void)
{
    for (unsigned i = 0; i < kills; i++)
        stop(crowds[i], SIGKILL);
    stage_end();
}

/* ---- what came ---- */

/* Waits until all of them fire and nothing waits to be sent. */
static void settle(void)
{
    char line[200];

    (void)snprintf(line, sizeof(line),
                   "\"$O\" alerts --json --alert Alive | grep -q '\"warning\":%u,'",
                   kills * CROWD_COUNT);
    eventually_within(line, SETTLE_MS);
    eventually_within("\"$O\" alerts outbox | grep -q 'Nothing waits' && sleep 3 && "
                      "\"$O\" alerts outbox | grep -q 'Nothing waits'",
                      SETTLE_MS);
}

START_TEST(no_alert_is_lost)
{
    settle();
    for (unsigned i = 0; i < kills; i++) {
        for (unsigned k = 1; k <= CROWD_COUNT; k++) {
            char line[100];

            (void)snprintf(line, sizeof(line), "grep -q 'proc:al%u-%04u' \"$D/received\"", i, k);
            ck_assert_msg(run(line) == 0, "nobody was told of al%u-%04u", i, k);
        }
    }
}
END_TEST

START_TEST(nothing_ends_that_goes_on)
{
    ck_assert_int_ne(run("grep -q 'status[\\\\\":]*resolved' \"$D/received\""), 0);
    /* An episode each: a restart begins nothing anew. */
    at_once("\"$O\" alerts --all --limit 0 --alert Alive --csv | tail -n +2 | wc -l");
    ck_assert_int_eq(strtol(out, NULL, 10), (long)kills * CROWD_COUNT);
}
END_TEST

struct seen {
    cJSON *ids; /* id → body */
    unsigned messages, repeats;
};

static void take_line(struct seen *seen, const char *line)
{
    cJSON *message = cJSON_Parse(line);
    const cJSON *id, *body, *before;

    ck_assert_msg(message != NULL, "%.200s", line);
    id = cJSON_GetObjectItem(cJSON_GetObjectItem(message, "headers"), "webhook-id");
    body = cJSON_GetObjectItem(message, "body");
    ck_assert_msg(cJSON_IsString(id) && cJSON_IsString(body), "%.400s", line);
    seen->messages++;
    before = cJSON_GetObjectItemCaseSensitive(seen->ids, id->valuestring);
    if (before) {
        seen->repeats++;
        ck_assert_msg(strcmp(before->valuestring, body->valuestring) == 0, "%s:\n%.600s\n%.600s",
                      id->valuestring, before->valuestring, body->valuestring);
    } else {
        (void)cJSON_AddStringToObject(seen->ids, id->valuestring, body->valuestring);
    }
    cJSON_Delete(message);
}

START_TEST(repeats_carry_their_id)
{
    struct seen seen = { .ids = cJSON_CreateObject() };
    char *line = malloc(MAX_LINE_BYTES);
    char path[200];
    const cJSON *id;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/received", stage_dir());
    file = fopen(path, "re");
    ck_assert(line != NULL && file != NULL);
    while (fgets(line, MAX_LINE_BYTES, file))
        take_line(&seen, line);
    (void)fclose(file);
    free(line);
    cJSON_ArrayForEach(id, seen.ids)
    {
        char ask[160];

        (void)snprintf(ask, sizeof(ask),
                       "\"$O\" alerts outbox --all --limit 0 --csv | grep -q '^%.60s,ops,sent,'",
                       id->string);
        ck_assert_msg(run(ask) == 0, "%s is no sent message of the store", id->string);
    }
    printf("%u kills: %u messages, %u of them repeats\n", kills, seen.messages, seen.repeats);
    cJSON_Delete(seen.ids);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alert kills");
    TCase *tcase = tcase_create("kills");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 600);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, no_alert_is_lost);
    tcase_add_test(tcase, nothing_ends_that_goes_on);
    tcase_add_test(tcase, repeats_carry_their_id);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
