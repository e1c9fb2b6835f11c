/*
 * Error codes of every room. A call returns 0 or a count on success and a negative code on
 * failure; errno and GetLastError() are translated where they arise, once.
 */
#ifndef OC_BASE_ERR_H
#define OC_BASE_ERR_H

#include <stdint.h>

enum oc_err {
    OC_OK = 0,
    OC_E_NOMEM = -1,    /* an allocation failed, or a bounded pool is full */
    OC_E_IO = -2,       /* the OS failed in a way that no other code says better */
    OC_E_GONE = -3,     /* the process, cgroup or peer ended */
    OC_E_DENIED = -4,   /* the right is missing */
    OC_E_NOENT = -5,    /* no such file, key, subject or process */
    OC_E_PARSE = -6,    /* bytes from outside are not of the expected form */
    OC_E_TOOBIG = -7,   /* more bytes, depth or items than the stated maximum */
    OC_E_NOTSUP = -8,   /* this OS or kernel has no such thing */
    OC_E_INVAL = -9,    /* an argument is out of its range */
    OC_E_BUSY = -10,    /* another process holds it */
    OC_E_NOSPC = -11,   /* the disk, quota or a descriptor table is full */
    OC_E_CORRUPT = -12, /* a file of ours does not hold together */
    OC_E_FOREIGN = -13, /* a file of somebody else's */
    OC_E_NEWER = -14,   /* a file of a newer oomcast */
    OC_E_EXISTS = -15,  /* it is there already */
    OC_E_TIMEOUT = -16, /* the time limit passed */
    OC_E_AGAIN = -17,   /* nothing now; try later */
    OC_E_NOFILE = -18   /* no descriptor left (EMFILE, ENFILE) */
};

/* Where a code cannot say enough: the place and the mend. Line and column count from 1; 0 is none.
 */
struct oc_detail {
    uint32_t line;
    uint32_t column;
    char text[480]; /* NUL-terminated, one sentence or two, no newline */
};

/* The snake_case name of a code ("not_found"), for logs and JSON. Borrowed for ever; never NULL. */
const char *oc_err_name(int code);

/* A few words for a person ("no such file or process"). Borrowed for ever; never NULL. */
const char *oc_err_text(int code);

/* The code of a C errno value (> 0). Unknown ones are OC_E_IO. */
int oc_err_from_errno(int error_number);

/* Fills *detail from a printf format, with no place. detail may be NULL. Returns code. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int oc_detail_set(struct oc_detail *detail, int code, const char *format, ...);

#endif
