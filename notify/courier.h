/*
 * The notifier: what comes in becomes attempts, at most OC_ACTIVE_MAX under way, few waiting; when more come, it
 * stops reading, and the pipe holds up who writes.
 */
#ifndef OC_NOTIFY_COURIER_H
#define OC_NOTIFY_COURIER_H

#include "base/err.h"
#include "notify/args.h"
#include "notify/attempt.h"
#include "notify/pipe.h"
#include "notify/table.h"

#include <stdint.h>
#include <uv.h>

#define OC_ACTIVE_MAX 32   /* attempts under way */
#define OC_ACTIVE_OF_ONE 8 /* of one receiver, so that one that hangs leaves room for the others */
#define OC_QUEUE_MAX 256   /* that wait */
#define OC_QUEUE_BYTES_MAX (2u << 20) /* of their bodies; a larger one comes alone */
#define OC_BACKLOG_MAX (64u << 10)    /* of reports that nobody took yet */
#define OC_WAIT_MAX_MS                                                                             \
    10000 /* in the queue: then it is said to be tried later; oomcastd waits for each answer */
#define OC_GRACE_MS 5000 /* for what is under way, at the end */

struct oc_web;
struct oc_hook;

struct oc_courier {
    uv_loop_t loop;
    uv_signal_t on_term, on_int;
    uv_timer_t grace, round;
    struct oc_pipe pipe;
    struct oc_table table;
    struct oc_web *web;
    struct oc_hook *hooks; /* that run */
    const char *journal_path;
    struct oc_attempt *first, **last; /* the queue */
    uint32_t waiting, active;
    size_t waiting_bytes;
    uint32_t notes; /* since the last that was told */
    int64_t noted_mono_ms;
    int is_ending;
    int is_lost; /* it could not keep what it was told: to be started anew, and told again */
};

int oc_courier_start(struct oc_courier *courier, const struct oc_notify_args *args,
                     const char *note, struct oc_detail *detail);
/* Until standard input ends, or it is told to: 0. OC_E_GONE: nobody takes what it says, or it cannot go on. */
int oc_courier_run(struct oc_courier *courier);
void oc_courier_stop(struct oc_courier *courier);

/* Milliseconds of a clock that never jumps. */
int64_t oc_courier_now(const struct oc_courier *courier);

#endif
