#include "notify/os.h"

#include "base/err.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>

#define JOURNAL_PATH "/run/systemd/journal/socket"

void oc_notify_os_init(void) { (void)signal(SIGPIPE, SIG_IGN); }

int oc_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t data_bytes,
                   unsigned char out[OC_SHA256_BYTES])
{
    unsigned bytes = 0;

    return HMAC(EVP_sha256(), key, (int)key_bytes, data, data_bytes, out, &bytes) ? OC_OK
                                                                                  : OC_E_NOMEM;
}

void oc_wipe(void *bytes, size_t len_bytes) { OPENSSL_cleanse(bytes, len_bytes); }

const char *oc_user_option_text(void)
{
    return "Started by root, go on as this user; '-': stay root (oomcast-notify, else nobody).";
}

const char *oc_journal_option_text(void) { return "Where journald listens (" JOURNAL_PATH ")."; }

const char *oc_journal_default(void) { return JOURNAL_PATH; }
