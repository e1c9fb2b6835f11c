#include "explain/page.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PARAGRAPH_BYTES 4096u
#define LEAST_COLUMNS 24u
#define CUT "..."
#define CHAR_BYTES 5

int oc_explain_page_is_full(const struct oc_explain_page *page)
{
    return page->lines > 0 && page->used >= page->lines;
}

static unsigned width_of(const struct oc_explain_page *page)
{
    return page->columns > LEAST_COLUMNS ? page->columns : LEAST_COLUMNS;
}

static unsigned char_columns(const char *at, size_t *out_bytes)
{
    size_t bytes = oc_text_utf8_char(at, strlen(at));
    char one[CHAR_BYTES] = { 0 };

    *out_bytes = bytes > 0 ? bytes : 1;
    if (bytes <= 1)
        return 1;
    for (size_t i = 0; i < bytes && i + 1 < sizeof(one); i++)
        one[i] = at[i];
    return (unsigned)oc_text_columns(one);
}

/* Bytes of text that fit in a line: up to the last blank of it, or all that fits of a long word. */
static size_t fitting(const char *text, unsigned columns)
{
    size_t at = 0, last_blank = 0, bytes;
    unsigned used = 0;

    while (text[at]) {
        const unsigned wide = char_columns(text + at, &bytes);

        if (used + wide > columns)
            return last_blank > 0 && text[at] != ' ' ? last_blank : at;
        if (text[at] == ' ')
            last_blank = at;
        used += wide;
        at += bytes;
    }
    return at;
}

static void put_lines(struct oc_explain_page *page, const char *first, const char *text,
                      unsigned most_lines)
{
    const unsigned indent = (unsigned)oc_text_columns(first);
    const unsigned width = width_of(page);
    const unsigned room = width > indent + 8 ? width - indent : 8;
    unsigned put = 0;

    do {
        const int is_last = (most_lines > 0 && put + 1 == most_lines) ||
                            (page->lines > 0 && page->used + 1 == page->lines);
        size_t len = fitting(text, room);
        const int is_cut = is_last && text[len] != '\0';

        if (is_cut)
            len = fitting(text, room - (unsigned)strlen(CUT));
        while (len > 0 && text[len - 1] == ' ')
            len--;
        if (put == 0)
            oc_buf_puts(page->out, first);
        else
            oc_buf_spaces(page->out, indent);
        oc_buf_add(page->out, text, len);
        oc_buf_puts(page->out, is_cut ? CUT "\n" : "\n");
        page->used++;
        put++;
        text += len;
        while (*text == ' ')
            text++;
    } while (*text && (most_lines == 0 || put < most_lines) && !oc_explain_page_is_full(page));
}

void oc_explain_page_put(struct oc_explain_page *page, const char *first, const char *text,
                         unsigned most_lines)
{
    struct oc_buf escaped;

    if (oc_explain_page_is_full(page))
        return;
    oc_buf_init(&escaped, PARAGRAPH_BYTES);
    oc_buf_escaped(&escaped, text);
    if (escaped.err == 0 && escaped.data)
        put_lines(page, first, escaped.data, most_lines);
    else if (escaped.err)
        page->out->err = page->out->err ? page->out->err : escaped.err;
    oc_buf_clear(&escaped);
}

void oc_explain_page_putf(struct oc_explain_page *page, const char *first, unsigned most_lines,
                          const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    oc_explain_page_put(page, first, text, most_lines);
}

void oc_explain_page_command(struct oc_explain_page *page, const char *first, const char *command)
{
    if (oc_explain_page_is_full(page))
        return;
    oc_buf_puts(page->out, first);
    oc_buf_escaped(page->out, command);
    oc_buf_putc(page->out, '\n');
    page->used++;
}

void oc_explain_page_blank(struct oc_explain_page *page)
{
    if (oc_explain_page_is_full(page))
        return;
    oc_buf_putc(page->out, '\n');
    page->used++;
}
