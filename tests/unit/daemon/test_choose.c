/* What the config says of a process, what is remembered of those that it does not want, and sums. */
#include "base/alloc.h"
#include "daemon/choose.h"
#include "daemon/known.h"
#include "daemon/labels.h"
#include "daemon/source.h"
#include "daemon/subject.h"
#include "suites.h"
#include "tests/unit/daemon/target_fixture.h"

#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static struct oc_config config;
static struct oc_chosen chosen;

static void setup(void) { oc_config_init(&config); }
static void teardown(void) { oc_config_clear(&config); }

static enum oc_choice choose(const char *name, uint64_t rss_bytes, const char *cmdline)
{
    struct oc_match_facts facts = {
        .pid = 7, .name = name, .rss_bytes = rss_bytes, .uid = -1, .cmdline = cmdline
    };

    return oc_choose(&config, &facts, &chosen);
}

START_TEST(by_default_size_decides)
{
    ck_assert_int_eq(choose("x", 64 * MIB - 1, NULL), OC_CHOICE_NO);
    ck_assert_uint_eq(chosen.from_bytes, 64 * MIB);
    ck_assert_int_eq(choose("x", 64 * MIB, NULL), OC_CHOICE_YES);
    ck_assert_uint_eq(chosen.target, OC_TARGET_NONE);
}
END_TEST

START_TEST(with_targets_the_first_that_fits_decides)
{
    select_word(add_target(&config, "java"), OC_SELECT_NAME, "java*");
    select_word(add_target(&config, "node"), OC_SELECT_NAME, "node");
    ck_assert_int_eq(choose("node", 4096, NULL), OC_CHOICE_YES);
    ck_assert_uint_eq(chosen.target, 1);
    ck_assert_int_eq(choose("javac", 4096, NULL), OC_CHOICE_YES);
    ck_assert_uint_eq(chosen.target, 0);
    ck_assert_int_eq(choose("bash", 1 << 30, NULL), OC_CHOICE_NO);
    ck_assert_uint_eq(chosen.from_bytes, UINT64_MAX);
}
END_TEST

START_TEST(what_is_not_known_is_asked_for_and_then_decided)
{
    struct oc_target *target = add_target(&config, "shop");

    select_word(target, OC_SELECT_NAME, "java");
    select_cmdline(target, "shop\\.jar");
    ck_assert_int_eq(choose("bash", 4096, NULL), OC_CHOICE_NO); /* the name says no already */
    ck_assert_int_eq(choose("java", 4096, NULL), OC_CHOICE_ASK);
    ck_assert_int_eq(choose("java", 4096, "java -jar shop.jar"), OC_CHOICE_YES);
    ck_assert_int_eq(choose("java", 4096, "java -jar till.jar"), OC_CHOICE_NO);
}
END_TEST

START_TEST(a_size_that_is_not_reached_yet_is_remembered)
{
    struct oc_target *target = add_target(&config, "large");

    select_size(target, 100 * MIB);
    target = add_target(&config, "larger");
    select_size(target, 200 * MIB);
    ck_assert_int_eq(choose("x", 10 * MIB, NULL), OC_CHOICE_NO);
    ck_assert_uint_eq(chosen.from_bytes, 100 * MIB);
    ck_assert_int_eq(choose("x", 100 * MIB, NULL), OC_CHOICE_YES);
}
END_TEST

START_TEST(labels_of_the_host_leave_the_processes_to_their_size)
{
    add_target(&config, "host")->source = OC_TARGET_HOST;
    ck_assert_int_eq(choose("x", 64 * MIB - 1, NULL), OC_CHOICE_NO);
    ck_assert_int_eq(choose("x", 64 * MIB, NULL), OC_CHOICE_YES);
    ck_assert_uint_eq(chosen.target, OC_TARGET_NONE);
    ck_assert_uint_eq(oc_choose_host(&config), 0);
    select_word(add_target(&config, "java"), OC_SELECT_NAME, "java");
    ck_assert_int_eq(choose("x", 64 * MIB, NULL), OC_CHOICE_NO);
}
END_TEST

START_TEST(who_is_ignored_is_told_from_who_does_not_fit)
{
    struct oc_target *target = add_target(&config, "none of these");

    target->ignore = 1;
    select_word(target, OC_SELECT_NAME, "chrome");
    select_word(add_target(&config, "c"), OC_SELECT_NAME, "c*");
    ck_assert_int_eq(choose("chrome", 4096, NULL), OC_CHOICE_NO);
    ck_assert_int_eq(chosen.ignored, 1);
    ck_assert_int_eq(choose("cat", 4096, NULL), OC_CHOICE_YES);
    ck_assert_int_eq(choose("dog", 4096, NULL), OC_CHOICE_NO);
    ck_assert_int_eq(chosen.ignored, 0);
}
END_TEST

START_TEST(a_template_asks_for_what_it_names)
{
    struct oc_target *target = add_target(&config, "t");
    struct oc_proc_names names = { .user = "shop" };
    struct oc_match_facts facts = { .pid = 7, .name = "java", .uid = -1 };
    char subject[OC_SUBJECT_BYTES];

    select_word(target, OC_SELECT_NAME, "java");
    name_subject(target, "app:{user}/{name}");
    ck_assert_int_eq(oc_choose(&config, &facts, &chosen), OC_CHOICE_ASK);
    facts.names = &names;
    ck_assert_int_eq(oc_choose(&config, &facts, &chosen), OC_CHOICE_YES);
    oc_choose_subject(&config, chosen.target, &facts, subject);
    ck_assert_str_eq(subject, "app:shop/java");
    oc_choose_subject(&config, OC_TARGET_NONE, &facts, subject);
    ck_assert_str_eq(subject, "proc:java");
}
END_TEST

/* ---- those that are not wanted ---- */

START_TEST(what_is_known_is_kept_while_it_is_seen_and_let_go_then)
{
    struct oc_knowns knowns = { 0 };
    struct oc_known *known = NULL;

    for (uint32_t pid = 1; pid <= 5000; pid++) {
        ck_assert_int_eq(oc_knowns_put(&knowns, pid, pid, &known), OC_OK);
        known->state = OC_KNOWN_NO;
    }
    oc_knowns_sweep(&knowns); /* a put counts as seen */
    ck_assert_uint_eq(knowns.used, 5000);
    for (uint32_t pid = 1; pid <= 10; pid++)
        oc_knowns_find(&knowns, pid)->seen = 1;
    oc_knowns_sweep(&knowns);
    ck_assert_uint_eq(knowns.used, 10);
    ck_assert_ptr_nonnull(oc_knowns_find(&knowns, 10));
    ck_assert_ptr_null(oc_knowns_find(&knowns, 11));
    oc_knowns_forget(&knowns, 10);
    ck_assert_ptr_null(oc_knowns_find(&knowns, 10));
    ck_assert_int_eq(oc_knowns_put(&knowns, 10, 99, &known), OC_OK);
    ck_assert_uint_eq(known->start_ticks, 99);
    ck_assert_uint_eq(known->state, 0);
    oc_knowns_clear(&knowns);
}
END_TEST

START_TEST(another_life_of_a_pid_is_another_case)
{
    struct oc_knowns knowns = { 0 };
    struct oc_known *known = NULL;

    ck_assert_int_eq(oc_knowns_put(&knowns, 5, 1, &known), OC_OK);
    known->state = OC_KNOWN_IGNORED;
    ck_assert_int_eq(oc_knowns_put(&knowns, 5, 1, &known), OC_OK);
    ck_assert_uint_eq(known->state, OC_KNOWN_IGNORED);
    ck_assert_int_eq(oc_knowns_put(&knowns, 5, 2, &known), OC_OK);
    ck_assert_uint_eq(known->state, OC_KNOWN_ASKED);
    ck_assert_uint_eq(knowns.used, 1);
    oc_knowns_clear(&knowns);
}
END_TEST

/* ---- labels ---- */

static void put_label(struct oc_labels *labels, const char *key, const char *value)
{
    struct oc_label *label = &labels->items[labels->count++];

    (void)snprintf(label->key, sizeof(label->key), "%s", key);
    (void)snprintf(label->value, sizeof(label->value), "%s", value);
}

START_TEST(labels_of_the_target_win_and_all_are_in_order)
{
    static struct oc_labels global, own;
    const char *pairs[4 * OC_LABELS_MAX + 1];

    put_label(&global, "env", "test");
    put_label(&global, "site", "b1");
    put_label(&own, "app", "shop");
    put_label(&own, "env", "live");
    ck_assert_uint_eq(oc_labels_merge(&global, &own, pairs), 3);
    ck_assert_str_eq(pairs[0], "app");
    ck_assert_str_eq(pairs[2], "env");
    ck_assert_str_eq(pairs[3], "live");
    ck_assert_str_eq(pairs[4], "site");
    ck_assert_ptr_null(pairs[6]);
    ck_assert_uint_eq(oc_labels_merge(&global, NULL, pairs), 2);
    ck_assert_str_eq(pairs[1], "test");
}
END_TEST

/* ---- sums ---- */

static struct oc_source *join(struct oc_subjects *subjects, struct oc_sources *sources,
                              int64_t private_bytes, int64_t cpu_ms, int64_t swap_bytes)
{
    struct oc_source *source = NULL;
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    ck_assert_int_eq(oc_sources_add(sources, OC_SOURCE_PROCESS, &source), OC_OK);
    ck_assert_int_eq(oc_subjects_join(subjects, source, "s"), OC_OK);
    oc_sample_set(&sample, OC_METRIC_PRIVATE, private_bytes);
    oc_sample_set(&sample, OC_METRIC_RSS, private_bytes);
    oc_sample_set(&sample, OC_METRIC_CPU_TIME, cpu_ms);
    if (swap_bytes >= 0)
        oc_sample_set(&sample, OC_METRIC_SWAP, swap_bytes);
    ck_assert_int_eq(oc_last_keep(&source->last, &sample), OC_OK);
    return source;
}

START_TEST(a_sum_has_what_all_know_and_no_shared_memory)
{
    struct oc_subjects subjects = { 0 };
    struct oc_sources sources = { 0 };
    struct oc_sample sum;
    const struct oc_subject *subject = NULL;
    struct oc_source *unsampled = NULL;

    (void)join(&subjects, &sources, 100, 5, 1);
    (void)join(&subjects, &sources, 200, 6, -1);
    ck_assert_int_eq(oc_sources_add(&sources, OC_SOURCE_PROCESS, &unsampled), OC_OK);
    ck_assert_int_eq(oc_subjects_join(&subjects, unsampled, "s"), OC_OK);
    subject = oc_subjects_find(&subjects, "s");
    ck_assert_int_eq(oc_subject_sum(subject, &sum), OC_OK);
    ck_assert_int_eq(oc_sample_get(&sum, OC_METRIC_PRIVATE), 300);
    ck_assert_int_eq(oc_sample_get(&sum, OC_METRIC_CPU_TIME), 11);
    ck_assert_int_eq(oc_sample_get(&sum, OC_METRIC_PROCESSES), 2);
    ck_assert(!oc_sample_has(&sum, OC_METRIC_SWAP)); /* one does not know it */
    ck_assert(!oc_sample_has(&sum, OC_METRIC_RSS));  /* shared pages would count twice */
    oc_sources_clear(&sources);
    oc_subjects_clear(&subjects);
}
END_TEST

START_TEST(counters_of_a_sum_never_fall_and_the_last_one_ends_the_subject)
{
    struct oc_subjects subjects = { 0 };
    struct oc_sources sources = { 0 };
    struct oc_sample sum;
    struct oc_source *first = join(&subjects, &sources, 100, 50, 0);
    struct oc_source *second = join(&subjects, &sources, 10, 7, 0);

    oc_subjects_leave(&subjects, first);
    ck_assert_int_eq(oc_subject_sum(second->subject, &sum), OC_OK);
    ck_assert_int_eq(oc_sample_get(&sum, OC_METRIC_CPU_TIME), 57);
    ck_assert_int_eq(oc_sample_get(&sum, OC_METRIC_PRIVATE), 10);
    oc_subjects_leave(&subjects, second);
    ck_assert_ptr_null(oc_subjects_find(&subjects, "s"));
    ck_assert_uint_eq(subjects.count, 0);
    oc_sources_clear(&sources);
    oc_subjects_clear(&subjects);
}
END_TEST

START_TEST(many_subjects_are_found_again)
{
    struct oc_subjects subjects = { 0 };
    struct oc_sources sources = { 0 };
    char name[32];

    for (int i = 0; i < 1000; i++) {
        struct oc_source *source = NULL;

        (void)snprintf(name, sizeof(name), "subject %d", i);
        ck_assert_int_eq(oc_sources_add(&sources, OC_SOURCE_PROCESS, &source), OC_OK);
        ck_assert_int_eq(oc_subjects_join(&subjects, source, name), OC_OK);
    }
    ck_assert_uint_eq(subjects.count, 1000);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "subject %d", i);
        ck_assert_ptr_nonnull(oc_subjects_find(&subjects, name));
    }
    ck_assert_ptr_null(oc_subjects_find(&subjects, "subject 1000"));
    oc_sources_clear(&sources);
    oc_subjects_clear(&subjects);
}
END_TEST

Suite *choose_suite(void)
{
    Suite *suite = suite_create("choose");
    TCase *tcase = tcase_create("choose");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, by_default_size_decides);
    tcase_add_test(tcase, with_targets_the_first_that_fits_decides);
    tcase_add_test(tcase, what_is_not_known_is_asked_for_and_then_decided);
    tcase_add_test(tcase, a_size_that_is_not_reached_yet_is_remembered);
    tcase_add_test(tcase, labels_of_the_host_leave_the_processes_to_their_size);
    tcase_add_test(tcase, who_is_ignored_is_told_from_who_does_not_fit);
    tcase_add_test(tcase, a_template_asks_for_what_it_names);
    tcase_add_test(tcase, what_is_known_is_kept_while_it_is_seen_and_let_go_then);
    tcase_add_test(tcase, another_life_of_a_pid_is_another_case);
    tcase_add_test(tcase, labels_of_the_target_win_and_all_are_in_order);
    tcase_add_test(tcase, a_sum_has_what_all_know_and_no_shared_memory);
    tcase_add_test(tcase, counters_of_a_sum_never_fall_and_the_last_one_ends_the_subject);
    tcase_add_test(tcase, many_subjects_are_found_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
