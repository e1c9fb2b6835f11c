/* Text to a console as Unicode: by stdio a character could be cut in two, and old ones know no UTF-8. */
#include "base/os.h"

#include "base/err.h"

#include <stdio.h>
#include <windows.h>

#define PIECE_BYTES 4096

/* Bytes of a piece that ends with a whole character. */
static size_t piece_of(const char *text, size_t len_bytes)
{
    size_t piece = len_bytes < PIECE_BYTES ? len_bytes : PIECE_BYTES;

    while (piece < len_bytes && piece > PIECE_BYTES - 4 &&
           ((unsigned char)text[piece] & 0xC0u) == 0x80)
        piece--;
    return piece;
}

static int write_console(HANDLE console, const char *text, size_t len_bytes)
{
    wchar_t wide[PIECE_BYTES]; /* a unit is at least a byte */

    while (len_bytes > 0) {
        size_t piece = piece_of(text, len_bytes);
        int units = MultiByteToWideChar(CP_UTF8, 0, text, (int)piece, wide, PIECE_BYTES);
        DWORD written = 0;

        if (units <= 0 || !WriteConsoleW(console, wide, (DWORD)units, &written, NULL))
            return OC_E_IO;
        text += piece;
        len_bytes -= piece;
    }
    return OC_OK;
}

int oc_term_write(enum oc_stream stream, const char *text, size_t len_bytes)
{
    FILE *file = stream == OC_STDOUT ? stdout : stderr;
    HANDLE handle = GetStdHandle(stream == OC_STDOUT ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);

    if (!oc_term_is_tty(stream))
        return fwrite(text, 1, len_bytes, file) == len_bytes ? OC_OK : OC_E_IO;
    (void)fflush(file); /* what was said before stands before */
    return write_console(handle, text, len_bytes);
}
