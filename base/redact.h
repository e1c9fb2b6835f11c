/*
 * Takes secrets out of a command line before anybody stores or shows it: the values of arguments
 * and variables whose names speak of passwords, tokens, secrets or keys, passwords in URLs and
 * connection strings. What is taken out becomes "***".
 */
#ifndef OC_BASE_REDACT_H
#define OC_BASE_REDACT_H

#include <stddef.h>

/* Redacts text (arguments joined by blanks) in place, NUL-terminated, never longer. Linear. Pure. */
void oc_redact(char *text);

#endif
