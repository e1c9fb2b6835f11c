/*
 * Processes that leak until a limit ends them, and others that only look like it: one daemon watches
 * all of them for more than a minute. What happened is taken from how they ended and from their samples;
 * what was said, from the store.
 */
#include "base/limit.h"
#include "base/metric.h"
#include "tests/integration/daemon_run.h"
#include "tests/integration/foretold.h"
#include "tests/integration/harness.h"
#include "tests/support/cgroup.h"

#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define WATCH_MS 72000       /* then all that meets its limit has */
#define WATCH_MORE_MS 115000 /* on a machine that is busy with other things */
#define STOP_MS 5000
#define POLL_US 20000
#define REFUSED "3" /* exit status of a leaker that was refused more */
#define MAX_CONFIG 8192
#define LIMIT_IN_BYTES ", \"limits\": { \"%s\": \"%" PRIu64 "B\" }"
#define LIMIT_IN_THINGS ", \"limits\": { \"%s\": %" PRIu64 " }"

/* How a limit is set, and so how who meets it ends. */
enum setter {
    BY_USER,   /* in the config: nothing happens */
    BY_RLIMIT, /* refused, and it ends by itself */
    BY_CGROUP  /* killed */
};

static struct watched {
    const char *name;
    const char *kind, *rate, *max, *period_ms; /* of the leaker; NULL: its default */
    enum setter setter;
    int resource; /* BY_RLIMIT */
    uint8_t limit_kind;
    uint16_t metric; /* what runs into the limit */
    uint64_t limit;
    int leaks;
    int is_sparse; /* too few samples in so short a life for an alarm; the intervals are to hold */
    unsigned life_ms; /* it is started again so often; 0: not */

    pid_t pid;
    int64_t born_ms;
    int over, status; /* how it ended, before it was stopped */
    struct live_cgroup cgroup;
} all[] = {
    { .name = "line",
      .kind = "line",
      .rate = "2M",
      .setter = BY_RLIMIT,
      .resource = RLIMIT_DATA,
      .limit_kind = OC_LIMIT_RLIMIT_DATA,
      .metric = OC_METRIC_COMMIT,
      .limit = 128 * MIB,
      .leaks = 1 },
    { .name = "step",
      .kind = "step",
      .rate = "1400K",
      .period_ms = "1500",
      .setter = BY_USER,
      .limit_kind = OC_LIMIT_USER,
      .metric = OC_METRIC_PRIVATE,
      .limit = 80 * MIB,
      .leaks = 1 },
    { .name = "ratchet",
      .kind = "ratchet",
      .rate = "5M",
      .period_ms = "2000",
      .setter = BY_CGROUP,
      .limit_kind = OC_LIMIT_CGROUP_MAX,
      .metric = OC_METRIC_CGROUP_CHARGE,
      .limit = 96 * MIB,
      .leaks = 1 },
    { .name = "maps",
      .kind = "mappings",
      .rate = "67",
      .setter = BY_RLIMIT,
      .resource = RLIMIT_AS,
      .limit_kind = OC_LIMIT_RLIMIT_AS,
      .metric = OC_METRIC_VIRTUAL,
      .limit = 270 * MIB,
      .leaks = 1 },
    { .name = "threads",
      .kind = "threads",
      .rate = "7",
      .setter = BY_USER,
      .limit_kind = OC_LIMIT_USER,
      .metric = OC_METRIC_THREADS,
      .limit = 400,
      .leaks = 1 },
    /* Descriptors are counted at each fourth look; recorded ones, over 17 minutes, are told. */
    { .name = "connect",
      .kind = "connections",
      .rate = "17",
      .max = "2000",
      .setter = BY_RLIMIT,
      .resource = RLIMIT_NOFILE,
      .limit_kind = OC_LIMIT_RLIMIT_NOFILE,
      .metric = OC_METRIC_FDS,
      .limit = 1024,
      .leaks = 1,
      .is_sparse = 1 },
    { .name = "memfd",
      .kind = "memfd",
      .rate = "1400K",
      .setter = BY_CGROUP,
      .limit_kind = OC_LIMIT_CGROUP_MAX,
      .metric = OC_METRIC_CGROUP_CHARGE,
      .limit = 80 * MIB,
      .leaks = 1 },
    /* 10,000 shared objects, each under a name of its own, have about 213 MiB of address space, the rest 8. */
    { .name = "modules",
      .kind = "modules",
      .rate = "160",
      .max = "20000",
      .setter = BY_RLIMIT,
      .resource = RLIMIT_AS,
      .limit_kind = OC_LIMIT_RLIMIT_AS,
      .metric = OC_METRIC_VIRTUAL,
      .limit = 221 * MIB,
      .leaks = 1 },

    { .name = "idle", .kind = "idle", .metric = OC_METRIC_PRIVATE, .limit = 12 * MIB },
    { .name = "warmup",
      .kind = "warmup",
      .max = "60M",
      .period_ms = "5000",
      .metric = OC_METRIC_PRIVATE,
      .limit = 100 * MIB },
    { .name = "sawtoot",
      .kind = "sawtooth",
      .rate = "16M",
      .period_ms = "3000",
      .metric = OC_METRIC_PRIVATE,
      .limit = 80 * MIB },
    { .name = "jump",
      .kind = "jump",
      .max = "50M",
      .period_ms = "12000",
      .metric = OC_METRIC_PRIVATE,
      .limit = 90 * MIB },
    { .name = "pool",
      .kind = "plateau",
      .rate = "4M",
      .max = "30M",
      .metric = OC_METRIC_PRIVATE,
      .limit = 100 * MIB },
    { .name = "load",
      .kind = "wave",
      .max = "60M",
      .period_ms = "10000",
      .metric = OC_METRIC_PRIVATE,
      .limit = 90 * MIB },
    { .name = "restart",
      .kind = "warmup",
      .max = "40M",
      .period_ms = "1500",
      .metric = OC_METRIC_PRIVATE,
      .limit = 80 * MIB,
      .life_ms = 7000 },
    { .name = "cache",
      .kind = "cache",
      .rate = "8M",
      .setter = BY_CGROUP,
      .limit_kind = OC_LIMIT_CGROUP_MAX,
      .metric = OC_METRIC_CGROUP_CHARGE,
      .limit = 64 * MIB },
};
#define COUNT (sizeof(all) / sizeof(all[0]))
#define LEAKS 8 /* the first ones */

static struct daemon_run run;
static oc_reader *reader;
static struct foretold foretold; /* of the one that is looked at */

/* ---- the run ---- */

/* Names of no other run of this test. */
static const char *comm_of(const struct watched *watched)
{
    static char comm[16];

    (void)snprintf(comm, sizeof(comm), "%lx-%.7s", (unsigned long)getpid() & 0xffffff,
                   watched->name);
    return comm;
}

static char *word(const char *text) { return (char *)(uintptr_t)text; }

static void add_option(char **argv, const char *option, const char *value)
{
    size_t count = 0;

    if (!value)
        return;
    while (argv[count])
        count++;
    argv[count] = word(option);
    argv[count + 1] = word(value);
}

static void start_one(struct watched *watched)
{
    char *argv[20] = { word(getenv("OC_LEAKER")), word(watched->kind) };

    add_option(argv, "--name", comm_of(watched));
    add_option(argv, "--rate", watched->rate);
    add_option(argv, "--max", watched->max);
    add_option(argv, "--period", watched->period_ms);
    add_option(argv, "--base", "8M");
    add_option(argv, "--refused", REFUSED);
    add_option(argv, "--for", "150");
    watched->pid = start_ready(argv);
    ck_assert_msg(watched->pid > 0, "%s does not start", watched->name);
    watched->born_ms = now_ms();
}

static void set_limit(struct watched *watched)
{
    const struct rlimit limit = { watched->limit, watched->limit };
    char bytes[32];

    if (watched->setter == BY_RLIMIT)
        ck_assert_int_eq(
            prlimit(watched->pid, (enum __rlimit_resource)watched->resource, &limit, NULL), 0);
    if (watched->setter != BY_CGROUP)
        return;
    (void)snprintf(bytes, sizeof(bytes), "%" PRIu64, watched->limit);
    if (live_cgroup_make(&watched->cgroup, NULL, watched->name) &&
        live_cgroup_limit(&watched->cgroup, bytes) &&
        live_cgroup_enter(&watched->cgroup, watched->pid))
        return;
    live_cgroup_remove(&watched->cgroup);
    stop(watched->pid, SIGKILL);
    watched->pid = 0; /* it is not watched: no cgroup can be made here */
}

static void write_config(void)
{
    static char text[MAX_CONFIG];
    size_t len = (size_t)snprintf(text, sizeof(text),
                                  "{ \"interval\": \"100ms\", \"discovery_interval\": \"1s\", "
                                  "\"batch\": \"100ms\", \"targets\": [");

    for (size_t i = 0; i < COUNT; i++) {
        char limits[100] = "";
        const struct oc_metric_row *metric = oc_metric_by_number(all[i].metric);
        const int is_bytes = metric->unit == OC_UNIT_BYTES;

        if (all[i].setter == BY_USER)
            (void)snprintf(limits, sizeof(limits), is_bytes ? LIMIT_IN_BYTES : LIMIT_IN_THINGS,
                           metric->name, all[i].limit);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n{ \"name\": \"%s\"%s }",
                                i ? "," : "", comm_of(&all[i]), limits);
        ck_assert_uint_lt(len + 8, sizeof(text));
    }
    (void)snprintf(text + len, sizeof(text) - len, " ] }\n");
    run_write_config(&run, text);
}

/* Notes who ended, and starts those again that are. Returns how many are yet to end of their limits. */
static unsigned look(void)
{
    unsigned left = 0;

    for (size_t i = 0; i < COUNT; i++) {
        struct watched *watched = &all[i];

        if (watched->pid <= 0 || watched->over)
            continue;
        if (waitpid(watched->pid, &watched->status, WNOHANG) == watched->pid) {
            watched->over = 1;
            continue;
        }
        left += watched->leaks && watched->setter != BY_USER;
        if (watched->life_ms && now_ms() - watched->born_ms >= watched->life_ms) {
            stop(watched->pid, SIGKILL);
            start_one(watched);
        }
    }
    return left;
}

static void set_up(void)
{
    const int64_t begin_ms = now_ms();
    unsigned left = 0;
    struct oc_detail detail = { 0 };
    char path[200];

    run_setup(&run);
    write_config();
    for (size_t i = 0; i < COUNT; i++) {
        start_one(&all[i]);
        set_limit(&all[i]);
    }
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
    do {
        left = look();
        (void)usleep(POLL_US);
    } while (now_ms() - begin_ms < (left ? WATCH_MORE_MS : WATCH_MS));
    (void)run_stop(&run, STOP_MS);
    (void)snprintf(path, sizeof(path), "%s/oomcast.db", run.dir);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == OC_OK, "%s", detail.text);
}

static void tear_down(void)
{
    oc_reader_close(reader);
    for (size_t i = 0; i < COUNT; i++) {
        if (!all[i].over)
            stop(all[i].pid, SIGKILL);
        live_cgroup_remove(&all[i].cgroup);
    }
    run_teardown(&run);
}

/* ---- what the store says of one ---- */

static const char *subject_of(const struct watched *watched)
{
    static char subject[300];

    if (watched->setter == BY_CGROUP)
        (void)snprintf(subject, sizeof(subject), "cgroup:%s", watched->cgroup.path);
    else
        (void)snprintf(subject, sizeof(subject), "proc:%s", comm_of(watched));
    return subject;
}

struct life {
    const char *subject;
    uint32_t source;
    int64_t end_unix_ms;
};

static int on_life(const struct oc_life_row *row, void *context)
{
    struct life *life = context;

    if (strcmp(row->subject, life->subject) != 0 || row->kind == OC_SOURCE_GROUP)
        return 0;
    life->source = row->source;
    life->end_unix_ms = row->end_unix_ms;
    return 0;
}

static struct life life_of(const char *subject)
{
    const struct oc_life_filter filter = { .until_unix_ms = INT64_MAX };
    struct life life = { .subject = subject };

    ck_assert_int_ge(oc_reader_lives(reader, &filter, on_life, &life), 0);
    ck_assert_msg(life.source > 0, "%s is not in the store", subject);
    return life;
}

/* When it met its limit: of one that dies of it, when it died. */
static struct truth truth_of(const struct watched *watched)
{
    const struct life life = life_of(subject_of(watched));
    struct truth truth = { .begin_ms = first_sample_ms(reader, life.source, watched->metric) };
    char subject[40];

    (void)snprintf(subject, sizeof(subject), "proc:%s", comm_of(watched));
    if (watched->setter == BY_USER)
        truth.end_ms = first_at_least_ms(reader, life.source, watched->metric, watched->limit);
    else
        truth.end_ms = life_of(subject).end_unix_ms;
    ck_assert_int_ge(truth.begin_ms, 0);
    ck_assert_msg(truth.end_ms > truth.begin_ms && truth.end_ms < INT64_MAX,
                  "%s did not meet its limit", watched->name);
    return truth;
}

static struct judged judge_one(const struct watched *watched, struct truth *out_truth)
{
    *out_truth = truth_of(watched);
    foretold_read(reader, subject_of(watched), &foretold);
    return judge(&foretold, watched->limit_kind, watched->metric, out_truth);
}

/* ---- leaks ---- */

static int is_here(const struct watched *watched, const char *test)
{
    if (watched->pid > 0)
        return 1;
    printf("SKIP %s: no cgroup can be made here for %s\n", test, watched->name);
    return 0;
}

static int ended_of_its_limit(const struct watched *watched)
{
    switch (watched->setter) {
    case BY_RLIMIT:
        return watched->over && WIFEXITED(watched->status) &&
               WEXITSTATUS(watched->status) == atoi(REFUSED);
    case BY_CGROUP:
        return watched->over && WIFSIGNALED(watched->status) &&
               WTERMSIG(watched->status) == SIGKILL;
    default:
        return !watched->over;
    }
}

START_TEST(a_leak_is_foretold_before_it_ends)
{
    const struct watched *watched = &all[_i];
    struct truth truth;
    struct judged judged;

    ck_assert(watched->leaks);
    if (!is_here(watched, "a_leak_is_foretold_before_it_ends"))
        return;
    ck_assert_msg(ended_of_its_limit(watched), "%s ended otherwise: %d", watched->name,
                  watched->status);
    judged = judge_one(watched, &truth);
    printf("%-8s life %5.1f s, leaking said at %5.1f s; %zu of %zu intervals held the end\n",
           watched->name, (double)(truth.end_ms - truth.begin_ms) / 1000,
           judged.leaking_ms < 0 ? NAN : (double)(judged.leaking_ms - truth.begin_ms) / 1000,
           judged.inside, judged.intervals);
    ck_assert_msg(judged.leaking_ms >= 0 || watched->is_sparse,
                  "%s: no warning stood at the end; %zu forecasts", watched->name, judged.rows);
    ck_assert_msg(judged.intervals > 0, "%s: nothing was said of when", watched->name);
}
END_TEST

/* Of 80 % that are to hold it so many must: they come in runs, and there are few. */
START_TEST(ends_come_inside_what_was_said)
{
    size_t intervals = 0, inside = 0;
    struct truth truth;

    for (size_t i = 0; i < LEAKS; i++) {
        if (all[i].pid > 0) {
            const struct judged judged = judge_one(&all[i], &truth);

            intervals += judged.intervals;
            inside += judged.inside;
        }
    }
    printf("%zu of %zu intervals held the end\n", inside, intervals);
    ck_assert_msg(inside * 10 >= intervals * 6, "%zu of %zu", inside, intervals);
}
END_TEST

/* ---- what only looks like it ---- */

static void assert_quiet(const struct watched *watched, const char *subject)
{
    ck_assert_uint_gt(life_of(subject).source, 0);
    foretold_read(reader, subject, &foretold);
    ck_assert_msg(foretold_count(&foretold, OC_FORECAST_LEAKING) == 0, "%s: %s", watched->name,
                  subject);
}

START_TEST(what_does_not_leak_is_never_said_to)
{
    const struct watched *watched = &all[_i];

    ck_assert(!watched->leaks);
    if (!is_here(watched, "what_does_not_leak_is_never_said_to"))
        return;
    ck_assert_msg(!watched->over, "%s ended: %d", watched->name, watched->status);
    assert_quiet(watched, subject_of(watched));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forecast_real");
    TCase *tests = tcase_create("forecast_real");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    if (!getenv("OC_LEAKER") || !getenv("OC_OOMCASTD")) {
        fprintf(stderr, "OC_LEAKER and OC_OOMCASTD are to name the programs\n");
        return 2;
    }
    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 200);
    tcase_add_loop_test(tests, a_leak_is_foretold_before_it_ends, 0, LEAKS);
    tcase_add_test(tests, ends_come_inside_what_was_said);
    tcase_add_loop_test(tests, what_does_not_leak_is_never_said_to, LEAKS, (int)COUNT);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
