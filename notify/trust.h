/* Where this machine keeps the certificates that it trusts. */
#ifndef OC_NOTIFY_TRUST_H
#define OC_NOTIFY_TRUST_H

/* The file of the system's authorities, where a distribution has it; NULL: in none of the usual places. Borrowed for ever. Each
 * has its own, and libcurl knows only that of the one it was built on. Looks at a few files. */
const char *oc_trust_file(void);

#endif
