#include "base/pattern.h"

#include "base/alloc.h"
#include "base/pattern_cost.h"

#include <tre/tre.h>

#include <stdint.h>
#include <string.h>

#define MAX_TEXT_BYTES ((size_t)1 << 20) /* the library counts in int */

struct oc_pattern {
    regex_t regex;
};

/*
 * The library's functions for char heed the locale; those for wide characters with one byte in each do not.
 */
static int compile(const char *text, size_t len, regex_t *out_regex)
{
    wchar_t wide[OC_PATTERN_MAX_BYTES];

    for (size_t i = 0; i < len; i++)
        wide[i] = (wchar_t)(unsigned char)text[i];
    return tre_regwncomp(out_regex, wide, len, REG_EXTENDED);
}

static int fail(int error, const regex_t *regex, struct oc_detail *detail)
{
    char why[120] = "";

    if (error == REG_ESPACE)
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    (void)tre_regerror(error, regex, why, sizeof(why));
    return oc_detail_set(detail, OC_E_PARSE, "the pattern is refused: %s", why);
}

int oc_pattern_new(const char *text, oc_pattern **out_pattern, struct oc_detail *detail)
{
    size_t len = strlen(text);
    oc_pattern *pattern = NULL;
    int rc = OC_OK, error = 0;

    if (len > OC_PATTERN_MAX_BYTES)
        return oc_detail_set(detail, OC_E_TOOBIG, "a pattern of more than %d bytes",
                             OC_PATTERN_MAX_BYTES);
    rc = oc_pattern_check(text, len, detail);
    if (rc < 0)
        return rc;
    pattern = oc_calloc(1, sizeof(*pattern));
    if (!pattern)
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    error = compile(text, len, &pattern->regex);
    if (error != REG_OK) {
        rc = fail(error, &pattern->regex, detail);
        oc_free(pattern);
        return rc;
    }
    *out_pattern = pattern;
    return OC_OK;
}

void oc_pattern_free(oc_pattern *pattern)
{
    if (!pattern)
        return;
    tre_regfree(&pattern->regex);
    oc_free(pattern);
}

/* ---- the text, byte by byte ---- */

struct text {
    const unsigned char *at, *end;
};

static int next_byte(tre_char_t *out_char, unsigned *out_step, void *context)
{
    struct text *text = context;

    *out_step = 1;
    *out_char = text->at < text->end ? (tre_char_t)*text->at : 0;
    return text->at++ >= text->end;
}

/* Only back-references ask for these, and there are none. */
static void no_rewind(size_t at, void *context)
{
    (void)at;
    (void)context;
}

static int no_compare(size_t a, size_t b, size_t len, void *context)
{
    (void)a;
    (void)b;
    (void)len;
    (void)context;
    return 1;
}

int oc_pattern_match(const oc_pattern *pattern, const char *text, size_t len_bytes,
                     struct oc_span *out_groups)
{
    regmatch_t groups[OC_PATTERN_GROUPS];
    struct text bytes = { (const unsigned char *)text, NULL };
    tre_str_source source = { next_byte, no_rewind, no_compare, &bytes };
    int error = 0;

    bytes.end = bytes.at + (len_bytes < MAX_TEXT_BYTES ? len_bytes : MAX_TEXT_BYTES);
    error = tre_reguexec(&pattern->regex, &source, out_groups ? OC_PATTERN_GROUPS : 0, groups, 0);
    if (error != REG_OK)
        return error == REG_ESPACE ? OC_E_NOMEM : 0;
    for (size_t i = 0; out_groups && i < OC_PATTERN_GROUPS; i++) {
        int is_set = groups[i].rm_so >= 0 && groups[i].rm_eo >= groups[i].rm_so;

        out_groups[i].begin = is_set ? (size_t)groups[i].rm_so : 1;
        out_groups[i].end = is_set ? (size_t)groups[i].rm_eo : 0;
    }
    return 1;
}
