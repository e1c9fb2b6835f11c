#include "daemon/control.h"

#include "daemon/daemon.h"
#include "daemon/reload.h"
#include "daemon/request.h"
#include "daemon/status.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX_BYTES (256u << 10)
#define BACKLOG 16
#define READ_BYTES 4096

struct client {
    uint64_t number; /* never used again */
    uv_pipe_t pipe;
    uv_timer_t timeout;
    uv_write_t write;
    struct oc_control *control;
    struct oc_buf line;   /* what came of a request */
    struct oc_buf answer; /* what is on its way out */
    int writing;
    int waiting;      /* its answer follows by oc_control_reply() */
    int open_handles; /* pipe, timeout: freed with the last of them */
    int closing;
    struct client *next;
};

struct oc_control {
    struct oc_daemon *daemon;
    uv_pipe_t server;
    char address[160];
    uint64_t timeout_ms;
    struct client *clients;
    unsigned client_count;
    uint64_t last_number;
    int closing;
};

/* ---- a client's end ---- */

static void free_control_if_last(struct oc_control *control)
{
    if (control->closing && !control->clients && uv_is_closing((uv_handle_t *)&control->server) &&
        control->closing == 2)
        oc_free(control);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    struct oc_control *control = client->control;
    struct client **at = &control->clients;

    if (--client->open_handles > 0)
        return;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    control->client_count--;
    oc_buf_clear(&client->line);
    oc_buf_clear(&client->answer);
    oc_free(client);
    free_control_if_last(control);
}

static void drop(struct client *client)
{
    if (client->closing)
        return;
    client->closing = 1;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
    uv_close((uv_handle_t *)&client->timeout, on_client_closed);
}

static void on_timeout(uv_timer_t *timer) { drop(timer->data); }

static void restart_timeout(struct client *client)
{
    (void)uv_timer_start(&client->timeout, on_timeout, client->control->timeout_ms, 0);
}

/* ---- commands ---- */

static void reload(struct oc_daemon *daemon, struct oc_buf *out)
{
    int rc = oc_reload(daemon);

    if (rc < 0)
        oc_request_refuse(out, oc_err_name(rc), daemon->config_error.text);
    else
        oc_buf_puts(out, "{\"ok\":true}");
}

static void walk_now(struct oc_daemon *daemon, const struct oc_request *request, struct oc_buf *out)
{
    uint32_t fresh = 0;
    uint32_t count = oc_walks_now(daemon, request->pid, &fresh);

    if (request->pid != 0 && count + fresh == 0)
        oc_request_refuse(out, "not_found", "this process is not watched");
    else
        oc_buf_printf(out, "{\"ok\":true,\"walks\":%u,\"fresh\":%u}", (unsigned)count,
                      (unsigned)fresh);
}

static void run_command(struct client *client, const struct oc_request *request,
                        const struct oc_peer *peer)
{
    struct oc_daemon *daemon = client->control->daemon;
    struct oc_buf *out = &client->answer;

    switch (request->command) {
    case OC_COMMAND_STATUS:
        oc_status_write(daemon, out);
        break;
    case OC_COMMAND_RELOAD:
        reload(daemon, out);
        break;
    case OC_COMMAND_WALK_NOW:
        walk_now(daemon, request, out);
        break;
    case OC_COMMAND_STOP:
        oc_buf_puts(out, "{\"ok\":true}");
        oc_daemon_stop(daemon, "asked by the control channel");
        break;
    default:
        /* who silences, where it was not said */
        client->waiting = oc_alerting_asked(daemon, request, peer->name, client->number, out);
        break;
    }
}

static void answer_line(struct client *client, const char *line, size_t len_bytes)
{
    struct oc_request request;
    struct oc_detail detail = { 0 };
    struct oc_peer peer = { .uid = -1 };
    int rc = oc_request_parse(line, len_bytes, &request, &detail);

    if (rc < 0) {
        oc_request_refuse(&client->answer, rc == OC_E_NOTSUP ? "unknown_command" : oc_err_name(rc),
                          detail.text);
        return;
    }
    if (oc_request_changes(&request) &&
        (oc_control_peer((uv_stream_t *)&client->pipe, &peer) < 0 || !peer.may_change)) {
        oc_log(OC_LOG_WARN, "control_refused", oc_str("user", peer.name), oc_i64("pid", peer.pid));
        oc_request_refuse(&client->answer, "denied",
                          "only root and the user that oomcastd runs as may do that");
        return;
    }
    run_command(client, &request, &peer);
}

/* ---- lines in, lines out ---- */

static void serve(struct client *client);

static void on_written(uv_write_t *write, int status)
{
    struct client *client = write->data;

    client->writing = 0;
    oc_buf_reset(&client->answer);
    if (status < 0) {
        drop(client);
        return;
    }
    restart_timeout(client);
    serve(client); /* the next line, if there is one */
}

static void send_answer(struct client *client)
{
    uv_buf_t bytes;

    oc_buf_putc(&client->answer, '\n');
    if (client->answer.err < 0) {
        drop(client);
        return;
    }
    bytes = uv_buf_init(client->answer.data, (unsigned)client->answer.len_bytes);
    client->write.data = client;
    client->writing = 1;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &bytes, 1, on_written) != 0)
        drop(client);
}

/* Answers the first line that is there, one at a time: the next waits for the answer to be out. */
static void serve(struct client *client)
{
    char *newline = NULL;
    size_t len_bytes = 0;

    if (client->writing || client->waiting || client->closing || !client->line.data)
        return;
    newline = memchr(client->line.data, '\n', client->line.len_bytes);
    if (!newline)
        return;
    len_bytes = (size_t)(newline - client->line.data);
    answer_line(client, client->line.data, len_bytes);
    memmove(client->line.data, newline + 1, client->line.len_bytes - len_bytes - 1);
    client->line.len_bytes -= len_bytes + 1;
    if (client->waiting)
        (void)uv_timer_stop(&client->timeout); /* who is waited for has a time limit */
    else
        send_answer(client);
}

void oc_control_reply(oc_control *control, uint64_t number, const struct oc_buf *answer)
{
    struct client *client = control->clients;

    while (client && client->number != number)
        client = client->next;
    if (!client || client->closing || !client->waiting)
        return;
    client->waiting = 0;
    oc_buf_add(&client->answer, answer->data ? answer->data : "", answer->len_bytes);
    restart_timeout(client);
    send_answer(client);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out_buf)
{
    struct client *client = handle->data;
    void *room = oc_buf_reserve(&client->line, READ_BYTES);

    (void)suggested_bytes;
    *out_buf = uv_buf_init(room, room ? READ_BYTES : 0); /* none: libuv reports UV_ENOBUFS */
}

static void on_read(uv_stream_t *stream, ssize_t got_bytes, const uv_buf_t *buf)
{
    struct client *client = stream->data;

    (void)buf;
    if (got_bytes < 0) {
        drop(client);
        return;
    }
    oc_buf_used(&client->line, (size_t)got_bytes);
    if (!client->waiting)
        restart_timeout(client);
    serve(client);
}

/* ---- connections ---- */

static void on_refused(uv_handle_t *handle) { oc_free(handle->data); }

/* One beyond the maximum is accepted and closed at once, else it would wait for ever. */
static void turn_away(struct oc_control *control)
{
    uv_pipe_t *pipe = oc_calloc(1, sizeof(*pipe));

    if (!pipe || uv_pipe_init(control->server.loop, pipe, 0) != 0) {
        oc_free(pipe);
        return;
    }
    pipe->data = pipe;
    (void)uv_accept((uv_stream_t *)&control->server, (uv_stream_t *)pipe);
    uv_close((uv_handle_t *)pipe, on_refused);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct oc_control *control = server->data;
    struct client *client = NULL;

    if (status < 0)
        return;
    if (control->client_count < OC_CONTROL_MAX_CLIENTS)
        client = oc_calloc(1, sizeof(*client));
    if (!client) {
        turn_away(control);
        return;
    }
    client->number = ++control->last_number;
    client->control = control;
    client->pipe.data = client;
    client->timeout.data = client;
    client->open_handles = 2;
    oc_buf_init(&client->line, OC_REQUEST_MAX_BYTES + READ_BYTES);
    oc_buf_init(&client->answer, ANSWER_MAX_BYTES);
    (void)uv_pipe_init(server->loop, &client->pipe, 0); /* neither can fail */
    (void)uv_timer_init(server->loop, &client->timeout);
    client->next = control->clients;
    control->clients = client;
    control->client_count++;
    restart_timeout(client);
    if (uv_accept(server, (uv_stream_t *)&client->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) != 0)
        drop(client);
}

/* ---- open and close ---- */

static int listen_at(struct oc_control *control)
{
    int rc = 0;

    oc_control_address_clear(control->address);
    rc = uv_pipe_bind(&control->server, control->address);
    if (rc == 0 && oc_control_address_protect(&control->server, control->address) < 0)
        return OC_E_DENIED;
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&control->server, BACKLOG, on_connection);
    if (rc != 0)
        return rc == UV_EACCES ? OC_E_DENIED : OC_E_IO;
    return OC_OK;
}

static void on_server_closed(uv_handle_t *handle)
{
    struct oc_control *control = handle->data;

    control->closing = 2;
    free_control_if_last(control);
}

int oc_control_open(struct oc_daemon *daemon, uint64_t timeout_ms, oc_control **out_control,
                    struct oc_detail *detail)
{
    struct oc_control *control = oc_calloc(1, sizeof(*control));
    int rc = OC_OK;

    if (!control)
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    control->daemon = daemon;
    control->timeout_ms = timeout_ms;
    rc = oc_control_address(daemon->data_dir, control->address, sizeof(control->address));
    if (rc < 0) {
        oc_free(control);
        return oc_detail_set(detail, rc, "the path of the folder is too long for a socket: %.200s",
                             daemon->data_dir);
    }
    control->server.data = control;
    if (uv_pipe_init(&daemon->loop, &control->server, 0) != 0) {
        oc_free(control);
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    }
    rc = listen_at(control);
    if (rc < 0) {
        (void)oc_detail_set(detail, rc, "%.200s: %s", control->address, oc_err_text(rc));
        oc_control_close(control);
        return rc;
    }
    *out_control = control;
    return OC_OK;
}

void oc_control_close(oc_control *control)
{
    if (!control)
        return;
    control->closing = 1;
    for (struct client *client = control->clients; client; client = client->next)
        drop(client);
    uv_close((uv_handle_t *)&control->server, on_server_closed); /* takes the socket's file away */
}
