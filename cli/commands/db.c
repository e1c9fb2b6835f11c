/* `oomcast db check|vacuum|info`: the store as a file. */
#include "cli/cli.h"
#include "cli/show/json.h"
#include "cli/show/timespec.h"

#include "base/os.h"
#include "base/text.h"
#include "storage/reader.h"

#include <stdio.h>
#include <string.h>

/* ---- info ---- */

static void info_line(struct oc_buf *out, const char *name, const char *value)
{
    oc_buf_printf(out, "%-22s %s\n", name, value);
}

static void info_bytes(struct oc_buf *out, const char *name, uint64_t bytes)
{
    char text[32];

    info_line(out, name, oc_text_bytes((int64_t)bytes, text, sizeof text));
}

static void info_count(struct oc_buf *out, const char *name, uint64_t count)
{
    oc_buf_printf(out, "%-22s %llu\n", name, (unsigned long long)count);
}

static void info_time(struct oc_buf *out, const char *name, int64_t unix_ms)
{
    char text[40];

    info_line(out, name, unix_ms ? oc_timespec_format(unix_ms, text, sizeof text) : "-");
}

static double bytes_per_value(const struct oc_db_info *info)
{
    return info->raw_values ? (double)info->raw_bytes / (double)info->raw_values : 0.0;
}

static void info_text(struct oc_buf *out, const char *path, const struct oc_db_info *info)
{
    oc_buf_puts(out, "file                   ");
    oc_buf_escaped(out, path);
    oc_buf_putc(out, '\n');
    info_bytes(out, "size", info->file_bytes);
    info_bytes(out, "free inside", info->free_bytes_in_file);
    info_bytes(out, "write-ahead log", info->wal_bytes);
    info_count(out, "schema version", (uint64_t)info->schema_version);
    info_count(out, "subjects", info->subjects);
    info_count(out, "sources", info->sources);
    info_time(out, "first sample", info->first_unix_ms);
    info_time(out, "last sample", info->last_unix_ms);
    info_count(out, "raw chunks", info->raw_chunks);
    info_count(out, "minute chunks", info->minute_chunks);
    info_count(out, "hour chunks", info->hour_chunks);
    info_count(out, "journal rows", info->journal_rows);
    info_bytes(out, "journal size", info->journal_bytes);
    info_count(out, "values in raw chunks", info->raw_values);
    if (info->raw_values)
        oc_buf_printf(out, "%-22s %.3f\n", "bytes a raw value", bytes_per_value(info));
    info_count(out, "walks", info->walks);
    info_count(out, "modules", info->modules);
    info_count(out, "changes of families", info->families);
    info_count(out, "changes of limits", info->limits);
    info_count(out, "forecasts", info->forecasts);
    info_count(out, "records of forecasts", info->accuracies);
    info_bytes(out, "forecaster's memory", info->memory_bytes);
    info_count(out, "alerts", info->alerts);
    info_count(out, "pending or firing", info->alerts_open);
    info_count(out, "decisions of alerts", info->decisions);
    info_count(out, "messages", info->outbox);
    info_count(out, "waiting or parked", info->outbox_open);
    info_count(out, "silences", info->silences);
}

static void info_json(struct oc_buf *out, const char *path, const struct oc_db_info *info)
{
    struct oc_json json;

    oc_json_init(&json, out);
    oc_json_object(&json);
    oc_json_put_str(&json, "path", path);
    oc_json_put_u64(&json, "file_bytes", info->file_bytes);
    oc_json_put_u64(&json, "free_bytes_in_file", info->free_bytes_in_file);
    oc_json_put_u64(&json, "wal_bytes", info->wal_bytes);
    oc_json_put_i64(&json, "schema_version", info->schema_version);
    oc_json_put_u64(&json, "subjects", info->subjects);
    oc_json_put_u64(&json, "sources", info->sources);
    oc_json_put_time(&json, "first", info->first_unix_ms);
    oc_json_put_time(&json, "last", info->last_unix_ms);
    oc_json_put_u64(&json, "raw_chunks", info->raw_chunks);
    oc_json_put_u64(&json, "minute_chunks", info->minute_chunks);
    oc_json_put_u64(&json, "hour_chunks", info->hour_chunks);
    oc_json_put_u64(&json, "journal_rows", info->journal_rows);
    oc_json_put_u64(&json, "journal_bytes", info->journal_bytes);
    oc_json_put_u64(&json, "raw_values", info->raw_values);
    oc_json_put_u64(&json, "raw_bytes", info->raw_bytes);
    oc_json_put_u64(&json, "walks", info->walks);
    oc_json_put_u64(&json, "modules", info->modules);
    oc_json_put_u64(&json, "family_changes", info->families);
    oc_json_put_u64(&json, "limit_changes", info->limits);
    oc_json_put_u64(&json, "forecasts", info->forecasts);
    oc_json_put_u64(&json, "forecast_records", info->accuracies);
    oc_json_put_u64(&json, "memories", info->memories);
    oc_json_put_u64(&json, "memory_bytes", info->memory_bytes);
    oc_json_put_u64(&json, "alerts", info->alerts);
    oc_json_put_u64(&json, "alerts_open", info->alerts_open);
    oc_json_put_u64(&json, "alert_decisions", info->decisions);
    oc_json_put_u64(&json, "messages", info->outbox);
    oc_json_put_u64(&json, "messages_open", info->outbox_open);
    oc_json_put_u64(&json, "silences", info->silences);
    oc_json_object_end(&json);
    oc_buf_putc(out, '\n');
}

static int run_info(struct oc_cli *cli, oc_reader *reader)
{
    struct oc_db_info info;
    int rc = oc_reader_info(reader, &info);

    if (rc < 0)
        return oc_cli_error(cli, "cannot read the store: %s", oc_err_text(rc));
    if (cli->format == OC_FORMAT_JSON)
        info_json(&cli->out, oc_reader_path(reader), &info);
    else
        info_text(&cli->out, oc_reader_path(reader), &info);
    return OC_EXIT_OK;
}

/* ---- check ---- */

struct check {
    struct oc_cli *cli;
    struct oc_json json;
    int percent; /* last shown */
};

static void on_finding(const char *text, void *context)
{
    struct check *check = context;
    struct oc_buf *out = &check->cli->out;

    if (check->cli->format == OC_FORMAT_JSON) {
        oc_json_str(&check->json, text);
        return;
    }
    oc_buf_escaped(out, text);
    oc_buf_putc(out, '\n');
}

static void on_progress(double ratio, void *context)
{
    struct check *check = context;
    int percent = (int)(ratio * 100.0);

    if (percent == check->percent || !oc_term_is_tty(OC_STDERR))
        return;
    check->percent = percent;
    (void)fprintf(stderr, "\rchecked %d %%%s", percent, percent >= 100 ? "\n" : "");
    (void)fflush(stderr);
}

static int run_check(struct oc_cli *cli, oc_reader *reader)
{
    struct check check = { .cli = cli, .percent = -1 };
    int rc;

    if (cli->format == OC_FORMAT_JSON) {
        oc_json_init(&check.json, &cli->out);
        oc_json_object(&check.json);
        oc_json_key(&check.json, "findings");
        oc_json_array(&check.json);
    }
    rc = oc_reader_check(reader, on_finding, on_progress, &check);
    if (cli->format == OC_FORMAT_JSON) {
        oc_json_array_end(&check.json);
        oc_json_put_bool(&check.json, "sound", rc == 0);
        oc_json_object_end(&check.json);
        oc_buf_putc(&cli->out, '\n');
    }
    if (rc < 0)
        return oc_cli_error(cli, "the check broke off: %s", oc_err_text(rc));
    if (rc > 0)
        return oc_cli_error(cli,
                            "%d finding%s; oomcastd sets a file aside that it cannot use and "
                            "begins a new one",
                            rc, rc == 1 ? "" : "s");
    if (cli->format != OC_FORMAT_JSON)
        oc_buf_puts(&cli->out, "sound\n");
    return OC_EXIT_OK;
}

/* ---- vacuum ---- */

/* The writer's lock file lies beside the store. 0 or OC_E_TOOBIG. */
static int lock_path(const char *db_path, char *out_path, size_t out_bytes)
{
    static const char name[] = "oomcastd.lock";
    size_t folder_bytes = oc_path_folder_bytes(db_path);

    if (folder_bytes + sizeof name > out_bytes)
        return OC_E_TOOBIG;
    memcpy(out_path, db_path, folder_bytes);
    memcpy(out_path + folder_bytes, name, sizeof name);
    return OC_OK;
}

static int take_lock(struct oc_cli *cli, const char *path, oc_lock **out_lock)
{
    uint32_t holder_pid = 0;
    int rc = oc_lock_take(path, out_lock, &holder_pid);

    if (rc == OC_E_BUSY)
        return oc_cli_error(cli,
                            "oomcastd (PID %lu) is writing this store; stop it first, or leave it "
                            "to the daemon, which gives back free space bit by bit",
                            (unsigned long)holder_pid);
    if (rc < 0)
        return oc_cli_error(cli, "cannot take %s: %s; vacuum runs as the user of oomcastd", path,
                            oc_err_text(rc));
    return OC_EXIT_OK;
}

static int vacuum_locked(struct oc_cli *cli)
{
    struct oc_detail detail = { 0 };
    uint64_t before_bytes = 0, after_bytes = 0;
    char before[32], after[32];

    (void)oc_file_size(cli->db_path, &before_bytes);
    if (oc_db_vacuum(cli->db_path, &detail) < 0)
        return oc_cli_error(cli, "%s", detail.text);
    (void)oc_file_size(cli->db_path, &after_bytes);
    oc_buf_printf(&cli->out, "%s -> %s\n",
                  oc_text_bytes((int64_t)before_bytes, before, sizeof before),
                  oc_text_bytes((int64_t)after_bytes, after, sizeof after));
    return OC_EXIT_OK;
}

static int run_vacuum(struct oc_cli *cli)
{
    oc_reader *reader = NULL;
    oc_lock *lock = NULL;
    char path[1100];
    int code, was_there;

    if (oc_cli_open_store(cli, &reader) <
        0) /* says what is wrong with it, before anything is made */
        return OC_EXIT_ERROR;
    oc_reader_close(reader);
    if (lock_path(cli->db_path, path, sizeof path) < 0)
        return oc_cli_error(cli, "the path of the store is too long");
    was_there = oc_file_exists(path);
    code = take_lock(cli, path, &lock);
    if (code != OC_EXIT_OK)
        return code;
    code = vacuum_locked(cli);
    if (!was_there) /* one of another user's would keep oomcastd out */
        (void)oc_file_remove(path);
    oc_lock_release(lock);
    return code;
}

/* ---- the command ---- */

static int run_reading(struct oc_cli *cli, int (*fn)(struct oc_cli *, oc_reader *))
{
    oc_reader *reader = NULL;
    int code;

    if (oc_cli_open_store(cli, &reader) < 0)
        return OC_EXIT_ERROR;
    code = fn(cli, reader);
    oc_reader_close(reader);
    return code;
}

static int run(struct oc_cli *cli)
{
    static const char *const words[] = { "check", "vacuum", "info", NULL };
    const char *word = cli->args[0];
    const char *nearest;

    if (strcmp(word, "info") == 0)
        return run_reading(cli, run_info);
    if (strcmp(word, "check") == 0)
        return run_reading(cli, run_check);
    if (strcmp(word, "vacuum") == 0)
        return run_vacuum(cli);
    nearest = oc_text_nearest(word, words);
    if (nearest)
        return oc_cli_usage(cli, "no action '%s'; did you mean '%s'?", word, nearest);
    return oc_cli_usage(cli, "no action '%s'; there are check, vacuum and info", word);
}

static const struct oc_cli_example examples[] = {
    { "oomcast db info", "size, what it holds, bytes a value" },
    { "oomcast db check", "decode everything and hold it against its summaries" },
    { "oomcast db vacuum", "give free space back at once (oomcastd must be stopped)" },
    { NULL, NULL },
};

const struct oc_cli_command oc_cmd_db = {
    .name = "db",
    .summary = "check, shrink or describe the store's file",
    .usage = "[OPTION]... check|vacuum|info",
    .text = "check reads every chunk and every journal row, compares them with their summaries and "
            "runs SQLite's integrity check; it may run beside oomcastd.\n"
            "\n"
            "vacuum rewrites the file without its free pages. It needs as much room again for the "
            "time it runs, and oomcastd must be stopped.\n"
            "\n"
            "info shows sizes and counts.",
    .exits = "check: 0 the store is sound, 1 there are findings (or it cannot be read).",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
