/*
 * oomcast explain on real processes: each way of growing is told by its own cause, what does not grow by none; without
 * a daemon by looks, beside one from the store, and after the end.
 */
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 60000
#define MIB (1024.0 * 1024)

static char dir[128];

/* ---- without a daemon ---- */

static pid_t start_leaker(const char *const *words)
{
    char *argv[10] = { getenv("OC_LEAKER") };
    pid_t pid;

    for (size_t i = 0; i < 8 && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    pid = start_ready(argv);
    ck_assert_int_gt(pid, 0);
    return pid;
}

static cJSON *explained(pid_t pid, const char *options)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "\"$O\" explain %ld %s --json --db /nonexistent", (long)pid,
                   options);
    ck_assert_msg(run(line) == 0, "%s: %s", line, err);
    return json();
}

static const char *word(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static const char *first_cause(const cJSON *root)
{
    return word(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "causes"), 0), "cause");
}

/* Parts of the shares, families left out: they are within the others. */
static double sum_of_parts(const cJSON *root)
{
    const cJSON *share;
    double sum = 0;

    cJSON_ArrayForEach(share, cJSON_GetObjectItem(root, "shares"))
    {
        const cJSON *part = cJSON_GetObjectItem(share, "part");

        if (strcmp(word(share, "kind"), "family") != 0 && cJSON_IsNumber(part))
            sum += part->valuedouble;
    }
    return sum;
}

static const struct {
    const char *words[8];
    const char *metric, *cause;
} kinds[] = {
    { { "line", "--rate", "8M" }, "private_bytes", "unknown" }, /* one mapping of its own */
    { { "threads", "--rate", "100" }, "private_bytes", "threads" },
    { { "connections", "--rate", "100" }, "private_bytes", "descriptors" },
    { { "fds", "--rate", "100" }, "fd_count", "descriptors" },
    { { "memfd", "--rate", "8M" }, "private_bytes", "shared-memory" },
    { { "mappings", "--rate", "9000" }, "private_bytes", "mappings" },
    { { "modules", "--rate", "40" }, "private_bytes", "generated-modules" },
};

START_TEST(each_growth_has_its_cause)
{
    const pid_t pid = start_leaker(kinds[_i].words);
    cJSON *root = explained(pid, "--for 3s");

    stop(pid, SIGKILL);
    ck_assert_msg(strcmp(word(root, "metric"), kinds[_i].metric) == 0, "%s: %s grew",
                  kinds[_i].words[0], word(root, "metric"));
    ck_assert_msg(strcmp(first_cause(root), kinds[_i].cause) == 0, "%s: %.900s", kinds[_i].words[0],
                  out);
    ck_assert_double_gt(number(root, "grew"), 0);
    ck_assert_double_gt(number(root, "growth_per_hour"), 0);
    if (strcmp(kinds[_i].metric, "private_bytes") == 0) /* of a count families are the shares */
        ck_assert_double_eq_tol(sum_of_parts(root), 1, 0.02);
    ck_assert_double_ge(number(root, "samples"), 3);
    ck_assert_double_ge(number(root, "walks"), 2);
    cJSON_Delete(root);
}
END_TEST

static const struct {
    const char *words[8];
} quiet[] = {
    { { "idle", "--base", "30M" } },
    { { "cache", "--rate", "8M" } }, /* page cache of a file: none of it is the process's */
};

START_TEST(what_does_not_grow_has_none)
{
    const pid_t pid = start_leaker(quiet[_i].words);
    cJSON *root = explained(pid, "--for 2s");
    char line[128];

    ck_assert_msg(strcmp(word(root, "metric"), "private_bytes") != 0 || number(root, "grew") < MIB,
                  "%.900s", out);
    ck_assert_msg(first_cause(root)[0] == '\0' || strcmp(first_cause(root), "page-cache") == 0,
                  "%s: %.900s", quiet[_i].words[0], out);
    cJSON_Delete(root);
    (void)snprintf(line, sizeof(line), "\"$O\" explain %ld", (long)pid);
    ck_assert_int_eq(run(line), 0);
    ck_assert(holds(out, "Nothing unusual"));
    ck_assert(holds(out, "--for 10m"));
    stop(pid, SIGKILL);
}
END_TEST

/* RAM that was looked at is no estimate. */
START_TEST(pages_are_looked_at_where_asked_for)
{
    static const char *const words[] = { "line", "--rate", "8M", NULL };
    const pid_t pid = start_leaker(words);
    cJSON *root = explained(pid, "--for 2s --resident");
    const cJSON *share = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "shares"), 0);

    stop(pid, SIGKILL);
    ck_assert_str_eq(word(share, "name"), "Private");
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(share, "is_estimate")));
    cJSON_Delete(root);
}
END_TEST

/* Whether oomcast itself, and not the shell before it, has a handler of a signal. */
static int handles(pid_t pid, int signal_number)
{
    char path[64], line[256];
    unsigned long long mask = 0;
    int is_oomcast = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, "Name:", 5) == 0)
            is_oomcast = strstr(line, "oomcast") != NULL;
        if (strncmp(line, "SigCgt:", 7) == 0)
            mask = strtoull(line + 7, NULL, 16);
    }
    (void)fclose(file);
    return is_oomcast && (mask >> (signal_number - 1) & 1) != 0;
}

START_TEST(an_interrupt_shows_what_is_known_so_far)
{
    static const char *const words[] = { "line", "--rate", "8M", NULL };
    const int64_t deadline_ms = now_ms() + DEADLINE_MS;
    const pid_t pid = start_leaker(words);
    char command[512], answer[4096] = "";
    size_t len = 0;
    ssize_t got;
    int out_fd, err_fd, status = -1;
    pid_t explain;

    (void)snprintf(command, sizeof(command), "exec '%s' explain %ld --for 1h", oomcast(),
                   (long)pid);
    explain = start_with_pipes(command, &out_fd, &err_fd);
    while (!handles(explain, SIGINT) && now_ms() < deadline_ms)
        (void)usleep(10000);
    ck_assert_int_eq(kill(explain, SIGINT), 0);
    while (len + 1 < sizeof(answer) &&
           (got = read(out_fd, answer + len, sizeof(answer) - 1 - len)) > 0)
        len += (size_t)got;
    ck_assert_int_eq(waitpid(explain, &status, 0), explain);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_msg(holds(answer, "leaker (pid"), "%s", answer);
    (void)close(out_fd);
    (void)close(err_fd);
    stop(pid, SIGKILL);
}
END_TEST

static const struct {
    const char *line;
    int exit_code;
    const char *says;
} wrong[] = {
    { "\"$O\" explain", 2, "something is missing" },
    { "\"$O\" explain 4194304000 --db /nonexistent", 1, "no process 4194304000 here" },
    { "\"$O\" explain shop --db /nonexistent", 1, "no store at /nonexistent" },
    { "\"$O\" explain shop --life --db /nonexistent", 1, "no store at /nonexistent" },
    { "\"$O\" explain 1 --for 1ms", 2, "a second at least" },
    { "\"$O\" explain 1 --for 2m --since 1h", 2, "--since and --until ask the store" },
    { "\"$O\" explain 1 --for 2m --life", 2, "nothing to look at" },
    { "\"$O\" explain 1 --for soon", 2, "soon" },
};

START_TEST(errors_say_what_to_do)
{
    ck_assert_int_eq(run(wrong[_i].line), wrong[_i].exit_code);
    ck_assert_msg(holds(err, wrong[_i].says), "%s: %s", wrong[_i].line, err);
    ck_assert_str_eq(out, "");
}
END_TEST

/* ---- beside a daemon ---- */

static pid_t start_daemon(pid_t watched)
{
    char config[192];
    char *argv[] = { getenv("OC_OOMCASTD"), "--config", config, "--data", dir, NULL };
    FILE *file;
    pid_t pid;

    (void)snprintf(config, sizeof(config), "%s/oomcast.json", dir);
    file = fopen(config, "we");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file,
                  "{ \"interval\": \"200ms\", \"walk_interval\": \"10s\", \"targets\": ["
                  "{ \"pid\": %ld, \"subject\": \"t:leak\" } ] }",
                  (long)watched);
    ck_assert_int_eq(fclose(file), 0);
    pid = start(argv, STDERR_FILENO, STDERR_FILENO); /* nothing to hand over */
    ck_assert_int_gt(pid, 0);
    return pid;
}

/* Walks and writes take their time. */
static void until_holds(const char *line, const char *part)
{
    const int64_t deadline_ms = now_ms() + DEADLINE_MS;

    while ((run(line) != 0 || !holds(out, part)) && now_ms() < deadline_ms)
        (void)usleep(200000);
    ck_assert_msg(holds(out, part), "%s: no '%s' in %.800s%.300s", line, part, out, err);
}

START_TEST(a_subject_is_explained_from_the_store_and_after_its_end)
{
    static const char *const words[] = { "threads", "--rate", "20", "--base", "20M", NULL };
    const pid_t pid = start_leaker(words);
    const pid_t daemon = start_daemon(pid);
    char line[128];
    cJSON *root;

    (void)setenv("OOMCAST_DB", dir, 1);
    until_holds("\"$O\" explain t:leak --json", "\"kind\":\"stacks\""); /* of two walks */
    ck_assert(holds(out, "\"cause\":\"threads\""));
    root = json();
    ck_assert_str_eq(word(root, "subject"), "t:leak");
    ck_assert_double_ge(number(root, "walks"), 2);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" explain leak"), 0);
    ck_assert(holds(out, "oomcast diff t:leak --from "));
    (void)snprintf(line, sizeof(line), "\"$O\" explain %ld --json", (long)pid);
    ck_assert_int_eq(run(line), 0); /* the same by its PID: the store knows it */
    ck_assert(holds(out, "\"subject\":\"t:leak\""));
    ck_assert_int_eq(run("\"$O\" explain t:leak --life"), 1);
    ck_assert_msg(holds(err, "no process of t:leak has ended"), "%s", err);
    ck_assert_int_eq(run("\"$O\" explain t:leek"), 1);
    ck_assert(err[0]);

    stop(pid, SIGKILL);
    until_holds("\"$O\" explain t:leak --life --json", "\"has_ended\":true");
    ck_assert_int_eq(run("\"$O\" explain t:leak --life"), 0);
    ck_assert_msg(holds(out, "signal 9"), "%s", out);
    ck_assert(holds(out, "lived:"));
    ck_assert_int_eq(run("\"$O\" explain t:leak"), 0);
    ck_assert(holds(out, "ended"));
    stop(daemon, SIGTERM);
    (void)unsetenv("OOMCAST_DB");
}
END_TEST

static void set_up(void) { ck_assert_int_eq(make_folder("oomcast-explain", dir, sizeof(dir)), 0); }
static void tear_down(void) { remove_folder(dir); }

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *tcase = tcase_create("explain");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 0);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, each_growth_has_its_cause, 0, COUNT(kinds));
    tcase_add_loop_test(tcase, what_does_not_grow_has_none, 0, COUNT(quiet));
    tcase_add_test(tcase, pages_are_looked_at_where_asked_for);
    tcase_add_test(tcase, an_interrupt_shows_what_is_known_so_far);
    tcase_add_loop_test(tcase, errors_say_what_to_do, 0, COUNT(wrong));
    tcase_add_test(tcase, a_subject_is_explained_from_the_store_and_after_its_end);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
