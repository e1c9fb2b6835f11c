/* The room's second half: settings, alerts in, and the tick. */
#include "alert/dispatch.h"

#include "alert/dispatch_own.h"
#include "base/alloc.h"
#include "base/text.h"

#define GROUP_WAIT_MS 30000
#define GROUP_INTERVAL_MS 300000
#define RENOTIFY_MS 14400000
#define MAX_ROWS 20000
#define MAX_BYTES (UINT64_C(32) << 20)
#define MAX_AGE_MS (INT64_C(7) * 86400000)
#define MAX_IN_FLIGHT 64
#define UPDATE_PASSES 3 /* one that is ended marks another at most */

void oc_dispatch_set_times(oc_dispatch *dispatch, int64_t group_wait_ms, int64_t group_interval_ms,
                           int64_t renotify_ms)
{
    struct oc_dispatch_options *own = &dispatch->options;

    own->group_wait_ms = group_wait_ms > 0 ? group_wait_ms : GROUP_WAIT_MS;
    own->group_interval_ms = group_interval_ms > 0 ? group_interval_ms : GROUP_INTERVAL_MS;
    own->renotify_ms = renotify_ms > 0 ? renotify_ms : RENOTIFY_MS;
    dispatch->next_scan_ms = 0; /* reminders are looked at anew */
}

static void set_options(oc_dispatch *dispatch, const struct oc_dispatch_options *options)
{
    struct oc_dispatch_options *own = &dispatch->options;

    *own = *options;
    own->instance = dispatch->instance;
    (void)oc_text_copy(dispatch->instance, sizeof(dispatch->instance),
                       options->instance ? options->instance : "");
    oc_dispatch_set_times(dispatch, options->group_wait_ms, options->group_interval_ms,
                          options->renotify_ms);
    if (own->max_rows == 0)
        own->max_rows = MAX_ROWS;
    if (own->max_bytes == 0)
        own->max_bytes = MAX_BYTES;
    if (own->max_age_ms == 0)
        own->max_age_ms = MAX_AGE_MS;
    if (own->max_in_flight == 0)
        own->max_in_flight = MAX_IN_FLIGHT;
    dispatch->random = options->seed;
}

int oc_dispatch_new(const struct oc_dispatch_options *options,
                    const struct oc_dispatch_calls *calls, oc_dispatch **out_dispatch)
{
    oc_dispatch *dispatch = oc_calloc(1, sizeof(*dispatch));

    if (!dispatch)
        return OC_E_NOMEM;
    set_options(dispatch, options);
    dispatch->calls = *calls;
    dispatch->in_flight = oc_calloc(dispatch->options.max_in_flight, sizeof(*dispatch->in_flight));
    if (!dispatch->in_flight) {
        oc_free(dispatch);
        return OC_E_NOMEM;
    }
    *out_dispatch = dispatch;
    return OC_OK;
}

void oc_dispatch_free(oc_dispatch *dispatch)
{
    const struct oc_receivers none = { 0 };

    if (!dispatch)
        return;
    dispatch->calls = (struct oc_dispatch_calls){ 0 }; /* the rows stay in the store */
    (void)oc_dispatch_set_receivers(dispatch, &none, 0);
    oc_free(dispatch->in_flight);
    oc_free(dispatch);
}

void oc_dispatch_set_renotify(oc_dispatch *dispatch, const struct oc_rules *rules)
{
    dispatch->renotify_count = 0;
    for (size_t i = 0; i < rules->count && dispatch->renotify_count < OC_RULES_MAX; i++) {
        if (rules->items[i].renotify_ms <= 0)
            continue;
        (void)oc_text_copy(dispatch->renotify[dispatch->renotify_count].rule, OC_RULE_NAME_BYTES,
                           rules->items[i].name);
        dispatch->renotify[dispatch->renotify_count++].ms = rules->items[i].renotify_ms;
    }
    dispatch->next_scan_ms = 0;
}

/* ---- alerts in ---- */

/* Those that take it and do not know of it yet. */
static int tell_takers(oc_dispatch *dispatch, struct oc_entry *entry,
                       const char *const *label_pairs)
{
    for (size_t i = 0; i < dispatch->box_count; i++) {
        struct oc_box *box = dispatch->boxes[i];
        struct oc_told *told = NULL;

        if (!oc_box_is_fed(box) || !oc_receiver_takes(box->receiver, &entry->alert, label_pairs))
            continue;
        if (oc_told_put(dispatch, entry, box, &told) < 0)
            return OC_E_NOMEM;
    }
    return OC_OK;
}

static void mark_told(oc_dispatch *dispatch, const struct oc_entry *entry)
{
    for (struct oc_told *told = entry->told; told; told = told->next_of_entry) {
        const int64_t again_ms = told->told_ms + oc_renotify_of(dispatch, told->group->rule);

        oc_group_mark(dispatch, told->group);
        if (told->heard == OC_SAID_FIRING && again_ms < dispatch->next_scan_ms)
            dispatch->next_scan_ms = again_ms;
    }
}

/* Before it fires nobody hears of it. */
static int is_told_of(const struct oc_alert *alert)
{
    return alert->state != OC_ALERT_PENDING && alert->state != OC_ALERT_INACTIVE;
}

int oc_dispatch_alert(oc_dispatch *dispatch, const struct oc_alert *alert,
                      const char *const *label_pairs, int64_t now_ms)
{
    const int is_to_be_told = oc_alert_fires(alert) && !(alert->mutes & OC_ALERT_MUTES);
    struct oc_entry *entry = oc_entry_find(dispatch, alert->fingerprint);
    int rc = OC_OK;

    (void)now_ms;
    if ((!entry && !is_to_be_told) || !is_told_of(alert))
        return OC_OK;
    rc = oc_entry_put(dispatch, alert, label_pairs, &entry);
    if (rc < 0)
        return rc;
    entry->is_confirmed = 1;
    if (is_to_be_told)
        rc = tell_takers(dispatch, entry, label_pairs);
    mark_told(dispatch, entry);
    oc_entry_free_if_unused(dispatch, entry);
    return rc;
}

/* ---- time ---- */

/* Each marked one once. */
static int update_marked(oc_dispatch *dispatch, int64_t now_ms)
{
    struct oc_group *list = dispatch->dirty;
    int rc = OC_OK;

    dispatch->dirty = NULL;
    while (list) {
        struct oc_group *group = list;

        list = group->next_dirty;
        group->is_dirty = 0;
        if (oc_group_update(dispatch, group, now_ms) < 0) {
            oc_group_mark(dispatch, group);
            rc = OC_E_NOMEM;
        }
    }
    return rc;
}

int oc_dispatch_update(oc_dispatch *dispatch, int64_t now_ms)
{
    int rc = OC_OK;

    for (int pass = 0; pass < UPDATE_PASSES && dispatch->dirty && rc == OC_OK; pass++)
        rc = update_marked(dispatch, now_ms);
    return rc;
}

int64_t oc_dispatch_tick(oc_dispatch *dispatch, int64_t now_ms)
{
    int64_t next_ms = now_ms + OC_TICK_MAX_MS;

    if (oc_boxes_offer(dispatch) < 0)
        next_ms = now_ms + OC_TICK_AGAIN_MS;
    if (now_ms >= dispatch->next_scan_ms)
        oc_groups_scan(dispatch, now_ms);
    if (oc_dispatch_update(dispatch, now_ms) < 0 || dispatch->dirty)
        next_ms = now_ms + OC_TICK_AGAIN_MS;
    for (size_t i = 0; i < dispatch->box_count; i++) {
        int64_t due_ms = 0;

        oc_box_bound(dispatch, dispatch->boxes[i], now_ms);
        oc_box_serve(dispatch, dispatch->boxes[i], now_ms);
        due_ms = oc_box_due(dispatch, dispatch->boxes[i], now_ms);
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    return dispatch->next_scan_ms < next_ms ? dispatch->next_scan_ms : next_ms;
}

/* ---- the clock ---- */

static void shift(int64_t *time_ms, int64_t delta_ms)
{
    if (*time_ms != 0)
        *time_ms += delta_ms;
}

static void shift_box(struct oc_box *box, int64_t delta_ms)
{
    shift(&box->paused_until_ms, delta_ms);
    shift(&box->paced_until_ms, delta_ms);
    shift(&box->last_failure_ms, delta_ms);
    shift(&box->last_digest_ms, delta_ms);
    shift(&box->failing_since_ms, delta_ms);
    shift(&box->last_sent_ms, delta_ms);
    oc_rate_shift(&box->rate, delta_ms);
    for (size_t i = 0; i < OC_CLASSES; i++) {
        for (struct oc_row *row = box->classes[i].first; row; row = row->next_in_class) {
            shift(&row->plain.made_unix_ms, delta_ms);
            shift(&row->plain.next_unix_ms, delta_ms);
            shift(&row->handed_ms, delta_ms);
        }
    }
}

void oc_dispatch_clock(oc_dispatch *dispatch, int64_t delta_ms)
{
    for (size_t i = 0; i < dispatch->box_count; i++)
        shift_box(dispatch->boxes[i], delta_ms);
    for (size_t i = 0; i < OC_GROUP_BUCKETS; i++) {
        for (struct oc_group *group = dispatch->groups[i]; group; group = group->next) {
            shift(&group->last_ms, delta_ms);
            for (struct oc_told *told = group->told; told; told = told->next_in_group)
                shift(&told->told_ms, delta_ms);
        }
    }
    if (dispatch->next_scan_ms != OC_NEVER)
        dispatch->next_scan_ms = 0; /* looked at anew */
}
