/*
 * The whole way of a sample: processes that grow in a known way, the real daemon, the file, the
 * reader. One daemon watches all of them for some seconds; each test looks at one series.
 */
#include "base/metric.h"
#include "storage/reader.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (INT64_C(1) << 20)
#define WATCH_MS 5000
#define FIRST_ACK_DEADLINE_MS 30000
#define STOP_DEADLINE_MS 10000
#define MAX_POINTS 1000
#define MAX_ARGS 12

/* What is watched. The first word is replaced by the leaker's path; the others are looked for in PATH. */
enum watched {
    LINE,
    STEP,
    SAWTOOTH,
    PLATEAU,
    MEMFD,
    MAPPINGS,
    THREADS,
    FDS,
    IDLE,
    HOSTILE_NAME,
    EXITS,
    KILLED,
    NODE,
    JAVA,
    WATCHED_COUNT
};

static char *commands[WATCHED_COUNT][MAX_ARGS] = {
    [LINE] = { "leaker", "line", "--rate", "4M" },
    [STEP] = { "leaker", "step", "--rate", "4M", "--period", "2000" },
    [SAWTOOTH] = { "leaker", "sawtooth", "--rate", "8M", "--period", "1500" },
    [PLATEAU] = { "leaker", "plateau", "--rate", "16M", "--max", "16M" },
    [MEMFD] = { "leaker", "memfd", "--rate", "4M" },
    [MAPPINGS] = { "leaker", "mappings", "--rate", "200" },
    [THREADS] = { "leaker", "threads", "--rate", "20" },
    [FDS] = { "leaker", "fds", "--rate", "20" },
    [IDLE] = { "leaker", "idle", "--base", "3M" },
    [HOSTILE_NAME] = { "leaker", "idle", "--name", "a) R (\n\033[2Jb" },
    [EXITS] = { "leaker", "idle", "--for", "3", "--exit", "3" },
    [KILLED] = { "leaker", "idle" },
    [NODE] = { "/usr/bin/node", "-e", "console.log('ready'); setTimeout(() => {}, 60000)" },
    [JAVA] = { "/usr/bin/java", "-Xmx64m", "-XX:+UseSerialGC", NULL /* its source file */ },
};

static pid_t pids[WATCHED_COUNT];
static struct {
    const char *leaker, *oomcastd;
} programs;
static char dir[128], store[160];
static oc_reader *reader;

/* ---- the run ---- */

/* A JVM to look at: java compiles a single file by itself where it is a JDK. */
static void write_java(void)
{
    static char path[160];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/Sleeper.java", dir);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs("public class Sleeper { public static void main(String[] a) throws Exception {\n"
          "System.out.println(\"ready\"); Thread.sleep(60000); } }\n",
          file);
    ck_assert_int_eq(fclose(file), 0);
    commands[JAVA][3] = path;
}

static void start_watched(const char *leaker, const char *pid_file)
{
    FILE *file = fopen(pid_file, "we");

    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < WATCHED_COUNT; i++) {
        const int is_leaker = strcmp(commands[i][0], "leaker") == 0;

        if (is_leaker)
            commands[i][0] = (char *)(uintptr_t)leaker;
        if (access(commands[i][0], X_OK) == 0)
            pids[i] = start_ready(commands[i]);
        ck_assert_msg(!is_leaker || pids[i] > 0, "%s %s", leaker, commands[i][1]);
        if (pids[i] > 0)
            fprintf(file, "%ld\n", (long)pids[i]);
    }
    ck_assert_int_eq(fclose(file), 0);
}

static void watch(const char *oomcastd, const char *pid_file)
{
    static struct acks acks;
    char ack_text[16] = "";
    char *argv[] = { (char *)(uintptr_t)oomcastd,
                     "--foreground",
                     "--pids-from",
                     (char *)(uintptr_t)pid_file,
                     "--interval",
                     "100ms",
                     "--data",
                     dir,
                     "--ack-fd",
                     ack_text,
                     NULL };
    int ends[2], status = 0;
    pid_t pid = 0;

    (void)snprintf(ack_text, sizeof(ack_text), "%d", ACK_FD);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    acks_from(&acks, ends[0]);
    pid = start(argv, ends[1], ACK_FD);
    (void)close(ends[1]);
    ck_assert_int_eq(acks_first(&acks, now_ms() + FIRST_ACK_DEADLINE_MS), 0);
    stop(pids[KILLED], SIGKILL);
    ck_assert_int_eq(acks_until(&acks, now_ms() + WATCH_MS), 0);
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(wait_end(pid, now_ms() + STOP_DEADLINE_MS, &status), 0);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it stops cleanly");
    (void)close(ends[0]);
    acks_clear(&acks);
}

static void set_up(void)
{
    char pid_file[160] = "";
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(make_folder("oomcast-growth", dir, sizeof(dir)), 0);
    (void)snprintf(pid_file, sizeof(pid_file), "%s/pids", dir);
    (void)snprintf(store, sizeof(store), "%s/oomcast.db", dir);
    write_java();
    start_watched(programs.leaker, pid_file);
    watch(programs.oomcastd, pid_file);
    ck_assert_msg(oc_reader_open(store, &reader, &detail) == 0, "%s", detail.text);
}

static void tear_down(void)
{
    oc_reader_close(reader);
    for (size_t i = 0; i < WATCHED_COUNT; i++) {
        if (i != KILLED)
            stop(pids[i], SIGKILL);
    }
    remove_folder(dir);
}

/* ---- what the store says of one ---- */

struct life {
    uint32_t source;
    enum oc_end end;
    int status;
    char name[64];
    int found;
};

static int take_life(const struct oc_life_row *row, void *context)
{
    struct life *life = context;

    life->source = row->source;
    life->end = row->end;
    life->status = row->status;
    (void)snprintf(life->name, sizeof(life->name), "%s", row->facts.name);
    life->found++;
    return 0;
}

static struct life life_of(enum watched which)
{
    const struct oc_life_filter filter = { .pid = (uint32_t)pids[which],
                                           .processes_only = 1,
                                           .until_unix_ms = INT64_MAX };
    struct life life = { 0 };

    ck_assert_int_ge(oc_reader_lives(reader, &filter, take_life, &life), 0);
    ck_assert_msg(life.found == 1, "%d lives of pid %ld", life.found, (long)pids[which]);
    return life;
}

struct series {
    int64_t values[MAX_POINTS], times[MAX_POINTS];
    size_t count;
};

static int take_point(const struct oc_point *point, void *context)
{
    struct series *series = context;

    series->times[series->count] = point->t_unix_ms;
    series->values[series->count++] = point->last;
    return series->count == MAX_POINTS;
}

/* 0 points: the figure is unknown here. */
static size_t series_if_known(enum watched which, enum oc_metric metric, struct series *out_series)
{
    const struct oc_range range = { .until_unix_ms = INT64_MAX,
                                    .metric = metric,
                                    .precision = OC_PRECISE_EXACT };

    out_series->count = 0;
    ck_assert_int_ge(oc_reader_range(reader, life_of(which).source, &range, take_point, out_series),
                     0);
    return out_series->count;
}

static void series_of(enum watched which, enum oc_metric metric, struct series *out_series)
{
    ck_assert_msg(series_if_known(which, metric, out_series) > 1, "no samples");
}

static int64_t growth(const struct series *series)
{
    return series->values[series->count - 1] - series->values[0];
}

static int64_t per_second(const struct series *series)
{
    return growth(series) * 1000 / (series->times[series->count - 1] - series->times[0]);
}

static size_t changes(const struct series *series, int sign)
{
    size_t count = 0;

    for (size_t i = 1; i < series->count; i++) {
        if ((series->values[i] - series->values[i - 1]) * sign > 0)
            count++;
    }
    return count;
}

static void assert_about(int64_t value, int64_t wanted)
{
    ck_assert_msg(value > wanted * 7 / 10 && value < wanted * 13 / 10, "%lld is not about %lld",
                  (long long)value, (long long)wanted);
}

/* ---- the tests ---- */

START_TEST(line_grows_at_its_rate)
{
    struct series series;

    series_of(LINE, OC_METRIC_PRIVATE, &series);
    assert_about(per_second(&series), 4 * MIB);
    ck_assert_uint_eq(changes(&series, -1), 0);
    series_of(LINE, OC_METRIC_RSS, &series);
    assert_about(per_second(&series), 4 * MIB);
}
END_TEST

START_TEST(step_grows_at_once)
{
    struct series series;

    series_of(STEP, OC_METRIC_PRIVATE, &series);
    ck_assert_int_ge(growth(&series), 8 * MIB);
    ck_assert_uint_le(changes(&series, 1),
                      2 * (WATCH_MS / 2000 + 2)); /* a look may fall into a step */
}
END_TEST

START_TEST(sawtooth_falls)
{
    struct series series;

    series_of(SAWTOOTH, OC_METRIC_PRIVATE, &series);
    ck_assert_uint_ge(changes(&series, -1), 2);
    ck_assert_uint_ge(changes(&series, 1), 10);
    ck_assert_int_lt(growth(&series), 13 * MIB);
}
END_TEST

START_TEST(plateau_ends_flat)
{
    struct series series;

    series_of(PLATEAU, OC_METRIC_PRIVATE, &series);
    assert_about(series.values[series.count - 1], 16 * MIB);
    for (size_t i = series.count * 2 / 3; i < series.count; i++)
        ck_assert_int_eq(series.values[i], series.values[series.count - 1]);
}
END_TEST

START_TEST(memfd_is_shared_and_not_private)
{
    struct series series;

    series_of(MEMFD, OC_METRIC_RSS_SHMEM, &series);
    assert_about(per_second(&series), 4 * MIB);
    series_of(MEMFD, OC_METRIC_PRIVATE, &series);
    ck_assert_int_lt(growth(&series), MIB);
}
END_TEST

START_TEST(mappings_grow_the_virtual_size)
{
    struct series series;

    series_of(MAPPINGS, OC_METRIC_VIRTUAL, &series);
    assert_about(per_second(&series), 200 * 65536);
}
END_TEST

START_TEST(threads_are_counted)
{
    struct series series;

    series_of(THREADS, OC_METRIC_THREADS, &series);
    assert_about(per_second(&series), 20);
}
END_TEST

START_TEST(descriptors_are_counted)
{
    struct series series;

    if (series_if_known(FDS, OC_METRIC_FDS, &series) < 2) {
        printf("SKIP descriptors_are_counted: this kernel tells them to walks alone (6.2 on)\n");
        return;
    }
    /* Opening one moves no memory: only every few looks are they counted anew. */
    ck_assert_int_gt(growth(&series), 20 * WATCH_MS / 1000 / 3);
    ck_assert_int_lt(per_second(&series), 26);
    ck_assert_uint_eq(changes(&series, -1), 0);
}
END_TEST

START_TEST(idle_stays_as_it_is_and_is_sampled_all_the_same)
{
    struct series series;

    series_of(IDLE, OC_METRIC_PRIVATE, &series);
    ck_assert_int_eq(growth(&series), 0);
    ck_assert_int_ge(series.values[0], 3 * MIB);
    ck_assert_uint_ge(series.count, WATCH_MS / 100 * 8 / 10);
    for (size_t i = 1; i < series.count; i++)
        ck_assert_int_gt(series.times[i], series.times[i - 1]);
}
END_TEST

START_TEST(hostile_name_is_kept_whole)
{
    ck_assert_str_eq(life_of(HOSTILE_NAME).name, "a) R (\n\033[2Jb");
}
END_TEST

/* How a process ended that is no child of the watcher: 6.18 says, older kernels by the connector, if at all. */
static int told(const struct life *life, const char *test)
{
    ck_assert_int_ne(life->end, OC_END_RUNNING);
    if (life->end != OC_END_UNKNOWN)
        return 1;
    printf("SKIP %s: this kernel does not tell how a process ended\n", test);
    return 0;
}

START_TEST(exit_status_is_told)
{
    const struct life life = life_of(EXITS);

    if (!told(&life, "exit_status_is_told"))
        return;
    ck_assert_int_eq(life.end, OC_END_EXITED);
    ck_assert_int_eq(life.status, 3);
}
END_TEST

START_TEST(killing_signal_is_told)
{
    const struct life life = life_of(KILLED);

    if (!told(&life, "killing_signal_is_told"))
        return;
    ck_assert_int_eq(life.end, OC_END_SIGNALED);
    ck_assert_int_eq(life.status, SIGKILL);
}
END_TEST

/* Other people's programs: whatever they do, there are figures of the right size. */
static void runtime_is_watched(enum watched which, const char *test)
{
    struct series series;

    if (pids[which] <= 0) {
        printf("SKIP %s: %s does not run here\n", test, commands[which][0]);
        return;
    }
    series_of(which, OC_METRIC_PRIVATE, &series);
    ck_assert_int_gt(series.values[series.count - 1], 5 * MIB);
    series_of(which, OC_METRIC_THREADS, &series);
    ck_assert_int_gt(series.values[series.count - 1], 2);
}

START_TEST(node_is_watched) { runtime_is_watched(NODE, "node_is_watched"); }
END_TEST

START_TEST(jvm_is_watched) { runtime_is_watched(JAVA, "jvm_is_watched"); }
END_TEST

int main(void)
{
    Suite *suite = suite_create("growth");
    TCase *tests = tcase_create("growth");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    programs.leaker = getenv("OC_LEAKER");
    programs.oomcastd = getenv("OC_OOMCASTD");
    if (!programs.leaker || !programs.oomcastd) {
        fprintf(stderr, "OC_LEAKER and OC_OOMCASTD are to name the programs\n");
        return 2;
    }
    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, line_grows_at_its_rate);
    tcase_add_test(tests, step_grows_at_once);
    tcase_add_test(tests, sawtooth_falls);
    tcase_add_test(tests, plateau_ends_flat);
    tcase_add_test(tests, memfd_is_shared_and_not_private);
    tcase_add_test(tests, mappings_grow_the_virtual_size);
    tcase_add_test(tests, threads_are_counted);
    tcase_add_test(tests, descriptors_are_counted);
    tcase_add_test(tests, idle_stays_as_it_is_and_is_sampled_all_the_same);
    tcase_add_test(tests, hostile_name_is_kept_whole);
    tcase_add_test(tests, exit_status_is_told);
    tcase_add_test(tests, killing_signal_is_told);
    tcase_add_test(tests, node_is_watched);
    tcase_add_test(tests, jvm_is_watched);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
