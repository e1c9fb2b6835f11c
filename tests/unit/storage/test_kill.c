/*
 * kill -9 at any moment: what was acknowledged is there, with its values, and the file is sound.
 * OOMCAST_KILLS: how many times (20).
 */
#include "held.h"
#include "made.h"
#include "tests/support/folder.h"

#include <check.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SOURCES = 25, MAX_STEPS = 30000, MAX_SOURCES = 4000, STEPS_PER_FILE = 2500 };

extern char **environ;

static char dir[128], path[160];
static uint8_t seen[SOURCES + 1][MAX_STEPS], acked[MAX_STEPS];
static uint32_t churn_of[MAX_STEPS];
static uint8_t churn_seen[MAX_STEPS];

static int kills(void)
{
    const char *text = getenv("OOMCAST_KILLS");
    int count = text ? atoi(text) : 20;

    return count > 0 ? count : 20;
}

struct hammer {
    pid_t pid;
    FILE *acks;
};

static struct hammer start(int64_t first)
{
    struct hammer hammer = { 0 };
    posix_spawn_file_actions_t actions;
    char first_text[32], sources_text[16];
    char *argv[] = { OC_TEST_HAMMER, path, first_text, sources_text, NULL };
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    snprintf(first_text, sizeof first_text, "%lld", (long long)first);
    snprintf(sources_text, sizeof sources_text, "%d", SOURCES);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    ck_assert_int_eq(posix_spawn(&hammer.pid, argv[0], &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    hammer.acks = fdopen(ends[0], "r");
    ck_assert_ptr_nonnull(hammer.acks);
    return hammer;
}

/* Takes acknowledgements, at most `most`. Returns the last step. */
static int64_t take_acks(struct hammer *hammer, int64_t last, int64_t most)
{
    char line[64];

    while (most-- > 0 && fgets(line, sizeof line, hammer->acks)) {
        long long step;
        unsigned churn;

        if (!strchr(line, '\n') || sscanf(line, "%lld %u", &step, &churn) != 2)
            break;
        ck_assert_int_lt(step, MAX_STEPS);
        acked[step] = 1;
        churn_of[step] = churn;
        last = step;
    }
    return last;
}

/* Lets it run for a while that differs each time, kills it, and takes what it still said. */
static int64_t run_and_kill(int64_t first, uint64_t *seed)
{
    struct hammer hammer = start(first);
    struct timespec moment = { .tv_nsec = (long)(made_u64(seed) % 4000000) };
    int64_t last = take_acks(&hammer, first - 1, (int64_t)(made_u64(seed) % 150));
    int status;

    (void)nanosleep(&moment, NULL); /* the moment of death, not a wait for something */
    ck_assert_int_eq(kill(hammer.pid, SIGKILL), 0);
    last = take_acks(&hammer, last, MAX_STEPS);
    ck_assert_int_eq(waitpid(hammer.pid, &status, 0), hammer.pid);
    ck_assert_msg(WIFSIGNALED(status), "the hammer ended by itself: %d", WEXITSTATUS(status));
    fclose(hammer.acks);
    return last;
}

static int see(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
               void *context)
{
    struct oc_sample want;
    int64_t step = t_ms / 1000;

    (void)same;
    (void)context;
    ck_assert_int_lt(step, MAX_STEPS);
    made_sample(source, step, &want);
    ck_assert_uint_eq(sample->known, want.known);
    for (unsigned bit = 0; bit < 64; bit++)
        if (want.known >> bit & 1)
            ck_assert_int_eq(sample->values[bit], want.values[bit]);
    if (source <= SOURCES)
        seen[source][step] = 1;
    else if (churn_of[step] == source)
        churn_seen[step] = 1;
    return 0;
}

/* Each acknowledged walk is there, with its own figure, and the modules that were at its time. */
static void check_walks(int64_t last)
{
    int64_t acked_count = 0, held;
    char sql[200];

    for (int64_t step = 1; step <= last; step++)
        acked_count += acked[step];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM walk WHERE source = 1 AND t <= %lld",
             (long long)last * 1000);
    held = held_number(path, sql);
    ck_assert_msg(held >= acked_count, "%d of %d walks", (int)held, (int)acked_count);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM walk w LEFT JOIN region_total r ON "
                                       "r.walk = w.id WHERE r.bytes * 1000 IS NOT w.t * 4096"),
                     0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM module JOIN text x ON x.id = name "
                                       "WHERE x.text = 'module ' || (loaded / 10000)"),
                     held > 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM module_gone JOIN text x ON x.id = "
                                       "name WHERE x.text <> 'module ' || (loaded / 10000)"),
                     0);
}

/* What is forecast, remembered and recorded is of the same batch as the walk. */
static void check_forecasts(int64_t last)
{
    int64_t step = held_number(path, "SELECT max(t) / 1000 FROM walk WHERE source = 1");

    ck_assert_int_ge(step, last);
    ck_assert_int_eq(held_number(path, "SELECT max(t) / 1000 FROM forecast"), step);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM forecast WHERE samples * 1000 <> t"),
                     0);
    ck_assert_int_eq(held_number(path, "SELECT CAST(CAST(bytes AS TEXT) AS INTEGER) FROM forecaster"
                                       " WHERE kind = 1 AND name = '1' AND key = 7"),
                     step);
    ck_assert_int_ge(held_number(path, "SELECT judged FROM forecast_record"), step);
}

/* An alert, what was decided and its message are of one batch too: all of a step, or none. A step that was not
 * acknowledged is done again: its decision is there twice. */
static void check_alerts(void)
{
    int64_t step = held_number(path, "SELECT max(t) / 1000 FROM walk WHERE source = 1");
    int64_t steps = held_number(path, "SELECT count(*) FROM walk WHERE source = 1");

    ck_assert_int_eq(held_number(path, "SELECT max(value) FROM alert"), step);
    ck_assert_int_eq(held_number(path, "SELECT max(episode) FROM alert"), step / 5 + 1);
    ck_assert_int_eq(held_number(path, "SELECT max(t_unix_ms) - 1700000000000 FROM "
                                       "alert_decision"),
                     step);
    ck_assert_int_eq(held_number(path, "SELECT count(DISTINCT t_unix_ms) FROM "
                                       "alert_decision"),
                     steps);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM outbox WHERE id = "
                                       "printf('msg_%010d', body)"),
                     steps);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM alert WHERE state IN (1, 2)"),
                     step % 5 != 4);
}

static void check_file(int64_t last)
{
    memset(seen, 0, sizeof seen);
    memset(churn_seen, 0, sizeof churn_seen);
    ck_assert_int_eq(held_each(path, see, NULL), 0);
    for (int64_t step = 1; step <= last; step++) {
        if (!acked[step])
            continue;
        for (uint32_t s = 1; s <= SOURCES; s++)
            ck_assert_msg(seen[s][step], "source %u lost step %d of %d", s, (int)step, (int)last);
        ck_assert_msg(churn_seen[step], "source %u lost step %d", churn_of[step], (int)step);
    }
    check_walks(last);
    if (last > 0)
        check_forecasts(last);
    if (last > 0)
        check_alerts();
    ck_assert_int_eq(
        held_number(path, "SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'"), 0);
}

static void remove_files(void)
{
    char command[512];

    snprintf(command, sizeof command, "rm -f %s %s-wal %s-shm", path, path, path);
    ck_assert_int_eq(system(command), 0);
    memset(acked, 0, sizeof acked);
}

START_TEST(acknowledged_samples_survive_being_killed)
{
    uint64_t seed = (uint64_t)time(NULL);
    int64_t last = 0, total = 0;

    printf("seed %llu\n", (unsigned long long)seed);
    ck_assert_int_eq(make_folder("oomcast-kill", dir, sizeof dir), 0);
    snprintf(path, sizeof path, "%s/oomcast.db", dir);
    for (int i = 0; i < kills(); i++) {
        int64_t before = last;

        last = run_and_kill(last + 1, &seed);
        total += last - before;
        check_file(last);
        if (last > STEPS_PER_FILE) {
            remove_files();
            last = 0;
        }
    }
    printf("%d kills, %lld ticks acknowledged, none lost\n", kills(), (long long)total);
    ck_assert_int_eq(remove_folder(dir), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kill");
    TCase *tests = tcase_create("kill");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, acknowledged_samples_survive_being_killed);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
