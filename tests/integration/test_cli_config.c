/* oomcast config beside real processes, and on a tree of another machine. */
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"
#include "tests/support/folder.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* As long as a name is kept, and longer. */
static const char *const names[] = { "oc-cfg-shop", "oc-cfg-shop-2", "oc-cfg-a-name-that-is-cut" };

static char folder[128];
static pid_t pids[COUNT(names)];

/* Runs a copy of sleep under a name; back once it has that name: exec closes the pipe. */
static pid_t start_named(const char *name)
{
    char path[512], byte;
    int ends[2];
    pid_t pid;

    (void)snprintf(path, sizeof(path), "cp /bin/sleep %s/%s", folder, name);
    ck_assert_int_eq(run(path), 0);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)execl(path, path, "600", (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
    return pid;
}

static void set_up(void)
{
    ck_assert_int_eq(make_folder("oomcast-cli-config", folder, sizeof(folder)), 0);
    for (size_t i = 0; i < COUNT(names); i++)
        pids[i] = start_named(names[i]);
}

static void tear_down(void)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)kill(pids[i], SIGKILL);
        (void)waitpid(pids[i], NULL, 0);
    }
    ck_assert_int_eq(remove_folder(folder), 0);
}

/* Writes FOLDER/c.json with these targets and checks it; the answer is in out. */
static int check(const char *options, const char *targets)
{
    char path[256], line[512];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/c.json", folder);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "{ \"targets\": [\n%s\n] }\n", targets);
    ck_assert_int_eq(fclose(file), 0);
    (void)snprintf(line, sizeof(line), "$O config check %s %s", options, path);
    return run(line);
}

static const cJSON *target_at(const cJSON *answer, int index)
{
    const cJSON *target = cJSON_GetArrayItem(cJSON_GetObjectItem(answer, "targets"), index);

    ck_assert_ptr_nonnull(target);
    return target;
}

/* The entry of a process in a list of a target, or NULL. */
static const cJSON *entry_of(const cJSON *target, const char *list, pid_t pid)
{
    const cJSON *entry = NULL;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(target, list))
    {
        if ((pid_t)number(entry, "pid") == pid)
            return entry;
    }
    return NULL;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));

    return text ? text : "";
}

START_TEST(check_says_who_is_matched_and_why_others_are_not)
{
    cJSON *answer = NULL;
    const cJSON *other = NULL;

    ck_assert_int_eq(check("--json", "{ \"name\": \"oc-cfg-shop\", \"subject\": \"s:{name}\" },"
                                     "{ \"name\": \"oc-cfg-*\", \"min_size\": \"1GiB\" },"
                                     "{ \"name\": \"oc-cfg-s*\" }"),
                     0);
    answer = json();
    ck_assert_str_eq(text_of(entry_of(target_at(answer, 0), "processes", pids[0]), "subject"),
                     "s:oc-cfg-shop");
    ck_assert_ptr_null(entry_of(target_at(answer, 0), "processes", pids[1]));
    other = entry_of(target_at(answer, 1), "others", pids[1]);
    ck_assert_msg(holds(text_of(other, "why"), "not 1.0 GiB"), "%s", out);
    ck_assert_str_eq(text_of(target_at(answer, 1), "oddity"), "it matches nothing");
    ck_assert_ptr_nonnull(entry_of(target_at(answer, 2), "processes", pids[1]));
    other = entry_of(target_at(answer, 2), "others", pids[0]);
    ck_assert_msg(holds(text_of(other, "why"), "targets[0] stands before and takes it"), "%s", out);
    cJSON_Delete(answer);
}
END_TEST

START_TEST(check_completes_a_name_that_the_kernel_cut)
{
    cJSON *answer = NULL;

    ck_assert_int_eq(check("--json", "{ \"name\": \"oc-cfg-a-name-that-is-cut\" },"
                                     "{ \"name\": \"oc-cfg-a-name-that-is-not\" }"),
                     0);
    answer = json();
    ck_assert_ptr_nonnull(entry_of(target_at(answer, 0), "processes", pids[2]));
    ck_assert_ptr_null(entry_of(target_at(answer, 1), "processes", pids[2]));
    cJSON_Delete(answer);
}
END_TEST

START_TEST(check_reads_for_people_too)
{
    ck_assert_int_eq(check("", "{ \"target\": \"shop\", \"exe\": \"*/oc-cfg-shop\" },"
                               "{ \"name\": \"oc-cfg-shpo\" }, { \"name\": \"*\" },"
                               "{ \"name\": \"x\" }"),
                     0);
    ck_assert_msg(holds(out, "c.json: no mistakes"), "%s", out);
    ck_assert_msg(holds(out, "shop (") && holds(out, "c.json:2): 1 process\n"), "%s", out);
    ck_assert_msg(holds(out, "there is a process called oc-cfg-shop"), "%s", out);
    ck_assert_msg(holds(out, "can never match: targets[2] stands before it"), "%s", out);
}
END_TEST

/* A pidfile with these bytes, and what is said of it. */
static void check_pidfile(const char *bytes, const char *says)
{
    char line[512], targets[256];
    cJSON *answer = NULL;

    (void)snprintf(line, sizeof(line), "printf '%s' > %s/x.pid", bytes, folder);
    ck_assert_int_eq(run(line), 0);
    (void)snprintf(targets, sizeof(targets), "{ \"pidfile\": \"%s/x.pid\" }", folder);
    ck_assert_int_eq(check("--json", targets), 0);
    answer = json();
    if (says)
        ck_assert_msg(holds(text_of(target_at(answer, 0), "oddity"), says), "%s", out);
    else
        ck_assert_ptr_nonnull(entry_of(target_at(answer, 0), "processes", pids[0]));
    cJSON_Delete(answer);
}

START_TEST(check_finds_out_pidfiles_that_lie)
{
    char right[32];

    (void)snprintf(right, sizeof(right), "%d\\n", (int)pids[0]);
    check_pidfile(right, NULL);
    check_pidfile("", "holds no process id");
    check_pidfile("0", "holds no process id");
    check_pidfile("java", "holds no process id");
    check_pidfile("99999999999999999999", "holds no process id");
    check_pidfile("4194305", "no process has that");
}
END_TEST

START_TEST(check_knows_pods_below_a_root)
{
    cJSON *answer = NULL;

    ck_assert_int_eq(check("--json --root " OC_TEST_DATA "/linux-6.1-kubernetes",
                           "{ \"namespace\": \"shop\" }, { \"unit\": \"kubelet\" }"),
                     0);
    answer = json();
    ck_assert_str_eq(text_of(entry_of(target_at(answer, 0), "processes", 4242), "subject"),
                     "k8s:shop/web/web");
    ck_assert_str_eq(text_of(entry_of(target_at(answer, 0), "processes", 4100), "subject"),
                     "k8s:shop/web");
    ck_assert_str_eq(text_of(entry_of(target_at(answer, 1), "processes", 900), "subject"),
                     "unit:kubelet.service");
    cJSON_Delete(answer);
}
END_TEST

START_TEST(a_mistake_is_told_with_its_place)
{
    cJSON *answer = NULL;

    ck_assert_int_eq(check("", "  { \"nmae\": \"x\" }"), 1);
    ck_assert_msg(holds(err, "c.json:2:5: no key of a target is called \"nmae\"; did you mean "
                             "\"name\"?"),
                  "%s", err);
    ck_assert_int_eq(check("--json", "  { \"nmae\": \"x\" }"), 1);
    answer = json();
    ck_assert_int_eq((int)number(answer, "line"), 2);
    ck_assert_int_eq((int)number(answer, "column"), 5);
    cJSON_Delete(answer);
    ck_assert_int_eq(run("$O config shwo"), 2);
    ck_assert_msg(holds(err, "did you mean 'show'?"), "%s", err);
    ck_assert_int_eq(run("$O config check /nonexistent/x.json"), 1);
    ck_assert_msg(holds(err, "/nonexistent/x.json"), "%s", err);
}
END_TEST

/* A rule that no target's subject could meet, and a token in the file, which is in no answer. */
START_TEST(check_warns_and_show_hides_secrets)
{
    char line[400];

    ck_assert_int_eq(check("", "{ \"unit\": \"shop.service\" } ],\n"
                               "\"rules\": [ { \"name\": \"A\", \"kind\": \"oom_kill\", "
                               "\"subjects\": \"unit:shpo*\" } ],\n"
                               "\"receivers\": [ { \"name\": \"w\", \"type\": \"webhook\", "
                               "\"url\": \"https://x\", \"bearer\": \"s3cr3t\" }"),
                     0);
    ck_assert_ptr_nonnull(strstr(out, "the rule A can never match"));
    ck_assert_ptr_nonnull(strstr(out, "stands in the config itself"));
    ck_assert_ptr_null(strstr(out, "s3cr3t"));
    for (int i = 0; i < 2; i++) {
        (void)snprintf(line, sizeof(line), "$O config show %s %s/c.json", i ? "--json" : "",
                       folder);
        ck_assert_int_eq(run(line), 0);
        ck_assert_ptr_nonnull(strstr(out, "\"bearer\": \"(hidden)\""));
        ck_assert_ptr_nonnull(strstr(out, "MemoryLimitForecast"));
        ck_assert_ptr_null(strstr(out, "s3cr3t"));
    }
}
END_TEST

START_TEST(init_writes_once_and_show_loads)
{
    char line[1024];

    (void)snprintf(
        line, sizeof(line),
        "cd %s && $O config init sub/o.json && $O config check sub/o.json && cp sub/o.json "
        "before && ! $O config init sub/o.json && cmp before sub/o.json && "
        "mkdir sub/conf.d && echo '{ \"interval\": \"3s\" }' > sub/conf.d/a.json && "
        "$O config show sub/o.json > shown && $O config show shown > again && "
        "grep '3s.*conf.d/a.json:1' shown && grep -c again: again; $O config init - "
        "| cmp - before",
        folder);
    ck_assert_msg(run(line) == 0, "%s %s", out, err);
    ck_assert_msg(holds(err, "stays as it is"), "%s", err);
    ck_assert_msg(holds(out, "conf.d/a.json:1"), "%s", out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_config");
    TCase *tcase = tcase_create("cli_config");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_set_timeout(tcase, 0);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, check_says_who_is_matched_and_why_others_are_not);
    tcase_add_test(tcase, check_completes_a_name_that_the_kernel_cut);
    tcase_add_test(tcase, check_reads_for_people_too);
    tcase_add_test(tcase, check_finds_out_pidfiles_that_lie);
    tcase_add_test(tcase, check_knows_pods_below_a_root);
    tcase_add_test(tcase, a_mistake_is_told_with_its_place);
    tcase_add_test(tcase, check_warns_and_show_hides_secrets);
    tcase_add_test(tcase, init_writes_once_and_show_loads);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
