#include "probes/windows/iis_value.h"

#include "base/err.h"
#include "base/plan.h"
#include "base/text.h"

#include <string.h>

#define SPAN_PARTS 4
#define SECOND_MS INT64_C(1000)
#define DAY_MINUTES 1440

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits of at most six; the text moves on. -1: none. */
static int take_number(const char **text)
{
    int value = 0;
    int digits = 0;

    while (is_digit(**text) && digits < 6) {
        value = value * 10 + (*(*text)++ - '0');
        digits++;
    }
    return digits > 0 ? value : -1;
}

/* "d.hh:mm:ss" or "hh:mm:ss": days, hours, minutes, seconds. */
static int take_parts(const char *text, int parts[SPAN_PARTS])
{
    int first = take_number(&text);
    int at = 1;

    memset(parts, 0, sizeof(int[SPAN_PARTS]));
    if (first < 0)
        return OC_E_PARSE;
    parts[*text == '.' ? 0 : 1] = first;
    if (*text != '.')
        at = 2;
    for (; at < SPAN_PARTS; at++) {
        if (*text != (at == 1 ? '.' : ':'))
            return OC_E_PARSE;
        text++;
        parts[at] = take_number(&text);
        if (parts[at] < 0)
            return OC_E_PARSE;
    }
    return *text == '\0' && parts[2] < 60 && parts[3] < 60 ? OC_OK : OC_E_PARSE;
}

int oc_win_iis_span_ms(const char *text, int64_t *out_ms)
{
    int parts[SPAN_PARTS];

    if (take_parts(text, parts) < 0)
        return OC_E_PARSE;
    *out_ms = (((INT64_C(24) * parts[0] + parts[1]) * 60 + parts[2]) * 60 + parts[3]) * SECOND_MS;
    return OC_OK;
}

int oc_win_iis_minute(const char *text, uint16_t *out_minute)
{
    int parts[SPAN_PARTS];

    if (take_parts(text, parts) < 0 || parts[0] != 0 || parts[1] * 60 >= DAY_MINUTES)
        return OC_E_PARSE;
    *out_minute = (uint16_t)(parts[1] * 60 + parts[2]);
    return OC_OK;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Whether the len bytes are the word, whatever the case. */
static int is_word(const char *text, size_t len, const char *word)
{
    if (strlen(word) != len)
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (lower(text[i]) != lower(word[i]))
            return 0;
    }
    return 1;
}

int oc_win_iis_bool(const char *text, int *out_value)
{
    size_t len = strlen(text);

    if (is_word(text, len, "true"))
        *out_value = 1;
    else if (is_word(text, len, "false"))
        *out_value = 0;
    else
        return OC_E_PARSE;
    return OC_OK;
}

int oc_win_iis_uint(const char *text, uint32_t *out_value)
{
    uint64_t value = 0;

    if (oc_text_u64(text, &value) < 0 || value > UINT32_MAX)
        return OC_E_PARSE;
    *out_value = (uint32_t)value;
    return OC_OK;
}

int oc_win_iis_reasons(const char *text, uint8_t *out_bits)
{
    static const struct {
        const char *word;
        uint8_t bit;
    } words[] = {
        { "Time", OC_PLAN_TIME },
        { "Requests", OC_PLAN_REQUESTS },
        { "Schedule", OC_PLAN_SCHEDULE },
        { "Memory", OC_PLAN_MEMORY },
        { "PrivateMemory", OC_PLAN_PRIVATE_MEMORY },
        { "OnDemand", OC_PLAN_ON_DEMAND },
        { "ConfigChange", OC_PLAN_CONFIG_CHANGE },
        { "IdleTimeout", OC_PLAN_IDLE },
    };
    unsigned bits = 0;

    while (*text) {
        size_t len = strcspn(text, ", ");

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (is_word(text, len, words[i].word))
                bits |= words[i].bit;
        }
        text += len;
        text += strspn(text, ", ");
    }
    *out_bits = (uint8_t)bits;
    return OC_OK;
}
