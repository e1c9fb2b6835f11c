/*
 * oomcast watch: records one process, running or started for it, with no daemon and no config.
 * A libuv loop: a timer for the looks, signals, the child, and walks on libuv's threads.
 */
#include "cli/cli.h"
#include "cli/model/members.h"
#include "cli/model/recording.h"

#include "base/os.h"
#include "base/text.h"
#include "cli/show/value.h"
#include "probes/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define DEFAULT_INTERVAL_MS 1000
#define COMMAND_INTERVAL_MS 100 /* of a command: runs are short, and a look costs some µs */
#define LEAST_INTERVAL_MS 10
#define WALK_INTERVAL_MS 10000
#define FIND_INTERVAL_MS 100 /* a scan for children costs ≤ 1 µs a process of the machine */
#define CSV_MAX_BYTES (1u << 16)
#define CHART_ROWS 14
#define MAX_CHART_COLUMNS 120
#define EXIT_NOT_EXECUTABLE 126 /* as sh has them */
#define EXIT_NOT_FOUND 127
#define EXIT_SIGNAL_BASE 128

enum { SIGNAL_COUNT = 3 };
static const int signal_numbers[SIGNAL_COUNT] = { SIGINT, SIGTERM, SIGHUP };

struct watch {
    struct oc_cli *cli;
    struct oc_recording recording;
    oc_probe *probe;
    struct oc_members members; /* count 0: it ended before the first look */
    int with_children;
    int64_t next_find_ms;
    int64_t begin_mono_ns;
    int64_t tick;     /* number of the one now served; it is due tick * interval after the begin */
    int64_t until_ms; /* of --for, since the begin; INT64_MAX: no end */
    int64_t next_walk_ms;
    int live; /* a line on standard error that is rewritten */
    int done;
    int exit_code;
    int err;

    FILE *csv; /* NULL: none asked for */
    struct oc_buf csv_text;

    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_poll_t events;
    uv_process_t child;
    uv_work_t walk_work;
    int has_child, child_runs, walking;
    struct oc_walk walk;
    int walk_rc;
    int walk_is_new; /* its figures go into the next sample */
};

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void stop(struct watch *watch)
{
    watch->done = 1;
    uv_stop(&watch->loop);
}

static int64_t elapsed_ms(const struct watch *watch)
{
    return (oc_clock_mono_ns() - watch->begin_mono_ns) / 1000000;
}

/* ---- walks: on a thread of libuv's, since they may block ---- */

static void walk_run(uv_work_t *work)
{
    struct watch *watch = work->data;
    const struct oc_proc_id *id = &watch->recording.facts.id;
    struct oc_probe_options options = { 0 };
    struct oc_walk_request request = { .pid = id->pid,
                                       .start_ticks = id->start_ticks,
                                       .want = OC_WALK_FACTS | OC_WALK_COUNTS };

    struct oc_walk walk = { 0 };

    watch->walk_rc = oc_probe_walk(&options, &request, &walk);
    if (watch->walk_rc)
        return;
    oc_walk_clear(&watch->walk);
    watch->walk = walk;
}

static void walk_done(uv_work_t *work, int status)
{
    struct watch *watch = work->data;

    watch->walking = 0;
    if (status || watch->walk_rc)
        return;
    watch->walk_is_new = 1;
    (void)oc_text_copy(watch->recording.facts.exe, sizeof(watch->recording.facts.exe),
                       watch->walk.facts.exe);
    (void)oc_text_copy(watch->recording.facts.cmdline, sizeof(watch->recording.facts.cmdline),
                       watch->walk.facts.cmdline);
}

static void maybe_walk(struct watch *watch)
{
    if (watch->walking || elapsed_ms(watch) < watch->next_walk_ms)
        return;
    watch->next_walk_ms = elapsed_ms(watch) + WALK_INTERVAL_MS;
    watch->walk_work.data = watch;
    if (uv_queue_work(&watch->loop, &watch->walk_work, walk_run, walk_done) == 0)
        watch->walking = 1;
}

static void merge_walk(struct watch *watch, struct oc_sample *sample)
{
    uint64_t more = watch->walk.sample.known & ~sample->known;

    if (!watch->walk_is_new)
        return;
    watch->walk_is_new = 0;
    if (watch->members.seen > 1)
        return; /* it is of the first process alone */
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (more & OC_METRIC_BIT(bit))
            sample->values[bit] = watch->walk.sample.values[bit];
    }
    sample->known |= more;
}

/* ---- looks ---- */

static int write_csv(struct watch *watch)
{
    int rc = watch->csv_text.err;

    if (!rc && watch->csv_text.len_bytes > 0 &&
        fwrite(watch->csv_text.data, 1, watch->csv_text.len_bytes, watch->csv) !=
            watch->csv_text.len_bytes)
        rc = OC_E_IO;
    oc_buf_reset(&watch->csv_text);
    return rc;
}

static void show_live(struct watch *watch)
{
    struct oc_buf line;
    int columns = 80, rows = 0;

    if (!watch->live)
        return;
    (void)oc_term_size(OC_STDERR, &columns, &rows);
    oc_buf_init(&line, 8192);
    oc_recording_live(&watch->recording, columns - 1, watch->cli->utf8, &line);
    (void)fputc('\r', stderr);
    (void)oc_term_write(OC_STDERR, line.data ? line.data : "", line.len_bytes);
    (void)fputs("\033[K", stderr);
    (void)fflush(stderr);
    oc_buf_clear(&line);
}

static void hide_live(const struct watch *watch)
{
    if (watch->live)
        (void)fputs("\r\033[K", stderr);
}

/* How it ended, out of the probe's events. */
static void take_events(struct watch *watch)
{
    struct oc_event event;

    while (oc_probe_next_event(watch->probe, &event) == 1) {
        if (event.kind != OC_EVENT_PROC_END || event.pid != watch->recording.facts.id.pid)
            continue;
        watch->recording.end = event.end == OC_END_RUNNING ? OC_END_UNKNOWN : event.end;
        watch->recording.status = event.status;
        if (!watch->has_child)
            stop(watch);
    }
}

static void process_gone(struct watch *watch)
{
    take_events(watch);
    if (watch->recording.end == OC_END_RUNNING)
        watch->recording.end = OC_END_UNKNOWN;
    if (!watch->has_child) /* else the child's end comes by itself, with its status */
        stop(watch);
}

static int read_members(struct watch *watch, struct oc_sample *out_sample)
{
    int rc = oc_probe_tick_begin(watch->probe, oc_clock_mono_ns());

    if (!rc && watch->with_children && elapsed_ms(watch) >= watch->next_find_ms) {
        watch->next_find_ms = elapsed_ms(watch) + FIND_INTERVAL_MS;
        rc = oc_members_find(&watch->members);
    }
    if (!rc)
        rc = oc_members_read(&watch->members, out_sample);
    watch->recording.processes = watch->members.seen;
    watch->recording.processes_most = watch->members.most;
    return rc;
}

static void look(struct watch *watch)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    int64_t now_unix_ms = watch->recording.begin_unix_ms + elapsed_ms(watch);
    int rc = watch->members.count > 0 ? read_members(watch, &sample) : OC_E_GONE;

    if (rc == OC_E_GONE) {
        process_gone(watch);
        return;
    }
    if (!rc) {
        merge_walk(watch, &sample);
        rc = oc_recording_add(&watch->recording, now_unix_ms, &sample);
        if (watch->csv && !rc) {
            oc_recording_csv_row(&watch->recording, now_unix_ms, &sample, &watch->csv_text);
            rc = write_csv(watch);
        }
    }
    if (rc) {
        watch->err = rc;
        stop(watch);
        return;
    }
    show_live(watch);
    maybe_walk(watch);
}

/* Ticks lie on a grid from the begin on, so that they do not drift; those that were missed are counted. */
static void on_timer(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    int64_t interval_ms = watch->recording.interval_ms;
    int64_t tick, now_ms;

    look(watch);
    now_ms = elapsed_ms(watch);
    if (now_ms >= watch->until_ms) {
        if (watch->has_child && watch->child_runs) {
            (void)uv_process_kill(&watch->child, SIGTERM);
            watch->until_ms = INT64_MAX;
        } else {
            stop(watch);
        }
    }
    if (watch->done)
        return;
    tick = now_ms / interval_ms + 1;
    if (tick <= watch->tick) /* a timer may come a ms early: it was this tick's all the same */
        tick = watch->tick + 1;
    if (tick > watch->tick + 1)
        watch->recording.late += (uint64_t)(tick - watch->tick - 1);
    watch->tick = tick;
    uv_update_time(&watch->loop);
    (void)uv_timer_start(timer, on_timer, (uint64_t)(tick * interval_ms - now_ms), 0);
}

static void on_events(uv_poll_t *poll, int status, int bits)
{
    (void)bits;
    if (status == 0)
        take_events(poll->data);
}

/*
 * SIGINT typed at a terminal reaches the command by itself: passing it on would be a second one.
 * Without a command any of them ends the recording.
 */
static void on_signal(uv_signal_t *handle, int number)
{
    struct watch *watch = handle->data;

    if (!watch->has_child)
        stop(watch);
    else if (watch->child_runs && (number != SIGINT || !oc_term_is_tty(OC_STDIN)))
        (void)uv_process_kill(&watch->child, number);
}

static void on_child_exit(uv_process_t *child, int64_t status, int signal_number)
{
    struct watch *watch = child->data;

    watch->child_runs = 0;
    watch->recording.end = signal_number ? OC_END_SIGNALED : OC_END_EXITED;
    watch->recording.status = signal_number ? signal_number : (int)status;
    watch->exit_code = signal_number ? EXIT_SIGNAL_BASE + signal_number : (int)status;
    watch->recording.end_unix_ms = watch->recording.begin_unix_ms + elapsed_ms(watch);
    stop(watch);
}

/* ---- beginning ---- */

static void join_command(char **words, char *out, size_t out_bytes)
{
    struct oc_buf joined;

    oc_buf_init(&joined, 1u << 20);
    for (size_t i = 0; words[i]; i++)
        oc_buf_printf(&joined, "%s%s", i ? " " : "", words[i]);
    oc_text_copy_utf8(out, out_bytes, joined.data ? joined.data : "", joined.len_bytes);
    oc_buf_clear(&joined);
}

static int spawn_failed(const struct watch *watch, int uv_code)
{
    const char *program = watch->cli->rest[0];

    (void)oc_cli_error(watch->cli, "cannot run '%s': %s", program, uv_strerror(uv_code));
    return uv_code == UV_ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* With --json and --csv the command's output goes to standard error: ours stands alone then. */
static int spawn(struct watch *watch, uint32_t *out_pid)
{
    uv_stdio_container_t stdio[3] = { { .flags = UV_INHERIT_FD, .data.fd = 0 },
                                      { .flags = UV_INHERIT_FD, .data.fd = 1 },
                                      { .flags = UV_INHERIT_FD, .data.fd = 2 } };
    uv_process_options_t options = { 0 };
    int uv_code;

    if (watch->cli->format != OC_FORMAT_TABLE)
        stdio[1].data.fd = 2;
    options.exit_cb = on_child_exit;
    options.file = watch->cli->rest[0];
    options.args = watch->cli->rest;
    options.stdio = stdio;
    options.stdio_count = 3;
    watch->child.data = watch;
    uv_code = uv_spawn(&watch->loop, &watch->child, &options);
    if (uv_code)
        return spawn_failed(watch, uv_code);
    watch->has_child = watch->child_runs = 1;
    join_command(watch->cli->rest, watch->recording.command, sizeof(watch->recording.command));
    *out_pid = (uint32_t)watch->child.pid;
    return OC_EXIT_OK;
}

static int attach_failed(const struct watch *watch, uint32_t pid, int rc)
{
    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        return oc_cli_error(watch->cli, "no process %" PRIu32 "; 'oomcast top' or 'ps' lists them",
                            pid);
    return oc_cli_error(watch->cli,
                        "cannot look at process %" PRIu32 ": %s; 'oomcast doctor %" PRIu32
                        "' says what is missing",
                        pid, oc_err_text(rc), pid);
}

static void pass_over(const struct oc_seen *seen, void *context)
{
    (void)seen;
    (void)context;
}

/* Before a command starts, what runs already is noted: only what comes later can be its child. */
static int open_probe(struct watch *watch)
{
    struct oc_probe_options options = { .look = OC_LOOK_LADDER };
    struct oc_detail detail = { 0 };
    int rc;

    if (oc_cli_has(watch->cli, "pages"))
        options.look = OC_LOOK_PSS;
    rc = oc_probe_open(&options, &watch->probe, &detail);
    if (rc)
        return oc_cli_error(watch->cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    if (watch->cli->rest && watch->with_children)
        (void)oc_probe_scan(watch->probe, pass_over, NULL);
    return OC_EXIT_OK;
}

static int attach(struct watch *watch, uint32_t pid)
{
    oc_proc *proc = NULL;
    int rc = oc_probe_attach(watch->probe, pid, &proc);

    if (rc == OC_E_GONE && watch->has_child) {
        watch->recording.facts.id.pid = pid;
        return OC_EXIT_OK;
    }
    if (rc)
        return attach_failed(watch, pid, rc);
    watch->recording.facts = *oc_proc_facts(proc);
    rc = oc_members_init(&watch->members, watch->probe, proc);
    if (!rc)
        return OC_EXIT_OK;
    oc_probe_detach(watch->probe, proc);
    return attach_failed(watch, pid, rc);
}

static int open_csv(struct watch *watch)
{
    const char *path = oc_cli_text(watch->cli, "out", NULL);

    oc_buf_init(&watch->csv_text, CSV_MAX_BYTES);
    if (watch->cli->format == OC_FORMAT_CSV)
        watch->csv = stdout;
    if (path) {
        watch->csv = fopen(path, "wb");
        if (!watch->csv)
            return oc_cli_error(watch->cli, "cannot write %s: %s", path,
                                oc_err_text(oc_err_from_errno(errno)));
    }
    if (watch->csv)
        oc_recording_csv_head(&watch->csv_text);
    return OC_EXIT_OK;
}

/* Before the command starts: a signal that comes just then is for it, too. */
static int start_signals(struct watch *watch)
{
    int rc = 0;

    for (size_t i = 0; i < SIGNAL_COUNT && rc == 0; i++) {
        rc = uv_signal_init(&watch->loop, &watch->signals[i]);
        watch->signals[i].data = watch;
        if (rc == 0)
            rc = uv_signal_start(&watch->signals[i], on_signal, signal_numbers[i]);
    }
    return rc ? oc_cli_error(watch->cli, "%s", uv_strerror(rc)) : OC_EXIT_OK;
}

static int start_looks(struct watch *watch)
{
    int fd = oc_probe_event_fd(watch->probe);
    int rc = uv_timer_init(&watch->loop, &watch->timer);

    watch->timer.data = watch;
    if (rc == 0 && fd >= 0 && uv_poll_init(&watch->loop, &watch->events, fd) == 0) {
        watch->events.data = watch;
        rc = uv_poll_start(&watch->events, UV_READABLE, on_events);
    }
    if (rc == 0)
        rc = uv_timer_start(&watch->timer, on_timer, 0, 0);
    return rc ? oc_cli_error(watch->cli, "%s", uv_strerror(rc)) : OC_EXIT_OK;
}

static int find_pid(const struct watch *watch, uint32_t *out_pid)
{
    uint64_t pid;

    if (oc_text_u64(watch->cli->args[0], &pid) || pid == 0 || pid > UINT32_MAX)
        return oc_cli_usage(watch->cli,
                            "'%s' is no process id; a command to run stands behind '--'",
                            watch->cli->args[0]);
    *out_pid = (uint32_t)pid;
    return OC_EXIT_OK;
}

static void set_up(struct watch *watch)
{
    const struct oc_cli *cli = watch->cli;
    int64_t interval_ms = cli->rest ? COMMAND_INTERVAL_MS : DEFAULT_INTERVAL_MS;

    interval_ms = oc_cli_number(cli, "interval", interval_ms);
    watch->recording.interval_ms =
        interval_ms < LEAST_INTERVAL_MS ? LEAST_INTERVAL_MS : interval_ms;
    watch->with_children = cli->rest ? !oc_cli_has(cli, "alone") : oc_cli_has(cli, "children");
    watch->recording.status = -1;
    watch->until_ms = oc_cli_number(cli, "for", INT64_MAX);
    /* A command owns the terminal: our line would stand in the middle of its output. */
    watch->live = oc_term_is_tty(OC_STDERR) == 1 && cli->format != OC_FORMAT_CSV && !cli->rest;
}

static void begin(struct watch *watch)
{
    watch->recording.begin_unix_ms = oc_clock_unix_ms();
    watch->recording.end_unix_ms = watch->recording.begin_unix_ms;
    watch->begin_mono_ns = oc_clock_mono_ns();
}

/* ---- the end ---- */

static int write_plot(const struct watch *watch, const char *path)
{
    struct oc_buf svg;
    int rc;

    oc_buf_init(&svg, 16u << 20);
    rc = oc_recording_svg(&watch->recording, &svg);
    if (!rc)
        rc = oc_file_write_atomic(path, svg.data, svg.len_bytes);
    oc_buf_clear(&svg);
    return rc ? oc_cli_error(watch->cli, "cannot write %s: %s", path, oc_err_text(rc)) : OC_EXIT_OK;
}

/* After a command the report goes where that of time(1) goes: standard output is the command's. */
static int report(struct watch *watch)
{
    struct oc_cli *cli = watch->cli;
    enum oc_stream stream = cli->rest ? OC_STDERR : OC_STDOUT;
    int is_tty = oc_term_is_tty(stream) == 1;
    int color = is_tty && (cli->color || (cli->rest && !oc_cli_has(cli, "no-color")));
    struct oc_chart_style chart = { MAX_CHART_COLUMNS, CHART_ROWS, cli->utf8, color };
    int rows, rc;

    if (oc_term_size(stream, &chart.columns, &rows) || chart.columns > MAX_CHART_COLUMNS)
        chart.columns = MAX_CHART_COLUMNS;
    if (is_tty && watch->recording.end == OC_END_SIGNALED && watch->recording.status == SIGINT)
        oc_buf_putc(&cli->out, '\n'); /* the terminal wrote ^C */
    rc =
        oc_recording_report(&watch->recording, color, cli->utf8, is_tty ? &chart : NULL, &cli->out);
    if (rc)
        return oc_cli_error(cli, "%s", oc_err_text(rc));
    if (cli->rest) {
        (void)oc_term_write(OC_STDERR, cli->out.data, cli->out.len_bytes);
        oc_buf_reset(&cli->out);
    }
    return OC_EXIT_OK;
}

static int finish(struct watch *watch)
{
    const char *plot = oc_cli_text(watch->cli, "plot", NULL);
    int failed = OC_EXIT_OK;
    int plot_failed = OC_EXIT_OK;

    hide_live(watch);
    if (watch->err)
        failed = oc_cli_error(watch->cli, "the recording stopped: %s", oc_err_text(watch->err));
    if (watch->cli->format == OC_FORMAT_JSON)
        oc_recording_json(&watch->recording, &watch->cli->out);
    else if (watch->cli->format == OC_FORMAT_TABLE && !failed)
        failed = report(watch);
    if (plot)
        plot_failed = write_plot(watch, plot);
    if (watch->exit_code)
        return watch->exit_code; /* the command's own says more */
    return failed ? failed : plot_failed;
}

static int close_csv(struct watch *watch)
{
    int failed = 0;

    if (watch->csv && watch->csv != stdout)
        failed = fclose(watch->csv) != 0;
    watch->csv = NULL;
    oc_buf_clear(&watch->csv_text);
    if (failed)
        return oc_cli_error(watch->cli, "cannot write %s", oc_cli_text(watch->cli, "out", ""));
    return OC_EXIT_OK;
}

static void tear_down(struct watch *watch)
{
    uv_walk(&watch->loop, close_handle, NULL);
    (void)uv_run(&watch->loop, UV_RUN_DEFAULT); /* the close callbacks, and a walk still out */
    (void)uv_loop_close(&watch->loop);
    oc_members_clear(&watch->members);
    oc_probe_close(watch->probe);
    oc_recording_clear(&watch->recording);
    oc_walk_clear(&watch->walk);
}

static int record(struct watch *watch)
{
    uint32_t pid = 0;
    int rc;

    set_up(watch);
    rc = open_csv(watch);
    if (!rc)
        rc = open_probe(watch);
    if (!rc)
        rc = start_signals(watch);
    begin(watch);
    if (!rc)
        rc = watch->cli->rest ? spawn(watch, &pid) : find_pid(watch, &pid);
    if (!rc)
        rc = attach(watch, pid);
    if (!rc)
        rc = start_looks(watch);
    if (rc)
        return rc;
    while (!watch->done)
        (void)uv_run(&watch->loop, UV_RUN_DEFAULT);
    return finish(watch);
}

static int run_watch(struct oc_cli *cli)
{
    static struct watch watch; /* some tens of KiB: off the stack */
    int rc, csv_rc;

    if (cli->rest && (!cli->rest[0] || cli->arg_count > 0))
        return oc_cli_usage(cli, cli->rest[0] ? "either a PID or a command, not both"
                                              : "no command behind '--'");
    memset(&watch, 0, sizeof(watch));
    watch.cli = cli;
    oc_recording_init(&watch.recording, (unsigned)oc_cli_number(cli, "metric", OC_METRIC_PRIVATE));
    if (OC_METRIC_BLOCK(watch.recording.line_metrics[0]) != OC_BLOCK_PROCESS)
        return oc_cli_usage(cli, "--metric: '%s' is no metric of a process",
                            oc_cli_text(cli, "metric", ""));
    if (uv_loop_init(&watch.loop))
        return oc_cli_error(cli, "cannot start: %s", oc_err_text(OC_E_NOMEM));
    rc = record(&watch);
    tear_down(&watch);
    csv_rc = close_csv(&watch);
    return rc ? rc : csv_rc;
}

static const struct oc_cli_option watch_options[] = {
    { "interval", 'i', OC_CLI_DURATION, "TIME",
      "between two looks; 1s for a PID, 100ms for a command, at least 10ms", NULL },
    { "for", 0, OC_CLI_DURATION, "TIME", "stop then (a command gets SIGTERM)", NULL },
    { "metric", 'm', OC_CLI_METRIC, "METRIC", "what to chart; private_bytes", NULL },
    { "children", 0, OC_CLI_FLAG, NULL, "with a PID: count in what it starts", NULL },
    { "alone", 0, OC_CLI_FLAG, NULL, "with a command: do not count in what it starts", NULL },
    { "pages", 0, OC_CLI_FLAG, NULL, "PSS and USS too: walks page tables, which stalls the process",
      NULL },
    { "out", 'o', OC_CLI_TEXT, "FILE.csv", "write every look to a file", NULL },
    { "plot", 0, OC_CLI_TEXT, "FILE.svg", "write a chart to a file", NULL },
    { 0 },
};

static const struct oc_cli_example watch_examples[] = {
    { "oomcast watch 1234", "until Ctrl-C, then a summary and a chart" },
    { "oomcast watch --for 10m --plot leak.svg 1234", "ten minutes, as a picture" },
    { "oomcast watch -- make -j4", "a run from begin to end; its exit code is passed on" },
    { "oomcast watch --json -- ./test 2>/dev/null | jq .figures.rss_bytes.max",
      "a figure for a script" },
    { "oomcast watch -i 50ms -o run.csv -- ./short", "every look in a file" },
    { 0 },
};

const struct oc_cli_command oc_cmd_watch = {
    .name = "watch",
    .summary = "record a process or a run of a command: no daemon, no config",
    .usage = "[OPTION]... PID | [OPTION]... -- COMMAND [ARGUMENT]...",
    .text = "Looks at one process at an interval and ends with a summary: first, least, mean, "
            "greatest and last of every figure, and how fast it grows.\n\n"
            "Of a command all processes that it starts are added up, as far as they live as long "
            "as a tick; rss_bytes then counts pages that they share once for each, private_bytes "
            "does not. A PID is looked at alone unless --children is given.\n\n"
            "A command's standard output stays its own: the summary goes to standard error. With "
            "--json and --csv it is the other way round. SIGTERM and SIGHUP are passed on to the "
            "command, and SIGINT where no terminal does that.",
    .exits = "with a command: the command's own code, 128 + N where signal N ended it, 126 it "
             "cannot be run, 127 not found",
    .common = OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = watch_options,
    .examples = watch_examples,
    .min_args = 1,
    .max_args = 1,
    .takes_command = 1,
    .run = run_watch,
};
