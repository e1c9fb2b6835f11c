/* Lines of maps and smaps, and what is told of the mappings in them. */
#include "walks.h"

#include "probes/linux/space.h"
#include "probes/linux/tally.h"

#include <string.h>

/* ---- lines ---- */

static struct oc_lx_line parsed(const char *text)
{
    struct oc_lx_line line;

    ck_assert_int_eq(oc_lx_line_parse(text, strchr(text, '\n'), &line), OC_OK);
    return line;
}

static void ck_name(const char *text, const char *name, enum oc_lx_backing backing, int deleted)
{
    const struct oc_lx_line line = parsed(text);

    ck_assert_uint_eq(line.name_bytes, strlen(name));
    ck_assert_int_eq(memcmp(line.name, name, line.name_bytes), 0);
    ck_assert_int_eq(line.backing, backing);
    ck_assert_int_eq(line.deleted, deleted);
}

START_TEST(a_line_gives_all_its_fields)
{
    const struct oc_lx_line line =
        parsed("7f3c25e000-7f3c2b1000 r-xs 0017c000 fe:1f 332096          /usr/lib/libc.so.6\n");

    ck_assert_uint_eq(line.start, 0x7f3c25e000);
    ck_assert_uint_eq(line.end, 0x7f3c2b1000);
    ck_assert_uint_eq(line.offset, 0x17c000);
    ck_assert_uint_eq(line.major, 0xfe);
    ck_assert_uint_eq(line.minor, 0x1f);
    ck_assert_uint_eq(line.inode, 332096);
    ck_assert_uint_eq(line.protect, OC_PROTECT_READ | OC_PROTECT_EXECUTE | OC_PROTECT_SHARED);
}
END_TEST

START_TEST(names_are_what_the_kernel_means_by_them)
{
    ck_name("1000-2000 rw-p 0 00:00 0 \n", "", OC_LX_ANON, 0);
    ck_name("1000-2000 rw-p 0 00:00 0\n", "", OC_LX_ANON, 0);
    ck_name("1000-2000 rw-p 0 00:00 0   [heap]\n", "[heap]", OC_LX_BRK, 0);
    ck_name("1000-2000 rw-p 0 00:00 0   [stack:77]\n", "[stack:77]", OC_LX_STACK, 0);
    ck_name("1000-2000 rw-p 0 00:00 0   [anon:scudo:primary]\n", "[anon:scudo:primary]",
            OC_LX_NAMED, 0);
    ck_name("1000-2000 rw-s 0 00:01 9   [anon_shmem:x]\n", "[anon_shmem:x]", OC_LX_SHM, 0);
    ck_name("1000-2000 r-xp 0 00:00 0   [vdso]\n", "[vdso]", OC_LX_KERNEL, 0);
    ck_name("1000-2000 --xp 0 00:00 0   [vsyscall]\n", "[vsyscall]", OC_LX_VSYSCALL, 0);
    ck_name("1000-2000 rw-s 0 00:01 7   /memfd:a b (deleted)\n", "/memfd:a b", OC_LX_MEMFD, 1);
    ck_name("1000-2000 rw-s 0 00:01 7   /SYSV0000abcd (deleted)\n", "/SYSV0000abcd", OC_LX_SHM, 1);
    ck_name("1000-2000 rw-s 0 00:01 7   /dev/zero (deleted)\n", "/dev/zero", OC_LX_SHM, 1);
    ck_name("1000-2000 rw-p 0 00:0f 7   /anon_hugepage (deleted)\n", "", OC_LX_ANON, 1);
    ck_name("1000-2000 rw-s 0 00:0f 7   /anon_hugepage (deleted)\n", "/anon_hugepage", OC_LX_SHM,
            1);
    ck_name("1000-2000 rw-s 0 00:10 7   /[aio] (deleted)\n", "/[aio]", OC_LX_OTHER_NODE, 1);
    ck_name("1000-2000 rw-p 0 00:05 7   /dev/zero\n", "/dev/zero", OC_LX_FILE, 0);
    ck_name("1000-2000 rw-s 0 00:0e 7   anon_inode:[perf_event]\n", "anon_inode:[perf_event]",
            OC_LX_OTHER_NODE, 0);
}
END_TEST

START_TEST(files_with_hostile_names_stay_files)
{
    ck_name("1000-2000 rw-p 0 08:01 7   /tmp/[heap]\n", "/tmp/[heap]", OC_LX_FILE, 0);
    ck_name("1000-2000 rw-p 0 08:01 7   /tmp/ [heap]\n", "/tmp/ [heap]", OC_LX_FILE, 0);
    ck_name("1000-2000 rw-p 0 08:01 7   /tmp/new\\012line\n", "/tmp/new\\012line", OC_LX_FILE, 0);
    ck_name("1000-2000 rw-p 0 08:01 7   /tmp/a (deleted) b\n", "/tmp/a (deleted) b", OC_LX_FILE, 0);
    ck_name("1000-2000 rw-p 0 08:01 7   /a (deleted) (deleted)\n", "/a (deleted)", OC_LX_FILE, 1);
    ck_name("1000-2000 rw-p 0 08:01 7   /tmp/\033[31mred\n", "/tmp/\033[31mred", OC_LX_FILE, 0);
}
END_TEST

START_TEST(what_is_no_line_is_refused)
{
    static const char *const bad[] = {
        "\n",
        "-\n",
        "1000\n",
        "1000-\n",
        "1000-2000\n",
        "1000-2000 \n",
        "2000-1000 rw-p 0 00:00 0\n",
        "1000-2000 rw-p\n",
        "1000-2000 rw-px 0 00:00 0\n",
        "1000-2000 rw-p 0\n",
        "1000-2000 rw-p 0 00\n",
        "1000-2000 rw-p 0 00:00\n",
        "1000-2000 rw-p 0 00:00 x\n",
        "G000-2000 rw-p 0 00:00 0\n",
        "Rss:   4 kB\n",
    };
    struct oc_lx_line line;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(oc_lx_line_parse(bad[i], strchr(bad[i], '\n'), &line) == OC_E_PARSE, "%s",
                      bad[i]);
}
END_TEST

START_TEST(smaps_tells_what_is_resident)
{
    static const char rss[] = "Rss:                 132 kB\n", flags[] = "VmFlags: rd ex mr\n";
    static const char none[] = "Rss\n", odd[] = "Rss: many kB\n";
    uint64_t bytes = 0;

    ck_assert_int_eq(oc_lx_smaps_key_parse(rss, strchr(rss, '\n'), &bytes), 1);
    ck_assert_uint_eq(bytes, 132 << 10);
    ck_assert_int_eq(oc_lx_smaps_key_parse(flags, strchr(flags, '\n'), &bytes), 0);
    ck_assert_int_eq(oc_lx_smaps_key_parse(none, strchr(none, '\n'), &bytes), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_smaps_key_parse(odd, strchr(odd, '\n'), &bytes), OC_E_PARSE);
    ck_assert(oc_lx_is_smaps_key("AnonHugePages: 0 kB\n"));
    ck_assert(!oc_lx_is_smaps_key("a000-b000 rw-p 0 00:00 0\n"));
}
END_TEST

Suite *maps_suite(void)
{
    Suite *suite = suite_create("maps");
    TCase *tcase = tcase_create("lines");

    tcase_add_test(tcase, a_line_gives_all_its_fields);
    tcase_add_test(tcase, names_are_what_the_kernel_means_by_them);
    tcase_add_test(tcase, files_with_hostile_names_stay_files);
    tcase_add_test(tcase, what_is_no_line_is_refused);
    tcase_add_test(tcase, smaps_tells_what_is_resident);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* ---- classes ---- */

static struct oc_lx_space space_of(const char *text)
{
    struct oc_lx_space space = { .knows_threads = 1 };

    while (*text) {
        const struct oc_lx_line line = parsed(text);

        ck_assert_int_ge(oc_lx_space_add(&space, &line, 0), 0);
        text = strchr(text, '\n') + 1;
    }
    oc_lx_classify(&space);
    return space;
}

struct told {
    uint8_t usage, type, state;
};

static void ck_told(const char *text, const struct told *told, size_t count)
{
    struct oc_lx_space space = space_of(text);

    ck_assert_uint_eq(space.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct oc_lx_mapping *mapping = &space.mappings[i];

        ck_assert_msg(mapping->usage == told[i].usage, "mapping %zu is %s, not %s", i,
                      oc_usage_name(mapping->usage), oc_usage_name(told[i].usage));
        ck_assert_uint_eq(mapping->type, told[i].type);
        ck_assert_uint_eq(mapping->state, told[i].state);
    }
    oc_lx_space_clear(&space);
}
#define CK_TOLD(text, ...)                                                                         \
    do {                                                                                           \
        static const struct told told[] = { __VA_ARGS__ };                                         \
        ck_told((text), told, sizeof told / sizeof told[0]);                                       \
    } while (0)

#define COMMITTED OC_REGION_PRIVATE, OC_REGION_COMMIT
#define RESERVED OC_REGION_PRIVATE, OC_REGION_RESERVE
#define MAPPED OC_REGION_MAPPED, OC_REGION_COMMIT
#define LIBC "/usr/lib/libc.so.6\n"

START_TEST(a_file_is_an_image_by_any_code_in_it)
{
    CK_TOLD("7f0000000000-7f0000001000 r--p 00000000 08:01 5 " LIBC
            "7f0000001000-7f0000002000 r-xp 00001000 08:01 5 " LIBC
            "7f0000002000-7f0000003000 ---p 00002000 08:01 5 " LIBC
            "7f0000003000-7f0000004000 rw-p 00002000 08:01 5 " LIBC
            "7f0000005000-7f0000006000 r--p 00000000 08:01 6 /usr/share/data.bin\n",
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_RESERVE },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT },
            { OC_USAGE_MAPPED_FILE, MAPPED });
}
END_TEST

START_TEST(an_arena_begins_at_a_multiple_of_its_size)
{
    CK_TOLD("7f0004000000-7f0004021000 rw-p 00000000 00:00 0 \n"
            "7f0004021000-7f0008000000 ---p 00000000 00:00 0 \n"
            "7f0008000000-7f0008021000 rw-p 00000000 00:00 0 \n"
            "7f0008021000-7f000c000000 ---p 00000000 00:00 0 \n",
            { OC_USAGE_HEAP, COMMITTED }, { OC_USAGE_HEAP, RESERVED }, { OC_USAGE_HEAP, COMMITTED },
            { OC_USAGE_HEAP, RESERVED });
    /* not there, and not as long */
    CK_TOLD("7f0004001000-7f0004021000 rw-p 00000000 00:00 0 \n"
            "7f0004021000-7f0008000000 ---p 00000000 00:00 0 \n"
            "7f000c000000-7f000c021000 rw-p 00000000 00:00 0 \n"
            "7f000c021000-7f000d000000 ---p 00000000 00:00 0 \n",
            { OC_USAGE_PRIVATE, COMMITTED }, { OC_USAGE_PRIVATE, RESERVED },
            { OC_USAGE_PRIVATE, COMMITTED }, { OC_USAGE_PRIVATE, RESERVED });
}
END_TEST

START_TEST(a_guard_with_a_stack_s_size_above_is_a_stack)
{
    CK_TOLD("7f0001000000-7f0001001000 ---p 00000000 00:00 0 \n"
            "7f0001001000-7f0001801000 rw-p 00000000 00:00 0 \n"
            "7f0002000000-7f0002001000 ---p 00000000 00:00 0 \n"
            "7f0002001000-7f0002033000 rw-p 00000000 00:00 0 \n"
            "7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]\n",
            { OC_USAGE_STACK, RESERVED }, { OC_USAGE_STACK, COMMITTED },
            { OC_USAGE_PRIVATE, RESERVED }, { OC_USAGE_PRIVATE, COMMITTED },
            { OC_USAGE_STACK, COMMITTED });
}
END_TEST

START_TEST(a_stack_pointer_makes_a_stack_of_any_size)
{
    static const char text[] = "7f0002000000-7f0002001000 ---p 00000000 00:00 0 \n"
                               "7f0002001000-7f0002033000 rw-p 00000000 00:00 0 \n"
                               "7f0003000000-7f0003001000 ---p 00000000 00:00 0 \n"
                               "7f0003001000-7f0003033000 rw-p 00000000 00:00 0 \n"
                               "7f0004000000-7f0004033000 r--p 00000000 00:00 0 \n";
    struct oc_lx_thread threads[] = { { .stack_pointer = 0x7f0004000010, .name = "no" },
                                      { .stack_pointer = 0x7f0002032000, .name = "w" } };
    struct oc_lx_space space = { .knows_threads = 1, .threads = threads, .thread_count = 2 };

    oc_lx_space_sort_threads(&space);
    for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
        const struct oc_lx_line line = parsed(at);

        ck_assert_int_eq(oc_lx_space_add(&space, &line, 0), 1);
    }
    oc_lx_classify(&space);
    ck_assert_uint_eq(space.mappings[0].usage, OC_USAGE_STACK);
    ck_assert_uint_eq(space.mappings[1].usage, OC_USAGE_STACK);
    ck_assert_uint_eq(space.mappings[1].thread, 1);
    ck_assert_uint_eq(threads[0].stack_bytes, 0x33000);
    ck_assert_uint_eq(space.mappings[3].usage, OC_USAGE_STACK); /* its size was learnt */
    ck_assert_uint_eq(space.mappings[4].usage, OC_USAGE_PRIVATE);
    ck_assert_uint_eq(threads[1].stack_bytes, 0);
    space.threads = NULL;
    oc_lx_space_clear(&space);
}
END_TEST

START_TEST(memory_with_a_name_is_what_it_says)
{
    CK_TOLD("7f0000000000-7f0000001000 rw-p 00000000 00:00 0 [anon: glibc: malloc arena]\n"
            "7f0000001000-7f0000002000 rw-p 00000000 00:00 0 [anon: glibc: pthread stack: 7]\n"
            "7f0000002000-7f0000003000 rw-p 00000000 00:00 0 [anon:jemalloc_pg]\n"
            "7f0000003000-7f0000004000 rw-p 00000000 00:00 0 [anon:tcmalloc_region_NORMAL]\n"
            "7f0000004000-7f0000005000 rw-p 00000000 00:00 0 [anon: Go: heap]\n"
            "7f0000005000-7f0000006000 rw-p 00000000 00:00 0 [anon:my cache]\n"
            "7f0000006000-7f0000007000 r-xp 00000000 00:00 0 [anon:my code]\n"
            "7f0000007000-7f0000008000 rw-p 00000000 00:00 0 [anon:]\n",
            { OC_USAGE_HEAP, COMMITTED }, { OC_USAGE_STACK, COMMITTED },
            { OC_USAGE_HEAP, COMMITTED }, { OC_USAGE_HEAP, COMMITTED },
            { OC_USAGE_MANAGED_HEAP, COMMITTED }, { OC_USAGE_PRIVATE, COMMITTED },
            { OC_USAGE_JIT, COMMITTED }, { OC_USAGE_PRIVATE, COMMITTED });
}
END_TEST

#define DOUBLE "/memfd:doublemapper (deleted)\n"

START_TEST(dotnet_has_loader_heaps_code_and_a_reserved_heap)
{
    CK_TOLD("7f0000000000-7f0000001000 rw-s 00000000 00:01 9 " DOUBLE
            "7f0000001000-7f0000002000 r-xs 00001000 00:01 9 " DOUBLE
            "7f0000002000-7f0000003000 ---s 00002000 00:01 9 " DOUBLE
            "7f1000000000-7f1000100000 rw-p 00000000 00:00 0 \n"
            "7f1000100000-7f2000000000 ---p 00000000 00:00 0 \n"
            "7f3000000000-7f3000001000 r-xp 00000000 08:01 4 /usr/share/dotnet/libcoreclr.so\n",
            { OC_USAGE_LOADER_HEAP, MAPPED }, { OC_USAGE_JIT, MAPPED },
            { OC_USAGE_LOADER_HEAP, OC_REGION_MAPPED, OC_REGION_RESERVE },
            { OC_USAGE_MANAGED_HEAP, COMMITTED }, { OC_USAGE_MANAGED_HEAP, RESERVED },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT });
    /* the same reservation of a program without a runtime */
    CK_TOLD("7f1000000000-7f1000100000 rw-p 00000000 00:00 0 \n"
            "7f1000100000-7f2000000000 ---p 00000000 00:00 0 \n"
            "7f3000000000-7f3000001000 r-xp 00000000 08:01 4 /usr/bin/database\n",
            { OC_USAGE_PRIVATE, COMMITTED }, { OC_USAGE_PRIVATE, RESERVED },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT });
}
END_TEST

START_TEST(a_jvm_has_heap_metaspace_and_code)
{
    CK_TOLD("0e0000000-0e8000000 rw-p 00000000 00:00 0 \n"
            "0e8000000-100000000 ---p 00000000 00:00 0 \n"
            "7f1af3000000-7f1af3bc7000 rw-p 00001000 08:01 8 /usr/lib/jvm/server/classes.jsa\n"
            "7f1af3bc7000-7f1af4000000 ---p 00000000 00:00 0 \n"
            "7f1af4000000-7f1af4040000 rw-p 00000000 00:00 0 \n"
            "7f1af4040000-7f1b34000000 ---p 00000000 00:00 0 \n"
            "7f1b5d400000-7f1b5d670000 rwxp 00000000 00:00 0 \n"
            "7f1b5d670000-7f1b64938000 ---p 00000000 00:00 0 \n"
            "7f1b70400000-7f1b70500000 rw-p 00000000 00:00 0 \n"
            "7f1b70500000-7f1b74400000 ---p 00000000 00:00 0 \n"
            "7f1b79e00000-7f1b7a051000 r-xp 00000000 08:01 7 /usr/lib/jvm/server/libjvm.so\n"
            "7f1b7b000000-7f1b7b100000 rw-p 00000000 00:00 0 \n",
            { OC_USAGE_MANAGED_HEAP, COMMITTED }, { OC_USAGE_MANAGED_HEAP, RESERVED },
            { OC_USAGE_MAPPED_FILE, MAPPED }, { OC_USAGE_LOADER_HEAP, RESERVED },
            { OC_USAGE_LOADER_HEAP, COMMITTED }, { OC_USAGE_LOADER_HEAP, RESERVED },
            { OC_USAGE_JIT, COMMITTED }, { OC_USAGE_JIT, RESERVED },
            { OC_USAGE_LOADER_HEAP, COMMITTED }, { OC_USAGE_LOADER_HEAP, RESERVED },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT }, { OC_USAGE_PRIVATE, COMMITTED });
}
END_TEST

#define ZHEAP "/memfd:java_heap (deleted)\n"

START_TEST(views_of_one_heap_are_committed_once)
{
    CK_TOLD("40000000000-40000400000 rw-s 00000000 00:01 9 " ZHEAP
            "40000400000-40000600000 rw-s 00800000 00:01 9 " ZHEAP
            "80000000000-80000400000 rw-s 00000000 00:01 9 " ZHEAP
            "100000000000-100000400000 rw-s 00000000 00:01 9 " ZHEAP,
            { OC_USAGE_MANAGED_HEAP, MAPPED }, { OC_USAGE_MANAGED_HEAP, MAPPED },
            { OC_USAGE_MANAGED_HEAP, OC_REGION_MAPPED, OC_REGION_RESERVE },
            { OC_USAGE_MANAGED_HEAP, OC_REGION_MAPPED, OC_REGION_RESERVE });
}
END_TEST

START_TEST(go_and_v8_heaps_are_told_by_their_places)
{
    CK_TOLD("00400000-00500000 r-xp 00000000 08:01 3 /usr/bin/server\n"
            "c000000000-c000400000 rw-p 00000000 00:00 0 \n"
            "c000400000-c004000000 ---p 00000000 00:00 0 \n"
            "7f0000000000-7f0000100000 rw-p 00000000 00:00 0 \n",
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT },
            { OC_USAGE_MANAGED_HEAP, COMMITTED }, { OC_USAGE_MANAGED_HEAP, RESERVED },
            { OC_USAGE_PRIVATE, COMMITTED });
    CK_TOLD("00400000-00500000 r-xp 00000000 08:01 3 /usr/bin/node\n"
            "17934c0000-1793500000 rw-p 00000000 00:00 0 \n"
            "17a34c1000-17a3500000 rw-p 00000000 00:00 0 \n",
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT },
            { OC_USAGE_MANAGED_HEAP, COMMITTED }, { OC_USAGE_PRIVATE, COMMITTED });
}
END_TEST

START_TEST(shared_memory_and_code_without_a_file)
{
    CK_TOLD("7f0000000000-7f0000001000 rw-s 00000000 00:01 1 /dev/zero (deleted)\n"
            "7f0000001000-7f0000002000 rw-s 00000000 00:01 2 /SYSV00000000 (deleted)\n"
            "7f0000002000-7f0000003000 rw-s 00000000 00:17 3 /dev/shm/x\n"
            "7f0000003000-7f0000004000 rw-s 00000000 00:01 4 /memfd:y (deleted)\n"
            "7f0000004000-7f0000005000 r-xs 00000000 00:01 4 /memfd:y (deleted)\n"
            "7f0000005000-7f0000006000 r-xp 00000000 00:01 5 /memfd:lib.so (deleted)\n"
            "7f0000006000-7f0000007000 rw-p 00000000 00:01 5 /memfd:lib.so (deleted)\n"
            "7f0000007000-7f0000008000 rwxp 00000000 00:00 0 \n"
            "7f0000008000-7f0000009000 ---p 00000000 00:00 0 \n",
            { OC_USAGE_SHARED, MAPPED }, { OC_USAGE_SHARED, MAPPED }, { OC_USAGE_SHARED, MAPPED },
            { OC_USAGE_SHARED, MAPPED }, { OC_USAGE_JIT, MAPPED },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT },
            { OC_USAGE_IMAGE, OC_REGION_IMAGE, OC_REGION_COMMIT }, { OC_USAGE_JIT, COMMITTED },
            { OC_USAGE_PRIVATE, RESERVED });
}
END_TEST

START_TEST(files_in_memory_are_shared_memory)
{
    static const char *const mounts[] = {
        "25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n",
        "26 25 0:24 / /run rw,nosuid - tmpfs tmpfs rw\n",
        "27 25 0:40 / /var/x\\040-\\040tmpfs rw - overlay overlay rw\n",
        "28 25 0:x / /odd rw - tmpfs tmpfs rw\n",
        "29\n",
        " - tmpfs \n",
    };
    struct oc_lx_space space = space_of("1000000-1002000 rw-s 00000000 00:18 5 /run/a\n"
                                        "1002000-1003000 rw-s 00000000 00:28 6 /app/b\n"
                                        "1003000-1004000 rw-s 00000000 fe:00 7 /home/c\n"
                                        "1004000-1005000 r-xp 00000000 00:18 8 /run/d.so\n");

    ck_assert_int_eq(space.needs_mounts, 1);
    ck_assert_uint_eq(space.mappings[0].usage, OC_USAGE_MAPPED_FILE);
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++)
        oc_lx_space_add_mount(&space, mounts[i], strchr(mounts[i], '\n'));
    ck_assert_uint_eq(space.tmpfs_count, 1);
    oc_lx_classify(&space);
    ck_assert_uint_eq(space.mappings[0].usage, OC_USAGE_SHARED);
    ck_assert_uint_eq(space.mappings[1].usage, OC_USAGE_MAPPED_FILE);
    ck_assert_uint_eq(space.mappings[2].usage, OC_USAGE_MAPPED_FILE);
    ck_assert_uint_eq(space.mappings[3].usage, OC_USAGE_IMAGE);
    oc_lx_space_clear(&space);
}
END_TEST

START_TEST(what_overlaps_is_counted_once)
{
    /* two mappings became one between two reads, which begins before the last one's end */
    struct oc_lx_space space = space_of("1000000-1002000 rw-p 00000000 00:00 0 \n"
                                        "1000000-1005000 rw-p 00000000 00:00 0 \n"
                                        "1001000-1004000 rw-p 00000000 00:00 0 \n"
                                        "1004000-1006000 rw-p 00004000 08:01 5 /f\n");

    ck_assert_uint_eq(space.count, 3);
    ck_assert_uint_eq(space.mappings[1].start, 0x1002000);
    ck_assert_uint_eq(space.mappings[2].start, 0x1005000);
    ck_assert_uint_eq(space.mappings[2].offset, 0x5000);
    oc_lx_space_clear(&space);
}
END_TEST

Suite *classify_suite(void)
{
    Suite *suite = suite_create("classify");
    TCase *tcase = tcase_create("classes");

    tcase_add_test(tcase, a_file_is_an_image_by_any_code_in_it);
    tcase_add_test(tcase, an_arena_begins_at_a_multiple_of_its_size);
    tcase_add_test(tcase, a_guard_with_a_stack_s_size_above_is_a_stack);
    tcase_add_test(tcase, a_stack_pointer_makes_a_stack_of_any_size);
    tcase_add_test(tcase, memory_with_a_name_is_what_it_says);
    tcase_add_test(tcase, dotnet_has_loader_heaps_code_and_a_reserved_heap);
    tcase_add_test(tcase, a_jvm_has_heap_metaspace_and_code);
    tcase_add_test(tcase, views_of_one_heap_are_committed_once);
    tcase_add_test(tcase, go_and_v8_heaps_are_told_by_their_places);
    tcase_add_test(tcase, shared_memory_and_code_without_a_file);
    tcase_add_test(tcase, files_in_memory_are_shared_memory);
    tcase_add_test(tcase, what_overlaps_is_counted_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
