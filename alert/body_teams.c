/*
 * Teams: the message that a Workflow ("when a webhook request is received") takes, an Adaptive Card. What others
 * named stands in text runs, which read no Markdown, and escaped in facts, which do.
 * Source: learn.microsoft.com, incoming webhooks: 28 KB a message; adaptivecards.io, schema 1.4.
 */
#include "alert/body_impl.h"

#include <string.h>

#define CARD_MAX 26000 /* of 28 KB */
#define END_BYTES 600  /* what always comes behind: what was left out, brackets */
#define TITLE_MAX 400
#define TEXT_MAX 3000 /* of one alert's explanation */
#define LINES_MAX 60
#define FULL_MAX 5

static void put_run(struct oc_buf *out, const char *text, const char *style, const char *spacing)
{
    oc_buf_printf(out,
                  ",{\"type\":\"RichTextBlock\",\"spacing\":\"%s\",\"inlines\":[{\"type\":"
                  "\"TextRun\",%s\"text\":",
                  spacing, style);
    oc_buf_json_string(out, text);
    oc_buf_puts(out, "}]}");
}

/* A block each: a line end within a run is not shown everywhere. */
static void put_lines(struct oc_buf *out, const char *title, const char *text)
{
    struct oc_buf clean;
    char *line = NULL;

    if (!text || !text[0])
        return;
    oc_buf_init(&clean, 2 * TEXT_MAX);
    oc_body_lines(&clean, text, TEXT_MAX);
    if (clean.err)
        out->err = clean.err;
    put_run(out, title, "\"weight\":\"Bolder\",", "Medium");
    line = clean.data;
    for (int i = 0; line && *line && i < LINES_MAX; i++) {
        char *end = strchr(line, '\n');

        if (end)
            *end = '\0';
        put_run(out, *line ? line : " ", "\"fontType\":\"Monospace\",\"size\":\"Small\",", "None");
        line = end ? end + 1 : NULL;
    }
    if (line && *line)
        put_run(out, "…", "", "None");
    oc_buf_clear(&clean);
}

static void put_fact(struct oc_buf *out, const char *title, const char *value, int is_first)
{
    struct oc_buf line, escaped;

    oc_buf_init(&line, 1024);
    oc_buf_init(&escaped, 4096);
    oc_body_line(&line, value, 300);
    if (line.data)
        oc_escape_markdown(&escaped, line.data);
    oc_buf_printf(out, "%s{\"title\":\"%s\",\"value\":", is_first ? "" : ",", title);
    oc_buf_json_string(out, escaped.data ? escaped.data : "-");
    oc_buf_putc(out, '}');
    oc_buf_clear(&line);
    oc_buf_clear(&escaped);
}

static void put_facts(struct oc_buf *out, const struct oc_alert *alert)
{
    struct oc_buf text;

    oc_buf_init(&text, 1024);
    oc_buf_puts(out, ",{\"type\":\"FactSet\",\"facts\":[");
    put_fact(out, "Subject", alert->subject, 1);
    put_fact(out, "Rule", alert->rule, 0);
    oc_body_limit(alert, &text);
    if (text.len_bytes > 0)
        put_fact(out, "Limit", text.data, 0);
    oc_buf_puts(out, "]}");
    oc_buf_clear(&text);
}

static void put_runbook(struct oc_buf *out, const char *url)
{
    struct oc_buf line;

    if (!url)
        return;
    oc_buf_init(&line, 1024);
    oc_body_line(&line, url, 512);
    put_run(out, line.data ? line.data : "", "", "Small");
    oc_buf_clear(&line);
}

static const char *style_of(const struct oc_alert *alert)
{
    if (!oc_body_is_firing(alert))
        return alert->state == OC_ALERT_DIED ? "\"color\":\"Attention\"," : "\"color\":\"Good\",";
    return alert->severity == OC_SEVERITY_CRITICAL ? "\"color\":\"Attention\","
                                                   : "\"color\":\"Warning\",";
}

static void put_line(struct oc_buf *out, const struct oc_notice_alert *alert, int64_t now_unix_ms)
{
    struct oc_buf text;

    oc_buf_init(&text, 4096);
    oc_body_alert_text(alert, now_unix_ms, 0, &text);
    if (text.len_bytes > 0)
        text.data[text.len_bytes - 1] = '\0'; /* its newline */
    put_run(out, text.data ? text.data : "", style_of(&alert->alert), "Medium");
    oc_buf_clear(&text);
}

static void put_alert(struct oc_buf *out, const struct oc_notice_alert *alert, int64_t now_unix_ms,
                      int full)
{
    struct oc_buf text;

    put_line(out, alert, now_unix_ms);
    if (!full)
        return;
    oc_buf_init(&text, 1024);
    oc_body_times(&alert->alert, now_unix_ms, &text);
    if (text.len_bytes > 0)
        put_run(out, text.data, "\"isSubtle\":true,", "None");
    oc_buf_clear(&text);
    put_facts(out, &alert->alert);
    put_lines(out, "Why it grows", alert->explanation);
    put_lines(out, "What to do next", alert->next);
    put_runbook(out, alert->runbook_url);
}

/* As many as find room, each in full or, where that is too much, in a line. Returns how many. */
static size_t put_alerts(struct oc_buf *out, const struct oc_notice *notice, int64_t now_unix_ms)
{
    struct oc_buf card;
    size_t shown = 0;

    oc_buf_init(&card, 256u << 10);
    for (; shown < notice->count && out->err == 0; shown++) {
        size_t room = CARD_MAX - END_BYTES - (out->len_bytes < CARD_MAX ? out->len_bytes : 0);

        oc_buf_reset(&card);
        put_alert(&card, &notice->alerts[shown], now_unix_ms, shown < FULL_MAX);
        if (card.err == 0 && card.len_bytes > room) {
            oc_buf_reset(&card);
            put_alert(&card, &notice->alerts[shown], now_unix_ms, 0);
        }
        if (card.err)
            out->err = card.err;
        if (card.len_bytes > room)
            break;
        oc_buf_add(out, card.data, card.len_bytes);
    }
    oc_buf_clear(&card);
    return shown;
}

int oc_body_teams(const struct oc_notice *notice, int64_t now_unix_ms, struct oc_body *out)
{
    struct oc_buf *text = &out->text;
    struct oc_buf words, line;
    size_t shown = 0;

    oc_buf_init(&words, 8192);
    oc_buf_init(&line, 2 * TITLE_MAX);
    out->content_type = "application/json";
    oc_body_title(notice, &words);
    oc_body_line(&line, words.data ? words.data : "oomcast", TITLE_MAX);
    oc_buf_puts(text, "{\"type\":\"message\",\"attachments\":[{\"contentType\":"
                      "\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null,"
                      "\"content\":{\"$schema\":\"http://adaptivecards.io/schemas/"
                      "adaptive-card.json\",\"type\":\"AdaptiveCard\",\"version\":\"1.4\","
                      "\"msteams\":{\"width\":\"Full\"},\"body\":[{\"type\":\"RichTextBlock\","
                      "\"inlines\":[{\"type\":\"TextRun\",\"size\":\"Medium\",\"weight\":"
                      "\"Bolder\",\"text\":");
    oc_buf_json_string(text, line.data ? line.data : "oomcast");
    oc_buf_puts(text, "}]}");
    shown = put_alerts(text, notice, now_unix_ms);
    oc_buf_reset(&words);
    oc_body_remainder(notice, shown, &words);
    if (words.len_bytes > 0)
        put_run(text, words.data, "\"isSubtle\":true,", "Medium");
    oc_buf_puts(text, "]}}]}");
    if (words.err || line.err)
        text->err = OC_E_NOMEM;
    oc_buf_clear(&words);
    oc_buf_clear(&line);
    return OC_OK;
}
