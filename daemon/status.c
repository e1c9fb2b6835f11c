#include "daemon/status.h"

#include "daemon/daemon.h"
#include "daemon/matching.h"

#include <inttypes.h>
#include <string.h>

void oc_status_i64(struct oc_buf *out, const char *key, int64_t value)
{
    oc_buf_printf(out, "\"%s\":%" PRId64 ",", key, value);
}

void oc_status_u64(struct oc_buf *out, const char *key, uint64_t value)
{
    oc_buf_printf(out, "\"%s\":%" PRIu64 ",", key, value);
}

void oc_status_text(struct oc_buf *out, const char *key, const char *value)
{
    oc_buf_printf(out, "\"%s\":", key);
    oc_buf_json_string(out, value);
    oc_buf_putc(out, ',');
}

void oc_status_close(struct oc_buf *out, const char *closing)
{
    if (out->err == OC_OK && out->len_bytes > 0 && out->data[out->len_bytes - 1] == ',')
        out->data[--out->len_bytes] = '\0';
    oc_buf_puts(out, closing);
}

/* The file and what was read beside it: where the options and targets in force come from. */
static void put_files(const struct oc_daemon *daemon, struct oc_buf *out)
{
    const struct oc_targets *targets = &daemon->config.targets;
    const char *last = daemon->config_path;

    oc_status_text(out, "path", daemon->config_path);
    oc_buf_puts(out, "\"files\":[");
    oc_buf_json_string(out, daemon->config_path);
    for (size_t i = 0; i < targets->count; i++) { /* those of a file stand together */
        const char *file = targets->items[i].file;

        if (!file || strcmp(file, last) == 0 || strcmp(file, daemon->config_path) == 0)
            continue;
        oc_buf_putc(out, ',');
        oc_buf_json_string(out, file);
        last = file;
    }
    oc_buf_puts(out, "],");
}

static void put_config(struct oc_daemon *daemon, struct oc_buf *out)
{
    oc_buf_puts(out, "\"config\":{");
    if (daemon->config_path[0])
        put_files(daemon, out);
    oc_status_u64(out, "reloads", daemon->reloads);
    if (daemon->config_unix_ms)
        oc_status_i64(out, "read_unix_ms", daemon->config_unix_ms);
    if (daemon->config_error.text[0]) {
        oc_status_text(out, "error", daemon->config_error.text);
        oc_status_u64(out, "error_line", daemon->config_error.line);
        oc_status_u64(out, "error_column", daemon->config_error.column);
    }
    oc_status_i64(out, "interval_ms", daemon->config.interval_ms);
    oc_status_close(out, "},");
}

static void put_store(const struct oc_daemon *daemon, const struct oc_writer_stats *stats,
                      struct oc_buf *out)
{
    oc_buf_puts(out, "\"store\":{");
    oc_status_text(out, "path", daemon->store_path);
    oc_status_text(out, "state", stats->degraded ? "failing" : "ok");
    if (stats->degraded) {
        oc_status_text(out, "error", oc_err_name(stats->error));
        oc_status_text(out, "error_text", oc_err_text(stats->error));
        oc_status_i64(out, "failing_for_ms", oc_now_boot_ms() - stats->degraded_since_boot_ms);
    }
    oc_status_u64(out, "failures", stats->degraded_count);
    oc_status_u64(out, "file_bytes", stats->store.file_bytes);
    oc_status_u64(out, "wal_bytes", stats->store.wal_bytes);
    oc_status_u64(out, "samples", stats->store.samples);
    oc_status_u64(out, "values", stats->store.values);
    oc_status_u64(out, "commits", stats->store.commits);
    oc_status_u64(out, "syncs", stats->store.syncs);
    oc_status_u64(out, "chunks", stats->store.chunks);
    oc_status_u64(out, "open_bytes", stats->store.open_bytes);
    oc_status_u64(out, "commit_worst_us", stats->commit_worst_us);
    oc_status_u64(out, "queued_bytes", stats->queued_bytes);
    oc_status_u64(out, "lost_samples", stats->lost_samples);
    oc_status_close(out, "},");
}

static void put_targets(const struct oc_daemon *daemon, struct oc_buf *out)
{
    oc_buf_puts(out, "\"targets\":{");
    oc_status_u64(out, "processes", daemon->sources.live[OC_SOURCE_PROCESS]);
    oc_status_u64(out, "cgroups", daemon->sources.live[OC_SOURCE_CGROUP]);
    oc_status_u64(out, "subjects", daemon->subjects.count);
    oc_status_u64(out, "summed", daemon->sources.live[OC_SOURCE_GROUP]);
    oc_status_u64(out, "seen", daemon->discovery.processes);
    oc_status_u64(out, "scans", daemon->discovery.scans);
    oc_status_u64(out, "scan_worst_us", daemon->discovery.scan_worst_us);
    oc_status_u64(out, "unasked", daemon->discovery.unasked);
    oc_status_u64(out, "pids_missing", daemon->discovery.missing);
    oc_status_u64(out, "hidden", daemon->troubles.hidden);
    oc_status_u64(out, "unkept", daemon->troubles.unkept);
    oc_status_u64(out, "no_descriptor", daemon->troubles.no_descriptor);
    oc_status_u64(out, "no_memory", daemon->troubles.no_memory);
    oc_status_u64(out, "cgroups_unreadable", daemon->troubles.cgroup_denied);
    oc_status_close(out, "},");
}

/* Each target of the config, and how many processes it has now. */
static void put_matches(const struct oc_daemon *daemon, struct oc_buf *out)
{
    uint32_t counts[OC_TARGETS_MAX];
    const struct oc_targets *targets = &daemon->config.targets;

    if (targets->count == 0)
        return;
    oc_matching_count(daemon, counts);
    oc_buf_puts(out, "\"target\":[");
    for (size_t i = 0; i < targets->count; i++) {
        const struct oc_target *target = &targets->items[i];

        oc_buf_putc(out, '{');
        oc_status_text(out, "name", target->name);
        if (target->ignore)
            oc_buf_puts(out, "\"ignore\":true,");
        else
            oc_status_u64(out, "matches", counts[i]);
        if (target->file)
            oc_status_text(out, "file", target->file);
        oc_status_u64(out, "line", target->line);
        oc_status_close(out, "},");
    }
    oc_status_close(out, "],");
}

static void put_ticks(const struct oc_daemon *daemon, struct oc_buf *out)
{
    const struct oc_tick_stats *stats = &daemon->groups.stats;

    oc_buf_puts(out, "\"ticks\":{");
    oc_status_u64(out, "made", stats->ticks);
    oc_status_u64(out, "late", stats->late);
    oc_status_u64(out, "skipped", stats->skipped);
    oc_status_u64(out, "failed", stats->failed);
    oc_status_u64(out, "samples", stats->samples);
    oc_status_u64(out, "worst_us", stats->worst_us);
    oc_status_close(out, "},\"groups\":[");
    for (const struct oc_group *group = daemon->groups.list; group; group = group->next) {
        oc_buf_putc(out, '{');
        oc_status_i64(out, "interval_ms", group->interval_ms);
        oc_status_u64(out, "members", group->live);
        oc_status_close(out, "},");
    }
    oc_status_close(out, "],");
}

void oc_status_write(struct oc_daemon *daemon, struct oc_buf *out_json)
{
    struct oc_writer_stats stats;

    oc_writer_stats(daemon->writer, &stats);
    oc_buf_puts(out_json, "{\"ok\":true,");
    oc_status_text(out_json, "version", OC_VERSION);
    oc_status_u64(out_json, "pid", oc_os_pid());
    oc_status_i64(out_json, "uptime_ms", (oc_clock_mono_ns() - daemon->started_mono_ns) / 1000000);
    put_config(daemon, out_json);
    put_store(daemon, &stats, out_json);
    put_targets(daemon, out_json);
    put_matches(daemon, out_json);
    put_ticks(daemon, out_json);
    oc_forecast_status(daemon, out_json);
    oc_status_walks(daemon, &stats, out_json);
    oc_alerting_status(daemon, out_json);
    oc_buf_puts(out_json, "\"clock\":{");
    oc_status_u64(out_json, "jumps", daemon->clock.jumps);
    oc_status_u64(out_json, "suspends", daemon->clock.suspends);
    oc_status_close(out_json, "}}");
}
