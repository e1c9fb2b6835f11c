#include "tests/unit/daemon/target_fixture.h"

#include "base/alloc.h"

#include <check.h>
#include <string.h>

struct oc_target *add_target(struct oc_config *config, const char *name)
{
    struct oc_targets *targets = &config->targets;
    struct oc_target *items =
        oc_realloc(targets->items, (targets->count + 1) * sizeof(targets->items[0]));
    struct oc_target *target = NULL;

    ck_assert_ptr_nonnull(items);
    targets->items = items;
    target = &items[targets->count++];
    memset(target, 0, sizeof(*target));
    target->name = oc_strdup(name);
    return target;
}

void select_word(struct oc_target *target, enum oc_selector selector, const char *word)
{
    struct oc_words *words = &target->words[selector];
    size_t count = words->count + 1;

    words->items = oc_realloc(words->items, count * sizeof(words->items[0]));
    ck_assert_ptr_nonnull(words->items);
    words->items[words->count++] = oc_strdup(word);
    target->selectors |= 1u << selector;
    if (selector == OC_SELECT_PIDFILE) {
        target->pidfile_pids =
            oc_realloc(target->pidfile_pids, count * sizeof(target->pidfile_pids[0]));
        target->pidfile_pids[count - 1] = 0;
    }
}

void select_cmdline(struct oc_target *target, const char *regex)
{
    struct oc_detail detail = { 0 };

    select_word(target, OC_SELECT_CMDLINE_REGEX, regex);
    target->cmdline_regexes = oc_calloc(1, sizeof(target->cmdline_regexes[0]));
    ck_assert_msg(oc_pattern_new(regex, &target->cmdline_regexes[0], &detail) == OC_OK, "%s",
                  detail.text);
}

void select_size(struct oc_target *target, uint64_t bytes)
{
    target->selectors |= 1u << OC_SELECT_MIN_SIZE;
    target->min_size_bytes = bytes;
}

void name_subject(struct oc_target *target, const char *subject)
{
    target->subject = oc_strdup(subject);
}
