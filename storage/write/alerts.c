/* Alerts, what was decided of them, the outbox and silences: into the batch, into the file, and back at the start. */
#include "storage/format/alert_rows.h"
#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <assert.h>
#include <string.h>

/* Texts of a decision or of the outbox follow their struct in the load. */
struct decision_load {
    struct oc_alert_decision decision;
    char text[];
};

struct outbox_load {
    struct oc_outbox_row row;
    int has_body;
    char text[];
};

#define OC_WHY_MAX_BYTES 4096 /* of a reason; beyond, it is cut */

/* ---- into the batch ---- */

/*
 * A new op with a load. What waits for room on disk in walks and samples must not keep alerts out:
 * they have room of their own.
 */
static int queue(oc_store *store, enum oc_op_kind kind, size_t bytes, void **out_load)
{
    struct oc_op *op;

    if (bytes > OC_STORE_MAX_ALERT_BYTES ||
        store->load_bytes > OC_STORE_MAX_LOAD_BYTES + OC_STORE_MAX_ALERT_BYTES - bytes)
        return OC_E_TOOBIG;
    op = oc_store_add_op(store, kind, 0, NULL, NULL);
    if (!op)
        return store->op_count >= OC_STORE_MAX_PENDING_OPS + OC_STORE_MAX_ALERT_OPS ? OC_E_TOOBIG
                                                                                    : OC_E_NOMEM;
    *out_load = oc_store_add_load(store, op, bytes); /* an op without one writes nothing */
    return *out_load ? OC_OK : OC_E_NOMEM;
}

/* Where nothing can be written, an episode that changes waits as it is now, not as it was too. */
static struct oc_alert *find_held(const oc_store *store, uint64_t episode)
{
    if (!store->is_held)
        return NULL;
    for (const struct oc_op *op = store->ops; op; op = op->next) {
        struct oc_alert *held = op->load;

        if (op->kind == OC_OP_ALERT && held && held->episode == episode)
            return held;
    }
    return NULL;
}

/* A text in an array, ended whatever was there. */
static void end_text(char *text, size_t bytes) { text[bytes - 1] = '\0'; }

int oc_store_alert(oc_store *store, const struct oc_alert *alert)
{
    struct oc_alert *load = find_held(store, alert->episode);
    void *made = NULL;
    int rc = OC_OK;

    if (alert->episode == 0 || alert->episode > INT64_MAX)
        return OC_E_INVAL;
    if (!load) {
        rc = queue(store, OC_OP_ALERT, sizeof *load, &made);
        load = made;
    }
    if (rc < 0)
        return rc;
    assert(load);
    *load = *alert;
    end_text(load->rule, sizeof load->rule);
    end_text(load->subject, sizeof load->subject);
    end_text(load->why, sizeof load->why);
    end_text(load->about.limit.where, sizeof load->about.limit.where);
    return OC_OK;
}

static size_t text_bytes(const char *text)
{
    const char *end = text ? memchr(text, '\0', OC_WHY_MAX_BYTES) : text;

    return end ? (size_t)(end - text) : text ? OC_WHY_MAX_BYTES : 0;
}

/* Copies a text with its NUL to *at and steps past it. */
static const char *put_text(char **at, const char *text, size_t bytes)
{
    char *copy = *at;

    if (bytes)
        memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    *at += bytes + 1;
    return copy;
}

int oc_store_alert_decision(oc_store *store, const struct oc_alert_decision *decision)
{
    size_t rule = text_bytes(decision->rule), subject = text_bytes(decision->subject);
    size_t reason = text_bytes(decision->reason);
    struct decision_load *load;
    void *made = NULL;
    int rc = queue(store, OC_OP_DECISION, sizeof *load + rule + subject + reason + 3, &made);
    char *at;

    if (rc < 0)
        return rc;
    load = made;
    at = load->text;
    load->decision = *decision;
    load->decision.rule = put_text(&at, decision->rule, rule);
    load->decision.subject = put_text(&at, decision->subject, subject);
    load->decision.reason = put_text(&at, decision->reason, reason);
    return OC_OK;
}

int oc_store_outbox(oc_store *store, const struct oc_outbox_row *row)
{
    size_t why = text_bytes(row->why), body = row->body ? row->body_bytes : 0;
    struct outbox_load *load;
    void *made = NULL;
    char *at;
    int rc;

    if (body > OC_STORE_MAX_ALERT_BYTES)
        return OC_E_TOOBIG;
    rc = queue(store, OC_OP_OUTBOX, sizeof *load + why + body + 2, &made);
    if (rc < 0)
        return rc;
    load = made;
    at = load->text;
    load->row = *row;
    load->has_body = row->body != NULL;
    load->row.why = put_text(&at, row->why, why);
    load->row.body = put_text(&at, row->body, body);
    load->row.body_bytes = body;
    end_text(load->row.id, sizeof load->row.id);
    end_text(load->row.receiver, sizeof load->row.receiver);
    return OC_OK;
}

int oc_store_silence(oc_store *store, const struct oc_silence *silence)
{
    struct oc_silence *load;
    void *made = NULL;
    int rc;

    if (silence->id == 0 || silence->id > INT64_MAX ||
        silence->matcher_count > OC_SILENCE_MATCHERS_MAX)
        return OC_E_INVAL;
    rc = queue(store, OC_OP_SILENCE, sizeof *silence, &made);
    if (rc < 0)
        return rc;
    load = made;
    *load = *silence;
    end_text(load->author, sizeof load->author);
    end_text(load->comment, sizeof load->comment);
    for (uint32_t i = 0; i < load->matcher_count; i++) {
        end_text(load->matchers[i].name, sizeof load->matchers[i].name);
        end_text(load->matchers[i].glob, sizeof load->matchers[i].glob);
    }
    return OC_OK;
}

/* ---- into the file ---- */

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* A time that is not yet stays NULL. */
static void bind_time(sqlite3_stmt *statement, int at, int64_t unix_ms)
{
    if (unix_ms)
        (void)sqlite3_bind_int64(statement, at, unix_ms);
}

/* Not a number is NULL: SQLite makes it so. */
static void bind_real(sqlite3_stmt *statement, enum oc_alert_column column, double value)
{
    (void)sqlite3_bind_double(statement, (int)column + 1, value);
}

static void bind_state(sqlite3_stmt *statement, const struct oc_alert *alert)
{
    const struct {
        enum oc_alert_column column;
        int64_t value;
    } numbers[] = {
        { OC_COLUMN_EPISODE, (int64_t)alert->episode },
        { OC_COLUMN_FINGERPRINT, (int64_t)alert->fingerprint },
        { OC_COLUMN_KIND, alert->kind },
        { OC_COLUMN_SEVERITY, alert->severity },
        { OC_COLUMN_STATE, alert->state },
        { OC_COLUMN_MUTED, alert->mutes },
        { OC_COLUMN_WAS_TOLD, alert->was_told != 0 },
        { OC_COLUMN_NOT_DURABLE, alert->not_durable != 0 },
        { OC_COLUMN_SOURCE_KIND, alert->source_kind },
        { OC_COLUMN_FLAPS, alert->flaps },
        { OC_COLUMN_CHANGED_AT, alert->changed_unix_ms },
        { OC_COLUMN_SOURCE, alert->source },
        { OC_COLUMN_PID, alert->pid },
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        (void)sqlite3_bind_int64(statement, (int)numbers[i].column + 1, numbers[i].value);
    bind_text(statement, OC_COLUMN_RULE + 1, alert->rule);
    bind_text(statement, OC_COLUMN_SUBJECT + 1, alert->subject);
    bind_text(statement, OC_COLUMN_WHY + 1, alert->why);
    bind_time(statement, OC_COLUMN_PENDING_AT + 1, alert->pending_unix_ms);
    bind_time(statement, OC_COLUMN_FIRING_AT + 1, alert->firing_unix_ms);
    bind_time(statement, OC_COLUMN_ENDED_AT + 1, alert->ended_unix_ms);
    bind_time(statement, OC_COLUMN_ACKED_AT + 1, alert->acked_unix_ms);
    bind_real(statement, OC_COLUMN_VALUE, alert->value);
    bind_real(statement, OC_COLUMN_BOUND, alert->bound);
    bind_real(statement, OC_COLUMN_CHANCE, alert->chance);
}

/* The limit's own value where the forecast has none. */
static double ceiling_of(const struct oc_forecast_row *about)
{
    if (!about->limit.kind || oc_store_is_number(about->forecast.limit))
        return about->forecast.limit;
    return (double)about->limit.value;
}

static void bind_about(sqlite3_stmt *statement, const struct oc_forecast_row *about)
{
    const struct oc_forecast *forecast = &about->forecast;
    unsigned metric = forecast->metric ? forecast->metric : about->limit.metric;
    int64_t samples = forecast->samples > INT64_MAX ? INT64_MAX : (int64_t)forecast->samples;

    (void)sqlite3_bind_int(statement, OC_COLUMN_LIMIT_KIND + 1, about->limit.kind);
    if (about->limit.where[0])
        bind_text(statement, OC_COLUMN_LIMIT_PLACE + 1, about->limit.where);
    (void)sqlite3_bind_int64(statement, OC_COLUMN_METRIC + 1, metric);
    (void)sqlite3_bind_int(statement, OC_COLUMN_FORECAST_STATE + 1, forecast->state);
    (void)sqlite3_bind_int64(statement, OC_COLUMN_FORECAST_AT + 1, forecast->t_ms);
    (void)sqlite3_bind_int64(statement, OC_COLUMN_SINCE_AT + 1, forecast->since_ms);
    (void)sqlite3_bind_int64(statement, OC_COLUMN_SAMPLES + 1, samples);
    bind_real(statement, OC_COLUMN_LAST, forecast->value);
    bind_real(statement, OC_COLUMN_CEILING, ceiling_of(about));
    bind_real(statement, OC_COLUMN_GROWTH, forecast->growth_per_h);
    bind_real(statement, OC_COLUMN_GROWTH_ERROR, forecast->growth_error_per_h);
    bind_real(statement, OC_COLUMN_GOES_ON, forecast->chance);
    bind_real(statement, OC_COLUMN_P10, forecast->p10_s);
    bind_real(statement, OC_COLUMN_P50, forecast->p50_s);
    bind_real(statement, OC_COLUMN_P90, forecast->p90_s);
    bind_real(statement, OC_COLUMN_SAVED_LIFE, forecast->saved_life_s);
}

int oc_store_write_alert(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_ALERT_PUT);

    if (!op->load)
        return OC_OK;
    if (statement) {
        bind_state(statement, op->load);
        bind_about(statement, &((const struct oc_alert *)op->load)->about);
    }
    return oc_store_run(store, statement);
}

int oc_store_write_decision(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_DECISION_PUT);
    const struct decision_load *load = op->load;

    if (!load)
        return OC_OK;
    if (statement) {
        const struct oc_alert_decision *decision = &load->decision;

        (void)sqlite3_bind_int64(statement, 1, decision->t_unix_ms);
        (void)sqlite3_bind_int64(statement, 2, (int64_t)decision->episode);
        (void)sqlite3_bind_int64(statement, 3, (int64_t)decision->fingerprint);
        (void)sqlite3_bind_int(statement, 4, decision->from);
        (void)sqlite3_bind_int(statement, 5, decision->to);
        (void)sqlite3_bind_int(statement, 6, decision->mutes);
        bind_text(statement, 7, decision->rule);
        bind_text(statement, 8, decision->subject);
        bind_text(statement, 9, decision->reason);
    }
    return oc_store_run(store, statement);
}

int oc_store_write_outbox(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_OUTBOX_PUT);
    const struct outbox_load *load = op->load;

    if (!load)
        return OC_OK;
    if (statement) {
        const struct oc_outbox_row *row = &load->row;

        bind_text(statement, 1, row->id);
        bind_text(statement, 2, row->receiver);
        (void)sqlite3_bind_int64(statement, 3, (int64_t)row->group);
        (void)sqlite3_bind_int(statement, 4, row->state);
        (void)sqlite3_bind_int(statement, 5, row->severity);
        (void)sqlite3_bind_int(statement, 6, row->is_digest != 0);
        (void)sqlite3_bind_int64(statement, 7, row->attempts);
        (void)sqlite3_bind_int64(statement, 8, row->made_unix_ms);
        bind_time(statement, 9, row->next_unix_ms);
        bind_time(statement, 10, row->done_unix_ms);
        (void)sqlite3_bind_int(statement, 11, row->status);
        bind_text(statement, 12, row->why);
        if (load->has_body)
            (void)sqlite3_bind_text64(statement, 13, row->body, row->body_bytes, SQLITE_STATIC,
                                      SQLITE_UTF8);
    }
    return oc_store_run(store, statement);
}

static int write_matcher(oc_store *store, const struct oc_silence *silence, uint32_t n)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_MATCHER_PUT);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, (int64_t)silence->id);
        (void)sqlite3_bind_int64(statement, 2, n);
        bind_text(statement, 3, silence->matchers[n].name);
        bind_text(statement, 4, silence->matchers[n].glob);
        (void)sqlite3_bind_int(statement, 5, silence->matchers[n].is_negative != 0);
    }
    return oc_store_run(store, statement);
}

int oc_store_write_silence(oc_store *store, const struct oc_op *op)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_MATCHERS_DELETE);
    const struct oc_silence *silence = op->load;
    int rc;

    if (!silence)
        return OC_OK;
    if (statement)
        (void)sqlite3_bind_int64(statement, 1, (int64_t)silence->id);
    rc = oc_store_run(store, statement);
    if (rc < 0)
        return rc;
    statement = oc_store_statement(store, OC_SQL_SILENCE_PUT);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, (int64_t)silence->id);
        (void)sqlite3_bind_int64(statement, 2, silence->begin_unix_ms);
        (void)sqlite3_bind_int64(statement, 3, silence->end_unix_ms);
        bind_text(statement, 4, silence->author);
        bind_text(statement, 5, silence->comment);
    }
    rc = oc_store_run(store, statement);
    for (uint32_t i = 0; i < silence->matcher_count && rc == OC_OK; i++)
        rc = write_matcher(store, silence, i);
    return rc;
}

/* ---- back at the start ---- */

/* Steps through a statement's rows; take says 1 (given), 0 (it cannot be) or -1 (given, and stop). */
static int take_rows(oc_store *store, const char *sql,
                     int (*take)(sqlite3_stmt *statement, void *context), void *context)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    int given = 0, stop = 0;

    while (rc == SQLITE_OK && !stop) {
        int step = sqlite3_step(statement), took;

        if (step != SQLITE_ROW)
            break;
        took = take(statement, context);
        stop = took < 0;
        given += took != 0;
        store->stats.skipped_rows += took == 0;
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_reset(statement); /* says again what step said */
    (void)sqlite3_finalize(statement);
    return oc_sqlite_err(rc) < 0 ? oc_sqlite_err(rc) : given;
}

struct alert_taking {
    oc_store_alert_fn *fn;
    void *context;
};

static int take_alert(sqlite3_stmt *statement, void *context)
{
    const struct alert_taking *taking = context;
    struct oc_alert alert;

    if (!oc_alert_read(statement, &alert))
        return 0;
    return taking->fn(&alert, taking->context) ? -1 : 1;
}

int oc_store_alerts(oc_store *store, oc_store_alert_fn *fn, void *context)
{
    struct alert_taking taking = { fn, context };

    return take_rows(
        store, "SELECT " OC_ALERT_COLUMNS " FROM alert WHERE " OC_ALERT_IS_OPEN " ORDER BY episode",
        take_alert, &taking);
}

struct outbox_taking {
    oc_store_outbox_fn *fn;
    void *context;
};

static int take_outbox(sqlite3_stmt *statement, void *context)
{
    const struct outbox_taking *taking = context;
    struct oc_outbox_row row;

    if (!oc_outbox_read(statement, &row) || !row.body) /* there is nothing to be sent */
        return 0;
    return taking->fn(&row, taking->context) ? -1 : 1;
}

int oc_store_outbox_open(oc_store *store, oc_store_outbox_fn *fn, void *context)
{
    struct outbox_taking taking = { fn, context };

    return take_rows(store,
                     "SELECT " OC_OUTBOX_COLUMNS "body FROM outbox WHERE " OC_OUTBOX_IS_OPEN
                     " ORDER BY id",
                     take_outbox, &taking);
}

int oc_store_silences(oc_store *store, int64_t now_unix_ms, oc_store_silence_fn *fn, void *context)
{
    struct oc_silence_listing listing = { .since_unix_ms = now_unix_ms,
                                          .fn = fn,
                                          .context = context };
    int rc = oc_sqlite_err(oc_silences_read(store->db, &listing));

    store->stats.skipped_rows += (uint64_t)listing.skipped;
    return rc < 0 ? rc : listing.given;
}

int oc_store_alert_episode(oc_store *store, uint64_t *out_episode)
{
    int64_t last = 0;
    int rc = oc_sqlite_number(store->db,
                              "SELECT max(ifnull((SELECT max(episode) FROM alert), 0),"
                              " ifnull((SELECT max(episode) FROM alert_decision), 0))",
                              &last);

    if (oc_sqlite_err(rc) < 0)
        return oc_sqlite_err(rc);
    *out_episode = last > 0 ? (uint64_t)last : 0;
    return OC_OK;
}
