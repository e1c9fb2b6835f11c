/* Globs of a selector against a text. Pure. */
#ifndef OC_CONFIG_TARGET_WORDS_H
#define OC_CONFIG_TARGET_WORDS_H

#include "config/target.h"

int oc_words_have(const struct oc_words *words, const char *text);
/* The same with ASCII letters of either case alike, as in names that Windows gives. Of a glob, '\\' escapes. */
int oc_words_have_name(const struct oc_words *words, const char *text);
/*
 * Of a path on a drive of Windows ("C:\\inetpub\\app.exe"): letters of either case and both slashes are alike, and a
 * backslash escapes nothing. 0 of any other path.
 */
int oc_words_have_drive_path(const struct oc_words *words, const char *path);

#endif
