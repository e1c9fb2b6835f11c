/* What servers say to oomcast-notify: headers of their answers, dates, addresses that they move to, text that is shown. */
/* target: fuzz_notify.c deps: notify_dep */
#include "notify/attempt.h"
#include "notify/mail_text.h"
#include "notify/origin.h"
#include "notify/retry_after.h"
#include "notify/web.h"

#include "base/err.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

#define NOW_MS INT64_C(1790000000000)
#define SECRET "s3cr3t"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const char *text, size_t size)
{
    struct oc_transfer transfer = { .retry_after_ms = 0 };
    int64_t ms = 0;

    oc_web_header(&transfer, text, size, NOW_MS);
    assert(transfer.retry_after_ms >= 0 && transfer.retry_after_ms <= OC_RETRY_AFTER_MAX_MS);
    assert(memchr(transfer.moved_to, '\0', sizeof(transfer.moved_to)) != NULL);
    ms = oc_retry_after_ms(text, size, NOW_MS);
    assert(ms == 0 || (ms >= 1000 && ms <= OC_RETRY_AFTER_MAX_MS));
    if (oc_http_date(text, size, NOW_MS, &ms) == OC_OK)
        assert(ms % 1000 == 0);
}

static void check_origin(const char *text)
{
    char origin[OC_ORIGIN_BYTES];

    oc_origin(text, origin);
    for (const char *c = origin; *c; c++)
        assert(*c > ' ' && *c < 0x7f);
    assert(strchr(origin, '@') == NULL);
}

static void check_answer(const char *text, size_t size)
{
    char url[] = "https://host/" SECRET;
    char *items[] = { url };
    struct oc_target target = { .settings = { .urls = { .items = items, .count = 1 } } };
    struct oc_attempt attempt = { .target = &target };
    char out[OC_WIRE_ANSWER_MAX + 1];

    for (size_t at = 0; at < size; at += 37)
        (void)oc_attempt_answer(&attempt, text + at, size - at < 37 ? size - at : 37);
    oc_attempt_answer_text(&attempt, out);
    assert(oc_text_is_utf8(out, strlen(out), NULL));
    assert(strstr(out, SECRET) == NULL);
}

/* No field can add a line of its own: all headers are those that it was given. */
static void check_mail(char *text)
{
    char name[] = "Subject";
    char *fields[] = { name, text };
    struct oc_receiver receiver = { .from = "a@b" };
    struct oc_wire_delivery delivery = { .body = text,
                                         .body_bytes = strlen(text),
                                         .fields = { .items = fields, .count = 2 } };
    struct oc_buf out;
    const char *end = NULL;
    size_t lines = 0;

    oc_buf_init(&out, 1u << 20);
    oc_mail_write(&receiver, &delivery, NOW_MS, &out);
    assert(out.err == OC_OK);
    end = strstr(out.data, "\r\n\r\n");
    for (const char *line = out.data; line <= end; line = strstr(line, "\r\n") + 2)
        lines += *line != ' ';
    assert(lines == 7);
    oc_buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2049];

    if (size > sizeof(text) - 1)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_header(text, size);
    check_origin(text);
    check_answer(text, size);
    check_mail(text);
    return 0;
}
