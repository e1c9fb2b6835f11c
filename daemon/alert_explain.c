#include "daemon/alert_explain.h"

#include "explain/explain.h"
#include "storage/reader.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <string.h>

#define STACK_BYTES (512u << 10)
#define COLUMNS 100
#define LINES 16
#define STEPS 4
#define TRIES 4
#define AGAIN_NS INT64_C(300000000)
#define IDLE_NS                                                                                    \
    INT64_C(30000000000) /* then the reader is closed: its memory is not held for nothing */

struct question {
    struct question *next;
    struct oc_explain_question asked;
};

/* Too large for a stack. */
struct desk {
    struct oc_evidence evidence;
    struct oc_explanation explanation;
};

struct oc_explainer {
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t filled;
    uv_async_t answered;
    void (*done)(void *context);
    void *context;
    char store_path[540];
    /* guarded by mutex */
    struct question *questions, *last;
    unsigned waiting;
    uint64_t at_hand; /* the fingerprint that is being explained; 0: none */
    struct oc_explain_answer *answers, *last_answer;
    int stop, stopped;
    /* the thread's own */
    oc_reader *reader;
};

void oc_explain_answer_free(struct oc_explain_answer *take_answer)
{
    if (!take_answer)
        return;
    oc_free(take_answer->text);
    oc_free(take_answer->then);
    oc_free(take_answer);
}

/* ---- the thread ---- */

/* What a buffer holds, as a text of its own; NULL: nothing, or no memory. */
static char *take_text(struct oc_buf *buf)
{
    char *text = buf->len_bytes > 0 ? oc_strndup(buf->data, buf->len_bytes) : NULL;

    oc_buf_clear(buf);
    return text;
}

static void write_answer(const struct oc_explain_question *asked, const struct desk *desk,
                         struct oc_explain_answer *answer)
{
    struct oc_buf text;

    oc_buf_init(&text, OC_EXPLAIN_TEXT_BYTES); /* what is longer is cut */
    if (asked->is_over)
        oc_explain_life_text(&desk->evidence, COLUMNS, &text);
    else
        oc_explain_text(&desk->evidence, &desk->explanation, COLUMNS, LINES, &text);
    answer->text = take_text(&text);
    if (asked->is_over)
        return;
    oc_buf_init(&text, OC_EXPLAIN_TEXT_BYTES);
    oc_explain_next(&desk->explanation, STEPS, &text);
    answer->then = take_text(&text);
}

/* Opens the reader where it is not. */
static int look(oc_explainer *e, const struct oc_explain_question *asked, struct oc_evidence *out)
{
    struct oc_evidence_query query = { .source = asked->source,
                                       .pid = asked->pid,
                                       .want_ended = asked->is_over,
                                       .until_unix_ms = INT64_MAX };
    struct oc_detail detail = { 0 };
    int rc = e->reader ? OC_OK : oc_reader_open(e->store_path, &e->reader, &detail);

    if (asked->source == 0 || asked->is_over) { /* of a subject that is over: its newest life */
        query.source = 0;
        query.pid = 0;
        query.subject = asked->subject;
    }
    return rc < 0 ? rc : oc_reader_evidence(e->reader, &query, out);
}

/* The store may not have it yet: it is written in batches. Returns whether to look again. */
static int wait_for_store(oc_explainer *e)
{
    int go_on = 0;

    uv_mutex_lock(&e->mutex);
    if (!e->stop)
        (void)uv_cond_timedwait(&e->filled, &e->mutex, (uint64_t)AGAIN_NS);
    go_on = !e->stop;
    uv_mutex_unlock(&e->mutex);
    return go_on;
}

static int look_some_times(oc_explainer *e, const struct oc_explain_question *asked,
                           struct oc_evidence *out)
{
    int rc = look(e, asked, out);

    for (int i = 0; i < TRIES && rc < 0 && wait_for_store(e); i++)
        rc = look(e, asked, out);
    return rc;
}

static struct oc_explain_answer *explain(oc_explainer *e, const struct oc_explain_question *asked)
{
    struct desk *desk = oc_calloc(1, sizeof(*desk));
    struct oc_explain_answer *answer = oc_calloc(1, sizeof(*answer));

    if (desk && answer && look_some_times(e, asked, &desk->evidence) >= 0) {
        if (!asked->is_over)
            oc_explain(&desk->evidence, &desk->explanation);
        write_answer(asked, desk, answer);
    }
    oc_free(desk);
    if (answer) {
        answer->fingerprint = asked->fingerprint;
        answer->episode = asked->episode;
        answer->is_over = asked->is_over;
    }
    return answer;
}

/* With the mutex held: the next question; NULL: it is to stop. */
static struct question *wait_for_question(oc_explainer *e)
{
    struct question *question = NULL;

    while (!e->stop && !e->questions) {
        if (!e->reader) {
            uv_cond_wait(&e->filled, &e->mutex);
        } else if (uv_cond_timedwait(&e->filled, &e->mutex, (uint64_t)IDLE_NS) != 0) {
            oc_reader_close(e->reader);
            e->reader = NULL;
        }
    }
    if (e->stop)
        return NULL;
    question = e->questions;
    e->questions = question->next;
    if (!e->questions)
        e->last = NULL;
    e->waiting--;
    e->at_hand = question->asked.fingerprint;
    return question;
}

/* With the mutex held. */
static void put_answer(oc_explainer *e, struct oc_explain_answer *answer)
{
    e->at_hand = 0;
    if (!answer)
        return;
    if (e->last_answer)
        e->last_answer->next = answer;
    else
        e->answers = answer;
    e->last_answer = answer;
}

static void explainer_main(void *argument)
{
    oc_explainer *e = argument;
    struct question *question = NULL;

    uv_mutex_lock(&e->mutex);
    while ((question = wait_for_question(e)) != NULL) {
        struct oc_explain_answer *answer = NULL;

        uv_mutex_unlock(&e->mutex);
        answer = explain(e, &question->asked);
        oc_free(question);
        uv_mutex_lock(&e->mutex);
        put_answer(e, answer);
        (void)uv_async_send(&e->answered);
    }
    oc_reader_close(e->reader);
    e->reader = NULL;
    e->stopped = 1;
    uv_cond_broadcast(&e->filled);
    uv_mutex_unlock(&e->mutex);
}

/* ---- the loop's side ---- */

static void on_answered(uv_async_t *handle)
{
    oc_explainer *e = handle->data;

    e->done(e->context);
}

static void clear(oc_explainer *e)
{
    while (e->questions) {
        struct question *next = e->questions->next;

        oc_free(e->questions);
        e->questions = next;
    }
    while (e->answers) {
        struct oc_explain_answer *next = e->answers->next;

        oc_explain_answer_free(e->answers);
        e->answers = next;
    }
    uv_cond_destroy(&e->filled);
    uv_mutex_destroy(&e->mutex);
    oc_free(e);
}

static void on_closed(uv_handle_t *handle) { clear(handle->data); }

static int init_locks(oc_explainer *e)
{
    if (uv_mutex_init(&e->mutex) != 0)
        return OC_E_NOMEM;
    if (uv_cond_init(&e->filled) == 0)
        return OC_OK;
    uv_mutex_destroy(&e->mutex);
    return OC_E_NOMEM;
}

int oc_explainer_start(uv_loop_t *loop, const char *store_path, void (*done)(void *context),
                       void *context, oc_explainer **out_explainer)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };
    oc_explainer *e = oc_calloc(1, sizeof(*e));

    if (!e)
        return OC_E_NOMEM;
    e->done = done;
    e->context = context;
    (void)oc_text_copy(e->store_path, sizeof(e->store_path), store_path);
    if (init_locks(e) < 0) {
        oc_free(e);
        return OC_E_NOMEM;
    }
    e->answered.data = e;
    if (uv_async_init(loop, &e->answered, on_answered) != 0) {
        clear(e);
        return OC_E_NOMEM;
    }
    if (uv_thread_create_ex(&e->thread, &options, explainer_main, e) != 0) {
        uv_close((uv_handle_t *)&e->answered, on_closed);
        return OC_E_NOMEM;
    }
    *out_explainer = e;
    return OC_OK;
}

/* With the mutex held. */
static int is_asked(const oc_explainer *e, const struct oc_explain_question *question)
{
    for (const struct question *at = e->questions; at; at = at->next) {
        if (at->asked.fingerprint == question->fingerprint &&
            at->asked.is_over == question->is_over)
            return 1;
    }
    return e->at_hand == question->fingerprint && !question->is_over;
}

int oc_explainer_ask(oc_explainer *e, const struct oc_explain_question *question)
{
    struct question *more = oc_malloc(sizeof(*more));
    int rc = OC_OK;

    if (!more)
        return OC_E_NOMEM;
    more->next = NULL;
    more->asked = *question;
    uv_mutex_lock(&e->mutex);
    if (is_asked(e, question)) {
        rc = OC_E_EXISTS;
    } else if (e->waiting >= OC_EXPLAIN_WAITING_MAX) {
        rc = OC_E_TOOBIG;
    } else {
        if (e->last)
            e->last->next = more;
        else
            e->questions = more;
        e->last = more;
        e->waiting++;
        uv_cond_signal(&e->filled);
    }
    uv_mutex_unlock(&e->mutex);
    if (rc < 0)
        oc_free(more);
    return rc;
}

struct oc_explain_answer *oc_explainer_take(oc_explainer *e)
{
    struct oc_explain_answer *answer = NULL;

    uv_mutex_lock(&e->mutex);
    answer = e->answers;
    if (answer) {
        e->answers = answer->next;
        if (!e->answers)
            e->last_answer = NULL;
    }
    uv_mutex_unlock(&e->mutex);
    return answer;
}

void oc_explainer_stop(oc_explainer *e, int64_t timeout_ms)
{
    int64_t until_ns = oc_clock_mono_ns() + timeout_ms * 1000000;
    int stopped = 0;

    if (!e)
        return;
    uv_mutex_lock(&e->mutex);
    e->stop = 1;
    uv_cond_broadcast(&e->filled);
    while (!e->stopped) {
        int64_t left_ns = until_ns - oc_clock_mono_ns();

        if (left_ns <= 0)
            break;
        (void)uv_cond_timedwait(&e->filled, &e->mutex, (uint64_t)left_ns);
    }
    stopped = e->stopped;
    uv_mutex_unlock(&e->mutex);
    if (!stopped) {
        uv_unref((uv_handle_t *)&e->answered); /* the loop may end without it */
        return;
    }
    (void)uv_thread_join(&e->thread);
    uv_close((uv_handle_t *)&e->answered, on_closed);
}
