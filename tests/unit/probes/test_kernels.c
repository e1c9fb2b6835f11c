/* Kernels that are not at hand: the system calls are answered here. */
#include "suites.h"

#include "base/alloc.h"
#include "base/os.h"
#include "probes/fake/fake.h"
#include "probes/linux/lx.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- made-up answers ---- */

static int64_t clock_ns;
static int kernel_end_fd = -1; /* of the connector's socket */

static int made_clock(uint32_t pid, int64_t *out_ns)
{
    (void)pid;
    *out_ns = clock_ns;
    return OC_OK;
}

static int real_clock(uint32_t pid, int64_t *out_ns)
{
    return oc_lx_kernel.cpu_clock_ns(pid, out_ns);
}

static int no_pidfd(uint32_t pid)
{
    (void)pid;
    return OC_E_NOTSUP;
}

static int real_pidfd(uint32_t pid) { return oc_lx_kernel.pidfd_open(pid); }

static int no_exit_code(int pidfd)
{
    (void)pidfd;
    return -1;
}

static int no_connector(void) { return OC_E_DENIED; }

static int made_connector(void)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    kernel_end_fd = fds[1];
    return fds[0];
}

/* As the kernel sends it: netlink header, connector message, event. */
static void send_event_of(uint64_t mono_ns, uint32_t what, uint32_t a, uint32_t b, uint32_t c,
                          uint32_t d)
{
    uint32_t words[17] = { sizeof words, 0, 0, 0, 1, 1, 0, 0, sizeof words - 36 };

    words[9] = what;
    memcpy(&words[11], &mono_ns, sizeof mono_ns);
    words[13] = a;
    words[14] = b;
    words[15] = c;
    words[16] = d;
    ck_assert_int_eq(send(kernel_end_fd, words, sizeof words, 0), (ssize_t)sizeof words);
}

static void send_event(uint32_t what, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    send_event_of(0, what, a, b, c, d);
}

static oc_probe *open_with(const char *proc_root, const struct oc_lx_sys *sys)
{
    const struct oc_probe_options options = { .proc_root = proc_root };
    oc_probe *probe = NULL;

    ck_assert_int_eq(oc_lx_open_with(&options, sys, &probe, NULL), OC_OK);
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

static void close_kernel_end(void)
{
    close(kernel_end_fd);
    kernel_end_fd = -1;
}

/* ---- the gate ---- */

START_TEST(the_gate_asks_the_clock_and_nothing_else)
{
    static const struct oc_lx_sys sys = { made_clock, no_pidfd, no_exit_code, no_connector };
    struct tree tree = tree_new();
    char root[160];
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    struct oc_sample sample;
    int idle = 0;

    clock_ns = 5000000;
    tree_process(&tree, 70, "x", 1000);
    (void)snprintf(root, sizeof root, "%s/proc", tree.dir);
    probe = open_with(root, &sys);
    proc = attach(probe, 70, 1);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CPU_TIME, 5);
    tree_write(&tree, "proc/70/statm", "1000 600 100 10 0 300 0\n");
    while (oc_probe_read(probe, proc, &sample) == OC_READ_SAME)
        ck_assert_int_lt(++idle, 60); /* looked at anyway before long */
    ck_assert_int_gt(idle, 5);
    ck_known(&sample, OC_METRIC_RSS, 600 * 4096);
    clock_ns += 100; /* it ran, and nothing shows */
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_READ_SAME);
    clock_ns += 1000000;
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CPU_TIME, 6);
    clock_ns = 1000000; /* a clock that went back is another process's */
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

/* ---- ends ---- */

START_TEST(without_pidfd_a_look_finds_the_end)
{
    static const struct oc_lx_sys sys = { real_clock, no_pidfd, no_exit_code, no_connector };
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with("/proc", &sys);
    oc_proc *proc = attach(probe, fixture.pid, 42);
    struct oc_sample sample;
    struct oc_event event;

    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    (void)fixture_end(&fixture);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    event = await_event(probe, OC_EVENT_PROC_END, 42);
    ck_assert_int_eq(event.end, OC_END_UNKNOWN); /* reaped, and nobody could say */
    ck_assert_int_eq(event.status, -1);
    oc_probe_close(probe);
}
END_TEST

START_TEST(an_old_pidfd_and_the_connector_tell_the_status_together)
{
    static const struct oc_lx_sys sys = { real_clock, real_pidfd, no_exit_code, made_connector };
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with("/proc", &sys);
    struct oc_event event;
    uint32_t pid = (uint32_t)fixture.pid;

    (void)attach(probe, fixture.pid, 42);
    send_event(0x80000000u, pid, pid, 7 << 8, 17);
    (void)fixture_end(&fixture);
    event = await_event(probe, OC_EVENT_PROC_END, 42);
    ck_assert_int_eq(event.end, OC_END_EXITED);
    ck_assert_int_eq(event.status, 7);
    oc_probe_close(probe);
    close_kernel_end();
}
END_TEST

START_TEST(the_connector_alone_tells_the_end_at_once)
{
    static const struct oc_lx_sys sys = { real_clock, no_pidfd, no_exit_code, made_connector };
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_with("/proc", &sys);
    struct oc_event event;
    uint32_t pid = (uint32_t)fixture.pid;

    (void)attach(probe, fixture.pid, 42);
    (void)fixture_end(&fixture);
    send_event(0x80000000u, pid + 1, pid, 0, 17); /* a thread's end is not the process's */
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    send_event(0x80000000u, pid, pid, 9, 17);
    event = await_event(probe, OC_EVENT_PROC_END, 42);
    ck_assert_int_eq(event.end, OC_END_SIGNALED);
    ck_assert_int_eq(event.status, 9);
    oc_probe_close(probe);
    close_kernel_end();
}
END_TEST

START_TEST(the_connector_tells_of_births_and_execs)
{
    static const struct oc_lx_sys sys = { real_clock, no_pidfd, no_exit_code, made_connector };
    oc_probe *probe = open_with("/proc", &sys);
    oc_proc *proc = attach(probe, getpid(), 42);
    uint32_t pid = (uint32_t)getpid();
    struct oc_event event;

    send_event(1, pid, pid, 70000, 70000);
    event = await_event(probe, OC_EVENT_PROC_START, 0);
    ck_assert_uint_eq(event.pid, 70000);
    send_event(1, pid, pid, 70001, pid); /* a thread */
    send_event(2, pid, pid, 0, 0);
    event = await_event(probe, OC_EVENT_PROC_EXEC, 42);
    ck_assert_uint_eq(event.pid, pid);
    ck_assert_uint_eq(oc_proc_facts(proc)->id.exec_count, 1);
    send_event(2, 70000, 70000, 0, 0);
    event = await_event(probe, OC_EVENT_PROC_START, 0);
    ck_assert_uint_eq(event.pid, 70000);
    oc_probe_close(probe);
    close_kernel_end();
}
END_TEST

/* The connector tells late: what was before our first look is no change of the program that it saw. */
START_TEST(an_exec_before_the_first_look_is_none)
{
    static const struct oc_lx_sys sys = { real_clock, no_pidfd, no_exit_code, made_connector };
    uint64_t before_ns = (uint64_t)oc_clock_mono_ns();
    oc_probe *probe = open_with("/proc", &sys);
    oc_proc *proc = attach(probe, getpid(), 42);
    uint32_t pid = (uint32_t)getpid();
    struct oc_event event;

    send_event_of(before_ns, 2, pid, pid, 0, 0);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    ck_assert_uint_eq(oc_proc_facts(proc)->id.exec_count, 0);
    send_event_of((uint64_t)oc_clock_mono_ns(), 2, pid, pid, 0, 0);
    (void)await_event(probe, OC_EVENT_PROC_EXEC, 42);
    ck_assert_uint_eq(oc_proc_facts(proc)->id.exec_count, 1);
    oc_probe_close(probe);
    close_kernel_end();
}
END_TEST

/* ---- the contract: what every probe promises ---- */

static oc_probe *open_fake(struct tree *tree)
{
    const struct oc_proc_facts facts = { .id = { 70, 0, 1000 }, .name = "x" };
    oc_probe *probe = NULL;
    struct oc_event event;

    (void)tree;
    ck_assert_int_eq(oc_fake_open(&probe), OC_OK);
    ck_assert_int_eq(oc_fake_start(probe, &facts), OC_OK);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    oc_fake_set(probe, 70, OC_METRIC_RSS, 500 * 4096);
    return probe;
}

static oc_probe *open_linux(struct tree *tree)
{
    tree_process(tree, 70, "x", 1000);
    return open_tree(tree->dir, OC_LOOK_LADDER);
}

static const struct {
    oc_probe *(*open)(struct tree *tree);
} probes[] = { { open_fake }, { open_linux } };

static void note_one(const struct oc_seen *seen, void *context)
{
    ck_assert_uint_eq(seen->pid, 70);
    ck_assert_uint_eq(seen->start_ticks, 1000);
    ck_assert_str_eq(seen->name, "x");
    ++*(int *)context;
}

START_TEST(every_probe_keeps_the_contract)
{
    struct tree tree = tree_new();
    int64_t live = oc_alloc_live();
    oc_probe *probe = probes[_i].open(&tree);
    oc_proc *proc = NULL;
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;
    struct oc_event event;
    int seen = 0;

    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    ck_assert_int_eq(oc_probe_scan(probe, note_one, &seen), 1);
    ck_assert_int_eq(seen, 1);
    ck_assert_int_eq(oc_probe_attach(probe, 71, &proc), OC_E_GONE);
    ck_assert_ptr_null(proc);
    ck_assert_int_eq(oc_probe_attach(probe, 70, &proc), OC_OK);
    oc_proc_set_tag(proc, UINT64_MAX);
    ck_assert_uint_eq(oc_proc_tag(proc), UINT64_MAX);
    ck_assert_uint_eq(oc_proc_facts(proc)->id.start_ticks, 1000);
    ck_assert_str_eq(oc_proc_facts(proc)->name, "x");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_uint_eq(sample.block, OC_BLOCK_PROCESS);
    ck_known(&sample, OC_METRIC_RSS, 500 * 4096);
    ck_unknown(&sample, OC_METRIC_PSS);
    ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    ck_assert_uint_eq(sample.block, OC_BLOCK_HOST);
    ck_assert_int_lt(oc_probe_cgroup_attach(probe, "/nonexistent", &cgroup), 0);
    ck_assert_ptr_null(cgroup);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    oc_probe_detach(probe, proc);
    oc_probe_detach(probe, NULL);
    oc_probe_cgroup_detach(probe, NULL);
    oc_probe_close(probe);
    oc_probe_close(NULL);
    ck_assert_int_eq(oc_alloc_live(), live);
    tree_free(&tree);
}
END_TEST

Suite *kernels_suite(void)
{
    Suite *suite = suite_create("kernels");
    TCase *tcase = tcase_create("kernels");

    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_gate_asks_the_clock_and_nothing_else);
    tcase_add_test(tcase, without_pidfd_a_look_finds_the_end);
    tcase_add_test(tcase, an_old_pidfd_and_the_connector_tell_the_status_together);
    tcase_add_test(tcase, the_connector_alone_tells_the_end_at_once);
    tcase_add_test(tcase, the_connector_tells_of_births_and_execs);
    tcase_add_test(tcase, an_exec_before_the_first_look_is_none);
    tcase_add_loop_test(tcase, every_probe_keeps_the_contract, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
