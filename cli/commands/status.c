/* oomcast status: what the daemon says of itself, and what its store holds. */
#include "base/ahead.h"
#include "cli/cli.h"
#include "cli/commands/alerts_view.h"
#include "cli/commands/forecast_view.h"
#include "cli/frame/control.h"
#include "cli/model/overview.h"
#include "cli/show/json.h"
#include "cli/show/list.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/alloc.h"
#include "base/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_COLUMNS 10
#define MAX_SOON 3 /* subjects that are named; 'oomcast forecast' has all */

struct status {
    struct oc_cli *cli;
    struct oc_control_reply reply;
    int info_rc;
    struct oc_detail info_detail;
    struct oc_overview info;
    struct oc_outlook outlook;
    struct oc_outlook_subject *subjects; /* owned; the soonest first */
    size_t subject_count, unsaid;
    struct oc_alert_list alerts; /* firing and pending; the worst first */
    struct oc_behind_list behind;
};

/* ---- text ---- */

static int ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* "file 1.2 MiB" of file_bytes: the unit that ends the key says how to read the figure. */
static void put_number(struct oc_buf *out, const char *key, double value, int64_t now_unix_ms)
{
    static const struct {
        const char *end;
        enum oc_unit unit;
    } units[] = { { "_bytes", OC_UNIT_BYTES }, { "_ms", OC_UNIT_MS }, { "_us", OC_UNIT_US } };
    int64_t number = (int64_t)value;
    char text[40];
    size_t stem = strlen(key);
    size_t i;

    if (ends_with(key, "_unix_ms")) {
        stem -= strlen("_unix_ms");
        (void)oc_timespec_short(number, now_unix_ms, text, sizeof(text));
    } else if (ends_with(key, "_percent")) {
        stem -= strlen("_percent");
        (void)snprintf(text, sizeof(text), value < 1 ? "%.2f%%" : "%.3g%%", value);
    } else {
        for (i = 0; i < sizeof(units) / sizeof(units[0]) && !ends_with(key, units[i].end); i++)
            continue;
        if (i < sizeof(units) / sizeof(units[0]))
            stem -= strlen(units[i].end);
        (void)oc_value_text(number,
                            i < sizeof(units) / sizeof(units[0]) ? units[i].unit : OC_UNIT_COUNT,
                            text, sizeof(text));
    }
    for (i = 0; i < stem; i++)
        oc_buf_putc(out, key[i] == '_' ? ' ' : key[i]);
    oc_buf_printf(out, " %s", text);
}

/* What stands for an object among figures: its name, or its state. */
static const char *word_of(const cJSON *item)
{
    const cJSON *word = item;

    if (cJSON_IsObject(item))
        word = cJSON_GetObjectItemCaseSensitive(item, "name");
    if (!word)
        word = cJSON_GetObjectItemCaseSensitive(item, "state");
    return cJSON_IsString(word) ? word->valuestring : "?";
}

/* "files a, b" */
static void put_words(struct oc_buf *out, const cJSON *array)
{
    const cJSON *word;

    cJSON_ArrayForEach(word, array)
    {
        if (word != array->child)
            oc_buf_puts(out, ", ");
        oc_buf_escaped(out, word_of(word));
    }
}

static void put_item(struct oc_buf *out, const cJSON *item, int64_t now_unix_ms)
{
    if (cJSON_IsNumber(item)) {
        put_number(out, item->string, item->valuedouble, now_unix_ms);
        return;
    }
    for (const char *c = item->string; *c; c++)
        oc_buf_putc(out, *c == '_' ? ' ' : *c);
    oc_buf_putc(out, ' ');
    if (cJSON_IsString(item) || cJSON_IsObject(item))
        oc_buf_escaped(out, word_of(item));
    else if (cJSON_IsArray(item))
        put_words(out, item);
    else
        oc_buf_puts(out, cJSON_IsTrue(item) ? "yes" : "no");
}

/* Has lines of its own: the receivers of alerts, the notifier. */
static int is_section(const cJSON *item)
{
    return (cJSON_IsArray(item) && cJSON_IsObject(item->child)) ||
           (cJSON_IsObject(item) && item->child && item->child->next && item->child->next->next);
}

/* "targets   processes 12, cgroups 3, …", wrapped below its first item. */
static void put_section(struct oc_cli *cli, const char *name, const cJSON *object)
{
    struct oc_buf text;
    struct oc_list list;
    const cJSON *item;
    size_t len = strlen(name);

    oc_buf_printf(&cli->out, cli->color ? "\033[1m%s\033[0m" : "%s", name);
    oc_buf_spaces(&cli->out, len < NAME_COLUMNS ? NAME_COLUMNS - len : 1);
    oc_buf_init(&text, 4096);
    oc_list_begin(&list, &cli->out, NAME_COLUMNS, cli->is_tty ? cli->width : 0);
    cJSON_ArrayForEach(item, object)
    {
        if (is_section(item))
            continue;
        oc_buf_reset(&text);
        put_item(&text, item, cli->now_unix_ms);
        oc_list_item(&list, text.data ? text.data : "");
    }
    oc_buf_putc(&cli->out, '\n');
    oc_buf_clear(&text);
}

/* A section, and those that stand in it, each with a line of its own. */
static void put_sections(struct oc_cli *cli, const char *name, const cJSON *object)
{
    const cJSON *item, *member;

    put_section(cli, name, object);
    cJSON_ArrayForEach(item, object)
    {
        if (cJSON_IsObject(item) && is_section(item))
            put_section(cli, item->string, item);
        else if (is_section(item))
            cJSON_ArrayForEach(member, item) put_section(cli, item->string, member);
    }
}

static void put_daemon(struct status *status)
{
    struct oc_cli *cli = status->cli;
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(status->reply.root, "version");
    const cJSON *pid = cJSON_GetObjectItemCaseSensitive(status->reply.root, "pid");
    const cJSON *uptime = cJSON_GetObjectItemCaseSensitive(status->reply.root, "uptime_ms");
    const cJSON *item, *member;
    char text[40];

    oc_buf_printf(&cli->out, "oomcastd %s (pid %.0f) up %s\n",
                  cJSON_IsString(version) ? version->valuestring : "",
                  cJSON_IsNumber(pid) ? pid->valuedouble : 0,
                  oc_value_span(cJSON_IsNumber(uptime) ? (int64_t)uptime->valuedouble : 0, text,
                                sizeof(text)));
    cJSON_ArrayForEach(item, status->reply.root)
    {
        if (cJSON_IsObject(item) && item->child)
            put_sections(cli, item->string, item);
        else if (cJSON_IsArray(item))
            cJSON_ArrayForEach(member, item) put_section(cli, item->string, member);
    }
}

static void put_store(struct status *status)
{
    struct oc_cli *cli = status->cli;
    const struct oc_overview *info = &status->info;
    char first[32], last[32], size[32];

    oc_buf_printf(&cli->out, cli->color ? "\033[1m%-*s\033[0m" : "%-*s", NAME_COLUMNS, "history");
    if (status->info_rc) {
        oc_buf_escaped(&cli->out, status->info_detail.text[0] ? status->info_detail.text
                                                              : oc_err_text(status->info_rc));
        oc_buf_putc(&cli->out, '\n');
        return;
    }
    oc_buf_printf(&cli->out,
                  "%" PRIu64 " subjects, %" PRIu64 " sources (%" PRIu64 " running), %s in %s",
                  info->subjects, info->sources, info->running,
                  oc_value_text((int64_t)(info->file_bytes + info->wal_bytes), OC_UNIT_BYTES, size,
                                sizeof(size)),
                  cli->db_path);
    if (info->last_unix_ms > 0)
        oc_buf_printf(
            &cli->out, "\n%*ssamples from %s to %s", NAME_COLUMNS, "",
            oc_timespec_short(info->first_unix_ms, cli->now_unix_ms, first, sizeof(first)),
            oc_timespec_short(info->last_unix_ms, cli->now_unix_ms, last, sizeof(last)));
    oc_buf_putc(&cli->out, '\n');
}

/* ---- forecasts ---- */

/* The one that is out first; NULL: nothing is forecast to be. */
static const struct oc_outlook_subject *soonest(const struct status *status)
{
    const struct oc_outlook_subject *first = status->subjects;

    return status->subject_count && oc_outlook_urgency(first->row) <= OC_URGENCY_MAYBE ? first
                                                                                       : NULL;
}

/* "unit:shop.service dies at memory.max in 3 h". */
static void put_soon(struct oc_cli *cli, const struct oc_outlook_subject *subject)
{
    const struct oc_outlook_row *row = subject->row;
    char text[40];

    oc_buf_spaces(&cli->out, NAME_COLUMNS);
    oc_buf_escaped(&cli->out, subject->name);
    if (oc_outlook_urgency(row) == OC_URGENCY_MET)
        oc_buf_printf(&cli->out, " has met %s\n", oc_forecast_limit_name(&row->said));
    else
        oc_buf_printf(&cli->out, " %s %s in %s\n", oc_ahead_effect(row->said.limit.kind),
                      oc_forecast_limit_name(&row->said),
                      oc_forecast_time(row, text, sizeof(text)));
}

/* "1 leaking, 30 flat", wrapped below its first item. */
static void put_counts(struct status *status)
{
    struct oc_cli *cli = status->cli;
    struct oc_buf text;
    struct oc_list list;

    oc_buf_init(&text, 256);
    oc_list_begin(&list, &cli->out, NAME_COLUMNS, cli->is_tty ? cli->width : 0);
    for (unsigned state = OC_FORECAST_STATES; state-- > 0;) {
        oc_buf_reset(&text);
        oc_forecast_put_counts(&text, status->subjects, status->subject_count, 1u << state);
        if (text.len_bytes)
            oc_list_item(&list, text.data);
    }
    oc_buf_reset(&text);
    oc_buf_printf(&text, "%zu of which nothing can be said yet", status->unsaid);
    if (status->unsaid)
        oc_list_item(&list, text.data ? text.data : "");
    if (status->outlook.is_stale)
        oc_list_item(&list, "all stale: nothing is sampled");
    oc_buf_putc(&cli->out, '\n');
    oc_buf_clear(&text);
}

/* "ahead     1 leaking, 30 flat", and what is out first. */
static void put_ahead(struct status *status)
{
    struct oc_cli *cli = status->cli;

    if (status->subject_count + status->unsaid == 0)
        return;
    oc_buf_printf(&cli->out, cli->color ? "\033[1m%-*s\033[0m" : "%-*s", NAME_COLUMNS, "ahead");
    put_counts(status);
    for (size_t i = 0; i < status->subject_count && i < MAX_SOON; i++) {
        if (oc_outlook_urgency(status->subjects[i].row) <= OC_URGENCY_MAYBE)
            put_soon(cli, &status->subjects[i]);
    }
}

static void json_ahead(struct status *status, struct oc_json *json)
{
    const struct oc_outlook_subject *first = soonest(status);

    oc_json_key(json, "forecasts");
    oc_json_object(json);
    oc_json_put_bool(json, "is_stale", status->outlook.is_stale);
    oc_json_key(json, "counts");
    oc_json_object(json);
    oc_forecast_json_counts(json, status->subjects, status->subject_count);
    oc_json_object_end(json);
    oc_json_put_u64(json, "unsaid", status->unsaid);
    if (first) {
        oc_json_key(json, "soonest");
        oc_json_object(json);
        oc_json_put_str(json, "subject", first->name);
        oc_forecast_json_row(json, &status->outlook, first->row);
        oc_json_object_end(json);
    }
    oc_json_object_end(json);
}

/* ---- alerts ---- */

/* "critical unit:shop.service: private bytes will meet memory.max in 3 h (2 h - 5 h)". */
static void put_alert(struct oc_cli *cli, const struct oc_alert *alert)
{
    oc_buf_spaces(&cli->out, NAME_COLUMNS);
    oc_buf_printf(&cli->out, "%s ", oc_severity_name(alert->severity));
    oc_buf_escaped(&cli->out, alert->subject);
    oc_buf_puts(&cli->out, ": ");
    oc_buf_escaped(&cli->out, alert->why);
    oc_buf_putc(&cli->out, '\n');
}

static void put_behind(struct oc_cli *cli, const struct oc_behind *behind)
{
    char since[32];

    oc_buf_spaces(&cli->out, NAME_COLUMNS);
    oc_buf_puts(&cli->out, "receiver ");
    oc_buf_escaped(&cli->out, behind->receiver);
    oc_buf_printf(&cli->out,
                  " fails: %" PRIu32 " waiting, %" PRIu32 " parked since %s: ", behind->waiting,
                  behind->parked,
                  oc_timespec_short(behind->since_unix_ms, cli->now_unix_ms, since, sizeof(since)));
    if (behind->status > 0)
        oc_buf_printf(&cli->out, "%" PRId32 " ", behind->status);
    oc_buf_escaped(&cli->out, behind->why);
    oc_buf_putc(&cli->out, '\n');
}

/* "firing    1 critical, 2 warning", the worst of them, and who is not reached. */
static void put_alerts(struct status *status)
{
    struct oc_cli *cli = status->cli;
    struct oc_alert_counts counts;

    if (status->info_rc)
        return;
    oc_alert_count(status->alerts.items, status->alerts.count, &counts);
    oc_buf_printf(&cli->out, cli->color ? "\033[1m%-*s\033[0m" : "%-*s", NAME_COLUMNS, "firing");
    oc_alert_counts_text(&counts, &cli->out);
    oc_buf_putc(&cli->out, '\n');
    for (size_t i = 0; i < status->alerts.count && i < MAX_SOON; i++) {
        if (oc_alert_counts_for(&status->alerts.items[i]))
            put_alert(cli, &status->alerts.items[i]);
    }
    for (size_t i = 0; i < status->behind.count; i++)
        put_behind(cli, &status->behind.items[i]);
}

static void json_behind(struct oc_json *json, const struct oc_behind *behind)
{
    oc_json_object(json);
    oc_json_put_str(json, "receiver", behind->receiver);
    oc_json_put_u64(json, "waiting", behind->waiting);
    oc_json_put_u64(json, "parked", behind->parked);
    oc_json_put_time(json, "since", behind->since_unix_ms);
    if (behind->status > 0)
        oc_json_put_i64(json, "status", behind->status);
    oc_json_put_str(json, "why", behind->why);
    oc_json_object_end(json);
}

static void json_alerts(struct status *status, struct oc_json *json)
{
    struct oc_alert_counts counts;

    oc_alert_count(status->alerts.items, status->alerts.count, &counts);
    oc_json_key(json, "alerts");
    oc_json_object(json);
    oc_json_key(json, "counts");
    oc_alerts_json_counts(json, &counts);
    oc_json_key(json, "failing_receivers");
    oc_json_array(json);
    for (size_t i = 0; i < status->behind.count; i++)
        json_behind(json, &status->behind.items[i]);
    oc_json_array_end(json);
    oc_json_object_end(json);
}

/* ---- JSON ---- */

static void print_json(struct status *status)
{
    const struct oc_overview *info = &status->info;
    struct oc_json json;

    oc_json_init(&json, &status->cli->out);
    oc_json_object(&json);
    oc_json_key(&json, "daemon");
    if (status->reply.root) { /* its own line, as it stands */
        oc_buf_add(&status->cli->out, status->reply.text.data, status->reply.text.len_bytes);
        json.after_key = 0;
    } else {
        oc_json_str(&json, NULL);
        oc_json_put_str(&json, "daemon_err", oc_err_name(status->reply.rc));
    }
    oc_json_key(&json, "store");
    oc_json_object(&json);
    oc_json_put_str(&json, "path", status->cli->db_path);
    if (status->info_rc) {
        oc_json_put_str(&json, "err", oc_err_name(status->info_rc));
    } else {
        oc_json_put_u64(&json, "file_bytes", info->file_bytes);
        oc_json_put_u64(&json, "wal_bytes", info->wal_bytes);
        oc_json_put_u64(&json, "subjects", info->subjects);
        oc_json_put_u64(&json, "sources", info->sources);
        oc_json_put_u64(&json, "running", info->running);
        oc_json_put_time(&json, "first", info->first_unix_ms);
        oc_json_put_time(&json, "last", info->last_unix_ms);
    }
    oc_json_object_end(&json);
    if (!status->info_rc)
        json_ahead(status, &json);
    if (!status->info_rc)
        json_alerts(status, &json);
    oc_json_object_end(&json);
    oc_buf_putc(&status->cli->out, '\n');
}

/* ---- status ---- */

static int read_alerts(struct status *status, oc_reader *reader)
{
    struct oc_alert_filter filter = { .now_only = 1, .until_unix_ms = INT64_MAX };
    int rc = oc_alert_list_load(&status->alerts, reader, &filter, 0);

    oc_alert_list_sort(&status->alerts);
    return rc ? rc : oc_behind_load(reader, &status->behind);
}

static void read_info(struct status *status)
{
    oc_reader *reader = NULL;

    status->info_rc = oc_reader_open(status->cli->db_path, &reader, &status->info_detail);
    if (!status->info_rc)
        status->info_rc = oc_overview_read(reader, &status->info);
    if (!status->info_rc)
        status->info_rc = oc_outlook_load(&status->outlook, reader, status->cli->now_unix_ms);
    if (!status->info_rc)
        status->info_rc = oc_outlook_subjects(&status->outlook, &status->subjects,
                                              &status->subject_count, &status->unsaid);
    if (!status->info_rc)
        status->info_rc = read_alerts(status, reader);
    oc_reader_close(reader);
}

static int print_text(struct status *status)
{
    if (status->reply.root)
        put_daemon(status);
    else
        (void)oc_control_no_answer(status->cli, &status->reply);
    if (status->reply.root || !status->info_rc)
        put_store(status);
    put_ahead(status);
    put_alerts(status);
    return status->reply.root ? OC_EXIT_OK : OC_EXIT_ERROR;
}

static int run_status(struct oc_cli *cli)
{
    struct status status = { .cli = cli };
    int exit_code;

    oc_cli_find_store(cli);
    (void)oc_control_request(cli, "{\"cmd\":\"status\"}", &status.reply);
    read_info(&status);
    exit_code = status.reply.root ? OC_EXIT_OK : OC_EXIT_ERROR;
    if (cli->format == OC_FORMAT_JSON)
        print_json(&status);
    else
        exit_code = print_text(&status);
    oc_alert_list_clear(&status.alerts);
    oc_free(status.subjects);
    oc_outlook_clear(&status.outlook);
    oc_control_reply_clear(&status.reply);
    return exit_code;
}

static const struct oc_cli_example status_examples[] = {
    { "oomcast status", "what the daemon does" },
    { "oomcast status --json | jq .daemon.targets.processes", "a figure for a script" },
    { "oomcast status --json | jq .forecasts.counts.leaking", "how many subjects leak" },
    { "oomcast status --json | jq '.alerts.failing_receivers[].receiver'",
      "who is not told what he should be" },
    { 0 },
};

const struct oc_cli_command oc_cmd_status = {
    .name = "status",
    .summary = "what the daemon does, what the store holds, what is out soonest, what fires",
    .usage = "[OPTION]...",
    .exits = "1 where the daemon does not answer; what the store says is printed all the same",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .examples = status_examples,
    .run = run_status,
};
