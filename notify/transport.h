/*
 * The ways out. Each takes an attempt whose target is set, and ends it by oc_attempt_done(), sooner or later, never
 * within the call that returns 0; what it returns below 0, it has not begun: *out says why, the caller ends it.
 */
#ifndef OC_NOTIFY_TRANSPORT_H
#define OC_NOTIFY_TRANSPORT_H

#include "base/err.h"
#include "notify/attempt.h"

#include <uv.h>

struct oc_courier;
struct oc_web;

/* ---- HTTP and SMTP, by libcurl on the loop (web.c, web_http.c, web_mail.c) ---- */
/* 0, OC_E_NOMEM, OC_E_NOTSUP: libcurl is older than 7.87. */
int oc_web_open(uv_loop_t *loop, struct oc_web **out_web);
/* libcurl gave up for good, and the loop is stopped: to be started anew. */
int oc_web_is_broken(const struct oc_web *web);
/* Ends all transfers without a word, at the end of the process: the loop must not run again. */
void oc_web_close(struct oc_web *web);
int oc_web_start(struct oc_web *web, struct oc_attempt *attempt, struct oc_outcome *out);

/* ---- a hook program (hook.c) ---- */
int oc_hook_start(struct oc_courier *courier, struct oc_attempt *attempt, struct oc_outcome *out);
/* Those that run, with all that they started. */
void oc_hooks_kill(struct oc_courier *courier);

/* ---- the journal: done at once, whatever comes of it (journal.c) ---- */
void oc_journal_send(const char *path, const struct oc_wire_delivery *delivery,
                     struct oc_outcome *out);

#endif
