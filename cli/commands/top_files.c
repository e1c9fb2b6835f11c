/* oomcast top for programs: each process with all that is known of it now. */
#include "cli/commands/forecast_view.h"
#include "cli/commands/top_view.h"
#include "base/ahead.h"
#include "cli/show/json.h"
#include "cli/show/timespec.h"

#include <inttypes.h>
#include <math.h>

/* ---- JSON ---- */

static void json_ahead(struct oc_json *json, const struct oc_outlook_row *ahead)
{
    if (!ahead)
        return;
    oc_json_put_str(json, "state", oc_forecast_state_name(ahead->said.forecast.state));
    oc_forecast_json_time(json, ahead);
    if (ahead->said.limit.kind)
        oc_json_put_str(json, "limit", oc_forecast_limit_name(&ahead->said));
}

static void json_source(struct oc_json *json, const struct oc_top *top,
                        const struct oc_top_source *item)
{
    oc_json_object(json);
    oc_json_put_str(json, "subject", item->subject);
    if (item->pid) {
        oc_json_put_u64(json, "pid", item->pid);
        oc_json_put_str(json, "name", item->name);
    }
    oc_json_put_time(json, "time", item->t_unix_ms);
    if (item->cpu_ratio >= 0)
        oc_json_put_dbl(json, "cpu_ratio", item->cpu_ratio);
    json_ahead(json, top->outlook ? oc_outlook_best(top->outlook, item->source) : NULL);
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row =
            oc_metric_by_number(OC_METRIC_NUMBER(item->sample.block, bit));

        if (row && (item->sample.known & OC_METRIC_BIT(bit)))
            oc_json_put_i64(json, row->name, item->sample.values[bit]);
    }
    oc_json_object_end(json);
}

static void json_host(struct oc_json *json, const struct oc_top_host *host)
{
    oc_json_object(json);
    oc_json_put_time(json, "time", host->t_unix_ms);
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row = oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_HOST, bit));

        if (row && (host->sample.known & OC_METRIC_BIT(bit)))
            oc_json_put_i64(json, row->name, host->sample.values[bit]);
    }
    oc_json_object_end(json);
}

void oc_top_json(const struct oc_top *top, size_t max_rows, struct oc_buf *out)
{
    struct oc_json json;

    oc_json_init(&json, out);
    oc_json_object(&json);
    oc_json_put_time(&json, "newest", top->newest_unix_ms);
    if (top->host.sample.known) {
        oc_json_key(&json, "host");
        json_host(&json, &top->host);
    }
    oc_json_key(&json, top->about == OC_TOP_CGROUPS ? "cgroups" : "processes");
    oc_json_array(&json);
    for (size_t r = 0; r < top->row_count && r < max_rows; r++) {
        for (size_t i = 0; i < top->rows[r].count; i++)
            json_source(&json, top, oc_top_row_source(top, &top->rows[r], i));
    }
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(out, '\n');
}

/* ---- CSV ---- */

static void csv_ahead(const struct oc_outlook_row *ahead, struct oc_buf *out)
{
    double time_s = ahead ? oc_outlook_time_s(ahead) : INFINITY;

    oc_buf_putc(out, ',');
    if (ahead)
        oc_buf_csv_field(out, oc_forecast_state_name(ahead->said.forecast.state));
    oc_buf_putc(out, ',');
    if (oc_ahead_is_known(time_s))
        oc_buf_printf(out, "%.0f", time_s);
}

static void csv_source(const struct oc_top *top, const struct oc_top_source *item,
                       struct oc_buf *out)
{
    char time[48];

    oc_buf_csv_field(out, item->subject);
    oc_buf_putc(out, ',');
    if (item->pid)
        oc_buf_printf(out, "%" PRIu32, item->pid);
    oc_buf_putc(out, ',');
    oc_buf_csv_field(out, item->name);
    oc_buf_printf(out, ",%s", oc_timespec_format(item->t_unix_ms, time, sizeof(time)));
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (!oc_metric_by_number(OC_METRIC_NUMBER(item->sample.block, bit)))
            continue;
        oc_buf_putc(out, ',');
        if (item->sample.known & OC_METRIC_BIT(bit))
            oc_buf_printf(out, "%" PRId64, item->sample.values[bit]);
    }
    csv_ahead(top->outlook ? oc_outlook_best(top->outlook, item->source) : NULL, out);
    oc_buf_puts(out, "\r\n");
}

void oc_top_csv(const struct oc_top *top, size_t max_rows, struct oc_buf *out)
{
    unsigned block = top->about == OC_TOP_CGROUPS ? OC_BLOCK_CGROUP : OC_BLOCK_PROCESS;

    oc_buf_puts(out, "subject,pid,name,time");
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row = oc_metric_by_number(OC_METRIC_NUMBER(block, bit));

        if (row)
            oc_buf_printf(out, ",%s", row->name);
    }
    oc_buf_puts(out, ",state,time_to_limit_s\r\n");
    for (size_t r = 0; r < top->row_count && r < max_rows; r++) {
        for (size_t i = 0; i < top->rows[r].count; i++)
            csv_source(top, oc_top_row_source(top, &top->rows[r], i), out);
    }
}
