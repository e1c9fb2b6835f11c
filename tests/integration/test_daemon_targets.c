/* The real daemon and real processes: chosen by targets, summed, walked, limited, kept by a reload. */
#include "base/census.h"
#include "base/limit.h"
#include "storage/reader.h"
#include "tests/integration/daemon_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 2000
#define WAIT_MS 20000
#define MAX_CHILDREN 16
#define POLL_US 20000
#define FAST "\"interval\": \"100ms\", \"discovery_interval\": \"1s\", \"batch\": \"100ms\", "

static struct daemon_run run;
static pid_t children[MAX_CHILDREN];
static size_t child_count;

static void setup(void)
{
    child_count = 0;
    run_setup(&run);
}

static void teardown(void)
{
    for (size_t i = 0; i < child_count; i++)
        stop(children[i], SIGKILL);
    run_teardown(&run);
}

/* A name that no other run of this test has: "tPID" and a letter; the kernel cuts at 15 bytes. */
static const char *name_of(char letter)
{
    static char names[26][16];
    char *name = names[letter - 'a'];

    (void)snprintf(name, sizeof(names[0]), "t%lx%c", (long)getpid(), letter);
    return name;
}

static pid_t start_words(const char *const *argv)
{
    pid_t pid = start_ready((char **)(uintptr_t)argv);

    ck_assert_int_gt(pid, 0);
    ck_assert_uint_lt(child_count, MAX_CHILDREN);
    children[child_count++] = pid;
    return pid;
}

static pid_t start_leaker(const char *kind, const char *name, const char *option,
                          const char *amount)
{
    return start_words((const char *[]){ getenv("OC_LEAKER"), kind, "--name", name, "--for", "60",
                                         option, amount, NULL });
}

__attribute__((format(printf, 1, 2))) static void write_config(const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    run_write_config(&run, text);
}

static void start_daemon(void)
{
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
}

static void wait_matches(const char *target, int count)
{
    char text[100];

    (void)snprintf(text, sizeof(text), "\"name\":\"%s\",\"matches\":%d,", target, count);
    run_wait_text(&run, text);
}

static void reload_well(void)
{
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"reload\"}"), 0);
    ck_assert_msg(strstr(run.answer, "\"ok\":true") != NULL, "%s", run.answer);
}

/* ---- what the store says ---- */

static oc_reader *open_reader(void)
{
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/oomcast.db", run.dir);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == OC_OK, "%s", detail.text);
    return reader;
}

struct lives {
    unsigned count, processes, sums, running;
    uint32_t source, pid; /* of the last process */
    uint32_t sum;         /* of the last sum */
};

static int on_life(const struct oc_life_row *row, void *context)
{
    struct lives *lives = context;

    lives->count++;
    lives->running += row->end == OC_END_RUNNING;
    if (row->kind == OC_SOURCE_GROUP) {
        lives->sums++;
        lives->sum = row->source;
    } else if (row->kind == OC_SOURCE_PROCESS) {
        lives->processes++;
        lives->source = row->source;
        lives->pid = row->facts.id.pid;
    }
    return 0;
}

static struct lives look(const char *subject)
{
    struct oc_life_filter filter = { .subject = subject, .until_unix_ms = INT64_MAX };
    struct lives lives = { 0 };
    oc_reader *reader = open_reader();

    ck_assert_int_ge(oc_reader_lives(reader, &filter, on_life, &lives), 0);
    oc_reader_close(reader);
    return lives;
}

/* ---- selectors ---- */

START_TEST(each_selector_chooses_its_process)
{
    pid_t pids[4];
    char path[512];
    FILE *file = NULL;

    pids[0] = start_leaker("idle", name_of('a'), "--base", "3333333");
    pids[1] = start_leaker("idle", name_of('b'), "--base", "2M");
    pids[2] = start_leaker("idle", name_of('c'), "--base", "2M");
    pids[3] = start_leaker("idle", name_of('d'), "--base", "2M");
    (void)snprintf(path, sizeof(path), "%s/c.pid", run.dir);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(fprintf(file, "  %ld\n", (long)pids[2]), 0);
    ck_assert_int_eq(fclose(file), 0);
    write_config("{ " FAST "\"targets\": [\n"
                 "{ \"target\": \"cmdline\", \"cmdline_regex\": \"--name (%s) .*--base 33+\","
                 "  \"subject\": \"app:{1}\" },\n"
                 "{ \"target\": \"exe\", \"name\": \"%s\", \"exe\": \"*/leaker\" },\n"
                 "{ \"target\": \"pidfile\", \"pidfile\": \"%s\" },\n"
                 "{ \"target\": \"user\", \"name\": \"%s\", \"user\": \"%u\" } ] }",
                 name_of('a'), name_of('b'), path, name_of('d'), (unsigned)getuid());
    start_daemon();
    wait_matches("cmdline", 1);
    wait_matches("exe", 1);
    wait_matches("pidfile", 1);
    wait_matches("user", 1);
    ck_assert_int_eq(run_number(&run, "processes"), 4);
    run_wait_number(&run, "samples", 40);
    run_stop(&run, STOP_MS);
    (void)snprintf(path, sizeof(path), "app:%s", name_of('a'));
    ck_assert_int_eq((pid_t)look(path).pid, pids[0]);
    (void)snprintf(path, sizeof(path), "proc:%s", name_of('c'));
    ck_assert_int_eq((pid_t)look(path).pid, pids[2]);
}
END_TEST

/* A FIFO would hang who opens it, a huge file fill the memory; a number may be nobody's. */
START_TEST(pidfiles_that_lie_harm_nobody)
{
    char path[512], text[40];
    pid_t pid = start_leaker("idle", name_of('a'), "--base", "2M");
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s/fifo", run.dir);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    (void)snprintf(path, sizeof(path), "%s/huge", run.dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, 1 << 30), 0);
    (void)close(fd);
    (void)snprintf(path, sizeof(path), "%s/dead", run.dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, "4194303\n", 8), 8);
    (void)close(fd);
    write_config("{ " FAST "\"targets\": [ { \"target\": \"t\", \"pidfile\": [ \"%s/fifo\", "
                 "\"%s/huge\", \"%s/dead\", \"%s/none\", \"%s/later\" ] } ] }",
                 run.dir, run.dir, run.dir, run.dir, run.dir);
    start_daemon();
    run_wait_number(&run, "scans", 3);
    wait_matches("t", 0);
    (void)snprintf(path, sizeof(path), "%s/later", run.dir); /* as a service that started late */
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    (void)snprintf(text, sizeof(text), "%ld", (long)pid);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    wait_matches("t", 1);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(one_that_grows_to_the_size_is_found_then)
{
    write_config("{ " FAST
                 "\"targets\": [ { \"target\": \"large\", \"name\": \"%s\", \"min_size\": "
                 "\"24MiB\", \"exe\": \"*/leaker\" } ] }",
                 name_of('a'));
    start_daemon();
    (void)start_leaker("idle", name_of('a'), "--base", "2M");
    run_wait_number(&run, "scans", 4);
    ck_assert_int_eq(run_number(&run, "processes"), 0);
    (void)start_leaker("line", name_of('a'), "--rate", "16M");
    wait_matches("large", 1); /* the other stays small */
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(an_ignored_one_is_not_watched)
{
    (void)start_leaker("idle", name_of('a'), "--base", "2222222");
    (void)start_leaker("idle", name_of('a'), "--base", "3333333");
    write_config("{ " FAST "\"targets\": [ { \"target\": \"no\", \"cmdline_regex\": \"--name %s .* "
                 "22+\", \"ignore\": true }, { \"target\": \"yes\", \"name\": \"%s\" } ] }",
                 name_of('a'), name_of('a'));
    start_daemon();
    wait_matches("yes", 1);
    run_wait_number(&run, "scans", 4);
    ck_assert_int_eq(run_number(&run, "processes"), 1);
    ck_assert_ptr_nonnull(strstr(run.answer, "\"ignore\":true"));
    run_stop(&run, STOP_MS);
}
END_TEST

/* ---- children and sums ---- */

static int on_latest(const struct oc_latest_row *row, void *context)
{
    struct oc_sample *out = context;

    if (row->kind == OC_SOURCE_GROUP)
        *out = *row->sample;
    return 0;
}

START_TEST(children_are_folded_into_one_subject_with_sums)
{
    char script[1200];
    oc_reader *reader = NULL;
    struct oc_sample sum = { 0 };
    struct lives lives;

    (void)snprintf(script, sizeof(script),
                   "%s idle --base 8M --for 60 --name %s >/dev/null & %s idle --base 8M --for 60 "
                   "--name %s >/dev/null & "
                   "echo ready; wait",
                   getenv("OC_LEAKER"), name_of('a'), getenv("OC_LEAKER"), name_of('b'));
    write_config(
        "{ " FAST "\"targets\": [ { \"target\": \"fold\", \"cmdline_regex\": \"echo "
        "ready; wait\", \"name\": \"sh\", \"children\": \"fold\", \"subject\": \"app:%s\" } "
        "] }",
        name_of('c'));
    (void)start_words((const char *[]){ "/bin/sh", "-c", script, NULL });
    start_daemon();
    wait_matches("fold", 3);
    ck_assert_int_eq(run_number(&run, "summed"), 1);
    ck_assert_int_eq(run_number(&run, "subjects"), 1);
    run_wait_number(&run, "samples", 100);
    reader = open_reader();
    ck_assert_int_ge(oc_reader_latest(reader, on_latest, &sum), 0);
    oc_reader_close(reader);
    ck_assert_int_eq(oc_sample_get(&sum, OC_METRIC_PROCESSES), 3);
    ck_assert(oc_sample_has(&sum, OC_METRIC_PRIVATE));
    ck_assert_int_ge(oc_sample_get(&sum, OC_METRIC_PRIVATE), 16 << 20);
    ck_assert(!oc_sample_has(&sum, OC_METRIC_RSS));
    run_stop(&run, STOP_MS);
    (void)snprintf(script, sizeof(script), "app:%s", name_of('c'));
    lives = look(script);
    ck_assert_uint_eq(lives.processes, 3);
    ck_assert_uint_eq(lives.sums, 1);
}
END_TEST

/* ---- reload ---- */

#define ONE_TARGET                                                                                 \
    "{ " FAST "\"targets\": [ { \"target\": \"one\", \"cmdline_regex\": \"--name %s\","            \
    " \"subject\": \"%s\" } ] }"

START_TEST(a_reload_keeps_the_life_of_what_did_not_change)
{
    struct lives lives;
    uint32_t source = 0;

    (void)start_leaker("idle", name_of('a'), "--base", "2M");
    write_config(ONE_TARGET, name_of('a'), "app:one");
    start_daemon();
    wait_matches("one", 1);
    run_wait_number(&run, "samples", 20);
    source = look("app:one").source;
    write_config("{ " FAST "\"labels\": { \"site\": \"b1\" }, \"targets\": [ { \"target\": "
                 "\"first\", \"name\": \"%s\" }, { \"target\": \"one\", \"cmdline_regex\": "
                 "\"--name %s\", \"subject\": \"app:one\" } ] }",
                 name_of('b'), name_of('a'));
    reload_well();
    wait_matches("one", 1);
    run_wait_number(&run, "looked_into", 2);
    run_wait_number(&run, "samples", 60);
    lives = look("app:one");
    ck_assert_uint_eq(lives.processes, 1);
    ck_assert_uint_eq(lives.source, source);
    ck_assert_uint_eq(lives.running, 1);
    write_config(ONE_TARGET, name_of('a'), "app:two");
    reload_well();
    run_wait_text(&run, "\"subject\":\"app:two\"");
    run_stop(&run, STOP_MS);
    lives = look("app:one");
    ck_assert_uint_eq(lives.processes, 1);
    ck_assert_uint_eq(lives.running, 0);
    ck_assert_uint_eq(look("app:two").running, 1);
}
END_TEST

START_TEST(a_bad_file_keeps_the_old_and_says_where)
{
    char folder[200], path[512];
    FILE *file = NULL;

    (void)start_leaker("idle", name_of('a'), "--base", "2M");
    write_config(ONE_TARGET, name_of('a'), "app:one");
    start_daemon();
    wait_matches("one", 1);
    (void)snprintf(folder, sizeof(folder), "%s/conf.d", run.dir);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/10-bad.json", folder);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs("{ \"targets\": [\n  { \"nam\": \"x\" } ] }\n", file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"reload\"}"), 0);
    ck_assert_ptr_nonnull(strstr(run.answer, "\"ok\":false"));
    ck_assert_ptr_nonnull(strstr(run.answer, "10-bad.json:2:"));
    wait_matches("one", 1);
    ck_assert_int_eq(run_number(&run, "error_line"), 2);
    ck_assert_int_eq(run_number(&run, "processes"), 1);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(fprintf(file, "{ \"targets\": [ { \"target\": \"two\", \"name\": \"%s\" } ] }",
                             name_of('b')),
                     0);
    ck_assert_int_eq(fclose(file), 0);
    reload_well();
    wait_matches("two", 0);
    ck_assert_ptr_nonnull(strstr(run.answer, "10-bad.json"));
    ck_assert_int_eq(run_number(&run, "error_line"), -1);
    run_stop(&run, STOP_MS);
}
END_TEST

/* ---- limits and walks ---- */

struct limits {
    unsigned spans;
    uint64_t last;
};

static int on_limit(const struct oc_limit_span *span, void *context)
{
    struct limits *limits = context;

    if (span->limit->kind == OC_LIMIT_RLIMIT_AS) {
        limits->spans++;
        limits->last = span->limit->value;
    }
    return 0;
}

static void wait_limit(uint32_t source, uint64_t value)
{
    int64_t deadline_ms = now_ms() + WAIT_MS;

    for (;;) {
        struct limits limits = { 0 };
        oc_reader *reader = open_reader();

        ck_assert_int_ge(oc_reader_limits(reader, source, 0, INT64_MAX, on_limit, &limits), 0);
        oc_reader_close(reader);
        if (limits.last == value)
            return;
        ck_assert_int_lt(now_ms(), deadline_ms);
        (void)run_ask(&run, "{\"cmd\":\"walk-now\"}");
        (void)usleep(POLL_US);
    }
}

START_TEST(a_limit_that_changes_is_recorded)
{
    struct rlimit limit = { .rlim_cur = (rlim_t)1 << 40, .rlim_max = (rlim_t)1 << 41 };
    pid_t pid = start_leaker("idle", name_of('a'), "--base", "2M");
    uint32_t source = 0;

    ck_assert_int_eq(prlimit(pid, RLIMIT_AS, &limit, NULL), 0);
    write_config(ONE_TARGET, name_of('a'), "app:one");
    start_daemon();
    wait_matches("one", 1);
    run_wait_number(&run, "stored", 1);
    source = look("app:one").source;
    wait_limit(source, (uint64_t)1 << 40);
    limit.rlim_cur = (rlim_t)1 << 39;
    ck_assert_int_eq(prlimit(pid, RLIMIT_AS, &limit, NULL), 0);
    wait_limit(source, (uint64_t)1 << 39);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(a_walk_is_recorded_at_birth_and_stays_after_the_end)
{
    struct oc_census census = { 0 };
    oc_reader *reader = NULL;
    pid_t pid = start_leaker("idle", name_of('a'), "--base", "32M");
    int64_t at_unix_ms = 0;
    uint32_t source = 0;

    write_config(ONE_TARGET, name_of('a'), "app:one");
    start_daemon();
    wait_matches("one", 1);
    run_wait_number(&run, "stored", 1);
    source = look("app:one").source;
    stop(pid, SIGKILL);
    wait_matches("one", 0);
    run_stop(&run, STOP_MS);
    reader = open_reader();
    ck_assert_int_eq(oc_reader_census(reader, source, INT64_MAX, 1, &census, &at_unix_ms), OC_OK);
    oc_reader_close(reader);
    ck_assert_uint_ge(
        oc_census_sum_bytes(&census, OC_USAGE_COUNT, OC_REGION_PRIVATE, OC_REGION_STATES),
        32 << 20);
    ck_assert_uint_gt(census.module_count, 1);
    oc_census_clear(&census);
}
END_TEST

static unsigned count_mappings(pid_t pid)
{
    char path[40];
    unsigned lines = 0;
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    for (int c = 0; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    (void)fclose(file);
    return lines;
}

/* It is walked once, at birth, however much it grows within the next ten seconds; ticks go on. */
START_TEST(one_of_60000_mappings_keeps_its_budget)
{
    const char *argv[] = { getenv("OC_LEAKER"),
                           "mappings",
                           "--name",
                           name_of('a'),
                           "--for",
                           "60",
                           "--rate",
                           "20000",
                           "--max",
                           "64000",
                           NULL };
    pid_t pid = start_words(argv);
    int64_t deadline_ms = now_ms() + WAIT_MS, cpu_us = 0, uptime_ms = 0;

    while (count_mappings(pid) < 55000) {
        ck_assert_int_lt(now_ms(), deadline_ms);
        (void)usleep(POLL_US);
    }
    write_config("{ " FAST
                 "\"walk_interval\": \"10s\", \"targets\": [ { \"target\": \"one\", \"name\": "
                 "\"%s\" } ] }",
                 name_of('a'));
    start_daemon();
    wait_matches("one", 1);
    run_wait_number(&run, "stored", 1);
    run_wait_number(&run, "uptime_ms", 4000);
    ck_assert_msg(strstr(run.answer, "\"walks\":{\"made\":1,") != NULL, "%s", run.answer);
    cpu_us = run_number(&run, "cpu_us");
    uptime_ms = run_number(&run, "uptime_ms");
    ck_assert_int_gt(cpu_us, 0);
    /* a hundred times its cost is the least until its next walk */
    ck_assert_msg(run_number(&run, "longest_interval_ms") >= cpu_us / 10 || cpu_us / 10 <= 10000,
                  "%" PRId64 " us in %" PRId64 " ms: %s", cpu_us, uptime_ms, run.answer);
    ck_assert_int_ge(run_number(&run, "samples"), 40);
    ck_assert_int_eq(run_number(&run, "lost_samples"), 0);
    run_stop(&run, STOP_MS);
}
END_TEST

/* ---- targets that do not hold still ---- */

static _Noreturn void map_and_unmap(const char *name)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, name);
    for (;;) {
        void *memory =
            mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory != MAP_FAILED)
            (void)munmap(memory, 1 << 20);
    }
}

START_TEST(one_that_maps_without_pause_is_walked_and_ticks_go_on)
{
    const char *name = name_of('a'); /* of this process */
    pid_t pid = fork();

    if (pid == 0)
        map_and_unmap(name);
    ck_assert_int_gt(pid, 0);
    children[child_count++] = pid;
    write_config("{ " FAST "\"targets\": [ { \"target\": \"one\", \"name\": \"%s\" } ] }",
                 name_of('a'));
    start_daemon();
    wait_matches("one", 1);
    run_wait_number(&run, "stored", 1);
    run_wait_number(&run, "samples", 60);
    ck_assert_int_eq(run_number(&run, "lost_samples"), 0);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(one_that_is_stopped_is_walked_and_ticks_go_on)
{
    pid_t pid = start_leaker("idle", name_of('a'), "--base", "2M");

    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    write_config(ONE_TARGET, name_of('a'), "app:one");
    start_daemon();
    wait_matches("one", 1);
    run_wait_number(&run, "stored", 1);
    run_wait_number(&run, "samples", 60);
    ck_assert_int_eq(run_number(&run, "lost_samples"), 0);
    run_stop(&run, STOP_MS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("targets");
    TCase *tcase = tcase_create("targets");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_selector_chooses_its_process);
    tcase_add_test(tcase, pidfiles_that_lie_harm_nobody);
    tcase_add_test(tcase, one_that_grows_to_the_size_is_found_then);
    tcase_add_test(tcase, an_ignored_one_is_not_watched);
    tcase_add_test(tcase, children_are_folded_into_one_subject_with_sums);
    tcase_add_test(tcase, a_reload_keeps_the_life_of_what_did_not_change);
    tcase_add_test(tcase, a_bad_file_keeps_the_old_and_says_where);
    tcase_add_test(tcase, a_limit_that_changes_is_recorded);
    tcase_add_test(tcase, a_walk_is_recorded_at_birth_and_stays_after_the_end);
    tcase_add_test(tcase, one_of_60000_mappings_keeps_its_budget);
    tcase_add_test(tcase, one_that_maps_without_pause_is_walked_and_ticks_go_on);
    tcase_add_test(tcase, one_that_is_stopped_is_walked_and_ticks_go_on);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
