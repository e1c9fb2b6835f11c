/* The command line of oomcast-notify, its help and its manual page. */
#ifndef OC_NOTIFY_ARGS_H
#define OC_NOTIFY_ARGS_H

#include "base/buf.h"
#include "base/err.h"

struct oc_notify_args {
    const char *user;    /* NULL: oomcast-notify, else nobody; "-": stays who it is */
    const char *journal; /* the journal's socket */
    int is_bare;         /* started again by itself, after it gave up what it had inherited */
    int help, version, manual;
};

/* 0 or OC_E_INVAL with a sentence. */
int oc_notify_args_parse(int argc, char *const *argv, struct oc_notify_args *out_args,
                         struct oc_detail *detail);
void oc_notify_args_help(struct oc_buf *out);
/* oomcast-notify(8). */
void oc_notify_args_manual(struct oc_buf *out);

#endif
