#include "daemon/refit.h"

#include "daemon/cgroups.h"
#include "daemon/choose.h"
#include "daemon/daemon.h"
#include "daemon/matching.h"
#include "daemon/sums.h"

#include "base/text.h"

#include <string.h>

/* What is known of it without asking. */
static void facts_of_source(const struct oc_source *source, struct oc_match_facts *out)
{
    int64_t rss_bytes = 0;

    (void)oc_last_value(&source->last, OC_METRIC_RSS, &rss_bytes);
    *out = (struct oc_match_facts){ .pid = source->id_of_proc.pid,
                                    .name = source->name,
                                    .rss_bytes = (uint64_t)rss_bytes,
                                    .uid = -1 };
}

/*
 * The config's answer for one that is watched. One that was large enough stays so though it shrank:
 * where its own target is still the answer for the largest size, it is the answer.
 */
static enum oc_choice choose_sticky(const struct oc_daemon *daemon, const struct oc_source *source,
                                    const struct oc_match_facts *facts, struct oc_chosen *out)
{
    struct oc_match_facts large = *facts;
    struct oc_chosen by_size;
    enum oc_choice now = oc_choose(&daemon->config, facts, out);
    enum oc_choice then = OC_CHOICE_NO;

    if (now == OC_CHOICE_ASK || (now == OC_CHOICE_YES && out->target == source->target))
        return now;
    large.rss_bytes = UINT64_MAX;
    then = oc_choose(&daemon->config, &large, &by_size);
    if (then == OC_CHOICE_ASK)
        return OC_CHOICE_ASK;
    if (then == OC_CHOICE_YES && by_size.target == source->target) {
        *out = by_size;
        return OC_CHOICE_YES;
    }
    return now;
}

/* As what an ancestor wants it. 1, or 0: none does. */
static int as_folded(const struct oc_daemon *daemon, uint32_t parent_pid, uint64_t start_ticks,
                     struct oc_watch_as *as, char subject[OC_SUBJECT_BYTES])
{
    const struct oc_source *folder = oc_matching_folder(daemon, parent_pid, start_ticks);

    if (!folder)
        return 0;
    (void)oc_text_copy(subject, OC_SUBJECT_BYTES, folder->subject->name);
    *as = (struct oc_watch_as){ .target = folder->target, .subject = subject, .folded = 1 };
    return 1;
}

int oc_refit_exec(struct oc_daemon *daemon, struct oc_source *source, struct oc_watch_as *out_as,
                  char subject[OC_SUBJECT_BYTES])
{
    const struct oc_proc_facts *facts = oc_proc_facts(source->proc);
    const struct oc_target *target = NULL;
    struct oc_choose_facts known;
    struct oc_chosen chosen;

    oc_choose_from_facts(facts, UINT64_MAX, &known);
    switch (oc_choose(&daemon->config, &known.match, &chosen)) {
    case OC_CHOICE_ASK:
        return 0;
    case OC_CHOICE_NO:
        return !chosen.ignored &&
               as_folded(daemon, facts->parent_pid, facts->id.start_ticks, out_as, subject);
    case OC_CHOICE_YES:
        break;
    }
    target = oc_choose_target(&daemon->config, chosen.target);
    if (target && target->source == OC_TARGET_CGROUP)
        return 0;
    oc_choose_subject(&daemon->config, chosen.target, &known.match, subject);
    *out_as = (struct oc_watch_as){ .target = chosen.target, .subject = subject };
    return 1;
}

/* It is to be watched as that from now on; what is the same already is left alone. */
static void apply(struct oc_daemon *daemon, struct oc_source *source, const struct oc_watch_as *as)
{
    if (strcmp(source->subject->name, as->subject) != 0) {
        oc_watch_renew(daemon, source, OC_END_UNWATCHED, as);
        return;
    }
    source->target = as->target;
    source->folded = as->folded != 0;
    oc_limits_tell(daemon, source);
    oc_sums_joined(daemon, source);
    oc_watch_set_interval(daemon, source);
}

static void apply_choice(struct oc_daemon *daemon, struct oc_source *source,
                         const struct oc_match_facts *facts, enum oc_choice choice,
                         const struct oc_chosen *chosen)
{
    char subject[OC_SUBJECT_BYTES];
    struct oc_watch_as as = { .target = chosen->target, .subject = subject };
    const struct oc_target *target = oc_choose_target(&daemon->config, chosen->target);

    if (choice == OC_CHOICE_YES && target && target->source == OC_TARGET_CGROUP) {
        oc_watch_end(daemon, source, OC_END_UNWATCHED,
                     -1); /* its cgroup follows with the next scan */
    } else if (choice == OC_CHOICE_YES) {
        oc_choose_subject(&daemon->config, chosen->target, facts, subject);
        apply(daemon, source, &as);
    } else if (!chosen->ignored && as_folded(daemon, source->parent_pid,
                                             source->id_of_proc.start_ticks, &as, subject)) {
        apply(daemon, source, &as);
    } else {
        oc_watch_end(daemon, source, OC_END_UNWATCHED, -1);
    }
}

static void ask_watched(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_job job = { .kind = OC_JOB_FACTS,
                          .want = OC_WALK_FACTS,
                          .slot = source->slot,
                          .pid = source->id_of_proc.pid,
                          .start_ticks = source->id_of_proc.start_ticks };

    source->asked = daemon->walker && oc_walker_ask(daemon->walker, &job) == OC_OK;
}

static void refit(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_match_facts facts;
    struct oc_chosen chosen;
    enum oc_choice choice = OC_CHOICE_NO;

    if (daemon->args.pids_path) {
        oc_watch_set_interval(daemon, source);
        return;
    }
    facts_of_source(source, &facts);
    choice = choose_sticky(daemon, source, &facts, &chosen);
    if (choice == OC_CHOICE_ASK)
        ask_watched(daemon, source);
    else
        apply_choice(daemon, source, &facts, choice, &chosen);
}

void oc_refit_facts(struct oc_daemon *daemon, struct oc_source *source, const struct oc_walk *walk)
{
    struct oc_choose_facts facts;
    struct oc_chosen chosen;
    int64_t rss_bytes = 0;
    enum oc_choice choice = OC_CHOICE_NO;

    (void)oc_last_value(&source->last, OC_METRIC_RSS, &rss_bytes);
    source->asked = 0;
    oc_choose_from_walk(walk, source->id_of_proc.pid, (uint64_t)rss_bytes, &facts);
    choice = choose_sticky(daemon, source, &facts.match, &chosen);
    apply_choice(daemon, source, &facts.match, choice, &chosen);
}

/* Names that nobody gave, "targets[3]", are of a file. */
static int is_same_target(const struct oc_target *a, const struct oc_target *b)
{
    return strcmp(a->name, b->name) == 0 &&
           strcmp(a->file ? a->file : "", b->file ? b->file : "") == 0;
}

static uint32_t find_same(const struct oc_targets *targets, const struct oc_target *target)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (is_same_target(&targets->items[i], target))
            return (uint32_t)i;
    }
    return OC_TARGET_NONE;
}

void oc_refit_map(struct oc_daemon *daemon, const struct oc_config *next)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];
        const struct oc_target *target = source ? oc_target_of(daemon, source) : NULL;

        if (target)
            source->target = find_same(&next->targets, target);
    }
}

/* Those that match by themselves first: the folded follow their ancestors. */
static void refit_processes(struct oc_daemon *daemon, int folded)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (source && !source->ended && source->kind == OC_SOURCE_PROCESS &&
            source->folded == folded)
            refit(daemon, source);
    }
}

static void refit_system(struct oc_daemon *daemon, struct oc_source *source)
{
    if (source->kind == OC_SOURCE_GROUP && source->subject)
        source->target = source->subject->members->target;
    if (source->kind == OC_SOURCE_HOST)
        source->target = oc_choose_host(&daemon->config);
    if (source->kind == OC_SOURCE_CGROUP && source->held_as && source->target == OC_TARGET_NONE) {
        oc_cgroups_let_go(daemon, source);
        return;
    }
    oc_limits_tell(daemon, source);
    oc_watch_set_interval(daemon, source);
}

void oc_refit_all(struct oc_daemon *daemon)
{
    oc_knowns_clear(&daemon->discovery.knowns);
    oc_discovery_note_config(daemon);
    oc_matching_pidfiles(daemon);
    refit_processes(daemon, 0);
    refit_processes(daemon, 1);
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (source && !source->ended && source->kind != OC_SOURCE_PROCESS)
            refit_system(daemon, source);
    }
}
