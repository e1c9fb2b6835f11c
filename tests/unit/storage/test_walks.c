/* Walks: what is written, and what a reader makes of it. */
#include "held.h"
#include "walk_fixture.h"

static uint64_t heap_bytes(const struct oc_census *census)
{
    return oc_census_sum_bytes(census, OC_USAGE_HEAP, OC_REGION_TYPES, OC_REGION_STATES);
}

static int64_t rows_of(const char *table)
{
    char sql[128];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return held_number(walk_path, sql);
}

START_TEST(a_census_of_any_time_is_put_together_again)
{
    struct oc_census none = { 0 };
    uint32_t one, two;

    walk_open_at(0);
    one = walk_begin("proc:one", 11);
    two = walk_begin("proc:two", 12);
    put_walks(two, 1, 3);
    put_walks(one, 1, 60); /* more than from one keyed walk to the next, twice */
    for (int n = 1; n < 60; n++)
        check_walk(one, n);
    check_walk(two, 2);
    ck_assert_int_eq(census_at(one, 10 * MINUTE - 1, &none), OC_E_NOENT);
    ck_assert_int_eq(census_at(77, INT64_MAX, &none), OC_E_NOENT);
    ck_assert_int_eq(census_at(one, INT64_MAX, &none), 59 * 10 * MINUTE);
    oc_census_clear(&none);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE keyed"), 4);
}
END_TEST

START_TEST(walks_that_change_nothing_write_one_small_row)
{
    uint32_t source;
    int64_t cells = 0;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int i = 1; i < 20; i++) {
        struct oc_census census = { 0 };

        made_census(&census, 7);
        ck_assert_int_eq(made_walk(source, i * 1000, &census), 0);
        walk_commit(i * 1000);
        if (i == 1)
            cells = rows_of("region_total");
    }
    ck_assert_int_eq(rows_of("region_total"), cells);
    ck_assert_int_eq(rows_of("family_count"), 3);
    ck_assert_int_eq(rows_of("module"), 7);
    ck_assert_int_eq(rows_of("module_gone"), 0);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE id IS NULL"), 18);
}
END_TEST

START_TEST(what_a_walk_could_not_see_stays_as_it_was)
{
    struct oc_census census = { 0 }, got = { 0 };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 7, 8);
    made_family(&census, OC_FAMILY_THREAD, "worker-*", 99, 0);
    ck_assert_int_eq(made_walk(source, 100 * MINUTE, &census), 0);
    walk_commit(100 * MINUTE);
    ck_assert_int_eq(census_at(source, INT64_MAX, &got), 100 * MINUTE);
    ck_assert_uint_eq(heap_bytes(&got), 7000);
    ck_assert_uint_eq(got.module_count, 7);
    ck_assert_uint_eq(family_of(&got, "worker-*")->count, 99);
    ck_assert_uint_eq(family_of(&got, "socket")->count, 7);
    ck_assert_str_eq(got.runtime, "dotnet");
    ck_assert_uint_eq(got.largest_free_bytes, UINT64_C(1) << 40);
    oc_census_clear(&got);
    /* through the next keyed walk too */
    for (int i = 0; i < 60; i++) {
        made_family(&census, OC_FAMILY_THREAD, "worker-*", (unsigned)i, 0);
        ck_assert_int_eq(made_walk(source, 101 * MINUTE + i, &census), 0);
        walk_commit(101 * MINUTE + i);
    }
    ck_assert_int_ge(census_at(source, INT64_MAX, &got), 101 * MINUTE);
    ck_assert_uint_eq(heap_bytes(&got), 7000);
    ck_assert_uint_eq(family_of(&got, "qrt-*.dll")->count, 70);
    ck_assert_uint_eq(got.has_regions, 1);
    ck_assert_uint_eq(got.has_families,
                      1u << OC_FAMILY_THREAD | 1u << OC_FAMILY_MODULE | 1u << OC_FAMILY_FD);
    ck_assert_str_eq(got.runtime, "dotnet");
    oc_census_clear(&got);
}
END_TEST

/* ---- modules ---- */

struct events {
    int count, gone;
    int64_t loaded_ms[64], unloaded_ms[64];
    char name[64][64];
};

static int take_event(const struct oc_module_event *event, void *context)
{
    struct events *events = context;

    ck_assert_int_lt(events->count, 64);
    events->loaded_ms[events->count] = event->loaded_unix_ms - WALK_UNIX_MS;
    events->unloaded_ms[events->count] =
        event->unloaded_unix_ms == INT64_MAX ? -1 : event->unloaded_unix_ms - WALK_UNIX_MS;
    (void)snprintf(events->name[events->count++], 64, "%s", event->name);
    events->gone += event->unloaded_unix_ms != INT64_MAX;
    return 0;
}

static void events_in(uint32_t source, int64_t since_ms, int64_t until_ms, struct events *out)
{
    oc_reader *reader = walk_reader();

    memset(out, 0, sizeof *out);
    ck_assert_int_eq(oc_reader_modules(reader, source, WALK_UNIX_MS + since_ms,
                                       until_ms == INT64_MAX ? until_ms : WALK_UNIX_MS + until_ms,
                                       take_event, out),
                     out->count);
    oc_reader_close(reader);
}

START_TEST(modules_come_and_go_and_come_back)
{
    static const char *const names[] = { "/lib/a.so", "/lib/b.so", "/lib/c.so" };
    static const unsigned present[] = { 3, 7, 5, 7, 6 }; /* bits of names[] */
    struct events events;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int i = 0; i < 5; i++) {
        struct oc_census census = { .has_modules = 1 };

        for (unsigned m = 0; m < 3; m++)
            if (present[i] >> m & 1)
                made_module(&census, 0x1000 * (m + 1), names[m]);
        ck_assert_int_eq(made_walk(source, (i + 1) * MINUTE, &census), 0);
        walk_commit((i + 1) * MINUTE);
    }
    events_in(source, 0, INT64_MAX, &events);
    ck_assert_int_eq(events.count, 4); /* b twice */
    ck_assert_int_eq(events.gone, 2);
    for (int i = 0; i < events.count; i++) {
        if (strcmp(events.name[i], "/lib/a.so") == 0) {
            ck_assert_int_eq(events.loaded_ms[i], MINUTE);
            ck_assert_int_eq(events.unloaded_ms[i], 5 * MINUTE);
        } else if (strcmp(events.name[i], "/lib/b.so") == 0 && events.loaded_ms[i] == MINUTE) {
            ck_assert_int_eq(events.unloaded_ms[i], 3 * MINUTE);
        } else if (strcmp(events.name[i], "/lib/b.so") == 0) {
            ck_assert_int_eq(events.loaded_ms[i], 4 * MINUTE);
            ck_assert_int_eq(events.unloaded_ms[i], -1);
        } else {
            ck_assert_int_eq(events.loaded_ms[i], 2 * MINUTE);
            ck_assert_int_eq(events.unloaded_ms[i], -1);
        }
    }
    events_in(source, 2 * MINUTE + 1, 4 * MINUTE, &events); /* b went */
    ck_assert_int_eq(events.count, 1);
    ck_assert_int_eq(rows_of("text"), 3);
}
END_TEST

START_TEST(a_module_is_told_by_base_inode_and_name)
{
    struct oc_census census = { 0 };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    made_module(&census, 0x1000, "/lib/a.so");
    made_module(&census, 0x2000, "/lib/a.so");
    ck_assert_int_eq(made_walk(source, 1000, &census), 0);
    made_module(&census, 0x1000, "/lib/a.so"); /* the file was replaced */
    census.modules[0].inode = 99;
    made_module(&census, 0x2000, "/lib/a.so"); /* grown and deleted: the same */
    census.modules[1].bytes = 8192;
    census.modules[1].flags = OC_MODULE_DELETED;
    ck_assert_int_eq(made_walk(source, 2000, &census), 0);
    walk_commit(2000); /* two walks in one batch */
    ck_assert_int_eq(rows_of("module_gone"), 1);
    ck_assert_int_eq(held_number(walk_path, "SELECT inode FROM module WHERE loaded = 2000"), 99);
    ck_assert_int_eq(held_number(walk_path, "SELECT flags * 10000 + bytes FROM module WHERE "
                                            "loaded = 1000"),
                     18192);
}
END_TEST

/* ---- families ---- */

struct points {
    int count;
    int64_t t_ms[64];
    uint32_t members[64];
};

static int take_point(const struct oc_family_point *point, void *context)
{
    struct points *points = context;

    ck_assert_int_lt(points->count, 64);
    points->t_ms[points->count] = point->t_unix_ms - WALK_UNIX_MS;
    points->members[points->count++] = point->count;
    return 0;
}

START_TEST(a_family_has_a_course)
{
    struct points points = { 0 };
    oc_reader *reader;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 1, 50);
    reader = walk_reader();
    /* worker-*: 8 up to n = 9, then one more at 10, 20, 30, 40 */
    ck_assert_int_eq(oc_reader_family(reader, source, OC_FAMILY_THREAD, "worker-*",
                                      WALK_UNIX_MS + 150 * MINUTE, WALK_UNIX_MS + 400 * MINUTE,
                                      take_point, &points),
                     3);
    ck_assert_int_le(points.t_ms[0], 150 * MINUTE); /* what it was */
    ck_assert_uint_eq(points.members[0], 9);
    ck_assert_int_eq(points.t_ms[1], 200 * MINUTE);
    ck_assert_uint_eq(points.members[1], 10);
    ck_assert_int_eq(points.t_ms[2], 300 * MINUTE);
    memset(&points, 0, sizeof points);
    /* gone at each third walk */
    ck_assert_int_gt(oc_reader_family(reader, source, OC_FAMILY_FD, "socket", 0,
                                      WALK_UNIX_MS + 40 * MINUTE, take_point, &points),
                     0);
    ck_assert_int_eq(points.count, 3);
    ck_assert_uint_eq(points.members[1], 2);
    ck_assert_uint_eq(points.members[2], 0);
    ck_assert_int_eq(oc_reader_family(reader, source, OC_FAMILY_FD, "no such", 0, INT64_MAX,
                                      take_point, &points),
                     0);
    oc_reader_close(reader);
}
END_TEST

/* ---- bounds ---- */

START_TEST(walks_that_cannot_be_taken_are_counted)
{
    struct oc_census census = { 0 };
    struct oc_store_stats stats;
    uint32_t source;
    int refused = 0;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(99, 1000, &census), OC_E_NOENT);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 1000, &census), 0);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 1000, &census), OC_E_INVAL); /* not later */
    for (int i = 0; i < 100 && !refused; i++) {                     /* nothing is committed */
        made_cell(&census, OC_USAGE_HEAP, 1, 4096);
        census.text = oc_calloc(1, 1u << 20);
        census.text_bytes = 1u << 20;
        refused = made_walk(source, 2000 + i, &census) == OC_E_TOOBIG;
    }
    ck_assert(refused);
    oc_store_stats(store, &stats);
    ck_assert_uint_eq(stats.dropped_walks, 1);
    walk_commit(5000); /* and there is room again */
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 6000, &census), 0);
    walk_commit(6000);
    ck_assert_int_ge(rows_of("walk"), 30);
    ck_assert_int_eq(oc_store_source_end(store, source, 7000, OC_END_EXITED, 0), 0);
    walk_commit(7000);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 8000, &census), OC_E_NOENT); /* it ended */
}
END_TEST

START_TEST(a_restart_goes_on_from_the_last_walk)
{
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 1, 10);
    walk_close();
    walk_open_at(100 * MINUTE);
    ck_assert_uint_eq(walk_begin("proc:one", 11), source);
    put_walks(source, 10, 12);
    for (int n = 1; n < 12; n++)
        check_walk(source, n);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE keyed"), 1);
}
END_TEST

START_TEST(walks_of_another_boot_keep_their_times)
{
    struct oc_census got = { 0 };
    oc_reader *reader;
    int64_t unix_ms = 0;
    uint32_t old, self_old;
    struct oc_source_info self = { .kind = OC_SOURCE_SELF, .subject = "oomcastd" };

    walk_open_at(0);
    ck_assert_int_eq(oc_store_source_begin(store, &self, &self_old), 0);
    old = walk_begin("proc:one", 11);
    put_walks(old, 1, 4);
    put_walks(self_old, 4, 5);
    walk_close();
    walk_options.boot_id = "next";
    walk_options.now_boot_ms = 1000;
    walk_options.now_unix_ms = WALK_UNIX_MS + 24 * HOUR;
    {
        struct oc_store_report report;
        struct oc_detail detail = { 0 };

        ck_assert_int_eq(oc_store_open(&walk_options, &store, &report, &detail), 0);
    }
    ck_assert_uint_ne(walk_begin("proc:one", 11), old);
    walk_commit(1000);
    check_walk(old, 3);
    /* oomcastd's own of the earlier boot moved to another number, with its walks */
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE source = 0"), 0);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk JOIN source ON source.id ="
                                            " walk.source WHERE source.kind = 0"),
                     1);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_census(reader, old, INT64_MAX, 0, &got, &unix_ms), 0);
    ck_assert_int_eq(unix_ms, WALK_UNIX_MS + 30 * MINUTE);
    ck_assert_uint_eq(got.module_count, 0); /* not asked for */
    oc_census_clear(&got);
    oc_reader_close(reader);
}
END_TEST

/* The wall clock is set on by an hour between two walks. */
START_TEST(a_census_is_found_by_the_wall_clock_of_its_time)
{
    static const struct {
        int64_t wall_ms, walk_ms; /* asked for; boot time of the walk that answers */
    } asked[] = {
        { 10 * MINUTE, 10 * MINUTE }, { 29 * MINUTE, 20 * MINUTE },  { 95 * MINUTE, 30 * MINUTE },
        { 80 * MINUTE, 20 * MINUTE }, { 105 * MINUTE, 40 * MINUTE },
    };
    oc_reader *reader;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 1, 3);
    ck_assert_int_eq(oc_store_clock(store, 25 * MINUTE, WALK_UNIX_MS + 85 * MINUTE), 0);
    put_walks(source, 3, 5);
    reader = walk_reader();
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct oc_census got = { 0 };
        int64_t unix_ms = 0, offset_ms = asked[i].walk_ms > 25 * MINUTE ? HOUR : 0;

        ck_assert_int_eq(
            oc_reader_census(reader, source, WALK_UNIX_MS + asked[i].wall_ms, 0, &got, &unix_ms),
            0);
        ck_assert_int_eq(unix_ms - WALK_UNIX_MS - offset_ms, asked[i].walk_ms);
        ck_assert_uint_eq(heap_bytes(&got), (uint64_t)(asked[i].walk_ms / (10 * MINUTE)) * 1000);
        oc_census_clear(&got);
    }
    oc_reader_close(reader);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("walks");
    TCase *tests = tcase_create("walks");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, walk_setup, walk_teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, a_census_of_any_time_is_put_together_again);
    tcase_add_test(tests, walks_that_change_nothing_write_one_small_row);
    tcase_add_test(tests, what_a_walk_could_not_see_stays_as_it_was);
    tcase_add_test(tests, modules_come_and_go_and_come_back);
    tcase_add_test(tests, a_module_is_told_by_base_inode_and_name);
    tcase_add_test(tests, a_family_has_a_course);
    tcase_add_test(tests, walks_that_cannot_be_taken_are_counted);
    tcase_add_test(tests, a_restart_goes_on_from_the_last_walk);
    tcase_add_test(tests, walks_of_another_boot_keep_their_times);
    tcase_add_test(tests, a_census_is_found_by_the_wall_clock_of_its_time);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
