#include "cli/frame/control.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#define TIMEOUT_MS 5000
#define MAX_REQUEST_BYTES (1u << 16)
#define MAX_ANSWER_BYTES (1u << 20)

struct ask {
    uv_loop_t loop;
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_write_t write;
    struct oc_buf request;
    struct oc_buf *answer;
    char chunk[4096];
    int rc;
    int done;
};

static int from_uv(int uv_code)
{
    switch (uv_code) {
    case 0:
        return OC_OK;
    case UV_ENOENT:
    case UV_ECONNREFUSED: /* a socket that a dead daemon left behind */
        return OC_E_NOENT;
    case UV_EACCES:
    case UV_EPERM:
        return OC_E_DENIED;
    case UV_EOF:
    case UV_EPIPE:
    case UV_ECONNRESET:
        return OC_E_GONE;
    case UV_ENOMEM:
        return OC_E_NOMEM;
    default:
        return OC_E_IO;
    }
}

static void finish(struct ask *ask, int rc)
{
    if (ask->done)
        return;
    ask->done = 1;
    ask->rc = rc;
    uv_close((uv_handle_t *)&ask->pipe, NULL);
    uv_close((uv_handle_t *)&ask->timer, NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buf)
{
    struct ask *ask = handle->data;

    (void)suggested;
    *out_buf = uv_buf_init(ask->chunk, sizeof(ask->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct ask *ask = stream->data;
    const char *newline;

    if (got == 0)
        return;
    if (got < 0) {
        finish(ask, from_uv((int)got));
        return;
    }
    newline = memchr(buf->base, '\n', (size_t)got);
    oc_buf_add(ask->answer, buf->base, newline ? (size_t)(newline - buf->base) : (size_t)got);
    if (newline || ask->answer->err)
        finish(ask, ask->answer->err);
}

static void on_written(uv_write_t *request, int status)
{
    struct ask *ask = request->data;

    if (status)
        finish(ask, from_uv(status));
}

static void on_connect(uv_connect_t *request, int status)
{
    struct ask *ask = request->data;
    uv_buf_t buf = uv_buf_init(ask->request.data, (unsigned)ask->request.len_bytes);

    if (!status)
        status = uv_write(&ask->write, (uv_stream_t *)&ask->pipe, &buf, 1, on_written);
    if (!status)
        status = uv_read_start((uv_stream_t *)&ask->pipe, on_alloc, on_read);
    if (status)
        finish(ask, from_uv(status));
}

static void on_timeout(uv_timer_t *timer) { finish(timer->data, OC_E_TIMEOUT); }

static int run(struct ask *ask, const char *path, int timeout_ms)
{
    if (uv_loop_init(&ask->loop))
        return OC_E_NOMEM;
    (void)uv_pipe_init(&ask->loop, &ask->pipe, 0);
    (void)uv_timer_init(&ask->loop, &ask->timer);
    ask->pipe.data = ask->timer.data = ask->connect.data = ask->write.data = ask;
    (void)uv_timer_start(&ask->timer, on_timeout, (uint64_t)timeout_ms, 0);
    uv_pipe_connect(&ask->connect, &ask->pipe, path, on_connect);
    (void)uv_run(&ask->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&ask->loop);
    return ask->rc;
}

int oc_control_ask(const char *path, const char *request, int timeout_ms, struct oc_buf *out_answer)
{
    struct ask ask = { .answer = out_answer };
    int rc;

    oc_buf_init(&ask.request, MAX_REQUEST_BYTES);
    oc_buf_puts(&ask.request, request);
    oc_buf_putc(&ask.request, '\n');
    rc = ask.request.err ? ask.request.err : run(&ask, path, timeout_ms);
    oc_buf_clear(&ask.request);
    return rc;
}

static int parse(struct oc_control_reply *reply)
{
    reply->root =
        cJSON_ParseWithLength(reply->text.data ? reply->text.data : "", reply->text.len_bytes);
    if (cJSON_IsObject(reply->root))
        return OC_OK;
    cJSON_Delete(reply->root);
    reply->root = NULL;
    return OC_E_PARSE;
}

int oc_control_request(const struct oc_cli *cli, const char *request,
                       struct oc_control_reply *out_reply)
{
    return oc_control_request_for(cli, request, TIMEOUT_MS, out_reply);
}

int oc_control_request_for(const struct oc_cli *cli, const char *request, int timeout_ms,
                           struct oc_control_reply *out_reply)
{
    memset(out_reply, 0, sizeof(*out_reply));
    oc_buf_init(&out_reply->text, MAX_ANSWER_BYTES);
    out_reply->rc = oc_control_path(cli, out_reply->socket, sizeof(out_reply->socket));
    if (!out_reply->rc)
        out_reply->rc = oc_control_ask(out_reply->socket, request, timeout_ms, &out_reply->text);
    if (!out_reply->rc)
        out_reply->rc = parse(out_reply);
    return out_reply->rc;
}

void oc_control_reply_clear(struct oc_control_reply *reply)
{
    cJSON_Delete(reply->root);
    reply->root = NULL;
    oc_buf_clear(&reply->text);
}

int oc_control_is_ok(const struct oc_control_reply *reply)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply->root, "ok"));
}

int oc_control_refused(const struct oc_cli *cli, const struct oc_control_reply *reply)
{
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(reply->root, "text");

    return oc_cli_error(cli, "%s",
                        cJSON_IsString(text) ? text->valuestring : "the daemon refused it");
}

int oc_control_no_answer(const struct oc_cli *cli, const struct oc_control_reply *reply)
{
    return oc_cli_error(cli, "no answer at %s: %s; %s", reply->socket, oc_err_text(reply->rc),
                        oc_control_mend(reply->rc));
}
