/* After a restart: what was told, and what was still to be told. */
#include "alert/dispatch_own.h"
#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

#define ID_PREFIX "msg_"
#define ID_MS_DIGITS 13

int oc_dispatch_restore_alert(oc_dispatch *dispatch, const struct oc_alert *alert,
                              const char *const *label_pairs, int64_t told_unix_ms)
{
    const int is_new = !oc_entry_find(dispatch, alert->fingerprint);
    const int is_to_be_told = oc_alert_fires(alert) && !(alert->mutes & OC_ALERT_MUTES);
    struct oc_entry *entry = NULL;
    int rc = OC_OK;

    if (is_new && told_unix_ms == 0 && !is_to_be_told)
        return OC_OK;
    rc = oc_entry_put(dispatch, alert, label_pairs, &entry);
    if (rc == OC_OK)
        entry->is_confirmed = 1;
    for (size_t i = 0; i < dispatch->box_count && rc == OC_OK; i++) {
        struct oc_box *box = dispatch->boxes[i];
        struct oc_told *told = NULL;

        if (!oc_box_is_fed(box) || !oc_receiver_takes(box->receiver, alert, label_pairs))
            continue;
        rc = oc_told_put(dispatch, entry, box, &told);
        if (rc == OC_OK && told->heard == OC_SAID_NOTHING && told_unix_ms != 0) {
            told->heard = OC_SAID_FIRING;
            told->told_ms = told_unix_ms;
        }
        if (rc == OC_OK)
            oc_group_mark(dispatch, told->group);
    }
    if (entry)
        oc_entry_free_if_unused(dispatch, entry);
    dispatch->next_scan_ms = 0;
    return rc;
}

/* ---- rows ---- */

/* New ids go on behind it, whatever the clock says. */
static void note_id(oc_dispatch *dispatch, const char *id)
{
    char digits[ID_MS_DIGITS + 1] = "";
    int64_t made_ms = 0;

    if (strncmp(id, ID_PREFIX, strlen(ID_PREFIX)) != 0 ||
        strlen(id) < strlen(ID_PREFIX) + ID_MS_DIGITS)
        return;
    memcpy(digits, id + strlen(ID_PREFIX), ID_MS_DIGITS);
    if (oc_text_i64(digits, &made_ms) == OC_OK && made_ms >= dispatch->id_ms) {
        dispatch->id_ms = made_ms + 1;
        dispatch->id_count = 0;
    }
}

static void refuse(const oc_dispatch *dispatch, const struct oc_outbox_row *row, const char *why)
{
    struct oc_outbox_row dropped = *row;

    dropped.state = OC_OUTBOX_DROPPED;
    dropped.done_unix_ms = row->made_unix_ms;
    dropped.why = why;
    dropped.body = NULL;
    dropped.body_bytes = 0;
    if (dispatch->calls.store)
        dispatch->calls.store(&dropped, dispatch->calls.context);
}

/* One alert of its notice: told by this row, unless a later one of the restored tells of it. */
static int take_alert(oc_dispatch *dispatch, struct oc_row *row, const struct oc_notice_alert *from)
{
    struct oc_entry *entry = oc_entry_find(dispatch, from->alert.fingerprint);
    struct oc_told *told = NULL;
    int rc = OC_OK;

    if (!entry || entry->alert.changed_unix_ms < from->alert.changed_unix_ms)
        rc = oc_entry_put(dispatch, &from->alert, (const char *const *)from->labels, &entry);
    if (rc == OC_OK)
        rc = oc_told_put(dispatch, entry, row->group->to, &told);
    if (rc < 0 || !told) {
        if (entry)
            oc_entry_free_if_unused(dispatch, entry);
        return rc;
    }
    if (!told->row || told->row->order < row->order) {
        oc_told_enter(told, row);
        told->said = told->heard = (uint8_t)oc_alert_says(&from->alert);
        told->told_ms = row->plain.made_unix_ms;
    }
    oc_group_mark(dispatch, told->group);
    return OC_OK;
}

static void set_unnamed(struct oc_row *row, const struct oc_notice *notice)
{
    uint32_t firing = 0;

    for (size_t i = 0; i < notice->count; i++)
        firing += oc_alert_fires(&notice->alerts[i].alert) ? 1u : 0u;
    row->unnamed_firing = notice->firing > firing ? notice->firing - firing : 0;
    if (row->unnamed_firing > notice->more)
        row->unnamed_firing = notice->more;
    row->unnamed_ended = notice->more - row->unnamed_firing;
    row->folded = notice->folded;
}

static int make_row(oc_dispatch *dispatch, struct oc_group *group, const struct oc_outbox_row *from,
                    const struct oc_notice *notice, struct oc_row **out_row)
{
    char *body = oc_strndup(from->body, from->body_bytes);
    struct oc_row *row = NULL;

    if (!body)
        return OC_E_NOMEM;
    if (oc_row_new(dispatch, group, from->id, from->made_unix_ms, &row) < 0) {
        oc_free(body);
        return OC_E_NOMEM;
    }
    group->open = NULL; /* it may have been handed over */
    oc_row_set_body(dispatch, row, body, from->body_bytes);
    row->plain.severity = from->severity;
    row->plain.is_digest = from->is_digest;
    row->plain.attempts = row->failures = from->attempts;
    row->plain.next_unix_ms = from->next_unix_ms;
    row->plain.status = from->status;
    (void)oc_text_copy(row->why, sizeof(row->why), from->why ? from->why : "");
    set_unnamed(row, notice);
    if (row->plain.severity > group->rank)
        group->rank = row->plain.severity;
    oc_row_set_class(row);
    *out_row = row;
    return OC_OK;
}

static int restore_notice(oc_dispatch *dispatch, struct oc_box *box,
                          const struct oc_outbox_row *from, const struct oc_notice *notice)
{
    const char *rule = notice->count > 0 && !from->is_digest ? notice->alerts[0].alert.rule : "";
    struct oc_group *group = NULL;
    struct oc_row *row = NULL;
    int rc = OC_OK;

    if (oc_group_put(dispatch, box, from->group, rule, &group) < 0)
        return OC_E_NOMEM;
    if (from->is_digest)
        box->digests = group;
    rc = make_row(dispatch, group, from, notice, &row);
    for (size_t i = 0; i < notice->count && rc == OC_OK; i++)
        rc = take_alert(dispatch, row, &notice->alerts[i]);
    if (rc < 0) {
        if (row)
            oc_row_free(dispatch, row);
        return rc;
    }
    row->handed_count = row->told_count;
    if (from->state == OC_OUTBOX_PARKED)
        oc_row_park(row);
    else
        oc_group_place(group);
    return OC_OK;
}

int oc_dispatch_restore_row(oc_dispatch *dispatch, const struct oc_outbox_row *row)
{
    struct oc_box *box = oc_box_find(dispatch, row->receiver);
    struct oc_notice notice = { 0 };
    int rc = OC_OK;

    note_id(dispatch, row->id);
    if (row->state != OC_OUTBOX_WAITING && row->state != OC_OUTBOX_PARKED)
        return OC_OK;
    if (!box || !oc_box_is_fed(box)) {
        refuse(dispatch, row, "its receiver is gone");
        return OC_OK;
    }
    rc = oc_notice_read(row->body ? row->body : "", row->body_bytes, &notice, NULL);
    if (rc == OC_E_NOMEM)
        return rc;
    if (rc < 0) {
        refuse(dispatch, row, "its body is damaged");
        return OC_E_PARSE;
    }
    rc = restore_notice(dispatch, box, row, &notice);
    oc_notice_clear(&notice);
    return rc;
}
