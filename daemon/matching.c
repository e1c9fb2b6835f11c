#include "daemon/matching.h"

#include "daemon/cgroups.h"
#include "daemon/choose.h"
#include "daemon/daemon.h"
#include "daemon/refit.h"

#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 64 /* of parents */

/* ---- children ---- */

static int folds(const struct oc_daemon *daemon, const struct oc_source *source)
{
    const struct oc_target *target = oc_target_of(daemon, source);

    return source->subject && target && target->children == OC_CHILDREN_FOLD;
}

struct oc_source *oc_matching_folder(const struct oc_daemon *daemon, uint32_t parent_pid,
                                     uint64_t start_ticks)
{
    if (!daemon->discovery.folds)
        return NULL;
    for (int depth = 0; depth < MAX_DEPTH && parent_pid > 1; depth++) {
        struct oc_source *source = oc_sources_by_pid(&daemon->sources, parent_pid);
        const struct oc_known *known = NULL;

        if (source && source->id_of_proc.start_ticks <= start_ticks) {
            if (folds(daemon, source))
                return source;
            parent_pid = source->parent_pid;
            continue;
        }
        known = oc_knowns_find(&daemon->discovery.knowns, parent_pid);
        if (!known || known->start_ticks > start_ticks)
            return NULL;
        parent_pid = known->parent_pid;
    }
    return NULL;
}

/* ---- one that is not watched ---- */

static void ask(struct oc_daemon *daemon, struct oc_known *known)
{
    struct oc_job job = { .kind = OC_JOB_FACTS,
                          .want = OC_WALK_FACTS,
                          .slot = OC_NO_SLOT,
                          .pid = known->pid,
                          .start_ticks = known->start_ticks };

    if (!daemon->walker || oc_walker_ask(daemon->walker, &job) < 0) {
        daemon->discovery.unasked++; /* with the next scan, then */
        oc_knowns_forget(&daemon->discovery.knowns, known->pid);
        return;
    }
    known->state = OC_KNOWN_ASKED;
}

static int is_named(const struct oc_daemon *daemon, uint32_t pid)
{
    const struct oc_targets *targets = &daemon->config.targets;

    for (size_t i = 0; daemon->discovery.has_pidfiles && i < targets->count; i++) {
        const struct oc_target *target = &targets->items[i];

        for (size_t k = 0; k < target->words[OC_SELECT_PIDFILE].count; k++) {
            if (target->pidfile_pids[k] == pid)
                return 1;
        }
    }
    return 0;
}

/* What it was answered before still holds. */
static int is_settled(struct oc_daemon *daemon, const struct oc_known *known,
                      const struct oc_seen *seen)
{
    if (known->state == OC_KNOWN_ASKED)
        return 1;
    if (seen->rss_bytes >= known->from_bytes)
        return 0;
    return known->state != OC_KNOWN_NO ||
           !oc_matching_folder(daemon, known->parent_pid, known->start_ticks);
}

static void note_answer(struct oc_known *known, const struct oc_chosen *chosen)
{
    known->state = chosen->ignored ? OC_KNOWN_IGNORED : OC_KNOWN_NO;
    known->from_bytes = chosen->from_bytes;
}

/* No target matches by what a scan sees: an ancestor may. Its parent is a fact to be asked for. */
static void consider_parents(struct oc_daemon *daemon, struct oc_known *known, int has_parent)
{
    const struct oc_source *folder = NULL;

    if (!daemon->discovery.folds || known->state != OC_KNOWN_NO)
        return;
    if (!has_parent) {
        ask(daemon, known);
        return;
    }
    folder = oc_matching_folder(daemon, known->parent_pid, known->start_ticks);
    if (folder)
        oc_discovery_add(daemon, known->pid, folder->target, folder->id_of_proc.pid);
}

/* Its entry for this answer; NULL: there is no room, it is looked at again by the next scan. */
static struct oc_known *entry(struct oc_daemon *daemon, const struct oc_seen *seen)
{
    struct oc_known *known = NULL;

    if (oc_knowns_put(&daemon->discovery.knowns, seen->pid, seen->start_ticks, &known) < 0) {
        daemon->discovery.unasked++;
        return NULL;
    }
    known->seen = 1;
    known->rss_bytes = seen->rss_bytes;
    known->named = is_named(daemon, seen->pid) != 0;
    return known;
}

static void look_at(struct oc_daemon *daemon, const struct oc_seen *seen)
{
    struct oc_match_facts facts = {
        .pid = seen->pid, .name = seen->name, .rss_bytes = seen->rss_bytes, .uid = -1
    };
    struct oc_known *known = oc_knowns_find(&daemon->discovery.knowns, seen->pid);
    int has_parent = known && known->start_ticks == seen->start_ticks && known->parent_pid != 0;
    struct oc_chosen chosen;

    switch (oc_choose(&daemon->config, &facts, &chosen)) {
    case OC_CHOICE_YES:
        oc_discovery_add(daemon, seen->pid, chosen.target, 0);
        break;
    case OC_CHOICE_ASK:
        known = entry(daemon, seen);
        if (known)
            ask(daemon, known);
        break;
    case OC_CHOICE_NO:
        if (daemon->config.targets.count == 0)
            break; /* its size is all there is: seen with each scan */
        known = entry(daemon, seen);
        if (!known)
            break;
        note_answer(known, &chosen);
        consider_parents(daemon, known, has_parent);
        break;
    }
}

void oc_matching_seen(struct oc_daemon *daemon, const struct oc_seen *seen)
{
    struct oc_known *known = NULL;

    if (seen->flags & (OC_SEEN_KERNEL_THREAD | OC_SEEN_ZOMBIE))
        return;
    if (seen->flags & OC_SEEN_NEW)
        oc_knowns_forget(&daemon->discovery.knowns, seen->pid);
    known = oc_knowns_find(&daemon->discovery.knowns, seen->pid);
    if (known && known->start_ticks == seen->start_ticks) {
        known->seen = 1;
        if (is_settled(daemon, known, seen))
            return;
        if (seen->rss_bytes < known->from_bytes) {
            consider_parents(daemon, known, 1);
            return;
        }
    }
    look_at(daemon, seen);
}

/* ---- facts that came ---- */

static void watch(struct oc_daemon *daemon, uint32_t pid, const struct oc_watch_as *as)
{
    oc_knowns_forget(&daemon->discovery.knowns, pid);
    oc_discovery_attach(daemon, pid, as);
    if (daemon->discovery.folds)
        oc_discovery_soon(daemon); /* children that nothing matched may be its */
}

static void watch_folded(struct oc_daemon *daemon, const struct oc_known *known)
{
    const struct oc_source *folder =
        oc_matching_folder(daemon, known->parent_pid, known->start_ticks);
    struct oc_watch_as as = { .folded = 1 };
    char subject[OC_SUBJECT_BYTES];

    if (!folder)
        return;
    as.target = folder->target;
    as.subject = subject;
    (void)oc_text_copy(subject, sizeof(subject), folder->subject->name);
    oc_knowns_forget(&daemon->discovery.knowns, known->pid);
    oc_discovery_attach(daemon, known->pid, &as);
}

static void decide(struct oc_daemon *daemon, struct oc_known *known, const struct oc_walk *walk)
{
    struct oc_choose_facts facts;
    struct oc_chosen chosen;
    char subject[OC_SUBJECT_BYTES];
    struct oc_watch_as as = { .subject = subject };
    const struct oc_target *target = NULL;
    enum oc_choice choice = OC_CHOICE_NO;

    oc_choose_from_walk(walk, known->pid, known->rss_bytes, &facts);
    known->parent_pid = walk->facts.parent_pid;
    choice = oc_choose(&daemon->config, &facts.match, &chosen);
    if (choice != OC_CHOICE_YES) {
        note_answer(known, &chosen);
        if (known->state == OC_KNOWN_NO)
            watch_folded(daemon, known);
        return;
    }
    oc_choose_subject(&daemon->config, chosen.target, &facts.match, subject);
    target = oc_choose_target(&daemon->config, chosen.target);
    if (target && target->source == OC_TARGET_CGROUP) {
        known->state = OC_KNOWN_IGNORED;
        known->from_bytes = UINT64_MAX;
        if (oc_cgroups_hold(daemon, walk->facts.cgroup, chosen.target, subject) < 0)
            oc_knowns_forget(&daemon->discovery.knowns, known->pid); /* asked again */
        return;
    }
    as.target = chosen.target;
    watch(daemon, known->pid, &as);
}

void oc_matching_facts(struct oc_daemon *daemon, struct oc_source *source,
                       const struct oc_job_result *result)
{
    struct oc_known *known = NULL;

    if (result->job.slot != OC_NO_SLOT) {
        if (source && source->asked && !source->ended && result->rc == OC_OK)
            oc_refit_facts(daemon, source, &result->walk);
        else if (source)
            source->asked = 0;
        return;
    }
    known = oc_knowns_find(&daemon->discovery.knowns, result->job.pid);
    if (!known || known->start_ticks != result->job.start_ticks || known->state != OC_KNOWN_ASKED)
        return; /* another process, or another config, by now */
    if (result->rc == OC_OK && !oc_sources_by_pid(&daemon->sources, known->pid)) {
        decide(daemon, known, &result->walk);
        return;
    }
    if (result->rc != OC_E_DENIED && result->rc != OC_OK) { /* it ended; or it may go better then */
        oc_knowns_forget(&daemon->discovery.knowns, known->pid);
        return;
    }
    known->state = OC_KNOWN_FAILED;
    known->from_bytes = UINT64_MAX;
}

/* ---- pidfiles ---- */

static int read_pidfile(const char *path, uint32_t *out_pid, void *context)
{
    const struct oc_daemon *daemon = context;
    char below[1024];
    int len = 0;

    if (!daemon->args.root)
        return oc_pidfile_read(path, out_pid);
    len = snprintf(below, sizeof(below), "%s%s", daemon->args.root, path);
    return len < 0 || (size_t)len >= sizeof(below) ? OC_E_TOOBIG : oc_pidfile_read(below, out_pid);
}

/* One that is named only now is another case than before. */
static void forget_named(struct oc_daemon *daemon, uint32_t pid)
{
    const struct oc_known *known = oc_knowns_find(&daemon->discovery.knowns, pid);

    if (known && known->state != OC_KNOWN_ASKED && !known->named)
        oc_knowns_forget(&daemon->discovery.knowns, pid);
}

void oc_matching_pidfiles(struct oc_daemon *daemon)
{
    struct oc_targets *targets = &daemon->config.targets;

    if (!daemon->discovery.has_pidfiles)
        return;
    oc_targets_read_pidfiles(targets, read_pidfile, daemon);
    for (size_t i = 0; i < targets->count; i++) {
        for (size_t k = 0; k < targets->items[i].words[OC_SELECT_PIDFILE].count; k++)
            forget_named(daemon, targets->items[i].pidfile_pids[k]);
    }
}

void oc_matching_count(const struct oc_daemon *daemon, uint32_t *out_counts)
{
    memset(out_counts, 0, daemon->config.targets.count * sizeof(out_counts[0]));
    for (size_t i = 0; i < daemon->sources.count; i++) {
        const struct oc_source *source = daemon->sources.slots[i];

        if (source && (source->kind == OC_SOURCE_PROCESS || source->held_as) &&
            source->target < daemon->config.targets.count)
            out_counts[source->target]++;
    }
}
