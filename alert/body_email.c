/*
 * E-mail: a multipart of text and simple HTML, both quoted-printable, so that no line is long and none can be
 * taken for a boundary; the headers that are of the notice as fields. The notifier adds From, To, Date and the
 * types (RFC 5322, RFC 2045, RFC 2047 for what is not ASCII).
 */
#include "alert/body_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BOUNDARY "=_oomcast_=" /* no line of quoted-printable can hold "=_" */
#define LINE_MAX_BYTES 72
#define FULL_MAX 5       /* alerts with their explanation */
#define EXPLAIN_MAX 6000 /* of one, with what HTML adds */
#define SUBJECT_MAX 180
#define TEXT_MAX_BYTES (512u << 10)

/* ---- quoted-printable ---- */

static void put_quoted(struct oc_buf *out, const char *text)
{
    size_t column = 0;

    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        int is_end = c[1] == '\n' || c[1] == '\0';
        int is_plain = *c > 0x20 && *c < 0x7F && *c != '=';

        if (*c == '\n') {
            oc_buf_puts(out, "\r\n");
            column = 0;
            continue;
        }
        if (column >= LINE_MAX_BYTES) {
            oc_buf_puts(out, "=\r\n");
            column = 0;
        }
        if (*c == '.' && column == 0) /* alone in a line it would end the message */
            is_plain = 0;
        if (is_plain || (*c == ' ' && !is_end)) {
            oc_buf_putc(out, (char)*c);
            column++;
        } else {
            oc_buf_printf(out, "=%02X", *c);
            column += 3;
        }
    }
    oc_buf_puts(out, "\r\n");
}

static void put_part(struct oc_buf *out, const char *type, const struct oc_buf *text)
{
    oc_buf_printf(out,
                  "--" BOUNDARY "\r\nContent-Type: %s; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                  type);
    put_quoted(out, text->data ? text->data : "");
    if (text->err)
        out->err = text->err;
}

/* ---- HTML ---- */

static void put_pre(struct oc_buf *out, const char *title, const char *text)
{
    struct oc_buf clean;

    if (!text || !text[0])
        return;
    oc_buf_init(&clean, 3 * OC_NOTICE_EXPLAIN_BYTES);
    oc_body_lines(&clean, text, OC_NOTICE_EXPLAIN_BYTES);
    oc_buf_printf(out, "<h4>%s</h4>\n<pre>", title);
    if (clean.data)
        oc_body_cut(out, clean.data, EXPLAIN_MAX, oc_escape_html);
    oc_buf_puts(out, "</pre>\n");
    if (clean.err)
        out->err = clean.err;
    oc_buf_clear(&clean);
}

static void put_escaped(struct oc_buf *out, const struct oc_buf *text)
{
    if (text->data)
        oc_escape_html(out, text->data);
    if (text->err)
        out->err = text->err;
}

/* A link only for what is surely one. */
static void put_runbook(struct oc_buf *out, const char *url)
{
    struct oc_buf line;

    if (!url)
        return;
    oc_buf_init(&line, 2048);
    oc_body_line(&line, url, 512);
    oc_buf_puts(out, "<p>Runbook: ");
    if (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) {
        oc_buf_puts(out, "<a href=\"");
        put_escaped(out, &line);
        oc_buf_puts(out, "\">");
        put_escaped(out, &line);
        oc_buf_puts(out, "</a></p>\n");
    } else {
        put_escaped(out, &line);
        oc_buf_puts(out, "</p>\n");
    }
    oc_buf_clear(&line);
}

static const char *color_of(const struct oc_alert *alert)
{
    if (!oc_body_is_firing(alert))
        return alert->state == OC_ALERT_DIED ? "#b00020" : "#1b7f3b";
    return alert->severity == OC_SEVERITY_CRITICAL ? "#b00020" : "#a15c00";
}

static void put_html_alert(struct oc_buf *out, const struct oc_notice_alert *alert,
                           int64_t now_unix_ms, int full)
{
    struct oc_buf line;

    oc_buf_init(&line, 4096);
    oc_body_alert_text(alert, now_unix_ms, 0, &line);
    oc_buf_printf(out, "<p style=\"border-left:4px solid %s;padding-left:8px\"><b>",
                  color_of(&alert->alert));
    put_escaped(out, &line);
    oc_buf_puts(out, "</b><br>\n");
    oc_buf_reset(&line);
    oc_body_times(&alert->alert, now_unix_ms, &line);
    if (line.len_bytes > 0)
        put_escaped(out, &line);
    oc_buf_puts(out, "</p>\n");
    oc_buf_clear(&line);
    if (!full)
        return;
    put_pre(out, "Why it grows", alert->explanation);
    put_pre(out, "What to do next", alert->next);
    put_runbook(out, alert->runbook_url);
}

static void put_html(const struct oc_notice *notice, int64_t now_unix_ms, struct oc_buf *out)
{
    struct oc_buf line;

    oc_buf_init(&line, 4096);
    oc_buf_puts(out, "<!DOCTYPE html>\n<html><body style=\"font-family:sans-serif\">\n");
    if (notice->kind == OC_NOTICE_TEST)
        oc_buf_puts(out, "<p>This is a test of the receiver: nothing is wrong.</p>\n");
    if (notice->kind == OC_NOTICE_DIGEST)
        oc_buf_puts(out,
                    "<p>A digest: there was more than this receiver is told in an hour.</p>\n");
    for (size_t i = 0; i < notice->count; i++)
        put_html_alert(out, &notice->alerts[i], now_unix_ms, i < FULL_MAX);
    oc_body_remainder(notice, notice->count, &line);
    if (line.len_bytes > 0) {
        oc_buf_puts(out, "<p>");
        put_escaped(out, &line);
        oc_buf_puts(out, ".</p>\n");
    }
    oc_buf_puts(out, "</body></html>\n");
    oc_buf_clear(&line);
}

/* ---- headers ---- */

/* "=?" would be read as an encoded word. */
static void put_subject(const struct oc_notice *notice, struct oc_body *out)
{
    struct oc_buf title, line;

    oc_buf_init(&title, 4096);
    oc_buf_init(&line, 2 * SUBJECT_MAX);
    oc_body_title(notice, &title);
    oc_body_line(&line, title.data ? title.data : "oomcast", SUBJECT_MAX);
    for (char *c = line.data; c && *c; c++) {
        if (c[0] == '=' && c[1] == '?')
            *c = '-';
    }
    oc_body_field(out, "Subject", line.data);
    if (title.err || line.err)
        out->fields.err = OC_E_NOMEM;
    oc_buf_clear(&title);
    oc_buf_clear(&line);
}

/* Letters, digits, '-' and '.' of a name, for the right side of an id. */
static void host_of(const char *instance, char *out, size_t out_bytes)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t len = 0;

    for (; *instance && len + 1 < out_bytes; instance++) {
        int is_dot = *instance == '.' && (len == 0 || out[len - 1] == '.' || instance[1] == '\0');

        if (strchr(letters, *instance) && !is_dot)
            out[len++] = *instance;
    }
    out[len] = '\0';
    if (len == 0)
        (void)snprintf(out, out_bytes, "oomcast");
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* A repeat carries the same id; messages of a group make a thread. */
static void put_ids(const struct oc_notice *notice, struct oc_body *out)
{
    char host[128], id[OC_OUTBOX_ID_BYTES], text[240];

    host_of(notice->instance, host, sizeof(host));
    host_of(notice->id, id, sizeof(id));
    (void)snprintf(text, sizeof(text), "<%s@%s.oomcast>", id, host);
    oc_body_field(out, "Message-ID", text);
    (void)snprintf(text, sizeof(text), "<group-%016" PRIx64 "@%s.oomcast>",
                   hash_of(notice->group_key), host);
    oc_body_field(out, "In-Reply-To", text);
    oc_body_field(out, "References", text);
}

int oc_body_email(const struct oc_notice *notice, int64_t now_unix_ms, struct oc_body *out)
{
    struct oc_buf part;

    oc_buf_init(&part, TEXT_MAX_BYTES);
    put_subject(notice, out);
    put_ids(notice, out);
    oc_body_field(out, "X-Oomcast-Instance", notice->instance);
    out->content_type = "multipart/alternative; boundary=\"" BOUNDARY "\"";
    oc_body_text(notice, now_unix_ms, FULL_MAX, &part);
    put_part(&out->text, "text/plain", &part);
    oc_buf_reset(&part);
    put_html(notice, now_unix_ms, &part);
    put_part(&out->text, "text/html", &part);
    oc_buf_puts(&out->text, "--" BOUNDARY "--\r\n");
    oc_buf_clear(&part);
    return OC_OK;
}
