/* A line of a recording. */
#include "probes/windows/record.h"

#include <inttypes.h>
#include <string.h>

#define WORD_BYTES 24

const struct oc_win_record_row *oc_win_record_row(unsigned kind)
{
    static const struct oc_win_record_row rows[OC_WIN_RECORD_KINDS] = {
        [OC_WIN_CALL_LIST] = { "list", 0, 1, 0 },
        [OC_WIN_CALL_OPEN] = { "open", 2, 0, 0 },
        [OC_WIN_CALL_MEMORY] = { "memory", 1, 6, 0 },
        [OC_WIN_CALL_TIMES] = { "times", 1, 2, 0 },
        [OC_WIN_CALL_HANDLES] = { "handles", 1, 1, 0 },
        [OC_WIN_CALL_EXITED] = { "exited", 1, 1, 0 },
        [OC_WIN_CALL_IMAGE] = { "image", 1, 0, 1 },
        [OC_WIN_CALL_BASICS] = { "basics", 1, 10, 0 },
        [OC_WIN_CALL_CMDLINE] = { "cmdline", 1, 0, 1 },
        [OC_WIN_CALL_USER] = { "user", 1, 0, 1 },
        [OC_WIN_CALL_HOST] = { "host", 0, 13, 0 },
        [OC_WIN_CALL_QUERY] = { "query", 2, 7, 0 },
        [OC_WIN_CALL_MAPPED_NAME] = { "mapped", 2, 0, 1 },
        [OC_WIN_CALL_READ] = { "read", 3, 0, 1 },
        [OC_WIN_CALL_THREAD_TEB] = { "teb", 1, 1, 0 },
        [OC_WIN_CALL_SERVICES] = { "services", 0, 0, 0 },
        [OC_WIN_CALL_FILE] = { "file", 1, 2, 1 },
        [OC_WIN_RECORD_SYSTEM] = { "system", 0, 4, 1 },
        [OC_WIN_RECORD_ENTRY] = { "entry", 0, 14, 1 },
        [OC_WIN_RECORD_THREAD] = { "thread", 0, 1, 0 },
        [OC_WIN_RECORD_SERVICE] = { "service", 0, 1, 1 },
    };

    return kind < OC_WIN_RECORD_KINDS && rows[kind].name ? &rows[kind] : NULL;
}

/* ---- writing ---- */

static int is_plain(char c) { return c > ' ' && c < 0x7f && c != '%'; }

static void put_text(struct oc_buf *out, const char *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    oc_buf_putc(out, ' ');
    for (size_t i = 0; i < len; i++) {
        const unsigned char byte = (unsigned char)text[i];

        if (is_plain(text[i])) {
            oc_buf_putc(out, text[i]);
            continue;
        }
        oc_buf_putc(out, '%');
        oc_buf_putc(out, digits[byte >> 4]);
        oc_buf_putc(out, digits[byte & 15]);
    }
}

void oc_win_answer_write(struct oc_buf *out, const struct oc_win_answer *answer)
{
    const struct oc_win_record_row *row = oc_win_record_row(answer->kind);

    oc_buf_puts(out, row->name);
    for (unsigned i = 0; i < row->keys; i++)
        oc_buf_printf(out, " %" PRIx64, answer->keys[i]);
    oc_buf_printf(out, " %d %" PRId64, answer->rc, answer->ns);
    for (unsigned i = 0; i < row->numbers; i++)
        oc_buf_printf(out, " %" PRIx64, answer->numbers[i]);
    if (row->has_text && answer->text)
        put_text(out, answer->text, answer->text_bytes);
    oc_buf_putc(out, '\n');
}

/* ---- parsing ---- */

struct cursor {
    const char *at, *end;
};

/* The next word; its length, 0 at the end. */
static size_t next_word(struct cursor *cursor, const char **out_word)
{
    size_t len = 0;

    while (cursor->at < cursor->end && *cursor->at == ' ')
        cursor->at++;
    *out_word = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != ' ') {
        cursor->at++;
        len++;
    }
    return len;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static int next_hex(struct cursor *cursor, uint64_t *out_value)
{
    const char *word = NULL;
    const size_t len = next_word(cursor, &word);
    uint64_t value = 0;

    if (len == 0 || len > 16)
        return OC_E_PARSE;
    for (size_t i = 0; i < len; i++) {
        const int digit = digit_of(word[i]);

        if (digit < 0)
            return OC_E_PARSE;
        value = value << 4 | (uint64_t)digit;
    }
    *out_value = value;
    return OC_OK;
}

static int next_decimal(struct cursor *cursor, int64_t *out_value)
{
    const char *word = NULL;
    size_t len = next_word(cursor, &word);
    const int is_negative = len > 1 && *word == '-';
    int64_t value = 0;

    word += is_negative;
    len -= (size_t)is_negative;
    if (len == 0 || len > 18)
        return OC_E_PARSE;
    for (size_t i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9')
            return OC_E_PARSE;
        value = value * 10 + (word[i] - '0');
    }
    *out_value = is_negative ? -value : value;
    return OC_OK;
}

static int next_text(struct cursor *cursor, char *room, size_t *out_bytes)
{
    const char *word = NULL;
    const size_t len = next_word(cursor, &word);
    size_t bytes = 0;

    for (size_t i = 0; i < len; i++) {
        if (word[i] != '%') {
            room[bytes++] = word[i];
            continue;
        }
        if (len - i < 3 || digit_of(word[i + 1]) < 0 || digit_of(word[i + 2]) < 0)
            return OC_E_PARSE;
        room[bytes++] = (char)(unsigned char)(digit_of(word[i + 1]) << 4 | digit_of(word[i + 2]));
        i += 2;
    }
    *out_bytes = bytes;
    return OC_OK;
}

static unsigned kind_of(const char *word, size_t len)
{
    unsigned kind = 0;

    for (; kind < OC_WIN_RECORD_KINDS; kind++) {
        const struct oc_win_record_row *row = oc_win_record_row(kind);

        if (row && strlen(row->name) == len && memcmp(row->name, word, len) == 0)
            break;
    }
    return kind;
}

static int parse_numbers(struct cursor *cursor, const struct oc_win_record_row *row,
                         struct oc_win_answer *answer)
{
    int64_t code = 0;
    int rc = OC_OK;

    for (unsigned i = 0; i < row->keys && rc == OC_OK; i++)
        rc = next_hex(cursor, &answer->keys[i]);
    if (rc == OC_OK)
        rc = next_decimal(cursor, &code);
    if (rc == OC_OK)
        rc = next_decimal(cursor, &answer->ns);
    if (rc == OC_OK && (code > 1 || code < -64))
        rc = OC_E_PARSE;
    answer->rc = (int)code;
    for (unsigned i = 0; i < row->numbers && rc == OC_OK; i++)
        rc = next_hex(cursor, &answer->numbers[i]);
    return rc;
}

int oc_win_answer_parse(const char *line, size_t len, char *room, struct oc_win_answer *out_answer)
{
    struct cursor cursor = { line, line + len };
    struct oc_win_answer answer = { 0 };
    const struct oc_win_record_row *row = NULL;
    const char *word = NULL;
    const size_t word_bytes = next_word(&cursor, &word);
    int rc = OC_OK;

    answer.kind = kind_of(word, word_bytes);
    row = oc_win_record_row(answer.kind);
    if (!row)
        return OC_E_PARSE;
    rc = parse_numbers(&cursor, row, &answer);
    if (rc == OC_OK && row->has_text) {
        rc = next_text(&cursor, room, &answer.text_bytes);
        answer.text = room;
    }
    if (rc == OC_OK && next_word(&cursor, &word) != 0)
        rc = OC_E_PARSE;
    if (rc == OC_OK)
        *out_answer = answer;
    return rc;
}
