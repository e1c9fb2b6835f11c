/* Walks, modules and limits grow old: what is kept says what it said. */
#include "held.h"
#include "storage/write/upkeep_impl.h" /* to see that it sweeps */
#include "walk_fixture.h"

#include <sqlite3.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* A walk at a time: figures that say the time, and one that changes only each sixth walk. */
static void made_at(struct oc_census *census, int64_t t_ms)
{
    char name[64];

    made_cell(census, OC_USAGE_HEAP, 1, (uint64_t)t_ms);
    made_cell(census, OC_USAGE_STACK, 1, (uint64_t)(t_ms / HOUR_MS) * 4096 + 4096);
    if (t_ms % HOUR_MS < 20 * MINUTE) /* comes and goes within each hour */
        made_cell(census, OC_USAGE_JIT, 1, 4096);
    made_family(census, OC_FAMILY_THREAD, "worker-*", (unsigned)(t_ms / (7 * HOUR_MS)) + 1, 0);
    made_family(census, OC_FAMILY_MODULE, "qrt-*.dll", (unsigned)(t_ms / MINUTE), 4096);
    made_module(census, 0x1000, "/lib/stays.so");
    (void)snprintf(name, sizeof name, "/tmp/short-%lld.so", (long long)(t_ms / (20 * MINUTE)));
    made_module(census, 0x2000, name); /* there for two walks */
    (void)snprintf(name, sizeof name, "/tmp/long-%lld.so", (long long)(t_ms / (5 * HOUR_MS)));
    made_module(census, 0x3000, name); /* for thirty */
}

static void put_walks_until(uint32_t source, int64_t end_ms)
{
    for (int64_t t = 10 * MINUTE; t < end_ms; t += 10 * MINUTE) {
        struct oc_census census = { 0 };

        made_at(&census, t);
        ck_assert_int_eq(made_walk(source, t, &census), 0);
        if (t % HOUR_MS == 0)
            walk_commit(t);
    }
    walk_commit(end_ms);
}

/* The first call only says when the first round is. */
static void maintain_at(int64_t now_ms)
{
    int rc = oc_store_maintain(store, 0, WALK_UNIX_MS, 1000);

    ck_assert_int_ge(rc, 0);
    do
        rc = oc_store_maintain(store, now_ms, WALK_UNIX_MS + now_ms, 1000000);
    while (rc == 1);
    ck_assert_int_eq(rc, 0);
}

/* The census asked for at a time is that of the last walk kept by then, which is at most `coarse` older. */
static void check_at(uint32_t source, int64_t at_ms, int64_t coarse_ms)
{
    struct oc_census got = { 0 }, want = { 0 };
    int64_t t_ms = census_at(source, at_ms, &got);

    ck_assert_msg(t_ms > 0 && t_ms <= at_ms && t_ms >= at_ms - coarse_ms - 10 * MINUTE,
                  "at %lld: %lld", (long long)at_ms, (long long)t_ms);
    made_at(&want, t_ms);
    for (unsigned usage = 0; usage < OC_USAGE_COUNT; usage++)
        ck_assert_uint_eq(oc_census_sum_bytes(&got, usage, OC_REGION_TYPES, OC_REGION_STATES),
                          oc_census_sum_bytes(&want, usage, OC_REGION_TYPES, OC_REGION_STATES));
    ck_assert_uint_eq(family_of(&got, "worker-*")->count, want.families[0].count);
    ck_assert_uint_eq(family_of(&got, "qrt-*.dll")->count, want.families[1].count);
    ck_assert_uint_eq(got.module_count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(oc_census_text(&got, got.modules[i].name),
                         oc_census_text(&want, want.modules[i].name));
    oc_census_clear(&got);
    oc_census_clear(&want);
}

static int64_t number(const char *sql) { return held_number(walk_path, sql); }

static int sound(void)
{
    oc_reader *reader = walk_reader();
    int findings = oc_reader_check(reader, NULL, NULL, NULL);

    oc_reader_close(reader);
    return findings == 0;
}

START_TEST(walks_are_thinned_to_hours_then_days)
{
    const int64_t end_ms = 4 * DAY_MS;
    uint32_t source, other;

    walk_options.raw_keep_ms = DAY_MS;
    walk_options.minute_keep_ms = 3 * DAY_MS;
    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    other = walk_begin("proc:two", 12);
    put_walks_until(source, end_ms);
    put_walks_until(other, 2 * HOUR_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM walk WHERE source = 1"), 4 * 144 - 1);
    maintain_at(end_ms);
    /* a day of all, two of hours, one of days */
    ck_assert_int_eq(number("SELECT count(*) FROM walk WHERE source = 1"), 144 + 48 + 1);
    ck_assert_int_eq(number("SELECT count(*) FROM walk WHERE source = 2"), 1);
    for (int64_t at = 1; at < 24 * 6; at++)
        check_at(source, 3 * DAY_MS + at * 10 * MINUTE + 1, 0);
    for (int64_t at = 1; at < 48; at++)
        check_at(source, DAY_MS + at * HOUR_MS + 50 * MINUTE, HOUR_MS);
    check_at(source, DAY_MS, DAY_MS);
    check_at(source, end_ms, 0);
    check_at(other, 2 * HOUR_MS, HOUR_MS);
    /* modules of two walks within an hour are gone, those over an hour's last walk are not */
    ck_assert_int_eq(number("SELECT count(*) FROM module_gone WHERE unloaded < 86400000"
                            " AND loaded / 86400000 = unloaded / 86400000"),
                     0);
    ck_assert(sound());
    /* and again, an hour on */
    maintain_at(end_ms + 2 * HOUR_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM walk WHERE source = 1"), 132 + 50 - 2 + 3);
    check_at(source, end_ms, 0);
    ck_assert(sound());
}
END_TEST

START_TEST(the_last_walk_of_a_life_stays_as_long_as_its_row)
{
    uint32_t source;

    walk_options.raw_keep_ms = DAY_MS;
    walk_options.minute_keep_ms = 2 * DAY_MS;
    walk_options.hour_keep_ms = 5 * DAY_MS;
    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks_until(source, 5 * HOUR_MS);
    ck_assert_int_eq(oc_store_source_end(store, source, 5 * HOUR_MS, OC_END_EXITED, 0), 0);
    walk_commit(5 * HOUR_MS);
    maintain_at(4 * DAY_MS);
    check_at(source, 5 * HOUR_MS, 0);
    ck_assert_int_eq(number("SELECT count(*) FROM walk"), 1);
    maintain_at(5 * DAY_MS + 2 * HOUR_MS);
    check_at(source, 5 * HOUR_MS, 0);
    maintain_at(5 * DAY_MS + 8 * HOUR_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM source"), 0);
    maintain_at(7 * DAY_MS);
    ck_assert_int_eq(
        number("SELECT (SELECT count(*) FROM walk) + (SELECT count(*) FROM"
               " region_total) + (SELECT count(*) FROM family_count) + (SELECT count(*)"
               " FROM module) + (SELECT count(*) FROM module_gone)"),
        0);
    /* and with the daily sweep the names */
    ck_assert_int_eq(number("SELECT (SELECT count(*) FROM text) + (SELECT count(*) FROM family)"),
                     0);
}
END_TEST

START_TEST(names_that_are_still_named_stay)
{
    uint32_t source;
    struct oc_limit limit = { .kind = OC_LIMIT_CGROUP_MAX, .metric = 1, .value = 1, .where = "/a" };

    walk_options.raw_keep_ms = HOUR_MS;
    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    ck_assert_int_eq(oc_store_limits(store, source, 1, &limit, 1), 0);
    put_walks_until(source, DAY_MS);
    ck_assert_int_gt(number("SELECT count(*) FROM text"), 70);
    maintain_at(DAY_MS + HOUR_MS);
    maintain_at(DAY_MS + 3 * HOUR_MS);
    ck_assert_int_lt(number("SELECT count(*) FROM text"), 40);
    ck_assert(sound());
    check_at(source, DAY_MS, HOUR_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM text WHERE text = '/a'"), 1);
}
END_TEST

START_TEST(limits_of_an_hour_go_and_those_in_force_stay)
{
    struct oc_limit limit = { .kind = OC_LIMIT_CGROUP_MAX, .metric = 1, .where = "/a" };
    uint32_t source;

    walk_options.raw_keep_ms = HOUR_MS;
    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int64_t t = 1; t <= 12; t++) {
        limit.value = (uint64_t)t;
        ck_assert_int_eq(oc_store_limits(store, source, t * 20 * MINUTE, &limit, 1), 0);
        walk_commit(t * 20 * MINUTE);
    }
    maintain_at(DAY_MS);
    /* that which ended in another hour than it began */
    ck_assert_int_eq(number("SELECT count(*) FROM limit_value WHERE end_ms IS NOT NULL AND"
                            " begin_ms / 3600000 = end_ms / 3600000"),
                     0);
    ck_assert_int_eq(number("SELECT count(*) FROM limit_value"), 5);
    ck_assert_int_eq(number("SELECT value FROM limit_value WHERE end_ms IS NULL"), 12);
    ck_assert(sound());
}
END_TEST

START_TEST(a_full_store_loses_old_walks_first)
{
    uint32_t source;

    walk_options.max_file_bytes = 400000;
    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks_until(source, 6 * DAY_MS);
    maintain_at(6 * DAY_MS + 2 * HOUR_MS);
    ck_assert_int_lt(number("SELECT (page_count - freelist_count) * 4096 FROM pragma_page_count,"
                            " pragma_freelist_count"),
                     400000);
    ck_assert_int_gt(number("SELECT count(*) FROM walk"), 20);
    check_at(source, 6 * DAY_MS, 0);
    ck_assert(sound());
}
END_TEST

/* Each with a walk of its own, as where compilers come and go all day. */
START_TEST(many_short_lives_do_not_push_samples_out)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct oc_tick tick;
    uint32_t lasting;

    walk_options.max_file_bytes = 900000;
    walk_open_at(0);
    lasting = walk_begin("proc:lasting", 1);
    oc_tick_init(&tick);
    for (int64_t t = MINUTE; t < 20 * HOUR_MS; t += MINUTE) {
        struct oc_census census = { 0 };
        uint32_t life = walk_begin("proc:short", 100 + (uint32_t)(t / MINUTE));
        char name[64];

        oc_tick_begin(&tick, t);
        oc_sample_set(&sample, OC_METRIC_PRIVATE, t);
        oc_tick_put(&tick, lasting, &sample);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        for (unsigned i = 0; i < 60; i++) {
            (void)snprintf(name, sizeof name, "/lib/%u.so", i);
            made_module(&census, 0x1000 * (i + 1), name);
        }
        ck_assert_int_eq(made_walk(life, t, &census), 0);
        ck_assert_int_eq(oc_store_source_end(store, life, t + 1, OC_END_EXITED, 0), 0);
        walk_commit(t);
    }
    oc_tick_clear(&tick);
    ck_assert_int_gt(number("SELECT count(*) FROM module"), 60 * 1100);
    maintain_at(21 * HOUR_MS);
    ck_assert_int_lt(number("SELECT (page_count - freelist_count) * 4096 FROM pragma_page_count,"
                            " pragma_freelist_count"),
                     900000);
    ck_assert_int_gt(number("SELECT count(*) FROM module"), 60 * 20); /* of the newest lives */
    ck_assert_int_eq(number("SELECT count(*) FROM life"), 1200);
    ck_assert_int_lt(number("SELECT min(t0) FROM raw WHERE id >> 24 = 1"), 15 * HOUR_MS);
    ck_assert(sound());
}
END_TEST

static uint64_t made_state = 7;

static unsigned made_number(unsigned below)
{
    made_state = made_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(made_state >> 33) % below;
}

/* Names come, go and come back; some walks see only a part. */
static void made_wild(struct oc_census *census)
{
    char name[64];

    for (unsigned usage = 1; usage < 5; usage++)
        if (made_number(3))
            made_cell(census, usage, 1 + made_number(3), 4096 * (1 + made_number(9)));
    census->has_regions = made_number(5) != 0;
    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "family-%u-*", made_number(300));
        if (!family_of(census, name))
            made_family(census, OC_FAMILY_MAPPING, name, 1 + made_number(5), 4096);
    }
    for (unsigned i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof name, "/lib/%u.so", made_number(400));
        made_module(census, 0x1000 * (i + 1), name);
    }
    census->has_modules = made_number(5) != 0;
}

/* Upkeep goes on a step at a time while walks are written: no name that a row names is swept. */
START_TEST(upkeep_beside_walks_keeps_what_is_named)
{
    struct oc_limit limit = { .kind = OC_LIMIT_CGROUP_MAX, .metric = 1 };
    uint32_t sources[3];
    int64_t end_ms = 12 * DAY_MS;
    int sweeps = 0;

    walk_options.raw_keep_ms = 6 * HOUR_MS;
    walk_options.minute_keep_ms = 2 * DAY_MS;
    walk_options.hour_keep_ms = 4 * DAY_MS;
    walk_open_at(0);
    for (uint32_t i = 0; i < 3; i++)
        sources[i] = walk_begin("proc:wild", 11 + i);
    for (int64_t t = 10 * MINUTE; t < end_ms; t += 10 * MINUTE) {
        uint32_t at = made_number(3);
        struct oc_census census = { 0 };

        made_wild(&census);
        ck_assert_int_eq(made_walk(sources[at], t, &census), 0);
        (void)snprintf(limit.where, sizeof limit.where, "/cgroup-%u", made_number(200));
        ck_assert_int_eq(oc_store_limits(store, sources[at], t, &limit, made_number(2)), 0);
        walk_commit(t);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_ge(oc_store_maintain(store, t, WALK_UNIX_MS + t, 1), 0);
            sweeps += store->upkeep->stage == OC_STAGE_TEXTS;
        }
        if (made_number(100) == 0) { /* a life ends, the next begins */
            ck_assert_int_eq(oc_store_source_end(store, sources[at], t, OC_END_EXITED, 0), 0);
            walk_commit(t);
            sources[at] = walk_begin("proc:wild", 100 + (uint32_t)(t / MINUTE));
        }
    }
    ck_assert_int_gt(sweeps, 20);
    ck_assert(sound());
    ck_assert_int_lt(number("SELECT count(*) FROM source"), 20);
    maintain_at(end_ms + 6 * DAY_MS);
    maintain_at(end_ms + 8 * DAY_MS); /* and sweeps */
    ck_assert(sound());
    ck_assert_int_eq(number("SELECT count(*) FROM walk"), 3);
    ck_assert_int_le(number("SELECT count(*) FROM family"), 3 * 4);
    ck_assert_int_le(number("SELECT count(*) FROM text"), 3 * (6 + 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("thin");
    TCase *tests = tcase_create("thin");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, walk_setup, walk_teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, walks_are_thinned_to_hours_then_days);
    tcase_add_test(tests, the_last_walk_of_a_life_stays_as_long_as_its_row);
    tcase_add_test(tests, names_that_are_still_named_stay);
    tcase_add_test(tests, limits_of_an_hour_go_and_those_in_force_stay);
    tcase_add_test(tests, a_full_store_loses_old_walks_first);
    tcase_add_test(tests, many_short_lives_do_not_push_samples_out);
    tcase_add_test(tests, upkeep_beside_walks_keeps_what_is_named);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
