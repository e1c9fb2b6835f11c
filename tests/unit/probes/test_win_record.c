/* Recordings of Windows: what was asked is answered again, and nobody's secrets are in it. */
#include "win_made.h"
#include "win_suites.h"

#include "base/alloc.h"
#include "base/os.h"
#include "probes/windows/contract.h"
#include "probes/windows/record.h"
#include "probes/windows/utf16.h"

#include <stdlib.h>
#include <string.h>

static struct oc_walk walk_of(struct oc_win *win, uint32_t pid)
{
    const struct oc_walk_request request = { .pid = pid, .want = OC_WALK_USUAL };
    struct oc_walk walk = { 0 };

    ck_assert_int_eq(oc_win_walk(win, &request, &walk), OC_OK);
    return walk;
}

static void ck_same(const struct oc_walk *a, const struct oc_walk *b)
{
    ck_assert_uint_eq(a->census.total_count, b->census.total_count);
    for (size_t i = 0; i < a->census.total_count; i++) {
        const struct oc_region_total *x = &a->census.totals[i], *y = &b->census.totals[i];

        ck_assert_uint_eq(x->usage, y->usage);
        ck_assert_uint_eq(x->type, y->type);
        ck_assert_uint_eq(x->state, y->state);
        ck_assert_uint_eq(x->count, y->count);
        ck_assert_uint_eq(x->bytes, y->bytes);
    }
    ck_assert_uint_eq(a->census.module_count, b->census.module_count);
    ck_assert_uint_eq(a->census.family_count, b->census.family_count);
    ck_assert_uint_eq(a->limit_count, b->limit_count);
    for (uint32_t i = 0; i < a->limit_count; i++)
        ck_assert_uint_eq(a->limits[i].value, b->limits[i].value);
    ck_assert_str_eq(a->facts.exe, b->facts.exe);
    ck_assert_str_eq(a->names.app_pool, b->names.app_pool);
}

START_TEST(a_recording_is_walked_as_the_process_was)
{
    struct made *made = made_worker();
    struct oc_win *replay = NULL;
    struct oc_detail detail = { 0 };
    struct oc_walk walk = walk_of(made_table(made), MADE_PID), again;
    struct oc_buf text;

    oc_buf_init(&text, OC_WIN_RECORD_MAX_BYTES);
    ck_assert_int_eq(oc_win_record(made_table(made), MADE_PID, &text), OC_OK);
    ck_assert_int_eq(oc_win_replay_open(text.data, text.len_bytes, &replay, &detail), OC_OK);
    ck_assert_uint_eq(oc_win_replay_pid(replay), MADE_PID);
    ck_assert_uint_eq(replay->build, made_table(made)->build);
    again = walk_of(replay, MADE_PID);
    ck_same(&walk, &again);
    oc_walk_clear(&walk);
    oc_walk_clear(&again);
    oc_win_replay_close(replay);
    oc_buf_clear(&text);
    made_free(made);
}
END_TEST

/* The first worker of the list, where no process is named. */
START_TEST(workers_are_found_by_themselves)
{
    struct made *made = made_worker();
    struct oc_buf text;

    oc_buf_init(&text, OC_WIN_RECORD_MAX_BYTES);
    ck_assert_int_eq(oc_win_record(made_table(made), 0, &text), OC_OK);
    ck_assert_ptr_nonnull(strstr(text.data, "\nquery 1267 ")); /* 4711 */
    oc_buf_clear(&text);
    made_free(made);
}
END_TEST

START_TEST(secrets_and_persons_are_taken_out)
{
    struct made *made = made_worker();
    struct oc_buf text;

    made_process(made)->cmdline = "c:\\w3wp.exe -ap \"Shop\" --password=hunter2 c:\\Users\\anna\\x";
    made_process(made)->user = "CONTOSO\\anna";
    oc_buf_init(&text, OC_WIN_RECORD_MAX_BYTES);
    ck_assert_int_eq(oc_win_record(made_table(made), MADE_PID, &text), OC_OK);
    ck_assert_ptr_null(strstr(text.data, "hunter2"));
    ck_assert_ptr_null(strstr(text.data, "anna"));
    ck_assert_ptr_null(strstr(text.data, "CONTOSO"));
    ck_assert_ptr_nonnull(strstr(text.data, "Shop"));
    oc_buf_clear(&text);
    made_free(made);
}
END_TEST

START_TEST(command_lines_in_memory_are_redacted)
{
    unsigned char bytes[256] = { 0 };
    char text[256];
    const size_t units = oc_win_utf16("app.exe --token=abcdef C:\\Users\\anna\\y", bytes, 128);

    oc_win_redact_memory(bytes, 2 * units);
    (void)oc_win_utf8(bytes, units, text, sizeof text);
    ck_assert_ptr_null(strstr(text, "abcdef"));
    ck_assert_ptr_null(strstr(text, "anna"));
    ck_assert_ptr_nonnull(strstr(text, "app.exe"));
}
END_TEST

START_TEST(figures_in_memory_stay)
{
    unsigned char bytes[64], before[64];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37);
    memcpy(before, bytes, sizeof bytes);
    oc_win_redact_memory(bytes, sizeof bytes);
    ck_assert_mem_eq(bytes, before, sizeof bytes);
}
END_TEST

START_TEST(of_the_configuration_pools_stay_alone)
{
    static const char config[] =
        "<configuration><connectionStrings><add connectionString=\"pwd=x\"/></connectionStrings>"
        "<system.applicationHost><applicationPools><add name=\"Shop\"><processModel "
        "userName=\"CONTOSO\\anna\" password='geheim'/></add></applicationPools>"
        "</system.applicationHost></configuration>";
    char *text = oc_win_redact_config(config, sizeof config - 1);

    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "name=\"Shop\""));
    ck_assert_ptr_null(strstr(text, "pwd"));
    ck_assert_ptr_null(strstr(text, "anna"));
    ck_assert_ptr_null(strstr(text, "geheim"));
    oc_free(text);
}
END_TEST

static int open_text(const char *text, struct oc_detail *detail)
{
    struct oc_win *replay = NULL;
    int rc = oc_win_replay_open(text, strlen(text), &replay, detail);

    oc_win_replay_close(replay);
    return rc;
}

START_TEST(what_is_no_recording_is_refused)
{
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(open_text("", &detail), OC_E_PARSE);
    ck_assert_int_eq(open_text("oomcast-windows-record 2\n", &detail), OC_E_NEWER);
    ck_assert_int_eq(open_text("oomcast-windows-record 1\n", &detail), OC_OK);
    ck_assert_int_eq(open_text("oomcast-windows-record 1\nopen 5 0 0 7\nopen 5 q\n", &detail),
                     OC_E_PARSE);
    ck_assert_uint_eq(detail.line, 3);
    ck_assert_int_eq(open_text("oomcast-windows-record 1\nmemory 5 0 7 1\n", &detail), OC_E_PARSE);
    ck_assert_int_eq(open_text("oomcast-windows-record 1\nimage 5 0 7 %4\n", &detail), OC_E_PARSE);
}
END_TEST

START_TEST(answers_come_in_their_order)
{
    static const char text[] = "oomcast-windows-record 1\nopen 5 0 0 1\nhandles 5 0 1 a\n"
                               "handles 5 0 1 b\n";
    struct oc_win *replay = NULL;
    oc_win_handle process = 0;
    uint32_t count = 0;

    ck_assert_int_eq(oc_win_replay_open(text, sizeof text - 1, &replay, NULL), OC_OK);
    ck_assert_int_eq(replay->open(replay, 6, OC_WIN_LIMITED, &process), OC_E_GONE);
    ck_assert_int_eq(replay->open(replay, 5, OC_WIN_LIMITED, &process), OC_OK);
    ck_assert_int_eq(replay->handles(replay, process, &count), OC_OK);
    ck_assert_uint_eq(count, 10);
    ck_assert_int_eq(replay->handles(replay, process, &count), OC_OK);
    ck_assert_uint_eq(count, 11);
    ck_assert_int_eq(replay->handles(replay, process, &count), OC_OK);
    ck_assert_uint_eq(count, 11);
    replay->close(replay, process);
    oc_win_replay_close(replay);
}
END_TEST

/* A worker of the tests that leaked 300 MiB, as `oomcast doctor --record` saw it under Wine 8. */
START_TEST(a_worker_of_wine_is_told_to_the_megabyte)
{
    struct oc_win *replay = NULL;
    struct oc_detail detail = { 0 };
    struct oc_walk walk;
    char *text = NULL;
    size_t len_bytes = 0;

    ck_assert_int_eq(oc_file_read(OC_TEST_DATA "/windows/wine8-w3wp32-commit300.record",
                                  OC_WIN_RECORD_MAX_BYTES, &text, &len_bytes),
                     OC_OK);
    ck_assert_int_eq(oc_win_replay_open(text, len_bytes, &replay, &detail), OC_OK);
    walk = walk_of(replay, oc_win_replay_pid(replay));
    ck_assert_uint_eq(walk.census.is_32bit, 1);
    ck_assert_str_eq(walk.names.app_pool, "Shop");
    ck_assert_uint_eq(
        oc_census_sum_bytes(&walk.census, OC_USAGE_COUNT, OC_REGION_TYPES, OC_REGION_STATES),
        0x7fff0000 - 0x10000);
    ck_assert_uint_ge(
        oc_census_sum_bytes(&walk.census, OC_USAGE_PRIVATE, OC_REGION_PRIVATE, OC_REGION_COMMIT),
        UINT64_C(300) << 20);
    ck_assert_uint_lt(
        oc_census_sum_bytes(&walk.census, OC_USAGE_PRIVATE, OC_REGION_PRIVATE, OC_REGION_COMMIT),
        UINT64_C(303) << 20);
    oc_walk_clear(&walk);
    oc_win_replay_close(replay);
    oc_free(text);
}
END_TEST

Suite *win_record_suite(void)
{
    Suite *suite = suite_create("windows recordings");
    TCase *replays = tcase_create("replays"), *redaction = tcase_create("redaction");

    tcase_add_test(replays, a_recording_is_walked_as_the_process_was);
    tcase_add_test(replays, workers_are_found_by_themselves);
    tcase_add_test(replays, what_is_no_recording_is_refused);
    tcase_add_test(replays, answers_come_in_their_order);
    tcase_add_test(replays, a_worker_of_wine_is_told_to_the_megabyte);
    suite_add_tcase(suite, replays);
    tcase_add_test(redaction, secrets_and_persons_are_taken_out);
    tcase_add_test(redaction, command_lines_in_memory_are_redacted);
    tcase_add_test(redaction, figures_in_memory_stay);
    tcase_add_test(redaction, of_the_configuration_pools_stay_alone);
    suite_add_tcase(suite, redaction);
    return suite;
}
