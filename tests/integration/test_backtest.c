/*
 * oomcast backtest, over a store that was filled with days of made samples, over files and as a
 * stream: what it says came is what is in there.
 */
#include "base/metric.h"
#include "storage/store.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"
#include "tests/support/folder.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (INT64_C(1) << 20)
#define TICK_MS 10000
#define DAY_MS INT64_C(86400000)
#define UNIX_MS INT64_C(1790000000000) /* of the boot */
#define LIMIT (INT64_C(2048) * MIB)
#define TICKS 28800 /* more than three days; a leak of 1 MiB a minute takes 32.5 hours */

static char dir[128];

/* ---- a store ---- */

static oc_store *open_store(void)
{
    char path[160];
    struct oc_store_options options = {
        .path = path, .boot_id = "backtest", .now_unix_ms = UNIX_MS, .raw_keep_ms = 100 * DAY_MS
    };
    struct oc_store_report report;
    struct oc_detail detail = { 0 };
    oc_store *store = NULL;

    (void)snprintf(path, sizeof(path), "%s/oomcast.db", dir);
    ck_assert_msg(oc_store_open(&options, &store, &report, &detail) == OC_OK, "%s", detail.text);
    return store;
}

static uint32_t begin_life(oc_store *store, const char *subject, uint32_t pid, const char *cgroup,
                           int64_t t_ms, int64_t limit)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = pid }, .name = "made" };
    const struct oc_source_info info = { .kind = OC_SOURCE_PROCESS,
                                         .subject = subject,
                                         .begin_boot_ms = t_ms,
                                         .facts = &facts,
                                         .interval_ms = TICK_MS };
    const struct oc_limit user = { .kind = OC_LIMIT_USER,
                                   .metric = OC_METRIC_PRIVATE,
                                   .value = (uint64_t)limit };
    uint32_t source = 0;

    (void)snprintf(facts.cgroup, sizeof(facts.cgroup), "%s", cgroup);
    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), OC_OK);
    if (limit)
        ck_assert_int_eq(oc_store_limits(store, source, t_ms, &user, 1), OC_OK);
    return source;
}

static uint32_t begin_cgroup(oc_store *store)
{
    const struct oc_source_info info = { .kind = OC_SOURCE_CGROUP,
                                         .subject = "cgroup:/web.slice",
                                         .cgroup_inode = 5,
                                         .interval_ms = TICK_MS };
    uint32_t source = 0;

    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), OC_OK);
    return source;
}

static void limit_cgroup(oc_store *store, uint32_t source, int64_t t_ms, int64_t value)
{
    const struct oc_limit limit = { .kind = OC_LIMIT_CGROUP_MAX,
                                    .metric = OC_METRIC_CGROUP_CHARGE,
                                    .value = (uint64_t)value,
                                    .where = "/web.slice" };

    ck_assert_int_eq(oc_store_limits(store, source, t_ms, &limit, 1), OC_OK);
}

static int64_t noise(int64_t at) { return (at * at * 7919 + at * 104729) % 61 * 4096; }

static void put(struct oc_tick *tick, uint32_t source, enum oc_metric metric, int64_t value)
{
    struct oc_sample sample = { .block = (uint8_t)OC_METRIC_BLOCK(metric) };

    oc_sample_set(&sample, metric, value);
    oc_tick_put(tick, source, &sample);
}

/* Leaks to its limit, is killed there and begins anew, twice; the third life is quiet. */
struct leaking {
    uint32_t source, life;
    int64_t begin_ms;
};

static void put_leaking(oc_store *store, struct leaking *leaking, struct oc_tick *tick)
{
    int64_t at = (tick->t_ms - leaking->begin_ms) / TICK_MS;
    int64_t bytes = leaking->life < 2 ? 100 * MIB + at * MIB / 6 : (300 + at % 60) * MIB;

    if (bytes < LIMIT) {
        put(tick, leaking->source, OC_METRIC_PRIVATE, bytes + noise(at));
        return;
    }
    ck_assert_int_eq(oc_store_source_end(store, leaking->source, tick->t_ms, OC_END_OOM_KILLED, 9),
                     OC_OK);
    leaking->life++;
    leaking->begin_ms = tick->t_ms;
    leaking->source =
        begin_life(store, "unit:shop.service", 100 + leaking->life, "", leaking->begin_ms, LIMIT);
}

/*
 * Two lives that leak and one that does not; another process that never did; one without limits
 * in a cgroup below one that has one, which is raised after it was met.
 */
static void fill_store(void)
{
    oc_store *store = open_store();
    struct leaking leaking = { .source =
                                   begin_life(store, "unit:shop.service", 100, "", 0, LIMIT) };
    uint32_t quiet = begin_life(store, "proc:quiet", 7, "", 0, LIMIT);
    uint32_t cgroup = begin_cgroup(store);
    struct oc_tick tick;

    (void)begin_life(store, "proc:free", 8, "", 0, 0);
    (void)begin_life(store, "proc:web", 9, "/web.slice/one", 0, 0);
    limit_cgroup(store, cgroup, 0, LIMIT);
    oc_tick_init(&tick);
    for (int64_t at = 0; at < TICKS; at++) {
        oc_tick_begin(&tick, at * TICK_MS);
        put_leaking(store, &leaking, &tick);
        put(&tick, quiet, OC_METRIC_PRIVATE, (300 + at % 60) * MIB + noise(at)); /* a sawtooth */
        if (at < 2400)
            put(&tick, cgroup, OC_METRIC_CGROUP_CHARGE, LIMIT / 2 + LIMIT * at / 2400);
        if (at == 1300)
            limit_cgroup(store, cgroup, at * TICK_MS, 2 * LIMIT);
        ck_assert_int_eq(oc_store_append(store, &tick), OC_OK);
        if (at % 360 == 359)
            ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, at * TICK_MS), OC_OK);
    }
    oc_tick_clear(&tick);
    ck_assert_int_eq(oc_store_close(store), OC_OK);
}

/* ---- asking ---- */

static int backtest(const char *words)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "\"$O\" backtest --db %s %s", dir, words);
    return run(line);
}

static const cJSON *method(const cJSON *root, const char *name)
{
    const cJSON *item = NULL;

    cJSON_ArrayForEach(item, cJSON_GetObjectItem(root, "methods"))
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(item, "method")), name) == 0)
            return item;
    }
    ck_abort_msg("no method %s", name);
    return NULL;
}

START_TEST(backtest_finds_what_was_met)
{
    cJSON *root, *alert;

    ck_assert_int_eq(backtest("unit:shop.service --json"), 0);
    root = json();
    ck_assert_double_eq_tol(number(root, "limits_met"), 2, 1e-9);
    ck_assert_double_eq_tol(number(root, "lives"), 3, 1e-9);
    ck_assert_double_eq_tol(number(method(root, "oomcast"), "foretold"), 2, 1e-9);
    ck_assert_double_eq_tol(number(method(root, "oomcast"), "false"), 0, 1e-9);
    ck_assert_double_gt(number(method(root, "oomcast"), "lead_s"), 3600);
    alert = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "alerts"), 0);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(alert, "came")), "met");
    ck_assert_double_eq_tol(number(alert, "pid"), 100, 1e-9);
    ck_assert_double_eq_tol(number(alert, "limit_value"), (double)LIMIT, 1);
    ck_assert_double_le(number(alert, "p10_s"), number(alert, "p50_s"));
    cJSON_Delete(root);
}
END_TEST

START_TEST(backtest_leaves_what_is_quiet)
{
    cJSON *root;

    ck_assert_int_eq(backtest("proc:quiet --json"), 0);
    root = json();
    ck_assert_double_eq_tol(number(root, "samples"), TICKS, 1e-9);
    ck_assert_double_eq_tol(number(method(root, "oomcast"), "alerts"), 0, 1e-9);
    ck_assert_double_eq_tol(number(root, "limits_met"), 0, 1e-9);
    cJSON_Delete(root);
    ck_assert_int_eq(backtest("proc:quiet"), 0);
    ck_assert(holds(out, "No alert would have been raised."));
}
END_TEST

START_TEST(backtest_puts_rules_beside_it)
{
    cJSON *root;

    ck_assert_int_eq(backtest("shop.service --compare --json"), 0);
    root = json();
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "methods")), 5);
    ck_assert_double_eq_tol(number(method(root, "80 % used"), "foretold"), 2, 1e-9);
    ck_assert_double_eq_tol(number(method(root, "90 % used"), "foretold"), 2, 1e-9);
    ck_assert_double_gt(number(method(root, "80 % used"), "lead_s"),
                        number(method(root, "90 % used"), "lead_s"));
    ck_assert_double_ge(number(method(root, "line of 6 h"), "foretold"), 2);
    cJSON_Delete(root);
    ck_assert_int_eq(backtest("--compare"), 0);
    ck_assert(holds(out, "met after"));
    ck_assert(holds(out, "80 % used"));
    ck_assert(holds(out, "unit:shop.service"));
}
END_TEST

START_TEST(backtest_takes_another_limit_and_another_time)
{
    cJSON *root;
    double all;

    ck_assert_int_eq(backtest("shop.service --limit 100GiB --json"), 0);
    root = json();
    ck_assert_double_eq_tol(number(root, "limits_met"), 0, 1e-9);
    all = number(root, "samples");
    cJSON_Delete(root);
    ck_assert_int_eq(backtest("shop.service --until @1790020000 --json"), 0);
    root = json();
    ck_assert_double_lt(number(root, "samples"), all);
    ck_assert_double_eq_tol(number(root, "limits_met"), 0, 1e-9);
    cJSON_Delete(root);
    ck_assert_int_eq(backtest("shop.service --alert 50 --json"), 0); /* never sure enough */
    root = json();
    ck_assert_double_eq_tol(number(method(root, "oomcast"), "alerts"), 0, 1e-9);
    cJSON_Delete(root);
}
END_TEST

START_TEST(backtest_takes_the_cgroups_above_a_process)
{
    cJSON *root, *end;

    ck_assert_int_eq(backtest("web --json"), 0);
    root = json();
    ck_assert_double_eq_tol(number(root, "series"), 1, 1e-9);
    ck_assert_double_eq_tol(number(root, "limits_met"), 1, 1e-9); /* the raised one was not */
    end = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "ends"), 0);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(end, "subject")),
                     "cgroup:/web.slice");
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(end, "limit")), "memory.max");
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(end, "where")), "/web.slice");
    ck_assert_double_eq_tol(number(end, "limit_value"), (double)LIMIT, 1);
    cJSON_Delete(root);
    ck_assert_int_eq(backtest("9 --json"), 0); /* by its PID */
    root = json();
    ck_assert_double_eq_tol(number(root, "series"), 1, 1e-9);
    cJSON_Delete(root);
}
END_TEST

START_TEST(backtest_says_what_is_wrong)
{
    ck_assert_int_eq(backtest("nobody"), 1);
    ck_assert(holds(err, "oomcast lives"));
    ck_assert_int_eq(backtest("proc:free"), 1);
    ck_assert(holds(err, "--limit"));
    ck_assert_int_eq(backtest("--alert loud"), 2);
    ck_assert_int_eq(backtest("--limit much"), 2);
    ck_assert_int_eq(backtest("--stream"), 2);
    ck_assert(holds(err, "--db"));
    ck_assert_int_eq(run("\"$O\" backtest --stream shop"), 2);
    ck_assert_int_eq(run("\"$O\" backtest --stream --every 0"), 2);
    ck_assert_int_eq(run("\"$O\" backtest --every 5"), 2);
    ck_assert_int_eq(run("\"$O\" backtest --died"), 2);
    ck_assert_int_eq(run("\"$O\" backtest --file x --since 1h"), 2);
    ck_assert_int_eq(run("\"$O\" backtest --file /nonexistent --limit 5"), 1);
    ck_assert(holds(err, "/nonexistent"));
}
END_TEST

/* ---- traces ---- */

/* A leak as CSV: 600 samples. */
static void write_trace(const char *name, const char *tail)
{
    char path[160];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "t,value,inc,modules\n");
    for (int64_t i = 0; i < 600; i++)
        (void)fprintf(file, "%" PRId64 ",%" PRId64 ",0,%" PRId64 "\n", i * 10,
                      100 * MIB + i * MIB + noise(i), 50 + i);
    (void)fputs(tail, file);
    (void)fclose(file);
}

static int on_trace(const char *words)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "cd %s && \"$O\" backtest %s", dir, words);
    return run(line);
}

START_TEST(backtest_of_a_file_knows_its_end)
{
    cJSON *root;

    write_trace("leak.csv", "");
    ck_assert_int_eq(on_trace("--file leak.csv --limit 700MiB --died --json"), 0);
    root = json();
    ck_assert_double_eq_tol(number(root, "samples"), 600, 1e-9);
    ck_assert_double_eq_tol(number(root, "limits_met"), 1, 1e-9);
    cJSON_Delete(root);
    ck_assert_int_eq(on_trace("--file leak.csv --limit 700MiB --json"), 0);
    root = json();
    ck_assert_double_eq_tol(number(root, "limits_met"), 0, 1e-9);
    cJSON_Delete(root);
}
END_TEST

static int run_in_dir(const char *words)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "cd %s && %s", dir, words);
    return run(line);
}

#define QUICK_RULES                                                                                \
    "cat > rules.json <<'E'\n{ \"rules\": [ { \"name\": \"Soon\", \"kind\": \"threshold\", "       \
    "\"metric\": \"private_bytes\", \"enter\": \"500MiB\", \"severity\": \"critical\", "           \
    "\"for\": \"1m\" } ] }\nE\n"

START_TEST(rules_are_held_against_what_was_expected)
{
    write_trace("leak.csv", "");
    ck_assert_int_eq(run_in_dir(QUICK_RULES), 0);
    ck_assert_int_eq(on_trace("--file leak.csv --limit 700MiB --metric private --rules rules.json "
                              "> expected.csv"),
                     0);
    ck_assert_int_eq(run_in_dir("grep -q ',Soon,critical,firing,yes' expected.csv"), 0);
    ck_assert_int_eq(on_trace("--file leak.csv --limit 700MiB --metric private --rules rules.json "
                              "--expect expected.csv"),
                     0);
    ck_assert_str_eq(out, "");
    /* other rules say other things */
    ck_assert_int_eq(on_trace("--file leak.csv --limit 700MiB --metric private --rules default "
                              "--expect expected.csv"),
                     1);
    ck_assert(holds(out, "Soon,critical,firing"));
    ck_assert(holds(err, "differences from expected.csv"));
    ck_assert_int_eq(on_trace("--file leak.csv --limit 700MiB --expect expected.csv"), 2);
    ck_assert_int_eq(on_trace("--file leak.csv --limit 700MiB --rules nowhere.json"), 1);
}
END_TEST

START_TEST(stream_says_what_rules_raise)
{
    write_trace("leak.csv", "");
    ck_assert_int_eq(
        on_trace("--stream --limit 734003200 --every 100000 --rules default < leak.csv"), 0);
    ck_assert(holds(out, "\"rule\": \"MemoryLimitForecast\", \"severity\": \"warning\""));
    ck_assert(holds(out, "\"alert\": true"));
}
END_TEST

START_TEST(stream_is_a_line_each_time)
{
    int lines = 0;

    write_trace("leak.csv", "");
    ck_assert_int_eq(on_trace("--stream --limit 734003200 --every 60 < leak.csv"), 0);
    for (char *at = out, *next; (next = strchr(at, '\n')) != NULL; at = next + 1) {
        cJSON *line;

        *next = '\0';
        line = cJSON_Parse(at);
        ck_assert_ptr_nonnull(line);
        ck_assert(cJSON_HasObjectItem(line, "t"));
        lines += cJSON_HasObjectItem(line, "eta");
        ck_assert(cJSON_HasObjectItem(line, "eta") == !cJSON_HasObjectItem(line, "alert"));
        cJSON_Delete(line);
    }
    ck_assert_int_eq(lines, 10);
}
END_TEST

/* What is said rests on what came before: a shorter trace gives the beginning of the same answer. */
START_TEST(stream_knows_nothing_of_what_comes)
{
    static char whole[CLI_MAX_ANSWER];

    write_trace("leak.csv", "");
    ck_assert_int_eq(on_trace("--stream --limit 734003200 --every 7 < leak.csv"), 0);
    (void)snprintf(whole, sizeof(whole), "%s", out);
    for (int rows = 50; rows < 600; rows += 97) {
        char words[320];

        (void)snprintf(words, sizeof(words),
                       "cd %s && head -n %d leak.csv | \"$O\" backtest --stream --limit 734003200 "
                       "--every 7",
                       dir, rows);
        ck_assert_int_eq(run(words), 0);
        ck_assert_msg(strncmp(whole, out, strlen(out)) == 0, "%d rows", rows);
    }
}
END_TEST

START_TEST(stream_names_a_bad_line)
{
    write_trace("bad.csv", "6000,12x,0,1\n");
    ck_assert_int_eq(on_trace("--stream --limit 1GiB < bad.csv"), 1);
    ck_assert(holds(err, "line 602"));
    ck_assert(holds(err, "12x"));
    ck_assert_int_eq(on_trace("--file bad.csv --limit 1GiB"), 1);
    ck_assert(holds(err, "line 602"));
    ck_assert_int_eq(on_trace("--stream < bad.csv"), 2);
    ck_assert(holds(err, "--limit"));
    ck_assert_int_eq(on_trace("--file bad.csv"), 1);
    ck_assert(holds(err, "--limit"));
}
END_TEST

START_TEST(stream_survives_odd_values)
{
    ck_assert_int_eq(on_trace("--stream --limit 0 --every 1 <<'E'\nt,value,inc,limit\n"
                              "0,nan,0,0\n1,inf,0,9223372036854775808\n2,-inf,0,\n"
                              "3,9223372036854775808,0,-5\n2.5,1e308,1,1e308\n1,-1e308,9,nan\n"
                              "1,5,9,1e-300\nE\n"),
                     0);
    ck_assert(holds(out, "{\"t\": 2.5, \"eta\": "));
}
END_TEST

static void setup(void)
{
    ck_assert_int_eq(make_folder("oomcast-backtest", dir, sizeof(dir)), 0);
    fill_store();
}

static void teardown(void) { ck_assert_int_eq(remove_folder(dir), 0); }

int main(void)
{
    Suite *suite = suite_create("backtest");
    TCase *tcase = tcase_create("backtest");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, backtest_finds_what_was_met);
    tcase_add_test(tcase, backtest_leaves_what_is_quiet);
    tcase_add_test(tcase, backtest_puts_rules_beside_it);
    tcase_add_test(tcase, backtest_takes_another_limit_and_another_time);
    tcase_add_test(tcase, backtest_takes_the_cgroups_above_a_process);
    tcase_add_test(tcase, backtest_says_what_is_wrong);
    tcase_add_test(tcase, backtest_of_a_file_knows_its_end);
    tcase_add_test(tcase, rules_are_held_against_what_was_expected);
    tcase_add_test(tcase, stream_says_what_rules_raise);
    tcase_add_test(tcase, stream_is_a_line_each_time);
    tcase_add_test(tcase, stream_knows_nothing_of_what_comes);
    tcase_add_test(tcase, stream_names_a_bad_line);
    tcase_add_test(tcase, stream_survives_odd_values);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
