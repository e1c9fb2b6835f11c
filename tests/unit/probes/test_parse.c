#include "suites.h"

#include "probes/linux/parse.h"

#include <stdlib.h>
#include <string.h>

static int statm_of(const char *text, struct oc_lx_statm *out)
{
    return oc_lx_statm_parse(text, strlen(text), 12, out);
}

START_TEST(statm_gives_bytes)
{
    struct oc_lx_statm statm;

    ck_assert_int_eq(statm_of("1123 501 388 193 0 142 0\n", &statm), OC_OK);
    ck_assert_uint_eq(statm.size_bytes, 1123 * 4096);
    ck_assert_uint_eq(statm.resident_bytes, 501 * 4096);
    ck_assert_uint_eq(statm.shared_bytes, 388 * 4096);
    ck_assert_uint_eq(statm.data_bytes, 142 * 4096);
}
END_TEST

START_TEST(statm_refuses_what_is_cut_or_odd)
{
    static const char *const texts[] = { "",
                                         "1",
                                         "1 2 3 4 5",
                                         "1 2 3 4 5 6",
                                         "a b c d e f g\n",
                                         "-1 2 3 4 5 6 7\n",
                                         "1 2 3  4 5 6 7\n",
                                         "18446744073709551616 1 1 1 1 1 1\n",
                                         "9223372036854775807 1 1 1 1 1 1\n",
                                         "99999999999999999999999 1 1 1 1 1 1\n" };
    struct oc_lx_statm statm;

    ck_assert_int_eq(statm_of(texts[_i], &statm), OC_E_PARSE);
}
END_TEST

START_TEST(status_takes_what_is_there)
{
    static const char text[] = "Name:\tVmRSS:\\n\nUid:\t33\t0\t0\t0\nVmRSS:\t12345678 kB\n"
                               "RssAnon:\t       1 kB\nThreads:\t7\nVmSwap:\t 9 kB\n";
    struct oc_lx_status status;

    ck_assert_int_eq(oc_lx_status_parse(text, strlen(text), &status), OC_OK);
    ck_assert_uint_eq(status.have, 1u << OC_LX_UID | 1u << OC_LX_VM_RSS | 1u << OC_LX_RSS_ANON |
                                       1u << OC_LX_THREADS);
    ck_assert_uint_eq(status.values[OC_LX_VM_RSS], UINT64_C(12345678) << 10);
    ck_assert_uint_eq(status.values[OC_LX_UID], 33);
    ck_assert_uint_eq(status.values[OC_LX_THREADS], 7);
}
END_TEST

START_TEST(status_without_threads_is_cut)
{
    struct oc_lx_status status;

    ck_assert_int_eq(oc_lx_status_parse("Name:\tx\nVmRSS:\t 4 kB\n", 22, &status), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_status_parse("", 0, &status), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_status_parse("Threads:\t\n", 10, &status), OC_E_PARSE);
}
END_TEST

START_TEST(stat_finds_the_end_of_an_odd_name)
{
    static const char text[] = "7 (a) S 1 (\n) Z 3 4 5 0 -1 64 9 0 8 0 70 30 0 0 20 0 2 0 555 4096 "
                               "77 18 1 2 99 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 1792\n";
    struct oc_lx_stat stat;

    ck_assert_int_eq(oc_lx_stat_parse(text, strlen(text), &stat), OC_OK);
    ck_assert_uint_eq(stat.name_bytes, 9);
    ck_assert_mem_eq(stat.name, "a) S 1 (\n", 9);
    ck_assert_int_eq(stat.state, 'Z');
    ck_assert_uint_eq(stat.parent_pid, 3);
    ck_assert_uint_eq(stat.flags, 64);
    ck_assert_uint_eq(stat.minor_faults, 9);
    ck_assert_uint_eq(stat.major_faults, 8);
    ck_assert_uint_eq(stat.cpu_ticks, 100);
    ck_assert_uint_eq(stat.threads, 2);
    ck_assert_uint_eq(stat.start_ticks, 555);
    ck_assert_uint_eq(stat.rss_pages, 77);
    ck_assert_uint_eq(stat.start_stack, 99);
    ck_assert_int_eq(stat.exit_code, 7 << 8);
}
END_TEST

START_TEST(stat_refuses_what_is_cut)
{
    static const char *const texts[] = { "",
                                         "1",
                                         "1 (x",
                                         "1 (x)",
                                         "1 (x) ",
                                         "1 (x) S",
                                         ") (",
                                         "1 (x) S 1 2 3 4 5 6 7 8 9\n",
                                         "1 )x( S 1 2 3" };
    struct oc_lx_stat stat;

    ck_assert_int_eq(oc_lx_stat_parse(texts[_i], strlen(texts[_i]), &stat), OC_E_PARSE);
}
END_TEST

START_TEST(maps_counts_mappings_modules_and_heap)
{
    static const char text[] =
        "1000-3000 r-xp 00000000 08:01 131 /bin/app\n"
        "3000-4000 r--p 00002000 08:01 131 /bin/app\n"
        "5000-9000 rw-p 00000000 00:00 0 [heap]\n"
        "a000-b000 rwxs 00000000 00:01 7 /memfd:jit (deleted)\n"
        "b000-c000 r-xp 00000000 00:00 0 [vdso]\n"
        "c000-d000 r-xp 00000000 00:00 0 \n"
        "d000-e000 r-xp 00000000 08:01 9 /lib/a b\\012c.so (deleted)\n"
        "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"
        "f000-";
    struct oc_lx_maps maps = { 0, 0, 0 };
    size_t used = 0;

    ck_assert_int_eq(oc_lx_maps_parse(text, strlen(text), &maps, &used), OC_OK);
    ck_assert_uint_eq(used, strlen(text) - 5);
    ck_assert_uint_eq(maps.mappings, 8);
    ck_assert_uint_eq(maps.modules, 2);
    ck_assert_uint_eq(maps.heap_bytes, 0x4000);
}
END_TEST

START_TEST(maps_refuses_lines_of_another_form)
{
    static const char *const texts[] = { "\n",          "-\n",           "1000\n",
                                         "1000-2000\n", "1000-2000 r\n", "2000-1000 r-xp \n",
                                         "xyz\n" };
    struct oc_lx_maps maps = { 0, 0, 0 };
    size_t used = 0;

    ck_assert_int_eq(oc_lx_maps_parse(texts[_i], strlen(texts[_i]), &maps, &used), OC_E_PARSE);
}
END_TEST

START_TEST(rollup_sums_the_private_pages)
{
    static const char text[] = "1-2 ---p 0 0 0 [rollup]\nRss: 9 kB\nPss:   6 kB\nPss_Anon: 1 kB\n"
                               "Private_Clean:  2 kB\nPrivate_Dirty: 3 kB\n";
    struct oc_lx_rollup rollup;

    ck_assert_int_eq(oc_lx_rollup_parse(text, strlen(text), &rollup), OC_OK);
    ck_assert_uint_eq(rollup.pss_bytes, 6 << 10);
    ck_assert_uint_eq(rollup.uss_bytes, 5 << 10);
    ck_assert_int_eq(oc_lx_rollup_parse(text, 40, &rollup), OC_E_PARSE);
}
END_TEST

static const char cgroups[] = "12:cpu,cpuacct:/c\n9:memory:/m:1 (deleted)\n1:name=systemd:/s\n"
                              "0::/unified\n";

START_TEST(cgroup_path_is_of_the_hierarchy_asked_for)
{
    const char *path = NULL;
    size_t bytes = 0;

    ck_assert_int_eq(oc_lx_cgroup_parse(cgroups, strlen(cgroups), NULL, &path, &bytes), OC_OK);
    ck_assert_mem_eq(path, "/unified", bytes);
    ck_assert_int_eq(oc_lx_cgroup_parse(cgroups, strlen(cgroups), "memory", &path, &bytes), OC_OK);
    ck_assert_uint_eq(bytes, 4);
    ck_assert_mem_eq(path, "/m:1", bytes);
    ck_assert_int_eq(oc_lx_cgroup_parse(cgroups, strlen(cgroups), "cpuacct", &path, &bytes), OC_OK);
    ck_assert_mem_eq(path, "/c", bytes);
    ck_assert_int_eq(oc_lx_cgroup_parse(cgroups, strlen(cgroups), "mem", &path, &bytes),
                     OC_E_NOENT);
    ck_assert_int_eq(oc_lx_cgroup_parse("0::", 3, NULL, &path, &bytes), OC_E_NOENT);
}
END_TEST

START_TEST(keyed_lines_are_found_in_any_order)
{
    static const char *const keys[] = { "a", "bb", "c", "d", "e" };
    static const char text[] = "c: 7 kB\nbbb 9\na max\nbb -4\nd 99999999999999999999\ne 5\nf";
    uint64_t values[5] = { 0 };

    ck_assert_uint_eq(oc_lx_keyed_parse(text, strlen(text), keys, 5, values), 1 | 4 | 16);
    ck_assert_uint_eq(values[0], OC_LX_MAX);
    ck_assert_uint_eq(values[2], 7 << 10);
    ck_assert_uint_eq(values[4], 5);
    ck_assert_uint_eq(oc_lx_keyed_parse("e 1", 3, keys, 5, values), 0); /* cut: may be 10 */
}
END_TEST

START_TEST(numbers_and_max_are_told_from_noise)
{
    uint64_t value = 0;

    ck_assert_int_eq(oc_lx_number_parse("12\n", 3, &value), OC_OK);
    ck_assert_uint_eq(value, 12);
    ck_assert_int_eq(oc_lx_number_parse("max\n", 4, &value), OC_OK);
    ck_assert_uint_eq(value, OC_LX_MAX);
    ck_assert_int_eq(oc_lx_number_parse("", 0, &value), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_number_parse("\n", 1, &value), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_number_parse("-1\n", 3, &value), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_number_parse("maximum\n", 8, &value), OC_E_PARSE);
}
END_TEST

START_TEST(pressure_of_a_kernel_without_full_is_half_known)
{
    static const char text[] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\n"
                               "full avg10=0.00 avg60=0.00 avg300=0.00 total=3\n";
    struct oc_lx_psi psi;

    ck_assert_int_eq(oc_lx_psi_parse(text, strlen(text), &psi), OC_OK);
    ck_assert_uint_eq(psi.some_us, 12);
    ck_assert_uint_eq(psi.full_us, 3);
    ck_assert_int_eq(oc_lx_psi_parse(text, 48, &psi), OC_OK);
    ck_assert_uint_eq(psi.full_us, OC_LX_MAX);
    ck_assert_int_eq(oc_lx_psi_parse(text, 30, &psi), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_psi_parse("", 0, &psi), OC_E_PARSE);
}
END_TEST

/* A datagram of the connector: netlink header, connector message, event. */
static size_t datagram(uint32_t *words, uint32_t what, const uint32_t *data, size_t data_words)
{
    size_t bytes = 16 + 20 + 16 + data_words * 4;

    memset(words, 0, 128);
    words[0] = (uint32_t)bytes;
    words[4] = 1; /* CN_IDX_PROC */
    words[5] = 1; /* CN_VAL_PROC */
    words[8] = (uint32_t)(bytes - 36);
    words[9] = what;
    memcpy(&words[13], data, data_words * 4);
    return bytes;
}

START_TEST(connector_messages_are_read)
{
    static const struct {
        uint32_t what, data[4];
        enum oc_lx_cn_kind kind;
        uint32_t pid, tgid, code;
    } cases[] = {
        { 0, { 0 }, OC_LX_CN_ACK, 0, 0, 0 },
        { 1, { 10, 11, 20, 21 }, OC_LX_CN_FORK, 20, 21, 0 },
        { 2, { 30, 31 }, OC_LX_CN_EXEC, 30, 31, 0 },
        { 0x80000000u, { 40, 41, 256, 17 }, OC_LX_CN_EXIT, 40, 41, 256 },
        { 4, { 50, 51 }, OC_LX_CN_OTHER, 50, 51, 0 },
    };
    uint32_t words[32];
    struct oc_lx_cn_event event;
    size_t bytes = datagram(words, cases[_i].what, cases[_i].data, 4), at = 0;

    ck_assert_int_eq(oc_lx_cn_parse(words, bytes, &at, &event), 1);
    ck_assert_int_eq(event.kind, cases[_i].kind);
    if (event.kind != OC_LX_CN_ACK) {
        ck_assert_uint_eq(event.pid, cases[_i].pid);
        ck_assert_uint_eq(event.tgid, cases[_i].tgid);
    }
    ck_assert_uint_eq(event.code, cases[_i].code);
    ck_assert_int_eq(oc_lx_cn_parse(words, bytes, &at, &event), 0);
}
END_TEST

START_TEST(connector_messages_cut_anywhere_are_refused)
{
    static const uint32_t data[] = { 40, 41, 256, 17 };
    uint32_t words[32];
    struct oc_lx_cn_event event;
    size_t bytes = datagram(words, 0x80000000u, data, 4);

    for (size_t cut = 1; cut < bytes; cut++) {
        size_t at = 0;

        ck_assert_int_eq(oc_lx_cn_parse(words, cut, &at, &event), OC_E_PARSE);
    }
}
END_TEST

Suite *parse_suite(void)
{
    Suite *suite = suite_create("parse");
    TCase *tcase = tcase_create("parse");

    tcase_add_test(tcase, statm_gives_bytes);
    tcase_add_loop_test(tcase, statm_refuses_what_is_cut_or_odd, 0, 10);
    tcase_add_test(tcase, status_takes_what_is_there);
    tcase_add_test(tcase, status_without_threads_is_cut);
    tcase_add_test(tcase, stat_finds_the_end_of_an_odd_name);
    tcase_add_loop_test(tcase, stat_refuses_what_is_cut, 0, 9);
    tcase_add_test(tcase, maps_counts_mappings_modules_and_heap);
    tcase_add_loop_test(tcase, maps_refuses_lines_of_another_form, 0, 7);
    tcase_add_test(tcase, rollup_sums_the_private_pages);
    tcase_add_test(tcase, cgroup_path_is_of_the_hierarchy_asked_for);
    tcase_add_test(tcase, keyed_lines_are_found_in_any_order);
    tcase_add_test(tcase, numbers_and_max_are_told_from_noise);
    tcase_add_test(tcase, pressure_of_a_kernel_without_full_is_half_known);
    tcase_add_loop_test(tcase, connector_messages_are_read, 0, 5);
    tcase_add_test(tcase, connector_messages_cut_anywhere_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
