/* What was decided of alerts, and what waits to be sent. */
#include "cli/commands/alerts_view.h"

#include "cli/show/rows.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Rows come oldest first and only the newest are wanted: they are counted first, then those before are passed over. */
struct listing {
    const struct oc_cli *cli;
    uint64_t skip, seen;
    int want_done;          /* outbox */
    struct oc_table *table; /* one of the three */
    struct oc_rows *rows;
    struct oc_json *json;
};

static void number_cell(struct oc_table *table, uint64_t number)
{
    if (number)
        oc_table_cellf(table, "%" PRIu64, number);
    else
        oc_table_cell(table, NULL);
}

static void time_cell(const struct listing *listing, int64_t unix_ms)
{
    char text[32];

    if (unix_ms > 0)
        oc_table_cell(listing->table,
                      oc_timespec_short(unix_ms, listing->cli->now_unix_ms, text, sizeof(text)));
    else
        oc_table_cell(listing->table, NULL);
}

/* ---- the log ---- */

static int count_decision(const struct oc_alert_decision *decision, void *context)
{
    (void)decision;
    ++*(uint64_t *)context;
    return 0;
}

static void decision_cells(const struct listing *listing, const struct oc_alert_decision *decision)
{
    char mutes[96];

    time_cell(listing, decision->t_unix_ms);
    oc_table_cell(listing->table, decision->subject);
    oc_table_cell(listing->table, decision->rule);
    if (decision->from == decision->to)
        oc_table_cell(listing->table, oc_alert_state_name(decision->to));
    else
        oc_table_cellf(listing->table, "%s -> %s", oc_alert_state_name(decision->from),
                       oc_alert_state_name(decision->to));
    oc_table_cell(listing->table, oc_alert_mutes_text(decision->mutes, mutes, sizeof(mutes)));
    number_cell(listing->table, decision->episode);
    oc_table_cell(listing->table, decision->reason);
}

static void decision_fields(struct oc_rows *rows, const struct oc_alert_decision *decision)
{
    char text[96];

    oc_rows_time(rows, decision->t_unix_ms);
    oc_rows_str(rows, oc_alerts_fingerprint(decision->fingerprint, text, sizeof(text)));
    oc_rows_u64(rows, decision->episode);
    oc_rows_str(rows, decision->subject);
    oc_rows_str(rows, decision->rule);
    oc_rows_str(rows, oc_alert_state_name(decision->from));
    oc_rows_str(rows, oc_alert_state_name(decision->to));
    oc_rows_str(rows, oc_alert_mutes_text(decision->mutes, text, sizeof(text)));
    oc_rows_str(rows, decision->reason);
    oc_rows_end(rows);
}

static void json_decision(struct oc_json *json, const struct oc_alert_decision *decision)
{
    char text[96];

    oc_json_object(json);
    oc_json_put_time(json, "t", decision->t_unix_ms);
    oc_json_put_str(json, "fingerprint",
                    oc_alerts_fingerprint(decision->fingerprint, text, sizeof(text)));
    oc_json_put_u64(json, "episode", decision->episode);
    oc_json_put_str(json, "subject", decision->subject);
    oc_json_put_str(json, "alertname", decision->rule);
    oc_json_put_str(json, "from", oc_alert_state_name(decision->from));
    oc_json_put_str(json, "to", oc_alert_state_name(decision->to));
    oc_json_key(json, "muted_by");
    oc_alerts_json_mutes(json, decision->mutes);
    oc_json_put_str(json, "reason", decision->reason);
    oc_json_object_end(json);
}

static int put_decision(const struct oc_alert_decision *decision, void *context)
{
    struct listing *listing = context;

    if (listing->seen++ < listing->skip)
        return 0;
    if (listing->table)
        decision_cells(listing, decision);
    else if (listing->json)
        json_decision(listing->json, decision);
    else
        decision_fields(listing->rows, decision);
    return 0;
}

static int log_table(struct listing *listing, oc_reader *reader,
                     const struct oc_alert_filter *filter, struct oc_buf *out)
{
    static const struct oc_column columns[] = {
        { "TIME", OC_ALIGN_LEFT, 0, 0 },
        { "SUBJECT", OC_ALIGN_PATH, 40, OC_SHRINKS },
        { "ALERT", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { "WHAT", OC_ALIGN_LEFT, 0, 0 },
        { "MUTED", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "EPISODE", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "REASON", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { 0 },
    };
    struct oc_table_style style = { listing->cli->is_tty ? listing->cli->width : 0,
                                    listing->cli->color, listing->cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    listing->table = &table;
    rc = oc_reader_decisions(reader, filter, 0, put_decision, listing);
    if (rc >= 0 && table.cell_count)
        rc = oc_table_print(&table, &style, out);
    else if (rc >= 0)
        oc_buf_puts(out, "Nothing was decided of an alert then.\n");
    oc_table_clear(&table);
    return rc < 0 ? rc : OC_OK;
}

static int log_json(struct listing *listing, oc_reader *reader,
                    const struct oc_alert_filter *filter, struct oc_buf *out)
{
    struct oc_json json;
    int rc;

    oc_json_init(&json, out);
    listing->json = &json;
    oc_json_object(&json);
    oc_json_key(&json, "decisions");
    oc_json_array(&json);
    rc = oc_reader_decisions(reader, filter, 0, put_decision, listing);
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(out, '\n');
    return rc < 0 ? rc : OC_OK;
}

static int log_csv(struct listing *listing, oc_reader *reader, const struct oc_alert_filter *filter,
                   struct oc_buf *out)
{
    static const char *const columns[] = { "t",         "fingerprint", "episode", "subject",
                                           "alertname", "from",        "to",      "muted_by",
                                           "reason",    NULL };
    struct oc_rows rows;
    int rc;

    oc_rows_begin(&rows, OC_ROWS_CSV, columns, out);
    listing->rows = &rows;
    rc = oc_reader_decisions(reader, filter, 0, put_decision, listing);
    return rc < 0 ? rc : OC_OK;
}

int oc_alerts_log(struct oc_cli *cli, oc_reader *reader, const struct oc_alert_filter *filter,
                  uint64_t limit, uint64_t *out_left_out)
{
    struct listing listing = { .cli = cli };
    uint64_t count = 0;
    int rc = oc_reader_decisions(reader, filter, 0, count_decision, &count);

    if (rc < 0)
        return rc;
    listing.skip = limit > 0 && count > limit ? count - limit : 0;
    *out_left_out = listing.skip;
    if (cli->format == OC_FORMAT_JSON)
        return log_json(&listing, reader, filter, &cli->out);
    return cli->format == OC_FORMAT_CSV ? log_csv(&listing, reader, filter, &cli->out)
                                        : log_table(&listing, reader, filter, &cli->out);
}

/* ---- the outbox ---- */

static int is_open(const struct oc_outbox_row *row)
{
    return row->state == OC_OUTBOX_WAITING || row->state == OC_OUTBOX_PARKED;
}

static int count_row(const struct oc_outbox_row *row, void *context)
{
    struct listing *listing = context;

    listing->seen += listing->want_done || is_open(row);
    return 0;
}

static void row_cells(const struct listing *listing, const struct oc_outbox_row *row)
{
    oc_table_cell(listing->table, row->id);
    oc_table_cell(listing->table, row->receiver);
    oc_table_cell(listing->table, oc_outbox_state_name(row->state));
    oc_table_cell(listing->table, oc_severity_name(row->severity));
    oc_table_cellf(listing->table, "%" PRIu32, row->attempts);
    time_cell(listing, row->made_unix_ms);
    time_cell(listing, row->state == OC_OUTBOX_WAITING ? row->next_unix_ms : 0);
    time_cell(listing, is_open(row) ? 0 : row->done_unix_ms);
    number_cell(listing->table, row->status > 0 ? (uint64_t)row->status : 0);
    oc_table_cell(listing->table, row->why);
}

static void row_fields(struct oc_rows *rows, const struct oc_outbox_row *row)
{
    char group[20];

    oc_rows_str(rows, row->id);
    oc_rows_str(rows, row->receiver);
    oc_rows_str(rows, oc_outbox_state_name(row->state));
    oc_rows_str(rows, oc_severity_name(row->severity));
    oc_rows_str(rows, oc_alerts_fingerprint(row->group, group, sizeof(group)));
    oc_rows_bool(rows, row->is_digest);
    oc_rows_u64(rows, row->attempts);
    oc_rows_time(rows, row->made_unix_ms);
    oc_rows_time(rows, row->state == OC_OUTBOX_WAITING ? row->next_unix_ms : 0);
    oc_rows_time(rows, row->done_unix_ms);
    if (row->status > 0)
        oc_rows_i64(rows, row->status);
    else
        oc_rows_none(rows);
    oc_rows_str(rows, row->why);
    oc_rows_end(rows);
}

static void json_row(struct oc_json *json, const struct oc_outbox_row *row)
{
    char group[20];

    oc_json_object(json);
    oc_json_put_str(json, "id", row->id);
    oc_json_put_str(json, "receiver", row->receiver);
    oc_json_put_str(json, "state", oc_outbox_state_name(row->state));
    oc_json_put_str(json, "severity", oc_severity_name(row->severity));
    oc_json_put_str(json, "group", oc_alerts_fingerprint(row->group, group, sizeof(group)));
    oc_json_put_bool(json, "is_digest", row->is_digest);
    oc_json_put_u64(json, "attempts", row->attempts);
    oc_json_put_time(json, "made", row->made_unix_ms);
    oc_json_put_time(json, "next", row->state == OC_OUTBOX_WAITING ? row->next_unix_ms : 0);
    oc_json_put_time(json, "done", row->done_unix_ms);
    if (row->status > 0)
        oc_json_put_i64(json, "status", row->status);
    if (row->why[0])
        oc_json_put_str(json, "why", row->why);
    oc_json_object_end(json);
}

static int put_outbox(const struct oc_outbox_row *row, void *context)
{
    struct listing *listing = context;

    if (!listing->want_done && !is_open(row))
        return 0;
    if (listing->seen++ < listing->skip)
        return 0;
    if (listing->table)
        row_cells(listing, row);
    else if (listing->json)
        json_row(listing->json, row);
    else
        row_fields(listing->rows, row);
    return 0;
}

static int outbox_table(struct listing *listing, oc_reader *reader, struct oc_buf *out)
{
    static const struct oc_column columns[] = {
        { "MESSAGE", OC_ALIGN_LEFT, 0, OC_GOES(3) },
        { "RECEIVER", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { "STATE", OC_ALIGN_LEFT, 0, 0 },
        { "SEVERITY", OC_ALIGN_LEFT, 0, 0 },
        { "TRIES", OC_ALIGN_RIGHT, 0, 0 },
        { "MADE", OC_ALIGN_LEFT, 0, OC_GOES(2) },
        { "NEXT", OC_ALIGN_LEFT, 0, 0 },
        { "DONE", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "ANSWER", OC_ALIGN_RIGHT, 0, 0 },
        { "WHY", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { 0 },
    };
    struct oc_table_style style = { listing->cli->is_tty ? listing->cli->width : 0,
                                    listing->cli->color, listing->cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    listing->table = &table;
    rc = oc_reader_outbox(reader, OC_OUTBOX_ANY, 0, put_outbox, listing);
    if (rc >= 0 && table.cell_count)
        rc = oc_table_print(&table, &style, out);
    else if (rc >= 0)
        oc_buf_puts(out, listing->want_done ? "Nothing was ever sent.\n"
                                            : "Nothing waits to be sent.\n");
    oc_table_clear(&table);
    return rc < 0 ? rc : OC_OK;
}

static int outbox_json(struct listing *listing, oc_reader *reader, struct oc_buf *out)
{
    struct oc_json json;
    int rc;

    oc_json_init(&json, out);
    listing->json = &json;
    oc_json_object(&json);
    oc_json_key(&json, "outbox");
    oc_json_array(&json);
    rc = oc_reader_outbox(reader, OC_OUTBOX_ANY, 0, put_outbox, listing);
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(out, '\n');
    return rc < 0 ? rc : OC_OK;
}

static int outbox_csv(struct listing *listing, oc_reader *reader, struct oc_buf *out)
{
    static const char *const columns[] = { "id",        "receiver", "state", "severity", "group",
                                           "is_digest", "attempts", "made",  "next",     "done",
                                           "status",    "why",      NULL };
    struct oc_rows rows;
    int rc;

    oc_rows_begin(&rows, OC_ROWS_CSV, columns, out);
    listing->rows = &rows;
    rc = oc_reader_outbox(reader, OC_OUTBOX_ANY, 0, put_outbox, listing);
    return rc < 0 ? rc : OC_OK;
}

int oc_alerts_outbox(struct oc_cli *cli, oc_reader *reader, int want_done, uint64_t limit,
                     uint64_t *out_left_out)
{
    struct listing listing = { .cli = cli, .want_done = want_done };
    int rc = oc_reader_outbox(reader, OC_OUTBOX_ANY, 0, count_row, &listing);

    if (rc < 0)
        return rc;
    listing.skip = limit > 0 && listing.seen > limit ? listing.seen - limit : 0;
    *out_left_out = listing.skip;
    listing.seen = 0;
    if (cli->format == OC_FORMAT_JSON)
        return outbox_json(&listing, reader, &cli->out);
    return cli->format == OC_FORMAT_CSV ? outbox_csv(&listing, reader, &cli->out)
                                        : outbox_table(&listing, reader, &cli->out);
}
