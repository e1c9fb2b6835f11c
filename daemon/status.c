#include "daemon/status.h"

#include "daemon/daemon.h"

#include <inttypes.h>

static void put_i64(struct oc_buf *out, const char *key, int64_t value)
{
    oc_buf_printf(out, "\"%s\":%" PRId64 ",", key, value);
}

static void put_u64(struct oc_buf *out, const char *key, uint64_t value)
{
    oc_buf_printf(out, "\"%s\":%" PRIu64 ",", key, value);
}

static void put_text(struct oc_buf *out, const char *key, const char *value)
{
    oc_buf_printf(out, "\"%s\":", key);
    oc_buf_json_string(out, value);
    oc_buf_putc(out, ',');
}

/* The comma behind the last member gives way to the bracket. */
static void close_object(struct oc_buf *out, const char *closing)
{
    if (out->err == OC_OK && out->len_bytes > 0 && out->data[out->len_bytes - 1] == ',')
        out->data[--out->len_bytes] = '\0';
    oc_buf_puts(out, closing);
}

static void put_config(struct oc_daemon *daemon, struct oc_buf *out)
{
    oc_buf_puts(out, "\"config\":{");
    if (daemon->args.config_path)
        put_text(out, "path", daemon->args.config_path);
    put_u64(out, "reloads", daemon->reloads);
    if (daemon->config_unix_ms)
        put_i64(out, "read_unix_ms", daemon->config_unix_ms);
    if (daemon->config_error.text[0]) {
        put_text(out, "error", daemon->config_error.text);
        put_u64(out, "error_line", daemon->config_error.line);
        put_u64(out, "error_column", daemon->config_error.column);
    }
    put_i64(out, "interval_ms", daemon->config.interval_ms);
    close_object(out, "},");
}

static void put_store(const struct oc_daemon *daemon, const struct oc_writer_stats *stats,
                      struct oc_buf *out)
{
    oc_buf_puts(out, "\"store\":{");
    put_text(out, "path", daemon->store_path);
    put_text(out, "state", stats->degraded ? "failing" : "ok");
    if (stats->degraded) {
        put_text(out, "error", oc_err_name(stats->error));
        put_text(out, "error_text", oc_err_text(stats->error));
        put_i64(out, "failing_for_ms", oc_now_boot_ms() - stats->degraded_since_boot_ms);
    }
    put_u64(out, "failures", stats->degraded_count);
    put_u64(out, "file_bytes", stats->store.file_bytes);
    put_u64(out, "wal_bytes", stats->store.wal_bytes);
    put_u64(out, "samples", stats->store.samples);
    put_u64(out, "values", stats->store.values);
    put_u64(out, "commits", stats->store.commits);
    put_u64(out, "syncs", stats->store.syncs);
    put_u64(out, "chunks", stats->store.chunks);
    put_u64(out, "open_bytes", stats->store.open_bytes);
    put_u64(out, "commit_worst_us", stats->commit_worst_us);
    put_u64(out, "queued_bytes", stats->queued_bytes);
    put_u64(out, "lost_samples", stats->lost_samples);
    close_object(out, "},");
}

static void put_targets(const struct oc_daemon *daemon, struct oc_buf *out)
{
    oc_buf_puts(out, "\"targets\":{");
    put_u64(out, "processes", daemon->sources.live[OC_SOURCE_PROCESS]);
    put_u64(out, "cgroups", daemon->sources.live[OC_SOURCE_CGROUP]);
    put_u64(out, "seen", daemon->discovery.processes);
    put_u64(out, "scans", daemon->discovery.scans);
    put_u64(out, "scan_worst_us", daemon->discovery.scan_worst_us);
    put_u64(out, "pids_missing", daemon->discovery.missing);
    put_u64(out, "hidden", daemon->troubles.hidden);
    put_u64(out, "unkept", daemon->troubles.unkept);
    put_u64(out, "no_descriptor", daemon->troubles.no_descriptor);
    put_u64(out, "no_memory", daemon->troubles.no_memory);
    put_u64(out, "cgroups_unreadable", daemon->troubles.cgroup_denied);
    close_object(out, "},");
}

static void put_ticks(const struct oc_daemon *daemon, struct oc_buf *out)
{
    const struct oc_tick_stats *stats = &daemon->groups.stats;

    oc_buf_puts(out, "\"ticks\":{");
    put_u64(out, "made", stats->ticks);
    put_u64(out, "late", stats->late);
    put_u64(out, "skipped", stats->skipped);
    put_u64(out, "failed", stats->failed);
    put_u64(out, "samples", stats->samples);
    put_u64(out, "worst_us", stats->worst_us);
    close_object(out, "},\"groups\":[");
    for (const struct oc_group *group = daemon->groups.list; group; group = group->next) {
        oc_buf_putc(out, '{');
        put_i64(out, "interval_ms", group->interval_ms);
        put_u64(out, "members", group->live);
        close_object(out, "},");
    }
    close_object(out, "],");
}

static void put_walks(const struct oc_daemon *daemon, struct oc_buf *out)
{
    struct oc_walker_stats stats;

    if (!daemon->walker)
        return;
    oc_walker_stats(daemon->walker, &stats);
    oc_buf_puts(out, "\"walks\":{");
    put_u64(out, "made", stats.walks);
    put_u64(out, "failed", stats.failed);
    put_u64(out, "waiting", stats.waiting);
    put_u64(out, "cpu_us", stats.cpu_us);
    put_i64(out, "under_way_ms", stats.stuck_ms);
    close_object(out, "},");
}

void oc_status_write(struct oc_daemon *daemon, struct oc_buf *out_json)
{
    struct oc_writer_stats stats;

    oc_writer_stats(daemon->writer, &stats);
    oc_buf_puts(out_json, "{\"ok\":true,");
    put_text(out_json, "version", OC_VERSION);
    put_u64(out_json, "pid", oc_os_pid());
    put_i64(out_json, "uptime_ms", (oc_clock_mono_ns() - daemon->started_mono_ns) / 1000000);
    put_config(daemon, out_json);
    put_store(daemon, &stats, out_json);
    put_targets(daemon, out_json);
    put_ticks(daemon, out_json);
    put_walks(daemon, out_json);
    oc_buf_puts(out_json, "\"clock\":{");
    put_u64(out_json, "jumps", daemon->clock.jumps);
    put_u64(out_json, "suspends", daemon->clock.suspends);
    close_object(out_json, "}}");
}
