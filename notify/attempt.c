#include "notify/attempt.h"

#include "base/err.h"
#include "base/text.h"
#include "notify/origin.h"

#include <string.h>

int oc_attempt_answer(struct oc_attempt *attempt, const void *bytes, size_t len_bytes)
{
    size_t room = OC_WIRE_ANSWER_MAX - attempt->answer_bytes;
    size_t kept = len_bytes < room ? len_bytes : room;

    if (kept > 0)
        memcpy(attempt->answer + attempt->answer_bytes, bytes, kept);
    attempt->answer_bytes += kept;
    attempt->read_bytes += len_bytes;
    return attempt->read_bytes > OC_ANSWER_READ_MAX ? OC_E_TOOBIG : OC_OK;
}

void oc_attempt_answer_text(const struct oc_attempt *attempt, char *out)
{
    char bytes[OC_WIRE_ANSWER_MAX + 1];
    size_t len = attempt->answer_bytes;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)attempt->answer[i];

        bytes[i] = (char)(c < 0x20 && c != '\n' && c != '\t' ? ' ' : c);
    }
    while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == '\n'))
        len--;
    bytes[len] = '\0';
    if (attempt->target)
        oc_scrub(&attempt->target->settings, bytes);
    oc_text_copy_utf8(out, OC_WIRE_ANSWER_MAX + 1, bytes, len);
}
