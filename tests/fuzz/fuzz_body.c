/* A notice of the outbox, through every body. */
/* target: fuzz_body.c deps: alert_dep */
#include "alert/body.h"
#include "alert/notice.h"

#include "base/text.h"

#include <cjson/cJSON.h>

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define NOW INT64_C(1795456800000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void is_json(const struct oc_buf *text, size_t max_bytes)
{
    cJSON *root = cJSON_ParseWithLengthOpts(text->data, text->len_bytes + 1, NULL, 1);

    assert(root);
    assert(text->len_bytes <= max_bytes);
    cJSON_Delete(root);
}

/* Printable ASCII in short lines, and no more boundaries than ours. */
static void is_mail(const struct oc_buf *text)
{
    size_t column = 0, boundaries = 0;

    for (size_t i = 0; i < text->len_bytes; i++) {
        unsigned char c = (unsigned char)text->data[i];

        assert(c == '\r' || c == '\n' || (c >= 0x20 && c < 0x7F));
        column = c == '\n' ? 0 : column + 1;
        assert(column <= 78);
    }
    for (const char *at = text->data; (at = strstr(at, "--=_oomcast_=")) != NULL; at++)
        boundaries++;
    assert(boundaries == 3);
}

static void fields_are_lines(const struct oc_buf *fields)
{
    for (size_t at = 0; at < fields->len_bytes;) {
        const char *name = fields->data + at, *value = name + strlen(name) + 1;

        assert(name[0] && value[0] && oc_text_is_utf8(value, strlen(value), NULL));
        for (const unsigned char *c = (const unsigned char *)value; *c; c++)
            assert(*c >= 0x20 && *c != 0x7F);
        at = (size_t)(value - fields->data) + strlen(value) + 1;
    }
}

static void write_bodies(const struct oc_notice *notice)
{
    for (unsigned type = 1; type < OC_RECEIVER_TYPES; type++) {
        struct oc_body body;
        int rc = 0;

        oc_body_init(&body);
        rc = oc_body_write(type, notice, NOW, &body);
        assert(rc == OC_OK || rc == OC_E_NOTSUP || rc == OC_E_TOOBIG);
        if (rc == OC_OK) {
            fields_are_lines(&body.fields);
            if (type == OC_RECEIVER_EMAIL)
                is_mail(&body.text);
            else if (type != OC_RECEIVER_JOURNAL)
                is_json(&body.text, type == OC_RECEIVER_TEAMS ? 28000 : SIZE_MAX);
        }
        oc_body_clear(&body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct oc_notice notice;
    struct oc_detail detail;
    struct oc_buf level;

    if (oc_notice_read((const char *)bytes, len_bytes, &notice, &detail) < 0)
        return 0;
    write_bodies(&notice);
    oc_buf_init(&level, 4u << 20);
    if (oc_body_write_level(notice.alerts, notice.count, NOW, &level) == OC_OK)
        is_json(&level, SIZE_MAX);
    oc_buf_clear(&level);
    oc_notice_clear(&notice);
    return 0;
}
