#include "cli/model/members.h"

#include "base/alloc.h"

#include <string.h>

static int add(struct oc_members *members, oc_proc *take_proc)
{
    void *items = members->items;
    struct oc_member *member;
    int rc = oc_array_grow(&items, &members->capacity, members->count + 1, sizeof(*member),
                           OC_MEMBERS_MAX);

    members->items = items;
    if (rc)
        return rc;
    member = &members->items[members->count++];
    memset(member, 0, sizeof(*member));
    member->proc = take_proc;
    member->pid = oc_proc_facts(take_proc)->id.pid;
    members->seen++;
    if (members->count > members->most)
        members->most = members->count;
    return OC_OK;
}

int oc_members_init(struct oc_members *members, oc_probe *probe, oc_proc *take_root)
{
    memset(members, 0, sizeof(*members));
    members->probe = probe;
    members->ended.block = OC_BLOCK_PROCESS;
    return add(members, take_root);
}

void oc_members_clear(struct oc_members *members)
{
    for (size_t i = 0; i < members->count; i++)
        oc_probe_detach(members->probe, members->items[i].proc);
    oc_free(members->items);
    oc_free(members->found);
    memset(members, 0, sizeof(*members));
}

/* ---- children ---- */

static int is_member(const struct oc_members *members, uint32_t pid)
{
    for (size_t i = 0; i < members->count; i++) {
        if (members->items[i].pid == pid)
            return 1;
    }
    return 0;
}

static void take_seen(const struct oc_seen *seen, void *context)
{
    struct oc_members *members = context;
    void *found = members->found;
    const unsigned none = OC_SEEN_KERNEL_THREAD | OC_SEEN_ZOMBIE;

    if (members->err || !(seen->flags & OC_SEEN_NEW) || (seen->flags & none))
        return;
    members->err = oc_array_grow(&found, &members->found_capacity, members->found_count + 1,
                                 sizeof(*members->found), 1u << 22);
    members->found = found;
    if (!members->err)
        members->found[members->found_count++] = seen->pid;
}

/* Attached to learn its parent. Returns 1 where it is one of us, 0, or OC_E_NOMEM. */
static int try_process(struct oc_members *members, uint32_t pid)
{
    oc_proc *proc = NULL;
    int rc;

    if (is_member(members, pid))
        return 0;
    rc = oc_probe_attach(members->probe, pid, &proc);
    if (rc)
        return rc == OC_E_NOMEM ? rc : 0; /* it ended, or there is no descriptor left for it */
    if (!is_member(members, oc_proc_facts(proc)->parent_pid)) {
        oc_probe_detach(members->probe, proc);
        return 0;
    }
    rc = add(members, proc);
    if (rc)
        oc_probe_detach(members->probe, proc);
    return rc == OC_E_NOMEM ? rc : rc == OC_OK;
}

int oc_members_find(struct oc_members *members)
{
    size_t taken;
    int rc;

    members->found_count = 0;
    members->err = OC_OK;
    rc = oc_probe_scan(members->probe, take_seen, members);
    if (rc < 0 || members->err)
        return rc < 0 ? rc : members->err;
    do { /* a grandchild may stand before its parent where pids came round */
        taken = 0;
        for (size_t i = 0; i < members->found_count; i++) {
            rc = members->found[i] ? try_process(members, members->found[i]) : 0;
            if (rc < 0)
                return rc;
            if (rc > 0) {
                members->found[i] = 0;
                taken++;
            }
        }
    } while (taken > 0);
    return OC_OK;
}

/* ---- reading ---- */

static int is_counter(unsigned bit)
{
    const struct oc_metric_row *row = oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit));

    return row && row->kind == OC_KIND_COUNTER;
}

static void add_ended(struct oc_members *members, const struct oc_sample *last)
{
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (!(last->known & OC_METRIC_BIT(bit)) || !is_counter(bit))
            continue;
        if (!(members->ended.known & OC_METRIC_BIT(bit)))
            members->ended.values[bit] = 0;
        members->ended.values[bit] += last->values[bit];
        members->ended.known |= OC_METRIC_BIT(bit);
    }
}

static int read_member(struct oc_members *members, struct oc_member *member)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    int rc = oc_probe_read(members->probe, member->proc, &sample);

    if (rc == OC_OK)
        member->last = sample;
    return rc == OC_READ_SAME ? OC_OK : rc;
}

/* The order is kept: the root stays the first. */
static void drop(struct oc_members *members, size_t index)
{
    add_ended(members, &members->items[index].last);
    oc_probe_detach(members->probe, members->items[index].proc);
    members->count--;
    memmove(&members->items[index], &members->items[index + 1],
            (members->count - index) * sizeof(*members->items));
}

static void sum(const struct oc_members *members, struct oc_sample *out_sample)
{
    struct oc_sample total = { .block = OC_BLOCK_PROCESS, .known = UINT64_MAX };

    for (size_t i = 0; i < members->count; i++)
        total.known &= members->items[i].last.known;
    if (members->seen > 1) /* peaks of different moments do not add up */
        total.known &= ~OC_METRIC_BIT(OC_METRIC_RSS_PEAK);
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (!(total.known & OC_METRIC_BIT(bit)))
            continue;
        for (size_t i = 0; i < members->count; i++)
            total.values[bit] += members->items[i].last.values[bit];
        if (members->ended.known & OC_METRIC_BIT(bit))
            total.values[bit] += members->ended.values[bit];
    }
    *out_sample = total;
}

int oc_members_read(struct oc_members *members, struct oc_sample *out_sample)
{
    for (size_t i = 0; i < members->count;) {
        int rc = read_member(members, &members->items[i]);

        if (rc == OC_E_GONE)
            drop(members, i);
        else if (rc)
            return rc;
        else
            i++;
    }
    if (members->count == 0)
        return OC_E_GONE;
    sum(members, out_sample);
    return OC_OK;
}
