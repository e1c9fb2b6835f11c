#include "alert/json.h"

#include "base/text.h"

#include <string.h>

#define NUMBER_MAX_BYTES 48 /* cJSON reads 63 and stumbles over the rest */

struct check {
    const char *begin, *at, *end;
    struct oc_detail *detail;
};

static int check_value(struct check *c, unsigned depth);

static int fail(const struct check *c, int code, const char *what)
{
    const uint32_t column = (uint32_t)(c->at - c->begin) + 1;

    if (c->detail)
        c->detail->column = column;
    return oc_detail_set(c->detail, code, "%s at byte %u", what, (unsigned)column);
}

static int is_here(const struct check *c, char wanted)
{
    return c->at < c->end && *c->at == wanted;
}

static int is_digit(const struct check *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static void skip_blanks(struct check *c)
{
    while (is_here(c, ' ') || is_here(c, '\t') || is_here(c, '\n') || is_here(c, '\r'))
        c->at++;
}

static int check_word(struct check *c, const char *word)
{
    const size_t len_bytes = strlen(word);

    if ((size_t)(c->end - c->at) < len_bytes || memcmp(c->at, word, len_bytes) != 0)
        return fail(c, OC_E_PARSE, "no value");
    c->at += len_bytes;
    return OC_OK;
}

static int check_digits(struct check *c)
{
    if (!is_digit(c))
        return fail(c, OC_E_PARSE, "a digit is missing");
    while (is_digit(c))
        c->at++;
    return OC_OK;
}

static int check_number(struct check *c)
{
    const char *from = c->at;
    int rc = OC_OK;

    if (is_here(c, '-'))
        c->at++;
    if (is_here(c, '0'))
        c->at++;
    else
        rc = check_digits(c);
    if (rc == OC_OK && is_here(c, '.')) {
        c->at++;
        rc = check_digits(c);
    }
    if (rc == OC_OK && (is_here(c, 'e') || is_here(c, 'E'))) {
        c->at++;
        if (is_here(c, '+') || is_here(c, '-'))
            c->at++;
        rc = check_digits(c);
    }
    if (rc == OC_OK && c->at - from > NUMBER_MAX_BYTES)
        return fail(c, OC_E_PARSE, "a number is too long");
    return rc;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four hex digits behind "\u"; -1: there are none. */
static int32_t take_unit(struct check *c)
{
    int32_t unit = 0;

    for (int i = 0; i < 4; i++) {
        const int digit = c->at < c->end ? hex_of(*c->at) : -1;

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
        c->at++;
    }
    return unit;
}

static int check_unicode(struct check *c)
{
    int32_t unit = take_unit(c);

    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return fail(c, OC_E_PARSE, "a character that text cannot hold");
    if (unit < 0xd800 || unit > 0xdbff)
        return OC_OK;
    if (c->end - c->at < 2 || c->at[0] != '\\' || c->at[1] != 'u')
        return fail(c, OC_E_PARSE, "half a surrogate pair");
    c->at += 2;
    unit = take_unit(c);
    return unit >= 0xdc00 && unit <= 0xdfff ? OC_OK : fail(c, OC_E_PARSE, "half a surrogate pair");
}

static int check_escape(struct check *c)
{
    c->at++;
    if (c->at >= c->end || !*c->at || !strchr("\"\\/bfnrtu", *c->at))
        return fail(c, OC_E_PARSE, "no such escape");
    if (*c->at++ == 'u')
        return check_unicode(c);
    return OC_OK;
}

static int check_string(struct check *c)
{
    int rc = OC_OK;

    if (!is_here(c, '"'))
        return fail(c, OC_E_PARSE, "a string is missing");
    c->at++;
    while (rc == OC_OK && c->at < c->end && *c->at != '"') {
        const size_t width = oc_text_utf8_char(c->at, (size_t)(c->end - c->at));

        if (*c->at == '\\')
            rc = check_escape(c);
        else if (width == 0 || (unsigned char)*c->at < 0x20)
            rc = fail(c, OC_E_PARSE, "a byte that no string may hold");
        else
            c->at += width;
    }
    if (rc == OC_OK && !is_here(c, '"'))
        return fail(c, OC_E_PARSE, "a string does not end");
    if (rc == OC_OK)
        c->at++;
    return rc;
}

static int check_key(struct check *c)
{
    int rc = OC_OK;

    skip_blanks(c);
    rc = check_string(c);
    if (rc < 0)
        return rc;
    skip_blanks(c);
    if (!is_here(c, ':'))
        return fail(c, OC_E_PARSE, "':' is missing");
    c->at++;
    return OC_OK;
}

/* An object or an array, its opening byte still ahead. */
static int check_nest(struct check *c, unsigned depth)
{
    const int is_object = *c->at == '{';
    const char last = is_object ? '}' : ']';
    int rc = OC_OK;

    if (depth > OC_JSON_DEPTH_MAX)
        return fail(c, OC_E_TOOBIG, "nested too deep");
    c->at++;
    skip_blanks(c);
    if (is_here(c, last)) {
        c->at++;
        return OC_OK;
    }
    do {
        rc = is_object ? check_key(c) : OC_OK;
        if (rc == OC_OK)
            rc = check_value(c, depth);
        if (rc < 0)
            return rc;
        skip_blanks(c);
    } while (is_here(c, ',') && c->at++);
    if (!is_here(c, last))
        return fail(c, OC_E_PARSE, "an object or a list does not end");
    c->at++;
    return OC_OK;
}

static int check_value(struct check *c, unsigned depth)
{
    skip_blanks(c);
    if (c->at >= c->end)
        return fail(c, OC_E_PARSE, "a value is missing");
    switch (*c->at) {
    case '{':
    case '[':
        return check_nest(c, depth + 1);
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true");
    case 'f':
        return check_word(c, "false");
    case 'n':
        return check_word(c, "null");
    default:
        return check_number(c);
    }
}

static int check_text(const char *text, size_t len_bytes, struct oc_detail *detail)
{
    struct check c = { .begin = text, .at = text, .end = text + len_bytes, .detail = detail };
    int rc = OC_OK;

    skip_blanks(&c);
    if (!is_here(&c, '{'))
        return fail(&c, OC_E_PARSE, "an object is missing");
    rc = check_value(&c, 0);
    if (rc < 0)
        return rc;
    skip_blanks(&c);
    return c.at == c.end ? OC_OK : fail(&c, OC_E_PARSE, "more than one object");
}

int oc_json_parse(const char *text, size_t len_bytes, cJSON **out_root, struct oc_detail *detail)
{
    int rc = check_text(text, len_bytes, detail);
    cJSON *root = NULL;

    if (rc < 0)
        return rc;
    root = cJSON_ParseWithLengthOpts(text, len_bytes, NULL, 0);
    if (!root) /* it is well formed */
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    *out_root = root;
    return OC_OK;
}

static void wipe(cJSON *item)
{
    volatile char *at = item->valuestring;

    while (at && *at)
        *at++ = '\0';
    for (cJSON *child = item->child; child; child = child->next)
        wipe(child); /* as deep as OC_JSON_DEPTH_MAX */
}

void oc_json_free(cJSON *root)
{
    if (root)
        wipe(root);
    cJSON_Delete(root);
}
