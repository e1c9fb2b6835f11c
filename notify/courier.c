#include "notify/courier.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "notify/origin.h"
#include "notify/transport.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NOTE_INTERVAL_MS 1000 /* a flood of bad lines is told by its first */
#define ROUND_MS 1000
#define ID_LOOK_BYTES 512 /* of a line that cannot be read, for its id */

static void pump(struct oc_courier *courier);

int64_t oc_courier_now(const struct oc_courier *courier)
{
    (void)courier;
    return oc_clock_mono_ns() / 1000000;
}

static void note(struct oc_courier *courier, const char *text)
{
    char line[512];
    int64_t now_ms = oc_courier_now(courier);

    courier->notes++;
    if (courier->noted_mono_ms > 0 && now_ms - courier->noted_mono_ms < NOTE_INTERVAL_MS)
        return;
    if (courier->notes > 1)
        (void)snprintf(line, sizeof(line), "%.400s (and %u more like it)", text,
                       courier->notes - 1);
    else
        (void)snprintf(line, sizeof(line), "%.500s", text);
    oc_pipe_note(&courier->pipe, line);
    courier->noted_mono_ms = now_ms;
    courier->notes = 0;
}

/* ---- the end ---- */

static void on_grace(uv_timer_t *timer) { uv_stop(timer->loop); }

static void stop_if_idle(struct oc_courier *courier)
{
    if (courier->is_ending && courier->active == 0 && courier->waiting == 0 &&
        oc_pipe_backlog(&courier->pipe) == 0)
        uv_stop(&courier->loop);
}

static void end(struct oc_courier *courier)
{
    if (!courier->is_ending) {
        courier->is_ending = 1;
        oc_pipe_read(&courier->pipe, 0);
        (void)uv_timer_start(&courier->grace, on_grace, OC_GRACE_MS, 0);
    }
    if (courier->pipe.is_deaf && courier->active == 0)
        uv_stop(&courier->loop);
    stop_if_idle(courier);
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

void oc_attempt_drop(struct oc_attempt *attempt)
{
    struct oc_wire_command command = { .what = OC_WIRE_DELIVER, .delivery = attempt->delivery };

    oc_wire_command_clear(&command);
    if (attempt->target)
        oc_target_release(attempt->target);
    oc_free(attempt);
}

static void report(struct oc_courier *courier, const char *id, const struct oc_outcome *outcome,
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
            report.took_ms = oc_courier_now(courier) - attempt->began_mono_ms;
    }
    oc_pipe_report(&courier->pipe, &report);
}

/* Without the next one being begun. */
static void finish(struct oc_attempt *attempt, struct oc_outcome *outcome)
{
    if (attempt->target)
        oc_scrub(&attempt->target->settings, outcome->why);
    report(attempt->courier, attempt->delivery.id, outcome, attempt);
    oc_attempt_drop(attempt);
}

void oc_attempt_done(struct oc_attempt *attempt, struct oc_outcome *outcome)
{
    struct oc_courier *courier = attempt->courier;

    courier->active--;
    attempt->target->active--;
    finish(attempt, outcome);
    pump(courier);
    stop_if_idle(courier);
}

static void begin(struct oc_courier *courier, struct oc_attempt *attempt)
{
    struct oc_outcome outcome = { .outcome = OC_DELIVERY_LATER };
    int type = attempt->target->settings.type;
    int rc = OC_OK;

    attempt->began_mono_ms = oc_courier_now(courier);
    if (type == OC_RECEIVER_JOURNAL) {
        oc_journal_send(courier->journal_path, &attempt->delivery, &outcome);
        finish(attempt, &outcome);
        return;
    }
    courier->active++;
    attempt->target->active++;
    rc = type == OC_RECEIVER_HOOK ? oc_hook_start(courier, attempt, &outcome)
                                  : oc_web_start(courier->web, attempt, &outcome);
    if (rc < 0) {
        courier->active--;
        attempt->target->active--;
        finish(attempt, &outcome);
    }
}

/* ---- the queue ---- */

static uint32_t room_of(const struct oc_target *target)
{
    return target->settings.type == OC_RECEIVER_HOOK ? 1 : OC_ACTIVE_OF_ONE;
}

static struct oc_attempt *take_out(struct oc_courier *courier, struct oc_attempt **at)
{
    struct oc_attempt *attempt = *at;

    *at = attempt->next;
    if (courier->last == &attempt->next)
        courier->last = at;
    courier->waiting--;
    courier->waiting_bytes -= weight(attempt);
    return attempt;
}

/* The first whose receiver has room, taken out; NULL: none. */
static struct oc_attempt *next_of(struct oc_courier *courier)
{
    for (struct oc_attempt **at = &courier->first; *at; at = &(*at)->next) {
        if ((*at)->target->active < room_of((*at)->target))
            return take_out(courier, at);
    }
    return NULL;
}

static int is_full(const struct oc_courier *courier)
{
    return courier->waiting >= OC_QUEUE_MAX || courier->waiting_bytes >= OC_QUEUE_BYTES_MAX ||
           oc_pipe_backlog(&courier->pipe) >= OC_BACKLOG_MAX;
}

static void pump(struct oc_courier *courier)
{
    struct oc_attempt *attempt = NULL;

    while (courier->active < OC_ACTIVE_MAX && (attempt = next_of(courier)) != NULL)
        begin(courier, attempt);
    if (!courier->is_ending)
        oc_pipe_read(&courier->pipe, !is_full(courier));
}

/* Those that waited too long. They are in the order of their coming. */
static void on_round(uv_timer_t *timer)
{
    struct oc_courier *courier = timer->data;
    int64_t before_ms = oc_courier_now(courier) - OC_WAIT_MAX_MS;

    while (courier->first && courier->first->came_mono_ms < before_ms) {
        struct oc_attempt *attempt = take_out(courier, &courier->first);
        struct oc_outcome outcome = { 0 };

        oc_outcome_set(&outcome, OC_DELIVERY_LATER, "others to the same receiver take too long");
        finish(attempt, &outcome);
    }
    if (courier->waiting == 0)
        (void)uv_timer_stop(timer); /* nothing wakes it while nothing is to be done */
    pump(courier);
    stop_if_idle(courier);
}

/* ---- commands ---- */

static void refuse(struct oc_courier *courier, const char *id, enum oc_delivery_outcome outcome,
                   const char *why)
{
    struct oc_outcome refused = { 0 };

    oc_outcome_set(&refused, outcome, "%s", why);
    report(courier, id, &refused, NULL);
}

static void deliver(struct oc_courier *courier, struct oc_wire_delivery *take_delivery)
{
    struct oc_target *target = oc_table_find(&courier->table, take_delivery->receiver);
    struct oc_attempt *attempt = NULL;

    if (!target) {
        refuse(courier, take_delivery->id, OC_DELIVERY_LATER, "no receiver of that name is known");
        return;
    }
    attempt = oc_calloc(1, sizeof(*attempt));
    if (!attempt) {
        refuse(courier, take_delivery->id, OC_DELIVERY_LATER, "out of memory");
        return;
    }
    attempt->courier = courier;
    attempt->delivery = *take_delivery;
    *take_delivery = (struct oc_wire_delivery){ 0 };
    attempt->target = target;
    attempt->came_mono_ms = oc_courier_now(courier);
    oc_target_use(target);
    *courier->last = attempt;
    courier->last = &attempt->next;
    courier->waiting++;
    courier->waiting_bytes += weight(attempt);
    if (!uv_is_active((const uv_handle_t *)&courier->round))
        (void)uv_timer_start(&courier->round, on_round, ROUND_MS, ROUND_MS);
    pump(courier);
}

/* A receiver that was not understood for want of memory would be unknown for ever. */
static void give_up(struct oc_courier *courier)
{
    courier->is_lost = 1;
    uv_stop(&courier->loop);
}

static void take_receiver(struct oc_courier *courier, struct oc_receiver *take_settings)
{
    int rc = oc_table_put(&courier->table, take_settings);

    if (rc == OC_E_TOOBIG)
        note(courier, "a receiver was not taken: there are too many");
    else if (rc < 0)
        give_up(courier);
}

static void obey(struct oc_courier *courier, struct oc_wire_command *command)
{
    switch (command->what) {
    case OC_WIRE_RECEIVER:
        take_receiver(courier, &command->receiver);
        break;
    case OC_WIRE_FORGET:
        oc_table_forget(&courier->table);
        break;
    case OC_WIRE_DELIVER:
        deliver(courier, &command->delivery);
        break;
    case OC_WIRE_QUIT:
        end(courier);
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
    struct oc_courier *courier = context;
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
        obey(courier, &command);
        oc_wire_command_clear(&command);
        return;
    }
    if (id_of(line, len_bytes, id))
        refuse(courier, id, rc == OC_E_NOMEM ? OC_DELIVERY_LATER : OC_DELIVERY_NEVER, detail.text);
    else if (rc == OC_E_NOMEM)
        give_up(courier);
    else
        note(courier, detail.text[0] ? detail.text : oc_err_text(rc));
}

static void on_sent(void *context)
{
    struct oc_courier *courier = context;

    pump(courier);
    stop_if_idle(courier);
}

/* ---- start and stop ---- */

static int start_signals(struct oc_courier *courier)
{
    courier->on_term.data = courier->on_int.data = courier->grace.data = courier;
    courier->round.data = courier;
    if (uv_signal_init(&courier->loop, &courier->on_term) != 0 ||
        uv_signal_init(&courier->loop, &courier->on_int) != 0 ||
        uv_timer_init(&courier->loop, &courier->grace) != 0 ||
        uv_timer_init(&courier->loop, &courier->round) != 0 ||
        uv_signal_start(&courier->on_term, on_signal, SIGTERM) != 0 ||
        uv_signal_start(&courier->on_int, on_signal, SIGINT) != 0)
        return OC_E_IO;
    return OC_OK;
}

int oc_courier_start(struct oc_courier *courier, const struct oc_notify_args *args,
                     const char *first_note, struct oc_detail *detail)
{
    const struct oc_pipe_calls calls = {
        .line = on_line, .end = on_end, .sent = on_sent, .context = courier
    };
    struct oc_wire_report ready = { .what = OC_WIRE_READY, .version = OC_VERSION };
    int rc = OC_OK;

    courier->last = &courier->first;
    courier->journal_path = args->journal;
    if (uv_loop_init(&courier->loop) != 0)
        return oc_detail_set(detail, OC_E_NOMEM, "no event loop");
    if (start_signals(courier) < 0)
        return oc_detail_set(detail, OC_E_IO, "no signals");
    rc = oc_web_open(&courier->loop, &courier->web);
    if (rc < 0)
        return oc_detail_set(detail, rc, "libcurl: %s",
                             rc == OC_E_NOTSUP ? "7.87 or newer is needed" : oc_err_text(rc));
    rc = oc_pipe_open(&courier->loop, &calls, &courier->pipe);
    if (rc < 0)
        return oc_detail_set(detail, rc,
                             "standard input and output are to be pipes: oomcastd starts it so");
    oc_pipe_report(&courier->pipe, &ready);
    if (first_note[0])
        oc_pipe_note(&courier->pipe, first_note);
    oc_pipe_read(&courier->pipe, 1);
    return OC_OK;
}

int oc_courier_run(struct oc_courier *courier)
{
    if (!courier->is_ending || courier->active > 0)
        (void)uv_run(&courier->loop, UV_RUN_DEFAULT);
    return courier->pipe.is_deaf || courier->is_lost || oc_web_is_broken(courier->web) ? OC_E_GONE
                                                                                       : OC_OK;
}

/* Hooks that still run are killed: nobody would watch their time. */
void oc_courier_stop(struct oc_courier *courier)
{
    struct oc_attempt *attempt = NULL;

    while ((attempt = courier->first) != NULL) {
        courier->first = attempt->next;
        oc_attempt_drop(attempt);
    }
    oc_hooks_kill(courier);
    oc_web_close(courier->web);
    oc_pipe_clear(&courier->pipe);
    oc_table_clear(&courier->table);
}
