/* Walks of a made worker: what is told of each part of its address space, and what is never asked. */
#include "win_made.h"
#include "win_suites.h"

#include "base/alloc.h"
#include "probes/windows/contract.h"
#include "probes/windows/walk.h"

#include <stdlib.h>
#include <string.h>

static struct oc_walk walk_of(struct made *made, unsigned want)
{
    const struct oc_walk_request request = { .pid = MADE_PID, .want = want };
    struct oc_walk walk = { 0 };

    ck_assert_int_eq(oc_win_walk(made_table(made), &request, &walk), OC_OK);
    return walk;
}

static uint64_t sum(const struct oc_walk *walk, enum oc_usage usage)
{
    return oc_census_sum_bytes(&walk->census, usage, OC_REGION_TYPES, OC_REGION_STATES);
}

static int64_t figure(const struct oc_walk *walk, enum oc_metric metric)
{
    ck_assert(oc_sample_has(&walk->sample, metric));
    return oc_sample_get(&walk->sample, metric);
}

START_TEST(usages_are_those_of_address)
{
    struct made *made = made_worker();
    struct oc_walk walk = walk_of(made, OC_WALK_USUAL);

    ck_assert_uint_eq(sum(&walk, OC_USAGE_IMAGE), 0x41000 + 0x700000);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_HEAP), 0x100000 + 0x200000 + 0x101000);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_STACK), 0x100000);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_TEB), 0x3000);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_PEB), 0x2000);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_MAPPED_FILE), 0x40000);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_SECTION), MADE_SECTIONS * MADE_SECTION_BYTES);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_MANAGED_HEAP), MADE_GC_BYTES);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_PRIVATE), 0x100000 - 0x5000); /* behind the TEBs */
    ck_assert_uint_eq(sum(&walk, OC_USAGE_COUNT), MADE_TOP - OC_WIN_LOWEST);
    ck_assert_str_eq(walk.census.runtime, "dotnet");
    ck_assert_uint_eq(walk.census.is_32bit, 1);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

START_TEST(a_small_assembly_takes_a_whole_slot)
{
    struct made *made = made_worker();
    struct oc_walk walk = walk_of(made, OC_WALK_USUAL);
    uint64_t tails = MADE_SECTIONS * (OC_WIN_GRANULE_BYTES - MADE_SECTION_BYTES);
    const struct oc_family *found = NULL;

    tails += 0xf000 + 0xf000; /* behind w3wp.exe, and behind the large block */
    ck_assert_uint_eq(sum(&walk, OC_USAGE_UNUSABLE), tails);
    ck_assert_int_eq(figure(&walk, OC_METRIC_UNUSABLE), (int64_t)tails);
    ck_assert_int_eq(figure(&walk, OC_METRIC_SECTIONS), MADE_SECTIONS);
    for (size_t i = 0; i < walk.census.family_count; i++) {
        if (strcmp(oc_census_text(&walk.census, walk.census.families[i].name),
                   oc_win_label_text(OC_WIN_LABEL_SECTION)) == 0)
            found = &walk.census.families[i];
    }
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(found->count, MADE_SECTIONS);
    ck_assert_uint_eq(found->bytes, MADE_SECTIONS * OC_WIN_GRANULE_BYTES);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

/* What is free in all is no room: each hole counts from where an allocation may begin. */
START_TEST(largest_free_is_what_can_be_allocated)
{
    struct made *made = made_worker();
    struct oc_walk walk;

    /* the top half is full, and what lies below is cut in two by a page that leaves no round address */
    made_add(made, 0x70710000, MADE_TOP - 0x70710000, OC_MEM_COMMIT, OC_MEM_PRIVATE, 4);
    walk = walk_of(made, OC_WALK_USUAL);
    ck_assert_int_eq(figure(&walk, OC_METRIC_LARGEST_FREE), 0x70000000 - 0x5040000);
    ck_assert_uint_eq(walk.census.largest_free_start, 0x5040000);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

START_TEST(modules_are_named_by_their_drive)
{
    struct made *made = made_worker();
    struct oc_walk walk = walk_of(made, OC_WALK_USUAL);

    ck_assert_uint_eq(walk.census.has_modules, 1);
    ck_assert_uint_eq(walk.census.module_count, 2);
    ck_assert_str_eq(oc_census_text(&walk.census, walk.census.modules[0].name),
                     "C:\\Windows\\SysWOW64\\inetsrv\\w3wp.exe");
    ck_assert_str_eq(oc_census_text(&walk.census, walk.census.modules[1].name),
                     "C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\clr.dll");
    ck_assert_uint_eq(walk.census.modules[1].bytes, 0x700000);
    ck_assert_int_eq(figure(&walk, OC_METRIC_MODULES), 2);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

static void in_order(const struct oc_region *region, void *context)
{
    uint64_t *end = context;

    ck_assert_uint_eq(region->start, *end);
    ck_assert_uint_gt(region->bytes, 0);
    ck_assert_ptr_nonnull(region->name);
    if (region->usage == OC_USAGE_STACK)
        ck_assert_str_eq(region->name, "stack of 4712");
    *end += region->bytes;
}

START_TEST(the_list_has_every_byte_once)
{
    struct made *made = made_worker();
    uint64_t end = OC_WIN_LOWEST;
    const struct oc_walk_request request = {
        .pid = MADE_PID, .want = OC_WALK_REGIONS, .on_region = in_order, .context = &end
    };
    struct oc_walk walk = { 0 };

    ck_assert_int_eq(oc_win_walk(made_table(made), &request, &walk), OC_OK);
    ck_assert_uint_eq(end, MADE_TOP);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

/* ---- what is never asked ---- */

START_TEST(facts_alone_need_no_memory)
{
    struct made *made = made_worker();
    struct oc_walk walk;

    made_process(made)->is_untargeted = 1;
    walk = walk_of(made, OC_WALK_FACTS);
    ck_assert_str_eq(walk.facts.name, "w3wp.exe");
    ck_assert_uint_eq(made_table(made)->counts.reads_opened, 0);
    ck_assert_uint_eq(made_table(made)->counts.calls[OC_WIN_CALL_QUERY], 0);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

START_TEST(a_protected_process_keeps_its_memory_to_itself)
{
    struct made *made = made_worker();
    struct oc_walk walk;

    made_process(made)->basics.is_protected = 1;
    walk = walk_of(made, OC_WALK_USUAL);
    ck_assert_uint_eq(walk.census.has_regions, 0);
    ck_assert_uint_eq(made_table(made)->counts.reads_opened, 0);
    ck_assert_str_eq(walk.facts.name, "w3wp.exe");
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

START_TEST(another_process_of_that_pid_is_gone)
{
    struct made *made = made_worker();
    const struct oc_walk_request request = { .pid = MADE_PID,
                                             .start_ticks = 1,
                                             .want = OC_WALK_USUAL };
    struct oc_walk walk = { 0 };

    ck_assert_int_eq(oc_win_walk(made_table(made), &request, &walk), OC_E_GONE);
    made_free(made);
}
END_TEST

START_TEST(calls_that_fail_leave_figures_out)
{
    static const enum oc_win_call calls[] = { OC_WIN_CALL_LIST,   OC_WIN_CALL_MAPPED_NAME,
                                              OC_WIN_CALL_READ,   OC_WIN_CALL_THREAD_TEB,
                                              OC_WIN_CALL_BASICS, OC_WIN_CALL_HOST };

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct made *made = made_worker();
        const struct oc_walk_request request = { .pid = MADE_PID, .want = OC_WALK_USUAL };
        struct oc_walk walk = { 0 };

        oc_fake_win_fail(made_fake(made), calls[i], OC_E_DENIED);
        ck_assert_int_eq(oc_win_walk(made_table(made), &request, &walk), OC_OK);
        oc_walk_clear(&walk);
        made_free(made);
    }
}
END_TEST

START_TEST(memory_may_end_at_every_point)
{
    int rc = OC_E_NOMEM;

    for (uint64_t nth = 1; rc != OC_OK; nth++) {
        struct made *made = made_worker();
        const struct oc_walk_request request = { .pid = MADE_PID, .want = OC_WALK_USUAL };
        struct oc_walk walk = { 0 };
        const int64_t live = oc_alloc_live();

        oc_alloc_fail_at(nth, 0);
        rc = oc_win_walk(made_table(made), &request, &walk);
        oc_alloc_fail_at(0, 0);
        oc_walk_clear(&walk);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
        ck_assert_int_ge(live + 16, oc_alloc_live()); /* the fake's own handles may stay */
        ck_assert_uint_lt(nth, 1000);
        made_free(made);
    }
}
END_TEST

/* ---- limits ---- */

static const struct oc_limit *limit_of(const struct oc_walk *walk, enum oc_limit_kind kind)
{
    for (uint32_t i = 0; i < walk->limit_count; i++) {
        if (walk->limits[i].kind == kind)
            return &walk->limits[i];
    }
    return NULL;
}

START_TEST(two_gib_are_the_limit_of_a_32bit_worker)
{
    struct made *made = made_worker();
    struct oc_walk walk = walk_of(made, OC_WALK_USUAL);
    const struct oc_limit *limit = limit_of(&walk, OC_LIMIT_ADDRESS_SPACE);

    ck_assert_ptr_nonnull(limit);
    ck_assert_uint_eq(limit->value, MADE_TOP);
    ck_assert_uint_eq(limit->has_use, 1);
    limit = limit_of(&walk, OC_LIMIT_LARGEST_FREE);
    ck_assert_uint_eq(limit->value, 16u << 20);
    ck_assert_str_eq(limit->where, "a segment of the workstation GC");
    ck_assert_uint_eq(limit_of(&walk, OC_LIMIT_DANGER_VIRTUAL)->value, 1400u << 20);
    ck_assert_uint_eq(limit_of(&walk, OC_LIMIT_DANGER_PRIVATE)->value, 800u << 20);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

START_TEST(large_addresses_have_four)
{
    struct made *made = made_worker();
    struct oc_walk walk;

    made_set_large(made);
    walk = walk_of(made, OC_WALK_LIMITS); /* a look at limits alone has the same */
    ck_assert_uint_eq(limit_of(&walk, OC_LIMIT_ADDRESS_SPACE)->value, 0xffff0000);
    ck_assert_uint_eq(limit_of(&walk, OC_LIMIT_LARGEST_FREE)->value, 16u << 20);
    ck_assert_uint_eq(limit_of(&walk, OC_LIMIT_DANGER_VIRTUAL)->value, UINT64_C(2800) << 20);
    ck_assert_ptr_null(limit_of(&walk, OC_LIMIT_DANGER_PRIVATE));
    ck_assert_uint_eq(walk.census.has_regions, 0);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

START_TEST(wide_addresses_have_none)
{
    struct made *made = made_worker();
    struct oc_walk walk;

    made_set_wide(made);
    walk = walk_of(made, OC_WALK_USUAL);
    ck_assert_ptr_null(limit_of(&walk, OC_LIMIT_ADDRESS_SPACE));
    ck_assert_ptr_null(limit_of(&walk, OC_LIMIT_LARGEST_FREE));
    ck_assert(!oc_sample_has(&walk.sample, OC_METRIC_LARGEST_FREE));
    ck_assert_uint_eq(walk.census.is_32bit, 0);
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

START_TEST(a_job_and_the_host_are_told)
{
    struct made *made = made_worker();
    struct oc_limits *limits = calloc(1, sizeof *limits);
    struct oc_win_host *host = oc_fake_win_host(made_fake(made));
    int has_physical = 0, has_commit = 0;

    ck_assert_ptr_nonnull(limits);
    host->commit_limit = UINT64_C(20) << 30;
    host->commit_max = UINT64_C(48) << 30;
    host->commit_total = UINT64_C(10) << 30;
    ck_assert_int_eq(oc_win_limits(made_table(made), MADE_PID, limits), OC_OK);
    ck_assert_int_eq(limits->is_in_job, 1);
    for (size_t i = 0; i < limits->count; i++) {
        const struct oc_limit *limit = &limits->items[i];

        has_physical += limit->kind == OC_LIMIT_HOST_PHYSICAL && limit->value == host->total_phys;
        has_commit += limit->kind == OC_LIMIT_COMMIT && limit->value == host->commit_max &&
                      limit->use == host->commit_total;
        if (limit->kind == OC_LIMIT_DANGER_PRIVATE)
            ck_assert_uint_eq(limit->use, UINT64_C(300) << 20);
    }
    ck_assert_int_eq(has_physical, 1);
    ck_assert_int_eq(has_commit, 1);
    free(limits);
    made_free(made);
}
END_TEST

/* Wine tells of unused space of 32 bits as reserved without access; Windows' own reservations stay. */
START_TEST(wine_s_unused_space_is_free_under_wine_alone)
{
    struct made *made = made_worker();
    struct oc_walk walk;
    uint64_t free_bytes = 0;

    made_add(made, 0x70710000, 0x1000000, OC_MEM_RESERVE, OC_MEM_PRIVATE, 4);
    walk = walk_of(made, OC_WALK_USUAL);
    free_bytes = sum(&walk, OC_USAGE_FREE);
    oc_walk_clear(&walk);
    made_set_unused(made);
    walk = walk_of(made, OC_WALK_USUAL);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_FREE), free_bytes);
    oc_walk_clear(&walk);
    made_table(made)->is_wine = 1;
    walk = walk_of(made, OC_WALK_USUAL);
    ck_assert_uint_eq(sum(&walk, OC_USAGE_FREE), free_bytes + 0x1000000);
    ck_assert_int_eq(figure(&walk, OC_METRIC_VIRTUAL),
                     (int64_t)(MADE_TOP - OC_WIN_LOWEST - sum(&walk, OC_USAGE_FREE) -
                               sum(&walk, OC_USAGE_UNUSABLE)));
    oc_walk_clear(&walk);
    made_free(made);
}
END_TEST

Suite *win_walk_suite(void)
{
    Suite *suite = suite_create("windows walks");
    TCase *regions = tcase_create("regions"), *asked = tcase_create("asked"),
          *limits = tcase_create("limits");

    tcase_add_test(regions, usages_are_those_of_address);
    tcase_add_test(regions, a_small_assembly_takes_a_whole_slot);
    tcase_add_test(regions, largest_free_is_what_can_be_allocated);
    tcase_add_test(regions, modules_are_named_by_their_drive);
    tcase_add_test(regions, the_list_has_every_byte_once);
    tcase_add_test(regions, wine_s_unused_space_is_free_under_wine_alone);
    suite_add_tcase(suite, regions);
    tcase_add_test(asked, facts_alone_need_no_memory);
    tcase_add_test(asked, a_protected_process_keeps_its_memory_to_itself);
    tcase_add_test(asked, another_process_of_that_pid_is_gone);
    tcase_add_test(asked, calls_that_fail_leave_figures_out);
    tcase_add_test(asked, memory_may_end_at_every_point);
    suite_add_tcase(suite, asked);
    tcase_add_test(limits, two_gib_are_the_limit_of_a_32bit_worker);
    tcase_add_test(limits, large_addresses_have_four);
    tcase_add_test(limits, wide_addresses_have_none);
    tcase_add_test(limits, a_job_and_the_host_are_told);
    suite_add_tcase(suite, limits);
    return suite;
}
