/* regions, modules, limits, diff, export and lives as the program runs them, on a store made up. */
#include "../storage/walk_fixture.h"

#include "base/text.h"
#include "cli/cli.h"
#include "cli/model/ceilings.h"
#include "cli/model/families.h"
#include "cli/model/regions.h"
#include "cli/show/ending.h"
#include "tests/support/environment.h"

#include <cjson/cJSON.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define MIB (UINT64_C(1) << 20)
#define NOW (3 * HOUR) /* since the boot */

static struct oc_cli cli;
static uint32_t shop, web1, web2, web, dead, fresh, once, again, cgroup, host;

/* ---- the store ---- */

static uint32_t begin_source(enum oc_source_kind kind, const char *subject, uint32_t pid,
                             int64_t begin_ms)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = pid },
                                   .uid = 1000,
                                   .name = "made",
                                   .cgroup = "/a/b",
                                   .cmdline = "made --by hand" };
    struct oc_source_info info = { .kind = kind,
                                   .subject = subject,
                                   .begin_boot_ms = begin_ms,
                                   .facts = pid ? &facts : NULL,
                                   .cgroup_inode = kind == OC_SOURCE_CGROUP ? 77 : 0,
                                   .interval_ms = 10000 };
    uint32_t source = 0;

    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
    return source;
}

static void put_sample(uint32_t source, int64_t t_ms, const struct oc_sample *sample)
{
    struct oc_tick tick;

    oc_tick_init(&tick);
    oc_tick_begin(&tick, t_ms);
    oc_tick_put(&tick, source, sample);
    ck_assert_int_eq(tick.bytes.err, 0);
    tick.keyed = 1;
    ck_assert_int_eq(oc_store_append(store, &tick), 0);
    oc_tick_clear(&tick);
}

static void put_private(uint32_t source, int64_t t_ms, uint64_t private_bytes, int64_t fds)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_PRIVATE, (int64_t)private_bytes);
    oc_sample_set(&sample, OC_METRIC_RSS, (int64_t)private_bytes + 4096);
    oc_sample_set(&sample, OC_METRIC_FDS, fds);
    put_sample(source, t_ms, &sample);
}

static void free_space(struct oc_census *census)
{
    made_cell(census, OC_USAGE_FREE, 3, UINT64_C(128) << 40);
    census->totals[census->total_count - 1].type = OC_REGION_NONE;
    census->totals[census->total_count - 1].state = OC_REGION_FREE;
    census->largest_free_bytes = UINT64_C(100) << 40;
}

/* heap in MiB and `leaked` modules of one shape. */
static void put_walk(uint32_t source, int64_t t_ms, uint64_t heap, unsigned leaked)
{
    struct oc_census census = { 0 };
    struct oc_store_walk walk = { .boot_ms = t_ms, .cpu_us = 900, .census = &census };
    char name[64];

    made_cell(&census, OC_USAGE_HEAP, 2, heap * MIB);
    made_cell(&census, OC_USAGE_PRIVATE, 4, 10 * MIB);
    free_space(&census);
    made_family(&census, OC_FAMILY_MODULE, "/x/qrt-*.dll", leaked, leaked * MIB);
    made_family(&census, OC_FAMILY_MODULE, "/lib/libc.so.6", 1, 2 * MIB);
    made_family(&census, OC_FAMILY_THREAD, "worker-*", 4, 4 * MIB);
    made_module(&census, 0x1000, "/lib/libc.so.6");
    for (unsigned i = 0; i < leaked; i++) {
        (void)snprintf(name, sizeof(name), "/x/qrt-%04x.dll", i);
        made_module(&census, 0x100000 + 0x1000 * (uint64_t)i, name);
    }
    ck_assert_int_eq(oc_store_walk(store, source, &walk), 0);
    oc_census_clear(&census);
}

static void put_limit(uint32_t source, enum oc_limit_kind kind, uint64_t value, const char *where)
{
    struct oc_limit limit = { .kind = (uint8_t)kind,
                              .metric = oc_limit_row(kind)->metric,
                              .value = value };

    (void)oc_text_copy(limit.where, sizeof(limit.where), where);
    ck_assert_int_eq(oc_store_limits(store, source, HOUR, &limit, 1), 0);
}

static void put_cgroup(void)
{
    struct oc_sample sample = { .block = OC_BLOCK_CGROUP };

    cgroup = begin_source(OC_SOURCE_CGROUP, "cgroup:/a", 0, MINUTE);
    oc_sample_set(&sample, OC_METRIC_CGROUP_CURRENT, (int64_t)(900 * MIB));
    oc_sample_set(&sample, OC_METRIC_CGROUP_CHARGE, (int64_t)(900 * MIB));
    put_sample(cgroup, NOW - MINUTE, &sample);
    put_limit(cgroup, OC_LIMIT_CGROUP_HIGH, 1000 * MIB, "/a");
}

static void put_host(void)
{
    struct oc_sample sample = { .block = OC_BLOCK_HOST };

    host = begin_source(OC_SOURCE_HOST, "host", 0, MINUTE);
    oc_sample_set(&sample, OC_METRIC_HOST_USED, (int64_t)(2000 * MIB));
    put_sample(host, NOW - MINUTE, &sample);
    put_limit(host, OC_LIMIT_HOST_MEMORY, 10000 * MIB, "");
}

/* What the daemon keeps of a subject of several processes. */
static void put_group(void)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    web = begin_source(OC_SOURCE_GROUP, "proc:web", 0, MINUTE);
    oc_sample_set(&sample, OC_METRIC_PRIVATE, (int64_t)(100 * MIB));
    oc_sample_set(&sample, OC_METRIC_PROCESSES, 2);
    put_sample(web, NOW - MINUTE, &sample);
}

/* Two lives of one subject, one after the other. */
static void put_restart(void)
{
    struct oc_sample walked = { .block = OC_BLOCK_PROCESS };

    once = begin_source(OC_SOURCE_PROCESS, "proc:twice", 500, MINUTE);
    put_private(once, HOUR, 60 * MIB, 10);
    put_walk(once, HOUR, 50, 1);
    ck_assert_int_eq(oc_store_source_end(store, once, 2 * HOUR - MINUTE, OC_END_EXITED, 0), 0);
    again = begin_source(OC_SOURCE_PROCESS, "proc:twice", 501, 2 * HOUR + 1);
    oc_sample_set(&walked, OC_METRIC_MAPPINGS, 6553);
    put_sample(again, 2 * HOUR + MINUTE, &walked);
    put_limit(again, OC_LIMIT_MAX_MAP_COUNT, 65530, "");
    put_private(again, NOW - MINUTE, 90 * MIB, 10);
    put_walk(again, NOW - MINUTE, 70, 1);
}

static void make_store(void)
{
    walk_setup();
    walk_open_at(MINUTE);
    shop = begin_source(OC_SOURCE_PROCESS, "proc:shop", 100, MINUTE);
    web1 = begin_source(OC_SOURCE_PROCESS, "proc:web", 200, MINUTE);
    web2 = begin_source(OC_SOURCE_PROCESS, "proc:web", 201, MINUTE);
    dead = begin_source(OC_SOURCE_PROCESS, "proc:dead\033[2J", 300, MINUTE);
    put_private(shop, HOUR, 100 * MIB, 10);
    put_private(web1, HOUR, 50 * MIB, 10);
    put_private(web2, HOUR, 50 * MIB, 10);
    put_private(dead, HOUR, 500 * MIB, 10);
    put_walk(shop, HOUR, 80, 10);
    put_walk(web1, HOUR, 40, 1);
    put_walk(web2, HOUR, 40, 1);
    put_walk(dead, HOUR, 490, 1);
    ck_assert_int_eq(oc_store_source_end(store, dead, 2 * HOUR, OC_END_OOM_KILLED, 9), 0);
    ck_assert_int_eq(oc_store_source_killer(store, dead, OC_KILLER_CGROUP, "/a/b"), 0);
    put_private(shop, NOW - MINUTE, 220 * MIB, 900);
    put_private(web1, NOW - MINUTE, 50 * MIB, 10);
    put_private(web2, NOW - MINUTE, 50 * MIB, 100);
    put_walk(shop, NOW - 10 * MINUTE, 160, 500);
    put_walk(web1, NOW - 10 * MINUTE, 40, 1);
    fresh = begin_source(OC_SOURCE_PROCESS, "proc:fresh", 400, NOW - MINUTE);
    put_private(fresh, NOW - MINUTE, 5 * MIB, 3);
    put_limit(shop, OC_LIMIT_RLIMIT_NOFILE, 1000, "");
    put_limit(web1, OC_LIMIT_RLIMIT_NOFILE, 1000, "");
    put_limit(web2, OC_LIMIT_RLIMIT_NOFILE, 1000, "");
    put_cgroup();
    put_host();
    put_group();
    put_restart();
    walk_commit(NOW);
    (void)set_variable("OOMCAST_DB", walk_path);
}

/* The store is shared by the cases: none of them writes. */
static void drop_store(void)
{
    (void)set_variable("OOMCAST_DB", NULL);
    walk_teardown();
}

/* ---- running a command ---- */

/* Words parted by blanks: "regions shop --json". Its exit code; the answer is in cli.out. */
static int run(const char *line)
{
    static char words[512];
    char *argv[16];
    int argc = 0;
    struct oc_detail detail = { 0 };

    oc_buf_clear(&cli.out);
    memset(&cli, 0, sizeof(cli));
    oc_buf_init(&cli.out, 8u << 20);
    cli.now_unix_ms = WALK_UNIX_MS + NOW;
    cli.width = 80;
    cli.utf8 = 1;
    argv[0] = words;
    (void)oc_text_copy(words, sizeof(words), line);
    for (char *word = strtok(words, " "); word && argc < 16; word = strtok(NULL, " "))
        argv[argc++] = word;
    for (size_t i = 0; oc_cli_commands()[i]; i++) {
        if (strcmp(oc_cli_commands()[i]->name, argv[0]) == 0)
            cli.command = oc_cli_commands()[i];
    }
    ck_assert_ptr_nonnull(cli.command);
    ck_assert_msg(oc_cli_parse(&cli, argc - 1, argv + 1, &detail) == 0, "%s", detail.text);
    return cli.command->run(&cli);
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

    ck_assert_int_eq(run(line), OC_EXIT_OK);
    root = cJSON_Parse(cli.out.data);
    ck_assert_msg(root != NULL, "no JSON: %s", cli.out.data);
    return root;
}

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    ck_assert_msg(cJSON_IsNumber(item), "no number '%s' in %s", key, cli.out.data);
    return item->valuedouble;
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
    ck_abort_msg("no %s %s in %s", key, value, cli.out.data);
    return NULL;
}

/* ---- regions ---- */

START_TEST(regions_sum_a_census_by_usage_type_and_state)
{
    cJSON *root = json("regions shop --json");
    const cJSON *usages = cJSON_GetObjectItem(root, "usages");

    ck_assert_double_eq(number(item_where(usages, "usage", "Heap"), "commit_bytes"), 160.0 * MIB);
    ck_assert_double_eq(number(item_where(usages, "usage", "Private"), "count"), 4);
    ck_assert_double_eq(number(root, "busy_bytes"), 170.0 * MIB);
    ck_assert_double_eq(number(root, "unexplained_bytes"), 10.0 * MIB);
    (void)item_where(cJSON_GetObjectItem(root, "types"), "type", "MEM_PRIVATE");
    (void)item_where(cJSON_GetObjectItem(root, "states"), "state", "MEM_FREE");
    cJSON_Delete(root);
}
END_TEST

START_TEST(regions_of_then_are_of_the_walk_before)
{
    char line[64];
    cJSON *root;

    (void)snprintf(line, sizeof(line), "regions shop --json --at @%lld",
                   (long long)((WALK_UNIX_MS + 2 * HOUR) / 1000));
    root = json(line);
    ck_assert_double_eq(number(root, "commit_bytes"), 90.0 * MIB);
    cJSON_Delete(root);
    (void)snprintf(line, sizeof(line), "regions shop --at @%lld",
                   (long long)((WALK_UNIX_MS + 2 * MINUTE) / 1000));
    ck_assert_int_eq(run(line), OC_EXIT_ERROR); /* it ran, and was not walked yet */
}
END_TEST

START_TEST(regions_of_several_processes_are_summed_up)
{
    ck_assert_int_eq(run("regions web"), OC_EXIT_OK);
    holds("All 2 processes");
    holds("201");
    holds("80.0 MiB"); /* heaps of both */
}
END_TEST

START_TEST(regions_of_one_that_ended_say_so)
{
    ck_assert_int_eq(run("regions *dead*"), OC_EXIT_OK);
    holds("ended");
    holds("\\e[2J"); /* a hostile name moves no cursor */
    lacks("\033");
}
END_TEST

START_TEST(regions_without_a_walk_are_an_error)
{
    ck_assert_int_eq(run("regions fresh"), OC_EXIT_ERROR);
    ck_assert_int_eq(run("regions nobody"), OC_EXIT_ERROR);
    ck_assert_int_eq(run("regions shop --list"), OC_EXIT_USAGE);
    ck_assert_uint_eq(cli.out.len_bytes, 0);
}
END_TEST

START_TEST(shares_of_64_bits_leave_free_space_out)
{
    struct oc_census census = { 0 };
    struct oc_regions regions = { 0 };
    unsigned order[OC_USAGE_COUNT];

    made_cell(&census, OC_USAGE_STACK, 1, 3 * MIB);
    made_cell(&census, OC_USAGE_HEAP, 1, 7 * MIB);
    free_space(&census);
    oc_regions_add(&regions, &census);
    ck_assert_uint_eq(regions.busy_bytes, 10 * MIB);
    ck_assert_uint_eq(oc_regions_order(regions.usages, OC_USAGE_COUNT, OC_USAGE_FREE, order), 3);
    ck_assert_uint_eq(order[0], OC_USAGE_HEAP);
    ck_assert_uint_eq(order[2], OC_USAGE_FREE);
    ck_assert_int_eq(regions.has_resident, 0);
    oc_regions_add(&regions, &census);
    ck_assert_uint_eq(regions.largest_free_bytes, 0); /* of two address spaces there is none */
    oc_census_clear(&census);
}
END_TEST

/* ---- modules ---- */

START_TEST(modules_of_one_shape_are_a_row)
{
    ck_assert_int_eq(run("modules shop"), OC_EXIT_OK);
    holds("/x/qrt-*.dll");
    lacks("/x/qrt-0001.dll");
    holds("/lib/libc.so.6");
    holds("501 modules");
    ck_assert_int_eq(run("modules shop --all --limit 0"), OC_EXIT_OK);
    holds("/x/qrt-0001.dll");
    lacks("/x/qrt-*.dll");
}
END_TEST

START_TEST(modules_say_since_when)
{
    cJSON *root = json("modules shop --json");
    const cJSON *modules = cJSON_GetObjectItem(root, "modules");

    ck_assert_int_eq(cJSON_GetArraySize(modules), 501);
    ck_assert_ptr_nonnull(
        cJSON_GetObjectItem(item_where(modules, "name", "/x/qrt-0001.dll"), "loaded"));
    cJSON_Delete(root);
}
END_TEST

START_TEST(families_have_their_growth)
{
    cJSON *root = json("modules shop --families --json");
    const cJSON *families = cJSON_GetObjectItem(root, "families");
    const cJSON *grows = item_where(families, "name", "/x/qrt-*.dll");

    /* 490 within 110 minutes */
    ck_assert_double_eq_tol(number(grows, "count_per_hour"), 490.0 * 60 / 110, 1);
    ck_assert_double_eq(number(item_where(families, "name", "worker-*"), "count_per_hour"), 0);
    cJSON_Delete(root);
}
END_TEST

START_TEST(families_of_several_processes_are_summed_up)
{
    cJSON *root;

    ck_assert_int_eq(run("modules web"), OC_EXIT_ERROR); /* which one? */
    root = json("modules web --families --json");
    ck_assert_double_eq(
        number(item_where(cJSON_GetObjectItem(root, "families"), "name", "worker-*"), "count"), 8);
    cJSON_Delete(root);
}
END_TEST

static const struct {
    const char *shape, *name;
    int matches;
} shapes[] = {
    { "qrt-*.dll", "qrt-x6cw.dll", 1 },
    { "qrt-*.dll", "qrt-.dll", 1 },
    { "qrt-*.dll", "qrt-x6cw.so", 0 },
    { "*", "", 1 },
    { "a*b*c", "a1b2b3c", 1 },
    { "a*b*c", "a1b2b3", 0 },
    { "[x]*", "[x]1", 1 },
    { "x", "", 0 },
    { "a**b", "ab", 1 },
};

START_TEST(a_shape_matches_its_names)
{
    ck_assert_int_eq(oc_shape_matches(shapes[_i].shape, shapes[_i].name), shapes[_i].matches);
}
END_TEST

/* ---- limits ---- */

START_TEST(limits_stand_by_nearness)
{
    cJSON *root = json("limits shop --json");
    const cJSON *limits = cJSON_GetObjectItem(root, "limits");

    ck_assert_int_eq(cJSON_GetArraySize(limits), 3);
    ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(limits, 2), "limit")->valuestring,
                     "host memory");
    ck_assert_double_eq_tol(number(item_where(limits, "limit", "memory.high"), "ratio"), 0.9, 1e-9);
    ck_assert_double_eq(number(item_where(limits, "limit", "RLIMIT_NOFILE"), "room"), 100);
    cJSON_Delete(root);
}
END_TEST

START_TEST(memory_high_stalls_and_kills_nobody)
{
    ck_assert_int_eq(run("limits shop"), OC_EXIT_OK);
    holds("stalls");
    holds("SINCE");
    lacks("RLIMIT_AS");
}
END_TEST

START_TEST(of_several_processes_the_nearest_stands_for_all)
{
    cJSON *root = json("limits web --json");
    const cJSON *files = item_where(cJSON_GetObjectItem(root, "limits"), "limit", "RLIMIT_NOFILE");

    ck_assert_double_eq(number(files, "pid"), 201);
    ck_assert_double_eq(number(files, "processes"), 2);
    ck_assert_double_eq(number(files, "use"), 100);
    cJSON_Delete(root);
}
END_TEST

START_TEST(limits_of_all_have_a_row_a_subject)
{
    cJSON *root = json("limits --json");

    ck_assert_int_eq(cJSON_GetArraySize(root), 4); /* the dead one has none */
    ck_assert_double_eq_tol(number(item_where(root, "subject", "proc:web"), "ratio"), 0.9, 1e-9);
    cJSON_Delete(root);
    ck_assert_int_eq(run("limits"), OC_EXIT_OK);
    holds("proc:shop");
    lacks("dead");
    ck_assert_int_eq(run("limits *dead*"), OC_EXIT_ERROR);
}
END_TEST

START_TEST(what_only_walks_know_is_looked_for_further_back)
{
    cJSON *root = json("limits twice --json");

    ck_assert_double_eq_tol(
        number(item_where(cJSON_GetObjectItem(root, "limits"), "limit", "vm.max_map_count"),
               "ratio"),
        0.1, 1e-9);
    cJSON_Delete(root);
}
END_TEST

START_TEST(a_cgroup_and_the_host_have_limits_too)
{
    ck_assert_int_eq(run("limits cgroup:/a"), OC_EXIT_OK);
    holds("memory.high");
    lacks("host memory");
    ck_assert_int_eq(run("limits host"), OC_EXIT_OK);
    holds("host memory");
    ck_assert_int_eq(run("limits cgroup:/nowhere"), OC_EXIT_ERROR);
}
END_TEST

/* ---- diff ---- */

START_TEST(diff_says_what_grew)
{
    cJSON *root = json("diff shop --from 2h --json");
    const cJSON *changes = cJSON_GetObjectItem(root, "changes");

    ck_assert_double_eq(number(item_where(changes, "name", "private_bytes"), "change"),
                        120.0 * MIB);
    ck_assert_double_eq(number(item_where(changes, "name", "Heap"), "change"), 80.0 * MIB);
    ck_assert_double_eq(number(item_where(changes, "name", "/x/qrt-*.dll"), "change"), 490);
    ck_assert_double_eq(number(root, "explained_bytes"), 80.0 * MIB);
    ck_assert_double_eq(number(root, "unexplained_bytes"), 40.0 * MIB);
    ck_assert_double_eq(number(root, "common_processes"), 1);
    cJSON_Delete(root);
}
END_TEST

START_TEST(diff_from_before_the_beginning_takes_the_first_walk)
{
    ck_assert_int_eq(run("diff shop --from 7d"), OC_EXIT_OK);
    holds("the first there is");
    holds("+80.0 MiB");
    holds("unexplained");
}
END_TEST

START_TEST(diff_where_nothing_changed_says_so)
{
    ck_assert_int_eq(run("diff 200 --from 2h"), OC_EXIT_OK);
    holds("Nothing changed");
    ck_assert_int_eq(run("diff nobody --from 2h"), OC_EXIT_ERROR);
    ck_assert_int_eq(run("diff shop --from 1h --to 2h"), OC_EXIT_USAGE);
}
END_TEST

START_TEST(diff_compares_two_lives)
{
    cJSON *root;

    ck_assert_int_eq(run("diff twice --from 90m"), OC_EXIT_OK);
    holds("Two lives are compared");
    holds("pid 500");
    holds("pid 501");
    root = json("diff twice --from 90m --json");
    ck_assert_double_eq(
        number(item_where(cJSON_GetObjectItem(root, "changes"), "name", "Heap"), "change"),
        20.0 * MIB);
    ck_assert_double_eq(number(root, "common_processes"), 0);
    cJSON_Delete(root);
}
END_TEST

/* ---- a subject of several processes ---- */

START_TEST(processes_are_not_counted_twice)
{
    cJSON *root = json("history web private --json");
    const cJSON *line = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "lines"), 0);

    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "lines")), 1);
    ck_assert_double_eq(number(line, "last"), 100.0 * MIB); /* of both, and not of their group */
    cJSON_Delete(root);
    root = json("history web process_count --json");
    line = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "lines"), 0);
    ck_assert_double_eq(number(line, "last"), 2);
    cJSON_Delete(root);
    ck_assert_int_eq(run("history shop process_count"), OC_EXIT_ERROR);
    root = json("top --json");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "processes")), 5);
    cJSON_Delete(root);
    root = json("lives web --json");
    ck_assert_int_eq(cJSON_GetArraySize(root), 2);
    cJSON_Delete(root);
}
END_TEST

/* ---- export, lives ---- */

static size_t lines(void)
{
    size_t count = 0;

    for (const char *at = cli.out.data; at && (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

START_TEST(exports_samples_with_a_head)
{
    ck_assert_int_eq(run("export shop -m private"), OC_EXIT_OK);
    ck_assert_int_eq(strncmp(cli.out.data, "time,subject,source,pid,kind,metric,value\r\n", 43), 0);
    ck_assert_uint_eq(lines(), 3);
    holds(",proc:shop,");
    holds("private_bytes,104857600");
    ck_assert_int_eq(run("export shop web -m private"), OC_EXIT_OK);
    ck_assert_uint_eq(lines(), 8); /* the group's too: its kind tells it apart */
    holds(",group,private_bytes,");
    ck_assert_int_eq(run("export shop --since 30m -m private"), OC_EXIT_OK);
    ck_assert_uint_eq(lines(), 2);
    ck_assert_int_eq(run("export nobody"), OC_EXIT_ERROR);
    ck_assert_int_eq(run("export --what regions -m private"), OC_EXIT_USAGE);
}
END_TEST

static const char *const whats[] = {
    "samples", "regions", "families", "modules", "limits", "lives"
};

START_TEST(exports_objects_a_line)
{
    char line[64];
    size_t count = 0;

    (void)snprintf(line, sizeof(line), "export --json --what %s", whats[_i]);
    ck_assert_int_eq(run(line), OC_EXIT_OK);
    for (char *at = cli.out.data, *newline; (newline = strchr(at, '\n')) != NULL;
         at = newline + 1, count++) {
        cJSON *object;

        *newline = '\0';
        object = cJSON_Parse(at);
        ck_assert_msg(cJSON_IsObject(object), "%s", at);
        cJSON_Delete(object);
    }
    ck_assert_uint_gt(count, 3);
}
END_TEST

START_TEST(lives_name_the_killer)
{
    cJSON *root;

    ck_assert_int_eq(run("lives *dead*"), OC_EXIT_OK);
    holds("killed: out of memory, limit of cgroup /a/b");
    ck_assert_int_eq(run("lives --last"), OC_EXIT_OK);
    holds("490.0 MiB");
    holds("private_bytes");
    lacks("\033");
    root = json("lives --last --json");
    ck_assert_double_eq(number(cJSON_GetObjectItem(root, "last"), "private_bytes"), 500.0 * MIB);
    ck_assert_double_eq(number(cJSON_GetObjectItem(root, "regions"), "commit_bytes"), 500.0 * MIB);
    ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "life"), "killer")->valuestring,
                     "cgroup limit");
    cJSON_Delete(root);
    ck_assert_int_eq(run("lives shop --last"), OC_EXIT_ERROR); /* it still runs */
}
END_TEST

static const struct {
    enum oc_end end;
    int status;
    enum oc_killer killer;
    const char *scope, *text;
} endings[] = {
    { OC_END_EXITED, 3, OC_KILLER_UNKNOWN, NULL, "exit code 3" },
    { OC_END_SIGNALED, 9, OC_KILLER_UNKNOWN, "", "killed by SIGKILL" },
    { OC_END_OOM_KILLED, 9, OC_KILLER_UNKNOWN, "", "killed: out of memory" },
    { OC_END_OOM_KILLED, 9, OC_KILLER_CGROUP, "/a", "killed: out of memory, limit of cgroup /a" },
    { OC_END_OOM_KILLED, 9, OC_KILLER_HOST, "", "killed: the host was out of memory" },
    { OC_END_SIGNALED, 9, OC_KILLER_OOMD, "/a", "killed by systemd-oomd, cgroup /a" },
    { OC_END_SIGNALED, 15, OC_KILLER_EARLYOOM, "",
      "killed by earlyoom: the host ran out of memory" },
};

START_TEST(an_ending_in_words)
{
    char text[128];

    if (endings[_i].killer == OC_KILLER_CGROUP)
        ck_assert_str_eq(oc_ending_short(endings[_i].end, endings[_i].status, endings[_i].killer,
                                         endings[_i].scope, text, sizeof(text)),
                         "OOM of /a");

    ck_assert_str_eq(oc_ending_text(endings[_i].end, endings[_i].status, endings[_i].killer,
                                    endings[_i].scope, text, sizeof(text)),
                     endings[_i].text);
}
END_TEST

/* ---- width ---- */

static const char *const narrow[] = {
    "regions shop", "regions web", "modules shop",        "modules shop --families",
    "limits",       "limits shop", "diff shop --from 2h", "lives --last",
    "lives",
};

START_TEST(answers_fit_80_columns)
{
    ck_assert_int_eq(run(narrow[_i]), OC_EXIT_OK); /* fills in what a terminal would change */
    oc_buf_reset(&cli.out);
    cli.is_tty = 1;
    cli.width = 80;
    ck_assert_int_eq(cli.command->run(&cli), OC_EXIT_OK);
    for (char *line = cli.out.data, *newline; (newline = strchr(line, '\n')) != NULL;
         line = newline + 1) {
        *newline = '\0';
        ck_assert_msg(oc_text_columns(line) <= 80, "%zu columns: %s", oc_text_columns(line), line);
        ck_assert_msg(newline == line || newline[-1] != ' ', "blank at the end: %s", line);
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("walks");
    TCase *tcase = tcase_create("walks");
    SRunner *runner;
    int failed;

    tcase_add_unchecked_fixture(tcase, make_store, drop_store);
    tcase_add_test(tcase, regions_sum_a_census_by_usage_type_and_state);
    tcase_add_test(tcase, regions_of_then_are_of_the_walk_before);
    tcase_add_test(tcase, regions_of_several_processes_are_summed_up);
    tcase_add_test(tcase, regions_of_one_that_ended_say_so);
    tcase_add_test(tcase, regions_without_a_walk_are_an_error);
    tcase_add_test(tcase, shares_of_64_bits_leave_free_space_out);
    tcase_add_test(tcase, modules_of_one_shape_are_a_row);
    tcase_add_test(tcase, modules_say_since_when);
    tcase_add_test(tcase, families_have_their_growth);
    tcase_add_test(tcase, families_of_several_processes_are_summed_up);
    tcase_add_loop_test(tcase, a_shape_matches_its_names, 0, COUNT(shapes));
    tcase_add_test(tcase, limits_stand_by_nearness);
    tcase_add_test(tcase, memory_high_stalls_and_kills_nobody);
    tcase_add_test(tcase, of_several_processes_the_nearest_stands_for_all);
    tcase_add_test(tcase, what_only_walks_know_is_looked_for_further_back);
    tcase_add_test(tcase, a_cgroup_and_the_host_have_limits_too);
    tcase_add_test(tcase, limits_of_all_have_a_row_a_subject);
    tcase_add_test(tcase, diff_says_what_grew);
    tcase_add_test(tcase, diff_from_before_the_beginning_takes_the_first_walk);
    tcase_add_test(tcase, diff_where_nothing_changed_says_so);
    tcase_add_test(tcase, diff_compares_two_lives);
    tcase_add_test(tcase, processes_are_not_counted_twice);
    tcase_add_test(tcase, exports_samples_with_a_head);
    tcase_add_loop_test(tcase, exports_objects_a_line, 0, COUNT(whats));
    tcase_add_test(tcase, lives_name_the_killer);
    tcase_add_loop_test(tcase, an_ending_in_words, 0, COUNT(endings));
    tcase_add_loop_test(tcase, answers_fit_80_columns, 0, COUNT(narrow));
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    oc_buf_clear(&cli.out);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
