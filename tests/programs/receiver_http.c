/* HTTP/1.1 as far as a client of tests needs it: requests with Content-Length, connections that stay. */
#include "receiver.h"

#include "base/os.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BIG_BYTES (10u << 20)
#define DRIP_MS 100

struct request {
    const char *method, *path, *headers; /* NUL-terminated, the headers each by CRLF */
    const char *body;
    size_t body_bytes;
};

/* The value of the first header of that name, up to its CRLF; NULL: there is none. */
static const char *header(const struct request *request, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = request->headers; at && *at; at = strstr(at, "\r\n")) {
        if (at[0] == '\r')
            at += 2;
        if (strncasecmp(at, name, len) == 0 && at[len] == ':')
            return at + len + 1 + strspn(at + len + 1, " ");
    }
    return NULL;
}

static void put_header(struct oc_buf *line, const char *at, size_t len)
{
    struct oc_buf text;
    const char *colon = memchr(at, ':', len);

    if (!colon)
        return;
    oc_buf_init(&text, 65536);
    for (const char *c = at; c < colon; c++)
        oc_buf_putc(&text, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
    oc_buf_json_string(line, text.data ? text.data : "");
    oc_buf_putc(line, ':');
    oc_buf_reset(&text);
    colon += 1 + strspn(colon + 1, " ");
    oc_buf_add(&text, colon, (size_t)(at + len - colon));
    oc_buf_json_string(line, text.data ? text.data : "");
    oc_buf_clear(&text);
}

static void put_headers(struct oc_buf *line, const char *at)
{
    for (const char *first = at; *at;) {
        size_t len = strcspn(at, "\r\n");

        if (at != first)
            oc_buf_putc(line, ',');
        put_header(line, at, len);
        at += len;
        at += strspn(at, "\r\n");
    }
}

static void write_down(struct conn *conn, const struct request *request, const char *behaviour)
{
    struct oc_buf line;

    oc_buf_init(&line, 2 * INPUT_MAX);
    oc_buf_printf(&line, "{\"n\":%" PRIu64 ",\"connection\":%" PRIu64 ",\"t_unix_ms\":%" PRId64,
                  conn->server->requests, conn->number, oc_clock_unix_ms());
    oc_buf_puts(&line, ",\"tls\":");
    oc_buf_puts(&line, conn->ssl ? "true" : "false");
    oc_buf_puts(&line, ",\"behaviour\":");
    oc_buf_json_string(&line, behaviour);
    oc_buf_puts(&line, ",\"method\":");
    oc_buf_json_string(&line, request->method);
    oc_buf_puts(&line, ",\"path\":");
    oc_buf_json_string(&line, request->path);
    oc_buf_puts(&line, ",\"headers\":{");
    put_headers(&line, request->headers);
    oc_buf_puts(&line, "},\"body\":");
    oc_buf_json_string(&line, request->body); /* of bytes with a NUL: what is before it */
    oc_buf_puts(&line, "}\n");
    receiver_write_down(conn->server, &line);
    oc_buf_clear(&line);
}

/* ---- answers ---- */

/* "429:5": a status, and what follows the colon as its Retry-After or, of a redirect, its Location. */
static void put_status(struct oc_buf *out, const char *word, const char *body, size_t body_bytes)
{
    long status = strtol(word, NULL, 10);
    const char *colon = strchr(word, ':');

    oc_buf_printf(out, "HTTP/1.1 %ld Made Up\r\nContent-Length: %zu\r\n", status, body_bytes);
    if (colon && status >= 300 && status < 400)
        oc_buf_printf(out, "Location: %s\r\n", colon + 1);
    else if (colon)
        oc_buf_printf(out, "Retry-After: %s\r\n", colon + 1);
    oc_buf_puts(out, "\r\n");
    oc_buf_add(out, body, body_bytes);
}

static void answer_big(struct conn *conn, const char *word)
{
    const char *colon = strchr(word, ':');
    size_t bytes = colon ? (size_t)strtoul(colon + 1, NULL, 10) : BIG_BYTES;
    static const char block[16384] = { 0 };

    oc_buf_printf(&conn->drip, "HTTP/1.1 200 Made Up\r\nContent-Length: %zu\r\n\r\n", bytes);
    conn_send(conn, conn->drip.data, conn->drip.len_bytes);
    oc_buf_reset(&conn->drip);
    for (; bytes > 0 && !conn->closing; bytes -= bytes < sizeof(block) ? bytes : sizeof(block))
        conn_send(conn, block, bytes < sizeof(block) ? bytes : sizeof(block));
}

/* All that came, as the body of an answer: what a careless server says. */
static void answer_echo(struct conn *conn, const struct request *request)
{
    struct oc_buf text;

    oc_buf_init(&text, INPUT_MAX);
    oc_buf_printf(&text, "%s %s\r\n%s\r\n", request->method, request->path, request->headers);
    put_status(&conn->drip, "400", text.data, text.len_bytes);
    oc_buf_clear(&text);
    conn_send(conn, conn->drip.data, conn->drip.len_bytes);
    oc_buf_reset(&conn->drip);
}

static void answer(struct conn *conn, const struct request *request, const char *word)
{
    static const char garbage[] = "\x01\x02 this is no HTTP\r\n\r\n";

    if (strcmp(word, "hang") == 0) {
        conn->hangs = 1;
    } else if (strcmp(word, "reset") == 0) {
        conn_reset(conn);
    } else if (strcmp(word, "close") == 0) {
        conn_close(conn);
    } else if (strcmp(word, "garbage") == 0) {
        conn_send(conn, garbage, sizeof(garbage) - 1);
        conn->hangs = 1;
    } else if (strncmp(word, "big", 3) == 0) {
        answer_big(conn, word);
    } else if (strcmp(word, "echo") == 0) {
        answer_echo(conn, request);
    } else if (strncmp(word, "slow", 4) == 0 || strncmp(word, "delay:", 6) == 0) {
        const char *colon = strchr(word, ':');

        put_status(&conn->drip, "200", "ok", 2);
        conn_send_later(conn, colon ? strtoul(colon + 1, NULL, 10) : DRIP_MS, word[0] == 's');
    } else {
        put_status(&conn->drip, strcmp(word, "ok") == 0 ? "200" : word, "ok", 2);
        conn_send(conn, conn->drip.data, conn->drip.len_bytes);
        oc_buf_reset(&conn->drip);
    }
}

/* ---- requests ---- */

/* Cuts the head (its end is at `end`) into its parts. 0, or -1: no HTTP. */
static int cut_head(char *head, char *end, struct request *out)
{
    char *space = strchr(head, ' ');
    char *second = space ? strchr(space + 1, ' ') : NULL;
    char *line_end = strstr(head, "\r\n");

    if (!second || !line_end || second > line_end)
        return -1;
    *space = *second = '\0';
    *end = '\0';
    *out = (struct request){ .method = head,
                             .path = space + 1,
                             .headers = line_end < end ? line_end + 2 : end };
    return 0;
}

static int is_whole(const struct conn *conn, size_t *out_head_bytes, size_t *out_body_bytes)
{
    const char *end = strstr(conn->input.data, "\r\n\r\n");
    struct request head = { .headers = conn->input.data };
    const char *length = NULL;

    if (!end)
        return 0;
    length = header(&head, "Content-Length");
    *out_head_bytes = (size_t)(end - conn->input.data);
    *out_body_bytes = length && length < end ? (size_t)strtoul(length, NULL, 10) : 0;
    return conn->input.len_bytes >= *out_head_bytes + 4 + *out_body_bytes;
}

void http_input(struct conn *conn)
{
    size_t head_bytes = 0, body_bytes = 0;

    while (!conn->closing && !conn->hangs && !conn->waits &&
           is_whole(conn, &head_bytes, &body_bytes)) {
        struct request request;
        char *body = conn->input.data + head_bytes + 4;
        char after = body[body_bytes];
        const char *word = NULL;

        if (cut_head(conn->input.data, conn->input.data + head_bytes, &request) < 0) {
            conn_close(conn);
            return;
        }
        request.body = body;
        request.body_bytes = body_bytes;
        body[body_bytes] = '\0';
        conn->server->requests++;
        word = receiver_behaviour(conn->server, request.path);
        write_down(conn, &request, word);
        answer(conn, &request, word);
        body[body_bytes] = after;
        conn_used(conn, head_bytes + 4 + body_bytes);
    }
}
