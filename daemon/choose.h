/* Which target a process belongs to, and what its series are called. Pure: facts are arguments. */
#ifndef OC_DAEMON_CHOOSE_H
#define OC_DAEMON_CHOOSE_H

#include "config/config.h"
#include "config/target.h"
#include "probes/probe.h"

#include <stdint.h>

/* What the config says of a process. */
enum oc_choice {
    OC_CHOICE_NO,
    OC_CHOICE_YES,
    OC_CHOICE_ASK /* it takes facts that are not there: a walk with OC_WALK_FACTS */
};

struct oc_chosen {
    uint32_t target; /* YES: its index; OC_TARGET_NONE: by size, where no target is for processes */
    uint64_t from_bytes; /* NO: the size from which the answer may be another; UINT64_MAX: never */
    int ignored;         /* NO, since a target says so, or it is the system's own helper of another */
};

/* YES also means that the facts suffice for oc_choose_subject(). */
enum oc_choice oc_choose(const struct oc_config *config, const struct oc_match_facts *facts,
                         struct oc_chosen *out_chosen);

/* What a process that was chosen is called. */
void oc_choose_subject(const struct oc_config *config, uint32_t target,
                       const struct oc_match_facts *facts, char out[OC_SUBJECT_BYTES]);

/* The target of an index, or NULL. */
const struct oc_target *oc_choose_target(const struct oc_config *config, uint32_t target);
/* The index of the target of the host, or OC_TARGET_NONE. */
uint32_t oc_choose_host(const struct oc_config *config);

/* Whether a target of the config folds children, so that parents matter. */
int oc_choose_folds(const struct oc_config *config);

/* Room for what facts point to. */
struct oc_choose_facts {
    struct oc_match_facts match;
    struct oc_identity identity;
};
/* Of what is read when a process is attached to; exe, cmdline and names are not known then. Borrows. */
void oc_choose_from_facts(const struct oc_proc_facts *facts, uint64_t rss_bytes,
                          struct oc_choose_facts *out_facts);
/* Of a walk: all is known then, be it as "it has none". Borrows. */
void oc_choose_from_walk(const struct oc_walk *walk, uint32_t pid, uint64_t rss_bytes,
                         struct oc_choose_facts *out_facts);

#endif
