/* What a row says: the latest state of each of its alerts, as many in full as a person reads. */
#include "alert/dispatch_own.h"
#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Those that are told in full, in their order. */
struct choice {
    const struct oc_entry *items[OC_NOTICE_ALERTS_MAX];
    size_t count;
};

static double time_left(const struct oc_alert *alert)
{
    const double p50_s = alert->about.forecast.p50_s;
    const int is_forecast = alert->about.limit.kind != 0 || alert->about.forecast.state != 0;

    return is_forecast && p50_s == p50_s ? p50_s : (double)OC_NEVER;
}

/* Firing ones first, worst first, soonest first; then by name, so that the order is stable. */
static int is_before(const struct oc_alert *a, const struct oc_alert *b)
{
    const double left_a = time_left(a), left_b = time_left(b);

    if (oc_alert_fires(a) != oc_alert_fires(b))
        return oc_alert_fires(a);
    if (a->severity != b->severity)
        return a->severity > b->severity;
    if (left_a < left_b || left_b < left_a)
        return left_a < left_b;
    return strcmp(a->subject, b->subject) < 0;
}

static void choose(struct choice *choice, const struct oc_entry *entry)
{
    size_t at = choice->count;

    if (at == OC_NOTICE_ALERTS_MAX) {
        if (!is_before(&entry->alert, &choice->items[at - 1]->alert))
            return;
        at--;
    } else {
        choice->count++;
    }
    for (; at > 0 && is_before(&entry->alert, &choice->items[at - 1]->alert); at--)
        choice->items[at] = choice->items[at - 1];
    choice->items[at] = entry;
}

/* ---- what there is, over a list of rows ---- */

static void count_alert(struct oc_notice *notice, const struct oc_alert *alert)
{
    const int fires = oc_alert_fires(alert);

    notice->firing += fires ? 1u : 0u;
    notice->ended += fires ? 0u : 1u;
    if (fires && !notice->is_firing)
        notice->severity = 0; /* the worst of those that fire, once one does */
    notice->is_firing |= (uint8_t)fires;
    if (fires == notice->is_firing && alert->severity > notice->severity)
        notice->severity = alert->severity;
    notice->not_durable |= alert->not_durable;
}

static void sum_up(const struct oc_row *list, struct oc_notice *notice, struct choice *choice)
{
    for (const struct oc_row *row = list; row; row = row->next_folded) {
        notice->firing += row->unnamed_firing;
        notice->ended += row->unnamed_ended;
        notice->more += row->unnamed_firing + row->unnamed_ended;
        notice->folded += row->folded + (row != list);
        for (const struct oc_told *told = row->told; told; told = told->next_in_row) {
            count_alert(notice, &told->entry->alert);
            choose(choice, told->entry);
            notice->more++;
        }
    }
    notice->more -= (uint32_t)choice->count;
    if (notice->firing > 0)
        notice->is_firing = 1;
}

static void head(const oc_dispatch *dispatch, const struct oc_row *row, struct oc_notice *notice)
{
    const struct oc_group *group = row->group;

    (void)oc_text_copy(notice->id, sizeof(notice->id), row->plain.id);
    (void)oc_text_copy(notice->receiver, sizeof(notice->receiver), row->plain.receiver);
    (void)oc_text_copy(notice->instance, sizeof(notice->instance), dispatch->instance);
    if (row->plain.is_digest)
        (void)oc_text_copy(notice->group_key, sizeof(notice->group_key), "{}/{digest}");
    else
        (void)snprintf(notice->group_key, sizeof(notice->group_key), "{}/{rule=\"%s\"}",
                       group->rule);
    notice->kind = row->plain.is_digest ? OC_NOTICE_DIGEST : OC_NOTICE_ALERTS;
    notice->made_unix_ms = row->plain.made_unix_ms;
}

/* ---- one alert in full ---- */

static int copy_labels(char *const *from, char ***out)
{
    size_t count = 0;

    while (from && from[count])
        count++;
    if (count == 0)
        return OC_OK;
    *out = oc_calloc(count + 1, sizeof(**out));
    for (size_t i = 0; *out && i < count; i++) {
        (*out)[i] = oc_strdup(from[i]);
        if (!(*out)[i])
            return OC_E_NOMEM;
    }
    return *out ? OC_OK : OC_E_NOMEM;
}

static int describe(const oc_dispatch *dispatch, const struct oc_entry *entry,
                    struct oc_notice_alert *out)
{
    int rc = OC_OK;

    out->alert = entry->alert;
    if (dispatch->calls.describe)
        rc = dispatch->calls.describe(&entry->alert, out, dispatch->calls.context);
    if (out->alert.fingerprint != entry->alert.fingerprint ||
        out->alert.state != entry->alert.state)
        out->alert = entry->alert; /* figures may be newer, not what is told */
    if (rc == OC_OK && !out->labels)
        rc = copy_labels(entry->labels, &out->labels);
    return rc;
}

static int fill(const oc_dispatch *dispatch, const struct choice *choice, struct oc_notice *notice)
{
    if (choice->count == 0)
        return OC_OK;
    notice->alerts = oc_calloc(choice->count, sizeof(*notice->alerts));
    if (!notice->alerts)
        return OC_E_NOMEM;
    for (size_t i = 0; i < choice->count; i++) {
        notice->count++; /* what is half made is cleared too */
        if (describe(dispatch, choice->items[i], &notice->alerts[i]) < 0)
            return OC_E_NOMEM;
    }
    return OC_OK;
}

static int write_body(const oc_dispatch *dispatch, const struct oc_row *row,
                      struct oc_notice *notice, struct oc_buf *out)
{
    struct choice choice = { .count = 0 };
    int rc = OC_OK;

    head(dispatch, row, notice);
    sum_up(row, notice, &choice);
    rc = fill(dispatch, &choice, notice);
    if (rc < 0)
        return rc;
    oc_notice_write(notice, out);
    return out->err;
}

/* ---- into the row ---- */

/* What the others told of is told by this one now. */
static void take_over(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms)
{
    struct oc_row *next = row->next_folded;
    char why[OC_ALERT_WHY_BYTES];

    (void)snprintf(why, sizeof(why), "told in %s", row->plain.id);
    row->next_folded = NULL;
    while (next) {
        struct oc_row *from = next;

        next = from->next_folded;
        from->next_folded = NULL;
        while (from->told) {
            struct oc_told *told = from->told;

            told->again = OC_AGAIN_UNDELIVERED;
            oc_told_enter(told, row);
        }
        row->unnamed_firing += from->unnamed_firing;
        row->unnamed_ended += from->unnamed_ended;
        oc_row_end(dispatch, from, OC_OUTBOX_DROPPED, why, now_ms);
    }
}

int oc_row_fold(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms)
{
    struct oc_notice notice = { 0 };
    struct oc_buf body;
    int rc = OC_OK;

    oc_buf_init(&body, OC_NOTICE_MAX_BYTES);
    rc = write_body(dispatch, row, &notice, &body);
    if (rc < 0) {
        oc_buf_clear(&body);
        oc_notice_clear(&notice);
        row->next_folded = NULL;
        return OC_E_NOMEM;
    }
    row->folded = notice.folded;
    row->plain.severity = notice.severity;
    oc_row_set_body(dispatch, row, body.data, body.len_bytes);
    oc_row_set_class(row);
    oc_row_store(dispatch, row, 1);
    take_over(dispatch, row, now_ms);
    for (struct oc_told *told = row->told; told; told = told->next_in_row)
        told->said = (uint8_t)oc_alert_says(&told->entry->alert);
    if (row->plain.severity > row->group->rank)
        row->group->rank = row->plain.severity;
    oc_group_place(row->group);
    oc_notice_clear(&notice);
    return OC_OK;
}
