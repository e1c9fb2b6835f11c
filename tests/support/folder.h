/* A folder of a test's own. For the tests of all rooms. */
#ifndef OC_TESTS_SUPPORT_FOLDER_H
#define OC_TESTS_SUPPORT_FOLDER_H

#include <stddef.h>

/* A new folder below $TMPDIR, or /tmp: out_bytes 128 is plenty. 0, or -1 and a line on standard error. */
int make_folder(const char *prefix, char *out_path, size_t out_bytes);

/* With all that is in it. A folder that is not there is not an error. 0, or -1 and a line. */
int remove_folder(const char *path);

/* A copy beside it or elsewhere. 0, or -1. */
int copy_file(const char *from, const char *to);

/* A database and what SQLite keeps beside it, where they are. */
void remove_database(const char *path);

#endif
