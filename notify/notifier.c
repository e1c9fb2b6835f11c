#include "notify/notifier.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "notify/origin.h"
#include "notify/transport.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NOTE_INTERVAL_MS 1000 /* a flood of bad lines is told by its first */
#define ID_LOOK_BYTES 512     /* of a line that cannot be read, for its id */

static void pump(struct oc_notifier *notifier);

int64_t oc_notifier_now(const struct oc_notifier *notifier)
{
    (void)notifier;
    return oc_clock_mono_ns() / 1000000;
}

static void note(struct oc_notifier *notifier, const char *text)
{
    char line[512];
    int64_t now_ms = oc_notifier_now(notifier);

    notifier->notes++;
    if (notifier->noted_mono_ms > 0 && now_ms - notifier->noted_mono_ms < NOTE_INTERVAL_MS)
        return;
    if (notifier->notes > 1)
        (void)snprintf(line, sizeof(line), "%.400s (and %u more like it)", text,
                       notifier->notes - 1);
    else
        (void)snprintf(line, sizeof(line), "%.500s", text);
    oc_pipe_note(&notifier->pipe, line);
    notifier->noted_mono_ms = now_ms;
    notifier->notes = 0;
}

/* ---- the end ---- */

static void on_grace(uv_timer_t *timer) { uv_stop(timer->loop); }

static void stop_if_idle(struct oc_notifier *notifier)
{
    if (notifier->is_ending && notifier->active == 0 && notifier->waiting == 0 &&
        oc_pipe_backlog(&notifier->pipe) == 0)
        uv_stop(&notifier->loop);
}

static void end(struct oc_notifier *notifier)
{
    if (!notifier->is_ending) {
        notifier->is_ending = 1;
        oc_pipe_read(&notifier->pipe, 0);
        (void)uv_timer_start(&notifier->grace, on_grace, OC_GRACE_MS, 0);
    }
    if (notifier->pipe.is_deaf && notifier->active == 0)
        uv_stop(&notifier->loop);
    stop_if_idle(notifier);
}

static void on_end(void *context) { end(context); }

static void on_signal(uv_signal_t *handle, int number)
{
    if (number == SIGTERM)
        end(handle->data); /* SIGINT is meant for oomcastd, which says what to do */
}

/* ---- attempts ---- */

static size_t weight(const struct oc_attempt *attempt)
{
    return sizeof(*attempt) + attempt->delivery.body_bytes;
}

static void free_attempt(struct oc_attempt *attempt)
{
    struct oc_wire_command command = { .what = OC_WIRE_DELIVER, .delivery = attempt->delivery };

    oc_wire_command_clear(&command);
    if (attempt->target)
        oc_target_release(attempt->target);
    oc_free(attempt);
}

static void report(struct oc_notifier *notifier, const char *id, const struct oc_outcome *outcome,
                   const struct oc_attempt *attempt)
{
    struct oc_wire_report report = { .what = OC_WIRE_RESULT,
                                     .outcome = outcome->outcome,
                                     .status = outcome->status,
                                     .retry_after_ms = outcome->retry_after_ms };

    (void)oc_text_copy(report.id, sizeof(report.id), id);
    oc_text_copy_utf8(report.why, sizeof(report.why), outcome->why, strlen(outcome->why));
    if (attempt) {
        oc_attempt_answer_text(attempt, report.answer);
        if (attempt->began_mono_ms > 0)
            report.took_ms = oc_notifier_now(notifier) - attempt->began_mono_ms;
    }
    oc_pipe_report(&notifier->pipe, &report);
}

/* Without the next one being begun. */
static void finish(struct oc_attempt *attempt, struct oc_outcome *outcome)
{
    if (attempt->target)
        oc_scrub(&attempt->target->settings, outcome->why);
    report(attempt->notifier, attempt->delivery.id, outcome, attempt);
    free_attempt(attempt);
}

void oc_attempt_done(struct oc_attempt *attempt, struct oc_outcome *outcome)
{
    struct oc_notifier *notifier = attempt->notifier;

    notifier->active--;
    attempt->target->active--;
    finish(attempt, outcome);
    pump(notifier);
    stop_if_idle(notifier);
}

static void begin(struct oc_notifier *notifier, struct oc_attempt *attempt)
{
    struct oc_outcome outcome = { .outcome = OC_DELIVERY_LATER };
    int type = attempt->target->settings.type;
    int rc = OC_OK;

    attempt->began_mono_ms = oc_notifier_now(notifier);
    if (type == OC_RECEIVER_JOURNAL) {
        oc_journal_send(notifier->journal_path, &attempt->delivery, &outcome);
        finish(attempt, &outcome);
        return;
    }
    notifier->active++;
    attempt->target->active++;
    rc = type == OC_RECEIVER_HOOK ? oc_hook_start(notifier, attempt, &outcome)
                                  : oc_web_start(notifier->web, attempt, &outcome);
    if (rc < 0) {
        notifier->active--;
        attempt->target->active--;
        finish(attempt, &outcome);
    }
}

/* ---- the queue ---- */

static uint32_t room_of(const struct oc_target *target)
{
    return target->settings.type == OC_RECEIVER_HOOK ? 1 : OC_ACTIVE_OF_ONE;
}

/* The first whose receiver has room, taken out; NULL: none. */
static struct oc_attempt *next_of(struct oc_notifier *notifier)
{
    for (struct oc_attempt **at = &notifier->first; *at; at = &(*at)->next) {
        struct oc_attempt *attempt = *at;

        if (attempt->target->active >= room_of(attempt->target))
            continue;
        *at = attempt->next;
        if (notifier->last == &attempt->next)
            notifier->last = at;
        notifier->waiting--;
        notifier->waiting_bytes -= weight(attempt);
        return attempt;
    }
    return NULL;
}

static int is_full(const struct oc_notifier *notifier)
{
    return notifier->waiting >= OC_QUEUE_MAX || notifier->waiting_bytes >= OC_QUEUE_BYTES_MAX ||
           oc_pipe_backlog(&notifier->pipe) >= OC_BACKLOG_MAX;
}

static void pump(struct oc_notifier *notifier)
{
    struct oc_attempt *attempt = NULL;

    while (notifier->active < OC_ACTIVE_MAX && (attempt = next_of(notifier)) != NULL)
        begin(notifier, attempt);
    if (!notifier->is_ending)
        oc_pipe_read(&notifier->pipe, !is_full(notifier));
}

/* ---- commands ---- */

static void refuse(struct oc_notifier *notifier, const char *id, enum oc_delivery_outcome outcome,
                   const char *why)
{
    struct oc_outcome refused = { 0 };

    oc_outcome_set(&refused, outcome, "%s", why);
    report(notifier, id, &refused, NULL);
}

static void deliver(struct oc_notifier *notifier, struct oc_wire_delivery *take_delivery)
{
    struct oc_target *target = oc_table_find(&notifier->table, take_delivery->receiver);
    struct oc_attempt *attempt = NULL;

    if (!target) {
        refuse(notifier, take_delivery->id, OC_DELIVERY_LATER, "no receiver of that name is known");
        return;
    }
    attempt = oc_calloc(1, sizeof(*attempt));
    if (!attempt) {
        refuse(notifier, take_delivery->id, OC_DELIVERY_LATER, "out of memory");
        return;
    }
    attempt->notifier = notifier;
    attempt->delivery = *take_delivery;
    *take_delivery = (struct oc_wire_delivery){ 0 };
    attempt->target = target;
    oc_target_use(target);
    *notifier->last = attempt;
    notifier->last = &attempt->next;
    notifier->waiting++;
    notifier->waiting_bytes += weight(attempt);
    pump(notifier);
}

static void obey(struct oc_notifier *notifier, struct oc_wire_command *command)
{
    switch (command->what) {
    case OC_WIRE_RECEIVER:
        if (oc_table_put(&notifier->table, &command->receiver) < 0)
            note(notifier, "a receiver could not be taken: too many, or no memory");
        break;
    case OC_WIRE_FORGET:
        oc_table_forget(&notifier->table);
        break;
    case OC_WIRE_DELIVER:
        deliver(notifier, &command->delivery);
        break;
    case OC_WIRE_QUIT:
        end(notifier);
        break;
    }
}

/* The id of a delivery whose line cannot be read, from its beginning: else nobody would hear of it again. 1: there is one. */
static int id_of(const char *line, size_t len_bytes, char out_id[OC_OUTBOX_ID_BYTES])
{
    static const char key[] = "\"id\":\"";
    char head[ID_LOOK_BYTES + 1];
    size_t len = len_bytes < ID_LOOK_BYTES ? len_bytes : ID_LOOK_BYTES;
    const char *id = NULL;
    size_t id_len = 0;

    memcpy(head, line, len);
    head[len] = '\0';
    id = strstr(head, "\"deliver\"") ? strstr(head, key) : NULL;
    if (!id)
        return 0;
    id += sizeof(key) - 1;
    id_len = strcspn(id, "\"\\");
    if (id_len == 0 || id_len >= OC_OUTBOX_ID_BYTES || id[id_len] != '"')
        return 0;
    memcpy(out_id, id, id_len);
    out_id[id_len] = '\0';
    return 1;
}

static void on_line(const char *line, size_t len_bytes, int too_long, void *context)
{
    struct oc_notifier *notifier = context;
    struct oc_wire_command command = { 0 };
    struct oc_detail detail = { 0 };
    char id[OC_OUTBOX_ID_BYTES];
    int rc = OC_E_TOOBIG;

    if (too_long)
        (void)oc_detail_set(&detail, rc, "a line of more than %u bytes was passed over",
                            OC_WIRE_LINE_MAX);
    else
        rc = oc_wire_command_parse(line, len_bytes, &command, &detail);
    if (rc == OC_OK) {
        obey(notifier, &command);
        oc_wire_command_clear(&command);
        return;
    }
    if (id_of(line, len_bytes, id))
        refuse(notifier, id, rc == OC_E_NOMEM ? OC_DELIVERY_LATER : OC_DELIVERY_NEVER, detail.text);
    else
        note(notifier, detail.text[0] ? detail.text : oc_err_text(rc));
}

static void on_sent(void *context)
{
    struct oc_notifier *notifier = context;

    pump(notifier);
    stop_if_idle(notifier);
}

/* ---- start and stop ---- */

static int start_signals(struct oc_notifier *notifier)
{
    notifier->on_term.data = notifier->on_int.data = notifier->grace.data = notifier;
    if (uv_signal_init(&notifier->loop, &notifier->on_term) != 0 ||
        uv_signal_init(&notifier->loop, &notifier->on_int) != 0 ||
        uv_timer_init(&notifier->loop, &notifier->grace) != 0 ||
        uv_signal_start(&notifier->on_term, on_signal, SIGTERM) != 0 ||
        uv_signal_start(&notifier->on_int, on_signal, SIGINT) != 0)
        return OC_E_IO;
    return OC_OK;
}

int oc_notifier_start(struct oc_notifier *notifier, const struct oc_notify_args *args,
                      const char *first_note, struct oc_detail *detail)
{
    const struct oc_pipe_calls calls = {
        .line = on_line, .end = on_end, .sent = on_sent, .context = notifier
    };
    struct oc_wire_report ready = { .what = OC_WIRE_READY, .version = OC_VERSION };
    int rc = OC_OK;

    notifier->last = &notifier->first;
    notifier->journal_path = args->journal;
    (void)signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&notifier->loop) != 0)
        return oc_detail_set(detail, OC_E_NOMEM, "no event loop");
    if (start_signals(notifier) < 0)
        return oc_detail_set(detail, OC_E_IO, "no signals");
    rc = oc_web_open(&notifier->loop, &notifier->web);
    if (rc < 0)
        return oc_detail_set(detail, rc, "libcurl: %s", oc_err_text(rc));
    rc = oc_pipe_open(&notifier->loop, &calls, &notifier->pipe);
    if (rc < 0)
        return oc_detail_set(detail, rc,
                             "standard input and output are to be pipes: oomcastd starts it so");
    oc_pipe_report(&notifier->pipe, &ready);
    if (first_note[0])
        oc_pipe_note(&notifier->pipe, first_note);
    oc_pipe_read(&notifier->pipe, 1);
    return OC_OK;
}

int oc_notifier_run(struct oc_notifier *notifier)
{
    if (!notifier->is_ending || notifier->active > 0)
        (void)uv_run(&notifier->loop, UV_RUN_DEFAULT);
    return notifier->pipe.is_deaf || oc_web_is_broken(notifier->web) ? OC_E_GONE : OC_OK;
}

/* Hooks that still run are killed: nobody would watch their time. */
void oc_notifier_stop(struct oc_notifier *notifier)
{
    struct oc_attempt *attempt = NULL;

    while ((attempt = notifier->first) != NULL) {
        notifier->first = attempt->next;
        free_attempt(attempt);
    }
    oc_hooks_kill(notifier);
    oc_web_close(notifier->web);
    oc_pipe_clear(&notifier->pipe);
    oc_table_clear(&notifier->table);
}
