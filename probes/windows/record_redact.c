/* What of a recording nobody else may see. */
#include "probes/windows/record.h"

#include "base/alloc.h"
#include "base/redact.h"
#include "probes/windows/utf16.h"

#include <string.h>

#define LEAST_TEXT_UNITS 8u
#define POOLS_BEGIN "<applicationPools"
#define POOLS_END "</applicationPools>"
#define CONFIG_HEAD "<configuration><system.applicationHost>"
#define CONFIG_TAIL "</system.applicationHost></configuration>"

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Whether a text begins with a word in lower case. */
static int begins(const char *text, const char *word)
{
    while (*word && lower(*text) == *word) {
        text++;
        word++;
    }
    return *word == '\0';
}

/* ---- paths ---- */

void oc_win_redact_path(char *text)
{
    static const char folder[] = "\\users\\";
    char *out = text;

    for (const char *at = text; *at;) {
        *out++ = *at;
        if (!begins(at, folder)) {
            at++;
            continue;
        }
        memmove(out, at + 1, sizeof folder - 2);
        out += sizeof folder - 2;
        at += sizeof folder - 1;
        if (*at && *at != '\\')
            *out++ = '*';
        while (*at && *at != '\\' && *at != '"')
            at++;
    }
    *out = '\0';
}

/* ---- memory ---- */

/* All printable up to its end, with no control characters: figures and structures have some. */
static int is_text(const unsigned char *bytes, size_t units)
{
    for (size_t i = 0; i < units; i++) {
        const unsigned unit = bytes[2 * i] | (unsigned)bytes[2 * i + 1] << 8;

        if (unit == 0 && i >= LEAST_TEXT_UNITS)
            return 1;
        if (unit < 0x20)
            return 0;
    }
    return units >= LEAST_TEXT_UNITS;
}

void oc_win_redact_memory(unsigned char *bytes, size_t len_bytes)
{
    const size_t units = len_bytes / 2;
    const size_t room_bytes = 3 * units + 1;
    char *text = NULL;
    size_t written = 0;

    if (!is_text(bytes, units))
        return;
    text = oc_malloc(room_bytes);
    if (!text) {
        memset(bytes, 0, len_bytes); /* rather nothing than a secret */
        return;
    }
    (void)oc_win_utf8(bytes, units, text, room_bytes);
    oc_redact(text);
    oc_win_redact_path(text);
    written = oc_win_utf16(text, bytes, units);
    for (; written < units; written++) {
        bytes[2 * written] = ' ';
        bytes[2 * written + 1] = 0;
    }
    oc_free(text);
}

/* ---- IIS's configuration ---- */

static const char *find(const char *text, const char *end, const char *word)
{
    const size_t len = strlen(word);

    for (const char *at = text; (size_t)(end - at) >= len; at++) {
        if (memcmp(at, word, len) == 0)
            return at;
    }
    return NULL;
}

/* An account's name and password: userName="…", password='…'. Removed with what they hold. */
static size_t account_bytes(const char *at, const char *end)
{
    static const char *const names[] = { "username", "password" };
    const char *value = NULL;

    for (size_t i = 0; i < sizeof names / sizeof *names && !value; i++) {
        if ((size_t)(end - at) > strlen(names[i]) && begins(at, names[i]))
            value = at + strlen(names[i]);
    }
    if (!value)
        return 0;
    while (value < end && *value != '"' && *value != '\'' && *value != '>')
        value++;
    if (value < end && *value != '>') {
        const char quote = *value++;

        while (value < end && *value != quote)
            value++;
        value += value < end;
    }
    return (size_t)(value - at);
}

static char *copy_pools(const char *from, const char *to)
{
    const size_t room = (size_t)(to - from) + sizeof CONFIG_HEAD + sizeof CONFIG_TAIL;
    char *copy = oc_malloc(room), *out = copy;

    if (!copy)
        return NULL;
    memcpy(out, CONFIG_HEAD, sizeof CONFIG_HEAD - 1);
    out += sizeof CONFIG_HEAD - 1;
    while (from < to) {
        const size_t skip = account_bytes(from, to);

        if (skip)
            from += skip;
        else
            *out++ = *from++;
    }
    memcpy(out, CONFIG_TAIL, sizeof CONFIG_TAIL);
    return copy;
}

char *oc_win_redact_config(const char *text, size_t len_bytes)
{
    const char *end = text + len_bytes;
    const char *from = find(text, end, POOLS_BEGIN);
    const char *to = from ? find(from, end, POOLS_END) : NULL;

    if (!to)
        return oc_strdup("<configuration/>");
    return copy_pools(from, to + (sizeof POOLS_END - 1));
}
