/*
 * The real daemon and a disk that runs full: sampling goes on in bounded memory, the daemon says
 * so, and goes on writing by itself once there is room.
 */
#include "storage/reader.h"
#include "tests/integration/daemon_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 2000
#define EXIT_SKIPPED 77 /* meson's word for it */
#define DISK "size=2m,mode=0700"

static struct daemon_run run;
static struct leakers leakers;
static char filler[200];
static int mounted;

static void setup(void)
{
    run_setup(&run);
    ck_assert_int_eq(mount("tmpfs", run.dir, "tmpfs", 0, DISK), 0);
    mounted = 1;
    (void)snprintf(filler, sizeof(filler), "%s/filler", run.dir);
    ck_assert_int_eq(leakers_start(&leakers, getenv("OC_LEAKER"), 6, run.pids), 0);
}

static void teardown(void)
{
    leakers_stop(&leakers);
    stop(run.pid, SIGKILL);
    run.pid = 0;
    if (mounted)
        (void)umount2(run.dir, MNT_DETACH);
    mounted = 0;
    run_teardown(&run);
}

static void fill_disk(void)
{
    static const char block[4096];
    int fd = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    while (write(fd, block, sizeof(block)) == sizeof(block))
        ;
    (void)close(fd);
}

static void start_daemon(void)
{
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "100ms", NULL });
    run_wait_number(&run, "samples", 20);
}

static int count_findings(void)
{
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    char path[200];
    int findings = 0;

    (void)snprintf(path, sizeof(path), "%s/oomcast.db", run.dir);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == OC_OK, "%s", detail.text);
    findings = oc_reader_check(reader, NULL, NULL, NULL);
    oc_reader_close(reader);
    return findings;
}

START_TEST(a_full_disk_is_said_and_survived)
{
    int64_t made = 0;

    start_daemon();
    fill_disk();
    run_wait_text(&run, "\"state\":\"failing\"");
    ck_assert_ptr_nonnull(strstr(run.answer, "\"error\":\"no_space\""));
    made = run_number(&run, "made");
    run_wait_number(&run, "made", made + 20); /* sampling goes on */
    ck_assert_int_eq(unlink(filler), 0);
    run_wait_text(&run, "\"state\":\"ok\"");
    ck_assert_int_eq(run_number(&run, "lost_samples"), 0); /* memory sufficed */
    ck_assert_int_eq(run_number(&run, "failures"), 1);
    run_stop(&run, STOP_MS);
    ck_assert_int_eq(count_findings(), 0);
}
END_TEST

START_TEST(a_stop_while_the_disk_is_full_is_quick_and_leaves_a_sound_store)
{
    int status = -1;

    start_daemon();
    fill_disk();
    run_wait_text(&run, "\"state\":\"failing\"");
    ck_assert_int_eq(kill(run.pid, SIGTERM), 0);
    ck_assert_int_eq(wait_end(run.pid, now_ms() + STOP_MS, &status), 0);
    run.pid = 0;
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(unlink(filler), 0);
    start_daemon();
    run_stop(&run, STOP_MS);
    ck_assert_int_eq(count_findings(), 0);
}
END_TEST

START_TEST(a_disk_that_is_full_at_start_is_a_clear_error)
{
    static char log_text[4096];

    fill_disk();
    ck_assert_int_eq(run_to_end(&run, (const char *[]){ "--pids-from", run.pids, NULL }, log_text,
                                sizeof(log_text)),
                     1);
    ck_assert_msg(strstr(log_text, "no_space") != NULL, "%s", log_text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon_disk");
    TCase *tcase = tcase_create("disk");
    SRunner *runner = NULL;
    int failed = 0;
    char probe[] = "/tmp/oomcast-mount-XXXXXX";

    if (!mkdtemp(probe) || mount("tmpfs", probe, "tmpfs", 0, DISK) != 0) {
        (void)rmdir(probe);
        printf("SKIP a small disk of its own needs the right to mount a tmpfs\n");
        return EXIT_SKIPPED;
    }
    (void)umount(probe);
    (void)rmdir(probe);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_full_disk_is_said_and_survived);
    tcase_add_test(tcase, a_stop_while_the_disk_is_full_is_quick_and_leaves_a_sound_store);
    tcase_add_test(tcase, a_disk_that_is_full_at_start_is_a_clear_error);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
