/* The proc connector: the kernel tells of each fork, exec and exit (needs CAP_NET_ADMIN). */
#include "probes/linux/lx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_BYTES 4096
#define DRAIN_MAX 512 /* datagrams at once: a fork storm must not hold up the loop */

/* Offsets in a datagram of one message. */
#define AT_EVENT (NLMSG_HDRLEN + sizeof(struct cn_msg))
#define AT_DATA (AT_EVENT + offsetof(struct proc_event, event_data))

#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(at))
#define KEEP_X BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_EQUAL_X(yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, (yes), (no))
#define TAKE BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define PASS_OVER BPF_STMT(BPF_RET | BPF_K, 0)

/*
 * Lets the kernel drop what is not a process's fork, exec or exit (threads, changes of user), so
 * that we do not wake for it. A filter loads words in network order.
 */
static int set_filter(int fd)
{
    struct sock_filter code[] = {
        /* 0 */ LOAD(AT_EVENT),
        /* 1 */ IF_EQUAL(ntohl(PROC_EVENT_FORK), 3, 0),
        /* 2 */ IF_EQUAL(ntohl(PROC_EVENT_EXIT), 6, 0),
        /* 3 */ IF_EQUAL(ntohl(PROC_EVENT_EXEC), 10, 0),
        /* 4 */ IF_EQUAL(ntohl(PROC_EVENT_NONE), 9, 8),
        /* 5 */ LOAD(AT_DATA + 8), /* fork: the child's pid and tgid; not of a thread */
        /* 6 */ KEEP_X,
        /* 7 */ LOAD(AT_DATA + 12),
        /* 8 */ IF_EQUAL_X(5, 4),
        /* 9 */ LOAD(AT_DATA), /* exit: pid and tgid */
        /* 10 */ KEEP_X,
        /* 11 */ LOAD(AT_DATA + 4),
        /* 12 */ IF_EQUAL_X(1, 0),
        /* 13 */ PASS_OVER,
        /* 14 */ TAKE,
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int ask(int fd, uint32_t operation)
{
    unsigned char bytes[NLMSG_HDRLEN + sizeof(struct cn_msg) + sizeof operation] = { 0 };
    const struct nlmsghdr header = { .nlmsg_len = sizeof bytes, .nlmsg_type = NLMSG_DONE };
    const struct cn_msg message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof operation };

    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + NLMSG_HDRLEN, &message, sizeof message);
    memcpy(bytes + NLMSG_HDRLEN + sizeof message, &operation, sizeof operation);
    if (send(fd, bytes, sizeof bytes, 0) < 0)
        return oc_err_from_errno(errno);
    return OC_OK;
}

/* The kernel answers before send() returns, unless it does not answer us: another namespace. */
static int await_ack(int fd)
{
    unsigned char bytes[DATAGRAM_BYTES];
    struct oc_lx_cn_event event;

    for (int i = 0; i < DRAIN_MAX; i++) {
        ssize_t len_bytes = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        size_t at_bytes = 0;

        if (len_bytes < 0)
            return errno == EAGAIN ? OC_E_NOTSUP : oc_err_from_errno(errno);
        while (oc_lx_cn_parse(bytes, (size_t)len_bytes, &at_bytes, &event) == 1) {
            if (event.kind == OC_LX_CN_ACK)
                return event.code == 0 ? OC_OK : oc_err_from_errno((int)event.code);
        }
    }
    return OC_E_NOTSUP;
}

int oc_lx_connector_listen(void)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
    int fd = socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    int rc = OC_OK;

    if (fd < 0)
        return errno == EPROTONOSUPPORT ? OC_E_NOTSUP : oc_err_from_errno(errno);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        rc = oc_err_from_errno(errno);
    if (rc == OC_OK && set_filter(fd) != 0)
        rc = oc_err_from_errno(errno);
    if (rc == OC_OK)
        rc = ask(fd, PROC_CN_MCAST_LISTEN);
    if (rc == OC_OK)
        rc = await_ack(fd);
    if (rc != OC_OK) {
        (void)close(fd);
        return rc;
    }
    return fd;
}

int oc_lx_connector_open(struct oc_lx_probe *probe)
{
    int fd = probe->sys->connector_listen();

    if (fd < 0)
        return fd;
    probe->events.connector_fd = fd;
    oc_lx_kept(probe);
    return OC_OK;
}

void oc_lx_connector_close(struct oc_lx_probe *probe)
{
    if (probe->events.connector_fd >= 0) /* the kernel makes events while anybody listens */
        (void)ask(probe->events.connector_fd, PROC_CN_MCAST_IGNORE);
    oc_lx_close_kept(probe, &probe->events.connector_fd);
}

/* Not among those we look at: the next scan reads it anew, and may come earlier. */
static void on_stranger(struct oc_lx_probe *probe, uint32_t pid)
{
    struct oc_event event = { OC_EVENT_PROC_START, pid, 0, OC_END_RUNNING, -1,
                              OC_KILLER_UNKNOWN,   NULL };

    oc_lx_scan_forget(&probe->scan, pid);
    oc_lx_events_push(probe, &event, NULL);
}

/* What happened before we began to look is told late: its program is the one that we saw. */
static int is_news(const struct oc_lx_proc *proc, const struct oc_lx_cn_event *event)
{
    return event->mono_ns == 0 || event->mono_ns >= proc->attached_mono_ns;
}

/*
 * The exit code is noted; the end itself is told by the pidfd, or at the next look where there is
 * none, since other threads may outlive a leader.
 */
static void on_event(struct oc_lx_probe *probe, const struct oc_lx_cn_event *event)
{
    struct oc_lx_proc *proc = oc_lx_table_find(&probe->table, event->tgid);

    switch (event->kind) {
    case OC_LX_CN_FORK:
        if (event->pid == event->tgid)
            on_stranger(probe, event->tgid);
        break;
    case OC_LX_CN_EXEC:
        if (!proc || (proc->flags & OC_LX_ENDED))
            on_stranger(probe, event->tgid);
        else if (is_news(proc, event))
            oc_lx_proc_execed(proc);
        break;
    case OC_LX_CN_EXIT:
        if (proc && event->pid == event->tgid)
            oc_lx_proc_exiting(proc, (int)(event->code & 0xffff));
        break;
    default:
        break;
    }
}

int oc_lx_connector_drain(struct oc_lx_probe *probe)
{
    unsigned char bytes[DATAGRAM_BYTES];
    struct oc_lx_cn_event event;

    int taken = 0;

    for (; probe->events.connector_fd >= 0 && taken < DRAIN_MAX; taken++) {
        ssize_t len_bytes = recv(probe->events.connector_fd, bytes, sizeof bytes, MSG_DONTWAIT);
        size_t at_bytes = 0;

        if (len_bytes < 0 && errno == ENOBUFS) { /* some were lost */
            oc_lx_events_push_rescan(probe);
            continue;
        }
        if (len_bytes <= 0)
            break;
        while (oc_lx_cn_parse(bytes, (size_t)len_bytes, &at_bytes, &event) == 1)
            on_event(probe, &event);
    }
    return taken;
}
