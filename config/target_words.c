#include "config/target_words.h"

#include "base/text.h"

#include <string.h>

#define TEXT_BYTES 1040 /* of the longest word, and more than a path has */

int oc_words_have(const struct oc_words *words, const char *text)
{
    for (size_t i = 0; i < words->count; i++) {
        if (oc_text_glob(words->items[i], text))
            return 1;
    }
    return 0;
}

/* A copy in lower case, with one kind of slash where these are alike. OC_E_TOOBIG: it does not fit. */
static int even_out(const char *text, int slashes_too, char out[TEXT_BYTES])
{
    int rc = oc_text_copy(out, TEXT_BYTES, text);

    for (; *out; out++) {
        if (*out >= 'A' && *out <= 'Z')
            *out = (char)(*out - 'A' + 'a');
        else if (slashes_too && *out == '\\')
            *out = '/';
    }
    return rc;
}

static int have_even(const struct oc_words *words, const char *text, int slashes_too)
{
    char even[TEXT_BYTES], glob[TEXT_BYTES];

    if (even_out(text, slashes_too, even) < 0)
        return 0;
    for (size_t i = 0; i < words->count; i++) {
        if (even_out(words->items[i], slashes_too, glob) == 0 && oc_text_glob(glob, even))
            return 1;
    }
    return 0;
}

int oc_words_have_name(const struct oc_words *words, const char *text)
{
    return have_even(words, text, 0);
}

int oc_words_have_drive_path(const struct oc_words *words, const char *path)
{
    int is_drive = path[0] != '\0' && path[1] == ':' && path[2] == '\\';

    return is_drive && have_even(words, path, 1);
}
