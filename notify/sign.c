#include "notify/sign.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define PREFIX "whsec_"
#define PREFIX_BYTES (sizeof(PREFIX) - 1)
#define KEY_MAX_BYTES 768

/* The bytes of a secret into key (KEY_MAX_BYTES). Their count, or OC_E_PARSE. */
static int key_of(const char *secret, unsigned char *key)
{
    size_t len = strlen(secret);
    size_t padding = 0;
    int bytes = 0;

    if (len > KEY_MAX_BYTES)
        return OC_E_PARSE;
    if (strncmp(secret, PREFIX, PREFIX_BYTES) != 0) {
        for (size_t i = 0; i < len; i++)
            key[i] = (unsigned char)secret[i];
        return (int)len;
    }
    secret += PREFIX_BYTES;
    len -= PREFIX_BYTES;
    while (padding < 2 && padding < len && secret[len - 1 - padding] == '=')
        padding++;
    bytes = len > 0 && len % 4 == 0 ? EVP_DecodeBlock(key, (const unsigned char *)secret, (int)len)
                                    : -1;
    return bytes < 0 ? OC_E_PARSE : bytes - (int)padding;
}

static int sign_one(const char *secret, const struct oc_buf *what, struct oc_buf *out)
{
    unsigned char key[KEY_MAX_BYTES];
    unsigned char mac[EVP_MAX_MD_SIZE], base64[EVP_MAX_MD_SIZE * 2];
    unsigned mac_bytes = 0;
    int rc = key_of(secret, key);

    if (rc >= 0 && !HMAC(EVP_sha256(), key, rc, (const unsigned char *)what->data, what->len_bytes,
                         mac, &mac_bytes))
        rc = OC_E_NOMEM;
    OPENSSL_cleanse(key, sizeof(key));
    if (rc < 0)
        return rc;
    (void)EVP_EncodeBlock(base64, mac, (int)mac_bytes);
    oc_buf_printf(out, "v1,%s", (const char *)base64);
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
