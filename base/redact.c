/*
 * What stands where a secret may stand is taken out, also where it is none: a command line is
 * stored to tell processes apart, and that it does with stars in it too.
 */
#include "base/redact.h"

#include <string.h>

#define QUOTED_MAX 4096u /* bytes that a closing quote is looked for, so that all is linear */
#define LONG_USER 20u    /* of a URL without a password: a token */

/* Text that is read at `in` and written at `out` ≤ `in`. */
struct line {
    char *text;
    size_t in, out, len;
};

struct word {
    const char *at;
    size_t len;
};

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

static int is_lower(char c) { return c >= 'a' && c <= 'z'; }

static int is_name_char(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || (unsigned char)c >= 0x80;
}

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static int is_quote(char c) { return c == '"' || c == '\''; }

static int same(const char *text, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(text[i]) != word[i])
            return 0;
    }
    return 1;
}

static int is_word(struct word word, const char *what)
{
    return word.len == strlen(what) && same(word.at, what, word.len);
}

static int ends_with(struct word word, const char *tail)
{
    size_t len = strlen(tail);

    return word.len >= len && same(word.at + word.len - len, tail, len);
}

/* ---- names ---- */

/* Whether the name has the word, with no letter behind it that makes it another ("tokenizer", "keyspace"). */
static int has_whole(struct word name, const char *what)
{
    size_t len = strlen(what);

    for (size_t i = 0; i + len <= name.len; i++) {
        if (same(name.at + i, what, len) && (i + len == name.len || !is_lower(name.at[i + len])))
            return 1;
    }
    return 0;
}

static int has(struct word name, const char *what)
{
    size_t len = strlen(what);

    for (size_t i = 0; i + len <= name.len; i++) {
        if (same(name.at + i, what, len))
            return 1;
    }
    return 0;
}

/* "key-file" says where a key is, not what it is. */
static int is_about_a_secret(struct word name)
{
    static const char *const tails[] = { "file", "path", "dir",  "ttl",
                                         "type", "size", "name", "store" };

    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        if (ends_with(name, tails[i]))
            return 1;
    }
    return 0;
}

static int is_secret(struct word name)
{
    static const char *const parts[] = { "passw", "passphrase", "secret", "credential",
                                         "authorization" };
    static const char *const wholes[] = { "token", "key", "pass", "pwd" };

    if (is_about_a_secret(name))
        return 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (has(name, parts[i]))
            return 1;
    }
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        if (has_whole(name, wholes[i]))
            return 1;
    }
    return 0;
}

/* ---- moving text ---- */

static char peek(const struct line *l, size_t ahead)
{
    return l->in + ahead < l->len ? l->text[l->in + ahead] : '\0';
}

static void copy(struct line *l, size_t count)
{
    for (; count > 0 && l->in < l->len; count--)
        l->text[l->out++] = l->text[l->in++];
}

/* Stars in place of the next count bytes. */
static void take_out(struct line *l, size_t count)
{
    for (size_t i = 0; i < 3 && i < count; i++)
        l->text[l->out + i] = '*';
    l->out += count < 3 ? count : 3;
    l->in += count;
}

static void copy_blanks(struct line *l)
{
    while (is_blank(peek(l, 0)))
        copy(l, 1);
}

/* Bytes from here to one of `ends`, or the end of the line. */
static size_t span_to(const struct line *l, const char *ends)
{
    size_t count = 0;

    while (l->in + count < l->len && !strchr(ends, l->text[l->in + count]))
        count++;
    return count;
}

#define BLANKS " \t\n\r"

/* ---- values ---- */

/* Of a connection string: blanks may be part of it where a ';' ends it before the next option. */
static size_t span_to_semicolon(const struct line *l)
{
    size_t count = 0;

    while (l->in + count < l->len && peek(l, count) != ';') {
        if (is_blank(peek(l, count)) && peek(l, count + 1) == '-')
            return span_to(l, BLANKS ";");
        count++;
    }
    return l->in + count < l->len ? count : span_to(l, BLANKS ";");
}

/* How far a value goes that has no quotes, by what stands before its name. */
static size_t span_of_value(const struct line *l, char before)
{
    switch (before) {
    case ';':
        return span_to_semicolon(l);
    case '&':
    case '?':
        return span_to(l, BLANKS "&#");
    case ',':
    case '{':
    case '(':
    case '"':
    case '\'':
        return span_to(l, BLANKS ",})\"'");
    default:
        return span_to(l, BLANKS);
    }
}

static void take_out_value(struct line *l, char before)
{
    char quote = peek(l, 0) == '\\' ? peek(l, 1) : peek(l, 0);
    size_t count = 0;

    if (is_quote(quote)) {
        copy(l, peek(l, 0) == '\\' ? 2 : 1);
        while (count < QUOTED_MAX && peek(l, count) && peek(l, count) != quote)
            count++;
        if (peek(l, count) == quote) {
            take_out(l, count);
            return;
        }
        before = ' ';
    }
    take_out(l, span_of_value(l, before));
}

/* "Bearer abc": the next word is the secret. */
static void take_out_scheme(struct line *l, char before)
{
    static const char *const schemes[] = { "bearer", "basic", "digest", "token" };

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i]);

        if (!same(l->text + l->in, schemes[i], len) || !is_blank(peek(l, len)))
            continue;
        copy(l, len);
        copy_blanks(l);
        break;
    }
    take_out_value(l, before);
}

/* '=' or ':' behind a name, with a quote and blanks around it; its length, 0: none. */
static size_t span_of_separator(const struct line *l)
{
    size_t at = peek(l, 0) == '\\';

    at += (size_t)is_quote(peek(l, at));
    at += (size_t)is_blank(peek(l, at));
    if (peek(l, at) != '=' && peek(l, at) != ':')
        return 0;
    at++;
    return at + (size_t)is_blank(peek(l, at));
}

/* ---- words ---- */

/* mysql's "-pSECRET"; elsewhere -p is a port as often. */
static int is_mysql(const struct line *l)
{
    size_t end = strcspn(l->text, BLANKS), begin = end;

    while (begin > 0 && l->text[begin - 1] != '/')
        begin--;
    return strncmp(l->text + begin, "mysql", 5) == 0 || strncmp(l->text + begin, "mariadb", 7) == 0;
}

/* The argument behind an option whose name says so ("--password X"); one with a dash is the next option. */
static void after_secret_name(struct line *l, struct word name, char before)
{
    size_t separator = span_of_separator(l);

    if (separator > 0) {
        copy(l, separator);
        take_out_scheme(l, before);
        return;
    }
    if (name.at[0] != '-' || !is_blank(peek(l, 0)))
        return;
    copy_blanks(l);
    if (peek(l, 0) != '-')
        take_out_scheme(l, ' ');
}

/* "-u user:secret" */
static void after_user_option(struct line *l)
{
    size_t user = 0;

    copy_blanks(l);
    if (peek(l, 0) == '=')
        copy(l, 1);
    user = span_to(l, BLANKS ":/");
    copy(l, user);
    if (peek(l, 0) != ':')
        return;
    copy(l, 1);
    take_out(l, span_to(l, BLANKS));
}

/* A name at hand: copied, and what belongs to it taken out. */
static void take_name(struct line *l, int mysql)
{
    char before = l->in > 0 ? l->text[l->in - 1] : ' ';
    struct word name = { l->text + l->in, 0 };

    while (is_name_char(peek(l, name.len)))
        name.len++;
    if (mysql && is_blank(before) && name.len > 2 && same(name.at, "-p", 2) && name.at[1] == 'p') {
        copy(l, 2);
        take_out(l, span_to(l, BLANKS));
        return;
    }
    name.at =
        l->text + l->out; /* where it will stand: what is written never overtakes what is read */
    memmove(l->text + l->out, l->text + l->in, name.len);
    l->in += name.len;
    l->out += name.len;
    if (is_word(name, "bearer") && is_blank(peek(l, 0))) {
        copy_blanks(l);
        take_out(l, span_to(l, BLANKS "\"'"));
    } else if (is_blank(before) && (is_blank(peek(l, 0)) || peek(l, 0) == '=') &&
               (is_word(name, "-u") || is_word(name, "--user"))) {
        after_user_option(l);
    } else if (is_secret(name)) {
        after_secret_name(l, name, before);
    }
}

/* ---- URLs ---- */

/* "user:secret@" at hand, behind "://" or at the beginning of an argument. */
static void take_login(struct line *l, int is_url)
{
    size_t end = span_to(l, BLANKS "/?#"), at = end, colon = 0;

    while (at > 0 && peek(l, at) != '@')
        at--;
    if (peek(l, at) != '@' || at >= end || same(l->text + l->in + at, "@sha256:", 8))
        return;
    while (colon < at && peek(l, colon) != ':')
        colon++;
    if (colon < at) {
        copy(l, colon + 1);
        take_out(l, at - colon - 1);
    } else if (is_url && at >= LONG_USER) {
        take_out(l, at);
    }
}

static int at_scheme_end(const struct line *l)
{
    return peek(l, 0) == ':' && peek(l, 1) == '/' && peek(l, 2) == '/';
}

void oc_redact(char *text)
{
    struct line l = { .text = text, .len = strlen(text) };
    int mysql = is_mysql(&l);
    char before = ' '; /* as it was read: stars are no part of a word */

    while (l.in < l.len) {
        if (is_blank(before))
            take_login(&l, 0);
        if (at_scheme_end(&l)) {
            copy(&l, 3);
            take_login(&l, 1);
        } else if (is_name_char(peek(&l, 0))) {
            take_name(&l, mysql);
        } else {
            copy(&l, 1);
        }
        before = l.in > 0 ? l.text[l.in - 1] : ' ';
    }
    text[l.out] = '\0';
}
