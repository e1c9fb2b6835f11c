/* Alerts, what was decided of them, the outbox and silences. Times in these tables are unix ms already. */
#include "storage/format/alert_rows.h"
#include "storage/read/reader_impl.h"

#include "base/text.h"

struct listing {
    const struct oc_alert_filter *filter;
    union {
        oc_alert_row_fn *alert;
        oc_alert_decision_fn *decision;
        oc_outbox_row_fn *outbox;
    } fn;
    void *context;
    int given, stopped;
};

/* Steps through a statement's rows; take gives the row, where it is asked for and can be. */
static int list_rows(sqlite3_stmt *statement, struct listing *listing,
                     void (*take)(sqlite3_stmt *statement, struct listing *listing))
{
    int step = SQLITE_DONE;

    while (!listing->stopped && (step = sqlite3_step(statement)) == SQLITE_ROW)
        take(statement, listing);
    return oc_scan_code(step);
}

static int is_named(const struct oc_alert_filter *filter, const char *subject, const char *rule)
{
    return (!filter->subject || oc_subject_is_meant(subject, filter->subject)) &&
           (!filter->rule || oc_text_glob(filter->rule, rule));
}

/* A filter that was left zeroed asks for all times. */
static int64_t until_of(const struct oc_alert_filter *filter)
{
    return filter->until_unix_ms ? filter->until_unix_ms : INT64_MAX;
}

/* ---- alerts ---- */

static int is_open(const struct oc_alert *alert)
{
    return alert->state == OC_ALERT_PENDING || alert->state == OC_ALERT_FIRING;
}

static int overlaps(const struct oc_alert_filter *filter, const struct oc_alert *alert)
{
    int64_t begin = alert->pending_unix_ms ? alert->pending_unix_ms : alert->firing_unix_ms;
    int64_t end = alert->ended_unix_ms ? alert->ended_unix_ms : alert->changed_unix_ms;

    if (!begin)
        begin = alert->changed_unix_ms;
    if (is_open(alert))
        end = INT64_MAX;
    return begin < until_of(filter) && end >= filter->since_unix_ms;
}

static void take_alert(sqlite3_stmt *statement, struct listing *listing)
{
    struct oc_alert alert;

    if (!oc_alert_read(statement, &alert) ||
        !is_named(listing->filter, alert.subject, alert.rule) || !overlaps(listing->filter, &alert))
        return;
    listing->given++;
    listing->stopped = listing->fn.alert(&alert, listing->context) != 0;
}

static int list_alerts(oc_reader *reader, struct listing *listing)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT " OC_ALERT_COLUMNS
                             " FROM main.alert WHERE %s ORDER BY episode DESC",
                             listing->filter->now_only ? OC_ALERT_IS_OPEN : "true");

    if (rc == OC_OK)
        rc = list_rows(statement, listing, take_alert);
    (void)sqlite3_finalize(statement); /* step told */
    return rc;
}

int oc_reader_alerts(oc_reader *reader, const struct oc_alert_filter *filter, oc_alert_row_fn *fn,
                     void *context)
{
    struct listing listing = { .filter = filter, .fn.alert = fn, .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = list_alerts(reader, &listing);
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}

/* ---- decisions ---- */

static void take_decision(sqlite3_stmt *statement, struct listing *listing)
{
    const struct oc_alert_filter *filter = listing->filter;
    struct oc_alert_decision decision;

    if (!oc_alert_decision_read(statement, &decision) ||
        !is_named(filter, decision.subject, decision.rule) ||
        decision.t_unix_ms < filter->since_unix_ms || decision.t_unix_ms >= until_of(filter))
        return;
    listing->given++;
    listing->stopped = listing->fn.decision(&decision, listing->context) != 0;
}

/* Those of one moment in the order in which they were made. */
static int list_decisions(oc_reader *reader, struct listing *listing, uint64_t episode)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(
        reader->scan.db, &statement,
        "SELECT " OC_DECISION_COLUMNS " FROM main.alert_decision WHERE %s%s ORDER BY t_unix_ms, id",
        episode ? "episode = ?1" : "true",
        listing->filter->now_only
            ? " AND episode IN (SELECT episode FROM main.alert WHERE " OC_ALERT_IS_OPEN ")"
            : "");

    if (rc == OC_OK && episode)
        (void)sqlite3_bind_int64(statement, 1, (int64_t)episode);
    if (rc == OC_OK)
        rc = list_rows(statement, listing, take_decision);
    (void)sqlite3_finalize(statement); /* step told */
    return rc;
}

int oc_reader_decisions(oc_reader *reader, const struct oc_alert_filter *filter, uint64_t episode,
                        oc_alert_decision_fn *fn, void *context)
{
    struct listing listing = { .filter = filter, .fn.decision = fn, .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = list_decisions(reader, &listing, episode);
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}

/* ---- the outbox ---- */

static void take_outbox(sqlite3_stmt *statement, struct listing *listing)
{
    struct oc_outbox_row row;

    if (!oc_outbox_read(statement, &row))
        return;
    listing->given++;
    listing->stopped = listing->fn.outbox(&row, listing->context) != 0;
}

static int list_outbox(oc_reader *reader, struct listing *listing, unsigned state, int want_bodies)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT " OC_OUTBOX_COLUMNS "%s FROM main.outbox WHERE %s ORDER BY id",
                             want_bodies ? "body" : "NULL",
                             state == OC_OUTBOX_ANY ? "true" : "state = ?1");

    if (rc == OC_OK && state != OC_OUTBOX_ANY)
        (void)sqlite3_bind_int64(statement, 1, state);
    if (rc == OC_OK)
        rc = list_rows(statement, listing, take_outbox);
    (void)sqlite3_finalize(statement); /* step told */
    return rc;
}

int oc_reader_outbox(oc_reader *reader, unsigned state, int want_bodies, oc_outbox_row_fn *fn,
                     void *context)
{
    struct listing listing = { .fn.outbox = fn, .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = list_outbox(reader, &listing, state, want_bodies);
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}

/* ---- silences ---- */

int oc_reader_silences(oc_reader *reader, oc_silence_row_fn *fn, void *context)
{
    struct oc_silence_listing listing = { .since_unix_ms = INT64_MIN,
                                          .fn = fn,
                                          .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = oc_scan_code(oc_silences_read(reader->scan.db, &listing));
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}
