/* What goes out of the daemon to others: the journal's datagrams, answers to clients that are slow. */
#include "daemon/daemon.h"
#include "daemon/os.h"
#include "suites.h"
#include "tests/support/environment.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_MS 10000
#define TIMEOUT_MS 150

static char folder[64];
static char address[100];

static void make_folder_and_address(const char *name)
{
    (void)snprintf(folder, sizeof(folder), "%s", "/tmp/oomcast-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(address, sizeof(address), "%s/%s", folder, name);
}

static void remove_folder(void)
{
    (void)unlink(address);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* ---- the journal ---- */

static int listen_as_journal(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    struct timeval timeout = { .tv_sec = DEADLINE_MS / 1000 };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", address);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    return fd;
}

/* As systemd sets it, of our own standard error; off: of another stream. */
static void set_stream(unsigned off)
{
    struct stat info;
    char text[64];

    ck_assert_int_eq(fstat(STDERR_FILENO, &info), 0);
    (void)snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)info.st_dev,
                   (unsigned long long)info.st_ino + off);
    ck_assert_int_eq(set_variable("JOURNAL_STREAM", text), 0);
}

static const char multiline[] = "two\nlines";

static void send_event(void)
{
    const struct oc_field fields[] = { oc_i64("pid", -12), oc_u64("bytes", 7),
                                       oc_str("why", multiline), oc_field_end() };
    const struct oc_log_event event = { OC_LOG_WARN, "made_up", fields, 0 };

    oc_syslog_sink(&event, NULL);
}

START_TEST(events_go_to_the_journal_with_their_fields)
{
    static const char why[] = "OOMCAST_WHY\n\x09\0\0\0\0\0\0\0two\nlines\n";
    char text[4096];
    ssize_t len = 0;
    int fd = -1;

    make_folder_and_address("journal");
    fd = listen_as_journal();
    set_stream(0);
    ck_assert_int_eq(oc_syslog_open(address), OC_OK);
    send_event();
    len = recv(fd, text, sizeof(text) - 1, 0);
    ck_assert_int_gt(len, 0);
    text[len] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "MESSAGE=warn made_up pid=-12 bytes=7"));
    ck_assert_ptr_nonnull(strstr(text, "\nPRIORITY=4\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nSYSLOG_IDENTIFIER=oomcastd\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nOOMCAST_EVENT=made_up\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nOOMCAST_PID=-12\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nOOMCAST_BYTES=7\n"));
    ck_assert_ptr_nonnull(memmem(text, (size_t)len, why, sizeof(why) - 1));
    (void)close(fd);
    send_event(); /* nobody takes it any more: no matter */
    remove_folder();
}
END_TEST

START_TEST(a_stream_that_is_not_ours_or_a_journal_that_is_not_there_is_no_journal)
{
    make_folder_and_address("journal");
    ck_assert_int_eq(set_variable("JOURNAL_STREAM", NULL), 0);
    ck_assert_int_eq(oc_syslog_open(address), OC_E_NOTSUP);
    set_stream(1); /* inherited from another program */
    ck_assert_int_eq(oc_syslog_open(address), OC_E_NOTSUP);
    ck_assert_int_eq(set_variable("JOURNAL_STREAM", "x"), 0);
    ck_assert_int_eq(oc_syslog_open(address), OC_E_NOTSUP);
    set_stream(0);
    ck_assert_int_eq(oc_syslog_open(address), OC_E_NOENT);
    ck_assert_int_eq(set_variable("JOURNAL_STREAM", NULL), 0);
    remove_folder();
}
END_TEST

/* ---- slow clients ---- */

static struct oc_daemon daemon_;
static struct oc_daemon *const d = &daemon_;

static void setup_control(void)
{
    struct oc_detail detail = { 0 };

    memset(d, 0, sizeof(*d));
    make_folder_and_address("oomcastd.sock");
    (void)snprintf(d->data_dir, sizeof(d->data_dir), "%s", folder);
    ck_assert_int_eq(uv_loop_init(&d->loop), 0);
    ck_assert_msg(oc_control_open(d, TIMEOUT_MS, &d->control, &detail) == OC_OK, "%s", detail.text);
}

static void teardown_control(void)
{
    oc_control_close(d->control);
    while (uv_run(&d->loop, UV_RUN_DEFAULT) != 0)
        ;
    ck_assert_int_eq(uv_loop_close(&d->loop), 0);
    remove_folder();
}

static int connect_client(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_ge(fd, 0);
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", address);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

/* Runs the loop until the client hangs up its end, or until_ms. Returns whether it did. */
static int is_dropped(int fd, int64_t until_ms)
{
    struct pollfd ready = { .fd = fd };

    while (oc_now_mono_ms() < until_ms) {
        (void)uv_run(&d->loop, UV_RUN_NOWAIT);
        ck_assert_int_ge(poll(&ready, 1, 5), 0);
        if (ready.revents & POLLHUP)
            return 1;
    }
    return 0;
}

START_TEST(a_client_that_says_nothing_is_dropped)
{
    int64_t begin_ms = oc_now_mono_ms();
    int fd = connect_client();

    ck_assert_int_eq(is_dropped(fd, begin_ms + DEADLINE_MS), 1);
    ck_assert_int_ge(oc_now_mono_ms() - begin_ms, TIMEOUT_MS - 20);
    (void)close(fd);
}
END_TEST

START_TEST(a_client_that_takes_no_answer_is_dropped)
{
    int fd = connect_client();
    int64_t begin_ms = oc_now_mono_ms();
    ssize_t sent = 0;

    while (sent >= 0 &&
           oc_now_mono_ms() < begin_ms + DEADLINE_MS) { /* until its answers find no room */
        (void)uv_run(&d->loop, UV_RUN_NOWAIT);
        sent = send(fd, "x\nx\nx\nx\nx\nx\nx\nx\n", 16, MSG_NOSIGNAL);
    }
    ck_assert_int_lt(sent, 0);
    ck_assert_int_eq(is_dropped(fd, begin_ms + 2 * DEADLINE_MS), 1);
    (void)close(fd);
}
END_TEST

START_TEST(a_client_that_goes_on_asking_stays)
{
    static const char line[] = "{\"cmd\":\"fly\"}\n";
    int fd = connect_client();

    for (int i = 0; i < 6; i++) {
        char answer[1000];

        ck_assert_int_eq(send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL), sizeof(line) - 1);
        ck_assert_int_eq(is_dropped(fd, oc_now_mono_ms() + TIMEOUT_MS / 2), 0);
        ck_assert_int_gt(recv(fd, answer, sizeof(answer), 0), 0);
    }
    (void)close(fd);
}
END_TEST

Suite *outlet_suite(void)
{
    Suite *suite = suite_create("outlets");
    TCase *journal = tcase_create("journal");
    TCase *control = tcase_create("control");

    tcase_add_test(journal, events_go_to_the_journal_with_their_fields);
    tcase_add_test(journal, a_stream_that_is_not_ours_or_a_journal_that_is_not_there_is_no_journal);
    suite_add_tcase(suite, journal);
    tcase_set_timeout(control, 60);
    tcase_add_checked_fixture(control, setup_control, teardown_control);
    tcase_add_test(control, a_client_that_says_nothing_is_dropped);
    tcase_add_test(control, a_client_that_takes_no_answer_is_dropped);
    tcase_add_test(control, a_client_that_goes_on_asking_stays);
    suite_add_tcase(suite, control);
    return suite;
}
