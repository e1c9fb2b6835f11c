#include "notify/os.h"

#include "base/err.h"

#include <windows.h>

#include <bcrypt.h>

void oc_notify_os_init(void) {}

/* ---- secrets ---- */

static int is_done(NTSTATUS status) { return status >= 0; }

/* BCrypt takes no constants, and changes nothing of them. */
static PUCHAR as_bytes(const void *bytes) { return (PUCHAR)(uintptr_t)bytes; }

static int digest(BCRYPT_ALG_HANDLE algorithm, const void *key, size_t key_bytes, const void *data,
                  size_t data_bytes, unsigned char *out)
{
    BCRYPT_HASH_HANDLE hash = NULL;
    int ok =
        is_done(BCryptCreateHash(algorithm, &hash, NULL, 0, as_bytes(key), (ULONG)key_bytes, 0));

    if (!ok)
        return OC_E_NOMEM;
    ok = is_done(BCryptHashData(hash, as_bytes(data), (ULONG)data_bytes, 0)) &&
         is_done(BCryptFinishHash(hash, out, OC_SHA256_BYTES, 0));
    (void)BCryptDestroyHash(hash);
    return ok ? OC_OK : OC_E_NOMEM;
}

int oc_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t data_bytes,
                   unsigned char out[OC_SHA256_BYTES])
{
    BCRYPT_ALG_HANDLE algorithm = NULL;
    int rc = OC_OK;

    if (!is_done(BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL,
                                             BCRYPT_ALG_HANDLE_HMAC_FLAG)))
        return OC_E_NOMEM;
    rc = digest(algorithm, key, key_bytes, data, data_bytes, out);
    (void)BCryptCloseAlgorithmProvider(algorithm, 0);
    return rc;
}

void oc_wipe(void *bytes, size_t len_bytes) { SecureZeroMemory(bytes, len_bytes); }

/* ---- options ---- */

const char *oc_user_option_text(void) { return NULL; }

const char *oc_journal_option_text(void) { return NULL; }

const char *oc_journal_default(void) { return ""; }
