/*
 * Plain structs as JSON objects and back, by a table of their fields: the words of the pipe and of the outbox are
 * loops over such rows. Strict: what no row names, what is there twice, or what does not fit, is refused. Pure.
 */
#ifndef OC_ALERT_FIELDS_H
#define OC_ALERT_FIELDS_H

#include "base/buf.h"
#include "base/err.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#define OC_FIELDS_MAX 64 /* with the others of a read */
#define OC_FIELD_TEXT_MAX 1024
#define OC_FIELD_EXACT_MAX INT64_C(9007199254740992) /* 2^53: beyond it doubles skip integers */

enum oc_field_type {
    OC_FIELD_TEXT,    /* char[bytes], a string */
    OC_FIELD_OWNED,   /* char *, a string of any length; absent: NULL */
    OC_FIELD_STRINGS, /* struct oc_strings, an array; absent: none */
    OC_FIELD_PAIRS,   /* struct oc_strings: name, value, …; an object */
    OC_FIELD_WORD,    /* uint8_t that `word` names */
    OC_FIELD_U8,      /* numbers: whole, 0 … max (0: all that the type holds) */
    OC_FIELD_U16,
    OC_FIELD_U32,
    OC_FIELD_I32,
    OC_FIELD_I64,   /* beyond ±2^53: cut to that */
    OC_FIELD_U64,   /* a string of decimal digits, as doubles do not hold it */
    OC_FIELD_HEX64, /* a string of 16 hex digits */
    OC_FIELD_DOUBLE /* absent: NAN; "inf" and "-inf" as strings */
};

/* A field is written where it is needed or not 0, "", NULL, NAN; one that is absent is as in a zeroed struct. */
struct oc_field {
    const char *name;
    uint8_t type; /* enum oc_field_type */
    uint8_t is_needed;
    uint32_t bytes; /* TEXT: of the array; WORD: how many words there are */
    size_t offset;
    uint32_t max;                       /* U8 … U32, I32: the highest that is taken */
    const char *(*word)(unsigned word); /* WORD */
};

/* Appends `"name":value` for each field, with a comma before each but the first, where is_first says so. No braces. */
void oc_fields_write(const struct oc_field *fields, size_t count, const void *from, int is_first,
                     struct oc_buf *out);

/*
 * Reads an object into *out, which is zeroed but for doubles (set to NAN where absent). Keys in `others` (NULL-terminated; NULL: none) are
 * passed over: the caller's. 0, OC_E_PARSE, OC_E_TOOBIG, OC_E_NOMEM with *detail, which names the key but never quotes a value.
 * On failure what was owned until then is in *out: the caller clears it.
 */
int oc_fields_read(const struct oc_field *fields, size_t count, const cJSON *object,
                   const char *const *others, void *out, struct oc_detail *detail);

#endif
