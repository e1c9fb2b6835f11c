#include "daemon/sums.h"

#include "daemon/daemon.h"
#include "daemon/limits.h"
#include "daemon/watch.h"

#include "base/alloc.h"

static int is_wanted(const struct oc_daemon *daemon, const struct oc_source *process)
{
    const struct oc_target *target = oc_target_of(daemon, process);

    if (daemon->args.pids_path)
        return 0; /* exactly the processes that were listed */
    return process->subject->member_count > 1 || (target && target->children == OC_CHILDREN_FOLD);
}

void oc_sums_joined(struct oc_daemon *daemon, struct oc_source *process)
{
    struct oc_subject *subject = process->subject;
    struct oc_source *sum = NULL;

    if (subject->sum || !is_wanted(daemon, process))
        return;
    if (oc_sources_add(&daemon->sources, OC_SOURCE_GROUP, &sum) < 0) {
        daemon->troubles.no_memory++; /* with the next process, then */
        return;
    }
    sum->subject = subject;
    sum->target = process->target;
    sum->interval_ms = oc_watch_interval_ms(daemon, sum);
    if (oc_watch_begin(daemon, sum, oc_strdup(subject->name), NULL) < 0) {
        oc_sources_remove(&daemon->sources, sum);
        daemon->troubles.no_memory++;
        return;
    }
    subject->sum = sum;
    for (struct oc_source *at = subject->members; at; at = at->next_member)
        oc_limits_tell(daemon, at); /* what the config sets is the sums' now */
}

void oc_sums_leaving(struct oc_daemon *daemon, struct oc_source *process)
{
    struct oc_subject *subject = process->subject;
    struct oc_source *sum = subject ? subject->sum : NULL;

    if (!sum || subject->member_count > 1)
        return;
    subject->sum = NULL;
    sum->subject = NULL;
    oc_watch_end(daemon, sum, OC_END_UNKNOWN, -1);
}
