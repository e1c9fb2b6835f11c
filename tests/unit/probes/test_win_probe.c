/* The probe of Windows over a made one: figures, discovery, ends, and the rules of what is opened. */
#include "win_tick.h"

#include "base/alloc.h"
#include "base/os.h"
#include "probes/windows/contract.h"

#include <stdio.h>
#include <string.h>

#define MIB INT64_C(1048576)
#define SECOND_NS INT64_C(1000000000)

static oc_fake_win *fake;
static oc_probe *probe;

static void keep(struct oc_win *win) { (void)win; } /* the fixture closes the fake */

static void open_with(const struct oc_probe_options *options)
{
    ck_assert_int_eq(oc_win_probe_open(oc_fake_win_table(fake), keep, options, &probe), OC_OK);
}

static void setup(void)
{
    ck_assert_int_eq(oc_fake_win_open(&fake), OC_OK);
    oc_fake_win_open_log(fake);
    open_with(&(struct oc_probe_options){ 0 });
    ck_assert_int_eq(oc_probe_tick_begin(probe, SECOND_NS), OC_OK);
}

static void teardown(void)
{
    oc_probe_close(probe);
    ck_assert_uint_eq(oc_fake_win_handles(fake), 0);
    ck_assert_uint_eq(oc_fake_win_waits(fake), 0);
    ck_assert_uint_eq(oc_fake_win_faults(fake), 0);
    ck_assert_uint_eq(oc_fake_win_table(fake)->counts.reads_opened, 0); /* a tick reads no memory */
    oc_fake_win_close(fake);
}

static uint64_t calls(enum oc_win_call call) { return oc_fake_win_table(fake)->counts.calls[call]; }

static struct oc_fake_win_process *start(uint32_t pid, const char *name, int64_t private_mib)
{
    struct oc_fake_win_process *process = oc_fake_win_start(fake, pid, name);

    ck_assert_ptr_nonnull(process);
    process->memory.private_usage = (uint64_t)(private_mib * MIB);
    process->memory.pagefile_usage = (uint64_t)(private_mib * MIB);
    process->memory.working_set = (uint64_t)((private_mib + 10) * MIB);
    process->memory.peak_working_set = (uint64_t)((private_mib + 20) * MIB);
    process->memory.virtual_size = (uint64_t)(4 * private_mib * MIB);
    process->times.cpu_ns = 5000000;
    process->handles = 300;
    process->thread_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        process->tids[i] = pid + 1000 + i;
    return process;
}

static oc_proc *attach(uint32_t pid, uint64_t tag)
{
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, pid, &proc), OC_OK);
    oc_proc_set_tag(proc, tag);
    return proc;
}

static void tick(int second) { (void)oc_probe_tick_begin(probe, second * SECOND_NS); }

static void ck_figure(const struct oc_sample *sample, enum oc_metric metric, int64_t value)
{
    ck_assert(oc_sample_has(sample, metric));
    ck_assert_int_eq(oc_sample_get(sample, metric), value);
}

/* ---- figures ---- */

START_TEST(figures_are_those_of_the_process)
{
    struct oc_sample sample;
    oc_proc *proc = NULL;

    (void)start(100, "w3wp.exe", 500);
    proc = attach(100, 1);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_uint_eq(sample.block, OC_BLOCK_PROCESS);
    ck_figure(&sample, OC_METRIC_PRIVATE, 500 * MIB);
    ck_figure(&sample, OC_METRIC_COMMIT, 500 * MIB);
    ck_figure(&sample, OC_METRIC_RSS, 510 * MIB);
    ck_figure(&sample, OC_METRIC_RSS_PEAK, 520 * MIB);
    ck_figure(&sample, OC_METRIC_VIRTUAL, 2000 * MIB);
    ck_figure(&sample, OC_METRIC_CPU_TIME, 5);
    ck_figure(&sample, OC_METRIC_FDS, 300);
    ck_figure(&sample, OC_METRIC_THREADS, 3);
    ck_assert_str_eq(oc_proc_facts(proc)->name, "w3wp.exe");
    ck_assert_uint_eq(oc_proc_facts(proc)->id.pid, 100);
}
END_TEST

START_TEST(private_bytes_are_the_larger_of_two_that_may_be_left_out)
{
    struct oc_fake_win_process *process = start(100, "w3wp.exe", 500);
    struct oc_sample sample;
    oc_proc *proc = attach(100, 1);

    process->memory.private_usage = 0; /* as on Wine */
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_figure(&sample, OC_METRIC_PRIVATE, 500 * MIB);
    process->memory.private_usage = (uint64_t)(700 * MIB);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_figure(&sample, OC_METRIC_PRIVATE, 700 * MIB);
}
END_TEST

START_TEST(virtual_size_of_wine_is_not_believed)
{
    struct oc_sample sample;

    oc_fake_win_table(fake)->is_wine = 1;
    (void)start(100, "w3wp.exe", 500);
    ck_assert_int_eq(oc_probe_read(probe, attach(100, 1), &sample), OC_OK);
    ck_assert(!oc_sample_has(&sample, OC_METRIC_VIRTUAL));
}
END_TEST

START_TEST(what_did_not_move_stands)
{
    struct oc_fake_win_process *process = start(100, "w3wp.exe", 500);
    struct oc_sample sample;
    oc_proc *proc = attach(100, 1);

    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    tick(2);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_READ_SAME);
    process->memory.private_usage +=
        4096; /* with no CPU time charged: it ran for less than a tick of the clock */
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_figure(&sample, OC_METRIC_PRIVATE, 500 * MIB + 4096);
}
END_TEST

START_TEST(what_never_moves_is_looked_at_now_and_then)
{
    struct oc_sample sample;
    oc_proc *proc = NULL;
    int whole = 0;

    (void)start(100, "w3wp.exe", 500);
    proc = attach(100, 1);
    for (int second = 1; second <= 200; second++) {
        tick(second);
        whole += oc_probe_read(probe, proc, &sample) == OC_OK;
    }
    ck_assert_int_ge(whole, 3);
    ck_assert_int_le(whole, 6);
}
END_TEST

/* ---- what it costs ---- */

START_TEST(a_steady_tick_opens_nothing_and_asks_little)
{
    struct oc_fake_win_process *processes[50];
    oc_proc *procs[50];
    struct oc_sample sample;
    uint64_t opened = 0, asked = 0, listed = 0, allocated = 0;

    for (uint32_t i = 0; i < 50; i++) {
        processes[i] = start(100 + 4 * i, "w3wp.exe", 100);
        procs[i] = attach(100 + 4 * i, i);
        (void)oc_probe_read(probe, procs[i], &sample);
    }
    opened = calls(OC_WIN_CALL_OPEN);
    listed = calls(OC_WIN_CALL_LIST);
    asked = calls(OC_WIN_CALL_MEMORY) + calls(OC_WIN_CALL_TIMES) + calls(OC_WIN_CALL_HANDLES);
    allocated = oc_alloc_count();
    for (int second = 2; second < 32; second++) {
        tick(second);
        for (int i = 0; i < 50; i++) {
            processes[i]->memory.private_usage += 4096;
            ck_assert_int_eq(oc_probe_read(probe, procs[i], &sample), OC_OK);
        }
    }
    ck_assert_uint_eq(calls(OC_WIN_CALL_OPEN), opened);
    ck_assert_uint_eq(calls(OC_WIN_CALL_LIST), listed);
    ck_assert_uint_eq(calls(OC_WIN_CALL_MEMORY) + calls(OC_WIN_CALL_TIMES) +
                          calls(OC_WIN_CALL_HANDLES) - asked,
                      30u * 50 * 3);
    ck_assert_uint_eq(oc_alloc_count(), allocated);
}
END_TEST

START_TEST(beyond_64_one_list_has_all_figures)
{
    struct oc_fake_win_process *last = NULL;
    oc_proc *procs[100];
    struct oc_sample sample;
    uint64_t opened = 0, asked = 0, listed = 0, allocated = 0;

    for (uint32_t i = 0; i < 100; i++)
        last = start(100 + 4 * i, "w3wp.exe", 100 + i);
    for (uint32_t i = 0; i < 100; i++)
        procs[i] = attach(100 + 4 * i, i);
    tick(2);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(oc_probe_read(probe, procs[i], &sample), OC_OK);
    opened = calls(OC_WIN_CALL_OPEN);
    listed = calls(OC_WIN_CALL_LIST);
    asked = calls(OC_WIN_CALL_MEMORY);
    allocated = oc_alloc_count();
    for (int second = 3; second < 13; second++) {
        tick(second);
        last->memory.private_usage += 4096;
        last->memory.virtual_size += 65536;
        for (int i = 0; i < 99; i++)
            ck_assert_int_ge(oc_probe_read(probe, procs[i], &sample), 0);
        ck_assert_int_eq(oc_probe_read(probe, procs[99], &sample), OC_OK);
    }
    ck_figure(&sample, OC_METRIC_PRIVATE, 199 * MIB + 10 * 4096);
    ck_figure(&sample, OC_METRIC_THREADS, 3);
    ck_figure(&sample, OC_METRIC_FDS, 300);
    ck_assert_uint_eq(calls(OC_WIN_CALL_OPEN), opened);
    ck_assert_uint_eq(calls(OC_WIN_CALL_MEMORY), asked);
    ck_assert_uint_eq(calls(OC_WIN_CALL_LIST) - listed, 10);
    ck_assert_uint_eq(oc_alloc_count(), allocated);
}
END_TEST

START_TEST(one_that_cannot_be_opened_has_the_figures_of_the_list)
{
    struct oc_sample sample;
    oc_proc *proc = NULL;

    start(100, "w3wp.exe", 500)->open_code = OC_E_DENIED;
    proc = attach(100, 1);
    ck_assert_uint_eq(oc_probe_unkept(probe), 1);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_figure(&sample, OC_METRIC_PRIVATE, 500 * MIB);
}
END_TEST

START_TEST(handles_are_kept_up_to_their_number)
{
    oc_probe_close(probe);
    open_with(&(struct oc_probe_options){ .max_descriptors = 2 });
    for (uint32_t i = 0; i < 5; i++) {
        (void)start(100 + 4 * i, "w3wp.exe", 100);
        (void)attach(100 + 4 * i, i);
    }
    ck_assert_uint_eq(oc_fake_win_handles(fake), 2);
    ck_assert_uint_eq(oc_probe_unkept(probe), 3);
}
END_TEST

/* ---- discovery ---- */

struct seen {
    uint32_t pid;
    int times;
    struct oc_seen last;
};

static void note(const struct oc_seen *given, void *context)
{
    struct seen *seen = context;

    if (given->pid != seen->pid)
        return;
    seen->times++;
    seen->last = *given;
}

static struct seen scan_for(uint32_t pid)
{
    struct seen seen = { .pid = pid };

    ck_assert_int_ge(oc_probe_scan(probe, note, &seen), 0);
    ck_assert_int_le(seen.times, 1);
    return seen;
}

START_TEST(a_scan_tells_who_is_new)
{
    struct seen seen;
    uint64_t created = 0;

    created = start(300, "w3wp.exe", 100)->times.created;
    (void)start(200, "svchost.exe", 10); /* the list is not by PID */
    seen = scan_for(300);
    ck_assert_uint_eq(seen.last.flags, OC_SEEN_NEW);
    ck_assert_str_eq(seen.last.name, "w3wp.exe");
    ck_assert_uint_eq(seen.last.start_ticks, created);
    ck_assert_uint_eq(seen.last.rss_bytes, (uint64_t)(110 * MIB));
    ck_assert_uint_eq(scan_for(300).last.flags, 0);
    ck_assert_uint_eq(scan_for(200).last.flags, 0);
    oc_fake_win_end(fake, 300, 0);
    ck_assert_int_eq(scan_for(300).times, 0);
    (void)start(300, "w3wp.exe", 100);
    ck_assert_uint_eq(scan_for(300).last.flags, OC_SEEN_NEW);
    (void)start(301, "other.exe", 100);
    oc_fake_win_end(fake, 300, 0);
    (void)start(300, "w3wp.exe", 100); /* the PID came round between two scans */
    ck_assert_uint_eq(scan_for(300).last.flags, OC_SEEN_NEW);
}
END_TEST

START_TEST(parts_of_the_system_are_no_processes_to_watch)
{
    (void)start(4, "System", 1);
    start(88, "Registry", 60)->basics.parent_pid = 4;
    start(300, "smss.exe", 1)->basics.parent_pid = 4;
    ck_assert_uint_eq(scan_for(4).last.flags & OC_SEEN_KERNEL_THREAD, OC_SEEN_KERNEL_THREAD);
    ck_assert_uint_eq(scan_for(88).last.flags & OC_SEEN_KERNEL_THREAD, OC_SEEN_KERNEL_THREAD);
    ck_assert_uint_eq(scan_for(300).last.flags & OC_SEEN_KERNEL_THREAD, 0);
}
END_TEST

START_TEST(nobody_is_opened_by_a_scan)
{
    for (uint32_t i = 0; i < 200; i++)
        (void)start(100 + 4 * i, "w3wp.exe", 100);
    (void)scan_for(100);
    (void)scan_for(100);
    ck_assert_uint_eq(calls(OC_WIN_CALL_OPEN), 0);
    ck_assert_uint_eq(calls(OC_WIN_CALL_LIST), 2);
}
END_TEST

START_TEST(a_list_that_outgrows_its_room_is_asked_again)
{
    for (uint32_t i = 0; i < 1500; i++) {
        struct oc_fake_win_process *process = start(100 + 4 * i, "w3wp.exe", 100);

        process->thread_count = OC_FAKE_WIN_TIDS_MAX;
    }
    ck_assert_int_eq(scan_for(100).times, 1);
    ck_assert_int_eq(scan_for(100 + 4 * 1499).times, 1);
}
END_TEST

/* ---- ends ---- */

START_TEST(an_end_is_told_at_once_with_its_code)
{
    struct oc_event event;
    struct oc_sample sample;
    oc_proc *proc = NULL;

    (void)start(100, "app.exe", 100);
    proc = attach(100, 77);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    ck_assert(!oc_fake_win_is_signalled(fake));
    oc_fake_win_end(fake, 100, 0xc0000005u);
    ck_assert(oc_fake_win_is_signalled(fake));
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_PROC_END);
    ck_assert_uint_eq(event.tag, 77);
    ck_assert_uint_eq(event.pid, 100);
    ck_assert_int_eq(event.end, OC_END_EXITED);
    ck_assert_int_eq(event.status, (int)0xc0000005u);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    ck_assert(!oc_fake_win_is_signalled(fake));
}
END_TEST

START_TEST(ends_are_told_in_their_order)
{
    struct oc_event event;

    for (uint32_t i = 0; i < 10; i++) {
        (void)start(100 + 4 * i, "app.exe", 100);
        (void)attach(100 + 4 * i, i);
    }
    for (uint32_t i = 0; i < 10; i++)
        oc_fake_win_end(fake, 100 + 4 * i, i);
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert(oc_fake_win_is_signalled(fake));
        ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
        ck_assert_uint_eq(event.tag, i);
        ck_assert_int_eq(event.status, (int)i);
    }
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
}
END_TEST

START_TEST(one_that_was_let_go_is_not_told)
{
    struct oc_event event;
    oc_proc *procs[3];

    for (uint32_t i = 0; i < 3; i++) {
        (void)start(100 + 4 * i, "app.exe", 100);
        procs[i] = attach(100 + 4 * i, i);
        oc_fake_win_end(fake, 100 + 4 * i, 0);
    }
    oc_probe_detach(probe, procs[1]);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_uint_eq(event.tag, 0);
    oc_probe_detach(probe, procs[0]);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_uint_eq(event.tag, 2);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
}
END_TEST

START_TEST(an_end_without_a_handle_is_found_by_the_list)
{
    struct oc_event event;
    struct oc_sample sample;
    oc_proc *proc = NULL;

    start(100, "app.exe", 100)->open_code = OC_E_DENIED;
    proc = attach(100, 5);
    oc_fake_win_end(fake, 100, 3);
    tick(2);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_uint_eq(event.tag, 5);
    ck_assert_int_eq(event.end, OC_END_UNKNOWN);
    ck_assert_int_eq(event.status, -1);
}
END_TEST

START_TEST(an_end_without_a_wait_is_found_at_a_look)
{
    struct oc_event event;
    struct oc_sample sample;
    oc_proc *proc = NULL;

    oc_fake_win_fail(fake, OC_WIN_CALL_WAIT, OC_E_NOMEM);
    (void)start(100, "app.exe", 100);
    proc = attach(100, 5);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    oc_fake_win_end(fake, 100, 9);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.status, 9);
}
END_TEST

START_TEST(a_pid_that_is_another_s_now_is_gone)
{
    struct oc_sample sample;
    oc_proc *proc = NULL;

    start(100, "app.exe", 100)->open_code = OC_E_DENIED;
    proc = attach(100, 5);
    oc_fake_win_end(fake, 100, 3);
    (void)start(100, "other.exe", 100);
    tick(2);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
}
END_TEST

START_TEST(nobody_attaches_to_who_is_not_there)
{
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, 100, &proc), OC_E_GONE);
}
END_TEST

/* ---- the event log ---- */

static void record(uint32_t id, const char *first, const char *second)
{
    struct oc_win_record given = { .source = "Microsoft-Windows-WAS",
                                   .id = id,
                                   .unix_ms = oc_clock_unix_ms(),
                                   .strings = { first, second },
                                   .string_count = 2 };

    oc_fake_win_record(fake, &given);
}

/* The next END; others are passed over. */
static struct oc_event next_end(void)
{
    struct oc_event event = { .kind = OC_EVENT_RESCAN };

    while (event.kind != OC_EVENT_PROC_END)
        ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    return event;
}

START_TEST(a_worker_that_iis_recycled_ended_by_plan)
{
    struct oc_event event;

    (void)start(4711, "w3wp.exe", 100);
    (void)attach(4711, 1);
    record(5117, "4711", "Shop");
    oc_fake_win_end(fake, 4711, 0);
    event = next_end();
    ck_assert_int_eq(event.end, OC_END_RECYCLED);
    ck_assert_int_eq(event.killer, OC_KILLER_IIS);
    ck_assert_str_eq(event.killer_scope, "private memory limit");
}
END_TEST

START_TEST(a_worker_of_which_nothing_was_said_just_ended)
{
    struct oc_event event;

    (void)start(4711, "w3wp.exe", 100);
    (void)attach(4711, 1);
    record(5117, "4712", "Shop"); /* another worker */
    oc_fake_win_end(fake, 4711, 0xe0434352u);
    event = next_end();
    ck_assert_int_eq(event.end, OC_END_EXITED);
    ck_assert_int_eq(event.killer, OC_KILLER_UNKNOWN);
}
END_TEST

START_TEST(what_the_log_says_is_told)
{
    struct oc_event event;

    (void)start(4711, "w3wp.exe", 100);
    (void)attach(4711, 9);
    record(5117, "4711", "Shop");
    tick(2); /* too soon for another question */
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    tick(7);
    ck_assert(oc_fake_win_is_signalled(fake));
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_TOLD);
    ck_assert_uint_eq(event.tag, 9);
    ck_assert_ptr_nonnull(strstr(event.killer_scope, "Shop"));
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    ck_assert(!oc_fake_win_is_signalled(fake));
}
END_TEST

/* ---- failure ---- */

START_TEST(every_failing_allocation_is_borne)
{
    oc_probe_close(probe);
    (void)start(100, "w3wp.exe", 100);
    for (uint64_t nth = 1; nth < 12; nth++) {
        struct seen seen = { .pid = 100 };
        oc_proc *proc = NULL;
        struct oc_sample sample;

        probe = NULL;
        oc_alloc_fail_at(nth, 0);
        if (oc_win_probe_open(oc_fake_win_table(fake), keep, &(struct oc_probe_options){ 0 },
                              &probe) == OC_OK) {
            (void)oc_probe_scan(probe, note, &seen);
            if (oc_probe_attach(probe, 100, &proc) == OC_OK)
                (void)oc_probe_read(probe, proc, &sample);
        }
        oc_alloc_fail_at(0, 0);
        oc_probe_close(probe);
        ck_assert_uint_eq(oc_fake_win_handles(fake), 0);
    }
    open_with(&(struct oc_probe_options){ 0 });
}
END_TEST

START_TEST(figures_that_fail_cost_themselves_alone)
{
    struct oc_sample sample;
    oc_proc *proc = NULL;

    start(100, "w3wp.exe", 100)->handles = 0;
    proc = attach(100, 1);
    oc_fake_win_fail(fake, OC_WIN_CALL_HANDLES, OC_E_DENIED);
    oc_fake_win_fail(fake, OC_WIN_CALL_TIMES, OC_E_DENIED);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert(!oc_sample_has(&sample, OC_METRIC_FDS));
    ck_assert(!oc_sample_has(&sample, OC_METRIC_CPU_TIME));
    ck_figure(&sample, OC_METRIC_PRIVATE, 100 * MIB);
}
END_TEST

START_TEST(handles_that_no_call_counts_are_those_of_the_list)
{
    struct oc_sample sample;

    (void)start(100, "w3wp.exe", 100);
    oc_fake_win_fail(fake, OC_WIN_CALL_HANDLES, OC_E_NOTSUP); /* as on Wine */
    ck_assert_int_eq(oc_probe_read(probe, attach(100, 1), &sample), OC_OK);
    ck_figure(&sample, OC_METRIC_FDS, 300);
}
END_TEST

START_TEST(the_host_has_its_commit_and_what_it_may_become)
{
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    ck_figure(&sample, OC_METRIC_HOST_TOTAL, 16384 * MIB);
    ck_figure(&sample, OC_METRIC_HOST_COMMIT_LIMIT, 18 * 1024 * MIB);
    ck_figure(&sample, OC_METRIC_HOST_COMMIT_MAX, 64 * 1024 * MIB);
    oc_fake_win_host(fake)->commit_max = 0;
    ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    ck_assert(!oc_sample_has(&sample, OC_METRIC_HOST_COMMIT_MAX));
}
END_TEST

/* ---- doctor ---- */

struct said {
    int figures, missing, debug;
    char tick[160];
};

static void hear(const struct oc_ability *ability, void *context)
{
    struct said *said = context;

    said->figures++;
    said->missing += ability->rc != OC_OK;
    said->debug += strcmp(ability->figure, "SeDebugPrivilege") == 0 && ability->rc != OC_OK;
    if (strcmp(ability->figure, "tick") == 0)
        (void)snprintf(said->tick, sizeof said->tick, "%s", ability->why);
    ck_assert(ability->rc == OC_OK || ability->why[0] != '\0');
}

START_TEST(the_doctor_says_once_that_a_right_is_missing)
{
    struct said said = { 0 };
    struct oc_win *win = oc_fake_win_table(fake);

    win->has_debug = 0;
    win->is_elevated = 0;
    start(100, "w3wp.exe", 100)->image = "C:\\Windows\\System32\\inetsrv\\w3wp.exe";
    ck_assert_int_eq(oc_win_doctor(win, 100, hear, &said), OC_OK);
    ck_assert_int_eq(said.debug, 1);
    ck_assert_int_gt(said.figures, 20);
    ck_assert_ptr_nonnull(strstr(said.tick, "0 handles opened"));
    win->counts.reads_opened = 0; /* of the doctor's walk, which was asked for */
}
END_TEST

START_TEST(the_doctor_looks_at_nobody_s_memory_that_is_protected)
{
    struct said said = { 0 };

    start(600, "lsass.exe", 100)->image = "C:\\Windows\\System32\\lsass.exe";
    ck_assert_int_eq(oc_win_doctor(oc_fake_win_table(fake), 600, hear, &said), OC_OK);
    ck_assert_int_gt(said.missing, 0);
}
END_TEST

Suite *win_probe_suite(void)
{
    Suite *suite = suite_create("windows probe");
    TCase *tcase = tcase_create("made");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, figures_are_those_of_the_process);
    tcase_add_test(tcase, private_bytes_are_the_larger_of_two_that_may_be_left_out);
    tcase_add_test(tcase, virtual_size_of_wine_is_not_believed);
    tcase_add_test(tcase, what_did_not_move_stands);
    tcase_add_test(tcase, what_never_moves_is_looked_at_now_and_then);
    tcase_add_test(tcase, a_steady_tick_opens_nothing_and_asks_little);
    tcase_add_test(tcase, beyond_64_one_list_has_all_figures);
    tcase_add_test(tcase, one_that_cannot_be_opened_has_the_figures_of_the_list);
    tcase_add_test(tcase, handles_are_kept_up_to_their_number);
    tcase_add_test(tcase, a_scan_tells_who_is_new);
    tcase_add_test(tcase, parts_of_the_system_are_no_processes_to_watch);
    tcase_add_test(tcase, nobody_is_opened_by_a_scan);
    tcase_add_test(tcase, a_list_that_outgrows_its_room_is_asked_again);
    tcase_add_test(tcase, an_end_is_told_at_once_with_its_code);
    tcase_add_test(tcase, ends_are_told_in_their_order);
    tcase_add_test(tcase, one_that_was_let_go_is_not_told);
    tcase_add_test(tcase, an_end_without_a_handle_is_found_by_the_list);
    tcase_add_test(tcase, an_end_without_a_wait_is_found_at_a_look);
    tcase_add_test(tcase, a_pid_that_is_another_s_now_is_gone);
    tcase_add_test(tcase, nobody_attaches_to_who_is_not_there);
    tcase_add_test(tcase, a_worker_that_iis_recycled_ended_by_plan);
    tcase_add_test(tcase, a_worker_of_which_nothing_was_said_just_ended);
    tcase_add_test(tcase, what_the_log_says_is_told);
    tcase_add_test(tcase, every_failing_allocation_is_borne);
    tcase_add_test(tcase, figures_that_fail_cost_themselves_alone);
    tcase_add_test(tcase, handles_that_no_call_counts_are_those_of_the_list);
    tcase_add_test(tcase, the_host_has_its_commit_and_what_it_may_become);
    tcase_add_test(tcase, the_doctor_says_once_that_a_right_is_missing);
    tcase_add_test(tcase, the_doctor_looks_at_nobody_s_memory_that_is_protected);
    suite_add_tcase(suite, tcase);
    return suite;
}
