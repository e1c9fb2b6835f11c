/*
 * Slack's incoming webhook: blocks. What others named stands as plain text or in a code block, where nothing is
 * read as formatting; & < > are escaped, mentions broken.
 * Source: docs.slack.dev, Block Kit: 50 blocks, header 150, text of a section 3,000 characters.
 */
#include "alert/body_impl.h"

#include <string.h>

#define HEADER_MAX 150
#define TEXT_MAX 2900 /* of 3,000, with the marks of a code block */
#define EXPLAIN_MAX 2000
#define FULL_MAX 5 /* alerts with their explanation: more than a person reads in a channel */
#define LIST_MAX 3 /* blocks of one-liners */

struct writer {
    struct oc_buf *out;
    struct oc_buf text; /* of the block at hand */
    int blocks;
};

static void begin_block(struct writer *w, const char *type)
{
    oc_buf_printf(w->out, "%s{\"type\":\"%s\",", w->blocks++ > 0 ? "," : "", type);
}

/* The text at hand as a section, and empties it. */
static void put_plain(struct writer *w)
{
    if (w->text.len_bytes == 0)
        return;
    begin_block(w, "section");
    oc_buf_puts(w->out, "\"text\":{\"type\":\"plain_text\",\"emoji\":false,\"text\":");
    oc_buf_json_string(w->out, w->text.data);
    oc_buf_puts(w->out, "}}");
    oc_buf_reset(&w->text);
}

static void put_code(struct writer *w, const char *title, const char *text)
{
    struct oc_buf clean;

    if (!text || !text[0])
        return;
    oc_buf_init(&clean, 3 * OC_NOTICE_EXPLAIN_BYTES);
    oc_body_lines(&clean, text, OC_NOTICE_EXPLAIN_BYTES);
    oc_buf_printf(&w->text, "*%s*\n```", title);
    if (clean.data)
        oc_body_cut(&w->text, clean.data, EXPLAIN_MAX, oc_escape_slack);
    oc_buf_puts(&w->text, "```");
    if (clean.err)
        w->text.err = clean.err;
    begin_block(w, "section");
    oc_buf_puts(w->out, "\"text\":{\"type\":\"mrkdwn\",\"verbatim\":true,\"text\":");
    oc_buf_json_string(w->out, w->text.data ? w->text.data : "");
    oc_buf_puts(w->out, "}}");
    oc_buf_reset(&w->text);
    oc_buf_clear(&clean);
}

static void put_alert(struct writer *w, const struct oc_notice_alert *alert, int64_t now_unix_ms)
{
    oc_body_alert_text(alert, now_unix_ms, 0, &w->text);
    oc_body_times(&alert->alert, now_unix_ms, &w->text);
    if (alert->runbook_url) {
        oc_buf_puts(&w->text, "\nRunbook: ");
        oc_body_line(&w->text, alert->runbook_url, 512);
    }
    put_plain(w);
    put_code(w, "Why it grows", alert->explanation);
    put_code(w, "What to do next", alert->next);
}

/* One line each. Returns how many found room. */
static size_t put_list(struct writer *w, const struct oc_notice *notice, size_t from,
                       int64_t now_unix_ms)
{
    size_t at = from;

    for (int block = 0; block < LIST_MAX && at < notice->count; block++) {
        while (at < notice->count && w->text.err == 0) {
            size_t before = w->text.len_bytes;

            oc_body_alert_text(&notice->alerts[at], now_unix_ms, 0, &w->text);
            if (w->text.len_bytes > TEXT_MAX) {
                w->text.len_bytes = before;
                w->text.data[before] = '\0';
                break;
            }
            at++;
        }
        put_plain(w);
    }
    return at - from;
}

static void put_context(struct writer *w, const struct oc_notice *notice, size_t shown)
{
    oc_body_remainder(notice, shown, &w->text);
    if (w->text.len_bytes == 0)
        return;
    begin_block(w, "context");
    oc_buf_puts(w->out, "\"elements\":[{\"type\":\"plain_text\",\"emoji\":false,\"text\":");
    oc_buf_json_string(w->out, w->text.data);
    oc_buf_puts(w->out, "}]}");
    oc_buf_reset(&w->text);
}

static void put_header(struct writer *w, const char *title)
{
    struct oc_buf line;

    oc_buf_init(&line, 2 * HEADER_MAX);
    oc_body_line(&line, title, HEADER_MAX);
    begin_block(w, "header");
    oc_buf_puts(w->out, "\"text\":{\"type\":\"plain_text\",\"emoji\":false,\"text\":");
    oc_buf_json_string(w->out, line.data ? line.data : "oomcast");
    oc_buf_puts(w->out, "}}");
    oc_buf_clear(&line);
}

int oc_body_slack(const struct oc_notice *notice, int64_t now_unix_ms, struct oc_body *out)
{
    struct writer w = { .out = &out->text };
    struct oc_buf title;
    size_t full = notice->count < FULL_MAX ? notice->count : FULL_MAX;

    oc_buf_init(&w.text, 16u << 10);
    oc_buf_init(&title, 4096);
    out->content_type = "application/json";
    oc_body_title(notice, &title);
    oc_body_cut(&w.text, title.data ? title.data : "oomcast", TEXT_MAX, oc_escape_slack);
    oc_buf_puts(&out->text, "{\"mrkdwn\":false,\"unfurl_links\":false,\"text\":");
    oc_buf_json_string(&out->text, w.text.data ? w.text.data : "");
    oc_buf_reset(&w.text);
    oc_buf_puts(&out->text, ",\"blocks\":[");
    put_header(&w, title.data ? title.data : "oomcast");
    for (size_t i = 0; i < full; i++)
        put_alert(&w, &notice->alerts[i], now_unix_ms);
    full += put_list(&w, notice, full, now_unix_ms);
    put_context(&w, notice, full);
    oc_buf_puts(&out->text, "]}");
    if (w.text.err || title.err)
        out->text.err = OC_E_NOMEM;
    oc_buf_clear(&w.text);
    oc_buf_clear(&title);
    return OC_OK;
}
