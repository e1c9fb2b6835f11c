/* oomcast lives --last: what is known of the life that ended last. */
#include "cli/commands/lives.h"
#include "cli/commands/look.h"
#include "cli/commands/regions_view.h"
#include "cli/model/growth.h"
#include "cli/show/ending.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>

/* Bytes in the words of the metric table: what a person looks at after a death. */
static const unsigned last_metrics[] = {
    OC_METRIC_PRIVATE, OC_METRIC_RSS,     OC_METRIC_SWAP,     OC_METRIC_MEMFD,   OC_METRIC_VIRTUAL,
    OC_METRIC_COMMIT,  OC_METRIC_THREADS, OC_METRIC_MAPPINGS, OC_METRIC_MODULES, OC_METRIC_FDS,
};

static void put_last_head(const struct oc_lives *lives, const struct oc_life *life)
{
    struct oc_buf *out = &lives->cli->out;
    char text[320], from[32], to[32];

    oc_buf_puts(out, lives->cli->color ? "\033[1m" : "");
    oc_buf_escaped(out, life->subject);
    oc_buf_puts(out, lives->cli->color ? "\033[0m" : "");
    oc_buf_printf(
        out, " (pid %" PRIu32 "), %s to %s, %s\n", life->pid,
        oc_timespec_short(life->begin_unix_ms, lives->cli->now_unix_ms, from, sizeof(from)),
        oc_timespec_short(life->end_unix_ms, lives->cli->now_unix_ms, to, sizeof(to)),
        oc_value_span(oc_lives_lasted_ms(lives, life), text, sizeof(text)));
    oc_buf_escaped(out, life->command[0] ? life->command : life->name);
    oc_buf_putc(out, '\n');
    oc_buf_escaped(out, oc_ending_text(life->end, life->status, life->killer, life->killer_scope,
                                       text, sizeof(text)));
    if (life->end == OC_END_SIGNALED && life->status == 9 && life->killer == OC_KILLER_UNKNOWN)
        oc_buf_puts(out, ", by somebody: no OOM killer was seen at work");
    oc_buf_puts(out, "\n\n");
}

static int put_last_figures(const struct oc_lives *lives, const struct oc_moment *moment)
{
    static const struct oc_column columns[] = { { "LAST FIGURE", OC_ALIGN_LEFT, 0, 0 },
                                                { "", OC_ALIGN_RIGHT, 0, 0 },
                                                { 0 } };
    struct oc_table_style style = { lives->cli->is_tty ? lives->cli->width : 0, lives->cli->color,
                                    lives->cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < sizeof(last_metrics) / sizeof(last_metrics[0]); i++) {
        const struct oc_metric_row *row = oc_metric_by_number(last_metrics[i]);
        char text[32];

        if (!oc_sample_has(&moment->sample, (enum oc_metric)row->number))
            continue;
        oc_table_cell(&table, row->name);
        if (row->unit == OC_UNIT_BYTES)
            oc_table_bytes(&table, oc_sample_get(&moment->sample, (enum oc_metric)row->number));
        else
            oc_table_cell(&table,
                          oc_value_text(oc_sample_get(&moment->sample, (enum oc_metric)row->number),
                                        (enum oc_unit)row->unit, text, sizeof(text)));
    }
    rc = oc_table_print(&table, &style, &lives->cli->out);
    oc_table_clear(&table);
    return rc;
}

static void json_last(struct oc_lives *lives, const struct oc_life *life,
                      const struct oc_moment *moment)
{
    struct oc_json json;

    oc_json_init(&json, &lives->cli->out);
    oc_json_object(&json);
    oc_json_key(&json, "life");
    oc_lives_json(lives, &json, life);
    oc_json_key(&json, "last");
    oc_json_object(&json);
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row =
            oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit));

        if (row && (moment->sample.known & OC_METRIC_BIT(bit)))
            oc_json_put_i64(&json, row->name, moment->sample.values[bit]);
    }
    oc_json_object_end(&json);
    if (moment->walked) {
        oc_json_key(&json, "regions");
        oc_json_object(&json);
        oc_json_put_time(&json, "time", moment->walk_unix_ms);
        oc_regions_json(&json, &moment->regions);
        oc_json_object_end(&json);
    }
    oc_json_object_end(&json);
    oc_buf_putc(&lives->cli->out, '\n');
}

static int put_last(struct oc_lives *lives, const struct oc_life *life,
                    const struct oc_moment *moment)
{
    struct oc_cli *cli = lives->cli;
    char text[80];
    int rc;

    if (cli->format == OC_FORMAT_JSON) {
        json_last(lives, life, moment);
        return OC_OK;
    }
    put_last_head(lives, life);
    rc = put_last_figures(lives, moment);
    if (rc)
        return rc;
    if (!moment->walked) {
        oc_buf_puts(&cli->out, "\nIt ended before its regions were looked at.\n");
        return OC_OK;
    }
    oc_buf_printf(&cli->out, "\nIts regions, %s\n\n",
                  oc_look_age(cli, moment->walk_unix_ms, text, sizeof(text)));
    rc = oc_regions_tables(cli, &moment->regions);
    oc_buf_putc(&cli->out, '\n');
    oc_regions_notes(cli, &moment->regions);
    return rc;
}

/* The one that ended last; NULL: all still run. */
static struct oc_life *last_ended(struct oc_lives *lives)
{
    struct oc_life *last = NULL;

    for (size_t i = 0; i < lives->count; i++) {
        struct oc_life *life = &lives->items[i];

        if (life->end_unix_ms != INT64_MAX && (!last || life->end_unix_ms > last->end_unix_ms))
            last = life;
    }
    return last;
}

int oc_lives_last(struct oc_lives *lives, oc_reader *reader)
{
    struct oc_life *life = last_ended(lives);
    struct oc_party_member member = { 0 };
    struct oc_moment moment = { 0 };
    int rc;

    if (!life)
        return oc_cli_error(lives->cli, "none of them has ended; 'oomcast lives' lists them");
    member.source = life->source;
    member.pid = life->pid;
    member.begin_unix_ms = life->begin_unix_ms;
    member.end_unix_ms = life->end_unix_ms;
    member.last_unix_ms = life->last_unix_ms;
    rc = oc_lives_read_figure(lives, reader, life);
    if (!rc)
        rc = oc_moment_of(&moment, reader, &member, life->end_unix_ms);
    if (!rc)
        rc = put_last(lives, life, &moment);
    oc_moment_clear(&moment);
    return rc ? oc_cli_error(lives->cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}
