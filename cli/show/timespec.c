#include "cli/show/timespec.h"

#include "base/err.h"
#include "base/os.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)
#define MAX_SECONDS INT64_C(253402300799) /* the end of the year 9999 */

/* Exactly `digits` digits at *at; moves on. */
static int take_digits(const char **at, int digits, int *out_value)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)(*at)[i]))
            return OC_E_PARSE;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    *out_value = value;
    return OC_OK;
}

static int take_char(const char **at, char c)
{
    if (**at != c)
        return OC_E_PARSE;
    *at += 1;
    return OC_OK;
}

/* "14:30", "14:30:05", "14:30:05.123". */
static int take_clock(const char **at, struct oc_civil *civil)
{
    civil->second = civil->millisecond = 0;
    if (take_digits(at, 2, &civil->hour) || take_char(at, ':') ||
        take_digits(at, 2, &civil->minute))
        return OC_E_PARSE;
    if (!take_char(at, ':')) {
        if (take_digits(at, 2, &civil->second))
            return OC_E_PARSE;
        if (!take_char(at, '.')) {
            int weight = 100;

            if (!isdigit((unsigned char)**at))
                return OC_E_PARSE;
            for (; isdigit((unsigned char)**at); (*at)++, weight /= 10)
                civil->millisecond += (**at - '0') * weight;
        }
    }
    return civil->hour < 24 && civil->minute < 60 && civil->second <= 60 ? OC_OK : OC_E_PARSE;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static int take_date(const char **at, struct oc_civil *civil)
{
    if (take_digits(at, 4, &civil->year) || take_char(at, '-') ||
        take_digits(at, 2, &civil->month) || take_char(at, '-') || take_digits(at, 2, &civil->day))
        return OC_E_PARSE;
    if (civil->year < 1970 || civil->month < 1 || civil->month > 12 || civil->day < 1 ||
        civil->day > days_in_month(civil->year, civil->month))
        return OC_E_PARSE;
    return OC_OK;
}

/* "Z", "+01:00", "-0530". */
static int take_offset(const char **at, int *out_minutes)
{
    int sign, hours, minutes;

    if (**at == 'Z' || **at == 'z') {
        *at += 1;
        *out_minutes = 0;
        return OC_OK;
    }
    if (**at != '+' && **at != '-')
        return OC_E_PARSE;
    sign = **at == '-' ? -1 : 1;
    *at += 1;
    if (take_digits(at, 2, &hours))
        return OC_E_PARSE;
    (void)take_char(at, ':');
    if (take_digits(at, 2, &minutes) || hours > 23 || minutes > 59)
        return OC_E_PARSE;
    *out_minutes = sign * (hours * 60 + minutes);
    return OC_OK;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t utc_to_unix_ms(const struct oc_civil *civil)
{
    int64_t days = days_from_civil(civil->year, civil->month, civil->day);

    return ((days * 24 + civil->hour) * 60 + civil->minute) * MINUTE_MS +
           civil->second * INT64_C(1000) + civil->millisecond;
}

/* "2026-11-23", "2026-11-23 14:30", "2026-11-23T14:30:00Z". */
static int parse_date(const char *text, int64_t *out_unix_ms)
{
    struct oc_civil civil = { 0 };
    int offset;

    if (take_date(&text, &civil))
        return OC_E_PARSE;
    if (*text == '\0') {
        *out_unix_ms = oc_civil_to_unix_ms(&civil);
        return OC_OK;
    }
    if (*text != 'T' && *text != 't' && *text != ' ')
        return OC_E_PARSE;
    text++;
    if (take_clock(&text, &civil))
        return OC_E_PARSE;
    if (*text == '\0') {
        *out_unix_ms = oc_civil_to_unix_ms(&civil);
        return OC_OK;
    }
    if (take_offset(&text, &offset) || *text)
        return OC_E_PARSE;
    *out_unix_ms = utc_to_unix_ms(&civil) - offset * MINUTE_MS;
    return OC_OK;
}

static int64_t midnight(int64_t unix_ms)
{
    struct oc_civil civil;

    oc_civil_from_unix_ms(unix_ms, &civil);
    civil.hour = civil.minute = civil.second = civil.millisecond = 0;
    return oc_civil_to_unix_ms(&civil);
}

/* The last time that the clock showed it. */
static int parse_clock(const char *text, int64_t now_unix_ms, int64_t *out_unix_ms)
{
    struct oc_civil civil, day;
    int64_t unix_ms;

    oc_civil_from_unix_ms(now_unix_ms, &civil);
    if (take_clock(&text, &civil) || *text)
        return OC_E_PARSE;
    unix_ms = oc_civil_to_unix_ms(&civil);
    if (unix_ms > now_unix_ms) { /* yesterday's, by the calendar: a day may have 23 or 25 hours */
        oc_civil_from_unix_ms(midnight(now_unix_ms) - DAY_MS / 2, &day);
        civil.year = day.year;
        civil.month = day.month;
        civil.day = day.day;
        unix_ms = oc_civil_to_unix_ms(&civil);
    }
    *out_unix_ms = unix_ms;
    return OC_OK;
}

static int parse_word(const char *text, int64_t now_unix_ms, int64_t *out_unix_ms)
{
    if (strcmp(text, "now") == 0)
        *out_unix_ms = now_unix_ms;
    else if (strcmp(text, "today") == 0)
        *out_unix_ms = midnight(now_unix_ms);
    else if (strcmp(text, "yesterday") == 0)
        *out_unix_ms = midnight(midnight(now_unix_ms) - DAY_MS / 2);
    else
        return OC_E_PARSE;
    return OC_OK;
}

/* "@1790000000", "@1790000000.5". */
static int parse_unix(const char *text, int64_t *out_unix_ms)
{
    char seconds[24];
    size_t len = strcspn(text, ".");
    int64_t value;
    int weight = 100;

    if (len >= sizeof(seconds))
        return OC_E_PARSE;
    memcpy(seconds, text, len);
    seconds[len] = '\0';
    if (oc_text_i64(seconds, &value) || value < 0 || value > MAX_SECONDS)
        return OC_E_PARSE;
    value *= 1000;
    if (text[len] == '.') {
        if (!text[len + 1])
            return OC_E_PARSE;
        for (const char *at = text + len + 1; *at; at++, weight /= 10) {
            if (!isdigit((unsigned char)*at))
                return OC_E_PARSE;
            value += (int64_t)(*at - '0') * weight;
        }
    }
    *out_unix_ms = value;
    return OC_OK;
}

static int parse_ago(const char *text, int64_t now_unix_ms, int64_t *out_unix_ms)
{
    int64_t ago_ms;

    if (oc_text_duration_ms(text, &ago_ms) || ago_ms < 0)
        return OC_E_PARSE;
    *out_unix_ms = ago_ms < now_unix_ms ? now_unix_ms - ago_ms : 0;
    return OC_OK;
}

int oc_timespec_parse(const char *text, int64_t now_unix_ms, int64_t *out_unix_ms)
{
    if (text[0] == '@')
        return parse_unix(text + 1, out_unix_ms);
    if (!parse_word(text, now_unix_ms, out_unix_ms))
        return OC_OK;
    if (strlen(text) >= 10 && text[4] == '-')
        return parse_date(text, out_unix_ms);
    if (strlen(text) >= 5 && text[2] == ':')
        return parse_clock(text, now_unix_ms, out_unix_ms);
    return parse_ago(text, now_unix_ms, out_unix_ms);
}

const char *oc_timespec_format(int64_t unix_ms, char *out, size_t out_bytes)
{
    struct oc_civil c;
    char fraction[8] = "";
    int offset;

    oc_civil_from_unix_ms(unix_ms, &c);
    offset = abs(c.offset_minutes);
    if (c.millisecond)
        (void)snprintf(fraction, sizeof(fraction), ".%03d", c.millisecond % 1000);
    (void)snprintf(out, out_bytes, "%04d-%02d-%02dT%02d:%02d:%02d%s%c%02d:%02d", c.year, c.month,
                   c.day, c.hour, c.minute, c.second, fraction, c.offset_minutes < 0 ? '-' : '+',
                   offset / 60, offset % 60);
    return out;
}

const char *oc_timespec_short(int64_t unix_ms, int64_t now_unix_ms, char *out, size_t out_bytes)
{
    struct oc_civil c, now;

    oc_civil_from_unix_ms(unix_ms, &c);
    oc_civil_from_unix_ms(now_unix_ms, &now);
    if (c.year == now.year && c.month == now.month && c.day == now.day)
        (void)snprintf(out, out_bytes, "%02d:%02d:%02d", c.hour, c.minute, c.second);
    else if (c.year == now.year)
        (void)snprintf(out, out_bytes, "%02d-%02d %02d:%02d", c.month, c.day, c.hour, c.minute);
    else
        (void)snprintf(out, out_bytes, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour,
                       c.minute);
    return out;
}
