/* forecast, accuracy, and the time to the limit in limits and top, as the program runs them on a store made up. */
#include "outlook_fixture.h"

#include "base/alloc.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands/top_view.h"
#include "cli/model/outlook.h"
#include "cli/model/shares.h"
#include "cli/model/top.h"
#include "cli/model/verdict.h"
#include "base/ahead.h"
#include "cli/show/plot.h"
#include "tests/support/environment.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1700000000000)
#define MINUTE OUTLOOK_MINUTE
#define HOUR OUTLOOK_HOUR
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct oc_cli cli;
static const char *folder;
static int64_t now_unix_ms;
static int is_tty, width;

static void make_store(void)
{
    folder = outlook_fixture_begin(NOW);
    (void)set_variable("OOMCAST_DB", folder);
}

static void make_empty_store(void)
{
    folder = outlook_fixture_empty(NOW);
    (void)set_variable("OOMCAST_DB", folder);
}

static void drop_store(void)
{
    (void)set_variable("OOMCAST_DB", NULL);
    outlook_fixture_end();
}

static void set_now(void)
{
    now_unix_ms = NOW;
    is_tty = 0;
    width = 80;
}

/* Words parted by blanks. The exit code; the answer is in cli.out. */
static int run(const char *line)
{
    static char words[512];
    char *argv[16] = { 0 };
    int argc = 0;
    struct oc_detail detail = { 0 };

    oc_buf_clear(&cli.out);
    memset(&cli, 0, sizeof(cli));
    oc_buf_init(&cli.out, 8u << 20);
    cli.now_unix_ms = now_unix_ms;
    cli.is_tty = is_tty;
    cli.width = width;
    (void)oc_text_copy(words, sizeof(words), line);
    for (char *word = strtok(words, " "); word && argc < 16; word = strtok(NULL, " "))
        argv[argc++] = word;
    ck_assert_int_gt(argc, 0);
    for (size_t i = 0; oc_cli_commands()[i]; i++) {
        if (strcmp(oc_cli_commands()[i]->name, argv[0]) == 0)
            cli.command = oc_cli_commands()[i];
    }
    ck_assert_ptr_nonnull(cli.command);
    ck_assert_msg(oc_cli_parse(&cli, argc - 1, argv + 1, &detail) == 0, "%s", detail.text);
    return cli.command->run(&cli);
}

static const char *answer(const char *line)
{
    ck_assert_msg(run(line) == OC_EXIT_OK, "%s", line);
    return cli.out.data ? cli.out.data : "";
}

static void holds(const char *part)
{
    ck_assert_msg(cli.out.data && strstr(cli.out.data, part), "no '%s' in:\n%s", part,
                  cli.out.data ? cli.out.data : "");
}

static void lacks(const char *part)
{
    ck_assert_msg(!cli.out.data || !strstr(cli.out.data, part), "'%s' in:\n%s", part, cli.out.data);
}

static cJSON *json(const char *line)
{
    cJSON *root;

    ck_assert_msg(run(line) == OC_EXIT_OK, "%s", line);
    root = cJSON_Parse(cli.out.data);
    ck_assert_msg(root != NULL, "no JSON: %s", cli.out.data);
    return root;
}

static const cJSON *get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    ck_assert_msg(item != NULL, "no '%s' in %s", key, cli.out.data);
    return item;
}

static double number(const cJSON *object, const char *key)
{
    ck_assert_msg(cJSON_IsNumber(get(object, key)), "no number '%s' in %s", key, cli.out.data);
    return get(object, key)->valuedouble;
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

/* ---- words ---- */

static const struct {
    double seconds;
    const char *text;
} times[] = {
    { -5, "now" },
    { 0, "now" },
    { 30.4, "30 s" },
    { 59.7, "1 min" },
    { 275, "4 min 40 s" },
    { 725, "12 min" },
    { 3599, "1 h" },
    { 12000, "3 h 20 min" },
    { 10799, "3 h" },
    { 50400, "14 h" },
    { 86399, "1 d" },
    { 367200, "4 d 6 h" },
    { 52.2 * 86400, "52 d" },
    { 1e8, "3.2 years" },
    { 1e12, "> 100 years" },
    { INFINITY, "never" },
};

START_TEST(a_time_has_the_digits_that_are_known)
{
    char text[40];

    ck_assert_str_eq(oc_ahead_time(times[_i].seconds, text, sizeof(text)), times[_i].text);
}
END_TEST

START_TEST(what_is_unknown_is_a_dash)
{
    char text[128];

    ck_assert_str_eq(oc_ahead_time(NAN, text, sizeof(text)), "-");
    ck_assert_str_eq(oc_ahead_interval(NAN, 5, text, sizeof(text)), "-");
    ck_assert_str_eq(oc_ahead_all(NAN, NAN, NAN, text, sizeof(text)), "-");
    ck_assert_str_eq(oc_ahead_all(INFINITY, INFINITY, INFINITY, text, sizeof(text)), "-");
}
END_TEST

START_TEST(an_open_end_is_or_never)
{
    char text[128];

    ck_assert_str_eq(oc_ahead_all(9600, 12000, 15000, text, sizeof(text)),
                     "3 h 20 min (2 h 40 min - 4 h 10 min)");
    ck_assert_str_eq(oc_ahead_all(9600, 12000, INFINITY, text, sizeof(text)),
                     "3 h 20 min (2 h 40 min or never)");
}
END_TEST

START_TEST(each_kind_of_limit_says_what_happens_there)
{
    ck_assert_str_eq(oc_ahead_effect(OC_LIMIT_CGROUP_MAX), "dies at");
    ck_assert_str_eq(oc_ahead_effect(OC_LIMIT_CGROUP_HIGH), "stalls at");
    ck_assert_str_eq(oc_ahead_effect(OC_LIMIT_RLIMIT_NOFILE), "fails at");
    ck_assert_str_eq(oc_ahead_effect(OC_LIMIT_USER), "told at");
    ck_assert_str_eq(oc_ahead_effect(0), "");
}
END_TEST

/* ---- the table ---- */

START_TEST(what_grows_is_listed_the_soonest_first)
{
    static const char *const order[] = { "proc:full",         "pool:web",   "cgroup:/system",
                                         "unit:shop.service", "proc:saved", "proc:aimless" };
    const char *at = answer("forecast");

    for (int i = 0; i < COUNT(order); i++) {
        const char *next = strstr(at, order[i]);

        ck_assert_msg(next != NULL, "%s is not behind:\n%s", order[i], cli.out.data);
        at = next;
    }
    holds("2 h 10 min - 4 h");
    holds("(4 d 6 h)");
    holds("+110.0 MiB");
}
END_TEST

START_TEST(what_does_not_grow_is_counted)
{
    (void)answer("forecast");
    lacks("proc:flat");
    lacks("proc:cyclic");
    lacks("host");
    holds("1 warming, 1 cyclic, 4 flat, 1 learning (--all lists them).");
    (void)answer("forecast --all");
    holds("proc:flat");
    holds("proc:young");
    holds("host");
    lacks("--all");
}
END_TEST

START_TEST(a_dead_one_is_not_listed)
{
    (void)answer("forecast --all");
    lacks("proc:dead");
}
END_TEST

START_TEST(a_glob_lists_what_it_names)
{
    (void)answer("forecast proc:f*");
    holds("proc:full");
    holds("proc:flat");
    lacks("pool:web");
}
END_TEST

START_TEST(hostile_names_are_escaped)
{
    (void)answer("forecast --all");
    lacks("\033");
    holds("proc:evil\\e[2J");
}
END_TEST

START_TEST(csv_has_a_row_a_subject)
{
    const char *line = answer("forecast --all --csv");
    int rows = 0;

    for (; *line; line = strchr(line, '\n') + 1) {
        int commas = 0;

        for (const char *c = line; *c != '\n'; c++)
            commas += *c == ',';
        ck_assert_int_eq(commas, 17);
        rows++;
    }
    ck_assert_int_eq(rows, 1 + 14);
    holds("pool:web,,growing,private_bytes,user,,told,");
    lacks("nan");
    lacks("inf");
}
END_TEST

/* ---- ages ---- */

static double p50_of(const char *subject)
{
    cJSON *root = json("forecast --json");
    const cJSON *item = item_where(get(root, "forecasts"), "subject", subject);
    double p50;

    ck_assert_ptr_nonnull(item);
    p50 = number(get(item, "time_to_limit_s"), "p50");
    cJSON_Delete(root);
    return p50;
}

static int is_stale(void)
{
    cJSON *root = json("forecast --json");
    int stale = cJSON_IsTrue(get(root, "is_stale"));

    cJSON_Delete(root);
    return stale;
}

START_TEST(a_forecast_moves_on_with_the_time)
{
    ck_assert_double_eq_tol(p50_of("unit:shop.service"), 3 * 3600, 1);
    now_unix_ms += HOUR;
    ck_assert_double_eq_tol(p50_of("unit:shop.service"), 2 * 3600, 1);
    now_unix_ms += 5 * HOUR;
    ck_assert_double_eq_tol(p50_of("unit:shop.service"), 0, 1);
}
END_TEST

START_TEST(nothing_new_is_said_to_be_stale)
{
    now_unix_ms += 2 * HOUR;
    ck_assert(is_stale());
    (void)answer("forecast");
    holds("STALE");
    holds("2 h 00 m");
    (void)answer("forecast shop.service");
    holds("STALE");
}
END_TEST

START_TEST(a_fresh_one_is_not_stale)
{
    now_unix_ms += 20000; /* two ticks */
    ck_assert(!is_stale());
    (void)answer("forecast");
    lacks("STALE");
}
END_TEST

/* ---- of one subject ---- */

START_TEST(its_cgroup_binds_a_service_that_grows)
{
    cJSON *root = json("forecast shop.service --json");
    const cJSON *first = cJSON_GetArrayItem(get(root, "forecasts"), 0);

    ck_assert_str_eq(get(root, "state")->valuestring, "leaking");
    ck_assert(cJSON_IsTrue(get(first, "is_binding")));
    ck_assert_str_eq(get(first, "limit")->valuestring, "memory.max");
    ck_assert_str_eq(get(first, "effect")->valuestring, "dies");
    ck_assert_str_eq(get(first, "source")->valuestring, "cgroup:" OUTLOOK_SHOP);
    ck_assert_double_eq_tol(number(get(first, "time_to_limit_s"), "p10"), 130 * 60, 1);
    ck_assert_double_eq_tol(number(get(first, "time_to_limit_s"), "p90"), 240 * 60, 1);
    ck_assert_double_eq_tol(number(first, "chance"), 0.97, 1e-9);
    ck_assert_int_gt(cJSON_GetArraySize(get(root, "history")), 100);
    cJSON_Delete(root);
    (void)answer("forecast shop.service");
    holds("dies at memory.max of /system.slice/shop.service in 3 h (2 h 10 min - 4 h)");
    holds(">  memory.max");
    holds("+110.0 MiB/h (error 2.2 MiB/h)");
    holds("chance that it goes on 97 %");
}
END_TEST

START_TEST(a_calm_neighbour_in_it_has_no_time_of_its_own)
{
    cJSON *root = json("forecast --all --json");
    const cJSON *item = item_where(get(root, "forecasts"), "subject", "proc:sidecar");

    ck_assert_ptr_nonnull(item);
    ck_assert_str_eq(get(item, "state")->valuestring, "flat");
    ck_assert_ptr_null(cJSON_GetObjectItem(item, "time_to_limit_s"));
    cJSON_Delete(root);
    (void)answer("forecast proc:sidecar"); /* but its cgroup's limit is shown to who asks for it */
    holds("proc:sidecar (pid 4712): flat");
    holds("dies at memory.max");
}
END_TEST

START_TEST(memory_high_stalls_and_has_an_open_end)
{
    cJSON *root = json("forecast cgroup:" OUTLOOK_SHOP " --json");
    const cJSON *high = item_where(get(root, "forecasts"), "limit", "memory.high");

    ck_assert_ptr_nonnull(high);
    ck_assert_str_eq(get(high, "effect")->valuestring, "stalls");
    ck_assert(cJSON_IsNull(get(get(high, "time_to_limit_s"), "p90")));
    ck_assert(cJSON_IsFalse(get(high, "is_binding")));
    cJSON_Delete(root);
    (void)answer("forecast cgroup:" OUTLOOK_SHOP);
    holds("6 h 30 min or never");
    holds("stalls at");
}
END_TEST

START_TEST(a_limit_on_a_sum_concerns_each_process_of_it)
{
    cJSON *root = json("forecast 5001 --json");

    ck_assert_str_eq(get(root, "state")->valuestring, "flat");
    cJSON_Delete(root);
    root = json("forecast pool:web --json");
    ck_assert_double_eq(number(root, "processes"), 2);
    ck_assert_double_eq_tol(
        number(get(cJSON_GetArrayItem(get(root, "forecasts"), 0), "time_to_limit_s"), "p50"), 3600,
        1);
    cJSON_Delete(root);
    (void)answer("forecast pool:web");
    holds("told at private_bytes in 1 h (30 min - 2 h)");
}
END_TEST

START_TEST(a_limit_that_is_met_says_so)
{
    cJSON *root = json("forecast proc:full --json");
    const cJSON *first = cJSON_GetArrayItem(get(root, "forecasts"), 0);

    ck_assert(cJSON_IsTrue(get(first, "is_met")));
    ck_assert_ptr_null(cJSON_GetObjectItem(first, "time_to_limit_s"));
    cJSON_Delete(root);
    (void)answer("forecast proc:full");
    holds("has met RLIMIT_NOFILE");
}
END_TEST

START_TEST(what_restarts_save_says_how_long_it_would_last)
{
    (void)answer("forecast proc:saved");
    holds("saved by restarts: it would die after 4 d 6 h without one");
    holds("no limit is forecast to be met");
}
END_TEST

START_TEST(a_flat_one_has_no_limit_ahead)
{
    (void)answer("forecast proc:flat --chart");
    holds("proc:flat (pid 6000): flat");
    holds("no limit is forecast to be met");
    lacks("10-90 %");
    lacks("trend");
}
END_TEST

START_TEST(shares_name_who_makes_a_cgroup_grow)
{
    cJSON *root = json("forecast cgroup:" OUTLOOK_SHOP " --json");
    const cJSON *shares = get(root, "shares");
    const cJSON *first = cJSON_GetArrayItem(get(shares, "processes"), 0);

    ck_assert_str_eq(get(first, "subject")->valuestring, "unit:shop.service");
    ck_assert_double_eq_tol(number(first, "share"), 500.0 / 486, 0.02);
    ck_assert_double_eq_tol(number(cJSON_GetArrayItem(get(shares, "processes"), 1), "change_bytes"),
                            25.0 * OUTLOOK_MIB, 1.0 * OUTLOOK_MIB);
    ck_assert_int_eq(cJSON_GetArraySize(get(shares, "processes")), 2);
    cJSON_Delete(root);
    (void)answer("forecast cgroup:" OUTLOOK_SHOP);
    holds("unit:shop.service (pid 4711)");
    (void)answer("forecast proc:saved"); /* nothing of a cgroup to share */
    lacks("of that");
}
END_TEST

START_TEST(another_program_that_began_to_leak_is_named)
{
    (void)answer("forecast shop.service");
    holds("began with /opt/shop-1.3/shop (before: /opt/shop-1.2/shop)");
    (void)answer("forecast proc:rebuilt");
    holds("began with another build of /bin/rebuilt, first run 20:13:20");
    (void)answer("forecast proc:saved");
    lacks("began with");
}
END_TEST

START_TEST(of_one_that_ended_the_last_word_is_kept)
{
    (void)answer("forecast proc:dead");
    holds("ENDED");
    holds("SIGABRT, 20 min after this was said");
    holds("fails at RLIMIT_AS in 25 min (20 min - 32 min)");
}
END_TEST

START_TEST(nobody_is_an_error)
{
    ck_assert_int_eq(run("forecast nobody"), OC_EXIT_ERROR);
    ck_assert_int_eq(run("accuracy nobody"), OC_EXIT_ERROR);
    ck_assert_int_eq(run("forecast --plot x.svg"), OC_EXIT_USAGE);
}
END_TEST

static const char *const narrow[] = {
    "forecast",          "forecast --all",      "forecast shop.service",
    "forecast pool:web", "forecast proc:flat",  "accuracy",
    "accuracy --limits", "limits shop.service", "limits"
};

START_TEST(answers_fit_80_columns)
{
    is_tty = 1;
    for (const char *line = answer(narrow[_i]); *line;) {
        size_t len = strcspn(line, "\n");
        char text[512];

        (void)snprintf(text, sizeof(text), "%.*s", (int)len, line);
        /* sentences wrap by themselves; tables and pictures must not */
        ck_assert_msg(oc_text_columns(text) <= 80 || strstr(text, ". ") || strstr(text, "; ") ||
                          strstr(text, " of ") || strstr(text, ": "),
                      "%s", text);
        line += len + (line[len] == '\n');
    }
}
END_TEST

/* ---- short of memory ---- */

static const char *const greedy[] = { "forecast --all", "forecast shop.service --json",
                                      "forecast shop.service --chart", "accuracy --limits",
                                      "limits shop.service" };

START_TEST(any_allocation_may_fail)
{
    int64_t live;
    int failed = 1;

    (void)run(greedy[_i]);
    oc_buf_clear(&cli.out);
    live = oc_alloc_live();
    for (uint64_t nth = 1; failed && nth < 1000000; nth += 1 + nth / 25) {
        int exit_code;

        oc_alloc_fail_at(nth, 0);
        exit_code = run(greedy[_i]);
        failed = oc_alloc_count() >= nth;
        oc_alloc_fail_at(0, 0);
        ck_assert(exit_code == OC_EXIT_OK || exit_code == OC_EXIT_ERROR);
        oc_buf_clear(&cli.out);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
    ck_assert(!failed); /* the last run had what it needed */
}
END_TEST

/* ---- pictures ---- */

START_TEST(the_picture_reaches_to_the_limit)
{
    (void)answer("forecast shop.service --chart");
    holds("=====");
    holds("....");
    holds("10-90 %");
    holds("= memory.max 1.0 GiB");
    holds("/ trend");
}
END_TEST

START_TEST(a_plot_is_written_as_svg)
{
    char line[256], path[200], *text = NULL;
    FILE *file;
    size_t got;

    (void)snprintf(path, sizeof(path), "%s/shop.svg", folder);
    (void)snprintf(line, sizeof(line), "forecast shop.service --plot %s", path);
    ck_assert_str_eq(answer(line), "");
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(text);
    got = fread(text, 1, (1 << 20) - 1, file);
    (void)fclose(file);
    ck_assert_uint_gt(got, 1000);
    ck_assert_ptr_nonnull(strstr(text, "class=\"fan\""));
    ck_assert_ptr_nonnull(strstr(text, "class=\"limit\""));
    ck_assert_ptr_nonnull(strstr(text, "dies at memory.max"));
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_null(strstr(text, "inf"));
    ck_assert_ptr_nonnull(strstr(text, "</svg>"));
    free(text);
}
END_TEST

START_TEST(the_way_to_a_limit_is_straight)
{
    struct oc_plot_ahead ahead = { .limit = 100, .from_unix_ms = 1000, .from_value = 20 };

    ck_assert_double_eq(oc_plot_ahead_value(&ahead, 2000, 1000), 20);
    ck_assert_double_eq(oc_plot_ahead_value(&ahead, 2000, 1500), 60);
    ck_assert_double_eq(oc_plot_ahead_value(&ahead, 2000, 5000), 100);
    ck_assert_double_eq(oc_plot_ahead_value(&ahead, INT64_MAX, 5000), 20); /* open: it stays */
    ck_assert_double_eq(oc_plot_ahead_value(&ahead, 1000, 1000), 100);     /* met now */
}
END_TEST

/* ---- limits, top, status ---- */

START_TEST(limits_say_when_they_are_met)
{
    cJSON *root = json("limits shop.service --json");
    const cJSON *max = item_where(get(root, "limits"), "limit", "memory.max");
    const cJSON *files = item_where(get(root, "limits"), "limit", "RLIMIT_NOFILE");

    ck_assert_ptr_nonnull(max);
    ck_assert_double_eq_tol(number(get(max, "time_to_limit_s"), "p50"), 3 * 3600, 1);
    ck_assert_str_eq(get(files, "state")->valuestring, "flat");
    ck_assert_ptr_null(cJSON_GetObjectItem(files, "time_to_limit_s"));
    cJSON_Delete(root);
    (void)answer("limits shop.service");
    holds(" TIME ");
    holds(" 3 h ");
}
END_TEST

/* What top makes of the newest samples and the outlook. */
static void load_top(struct oc_top *top, struct oc_outlook *outlook)
{
    struct oc_detail detail;
    oc_reader *reader = NULL;
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/oomcast.db", folder);
    ck_assert_int_eq(oc_reader_open(path, &reader, &detail), 0);
    ck_assert_int_eq(oc_outlook_load(outlook, reader, NOW), 0);
    oc_top_init(top, OC_TOP_PROCESSES, 60000);
    top->outlook = outlook;
    oc_top_begin(top, NOW);
    ck_assert_int_ge(oc_reader_latest(reader, oc_top_take, top), 0);
    ck_assert_int_eq(oc_top_end(top), 0);
    oc_reader_close(reader);
}

START_TEST(top_sorts_by_what_is_out_first)
{
    static struct oc_top top;
    struct oc_outlook outlook = { 0 };
    struct oc_top_view view = { .now_unix_ms = NOW, .span_ms = 60000, .store = "/x" };
    struct oc_buf out;

    load_top(&top, &outlook);
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_TTL, 0, 0), 0);
    ck_assert_str_eq(top.rows[0].name, "proc:full");
    ck_assert_str_eq(top.rows[1].name, "pool:web");
    ck_assert_str_eq(top.rows[2].name, "unit:shop.service");
    oc_buf_init(&out, 1u << 20);
    ck_assert_int_eq(oc_top_draw(&top, &view, &out), 0);
    ck_assert_ptr_nonnull(strstr(out.data, "TTL"));
    ck_assert_ptr_nonnull(strstr(out.data, "(4 d 6 h)"));
    oc_buf_clear(&out);
    oc_top_clear(&top);
    oc_outlook_clear(&outlook);
}
END_TEST

START_TEST(top_without_forecasts_has_no_such_column)
{
    static struct oc_top top;
    struct oc_outlook outlook = { 0 };
    struct oc_top_view view = { .now_unix_ms = NOW, .span_ms = 60000, .store = "/x" };
    struct oc_buf out;

    load_top(&top, &outlook);
    ck_assert_int_eq(oc_top_make_rows(&top, OC_TOP_BY_TTL, 0, 0), 0);
    oc_buf_init(&out, 1u << 20);
    ck_assert_int_eq(oc_top_draw(&top, &view, &out), 0);
    ck_assert_ptr_null(strstr(out.data, "TTL"));
    oc_buf_clear(&out);
    oc_top_clear(&top);
    oc_outlook_clear(&outlook);
}
END_TEST

START_TEST(status_counts_and_names_the_soonest)
{
    cJSON *root;

    (void)run("status --json"); /* 1: no daemon answers */
    root = cJSON_Parse(cli.out.data);
    ck_assert_ptr_nonnull(root);
    ck_assert_double_eq(number(get(get(root, "forecasts"), "counts"), "leaking"), 2);
    ck_assert_double_eq(number(get(get(root, "forecasts"), "counts"), "saved"), 1);
    ck_assert_str_eq(get(get(get(root, "forecasts"), "soonest"), "subject")->valuestring,
                     "proc:full");
    cJSON_Delete(root);
}
END_TEST

/* ---- the record ---- */

START_TEST(the_record_is_summed_up)
{
    cJSON *root = json("accuracy --json");
    const cJSON *all = get(root, "all");

    ck_assert_double_eq(number(all, "judged"), 44);
    ck_assert_double_eq_tol(number(all, "inside_ratio"), 35.0 / 44, 1e-9);
    ck_assert_double_eq_tol(number(all, "error_factor"), 1.2, 1e-9);
    ck_assert_double_eq(number(all, "lead_s"), 7200);
    ck_assert_double_eq(number(all, "false_alarms"), 1);
    ck_assert(cJSON_IsTrue(get(all, "is_enough")));
    ck_assert_int_eq(cJSON_GetArraySize(get(root, "subjects")), 2);
    cJSON_Delete(root);
    root = json("accuracy --limits --json");
    ck_assert_int_eq(cJSON_GetArraySize(get(root, "subjects")), 3);
    cJSON_Delete(root);
    (void)answer("accuracy");
    holds("80 % (+- 6) of 44 held what happened");
    holds("as promised");
    holds("5 limits were met, 4 of them foretold, 2 h ahead in the mean");
    holds("6, 1 of them false");
}
END_TEST

START_TEST(of_too_little_nothing_is_concluded)
{
    cJSON *root = json("accuracy shop.service --json");

    ck_assert(cJSON_IsFalse(get(get(root, "all"), "is_enough")));
    cJSON_Delete(root);
    (void)answer("accuracy shop.service");
    holds("Too little to judge: the outcome of 4 intervals is known, 10 are needed (2 held it).");
    lacks("as promised");
    lacks("50 %");
}
END_TEST

static const struct {
    uint64_t judged, inside, ends;
    const char *word;
} verdicts[] = {
    { 9, 9, 5, "too few" },
    { 100, 80, 5, "as promised" },
    { 100, 75, 5, "as promised" },
    { 100, 60, 5, "they are too narrow" },
    { 100, 95, 5, "they are wider than need be" },
    { 10, 10, 5, "as promised" },              /* may be chance */
    { 12, 12, 1, "too few ends to tell yet" }, /* of one life: they are right together */
    { 30, 5, 0, "they are too narrow" },       /* overdue, and nothing happened */
};

START_TEST(a_verdict_allows_for_chance)
{
    struct oc_accuracy sum = { .judged = verdicts[_i].judged,
                               .inside = verdicts[_i].inside,
                               .ends = verdicts[_i].ends };

    ck_assert_str_eq(oc_verdict_word(&sum), verdicts[_i].word);
}
END_TEST

/* ---- nothing forecast ---- */

START_TEST(nothing_forecast_is_said)
{
    cJSON *root = json("forecast --json");

    ck_assert_int_eq(cJSON_GetArraySize(get(root, "forecasts")), 0);
    ck_assert_double_eq(number(root, "unsaid"), 1);
    cJSON_Delete(root);
    (void)answer("forecast");
    holds("Nothing is forecast yet");
    ck_assert_int_eq(run("forecast proc:new"), OC_EXIT_ERROR);
    (void)answer("accuracy");
    holds("Too little to judge: no outcome of a forecast is known yet");
    (void)answer("limits");
    lacks("TIME");
}
END_TEST

/* ---- the suite ---- */

static void add_tables(TCase *tcase)
{
    tcase_add_test(tcase, what_grows_is_listed_the_soonest_first);
    tcase_add_test(tcase, what_does_not_grow_is_counted);
    tcase_add_test(tcase, a_dead_one_is_not_listed);
    tcase_add_test(tcase, a_glob_lists_what_it_names);
    tcase_add_test(tcase, hostile_names_are_escaped);
    tcase_add_test(tcase, csv_has_a_row_a_subject);
    tcase_add_test(tcase, a_forecast_moves_on_with_the_time);
    tcase_add_test(tcase, nothing_new_is_said_to_be_stale);
    tcase_add_test(tcase, a_fresh_one_is_not_stale);
    tcase_add_loop_test(tcase, answers_fit_80_columns, 0, COUNT(narrow));
}

static void add_answers(TCase *tcase)
{
    tcase_add_test(tcase, its_cgroup_binds_a_service_that_grows);
    tcase_add_test(tcase, a_calm_neighbour_in_it_has_no_time_of_its_own);
    tcase_add_test(tcase, memory_high_stalls_and_has_an_open_end);
    tcase_add_test(tcase, a_limit_on_a_sum_concerns_each_process_of_it);
    tcase_add_test(tcase, a_limit_that_is_met_says_so);
    tcase_add_test(tcase, what_restarts_save_says_how_long_it_would_last);
    tcase_add_test(tcase, a_flat_one_has_no_limit_ahead);
    tcase_add_test(tcase, shares_name_who_makes_a_cgroup_grow);
    tcase_add_test(tcase, another_program_that_began_to_leak_is_named);
    tcase_add_test(tcase, of_one_that_ended_the_last_word_is_kept);
    tcase_add_test(tcase, nobody_is_an_error);
    tcase_add_loop_test(tcase, any_allocation_may_fail, 0, COUNT(greedy));
    tcase_add_test(tcase, the_picture_reaches_to_the_limit);
    tcase_add_test(tcase, a_plot_is_written_as_svg);
}

static void add_others(TCase *tcase)
{
    tcase_add_test(tcase, limits_say_when_they_are_met);
    tcase_add_test(tcase, top_sorts_by_what_is_out_first);
    tcase_add_test(tcase, status_counts_and_names_the_soonest);
    tcase_add_test(tcase, the_record_is_summed_up);
    tcase_add_test(tcase, of_too_little_nothing_is_concluded);
}

static TCase *words(void)
{
    TCase *tcase = tcase_create("words");

    tcase_add_loop_test(tcase, a_time_has_the_digits_that_are_known, 0, COUNT(times));
    tcase_add_test(tcase, what_is_unknown_is_a_dash);
    tcase_add_test(tcase, an_open_end_is_or_never);
    tcase_add_test(tcase, each_kind_of_limit_says_what_happens_there);
    tcase_add_test(tcase, the_way_to_a_limit_is_straight);
    tcase_add_loop_test(tcase, a_verdict_allows_for_chance, 0, COUNT(verdicts));
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("forecast");
    TCase *made = tcase_create("made"), *empty = tcase_create("empty");
    SRunner *runner;
    int failed;

    (void)set_local_time("UTC");
    tcase_add_unchecked_fixture(made, make_store, drop_store);
    tcase_add_checked_fixture(made, set_now, NULL);
    add_tables(made);
    add_answers(made);
    add_others(made);
    tcase_add_unchecked_fixture(empty, make_empty_store, drop_store);
    tcase_add_checked_fixture(empty, set_now, NULL);
    tcase_add_test(empty, nothing_forecast_is_said);
    tcase_add_test(empty, top_without_forecasts_has_no_such_column);
    suite_add_tcase(suite, words());
    suite_add_tcase(suite, made);
    suite_add_tcase(suite, empty);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    oc_buf_clear(&cli.out);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
