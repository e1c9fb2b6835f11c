/*
 * oomcastd: a table of contents. The parts start top to bottom and stop in reverse; parts.c has
 * what each is, and each has a file of its own in this folder.
 */
#include "daemon/daemon.h"
#include "daemon/logging.h"
#include "daemon/memory.h"
#include "daemon/parts.h"
#include "daemon/reload.h"
#include "daemon/signals.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define ANEW_MIN_NS INT64_C(60000000000) /* between two new beginnings */

static struct oc_daemon the_daemon; /* too large for a stack; known to main() alone */

struct part {
    const char *name;
    int (*start)(struct oc_daemon *, struct oc_detail *);
    void (*stop)(struct oc_daemon *);
};

static const struct part parts[] = {
    { "config", oc_config_start, NULL },
    { "paths", oc_start_paths, NULL },
    { "lock", oc_start_lock, oc_stop_lock },
    { "store", oc_start_store, oc_stop_store },
    { "probe", oc_start_probe, oc_stop_probe },
    { "loop", oc_start_loop, oc_stop_loop },
    { "signals", oc_signals_start, oc_signals_stop },
    { "writer", oc_start_writer, oc_stop_writer },
    { "forecast", oc_start_forecast, oc_stop_forecast },
    { "alert", oc_start_alert, oc_stop_alert },
    { "groups", oc_start_groups, oc_stop_groups },
    { "walker", oc_start_walker, oc_stop_walker },
    { "watching", oc_start_watching, oc_stop_watching },
    { "events", oc_start_events, oc_stop_events },
    { "control", oc_start_control, oc_stop_control },
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
    oc_subjects_clear(&d->subjects);
    oc_forecast_clear(&d->forecasts);
    oc_alerting_clear(&d->alerting);
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
static int run_again(void *context)
{
    struct oc_daemon *d = context;
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

static int show(void (*write_text)(struct oc_buf *))
{
    struct oc_buf text;
    int ok = 0;

    oc_buf_init(&text, 65536);
    write_text(&text);
    ok = text.err == OC_OK && oc_term_write(OC_STDOUT, text.data, text.len_bytes) == OC_OK;
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
    (void)oc_os_args(&argc, &argv); /* failed: those at hand will do for most */
    if (oc_args_parse(argc, argv, &d->args, &detail) < 0) {
        (void)fprintf(stderr, "oomcastd: %s\n", detail.text);
        return EXIT_USAGE;
    }
    if (d->args.help)
        return show(oc_args_help);
    if (d->args.manual)
        return show(oc_args_manual);
    if (d->args.version)
        return puts("oomcastd " OC_VERSION) >= 0 ? 0 : EXIT_FAILED;
    (void)oc_os_raise_nofile();
    return oc_service_host(run_again, d);
}
