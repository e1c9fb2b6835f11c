/* What the daemon asks of Windows: its pipe, events, wishes of the service manager, numbers in the event log. */
#include "daemon/os.h"

#include "base/os.h"
#include "base/text.h"
#include "base/windows/event_id.h"
#include "base/windows/service.h"
#include "daemon/windows/host.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include "messages.h" /* made of daemon/windows/messages.mc; it wants DWORD */

#define DEADLINE_MS 10000

static uv_loop_t loop;
static uv_timer_t deadline;
static int late;

static void on_late(uv_timer_t *timer)
{
    (void)timer;
    late = 1;
    uv_stop(&loop);
}

static void begin(void)
{
    late = 0;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uv_timer_init(&loop, &deadline), 0);
    ck_assert_int_eq(uv_timer_start(&deadline, on_late, DEADLINE_MS, 0), 0);
}

/* Until uv_stop(). */
static void run(void)
{
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_msg(!late, "nothing came within %d ms", DEADLINE_MS);
}

static void end(void)
{
    uv_close((uv_handle_t *)&deadline, NULL);
    while (uv_run(&loop, UV_RUN_DEFAULT) != 0)
        ;
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

/* ---- the pipe's name ---- */

static void name_of(const char *folder, char out[128])
{
    ck_assert_int_eq(oc_control_address(folder, out, 128), OC_OK);
}

START_TEST(a_folder_has_one_pipe_however_it_is_spelt)
{
    static const char *const spellings[] = { "C:\\Some\\Data", "C:/Some/Data", "c:\\some\\DATA\\",
                                             "C:\\Some\\.\\Data\\x\\.." };
    char wanted[128], got[128], other[128];

    name_of(spellings[0], wanted);
    ck_assert_int_eq(strncmp(wanted, "\\\\.\\pipe\\oomcast-", 17), 0);
    for (size_t i = 1; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        name_of(spellings[i], got);
        ck_assert_str_eq(got, wanted);
    }
    name_of("C:\\Some\\Data2", other);
    ck_assert_str_ne(other, wanted);
}
END_TEST

START_TEST(the_systems_folder_has_the_short_name)
{
    char folder[1024], got[128];

    ck_assert_int_eq(oc_os_system_state_dir(folder, sizeof(folder)), OC_OK);
    name_of(folder, got);
    ck_assert_str_eq(got, "\\\\.\\pipe\\oomcast");
}
END_TEST

/* ---- who may use the pipe, and who does ---- */

struct meeting {
    uv_pipe_t server, accepted, client;
    uv_connect_t connect;
    uv_write_t write;
    struct oc_peer peer;
    int rc;
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buf)
{
    static char room[64];

    (void)handle;
    (void)suggested;
    *out_buf = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct meeting *meeting = stream->data;

    (void)buf;
    if (got <= 0)
        return;
    meeting->rc = oc_control_peer(stream, &meeting->peer);
    uv_stop(&loop);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct meeting *meeting = server->data;

    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(uv_pipe_init(&loop, &meeting->accepted, 0), 0);
    meeting->accepted.data = meeting;
    ck_assert_int_eq(uv_accept(server, (uv_stream_t *)&meeting->accepted), 0);
    ck_assert_int_eq(uv_read_start((uv_stream_t *)&meeting->accepted, on_alloc, on_read), 0);
}

static void on_connected(uv_connect_t *connect, int status)
{
    static char text[] = "x\n";
    struct meeting *meeting = connect->data;
    uv_buf_t bytes = uv_buf_init(text, 2);

    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(uv_write(&meeting->write, (uv_stream_t *)&meeting->client, &bytes, 1, NULL),
                     0);
}

static void listen_at(struct meeting *meeting, const char *folder, char address[128])
{
    name_of(folder, address);
    meeting->rc = 1;
    meeting->server.data = meeting;
    ck_assert_int_eq(uv_pipe_init(&loop, &meeting->server, 0), 0);
    ck_assert_int_eq(uv_pipe_bind(&meeting->server, address), 0);
    ck_assert_int_eq(oc_control_address_protect(&meeting->server, address), OC_OK);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&meeting->server, 4, on_connection), 0);
}

START_TEST(who_asks_is_known_by_name)
{
    static struct meeting meeting;
    char address[128];

    begin();
    memset(&meeting, 0, sizeof(meeting));
    listen_at(&meeting, "C:\\oomcast-test-peer", address);
    ck_assert_int_eq(uv_pipe_init(&loop, &meeting.client, 0), 0);
    meeting.connect.data = &meeting;
    uv_pipe_connect(&meeting.connect, &meeting.client, address, on_connected);
    run();
    ck_assert_int_eq(meeting.rc, OC_OK);
    ck_assert_uint_eq(meeting.peer.pid, oc_os_pid());
    ck_assert_str_ne(meeting.peer.name, "");
    ck_assert_int_eq(meeting.peer.may_change, 1); /* the daemon's own user */
    uv_close((uv_handle_t *)&meeting.accepted, NULL);
    uv_close((uv_handle_t *)&meeting.client, NULL);
    uv_close((uv_handle_t *)&meeting.server, NULL);
    end();
}
END_TEST

/* The list in letters: nobody from the network first, and no word of everybody. */
START_TEST(the_pipe_is_not_for_everybody)
{
    static struct meeting meeting;
    char address[128];
    uv_os_fd_t handle = INVALID_HANDLE_VALUE;
    PSECURITY_DESCRIPTOR rules = NULL;
    wchar_t *text = NULL;

    begin();
    memset(&meeting, 0, sizeof(meeting));
    listen_at(&meeting, "C:\\oomcast-test-rules", address);
    ck_assert_int_eq(uv_fileno((uv_handle_t *)&meeting.server, &handle), 0);
    ck_assert_uint_eq(GetSecurityInfo(handle, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL,
                                      NULL, NULL, NULL, &rules),
                      ERROR_SUCCESS);
    ck_assert(ConvertSecurityDescriptorToStringSecurityDescriptorW(
        rules, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL));
    ck_assert_msg(wcsstr(text, L"(D;;GA;;;NU)") != NULL, "%ls", text);
    ck_assert_msg(wcsstr(text, L";;;BA)") != NULL, "%ls", text);
    ck_assert_msg(wcsstr(text, L";;;WD)") == NULL, "%ls", text);
    (void)LocalFree(text);
    (void)LocalFree(rules);
    uv_close((uv_handle_t *)&meeting.server, NULL);
    end();
}
END_TEST

/* ---- the probe's event ---- */

static int rounds;

static void on_event(void *context)
{
    HANDLE event = context;

    if (++rounds == 3) {
        (void)ResetEvent(event);
        uv_stop(&loop);
    }
}

START_TEST(an_event_that_stays_set_is_told_again)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    oc_event_watch *watch = NULL;

    begin();
    rounds = 0;
    ck_assert_int_eq(oc_event_watch_start(&loop, (int)(intptr_t)event, on_event, event, &watch),
                     OC_OK);
    ck_assert(SetEvent(event));
    run();
    ck_assert_int_eq(rounds, 3);
    oc_event_watch_stop(watch);
    end();
    (void)CloseHandle(event);
}
END_TEST

START_TEST(a_quiet_event_is_not_told)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    oc_event_watch *watch = NULL;

    begin();
    rounds = 0;
    ck_assert_int_eq(oc_event_watch_start(&loop, (int)(intptr_t)event, on_event, event, &watch),
                     OC_OK);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    oc_event_watch_stop(watch);
    end();
    ck_assert_int_eq(rounds, 0);
    (void)CloseHandle(event);
}
END_TEST

/* ---- wishes ---- */

static struct oc_buf wished;

static void on_wish(void *context, enum oc_wish wish, const char *why)
{
    (void)context;
    oc_buf_printf(&wished, "%s: %s;", wish == OC_WISH_STOP ? "stop" : "reload", why);
    uv_stop(&loop);
}

static const struct {
    unsigned posted[2];
    const char *wanted;
} wish_cases[] = {
    { { OC_HOST_STOP, 0 }, "stop: stopped by the service manager;" },
    { { OC_HOST_PRESHUTDOWN, 0 }, "stop: the machine shuts down;" },
    { { OC_HOST_RELOAD, 0 }, "reload: asked by the service manager;" },
    { { OC_HOST_RELOAD, OC_HOST_STOP }, "stop: stopped by the service manager;" },
};

static void post_all(int at)
{
    for (size_t i = 0; i < 2 && wish_cases[at].posted[i]; i++)
        oc_wishes_post((enum oc_host_wish)wish_cases[at].posted[i]);
}

static void check_wish(int at, int before)
{
    oc_wishes *wishes = NULL;

    begin();
    oc_buf_init(&wished, 1024);
    if (before)
        post_all(at);
    ck_assert_int_eq(oc_wishes_start(&loop, on_wish, NULL, &wishes), OC_OK);
    if (!before)
        post_all(at);
    run();
    ck_assert_str_eq(wished.data, wish_cases[at].wanted);
    oc_wishes_stop(wishes);
    end();
    oc_buf_clear(&wished);
}

START_TEST(a_wish_reaches_the_loop) { check_wish(_i, 0); }
END_TEST

START_TEST(a_wish_from_before_the_loop_is_kept) { check_wish(_i, 1); }
END_TEST

START_TEST(a_wish_while_nobody_listens_harms_nothing)
{
    oc_wishes *wishes = NULL;

    begin();
    ck_assert_int_eq(oc_wishes_start(&loop, on_wish, NULL, &wishes), OC_OK);
    oc_wishes_stop(wishes);
    oc_wishes_post(OC_HOST_RELOAD);
    end();
    check_wish(1, 0); /* takes it away as well: a stop outdoes it */
}
END_TEST

/* ---- the event log ---- */

static const struct {
    unsigned id, message;
} numbers[] = {
    { OC_EVENT_ID_OTHER, OC_MSG_OTHER },
    { OC_EVENT_ID_STARTED, OC_MSG_STARTED },
    { OC_EVENT_ID_STOPPING, OC_MSG_STOPPING },
    { OC_EVENT_ID_STOPPED, OC_MSG_STOPPED },
    { OC_EVENT_ID_NOT_STARTED, OC_MSG_NOT_STARTED },
    { OC_EVENT_ID_GAVE_UP, OC_MSG_GAVE_UP },
    { OC_EVENT_ID_RELOADED, OC_MSG_RELOADED },
    { OC_EVENT_ID_CONFIG_KEPT, OC_MSG_CONFIG_KEPT },
    { OC_EVENT_ID_OPTION_NEEDS_RESTART, OC_MSG_OPTION_NEEDS_RESTART },
    { OC_EVENT_ID_CONTROL_UNAVAILABLE, OC_MSG_CONTROL_UNAVAILABLE },
    { OC_EVENT_ID_CONTROL_REFUSED, OC_MSG_CONTROL_REFUSED },
    { OC_EVENT_ID_WRITER_STUCK, OC_MSG_WRITER_STUCK },
    { OC_EVENT_ID_STORE_FAILING, OC_MSG_STORE_FAILING },
    { OC_EVENT_ID_STORE_WORKS_AGAIN, OC_MSG_STORE_WORKS_AGAIN },
    { OC_EVENT_ID_STORE_CORRUPT, OC_MSG_STORE_CORRUPT },
    { OC_EVENT_ID_STORE_UPGRADED, OC_MSG_STORE_UPGRADED },
    { OC_EVENT_ID_STORE_RECOVERED, OC_MSG_STORE_RECOVERED },
    { OC_EVENT_ID_STORE_NOT_CLOSED, OC_MSG_STORE_NOT_CLOSED },
    { OC_EVENT_ID_ALERT_NOT_DURABLE, OC_MSG_ALERT_NOT_DURABLE },
    { OC_EVENT_ID_PROCESS_NOT_WATCHED, OC_MSG_PROCESS_NOT_WATCHED },
    { OC_EVENT_ID_PROCESS_KILLED, OC_MSG_PROCESS_KILLED },
    { OC_EVENT_ID_SYSTEM_SAYS, OC_MSG_SYSTEM_SAYS },
    { OC_EVENT_ID_PROGRAM_CHANGED, OC_MSG_PROGRAM_CHANGED },
    { OC_EVENT_ID_WALK_STUCK, OC_MSG_WALK_STUCK },
    { OC_EVENT_ID_WALK_GOES_ON, OC_MSG_WALK_GOES_ON },
    { OC_EVENT_ID_NOTIFIER_READY, OC_MSG_NOTIFIER_READY },
    { OC_EVENT_ID_NOTIFIER_DIED, OC_MSG_NOTIFIER_DIED },
    { OC_EVENT_ID_NOTIFIER_NOT_STARTED, OC_MSG_NOTIFIER_NOT_STARTED },
    { OC_EVENT_ID_ALERT_CRITICAL, OC_MSG_ALERT_CRITICAL },
    { OC_EVENT_ID_ALERT_WARNING, OC_MSG_ALERT_WARNING },
    { OC_EVENT_ID_ALERT_INFO, OC_MSG_ALERT_INFO },
    { OC_EVENT_ID_ALERT_RESOLVED, OC_MSG_ALERT_RESOLVED },
    { OC_EVENT_ID_ALERT_DIED, OC_MSG_ALERT_DIED },
    { OC_EVENT_ID_NOTICE_CRITICAL, OC_MSG_NOTICE_CRITICAL },
    { OC_EVENT_ID_NOTICE_WARNING, OC_MSG_NOTICE_WARNING },
    { OC_EVENT_ID_NOTICE_INFO, OC_MSG_NOTICE_INFO },
    { OC_EVENT_ID_NOTICE_RESOLVED, OC_MSG_NOTICE_RESOLVED },
    { OC_EVENT_ID_NOTICE_TEST, OC_MSG_NOTICE_TEST },
};

START_TEST(a_number_of_the_event_log_has_its_text)
{
    ck_assert_uint_eq(numbers[_i].id, numbers[_i].message);
    for (int i = 0; i < _i; i++)
        ck_assert_uint_ne(numbers[i].id, numbers[_i].id);
}
END_TEST

START_TEST(a_console_has_no_event_log) { ck_assert_int_eq(oc_syslog_open(NULL), OC_E_NOTSUP); }
END_TEST

/* ---- pidfiles ---- */

START_TEST(a_pidfile_is_read_but_no_device)
{
    FILE *file = fopen("oomcast-test.pid", "wb");
    uint32_t pid = 0;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs("4711\r\n", file), 0);
    (void)fclose(file);
    ck_assert_int_eq(oc_pidfile_read("oomcast-test.pid", &pid), OC_OK);
    ck_assert_uint_eq(pid, 4711);
    ck_assert_int_eq(remove("oomcast-test.pid"), 0);
    ck_assert_int_eq(oc_pidfile_read("oomcast-test.pid", &pid), OC_E_NOENT);
    ck_assert_int_lt(oc_pidfile_read("NUL", &pid), 0);
}
END_TEST

static Suite *service_suite(void)
{
    const int wish_count = (int)(sizeof(wish_cases) / sizeof(wish_cases[0]));
    Suite *suite = suite_create("service of Windows");
    TCase *tcase = tcase_create("service");

    tcase_add_test(tcase, a_folder_has_one_pipe_however_it_is_spelt);
    tcase_add_test(tcase, the_systems_folder_has_the_short_name);
    tcase_add_test(tcase, who_asks_is_known_by_name);
    tcase_add_test(tcase, the_pipe_is_not_for_everybody);
    tcase_add_test(tcase, an_event_that_stays_set_is_told_again);
    tcase_add_test(tcase, a_quiet_event_is_not_told);
    tcase_add_loop_test(tcase, a_wish_reaches_the_loop, 0, wish_count);
    tcase_add_loop_test(tcase, a_wish_from_before_the_loop_is_kept, 0, wish_count);
    tcase_add_test(tcase, a_wish_while_nobody_listens_harms_nothing);
    tcase_add_loop_test(tcase, a_number_of_the_event_log_has_its_text, 0,
                        (int)(sizeof(numbers) / sizeof(numbers[0])));
    tcase_add_test(tcase, a_console_has_no_event_log);
    tcase_add_test(tcase, a_pidfile_is_read_but_no_device);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(service_suite());
    int failed = 0;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
