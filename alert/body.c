/* A notice as the body of its receiver's kind. */
#include "alert/body_impl.h"

#include <string.h>

#define FIELDS_MAX_BYTES (64u << 10)
#define FIELD_MAX_BYTES 4096

void oc_body_init(struct oc_body *body)
{
    oc_buf_init(&body->text, OC_BODY_MAX_BYTES);
    oc_buf_init(&body->fields, FIELDS_MAX_BYTES);
    body->content_type = NULL;
}

void oc_body_clear(struct oc_body *body)
{
    oc_buf_clear(&body->text);
    oc_buf_clear(&body->fields);
    body->content_type = NULL;
}

void oc_body_field(struct oc_body *body, const char *name, const char *value)
{
    struct oc_buf clean;

    if (!value || !value[0])
        return;
    oc_buf_init(&clean, FIELD_MAX_BYTES + 8);
    oc_body_line(&clean, value, FIELD_MAX_BYTES);
    if (clean.err)
        body->fields.err = clean.err;
    if (clean.data) {
        oc_buf_add(&body->fields, name, strlen(name) + 1);
        oc_buf_add(&body->fields, clean.data, clean.len_bytes + 1);
    }
    oc_buf_clear(&clean);
}

int oc_body_write(unsigned receiver_type, const struct oc_notice *notice, int64_t now_unix_ms,
                  struct oc_body *out_body)
{
    static oc_body_write_fn *const kinds[OC_RECEIVER_TYPES] = {
        [OC_RECEIVER_WEBHOOK] = oc_body_webhook, [OC_RECEIVER_SLACK] = oc_body_slack,
        [OC_RECEIVER_TEAMS] = oc_body_teams,     [OC_RECEIVER_EMAIL] = oc_body_email,
        [OC_RECEIVER_JOURNAL] = oc_body_journal, [OC_RECEIVER_HOOK] = oc_body_hook,
    };
    int rc = 0;

    if (receiver_type >= OC_RECEIVER_TYPES || !kinds[receiver_type])
        return OC_E_NOTSUP;
    oc_buf_reset(&out_body->text);
    oc_buf_reset(&out_body->fields);
    rc = kinds[receiver_type](notice, now_unix_ms, out_body);
    if (rc < 0)
        return rc;
    return out_body->text.err ? out_body->text.err : out_body->fields.err;
}
