/*
 * regions, modules, limits, diff, export and lives on real processes: by PID with no daemon, and by
 * subject beside a daemon that watches two leakers, one of which is killed.
 */
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (INT64_C(1) << 20)
#define MAPPINGS 3000
#define WALKS_DEADLINE_MS 30000

enum { SHAPES, GROWS, LEAKERS };

static pid_t leakers[LEAKERS], daemon_pid;
static char dir[128];

/* "oomcast COMMAND PID". */
static int ask(const char *command, pid_t pid)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "\"$O\" %s %ld", command, (long)pid);
    return run(line);
}

static const cJSON *item_where(const cJSON *array, const char *key, const char *value)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, array)
    {
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, key);

        if (cJSON_IsString(text) && strcmp(text->valuestring, value) == 0)
            return item;
    }
    return NULL;
}

/* ---- no daemon, no store ---- */

static double vm_size_bytes(pid_t pid)
{
    char path[64], line[256];
    double kib = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "VmSize: %lf", &kib) == 1)
            break;
    }
    (void)fclose(file);
    return kib * 1024;
}

START_TEST(regions_add_up_to_what_the_kernel_says)
{
    cJSON *root;

    ck_assert_int_eq(ask("regions --json", leakers[SHAPES]), 0);
    root = json();
    /* pages of the kernel's own (vvar, vsyscall) are no part of VmSize on every kernel */
    ck_assert_double_eq_tol(number(root, "busy_bytes"), vm_size_bytes(leakers[SHAPES]), 1.0 * MIB);
    ck_assert_double_ge(
        number(item_where(cJSON_GetObjectItem(root, "usages"), "usage", "Private"), "count"),
        MAPPINGS);
    ck_assert(cJSON_HasObjectItem(cJSON_GetObjectItem(root, "walk"), "stall_us"));
    cJSON_Delete(root);
}
END_TEST

START_TEST(regions_are_listed_without_gaps)
{
    const cJSON *item;
    cJSON *root;
    double sum = 0;

    ck_assert_int_eq(ask("regions --list --resident --json", leakers[SHAPES]), 0);
    root = json();
    ck_assert_int_ge(cJSON_GetArraySize(cJSON_GetObjectItem(root, "regions")), MAPPINGS);
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(root, "regions"))
    {
        if (strcmp(cJSON_GetObjectItem(item, "state")->valuestring, "MEM_FREE") != 0)
            sum += number(item, "size_bytes");
    }
    ck_assert_double_eq_tol(sum, number(root, "busy_bytes"), 0.5);
    ck_assert(cJSON_HasObjectItem(root, "resident_bytes"));
    cJSON_Delete(root);
    ck_assert_int_eq(ask("regions --list", leakers[SHAPES]), 0);
    ck_assert(holds(out, "[stack]"));
    ck_assert(holds(out, " rw-p "));
}
END_TEST

START_TEST(modules_and_limits_need_no_daemon)
{
    cJSON *root;

    ck_assert_int_eq(ask("modules", leakers[SHAPES]), 0);
    ck_assert(holds(out, "libc.so.6"));
    ck_assert_int_eq(ask("modules --families --json", leakers[SHAPES]), 0);
    root = json();
    ck_assert_ptr_nonnull(item_where(cJSON_GetObjectItem(root, "families"), "kind", "fd"));
    cJSON_Delete(root);
    ck_assert_int_eq(ask("limits --json", leakers[SHAPES]), 0);
    root = json();
    ck_assert_double_ge(
        number(item_where(cJSON_GetObjectItem(root, "limits"), "limit", "vm.max_map_count"), "use"),
        MAPPINGS);
    cJSON_Delete(root);
}
END_TEST

static const struct {
    const char *line;
    int exit_code;
    const char *says;
} wrong[] = {
    { "\"$O\" regions 4194304000", 1, "no process" },
    { "\"$O\" modules 4194304000", 1, "oomcast lives" },
    { "\"$O\" limits 4194304000", 1, "no process" },
    { "\"$O\" regions 2 --db /nonexistent", 1, "kernel" },
    { "\"$O\" regions nginx --db /nonexistent", 1, "no store at /nonexistent" },
    { "\"$O\" regions leaker --db /nonexistent", 1, "without a store" },
    { "\"$O\" regions 1 --list --at 1h", 2, "--list looks at a process now" },
    { "\"$O\" regions", 2, "something is missing" },
    { "\"$O\" modules 1 --sort wieght", 2, "no such word 'wieght'" },
    { "\"$O\" diff 1 --from 1h --to 2h", 2, "--from is not before --to" },
    { "\"$O\" export --what lives -m rss", 2, "--metric is for samples" },
};

START_TEST(errors_say_what_to_do)
{
    if (strstr(wrong[_i].line, "regions 2 ") && access("/proc/2/status", F_OK) != 0) {
        (void)fprintf(stderr, "SKIP no thread of the kernel can be seen here\n");
        return;
    }
    if (strstr(wrong[_i].line, "regions 2 ")) {
        ck_assert_int_eq(run("grep -q '^VmSize' /proc/2/status && echo a process; true"), 0);
        if (holds(out, "a process")) {
            (void)fprintf(stderr, "SKIP pid 2 is no thread of the kernel here\n");
            return;
        }
    }
    ck_assert_int_eq(run(wrong[_i].line), wrong[_i].exit_code);
    ck_assert_msg(holds(err, wrong[_i].says), "%s: %s", wrong[_i].line, err);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(a_process_of_another_user_is_an_error_with_its_mend)
{
    char line[256];

    if (geteuid() != 0 || run("setpriv --reuid=65534 --clear-groups true") != 0) {
        (void)fprintf(stderr, "SKIP another user: only root can be another one\n");
        return;
    }
    (void)snprintf(line, sizeof(line),
                   "cp \"$O\" /tmp/.oomcast-$$ && chmod 755 /tmp/.oomcast-$$ && setpriv "
                   "--reuid=65534 --clear-groups /tmp/.oomcast-$$ regions %ld; code=$?; rm "
                   "/tmp/.oomcast-$$; exit $code",
                   (long)leakers[SHAPES]);
    ck_assert_int_eq(run(line), 1);
    ck_assert_msg(holds(err, "sudo"), "%s", err);
    ck_assert_str_eq(out, "");
}
END_TEST

/* ---- beside a daemon ---- */

static void start_daemon(int ack_fd)
{
    char config[160], ack_text[16];
    char *argv[] = {
        getenv("OC_OOMCASTD"), "--config", config, "--data", dir, "--ack-fd", ack_text, NULL
    };
    FILE *file;

    (void)snprintf(config, sizeof(config), "%s/oomcast.json", dir);
    (void)snprintf(ack_text, sizeof(ack_text), "%d", ACK_FD);
    file = fopen(config, "we");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(
        file,
        "{ \"interval\": \"200ms\", \"walk_interval\": \"10s\", \"targets\": ["
        "{ \"pid\": %ld, \"subject\": \"t:shapes\", \"limits\": {\"private_bytes\": "
        "\"1GiB\"} }, { \"pid\": %ld, \"subject\": \"t:grows\" }, { \"source\": \"host\" } ] }",
        (long)leakers[SHAPES], (long)leakers[GROWS]);
    ck_assert_int_eq(fclose(file), 0);
    daemon_pid = start(argv, ack_fd, ACK_FD);
    ck_assert_int_gt(daemon_pid, 0);
}

static void start_leakers(void)
{
    char *leaker = getenv("OC_LEAKER");
    char *commands[LEAKERS][10] = {
        [SHAPES] = { leaker, "mappings", "--rate", "1000000", "--max", "3000", NULL },
        [GROWS] = { leaker, "threads", "--rate", "10", "--max", "500", "--base", "20M", NULL },
    };

    for (size_t i = 0; i < LEAKERS; i++) {
        leakers[i] = start_ready(commands[i]);
        ck_assert_int_gt(leakers[i], 0);
    }
}

/* Until it holds all its mappings. */
static void wait_for_shapes(void)
{
    int64_t deadline_ms = now_ms() + WALKS_DEADLINE_MS;
    double size = 0;

    while (size < 64.0 * 1024 * MAPPINGS && now_ms() < deadline_ms) {
        (void)usleep(20000);
        size = vm_size_bytes(leakers[SHAPES]);
    }
    ck_assert_double_ge(size, 64.0 * 1024 * MAPPINGS);
}

static void set_up(void)
{
    static struct acks acks;
    int ends[2];

    ck_assert_int_eq(make_folder("oomcast-cli-walks", dir, sizeof(dir)), 0);
    start_leakers();
    wait_for_shapes();
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    acks_from(&acks, ends[0]);
    start_daemon(ends[1]);
    (void)close(ends[1]);
    ck_assert_int_eq(acks_first(&acks, now_ms() + WALKS_DEADLINE_MS), 0);
    acks_clear(&acks);
}

static void tear_down(void)
{
    stop(daemon_pid, SIGTERM);
    for (size_t i = 0; i < LEAKERS; i++)
        stop(leakers[i], SIGKILL);
    remove_folder(dir);
}

/* Runs the line until it succeeds and its answer holds the part: walks and writes take their time. */
static void until_holds(const char *line, const char *part)
{
    int64_t deadline_ms = now_ms() + WALKS_DEADLINE_MS;

    while ((run(line) != 0 || !holds(out, part)) && now_ms() < deadline_ms)
        (void)usleep(100000);
    ck_assert_msg(holds(out, part), "%s: no '%s' in %.600s%.300s", line, part, out, err);
}

START_TEST(a_subject_is_answered_from_its_walks)
{
    char line[256];
    cJSON *root;

    (void)snprintf(line, sizeof(line),
                   "OOMCAST_DB='%s'; export OOMCAST_DB; \"$O\" regions t:shapes", dir);
    until_holds(line, "walk of");
    ck_assert(holds(out, " ago"));
    (void)setenv("OOMCAST_DB", dir, 1);
    ck_assert_int_eq(run("\"$O\" regions t:shapes --json"), 0);
    root = json();
    ck_assert_double_ge(
        number(item_where(cJSON_GetObjectItem(root, "usages"), "usage", "Private"), "count"),
        MAPPINGS);
    cJSON_Delete(root);
    until_holds("\"$O\" limits t:shapes", "vm.max_map_count");
    until_holds("\"$O\" limits t:shapes", "private_bytes");
    ck_assert(holds(out, "told"));
    until_holds("\"$O\" limits", "t:grows");
    until_holds("\"$O\" modules t:shapes", "libc.so.6");
    ck_assert(holds(out, "SINCE"));
    ck_assert_int_eq(run("\"$O\" regions t:shapes --at 2000-01-01"), 1);
    ck_assert(holds(err, "at 2000-01-01"));
}
END_TEST

/* The second walk comes ten seconds after the first. */
START_TEST(growth_is_told_between_two_walks)
{
    cJSON *root;
    const cJSON *threads;

    until_holds("\"$O\" diff t:grows --json", "\"what\":\"thread\"");
    root = json();
    threads = item_where(cJSON_GetObjectItem(root, "changes"), "what", "thread");
    ck_assert_double_ge(number(threads, "change"), 30);
    ck_assert_double_ge(number(threads, "per_hour"), 10000);
    cJSON_Delete(root);
    until_holds("\"$O\" diff t:shapes --from 1s", "t:shapes");
    ck_assert(holds(out, "Nothing changed") || holds(out, "did not change"));
}
END_TEST

START_TEST(rows_leave_the_store)
{
    cJSON *root;

    ck_assert_int_eq(run("\"$O\" export t:grows -m private --csv | head -3"), 0);
    ck_assert(holds(out, "time,subject,source,pid,kind,metric,value"));
    ck_assert(holds(out, ",t:grows,"));
    ck_assert_int_eq(run("\"$O\" export --what regions --json | head -1"), 0);
    root = json();
    ck_assert(cJSON_HasObjectItem(root, "size_bytes"));
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" export --what limits | grep -c RLIMIT_NOFILE"), 0);
    ck_assert_int_eq(run("\"$O\" export nobody"), 1);
}
END_TEST

START_TEST(what_is_left_of_one_that_was_killed)
{
    cJSON *root;

    stop(leakers[GROWS], SIGKILL);
    leakers[GROWS] = 0;
    until_holds("\"$O\" lives t:grows", "killed by SIGKILL");
    until_holds("\"$O\" lives t:grows --last --json", "\"regions\"");
    root = json();
    ck_assert_double_ge(number(cJSON_GetObjectItem(root, "last"), "private_bytes"), 20.0 * MIB);
    ck_assert_double_ge(number(cJSON_GetObjectItem(root, "regions"), "commit_bytes"), 20.0 * MIB);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" lives t:grows --last"), 0);
    ck_assert(holds(out, "by somebody") || holds(out, "out of memory"));
    ck_assert_int_eq(run("\"$O\" regions t:grows"), 0); /* the last walk of the one that ended */
    ck_assert(holds(out, "ended"));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("cli_walks");
    TCase *tcase = tcase_create("cli_walks");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 0);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, regions_add_up_to_what_the_kernel_says);
    tcase_add_test(tcase, regions_are_listed_without_gaps);
    tcase_add_test(tcase, modules_and_limits_need_no_daemon);
    tcase_add_loop_test(tcase, errors_say_what_to_do, 0, COUNT(wrong));
    tcase_add_test(tcase, a_process_of_another_user_is_an_error_with_its_mend);
    tcase_add_test(tcase, a_subject_is_answered_from_its_walks);
    tcase_add_test(tcase, growth_is_told_between_two_walks);
    tcase_add_test(tcase, rows_leave_the_store);
    tcase_add_test(tcase, what_is_left_of_one_that_was_killed);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
