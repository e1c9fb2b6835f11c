/* Walks of real processes: tests/programs/shapes makes the memory, the kernel says the sums. */
#include "walks.h"

#include "probes/linux/space.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(totals_are_the_kernel_s_own)
{
    struct fixture fixture =
        SHAPES_OF("mappings=100", "reserved_mib=64", "shared_kib=40", "jit_kib=64", "memfd_kib=128",
                  "sysv_kib=64", "files=5", "deleted=3", "modules=4", "threads=6", "arenas=3",
                  "touched_kib=512");
    struct walk_sums sums = { 0 };
    struct oc_walk before = walk_whole(fixture.pid, WALK_ALL, &sums);

    ck_assert_uint_eq(sums.bytes, status_bytes(fixture.pid, "VmSize"));
    ck_assert_uint_eq(sums.private_writable,
                      status_bytes(fixture.pid, "VmData") + status_bytes(fixture.pid, "VmStk"));
    ck_assert_int_eq(sums.gaps, 0); /* free space included */
    ck_assert_uint_eq(oc_census_sum_bytes(&before.census, OC_USAGE_COUNT, ANY_TYPE, ANY_STATE) -
                          usage_bytes(&before, OC_USAGE_FREE, ANY_STATE),
                      sums.bytes);
    ck_known(&before.sample, OC_METRIC_MAIN_STACK, (int64_t)status_bytes(fixture.pid, "VmStk"));
    ck_assert_int_ge(oc_sample_get(&before.sample, OC_METRIC_RESERVED), (int64_t)(64 * MIB));
    ck_assert_int_gt(before.stall_ns, 0);
    ck_assert_int_le(before.stall_ns, before.wall_ns);
    oc_walk_clear(&before);
    fixture_end(&fixture);
}
END_TEST

START_TEST(each_shape_has_its_class_to_the_byte)
{
    struct fixture fixture = SHAPES_OF("shared_kib=40", "jit_kib=64", "memfd_kib=128", "shm_kib=32",
                                       "sysv_kib=64", "files=5", "doublemapper_kib=256");
    struct fixture plain = SHAPES_OF("mappings=0");
    struct oc_walk made = walk_whole(fixture.pid, WALK_ALL, NULL),
                   base = walk_whole(plain.pid, WALK_ALL, NULL);

    ck_assert_uint_eq(usage_bytes(&made, OC_USAGE_SHARED, ANY_STATE) -
                          usage_bytes(&base, OC_USAGE_SHARED, ANY_STATE),
                      (40 + 128 + 32 + 64) * KIB);
    ck_assert_uint_eq(usage_bytes(&made, OC_USAGE_JIT, OC_REGION_COMMIT), (64 + 256) * KIB);
    ck_assert_uint_eq(usage_bytes(&made, OC_USAGE_LOADER_HEAP, OC_REGION_COMMIT), 256 * KIB);
    ck_assert_uint_eq(usage_bytes(&made, OC_USAGE_MAPPED_FILE, ANY_STATE) -
                          usage_bytes(&base, OC_USAGE_MAPPED_FILE, ANY_STATE),
                      5 * 128 * KIB);
    ck_assert_uint_eq(usage_bytes(&made, OC_USAGE_PRIVATE, OC_REGION_COMMIT) / MIB, 0);
    oc_walk_clear(&made);
    oc_walk_clear(&base);
    fixture_end(&plain);
    fixture_end(&fixture);
}
END_TEST

/* In a process of its own: in a runtime's, what is reserved right behind code is the code's. */
START_TEST(reserved_memory_is_private_and_reserved)
{
    struct fixture fixture = SHAPES_OF("reserved_mib=64"), plain = SHAPES_OF("mappings=0");
    struct oc_walk made = walk_whole(fixture.pid, WALK_ALL, NULL),
                   base = walk_whole(plain.pid, WALK_ALL, NULL);

    ck_assert_uint_eq(usage_bytes(&made, OC_USAGE_PRIVATE, OC_REGION_RESERVE) -
                          usage_bytes(&base, OC_USAGE_PRIVATE, OC_REGION_RESERVE),
                      64 * MIB);
    oc_walk_clear(&made);
    oc_walk_clear(&base);
    fixture_end(&plain);
    fixture_end(&fixture);
}
END_TEST

/* Whether this user may mount, tried where it does no harm. */
static int may_mount(void)
{
    int status = 1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(unshare(CLONE_NEWNS) != 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status == 0;
}

START_TEST(a_file_on_tmpfs_is_shared_memory)
{
    struct fixture fixture;
    struct oc_walk found;

    if (!may_mount()) {
        printf("SKIP a_file_on_tmpfs_is_shared_memory: no right to mount one\n");
        return;
    }
    fixture = SHAPES_OF("tmpfs_kib=64", "files=1");
    found = walk_whole(fixture.pid, OC_WALK_REGIONS, NULL);
    ck_assert_uint_eq(usage_bytes(&found, OC_USAGE_SHARED, ANY_STATE), 64 * KIB);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

/* More than are held at once: the sums stay whole, and it is said. */
START_TEST(more_mappings_than_are_held_are_counted)
{
    const uint32_t count = OC_LX_SPACE_MAX + 5000;
    const uint64_t first = UINT64_C(0x7f0000000000);
    struct tree tree = tree_new();
    struct oc_probe_options options = { .proc_root = NULL };
    const struct oc_walk_request request = { .pid = 70, .want = OC_WALK_REGIONS };
    char proc[200], *text = malloc((size_t)count * 64), *at = text;
    struct oc_walk found;

    ck_assert_ptr_nonnull(text);
    tree_process(&tree, 70, "many", 5);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t start = first + i * UINT64_C(0x2000);

        at += snprintf(at, 64, "%" PRIx64 "-%" PRIx64 " rw-p 00000000 00:00 0 \n", start,
                       start + 0x1000);
    }
    tree_write_bytes(&tree, "proc/70/maps", text, (size_t)(at - text));
    free(text);
    (void)snprintf(proc, sizeof proc, "%s/proc", tree.dir);
    options.proc_root = proc;
    ck_assert_int_eq(oc_probe_walk(&options, &request, &found), OC_OK);
    ck_known(&found.sample, OC_METRIC_MAPPINGS, count);
    ck_assert_uint_eq(usage_bytes(&found, OC_USAGE_PRIVATE, ANY_STATE), count * UINT64_C(4096));
    ck_assert_uint_eq(usage_count(&found, OC_USAGE_PRIVATE), count);
    ck_assert_uint_eq(usage_count(&found, OC_USAGE_FREE), count + 1);
    ck_assert_uint_eq(found.census.is_truncated, 1);
    oc_walk_clear(&found);
    tree_free(&tree);
}
END_TEST

START_TEST(threads_have_stacks_names_and_arenas)
{
    struct fixture fixture = SHAPES_OF("threads=12", "arenas=5");
    struct oc_walk found = walk_whole(fixture.pid, WALK_ALL, NULL);
    const struct oc_family *workers = family_named(&found.census, OC_FAMILY_THREAD, "worker-*");

    ck_assert_ptr_nonnull(workers);
    ck_assert_uint_eq(workers->count, 12);
    ck_assert_uint_eq(workers->bytes, 12 * (256 * KIB + 4 * KIB)); /* with their guards */
    ck_assert_uint_eq(family_named(&found.census, OC_FAMILY_THREAD, "arena-*")->count, 5);
    ck_assert_uint_eq(usage_bytes(&found, OC_USAGE_STACK, OC_REGION_COMMIT),
                      17 * 256 * KIB + status_bytes(fixture.pid, "VmStk"));
    ck_assert_uint_eq(usage_bytes(&found, OC_USAGE_STACK, OC_REGION_RESERVE), 17 * 4 * KIB);
    ck_assert_uint_eq(found.census.arena_count, 5);
    ck_known(&found.sample, OC_METRIC_ARENAS, 5);
    ck_assert_uint_ge(usage_bytes(&found, OC_USAGE_HEAP, ANY_STATE), 5 * 64 * MIB);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

START_TEST(more_threads_than_are_looked_at_are_counted)
{
    struct fixture fixture = SHAPES_OF("threads=4200");
    struct oc_walk found = walk_whole(fixture.pid, OC_WALK_REGIONS | OC_WALK_FAMILIES, NULL);
    const struct oc_family *rest = family_named(&found.census, OC_FAMILY_THREAD, "*");
    uint32_t count = 0;

    for (size_t i = 0; i < found.census.family_count; i++) {
        if (found.census.families[i].kind == OC_FAMILY_THREAD)
            count += found.census.families[i].count;
    }
    ck_assert_uint_eq(count, 4201);
    ck_assert_ptr_nonnull(rest);
    ck_assert_uint_eq(rest->count, 4201 - OC_LX_THREADS_MAX);
    ck_assert_uint_eq(found.census.is_truncated, 1);
    /* by their shape those that nobody looked at are stacks too */
    ck_assert_uint_ge(usage_bytes(&found, OC_USAGE_STACK, OC_REGION_COMMIT), 4200 * 256 * KIB);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

/* Ends with 0 where the walk of a process that is root's did what it ought to. */
static int walk_as_nobody(pid_t pid)
{
    const struct oc_walk_request request = { .pid = (uint32_t)pid, .want = OC_WALK_USUAL };
    struct oc_walk found;

    if (setresuid(65534, 65534, 65534) != 0 || oc_probe_walk(NULL, &request, &found) != OC_OK)
        return 1;
    if (found.census.has_regions || found.census.has_modules || found.facts.name[0] == '\0' ||
        oc_sample_has(&found.sample, OC_METRIC_MAPPINGS))
        return 2;
    return found.facts.uid == 0 ? 0 : 3;
}

START_TEST(what_another_user_may_not_see_is_absent)
{
    struct fixture fixture;
    int status = 1;
    pid_t pid = 0;

    if (geteuid() != 0) {
        printf("SKIP what_another_user_may_not_see_is_absent: needs root to become another\n");
        return;
    }
    fixture = SHAPES_OF("threads=2");
    pid = fork();
    if (pid == 0)
        _exit(walk_as_nobody(fixture.pid));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    fixture_end(&fixture);
}
END_TEST

START_TEST(modules_are_listed_and_folded)
{
    struct fixture fixture = SHAPES_OF("modules=40", "lost_modules=60");
    struct oc_walk found = walk_whole(fixture.pid, WALK_ALL, NULL);
    const struct oc_family *family = NULL;
    size_t deleted = 0;

    ck_assert_uint_eq(found.census.has_modules, 1);
    for (size_t i = 0; i < found.census.module_count; i++) {
        const struct oc_module *module = &found.census.modules[i];

        ck_assert(i == 0 || module->base > found.census.modules[i - 1].base);
        deleted += module->flags & OC_MODULE_DELETED;
        ck_assert_ptr_null(strstr(oc_census_text(&found.census, module->name), "(deleted)"));
    }
    ck_assert_uint_eq(deleted, 60);
    for (size_t i = 0; i < found.census.family_count && !family; i++) {
        const struct oc_family *row = &found.census.families[i];

        if (row->kind == OC_FAMILY_MODULE && row->count == 100)
            family = row;
    }
    ck_assert_ptr_nonnull(family);
    ck_assert_uint_eq(family->distinct, 100);
    ck_assert_uint_eq(family->flags, OC_FAMILY_FOLDED | OC_FAMILY_DELETED);
    ck_assert_ptr_nonnull(strstr(oc_census_text(&found.census, family->name), "/qrt-*.so"));
    ck_assert_uint_eq(family->bytes % 100, 0);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

START_TEST(descriptors_are_counted_by_kind)
{
    struct fixture fixture = SHAPES_OF("fds=20", "sockets=5", "eventfds=3", "memfd_kib=64");
    struct oc_walk found = walk_whole(fixture.pid, WALK_ALL, NULL);

    ck_assert_uint_ge(family_named(&found.census, OC_FAMILY_FD, "/dev/null")->count, 20);
    ck_assert_uint_eq(family_named(&found.census, OC_FAMILY_FD, "socket")->count, 10);
    ck_assert_uint_eq(family_named(&found.census, OC_FAMILY_FD, "anon_inode:[eventfd]")->count, 3);
    ck_assert_uint_eq(family_named(&found.census, OC_FAMILY_FD, "/memfd:shapes")->flags, 0);
    ck_assert_uint_eq(found.memfd_count, 1);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

START_TEST(only_what_is_wanted_is_read)
{
    struct fixture fixture = SHAPES_OF("threads=2", "modules=5");
    struct oc_walk found = walk_whole(fixture.pid, OC_WALK_FACTS, NULL);

    ck_assert_str_eq(found.facts.name, "shapes");
    ck_assert_ptr_nonnull(strstr(found.cmdline, "threads=2 modules=5"));
    ck_assert_str_eq(found.facts.cmdline, found.cmdline);
    ck_unknown(&found.sample, OC_METRIC_MAPPINGS);
    ck_unknown(&found.sample, OC_METRIC_FDS);
    ck_assert_uint_eq(found.census.has_regions, 0);
    ck_assert_uint_eq(found.limit_count, 0);
    oc_walk_clear(&found);

    found = walk_whole(fixture.pid, OC_WALK_COUNTS, NULL);
    ck_assert_ptr_null(found.cmdline);
    ck_assert(oc_sample_has(&found.sample, OC_METRIC_MAPPINGS));
    ck_assert_uint_eq(found.census.has_regions, 0);
    oc_walk_clear(&found);

    found = walk_whole(fixture.pid, OC_WALK_REGIONS, NULL);
    ck_assert_uint_eq(found.census.has_regions, 1);
    ck_assert_uint_eq(found.census.has_modules, 0);
    ck_assert_uint_eq(found.census.has_families, 0);
    ck_assert_uint_eq(found.census.totals[0].resident_bytes, OC_RESIDENT_UNKNOWN);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

START_TEST(a_walk_tells_what_is_resident_where_asked)
{
    struct fixture fixture = SHAPES_OF("touched_kib=4096", "reserved_mib=16");
    struct oc_walk found = walk_whole(fixture.pid, OC_WALK_REGIONS | OC_WALK_RESIDENT, NULL);
    uint64_t resident = 0, rss = status_bytes(fixture.pid, "VmRSS");

    for (size_t i = 0; i < found.census.total_count; i++)
        resident += found.census.totals[i].resident_bytes;
    ck_assert_uint_ge(resident, 4 * MIB);
    ck_assert_uint_le(resident, rss + MIB); /* the kernel's own sum may be some pages behind */
    ck_assert_uint_ge(resident + MIB, rss);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

START_TEST(hostile_names_are_files_and_nothing_else)
{
    struct fixture fixture = SHAPES_OF("hostile=8", "deep=19");
    struct walk_sums sums = { 0 };
    struct oc_walk found = walk_whole(fixture.pid, WALK_ALL, &sums);
    struct oc_walk counted = walk_whole(fixture.pid, OC_WALK_COUNTS, NULL);

    ck_assert_int_eq(sums.lied, 0);
    ck_assert_int_le(sums.heaps, 1);
    ck_assert_uint_eq(sums.bytes, status_bytes(fixture.pid, "VmSize"));
    ck_assert_uint_ge(usage_count(&found, OC_USAGE_MAPPED_FILE), 9);
    ck_assert_int_eq(oc_sample_get(&found.sample, OC_METRIC_BRK_HEAP),
                     oc_sample_get(&counted.sample, OC_METRIC_BRK_HEAP));
    ck_assert_int_lt(oc_sample_get(&counted.sample, OC_METRIC_BRK_HEAP), (int64_t)MIB);
    oc_walk_clear(&counted);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

START_TEST(a_limited_address_space_tells_its_largest_block)
{
    struct fixture fixture = SHAPES_OF("reserved_mib=16");
    const struct rlimit limit = { 256 * MIB, 256 * MIB };
    struct oc_walk found = walk_whole(fixture.pid, OC_WALK_REGIONS, NULL);

    ck_unknown(&found.sample, OC_METRIC_LARGEST_FREE);
    ck_assert_uint_gt(found.census.largest_free_bytes, 0);
    oc_walk_clear(&found);
    ck_assert_int_eq(prlimit(fixture.pid, RLIMIT_AS, &limit, NULL), 0);
    found = walk_whole(fixture.pid, OC_WALK_REGIONS | OC_WALK_LIMITS, NULL);
    ck_known(&found.sample, OC_METRIC_LARGEST_FREE,
             (int64_t)(256 * MIB - status_bytes(fixture.pid, "VmSize")));
    ck_assert_uint_ge(found.limit_count, 1);
    oc_walk_clear(&found);
    fixture_end(&fixture);
}
END_TEST

Suite *spaces_suite(void)
{
    Suite *suite = suite_create("spaces");
    TCase *tcase = tcase_create("spaces");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, totals_are_the_kernel_s_own);
    tcase_add_test(tcase, each_shape_has_its_class_to_the_byte);
    tcase_add_test(tcase, reserved_memory_is_private_and_reserved);
    tcase_add_test(tcase, a_file_on_tmpfs_is_shared_memory);
    tcase_add_test(tcase, more_mappings_than_are_held_are_counted);
    tcase_add_test(tcase, threads_have_stacks_names_and_arenas);
    tcase_add_test(tcase, more_threads_than_are_looked_at_are_counted);
    tcase_add_test(tcase, what_another_user_may_not_see_is_absent);
    tcase_add_test(tcase, modules_are_listed_and_folded);
    tcase_add_test(tcase, descriptors_are_counted_by_kind);
    tcase_add_test(tcase, only_what_is_wanted_is_read);
    tcase_add_test(tcase, a_walk_tells_what_is_resident_where_asked);
    tcase_add_test(tcase, hostile_names_are_files_and_nothing_else);
    tcase_add_test(tcase, a_limited_address_space_tells_its_largest_block);
    suite_add_tcase(suite, tcase);
    return suite;
}
