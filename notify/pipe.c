#include "notify/pipe.h"

#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define READ_BYTES 65536
#define KEPT_BYTES 131072 /* of the line's buffer: what a long line took is given back */
#define BACKLOG_MAX (1u << 20)
#define AGAIN_MS 200
#define RESERVED_BYTES 65536 /* so that results can be told when memory is short */

static void go_deaf(struct oc_pipe *pipe)
{
    if (pipe->is_deaf)
        return;
    pipe->is_deaf = 1;
    pipe->calls.end(pipe->calls.context);
}

/* ---- reports out ---- */

static void write_next(struct oc_pipe *pipe);

static void on_written(uv_write_t *write, int status)
{
    struct oc_pipe *pipe = write->data;

    pipe->is_writing = 0;
    oc_buf_reset(&pipe->going);
    if (status < 0) {
        go_deaf(pipe);
        return;
    }
    write_next(pipe);
    pipe->calls.sent(pipe->calls.context);
}

static void write_next(struct oc_pipe *pipe)
{
    struct oc_buf going = pipe->going;
    uv_buf_t bytes;

    if (pipe->is_writing || pipe->is_deaf || pipe->waiting.len_bytes == 0)
        return;
    pipe->going = pipe->waiting;
    pipe->waiting = going;
    bytes = uv_buf_init(pipe->going.data, (unsigned)pipe->going.len_bytes);
    pipe->write.data = pipe;
    pipe->is_writing = 1;
    if (uv_write(&pipe->write, (uv_stream_t *)&pipe->out, &bytes, 1, on_written) != 0) {
        pipe->is_writing = 0;
        go_deaf(pipe);
    }
}

void oc_pipe_report(struct oc_pipe *pipe, const struct oc_wire_report *report)
{
    if (pipe->is_deaf)
        return;
    oc_wire_report_write(report, &pipe->waiting);
    if (pipe->waiting.err < 0)
        go_deaf(pipe);
    else
        write_next(pipe);
}

void oc_pipe_note(struct oc_pipe *pipe, const char *text)
{
    struct oc_wire_report report = { .what = OC_WIRE_NOTE, .level = "warn" };

    (void)oc_text_copy(report.text, sizeof(report.text), text);
    oc_pipe_report(pipe, &report);
}

size_t oc_pipe_backlog(const struct oc_pipe *pipe)
{
    return pipe->waiting.len_bytes + pipe->going.len_bytes;
}

/* ---- lines in ---- */

/* Drops len_bytes from the front. */
static void used(struct oc_buf *line, size_t len_bytes)
{
    memmove(line->data, line->data + len_bytes, line->len_bytes - len_bytes);
    line->len_bytes -= len_bytes;
    line->data[line->len_bytes] = '\0';
    if (line->len_bytes == 0 && line->cap_bytes > KEPT_BYTES)
        oc_buf_clear(line);
}

/* The line at the front, with what is passed over of one that is too long. 1: there was one. */
static int take_line(struct oc_pipe *pipe, size_t *at)
{
    const char *begin = pipe->line.data + *at;
    size_t left = pipe->line.len_bytes - *at;
    const char *newline = memchr(begin, '\n', left);
    size_t len = newline ? (size_t)(newline - begin) : left;

    if (pipe->is_passing_over) {
        pipe->is_passing_over = !newline;
        *at += len + (newline != NULL);
        return newline != NULL;
    }
    if (len > OC_WIRE_LINE_MAX) {
        pipe->is_passing_over = !newline;
        pipe->calls.line(begin, len, 1, pipe->calls.context);
    } else if (newline) {
        pipe->calls.line(begin, len, 0, pipe->calls.context);
    } else {
        return 0;
    }
    *at += len + (newline != NULL);
    return 1;
}

static void take_lines(struct oc_pipe *pipe)
{
    size_t at = 0;

    if (pipe->is_in_line)
        return; /* a call from within a call: the outer one goes on */
    pipe->is_in_line = 1;
    while (pipe->wants_reading && at < pipe->line.len_bytes && take_line(pipe, &at))
        ;
    if (at > 0)
        used(&pipe->line, at);
    pipe->is_in_line = 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out_buf)
{
    struct oc_pipe *pipe = handle->data;
    void *room = oc_buf_reserve(&pipe->line, READ_BYTES);

    (void)suggested_bytes;
    *out_buf = uv_buf_init(room, room ? READ_BYTES : 0); /* none: libuv reports UV_ENOBUFS */
}

static void follow(struct oc_pipe *pipe);

static void on_again(uv_timer_t *timer) { follow(timer->data); }

/* Memory is short now: what waits in the pipe is read later. The loop would ask again at once. */
static void rest(struct oc_pipe *pipe)
{
    pipe->line.err = OC_OK;
    pipe->is_reading = 0;
    (void)uv_read_stop((uv_stream_t *)&pipe->in);
    (void)uv_timer_start(&pipe->again, on_again, AGAIN_MS, 0);
}

static void on_read(uv_stream_t *stream, ssize_t got_bytes, const uv_buf_t *buf)
{
    struct oc_pipe *pipe = stream->data;

    (void)buf;
    if (got_bytes == UV_ENOBUFS) {
        rest(pipe);
        return;
    }
    if (got_bytes < 0) {
        (void)uv_read_stop(stream);
        pipe->is_reading = 0;
        pipe->wants_reading = 0;
        pipe->calls.end(pipe->calls.context);
        return;
    }
    oc_buf_used(&pipe->line, (size_t)got_bytes);
    take_lines(pipe);
    follow(pipe);
}

static void follow(struct oc_pipe *pipe)
{
    if (pipe->wants_reading == pipe->is_reading)
        return;
    pipe->is_reading = pipe->wants_reading;
    if (pipe->wants_reading)
        (void)uv_read_start((uv_stream_t *)&pipe->in, on_alloc, on_read);
    else
        (void)uv_read_stop((uv_stream_t *)&pipe->in);
}

void oc_pipe_read(struct oc_pipe *pipe, int wanted)
{
    pipe->wants_reading = wanted;
    if (wanted)
        take_lines(pipe);
    if (!pipe->is_in_line)
        follow(pipe);
}

/* ---- the beginning and the end ---- */

int oc_pipe_open(uv_loop_t *loop, const struct oc_pipe_calls *calls, struct oc_pipe *out_pipe)
{
    struct oc_pipe *pipe = out_pipe;

    memset(pipe, 0, sizeof(*pipe));
    pipe->calls = *calls;
    pipe->in.data = pipe->out.data = pipe->again.data = pipe;
    oc_buf_init(&pipe->line, OC_WIRE_LINE_MAX + 2 * READ_BYTES);
    oc_buf_init(&pipe->waiting, BACKLOG_MAX);
    oc_buf_init(&pipe->going, BACKLOG_MAX);
    if (!oc_buf_reserve(&pipe->line, READ_BYTES) ||
        !oc_buf_reserve(&pipe->waiting, RESERVED_BYTES) ||
        !oc_buf_reserve(&pipe->going, RESERVED_BYTES)) {
        oc_pipe_clear(pipe);
        return OC_E_NOMEM;
    }
    if (uv_timer_init(loop, &pipe->again) != 0 || uv_pipe_init(loop, &pipe->in, 0) != 0 ||
        uv_pipe_init(loop, &pipe->out, 0) != 0 || uv_pipe_open(&pipe->in, 0) != 0 ||
        uv_pipe_open(&pipe->out, 1) != 0)
        return OC_E_IO;
    return OC_OK;
}

void oc_pipe_clear(struct oc_pipe *pipe)
{
    oc_buf_clear(&pipe->line);
    oc_buf_clear(&pipe->waiting);
    oc_buf_clear(&pipe->going);
}
