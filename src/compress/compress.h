/* compress.h: the algorithms that a certificate may be compressed with (RFC 8879 3): zlib, brotli and zstd by
 * the system's libraries, or the application's own. Knows bytes, and nothing of TLS.
 *
 * The libraries are not linked to: they are loaded when a configuration first names them, because loading
 * all of them costs every program that starts a fifth of the time that libcrypto takes, and most never need
 * them. What is not on the machine when the program runs is like what was not there when it was built.
 */
#ifndef COMPRESS_COMPRESS_H
#define COMPRESS_COMPRESS_H

#include "bytes/bytes.h"

enum unpack {
    UNPACK_OK,
    UNPACK_BAD,   /* it cannot be decompressed */
    UNPACK_SHORT, /* it is less than what was announced: *made bytes */
    UNPACK_LONG,  /* it is more */
    UNPACK_NO_MEMORY,
};

/* An algorithm that comes with handfast. */
struct packing {
    uint16_t id; /* CertificateCompressionAlgorithm */
    const char *name;
    const char *library;
    /* load makes the other two usable; false: the library is not on this machine. */
    bool (*load)(void);
    /* pack returns the compressed size, 0 if it does not fit into size or memory ran out. */
    size_t (*pack)(struct slice in, uint8_t *out, size_t size);
    enum unpack (*unpack)(struct slice in, uint8_t *out, size_t size, size_t *made);
};

extern const struct packing packing_zlib, packing_brotli, packing_zstd;

/* packing_at returns the i-th algorithm, NULL past the last; those that were not there when handfast was
 * built have no functions. packing_load: is it there now? */
const struct packing *packing_at(size_t i);
bool packing_load(const struct packing *packing);

/* One of those, or the application's. */
struct compressor {
    uint16_t id;
    const struct packing *packing; /* NULL: custom */
    hf_compressor custom;
};

/* compress_room: how many bytes of output a message of len bytes is worth. handfast's own algorithms must
 * make it smaller; an application's may do as it likes. */
size_t compress_room(const struct compressor *by, size_t len);

/* compress_pack returns the compressed size, 0 if there is none. */
size_t compress_pack(const struct compressor *by, struct slice in, uint8_t *out, size_t size);

/* compress_unpack fills out with exactly size bytes, or fails; *made is what there was, for UNPACK_SHORT. */
enum unpack compress_unpack(const struct compressor *by, struct slice in, uint8_t *out,
                            size_t size, size_t *made);

#endif
