#include "daemon/parts.h"

#include "daemon/daemon.h"
#include "daemon/self.h"
#include "daemon/watch.h"

#include "base/log.h"

#include <stdio.h>

#define EXIT_FAILED 1
#define WRITER_STOP_MS 1500 /* of the 2 s in which SIGTERM must end it */
#define WALKER_STOP_MS 100

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

int oc_start_paths(struct oc_daemon *d, struct oc_detail *detail)
{
    int rc = OC_OK;

    if (d->config.data_dir[0])
        (void)snprintf(d->data_dir, sizeof(d->data_dir), "%s", d->config.data_dir);
    else
        rc = oc_os_user_state_dir(d->data_dir, sizeof(d->data_dir));
    if (rc < 0)
        return oc_detail_set(detail, rc, "this user has no state folder: give one with --data DIR");
    rc = oc_data_dir_make(d->data_dir);
    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot make the folder %.300s: %s", d->data_dir,
                             oc_err_text(rc));
    (void)snprintf(d->store_path, sizeof(d->store_path), "%s%coomcast.db", d->data_dir,
                   oc_path_separator());
    (void)snprintf(d->lock_path, sizeof(d->lock_path), "%s%coomcastd.lock", d->data_dir,
                   oc_path_separator());
    return OC_OK;
}

int oc_start_lock(struct oc_daemon *d, struct oc_detail *detail)
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

int oc_start_store(struct oc_daemon *d, struct oc_detail *detail)
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
    if (rc < 0)
        return rc;
    say_what_store_did(d);
    oc_leftovers_load(d);
    rc = oc_forecast_load(d);
    return rc < 0 ? rc : oc_alerting_load(d, detail);
}

int oc_start_probe(struct oc_daemon *d, struct oc_detail *detail)
{
    d->probe_options = (struct oc_probe_options){
        .root = d->args.root,
        .proc_root = d->args.proc_root,
        .cgroup_root = d->args.cgroup_root,
        .look = d->args.look < 0 ? OC_LOOK_LADDER : (enum oc_look)d->args.look,
        .no_connector = d->args.no_connector,
    };
    return oc_probe_open(&d->probe_options, &d->probe, detail);
}

int oc_start_writer(struct oc_daemon *d, struct oc_detail *detail)
{
    struct oc_writer_options options = {
        .batch_ms = d->config.batch_ms,
        .ack_fd = (int)d->args.ack_fd,
        .begun = oc_watch_begun,
        .replayed = oc_forecast_replayed,
        .corrupt = on_corrupt,
        .turned = oc_alerting_turned,
        .context = d,
    };
    int rc = oc_writer_start(&d->loop, d->store, &options, &d->writer);

    return rc < 0 ? oc_detail_set(detail, rc, "cannot start the writer: %s", oc_err_text(rc)) : rc;
}

int oc_start_forecast(struct oc_daemon *d, struct oc_detail *detail)
{
    (void)detail;
    oc_forecast_start(d);
    return OC_OK;
}

int oc_start_alert(struct oc_daemon *d, struct oc_detail *detail)
{
    int rc = oc_alerting_start(d);

    return rc < 0 ? oc_detail_set(detail, rc, "cannot start alerts: %s", oc_err_text(rc)) : rc;
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
    oc_alerting_clock(d, moved_ms);
    message = oc_writer_message(d->writer, OC_MESSAGE_CLOCK);
    if (!message) {
        d->troubles.no_memory++;
        return;
    }
    message->boot_ms = reading->boot_ns / 1000000;
    message->unix_ms = reading->unix_ms;
    oc_writer_push(d->writer, message);
}

int oc_start_groups(struct oc_daemon *d, struct oc_detail *detail)
{
    struct oc_clock_reading reading = oc_clock_read();
    struct oc_groups_hooks hooks = { .tick = on_tick,
                                     .gone = oc_watch_gone,
                                     .more = oc_self_more,
                                     .sampled = oc_limits_sampled,
                                     .fed = oc_alerting_fed,
                                     .context = d };
    int rc = OC_OK;

    oc_clock_start(&d->clock, &reading);
    rc = oc_groups_init(&d->groups, &d->loop, d->probe, d->writer, &d->clock, &hooks);
    return rc < 0 ? oc_detail_set(detail, rc, "%s", oc_err_text(rc)) : rc;
}

int oc_start_events(struct oc_daemon *d, struct oc_detail *detail)
{
    int fd = oc_probe_event_fd(d->probe);
    int rc = fd < 0 ? OC_OK : oc_event_watch_start(&d->loop, fd, oc_watch_events, d, &d->events);

    return rc < 0 ? oc_detail_set(detail, rc, "cannot wait for events: %s", oc_err_text(rc)) : rc;
}

int oc_start_walker(struct oc_daemon *d, struct oc_detail *detail)
{
    int rc = oc_walks_start(d);

    return rc < 0 ? oc_detail_set(detail, rc, "cannot start the walkers: %s", oc_err_text(rc)) : rc;
}

/* Without it the daemon goes on: signals work. */
int oc_start_control(struct oc_daemon *d, struct oc_detail *detail)
{
    struct oc_detail why = { 0 };
    int rc = oc_control_open(d, OC_CONTROL_TIMEOUT_MS, &d->control, &why);

    if (rc == OC_E_NOMEM)
        return oc_detail_set(detail, rc, "%s", why.text);
    if (rc < 0)
        oc_log(OC_LOG_WARN, "control_unavailable", oc_str("why", why.text));
    return OC_OK;
}

int oc_start_watching(struct oc_daemon *d, struct oc_detail *detail)
{
    int rc = oc_watch_system(d);

    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot watch the system: %s", oc_err_text(rc));
    return oc_discovery_start(d, detail);
}

void oc_stop_lock(struct oc_daemon *d) { oc_lock_release(d->lock); }

void oc_stop_store(struct oc_daemon *d)
{
    int rc = d->store ? oc_store_close(d->store) : OC_OK;

    oc_leftovers_clear(&d->leftovers);
    if (rc < 0 && !d->anew) {
        oc_log(OC_LOG_ERROR, "store_not_closed_cleanly", oc_str("err", oc_err_name(rc)));
        d->exit_code = EXIT_FAILED;
    }
}

void oc_stop_probe(struct oc_daemon *d) { oc_probe_close(d->probe); }

int oc_start_loop(struct oc_daemon *d, struct oc_detail *detail)
{
    if (uv_loop_init(&d->loop) != 0)
        return oc_detail_set(detail, OC_E_NOMEM, "cannot make the event loop");
    return OC_OK;
}

/* Runs what is being closed to its end. */
void oc_stop_loop(struct oc_daemon *d)
{
    while (uv_run(&d->loop, UV_RUN_DEFAULT) != 0)
        ;
    (void)uv_loop_close(&d->loop);
}

void oc_stop_writer(struct oc_daemon *d)
{
    if (oc_writer_stop(d->writer, WRITER_STOP_MS) < 0) {
        oc_log(OC_LOG_ERROR, "writer_stuck",
               oc_str("then", "left behind; the next start takes the journal back"));
        d->store = NULL; /* the thread still has it, so nothing can begin again here */
        d->anew = 0;
        d->exit_code = EXIT_FAILED;
    }
}

void oc_stop_alert(struct oc_daemon *d) { oc_alerting_stop(d); }
void oc_stop_forecast(struct oc_daemon *d) { oc_forecast_stop(d); }
void oc_stop_groups(struct oc_daemon *d) { oc_groups_close(&d->groups); }
void oc_stop_events(struct oc_daemon *d) { oc_event_watch_stop(d->events); }
void oc_stop_walker(struct oc_daemon *d) { oc_walks_stop(d, WALKER_STOP_MS); }
void oc_stop_control(struct oc_daemon *d) { oc_control_close(d->control); }
void oc_stop_watching(struct oc_daemon *d) { oc_discovery_close(d); }
