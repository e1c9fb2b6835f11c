#include "notify/mail_text.h"

#include "base/text.h"
#include "notify/encode.h"

#include <string.h>

#define WORD_BYTES 42      /* of an encoded word: 56 characters of base64, and 75 are allowed */
#define LINE_MAX_BYTES 990 /* RFC 5321 has 998 */
#define S_PER_DAY INT64_C(86400)
#define BASE64_LINE 57 /* bytes that make a line of 76 characters */

static int is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] > 0x7e || ((unsigned char)text[i] < 0x20 && text[i] != '\t'))
            return 0;
    }
    return 1;
}

/* As encoded words, each of whole characters. */
static void put_encoded(struct oc_buf *out, const char *text)
{
    size_t left = strlen(text);
    char base64[OC_BASE64_ROOM(WORD_BYTES)];
    char word[WORD_BYTES];

    while (left > 0) {
        size_t len = 0;

        while (left > 0 && len + 4 <= sizeof(word)) {
            size_t bytes = oc_text_utf8_char(text, left);
            size_t step = bytes > 0 ? bytes : 1;

            if (bytes > 0 && (unsigned char)*text >= 0x20)
                memcpy(word + len, text, bytes);
            else
                memset(word + len, ' ', step); /* a control, or no UTF-8 */
            len += step;
            text += step;
            left -= step;
        }
        oc_base64_write(word, len, base64);
        oc_buf_printf(out, "=?UTF-8?B?%s?=%s", base64, left > 0 ? "\r\n " : "");
    }
}

static void put_header(struct oc_buf *out, const char *name, const char *value)
{
    oc_buf_printf(out, "%s: ", name);
    if (is_plain(value, strlen(value)) && strlen(value) <= LINE_MAX_BYTES - 80)
        oc_buf_puts(out, value);
    else
        put_encoded(out, value);
    oc_buf_puts(out, "\r\n");
}

static void put_to(struct oc_buf *out, const struct oc_strings *to)
{
    oc_buf_puts(out, "To: ");
    for (size_t i = 0; i < to->count; i++) {
        if (i > 0)
            oc_buf_puts(out, ",\r\n ");
        for (const char *c = to->items[i]; *c; c++)
            oc_buf_putc(out, (unsigned char)*c < 0x20 ? ' ' : *c);
    }
    oc_buf_puts(out, "\r\n");
}

static int days_of(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month] + (month == 1 && is_leap);
}

static void put_date(struct oc_buf *out, int64_t unix_ms)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t day = unix_ms / 1000 / S_PER_DAY, second = unix_ms / 1000 % S_PER_DAY;
    int year = 1970, month = 0, weekday = (int)((day + 4) % 7); /* that day was a Thursday */

    while (day >= days_of(year, month)) {
        day -= days_of(year, month);
        month = (month + 1) % 12;
        year += month == 0;
    }
    oc_buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[weekday], (int)day + 1,
                  months[month], year, (int)(second / 3600), (int)(second / 60 % 60),
                  (int)(second % 60));
}

/* ---- the body ---- */

static int is_field(const char *name, const char *wanted)
{
    return oc_same_name(name, wanted, strlen(wanted) + 1);
}

static int has_long_line(const char *body, size_t len)
{
    size_t line = 0;

    for (size_t i = 0; i < len; i++) {
        line = body[i] == '\n' ? 0 : line + 1;
        if (line > LINE_MAX_BYTES)
            return 1;
    }
    return 0;
}

static void put_lines(struct oc_buf *out, const char *body, size_t len)
{
    size_t begin = 0;

    for (size_t i = 0; i < len; i++) {
        if (body[i] != '\n')
            continue;
        oc_buf_add(out, body + begin, i - begin - (i > begin && body[i - 1] == '\r'));
        oc_buf_puts(out, "\r\n");
        begin = i + 1;
    }
    if (begin < len) {
        oc_buf_add(out, body + begin, len - begin);
        oc_buf_puts(out, "\r\n");
    }
}

static void put_base64(struct oc_buf *out, const char *body, size_t len)
{
    char line[OC_BASE64_ROOM(BASE64_LINE)];

    for (size_t at = 0; at < len; at += BASE64_LINE) {
        size_t bytes = len - at < BASE64_LINE ? len - at : BASE64_LINE;

        oc_base64_write(body + at, bytes, line);
        oc_buf_printf(out, "%s\r\n", line);
    }
}

static void put_body(struct oc_buf *out, const struct oc_wire_delivery *delivery, int is_encoded)
{
    const char *body = delivery->body ? delivery->body : "";
    int is_multipart = oc_same_name(delivery->content_type, "multipart/", 10);
    int as_base64 = !is_encoded && !is_multipart && has_long_line(body, delivery->body_bytes);

    if (delivery->content_type[0])
        put_header(out, "Content-Type", delivery->content_type);
    if (!is_encoded)
        oc_buf_printf(out, "Content-Transfer-Encoding: %s\r\n", as_base64 ? "base64" : "8bit");
    oc_buf_puts(out, "\r\n");
    if (as_base64)
        put_base64(out, body, delivery->body_bytes);
    else
        put_lines(out, body, delivery->body_bytes);
}

void oc_mail_write(const struct oc_receiver *receiver, const struct oc_wire_delivery *delivery,
                   int64_t now_unix_ms, struct oc_buf *out)
{
    const struct oc_strings *fields = &delivery->fields;
    int is_encoded = 0;

    put_date(out, now_unix_ms);
    put_header(out, "From", receiver->from);
    put_to(out, &receiver->to);
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        is_encoded |= is_field(fields->items[i], "Content-Transfer-Encoding");
        put_header(out, fields->items[i], fields->items[i + 1]);
    }
    oc_buf_puts(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    put_body(out, delivery, is_encoded);
}
