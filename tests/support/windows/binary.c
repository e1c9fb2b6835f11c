/* Files and streams of a test hold the bytes that were written, as on other systems: for the C library, at its start. */
#include <fcntl.h>
#include <stdlib.h>

#undef _fmode
extern int _fmode;
int _fmode = _O_BINARY;
