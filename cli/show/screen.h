/* The whole terminal for a while: the alternate screen, keys, resizes, signals; restored at the end. */
#ifndef OC_CLI_SHOW_SCREEN_H
#define OC_CLI_SHOW_SCREEN_H

#include <stdint.h>

enum oc_key {
    OC_KEY_CTRL_C = 3,
    OC_KEY_UP = 256, /* below: the character itself */
    OC_KEY_DOWN,
    OC_KEY_PAGE_UP,
    OC_KEY_PAGE_DOWN,
    OC_KEY_HOME,
    OC_KEY_END
};

struct oc_screen_calls {
    int (*tick)(void *context);         /* each interval, and at once: draw. Not 0: it ends */
    int (*key)(int key, void *context); /* a key: draw again. Not 0: it ends */
    int (*resize)(void *context);       /* the size changed: draw again. Not 0: it ends */
};

/*
 * Runs until a call says so, for_ms are over (0: never), Ctrl-C, SIGINT, SIGTERM or SIGHUP.
 * Returns what ended it: 0, or a code (a call's own, OC_E_NOMEM, OC_E_IO).
 */
int oc_screen_run(int64_t interval_ms, int64_t for_ms, const struct oc_screen_calls *calls,
                  void *context);

#define OC_SCREEN_END 1 /* a call's answer: end, all is well */

/* Waits for_ms with nothing on the screen; signals end it. */
void oc_screen_wait(int64_t for_ms);

/* Bytes typed → keys. Pure. Takes one key from at least one byte; returns the bytes taken. */
int oc_key_parse(const char *bytes, int len, int *out_key);

#endif
