/* scan_hello.h: ClientHellos made by hand, so that anything can be offered that has a number. */
#ifndef CLI_SCAN_HELLO_H
#define CLI_SCAN_HELLO_H

#include "bytes/writer.h"
#include "cli/scan.h"

/* What a server should ignore, one bit each (RFC 8701, RFC 5246 7.4.1.4, RFC 8446 4.2.1). */
enum {
    ODD_SUITE = 1,
    ODD_GROUP = 2,
    ODD_SCHEME = 4,
    ODD_EXTENSION = 8,
    ODD_VERSION = 16,        /* in supported_versions */
    ODD_LEGACY_VERSION = 32, /* a legacy_version above TLS 1.2's, without supported_versions */
    ODD_RECORD_VERSION = 64, /* 0x0304 in the record's header */
};

struct hello {
    uint16_t version; /* to ask for */
    const struct numbers *suites, *groups,
        *schemes;                  /* groups, schemes NULL: the extension is left out */
    const char *name;              /* for server_name, or NULL */
    bool deflate, fallback, plain; /* plain: no extensions at all */
    unsigned odd;
    /* of the whole record, at least: padded up to it (RFC 7685); 0: as it comes */
    size_t length;
    /* TLS 1.3: whose share goes with it; 0: none, so that the server asks again */
    uint16_t share_group;
    struct slice share;
};

/* hello_write writes the record with the hello, ready to be sent. false: no memory. */
bool hello_write(const struct hello *h, struct buffer *out);

/* hello_write_ssl2 writes a hello of SSL 2.0 with all seven ciphers of that. */
bool hello_write_ssl2(struct buffer *out);

#endif
