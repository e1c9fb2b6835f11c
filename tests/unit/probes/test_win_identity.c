/* Who a process is, whom nobody opens, and the parsers below, over a made Windows. */
#include "win_tick.h"

#include "base/alloc.h"
#include "probes/windows/handles.h"
#include "probes/windows/identity.h"
#include "probes/windows/list.h"
#include "probes/windows/pagefile.h"
#include "probes/windows/utf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static oc_fake_win *fake;
static struct oc_win *win;
static struct oc_walk walk;

static void setup(void)
{
    ck_assert_int_eq(oc_fake_win_open(&fake), OC_OK);
    win = oc_fake_win_table(fake);
}

static void teardown(void)
{
    oc_walk_clear(&walk);
    ck_assert_uint_eq(oc_fake_win_handles(fake), 0);
    ck_assert_uint_eq(oc_fake_win_faults(fake), 0);
    oc_fake_win_close(fake);
}

static struct oc_fake_win_process *worker(uint32_t pid)
{
    struct oc_fake_win_process *process = oc_fake_win_start(fake, pid, "w3wp.exe");

    process->image = "C:\\Windows\\SysWOW64\\inetsrv\\w3wp.exe";
    process->user = "IIS APPPOOL\\Shop";
    process->basics.parent_pid = 700;
    process->basics.has_session = 1;
    process->basics.has_protection = 1;
    return process;
}

static int identify(uint32_t pid, enum oc_win_access access)
{
    oc_win_handle process = 0;
    int rc = win->open(win, pid, access, &process);

    if (rc != OC_OK)
        return rc;
    oc_walk_clear(&walk);
    walk.facts.id.pid = pid;
    rc = oc_win_identity(win, process, access, &walk, NULL);
    win->close(win, process);
    return rc;
}

START_TEST(a_process_is_named_by_limited_handles)
{
    worker(100)->cmdline = "c:\\windows\\system32\\inetsrv\\w3wp.exe -ap \"Shop\" -v \"v4.0\"";
    oc_fake_win_service(fake, 50, "W3SVC");
    oc_fake_win_service(fake, 100, "ShopWorker");
    ck_assert_int_eq(identify(100, OC_WIN_LIMITED), OC_OK);
    ck_assert_str_eq(walk.facts.name, "w3wp.exe");
    ck_assert_str_eq(walk.facts.exe, "C:\\Windows\\SysWOW64\\inetsrv\\w3wp.exe");
    ck_assert_str_eq(walk.facts.cmdline,
                     "c:\\windows\\system32\\inetsrv\\w3wp.exe -ap \"Shop\" -v \"v4.0\"");
    ck_assert_str_eq(walk.cmdline, walk.facts.cmdline);
    ck_assert_str_eq(walk.names.user, "IIS APPPOOL\\Shop");
    ck_assert_str_eq(walk.names.session, "0");
    ck_assert_str_eq(walk.names.service, "ShopWorker");
    ck_assert_uint_eq(walk.facts.parent_pid, 700);
    ck_assert_int_gt(walk.facts.start_unix_ms, INT64_C(1600000000000));
    ck_assert_int_eq(walk.facts.uid, -1);
    ck_assert_uint_eq(win->counts.reads_opened, 0);
}
END_TEST

START_TEST(secrets_on_a_command_line_are_not_shown)
{
    worker(100)->cmdline = "w3wp.exe --password=hunter2";
    ck_assert_int_eq(identify(100, OC_WIN_LIMITED), OC_OK);
    ck_assert_ptr_null(strstr(walk.facts.cmdline, "hunter2"));
    ck_assert_ptr_nonnull(strstr(walk.cmdline, "hunter2")); /* for selectors alone */
}
END_TEST

START_TEST(what_cannot_be_had_stays_unknown)
{
    (void)oc_fake_win_start(fake, 100, "app.exe");
    ck_assert_int_eq(identify(100, OC_WIN_LIMITED), OC_OK);
    ck_assert_str_eq(walk.facts.exe, "");
    ck_assert_str_eq(walk.facts.cmdline, "");
    ck_assert_ptr_null(walk.cmdline);
    ck_assert_str_eq(walk.names.user, "");
    ck_assert_str_eq(walk.names.session, "");
}
END_TEST

START_TEST(an_ended_process_has_no_identity)
{
    oc_win_handle process = 0;

    (void)worker(100);
    ck_assert_int_eq(win->open(win, 100, OC_WIN_LIMITED, &process), OC_OK);
    oc_fake_win_end(fake, 100, 0);
    walk.facts.id.pid = 100;
    ck_assert_int_eq(oc_win_identity(win, process, OC_WIN_LIMITED, &walk, NULL), OC_E_GONE);
    win->close(win, process);
}
END_TEST

/* ---- arguments by memory ---- */

#define TEXT_AT UINT64_C(0x500000)

static unsigned char peb[0x100], parameters[0x100], text[512];
static struct oc_fake_win_bytes memory[3];

/* A PEB of 4- or 8-byte pointers that says these arguments. */
static void give_peb(struct oc_fake_win_process *process, unsigned pointer_bytes,
                     const char *cmdline)
{
    const uint64_t parameters_at = 0x400000, text_at = TEXT_AT;
    const uint16_t text_bytes = (uint16_t)(2 * oc_win_utf16(cmdline, text, sizeof text / 2));
    unsigned char *string = parameters + (pointer_bytes == 4 ? 0x40 : 0x70);

    memset(peb, 0, sizeof peb);
    memset(parameters, 0, sizeof parameters);
    memcpy(peb + (pointer_bytes == 4 ? 0x10 : 0x20), &parameters_at, pointer_bytes);
    memcpy(string, &text_bytes, sizeof text_bytes);
    memcpy(string + pointer_bytes, &text_at, pointer_bytes);
    memory[0] = (struct oc_fake_win_bytes){ 0x300000, peb, sizeof peb };
    memory[1] = (struct oc_fake_win_bytes){ parameters_at, parameters, sizeof parameters };
    memory[2] = (struct oc_fake_win_bytes){ text_at, text, text_bytes };
    process->bytes = memory;
    process->bytes_count = 3;
    process->basics.is_32bit = pointer_bytes == 4;
    process->basics.peb = pointer_bytes == 4 ? 0x2ff000 : 0x300000;
    process->basics.peb32 = pointer_bytes == 4 ? 0x300000 : 0;
}

START_TEST(arguments_of_both_bitnesses_are_read_from_memory)
{
    give_peb(worker(100), _i ? 8 : 4, "w3wp.exe -ap \"\xe5\x95\x86\xe5\xba\x97\"");
    ck_assert_int_eq(identify(100, OC_WIN_READ), OC_OK);
    ck_assert_str_eq(walk.facts.cmdline, "w3wp.exe -ap \"\xe5\x95\x86\xe5\xba\x97\"");
}
END_TEST

START_TEST(a_worker_s_arguments_are_read_without_being_a_target)
{
    give_peb(worker(100), 4, "w3wp.exe -ap \"Shop\"");
    ck_assert_int_eq(identify(100, OC_WIN_LIMITED), OC_OK);
    ck_assert_str_eq(walk.facts.cmdline, "w3wp.exe -ap \"Shop\"");
    ck_assert_uint_eq(win->counts.reads_opened, 1);
}
END_TEST

START_TEST(nobody_else_s_memory_is_read_for_its_arguments)
{
    struct oc_fake_win_process *process = oc_fake_win_start(fake, 100, "sqlservr.exe");

    process->image = "C:\\Program Files\\Microsoft SQL Server\\sqlservr.exe";
    process->is_untargeted = 1;
    give_peb(process, 8, "sqlservr.exe -s");
    ck_assert_int_eq(identify(100, OC_WIN_LIMITED), OC_OK);
    ck_assert_ptr_null(walk.cmdline);
    ck_assert_uint_eq(win->counts.reads_opened, 0);
}
END_TEST

START_TEST(arguments_that_do_not_hold_together_are_unknown)
{
    struct oc_fake_win_process *process = worker(100);
    const uint16_t odd = 7, wide = 65534;
    const uint64_t nowhere = UINT64_C(0x1234567890);

    give_peb(process, 8, "w3wp.exe");
    if (_i == 0)
        memcpy(parameters + 0x70, &odd, sizeof odd);
    if (_i == 1)
        memcpy(parameters + 0x70, &wide, sizeof wide); /* longer than what is there */
    if (_i == 2)
        memcpy(peb + 0x20, &nowhere, sizeof nowhere);
    if (_i == 3)
        process->basics.peb = 0;
    ck_assert_int_eq(identify(100, OC_WIN_READ), OC_OK);
    ck_assert_ptr_null(walk.cmdline);
    ck_assert_str_eq(walk.facts.name, "w3wp.exe");
}
END_TEST

/* ---- who is opened ---- */

START_TEST(nobody_opens_the_guarded)
{
    static const char *const names[] = { "lsass.exe", "LSASS.EXE", "csrss.exe", "MsMpEng.exe" };
    struct oc_fake_win_process *process = oc_fake_win_start(fake, 600, names[_i]);
    oc_win_handle handle = 0;
    char path[64];

    (void)snprintf(path, sizeof path, "C:\\Windows\\System32\\%s", names[_i]);
    process->image = path;
    ck_assert_int_eq(oc_win_open_read(win, 600, 0, &handle), OC_E_DENIED);
    ck_assert_uint_eq(process->reads_opened, 0);
}
END_TEST

START_TEST(nobody_opens_the_protected)
{
    struct oc_fake_win_process *process = worker(100);
    oc_win_handle handle = 0;

    process->basics.is_protected = 1;
    ck_assert_int_eq(oc_win_open_read(win, 100, 0, &handle), OC_E_DENIED);
    process->basics.is_protected = 0;
    ck_assert_int_eq(oc_win_open_read(win, 100, 0, &handle), OC_OK);
    win->close(win, handle);
    process->image = NULL; /* nobody knows what it is */
    ck_assert_int_eq(oc_win_open_read(win, 100, 0, &handle), OC_E_DENIED);
    ck_assert_uint_eq(process->reads_opened, 1);
}
END_TEST

START_TEST(another_of_the_same_pid_is_not_opened)
{
    struct oc_fake_win_process *process = worker(100);
    oc_win_handle handle = 0;

    ck_assert_int_eq(oc_win_open_read(win, 100, process->times.created + 1, &handle), OC_E_GONE);
    ck_assert_uint_eq(process->reads_opened, 0);
}
END_TEST

/* ---- the list ---- */

START_TEST(a_list_is_read_as_it_was_written)
{
    static unsigned char bytes[4096];
    const struct oc_win_entry written = { .pid = 4711,
                                          .parent_pid = 4,
                                          .session = 2,
                                          .thread_count = 2,
                                          .handle_count = 17,
                                          .created = 99,
                                          .cpu_ns = 1200,
                                          .virtual_bytes = 5,
                                          .working_set_bytes = 6,
                                          .peak_working_set_bytes = 7,
                                          .pagefile_bytes = 8,
                                          .private_page_bytes = 9,
                                          .name = "\xe5\x95\x86\xf0\x9f\x98\x80.exe" };
    const uint32_t tids[] = { 11, 12 };
    size_t used = oc_win_list_write(bytes, sizeof bytes, 0x10000, &written, tids, 0);
    struct oc_win_list list;
    struct oc_win_entry entry;

    used += oc_win_list_write(bytes + used, sizeof bytes - used, 0x10000 + used,
                              &(struct oc_win_entry){ .pid = 5, .thread_count = 1 }, NULL, 1);
    oc_win_list_begin(&list, bytes, used, 0x10000);
    ck_assert_int_eq(oc_win_list_next(&list, &entry), 1);
    ck_assert_uint_eq(entry.pid, 4711);
    ck_assert_uint_eq(entry.parent_pid, 4);
    ck_assert_uint_eq(entry.session, 2);
    ck_assert_uint_eq(entry.handle_count, 17);
    ck_assert_uint_eq(entry.cpu_ns, 1200);
    ck_assert_uint_eq(oc_win_entry_private(&entry), 9);
    ck_assert_str_eq(entry.name, written.name);
    ck_assert_uint_eq(oc_win_entry_tid(&entry, 1), 12);
    ck_assert_int_eq(oc_win_list_next(&list, &entry), 1);
    ck_assert_uint_eq(entry.pid, 5);
    ck_assert_str_eq(entry.name, "");
    ck_assert_int_eq(oc_win_list_next(&list, &entry), 0);
}
END_TEST

/* Every end and every bit of a list: nothing is read beyond it. */
START_TEST(a_broken_list_is_refused_or_cut)
{
    unsigned char bytes[1024];
    struct oc_win_entry entry = { .pid = 1, .thread_count = 2, .name = "w3wp.exe" };
    size_t used = oc_win_list_write(bytes, sizeof bytes, 0, &entry, NULL, 1);

    ck_assert_uint_gt(used, 0);
    for (size_t len = 0; len < used; len++) {
        unsigned char *exact = malloc(len ? len : 1);
        struct oc_win_list list;

        ck_assert_ptr_nonnull(exact);
        memcpy(exact, bytes, len);
        oc_win_list_begin(&list, exact, len, 0);
        while (oc_win_list_next(&list, &entry) == 1) {
        }
        free(exact);
    }
}
END_TEST

/* ---- text ---- */

START_TEST(utf16_of_any_kind_becomes_utf8)
{
    static const struct {
        unsigned char wide[8];
        size_t units;
        const char *text;
    } cases[] = {
        { { 'a', 0, 0xe9, 0, 0x46, 0x55, 0, 0 }, 3, "a\xc3\xa9\xe5\x95\x86" },
        { { 0x3d, 0xd8, 0x00, 0xde }, 2, "\xf0\x9f\x98\x80" },
        { { 0x3d, 0xd8, 'a', 0 },
          2,
          "\xef\xbf\xbd"
          "a" },
        { { 0x00, 0xde }, 1, "\xef\xbf\xbd" },
        { { 0x3d, 0xd8 }, 1, "\xef\xbf\xbd" },
        { { 'a', 0, 0, 0, 'b', 0 }, 3, "a" },
    };
    char out[32];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)oc_win_utf8(cases[i].wide, cases[i].units, out, sizeof out);
        ck_assert_str_eq(out, cases[i].text);
    }
    (void)oc_win_utf8(cases[1].wide, 2, out, 4); /* no room for four bytes and the NUL */
    ck_assert_str_eq(out, "");
}
END_TEST

/* ---- page files ---- */

#define GIB (UINT64_C(1) << 30)

START_TEST(page_files_grow_as_the_machine_lets_them)
{
    struct oc_win_pagefile file;

    ck_assert_int_eq(oc_win_pagefile_parse("c:\\pagefile.sys 1024 4096", &file), OC_OK);
    ck_assert_int_eq(file.drive, 'C');
    ck_assert(!file.is_managed);
    ck_assert_uint_eq(oc_win_pagefile_limit(&file, 16 * GIB, 500 * GIB, 400 * GIB, GIB), 4 * GIB);
    ck_assert_uint_eq(oc_win_pagefile_limit(&file, 16 * GIB, 500 * GIB, GIB, GIB), 2 * GIB);
    ck_assert_int_eq(oc_win_pagefile_parse("?:\\pagefile.sys", &file), OC_OK);
    ck_assert_int_eq(file.drive, '?');
    ck_assert(file.is_managed);
    ck_assert_uint_eq(oc_win_pagefile_limit(&file, 16 * GIB, 800 * GIB, 400 * GIB, GIB), 48 * GIB);
    ck_assert_uint_eq(oc_win_pagefile_limit(&file, 16 * GIB, 80 * GIB, 40 * GIB, GIB), 10 * GIB);
    ck_assert_uint_eq(oc_win_pagefile_limit(&file, GIB, 800 * GIB, 400 * GIB, GIB), 4 * GIB);
    ck_assert_uint_eq(oc_win_pagefile_limit(&file, GIB, 8 * GIB, 0, 3 * GIB), 3 * GIB);
    ck_assert_int_eq(oc_win_pagefile_parse("D:\\pagefile.sys 0 0", &file), OC_OK);
    ck_assert(file.is_managed);
    ck_assert_int_eq(oc_win_pagefile_parse("", &file), OC_E_PARSE);
    ck_assert_int_eq(oc_win_pagefile_parse("1:\\x 1 2", &file), OC_E_PARSE);
    ck_assert_int_eq(oc_win_pagefile_parse("C:\\x 1", &file), OC_E_PARSE);
    ck_assert_int_eq(oc_win_pagefile_parse("C:\\x 1 99999999999999999999", &file), OC_E_PARSE);
}
END_TEST

START_TEST(every_failing_allocation_is_borne)
{
    worker(100)->cmdline = "w3wp.exe -ap \"Shop\"";
    for (uint64_t nth = 1; nth < 8; nth++) {
        int rc = OC_OK;

        oc_alloc_fail_at(nth, 0);
        rc = identify(100, OC_WIN_LIMITED);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
    }
}
END_TEST

Suite *win_identity_suite(void)
{
    Suite *suite = suite_create("windows identity");
    TCase *tcase = tcase_create("made");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_process_is_named_by_limited_handles);
    tcase_add_test(tcase, secrets_on_a_command_line_are_not_shown);
    tcase_add_test(tcase, what_cannot_be_had_stays_unknown);
    tcase_add_test(tcase, an_ended_process_has_no_identity);
    tcase_add_loop_test(tcase, arguments_of_both_bitnesses_are_read_from_memory, 0, 2);
    tcase_add_test(tcase, a_worker_s_arguments_are_read_without_being_a_target);
    tcase_add_test(tcase, nobody_else_s_memory_is_read_for_its_arguments);
    tcase_add_loop_test(tcase, arguments_that_do_not_hold_together_are_unknown, 0, 4);
    tcase_add_loop_test(tcase, nobody_opens_the_guarded, 0, 4);
    tcase_add_test(tcase, nobody_opens_the_protected);
    tcase_add_test(tcase, another_of_the_same_pid_is_not_opened);
    tcase_add_test(tcase, a_list_is_read_as_it_was_written);
    tcase_add_test(tcase, a_broken_list_is_refused_or_cut);
    tcase_add_test(tcase, utf16_of_any_kind_becomes_utf8);
    tcase_add_test(tcase, page_files_grow_as_the_machine_lets_them);
    tcase_add_test(tcase, every_failing_allocation_is_borne);
    suite_add_tcase(suite, tcase);
    return suite;
}
