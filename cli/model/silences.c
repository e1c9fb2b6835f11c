#include "cli/model/silences.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int is_name_char(char c, int is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!is_first && c >= '0' && c <= '9');
}

/* Length of a name that "=" or "!=" follows; 0: there is none. */
static size_t name_len(const char *word)
{
    size_t len = 0;

    while (is_name_char(word[len], len == 0))
        len++;
    if (word[len] == '=' || (word[len] == '!' && word[len + 1] == '='))
        return len;
    return 0;
}

int oc_silence_add_matcher(struct oc_silence *silence, const char *word, struct oc_detail *detail)
{
    struct oc_silence_matcher *matcher;
    size_t len = name_len(word);
    const char *glob = word;

    if (silence->matcher_count == OC_SILENCE_MATCHERS_MAX)
        return oc_detail_set(detail, OC_E_TOOBIG, "more than %d matchers in one silence",
                             OC_SILENCE_MATCHERS_MAX);
    matcher = &silence->matchers[silence->matcher_count];
    memset(matcher, 0, sizeof(*matcher));
    if (len >= sizeof(matcher->name))
        return oc_detail_set(detail, OC_E_TOOBIG, "the name of '%.80s' is too long", word);
    if (len > 0) {
        memcpy(matcher->name, word, len);
        matcher->is_negative = word[len] == '!';
        glob = word + len + (matcher->is_negative ? 2 : 1);
    } else {
        (void)oc_text_copy(matcher->name, sizeof(matcher->name), "subject");
    }
    if (!*glob)
        return oc_detail_set(detail, OC_E_INVAL,
                             "'%s' matches nothing: write %.40s=GLOB, or * for any", word,
                             matcher->name);
    if (oc_text_copy(matcher->glob, sizeof(matcher->glob), glob))
        return oc_detail_set(detail, OC_E_TOOBIG, "'%.80s...' is longer than %d bytes", glob,
                             OC_SILENCE_TEXT_BYTES - 1);
    silence->matcher_count++;
    return OC_OK;
}

void oc_silence_matchers_text(const struct oc_silence *silence, struct oc_buf *out)
{
    for (uint32_t i = 0; i < silence->matcher_count && i < OC_SILENCE_MATCHERS_MAX; i++)
        oc_buf_printf(out, "%s%s%s%s", i ? " " : "", silence->matchers[i].name,
                      silence->matchers[i].is_negative ? "!=" : "=", silence->matchers[i].glob);
}

static void put_member(struct oc_buf *out, const char *key, const char *text)
{
    oc_buf_printf(out, ",\"%s\":", key);
    oc_buf_json_string(out, text);
}

static void put_matcher(struct oc_buf *out, const struct oc_silence_matcher *matcher)
{
    char text[sizeof(matcher->name) + sizeof(matcher->glob) + 4];

    (void)snprintf(text, sizeof(text), "%s%s%s", matcher->name, matcher->is_negative ? "!=" : "=",
                   matcher->glob);
    oc_buf_json_string(out, text);
}

void oc_silence_request(const struct oc_silence *silence, int64_t for_ms, struct oc_buf *out)
{
    oc_buf_printf(out, "{\"cmd\":\"silence\",\"for\":\"%" PRId64 "ms\"", for_ms);
    put_member(out, "author", silence->author);
    put_member(out, "comment", silence->comment);
    oc_buf_puts(out, ",\"match\":[");
    for (uint32_t i = 0; i < silence->matcher_count && i < OC_SILENCE_MATCHERS_MAX; i++) {
        if (i > 0)
            oc_buf_putc(out, ',');
        put_matcher(out, &silence->matchers[i]);
    }
    oc_buf_puts(out, "]}");
}

int oc_silence_is_active(const struct oc_silence *silence, int64_t now_unix_ms)
{
    return silence->begin_unix_ms <= now_unix_ms && now_unix_ms < silence->end_unix_ms;
}
