#include "probes/linux/lx.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What epoll hands back: a process, or with the lowest bit a cgroup, or one of these. */
#define OWNER_CONNECTOR 2u
#define OWNER_WAKE 4u
#define OWNER_TIMER 6u
#define OWNER_CGROUP UINT64_C(1)

static uint64_t owner_key(const void *owner, int is_cgroup)
{
    return (uint64_t)(uintptr_t)owner | (is_cgroup ? OWNER_CGROUP : 0);
}

static int watch_key(struct oc_lx_probe *probe, int fd, uint32_t epoll_events, uint64_t key)
{
    struct epoll_event event = { .events = epoll_events, .data.u64 = key };

    if (epoll_ctl(probe->events.epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return oc_err_from_errno(errno);
    return OC_OK;
}

int oc_lx_events_watch(struct oc_lx_probe *probe, int fd, uint32_t epoll_events, void *owner,
                       int is_cgroup)
{
    return watch_key(probe, fd, epoll_events, owner_key(owner, is_cgroup));
}

void oc_lx_events_forget(struct oc_lx_probe *probe, int fd, const void *owner, int is_cgroup)
{
    struct oc_lx_events *events = &probe->events;

    (void)epoll_ctl(events->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    for (int i = events->ready_at; i < events->ready_count; i++) {
        if (events->ready[i].data.u64 == owner_key(owner, is_cgroup))
            events->ready[i].data.u64 = OWNER_WAKE; /* nothing to tell any more */
    }
}

/* ---- the connector's turn ---- */

/*
 * Its first message wakes us; then it is heard every 250 ms until a turn brings nothing, so that a
 * fork storm costs four wake-ups a second, and a quiet machine none.
 */
#define TURN_NS 250000000

static void start_turn(struct oc_lx_events *events)
{
    const struct itimerspec once = { .it_value = { 0, TURN_NS } };

    (void)timerfd_settime(events->timer_fd, 0, &once, NULL);
}

static void end_turn(struct oc_lx_probe *probe)
{
    struct oc_lx_events *events = &probe->events;
    struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = OWNER_CONNECTOR };
    uint64_t expired = 0;

    (void)!read(events->timer_fd, &expired, sizeof expired);
    if (oc_lx_connector_drain(probe) > 0)
        start_turn(events);
    else
        (void)epoll_ctl(events->epoll_fd, EPOLL_CTL_MOD, events->connector_fd, &event);
}

/* Without the connector a scan finds births, and the pidfds tell of ends. */
static int open_connector(struct oc_lx_probe *probe)
{
    struct oc_lx_events *events = &probe->events;
    int rc = OC_OK;

    if (!probe->live || oc_lx_connector_open(probe) != OC_OK)
        return OC_OK;
    events->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (events->timer_fd < 0)
        return oc_err_from_errno(errno);
    oc_lx_kept(probe);
    rc = watch_key(probe, events->timer_fd, EPOLLIN, OWNER_TIMER);
    if (rc == OC_OK)
        rc = watch_key(probe, events->connector_fd, EPOLLIN | EPOLLONESHOT, OWNER_CONNECTOR);
    return rc;
}

int oc_lx_events_open(struct oc_lx_probe *probe, int no_connector)
{
    struct oc_lx_events *events = &probe->events;
    int rc = OC_OK;

    events->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (events->epoll_fd < 0)
        return oc_err_from_errno(errno);
    oc_lx_kept(probe);
    events->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (events->wake_fd < 0)
        return oc_err_from_errno(errno);
    oc_lx_kept(probe);
    rc = watch_key(probe, events->wake_fd, EPOLLIN, OWNER_WAKE);
    return rc != OC_OK || no_connector ? rc : open_connector(probe);
}

void oc_lx_events_close(struct oc_lx_probe *probe)
{
    oc_lx_connector_close(probe);
    oc_lx_close_kept(probe, &probe->events.timer_fd);
    oc_lx_close_kept(probe, &probe->events.wake_fd);
    oc_lx_close_kept(probe, &probe->events.epoll_fd);
}

int oc_lx_event_fd(const oc_probe *base)
{
    return ((const struct oc_lx_probe *)(const void *)base)->events.epoll_fd;
}

/* ---- the queue ---- */

static void wake(struct oc_lx_events *events)
{
    uint64_t one = 1;

    (void)!write(events->wake_fd, &one, sizeof one); /* full: it is readable already */
}

void oc_lx_events_push_rescan(struct oc_lx_probe *probe)
{
    probe->events.rescan = 1;
    wake(&probe->events);
}

void oc_lx_events_push(struct oc_lx_probe *probe, const struct oc_event *event, const void *owner)
{
    struct oc_lx_events *events = &probe->events;
    unsigned at = (events->queue_first + events->queue_count) % OC_LX_QUEUE_MAX;

    if (events->queue_count == OC_LX_QUEUE_MAX) {
        oc_lx_events_push_rescan(probe);
        return;
    }
    events->queue[at] = (struct oc_lx_queued){ *event, owner, 0 };
    events->queue_count++;
    wake(events);
}

void oc_lx_events_drop(struct oc_lx_probe *probe, const void *owner)
{
    struct oc_lx_events *events = &probe->events;

    for (unsigned i = 0; i < events->queue_count; i++) {
        struct oc_lx_queued *queued = &events->queue[(events->queue_first + i) % OC_LX_QUEUE_MAX];

        if (queued->owner == owner)
            queued->dropped = 1;
    }
}

/* The next of the queue, then the rescan; with nothing left the descriptor is quiet again. */
static int pop(struct oc_lx_probe *probe, struct oc_event *out_event)
{
    struct oc_lx_events *events = &probe->events;
    uint64_t drained = 0;

    while (events->queue_count > 0) {
        const struct oc_lx_queued queued = events->queue[events->queue_first];

        events->queue_first = (events->queue_first + 1) % OC_LX_QUEUE_MAX;
        events->queue_count--;
        if (queued.dropped)
            continue;
        *out_event = queued.event;
        oc_lx_killer_tell(probe, out_event, queued.owner); /* may queue more */
        return 1;
    }
    if (events->rescan) {
        events->rescan = 0;
        *out_event =
            (struct oc_event){ OC_EVENT_RESCAN, 0, 0, OC_END_UNKNOWN, -1, OC_KILLER_UNKNOWN, NULL };
        return 1;
    }
    (void)!read(events->wake_fd, &drained, sizeof drained);
    return 0;
}

/* ---- ends ---- */

/* What the kernel keeps with the pidfd once the process is reaped; -1: nothing. */
static int code_of_pidfd(const struct oc_lx_proc *proc)
{
    return proc->pidfd < 0 ? -1 : proc->probe->sys->pidfd_exit_code(proc->pidfd);
}

/*
 * Whether the kernel shows us the exit code in its stat; where it does not, 0 stands there. Its
 * rule is that of ptrace: the same user, or the right to look at all of them.
 */
static int may_see_code(const struct oc_lx_proc *proc)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (proc->probe->sys != &oc_lx_kernel || !proc->probe->live || (int64_t)geteuid() == proc->uid)
        return 1;
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> CAP_SYS_PTRACE & 1u);
}

/* What stat says of it while it waits to be reaped, where we may see that; -1: nothing. */
static int code_of_zombie(const struct oc_lx_proc *proc)
{
    char path[64], text[1024];
    struct oc_lx_stat stat;
    ssize_t len_bytes = 0;

    (void)snprintf(path, sizeof path, "%u/stat", proc->pid);
    len_bytes = oc_lx_read_path(proc->probe, path, text, sizeof text);
    if (len_bytes <= 0 || oc_lx_stat_parse(text, (size_t)len_bytes, &stat) != OC_OK)
        return -1;
    if (stat.state != 'Z' || stat.start_ticks != proc->start_ticks)
        return -1;
    return stat.exit_code != 0 || may_see_code(proc) ? stat.exit_code : -1;
}

static int find_code(const struct oc_lx_proc *proc)
{
    int code = code_of_pidfd(proc);

    if (code < 0)
        code = code_of_zombie(proc);
    if (code < 0) /* reaped between the two */
        code = code_of_pidfd(proc);
    if (code < 0 && proc->end_code < 0)
        (void)oc_lx_connector_drain(proc->probe);
    return code < 0 ? proc->end_code : code;
}

static struct oc_event end_event(struct oc_lx_proc *proc)
{
    struct oc_event event = { OC_EVENT_PROC_END, proc->pid, proc->base.tag, OC_END_UNKNOWN, -1,
                              OC_KILLER_UNKNOWN, NULL };
    int code = find_code(proc);

    if (code >= 0 && WIFEXITED(code)) {
        event.end = OC_END_EXITED;
        event.status = WEXITSTATUS(code);
    } else if (code >= 0) {
        event.end = OC_END_SIGNALED;
        event.status = WTERMSIG(code);
    }
    return event;
}

/*
 * A process gives back its memory before it has an end: with much of it, or little left for the
 * others, that takes a second in which it has no figures and no status yet. Its pidfd will tell.
 */
static int is_still_ending(const struct oc_lx_proc *proc)
{
    struct pollfd ready = { .fd = proc->pidfd, .events = POLLIN };

    return proc->probe->sys == &oc_lx_kernel && proc->pidfd >= 0 && poll(&ready, 1, 0) == 0;
}

void oc_lx_proc_ended(struct oc_lx_proc *proc)
{
    struct oc_event event;

    if ((proc->flags & OC_LX_ENDED) || is_still_ending(proc))
        return;
    proc->flags |= OC_LX_ENDED;
    event = end_event(proc);
    oc_lx_events_push(proc->probe, &event, proc);
}

void oc_lx_proc_exiting(struct oc_lx_proc *proc, int code)
{
    proc->end_code = code;
    if (proc->pidfd < 0 && oc_lx_find_thread(proc) != OC_OK)
        oc_lx_proc_ended(proc);
}

/* ---- what is ready ---- */

/* A pidfd is readable once the last thread has ended, and stays so: it has said all. */
static int on_pidfd(struct oc_lx_probe *probe, struct oc_lx_proc *proc, struct oc_event *out_event)
{
    int told = (proc->flags & OC_LX_ENDED) != 0;

    proc->flags |= OC_LX_ENDED;
    if (!told) {
        *out_event = end_event(proc);
        oc_lx_killer_tell(probe, out_event, proc);
    }
    (void)epoll_ctl(probe->events.epoll_fd, EPOLL_CTL_DEL, proc->pidfd, NULL);
    return !told;
}

/* Takes one ready descriptor; 1 if an event was written. */
static int take_ready(struct oc_lx_probe *probe, uint64_t key, struct oc_event *out_event)
{
    void *owner = (void *)(uintptr_t)(key & ~OWNER_CGROUP);

    if (key == OWNER_WAKE)
        return 0; /* what it stands for was in the queue */
    if (key == OWNER_TIMER) {
        end_turn(probe);
    } else if (key == OWNER_CONNECTOR) {
        (void)oc_lx_connector_drain(probe);
        start_turn(&probe->events);
    } else if (key & OWNER_CGROUP) {
        oc_lx_cgroup_on_ready(probe, owner);
    } else {
        return on_pidfd(probe, owner, out_event);
    }
    return pop(probe, out_event);
}

int oc_lx_next_event(oc_probe *base, struct oc_event *out_event)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    struct oc_lx_events *events = &probe->events;

    if (pop(probe, out_event))
        return 1;
    for (;;) {
        while (events->ready_at < events->ready_count) {
            if (take_ready(probe, events->ready[events->ready_at++].data.u64, out_event))
                return 1;
        }
        events->ready_at = 0;
        events->ready_count = epoll_wait(events->epoll_fd, events->ready, OC_LX_READY_MAX, 0);
        if (events->ready_count <= 0)
            break;
    }
    events->ready_count = 0;
    return pop(probe, out_event);
}
