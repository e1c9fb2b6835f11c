/* Hook programs: each with all that it starts, its alert on standard input, its output bounded, killed when its time is over. */
#include "notify/transport.h"

#include "base/alloc.h"
#include "base/text.h"
#include "notify/courier.h"
#include "notify/os.h"

#include <stdio.h>
#include <string.h>

#define EXIT_LATER 75 /* EX_TEMPFAIL of sysexits.h */
#define WORDS_MAX 64  /* of the environment and of argv */

struct oc_hook {
    oc_program *program; /* NULL: none was started */
    uv_timer_t timer;
    uv_pipe_t output;
    struct oc_attempt *attempt; /* NULL: it has been ended */
    struct oc_outcome outcome;
    int is_over_time, open_handles;
    char bytes[4096];             /* of its output, on the way */
    struct oc_hook *next, **link; /* of those that run */
};

/* ---- what it is given ---- */

struct words {
    char *items[WORDS_MAX + 1];
    size_t count;
};

static void clear_words(struct words *words)
{
    while (words->count > 0)
        oc_free(words->items[--words->count]);
}

static int add_word(struct words *words, const char *name, const char *value)
{
    size_t len = strlen(name) + strlen(value) + 2;
    char *word = words->count < WORDS_MAX ? oc_malloc(len) : NULL;

    if (!word)
        return OC_E_NOMEM;
    (void)snprintf(word, len, "%s%s%s", name, name[0] ? "=" : "", value);
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
    return OC_OK;
}

/* Nothing of our own environment: what it runs in is the same on each machine. */
static int make_environment(const struct oc_strings *fields, struct words *out)
{
    const char *const *own = oc_program_environment();
    int rc = OC_OK;

    for (size_t i = 0; own[i] && rc == OC_OK; i += 2)
        rc = add_word(out, own[i], own[i + 1]);
    for (size_t i = 0; i + 1 < fields->count && rc == OC_OK; i += 2) {
        if (strncmp(fields->items[i], "OOMCAST_", 8) == 0 && !strchr(fields->items[i], '='))
            rc = add_word(out, fields->items[i], fields->items[i + 1]);
    }
    return rc;
}

static int make_argv(const struct oc_strings *argv, struct words *out)
{
    int rc = OC_OK;

    for (size_t i = 0; i < argv->count && rc == OC_OK; i++)
        rc = add_word(out, "", argv->items[i]);
    return rc;
}

/* ---- its end ---- */

static void one_closed(struct oc_hook *hook)
{
    struct oc_attempt *attempt = hook->attempt;
    struct oc_outcome outcome = hook->outcome;

    if (--hook->open_handles > 0)
        return;
    if (hook->link) {
        *hook->link = hook->next;
        if (hook->next)
            hook->next->link = hook->link;
    }
    oc_free(hook);
    if (attempt)
        oc_attempt_done(attempt, &outcome);
}

static void on_closed(uv_handle_t *handle) { one_closed(handle->data); }

static void on_program_closed(void *context) { one_closed(context); }

static void close_all(struct oc_hook *hook)
{
    uv_close((uv_handle_t *)&hook->timer, on_closed);
    uv_close((uv_handle_t *)&hook->output, on_closed);
    if (hook->program)
        oc_program_close(hook->program);
}

static const char *program(const struct oc_hook *hook)
{
    return hook->attempt->target->settings.argv.items[0];
}

static void judge(struct oc_hook *hook, int64_t status, int signal_number)
{
    struct oc_outcome *out = &hook->outcome;
    double seconds = (double)hook->attempt->target->settings.timeout_ms / 1000.0;

    out->status = (int32_t)status;
    if (hook->is_over_time)
        oc_outcome_set(out, OC_DELIVERY_NEVER, "%.120s was killed: it took more than %.3g s",
                       program(hook), seconds);
    else if (signal_number != 0)
        oc_outcome_set(out, OC_DELIVERY_NEVER, "%.120s ended by signal %d", program(hook),
                       signal_number);
    else if (status == EXIT_LATER)
        oc_outcome_set(out, OC_DELIVERY_LATER, "%.120s asks to be run again later (status %d)",
                       program(hook), EXIT_LATER);
    else if (status != 0)
        oc_outcome_set(out, OC_DELIVERY_NEVER, "%.120s failed with status %d", program(hook),
                       (int)status);
    else
        oc_outcome_set(out, OC_DELIVERY_SENT, "%s", "");
}

/* What it wrote last may still be in the pipe. */
static void take_rest(struct oc_hook *hook)
{
    size_t got = 0;

    while ((got = oc_program_rest(&hook->output, hook->bytes, sizeof(hook->bytes))) > 0) {
        if (oc_attempt_answer(hook->attempt, hook->bytes, got) < 0)
            return;
    }
}

static void on_ended(void *context, int64_t status, int signal_number)
{
    struct oc_hook *hook = context;

    take_rest(hook);
    judge(hook, status, signal_number);
    close_all(hook);
}

static void on_time(uv_timer_t *timer)
{
    struct oc_hook *hook = timer->data;

    hook->is_over_time = 1;
    oc_program_kill(hook->program);
}

/* ---- its output: the beginning is kept, the rest read and dropped, so that it can go on ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out_buf)
{
    struct oc_hook *hook = handle->data;

    (void)suggested_bytes;
    *out_buf = uv_buf_init(hook->bytes, sizeof(hook->bytes));
}

static void on_output(uv_stream_t *stream, ssize_t got_bytes, const uv_buf_t *buf)
{
    struct oc_hook *hook = stream->data;

    if (got_bytes < 0)
        (void)uv_read_stop(stream);
    else if (hook->attempt)
        (void)oc_attempt_answer(hook->attempt, buf->base, (size_t)got_bytes);
}

/* ---- its beginning ---- */

static int spawn(uv_loop_t *loop, struct oc_hook *hook)
{
    const struct oc_attempt *attempt = hook->attempt;
    struct words environment = { .count = 0 }, argv = { .count = 0 };
    struct oc_program_start start = { .input = attempt->delivery.body,
                                      .input_bytes = attempt->delivery.body_bytes,
                                      .ended = on_ended,
                                      .closed = on_program_closed,
                                      .context = hook };
    int rc = make_environment(&attempt->delivery.fields, &environment);

    if (rc == OC_OK)
        rc = make_argv(&attempt->target->settings.argv, &argv);
    start.argv = argv.items;
    start.environment = environment.items;
    rc = rc == OC_OK ? oc_program_start(loop, &start, &hook->output, &hook->program) : UV_ENOMEM;
    if (rc == 0)
        hook->open_handles++;
    clear_words(&environment);
    clear_words(&argv);
    return rc;
}

/* The handles live from here on: they go in on_closed(). */
static void set_up(uv_loop_t *loop, struct oc_hook *hook)
{
    hook->timer.data = hook->output.data = hook;
    (void)uv_timer_init(loop, &hook->timer);
    (void)uv_pipe_init(loop, &hook->output, 0); /* neither can fail */
    hook->open_handles = 2;
}

static void link_in(struct oc_hook **list, struct oc_hook *hook)
{
    hook->next = *list;
    hook->link = list;
    if (hook->next)
        hook->next->link = &hook->next;
    *list = hook;
}

/* Ends one that never ran; its attempt is the caller's. */
static void give_up(struct oc_hook *hook)
{
    hook->attempt = NULL;
    close_all(hook);
}

static int is_short_of_room(int uv_rc)
{
    return uv_rc == UV_ENOMEM || uv_rc == UV_EAGAIN || uv_rc == UV_EMFILE || uv_rc == UV_ENFILE;
}

static int run(struct oc_courier *courier, struct oc_hook *hook, struct oc_outcome *out)
{
    struct oc_target *target = hook->attempt->target;
    int64_t timeout_ms = target->settings.timeout_ms > 0 ? target->settings.timeout_ms : 10000;
    int rc = OC_OK;

    set_up(&courier->loop, hook);
    rc = spawn(&courier->loop, hook);
    if (rc < 0) {
        oc_outcome_set(out, is_short_of_room(rc) ? OC_DELIVERY_LATER : OC_DELIVERY_SLOW,
                       "%.120s cannot be run: %s", program(hook), uv_strerror(rc));
        give_up(hook);
        return OC_E_IO;
    }
    link_in(&courier->hooks, hook);
    target->last_run_mono_ms = oc_courier_now(courier);
    (void)uv_timer_start(&hook->timer, on_time, (uint64_t)timeout_ms, 0);
    (void)uv_read_start((uv_stream_t *)&hook->output, on_alloc, on_output);
    return OC_OK;
}

/* How long it still has to wait; 0: it may run. */
static int64_t pause_ms(const struct oc_target *target, int64_t now_ms)
{
    int64_t next_ms = target->last_run_mono_ms + target->settings.interval_ms;

    return target->last_run_mono_ms > 0 && next_ms > now_ms ? next_ms - now_ms : 0;
}

int oc_hook_start(struct oc_courier *courier, struct oc_attempt *attempt, struct oc_outcome *out)
{
    struct oc_hook *hook = NULL;
    char wait[24];

    if (attempt->target->settings.argv.count == 0) {
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the hook names no program");
        return OC_E_INVAL;
    }
    out->retry_after_ms = pause_ms(attempt->target, oc_courier_now(courier));
    if (out->retry_after_ms > 0) {
        oc_outcome_set(out, OC_DELIVERY_LATER, "it ran a while ago: not again for %s",
                       oc_text_ms(out->retry_after_ms, wait, sizeof(wait)));
        return OC_E_AGAIN;
    }
    hook = oc_calloc(1, sizeof(*hook));
    if (!hook) {
        oc_outcome_set(out, OC_DELIVERY_LATER, "no memory for the hook");
        return OC_E_NOMEM;
    }
    hook->attempt = attempt;
    return run(courier, hook, out);
}

void oc_hooks_kill(struct oc_courier *courier)
{
    for (struct oc_hook *hook = courier->hooks; hook; hook = hook->next)
        oc_program_kill(hook->program);
}
