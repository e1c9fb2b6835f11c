/* Alerts that someone is told of, and who knows what of them. */
#include "alert/alert.h"
#include "alert/dispatch_own.h"
#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

/* ---- labels ---- */

static void free_labels(char **labels)
{
    for (char **text = labels; text && *text; text++)
        oc_free(*text);
    oc_free(labels);
}

static int copy_labels(const char *const *pairs, char ***out_labels)
{
    size_t count = 0;
    char **labels = NULL;

    while (pairs && pairs[count])
        count++;
    if (count == 0) {
        *out_labels = NULL;
        return OC_OK;
    }
    labels = oc_calloc(count + 1, sizeof(*labels));
    for (size_t i = 0; labels && i < count; i++) {
        labels[i] = oc_strdup(pairs[i]);
        if (!labels[i]) {
            free_labels(labels);
            labels = NULL;
        }
    }
    *out_labels = labels;
    return labels ? OC_OK : OC_E_NOMEM;
}

static int are_labels(char *const *labels, const char *const *pairs)
{
    size_t i = 0;

    if (!labels || !pairs)
        return !labels && (!pairs || !pairs[0]);
    while (labels[i] && pairs[i] && strcmp(labels[i], pairs[i]) == 0)
        i++;
    return !labels[i] && !pairs[i];
}

/* ---- entries ---- */

static struct oc_entry **bucket_of(oc_dispatch *dispatch, uint64_t fingerprint)
{
    return &dispatch->entries[(fingerprint ^ fingerprint >> 32) % OC_ENTRY_BUCKETS];
}

struct oc_entry *oc_entry_find(const oc_dispatch *dispatch, uint64_t fingerprint)
{
    struct oc_entry *entry =
        dispatch->entries[(fingerprint ^ fingerprint >> 32) % OC_ENTRY_BUCKETS];

    while (entry && entry->alert.fingerprint != fingerprint)
        entry = entry->next;
    return entry;
}

static int new_entry(oc_dispatch *dispatch, uint64_t fingerprint, struct oc_entry **out_entry)
{
    struct oc_entry **bucket = bucket_of(dispatch, fingerprint);
    struct oc_entry *entry = NULL;

    if (dispatch->entry_count >= OC_ENTRIES_MAX)
        return OC_E_TOOBIG;
    entry = oc_calloc(1, sizeof(*entry));
    if (!entry)
        return OC_E_NOMEM;
    entry->alert.fingerprint = fingerprint;
    entry->next = *bucket;
    *bucket = entry;
    dispatch->entry_count++;
    *out_entry = entry;
    return OC_OK;
}

int oc_entry_put(oc_dispatch *dispatch, const struct oc_alert *alert,
                 const char *const *label_pairs, struct oc_entry **out_entry)
{
    struct oc_entry *entry = oc_entry_find(dispatch, alert->fingerprint);
    char **labels = NULL;
    int rc = OC_OK;

    if (!entry || !are_labels(entry->labels, label_pairs))
        rc = copy_labels(label_pairs, &labels);
    if (rc < 0 && entry)
        rc = OC_OK; /* the old ones do: what it says of an end must not be lost */
    if (rc == OC_OK && !entry)
        rc = new_entry(dispatch, alert->fingerprint, &entry);
    if (rc < 0 || !entry) {
        free_labels(labels);
        return rc;
    }
    if (labels) {
        free_labels(entry->labels);
        entry->labels = labels;
    }
    entry->alert = *alert;
    *out_entry = entry;
    return OC_OK;
}

void oc_entry_free_if_unused(oc_dispatch *dispatch, struct oc_entry *entry)
{
    struct oc_entry **at = bucket_of(dispatch, entry->alert.fingerprint);

    if (entry->told)
        return;
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    dispatch->entry_count--;
    free_labels(entry->labels);
    oc_free(entry);
}

/* ---- told ---- */

struct oc_told *oc_told_find(const struct oc_entry *entry, const struct oc_box *box)
{
    struct oc_told *told = entry->told;

    while (told && told->group->to != box)
        told = told->next_of_entry;
    return told;
}

int oc_told_put(oc_dispatch *dispatch, struct oc_entry *entry, struct oc_box *box,
                struct oc_told **out_told)
{
    struct oc_told *told = oc_told_find(entry, box);
    struct oc_group *group = NULL;

    if (told) {
        *out_told = told;
        return OC_OK;
    }
    if (oc_group_put(dispatch, box, oc_group_key(box->receiver, entry->alert.rule),
                     entry->alert.rule, &group) < 0)
        return OC_E_NOMEM;
    told = oc_calloc(1, sizeof(*told));
    if (!told)
        return OC_E_NOMEM;
    told->entry = entry;
    told->group = group;
    told->next_of_entry = entry->told;
    entry->told = told;
    told->next_in_group = group->told;
    if (group->told)
        group->told->prev_in_group = told;
    group->told = told;
    *out_told = told;
    return OC_OK;
}

void oc_told_leave(struct oc_told *told)
{
    struct oc_row *row = told->row;

    if (!row)
        return;
    if (told->prev_in_row)
        told->prev_in_row->next_in_row = told->next_in_row;
    else
        row->told = told->next_in_row;
    if (told->next_in_row)
        told->next_in_row->prev_in_row = told->prev_in_row;
    told->prev_in_row = told->next_in_row = NULL;
    told->row = NULL;
    row->told_count--;
}

void oc_told_enter(struct oc_told *told, struct oc_row *row)
{
    oc_told_leave(told);
    told->next_in_row = row->told;
    if (row->told)
        row->told->prev_in_row = told;
    row->told = told;
    told->row = row;
    told->said = OC_SAID_NOTHING; /* until its body is written */
    row->told_count++;
}

void oc_told_free(oc_dispatch *dispatch, struct oc_told *told)
{
    struct oc_entry *entry = told->entry;
    struct oc_told **at = &entry->told;

    oc_told_leave(told);
    while (*at != told)
        at = &(*at)->next_of_entry;
    *at = told->next_of_entry;
    if (told->prev_in_group)
        told->prev_in_group->next_in_group = told->next_in_group;
    else
        told->group->told = told->next_in_group;
    if (told->next_in_group)
        told->next_in_group->prev_in_group = told->prev_in_group;
    oc_free(told);
    oc_entry_free_if_unused(dispatch, entry);
}

/* ---- groups ---- */

uint64_t oc_group_key(const struct oc_receiver *receiver, const char *rule)
{
    return oc_alert_fingerprint(receiver->name, rule, OC_SEVERITY_NONE, "group");
}

int oc_group_put(oc_dispatch *dispatch, struct oc_box *box, uint64_t key, const char *rule,
                 struct oc_group **out_group)
{
    struct oc_group **bucket = &dispatch->groups[(key ^ key >> 32) % OC_GROUP_BUCKETS];
    struct oc_group *group = *bucket;

    while (group && (group->key != key || group->to != box))
        group = group->next;
    if (!group) {
        group = oc_calloc(1, sizeof(*group));
        if (!group)
            return OC_E_NOMEM;
        group->key = key;
        group->to = box;
        (void)oc_text_copy(group->rule, sizeof(group->rule), rule);
        group->next = *bucket;
        *bucket = group;
    }
    *out_group = group;
    return OC_OK;
}

void oc_group_mark(oc_dispatch *dispatch, struct oc_group *group)
{
    if (group->is_dirty)
        return;
    group->is_dirty = 1;
    group->next_dirty = dispatch->dirty;
    dispatch->dirty = group;
}

static void unmark(oc_dispatch *dispatch, struct oc_group *group)
{
    struct oc_group **at = &dispatch->dirty;

    while (group->is_dirty && *at != group)
        at = &(*at)->next_dirty;
    if (group->is_dirty)
        *at = group->next_dirty;
    group->is_dirty = 0;
}

void oc_known_forget(oc_dispatch *dispatch, const struct oc_box *box)
{
    for (size_t i = 0; i < OC_GROUP_BUCKETS; i++) {
        struct oc_group **at = &dispatch->groups[i];

        while (*at) {
            struct oc_group *group = *at;

            if (group->to != box) {
                at = &group->next;
                continue;
            }
            while (group->told)
                oc_told_free(dispatch, group->told);
            unmark(dispatch, group);
            *at = group->next;
            oc_free(group);
        }
    }
}
