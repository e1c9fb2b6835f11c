/* Walks of processes with a runtime: captured ones, and real ones where they can be started. */
#include "walks.h"

#include "base/os.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct oc_walk captured(uint32_t pid)
{
    static const struct oc_probe_options options = { .proc_root = OC_TEST_DATA "/walks/proc",
                                                     .cgroup_root = OC_TEST_DATA "/walks" };
    const struct oc_walk_request request = { .pid = pid, .want = OC_WALK_USUAL };
    struct oc_walk walk;

    ck_assert_int_eq(oc_probe_walk(&options, &request, &walk), OC_OK);
    return walk;
}

static void ck_size(const struct oc_walk *walk, uint64_t kib)
{
    ck_assert_uint_eq(usage_bytes(walk, OC_USAGE_COUNT, ANY_STATE) -
                          usage_bytes(walk, OC_USAGE_FREE, ANY_STATE),
                      kib << 10);
}

START_TEST(a_captured_dotnet_process_is_explained)
{
    struct oc_walk walk = captured(101);

    ck_assert_str_eq(walk.census.runtime, "dotnet");
    ck_size(&walk, 274206408);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, OC_REGION_RESERVE), 255 * GIB);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, OC_REGION_COMMIT), 64 * MIB);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_LOADER_HEAP, OC_REGION_COMMIT), 8 * MIB);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_JIT, OC_REGION_COMMIT), MIB);
    ck_assert_uint_eq(walk.census.arena_count, 15);
    ck_assert_uint_lt(usage_bytes(&walk, OC_USAGE_PRIVATE, OC_REGION_COMMIT), 10 * MIB);
    ck_unknown(&walk.sample, OC_METRIC_LARGEST_FREE);
    oc_walk_clear(&walk);
}
END_TEST

START_TEST(a_captured_jvm_is_explained)
{
    struct oc_walk walk = captured(102);

    ck_assert_str_eq(walk.census.runtime, "jvm");
    ck_size(&walk, 3114896);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, ANY_STATE), 500 * MIB);
    ck_assert_uint_le(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, ANY_STATE),
                      512 * MIB); /* -Xmx512m */
    ck_assert_uint_eq(usage_bytes(&walk, OC_USAGE_JIT, ANY_STATE),
                      240 * MIB); /* the reserved code cache */
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_LOADER_HEAP, OC_REGION_COMMIT), 8 * MIB);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_LOADER_HEAP, OC_REGION_RESERVE), GIB);
    ck_assert_uint_lt(usage_bytes(&walk, OC_USAGE_PRIVATE, OC_REGION_COMMIT), 64 * MIB);
    oc_walk_clear(&walk);
}
END_TEST

START_TEST(a_captured_node_process_is_explained)
{
    struct oc_walk walk = captured(103);

    ck_assert_str_eq(walk.census.runtime, "node");
    ck_size(&walk, 1065952);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, OC_REGION_COMMIT), 64 * MIB);
    ck_assert_uint_lt(usage_bytes(&walk, OC_USAGE_PRIVATE, OC_REGION_COMMIT), MIB);
    ck_assert_uint_eq(family_named(&walk.census, OC_FAMILY_THREAD, "node")->count, 7);
    oc_walk_clear(&walk);
}
END_TEST

START_TEST(a_program_of_32_bits_has_a_largest_hole)
{
    struct oc_walk walk = captured(104);

    ck_assert_uint_eq(walk.census.is_32bit, 1);
    ck_known(&walk.sample, OC_METRIC_LARGEST_FREE, 0xa0000000 - INT64_C(0x0ba21000));
    ck_assert_uint_eq(walk.census.largest_free_start, 0x0ba21000);
    ck_assert_uint_eq(walk.census.arena_count, 1);
    ck_assert_uint_eq(usage_bytes(&walk, OC_USAGE_COUNT, ANY_STATE),
                      0xfffff000 - UINT64_C(0x10000));
    ck_assert_uint_eq(usage_bytes(&walk, OC_USAGE_STACK, OC_REGION_COMMIT), 8 * MIB + 0x21000);
    oc_walk_clear(&walk);
}
END_TEST

/* ---- real ones ---- */

/* Starts a program that says "ready"; 0 and a SKIP where it is not installed. */
static int start(const char *program, const char *const *args, struct fixture *out_fixture)
{
    if (access(program, X_OK) != 0) {
        printf("SKIP real_%s: %s is not installed\n", strrchr(program, '/') + 1, program);
        return 0;
    }
    *out_fixture = fixture_run(args);
    return 1;
}

static void end(struct fixture *fixture)
{
    ck_assert_int_eq(kill(fixture->pid, SIGKILL), 0);
    fixture_reap(fixture);
}

static struct oc_walk stopped_walk(pid_t pid)
{
    const struct oc_walk_request request = { .pid = (uint32_t)pid, .want = OC_WALK_USUAL };
    struct oc_walk walk;
    int status = 0;

    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert_int_eq(oc_probe_walk(NULL, &request, &walk), OC_OK);
    return walk;
}

START_TEST(a_real_jvm_is_explained)
{
    static const char source[] = OC_TEST_DATA "/walks/Ready.java";
    static const char *const args[] = { "/usr/bin/java", "-Xmx256m", "-Xms64m", source, NULL };
    struct fixture fixture;
    struct oc_walk walk;

    if (!start(args[0], args, &fixture))
        return;
    walk = stopped_walk(fixture.pid);
    ck_assert_str_eq(walk.census.runtime, "jvm");
    ck_size(&walk, status_bytes(fixture.pid, "VmSize") >> 10);
    ck_assert_uint_le(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, ANY_STATE), 256 * MIB);
    ck_assert_uint_ge(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, ANY_STATE), 240 * MIB);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_LOADER_HEAP, OC_REGION_COMMIT), 4 * MIB);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_JIT, ANY_STATE), 32 * MIB);
    oc_walk_clear(&walk);
    end(&fixture);
}
END_TEST

START_TEST(a_real_node_process_is_explained)
{
    static const char script[] = "globalThis.a=[];for(let i=0;i<1e6;i++)a.push({i});"
                                 "console.log('ready');setInterval(()=>0,1000)";
    static const char *const args[] = { "/usr/bin/node", "-e", script, NULL };
    struct fixture fixture;
    struct oc_walk walk;

    if (!start(args[0], args, &fixture))
        return;
    walk = stopped_walk(fixture.pid);
    ck_assert_str_eq(walk.census.runtime, "node");
    ck_size(&walk, status_bytes(fixture.pid, "VmSize") >> 10);
    ck_assert_uint_gt(usage_bytes(&walk, OC_USAGE_MANAGED_HEAP, OC_REGION_COMMIT), 32 * MIB);
    oc_walk_clear(&walk);
    end(&fixture);
}
END_TEST

Suite *runtimes_suite(void)
{
    Suite *suite = suite_create("runtimes");
    TCase *tcase = tcase_create("runtimes");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_captured_dotnet_process_is_explained);
    tcase_add_test(tcase, a_captured_jvm_is_explained);
    tcase_add_test(tcase, a_captured_node_process_is_explained);
    tcase_add_test(tcase, a_program_of_32_bits_has_a_largest_hole);
    tcase_add_test(tcase, a_real_jvm_is_explained);
    tcase_add_test(tcase, a_real_node_process_is_explained);
    suite_add_tcase(suite, tcase);
    return suite;
}
