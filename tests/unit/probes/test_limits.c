/* Limits: what is told of them, what counts against each, and that none is made up. */
#include "suites.h"

#include "base/alloc.h"
#include "probes/linux/limits.h"
#include "probes/linux/parse.h"
#include "tests/support/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB(n) ((uint64_t)(n)*1048576)
#define SECOND_NS INT64_C(1000000000)
#define PID 70

/* ---- /proc/PID/limits ---- */

static const char limits_text[] =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max cpu time              unlimited            unlimited            seconds   \n"
    "Max file size             unlimited            unlimited            bytes     \n"
    "Max data size             104857600            unlimited            bytes     \n"
    "Max stack size            8388608              unlimited            bytes     \n"
    "Max core file size        0                    unlimited            bytes     \n"
    "Max resident set          unlimited            unlimited            bytes     \n"
    "Max processes             40                   127234               processes \n"
    "Max open files            1024                 524288               files     \n"
    "Max locked memory         4175699968           4175699968           bytes     \n"
    "Max address space         unlimited            unlimited            bytes     \n"
    "Max file locks            unlimited            unlimited            locks     \n";

START_TEST(soft_limits_are_read)
{
    struct oc_lx_rlimits rlimits;

    ck_assert_int_eq(oc_lx_rlimits_parse(limits_text, strlen(limits_text), &rlimits), OC_OK);
    ck_assert_uint_eq(rlimits.as_bytes, OC_LX_MAX);
    ck_assert_uint_eq(rlimits.data_bytes, 104857600);
    ck_assert_uint_eq(rlimits.stack_bytes, 8388608);
    ck_assert_uint_eq(rlimits.nproc_count, 40);
    ck_assert_uint_eq(rlimits.nofile_count, 1024);
}
END_TEST

START_TEST(odd_lines_are_no_limits)
{
    static const char *const texts[] = {
        "",
        "\n\n\n",
        "Max open files            1024", /* cut */
        "Max open files            \n",
        "Max open files            x\n",
        "Max open files            12x4                 5\n",
        "Max open files            -1                   5\n",
        "Max open filesystems      1024                 5\n",
        "Max open files            99999999999999999999999999\n",
        " Max open files            1024                 5\n",
    };
    struct oc_lx_rlimits rlimits;

    ck_assert_int_eq(oc_lx_rlimits_parse(texts[_i], strlen(texts[_i]), &rlimits), OC_E_PARSE);
}
END_TEST

START_TEST(rights_are_read)
{
    static const char text[] =
        "Name:\tx\nCapPrm:\t0000000000000001\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n";
    static const char *const odd[] = { "",
                                       "CapEff:\t1\n",
                                       "\nCapEff:\t\n",
                                       "\nCapEff:\t12",
                                       "\nCapEff:\t12345678901234567\n",
                                       "\nCapEff:\tg\n" };
    uint64_t rights = 0;

    ck_assert_int_eq(oc_lx_caps_parse(text, strlen(text), &rights), OC_OK);
    ck_assert_uint_eq(rights, UINT64_C(0x1ffffffffff));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        ck_assert_int_eq(oc_lx_caps_parse(odd[i], strlen(odd[i]), &rights), OC_E_PARSE);
}
END_TEST

/* ---- of a tree ---- */

/* The nth limit of a kind, or NULL. */
static const struct oc_limit *nth_limit(const struct oc_limits *limits, enum oc_limit_kind kind,
                                        int n)
{
    for (size_t i = 0; i < limits->count; i++) {
        if (limits->items[i].kind == kind && n-- == 0)
            return &limits->items[i];
    }
    return NULL;
}

static void ck_limit(const struct oc_limits *limits, enum oc_limit_kind kind, const char *where,
                     uint64_t value, int64_t use)
{
    for (int n = 0;; n++) {
        const struct oc_limit *limit = nth_limit(limits, kind, n);

        ck_assert_msg(limit != NULL, "no %s of \"%s\"", oc_limit_row(kind)->name, where);
        if (strcmp(limit->where, where) != 0)
            continue;
        ck_assert_uint_eq(limit->value, value);
        ck_assert_int_eq(limit->has_use, use >= 0);
        if (use >= 0)
            ck_assert_uint_eq(limit->use, (uint64_t)use);
        return;
    }
}

#define ck_no_limit(limits, kind) ck_assert_ptr_null(nth_limit((limits), (kind), 0))

static struct oc_limits *limits_of(const char *dir, uint32_t pid)
{
    char proc[512], cgroup[512];
    const struct oc_probe_options options = { .proc_root = proc, .cgroup_root = cgroup };
    struct oc_limits *limits = calloc(1, sizeof *limits);

    (void)snprintf(proc, sizeof proc, "%s/proc", dir);
    (void)snprintf(cgroup, sizeof cgroup, "%s/cgroup", dir);
    ck_assert_ptr_nonnull(limits);
    ck_assert_int_eq(oc_probe_limits(&options, pid, limits), OC_OK);
    return limits;
}

static struct tree limited_tree(void)
{
    struct tree tree = tree_new();

    tree_process(&tree, PID, "x", 1000);
    tree_write(&tree, "proc/70/limits", limits_text);
    tree_write(&tree, "proc/sys/vm/max_map_count", "65530\n");
    tree_write(&tree, "proc/sys/vm/overcommit_memory", "0\n");
    tree_write(&tree, "proc/meminfo",
               "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nSwapTotal: 500 kB\n"
               "SwapFree: 200 kB\nCommitLimit: 900 kB\nCommitted_AS: 700 kB\n");
    return tree;
}

START_TEST(a_process_has_its_own_limits)
{
    struct tree tree = limited_tree();
    struct oc_limits *limits = limits_of(tree.dir, PID);

    ck_no_limit(limits, OC_LIMIT_RLIMIT_AS); /* unlimited */
    ck_limit(limits, OC_LIMIT_RLIMIT_DATA, "", 104857600, 300 * 4096);
    ck_assert_ptr_nonnull(nth_limit(limits, OC_LIMIT_RLIMIT_STACK, 0));
    ck_limit(limits, OC_LIMIT_MAX_MAP_COUNT, "", 65530, -1);
    ck_limit(limits, OC_LIMIT_RLIMIT_NOFILE, "", 1024, -1);
    ck_no_limit(limits, OC_LIMIT_ADDRESS_SPACE);
    ck_no_limit(limits, OC_LIMIT_LARGEST_FREE);
    ck_assert(!limits->is_truncated);
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(what_cannot_be_read_is_absent)
{
    struct tree tree = tree_new();
    struct oc_limits *limits = NULL;

    tree_process(&tree, PID, "x", 1000);
    tree_write(&tree, "proc/70/limits", "\xff\xfe nonsense");
    tree_write(&tree, "proc/sys/vm/max_map_count", "many\n");
    tree_write(&tree, "proc/meminfo", "MemTotal: 1000 kB\n");
    tree_write(&tree, "proc/70/cgroup", "0::/gone/../x\n");
    limits = limits_of(tree.dir, PID);
    ck_assert_uint_eq(limits->count, 0);
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(a_process_that_is_not_there_has_none)
{
    struct tree tree = limited_tree();
    char proc[200];
    const struct oc_probe_options options = { .proc_root = proc };
    struct oc_limits *limits = calloc(1, sizeof *limits);

    (void)snprintf(proc, sizeof proc, "%s/proc", tree.dir);
    ck_assert_int_eq(oc_probe_limits(&options, 71, limits), OC_E_GONE);
    free(limits);
    tree_free(&tree);
}
END_TEST

static void write_rights(const struct tree *tree, const char *uid, const char *rights)
{
    char text[256];

    (void)snprintf(text, sizeof text,
                   "Name:\tx\nUid:\t%s\t5\t5\t5\nVmRSS:\t 9 kB\nThreads:\t3\nCapEff:\t%s\n", uid,
                   rights);
    tree_write(tree, "proc/70/status", text);
}

START_TEST(threads_of_all_processes_of_the_user_count)
{
    struct tree tree = limited_tree();
    struct oc_limits *limits = NULL;

    write_rights(&tree, "5", "0000000000000000");
    tree_process(&tree, 80, "same", 1000); /* of user 5, three threads */
    tree_process(&tree, 81, "other", 1000);
    tree_write(&tree, "proc/81/status", "Name:\tother\nUid:\t6\t6\t6\t6\nThreads:\t50\n");
    limits = limits_of(tree.dir, PID);
    ck_limit(limits, OC_LIMIT_RLIMIT_NPROC, "5", 40, 6);
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(who_is_exempt_has_no_limit_of_threads)
{
    static const char *const cases[][2] = { { "0", "0000000000000000" },
                                            { "5", "0000000001000000" }, /* CAP_SYS_RESOURCE */
                                            { "5", "0000000000200000" } /* CAP_SYS_ADMIN */ };
    struct tree tree = limited_tree();
    struct oc_limits *limits = NULL;

    write_rights(&tree, cases[_i][0], cases[_i][1]);
    limits = limits_of(tree.dir, PID);
    ck_no_limit(limits, OC_LIMIT_RLIMIT_NPROC);
    ck_assert_ptr_nonnull(nth_limit(limits, OC_LIMIT_RLIMIT_NOFILE, 0));
    free(limits);
    tree_free(&tree);
}
END_TEST

/* _i: 1 and 2 are 32 and 64 bits, as ELF counts them. */
START_TEST(a_32_bit_program_has_an_address_space)
{
    const char head[16] = { 0x7f, 'E', 'L', 'F', (char)_i, 1, 1 };
    struct tree tree = limited_tree();
    struct oc_limits *limits = NULL;

    tree_write_bytes(&tree, "proc/70/exe", head, sizeof head);
    limits = limits_of(tree.dir, PID);
    if (_i == 1) {
        ck_limit(limits, OC_LIMIT_ADDRESS_SPACE, "", sizeof(void *) == 8 ? 0xffffe000 : 0xc0000000,
                 1000 * 4096);
        ck_assert_uint_eq(nth_limit(limits, OC_LIMIT_LARGEST_FREE, 0)->value, 0);
    } else {
        ck_no_limit(limits, OC_LIMIT_ADDRESS_SPACE);
        ck_no_limit(limits, OC_LIMIT_LARGEST_FREE);
    }
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(commit_is_a_limit_in_mode_2_alone)
{
    static const char *const modes[] = { "0\n", "1\n", "2\n", "x\n" };
    static const int enforced[] = { 0, 0, 1, OC_E_PARSE };
    struct tree tree = limited_tree();
    char proc[200];
    const struct oc_probe_options options = { .proc_root = proc };
    struct oc_limits *limits = NULL;

    (void)snprintf(proc, sizeof proc, "%s/proc", tree.dir);
    tree_write(&tree, "proc/sys/vm/overcommit_memory", modes[_i]);
    ck_assert_int_eq(oc_probe_commit_is_enforced(&options), enforced[_i]);
    limits = limits_of(tree.dir, PID);
    ck_limit(limits, OC_LIMIT_HOST_MEMORY, "", 1500 * 1024, (1000 - 400 + 500 - 200) * 1024);
    if (enforced[_i] == 1)
        ck_limit(limits, OC_LIMIT_COMMIT, "", 900 * 1024, 700 * 1024);
    else
        ck_no_limit(limits, OC_LIMIT_COMMIT);
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(all_cgroups_above_count)
{
    struct tree tree = limited_tree();
    struct oc_limits *limits = NULL;

    tree_write(&tree, "proc/70/cgroup", "0::/a/b/c\n");
    tree_write(&tree, "cgroup/cgroup.controllers", "cpu memory pids\n");
    tree_write(&tree, "cgroup/a/memory.current", "9000000\n");
    tree_write(&tree, "cgroup/a/memory.max", "99999999999999\n"); /* more than the machine has */
    tree_write(&tree, "cgroup/a/memory.high", "8000000\n");
    tree_write(&tree, "cgroup/a/memory.stat", "inactive_file 1000000\nactive_file 500000\n");
    tree_write(&tree, "cgroup/a/pids.max", "100\n");
    tree_write(&tree, "cgroup/a/pids.current", "12\n");
    tree_write(&tree, "cgroup/a/b/memory.max", "max\n");
    tree_write(&tree, "cgroup/a/b/c/memory.current", "5000000\n");
    tree_write(&tree, "cgroup/a/b/c/memory.max", "6000000\n");
    tree_write(&tree, "cgroup/a/b/c/memory.swap.current", "700\n");
    tree_write(&tree, "cgroup/a/b/c/memory.swap.max", "0\n");
    limits = limits_of(tree.dir, PID);
    ck_limit(limits, OC_LIMIT_CGROUP_MAX, "/a/b/c", 6000000,
             -1); /* no memory.stat: charge unknown */
    ck_limit(limits, OC_LIMIT_CGROUP_SWAP, "/a/b/c", 0, 700);
    ck_limit(limits, OC_LIMIT_CGROUP_MAX, "/a", 99999999999999, 7500000);
    ck_limit(limits, OC_LIMIT_CGROUP_HIGH, "/a", 8000000, 7500000);
    ck_limit(limits, OC_LIMIT_CGROUP_TASKS, "/a", 100, 12);
    ck_assert_ptr_null(nth_limit(limits, OC_LIMIT_CGROUP_MAX, 2));
    free(limits);
    tree_free(&tree);
}
END_TEST

static struct tree version_1_tree(void)
{
    struct tree tree = limited_tree();

    tree_write(&tree, "proc/70/cgroup", "9:pids:/tasks/x\n4:memory:/m\n0::/\n");
    tree_write(&tree, "cgroup/memory/memory.usage_in_bytes", "9000000\n");
    tree_write(&tree, "cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    tree_write(&tree, "cgroup/memory/m/memory.usage_in_bytes", "5000000\n");
    tree_write(&tree, "cgroup/memory/m/memory.limit_in_bytes", "6000000\n");
    tree_write(&tree, "cgroup/memory/m/memory.memsw.usage_in_bytes", "5500000\n");
    tree_write(&tree, "cgroup/memory/m/memory.memsw.limit_in_bytes", "7000000\n");
    tree_write(&tree, "cgroup/memory/m/memory.stat",
               "hierarchical_memory_limit 6000000\nhierarchical_memsw_limit 7000000\n"
               "total_inactive_file 100000\ntotal_active_file 400000\n");
    tree_write(&tree, "cgroup/pids/tasks/pids.max", "max\n");
    tree_write(&tree, "cgroup/pids/tasks/x/pids.max", "300\n");
    tree_write(&tree, "cgroup/pids/tasks/x/pids.current", "30\n");
    return tree;
}

START_TEST(version_1_has_memsw_and_another_tree_for_tasks)
{
    struct tree tree = version_1_tree();
    struct oc_limits *limits = limits_of(tree.dir, PID);

    ck_limit(limits, OC_LIMIT_CGROUP_MAX, "/m", 6000000, 4500000);
    ck_limit(limits, OC_LIMIT_CGROUP_MEMSW, "/m", 7000000, 5000000);
    ck_limit(limits, OC_LIMIT_CGROUP_TASKS, "/tasks/x", 300, 30);
    ck_assert_ptr_null(nth_limit(limits, OC_LIMIT_CGROUP_MAX, 1)); /* the root's is none */
    ck_assert_ptr_null(nth_limit(limits, OC_LIMIT_CGROUP_TASKS, 1));
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(a_limit_above_what_is_mounted_is_told)
{
    struct tree tree = version_1_tree();
    struct oc_limits *limits = NULL;

    tree_write(&tree, "cgroup/memory/m/memory.stat", "hierarchical_memory_limit 5900000\n");
    limits = limits_of(tree.dir, PID);
    ck_limit(limits, OC_LIMIT_CGROUP_MAX, "above what is mounted here", 5900000, -1);
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(a_cgroup_that_is_gone_costs_its_limits_alone)
{
    struct tree tree = limited_tree();
    struct oc_limits *limits = NULL;

    tree_write(&tree, "proc/70/cgroup", "0::/a/gone\n");
    tree_write(&tree, "cgroup/cgroup.controllers", "memory\n");
    tree_write(&tree, "cgroup/a/memory.max", "5000\n");
    limits = limits_of(tree.dir, PID);
    ck_limit(limits, OC_LIMIT_CGROUP_MAX, "/a", 5000, -1);
    ck_assert_ptr_nonnull(nth_limit(limits, OC_LIMIT_HOST_MEMORY, 0));
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    static const struct oc_probe_options node = { .root = OC_TEST_DATA "/linux-6.1-kubernetes" };
    struct oc_limits *limits = calloc(1, sizeof *limits);
    int64_t live = oc_alloc_live();
    int rc = OC_E_NOMEM;

    for (uint64_t nth = 1; nth < 500; nth++) {
        oc_alloc_fail_at(nth, 0);
        rc = oc_probe_limits(&node, 4242, limits);
        if (oc_alloc_count() < nth)
            break; /* it needed no more */
        ck_assert_msg(rc == OC_OK || rc == OC_E_NOMEM, "%s", oc_err_name(rc));
        ck_assert_int_eq(oc_alloc_live(), live);
    }
    oc_alloc_fail_at(0, 0);
    ck_assert_int_eq(rc, OC_OK);
    free(limits);
}
END_TEST

/* ---- out of samples ---- */

START_TEST(a_limit_that_changes_is_seen_by_the_tick)
{
    static const char *const texts[] = { "5000\n", "9000\n", "max\n" };
    struct tree tree = limited_tree();
    struct oc_limits *limits = calloc(1, sizeof *limits);
    oc_probe *probe = NULL;
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;

    tree_write(&tree, "cgroup/cgroup.controllers", "memory pids\n");
    tree_write(&tree, "cgroup/a/memory.max", "7000\n");
    tree_write(&tree, "cgroup/a/pids.max", "7\n");
    probe = open_tree(tree.dir, OC_LOOK_LADDER);
    ck_assert_int_eq(oc_probe_cgroup_attach(probe, "/a", &cgroup), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    oc_limits_of_cgroup(&sample, "/a", limits);
    ck_limit(limits, OC_LIMIT_CGROUP_MAX, "/a", 7000, -1);
    ck_limit(limits, OC_LIMIT_CGROUP_TASKS, "/a", 7, -1);
    for (int i = 0; i < 3; i++) {
        tree_write(&tree, "cgroup/a/memory.max", texts[i]);
        tree_write(&tree, "cgroup/a/pids.max", texts[i]);
        ck_assert_int_eq(oc_probe_tick_begin(probe, (i + 1) * 11 * SECOND_NS), OC_OK);
        ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
        oc_limits_of_cgroup(&sample, "/a", limits);
        ck_assert_uint_eq(limits->count, i < 2 ? 2 : 0);
        if (i < 2)
            ck_limit(limits, OC_LIMIT_CGROUP_MAX, "/a", (uint64_t)atoll(texts[i]), -1);
    }
    oc_probe_close(probe);
    free(limits);
    tree_free(&tree);
}
END_TEST

START_TEST(a_long_path_keeps_its_end)
{
    struct oc_limits *limits = calloc(1, sizeof *limits);
    struct oc_sample sample = { .block = OC_BLOCK_CGROUP };
    char path[600] = "/";

    for (size_t at = 1; at < sizeof path - 4; at += 2)
        memcpy(path + at, "\xc3\xa9", 3);
    oc_sample_set(&sample, OC_METRIC_CGROUP_LIMIT, 5);
    oc_limits_of_cgroup(&sample, path, limits);
    ck_assert_uint_eq(limits->count, 1);
    ck_assert_int_eq(strncmp(limits->items[0].where, "\xe2\x80\xa6\xc3\xa9", 5), 0);
    ck_assert_uint_gt(strlen(limits->items[0].where), OC_LIMIT_WHERE_BYTES - 3);
    free(limits);
}
END_TEST

START_TEST(use_is_filled_in_where_it_is_known)
{
    struct oc_limit limits[] = {
        { .kind = OC_LIMIT_RLIMIT_AS, .metric = OC_METRIC_VIRTUAL, .value = 9 },
        { .kind = OC_LIMIT_RLIMIT_NPROC, .value = 9 },
        { .kind = OC_LIMIT_RLIMIT_NOFILE, .metric = OC_METRIC_FDS, .value = 9 }
    };
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_VIRTUAL, 7);
    oc_limits_use(limits, 3, &sample);
    ck_assert(limits[0].has_use);
    ck_assert_uint_eq(limits[0].use, 7);
    ck_assert(!limits[1].has_use);
    ck_assert(!limits[2].has_use);
}
END_TEST

/* ---- of this machine ---- */

START_TEST(a_live_process_is_limited_and_freed_again)
{
    struct fixture fixture = fixture_start("wait");
    const struct rlimit some = { 1u << 30, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY },
                        files = { 77, 77 };
    struct oc_limits *limits = calloc(1, sizeof *limits);
    const struct oc_limit *limit = NULL;

    ck_assert_int_eq(prlimit(fixture.pid, RLIMIT_AS, &some, NULL), 0);
    ck_assert_int_eq(prlimit(fixture.pid, RLIMIT_NOFILE, &files, NULL), 0);
    ck_assert_int_eq(oc_probe_limits(NULL, (uint32_t)fixture.pid, limits), OC_OK);
    limit = nth_limit(limits, OC_LIMIT_RLIMIT_AS, 0);
    ck_assert_ptr_nonnull(limit);
    ck_assert_uint_eq(limit->value, 1u << 30);
    ck_assert(limit->has_use && limit->use > 4096 && limit->use < 1u << 30);
    limit = nth_limit(limits, OC_LIMIT_LARGEST_FREE, 0); /* what is left below the limit */
    ck_assert(limit && limit->has_use && limit->use > 4096 && limit->use < 1u << 30);
    limit = nth_limit(limits, OC_LIMIT_RLIMIT_NOFILE, 0);
    ck_assert_uint_eq(limit->value, 77);
    ck_assert(limit->has_use && limit->use >= 3 && limit->use < 77);
    limit = nth_limit(limits, OC_LIMIT_MAX_MAP_COUNT, 0);
    ck_assert(limit && limit->has_use && limit->use > 5);
    ck_assert_ptr_nonnull(nth_limit(limits, OC_LIMIT_HOST_MEMORY, 0));
    ck_assert_int_eq(prlimit(fixture.pid, RLIMIT_AS, &none, NULL), 0);
    ck_assert_int_eq(oc_probe_limits(NULL, (uint32_t)fixture.pid, limits), OC_OK);
    ck_no_limit(limits, OC_LIMIT_RLIMIT_AS);
    ck_no_limit(limits, OC_LIMIT_LARGEST_FREE);
    free(limits);
    (void)fixture_end(&fixture);
}
END_TEST

START_TEST(a_live_cgroup_limits_those_below_it)
{
    struct live_cgroup outer = { "", "" }, inner = { "", "" };
    struct oc_limits *limits = calloc(1, sizeof *limits);
    struct fixture fixture;
    const struct oc_limit *limit = NULL;

    if (!live_cgroup_make(&outer, NULL, "limits") || !live_cgroup_make(&inner, &outer, "inner") ||
        !live_cgroup_limit(&outer, "67108864")) {
        printf("SKIP a_live_cgroup_limits_those_below_it: no cgroup with a memory limit can be "
               "made here\n");
        live_cgroup_remove(&inner);
        live_cgroup_remove(&outer);
        free(limits);
        return;
    }
    fixture = fixture_start("wait");
    ck_assert(live_cgroup_enter(&inner, fixture.pid));
    ck_assert_int_eq(oc_probe_limits(NULL, (uint32_t)fixture.pid, limits), OC_OK);
    limit = nth_limit(limits, OC_LIMIT_CGROUP_MAX, 0);
    ck_assert_ptr_nonnull(limit);
    ck_assert_str_eq(limit->where, outer.path);
    ck_assert_uint_eq(limit->value, MIB(64));
    ck_assert(limit->has_use && limit->use <= MIB(64));
    ck_assert(live_cgroup_limit(&outer, "max"));
    ck_assert_int_eq(oc_probe_limits(NULL, (uint32_t)fixture.pid, limits), OC_OK);
    ck_no_limit(limits, OC_LIMIT_CGROUP_MAX);
    (void)fixture_end(&fixture);
    live_cgroup_remove(&inner);
    live_cgroup_remove(&outer);
    free(limits);
}
END_TEST

Suite *limits_suite(void)
{
    Suite *suite = suite_create("limits");
    TCase *tcase = tcase_create("limits");

    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, soft_limits_are_read);
    tcase_add_loop_test(tcase, odd_lines_are_no_limits, 0, 10);
    tcase_add_test(tcase, rights_are_read);
    tcase_add_test(tcase, a_process_has_its_own_limits);
    tcase_add_test(tcase, what_cannot_be_read_is_absent);
    tcase_add_test(tcase, a_process_that_is_not_there_has_none);
    tcase_add_test(tcase, threads_of_all_processes_of_the_user_count);
    tcase_add_loop_test(tcase, who_is_exempt_has_no_limit_of_threads, 0, 3);
    tcase_add_loop_test(tcase, a_32_bit_program_has_an_address_space, 1, 3);
    tcase_add_loop_test(tcase, commit_is_a_limit_in_mode_2_alone, 0, 4);
    tcase_add_test(tcase, all_cgroups_above_count);
    tcase_add_test(tcase, version_1_has_memsw_and_another_tree_for_tasks);
    tcase_add_test(tcase, a_limit_above_what_is_mounted_is_told);
    tcase_add_test(tcase, a_cgroup_that_is_gone_costs_its_limits_alone);
    tcase_add_test(tcase, any_allocation_may_fail);
    tcase_add_test(tcase, a_limit_that_changes_is_seen_by_the_tick);
    tcase_add_test(tcase, a_long_path_keeps_its_end);
    tcase_add_test(tcase, use_is_filled_in_where_it_is_known);
    tcase_add_test(tcase, a_live_process_is_limited_and_freed_again);
    tcase_add_test(tcase, a_live_cgroup_limits_those_below_it);
    suite_add_tcase(suite, tcase);
    return suite;
}
