/* Whether two globs have a text in common: what no subject can ever be called, no rule will match. */
#include "config/section.h"

#include <string.h>

#define MAX_TOKENS 2400
#define ANY 256 /* any text; '?' and '[a-z]' count as that: bytes are not characters */

struct tokens {
    uint16_t items[MAX_TOKENS];
    size_t count;
    int is_cut;
};

static void add(struct tokens *tokens, unsigned token)
{
    if (token == ANY && tokens->count > 0 && tokens->items[tokens->count - 1] == ANY)
        return;
    if (tokens->count == MAX_TOKENS) {
        tokens->is_cut = 1;
        return;
    }
    tokens->items[tokens->count++] = (uint16_t)token;
}

static void read_glob(struct tokens *tokens, const char *glob)
{
    for (const char *c = glob; *c; c++) {
        const char *close = *c == '[' && c[1] ? strchr(c + 2, ']') : NULL;

        if (*c == '\\' && c[1]) {
            add(tokens, (unsigned char)*++c);
        } else if (*c == '*' || *c == '?' || close) {
            add(tokens, ANY);
            c = close ? close : c;
        } else {
            add(tokens, (unsigned char)*c);
        }
    }
}

/* A template: what stands in braces may be any text. */
static void read_template(struct tokens *tokens, const char *text)
{
    for (const char *c = text; *c; c++) {
        const char *close = *c == '{' ? strchr(c, '}') : NULL;

        add(tokens, close ? ANY : (unsigned char)*c);
        c = close ? close : c;
    }
}

/* Row i of the table says for each j whether a from i on and b from j on have a text in common. */
static int meet(const struct tokens *a, const struct tokens *b)
{

    char rows[2][MAX_TOKENS + 1];
    size_t n = a->count, m = b->count;

    if (a->is_cut || b->is_cut)
        return 1; /* cannot be said: so it may */
    for (size_t i = n + 1; i-- > 0;) {
        char *row = rows[i % 2], *below = rows[(i + 1) % 2];

        for (size_t j = m + 1; j-- > 0;) {
            int a_any = i < n && a->items[i] == ANY, b_any = j < m && b->items[j] == ANY;

            if (i == n && j == m)
                row[j] = 1;
            else
                row[j] = (char)((a_any && (below[j] || (j < m && row[j + 1]))) ||
                                (b_any && (row[j + 1] || (i < n && below[j]))) ||
                                (i < n && j < m && a->items[i] == b->items[j] && below[j + 1]));
        }
    }
    return rows[0][0];
}

int oc_config_globs_meet(const char *glob, const char *other)
{
    struct tokens a = { .count = 0 }, b = { .count = 0 };

    read_glob(&a, glob);
    read_glob(&b, other);
    return meet(&a, &b);
}

int oc_config_glob_meets_template(const char *glob, const char *text)
{
    struct tokens a = { .count = 0 }, b = { .count = 0 };

    read_glob(&a, glob);
    read_template(&b, text);
    return meet(&a, &b);
}
