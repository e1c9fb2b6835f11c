#include "daemon/choose.h"

enum {
    OF_CGROUP = 1u << OC_SELECT_UNIT | 1u << OC_SELECT_CGROUP | 1u << OC_SELECT_CONTAINER_ID,
    OF_NAMES = 1u << OC_SELECT_USER | 1u << OC_SELECT_CONTAINER | 1u << OC_SELECT_POD |
               1u << OC_SELECT_POD_NAMESPACE | 1u << OC_SELECT_POD_CONTAINER | OC_SELECTS_WINDOWS
};

/* Selectors were matched, so what they name is known; a template may name more. */
static int can_name(const struct oc_target *target, const struct oc_match_facts *facts)
{
    uint32_t needs = oc_subject_needs(target);

    return (!(needs & 1u << OC_SELECT_EXE) || facts->exe) &&
           (!(needs & OF_CGROUP) || facts->identity) && (!(needs & OF_NAMES) || facts->names) &&
           (target->source != OC_TARGET_CGROUP || facts->cgroup);
}

/* The smallest size above the process's that some target asks for. */
static uint64_t next_size(const struct oc_config *config, uint64_t rss_bytes)
{
    uint64_t next_bytes = UINT64_MAX;

    for (size_t i = 0; i < config->targets.count; i++) {
        const struct oc_target *target = &config->targets.items[i];

        if ((target->selectors & (1u << OC_SELECT_MIN_SIZE)) &&
            target->min_size_bytes > rss_bytes && target->min_size_bytes < next_bytes)
            next_bytes = target->min_size_bytes;
    }
    return next_bytes;
}

const struct oc_target *oc_choose_target(const struct oc_config *config, uint32_t target)
{
    return target < config->targets.count ? &config->targets.items[target] : NULL;
}

uint32_t oc_choose_host(const struct oc_config *config)
{
    for (size_t i = 0; i < config->targets.count; i++) {
        if (config->targets.items[i].source == OC_TARGET_HOST)
            return (uint32_t)i;
    }
    return OC_TARGET_NONE;
}

/* One that only labels the host leaves the processes to their size. */
static int has_targets(const struct oc_config *config)
{
    for (size_t i = 0; i < config->targets.count; i++) {
        if (config->targets.items[i].source != OC_TARGET_HOST)
            return 1;
    }
    return 0;
}

static enum oc_choice choose_by_size(const struct oc_config *config,
                                     const struct oc_match_facts *facts, struct oc_chosen *out)
{
    out->from_bytes = config->min_size_bytes;
    return facts->rss_bytes >= config->min_size_bytes ? OC_CHOICE_YES : OC_CHOICE_NO;
}

enum oc_choice oc_choose(const struct oc_config *config, const struct oc_match_facts *facts,
                         struct oc_chosen *out_chosen)
{
    struct oc_match_result result = { .target = OC_TARGET_NONE };
    const struct oc_target *target = NULL;

    *out_chosen = (struct oc_chosen){ .target = OC_TARGET_NONE, .from_bytes = UINT64_MAX };
    if (!has_targets(config))
        return choose_by_size(config, facts, out_chosen);
    switch (oc_targets_match(&config->targets, facts, &result)) {
    case OC_MATCH_UNSURE:
        return OC_CHOICE_ASK;
    case OC_MATCH_NO:
        out_chosen->from_bytes = next_size(config, facts->rss_bytes);
        out_chosen->ignored = oc_target_is_bystander(facts->name);
        return OC_CHOICE_NO;
    case OC_MATCH_YES:
        break;
    }
    target = &config->targets.items[result.target];
    if (target->ignore) {
        out_chosen->from_bytes = next_size(config, facts->rss_bytes);
        out_chosen->ignored = 1;
        return OC_CHOICE_NO;
    }
    if (!can_name(target, facts))
        return OC_CHOICE_ASK;
    out_chosen->target = result.target;
    return OC_CHOICE_YES;
}

void oc_choose_subject(const struct oc_config *config, uint32_t target,
                       const struct oc_match_facts *facts, char out[OC_SUBJECT_BYTES])
{
    static const struct oc_target by_name; /* no template: the default */
    const struct oc_target *own = oc_choose_target(config, target);

    oc_target_subject(own ? own : &by_name, facts, out);
}

int oc_choose_folds(const struct oc_config *config)
{
    for (size_t i = 0; i < config->targets.count; i++) {
        if (config->targets.items[i].children == OC_CHILDREN_FOLD)
            return 1;
    }
    return 0;
}

void oc_choose_from_facts(const struct oc_proc_facts *facts, uint64_t rss_bytes,
                          struct oc_choose_facts *out_facts)
{
    out_facts->match = (struct oc_match_facts){
        .pid = facts->id.pid, .name = facts->name, .rss_bytes = rss_bytes, .uid = facts->uid
    };
    if (facts->cgroup[0] == '\0')
        return;
    oc_identity_of_cgroup(facts->cgroup, &out_facts->identity);
    out_facts->match.cgroup = facts->cgroup;
    out_facts->match.identity = &out_facts->identity;
}

void oc_choose_from_walk(const struct oc_walk *walk, uint32_t pid, uint64_t rss_bytes,
                         struct oc_choose_facts *out_facts)
{
    oc_identity_of_cgroup(walk->facts.cgroup, &out_facts->identity);
    out_facts->match = (struct oc_match_facts){ .pid = pid,
                                                .name = walk->facts.name,
                                                .rss_bytes = rss_bytes,
                                                .uid = walk->facts.uid,
                                                .exe = walk->facts.exe,
                                                .cmdline = walk->cmdline ? walk->cmdline : "",
                                                .cgroup = walk->facts.cgroup,
                                                .identity = &out_facts->identity,
                                                .names = &walk->names };
}
