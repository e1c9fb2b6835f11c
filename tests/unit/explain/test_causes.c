/* Each known cause is told where its evidence is, and stays quiet where it is not. */
#include "tests/unit/explain/made.h"

#include "base/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct oc_evidence evidence;
static struct oc_explanation explanation;

/* ---- generated modules ---- */

static void many_modules(struct oc_evidence *e)
{
    made_quiet(e, "dotnet");
    made_grows(e, OC_USAGE_IMAGE, 10 * MIB, 80 * MIB);
    made_family(e, OC_FAMILY_MODULE, OC_FAMILY_FOLDED, "/app/qrt-*.dll", 3, 9998);
}

/* The same name many times over. */
static void one_name_many_times(struct oc_evidence *e)
{
    struct oc_evidence_family *family;

    made_quiet(e, "dotnet");
    made_grows(e, OC_USAGE_IMAGE, 10 * MIB, 80 * MIB);
    family = made_family(e, OC_FAMILY_MODULE, 0, "Microsoft.GeneratedCode", 10, 600);
    made_moved(&family->distinct, 1, 1);
}

/* A program that loads its ordinary libraries: each has its own name. */
static void ordinary_libraries(struct oc_evidence *e)
{
    made_quiet(e, "dotnet");
    made_grows(e, OC_USAGE_IMAGE, 10 * MIB, 80 * MIB);
    for (int i = 0; i < 5; i++)
        made_family(e, OC_FAMILY_MODULE, 0, "/usr/lib/libsha1.so", 0, 1);
}

/* As many as ever. */
static void old_family(struct oc_evidence *e)
{
    made_quiet(e, "dotnet");
    made_grows(e, OC_USAGE_HEAP, 10 * MIB, 80 * MIB);
    made_family(e, OC_FAMILY_MODULE, OC_FAMILY_FOLDED, "/app/qrt-*.dll", 9998, 9998);
}

static void crowd_at_one_look(struct oc_evidence *e)
{
    made_one_look(e, "dotnet");
    made_family(e, OC_FAMILY_MODULE, OC_FAMILY_FOLDED, "/app/qrt-*.dll", 0, 900)->count.has_then =
        0;
}

static void few_at_one_look(struct oc_evidence *e)
{
    made_one_look(e, "dotnet");
    made_family(e, OC_FAMILY_MODULE, OC_FAMILY_FOLDED, "/app/qrt-*.dll", 0, 12)->count.has_then = 0;
}

/* ---- mappings ---- */

static void near_max_map_count(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_MAPPINGS, 20000, 60000);
    made_limit(e, OC_LIMIT_MAX_MAP_COUNT, 65530, 60000);
}

static void far_from_max_map_count(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_MAPPINGS, 20000, 20100);
    made_limit(e, OC_LIMIT_MAX_MAP_COUNT, 65530, 20100);
}

/* ---- Windows: sections, slots, handles ---- */

static void on_windows(struct oc_evidence *e, const char *runtime)
{
    made_quiet(e, runtime);
    (void)oc_text_copy(e->os, sizeof(e->os), "windows");
    made_limit(e, OC_LIMIT_ADDRESS_SPACE, (uint64_t)(2 * GIB), (uint64_t)GIB);
}

/* .NET Framework's XmlSerializer: no module, two regions each. */
static void assemblies_from_bytes(struct oc_evidence *e)
{
    on_windows(e, "dotnet");
    made_metric(e, OC_METRIC_SECTIONS, 40, 4040);
    made_moved(&e->usage_commit[OC_USAGE_SECTION], 1 * MIB, 260 * MIB);
    made_metric(e, OC_METRIC_PRIVATE, 100 * MIB, 160 * MIB);
}

static void sections_as_ever(struct oc_evidence *e)
{
    on_windows(e, "dotnet");
    made_metric(e, OC_METRIC_SECTIONS, 4040, 4044);
    made_grows(e, OC_USAGE_HEAP, 10 * MIB, 80 * MIB);
}

/* 9 KiB each, in slots of 64 KiB. */
static void small_mappings(struct oc_evidence *e)
{
    on_windows(e, "");
    made_metric(e, OC_METRIC_UNUSABLE, 20 * MIB, 300 * MIB);
    made_metric(e, OC_METRIC_VIRTUAL, 400 * MIB, 800 * MIB);
    made_moved(&e->largest_free_bytes, 900 * MIB, 700 * MIB);
}

static void slots_as_ever(struct oc_evidence *e)
{
    on_windows(e, "");
    made_metric(e, OC_METRIC_UNUSABLE, 300 * MIB, 301 * MIB);
    made_metric(e, OC_METRIC_VIRTUAL, 400 * MIB, 800 * MIB);
    made_moved(&e->largest_free_bytes, 1200 * MIB, 800 * MIB);
}

static void more_handles(struct oc_evidence *e)
{
    on_windows(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 40 * MIB);
    made_metric(e, OC_METRIC_FDS, 900, 9000);
}

static void nt_heaps(struct oc_evidence *e)
{
    on_windows(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 400 * MIB);
}

/* ---- arenas ---- */

static void arena_per_thread(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 300 * MIB);
    made_moved(&e->arenas, 2, 30);
    made_metric(e, OC_METRIC_THREADS, 30, 32);
}

static void heap_without_more_arenas(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 300 * MIB);
}

/* ---- threads, descriptors ---- */

static void more_threads(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_STACK, 20 * MIB, 40 * MIB);
    made_metric(e, OC_METRIC_THREADS, 20, 400);
    made_family(e, OC_FAMILY_THREAD, OC_FAMILY_FOLDED, "worker-*", 10, 390);
}

/* A pool that comes to its size. */
static void pool_of_threads(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 40 * MIB);
    made_metric(e, OC_METRIC_THREADS, 20, 23);
}

static void more_descriptors(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 40 * MIB);
    made_metric(e, OC_METRIC_FDS, 50, 900);
    made_family(e, OC_FAMILY_FD, 0, "socket", 20, 870)->bytes.now = 0;
    made_limit(e, OC_LIMIT_RLIMIT_NOFILE, 1024, 900);
}

static void busy_descriptors(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 40 * MIB);
    made_metric(e, OC_METRIC_FDS, 500, 540);
}

/* ---- files ---- */

static void cgroup_of(struct oc_evidence *e, int64_t anon, int64_t file, int64_t shmem)
{
    made_quiet(e, "");
    e->source_kind = OC_SOURCE_CGROUP;
    made_metric(e, OC_METRIC_CGROUP_CURRENT, 100 * MIB, 100 * MIB + anon + file);
    made_metric(e, OC_METRIC_CGROUP_CHARGE, 100 * MIB, 100 * MIB + anon + shmem);
    made_metric(e, OC_METRIC_CGROUP_ANON, 90 * MIB, 90 * MIB + anon);
    made_metric(e, OC_METRIC_CGROUP_FILE, 10 * MIB, 10 * MIB + file);
    made_metric(e, OC_METRIC_CGROUP_SHMEM, 0, shmem);
}

static void only_cache(struct oc_evidence *e) { cgroup_of(e, 0, 500 * MIB, 0); }

/* tmpfs counts as file too, but is never given back. */
static void only_tmpfs(struct oc_evidence *e) { cgroup_of(e, 0, 500 * MIB, 500 * MIB); }

static void files_in_ram(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_RSS, 130 * MIB, 630 * MIB);
    made_metric(e, OC_METRIC_RSS_ANON, 100 * MIB, 100 * MIB);
    made_metric(e, OC_METRIC_RSS_FILE, 30 * MIB, 530 * MIB);
    made_metric(e, OC_METRIC_RSS_SHMEM, 0, 0);
}

static void memfd_grows(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_MEMFD, 0, 200 * MIB);
    made_metric(e, OC_METRIC_RSS, 130 * MIB, 330 * MIB);
    made_family(e, OC_FAMILY_MAPPING, 0, "/memfd:pool", 1, 4);
}

/* .NET keeps its loader heaps in memfds: that is no shared memory to anyone. */
static void loader_in_memfd(struct oc_evidence *e)
{
    made_quiet(e, "dotnet");
    made_metric(e, OC_METRIC_MEMFD, 10 * MIB, 210 * MIB);
    made_metric(e, OC_METRIC_RSS, 130 * MIB, 330 * MIB);
    made_moved(&e->usage_commit[OC_USAGE_LOADER_HEAP], 10 * MIB, 180 * MIB);
    made_moved(&e->usage_commit[OC_USAGE_JIT], 10 * MIB, 70 * MIB);
    made_family(e, OC_FAMILY_MAPPING, 0, "/memfd:doublemapper", 90, 5000);
}

static void mapped_and_kept(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_VIRTUAL, GIB, 3 * GIB);
    made_moved(&e->usage_commit[OC_USAGE_MAPPED_FILE], 10 * MIB, 2 * GIB);
    made_moved(&e->usage_count[OC_USAGE_MAPPED_FILE], 20, 900);
    made_family(e, OC_FAMILY_MAPPING, OC_FAMILY_FOLDED, "/data/segment-*.idx", 10, 890);
}

static void mapped_as_ever(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_VIRTUAL, GIB, 3 * GIB);
    made_moved(&e->usage_commit[OC_USAGE_PRIVATE], 10 * MIB, 2 * GIB);
}

/* ---- address space ---- */

static void holes_shrink(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_VIRTUAL, GIB, GIB + 20 * MIB);
    made_moved(&e->largest_free_bytes, 900 * MIB, 60 * MIB);
    made_limit(e, OC_LIMIT_LARGEST_FREE, 16 * MIB, 60 * MIB);
}

/* The hole is used up by what was put there. */
static void hole_is_used(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_metric(e, OC_METRIC_VIRTUAL, GIB, GIB + 840 * MIB);
    made_moved(&e->largest_free_bytes, 900 * MIB, 60 * MIB);
    made_limit(e, OC_LIMIT_LARGEST_FREE, 16 * MIB, 60 * MIB);
}

static void cap_above_container(struct oc_evidence *e)
{
    made_quiet(e, "jvm");
    (void)oc_text_copy(e->cmdline, sizeof(e->cmdline), "java -Xms128m -Xmx1g -jar shop.jar");
    made_limit(e, OC_LIMIT_CGROUP_MAX, (uint64_t)GIB, (uint64_t)(200 * MIB));
}

static void cap_below_container(struct oc_evidence *e)
{
    made_quiet(e, "jvm");
    (void)oc_text_copy(e->cmdline, sizeof(e->cmdline), "java -Xms128m -Xmx512m -jar shop.jar");
    made_limit(e, OC_LIMIT_CGROUP_MAX, (uint64_t)GIB, (uint64_t)(200 * MIB));
}

static void node_cap_above_container(struct oc_evidence *e)
{
    made_quiet(e, "node");
    (void)oc_text_copy(e->cmdline, sizeof(e->cmdline), "node --max-old-space-size=2048 app.js");
    made_limit(e, OC_LIMIT_CGROUP_MAX, (uint64_t)GIB, (uint64_t)(200 * MIB));
}

/* ---- heaps ---- */

static void native_heap(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 300 * MIB);
}

static void managed_heap(struct oc_evidence *e)
{
    made_quiet(e, "jvm");
    made_grows(e, OC_USAGE_MANAGED_HEAP, 20 * MIB, 300 * MIB);
}

static void python_objects(struct oc_evidence *e)
{
    made_quiet(e, "python");
    made_grows(e, OC_USAGE_PRIVATE, 20 * MIB, 300 * MIB);
}

static void metaspace(struct oc_evidence *e)
{
    made_quiet(e, "jvm");
    made_grows(e, OC_USAGE_LOADER_HEAP, 20 * MIB, 300 * MIB);
}

static void code_cache(struct oc_evidence *e)
{
    made_quiet(e, "jvm");
    made_grows(e, OC_USAGE_JIT, 20 * MIB, 300 * MIB);
}

static void nobody_knows(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_PRIVATE, 20 * MIB, 300 * MIB);
}

static void more_workers(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_member(e, 7, 100 * MIB, 100 * MIB);
    for (uint32_t i = 0; i < 5; i++)
        made_member(e, 10 + i, -1, 40 * MIB);
    made_metric(e, OC_METRIC_PROCESSES, 1, 6);
}

static void one_of_two_grows(struct oc_evidence *e)
{
    made_quiet(e, "");
    made_grows(e, OC_USAGE_HEAP, 20 * MIB, 300 * MIB);
    made_member(e, 7, 100 * MIB, 380 * MIB);
    made_member(e, 8, 100 * MIB, 100 * MIB);
}

static void nothing(struct oc_evidence *e) { made_quiet(e, ""); }

static const struct {
    unsigned cause;
    void (*make)(struct oc_evidence *);
    int fits, is_first;
    const char *says; /* in the evidence or the mend */
} cases[] = {
    { OC_CAUSE_GENERATED_MODULES, many_modules, 1, 1, "/app/qrt-*.dll" },
    { OC_CAUSE_GENERATED_MODULES, many_modules, 1, 1, "dotnet/runtime#95369" },
    { OC_CAUSE_GENERATED_MODULES, one_name_many_times, 1, 1, "XmlSerializer" },
    { OC_CAUSE_GENERATED_MODULES, ordinary_libraries, 0, 0, NULL },
    { OC_CAUSE_GENERATED_MODULES, old_family, 0, 0, NULL },
    { OC_CAUSE_GENERATED_MODULES, crowd_at_one_look, 1, 1, "900" },
    { OC_CAUSE_GENERATED_MODULES, few_at_one_look, 0, 0, NULL },
    { OC_CAUSE_MAPPINGS, near_max_map_count, 1, 1, "65530" },
    { OC_CAUSE_MAPPINGS, far_from_max_map_count, 0, 0, NULL },
    { OC_CAUSE_ARENAS, arena_per_thread, 1, 1, "30 now, with 32 threads" },
    { OC_CAUSE_ARENAS, heap_without_more_arenas, 0, 0, NULL },
    { OC_CAUSE_THREADS, more_threads, 1, 1, "worker-*" },
    { OC_CAUSE_THREADS, pool_of_threads, 0, 0, NULL },
    { OC_CAUSE_DESCRIPTORS, more_descriptors, 1, 0, "socket" },
    { OC_CAUSE_DESCRIPTORS, busy_descriptors, 0, 0, NULL },
    { OC_CAUSE_CACHE, only_cache, 1, 1, "page cache" },
    { OC_CAUSE_CACHE, files_in_ram, 1, 1, "pages of mapped files" },
    { OC_CAUSE_CACHE, only_tmpfs, 0, 0, NULL },
    { OC_CAUSE_SHARED, only_tmpfs, 1, 1, "tmpfs" },
    { OC_CAUSE_SHARED, memfd_grows, 1, 1, "/memfd:pool" },
    { OC_CAUSE_SHARED, only_cache, 0, 0, NULL },
    { OC_CAUSE_SHARED, loader_in_memfd, 0, 0, NULL },
    { OC_CAUSE_LOADER_HEAP, loader_in_memfd, 1, 1, "dotnet/runtime#95369" },
    { OC_CAUSE_LOADER_HEAP, metaspace, 1, 1, "class loader" },
    { OC_CAUSE_LOADER_HEAP, managed_heap, 0, 0, NULL },
    { OC_CAUSE_MAPPED_FILES, mapped_and_kept, 1, 1, "/data/segment-*.idx" },
    { OC_CAUSE_MAPPED_FILES, mapped_as_ever, 0, 0, NULL },
    { OC_CAUSE_FRAGMENTATION, holes_shrink, 1, 1, "largest hole" },
    { OC_CAUSE_FRAGMENTATION, hole_is_used, 0, 0, NULL },
    { OC_CAUSE_HEAP_CAP, cap_above_container, 1, 1, "may grow to 1.0 GiB" },
    { OC_CAUSE_HEAP_CAP, node_cap_above_container, 1, 1, "--max-old-space-size" },
    { OC_CAUSE_HEAP_CAP, cap_below_container, 0, 0, NULL },
    { OC_CAUSE_NATIVE_HEAP, native_heap, 1, 1, "Heap +280.0 MiB" },
    { OC_CAUSE_NATIVE_HEAP, managed_heap, 0, 0, NULL },
    { OC_CAUSE_MANAGED_HEAP, managed_heap, 1, 1, "histograms" },
    { OC_CAUSE_MANAGED_HEAP, python_objects, 1, 1, "Python" },
    { OC_CAUSE_MANAGED_HEAP, nobody_knows, 0, 0, NULL },
    { OC_CAUSE_JIT, code_cache, 1, 0, "JIT" },
    { OC_CAUSE_JIT, metaspace, 0, 0, NULL },
    { OC_CAUSE_SECTIONS, assemblies_from_bytes, 1, 1, "no list of modules shows them" },
    { OC_CAUSE_SECTIONS, assemblies_from_bytes, 1, 1, "dotnet/runtime#95369" },
    { OC_CAUSE_SECTIONS, sections_as_ever, 0, 0, NULL },
    { OC_CAUSE_FRAGMENTATION, small_mappings, 1, 1, "Unusable" },
    { OC_CAUSE_FRAGMENTATION, slots_as_ever, 0, 0, NULL },
    { OC_CAUSE_DESCRIPTORS, more_handles, 1, 0, "handles: 900 then" },
    { OC_CAUSE_NATIVE_HEAP, nt_heaps, 1, 1, "Heap +380.0 MiB" },
    { OC_CAUSE_NATIVE_HEAP, nt_heaps, 1, 1, "UMDH" },
    { OC_CAUSE_PROCESSES, more_workers, 1, 1, "5 of 6" },
    { OC_CAUSE_PROCESSES, one_of_two_grows, 0, 0, NULL },
    { OC_CAUSE_UNKNOWN, nobody_knows, 1, 1, "no known use" },
    { OC_CAUSE_UNKNOWN, native_heap, 0, 0, NULL },
    { OC_CAUSE_UNKNOWN, nothing, 0, 0, NULL },
    { OC_CAUSE_UNKNOWN, python_objects, 0, 0, NULL },
};

START_TEST(a_cause_needs_its_evidence)
{
    const struct oc_cause *cause;

    cases[_i].make(&evidence);
    oc_explain(&evidence, &explanation);
    cause = cause_of(&explanation, cases[_i].cause);
    ck_assert_msg((cause != NULL) == cases[_i].fits, "case %d: %s %s", _i,
                  oc_cause_name(cases[_i].cause), cause ? "is told" : "is not told");
    if (!cause)
        return;
    ck_assert_double_gt(cause->confidence, 0);
    ck_assert_double_le(cause->confidence, 0.95);
    ck_assert(cause->title[0] && cause->evidence[0] && cause->mend[0]);
    ck_assert_msg(!cases[_i].is_first || cause == explanation.causes, "case %d: %s comes before %s",
                  _i, explanation.causes[0].title, cause->title);
    ck_assert_msg(!cases[_i].says || strstr(cause->evidence, cases[_i].says) ||
                      strstr(cause->mend, cases[_i].says),
                  "case %d: %s / %s", _i, cause->evidence, cause->mend);
}
END_TEST

START_TEST(each_cause_has_a_name_and_a_case)
{
    for (unsigned kind = 1; kind < OC_CAUSES; kind++) {
        int fits = 0, twin = 0;

        ck_assert_str_ne(oc_cause_name(kind), "?");
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            fits |= cases[i].cause == kind && cases[i].fits;
            twin |= cases[i].cause == kind && !cases[i].fits;
        }
        ck_assert_msg(fits && twin, "%s has no case or no twin", oc_cause_name(kind));
    }
    ck_assert_str_eq(oc_cause_name(0), "?");
    ck_assert_str_eq(oc_cause_name(OC_CAUSES), "?");
}
END_TEST

/* It grew at first, and has been still since: that speaks against it. */
START_TEST(a_family_that_has_stopped_counts_less)
{
    struct oc_evidence_family *family;
    double going;

    many_modules(&evidence);
    oc_explain(&evidence, &explanation);
    going = cause_of(&explanation, OC_CAUSE_GENERATED_MODULES)->confidence;
    family = &evidence.families[0];
    for (int i = 1; i < 6; i++)
        family->course[i] = 9998;
    oc_explain(&evidence, &explanation);
    ck_assert_double_lt(cause_of(&explanation, OC_CAUSE_GENERATED_MODULES)->confidence, going);
    ck_assert(strstr(cause_of(&explanation, OC_CAUSE_GENERATED_MODULES)->against, "not grown"));
}
END_TEST

START_TEST(a_quiet_process_has_no_cause)
{
    made_quiet(&evidence, "dotnet");
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.cause_count, 0);
    ck_assert_uint_eq(explanation.share_count, 0);
    ck_assert_uint_eq(explanation.evidence, OC_EVIDENCE_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("causes");
    TCase *tcase = tcase_create("causes");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tcase, a_cause_needs_its_evidence, 0,
                        (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_test(tcase, each_cause_has_a_name_and_a_case);
    tcase_add_test(tcase, a_family_that_has_stopped_counts_less);
    tcase_add_test(tcase, a_quiet_process_has_no_cause);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
