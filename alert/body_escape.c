/* What processes, labels and people named, made harmless for where it is shown. */
#include "alert/body_impl.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define MORE_BYTES 48 /* of the words that say how much was left out */

/* ---- clean text ---- */

/* U+0080 to U+009F, line separators, and marks that turn the direction of writing. */
static int is_hidden(const unsigned char *at, size_t len)
{
    if (len == 2)
        return at[0] == 0xC2 && at[1] < 0xA0;
    if (len != 3)
        return 0;
    if (at[0] == 0xEF && at[1] == 0xBB && at[2] == 0xBF)
        return 1;
    return at[0] == 0xE2 && ((at[1] == 0x80 && (at[2] == 0x8E || at[2] == 0x8F ||
                                                (at[2] >= 0xA8 && at[2] <= 0xAE))) ||
                             (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9));
}

static void put_clean(struct oc_buf *out, const char *text, size_t max_bytes, int keeps_lines)
{
    static const char dots[] = "\xE2\x80\xA6", unknown[] = "\xEF\xBF\xBD";
    size_t written = 0;

    while (*text) {
        size_t len = oc_text_utf8_char(text, 4);
        const char *piece = text;
        size_t piece_len = len;

        if (len == 0) {
            piece = unknown;
            piece_len = 3;
        } else if ((unsigned char)*text < 0x20 || *text == 0x7F ||
                   is_hidden((const unsigned char *)text, len)) {
            piece = keeps_lines && *text == '\n' ? "\n" : " ";
            piece_len = 1;
        }
        if (written + piece_len + 3 > max_bytes && strlen(text) > max_bytes - written) {
            oc_buf_add(out, dots, 3);
            return;
        }
        oc_buf_add(out, piece, piece_len);
        written += piece_len;
        text += len ? len : 1;
    }
}

void oc_body_line(struct oc_buf *out, const char *text, size_t max_bytes)
{
    put_clean(out, text, max_bytes, 0);
}

void oc_body_lines(struct oc_buf *out, const char *text, size_t max_bytes)
{
    put_clean(out, text, max_bytes, 1);
}

/* ---- escapes ---- */

void oc_escape_html(struct oc_buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            oc_buf_puts(out, "&amp;");
            break;
        case '<':
            oc_buf_puts(out, "&lt;");
            break;
        case '>':
            oc_buf_puts(out, "&gt;");
            break;
        case '"':
            oc_buf_puts(out, "&quot;");
            break;
        case '\'':
            oc_buf_puts(out, "&#39;");
            break;
        default:
            oc_buf_putc(out, *text);
            break;
        }
    }
}

static int is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

/*
 * Slack reads & < > (docs.slack.dev, formatting text); a backtick would end a code block, and a word behind '@' may be
 * taken for a person or a channel: a blank of no width parts them.
 */
void oc_escape_slack(struct oc_buf *out, const char *text)
{
    char before = ' ';

    for (; *text; before = *text++) {
        switch (*text) {
        case '&':
            oc_buf_puts(out, "&amp;");
            break;
        case '<':
            oc_buf_puts(out, "&lt;");
            break;
        case '>':
            oc_buf_puts(out, "&gt;");
            break;
        case '`':
            oc_buf_puts(out, "\xCB\x8B"); /* U+02CB, which looks like one */
            break;
        case '@':
            oc_buf_puts(out, is_word(before) ? "@" : "@\xE2\x80\x8B");
            break;
        default:
            oc_buf_putc(out, *text);
            break;
        }
    }
}

/* A backslash before what Markdown or HTML in it would read. A line that begins with digits and a dot would be a list: so '.' too. */
void oc_escape_markdown(struct oc_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            oc_buf_puts(out, "&lt;");
        else if (*text == '>')
            oc_buf_puts(out, "&gt;");
        else if (*text == '&')
            oc_buf_puts(out, "&amp;");
        else {
            if (strchr("\\`*_{}[]()#+-.!|~", *text))
                oc_buf_putc(out, '\\');
            oc_buf_putc(out, *text);
        }
    }
}

/* ---- cut ---- */

static void copy(struct oc_buf *out, const char *text) { oc_buf_puts(out, text); }

void oc_body_cut(struct oc_buf *out, const char *text, size_t max_bytes, oc_body_escape_fn *escape)
{
    size_t begin = out->len_bytes, at = 0, len = strlen(text);

    if (!escape)
        escape = copy;
    while (at < len && out->err == 0) {
        char character[5] = "";
        size_t bytes = oc_text_utf8_char(text + at, len - at), before = out->len_bytes;

        if (bytes == 0)
            bytes = 1;
        memcpy(character, text + at, bytes);
        if (character[0] == '@' && at > 0 && is_word(text[at - 1]))
            oc_buf_putc(out, '@'); /* which the escape cannot see by one character */
        else
            escape(out, character);
        if (out->err == 0 &&
            out->len_bytes - begin + (at + bytes < len ? MORE_BYTES : 0) > max_bytes) {
            out->len_bytes = before;
            out->data[before] = '\0';
            oc_buf_printf(out, "\xE2\x80\xA6 (%" PRIu64 " bytes more)", (uint64_t)(len - at));
            return;
        }
        at += bytes;
    }
}

void oc_body_json_member(struct oc_buf *out, const char *key, const char *text, int is_first)
{
    oc_buf_puts(out, is_first ? "" : ",");
    oc_buf_json_string(out, key);
    oc_buf_putc(out, ':');
    oc_buf_json_string(out, text);
}
