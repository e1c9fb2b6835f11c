#include "base/buf.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/os.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void oc_buf_init(struct oc_buf *buf, size_t max_bytes)
{
    *buf = (struct oc_buf){ .max_bytes = max_bytes };
}

void oc_buf_init_fixed(struct oc_buf *buf, char *room, size_t room_bytes)
{
    room[0] = '\0';
    *buf = (struct oc_buf){ .data = room, .cap_bytes = room_bytes, .max_bytes = room_bytes - 1 };
}

void oc_buf_clear(struct oc_buf *buf)
{
    oc_free(buf->data);
    oc_buf_init(buf, buf->max_bytes);
}

void oc_buf_reset(struct oc_buf *buf)
{
    buf->len_bytes = 0;
    buf->err = OC_OK;
    if (buf->data)
        buf->data[0] = '\0';
}

/* Room for more_bytes and the NUL. */
static int grow(struct oc_buf *buf, size_t more_bytes)
{
    size_t wanted = 0, next = 0;
    char *moved = NULL;

    if (more_bytes > buf->max_bytes || buf->len_bytes > buf->max_bytes - more_bytes)
        return OC_E_TOOBIG;
    wanted = buf->len_bytes + more_bytes + 1;
    next = buf->cap_bytes ? buf->cap_bytes : 64;
    while (next < wanted)
        next *= 2;
    if (next > buf->max_bytes + 1)
        next = buf->max_bytes + 1;
    moved = oc_realloc(buf->data, next);
    if (!moved)
        return OC_E_NOMEM;
    buf->data = moved;
    buf->cap_bytes = next;
    return OC_OK;
}

void *oc_buf_reserve(struct oc_buf *buf, size_t more_bytes)
{
    if (buf->err)
        return NULL;
    if (buf->cap_bytes <= more_bytes || buf->len_bytes >= buf->cap_bytes - more_bytes)
        buf->err = grow(buf, more_bytes);
    return buf->err ? NULL : buf->data + buf->len_bytes;
}

void oc_buf_used(struct oc_buf *buf, size_t bytes)
{
    buf->len_bytes += bytes;
    buf->data[buf->len_bytes] = '\0';
}

void oc_buf_add(struct oc_buf *buf, const void *bytes, size_t len_bytes)
{
    void *to = oc_buf_reserve(buf, len_bytes);

    if (!to)
        return;
    if (len_bytes)
        memcpy(to, bytes, len_bytes);
    oc_buf_used(buf, len_bytes);
}

void oc_buf_puts(struct oc_buf *buf, const char *text) { oc_buf_add(buf, text, strlen(text)); }

void oc_buf_putc(struct oc_buf *buf, char c) { oc_buf_add(buf, &c, 1); }

void oc_buf_vprintf(struct oc_buf *buf, const char *format, va_list args)
{
    va_list again;
    int len = 0;
    char *to = NULL;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len < 0 && !buf->err)
        buf->err = OC_E_INVAL;
    to = len < 0 ? NULL : oc_buf_reserve(buf, (size_t)len);
    if (to) {
        (void)vsnprintf(to, (size_t)len + 1, format, again);
        oc_buf_used(buf, (size_t)len);
    }
    va_end(again);
}

void oc_buf_printf(struct oc_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    oc_buf_vprintf(buf, format, args);
    va_end(args);
}

void oc_buf_spaces(struct oc_buf *buf, size_t count)
{
    void *to = oc_buf_reserve(buf, count);

    if (!to)
        return;
    memset(to, ' ', count);
    oc_buf_used(buf, count);
}

static const char *json_short_escape(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

void oc_buf_json_string(struct oc_buf *buf, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    oc_buf_putc(buf, '"');
    while (*at) {
        const char *escape = json_short_escape(*at);
        size_t len_bytes = oc_text_utf8_char((const char *)at, 4);

        if (escape)
            oc_buf_puts(buf, escape);
        else if (*at < 0x20 || *at == 0x7f)
            oc_buf_printf(buf, "\\u%04x", *at);
        else if (len_bytes)
            oc_buf_add(buf, at, len_bytes);
        else
            oc_buf_puts(buf, "\xef\xbf\xbd"); /* U+FFFD */
        at += len_bytes ? len_bytes : 1;
    }
    oc_buf_putc(buf, '"');
}

/* Whether the text after a backslash reads like one of our own escapes. In paths of Windows it always might. */
static int looks_escaped(const unsigned char *after)
{
    if (oc_os_path_separator() == '\\')
        return 0;
    return *after == 'n' || *after == 't' || *after == 'r' || *after == 'e' || *after == 'x' ||
           *after == '\\';
}

static void put_control(struct oc_buf *buf, unsigned char c)
{
    switch (c) {
    case '\n':
        oc_buf_puts(buf, "\\n");
        break;
    case '\t':
        oc_buf_puts(buf, "\\t");
        break;
    case '\r':
        oc_buf_puts(buf, "\\r");
        break;
    case 0x1b:
        oc_buf_puts(buf, "\\e");
        break;
    default:
        oc_buf_printf(buf, "\\x%02x", c);
    }
}

/* Direction marks and separators (U+200E-F, U+2028-202E, U+2066-2069) that could reorder a line. */
static int is_reordering(const unsigned char *at)
{
    return at[0] == 0xe2 && ((at[1] == 0x80 && (at[2] == 0x8e || at[2] == 0x8f ||
                                                (at[2] >= 0xa8 && at[2] <= 0xae))) ||
                             (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9));
}

void oc_buf_escaped(struct oc_buf *buf, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        size_t len_bytes = oc_text_utf8_char((const char *)at, 4);
        int c1 = len_bytes == 2 && at[0] == 0xc2 && at[1] < 0xa0;

        if (*at < 0x20 || *at == 0x7f) {
            put_control(buf, *at);
        } else if (!len_bytes || c1 || (len_bytes == 3 && is_reordering(at))) {
            for (size_t i = 0; i < (len_bytes ? len_bytes : 1); i++)
                oc_buf_printf(buf, "\\x%02x", at[i]);
        } else if (*at == '\\' && looks_escaped(at + 1)) {
            oc_buf_puts(buf, "\\\\");
        } else {
            oc_buf_add(buf, at, len_bytes);
        }
        at += len_bytes ? len_bytes : 1;
    }
}

/* '.' and '\'' count at the beginning of a line only; '-' is a hyphen unless escaped. */
void oc_buf_roff(struct oc_buf *buf, const char *text)
{
    int line_start = 1;

    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            oc_buf_puts(buf, "\\&");
        line_start = *text == '\n';
        if (*text == '\\')
            oc_buf_puts(buf, "\\e");
        else if (*text == '-')
            oc_buf_puts(buf, "\\-");
        else
            oc_buf_putc(buf, *text);
    }
}

void oc_buf_csv_field(struct oc_buf *buf, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        oc_buf_puts(buf, text);
        return;
    }
    oc_buf_putc(buf, '"');
    for (; *text; text++) {
        if (*text == '"')
            oc_buf_putc(buf, '"');
        oc_buf_putc(buf, *text);
    }
    oc_buf_putc(buf, '"');
}
