#include "notify/retry_after.h"

#include "base/err.h"

#include <string.h>

#define MS_PER_S 1000
#define S_PER_DAY INT64_C(86400)
#define DATE_WORDS 6
#define WORD_BYTES 16

/* A date of any of the forms, as its words: blanks, commas, colons and hyphens are what is between them. */
struct words {
    char text[8][WORD_BYTES];
    size_t count;
};

static int is_between(char c) { return c == ' ' || c == ',' || c == ':' || c == '-' || c == '\t'; }

static int cut_words(const char *text, size_t len, struct words *out)
{
    size_t at = 0;

    out->count = 0;
    while (at < len) {
        size_t begin = at;

        while (at < len && !is_between(text[at]))
            at++;
        if (at - begin >= WORD_BYTES || out->count == sizeof(out->text) / WORD_BYTES)
            return OC_E_PARSE;
        if (at > begin) {
            memcpy(out->text[out->count], text + begin, at - begin);
            out->text[out->count++][at - begin] = '\0';
        }
        while (at < len && is_between(text[at]))
            at++;
    }
    return OC_OK;
}

/* One to nine digits; -1: not. */
static int64_t number(const char *text, size_t len)
{
    int64_t value = 0;

    if (len == 0 || len > 9)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int64_t word_number(const struct words *words, size_t index)
{
    return number(words->text[index], strlen(words->text[index]));
}

/* 1 to 12; 0: none. */
static int month_of(const char *word)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12 && strlen(word) == 3; i++) {
        if (memcmp(word, names + (size_t)i * 3, 3) == 0)
            return i + 1;
    }
    return 0;
}

/* Days from 1970-01-01 in the Gregorian calendar; years from 1 on. */
static int64_t days_of(int64_t year, int month, int64_t day)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int64_t past = year - 1;
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162;

    return days + before[month - 1] + (month > 2 && is_leap) + day - 1;
}

/* A year of two digits is the one nearest to now. */
static int64_t full_year(int64_t year, int64_t now_unix_ms)
{
    int64_t now = 1970 + now_unix_ms / MS_PER_S / S_PER_DAY * 400 / 146097;

    if (year >= 100)
        return year;
    year += now - now % 100;
    if (year > now + 50)
        year -= 100;
    if (year < now - 50)
        year += 100;
    return year;
}

int oc_http_date(const char *text, size_t len_bytes, int64_t now_unix_ms, int64_t *out_unix_ms)
{
    struct words words;
    int64_t year = 0, day = 0, hour = 0, minute = 0, second = 0;
    int month = 0;
    size_t time = 0;

    if (cut_words(text, len_bytes, &words) < 0 || words.count < DATE_WORDS + 1)
        return OC_E_PARSE;
    if (month_of(words.text[1]) > 0) { /* Sun Nov 6 08 49 37 1994 */
        month = month_of(words.text[1]);
        day = word_number(&words, 2);
        year = word_number(&words, 6);
        time = 3;
    } else { /* Sun 06 Nov 1994 08 49 37 GMT */
        month = month_of(words.text[2]);
        day = word_number(&words, 1);
        year = word_number(&words, 3);
        time = 4;
    }
    hour = word_number(&words, time);
    minute = word_number(&words, time + 1);
    second = word_number(&words, time + 2);
    if (month == 0 || day < 1 || day > 31 || year < 0 || year > 9999 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60)
        return OC_E_PARSE;
    year = full_year(year, now_unix_ms);
    *out_unix_ms =
        ((days_of(year, month, day) * 24 + hour) * 3600 + minute * 60 + second) * MS_PER_S;
    return OC_OK;
}

int64_t oc_retry_after_ms(const char *text, size_t len_bytes, int64_t now_unix_ms)
{
    int64_t ms = 0, at_unix_ms = 0;
    size_t digits = 0;

    while (len_bytes > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        len_bytes--;
    }
    while (len_bytes > 0 && strchr(" \t\r\n", text[len_bytes - 1]) != NULL)
        len_bytes--;
    while (digits < len_bytes && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    if (digits > 0 && digits == len_bytes)
        ms = digits > 9 ? OC_RETRY_AFTER_MAX_MS : number(text, digits) * MS_PER_S;
    else if (oc_http_date(text, len_bytes, now_unix_ms, &at_unix_ms) == OC_OK)
        ms = at_unix_ms - now_unix_ms;
    if (ms <= 0)
        return 0;
    if (ms < MS_PER_S)
        return MS_PER_S;
    return ms < OC_RETRY_AFTER_MAX_MS ? ms : OC_RETRY_AFTER_MAX_MS;
}
