#include "probes/linux/parse.h"

#include "base/err.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>

/* The value of a line, from behind its key to the newline: "123", ":  123 kB", " max". */
static int keyed_value(const char *at, const char *newline, uint64_t *out_value)
{
    uint64_t value = 0;
    int digits = 0;

    while (at < newline && (*at == ':' || *at == ' ' || *at == '\t'))
        at++;
    for (; at < newline && (unsigned char)(*at - '0') < 10; at++, digits++)
        value = value * 10 + (unsigned char)(*at - '0');
    if (digits == 0) {
        *out_value = OC_LX_MAX;
        return newline - at == 3 && memcmp(at, "max", 3) == 0 ? OC_OK : OC_E_PARSE;
    }
    if (digits > 19 || value > INT64_MAX)
        return OC_E_PARSE;
    if (newline - at >= 3 && memcmp(at, " kB", 3) == 0) {
        if (value > (uint64_t)INT64_MAX >> 10)
            return OC_E_PARSE;
        value <<= 10;
    }
    *out_value = value;
    return OC_OK;
}

/* Whether the line begins with the key and a separator. */
static inline int has_key(const char *line, size_t line_bytes, const char *key, size_t key_bytes)
{
    return line_bytes > key_bytes && line[0] == key[0] && memcmp(line, key, key_bytes) == 0 &&
           (line[key_bytes] == ' ' || line[key_bytes] == ':');
}

/* The key of the line, tried from `first` on and then round; `count`: none of them. */
static size_t find_key(const char *line, size_t line_bytes, const char *const *keys, size_t count,
                       size_t first, uint64_t found)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = first + i < count ? first + i : first + i - count;

        if (!(found >> k & 1) && line[0] == keys[k][0] &&
            has_key(line, line_bytes, keys[k], strlen(keys[k])))
            return k;
    }
    return count;
}

uint64_t oc_lx_keyed_parse(const char *text, size_t len_bytes, const char *const *keys,
                           size_t count, uint64_t *values)
{
    const char *line = text, *end = text + len_bytes, *newline = NULL;
    uint64_t found = 0, all = count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
    size_t next = 0;

    for (; line < end && found != all; line = newline + 1) {
        size_t k = 0, key_bytes = 0;

        newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline)
            break; /* cut: its number may be too */
        k = find_key(line, (size_t)(newline - line), keys, count, next, found);
        if (k == count)
            continue;
        key_bytes = strlen(keys[k]);
        if (keyed_value(line + key_bytes, newline, &values[k]) == OC_OK)
            found |= UINT64_C(1) << k;
        next = k + 1 < count ? k + 1 : 0;
    }
    return found;
}

int oc_lx_number_parse(const char *text, size_t len_bytes, uint64_t *out_value)
{
    const char *newline = memchr(text, '\n', len_bytes);
    const char *end = newline ? newline : text + len_bytes;
    uint64_t value = 0;

    if (end == text || text[0] == ':' || keyed_value(text, end, &value) != OC_OK)
        return OC_E_PARSE;
    *out_value = value;
    return OC_OK;
}

/* The number behind "total=" of a line that begins with word. */
static int psi_total(const char *text, size_t len_bytes, const char *word, uint64_t *out_us)
{
    const char *line = memmem(text, len_bytes, word, strlen(word));
    const char *end = text + len_bytes, *newline = NULL, *total = NULL;

    if (!line)
        return OC_E_NOENT;
    newline = memchr(line, '\n', (size_t)(end - line));
    if (!newline)
        return OC_E_PARSE;
    total = memmem(line, (size_t)(newline - line), "total=", 6);
    return total ? keyed_value(total + 6, newline, out_us) : OC_E_PARSE;
}

int oc_lx_psi_parse(const char *text, size_t len_bytes, struct oc_lx_psi *out_psi)
{
    int rc = psi_total(text, len_bytes, "some ", &out_psi->some_us);

    if (rc != OC_OK)
        return OC_E_PARSE;
    rc = psi_total(text, len_bytes, "full ", &out_psi->full_us);
    if (rc == OC_E_NOENT) {
        out_psi->full_us = OC_LX_MAX;
        rc = OC_OK;
    }
    return rc;
}

/* ---- proc connector ---- */

/* struct proc_event, whose tail depends on what happened; a shorter one is refused. */
static int cn_event(const unsigned char *bytes, size_t len_bytes, struct oc_lx_cn_event *out_event)
{
    uint32_t words[4] = { 0 }; /* of the event's data */
    const size_t head_bytes = offsetof(struct proc_event, event_data);
    uint32_t what = 0;
    uint64_t mono_ns = 0;

    if (len_bytes < head_bytes + 4)
        return OC_E_PARSE;
    memcpy(&what, bytes, sizeof what);
    memcpy(&mono_ns, bytes + offsetof(struct proc_event, timestamp_ns), sizeof mono_ns);
    len_bytes -= head_bytes;
    memcpy(words, bytes + head_bytes, len_bytes < sizeof words ? len_bytes : sizeof words);
    *out_event = (struct oc_lx_cn_event){ OC_LX_CN_OTHER, words[0], words[1], words[2], mono_ns };
    if (what == 0) { /* PROC_EVENT_NONE */
        out_event->kind = OC_LX_CN_ACK;
        out_event->code = words[0];
    } else if (what == 1 && len_bytes >= 16) { /* fork: parent pid, tgid, child pid, tgid */
        *out_event = (struct oc_lx_cn_event){ OC_LX_CN_FORK, words[2], words[3], 0, mono_ns };
    } else if (what == 2 && len_bytes >= 8) {
        out_event->kind = OC_LX_CN_EXEC;
    } else if (what == 0x80000000u && len_bytes >= 16) {
        out_event->kind = OC_LX_CN_EXIT;
    }
    return OC_OK;
}

int oc_lx_cn_parse(const void *bytes, size_t len_bytes, size_t *at_bytes,
                   struct oc_lx_cn_event *out_event)
{
    const unsigned char *at = (const unsigned char *)bytes + *at_bytes;
    size_t left_bytes = len_bytes - *at_bytes, body_bytes = 0;
    const size_t head_bytes = NLMSG_HDRLEN + sizeof(struct cn_msg);
    struct nlmsghdr header;
    struct cn_msg message;

    if (left_bytes == 0)
        return 0;
    if (left_bytes < head_bytes)
        return OC_E_PARSE;
    memcpy(&header, at, sizeof header);
    memcpy(&message, at + NLMSG_HDRLEN, sizeof message);
    if (header.nlmsg_len < head_bytes || header.nlmsg_len > left_bytes)
        return OC_E_PARSE;
    body_bytes = header.nlmsg_len - head_bytes;
    *at_bytes +=
        NLMSG_ALIGN(header.nlmsg_len) < left_bytes ? NLMSG_ALIGN(header.nlmsg_len) : left_bytes;
    if (message.len < body_bytes)
        body_bytes = message.len;
    if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC) {
        *out_event = (struct oc_lx_cn_event){ OC_LX_CN_OTHER, 0, 0, 0, 0 };
        return 1;
    }
    return cn_event(at + head_bytes, body_bytes, out_event) == OC_OK ? 1 : OC_E_PARSE;
}
