/* A token for what speaks to the network: ours with nearly all taken out. */
#ifndef OC_DAEMON_WINDOWS_TOKEN_H
#define OC_DAEMON_WINDOWS_TOKEN_H

#include <windows.h>

/*
 * A primary token of our user without privileges, no administrator any more, that may write only what Everyone may write
 * (or write-restricted services), below the processes of the system. Closed by the caller. 0, or Windows' error number.
 */
DWORD oc_token_restricted(HANDLE *out_token);

#endif
