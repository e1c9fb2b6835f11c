/* Connections of the test receiver: bytes in and out, through TLS where there is some. */
#include "receiver.h"

#include "base/alloc.h"

#include <string.h>

#define READ_BYTES 65536
#define ANSWER_MAX (64u << 20)

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;

    if (--conn->open_handles > 0)
        return;
    SSL_free(conn->ssl); /* with its two ends of bytes */
    oc_buf_clear(&conn->input);
    oc_buf_clear(&conn->drip);
    oc_buf_clear(&conn->mail.to);
    oc_buf_clear(&conn->mail.data);
    oc_free(conn);
}

void conn_close(struct conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = 1;
    uv_close((uv_handle_t *)&conn->timer, on_closed);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

void conn_reset(struct conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = 1;
    uv_close((uv_handle_t *)&conn->timer, on_closed);
    if (uv_tcp_close_reset(&conn->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

/* ---- out ---- */

struct chunk {
    uv_write_t write;
    char bytes[];
};

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    oc_free(write->data);
}

static void send_raw(struct conn *conn, const void *bytes, size_t len_bytes)
{
    struct chunk *chunk = NULL;
    uv_buf_t buf;

    if (conn->closing || len_bytes == 0)
        return;
    chunk = oc_malloc(sizeof(*chunk) + len_bytes);
    if (!chunk)
        return;
    memcpy(chunk->bytes, bytes, len_bytes);
    chunk->write.data = chunk;
    buf = uv_buf_init(chunk->bytes, (unsigned)len_bytes);
    if (uv_write(&chunk->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) != 0) {
        oc_free(chunk);
        conn_close(conn);
    }
}

static void flush_tls(struct conn *conn)
{
    char bytes[16384];
    int got = 0;

    while ((got = BIO_read(conn->to_net, bytes, sizeof(bytes))) > 0)
        send_raw(conn, bytes, (size_t)got);
}

void conn_send(struct conn *conn, const void *bytes, size_t len_bytes)
{
    if (!conn->ssl) {
        send_raw(conn, bytes, len_bytes);
        return;
    }
    if (len_bytes > 0 && SSL_write(conn->ssl, bytes, (int)len_bytes) <= 0)
        conn_close(conn);
    flush_tls(conn);
}

/* ---- later ---- */

static void take_input(struct conn *conn);

static void on_timer(uv_timer_t *timer)
{
    struct conn *conn = timer->data;
    size_t left = conn->drip.len_bytes - conn->drip_at;
    size_t now = conn->is_dripping && left > 1 ? 1 : left;

    conn_send(conn, conn->drip.data + conn->drip_at, now);
    conn->drip_at += now;
    if (conn->closing || conn->drip_at < conn->drip.len_bytes)
        return;
    (void)uv_timer_stop(timer);
    oc_buf_reset(&conn->drip);
    conn->drip_at = 0;
    conn->waits = 0;
    take_input(conn);
}

void conn_send_later(struct conn *conn, uint64_t interval_ms, int byte_by_byte)
{
    conn->waits = 1;
    conn->is_dripping = byte_by_byte;
    (void)uv_timer_start(&conn->timer, on_timer, interval_ms, interval_ms > 0 ? interval_ms : 1);
}

/* ---- in ---- */

static void take_input(struct conn *conn)
{
    if (conn->closing || conn->hangs || conn->waits)
        return;
    if (conn->server->is_smtp)
        smtp_input(conn);
    else
        http_input(conn);
}

void conn_used(struct conn *conn, size_t len_bytes)
{
    memmove(conn->input.data, conn->input.data + len_bytes, conn->input.len_bytes - len_bytes);
    conn->input.len_bytes -= len_bytes;
    conn->input.data[conn->input.len_bytes] = '\0';
}

/* 1: the handshake is done. */
static int shake_hands(struct conn *conn)
{
    int rc = SSL_do_handshake(conn->ssl);

    flush_tls(conn);
    if (rc == 1)
        return 1;
    if (SSL_get_error(conn->ssl, rc) != SSL_ERROR_WANT_READ)
        conn_close(conn);
    return 0;
}

static void take_tls(struct conn *conn, const char *bytes, size_t len_bytes)
{
    char plain[16384];
    int was_done = SSL_is_init_finished(conn->ssl);
    int got = 0;

    (void)BIO_write(conn->from_net, bytes, (int)len_bytes);
    if (!was_done && !shake_hands(conn))
        return;
    if (!was_done && conn->server->is_smtp && conn->server->tls_at_once)
        smtp_greet(conn);
    while ((got = SSL_read(conn->ssl, plain, sizeof(plain))) > 0)
        oc_buf_add(&conn->input, plain, (size_t)got);
    flush_tls(conn);
}

static void on_read(uv_stream_t *stream, ssize_t got_bytes, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;

    if (got_bytes < 0) {
        conn_close(conn);
        return;
    }
    if (conn->ssl)
        take_tls(conn, buf->base, (size_t)got_bytes);
    else
        oc_buf_add(&conn->input, buf->base, (size_t)got_bytes);
    if (conn->input.err < 0)
        conn_close(conn);
    else if (conn->input.data)
        take_input(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out_buf)
{
    static char bytes[READ_BYTES]; /* used up before the next read */

    (void)handle;
    (void)suggested_bytes;
    *out_buf = uv_buf_init(bytes, sizeof(bytes));
}

/* ---- the beginning ---- */

void conn_begin_tls(struct conn *conn)
{
    conn->ssl = SSL_new(conn->server->tls);
    conn->from_net = BIO_new(BIO_s_mem());
    conn->to_net = BIO_new(BIO_s_mem());
    if (!conn->ssl || !conn->from_net || !conn->to_net) {
        conn_close(conn);
        return;
    }
    SSL_set_bio(conn->ssl, conn->from_net, conn->to_net);
    SSL_set_accept_state(conn->ssl);
}

void conn_accept(struct receiver *server)
{
    struct conn *conn = oc_calloc(1, sizeof(*conn));

    if (!conn)
        return;
    conn->server = server;
    conn->number = ++server->connections;
    conn->tcp.data = conn->timer.data = conn;
    oc_buf_init(&conn->input, INPUT_MAX);
    oc_buf_init(&conn->drip, ANSWER_MAX);
    oc_buf_init(&conn->mail.to, 65536);
    oc_buf_init(&conn->mail.data, INPUT_MAX);
    (void)uv_timer_init(&server->loop, &conn->timer);
    (void)uv_tcp_init(&server->loop, &conn->tcp);
    conn->open_handles = 2;
    if (uv_accept((uv_stream_t *)&server->tcp, (uv_stream_t *)&conn->tcp) != 0) {
        conn_close(conn);
        return;
    }
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    if (server->tls && server->tls_at_once)
        conn_begin_tls(conn);
    else if (server->is_smtp)
        smtp_greet(conn);
    (void)uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}
