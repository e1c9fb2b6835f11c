/* Something done again and again for a while, until Ctrl-C. */
#ifndef OC_CLI_FRAME_REPEAT_H
#define OC_CLI_FRAME_REPEAT_H

#include <stdint.h>

/* 0 to go on; else it ends, and oc_cli_repeat() returns that. ms: since the beginning. */
typedef int oc_cli_repeat_fn(int64_t ms, void *context);

#define OC_CLI_INTERRUPTED                                                                         \
    1 /* SIGINT, SIGTERM or SIGHUP came: what is known so far is the answer */

/*
 * Calls fn every interval_ms, the first time after one, until for_ms passed. 0 then, OC_CLI_INTERRUPTED, what fn
 * returned, or OC_E_NOMEM, OC_E_IO where there is no loop.
 */
int oc_cli_repeat(int64_t interval_ms, int64_t for_ms, oc_cli_repeat_fn *fn, void *context);

#endif
