/* Limits, labels, killers, groups, and the views over all that. */
#include "held.h"
#include "walk_fixture.h"

/* ---- limits ---- */

struct spans {
    int count;
    struct {
        uint32_t source;
        unsigned kind;
        uint64_t value;
        int64_t from_ms, until_ms;
        char where[64], subject[64];
    } items[64];
};

static int take_span(const struct oc_limit_span *span, void *context)
{
    struct spans *spans = context;
    int at = spans->count++;

    ck_assert_int_lt(at, 64);
    spans->items[at].source = span->source;
    spans->items[at].kind = span->limit->kind;
    spans->items[at].value = span->limit->value;
    spans->items[at].from_ms = span->from_unix_ms - WALK_UNIX_MS;
    spans->items[at].until_ms =
        span->until_unix_ms == INT64_MAX ? -1 : span->until_unix_ms - WALK_UNIX_MS;
    (void)snprintf(spans->items[at].where, 64, "%.63s", span->limit->where);
    (void)snprintf(spans->items[at].subject, 64, "%s", span->subject);
    return 0;
}

static struct spans spans_in(uint32_t source, int64_t since_ms, int64_t until_ms)
{
    struct spans spans = { 0 };
    oc_reader *reader = walk_reader();

    ck_assert_int_eq(oc_reader_limits(reader, source, WALK_UNIX_MS + since_ms,
                                      until_ms == INT64_MAX ? until_ms : WALK_UNIX_MS + until_ms,
                                      take_span, &spans),
                     spans.count);
    oc_reader_close(reader);
    return spans;
}

START_TEST(limits_change_vanish_and_come_back)
{
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_CGROUP_MAX, 1 << 30, "/a"),
                                  limit_of(OC_LIMIT_CGROUP_MAX, 2u << 30, "/a/b") };
    struct spans spans;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_limits(source, 1000, limits, 2);
    put_limits(source, 2000, limits, 2); /* nothing new */
    limits[1].value = 3u << 30;
    put_limits(source, 3000, limits, 2);
    put_limits(source, 4000, limits + 1, 1); /* /a went */
    put_limits(source, 5000, limits, 2);     /* and is back */
    spans = spans_in(source, 0, INT64_MAX);
    ck_assert_int_eq(spans.count, 4);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(spans.items[i].from_ms, 1000);
        ck_assert_int_eq(spans.items[i].until_ms,
                         strcmp(spans.items[i].where, "/a") == 0 ? 4000 : 3000);
    }
    ck_assert_int_eq(spans.items[2].from_ms, 3000);
    ck_assert_int_eq(spans.items[2].until_ms, -1);
    ck_assert_uint_eq(spans.items[2].value, 3u << 30);
    ck_assert_str_eq(spans.items[2].where, "/a/b");
    ck_assert_int_eq(spans.items[3].from_ms, 5000);
    ck_assert_str_eq(spans.items[3].subject, "proc:one");
    spans = spans_in(source, 4000, 5000); /* /a was not there */
    ck_assert_int_eq(spans.count, 1);
    ck_assert_int_eq(oc_store_source_end(store, source, 6000, OC_END_EXITED, 0), 0);
    walk_commit(6000);
    spans = spans_in(OC_READER_ALL_SOURCES, 5500, INT64_MAX);
    ck_assert_int_eq(spans.count, 2);
    ck_assert_int_eq(spans.items[0].until_ms, 6000); /* with its source */
}
END_TEST

START_TEST(limits_of_one_moment_and_named_twice)
{
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_RLIMIT_AS, 100, ""),
                                  limit_of(OC_LIMIT_RLIMIT_AS, 200, "") };
    struct spans spans;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_limits(source, 1000, limits, 1);
    put_limits(source, 1000, limits + 1, 1); /* the last word of a moment stands */
    spans = spans_in(source, 0, INT64_MAX);
    ck_assert_int_eq(spans.count, 1);
    ck_assert_uint_eq(spans.items[0].value, 200);
    put_limits(source, 2000, limits + 1, 1);
    put_limits(source, 3000, (struct oc_limit[]){ limits[1], limits[0] }, 2);
    ck_assert_int_eq(spans_in(source, 0, INT64_MAX).count, 1);
    put_limits(source, 3000, NULL, 0);
    put_limits(source, 3000, limits, 1);
    put_limits(source, 3000, NULL, 0);
    spans = spans_in(source, 0, INT64_MAX);
    ck_assert_int_eq(spans.count, 1);
    ck_assert_int_eq(spans.items[0].until_ms, 3000);
    ck_assert_int_eq(oc_store_limits(store, source, 1, limits, 100000), OC_E_TOOBIG);
    ck_assert_int_eq(oc_store_limits(store, 99, 1, limits, 1), OC_E_NOENT);
}
END_TEST

/* ---- labels ---- */

static const char *labels_of(const char *subject)
{
    static char text[256];
    oc_reader *reader = walk_reader();

    text[0] = '\0';
    ck_assert_int_ge(oc_reader_labels(reader, subject, take_label, text), 0);
    oc_reader_close(reader);
    return text;
}

START_TEST(labels_are_stable_and_change_only_when_told)
{
    const char *const first[] = { "env", "prod", "team", "web", NULL };
    const char *const other[] = { "team", "web", NULL };
    const char *const none[] = { NULL };
    uint32_t one, two;
    struct oc_store_stats before, after;

    walk_open_at(0);
    one = walk_begin("proc:one", 11);
    two = walk_begin("proc:one", 12); /* another life of the same subject */
    ck_assert_int_eq(oc_store_subject_labels(store, one, first), 0);
    walk_commit(1000);
    ck_assert_str_eq(labels_of("proc:one"), "env=prod;team=web;");
    walk_commit(1500); /* the second life's row */
    oc_store_stats(store, &before);
    ck_assert_int_eq(oc_store_subject_labels(store, two, first), 0);
    walk_commit(2000);
    oc_store_stats(store, &after);
    ck_assert_uint_eq(after.wal_bytes, before.wal_bytes); /* nothing was written */
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM subject_label"), 2);
    ck_assert_int_eq(oc_store_subject_labels(store, two, other), 0);
    walk_commit(3000);
    ck_assert_str_eq(labels_of("proc:one"), "team=web;");
    ck_assert_int_eq(oc_store_subject_labels(store, two, none), 0);
    walk_commit(4000);
    ck_assert_str_eq(labels_of("proc:one"), "");
    ck_assert_str_eq(labels_of("proc:nobody"), "");
}
END_TEST

/* ---- who ended it ---- */

START_TEST(a_killer_is_told_before_or_after_the_end)
{
    uint32_t before, after;

    walk_open_at(0);
    before = walk_begin("proc:one", 11);
    after = walk_begin("proc:one", 12);
    (void)walk_begin("proc:one", 13);
    ck_assert_int_eq(oc_store_source_killer(store, before, OC_KILLER_CGROUP, "/a/b"), 0);
    ck_assert_int_eq(oc_store_source_end(store, before, 1000, OC_END_OOM_KILLED, 9), 0);
    ck_assert_int_eq(oc_store_source_end(store, after, 1000, OC_END_OOM_KILLED, 9), 0);
    walk_commit(1000);
    ck_assert_int_eq(oc_store_source_killer(store, after, OC_KILLER_HOST, NULL), 0);
    ck_assert_int_eq(oc_store_source_killer(store, 77, OC_KILLER_HOST, NULL), OC_E_NOENT);
    walk_commit(2000);
    ck_assert_int_eq(life_of(11).killer, OC_KILLER_CGROUP);
    ck_assert_str_eq(life_of(11).scope, "/a/b");
    ck_assert_int_eq(life_of(12).killer, OC_KILLER_HOST);
    ck_assert_str_eq(life_of(12).scope, "");
    ck_assert_int_eq(life_of(13).killer, OC_KILLER_UNKNOWN);
}
END_TEST

/* ---- views ---- */

START_TEST(views_say_it_in_words)
{
    const char *const labels[] = { "env", "prod", NULL };
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_CGROUP_MAX, 1 << 30, "/a"),
                                  limit_of(OC_LIMIT_USER, 5, "") };
    uint32_t source;

    limits[1].metric = OC_METRIC_PRIVATE;
    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 4, 6);
    put_limits(source, 1000, limits, 2);
    put_limits(source, 2000, limits + 1, 1);
    ck_assert_int_eq(oc_store_subject_labels(store, source, labels), 0);
    ck_assert_int_eq(oc_store_source_end(store, source, 3600000, OC_END_OOM_KILLED, 9), 0);
    ck_assert_int_eq(oc_store_source_killer(store, source, OC_KILLER_CGROUP, "/a"), 0);
    walk_commit(3000);
    ck_assert_str_eq(ask("SELECT subject, usage, type, state, count, bytes, unix_ms FROM regions "
                         "WHERE usage = 'Heap' ORDER BY unix_ms"),
                     "proc:one|Heap|MEM_PRIVATE|MEM_COMMIT|3|4000|1700002400000\n"
                     "proc:one|Heap|MEM_PRIVATE|MEM_COMMIT|3|5000|1700003000000\n");
    ck_assert_str_eq(ask("SELECT time = strftime('%Y-%m-%d %H:%M:%S', 1700002400, 'unixepoch', "
                         "'localtime') FROM walks LIMIT 1"),
                     "1\n");
    ck_assert_str_eq(ask("SELECT subject, cpu_us, wall_us, stall_us, arena_count, runtime FROM "
                         "walks ORDER BY unix_ms LIMIT 1"),
                     "proc:one|100|200|3|4|dotnet\n");
    /* the newest of each cell and family: with max() SQLite takes the rest from that row */
    ck_assert_str_eq(ask("SELECT family, kind, count, max(unix_ms) FROM families WHERE subject = "
                         "'proc:one' GROUP BY kind, family HAVING count > 0 ORDER BY family"),
                     "qrt-*.dll|module|50|1700003000000\nsocket|fd|5|1700003000000\n"
                     "worker-*|thread|8|1700002400000\n");
    ck_assert_str_eq(ask("SELECT count(*), count(unloaded), min(module) FROM modules"),
                     "5|0|/tmp/qrt-0000.dll\n");
    ck_assert_str_eq(ask("SELECT name, scope, place, metric, value, effect, begin_unix_ms, "
                         "end_unix_ms FROM limits ORDER BY 1"),
                     "memory.max|cgroup|/a|cgroup_charge_bytes|1073741824|dies|1700000001000|"
                     "1700000002000\n"
                     "user|subject||private_bytes|5|told|1700000001000|1700003600000\n");
    ck_assert_str_eq(ask("SELECT * FROM labels"), "proc:one|env|prod\n");
    ck_assert_str_eq(ask("SELECT ended, status, killer, killer_scope FROM lives"),
                     "oom_killed|9|cgroup limit|/a\n");
}
END_TEST

/* ---- groups ---- */

struct latest {
    int groups, processes;
    int64_t private_bytes;
};

static int take_latest(const struct oc_latest_row *row, void *context)
{
    struct latest *latest = context;

    latest->groups += row->kind == OC_SOURCE_GROUP;
    latest->processes += row->kind == OC_SOURCE_PROCESS;
    if (row->kind == OC_SOURCE_GROUP) {
        ck_assert_uint_eq(row->pid, 0);
        ck_assert_uint_eq(row->sample->block, OC_BLOCK_PROCESS);
        latest->private_bytes = oc_sample_get(row->sample, OC_METRIC_PRIVATE);
    }
    return 0;
}

static int take_subject(const struct oc_subject_row *row, void *context)
{
    ck_assert_str_eq(row->name, "proc:one");
    ck_assert_uint_eq(row->kind, OC_SOURCE_PROCESS);
    ck_assert_uint_eq(row->running, 2);
    ck_assert_uint_eq(row->sources, 2);
    *(int *)context += 1;
    return 0;
}

START_TEST(a_group_is_taken_up_again_and_counts_no_process_twice)
{
    struct oc_life_filter filter = { .processes_only = 1, .until_unix_ms = INT64_MAX };
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct latest latest = { 0 };
    struct life life = { 0 };
    struct oc_tick tick;
    oc_reader *reader;
    uint32_t group, one, two;
    int subjects = 0;

    walk_open_at(0);
    group = walk_begin("proc:one", 0);
    one = walk_begin("proc:one", 11);
    two = walk_begin("proc:one", 12);
    ck_assert_uint_ne(group, one);
    oc_tick_init(&tick);
    oc_tick_begin(&tick, 1000);
    oc_sample_set(&sample, OC_METRIC_PRIVATE, 300);
    oc_tick_put(&tick, group, &sample);
    oc_sample_set(&sample, OC_METRIC_PRIVATE, 150);
    oc_tick_put(&tick, one, &sample);
    oc_tick_put(&tick, two, &sample);
    ck_assert_int_eq(oc_store_append(store, &tick), 0);
    oc_tick_clear(&tick);
    walk_close();
    walk_open_at(2000);
    ck_assert_uint_eq(walk_begin("proc:one", 0), group);
    ck_assert_uint_eq(walk_begin("proc:one", 11), one);
    ck_assert_uint_eq(walk_begin("proc:one", 12), two);
    walk_commit(2000);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_latest(reader, take_latest, &latest), 3);
    ck_assert_int_eq(latest.groups, 1);
    ck_assert_int_eq(latest.processes, 2);
    ck_assert_int_eq(latest.private_bytes, 300);
    ck_assert_int_eq(oc_reader_lives(reader, &filter, take_life, &life), 2);
    ck_assert_int_eq(oc_reader_lives(reader, NULL, take_life, &life), 3);
    ck_assert_int_eq(oc_reader_subjects(reader, take_subject, &subjects), 1);
    oc_reader_close(reader);
    ck_assert_str_eq(ask("SELECT name, kind, sources, running FROM subjects"),
                     "proc:one|process|2|2\n");
    ck_assert_str_eq(ask("SELECT kind, sum(value) FROM samples WHERE metric = 'private_bytes' "
                         "GROUP BY kind"),
                     "group|300\nprocess|300\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("limits");
    TCase *tests = tcase_create("limits");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, walk_setup, walk_teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, limits_change_vanish_and_come_back);
    tcase_add_test(tests, limits_of_one_moment_and_named_twice);
    tcase_add_test(tests, labels_are_stable_and_change_only_when_told);
    tcase_add_test(tests, a_killer_is_told_before_or_after_the_end);
    tcase_add_test(tests, views_say_it_in_words);
    tcase_add_test(tests, a_group_is_taken_up_again_and_counts_no_process_twice);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
