/*
 * Targets over a scripted probe and scripted walks: who is asked and chosen, children, sums, limits,
 * labels, walks on their way to the store, and what a reload keeps.
 */
#include "base/alloc.h"
#include "daemon/limits.h"
#include "daemon/refit.h"
#include "suites.h"
#include "tests/unit/daemon/daemon_fixture.h"
#include "tests/unit/daemon/target_fixture.h"

#include <stdio.h>
#include <string.h>

/* ---- walks as scripted ---- */

#define PEOPLE 16

struct person {
    uint32_t pid, parent_pid;
    const char *name, *exe, *cmdline, *cgroup, *user;
    uint64_t limit; /* RLIMIT_AS; 0: none */
};

static uv_mutex_t script_mutex; /* the walkers read what the test writes */
static struct person people[PEOPLE];
static size_t people_count;
static uint32_t stuck_pid; /* set before the process is there */
static uv_sem_t stuck_go;
static unsigned walks_made[PEOPLE], asked[PEOPLE], limits_looks[PEOPLE];

static struct person *person(uint32_t pid)
{
    for (size_t i = 0; i < people_count; i++) {
        if (people[i].pid == pid)
            return &people[i];
    }
    return NULL;
}

static void fill_census(struct oc_census *census)
{
    census->totals = oc_calloc(1, sizeof(census->totals[0]));
    census->totals[0] = (struct oc_region_total){ .usage = OC_USAGE_HEAP,
                                                  .type = OC_REGION_PRIVATE,
                                                  .state = OC_REGION_COMMIT,
                                                  .count = 3,
                                                  .bytes = 12 * (uint64_t)MIB,
                                                  .largest_bytes = 4 * (uint64_t)MIB,
                                                  .resident_bytes = OC_RESIDENT_UNKNOWN };
    census->total_count = 1;
    census->has_regions = 1;
}

static void fill_walk(const struct person *who, unsigned want, struct oc_walk *walk)
{
    struct oc_proc_facts *facts = &walk->facts;

    walk->sample.block = OC_BLOCK_PROCESS;
    facts->id.pid = who->pid;
    facts->parent_pid = who->parent_pid;
    facts->uid = 7;
    (void)snprintf(facts->name, sizeof(facts->name), "%s", who->name ? who->name : "x");
    (void)snprintf(facts->exe, sizeof(facts->exe), "%s", who->exe ? who->exe : "");
    (void)snprintf(facts->cgroup, sizeof(facts->cgroup), "%s", who->cgroup ? who->cgroup : "");
    (void)snprintf(facts->cmdline, sizeof(facts->cmdline), "redacted");
    (void)snprintf(walk->names.user, sizeof(walk->names.user), "%s", who->user ? who->user : "");
    walk->cmdline = who->cmdline ? oc_strdup(who->cmdline) : NULL;
    walk->cpu_ns = 1000;
    walk->stall_ns = 2000000;
    if (want & OC_WALK_COUNTS)
        oc_sample_set(&walk->sample, OC_METRIC_MAPPINGS, 40);
    if (want & OC_WALK_REGIONS)
        fill_census(&walk->census);
    if ((want & OC_WALK_LIMITS) && who->limit)
        walk->limits[walk->limit_count++] = (struct oc_limit){ .kind = OC_LIMIT_RLIMIT_AS,
                                                               .metric = OC_METRIC_VIRTUAL,
                                                               .value = who->limit };
}

static int scripted_walk(const struct oc_probe_options *options,
                         const struct oc_walk_request *request, struct oc_walk *out_walk)
{
    const struct person *who = NULL;
    int rc = OC_E_GONE;

    (void)options;
    if (request->pid == stuck_pid && (request->want & OC_WALK_REGIONS))
        uv_sem_wait(&stuck_go);
    uv_mutex_lock(&script_mutex);
    who = person(request->pid);
    if (who) {
        memset(out_walk, 0, sizeof(*out_walk));
        fill_walk(who, request->want, out_walk);
        if (request->want & OC_WALK_REGIONS)
            walks_made[who - people]++;
        else if (request->want & OC_WALK_LIMITS)
            limits_looks[who - people]++;
        else
            asked[who - people]++;
        rc = OC_OK;
    }
    uv_mutex_unlock(&script_mutex);
    return rc;
}

static void script(const struct person *who)
{
    uv_mutex_lock(&script_mutex);
    if (person(who->pid))
        *person(who->pid) = *who;
    else
        people[people_count++] = *who;
    uv_mutex_unlock(&script_mutex);
}

static unsigned asked_of(uint32_t pid)
{
    unsigned count = 0;

    uv_mutex_lock(&script_mutex);
    count = asked[person(pid) - people];
    uv_mutex_unlock(&script_mutex);
    return count;
}

static void setup(void)
{
    people_count = 0;
    stuck_pid = 0;
    memset(asked, 0, sizeof(asked));
    memset(walks_made, 0, sizeof(walks_made));
    memset(limits_looks, 0, sizeof(limits_looks));
    (void)uv_mutex_init(&script_mutex);
    fixture_setup();
    start_walkers(scripted_walk);
}

static void teardown(void)
{
    fixture_teardown();
    uv_mutex_destroy(&script_mutex);
}

/* ---- small things ---- */

static uint32_t expected_pid;
static const char *expected_subject;

static struct oc_source *source_of(uint32_t pid) { return oc_sources_by_pid(&d->sources, pid); }

static int is_expected(void)
{
    const struct oc_source *source = source_of(expected_pid);

    return source && source->state == OC_SOURCE_TICKING && source->subject &&
           strcmp(source->subject->name, expected_subject) == 0;
}

static void run_until_named(uint32_t pid, const char *subject)
{
    expected_pid = pid;
    expected_subject = subject;
    run_until(is_expected);
}

static uint64_t scans_wanted;
static int has_scanned(void) { return d->discovery.scans >= scans_wanted; }

static void run_scans(unsigned more)
{
    scans_wanted = d->discovery.scans + more;
    run_until(has_scanned);
}

static void reload(void)
{
    d->reloads++;
    oc_discovery_reload(d);
}

/* ---- who is asked and chosen ---- */

START_TEST(what_a_scan_does_not_tell_is_asked_once)
{
    struct oc_target *target = add_target(&d->config, "shop");

    select_cmdline(target, "shop\\.jar");
    name_subject(target, "app:shop");
    script(&(struct person){ .pid = 10, .cmdline = "java -jar shop.jar" });
    script(&(struct person){ .pid = 11, .cmdline = "java -jar till.jar" });
    start_process(10, "java", 10 * MIB);
    start_process(11, "java", 10 * MIB);
    begin();
    run_until_named(10, "app:shop");
    run_scans(5);
    ck_assert_uint_eq(asked_of(11), 1);
    ck_assert_ptr_null(source_of(11));
    oc_fake_exec(d->probe, 11, "java2"); /* a scan tells of it: another program */
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_PROCESS], 1);
}
END_TEST

START_TEST(one_that_grows_into_a_target_is_asked_again_then)
{
    struct oc_target *target = add_target(&d->config, "large");

    select_word(target, OC_SELECT_EXE, "/opt/*");
    select_size(target, 100 * MIB);
    script(&(struct person){ .pid = 10, .name = "shop", .exe = "/opt/shop" });
    start_process(10, "shop", 10 * MIB);
    begin();
    run_scans(3);
    ck_assert_ptr_null(source_of(10));
    oc_fake_set(d->probe, 10, OC_METRIC_RSS, 120 * MIB);
    run_until_named(10, "proc:shop");
    oc_fake_set(d->probe, 10, OC_METRIC_RSS, 1 * MIB);
    reload();
    run_scans(2);
    ck_assert_ptr_nonnull(source_of(10)); /* it was large enough once */
}
END_TEST

START_TEST(an_ignored_one_is_left_alone)
{
    struct oc_target *target = add_target(&d->config, "not these");

    target->ignore = 1;
    select_cmdline(target, "--type=renderer");
    select_word(add_target(&d->config, "chrome"), OC_SELECT_NAME, "chrome");
    script(&(struct person){ .pid = 10, .name = "chrome", .cmdline = "chrome" });
    script(&(struct person){ .pid = 11, .name = "chrome", .cmdline = "chrome --type=renderer" });
    start_process(10, "chrome", 10 * MIB);
    start_process(11, "chrome", 10 * MIB);
    begin();
    run_until_watched(1);
    run_scans(3);
    ck_assert_ptr_nonnull(source_of(10));
    ck_assert_ptr_null(source_of(11));
}
END_TEST

START_TEST(an_exec_is_held_against_the_targets_again)
{
    select_word(add_target(&d->config, "java"), OC_SELECT_NAME, "java");
    script(&(struct person){ .pid = 10 });
    script(&(struct person){ .pid = 11 });
    start_process(10, "java", 10 * MIB);
    start_process(11, "java", 10 * MIB);
    begin();
    run_until_watched(2);
    run_until_samples(4);
    oc_fake_exec(d->probe, 10, "sleep");
    run_until_watched(1);
    ck_assert_ptr_null(source_of(10));
    finish();
    ck_assert_uint_eq(look("proc:sleep").lives, 0);
}
END_TEST

/* ---- children ---- */

static void start_child(uint32_t pid, uint32_t parent_pid, const char *name)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = 1000 + pid },
                                   .parent_pid = parent_pid };

    (void)snprintf(facts.name, sizeof(facts.name), "%s", name);
    script(&(struct person){ .pid = pid, .parent_pid = parent_pid });
    ck_assert_int_eq(oc_fake_start(d->probe, &facts), OC_OK);
    oc_fake_set(d->probe, pid, OC_METRIC_RSS, MIB);
    oc_fake_set(d->probe, pid, OC_METRIC_PRIVATE, MIB);
}

START_TEST(children_are_folded_into_the_nearest_ancestor_that_wants_them)
{
    struct oc_target *target = add_target(&d->config, "master");

    target->children = OC_CHILDREN_FOLD;
    select_word(target, OC_SELECT_NAME, "master");
    name_subject(target, "app:master");
    select_word(add_target(&d->config, "db"), OC_SELECT_NAME, "db");
    start_child(10, 1, "master");
    start_child(11, 10, "worker");
    start_child(12, 11, "helper");
    start_child(13, 11, "db"); /* has a target of its own */
    start_child(14, 1, "bystander");
    start_child(16, 11, "conhost.exe"); /* the system's own, whoever is above it */
    begin();
    run_until_watched(4);
    run_until_named(12, "app:master");
    run_until_named(13, "proc:db");
    ck_assert_int_eq(source_of(12)->folded, 1);
    ck_assert_int_eq(source_of(10)->folded, 0);
    ck_assert_ptr_null(source_of(14));
    ck_assert_ptr_null(source_of(16));
    ck_assert_uint_eq(source_of(10)->subject->member_count, 3);
    start_child(15, 12, "late");
    run_until_named(15, "app:master");
}
END_TEST

static int sum_has_samples(void)
{
    const struct oc_source *process = source_of(expected_pid);
    const struct oc_source *sum = process && process->subject ? process->subject->sum : NULL;

    return sum && sum->has_last;
}

START_TEST(a_subject_of_two_has_sums_until_the_last_one_ends)
{
    int64_t value = 0;
    struct seen seen;

    select_word(add_target(&d->config, "web"), OC_SELECT_NAME, "web");
    start_child(10, 1, "web");
    begin();
    run_until_named(10, "proc:web");
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_GROUP], 0); /* one alone needs none */
    start_child(11, 1, "web");
    run_until_named(11, "proc:web");
    expected_pid = 11;
    run_until(sum_has_samples);
    run_until_samples(d->groups.stats.samples + 10);
    ck_assert_int_eq(oc_last_value(&source_of(10)->subject->sum->last, OC_METRIC_PRIVATE, &value),
                     OC_OK);
    ck_assert_int_eq(value, 2 * MIB);
    oc_fake_end(d->probe, 11, OC_END_EXITED, 0);
    run_until_watched(1);
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_GROUP],
                      1); /* it goes on with the one that is left */
    oc_fake_end(d->probe, 10, OC_END_EXITED, 0);
    run_until_watched(0);
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_GROUP], 0);
    finish();
    seen = look("proc:web");
    ck_assert_uint_eq(seen.lives, 3);
    ck_assert_uint_eq(seen.running, 0);
}
END_TEST

/* ---- what goes to the store ---- */

static oc_reader *open_reader(void)
{
    oc_reader *reader = NULL;
    struct oc_detail detail = { 0 };

    ck_assert_msg(oc_reader_open(d->store_path, &reader, &detail) == OC_OK, "%s", detail.text);
    return reader;
}

struct limits_seen {
    unsigned count, kinds[OC_LIMIT_KINDS];
    uint64_t values[OC_LIMIT_KINDS]; /* the last one */
    uint8_t source_kind[OC_LIMIT_KINDS];
};

static int on_limit(const struct oc_limit_span *span, void *context)
{
    struct limits_seen *seen = context;

    seen->count++;
    seen->kinds[span->limit->kind]++;
    seen->values[span->limit->kind] = span->limit->value;
    seen->source_kind[span->limit->kind] = span->source_kind;
    return 0;
}

static struct limits_seen look_at_limits(void)
{
    struct limits_seen seen = { 0 };
    oc_reader *reader = open_reader();

    ck_assert_int_ge(oc_reader_limits(reader, OC_READER_ALL_SOURCES, 0, INT64_MAX, on_limit, &seen),
                     0);
    oc_reader_close(reader);
    return seen;
}

static int is_walked(void)
{
    const struct oc_source *source = source_of(expected_pid);

    return source && source->last_walk_mono_ms > 0;
}

static void run_until_walked(uint32_t pid)
{
    expected_pid = pid;
    run_until(is_walked);
}

START_TEST(a_walk_goes_to_the_store_with_its_limits)
{
    struct oc_census census = { 0 };
    struct limits_seen limits;
    struct oc_walker_stats stats;
    oc_reader *reader = NULL;
    int64_t unix_ms = 0;
    uint32_t id = 0;

    script(&(struct person){ .pid = 10, .exe = "/bin/x", .limit = 1 << 30 });
    start_process(10, "x", 100 * MIB);
    begin();
    run_until_walked(10);
    run_until_samples(4);
    id = source_of(10)->id;
    oc_walker_stats(d->walker, &stats);
    ck_assert_uint_eq(stats.made[OC_JOB_WALK], 1);
    ck_assert_uint_eq(stats.worst_stall_us, 2000);
    finish();
    reader = open_reader();
    ck_assert_int_eq(oc_reader_census(reader, id, INT64_MAX, 0, &census, &unix_ms), OC_OK);
    ck_assert_uint_eq(census.total_count, 1);
    ck_assert_uint_eq(census.totals[0].bytes, 12 * (uint64_t)MIB);
    oc_census_clear(&census);
    oc_reader_close(reader);
    limits = look_at_limits();
    ck_assert_uint_eq(limits.kinds[OC_LIMIT_RLIMIT_AS], 1);
    ck_assert_uint_eq(limits.values[OC_LIMIT_RLIMIT_AS], 1 << 30);
    ck_assert_str_eq(look("proc:x").last.facts.exe, "/bin/x");
}
END_TEST

static int limits_were_looked_at(void)
{
    unsigned count = 0;

    uv_mutex_lock(&script_mutex);
    count = limits_looks[0];
    uv_mutex_unlock(&script_mutex);
    return count > 0 && source_of(expected_pid) && !source_of(expected_pid)->limits_pending;
}

START_TEST(a_limit_that_changes_is_told_and_one_that_does_not_is_not)
{
    struct limits_seen limits;
    uint32_t fresh = 0;

    script(&(struct person){ .pid = 10, .limit = 1 << 30 });
    start_process(10, "x", 100 * MIB);
    begin();
    run_until_walked(10);
    run_until_samples(d->groups.stats.samples + 4); /* a change at the same time were none */
    script(&(struct person){ .pid = 10, .limit = 2u << 30 });
    ck_assert_uint_eq(oc_walks_now(d, 10, &fresh), 0); /* walked just now: its limits alone */
    ck_assert_uint_eq(fresh, 1);
    run_until(limits_were_looked_at);
    finish();
    limits = look_at_limits();
    ck_assert_uint_eq(limits.kinds[OC_LIMIT_RLIMIT_AS], 2);
    ck_assert_uint_eq(limits.values[OC_LIMIT_RLIMIT_AS], 2u << 30);
    ck_assert_uint_eq(walks_made[0], 1);
}
END_TEST

/* The store takes the process's limits for gone, as if it had never been told. */
static void forget_in_store(uint32_t pid)
{
    struct oc_message *message = oc_writer_message(d->writer, OC_MESSAGE_LIMITS);

    ck_assert_ptr_nonnull(message);
    message->source = source_of(pid)->id;
    message->boot_ms = oc_now_boot_ms();
    oc_writer_push(d->writer, message);
    run_until_samples(d->groups.stats.samples + 4);
}

/* Loop: whether memory was short when they were told. */
START_TEST(limits_are_told_again_only_where_they_were_not_taken_in)
{
    struct limits_seen limits;

    script(&(struct person){ .pid = 10, .limit = 1 << 30 });
    start_process(10, "x", 100 * MIB);
    begin();
    run_until_walked(10);
    run_until_samples(d->groups.stats.samples + 4);
    forget_in_store(10);
    d->troubles.untold += (uint64_t)_i;
    oc_limits_tell_again(d);
    finish();
    limits = look_at_limits();
    ck_assert_uint_eq(limits.kinds[OC_LIMIT_RLIMIT_AS], 1 + (unsigned)_i);
}
END_TEST

START_TEST(limits_of_the_config_hang_on_the_sums_where_there_are_any)
{
    struct oc_target *target = add_target(&d->config, "web");
    struct limits_seen limits;

    select_word(target, OC_SELECT_NAME, "web");
    target->limits[0] =
        (struct oc_user_limit){ .metric = OC_METRIC_PRIVATE, .value = 3 * (uint64_t)MIB };
    target->limit_count = 1;
    start_child(10, 1, "web");
    begin();
    run_until_named(10, "proc:web");
    start_child(11, 1, "web");
    run_until_named(11, "proc:web");
    expected_pid = 10;
    run_until(sum_has_samples);
    finish();
    limits = look_at_limits();
    ck_assert_uint_eq(limits.kinds[OC_LIMIT_USER], 2); /* the process's, until the sums began */
    ck_assert_uint_eq(limits.source_kind[OC_LIMIT_USER], OC_SOURCE_GROUP);
    ck_assert_uint_eq(limits.values[OC_LIMIT_USER], 3 * (uint64_t)MIB);
}
END_TEST

START_TEST(limits_of_a_cgroup_come_with_its_samples)
{
    struct oc_proc_facts facts = { .id = { .pid = 10, .start_ticks = 1 },
                                   .name = "in",
                                   .cgroup = "/a" };
    struct limits_seen limits;

    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/a", 2), OC_OK);
    oc_fake_cgroup_set(d->probe, "/a", OC_METRIC_CGROUP_LIMIT, 512 * MIB);
    script(&(struct person){ .pid = 10, .cgroup = "/a" });
    ck_assert_int_eq(oc_fake_start(d->probe, &facts), OC_OK);
    oc_fake_set(d->probe, 10, OC_METRIC_RSS, 100 * MIB);
    begin();
    run_until_samples(6);
    finish();
    limits = look_at_limits();
    ck_assert_uint_eq(limits.kinds[OC_LIMIT_CGROUP_MAX], 1);
    ck_assert_uint_eq(limits.values[OC_LIMIT_CGROUP_MAX], 512 * (uint64_t)MIB);
}
END_TEST

struct labels_seen {
    unsigned count;
    char last_key[64], last_value[64];
};

static int on_label(const char *key, const char *value, void *context)
{
    struct labels_seen *seen = context;

    seen->count++;
    (void)snprintf(seen->last_key, sizeof(seen->last_key), "%s", key);
    (void)snprintf(seen->last_value, sizeof(seen->last_value), "%s", value);
    return 0;
}

static struct labels_seen look_at_labels(const char *subject)
{
    struct labels_seen seen = { 0 };
    oc_reader *reader = open_reader();

    ck_assert_int_ge(oc_reader_labels(reader, subject, on_label, &seen), 0);
    oc_reader_close(reader);
    return seen;
}

START_TEST(labels_follow_the_config)
{
    struct oc_target *target = add_target(&d->config, "web");
    struct labels_seen seen;

    select_word(target, OC_SELECT_NAME, "web");
    target->labels.count = 1;
    (void)snprintf(target->labels.items[0].key, OC_LABEL_KEY_BYTES, "team");
    (void)snprintf(target->labels.items[0].value, OC_LABEL_VALUE_BYTES, "shop");
    start_child(10, 1, "web");
    begin();
    run_until_named(10, "proc:web");
    (void)snprintf(d->config.targets.items[0].labels.items[0].value, OC_LABEL_VALUE_BYTES, "till");
    reload();
    run_scans(1);
    finish();
    seen = look_at_labels("proc:web");
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_str_eq(seen.last_key, "team");
    ck_assert_str_eq(seen.last_value, "till");
    ck_assert_uint_eq(look("proc:web").lives, 1); /* labels alone begin nothing anew */
}
END_TEST

START_TEST(who_killed_it_is_kept_with_the_life)
{
    struct seen seen;

    start_process(10, "eats", 100 * MIB);
    begin();
    run_until_samples(2);
    oc_fake_kill(d->probe, 10, OC_KILLER_CGROUP, "/kube/pod1");
    run_until_watched(0);
    finish();
    seen = look("proc:eats");
    ck_assert_int_eq(seen.last.end, OC_END_OOM_KILLED);
    ck_assert_int_eq(seen.last.killer, OC_KILLER_CGROUP);
}
END_TEST

/* ---- reload ---- */

START_TEST(a_reload_leaves_alone_what_is_the_same_and_asks_before_it_lets_go)
{
    struct oc_target *target = add_target(&d->config, "shop");
    uint32_t id = 0;

    select_cmdline(target, "shop");
    script(&(struct person){ .pid = 10, .name = "java", .cmdline = "java shop" });
    script(&(struct person){ .pid = 11, .name = "node", .cmdline = "java shop too" });
    start_process(10, "java", MIB);
    start_process(11, "node", MIB);
    begin();
    run_until_named(10, "proc:java");
    run_until_named(11, "proc:node");
    id = source_of(10)->id;
    reload();
    ck_assert_int_eq(source_of(10)->asked, 1); /* it stays as it is until the facts are there */
    run_scans(3);
    ck_assert_uint_eq(source_of(10)->id, id);
    script(&(struct person){ .pid = 11, .name = "node", .cmdline = "other" });
    reload();
    run_until_watched(1);
    finish();
    ck_assert_uint_eq(look("proc:java").lives, 1);
    ck_assert_uint_eq(look("proc:java").running, 1);
    ck_assert_int_eq(look("proc:node").last.end, OC_END_UNWATCHED);
}
END_TEST

START_TEST(another_subject_is_another_series_of_the_same_process)
{
    struct oc_target *target = add_target(&d->config, "java");
    struct seen seen;

    select_word(target, OC_SELECT_NAME, "java");
    script(&(struct person){ .pid = 10 });
    start_process(10, "java", MIB);
    begin();
    run_until_named(10, "proc:java");
    run_until_samples(3);
    name_subject(&d->config.targets.items[0], "app:java");
    reload();
    run_until_named(10, "app:java");
    run_until_samples(d->groups.stats.samples + 3);
    finish();
    seen = look("proc:java");
    ck_assert_uint_eq(seen.lives, 1);
    ck_assert_int_eq(seen.last.end, OC_END_UNWATCHED);
    seen = look("app:java");
    ck_assert_uint_eq(seen.lives, 1);
    ck_assert_uint_eq(seen.running, 1);
    ck_assert_uint_ge(seen.samples, 2);
}
END_TEST

START_TEST(a_target_of_cgroups_watches_the_cgroup_in_place_of_the_process)
{
    struct oc_target *target = add_target(&d->config, "web");
    struct seen seen;

    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/", 1), OC_OK);
    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/web", 2), OC_OK);
    oc_fake_cgroup_set(d->probe, "/web", OC_METRIC_CGROUP_CURRENT, MIB);
    target->source = OC_TARGET_CGROUP;
    select_word(target, OC_SELECT_CGROUP, "/web");
    name_subject(target, "app:web");
    script(&(struct person){ .pid = 10, .cgroup = "/web" });
    start_process(10, "w", MIB);
    begin();
    run_until_samples(8);
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_PROCESS], 0);
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_CGROUP], 2);
    oc_fake_cgroup_end(d->probe, "/web");
    oc_watch_events(d);
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_CGROUP], 0);
    finish();
    seen = look("app:web");
    ck_assert_uint_eq(seen.lives, 1);
    ck_assert_uint_ge(seen.samples, 1);
}
END_TEST

/* ---- one that is stuck ---- */

START_TEST(one_that_is_stuck_holds_up_no_other)
{
    struct oc_walker_stats stats;

    (void)uv_sem_init(&stuck_go, 0);
    stuck_pid = 10;
    script(&(struct person){ .pid = 10 });
    script(&(struct person){ .pid = 11 });
    script(&(struct person){ .pid = 12 });
    start_process(10, "stuck", 100 * MIB);
    start_process(11, "other", 100 * MIB);
    start_process(12, "third", 100 * MIB);
    begin();
    run_until_walked(11);
    run_until_walked(12);
    run_until_samples(d->groups.stats.samples + 9); /* ticks go on */
    oc_walker_stats(d->walker, &stats);
    ck_assert_uint_eq(stats.under_way, 1);
    ck_assert_uint_eq(stats.stuck_pid, 10);
    ck_assert_int_eq(source_of(10)->walk_pending, 1);
    uv_sem_post(&stuck_go);
    run_until_walked(10);
    uv_sem_destroy(&stuck_go);
}
END_TEST

Suite *targets_suite(void)
{
    Suite *suite = suite_create("targets");
    TCase *tcase = tcase_create("targets");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_a_scan_does_not_tell_is_asked_once);
    tcase_add_test(tcase, one_that_grows_into_a_target_is_asked_again_then);
    tcase_add_test(tcase, an_ignored_one_is_left_alone);
    tcase_add_test(tcase, an_exec_is_held_against_the_targets_again);
    tcase_add_test(tcase, children_are_folded_into_the_nearest_ancestor_that_wants_them);
    tcase_add_test(tcase, a_subject_of_two_has_sums_until_the_last_one_ends);
    tcase_add_test(tcase, a_walk_goes_to_the_store_with_its_limits);
    tcase_add_test(tcase, a_limit_that_changes_is_told_and_one_that_does_not_is_not);
    tcase_add_loop_test(tcase, limits_are_told_again_only_where_they_were_not_taken_in, 0, 2);
    tcase_add_test(tcase, limits_of_the_config_hang_on_the_sums_where_there_are_any);
    tcase_add_test(tcase, limits_of_a_cgroup_come_with_its_samples);
    tcase_add_test(tcase, labels_follow_the_config);
    tcase_add_test(tcase, who_killed_it_is_kept_with_the_life);
    tcase_add_test(tcase, a_reload_leaves_alone_what_is_the_same_and_asks_before_it_lets_go);
    tcase_add_test(tcase, another_subject_is_another_series_of_the_same_process);
    tcase_add_test(tcase, a_target_of_cgroups_watches_the_cgroup_in_place_of_the_process);
    tcase_add_test(tcase, one_that_is_stuck_holds_up_no_other);
    suite_add_tcase(suite, tcase);
    return suite;
}
