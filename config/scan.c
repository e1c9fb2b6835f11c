#include "config/scan.h"

#include "base/alloc.h"
#include "base/text.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Integers beyond it are not exact in the double that cJSON makes of them. */
#define MAX_EXACT_DIGITS "9007199254740992"
#define MAX_NUMBER_BYTES 64

struct scanner {
    struct oc_config_scan *scan;
    size_t at;
    unsigned depth;
    struct oc_detail *detail;
};

static int scan_value(struct scanner *s, uint32_t parent, uint32_t *last_child, const char *key,
                      size_t key_offset);

void oc_config_scan_place(const char *text, size_t len_bytes, size_t offset, uint32_t *out_line,
                          uint32_t *out_column)
{
    uint32_t line = 1;
    uint32_t column = 1;

    for (size_t i = 0; i < offset && i < len_bytes; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xC0u) != 0x80u) { /* not a continuation byte */
            column++;
        }
    }
    *out_line = line;
    *out_column = column;
}

int oc_config_scan_fail(const struct oc_config_scan *scan, size_t offset, int code,
                        struct oc_detail *detail, const char *format, ...)
{
    va_list args;
    int used = 0;

    if (!detail)
        return code;
    oc_config_scan_place(scan->text, scan->len_bytes, offset, &detail->line, &detail->column);
    used = snprintf(detail->text, sizeof(detail->text), "%.200s:%u:%u: ", scan->name,
                    (unsigned)detail->line, (unsigned)detail->column);
    if (used < 0 || (size_t)used >= sizeof(detail->text))
        return code;
    va_start(args, format);
    (void)vsnprintf(detail->text + used, sizeof(detail->text) - (size_t)used, format, args);
    va_end(args);
    return code;
}

static int at_end(const struct scanner *s) { return s->at >= s->scan->len_bytes; }

/* The byte at hand; NUL at the end (a NUL in the text is refused as no part of any value). */
static char peek(const struct scanner *s) { return at_end(s) ? '\0' : s->scan->text[s->at]; }

static int fail_here(const struct scanner *s, const char *wanted)
{
    if (at_end(s))
        return oc_config_scan_fail(s->scan, s->at, OC_E_PARSE, s->detail,
                                   "the text ends where %s should be", wanted);
    if ((unsigned char)peek(s) < 0x20 || peek(s) == 0x7F)
        return oc_config_scan_fail(s->scan, s->at, OC_E_PARSE, s->detail,
                                   "a control character (0x%02x) where %s should be",
                                   (unsigned)(unsigned char)peek(s), wanted);
    return oc_config_scan_fail(s->scan, s->at, OC_E_PARSE, s->detail, "'%c' where %s should be",
                               peek(s), wanted);
}

/* Turns a comment into blanks, so that cJSON sees none and every place stays where it was. */
static void blank_comment(struct scanner *s)
{
    while (!at_end(s) && peek(s) != '\n')
        s->scan->text[s->at++] = ' ';
}

static int skip_blanks(struct scanner *s)
{
    for (;; s->at++) {
        while (peek(s) == '/' && s->at + 1 < s->scan->len_bytes && s->scan->text[s->at + 1] == '/')
            blank_comment(s);
        if (peek(s) == '/' || peek(s) == '#')
            return oc_config_scan_fail(s->scan, s->at, OC_E_PARSE, s->detail,
                                       "a comment begins with // and goes to the end of its line");
        if (at_end(s) || !strchr(" \t\r\n", peek(s)) || peek(s) == '\0')
            return OC_OK;
    }
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Four hex digits at hand. */
static int scan_hex4(struct scanner *s, uint32_t *out_unit)
{
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++, s->at++) {
        int digit = hex_digit(peek(s));

        if (digit < 0)
            return fail_here(s, "one of four hex digits");
        unit = unit * 16 + (uint32_t)digit;
    }
    *out_unit = unit;
    return OC_OK;
}

/* The rest of \uXXXX, with its second half where the first asks for one. */
static int scan_unicode(struct scanner *s, uint32_t *out_code_point)
{
    size_t begin = s->at - 2;
    uint32_t unit = 0;
    uint32_t low = 0;
    int rc = scan_hex4(s, &unit);

    if (rc < 0)
        return rc;
    if (unit == 0)
        return oc_config_scan_fail(s->scan, begin, OC_E_PARSE, s->detail,
                                   "\\u0000 ends no text here");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return oc_config_scan_fail(s->scan, begin, OC_E_PARSE, s->detail, "half a surrogate pair");
    if (unit < 0xD800 || unit > 0xDBFF) {
        *out_code_point = unit;
        return OC_OK;
    }
    if (s->at + 1 >= s->scan->len_bytes || s->scan->text[s->at] != '\\' ||
        s->scan->text[s->at + 1] != 'u')
        return oc_config_scan_fail(s->scan, begin, OC_E_PARSE, s->detail, "half a surrogate pair");
    s->at += 2;
    rc = scan_hex4(s, &low);
    if (rc < 0)
        return rc;
    if (low < 0xDC00 || low > 0xDFFF)
        return oc_config_scan_fail(s->scan, begin, OC_E_PARSE, s->detail, "half a surrogate pair");
    *out_code_point = 0x10000u + ((unit - 0xD800u) << 10) + (low - 0xDC00u);
    return OC_OK;
}

static size_t utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0u | (code_point >> 6));
        out[1] = (char)(0x80u | (code_point & 0x3Fu));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0u | (code_point >> 12));
        out[1] = (char)(0x80u | ((code_point >> 6) & 0x3Fu));
        out[2] = (char)(0x80u | (code_point & 0x3Fu));
        return 3;
    }
    out[0] = (char)(0xF0u | (code_point >> 18));
    out[1] = (char)(0x80u | ((code_point >> 12) & 0x3Fu));
    out[2] = (char)(0x80u | ((code_point >> 6) & 0x3Fu));
    out[3] = (char)(0x80u | (code_point & 0x3Fu));
    return 4;
}

/* What a backslash stands for; s->at is behind it. */
static int scan_escape(struct scanner *s, char out[4], size_t *out_bytes)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    char c = peek(s);
    uint32_t code_point = 0;
    const char *found = c ? strchr(names, c) : NULL;
    int rc = OC_OK;

    if (found) {
        s->at++;
        out[0] = bytes[found - names];
        *out_bytes = 1;
        return OC_OK;
    }
    if (c != 'u')
        return fail_here(s, "one of \" \\ / b f n r t u after a backslash");
    s->at++;
    rc = scan_unicode(s, &code_point);
    if (rc == OC_OK)
        *out_bytes = utf8_encode(code_point, out);
    return rc;
}

/*
 * A string at hand. Its text goes to out (of out_bytes, ended by NUL), or nowhere where out is
 * NULL; OC_E_TOOBIG where it does not fit.
 */
static int scan_string(struct scanner *s, char *out, size_t out_bytes)
{
    size_t begin = s->at;
    size_t len = 0;

    if (peek(s) != '"')
        return fail_here(s, "a string in double quotes");
    s->at++;
    while (peek(s) != '"') {
        char piece[4] = { peek(s) };
        size_t piece_bytes = 1;

        if (at_end(s))
            return oc_config_scan_fail(s->scan, begin, OC_E_PARSE, s->detail,
                                       "this string has no closing quote");
        if ((unsigned char)piece[0] < 0x20)
            return fail_here(s, "a closing quote");
        s->at++;
        if (piece[0] == '\\') {
            int rc = scan_escape(s, piece, &piece_bytes);

            if (rc < 0)
                return rc;
        }
        if (!out)
            continue;
        if (len + piece_bytes >= out_bytes)
            return oc_config_scan_fail(s->scan, begin, OC_E_TOOBIG, s->detail,
                                       "a key of more than %d bytes", OC_SCAN_KEY_BYTES - 1);
        memcpy(out + len, piece, piece_bytes);
        len += piece_bytes;
    }
    s->at++;
    if (out)
        out[len] = '\0';
    return OC_OK;
}

/* ---- numbers and words ---- */

static size_t scan_digits(struct scanner *s)
{
    size_t begin = s->at;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at - begin;
}

/* Whether the number's text is an integer that a double cannot hold, or no finite number at all. */
static int number_is_exact(const char *text, size_t len_bytes, int is_integer)
{
    char copy[MAX_NUMBER_BYTES + 1];
    double number = 0;

    if (is_integer) {
        const char *digits = text[0] == '-' ? text + 1 : text;
        size_t count = len_bytes - (size_t)(digits - text);

        if (count != sizeof(MAX_EXACT_DIGITS) - 1)
            return count < sizeof(MAX_EXACT_DIGITS) - 1;
        return memcmp(digits, MAX_EXACT_DIGITS, count) <= 0;
    }
    memcpy(copy, text, len_bytes);
    copy[len_bytes] = '\0';
    number = strtod(copy, NULL);
    return number >= -DBL_MAX && number <= DBL_MAX; /* mingw's isfinite() goes through float */
}

static int scan_number(struct scanner *s)
{
    size_t begin = s->at;
    int is_integer = 1;
    int leading_zero = 0;

    if (peek(s) == '-')
        s->at++;
    leading_zero = peek(s) == '0';
    if (scan_digits(s) == 0)
        return fail_here(s, "a digit");
    if (leading_zero && s->scan->text[s->at - 1] != '0')
        return oc_config_scan_fail(s->scan, begin, OC_E_PARSE, s->detail,
                                   "a number begins with no 0");
    if (peek(s) == '.') {
        is_integer = 0;
        s->at++;
        if (scan_digits(s) == 0)
            return fail_here(s, "a digit");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        is_integer = 0;
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (scan_digits(s) == 0)
            return fail_here(s, "a digit");
    }
    if (s->at - begin > MAX_NUMBER_BYTES ||
        !number_is_exact(s->scan->text + begin, s->at - begin, is_integer))
        return oc_config_scan_fail(s->scan, begin, OC_E_PARSE, s->detail,
                                   "a number too large to be exact");
    return OC_OK;
}

static int scan_word(struct scanner *s)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i]);

        if (s->scan->len_bytes - s->at >= len &&
            memcmp(s->scan->text + s->at, words[i], len) == 0) {
            s->at += len;
            return OC_OK;
        }
    }
    return fail_here(s, "a value");
}

/* ---- objects and arrays ---- */

static int add_node(struct scanner *s, uint32_t parent, uint32_t *last_child, const char *key,
                    size_t key_offset)
{
    struct oc_config_scan *scan = s->scan;
    struct oc_config_scan_node *node = NULL;
    void *nodes = scan->nodes;
    uint32_t index = (uint32_t)scan->node_count;
    int rc = oc_array_grow(&nodes, &scan->node_capacity, scan->node_count + 1,
                           sizeof(scan->nodes[0]), OC_SCAN_MAX_NODES);

    if (rc == OC_E_TOOBIG)
        return oc_config_scan_fail(scan, s->at, rc, s->detail, "more than %d values",
                                   OC_SCAN_MAX_NODES);
    if (rc < 0)
        return oc_detail_set(s->detail, rc, "out of memory");
    scan->nodes = nodes;
    node = &scan->nodes[scan->node_count++];
    memset(node, 0, sizeof(*node));
    node->offset = (uint32_t)s->at;
    node->key_offset = (uint32_t)key_offset;
    node->parent = parent;
    node->next_sibling = OC_SCAN_NONE;
    node->first_child = OC_SCAN_NONE;
    (void)oc_text_copy(node->key, sizeof(node->key), key);
    if (*last_child != OC_SCAN_NONE)
        scan->nodes[*last_child].next_sibling = index;
    else if (parent != OC_SCAN_NONE)
        scan->nodes[parent].first_child = index;
    *last_child = index;
    return OC_OK;
}

static int scan_key(struct scanner *s, uint32_t object, char key[OC_SCAN_KEY_BYTES])
{
    size_t offset = s->at;
    uint32_t before = OC_SCAN_NONE;
    uint32_t line = 0;
    uint32_t column = 0;
    int rc = scan_string(s, key, OC_SCAN_KEY_BYTES);

    if (rc < 0)
        return rc;
    before = oc_config_scan_member(s->scan, object, key);
    if (before == OC_SCAN_NONE)
        return OC_OK;
    oc_config_scan_place(s->scan->text, s->scan->len_bytes, s->scan->nodes[before].key_offset,
                         &line, &column);
    return oc_config_scan_fail(s->scan, offset, OC_E_PARSE, s->detail,
                               "the key \"%s\" is there twice; the first is at line %u, column %u",
                               key, (unsigned)line, (unsigned)column);
}

/* One "key": value of an object. */
static int scan_pair(struct scanner *s, uint32_t object, uint32_t *last_child)
{
    char key[OC_SCAN_KEY_BYTES] = "";
    size_t key_offset = s->at;
    int rc = OC_OK;

    if (peek(s) != '"')
        return fail_here(s, "a key in double quotes");
    rc = scan_key(s, object, key);
    if (rc == OC_OK)
        rc = skip_blanks(s);
    if (rc == OC_OK && peek(s) != ':')
        rc = fail_here(s, "a colon");
    if (rc < 0)
        return rc;
    s->at++;
    rc = skip_blanks(s);
    return rc < 0 ? rc : scan_value(s, object, last_child, key, key_offset);
}

/* The items of an object or array up to its closing bracket; s->at is behind the opening one. */
static int scan_items(struct scanner *s, uint32_t node, char closing)
{
    uint32_t last_child = OC_SCAN_NONE;
    unsigned count = 0;
    int rc = skip_blanks(s);

    if (rc == OC_OK && peek(s) == closing) {
        s->at++;
        return OC_OK;
    }
    while (rc == OC_OK) {
        if (closing == '}' && ++count > OC_SCAN_MAX_KEYS)
            return oc_config_scan_fail(s->scan, s->at, OC_E_TOOBIG, s->detail,
                                       "more than %d keys in one object", OC_SCAN_MAX_KEYS);
        rc = closing == '}' ? scan_pair(s, node, &last_child)
                            : scan_value(s, node, &last_child, "", s->at);
        if (rc == OC_OK)
            rc = skip_blanks(s);
        if (rc < 0)
            break;
        if (peek(s) == closing) {
            s->at++;
            return OC_OK;
        }
        if (peek(s) != ',')
            return fail_here(s, closing == '}' ? "a comma or }" : "a comma or ]");
        s->at++;
        rc = skip_blanks(s);
        if (rc == OC_OK && peek(s) == closing)
            return fail_here(s, "another value (no comma before the closing bracket)");
    }
    return rc;
}

static int scan_value(struct scanner *s, uint32_t parent, uint32_t *last_child, const char *key,
                      size_t key_offset)
{
    char c = peek(s);
    int rc = add_node(s, parent, last_child, key, key_offset);
    uint32_t node = *last_child;

    if (rc < 0)
        return rc;
    if (c == '"')
        return scan_string(s, NULL, 0);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    if (c != '{' && c != '[')
        return scan_word(s);
    if (s->depth >= OC_SCAN_MAX_DEPTH)
        return oc_config_scan_fail(s->scan, s->at, OC_E_TOOBIG, s->detail, "nested deeper than %d",
                                   OC_SCAN_MAX_DEPTH);
    s->depth++;
    s->at++;
    rc = scan_items(s, node, c == '{' ? '}' : ']');
    s->depth--;
    return rc;
}

static int scan_document(struct scanner *s)
{
    uint32_t last = OC_SCAN_NONE;
    int rc = skip_blanks(s);

    if (rc == OC_OK)
        rc = scan_value(s, OC_SCAN_NONE, &last, "", s->at);
    if (rc == OC_OK)
        rc = skip_blanks(s);
    if (rc == OC_OK && !at_end(s))
        rc = oc_config_scan_fail(s->scan, s->at, OC_E_PARSE, s->detail,
                                 "text behind the end of the JSON");
    return rc;
}

int oc_config_scan_text(const char *name, const char *text, size_t len_bytes,
                        struct oc_config_scan *out_scan, struct oc_detail *detail)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    struct oc_config_scan scan = { .name = name, .len_bytes = len_bytes };
    struct scanner s = { .scan = &scan, .detail = detail };
    size_t bad_at = 0;
    int rc = OC_OK;

    if (len_bytes >= UINT32_MAX)
        return oc_detail_set(detail, OC_E_TOOBIG, "%.200s: too large", name);
    scan.text = oc_malloc(len_bytes + 1);
    if (!scan.text)
        return oc_detail_set(detail, OC_E_NOMEM, "%.200s: out of memory", name);
    if (len_bytes > 0)
        memcpy(scan.text, text, len_bytes);
    scan.text[len_bytes] = '\0';
    if (!oc_text_is_utf8(scan.text, len_bytes, &bad_at)) {
        rc = oc_config_scan_fail(&scan, bad_at, OC_E_PARSE, detail, "byte 0x%02x is not UTF-8",
                                 (unsigned)(unsigned char)scan.text[bad_at]);
        goto out;
    }
    if (len_bytes >= 3 && memcmp(scan.text, byte_order_mark, 3) == 0)
        memset(scan.text, ' ', 3);
    rc = scan_document(&s);
out:
    if (rc < 0)
        oc_config_scan_clear(&scan);
    else
        *out_scan = scan;
    return rc;
}

void oc_config_scan_clear(struct oc_config_scan *scan)
{
    oc_free(scan->text);
    oc_free(scan->nodes);
    *scan = (struct oc_config_scan){ 0 };
}

uint32_t oc_config_scan_member(const struct oc_config_scan *scan, uint32_t node, const char *key)
{
    uint32_t child = node == OC_SCAN_NONE ? OC_SCAN_NONE : scan->nodes[node].first_child;

    while (child != OC_SCAN_NONE && strcmp(scan->nodes[child].key, key) != 0)
        child = scan->nodes[child].next_sibling;
    return child;
}

uint32_t oc_config_scan_item(const struct oc_config_scan *scan, uint32_t node, size_t index)
{
    uint32_t child = node == OC_SCAN_NONE ? OC_SCAN_NONE : scan->nodes[node].first_child;

    while (child != OC_SCAN_NONE && index-- > 0)
        child = scan->nodes[child].next_sibling;
    return child;
}
