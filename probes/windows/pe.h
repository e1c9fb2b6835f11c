/* The header of a program as it is mapped: what address space it may use. */
#ifndef OC_PROBES_WINDOWS_PE_H
#define OC_PROBES_WINDOWS_PE_H

#include <stddef.h>
#include <stdint.h>

struct oc_win_pe {
    uint8_t is_32bit;               /* PE32, not PE32+ */
    uint8_t is_large_address_aware; /* IMAGE_FILE_LARGE_ADDRESS_AWARE */
    uint16_t machine;
};

#define OC_WIN_PE_BYTES 4096 /* of the header that are looked at: its first page */

/* Pure. 0 or OC_E_PARSE. Source: the PE format, COFF file header and optional header magic. */
int oc_win_pe_parse(const unsigned char *bytes, size_t len_bytes, struct oc_win_pe *out_pe);

/*
 * The end of what such a program can use: 2 GiB less 64 KiB, or 4 GiB less 64 KiB with large addresses on a 64-bit Windows;
 * of a 64-bit one top_address.
 */
uint64_t oc_win_pe_top(const struct oc_win_pe *pe, uint64_t top_address);

#endif
