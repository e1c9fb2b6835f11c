#include "cli/model/alerts.h"

#include "base/ahead.h"
#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

struct taking {
    struct oc_alert_list *list;
    size_t limit;
    int rc;
};

static int take(const struct oc_alert *alert, void *context)
{
    struct taking *taking = context;
    struct oc_alert_list *list = taking->list;
    void *items = list->items;

    if (taking->limit > 0 && list->count >= taking->limit) {
        list->left_out++;
        return 0;
    }
    taking->rc = oc_array_grow(&items, &list->capacity, list->count + 1, sizeof(*list->items),
                               OC_ALERT_LIST_MAX);
    list->items = items;
    if (taking->rc)
        return 1;
    list->items[list->count++] = *alert;
    return 0;
}

int oc_alert_list_load(struct oc_alert_list *list, oc_reader *reader,
                       const struct oc_alert_filter *filter, size_t limit)
{
    struct taking taking = { .list = list, .limit = limit };
    int rc = oc_reader_alerts(reader, filter, take, &taking);

    return rc < 0 ? rc : taking.rc;
}

void oc_alert_list_clear(struct oc_alert_list *list)
{
    oc_free(list->items);
    memset(list, 0, sizeof(*list));
}

/* ---- the worst first ---- */

static int state_rank(unsigned state)
{
    switch (state) {
    case OC_ALERT_FIRING:
        return 0;
    case OC_ALERT_PENDING:
        return 1;
    default:
        return 2;
    }
}

static int is_muted(const struct oc_alert *alert) { return (alert->mutes & OC_ALERT_MUTES) != 0; }

/* When the limit is met, as likely as not, in unix ms; INFINITY: not in sight. */
static double met_at_ms(const struct oc_alert *alert)
{
    const struct oc_forecast *said = &alert->about.forecast;

    if (said->state == OC_FORECAST_EXHAUSTED)
        return 0;
    if (said->state == 0 || !oc_ahead_is_known(said->p50_s))
        return INFINITY;
    return (double)said->t_ms + said->p50_s * 1000.0;
}

static int by_text(const struct oc_alert *a, const struct oc_alert *b)
{
    int order = strcmp(a->subject, b->subject);

    return order ? order : strcmp(a->rule, b->rule);
}

static int compare(const void *x, const void *y)
{
    const struct oc_alert *a = x, *b = y;
    double a_ms = met_at_ms(a), b_ms = met_at_ms(b);

    if (a->state != b->state && state_rank(a->state) != state_rank(b->state))
        return state_rank(a->state) - state_rank(b->state);
    if (is_muted(a) != is_muted(b))
        return is_muted(a) - is_muted(b);
    if (a->severity != b->severity)
        return b->severity - a->severity;
    if (a_ms < b_ms || a_ms > b_ms)
        return a_ms < b_ms ? -1 : 1;
    return by_text(a, b);
}

int oc_alert_is_before(const struct oc_alert *a, const struct oc_alert *b)
{
    return compare(a, b) < 0;
}

void oc_alert_list_sort(struct oc_alert_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), compare);
}

/* ---- counts ---- */

int oc_alert_counts_for(const struct oc_alert *alert)
{
    return alert->state == OC_ALERT_FIRING && !is_muted(alert);
}

void oc_alert_count(const struct oc_alert *alerts, size_t count, struct oc_alert_counts *out_counts)
{
    struct oc_alert_counts counts = { 0 };

    for (size_t i = 0; i < count; i++) {
        const struct oc_alert *alert = &alerts[i];

        if (alert->state == OC_ALERT_PENDING)
            counts.pending++;
        if (alert->state != OC_ALERT_FIRING)
            continue;
        if (is_muted(alert)) {
            counts.muted++;
            continue;
        }
        if (alert->severity == OC_SEVERITY_CRITICAL)
            counts.critical++;
        else
            counts.warning++;
        counts.acked += (alert->mutes & OC_ALERT_ACKED) != 0;
    }
    *out_counts = counts;
}

void oc_alert_counts_text(const struct oc_alert_counts *counts, struct oc_buf *out)
{
    const struct {
        size_t count;
        const char *word;
    } parts[] = { { counts->critical, "critical" },
                  { counts->warning, "warning" },
                  { counts->muted, "muted" },
                  { counts->pending, "pending" } };
    int any = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].count == 0)
            continue;
        oc_buf_printf(out, "%s%zu %s", any ? ", " : "", parts[i].count, parts[i].word);
        any = 1;
    }
    if (!any)
        oc_buf_puts(out, "none");
    if (counts->acked)
        oc_buf_printf(out, " (%zu acked)", counts->acked);
}

/* ---- what it says ---- */

static double left(double said_s, double age_s)
{
    if (!oc_ahead_is_known(said_s))
        return said_s;
    return said_s > age_s ? said_s - age_s : 0;
}

int oc_alert_ahead(const struct oc_alert *alert, int64_t now_unix_ms, struct oc_outlook_row *out)
{
    const struct oc_forecast *said = &alert->about.forecast;
    double age_s = now_unix_ms > said->t_ms ? (double)(now_unix_ms - said->t_ms) / 1000.0 : 0;

    if (alert->about.limit.kind == 0 && said->state == 0)
        return 0;
    memset(out, 0, sizeof(*out));
    out->said = alert->about;
    out->p10_s = left(said->p10_s, age_s);
    out->p50_s = left(said->p50_s, age_s);
    out->p90_s = left(said->p90_s, age_s);
    return 1;
}

const char *oc_alert_mute_name(unsigned bit)
{
    switch (bit) {
    case OC_ALERT_SILENCED:
        return "silenced";
    case OC_ALERT_INHIBITED:
        return "inhibited";
    case OC_ALERT_MAINTENANCE:
        return "maintenance";
    case OC_ALERT_PLANNED:
        return "planned end first";
    case OC_ALERT_FLAPPING:
        return "flapping";
    case OC_ALERT_ACKED:
        return "acked";
    default:
        return "";
    }
}

const char *oc_alert_mutes_text(unsigned mutes, char *out, size_t out_bytes)
{
    size_t len = 0;

    out[0] = '\0';
    for (unsigned bit = 1; bit < 0x100; bit <<= 1) {
        const char *name = oc_alert_mute_name(mutes & bit);
        int more;

        if (!*name)
            continue;
        more = snprintf(out + len, out_bytes - len, "%s%s", len ? ", " : "", name);
        if (more < 0 || (size_t)more >= out_bytes - len)
            break;
        len += (size_t)more;
    }
    return out;
}

/* ---- receivers that are behind ---- */

static struct oc_behind *find_behind(struct oc_behind_list *list, const char *receiver)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].receiver, receiver) == 0)
            return &list->items[i];
    }
    if (list->count == OC_BEHIND_MAX)
        return NULL;
    (void)oc_text_copy(list->items[list->count].receiver, sizeof(list->items[0].receiver),
                       receiver);
    return &list->items[list->count++];
}

/* The newest failure stands for the receiver: it is what is to be mended now. */
static int take_open(const struct oc_outbox_row *row, void *context)
{
    struct oc_behind *behind;
    int is_failed = row->state == OC_OUTBOX_PARKED ||
                    (row->state == OC_OUTBOX_WAITING && row->attempts > 0 && row->why[0]);

    if (row->state == OC_OUTBOX_DROPPED)
        ((struct oc_behind_list *)context)->dropped++;
    if (!is_failed)
        return 0;
    behind = find_behind(context, row->receiver);
    if (!behind)
        return 0;
    behind->waiting += row->state == OC_OUTBOX_WAITING;
    behind->parked += row->state == OC_OUTBOX_PARKED;
    if (row->attempts > behind->attempts)
        behind->attempts = row->attempts;
    if (behind->since_unix_ms == 0 || row->made_unix_ms < behind->since_unix_ms)
        behind->since_unix_ms = row->made_unix_ms;
    behind->status = row->status;
    oc_text_copy_utf8(behind->why, sizeof(behind->why), row->why, strlen(row->why));
    return 0;
}

int oc_behind_load(oc_reader *reader, struct oc_behind_list *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    rc = oc_reader_outbox(reader, OC_OUTBOX_ANY, 0, take_open, out);
    return rc < 0 ? rc : OC_OK;
}
