/* Groups: who is to be told what, and when. */
#include "alert/dispatch_own.h"
#include "base/alloc.h"

#include <string.h>

static int is_open(const struct oc_row *row) { return row && row->group->open == row; }

/* What is due and was not handed over waits for its receiver: all that is in it will be told. */
static int is_ripe(const struct oc_row *row, int64_t now_ms)
{
    return row->body && row->plain.next_unix_ms <= now_ms;
}

/*
 * Of an alert that ended before anyone was told: told where it counts by itself (an end, a kill) or was there for as
 * long as one waits for a group; what came and went in between is no news.
 */
static int counts_ended(const oc_dispatch *dispatch, const struct oc_alert *alert)
{
    return alert->state == OC_ALERT_DIED || alert->kind == OC_RULE_OOM_KILL ||
           alert->ended_unix_ms - alert->firing_unix_ms >= dispatch->options.group_wait_ms;
}

/* What the receiver is to be told of it now; NOTHING: nothing new. */
static enum oc_said news_of(const oc_dispatch *dispatch, const struct oc_told *told, int64_t now_ms)
{
    const struct oc_alert *alert = &told->entry->alert;
    const int is_muted = (alert->mutes & OC_ALERT_MUTES) != 0;
    const int waits = is_open(told->row);

    if (told->again == OC_AGAIN_UNDELIVERED || (waits && is_ripe(told->row, now_ms)))
        return oc_alert_says(alert);
    if (oc_alert_fires(alert)) {
        const int is_news = told->heard != OC_SAID_FIRING || told->again == OC_AGAIN_REMINDER;

        return is_news && !is_muted ? OC_SAID_FIRING : OC_SAID_NOTHING;
    }
    if (told->heard == OC_SAID_FIRING) {
        /* whatever mutes it meanwhile; a death is no resolution */
        const int is_wanted =
            told->group->to->receiver->send_resolved || alert->state == OC_ALERT_DIED;

        return is_wanted ? OC_SAID_ENDED : OC_SAID_NOTHING;
    }
    return waits && !is_muted && counts_ended(dispatch, alert) ? OC_SAID_ENDED : OC_SAID_NOTHING;
}

void oc_told_settle(oc_dispatch *dispatch, struct oc_told *told)
{
    const struct oc_alert *alert = &told->entry->alert;

    if (told->row)
        return;
    told->again = OC_AGAIN_NOT;
    if ((oc_alert_fires(alert) && told->entry->is_confirmed) || told->group->is_dirty)
        return; /* it goes on, or is to be looked at */
    if (!oc_alert_fires(alert) && told->heard == OC_SAID_FIRING &&
        (told->group->to->receiver->send_resolved || alert->state == OC_ALERT_DIED))
        oc_group_mark(dispatch, told->group);
    else
        oc_told_free(dispatch, told);
}

/* News go into the open row, the rest leaves it. */
static int sort(oc_dispatch *dispatch, struct oc_group *group, int64_t now_ms)
{
    struct oc_told *next = NULL;

    for (struct oc_told *told = group->told; told; told = next) {
        const enum oc_said news = news_of(dispatch, told, now_ms);

        next = told->next_in_group;
        if (news != OC_SAID_NOTHING && !is_open(told->row)) {
            if (told->row && told->row->plain.attempts == 0 && told->said == (uint8_t)news)
                continue; /* in a digest that was not handed over yet */
            if (!group->open &&
                oc_row_new(dispatch, group, NULL, now_ms, &(struct oc_row *){ NULL }) < 0)
                return OC_E_NOMEM;
            oc_told_enter(told, group->open);
        } else if (news == OC_SAID_NOTHING && is_open(told->row)) {
            oc_told_leave(told);
        }
        if (news == OC_SAID_NOTHING && !told->row && !oc_alert_fires(&told->entry->alert))
            oc_told_free(dispatch, told);
    }
    return OC_OK;
}

static uint8_t worst_in(const struct oc_row *row)
{
    uint8_t worst = row->plain.severity;

    for (const struct oc_told *told = row->told; told; told = told->next_in_row) {
        if (told->entry->alert.severity > worst)
            worst = told->entry->alert.severity;
    }
    return worst;
}

/* The first news of a group wait for what comes with them; later ones are apart. */
static int64_t due_of(const oc_dispatch *dispatch, const struct oc_group *group)
{
    const struct oc_row *row = group->open;
    const int64_t wait_ms = dispatch->options.group_wait_ms;
    const int64_t apart_ms =
        worst_in(row) == OC_SEVERITY_CRITICAL ? wait_ms : dispatch->options.group_interval_ms;
    const int64_t first_ms = row->plain.made_unix_ms + wait_ms;
    const int64_t later_ms = group->last_ms + apart_ms;

    return group->last_ms > 0 && later_ms > first_ms ? later_ms : first_ms;
}

/* Whether it still says how things are: none of its alerts was told of since. */
static int is_current(const struct oc_row *row)
{
    if (row->told_count != row->handed_count)
        return 0;
    for (const struct oc_told *told = row->told; told; told = told->next_in_row) {
        if (oc_alert_says(&told->entry->alert) != told->heard)
            return 0;
    }
    return 1;
}

/*
 * Rows that are told again by the newest, as a list ahead of which the open one stands: after an outage all that waits,
 * and of those that were parked what is out of date.
 */
static struct oc_row *rows_to_fold(const struct oc_group *group)
{
    const struct oc_row *first = group->first;
    const int is_out = first && first != group->last && first->failures >= OC_FOLD_AFTER;
    struct oc_row *list = NULL;

    for (struct oc_row *row = group->last; row; row = row->prev_in_group) {
        if (row == group->open || row->is_in_flight)
            continue;
        if (!is_out && !(row->was_parked && !is_current(row)))
            continue;
        row->next_folded = list;
        list = row;
    }
    return list;
}

static int64_t earliest(const struct oc_row *list)
{
    int64_t next_ms = OC_NEVER;

    for (; list; list = list->next_folded) {
        if (list->plain.next_unix_ms < next_ms)
            next_ms = list->plain.next_unix_ms;
    }
    return next_ms;
}

static int write_open(oc_dispatch *dispatch, struct oc_group *group, int64_t now_ms)
{
    struct oc_row *open = group->open;
    const int is_kept = is_ripe(open, now_ms); /* its time has come */
    const int64_t folded_ms = earliest(open->next_folded);
    int rc = OC_OK;

    oc_heap_remove(open); /* it is in order by what changes */
    if (!is_kept)
        open->plain.next_unix_ms = due_of(dispatch, group);
    if (folded_ms < open->plain.next_unix_ms)
        open->plain.next_unix_ms = folded_ms;
    rc = oc_row_fold(dispatch, open, now_ms);
    if (rc < 0)
        oc_group_place(group);
    return rc;
}

int oc_group_update(oc_dispatch *dispatch, struct oc_group *group, int64_t now_ms)
{
    struct oc_row *list = NULL;

    if (group == group->to->digests)
        return OC_OK;
    if (sort(dispatch, group, now_ms) < 0)
        return OC_E_NOMEM;
    list = rows_to_fold(group);
    if (list && !group->open &&
        oc_row_new(dispatch, group, NULL, now_ms, &(struct oc_row *){ NULL }) < 0)
        return OC_E_NOMEM;
    if (!group->open)
        return OC_OK;
    group->open->next_folded = list;
    if (group->open->told_count == 0 && !list && !group->open->unnamed_firing &&
        !group->open->unnamed_ended) {
        oc_row_end(dispatch, group->open, OC_OUTBOX_DROPPED, "over before anyone was told", now_ms);
        return OC_OK;
    }
    return write_open(dispatch, group, now_ms);
}

/* ---- reminders ---- */

int64_t oc_renotify_of(const oc_dispatch *dispatch, const char *rule)
{
    for (size_t i = 0; i < dispatch->renotify_count; i++) {
        if (strcmp(dispatch->renotify[i].rule, rule) == 0)
            return dispatch->renotify[i].ms;
    }
    return dispatch->options.renotify_ms;
}

static int is_reminded_of(const struct oc_told *told)
{
    const struct oc_alert *alert = &told->entry->alert;

    return oc_alert_fires(alert) && told->entry->is_confirmed && told->heard == OC_SAID_FIRING &&
           !told->row && !(alert->mutes & (OC_ALERT_MUTES | OC_ALERT_ACKED));
}

/* Those that are due are told again with those that would soon be. Returns when the next one is due. */
static int64_t remind(oc_dispatch *dispatch, struct oc_group *group, int64_t now_ms)
{
    const int64_t every_ms = oc_renotify_of(dispatch, group->rule);
    const int64_t soon_ms = now_ms + dispatch->options.group_interval_ms;
    int64_t first_ms = OC_NEVER, later_ms = now_ms + every_ms;

    for (const struct oc_told *told = group->told; told; told = told->next_in_group) {
        if (is_reminded_of(told) && told->told_ms + every_ms < first_ms)
            first_ms = told->told_ms + every_ms;
    }
    if (first_ms > now_ms)
        return first_ms;
    for (struct oc_told *told = group->told; told; told = told->next_in_group) {
        const int64_t due_ms = told->told_ms + every_ms;

        if (!is_reminded_of(told))
            continue;
        if (due_ms <= soon_ms)
            told->again = OC_AGAIN_REMINDER;
        else if (due_ms < later_ms)
            later_ms = due_ms;
    }
    oc_group_mark(dispatch, group);
    return later_ms;
}

static int is_unused(const struct oc_group *group)
{
    const struct oc_box *box = group->to;

    if (group->told || group->first || group->is_dirty || group == box->digests)
        return 0;
    return box->parked == 0; /* parked ones are not listed in it */
}

void oc_groups_scan(oc_dispatch *dispatch, int64_t now_ms)
{
    int64_t next_ms = now_ms + dispatch->options.renotify_ms;

    for (size_t i = 0; i < OC_GROUP_BUCKETS; i++) {
        struct oc_group **at = &dispatch->groups[i];

        while (*at) {
            struct oc_group *group = *at;
            const int64_t due_ms = remind(dispatch, group, now_ms);

            if (due_ms < next_ms)
                next_ms = due_ms;
            if (is_unused(group) && group->last_ms + dispatch->options.group_interval_ms < now_ms) {
                *at = group->next;
                oc_free(group);
            } else {
                at = &group->next;
            }
        }
    }
    dispatch->next_scan_ms = next_ms;
}
