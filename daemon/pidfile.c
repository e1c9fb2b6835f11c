#include "daemon/pidfile.h"

#include "base/err.h"
#include "base/text.h"

#include <string.h>

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int oc_pidfile_parse(const char *text, size_t len_bytes, uint32_t *out_pid)
{
    char digits[12] = ""; /* of any PID, and one more */
    size_t begin = 0, end = 0;
    uint64_t pid = 0;

    while (begin < len_bytes && is_blank(text[begin]))
        begin++;
    end = begin;
    while (end < len_bytes && !is_blank(text[end]))
        end++;
    if (end - begin >= sizeof(digits))
        return OC_E_PARSE;
    memcpy(digits, text + begin, end - begin);
    if (oc_text_u64(digits, &pid) < 0 || pid == 0 || pid > INT32_MAX)
        return OC_E_PARSE;
    *out_pid = (uint32_t)pid;
    return OC_OK;
}
