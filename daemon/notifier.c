#include "daemon/notifier.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/os.h"
#include "base/text.h"
#include "daemon/child.h"

#include <stdio.h>
#include <string.h>

#define LINE_ROOM (32u << 10)      /* the longest line of its is some 10 KiB */
#define QUEUE_MAX_BYTES (4u << 20) /* that it did not read yet */
#define READY_MS 10000
#define SLACK_MS 15000
#define USELESS_MAX 1000 /* lines in USELESS_MS that answer nothing: it floods */
#define USELESS_MS 10000
#define PAUSE_MS 250 /* before it is started again; doubles */
#define PAUSE_MAX_MS 60000
#define NOTES_PER_MINUTE 30

struct child {
    oc_child *process; /* NULL: none was started */
    uv_pipe_t in, out;
    oc_notifier *notifier; /* NULL: nobody cares any more */
    unsigned open_handles;
    size_t line_bytes;
    char line[LINE_ROOM];
};

struct sent {
    char id[OC_OUTBOX_ID_BYTES]; /* "": free */
    int64_t until_mono_ms;
};

struct oc_notifier {
    uv_loop_t *loop;
    struct oc_notifier_options options;
    char program[1024];
    struct child *child; /* NULL: none runs */
    const struct oc_receivers *receivers;
    struct sent sent[OC_NOTIFIER_UNDER_WAY];
    struct oc_notifier_stats stats;
    int64_t started_mono_ms, restart_mono_ms;
    unsigned failures; /* in a row */
    int said_missing;  /* that it cannot be started */
    int64_t useless_since_mono_ms, notes_since_mono_ms;
    unsigned useless, notes;
    int was_full;
};

struct line_write {
    uv_write_t write;
    struct child *child;
    struct oc_buf text;
};

static int64_t now_ms(void) { return oc_clock_mono_ns() / 1000000; }

const char *oc_notifier_state_name(enum oc_notifier_state state)
{
    static const char *const names[] = { "none", "starting", "ready", "ending", "waiting" };

    return names[state];
}

/* ---- what is under way ---- */

static struct sent *find_sent(oc_notifier *n, const char *id)
{
    for (size_t i = 0; i < OC_NOTIFIER_UNDER_WAY; i++) {
        if (strcmp(n->sent[i].id, id) == 0)
            return &n->sent[i];
    }
    return NULL;
}

static void forget_sent(oc_notifier *n, struct sent *sent)
{
    sent->id[0] = '\0';
    n->stats.under_way--;
}

static void lose_all(oc_notifier *n)
{
    for (size_t i = 0; i < OC_NOTIFIER_UNDER_WAY; i++) {
        struct oc_wire_report report = { .what = OC_WIRE_RESULT, .outcome = OC_DELIVERY_LOST };

        if (n->sent[i].id[0] == '\0')
            continue;
        (void)oc_text_copy(report.id, sizeof(report.id), n->sent[i].id);
        (void)oc_text_copy(report.why, sizeof(report.why), n->stats.why);
        forget_sent(n, &n->sent[i]);
        n->options.answered(n->options.context, &report);
    }
}

/* ---- the end of a child ---- */

static void plan_restart(oc_notifier *n)
{
    int64_t pause_ms = PAUSE_MAX_MS;

    if (n->failures < 8)
        pause_ms = (int64_t)PAUSE_MS << n->failures;
    n->failures++;
    n->restart_mono_ms = now_ms() + (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
    n->stats.state = OC_NOTIFIER_WAITING;
}

static void on_child_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    if (--child->open_handles == 0)
        oc_free(child);
}

static void close_child(struct child *child)
{
    child->open_handles = 2;
    oc_child_close(child->process);
    uv_close((uv_handle_t *)&child->in, on_child_closed);
    uv_close((uv_handle_t *)&child->out, on_child_closed);
}

static void on_exit(void *context, int64_t status, int signal_number)
{
    struct child *child = context;
    oc_notifier *n = child->notifier;

    if (!n)
        return; /* closed meanwhile */
    n->child = NULL;
    n->stats.pid = 0;
    close_child(child);
    if (!n->receivers || n->receivers->count == 0) {
        n->stats.state = OC_NOTIFIER_NONE;
        n->stats.failing_since_mono_ms = 0;
        lose_all(n);
        return;
    }
    n->stats.deaths++;
    if (n->stats.why[0] == '\0')
        (void)snprintf(n->stats.why, sizeof(n->stats.why),
                       signal_number ? "it was ended by signal %d" : "it ended with status %d",
                       signal_number ? signal_number : (int)status);
    if (n->stats.failing_since_mono_ms == 0)
        n->stats.failing_since_mono_ms = now_ms();
    plan_restart(n);
    oc_log(OC_LOG_WARN, "notifier_died", oc_str("why", n->stats.why),
           oc_u64("under_way", n->stats.under_way),
           oc_i64("again_in_ms", n->restart_mono_ms - now_ms()));
    lose_all(n);
}

/* It does not behave: ends it; on_exit() does the rest. */
static void end_child(oc_notifier *n, const char *why)
{
    if (!n->child || n->stats.state == OC_NOTIFIER_ENDING)
        return;
    (void)oc_text_copy(n->stats.why, sizeof(n->stats.why), why);
    n->stats.state = OC_NOTIFIER_ENDING;
    if (n->stats.failing_since_mono_ms == 0)
        n->stats.failing_since_mono_ms = now_ms();
    (void)uv_read_stop((uv_stream_t *)&n->child->out);
    oc_child_kill(n->child->process);
}

/* ---- lines to it ---- */

static void wipe(struct oc_buf *text)
{
    volatile char *at = text->data;

    for (size_t i = 0; at && i < text->len_bytes; i++)
        at[i] = '\0';
}

static void on_written(uv_write_t *write, int status)
{
    struct line_write *line = write->data;
    oc_notifier *n = line->child->notifier;

    wipe(&line->text); /* it may have held a secret */
    oc_buf_clear(&line->text);
    oc_free(line);
    if (!n)
        return;
    if (status < 0 && status != UV_ECANCELED)
        end_child(n, "it closed its pipe");
    else if (n->was_full && n->stats.state == OC_NOTIFIER_READY) {
        n->was_full = 0;
        n->options.ready(n->options.context);
    }
}

/* 0, or a code: nothing was written. */
static int write_command(oc_notifier *n, const struct oc_wire_command *command)
{
    struct line_write *line = oc_calloc(1, sizeof(*line));
    uv_buf_t bytes;
    int rc = OC_OK;

    if (!line)
        return OC_E_NOMEM;
    oc_buf_init(&line->text, OC_WIRE_LINE_MAX + 2);
    oc_wire_command_write(command, &line->text);
    rc = line->text.err;
    line->child = n->child;
    line->write.data = line;
    if (rc == OC_OK) {
        bytes = uv_buf_init(line->text.data, (unsigned)line->text.len_bytes);
        if (uv_write(&line->write, (uv_stream_t *)&n->child->in, &bytes, 1, on_written) == 0)
            return OC_OK;
        rc = OC_E_IO;
    }
    wipe(&line->text);
    oc_buf_clear(&line->text);
    oc_free(line);
    return rc;
}

/* The receivers in force. A child that could not be told all of them is of no use. */
static void tell_receivers(oc_notifier *n)
{
    struct oc_wire_command command = { .what = OC_WIRE_FORGET };
    int rc = write_command(n, &command);

    for (size_t i = 0; rc == OC_OK && i < n->receivers->count; i++) {
        command = (struct oc_wire_command){ .what = OC_WIRE_RECEIVER,
                                            .receiver = n->receivers->items[i] };
        rc = write_command(n, &command); /* borrowed: not cleared */
    }
    if (rc < 0)
        end_child(n, "it could not be told the receivers");
}

int oc_notifier_deliver(oc_notifier *n, const struct oc_wire_delivery *delivery, int64_t timeout_ms)
{
    struct oc_wire_command command = { .what = OC_WIRE_DELIVER, .delivery = *delivery };
    struct sent *sent = NULL;
    int rc = OC_OK;

    if (!n->child || n->stats.state != OC_NOTIFIER_READY)
        return OC_E_AGAIN;
    sent = find_sent(n, "");
    if (!sent || uv_stream_get_write_queue_size((uv_stream_t *)&n->child->in) > QUEUE_MAX_BYTES) {
        n->was_full = 1;
        return OC_E_AGAIN;
    }
    rc = write_command(n, &command);
    if (rc < 0)
        return rc;
    (void)oc_text_copy(sent->id, sizeof(sent->id), delivery->id);
    sent->until_mono_ms = now_ms() + timeout_ms + n->options.slack_ms;
    n->stats.under_way++;
    return OC_OK;
}

/* ---- lines from it ---- */

static void on_useless(oc_notifier *n)
{
    n->stats.useless++;
    if (now_ms() - n->useless_since_mono_ms > USELESS_MS) {
        n->useless_since_mono_ms = now_ms();
        n->useless = 0;
    }
    if (++n->useless > USELESS_MAX)
        end_child(n, "it floods the pipe");
}

static void on_note(oc_notifier *n, const struct oc_wire_report *report)
{
    on_useless(n);
    if (now_ms() - n->notes_since_mono_ms > 60000) {
        n->notes_since_mono_ms = now_ms();
        n->notes = 0;
    }
    if (n->notes++ < NOTES_PER_MINUTE)
        oc_log(strcmp(report->level, "info") == 0 ? OC_LOG_INFO : OC_LOG_WARN, "notifier_note",
               oc_str("text", report->text));
}

static void on_result(oc_notifier *n, const struct oc_wire_report *report)
{
    struct sent *sent = report->id[0] ? find_sent(n, report->id) : NULL;

    if (!sent) {
        on_useless(n);
        return;
    }
    forget_sent(n, sent);
    n->stats.answers++;
    n->failures = 0; /* it works */
    n->options.answered(n->options.context, report);
    if (n->was_full && n->stats.state == OC_NOTIFIER_READY) {
        n->was_full = 0;
        n->options.ready(n->options.context);
    }
}

static void on_ready(oc_notifier *n, const struct oc_wire_report *report)
{
    if (n->stats.state != OC_NOTIFIER_STARTING) {
        on_useless(n);
        return;
    }
    n->stats.state = OC_NOTIFIER_READY;
    n->stats.failing_since_mono_ms = 0;
    n->stats.why[0] = '\0';
    oc_log(OC_LOG_INFO, "notifier_ready", oc_u64("pid", n->stats.pid),
           oc_str("version", report->version), oc_u64("receivers", n->receivers->count));
    n->options.ready(n->options.context);
}

static void on_line(oc_notifier *n, const char *line, size_t len_bytes)
{
    struct oc_wire_report report = { 0 };
    struct oc_detail detail = { 0 };
    int rc = oc_wire_report_parse(line, len_bytes, &report, &detail);

    if (rc == OC_E_NOMEM)
        return; /* that delivery runs into its time limit */
    if (rc < 0) {
        char why[160];

        (void)snprintf(why, sizeof(why), "it does not keep to the words: %.120s", detail.text);
        end_child(n, why);
    } else if (report.what == OC_WIRE_READY) {
        on_ready(n, &report);
    } else if (report.what == OC_WIRE_RESULT) {
        on_result(n, &report);
    } else {
        on_note(n, &report);
    }
}

/* Whoever answers may close the child: it is looked at anew after each line. */
static void take_lines(oc_notifier *n, struct child *child)
{
    char *at = child->line, *end = child->line + child->line_bytes, *newline = NULL;

    while (n->child == child && n->stats.state != OC_NOTIFIER_ENDING && at < end &&
           (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        on_line(n, at, (size_t)(newline - at));
        at = newline + 1;
    }
    if (n->child != child)
        return;
    child->line_bytes = (size_t)(end - at);
    memmove(child->line, at, child->line_bytes);
    if (child->line_bytes == sizeof(child->line))
        end_child(n, "a line of its does not end");
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out_buf)
{
    struct child *child = handle->data;

    (void)suggested_bytes;
    *out_buf = uv_buf_init(child->line + child->line_bytes,
                           (unsigned)(sizeof(child->line) - child->line_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t got_bytes, const uv_buf_t *buf)
{
    struct child *child = stream->data;
    oc_notifier *n = child->notifier;

    (void)buf;
    if (!n)
        return;
    if (got_bytes < 0) {
        (void)uv_read_stop(stream);
        if (n->receivers && n->receivers->count > 0)
            end_child(n, ""); /* it ended, or will not be heard again */
        return;
    }
    child->line_bytes += (size_t)got_bytes;
    take_lines(n, child);
}

/* ---- the beginning of a child ---- */

/* What is for this program alone. */
static int is_ours(const char *name)
{
    static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
                                         "LISTEN_FDS",    "LISTEN_PID",   "OOMCAST_FAIL_ALLOC" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return 1;
    }
    return 0;
}

/* "NAME=value" …, NULL; one piece of memory. NULL: no memory. */
static char **copy_environment(void)
{
    uv_env_item_t *items = NULL;
    int count = 0;
    size_t bytes = 0, kept = 0;
    char **words = NULL, *at = NULL;

    if (uv_os_environ(&items, &count) != 0)
        return NULL;
    for (int i = 0; i < count; i++)
        bytes += strlen(items[i].name) + strlen(items[i].value) + 2;
    words = oc_malloc(((size_t)count + 1) * sizeof(*words) + bytes);
    if (words)
        at = (char *)(words + count + 1);
    for (int i = 0; words && i < count; i++) {
        size_t name = strlen(items[i].name), value = strlen(items[i].value);

        if (is_ours(items[i].name))
            continue;
        words[kept++] = at;
        memcpy(at, items[i].name, name);
        at[name] = '=';
        memcpy(at + name + 1, items[i].value, value + 1);
        at += name + value + 2;
    }
    if (words)
        words[kept] = NULL;
    uv_os_free_environ(items, count);
    return words;
}

static int spawn(oc_notifier *n, struct child *child)
{
    char **environment = copy_environment();
    struct oc_child_start start = {
        .program = n->program, .environment = environment, .ended = on_exit, .context = child
    };
    int rc = UV_ENOMEM;

    if (environment)
        rc = oc_child_start(n->loop, &start, &child->in, &child->out, &child->process);
    oc_free(environment);
    return rc;
}

static void say_missing(oc_notifier *n, int uv_rc)
{
    (void)snprintf(n->stats.why, sizeof(n->stats.why), "it could not be started: %s",
                   uv_strerror(uv_rc));
    if (!n->said_missing)
        oc_log(OC_LOG_ERROR, "notifier_not_started", oc_str("program", n->program),
               oc_str("why", uv_strerror(uv_rc)),
               oc_str("then", "alerts are in the log and the store alone; it is tried again"));
    n->said_missing = 1;
}

static void start_child(oc_notifier *n)
{
    struct child *child = oc_calloc(1, sizeof(*child));
    int rc = UV_ENOMEM;

    n->stats.why[0] = '\0';
    if (n->stats.failing_since_mono_ms == 0)
        n->stats.failing_since_mono_ms = now_ms();
    if (!child) {
        say_missing(n, rc);
        plan_restart(n);
        return;
    }
    child->notifier = n;
    child->in.data = child;
    child->out.data = child;
    (void)uv_pipe_init(n->loop, &child->in, 0); /* neither can fail */
    (void)uv_pipe_init(n->loop, &child->out, 0);
    rc = spawn(n, child);
    if (rc == 0 && uv_read_start((uv_stream_t *)&child->out, on_alloc, on_read) != 0) {
        oc_child_kill(child->process);
        rc = UV_EIO;
    }
    if (rc != 0) {
        child->notifier = NULL;
        close_child(child);
        say_missing(n, rc);
        plan_restart(n);
        return;
    }
    n->child = child;
    n->said_missing = 0;
    n->stats.pid = oc_child_pid(child->process);
    n->stats.state = OC_NOTIFIER_STARTING;
    n->stats.starts++;
    n->started_mono_ms = now_ms();
    tell_receivers(n);
}

/* ---- the loop's side ---- */

/* Beside this program; in a test's environment elsewhere. 0 or OC_E_TOOBIG. */
static int find_program(oc_notifier *n)
{
    size_t bytes = sizeof(n->program);
    char *end = n->program; /* of the folder */

    if (n->options.program)
        return oc_text_copy(n->program, sizeof(n->program), n->options.program);
    if (uv_os_getenv("OOMCAST_NOTIFY", n->program, &bytes) == 0 && n->program[0])
        return OC_OK;
    bytes = sizeof(n->program);
    if (uv_exepath(n->program, &bytes) != 0)
        return oc_text_copy(n->program, sizeof(n->program), oc_child_program);
    for (char *at = n->program; *at; at++) {
        if (*at == '/' || *at == '\\')
            end = at + 1;
    }
    return oc_text_copy(end, sizeof(n->program) - (size_t)(end - n->program), oc_child_program);
}

int oc_notifier_new(uv_loop_t *loop, const struct oc_notifier_options *options,
                    oc_notifier **out_notifier)
{
    oc_notifier *n = oc_calloc(1, sizeof(*n));

    if (!n)
        return OC_E_NOMEM;
    n->loop = loop;
    n->options = *options;
    if (n->options.ready_ms == 0)
        n->options.ready_ms = READY_MS;
    if (n->options.slack_ms == 0)
        n->options.slack_ms = SLACK_MS;
    if (find_program(n) < 0) {
        oc_free(n);
        return OC_E_TOOBIG;
    }
    *out_notifier = n;
    return OC_OK;
}

void oc_notifier_set_receivers(oc_notifier *n, const struct oc_receivers *receivers)
{
    struct oc_wire_command quit = { .what = OC_WIRE_QUIT };

    n->receivers = receivers;
    if (receivers->count == 0) {
        if (n->child)
            (void)write_command(n, &quit);
        else
            n->stats.state = OC_NOTIFIER_NONE;
    } else if (n->child && n->stats.state != OC_NOTIFIER_ENDING) {
        tell_receivers(n);
    } else if (!n->child && n->stats.state == OC_NOTIFIER_NONE) {
        start_child(n);
    }
}

static int has_late_one(const oc_notifier *n, int64_t at_ms)
{
    for (size_t i = 0; i < OC_NOTIFIER_UNDER_WAY; i++) {
        if (n->sent[i].id[0] && at_ms >= n->sent[i].until_mono_ms)
            return 1;
    }
    return 0;
}

void oc_notifier_round(oc_notifier *n)
{
    int64_t at_ms = now_ms();

    if (n->stats.state == OC_NOTIFIER_WAITING && at_ms >= n->restart_mono_ms)
        start_child(n);
    else if (n->stats.state == OC_NOTIFIER_STARTING &&
             at_ms - n->started_mono_ms >= n->options.ready_ms)
        end_child(n, "it did not say that it is ready");
    else if (n->stats.state == OC_NOTIFIER_READY && n->stats.under_way > 0 &&
             has_late_one(n, at_ms))
        end_child(n, "it does not answer");
}

void oc_notifier_stats(const oc_notifier *n, struct oc_notifier_stats *out_stats)
{
    *out_stats = n->stats;
    out_stats->queued_bytes =
        n->child ? uv_stream_get_write_queue_size((const uv_stream_t *)&n->child->in) : 0;
}

void oc_notifier_quit(oc_notifier *n)
{
    struct oc_wire_command quit = { .what = OC_WIRE_QUIT };
    static const struct oc_receivers none = { 0 };

    if (!n)
        return;
    n->receivers = &none;
    if (n->child && write_command(n, &quit) < 0)
        end_child(n, "");
}

void oc_notifier_close(oc_notifier *n)
{
    if (!n)
        return;
    if (n->child) {
        n->child->notifier = NULL;
        oc_child_ask_to_end(n->child->process);
        close_child(n->child);
    }
    oc_free(n);
}
