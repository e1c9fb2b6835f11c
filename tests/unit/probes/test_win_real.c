/* The real calls of Windows (or of Wine): what the contract says holds on this machine. */
#include "base/os.h"
#include "probes/probe.h"
#include "probes/windows/handles.h"
#include "probes/windows/identity.h"
#include "probes/windows/list.h"
#include "probes/windows/win.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define DEADLINE_MS 20000
#define CHILD_ENV "OOMCAST_TEST_CHILD"

static struct oc_win *win;
static oc_probe *probe;

static void setup(void)
{
    ck_assert_int_eq(oc_win_open(&win), OC_OK);
    ck_assert_int_eq(oc_probe_open(NULL, &probe, NULL), OC_OK);
    (void)oc_probe_tick_begin(probe, oc_clock_mono_ns());
}

static void teardown(void)
{
    oc_probe_close(probe);
    oc_win_close(win);
}

/* ---- a process of ours: this program again, which waits for its input to end ---- */

struct child {
    PROCESS_INFORMATION info;
    HANDLE input;
};

static struct child child_start(unsigned exit_code)
{
    struct child child = { .input = NULL };
    SECURITY_ATTRIBUTES inherited = { .nLength = sizeof inherited, .bInheritHandle = TRUE };
    STARTUPINFOW startup = { .cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES };
    WCHAR path[MAX_PATH], line[MAX_PATH + 64], code[16];
    HANDLE output = NULL;

    (void)GetModuleFileNameW(NULL, path, MAX_PATH);
    (void)swprintf(line, MAX_PATH + 64, L"\"%ls\" -ap \"\x5546\x5e97\" --password=secret", path);
    (void)swprintf(code, 16, L"%u", exit_code);
    (void)SetEnvironmentVariableW(L"" CHILD_ENV, code);
    ck_assert(CreatePipe(&output, &child.input, &inherited, 0));
    (void)SetHandleInformation(child.input, HANDLE_FLAG_INHERIT, 0);
    startup.hStdInput = output;
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    ck_assert(CreateProcessW(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child.info));
    (void)SetEnvironmentVariableW(L"" CHILD_ENV, NULL);
    (void)CloseHandle(output);
    return child;
}

static void child_end(struct child *child)
{
    (void)CloseHandle(child->input);
    (void)WaitForSingleObject(child->info.hProcess, DEADLINE_MS);
    (void)CloseHandle(child->info.hProcess);
    (void)CloseHandle(child->info.hThread);
}

/* ---- tests ---- */

struct seen {
    uint32_t pid;
    struct oc_seen last;
    int times;
};

static void note(const struct oc_seen *given, void *context)
{
    struct seen *seen = context;

    if (given->pid != seen->pid)
        return;
    seen->last = *given;
    seen->times++;
}

START_TEST(we_are_seen)
{
    struct seen seen = { .pid = oc_os_pid() };

    ck_assert_int_gt(oc_probe_scan(probe, note, &seen), 0);
    ck_assert_int_eq(seen.times, 1);
    ck_assert_uint_eq(seen.last.flags, OC_SEEN_NEW);
    ck_assert_ptr_nonnull(strstr(seen.last.name, "test_win_real"));
    ck_assert_uint_gt(seen.last.rss_bytes, 65536);
    (void)oc_probe_scan(probe, note, &seen);
    ck_assert_uint_eq(seen.last.flags, 0);
}
END_TEST

START_TEST(memory_that_is_written_to_is_private)
{
    const size_t bytes = (size_t)64 << 20;
    struct oc_sample before, after;
    oc_proc *proc = NULL;
    char *memory = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, oc_os_pid(), &proc), OC_OK);
    ck_assert_int_eq(oc_probe_read(probe, proc, &before), OC_OK);
    memory = VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    ck_assert_ptr_nonnull(memory);
    memset(memory, 1, bytes);
    (void)oc_probe_tick_begin(probe, oc_clock_mono_ns());
    ck_assert_int_eq(oc_probe_read(probe, proc, &after), OC_OK);
    (void)VirtualFree(memory, 0, MEM_RELEASE);
    ck_assert(oc_sample_has(&after, OC_METRIC_PRIVATE));
    ck_assert(oc_sample_has(&after, OC_METRIC_RSS));
    ck_assert(oc_sample_has(&after, OC_METRIC_FDS));
    ck_assert(oc_sample_has(&after, OC_METRIC_CPU_TIME));
    ck_assert_int_ge(oc_sample_get(&after, OC_METRIC_PRIVATE) -
                         oc_sample_get(&before, OC_METRIC_PRIVATE),
                     (int64_t)bytes - (2 << 20));
}
END_TEST

static struct oc_event await_end(uint32_t pid)
{
    const int64_t until_ns = oc_clock_mono_ns() + INT64_C(1000000) * DEADLINE_MS;
    HANDLE signal = (HANDLE)(intptr_t)oc_probe_event_fd(probe);
    struct oc_event event = { .kind = OC_EVENT_RESCAN };

    while (event.kind != OC_EVENT_PROC_END || event.pid != pid) {
        if (oc_probe_next_event(probe, &event) == 1)
            continue;
        ck_assert_int_lt(oc_clock_mono_ns(), until_ns);
        ck_assert_int_eq((int)WaitForSingleObject(signal, DEADLINE_MS), WAIT_OBJECT_0);
    }
    return event;
}

START_TEST(an_end_is_told_with_its_code)
{
    struct child child = child_start(7);
    const uint32_t pid = child.info.dwProcessId;
    struct oc_event event;
    struct oc_sample sample;
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, pid, &proc), OC_OK);
    oc_proc_set_tag(proc, 42);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    child_end(&child);
    event = await_end(pid);
    ck_assert_uint_eq(event.tag, 42);
    ck_assert_int_eq(event.end, OC_END_EXITED);
    ck_assert_int_eq(event.status, 7);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
}
END_TEST

START_TEST(a_tick_opens_nothing)
{
    oc_win_handle self = 0;
    struct oc_win_memory memory;
    struct oc_win_times times;
    uint32_t handles = 0, code = 0;

    ck_assert_int_eq(win->open(win, oc_os_pid(), OC_WIN_LIMITED, &self), OC_OK);
    ck_assert_int_eq(win->memory(win, self, &memory), OC_OK);
    ck_assert_int_eq(win->times(win, self, &times), OC_OK);
    ck_assert_int_eq(win->handles(win, self, &handles), win->is_wine ? OC_E_NOTSUP : OC_OK);
    ck_assert_int_eq(win->exited(win, self, &code), 0);
    ck_assert_uint_gt(memory.pagefile_usage | memory.private_usage, 0);
    ck_assert_uint_gt(memory.working_set, 0);
    ck_assert_uint_gt(times.created, 0);
    win->close(win, self);
    ck_assert_uint_eq(win->counts.calls[OC_WIN_CALL_OPEN], 1);
    ck_assert_uint_eq(win->counts.calls[OC_WIN_CALL_MEMORY], 1);
}
END_TEST

START_TEST(the_arguments_of_another_are_read)
{
    struct child child = child_start(0);
    const uint32_t pid = child.info.dwProcessId;
    static struct oc_walk walk;
    struct oc_win_basics basics;
    oc_win_handle process = 0;

    walk.facts.id.pid = pid;
    ck_assert_int_eq(oc_win_open_read(win, pid, 0, &process), OC_OK);
    ck_assert_int_eq(oc_win_identity(win, process, OC_WIN_READ, &walk, &basics), OC_OK);
    win->close(win, process);
    ck_assert(!basics.is_32bit);
    ck_assert_uint_eq(walk.facts.parent_pid, oc_os_pid());
    ck_assert_str_eq(walk.facts.name, "test_win_real.exe");
    ck_assert_ptr_nonnull(strstr(walk.facts.exe, "test_win_real.exe"));
    ck_assert_ptr_nonnull(strstr(walk.facts.cmdline, "-ap \"\xe5\x95\x86\xe5\xba\x97\""));
    ck_assert_ptr_null(strstr(walk.facts.cmdline, "secret"));
    ck_assert_int_ne(walk.names.user[0], '\0');
    ck_assert_int_ne(walk.names.session[0], '\0');
    ck_assert_uint_ne(walk.program_stamp, 0);
    ck_assert_int_lt(llabs(walk.facts.start_unix_ms - oc_clock_unix_ms()), 60000);
    oc_walk_clear(&walk);
    child_end(&child);
}
END_TEST

START_TEST(regions_cover_the_address_space_without_a_gap)
{
    struct oc_win_region region;
    oc_win_handle self = 0;
    uint64_t at = 0, committed = 0;
    int rc = OC_OK;

    ck_assert_int_eq(oc_win_open_read(win, oc_os_pid(), 0, &self), OC_OK);
    while ((rc = win->query(win, self, at, &region)) == OC_OK) {
        ck_assert_uint_le(region.base, at);
        ck_assert_uint_gt(region.base + region.size, at);
        committed += region.state == OC_MEM_COMMIT ? region.size : 0;
        at = region.base + region.size;
    }
    ck_assert_int_eq(rc, OC_E_NOENT);
    ck_assert_uint_gt(committed, UINT64_C(1) << 20);
    win->close(win, self);
}
END_TEST

START_TEST(the_machine_says_what_it_has)
{
    struct oc_win_host host;

    ck_assert_int_eq(win->host(win, &host), OC_OK);
    ck_assert_uint_gt(host.total_phys, UINT64_C(64) << 20);
    ck_assert_uint_ge(host.commit_limit, host.commit_total);
    ck_assert_uint_gt(host.cpu_count, 0);
    ck_assert_uint_gt(host.top_address, UINT64_C(1) << 32);
    ck_assert(host.commit_max == 0 || host.commit_max >= host.commit_limit);
    ck_assert_ptr_nonnull(strchr(win->system_root, ':'));
    ck_assert_uint_ge(win->build, 7600);
}
END_TEST

static void count_service(uint32_t pid, const char *name, void *context)
{
    (void)pid;
    ck_assert_int_ne(name[0], '\0');
    (*(int *)context)++;
}

START_TEST(services_run)
{
    int count = 0;

    ck_assert_int_eq(win->services(win, count_service, &count), OC_OK);
    ck_assert_int_gt(count, 0);
}
END_TEST

START_TEST(nobody_is_there_where_nobody_is)
{
    oc_win_handle process = 0;
    oc_proc *proc = NULL;

    ck_assert_int_eq(win->open(win, 0x7ffffff0, OC_WIN_LIMITED, &process), OC_E_GONE);
    ck_assert_int_eq(oc_probe_attach(probe, 0x7ffffff0, &proc), OC_E_GONE);
    ck_assert_int_eq(win->file(win, "C:\\no\\such\\file", 100, NULL, NULL, NULL), OC_E_NOENT);
}
END_TEST

static void hear(const struct oc_ability *ability, void *context)
{
    int *counts = context;

    counts[ability->rc == OC_OK]++;
    if (getenv("OOMCAST_TEST_SHOW"))
        (void)printf("%-36s %s %s\n", ability->figure, oc_err_name(ability->rc), ability->why);
}

START_TEST(the_doctor_examines_us)
{
    int counts[2] = { 0, 0 };

    ck_assert_int_eq(oc_probe_doctor(NULL, 0, hear, counts), OC_OK);
    ck_assert_int_gt(counts[1], 20);
}
END_TEST

static Suite *real_suite(void)
{
    Suite *suite = suite_create("windows calls");
    TCase *tcase = tcase_create("real");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, we_are_seen);
    tcase_add_test(tcase, memory_that_is_written_to_is_private);
    tcase_add_test(tcase, an_end_is_told_with_its_code);
    tcase_add_test(tcase, a_tick_opens_nothing);
    tcase_add_test(tcase, the_arguments_of_another_are_read);
    tcase_add_test(tcase, regions_cover_the_address_space_without_a_gap);
    tcase_add_test(tcase, the_machine_says_what_it_has);
    tcase_add_test(tcase, services_run);
    tcase_add_test(tcase, nobody_is_there_where_nobody_is);
    tcase_add_test(tcase, the_doctor_examines_us);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    const char *child = getenv(CHILD_ENV);
    SRunner *runner = NULL;
    int failed = 0;

    if (child) { /* we are the child */
        while (getchar() != EOF) {
        }
        return (int)strtol(child, NULL, 10);
    }
    runner = srunner_create(real_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
