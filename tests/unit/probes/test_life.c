/* How lives begin, change and end. */
#include "suites.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static oc_probe *open_with(int no_connector)
{
    const struct oc_probe_options options = { .no_connector = no_connector };
    oc_probe *probe = NULL;

    ck_assert_int_eq(oc_probe_open(&options, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    return probe;
}

static oc_proc *attach(oc_probe *probe, pid_t pid, uint64_t tag)
{
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)pid, &proc), OC_OK);
    oc_proc_set_tag(proc, tag);
    return proc;
}

START_TEST(an_exit_is_told_with_its_status)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with(_i);
    struct oc_event event;

    (void)attach(probe, fixture.pid, 42);
    ck_assert_int_eq(WEXITSTATUS(fixture_end(&fixture)), 7); /* reaped before we look */
    event = await_event(probe, OC_EVENT_PROC_END, 42);
    ck_assert_uint_eq(event.pid, (uint32_t)fixture.pid);
    if (event.end != OC_END_UNKNOWN || !_i) { /* an old kernel, and no connector: unknown */
        ck_assert_int_eq(event.end, OC_END_EXITED);
        ck_assert_int_eq(event.status, 7);
    }
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_zombie_tells_its_status_before_it_is_reaped)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with(1);
    struct oc_event event;

    (void)attach(probe, fixture.pid, 42);
    ck_assert_int_eq(kill(fixture.pid, SIGKILL), 0);
    event = await_event(probe, OC_EVENT_PROC_END, 42);
    ck_assert_int_eq(event.end, OC_END_SIGNALED);
    ck_assert_int_eq(event.status, SIGKILL);
    fixture_reap(&fixture);
    oc_probe_close(probe);
}
END_TEST

START_TEST(an_end_is_told_once)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with(_i);
    oc_proc *proc = attach(probe, fixture.pid, 42);
    struct oc_sample sample;
    struct oc_event event;

    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    (void)fixture_end(&fixture);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    (void)await_event(probe, OC_EVENT_PROC_END, 42);
    while (oc_probe_next_event(probe, &event) == 1)
        ck_assert(event.kind != OC_EVENT_PROC_END);
    oc_probe_close(probe);
}
END_TEST

START_TEST(what_was_detached_is_told_of_no_more)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with(_i);
    oc_proc *proc = attach(probe, fixture.pid, 42);
    struct oc_sample sample;
    struct oc_event event;

    (void)fixture_end(&fixture);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    oc_probe_detach(probe, proc);
    while (oc_probe_next_event(probe, &event) == 1)
        ck_assert_uint_ne(event.tag, 42);
    oc_probe_close(probe);
}
END_TEST

START_TEST(an_exec_in_place_is_told_and_counted)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with(_i);
    oc_proc *proc = attach(probe, fixture.pid, 42);
    uint64_t start = oc_proc_facts(proc)->id.start_ticks;
    struct oc_sample sample;

    ck_assert_str_eq(oc_proc_facts(proc)->name, "proc_fixture");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    fixture_tell(&fixture, "grow\n");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    fixture_tell(&fixture, "exec\n");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    (void)await_event(probe, OC_EVENT_PROC_EXEC, 42);
    ck_assert_uint_eq(oc_proc_facts(proc)->id.exec_count, 1);
    ck_assert_uint_eq(oc_proc_facts(proc)->id.start_ticks, start);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(running_on_is_no_exec)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with(1);
    oc_proc *proc = attach(probe, fixture.pid, 42);
    struct oc_sample sample;
    struct oc_event event;

    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
        fixture_tell(&fixture, "grow\n");
    }
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    ck_assert_uint_eq(oc_proc_facts(proc)->id.exec_count, 0);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(nobody_can_be_attached_who_is_not_there)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with(1);
    oc_proc *proc = NULL;

    (void)fixture_end(&fixture);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_E_GONE);
    ck_assert_int_eq(oc_probe_attach(probe, 0x7fffffff, &proc), OC_E_GONE);
    ck_assert_ptr_null(proc);
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_reused_pid_is_not_the_same_process)
{
    struct tree tree = tree_new();
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    struct oc_sample sample;
    int rc = OC_OK;

    tree_process(&tree, 70, "first", 1000);
    probe = open_tree(tree.dir, OC_LOOK_LADDER);
    ck_assert_int_eq(oc_probe_attach(probe, 70, &proc), OC_OK);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    tree_remove(&tree, "proc/70");
    tree_process(&tree, 70, "second", 2000);
    for (int i = 0; i < 10 && rc != OC_E_GONE; i++)
        rc = oc_probe_read(probe, proc, &sample);
    ck_assert_int_eq(rc, OC_E_GONE);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

START_TEST(an_odd_name_is_kept_whole)
{
    struct fixture fixture = fixture_start("odd-name");
    oc_probe *probe = open_with(1);
    oc_proc *proc = attach(probe, fixture.pid, 1);

    ck_assert_str_eq(oc_proc_facts(proc)->name, "a) Z 1 (\n\x1b[\xef\xbf\xbd");
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

/* Sees a birth where the connector may be had; else it is said. */
START_TEST(a_birth_is_told_by_the_connector)
{
    oc_probe *probe = open_with(0);
    struct fixture fixture = fixture_start("wait");
    struct oc_event event;
    int starts = 0, others = 0;

    while (oc_probe_next_event(probe, &event) == 1) {
        starts += event.kind == OC_EVENT_PROC_START && event.pid == (uint32_t)fixture.pid;
        others++;
    }
    if (others > 0 || getuid() == 0)
        ck_assert_int_ge(starts + (others == 0), 1);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

/* Nobody takes the events meanwhile: the kernel drops some, and says so. */
START_TEST(lost_events_ask_for_a_scan)
{
    oc_probe *probe = open_with(0);
    char *const args[] = { (char[]){ "true" }, NULL };
    struct oc_event event;
    int rescans = 0, events = 0;

    for (int i = 0; i < 400; i++) {
        pid_t pid = 0;

        ck_assert_int_eq(posix_spawnp(&pid, "true", NULL, NULL, args, environ), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    }
    while (oc_probe_next_event(probe, &event) == 1) {
        rescans += event.kind == OC_EVENT_RESCAN;
        events++;
    }
    if (events == 0)
        printf("SKIP lost_events_ask_for_a_scan: no proc connector here\n");
    else
        ck_assert_int_ge(rescans, 1);
    oc_probe_close(probe);
}
END_TEST

Suite *life_suite(void)
{
    Suite *suite = suite_create("life");
    TCase *tcase = tcase_create("life");

    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, an_exit_is_told_with_its_status, 0, 2);
    tcase_add_test(tcase, a_zombie_tells_its_status_before_it_is_reaped);
    tcase_add_loop_test(tcase, an_end_is_told_once, 0, 2);
    tcase_add_loop_test(tcase, what_was_detached_is_told_of_no_more, 0, 2);
    tcase_add_loop_test(tcase, an_exec_in_place_is_told_and_counted, 0, 2);
    tcase_add_test(tcase, running_on_is_no_exec);
    tcase_add_test(tcase, nobody_can_be_attached_who_is_not_there);
    tcase_add_test(tcase, a_reused_pid_is_not_the_same_process);
    tcase_add_test(tcase, an_odd_name_is_kept_whole);
    tcase_add_test(tcase, lost_events_ask_for_a_scan);
    tcase_add_test(tcase, a_birth_is_told_by_the_connector);
    suite_add_tcase(suite, tcase);
    return suite;
}
