#include "notify/sign.h"

#include "base/alloc.h"
#include "base/err.h"
#include "notify/encode.h"
#include "notify/os.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "whsec_"
#define PREFIX_BYTES (sizeof(PREFIX) - 1)
#define KEY_MAX_BYTES 768

/* The bytes of a secret into key (KEY_MAX_BYTES). Their count, or OC_E_PARSE. */
static int key_of(const char *secret, unsigned char *key)
{
    size_t len = strlen(secret);

    if (len > KEY_MAX_BYTES)
        return OC_E_PARSE;
    if (strncmp(secret, PREFIX, PREFIX_BYTES) != 0) {
        for (size_t i = 0; i < len; i++)
            key[i] = (unsigned char)secret[i];
        return (int)len;
    }
    return oc_base64_read(secret + PREFIX_BYTES, len - PREFIX_BYTES, key, KEY_MAX_BYTES);
}

static int sign_one(const char *secret, const struct oc_buf *what, struct oc_buf *out)
{
    unsigned char key[KEY_MAX_BYTES], mac[OC_SHA256_BYTES];
    char base64[OC_BASE64_ROOM(OC_SHA256_BYTES)];
    int rc = key_of(secret, key);

    if (rc >= 0)
        rc = oc_hmac_sha256(key, (size_t)rc, what->data, what->len_bytes, mac);
    oc_wipe(key, sizeof(key));
    if (rc < 0)
        return rc;
    oc_base64_write(mac, sizeof(mac), base64);
    oc_buf_printf(out, "v1,%s", base64);
    return OC_OK;
}

int oc_sign(const struct oc_strings *secrets, const char *id, int64_t timestamp_s, const char *body,
            size_t body_bytes, struct oc_buf *out)
{
    struct oc_buf what;
    int rc = OC_OK;

    oc_buf_init(&what, body_bytes + 256);
    oc_buf_printf(&what, "%s.%" PRId64 ".", id, timestamp_s);
    oc_buf_add(&what, body, body_bytes);
    rc = what.err;
    for (size_t i = 0; i < secrets->count && rc == OC_OK; i++) {
        if (i > 0)
            oc_buf_putc(out, ' ');
        rc = sign_one(secrets->items[i], &what, out);
    }
    oc_buf_clear(&what);
    return rc < 0 ? rc : out->err;
}
