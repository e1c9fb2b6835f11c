/*
 * oomcastd: a table of contents. The parts start top to bottom and stop in reverse; each has a
 * file of its own in this folder.
 */
#include "daemon/daemon.h"
#include "daemon/logging.h"
#include "daemon/memory.h"
#include "daemon/reload.h"
#include "daemon/self.h"
#include "daemon/signals.h"
#include "daemon/watch.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define WRITER_STOP_MS 1500 /* of the 2 s in which SIGTERM must end it */
#define WALKER_STOP_MS 100
#define ANEW_MIN_NS INT64_C(60000000000) /* between two new beginnings */

static struct oc_daemon the_daemon; /* too large for a stack; known to main() alone */

void oc_daemon_stop(struct oc_daemon *daemon, const char *why)
{
    if (daemon->stopping)
        return;
    daemon->stopping = 1;
    oc_log(OC_LOG_INFO, "stopping", oc_str("why", why));
    oc_service_stopping();
    uv_stop(&daemon->loop);
}

/*
 * The store found itself corrupt while it was open. Everything is stopped and started again: the
 * opening sets the file aside and begins a new one.
 */
static void on_corrupt(void *context)
{
    struct oc_daemon *d = context;

    oc_log(OC_LOG_ERROR, "store_corrupt", oc_str("path", d->store_path),
           oc_str("then", "all parts start again with a new store"));
    d->anew = 1;
    uv_stop(&d->loop);
}

/* ---- the parts, in the order of their start ---- */

static int start_paths(struct oc_daemon *d, struct oc_detail *detail)
{
    int rc = OC_OK;

    if (d->config.data_dir[0])
        (void)snprintf(d->data_dir, sizeof(d->data_dir), "%s", d->config.data_dir);
    else
        rc = oc_os_user_state_dir(d->data_dir, sizeof(d->data_dir));
    if (rc < 0)
        return oc_detail_set(detail, rc, "this user has no state folder: give one with --data DIR");
    rc = oc_os_mkdir_all(d->data_dir);
    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot make the folder %.300s: %s", d->data_dir,
                             oc_err_text(rc));
    (void)snprintf(d->store_path, sizeof(d->store_path), "%s/oomcast.db", d->data_dir);
    (void)snprintf(d->lock_path, sizeof(d->lock_path), "%s/oomcastd.lock", d->data_dir);
    return OC_OK;
}

static int start_lock(struct oc_daemon *d, struct oc_detail *detail)
{
    uint32_t holder = 0;
    int rc = oc_lock_take(d->lock_path, &d->lock, &holder);

    if (rc == OC_E_BUSY)
        return oc_detail_set(detail, rc,
                             "another oomcastd (PID %u) writes %.300s; stop it, or give this one "
                             "a folder of its own with --data DIR",
                             (unsigned)holder, d->store_path);
    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot take the lock %.300s: %s", d->lock_path,
                             oc_err_text(rc));
    return OC_OK;
}

static void say_what_store_did(const struct oc_daemon *d)
{
    const struct oc_store_report *report = &d->store_report;

    if (report->set_aside[0])
        oc_log(OC_LOG_WARN, "store_corrupt", oc_str("path", d->store_path),
               oc_str("set_aside", report->set_aside), oc_str("then", "a new one was begun"));
    if (report->backup[0])
        oc_log(OC_LOG_INFO, "store_upgraded", oc_str("backup", report->backup));
    if (report->recovered_samples > 0)
        oc_log(OC_LOG_INFO, "store_recovered", oc_u64("samples", report->recovered_samples));
}

static int start_store(struct oc_daemon *d, struct oc_detail *detail)
{
    struct oc_store_options options = {
        .path = d->store_path,
        .now_boot_ms = oc_now_boot_ms(),
        .now_unix_ms = oc_clock_unix_ms(),
        .max_file_bytes = d->config.store_max_bytes,
        .raw_keep_ms = d->config.raw_keep_ms,
        .minute_keep_ms = d->config.minute_keep_ms,
        .hour_keep_ms = d->config.hour_keep_ms,
    };
    char boot_id[40] = "";
    int rc = oc_os_boot_id(boot_id);

    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot tell this boot from others: %s", oc_err_text(rc));
    options.boot_id = boot_id;
    rc = oc_store_open(&options, &d->store, &d->store_report, detail);
    if (rc == OC_OK)
        say_what_store_did(d);
    return rc;
}

static int start_probe(struct oc_daemon *d, struct oc_detail *detail)
{
    d->probe_options = (struct oc_probe_options){
        .proc_root = d->args.proc_root,
        .cgroup_root = d->args.cgroup_root,
        .look = d->args.look < 0 ? OC_LOOK_LADDER : (enum oc_look)d->args.look,
        .no_connector = d->args.no_connector,
    };
    return oc_probe_open(&d->probe_options, &d->probe, detail);
}

static int start_writer(struct oc_daemon *d, struct oc_detail *detail)
{
    struct oc_writer_options options = {
        .batch_ms = d->config.batch_ms,
        .ack_fd = (int)d->args.ack_fd,
        .begun = oc_watch_begun,
        .corrupt = on_corrupt,
        .context = d,
    };
    int rc = oc_writer_start(&d->loop, d->store, &options, &d->writer);

    return rc < 0 ? oc_detail_set(detail, rc, "cannot start the writer: %s", oc_err_text(rc)) : rc;
}

/* The hook of each tick: the clocks beside each other. */
static void on_tick(void *context, const struct oc_clock_reading *reading)
{
    struct oc_daemon *d = context;
    int64_t moved_ms = 0;
    int changes = oc_clock_update(&d->clock, reading, &moved_ms);
    struct oc_message *message = NULL;

    if (changes & OC_CLOCK_SUSPENDED)
        oc_log(OC_LOG_INFO, "resumed", oc_i64("asleep_ms", moved_ms));
    if (!(changes & OC_CLOCK_JUMPED))
        return;
    oc_log(OC_LOG_INFO, "wall_clock_set", oc_i64("by_ms", moved_ms));
    message = oc_writer_message(d->writer, OC_MESSAGE_CLOCK);
    if (!message) {
        d->troubles.no_memory++;
        return;
    }
    message->boot_ms = reading->boot_ns / 1000000;
    message->unix_ms = reading->unix_ms;
    oc_writer_push(d->writer, message);
}

static int start_groups(struct oc_daemon *d, struct oc_detail *detail)
{
    struct oc_clock_reading reading = oc_clock_read();
    struct oc_groups_hooks hooks = {
        .tick = on_tick, .gone = oc_watch_gone, .more = oc_self_more, .context = d
    };
    int rc = OC_OK;

    oc_clock_start(&d->clock, &reading);
    rc = oc_groups_init(&d->groups, &d->loop, d->probe, d->writer, &d->clock, &hooks);
    return rc < 0 ? oc_detail_set(detail, rc, "%s", oc_err_text(rc)) : rc;
}

static int start_events(struct oc_daemon *d, struct oc_detail *detail)
{
    int fd = oc_probe_event_fd(d->probe);
    int rc = fd < 0 ? OC_OK : oc_event_watch_start(&d->loop, fd, oc_watch_events, d, &d->events);

    return rc < 0 ? oc_detail_set(detail, rc, "cannot wait for events: %s", oc_err_text(rc)) : rc;
}

static int start_walker(struct oc_daemon *d, struct oc_detail *detail)
{
    int rc = oc_walker_start(d, &d->walker);

    return rc < 0 ? oc_detail_set(detail, rc, "cannot start the walker: %s", oc_err_text(rc)) : rc;
}

/* Without it the daemon goes on: signals work. */
static int start_control(struct oc_daemon *d, struct oc_detail *detail)
{
    struct oc_detail why = { 0 };
    int rc = oc_control_open(d, &d->control, &why);

    if (rc == OC_E_NOMEM)
        return oc_detail_set(detail, rc, "%s", why.text);
    if (rc < 0)
        oc_log(OC_LOG_WARN, "control_unavailable", oc_str("why", why.text));
    return OC_OK;
}

static int start_watching(struct oc_daemon *d, struct oc_detail *detail)
{
    int rc = oc_watch_system(d);

    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot watch the system: %s", oc_err_text(rc));
    return oc_discovery_start(d, detail);
}

struct part {
    const char *name;
    int (*start)(struct oc_daemon *, struct oc_detail *);
    void (*stop)(struct oc_daemon *);
};

static void stop_lock(struct oc_daemon *d) { oc_lock_release(d->lock); }

static void stop_store(struct oc_daemon *d)
{
    int rc = d->store ? oc_store_close(d->store) : OC_OK;

    if (rc < 0 && !d->anew) {
        oc_log(OC_LOG_ERROR, "store_not_closed_cleanly", oc_str("err", oc_err_name(rc)));
        d->exit_code = EXIT_FAILED;
    }
}

static void stop_probe(struct oc_daemon *d) { oc_probe_close(d->probe); }

static int start_loop(struct oc_daemon *d, struct oc_detail *detail)
{
    if (uv_loop_init(&d->loop) != 0)
        return oc_detail_set(detail, OC_E_NOMEM, "cannot make the event loop");
    return OC_OK;
}

/* Runs what is being closed to its end. */
static void stop_loop(struct oc_daemon *d)
{
    while (uv_run(&d->loop, UV_RUN_DEFAULT) != 0)
        ;
    (void)uv_loop_close(&d->loop);
}

static void stop_writer(struct oc_daemon *d)
{
    if (oc_writer_stop(d->writer, WRITER_STOP_MS) < 0) {
        oc_log(OC_LOG_ERROR, "writer_stuck",
               oc_str("then", "left behind; the next start takes the journal back"));
        d->store = NULL; /* the thread still has it, so nothing can begin again here */
        d->anew = 0;
        d->exit_code = EXIT_FAILED;
    }
}

static void stop_groups(struct oc_daemon *d) { oc_groups_close(&d->groups); }
static void stop_events(struct oc_daemon *d) { oc_event_watch_stop(d->events); }
static void stop_walker(struct oc_daemon *d) { oc_walker_stop(d->walker, WALKER_STOP_MS); }
static void stop_control(struct oc_daemon *d) { oc_control_close(d->control); }
static void stop_watching(struct oc_daemon *d) { oc_discovery_close(d); }

static const struct part parts[] = {
    { "config", oc_config_start, NULL },
    { "paths", start_paths, NULL },
    { "lock", start_lock, stop_lock },
    { "store", start_store, stop_store },
    { "probe", start_probe, stop_probe },
    { "loop", start_loop, stop_loop },
    { "signals", oc_signals_start, oc_signals_stop },
    { "writer", start_writer, stop_writer },
    { "groups", start_groups, stop_groups },
    { "walker", start_walker, stop_walker },
    { "watching", start_watching, stop_watching },
    { "events", start_events, stop_events },
    { "control", start_control, stop_control },
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

/* Returns how many parts are started; fewer than all: *out_rc and detail say why. */
static size_t start(struct oc_daemon *d, int *out_rc, struct oc_detail *detail)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        *out_rc = parts[i].start(d, detail);
        if (*out_rc < 0) {
            if (detail->text[0] == '\0')
                (void)oc_detail_set(detail, *out_rc, "%s: %s", parts[i].name, oc_err_text(*out_rc));
            return i;
        }
        if (i == 0)
            oc_logging_open(d->config.log_format, d->config.log_level);
    }
    return PART_COUNT;
}

static void stop(struct oc_daemon *d, size_t started)
{
    while (started-- > 0) {
        if (parts[started].stop)
            parts[started].stop(d);
    }
    oc_sources_clear(&d->sources);
    oc_config_clear(&d->config);
}

static int run(struct oc_daemon *d)
{
    struct oc_detail detail = { 0 };
    int rc = OC_OK;
    size_t started = start(d, &rc, &detail);

    if (started == PART_COUNT) {
        oc_log(OC_LOG_INFO, "started", oc_str("store", d->store_path),
               oc_u64("processes", d->sources.live[OC_SOURCE_PROCESS] + d->discovery.count),
               oc_i64("interval_ms", d->config.interval_ms));
        oc_service_ready("watching");
        (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    } else {
        oc_log(OC_LOG_ERROR, "not_started", oc_str("part", parts[started].name),
               oc_str("err", oc_err_name(rc)), oc_str("why", detail.text));
        d->exit_code = EXIT_FAILED;
    }
    stop(d, started);
    if (started == PART_COUNT)
        oc_log(OC_LOG_INFO, "stopped", oc_u64("samples", d->groups.stats.samples));
    return d->exit_code;
}

/* A store that is corrupt again so soon says that the disk is; then a person is needed. */
static int run_again(struct oc_daemon *d)
{
    struct oc_args args = d->args;
    int64_t last_ns = -ANEW_MIN_NS;

    for (;;) {
        int64_t now_ns = 0;
        int code = 0;

        memset(d, 0, sizeof(*d));
        d->args = args;
        d->started_mono_ns = oc_clock_mono_ns();
        code = run(d);
        if (!d->anew)
            return code;
        now_ns = oc_clock_mono_ns();
        if (now_ns - last_ns < ANEW_MIN_NS) {
            oc_log(OC_LOG_ERROR, "gave_up",
                   oc_str("why", "the store was corrupt again within a minute: check the disk"));
            return EXIT_FAILED;
        }
        last_ns = now_ns;
    }
}

static int show_help(void)
{
    struct oc_buf text;
    int ok = 0;

    oc_buf_init(&text, 16384);
    oc_args_help(&text);
    ok = text.err == OC_OK && fputs(text.data, stdout) >= 0;
    oc_buf_clear(&text);
    return ok && fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct oc_detail detail = { 0 };
    struct oc_daemon *d = &the_daemon;

    oc_alloc_init();
    oc_memory_init();
    oc_process_init();
    if (oc_args_parse(argc, argv, &d->args, &detail) < 0) {
        (void)fprintf(stderr, "oomcastd: %s\n", detail.text);
        return EXIT_USAGE;
    }
    if (d->args.help)
        return show_help();
    if (d->args.version)
        return puts("oomcastd " OC_VERSION) >= 0 ? 0 : EXIT_FAILED;
    (void)oc_os_raise_nofile();
    return run_again(d);
}
