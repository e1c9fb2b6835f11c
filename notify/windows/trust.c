#include "notify/trust.h"

#include <stddef.h>

/* Schannel asks Windows' own store. */
const char *oc_trust_file(void) { return NULL; }
