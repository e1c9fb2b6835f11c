/*
 * A repeat in braces is compiled as that many copies, and a copy may hold copies: "((a{99}){99}){99}" is
 * 20 bytes and a million states. So the size of the automaton is counted here, from the pattern's
 * text, as the classical construction has it (states, which of them may come first and last, and
 * the steps between them), and what is too large never reaches the library.
 */
#include "base/pattern_cost.h"

#include <stdint.h>
#include <string.h>

#define MAX_STATES 1024u
#define MAX_STEPS 4096u /* from one state to the next, all of them: the work for a byte of text */
#define MAX_SETS 65536u /* members of all sets of first and last states: memory while compiling */
#define MAX_STATE_TAGS 16384u /* what matching keeps: a place in the text for each state and tag */
/* For a byte of the worst text, some 20 us: each step, and a compare of each tag. */
#define MAX_WORK 65536u
#define STEP_WORK 16u /* a step without tags, in compares */
#define MAX_DEPTH 32u
#define MAX_REPEAT 255u /* the library's own maximum */

/* The size of a part of a pattern. */
struct cost {
    uint32_t states, first, last, steps, sets;
    int nullable; /* it matches nothing at all too */
};

struct reader {
    const char *text;
    size_t len, at;
    unsigned depth;
    uint32_t groups;     /* that are kept */
    uint32_t tags;       /* places in the text that are kept while matching */
    uint32_t per_letter; /* 2 where upper and lower case are one */
    struct oc_detail *detail;
};

/* The library copies what matches nothing as well: "((){99}){99}" takes memory, though no state. */
static const struct cost nothing = { .sets = 1, .nullable = 1 };

static int read_alternatives(struct reader *r, struct cost *out);

static int fail_at(const struct reader *r, size_t at, int code, const char *text)
{
    (void)oc_detail_set(r->detail, code, "%s, at character %zu of the pattern", text, at + 1);
    if (r->detail)
        r->detail->column = (uint32_t)at + 1;
    return code;
}

static int peek(const struct reader *r)
{
    return r->at < r->len ? (unsigned char)r->text[r->at] : -1;
}

/* ---- sizes ---- */

static int is_large(const struct cost *c)
{
    return c->states > MAX_STATES || c->steps > MAX_STEPS || c->sets > MAX_SETS;
}

static struct cost one(uint32_t items)
{
    return (struct cost){ .states = 1, .first = items, .last = items, .sets = 2 * items };
}

static struct cost add_sets(struct cost c)
{
    c.sets += c.first + c.last;
    return c;
}

/* None of these overflows: each part was found to be within the maxima before. */
static struct cost both(struct cost a, struct cost b)
{
    struct cost c = { .states = a.states + b.states,
                      .first = a.first + (a.nullable ? b.first : 0),
                      .last = b.last + (b.nullable ? a.last : 0),
                      .steps = a.steps + b.steps + a.last * b.first,
                      .sets = a.sets + b.sets,
                      .nullable = a.nullable && b.nullable };

    return add_sets(c);
}

static struct cost either(struct cost a, struct cost b)
{
    struct cost c = { .states = a.states + b.states,
                      .first = a.first + b.first,
                      .last = a.last + b.last,
                      .steps = a.steps + b.steps,
                      .sets = a.sets + b.sets,
                      .nullable = a.nullable || b.nullable };

    return add_sets(c);
}

static struct cost any_times(struct cost a)
{
    a.steps += a.last * a.first;
    a.nullable = 1;
    return add_sets(a);
}

/* min copies and, nested to the right, those up to max that may be missing; max UINT32_MAX: without end. */
static int times(struct reader *r, size_t at, struct cost a, uint32_t min, uint32_t max,
                 struct cost *out)
{
    struct cost c = max == UINT32_MAX ? any_times(a) : nothing;
    uint32_t optional = max == UINT32_MAX ? 0 : max - min;

    for (uint32_t i = 0; i < optional + min && !is_large(&c); i++) {
        c = both(a, c);
        if (i < optional)
            c.nullable = 1;
    }
    if (is_large(&c))
        return fail_at(r, at, OC_E_TOOBIG, "this repeat makes the pattern too large");
    *out = c;
    return OC_OK;
}

/* ---- repeats ---- */

static int read_number(struct reader *r, uint32_t *out)
{
    uint32_t number = 0;
    size_t begin = r->at;

    while (peek(r) >= '0' && peek(r) <= '9' && r->at - begin < 4)
        number = number * 10 + (uint32_t)(r->text[r->at++] - '0');
    if (r->at == begin)
        return fail_at(r, r->at, OC_E_PARSE,
                       "a repeat is {3}, {3,} or {3,5}, and the brace itself \\{");
    if (number > MAX_REPEAT)
        return fail_at(r, begin, OC_E_TOOBIG, "more than 255 times");
    *out = number;
    return OC_OK;
}

static int read_braces(struct reader *r, uint32_t *out_min, uint32_t *out_max)
{
    size_t begin = r->at++;
    int rc = read_number(r, out_min);

    *out_max = *out_min;
    if (rc == OC_OK && peek(r) == ',') {
        r->at++;
        *out_max = UINT32_MAX;
        if (peek(r) != '}')
            rc = read_number(r, out_max);
    }
    if (rc < 0)
        return rc;
    if (peek(r) != '}')
        return fail_at(r, begin, OC_E_PARSE, "a repeat without its closing brace");
    r->at++;
    if (*out_max < *out_min)
        return fail_at(r, begin, OC_E_PARSE, "a repeat whose second number is the smaller one");
    return OC_OK;
}

/* One '*', '+', '?' or '{…}' with the '?' that makes it lazy. */
static int read_repeat(struct reader *r, struct cost *c)
{
    size_t begin = r->at;
    int kind = peek(r);
    uint32_t min = kind == '+', max = kind == '?' ? 1 : UINT32_MAX;
    int rc = OC_OK;

    if (begin > 0 && (unsigned char)r->text[begin - 1] >= 0x80)
        return fail_at(r, begin, OC_E_PARSE,
                       "text is matched as bytes: put the repeated letter in parentheses");
    if (kind == '{')
        rc = read_braces(r, &min, &max);
    else
        r->at++;
    if (rc < 0)
        return rc;
    r->tags += 2;
    if (peek(r) == '?')
        r->at++;
    if (peek(r) == '*' || peek(r) == '+')
        return fail_at(r, r->at, OC_E_PARSE, "a repeat of a repeat");
    return times(r, begin, *c, min, max, c);
}

/* ---- atoms ---- */

/* "[:alpha:]" and its like at hand; r->at is behind the bracket. */
static int read_class(struct reader *r)
{
    char kind = r->text[r->at];

    for (size_t i = r->at + 1; i + 1 < r->len; i++) {
        if (r->text[i] == kind && r->text[i + 1] == ']') {
            r->at = i + 2;
            return OC_OK;
        }
    }
    return fail_at(r, r->at, OC_E_PARSE, "a class without its end, as in [[:alpha:]]");
}

static int read_bracket_item(struct reader *r)
{
    int c = peek(r);

    r->at++;
    if (c >= 0x80)
        return fail_at(r, r->at - 1, OC_E_PARSE,
                       "text is matched as bytes: write (\xc3\xa4|\xc3\xb6) in place of brackets");
    if (c == '[' && (peek(r) == ':' || peek(r) == '.' || peek(r) == '='))
        return read_class(r);
    return OC_OK;
}

static int read_bracket(struct reader *r, struct cost *out)
{
    size_t begin = r->at++;
    uint32_t items = 1;
    int rc = OC_OK;

    if (peek(r) == '^')
        r->at++;
    do { /* a ']' that is first stands for itself */
        if (peek(r) < 0)
            return fail_at(r, begin, OC_E_PARSE, "a bracket without its end");
        rc = read_bracket_item(r);
        items++;
    } while (rc == OC_OK && peek(r) != ']');
    if (rc < 0)
        return rc;
    r->at++;
    *out = one(items * r->per_letter);
    return OC_OK;
}

static int read_escape(struct reader *r, struct cost *out)
{
    static const char letters[] = "tnrfaewWsSdD";
    static const char places[] = "<>bB";
    int c = 0;

    r->at++;
    c = peek(r);
    if (c < 0)
        return fail_at(r, r->at - 1, OC_E_PARSE, "a backslash at the end");
    if (c >= '1' && c <= '9')
        return fail_at(r, r->at - 1, OC_E_NOTSUP,
                       "a back-reference: it would take time beyond all bounds");
    if (strchr(places, c))
        *out = nothing;
    else if (strchr(letters, c))
        *out = one(4); /* a class of letters is several ranges */
    else if (c < 0x80 && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '0')
        *out = one(1);
    else
        return fail_at(r, r->at - 1, OC_E_PARSE, "an escape that stands for nothing");
    r->at++;
    return OC_OK;
}

/* "(…)", "(?:…)"; "(?i)" makes the rest heed no case. */
static int read_group(struct reader *r, struct cost *out)
{
    size_t begin = r->at++;
    int rc = OC_OK;

    if (r->len - r->at >= 3 && memcmp(r->text + r->at, "?i)", 3) == 0) {
        r->at += 3;
        r->per_letter = 2;
        *out = nothing;
        return OC_OK;
    }
    if (r->len - r->at >= 2 && memcmp(r->text + r->at, "?:", 2) == 0) {
        r->at += 2;
    } else if (peek(r) == '?') {
        return fail_at(r, begin, OC_E_NOTSUP, "of (?…) only (?:…) and (?i) are known");
    } else {
        r->groups++;
        r->tags += 2;
    }
    if (++r->depth > MAX_DEPTH)
        return fail_at(r, begin, OC_E_TOOBIG, "parentheses nested too deep");
    rc = read_alternatives(r, out);
    r->depth--;
    if (rc < 0)
        return rc;
    if (peek(r) != ')')
        return fail_at(r, begin, OC_E_PARSE, "a parenthesis without its end");
    r->at++;
    return OC_OK;
}

static int read_atom(struct reader *r, struct cost *out)
{
    int c = peek(r);

    if (c == '(')
        return read_group(r, out);
    if (c == '[')
        return read_bracket(r, out);
    if (c == '\\')
        return read_escape(r, out);
    if (strchr("*+?{", c))
        return fail_at(r, r->at, OC_E_PARSE, "nothing to repeat before this");
    r->at++;
    *out = c == '^' || c == '$' ? nothing : one(c == '.' ? 1 : r->per_letter);
    return OC_OK;
}

/* ---- sequences and alternatives ---- */

static int is_repeat(int c) { return c == '*' || c == '+' || c == '?' || c == '{'; }

static int read_sequence(struct reader *r, struct cost *out)
{
    struct cost all = nothing;

    while (peek(r) >= 0 && peek(r) != '|' && peek(r) != ')') {
        struct cost piece = nothing;
        size_t begin = r->at;
        int rc = read_atom(r, &piece);

        while (rc == OC_OK && is_repeat(peek(r)))
            rc = read_repeat(r, &piece);
        if (rc < 0)
            return rc;
        all = both(all, piece);
        if (is_large(&all))
            return fail_at(r, begin, OC_E_TOOBIG, "the pattern becomes too large");
    }
    *out = all;
    return OC_OK;
}

static int read_alternatives(struct reader *r, struct cost *out)
{
    struct cost all = nothing;
    uint32_t groups = r->groups, bars = 0;
    int rc = read_sequence(r, &all);

    while (rc == OC_OK && peek(r) == '|') {
        struct cost more = nothing;
        size_t begin = r->at++;

        bars++;
        rc = read_sequence(r, &more);
        all = either(all, more);
        if (rc == OC_OK && is_large(&all))
            rc = fail_at(r, begin, OC_E_TOOBIG, "the pattern becomes too large");
    }
    r->tags += r->groups > groups ? 2 * bars : bars > 0; /* groups within say which one it was */
    *out = all;
    return rc;
}

int oc_pattern_check(const char *text, size_t len_bytes, struct oc_detail *detail)
{
    struct reader r = {
        .text = text, .len = len_bytes, .tags = 2, .per_letter = 1, .detail = detail
    };
    struct cost cost = nothing;
    int rc = read_alternatives(&r, &cost);

    if (rc < 0)
        return rc;
    if (r.at < len_bytes)
        return fail_at(&r, r.at, OC_E_PARSE, "a closing parenthesis that nothing opened");
    if ((cost.states + 2) * r.tags > MAX_STATE_TAGS || cost.steps * (STEP_WORK + r.tags) > MAX_WORK)
        return oc_detail_set(detail, OC_E_TOOBIG,
                             "this pattern has too many groups, repeats and alternatives");
    return OC_OK;
}
